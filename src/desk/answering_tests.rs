use super::answering::{Reply, send, withdraw};
use super::tests::{Desk, NOW, desk};
use super::*;
use crate::insights::clocks::{Clock, measure};
use crate::model::{Author, Fact, MessageKind};
use crate::store::{Ingest, ProposedReply, TimedEvent};
use std::time::Duration;
use uuid::Uuid;

const UNDO: Duration = Duration::from_secs(5);

fn after(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

impl Desk {
    async fn answer(&self, reply: Reply<'_>) -> Result<(), DeskError> {
        send(&self.store, &self.channels, NOW, &self.camille, self.conversation, reply).await
    }

    async fn take_back(&self, agent: &Agent, key: MessageId, now: Timestamp) -> Result<String, DeskError> {
        withdraw(&self.store, now, agent, self.conversation, key).await
    }

    /// Sends what is due, as the worker does: claims, and says that it was sent.
    async fn deliver(&self, now: Timestamp) -> usize {
        let mut tx = self.store.begin().await.unwrap();
        let jobs = tx.claim_jobs(now, now.plus(UNDO), 10).await.unwrap();
        for job in &jobs {
            let message = tx.lock_message(job.message_id).await.unwrap().unwrap();
            if job.kind == JobKind::Send {
                tx.set_status(&message, DeliveryStatus::Sent, None, None, Some(now)).await.unwrap();
                let event = crate::model::NewEvent {
                    kind: EventKind::MessageSent,
                    actor: Actor::System,
                    conversation_id: Some(self.conversation),
                    message_id: Some(message.id),
                    data: serde_json::json!({ "author": message.author, "kind": message.kind }),
                };
                tx.append_event(now, event).await.unwrap();
            }
            assert!(tx.complete_job(job).await.unwrap());
        }
        tx.commit().await.unwrap();
        jobs.iter().filter(|job| job.kind == JobKind::Send).count()
    }

    /// Seconds from the opening to the end of a clock; none: it runs.
    async fn clock(&self, clock: Clock) -> Option<u64> {
        let mut tx = self.store.read().await.unwrap();
        let events = tx.events_of_period(NOW, after(1)).await.unwrap();
        let events: Vec<TimedEvent> = events;
        measure(clock, &events).unwrap().end.map(|end| end.since(NOW).as_secs())
    }
}

#[tokio::test]
async fn a_reply_waits_and_is_taken_back_or_sent() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let (first, second) = (MessageId::new(), MessageId::new());
    let reply = |key, text| Reply { undo: UNDO, ..Reply::plain(key, text) };
    desk.answer(reply(first, "trop vite")).await.unwrap();
    assert_eq!(desk.deliver(after(4)).await, 0, "it waits");
    let foreign = desk.take_back(&desk.sacha, first, after(4)).await;
    assert!(matches!(foreign, Err(DeskError::NotFound)), "only by who wrote it");
    assert_eq!(desk.take_back(&desk.camille, first, after(4)).await.unwrap(), "trop vite");
    assert_eq!(desk.take_back(&desk.camille, first, after(9)).await.unwrap(), "trop vite", "asked twice");
    assert_eq!(desk.deliver(after(10)).await, 0, "the customer never gets it");
    let late = desk.answer(reply(first, "trop vite")).await;
    assert!(matches!(late, Err(DeskError::Withdrawn)), "a form that arrives late sends nothing");

    desk.answer(reply(second, "Bonjour")).await.unwrap();
    assert_eq!(desk.deliver(after(5)).await, 1);
    let gone = desk.take_back(&desk.camille, second, after(5)).await;
    assert!(matches!(gone, Err(DeskError::Left)), "after that it is gone");
    let (_, messages, events) = desk.read().await;
    assert_eq!(messages.iter().map(|m| &*m.text).collect::<Vec<_>>(), ["hello", "Bonjour"]);
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::ReplyWithdrawn).count(), 1);
    // The answer counts from when it left, not from when it was written.
    assert_eq!(desk.clock(Clock::FirstAnswer).await, Some(5));
}

#[tokio::test]
async fn without_a_wait_it_leaves_at_once() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let key = MessageId::new();
    desk.answer(Reply::plain(key, "Bonjour")).await.unwrap();
    assert!(matches!(desk.take_back(&desk.camille, key, NOW).await, Err(DeskError::Left)));
    assert_eq!(desk.deliver(NOW).await, 1);
}

