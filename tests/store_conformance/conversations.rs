use crate::given::*;
use crate::support::TestDb;
use guichet::model::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

async fn resolve(db: &TestDb, id: ConversationId, when: Timestamp) {
    changed(db, id, |c| {
        c.state = ConversationState::Resolved;
        c.resolved_at = Some(when);
    })
    .await;
}

pub async fn a_contact_has_one_conversation_that_is_not_over(db: Arc<TestDb>) {
    let mut senders = JoinSet::new();
    for n in 0..20 {
        let db = db.clone();
        senders.spawn(async move {
            ingested(&db.store, inbound("+331", &format!("SM{n}"), "x"), at(n)).await.conversation_id
        });
    }
    let mut ids = senders.join_all().await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    // The database itself holds it, whatever a program does.
    let insert = "INSERT INTO conversations (id, contact_id, channel, state, priority, priority_rank, dialogue, \
        last_seq, opened_at, last_message_at) SELECT %ID%, contact_id, channel, 'queued', priority, \
        priority_rank, dialogue, 0, 0, 0 FROM conversations";
    let id = match db.dialect {
        crate::support::Dialect::Sqlite => "randomblob(16)",
        crate::support::Dialect::Postgres => "gen_random_uuid()",
    };
    let refused = db.raw().await.execute(&insert.replace("%ID%", id)).await.unwrap_err();
    assert!(refused.as_database_error().unwrap().is_unique_violation(), "{refused}");
}

pub async fn a_resolved_conversation_reopens_within_the_window(db: Arc<TestDb>) {
    let window = Duration::from_secs(3600);
    // Resolved at second 100; what a message does at a later second.
    let table = [("+1", 101, true), ("+2", 3700, true), ("+3", 3701, false), ("+4", 90_000, false)];
    for (address, second, reopens) in table {
        let first = conversation(&db, address).await;
        resolve(&db, first.id, at(100)).await;
        let mut tx = db.store.begin().await.unwrap();
        let id = format!("later-{address}");
        let next = tx.ingest(inbound(address, &id, "re"), at(second), window).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(next.conversation_id == first.id, reopens, "{address} at {second}");
    }
    // Without a window even the next second opens a new one, and the old one stays as it was.
    let first = conversation(&db, "+5").await;
    resolve(&db, first.id, at(100)).await;
    let next = ingested(&db.store, inbound("+5", "later", "re"), at(100)).await;
    assert_ne!(next.conversation_id, first.id);
    let old = db.store.read().await.unwrap().conversation(first.id).await.unwrap().unwrap();
    assert_eq!((old.state, old.resolved_at), (ConversationState::Resolved, Some(at(100))));
}

/// Its escalation is over: nobody is in charge, nothing is urgent, no reason stands.
pub async fn what_reopens_is_with_the_bot_again(db: Arc<TestDb>) {
    let first = conversation(&db, "+1").await;
    let person = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&person, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    changed(&db, first.id, |c| {
        c.state = ConversationState::Resolved;
        c.priority = Priority::Urgent;
        c.reason = Some(EscalationReason::Emergency);
        c.agent_id = Some(person.agent.id);
        c.escalated_at = Some(at(1));
        c.taken_at = Some(at(2));
        c.resolved_at = Some(at(3));
    })
    .await;
    let mut tx = db.store.begin().await.unwrap();
    let contact = tx.contact("sms", "+1", at(4)).await.unwrap();
    let (reopened, new) = tx.conversation_of(&contact, at(4), Duration::from_secs(60)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!new);
    let stored = db.store.read().await.unwrap().conversation(first.id).await.unwrap().unwrap();
    assert_eq!(stored, reopened);
    assert_eq!(stored, Conversation { lang: stored.lang, ..first });
}

pub async fn everything_of_a_conversation_is_saved(db: Arc<TestDb>) {
    let mut c = conversation(&db, "+1").await;
    let person = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.insert_agent(&person, at(0)).await.unwrap());
    c.state = ConversationState::InCharge;
    c.lang = Lang::new("fr");
    c.intent = Some("traffic.train_delay".into());
    c.priority = Priority::High;
    c.reason = Some(EscalationReason::NoData);
    c.agent_id = Some(person.agent.id);
    c.dialogue.asked = Some("from".into());
    c.dialogue.options = vec![EntityValue::Train { number: "8745".into() }];
    c.dialogue.last_at = Some(at(3));
    c.escalated_at = Some(at(1));
    c.taken_at = Some(at(2));
    c.resolved_at = Some(at(4));
    tx.save_conversation(&c).await.unwrap();
    tx.set_contact_lang(c.contact_id, Lang::FR).await.unwrap();
    assert_eq!(tx.lock_conversation(c.id).await.unwrap().unwrap(), c);
    tx.commit().await.unwrap();
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.conversation(c.id).await.unwrap().unwrap(), c);
    assert_eq!(tx.contact_by_id(c.contact_id).await.unwrap().unwrap().lang, Some(Lang::FR));
    assert_eq!(tx.conversation(ConversationId::new()).await.unwrap(), None);
}

