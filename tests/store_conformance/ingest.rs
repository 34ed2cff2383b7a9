use crate::given::*;
use crate::support::TestDb;
use guichet::model::*;
use guichet::store::{Ingest, JobKind};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;

pub async fn an_inbound_message_brings_its_conversation_job_and_events(db: Arc<TestDb>) {
    let media = [Media { kind: "image/jpeg".into(), url: "https://media.example/1".into() }];
    let message = Ingest { media: &media, ..inbound("+33600000001", "SM1", "bonjour") };
    let done = ingested(&db.store, message, at(0)).await;
    assert!(!done.duplicate);

    let mut tx = db.store.read().await.unwrap();
    let contact = tx.contact_by_address("sms", "+33600000001").await.unwrap().unwrap();
    assert_eq!((contact.lang, contact.created_at), (None, at(0)));
    assert_eq!(tx.contact_by_id(contact.id).await.unwrap().unwrap(), contact);
    let conversation = tx.conversation(done.conversation_id).await.unwrap().unwrap();
    assert_eq!(conversation.contact_id, contact.id);
    assert_eq!(conversation.state, ConversationState::Bot);
    assert_eq!((conversation.opened_at, conversation.last_message_at), (at(0), at(0)));

    let messages = tx.messages(conversation.id, 0, 10).await.unwrap();
    let [message] = &messages[..] else { panic!("one message: {messages:?}") };
    assert_eq!((message.seq, message.text.as_str()), (1, "bonjour"));
    assert_eq!(message.provider_id.as_deref(), Some("SM1"));
    assert_eq!(message.direction, Direction::Inbound);
    assert_eq!(message.status, DeliveryStatus::Received);
    assert_eq!(message.media, media);

    let events = tx.events(conversation.id).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|e| (e.kind, e.message_id, e.at)).collect();
    assert_eq!(
        kinds,
        [
            (EventKind::ConversationOpened, Some(message.id), at(0)),
            (EventKind::MessageReceived, Some(message.id), at(0)),
        ]
    );
    let jobs = claim(&db, at(0), 10).await;
    assert_eq!((jobs.len(), jobs[0].kind, jobs[0].message_id), (1, JobKind::Process, message.id));
}

pub async fn a_repeated_delivery_is_stored_once(db: Arc<TestDb>) {
    let first = ingested(&db.store, inbound("+331", "SM1", "un"), at(0)).await;
    // Hours later, and after the conversation is over: still the same message.
    changed(&db, first.conversation_id, |c| {
        c.state = ConversationState::Resolved;
        c.resolved_at = Some(at(10));
    })
    .await;
    let again = ingested(&db.store, inbound("+331", "SM1", "un"), at(9000)).await;
    assert!(again.duplicate);
    assert_eq!(again.conversation_id, first.conversation_id);
    let mut raw = db.raw().await;
    for (table, expected) in
        [("messages", 1), ("conversations", 1), ("jobs", 1), ("events", 2), ("contacts", 1)]
    {
        assert_eq!(raw.count(table).await, expected, "{table}");
    }
}

pub async fn twenty_concurrent_twins_are_stored_once(db: Arc<TestDb>) {
    for round in 0..5 {
        let mut twins = JoinSet::new();
        for _ in 0..20 {
            let db = db.clone();
            twins.spawn(async move {
                let id = format!("SM-{round}");
                ingested(&db.store, inbound("+331", &id, "un"), at(round)).await.duplicate
            });
        }
        let duplicates = twins.join_all().await.into_iter().filter(|d| *d).count();
        assert_eq!(duplicates, 19);
    }
    let mut raw = db.raw().await;
    assert_eq!(raw.count("messages").await, 5);
    assert_eq!(raw.count("jobs").await, 5);
    assert_eq!(raw.count("conversations").await, 1);
}

pub async fn one_id_on_two_channels_is_two_messages(db: Arc<TestDb>) {
    let sms = ingested(&db.store, inbound("+331", "1", "a"), at(0)).await;
    let other = Ingest { channel: "chat", ..inbound("+331", "1", "b") };
    let chat = ingested(&db.store, other, at(0)).await;
    assert!(!chat.duplicate);
    assert_ne!(sms.conversation_id, chat.conversation_id, "a contact is per channel");
}

