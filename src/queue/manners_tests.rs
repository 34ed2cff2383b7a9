//! Machines, floods and spam, from the inbound message to the outbox.

use super::opt_out_tests::worker;
use super::*;
use crate::channels::{
    Accepted, Capabilities, Channel, Lookup, Outgoing, Refusal, SendError, Trace, WebhookRequest,
};
use crate::clock::ManualClock;
use crate::config::MannersConfig;
use crate::desk::quarantine;
use crate::model::{
    Agent, AgentId, Conversation, ConversationId, ConversationState, Direction, EscalationReason, EventKind,
    Message, Priority, Role,
};
use crate::store::Ingest;
use async_trait::async_trait;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const PACK: &str = "\
domain: general
intents:
  thanks: { about: Thanks, courtesy: true, examples: { fr: ['merci', 'merci beaucoup', 'un grand merci'] } }
  bot_identity: { about: Who, examples: { fr: ['qui es-tu', 'tu es un robot ou une personne', 'je parle à qui là', 'es-tu un humain', 'vous êtes un robot ?', 'qui êtes-vous donc'] } }
---
domain: safety
intents:
  emergency: { about: Danger, examples: { fr: ['au secours il y a un incendie dans le train', 'quelqu''un est blessé sur le quai vite', 'il y a de la fumée et le feu'] } }
---
domain: out_of_scope
intents:
  out_of_scope: { about: Nothing of ours, examples: { fr: ['promo', 'encore une promo', 'réponse automatique', 'je suis absent', 'mon colis est en retard', 'quel temps fait-il', 'résilier netflix', 'gagnez un téléphone'] } }
";
const EMERGENCY: &str = "au secours il y a un incendie dans le train";
/// All understood as the same question, and no two of them alike.
const QUESTIONS: [&str; 6] = [
    "qui es-tu",
    "tu es un robot ou une personne",
    "je parle à qui là",
    "es-tu un humain",
    "vous êtes un robot ?",
    "qui êtes-vous donc",
];

/// Hands what it sends to another server, as what its customer wrote. Without one it reaches nobody.
#[derive(Default)]
struct Wire {
    other: OnceLock<Store>,
    clock: OnceLock<Arc<ManualClock>>,
    /// The texts differ, as those of a machine that writes the time do.
    numbered: bool,
    sent: AtomicU32,
}

#[async_trait]
impl Channel for Wire {
    fn capabilities(&self) -> Capabilities {
        Capabilities::text(4_000)
    }

    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    async fn send(&self, message: &Outgoing, _: &Trace) -> Result<Option<String>, SendError> {
        let id = message.id.to_string();
        let sent = self.sent.fetch_add(1, Ordering::SeqCst);
        if let (Some(other), Some(clock)) = (self.other.get(), self.clock.get()) {
            let number = if self.numbered { format!(" {sent}") } else { String::new() };
            let text = format!("{}{number}", message.text);
            let inbound = Ingest {
                channel: "line",
                address: "peer",
                provider_id: &id,
                text: &text,
                ..Ingest::default()
            };
            let mut tx = other.begin().await.unwrap();
            tx.ingest(inbound, clock.now(), Duration::ZERO).await.unwrap();
            tx.commit().await.unwrap();
        }
        Ok(Some(id))
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }
}

struct Stage {
    worker: Worker,
    clock: Arc<ManualClock>,
    wire: Arc<Wire>,
    written: std::cell::Cell<u32>,
    _folder: tempfile::TempDir,
}

async fn stage_on(manners: MannersConfig, clock: Arc<ManualClock>, wire: Wire) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let wire = Arc::new(wire);
    let mut worker = worker(folder.path(), PACK, clock.clone(), Channels::only("line", wire.clone())).await;
    let mind = Mind { manners: Manners::new(manners), ..Mind::clone(&worker.mind) };
    worker.mind = Arc::new(mind);
    Stage { worker, clock, wire, written: std::cell::Cell::new(0), _folder: folder }
}

async fn stage(manners: MannersConfig) -> Stage {
    stage_on(manners, Arc::new(ManualClock::at(NOW)), Wire::default()).await
}

fn limits(messages_per_minute: u32, replies_per_window: u32) -> MannersConfig {
    MannersConfig { messages_per_minute, replies_per_window, ..MannersConfig::default() }
}