pub async fn everything_of_a_message_is_stored(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut tx = db.store.begin().await.unwrap();
    let person = agent("elise");
    tx.insert_agent(&person, at(0)).await.unwrap();
    let mut m = outbound(&c, "18h04", at(5));
    m.author = Author::Agent;
    m.agent_id = Some(person.agent.id);
    (m.segments, m.cost) = (Some(3), Some(217_500));
    m.facts = vec![Fact {
        value: "departure 8745 Rennes 18:04".into(),
        source: "timetable: demo railway".into(),
        as_of: at(-5),
        ride: None,
    }];
    tx.insert_message(&mut m).await.unwrap();
    assert_eq!(m.seq, 2);
    let understanding = Understanding {
        lang: Lang::FR,
        intents: vec![IntentScore { intent: "schedules.next_departure".into(), confidence: 0.912_345_6 }],
        entities: vec![Entity {
            role: "to".into(),
            surface: "Vitré\0".into(),
            span: 3..9,
            value: EntityValue::Time { start: at(1), end: at(2) },
        }],
        questions: Vec::new(),
        tone: Tone::Neutral,
        model: "ngram".into(),
    };
    tx.set_understanding(m.id, &understanding).await.unwrap();
    m.understanding = Some(understanding);
    assert_eq!(tx.lock_message(m.id).await.unwrap().unwrap(), m);
    tx.commit().await.unwrap();
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.message(m.id).await.unwrap().unwrap(), m);
    assert_eq!(tx.messages(c.id, 1, 10).await.unwrap(), [m]);
}

pub async fn set_status_keeps_what_is_not_said(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut tx = db.store.begin().await.unwrap();
    let m = queue_outbound(&mut tx, &c, "18h04", at(5)).await;
    tx.set_status(&m, DeliveryStatus::Sent, Some("slow"), Some("SMout"), Some(at(6))).await.unwrap();
    tx.set_status(&m, DeliveryStatus::Delivered, None, None, None).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.store.begin().await.unwrap();
    let found = tx.lock_message_by_provider_id("sms", "SMout").await.unwrap().unwrap();
    assert_eq!(found.id, m.id);
    assert_eq!(found.provider_id.as_deref(), Some("SMout"));
    assert_eq!((found.sent_at, found.error), (Some(at(6)), None));
    assert_eq!(found.status, DeliveryStatus::Delivered);
    // An inbound message with the same id is another matter.
    assert!(tx.lock_message_by_provider_id("sms", "in-+1").await.unwrap().is_none());
    assert_eq!(tx.count_unknown().await.unwrap(), 0);
}

/// Two requests at once take the time before they queue for the contact, so `created_at` may run against the
/// order of arrival; what people read follows the latter.
pub async fn a_contact_history_is_in_order_of_arrival(db: Arc<TestDb>) {
    let first = conversation(&db, "+1").await;
    ingested(&db.store, inbound("+1", "b", "deux"), at(20)).await;
    ingested(&db.store, inbound("+1", "c", "trois"), at(19)).await;
    resolve(&db, first.id, at(30)).await;
    ingested(&db.store, inbound("+1", "d", "quatre"), at(40)).await;
    ingested(&db.store, inbound("+2", "e", "another contact"), at(41)).await;
    let mut tx = db.store.read().await.unwrap();
    for (limit, expected) in [(10, vec!["bonjour", "deux", "trois", "quatre"]), (2, vec!["trois", "quatre"])]
    {
        let history = tx.messages_of_contact(first.contact_id, limit).await.unwrap();
        assert_eq!(history.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), expected);
    }
}

/// A worker holds the conversation and writes the contact's language while the next message of that contact
/// comes in: Postgres would kill one of two that lock in opposite order.
pub async fn a_worker_and_a_new_message_never_deadlock(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let (db, contact, id) = (db.clone(), c.contact_id, c.id);
        tasks.spawn(async move {
            if n % 2 == 0 {
                ingested(&db.store, inbound("+1", &format!("SM{n}"), "x"), at(n)).await;
            } else {
                let mut tx = db.store.begin().await.unwrap();
                let conversation = tx.lock_conversation(id).await.unwrap().unwrap();
                tokio::task::yield_now().await;
                tx.set_contact_lang(contact, Lang::FR).await.unwrap();
                tx.save_conversation(&conversation).await.unwrap();
                tx.commit().await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(texts(&db, c.id).await.len(), 21);
}
