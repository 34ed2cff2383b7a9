//! The survey from the end of a conversation to its score: asked once, answered where it is over, and never taken for more.

use super::alerts_tests::Emergencies;
use super::opt_out_tests::worker;
use super::process_tests::Line;
use super::survey::{Surveys, ingest};
use super::*;
use crate::channels::Channels;
use crate::clock::ManualClock;
use crate::config::SurveyConfig;
use crate::model::{
    Actor, AgentId, Author, Conversation, ConversationId, ConversationState, DeliveryStatus, Direction,
    EventKind, Message, MessageKind, NewEvent, Role, Suspicion,
};
use crate::store::{AgentWithHash, Ingest, Survey};

const HOUR: Duration = Duration::from_secs(3600);
const PACK: &str = "\
domain: schedules
intents:
  next_departure:
    about: Next train
    slots: { from: { entity: station, ask: true } }
    examples: { fr: ['prochain train pour Rennes', 'quel est le prochain train', 'un train pour Vitré', 'heure du prochain départ de Rennes', 'je cherche un train'] }
---
domain: general
intents:
  thanks: { about: Thanks, courtesy: true, examples: { fr: ['merci', 'merci beaucoup', 'un grand merci', 'merci à vous'] } }
---
domain: service
intents:
  complaint:
    about: Complaint
    escalate: { always: true, reason: negative_tone }
    examples: { fr: ['service nul', 'trop long à répondre', 'personne ne répond jamais', 'très déçu de votre accueil', 'vous êtes lents'] }
";

struct Desk {
    worker: Worker,
    clock: Arc<ManualClock>,
    written: std::cell::Cell<u32>,
    _folder: tempfile::TempDir,
}

async fn desk(config: SurveyConfig) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    // 10:00 UTC.
    let clock = Arc::new(ManualClock::at(Emergencies::NOW));
    let channels = Channels::only("line", Arc::new(Line { sms: false }));
    let worker = worker(folder.path(), PACK, clock.clone(), channels).await;
    let surveys = Surveys { config: SurveyConfig { enabled: true, ..config }, reopen_within: Duration::ZERO };
    Desk { worker: Worker { surveys, ..worker }, clock, written: Default::default(), _folder: folder }
}

impl Desk {
    async fn write_as(&self, address: &str, text: &str) -> ConversationId {
        self.written.set(self.written.get() + 1);
        let provider_id = self.written.get().to_string();
        let inbound =
            Ingest { channel: "line", address, provider_id: &provider_id, text, ..Ingest::default() };
        let mut tx = self.worker.store.begin().await.unwrap();
        let done = ingest(&mut tx, inbound, self.clock.now(), Duration::ZERO).await.unwrap();
        tx.commit().await.unwrap();
        done.conversation_id
    }

    async fn write(&self, text: &str) -> ConversationId {
        let id = self.write_as("a", text).await;
        self.worker.drain().await.unwrap();
        id
    }

