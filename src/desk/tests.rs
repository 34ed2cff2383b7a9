use super::*;
use crate::channels::BuildContext;
use crate::channels::Channels;
use crate::config::ChannelConfig;
use crate::model::{AgentId, Author};
use crate::store::{AgentWithHash, Ingest};
use std::collections::BTreeMap;
use std::time::Duration;

/// Words alone, which leave at once.
pub(super) async fn reply(
    store: &Store,
    channels: &Channels,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    key: MessageId,
    text: &str,
) -> Result<(), DeskError> {
    answering::send(store, channels, now, agent, id, answering::Reply::plain(key, text)).await
}

pub(crate) const NOW: Timestamp = Timestamp(1_795_428_000_000_000);

pub(crate) struct Desk {
    pub store: Store,
    pub channels: Channels,
    pub camille: Agent,
    pub sacha: Agent,
    pub conversation: ConversationId,
    _folder: tempfile::TempDir,
}

pub(crate) async fn person(store: &Store, name: &str, role: Role) -> Agent {
    let agent = Agent { id: AgentId::new(), login: name.to_lowercase(), name: name.to_owned(), role };
    let mut tx = store.begin().await.unwrap();
    let row = AgentWithHash { agent: agent.clone(), password_hash: "-".into() };
    tx.insert_agent(&row, NOW).await.unwrap();
    tx.commit().await.unwrap();
    agent
}

/// A conversation that waits in the queue, and two agents.
pub(crate) async fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/g.db", folder.path().display());
    let store = Store::open(&url, 2).await.unwrap();
    let context = BuildContext {
        public_url: "http://localhost".into(),
        client: reqwest::Client::new(),
        clock: std::sync::Arc::new(crate::clock::SystemClock),
    };
    let config = ChannelConfig { kind: "webchat".into(), settings: Default::default() };
    let channels = Channels::build(&BTreeMap::from([("web".to_owned(), config)]), &context).unwrap();
    let mut tx = store.begin().await.unwrap();
    let inbound =
        Ingest { channel: "web", address: "a", provider_id: "1", text: "hello", ..Ingest::default() };
    let conversation = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    let mut queued = tx.conversation(conversation).await.unwrap().unwrap();
    queued.state = ConversationState::Queued;
    queued.escalated_at = Some(NOW);
    tx.save_conversation(&queued).await.unwrap();
    tx.commit().await.unwrap();
    Desk {
        camille: person(&store, "Camille", Role::Agent).await,
        sacha: person(&store, "Sacha", Role::Agent).await,
        store,
        channels,
        conversation,
        _folder: folder,
    }
}

impl Desk {
    pub async fn read(&self) -> (Conversation, Vec<Message>, Vec<EventKind>) {
        let mut tx = self.store.read().await.unwrap();
        let conversation = tx.conversation(self.conversation).await.unwrap().unwrap();
        let messages = tx.messages(self.conversation, 0, 100).await.unwrap();
        let events = tx.events(self.conversation).await.unwrap();
        (conversation, messages, events.into_iter().map(|e| e.kind).collect())
    }

    pub async fn take(&self, agent: &Agent) -> Result<(), DeskError> {
        take(&self.store, NOW, agent, self.conversation).await
    }

    async fn reply(&self, agent: &Agent, key: MessageId, text: &str) -> Result<(), DeskError> {
        reply(&self.store, &self.channels, NOW, agent, self.conversation, key, text).await
    }

    /// Camille answers at `now`.
    pub async fn reply_at(&self, now: Timestamp, text: &str) {
        let key = MessageId::new();
        reply(&self.store, &self.channels, now, &self.camille, self.conversation, key, text).await.unwrap();
    }

    async fn send_jobs(&self) -> i64 {
        let mut tx = self.store.read().await.unwrap();
        let counts = tx.job_counts().await.unwrap();
        counts.iter().filter(|c| c.kind == JobKind::Send).map(|c| c.count).sum()
    }
}