/// 8 contacts × 12 messages at once: each conversation numbers its own from 1 without a gap, and the job of a
/// lower number is claimed first.
pub async fn seq_is_gapless_and_jobs_follow_it_under_concurrency(db: Arc<TestDb>) {
    let mut senders = JoinSet::new();
    for contact in 0..8 {
        for n in 0..12 {
            let db = db.clone();
            senders.spawn(async move {
                let address = format!("+33{contact}");
                let id = format!("SM-{contact}-{n}");
                ingested(&db.store, inbound(&address, &id, &id), at(n)).await;
            });
        }
    }
    senders.join_all().await;
    let mut claimed: BTreeMap<ConversationId, Vec<i64>> = BTreeMap::new();
    loop {
        let jobs = claim(&db, at(100), 100).await;
        if jobs.is_empty() {
            break;
        }
        for job in jobs {
            let message = db.store.read().await.unwrap().message(job.message_id).await.unwrap().unwrap();
            claimed.entry(message.conversation_id).or_default().push(message.seq);
            assert!(complete(&db, &job).await);
        }
    }
    assert_eq!(claimed.len(), 8);
    for seqs in claimed.values() {
        assert_eq!(*seqs, (1..=12).collect::<Vec<_>>());
    }
}

pub async fn any_text_comes_back_as_it_went_in(db: Arc<TestDb>) {
    let long = "gare ".repeat(2_000);
    let odd = [
        "",
        " ",
        "👋🏽🚆",
        "e\u{301}té",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠮷",
        "'; DROP TABLE messages; --",
        "$1 %s {{ x }} \\",
        "\u{feff}\u{202e}abc\u{200b}",
        "ligne\r\nligne\t\u{1}\u{1f}\u{7f}",
        "\u{10ffff}\u{e000}",
        long.as_str(),
    ];
    for (n, text) in odd.iter().enumerate() {
        ingested(&db.store, inbound("+331", &format!("SM{n} 🚆"), text), at(0)).await;
    }
    let id = ingested(&db.store, inbound("+331", "SM0 🚆", ""), at(0)).await.conversation_id;
    assert_eq!(texts(&db, id).await, odd);
}

/// Postgres stores no U+0000 in TEXT, SQLite does: both replace it by U+FFFD, in keys too, so that a repeated
/// delivery is still recognised.
pub async fn a_nul_character_is_replaced_the_same_way(db: Arc<TestDb>) {
    let media = [Media { kind: "image/\0".into(), url: "https://media.example/\0".into() }];
    let message = || Ingest { media: &media, ..inbound("+33\0", "SM\0", "a\0b\0") };
    let first = ingested(&db.store, message(), at(0)).await;
    assert!(ingested(&db.store, message(), at(1)).await.duplicate);
    assert_eq!(texts(&db, first.conversation_id).await, ["a\u{fffd}b\u{fffd}"]);
    let mut tx = db.store.read().await.unwrap();
    let stored = &tx.messages(first.conversation_id, 0, 1).await.unwrap()[0];
    assert_eq!(stored.media[0].kind, "image/\0", "JSON escapes it");
    assert!(tx.contact_by_address("sms", "+33\0").await.unwrap().is_some());
}

/// Postgres refuses an index entry above some 2,700 bytes, SQLite none: both refuse by one rule.
pub async fn an_oversized_key_is_refused(db: Arc<TestDb>) {
    // Random, for Postgres compresses what is regular and lets it pass.
    let long: String = (0..200).map(|_| uuid::Uuid::now_v7().simple().to_string()).collect();
    for message in [inbound(&long, "SM1", "x"), inbound("+331", &long, "x")] {
        let mut tx = db.store.begin().await.unwrap();
        let refused = tx.ingest(message, at(0), NEVER_REOPEN).await.unwrap_err();
        assert!(matches!(refused, guichet::store::StoreError::KeyTooLong { .. }), "{refused}");
    }
    let mut raw = db.raw().await;
    assert_eq!(raw.count("contacts").await + raw.count("messages").await, 0);
    let longest = &long[..guichet::store::MAX_KEY_BYTES];
    ingested(&db.store, inbound(longest, longest, "x"), at(0)).await;
}

pub async fn times_are_64_bit(db: Arc<TestDb>) {
    for (n, micros) in
        [0, -1, i64::from(u32::MAX) + 1, 253_402_300_799_999_999, i64::MIN, i64::MAX].into_iter().enumerate()
    {
        let address = format!("+33{n}");
        let id = format!("SM{n}");
        let done = ingested(&db.store, inbound(&address, &id, "x"), Timestamp(micros)).await;
        let mut tx = db.store.read().await.unwrap();
        let conversation = tx.conversation(done.conversation_id).await.unwrap().unwrap();
        assert_eq!(conversation.opened_at, Timestamp(micros));
        assert_eq!(tx.events(conversation.id).await.unwrap()[0].at, Timestamp(micros));
    }
}
