use super::*;
use crate::channels::{Accepted, Capabilities, Lookup, Outgoing, Refusal, SendError, WebhookRequest};
use crate::clock::ManualClock;
use crate::model::{AgentId, Timestamp};
use crate::store::{AgentWithHash, AuditFilter, Ingest};
use async_trait::async_trait;
use std::sync::Mutex;

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);

/// A square where posts can be hidden and deleted; it refuses when it is told to.
#[derive(Default)]
struct Square {
    done: Mutex<Vec<(Moderation, String)>>,
    refuses: bool,
}

#[async_trait]
impl Channel for Square {
    fn capabilities(&self) -> Capabilities {
        Capabilities { public: true, ..Capabilities::text(300) }
    }

    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    async fn send(&self, _: &Outgoing, _: &Trace) -> Result<Option<String>, SendError> {
        Ok(None)
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }

    fn is_public(&self, address: &str) -> bool {
        address.starts_with("post:")
    }

    fn moderations(&self) -> &'static [Moderation] {
        &[Moderation::Hide, Moderation::Delete]
    }

    async fn moderate(&self, action: Moderation, id: &str, _: &Trace) -> Result<(), SendError> {
        self.done.lock().unwrap().push((action, id.to_owned()));
        if self.refuses { Err(SendError::Permanent { why: "403".into() }) } else { Ok(()) }
    }
}

struct Desk {
    store: Store,
    square: Arc<Square>,
    channels: Channels,
    clock: Arc<dyn Clock>,
    _folder: tempfile::TempDir,
}

async fn desk(refuses: bool) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/g.db", folder.path().display()), 2).await.unwrap();
    let square = Arc::new(Square { refuses, ..Square::default() });
    let channels = Channels::only("square", square.clone());
    Desk { store, square, channels, clock: Arc::new(ManualClock::at(NOW)), _folder: folder }
}

impl Desk {
    async fn person(&self, role: Role) -> Agent {
        let agent = Agent { id: AgentId::new(), login: format!("{role}"), name: format!("{role}"), role };
        let row = AgentWithHash { agent: agent.clone(), password_hash: "-".into() };
        let mut tx = self.store.begin().await.unwrap();
        assert!(tx.insert_agent(&row, NOW).await.unwrap());
        tx.commit().await.unwrap();
        agent
    }

    async fn post(&self, address: &str) -> (ConversationId, MessageId) {
        let mut tx = self.store.begin().await.unwrap();
        let inbound =
            Ingest { channel: "square", address, provider_id: address, text: "x", ..Ingest::default() };
        let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
        let message = tx.messages(id, 0, 1).await.unwrap().remove(0).id;
        tx.commit().await.unwrap();
        (id, message)
    }

    async fn moderate(
        &self,
        by: &Agent,
        which: (ConversationId, MessageId),
        action: Moderation,
    ) -> Option<&'static str> {
        let done = moderate(&self.store, &self.channels, &self.clock, by, which, action).await;
        done.err().map(|error| error.code())
    }

    /// Actions of the audit log, oldest first, and what the conversation's log says of them.
    async fn log(&self, id: ConversationId) -> (Vec<String>, Vec<String>) {
        let mut tx = self.store.read().await.unwrap();
        let lines = tx.audit_lines(&AuditFilter::default(), i64::MAX, 99).await.unwrap();
        let events = tx.events(id).await.unwrap();
        let moderated = events.into_iter().filter(|event| event.kind == EventKind::Moderated);
        (
            lines.into_iter().rev().map(|line| line.action).collect(),
            moderated.map(|e| e.data.to_string()).collect(),
        )
    }
}

#[tokio::test]
async fn a_post_is_hidden_by_agents_and_deleted_by_managers() {
    let desk = desk(false).await;
    let (agent, manager) = (desk.person(Role::Agent).await, desk.person(Role::Manager).await);
    let post = desk.post("post:1").await;
    assert_eq!(desk.moderate(&agent, post, Moderation::Hide).await, None);
    assert_eq!(desk.moderate(&agent, post, Moderation::Delete).await, Some("for_managers"));
    assert_eq!(desk.moderate(&manager, post, Moderation::Delete).await, None);
    let done = [(Moderation::Hide, "post:1".to_owned()), (Moderation::Delete, "post:1".to_owned())];
    assert_eq!(*desk.square.done.lock().unwrap(), done);
    let (audit, events) = desk.log(post.0).await;
    assert_eq!(audit, ["post.hide", "post.delete"]);
    assert_eq!(events, [r#"{"action":"hide","done":true}"#, r#"{"action":"delete","done":true}"#]);
}

#[tokio::test]
async fn what_cannot_be_done_is_not_asked_for() {
    let desk = desk(false).await;
    let (agent, other) = (desk.person(Role::Agent).await, desk.person(Role::Manager).await);
    let (post, private) = (desk.post("post:1").await, desk.post("77").await);
    assert_eq!(desk.moderate(&agent, post, Moderation::Like).await, Some("cannot_moderate"));
    assert_eq!(desk.moderate(&agent, private, Moderation::Hide).await, Some("cannot_moderate"));
    assert_eq!(desk.moderate(&agent, (post.0, private.1), Moderation::Hide).await, Some("not_found"));
    assert_eq!(
        desk.moderate(&agent, (ConversationId::new(), post.1), Moderation::Hide).await,
        Some("not_found")
    );
    super::super::take(&desk.store, NOW, &other, post.0).await.unwrap();
    assert_eq!(desk.moderate(&agent, post, Moderation::Hide).await, Some("in_charge"));
    assert!(desk.square.done.lock().unwrap().is_empty());
    assert_eq!(desk.log(post.0).await, (vec![], vec![]));
}

#[tokio::test]
async fn a_refusal_is_told_and_written_down() {
    let desk = desk(true).await;
    let agent = desk.person(Role::Agent).await;
    let post = desk.post("post:1").await;
    assert_eq!(desk.moderate(&agent, post, Moderation::Hide).await, Some("provider"));
    let (audit, events) = desk.log(post.0).await;
    assert_eq!(
        (audit, events),
        (vec!["post.hide".to_owned()], vec![r#"{"action":"hide","done":false}"#.to_owned()])
    );
}