#[tokio::test]
async fn of_two_agents_one_takes_it_and_the_other_reads_who() {
    let desk = desk().await;
    let (first, second) = tokio::join!(desk.take(&desk.camille), desk.take(&desk.sacha));
    let (winner, refused) = match (first, second) {
        (Ok(()), Err(refused)) => (&desk.camille, refused),
        (Err(refused), Ok(())) => (&desk.sacha, refused),
        both => panic!("{both:?}"),
    };
    assert!(matches!(&refused, DeskError::InCharge { name } if *name == winner.name));
    let (conversation, _, events) = desk.read().await;
    assert_eq!(conversation.agent_id, Some(winner.id));
    assert_eq!(conversation.taken_at, Some(NOW));
    desk.take(winner).await.unwrap();
    assert_eq!(events.iter().filter(|k| **k == EventKind::Taken).count(), 1);
}

#[tokio::test]
async fn a_reply_is_sent_once_and_only_by_the_agent_in_charge() {
    let desk = desk().await;
    let key = MessageId::new();
    assert!(matches!(desk.reply(&desk.camille, key, "hi").await, Err(DeskError::NotInCharge)));
    desk.take(&desk.camille).await.unwrap();
    assert!(matches!(desk.reply(&desk.sacha, key, "hi").await, Err(DeskError::InCharge { .. })));
    assert!(matches!(desk.reply(&desk.camille, key, " \r\n ").await, Err(DeskError::Empty)));
    let long = "é".repeat(4_001);
    assert!(matches!(desk.reply(&desk.camille, key, &long).await, Err(DeskError::TooLong { max: 4_000 })));
    desk.reply(&desk.camille, key, &"é".repeat(4_000)).await.unwrap();
    desk.reply(&desk.camille, key, &"é".repeat(4_000)).await.unwrap();
    assert!(matches!(desk.reply(&desk.camille, key, "other").await, Err(DeskError::KeyReused)));

    let (_, messages, events) = desk.read().await;
    assert_eq!(messages.len(), 2);
    let sent = &messages[1];
    assert_eq!((sent.author, sent.status, sent.seq), (Author::Agent, DeliveryStatus::Pending, 2));
    assert_eq!(sent.agent_id, Some(desk.camille.id));
    assert_eq!(events.iter().filter(|k| **k == EventKind::AgentAnswered).count(), 1);
    assert_eq!(desk.send_jobs().await, 1);
}

/// The window of a provider is over: the agent reads so at once, and nothing is stored.
#[tokio::test]
async fn what_the_provider_would_refuse_is_refused_before_it_is_stored() {
    let mut desk = desk().await;
    let toml = "app_secret = 's'\nverify_token = 'v'\naccess_token = 't'\npage_id = '1'";
    let mut config: ChannelConfig = toml::from_str(toml).unwrap();
    config.kind = "messenger".into();
    let context = BuildContext {
        public_url: "http://localhost".into(),
        client: reqwest::Client::new(),
        clock: std::sync::Arc::new(crate::clock::ManualClock::at(NOW)),
    };
    desk.channels = Channels::build(&BTreeMap::from([("web".to_owned(), config)]), &context).unwrap();
    desk.take(&desk.camille).await.unwrap();
    let (key, late) = (MessageId::new(), NOW.plus(Duration::from_secs(24 * 3_600)));
    let reply = async |now| {
        reply(&desk.store, &desk.channels, now, &desk.camille, desk.conversation, key, "hi").await
    };
    let refused = reply(late).await.unwrap_err();
    assert_eq!((refused.code(), refused.detail().as_str()), ("too_late", "24"));
    assert_eq!((desk.read().await.1.len(), desk.send_jobs().await), (1, 0));
    reply(late.minus(Duration::from_secs(1))).await.unwrap();
    assert_eq!((desk.read().await.1.len(), desk.send_jobs().await), (2, 1));
}

#[tokio::test]
async fn a_key_cannot_reach_into_another_message() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let (_, messages, _) = desk.read().await;
    let inbound = messages[0].id;
    assert!(matches!(desk.reply(&desk.camille, inbound, "hello").await, Err(DeskError::KeyReused)));
    let resent = resend(&desk.store, NOW, &desk.camille, desk.conversation, inbound).await;
    assert!(matches!(resent, Err(DeskError::NotFound)));
}

