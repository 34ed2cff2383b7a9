//! A comment that everyone reads, from its arrival to what is said under it.

use super::opt_out_tests::worker;
use super::*;
use crate::channels::{
    Accepted, Capabilities, Channel, Lookup, Outgoing, Refusal, SendError, Trace, WebhookRequest,
};
use crate::clock::ManualClock;
use crate::model::{ConversationState, Direction, MessageKind};
use crate::store::Ingest;
use async_trait::async_trait;

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const PACK: &str = "\
domain: general
intents:
  thanks: { about: Thanks, courtesy: true, examples: { fr: ['merci', 'merci beaucoup', 'un grand merci'] } }
  human_agent: { about: A person, escalate: { always: true, reason: requested }, examples: { fr: ['je veux parler à une personne', 'passez-moi un conseiller'] } }
  bot_identity: { about: Who, examples: { fr: ['qui es-tu', 'tu es un robot ou une personne', 'je parle à qui là'] } }
";
/// The address under which everyone reads.
const SQUARE: &str = "comment:1:2";

struct Square;

#[async_trait]
impl Channel for Square {
    fn capabilities(&self) -> Capabilities {
        Capabilities { public: true, ..Capabilities::text(2_000) }
    }

    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    fn is_public(&self, address: &str) -> bool {
        address == SQUARE
    }

    fn private_url(&self) -> Option<String> {
        Some("https://m.me/1234".into())
    }

    fn longest(&self, address: &str) -> usize {
        if address == SQUARE { 40 } else { 2_000 }
    }

    async fn send(&self, message: &Outgoing, _: &Trace) -> Result<Option<String>, SendError> {
        Ok(Some(message.id.to_string()))
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }
}

/// What is said to one message from this address, its kinds, and where the conversation then stands.
async fn said(address: &str, text: &str) -> (Vec<String>, Vec<MessageKind>, ConversationState) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let worker = worker(folder.path(), PACK, clock, Channels::only("page", Arc::new(Square))).await;
    let mut tx = worker.store.begin().await.unwrap();
    let inbound = Ingest { channel: "page", address, provider_id: "1", text, ..Ingest::default() };
    let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    tx.commit().await.unwrap();
    worker.drain().await.unwrap();
    let mut tx = worker.store.read().await.unwrap();
    let state = tx.conversation(id).await.unwrap().unwrap().state;
    let messages = tx.messages(id, 0, 100).await.unwrap();
    let out: Vec<_> = messages.into_iter().filter(|m| m.direction == Direction::Outbound).collect();
    (out.iter().map(|m| m.text.clone()).collect(), out.iter().map(|m| m.kind).collect(), state)
}

#[tokio::test]
async fn in_public_a_hand_over_is_an_invitation_and_people_hear_of_it() {
    let (texts, kinds, state) = said(SQUARE, "je veux parler à une personne").await;
    assert_eq!(state, ConversationState::Queued);
    let whole = "Pour en parler avec nous, écrivez-nous en message privé : https://m.me/1234";
    assert_eq!(texts.join(" "), whole);
    assert!(texts.iter().all(|text| text.chars().count() <= 40), "{texts:?}");
    assert!(kinds.iter().all(|kind| *kind == MessageKind::Notice), "an invitation is no answer");
}

#[tokio::test]
async fn in_private_the_same_is_said_in_full() {
    let (texts, _, state) = said("77", "je veux parler à une personne").await;
    assert_eq!(state, ConversationState::Queued);
    assert_eq!(texts.len(), 1);
    assert!(!texts[0].contains("m.me"), "{texts:?}");
}

#[tokio::test]
async fn thanks_under_a_post_need_no_word() {
    let (texts, _, state) = said(SQUARE, "merci beaucoup").await;
    assert_eq!((texts, state), (Vec::new(), ConversationState::Resolved));
    let (texts, _, _) = said(SQUARE, "").await;
    assert!(texts.concat().contains("https://m.me/1234"), "{texts:?}");
}