impl Stage {
    async fn write_from(&self, address: &str, text: &str, automatic: bool) -> ConversationId {
        self.written.set(self.written.get() + 1);
        let id = self.written.get().to_string();
        let inbound =
            Ingest { channel: "line", address, provider_id: &id, text, automatic, ..Ingest::default() };
        let mut tx = self.worker.store.begin().await.unwrap();
        let id = tx.ingest(inbound, self.clock.now(), Duration::ZERO).await.unwrap().conversation_id;
        tx.commit().await.unwrap();
        self.worker.drain().await.unwrap();
        id
    }

    async fn write(&self, text: &str) -> ConversationId {
        self.write_from("a", text, false).await
    }

    async fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.worker.drain().await.unwrap();
    }

    async fn messages(&self, id: ConversationId, direction: Direction) -> Vec<Message> {
        let all = self.worker.store.read().await.unwrap().messages(id, 0, 1_000).await.unwrap();
        all.into_iter().filter(|message| message.direction == direction).collect()
    }

    async fn said(&self, id: ConversationId) -> Vec<String> {
        self.messages(id, Direction::Outbound).await.into_iter().map(|m| m.text).collect()
    }

    async fn conversation(&self, id: ConversationId) -> Conversation {
        self.worker.store.read().await.unwrap().conversation(id).await.unwrap().unwrap()
    }

    async fn aside(&self, id: ConversationId) -> Vec<&'static str> {
        let events = self.worker.store.read().await.unwrap().events(id).await.unwrap();
        let aside = events.into_iter().filter(|event| event.kind == EventKind::MessageSetAside);
        let known = ["automatic", "too_fast", "quarantined"];
        aside.map(|e| *known.iter().find(|why| e.data["why"] == **why).unwrap()).collect()
    }

    async fn jobs(&self) -> i64 {
        let counts = self.worker.store.read().await.unwrap().job_counts().await.unwrap();
        counts.iter().map(|of_kind| of_kind.count).sum()
    }

    async fn resolve(&self, id: ConversationId) {
        let mut tx = self.worker.store.begin().await.unwrap();
        let mut c = tx.lock_conversation(id).await.unwrap().unwrap();
        c.state = ConversationState::Resolved;
        c.resolved_at = Some(self.clock.now());
        tx.save_conversation(&c).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn agent() -> Agent {
    Agent { id: AgentId::new(), login: "camille".into(), name: "Camille".into(), role: Role::Agent }
}

#[tokio::test]
async fn what_a_machine_wrote_is_kept_and_not_answered() {
    let stage = stage(MannersConfig::default()).await;
    let id = stage.write_from("a", "qui es-tu", true).await;
    stage.write("Réponse automatique : je suis absent jusqu'à lundi").await;
    stage.write("Je suis absent.").await;
    assert_eq!(stage.said(id).await, [""; 0]);
    let marks: Vec<bool> = stage.messages(id, Direction::Inbound).await.iter().map(|m| m.automatic).collect();
    assert_eq!(marks, [true; 3]);
    assert_eq!(stage.aside(id).await, ["automatic"; 3]);
    assert_eq!(stage.conversation(id).await.state, ConversationState::Bot);
    // The same contact may be a person all the same.
    stage.write("qui es-tu").await;
    assert_eq!((stage.said(id).await.len(), stage.jobs().await), (1, 0));
    let unread = stage.write_from("noreply@operator.example", "qui es-tu", false).await;
    assert_eq!(stage.said(unread).await, [""; 0]);
}

#[tokio::test]
async fn a_flood_is_noticed_once_and_read_as_one_when_it_is_over() {
    let stage = stage(limits(3, 50)).await;
    let id = stage.write(QUESTIONS[0]).await;
    for text in &QUESTIONS[1..] {
        stage.write(text).await;
    }
    let said = stage.said(id).await;
    assert_eq!(said.len(), 4, "three answers and one notice: {said:?}");
    assert!(said[3].starts_with("Vous écrivez plus vite"), "{said:?}");
    assert_eq!(stage.aside(id).await, ["too_fast"; 3]);
    stage.wait(59).await;
    assert_eq!(stage.said(id).await.len(), 4);
    stage.wait(1).await;
    let inbound = stage.messages(id, Direction::Inbound).await;
    assert_eq!(inbound.len(), 6, "nothing is lost");
    assert_eq!((stage.said(id).await.len(), stage.jobs().await), (5, 0));
    let read: Vec<bool> = inbound.iter().map(|m| m.understanding.is_some()).collect();
    assert_eq!(read, [true, true, true, false, false, true], "the last ones were read as one");
    let nothing = stage.worker.store.read().await.unwrap().aside(id, 9).await.unwrap();
    assert_eq!(nothing, []);
}

#[tokio::test]
async fn the_next_calm_message_takes_along_what_was_set_aside() {
    let stage = stage(limits(2, 50)).await;
    let id = stage.write(QUESTIONS[0]).await;
    for text in &QUESTIONS[1..3] {
        stage.wait(1).await;
        stage.write(text).await;
    }
    assert_eq!((stage.said(id).await.len(), stage.aside(id).await), (3, vec!["too_fast"]));
    // Two within the minute: it is over before its time.
    stage.wait(59).await;
    stage.write(QUESTIONS[3]).await;
    assert_eq!(stage.said(id).await.len(), 4);
    stage.wait(120).await;
    assert_eq!((stage.said(id).await.len(), stage.jobs().await), (4, 0), "they were read together");
    let inbound = stage.messages(id, Direction::Inbound).await;
    let read: Vec<bool> = inbound.iter().map(|m| m.understanding.is_some()).collect();
    assert_eq!(read, [true, true, false, true]);
}

#[tokio::test]
async fn while_it_goes_on_nothing_is_answered() {
    let stage = stage(limits(2, 50)).await;
    let id = stage.write(QUESTIONS[0]).await;
    stage.write(QUESTIONS[1]).await;
    for text in &QUESTIONS[2..6] {
        stage.wait(15).await;
        stage.write(text).await;
    }
    assert_eq!((stage.said(id).await.len(), stage.aside(id).await.len()), (3, 4), "one notice for all");
    // A minute after the first of them there were three within a minute still.
    stage.wait(29).await;
    assert_eq!(stage.said(id).await.len(), 3);
    stage.wait(1).await;
    assert_eq!((stage.said(id).await.len(), stage.jobs().await), (4, 0));
}

#[tokio::test]
async fn an_emergency_and_stop_are_heard_in_a_flood() {
    let stage = stage(limits(2, 50)).await;
    let id = stage.write(QUESTIONS[0]).await;
    for text in &QUESTIONS[1..4] {
        stage.write(text).await;
    }
    stage.write(EMERGENCY).await;
    let c = stage.conversation(id).await;
    assert_eq!(c.reason, Some(EscalationReason::Emergency));
    assert_eq!((c.state, c.priority), (ConversationState::Queued, Priority::Urgent));

    let id = stage.write_from("b", QUESTIONS[0], false).await;
    for text in QUESTIONS[1..4].iter().chain(&["STOP"]) {
        stage.write_from("b", text, false).await;
    }
    let contact = stage.conversation(id).await.contact_id;
    let contact = stage.worker.store.read().await.unwrap().contact_by_id(contact).await.unwrap().unwrap();
    assert!(contact.opted_out_at.is_some());
}

#[tokio::test]
async fn the_same_words_again_and_again_go_to_a_person_once() {
    let stage = stage(MannersConfig::default()).await;
    let id = stage.write("qui es-tu").await;
    for _ in 0..30 {
        stage.wait(5).await;
        stage.write("qui es-tu").await;
    }
    let c = stage.conversation(id).await;
    assert_eq!((c.state, c.reason), (ConversationState::Queued, Some(EscalationReason::Rule)));
    let said = stage.said(id).await;
    assert_eq!(said.len(), 3, "two answers and the hand-over: {said:?}");
    // Not even a command is answered, and an hour changes nothing.
    stage.wait(3_600).await;
    stage.write("AIDE").await;
    stage.write("vous êtes un robot ?").await;
    assert_eq!(stage.said(id).await.len(), 3);
    // A person has acted: what comes next is a new conversation.
    stage.resolve(id).await;
    let next = stage.write("es-tu un humain").await;
    assert_ne!(next, id);
    assert_eq!(stage.said(next).await.len(), 1);
}

#[tokio::test]
async fn too_many_replies_go_to_a_person_whatever_is_said() {
    let stage = stage(limits(0, 4)).await;
    let id = stage.write(QUESTIONS[0]).await;
    for text in &QUESTIONS[1..] {
        stage.wait(1).await;
        stage.write(text).await;
    }
    assert_eq!(stage.said(id).await.len(), 5, "four answers and the hand-over");
    assert_eq!(stage.conversation(id).await.reason, Some(EscalationReason::Rule));
    stage.write(EMERGENCY).await;
    assert_eq!(stage.conversation(id).await.reason, Some(EscalationReason::Emergency));
}

/// Two servers, each the other's customer. How many messages were sent, and whether they stopped.
async fn bounce(manners: MannersConfig, numbered: bool) -> (u32, bool, [Stage; 2]) {
    let clock = Arc::new(ManualClock::at(NOW));
    let wire = || Wire { numbered, ..Wire::default() };
    let a = stage_on(manners.clone(), clock.clone(), wire()).await;
    let b = stage_on(manners, clock.clone(), wire()).await;
    for (from, to) in [(&a, &b), (&b, &a)] {
        from.wire.other.set(to.worker.store.clone()).ok().unwrap();
        from.wire.clock.set(clock.clone()).ok().unwrap();
    }
    a.write_from("peer", "qui es-tu", false).await;
    for _ in 0..120 {
        b.worker.drain().await.unwrap();
        a.worker.drain().await.unwrap();
        clock.advance(Duration::from_secs(2));
    }
    let stopped = a.jobs().await + b.jobs().await == 0;
    let sent = a.wire.sent.load(Ordering::SeqCst) + b.wire.sent.load(Ordering::SeqCst);
    (sent, stopped, [a, b])
}

#[tokio::test]
async fn two_servers_that_talk_to_each_other_stop() {
    for numbered in [false, true] {
        let (sent, stopped, stages) = bounce(MannersConfig::default(), numbered).await;
        assert!(stopped && sent <= 2 * (20 + 1), "{sent} messages, numbered: {numbered}");
        // A day later they are still silent.
        for stage in &stages {
            stage.wait(86_400).await;
            assert_eq!(stage.jobs().await, 0);
        }
    }
}

#[tokio::test]
async fn spam_waits_for_a_person_who_lets_it_go() {
    let stage = stage(MannersConfig::default()).await;
    let spam = "promo http://a.example http://b.example http://c.example http://d.example";
    let id = stage.write(spam).await;
    stage.write("encore une promo").await;
    assert_eq!(stage.said(id).await, [""; 0]);
    assert_eq!(stage.aside(id).await, ["quarantined"; 2]);
    assert_eq!(stage.conversation(id).await.state, ConversationState::Bot);
    let listed = stage.worker.store.read().await.unwrap().quarantined(9).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.conversation.id).collect::<Vec<_>>(), [id]);
    assert!(stage.worker.store.read().await.unwrap().queue(9, Timestamp(0)).await.unwrap().is_empty());
    // What is surely a question is answered, and what is surely an emergency goes to people.
    stage.write("qui es-tu").await;
    assert_eq!(stage.said(id).await.len(), 1);

    quarantine::release(&stage.worker.store, stage.clock.now(), &agent(), id).await.unwrap();
    stage.worker.drain().await.unwrap();
    assert_eq!((stage.said(id).await.len(), stage.jobs().await), (2, 0), "both were read, as one");
    let listed = stage.worker.store.read().await.unwrap().quarantined(9).await.unwrap();
    assert!(listed.is_empty());
}

#[tokio::test]
async fn confirmed_spam_is_read_no_more_but_for_an_emergency() {
    let stage = stage(MannersConfig::default()).await;
    let spam = "promo http://a.example http://b.example http://c.example http://d.example";
    let id = stage.write(spam).await;
    quarantine::confirm(&stage.worker.store, stage.clock.now(), &agent(), id).await.unwrap();
    assert_eq!(stage.conversation(id).await.state, ConversationState::Resolved);
    let next = stage.write("qui es-tu").await;
    assert_ne!(next, id);
    assert_eq!((stage.said(next).await.len(), stage.aside(next).await), (0, vec!["quarantined"]));
    stage.write(EMERGENCY).await;
    assert_eq!(stage.conversation(next).await.reason, Some(EscalationReason::Emergency));
}