#[tokio::test]
async fn resolving_waits_for_what_the_agent_has_not_read() {
    let desk = desk().await;
    let resolve = async |agent, seen| resolve(&desk.store, NOW, agent, desk.conversation, seen).await;
    assert!(matches!(resolve(&desk.camille, 1).await, Err(DeskError::NotInCharge)));
    desk.take(&desk.camille).await.unwrap();
    assert!(matches!(resolve(&desk.camille, 0).await, Err(DeskError::NewMessages)));
    assert!(matches!(resolve(&desk.sacha, 1).await, Err(DeskError::InCharge { .. })));
    resolve(&desk.camille, 1).await.unwrap();
    resolve(&desk.camille, 1).await.unwrap();
    let (conversation, _, events) = desk.read().await;
    assert_eq!(conversation.state, ConversationState::Resolved);
    assert_eq!(conversation.resolved_at, Some(NOW));
    assert_eq!(events.iter().filter(|k| **k == EventKind::Resolved).count(), 1);
    assert!(matches!(desk.take(&desk.sacha).await, Err(DeskError::Resolved)));
}

#[tokio::test]
async fn a_message_in_doubt_is_sent_again_once() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let key = MessageId::new();
    desk.reply(&desk.camille, key, "hi").await.unwrap();
    let resend = async |agent| resend(&desk.store, NOW, agent, desk.conversation, key).await;
    assert!(matches!(resend(&desk.camille).await, Err(DeskError::NotInTrouble)));
    for status in [DeliveryStatus::Unknown, DeliveryStatus::Failed] {
        let mut tx = desk.store.begin().await.unwrap();
        let message = tx.message(key).await.unwrap().unwrap();
        tx.set_status(&message, status, Some("lost"), None, None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(resend(&desk.sacha).await, Err(DeskError::InCharge { .. })));
        resend(&desk.camille).await.unwrap();
        assert!(matches!(resend(&desk.camille).await, Err(DeskError::NotInTrouble)));
        let (_, messages, _) = desk.read().await;
        assert_eq!((messages[1].status, &messages[1].error), (DeliveryStatus::Pending, &None));
    }
    assert_eq!(desk.send_jobs().await, 3);
}

#[tokio::test]
async fn released_by_its_agent_or_a_manager() {
    let desk = desk().await;
    let chief = person(&desk.store, "Dominique", Role::Manager).await;
    let release = async |agent| release(&desk.store, NOW, agent, desk.conversation).await;
    desk.take(&desk.camille).await.unwrap();
    assert!(matches!(release(&desk.sacha).await, Err(DeskError::InCharge { .. })));
    release(&desk.camille).await.unwrap();
    release(&desk.camille).await.unwrap();
    desk.take(&desk.sacha).await.unwrap();
    release(&chief).await.unwrap();
    let (conversation, _, events) = desk.read().await;
    assert_eq!((conversation.state, conversation.agent_id), (ConversationState::Queued, None));
    assert_eq!(events.iter().filter(|k| **k == EventKind::Released).count(), 2);
}

#[tokio::test]
async fn who_has_opted_out_is_not_written_to() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let key = MessageId::new();
    desk.reply(&desk.camille, key, "hi").await.unwrap();
    let contact = desk.read().await.0.contact_id;
    let mut tx = desk.store.begin().await.unwrap();
    let message = tx.message(key).await.unwrap().unwrap();
    tx.set_status(&message, DeliveryStatus::Failed, Some("lost"), None, None).await.unwrap();
    tx.opt_out(contact, None, NOW).await.unwrap();
    tx.commit().await.unwrap();
    let jobs = desk.send_jobs().await;
    let resend = async || resend(&desk.store, NOW, &desk.camille, desk.conversation, key).await;

    let refused = desk.reply(&desk.camille, MessageId::new(), "are you there?").await.unwrap_err();
    assert_eq!((refused.code(), refused.detail()), ("opted_out", String::new()));
    assert!(matches!(resend().await, Err(DeskError::OptedOut)));
    let (_, messages, _) = desk.read().await;
    assert_eq!((messages.len(), desk.send_jobs().await), (2, jobs), "nothing was stored");
    // The same form again is the reply that had been taken.
    desk.reply(&desk.camille, key, "hi").await.unwrap();

    // What confirms the opt-out may be sent again.
    let mut tx = desk.store.begin().await.unwrap();
    tx.opt_out(contact, Some(key), NOW).await.unwrap();
    tx.commit().await.unwrap();
    resend().await.unwrap();
    let mut tx = desk.store.begin().await.unwrap();
    tx.opt_in(contact).await.unwrap();
    tx.commit().await.unwrap();
    desk.reply(&desk.camille, MessageId::new(), "welcome back").await.unwrap();
}