    /// Over, after an agent answered when `human`; `change` is what else happened.
    async fn resolved(
        &self,
        address: &str,
        human: bool,
        change: impl AsyncFn(&mut crate::store::Tx, &mut Conversation),
    ) -> ConversationId {
        let id = self.write_as(address, "bonjour").await;
        let agent = crate::model::Agent {
            id: AgentId::new(),
            login: format!("camille{}", self.written.get()),
            name: "Camille".into(),
            role: Role::Agent,
        };
        let mut tx = self.worker.store.begin().await.unwrap();
        tx.insert_agent(&AgentWithHash { agent: agent.clone(), password_hash: "-".into() }, self.clock.now())
            .await
            .unwrap();
        let mut conversation = tx.lock_conversation(id).await.unwrap().unwrap();
        if human {
            let mut said = Message::outbound(
                &conversation,
                Author::Agent,
                MessageKind::Text,
                "voilà".into(),
                self.clock.now(),
            );
            said.agent_id = Some(agent.id);
            said.status = DeliveryStatus::Sent;
            tx.insert_message(&mut said).await.unwrap();
        }
        conversation.state = ConversationState::Resolved;
        conversation.resolved_at = Some(self.clock.now());
        change(&mut tx, &mut conversation).await;
        tx.save_conversation(&conversation).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn ask_after(&self, wait: Duration) -> usize {
        self.clock.advance(wait);
        self.worker.ask_surveys().await.unwrap()
    }

    async fn asked(&self) -> ConversationId {
        let id = self.resolved("a", true, async |_, _| {}).await;
        assert_eq!(self.ask_after(HOUR / 30).await, 1);
        self.worker.drain().await.unwrap();
        id
    }

    async fn survey(&self, id: ConversationId) -> Survey {
        self.worker.store.read().await.unwrap().survey(id).await.unwrap().unwrap()
    }

    async fn state(&self, id: ConversationId) -> ConversationState {
        self.worker.store.read().await.unwrap().conversation(id).await.unwrap().unwrap().state
    }

    async fn said(&self, id: ConversationId) -> Vec<Message> {
        let all = self.worker.store.read().await.unwrap().messages(id, 0, 100).await.unwrap();
        all.into_iter().filter(|m| m.direction == Direction::Outbound && m.author == Author::Bot).collect()
    }

    async fn count(&self, id: ConversationId, kind: EventKind) -> usize {
        let events = self.worker.store.read().await.unwrap().events(id).await.unwrap();
        events.iter().filter(|event| event.kind == kind).count()
    }
}

#[tokio::test]
async fn it_is_asked_once_and_answered_where_it_is_over() {
    let desk = desk(SurveyConfig::default()).await;
    let id = desk.resolved("a", true, async |_, _| {}).await;
    assert_eq!(desk.ask_after(Duration::from_secs(59)).await, 0, "not at once");
    assert_eq!(desk.ask_after(Duration::from_secs(1)).await, 1);
    assert_eq!(desk.ask_after(HOUR).await, 0, "once");
    let asked = desk.said(id).await.pop().unwrap();
    assert_eq!(asked.choices, ["1", "2", "3", "4", "5"]);
    assert!(asked.text.contains("de 1") && asked.text.contains("Répondez par un chiffre"), "{}", asked.text);
    desk.worker.drain().await.unwrap();
    let before = desk.count(id, EventKind::MessageUnderstood).await;
    let received = desk.count(id, EventKind::MessageReceived).await;

    assert_eq!(desk.write("4").await, id);
    let survey = desk.survey(id).await;
    assert_eq!((survey.score, survey.answered_at), (Some(4), Some(desk.clock.now())));
    assert!(desk.said(id).await.last().unwrap().text.starts_with("Merci pour votre note !"));
    let thanked = desk.said(id).await.len();
    // Corrected, and no second thanks.
    assert_eq!(desk.write("5/5").await, id);
    assert_eq!((desk.survey(id).await.score, desk.said(id).await.len()), (Some(5), thanked));
    // Praise and complaints are comments; both are kept.
    assert_eq!(desk.write("merci beaucoup").await, id);
    assert_eq!(desk.write("personne ne répond jamais").await, id);
    let survey = desk.survey(id).await;
    assert_eq!(survey.comment.as_deref(), Some("merci beaucoup\npersonne ne répond jamais"));
    assert!(desk.said(id).await.last().unwrap().text.contains("votre commentaire est transmis"));
    // It reopened nothing and started no clock.
    assert_eq!(desk.state(id).await, ConversationState::Resolved);
    assert_eq!(desk.count(id, EventKind::MessageReceived).await, received);
    assert_eq!(desk.count(id, EventKind::SurveyAnswered).await, 2);
    assert_eq!(desk.count(id, EventKind::MessageUnderstood).await, before);
}

#[tokio::test]
async fn what_is_no_answer_is_a_message_as_every_other() {
    for text in ["le 4 ?", "train 5", "STOP", "prochain train pour Rennes"] {
        let desk = desk(SurveyConfig::default()).await;
        let id = desk.asked().await;
        let other = desk.write(text).await;
        assert_ne!(other, id, "{text}");
        assert_eq!(desk.survey(id).await.score, None, "{text}");
        assert_eq!(desk.count(other, EventKind::MessageReceived).await, 1, "{text}");
    }
}

#[tokio::test]
async fn a_concern_behind_a_score_is_moved_to_a_conversation_of_its_own() {
    for text in ["prochain train pour Rennes", "stop"] {
        let desk = desk(SurveyConfig::default()).await;
        let id = desk.asked().await;
        desk.write("2").await;
        let at = desk.clock.now();
        assert_eq!(desk.write_as("a", text).await, id, "{text}: it may be a comment");
        desk.clock.advance(Duration::from_secs(5));
        desk.worker.drain().await.unwrap();
        assert_eq!(desk.survey(id).await.comment, None, "{text}");
        let mut tx = desk.worker.store.read().await.unwrap();
        let contact = tx.contact_by_address("line", "a").await.unwrap().unwrap();
        let all = tx.messages_of_contact(contact.id, 100).await.unwrap();
        let moved = all.iter().find(|message| message.text == text).unwrap();
        assert_ne!(moved.conversation_id, id, "{text}");
        let events = tx.events(moved.conversation_id).await.unwrap();
        drop(tx);
        let opened = events.iter().find(|e| e.kind == EventKind::ConversationOpened).unwrap();
        assert_eq!(opened.at, at, "{text}: its clock began when it came");
        assert_eq!(desk.count(moved.conversation_id, EventKind::MessageUnderstood).await, 1, "{text}");
        assert!(!desk.said(moved.conversation_id).await.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_comment_with_the_score_and_none_after_its_time() {
    let desk = desk(SurveyConfig::default()).await;
    let id = desk.asked().await;
    assert_eq!(desk.write("1, service nul").await, id);
    let survey = desk.survey(id).await;
    assert_eq!((survey.score, survey.comment.as_deref()), (Some(1), Some("service nul")));
    desk.clock.advance(HOUR);
    assert_ne!(desk.write("service nul").await, id);
    let desk = self::desk(SurveyConfig { comment: false, ..SurveyConfig::default() }).await;
    let id = desk.asked().await;
    assert_eq!(desk.write("5").await, id);
    assert!(!desk.said(id).await.last().unwrap().text.contains("en une phrase"));
    assert_ne!(desk.write("merci beaucoup").await, id, "no comment was asked for");
    let desk = self::desk(SurveyConfig::default()).await;
    let id = desk.asked().await;
    desk.clock.advance(48 * HOUR);
    assert_ne!(desk.write("5").await, id, "too late");
}

#[tokio::test]
async fn who_is_not_asked() {
    let event = |kind, id, data| NewEvent {
        kind,
        actor: Actor::Bot,
        conversation_id: Some(id),
        message_id: None,
        data,
    };
    let config = SurveyConfig::default();
    let desk = desk(config.clone()).await;
    let now = desk.clock.now();
    desk.resolved("nobody human", false, async |_, _| {}).await;
    desk.resolved("emergency", true, async |tx, c| {
        let data = serde_json::json!({"reason": "emergency", "priority": "urgent"});
        tx.append_event(now, event(EventKind::Escalated, c.id, data)).await.unwrap();
    })
    .await;
    desk.resolved("opted out", true, async |tx, c| tx.opt_out(c.contact_id, None, now).await.unwrap()).await;
    desk.resolved("came back", true, async |tx, c| {
        tx.append_event(now, event(EventKind::OptedOut, c.id, serde_json::json!({}))).await.unwrap();
    })
    .await;
    desk.resolved("spam", true, async |tx, c| tx.quarantine(c, Suspicion::Crowd, now).await.unwrap()).await;
    desk.resolved("blocked", true, async |tx, c| tx.set_blocked(c.contact_id, Some(now)).await.unwrap())
        .await;
    desk.resolved("long ago", true, async |_, c| c.resolved_at = Some(now.minus(12 * HOUR))).await;
    desk.resolved("writes again", true, async |_, _| {}).await;
    desk.clock.advance(Duration::from_secs(1));
    desk.write_as("writes again", "encore moi").await;
    assert_eq!(desk.ask_after(HOUR).await, 0);
    // In the night it waits, and is asked in the morning.
    let id = desk.resolved("evening", true, async |_, _| {}).await;
    assert_eq!(desk.ask_after(11 * HOUR + HOUR / 2).await, 0, "22:30");
    let desk = Desk { worker: Worker { surveys: Surveys::default(), ..desk.worker.clone() }, ..desk };
    assert!(desk.worker.store.read().await.unwrap().survey(id).await.unwrap().is_none());

    let asked_again = self::desk(config).await;
    asked_again.asked().await;
    asked_again.write("5").await;
    asked_again.clock.advance(29 * 24 * HOUR);
    asked_again.resolved("a", true, async |_, c| c.channel = "line".into()).await;
    assert_eq!(asked_again.ask_after(HOUR).await, 0, "once in thirty days");
    let bot = self::desk(SurveyConfig { bot: true, ..SurveyConfig::default() }).await;
    bot.resolved("nobody human", false, async |_, _| {}).await;
    assert_eq!(bot.ask_after(HOUR).await, 1, "where that is configured");
    let not_here = self::desk(SurveyConfig { not_on: vec!["line".into()], ..SurveyConfig::default() }).await;
    not_here.resolved("a", true, async |_, _| {}).await;
    assert_eq!(not_here.ask_after(HOUR).await, 0);
}

#[tokio::test]
async fn two_servers_ask_once_and_a_killed_one_loses_nothing() {
    let desk = desk(SurveyConfig::default()).await;
    let id = desk.resolved("a", true, async |_, _| {}).await;
    desk.clock.advance(HOUR);
    let (one, two) = tokio::join!(desk.worker.ask_surveys(), desk.worker.ask_surveys());
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    desk.worker.drain().await.unwrap();
    // The score is stored with its message; a process that dies before it thanks is resumed by the next one.
    desk.write_as("a", "4").await;
    let mut tx = desk.worker.store.begin().await.unwrap();
    let held = tx.claim_jobs(desk.clock.now(), desk.clock.now().plus(HOUR), 10).await.unwrap();
    assert_eq!(held.len(), 1);
    tx.commit().await.unwrap();
    let mut tx = desk.worker.store.begin().await.unwrap();
    tx.release_all_jobs().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(desk.survey(id).await.score, Some(4));
    desk.worker.drain().await.unwrap();
    desk.worker.drain().await.unwrap();
    let thanks = desk.said(id).await.iter().filter(|m| m.text.starts_with("Merci pour votre note")).count();
    assert_eq!((thanks, desk.count(id, EventKind::SurveyAsked).await), (1, 1));
}