#[tokio::test]
async fn sent_and_resolved_is_one_step_and_taken_back_as_one() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let unread = Reply { resolve: Some(0), undo: UNDO, ..Reply::plain(MessageId::new(), "Au revoir") };
    assert!(matches!(desk.answer(unread).await, Err(DeskError::NewMessages)));
    assert_eq!(desk.read().await.1.len(), 1, "nothing was written either");
    let key = MessageId::new();
    let reply = Reply { key, resolve: Some(1), ..unread };
    desk.answer(reply).await.unwrap();
    desk.answer(reply).await.unwrap();
    let (conversation, messages, events) = desk.read().await;
    assert_eq!((conversation.state, messages.len()), (ConversationState::Resolved, 2));
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::Resolved).count(), 1);
    assert_eq!(desk.clock(Clock::Resolution).await, Some(0));

    desk.take_back(&desk.camille, key, after(3)).await.unwrap();
    let (conversation, ..) = desk.read().await;
    assert_eq!(conversation.state, ConversationState::InCharge);
    assert_eq!((conversation.resolved_at, conversation.agent_id), (None, Some(desk.camille.id)));
    assert_eq!(desk.clock(Clock::Resolution).await, None, "it was not resolved");
    desk.answer(Reply { key: MessageId::new(), ..reply }).await.unwrap();
    assert_eq!(desk.clock(Clock::Resolution).await, Some(0));
}

#[tokio::test]
async fn who_wrote_again_meanwhile_has_one_conversation() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let key = MessageId::new();
    desk.answer(Reply { resolve: Some(1), undo: UNDO, ..Reply::plain(key, "Au revoir") }).await.unwrap();
    let mut tx = desk.store.begin().await.unwrap();
    let inbound =
        Ingest { channel: "web", address: "a", provider_id: "2", text: "encore", ..Ingest::default() };
    let new = tx.ingest(inbound, after(1), Duration::ZERO).await.unwrap().conversation_id;
    tx.commit().await.unwrap();
    assert_ne!(new, desk.conversation);
    assert_eq!(desk.take_back(&desk.camille, key, after(2)).await.unwrap(), "Au revoir");
    assert_eq!(desk.read().await.0.state, ConversationState::Resolved, "the new one goes on");
}

#[tokio::test]
async fn what_has_a_gap_does_not_leave() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let refused = desk.answer(Reply::plain(MessageId::new(), "Bonjour [[nom du client]] !")).await;
    let refused = refused.unwrap_err();
    assert_eq!((refused.code(), refused.detail().as_str()), ("gap", "nom du client"));
    assert_eq!(desk.read().await.1.len(), 1);
}

#[tokio::test]
async fn the_facts_of_a_draft_go_with_what_still_tells_them() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let fact =
        |value: &str| Fact { value: value.into(), source: "live: demo".into(), as_of: NOW, ride: None };
    let facts = vec![
        fact("departure 8745 Vitré 2026-11-23 18:04 to Rennes"),
        fact("departure 8747 Vitré 2026-11-23 18:34 to Rennes"),
    ];
    let text = "Vitré → Rennes : 18:04 (8745), 18:34 (8747)";
    let response = "schedules.next_departure".to_owned();
    let proposal = ProposedReply { id: Uuid::now_v7(), response, text: text.into(), facts: facts.clone() };
    let of_sacha = ProposedReply { id: Uuid::now_v7(), ..proposal.clone() };
    let mut tx = desk.store.begin().await.unwrap();
    tx.insert_proposed_reply(&proposal, desk.conversation, desk.camille.id, NOW).await.unwrap();
    tx.insert_proposed_reply(&of_sacha, desk.conversation, desk.sacha.id, NOW).await.unwrap();
    tx.commit().await.unwrap();
    let (whole, cut, foreign) = (MessageId::new(), MessageId::new(), MessageId::new());
    let used = [proposal.id, proposal.id];
    let greeted = format!("Bonjour !\n\n{text}");
    desk.answer(Reply { drafts: &used, ..Reply::plain(whole, &greeted) }).await.unwrap();
    let edited = "Vitré → Rennes : 18h34 (8747), le suivant est complet.";
    desk.answer(Reply { drafts: &used[..1], ..Reply::plain(cut, edited) }).await.unwrap();
    desk.answer(Reply { drafts: &[of_sacha.id, Uuid::now_v7()], ..Reply::plain(foreign, text) })
        .await
        .unwrap();
    let (_, messages, _) = desk.read().await;
    let facts_of = |id| messages.iter().find(|m| m.id == id).unwrap().facts.clone();
    assert_eq!(facts_of(whole), facts, "each once");
    assert_eq!(facts_of(cut), facts[1..]);
    assert_eq!(facts_of(foreign), [], "nobody vouches for another's drafts");
    let sent = &messages[1];
    assert_eq!((sent.author, sent.kind), (Author::Agent, MessageKind::Text));
    let events = desk.store.read().await.unwrap().events(desk.conversation).await.unwrap();
    let answered = events.iter().find(|event| event.message_id == Some(cut)).unwrap();
    assert_eq!(answered.data["responses"], serde_json::json!(["schedules.next_departure"]));
}
