//! The worker from the inbound message to the outbox: commands, the end of a conversation, parts of one thought.

use super::opt_out_tests::worker;
use super::*;
use crate::channels::{
    Accepted, Capabilities, Channel, Lookup, Outgoing, Refusal, SendError, Trace, WebhookRequest,
};
use crate::clock::ManualClock;
use crate::config::{Price, SmsConfig};
use crate::insights::clocks::{Clock as Measure, measure};
use crate::model::{
    Conversation, ConversationId, ConversationState, Direction, EventKind, Lang, Media, Message,
};
use crate::store::{Ingest, TimedEvent};
use async_trait::async_trait;

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const PACK: &str = "\
domain: general
intents:
  thanks: { about: Thanks, courtesy: true, examples: { fr: ['merci', 'merci beaucoup', 'un grand merci'] } }
  bot_identity: { about: Who, examples: { fr: ['qui es-tu', 'tu es un robot ou une personne', 'je parle à qui là'] } }
";

/// Sends nowhere.
pub(super) struct Line {
    pub sms: bool,
}

#[async_trait]
impl Channel for Line {
    fn capabilities(&self) -> Capabilities {
        Capabilities { sms: self.sms, ..Capabilities::text(1_600) }
    }

    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    async fn send(&self, message: &Outgoing, _: &Trace) -> Result<Option<String>, SendError> {
        Ok(Some(message.id.to_string()))
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }
}

struct Desk {
    worker: Worker,
    clock: Arc<ManualClock>,
    written: std::cell::Cell<u32>,
    _folder: tempfile::TempDir,
}

async fn desk(sms: bool) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let price = [("line".to_owned(), Price(72_500))];
    let rules = SmsConfig { cost_per_segment: price.into(), ..SmsConfig::default() };
    let channels = Channels::only("line", Arc::new(Line { sms })).with_sms(rules);
    let worker = worker(folder.path(), PACK, clock.clone(), channels).await;
    Desk { worker, clock, written: std::cell::Cell::new(0), _folder: folder }
}

impl Desk {
    async fn write(&self, text: &str) -> ConversationId {
        self.written.set(self.written.get() + 1);
        let provider_id = self.written.get().to_string();
        let inbound =
            Ingest { channel: "line", address: "a", provider_id: &provider_id, text, ..Ingest::default() };
        let mut tx = self.worker.store.begin().await.unwrap();
        let id = tx.ingest(inbound, self.clock.now(), Duration::ZERO).await.unwrap().conversation_id;
        tx.commit().await.unwrap();
        id
    }

    async fn work(&self) {
        self.worker.drain().await.unwrap();
    }

    fn wait(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    async fn messages(&self, id: ConversationId, direction: Direction) -> Vec<Message> {
        let all = self.worker.store.read().await.unwrap().messages(id, 0, 100).await.unwrap();
        all.into_iter().filter(|message| message.direction == direction).collect()
    }

    async fn said(&self, id: ConversationId) -> usize {
        self.messages(id, Direction::Outbound).await.len()
    }

    async fn conversation(&self, id: ConversationId) -> Conversation {
        self.worker.store.read().await.unwrap().conversation(id).await.unwrap().unwrap()
    }

    async fn kinds(&self, id: ConversationId) -> Vec<EventKind> {
        let events = self.worker.store.read().await.unwrap().events(id).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    async fn jobs(&self) -> i64 {
        let counts = self.worker.store.read().await.unwrap().job_counts().await.unwrap();
        counts.iter().map(|of_kind| of_kind.count).sum()
    }
}

#[tokio::test]
async fn parts_of_one_thought_are_answered_once() {
    let desk = desk(true).await;
    let id = desk.write("bonjour, tu es un robot ou").await;
    desk.work().await;
    assert_eq!(desk.said(id).await, 0, "more may follow");
    desk.wait(1_000);
    desk.write("une personne ?").await;
    desk.work().await;
    assert_eq!(desk.said(id).await, 0);
    desk.wait(1_000);
    desk.work().await;
    assert_eq!((desk.said(id).await, desk.jobs().await), (1, 0));
    let parts = desk.messages(id, Direction::Inbound).await;
    let best = parts[0].understanding.as_ref().and_then(|u| u.best()).unwrap();
    assert_eq!(best.intent, "general.bot_identity");
    assert_eq!(parts[1].understanding, None, "one understanding over both");
    let understood = desk.kinds(id).await.into_iter().filter(|kind| *kind == EventKind::MessageUnderstood);
    assert_eq!(understood.count(), 1);
}

#[tokio::test]
async fn a_part_that_stays_alone_is_answered_after_the_window() {
    let desk = desk(true).await;
    let id = desk.write("bonjour, tu es un robot ou").await;
    desk.work().await;
    desk.wait(1_999);
    desk.work().await;
    assert_eq!(desk.said(id).await, 0);
    desk.wait(1);
    desk.work().await;
    assert_eq!(desk.said(id).await, 1);
    // What comes later is another message.
    desk.wait(500);
    desk.write("qui es-tu").await;
    desk.work().await;
    assert_eq!((desk.said(id).await, desk.jobs().await), (2, 0));
}

#[tokio::test]
async fn a_part_waits_across_a_restart_and_the_third_message_is_its_own() {
    let desk = desk(true).await;
    let id = desk.write("bonjour, tu es un robot ou").await;
    desk.work().await;
    desk.wait(500);
    desk.write("une personne ?").await;
    desk.write("merci").await;
    // The server was away for a minute: claims are gone, messages are there.
    desk.wait(60_000);
    desk.work().await;
    assert_eq!((desk.said(id).await, desk.jobs().await), (2, 0));
    let parts = desk.messages(id, Direction::Inbound).await;
    let read: Vec<bool> = parts.iter().map(|part| part.understanding.is_some()).collect();
    assert_eq!(read, [true, false, true]);
}

#[tokio::test]
async fn whole_messages_and_other_channels_do_not_wait() {
    let desk = desk(true).await;
    let id = desk.write("qui es-tu").await;
    desk.work().await;
    assert_eq!(desk.said(id).await, 1);
    let chat = super::process_tests::desk(false).await;
    let id = chat.write("bonjour, tu es un robot ou").await;
    chat.work().await;
    assert_eq!(chat.said(id).await, 1);
}

#[tokio::test]
async fn thanks_resolve_the_conversation_and_what_was_said_is_remembered() {
    let desk = desk(false).await;
    let id = desk.write("merci").await;
    let mut tx = desk.worker.store.begin().await.unwrap();
    let mut conversation = tx.lock_conversation(id).await.unwrap().unwrap();
    conversation.dialogue.intent = Some("schedules.next_departure".into());
    conversation.dialogue.last_at = Some(NOW);
    tx.save_conversation(&conversation).await.unwrap();
    tx.commit().await.unwrap();
    desk.wait(1_000);
    desk.work().await;
    let closed = desk.conversation(id).await;
    assert_eq!((closed.state, closed.resolved_at), (ConversationState::Resolved, Some(desk.clock.now())));
    let events = desk.worker.store.read().await.unwrap().events(id).await.unwrap();
    let timed = events.iter().map(|event| TimedEvent {
        at: event.at,
        kind: event.kind,
        data: event.data.clone(),
        conversation_id: id,
        channel: "line".into(),
        intent: None,
    });
    let measured = measure(Measure::Resolution, &timed.collect::<Vec<_>>()).unwrap();
    assert_eq!(measured.end, Some(NOW.plus(Duration::from_secs(1))));

    let next = desk.write("qui es-tu").await;
    assert_ne!(next, id);
    let remembered = desk.conversation(next).await.dialogue;
    assert_eq!(remembered.intent.as_deref(), Some("schedules.next_departure"));
    assert_eq!(remembered.asked, None);
}

#[tokio::test]
async fn a_message_that_came_meanwhile_keeps_the_conversation_open() {
    let desk = desk(false).await;
    let id = desk.write("merci").await;
    desk.write("qui es-tu").await;
    desk.work().await;
    assert_eq!(desk.conversation(id).await.state, ConversationState::Bot);
    assert_eq!((desk.said(id).await, desk.jobs().await), (2, 0));
}

#[tokio::test]
async fn after_stop_an_sms_is_not_answered_until_start() {
    let desk = desk(true).await;
    let id = desk.write("STOP").await;
    desk.work().await;
    assert_eq!(desk.said(id).await, 1, "the confirmation");
    for text in ["qui es-tu", "AIDE", "STOP", "Arrêt"] {
        desk.write(text).await;
        desk.work().await;
        assert_eq!(desk.said(id).await, 1, "{text}");
    }
    desk.write("START").await;
    desk.work().await;
    desk.write("qui es-tu").await;
    desk.work().await;
    assert_eq!(desk.said(id).await, 3);
}

#[tokio::test]
async fn who_writes_to_a_chat_again_is_answered() {
    let desk = desk(false).await;
    let id = desk.write("STOP").await;
    desk.work().await;
    desk.write("qui es-tu").await;
    desk.work().await;
    let sent = desk.messages(id, Direction::Outbound).await;
    let statuses: Vec<&str> = sent.iter().map(|message| message.status.as_str()).collect();
    assert_eq!(statuses, ["sent", "sent"]);
    let kinds = desk.kinds(id).await;
    assert!(kinds.contains(&EventKind::OptedOut) && kinds.contains(&EventKind::OptedIn), "{kinds:?}");
}

#[tokio::test]
async fn stop_after_half_a_sentence_is_stop() {
    let desk = desk(true).await;
    let id = desk.write("bonjour, tu es un robot ou").await;
    desk.work().await;
    desk.wait(500);
    desk.write("STOP").await;
    // Behind the first one, which waits for its end.
    desk.wait(1_500);
    desk.work().await;
    let contact = desk.conversation(id).await.contact_id;
    let contact = desk.worker.store.read().await.unwrap().contact_by_id(contact).await.unwrap().unwrap();
    assert_eq!(contact.opted_out_at, Some(desk.clock.now()));
}

#[tokio::test]
async fn a_reply_by_sms_is_in_gsm7_and_charged() {
    use crate::sms::{Encoding, encoding, segments};
    for (sms, in_gsm7) in [(true, true), (false, false)] {
        let desk = desk(sms).await;
        // The response has « » and ê.
        let id = desk.write("AIDE").await;
        desk.work().await;
        let reply = desk.messages(id, Direction::Outbound).await.remove(0);
        assert_eq!(encoding(&reply.text) == Encoding::Gsm7, in_gsm7, "{}", reply.text);
        let count = i64::try_from(segments(&reply.text).segments).unwrap();
        let expected = sms.then_some((count, count * 72_500));
        assert_eq!((reply.segments.zip(reply.cost), reply.segments.is_some()), (expected, sms));
    }
}
impl Desk {
    async fn share(&self, latitude: f64, longitude: f64) -> ConversationId {
        self.written.set(self.written.get() + 1);
        let provider_id = self.written.get().to_string();
        let media = [Media::position(latitude, longitude)];
        let inbound = Ingest {
            channel: "line",
            address: "a",
            provider_id: &provider_id,
            media: &media,
            ..Ingest::default()
        };
        let mut tx = self.worker.store.begin().await.unwrap();
        let id = tx.ingest(inbound, self.clock.now(), Duration::ZERO).await.unwrap().conversation_id;
        tx.commit().await.unwrap();
        id
    }

    async fn last(&self, id: ConversationId) -> Message {
        self.messages(id, Direction::Outbound).await.pop().unwrap()
    }
}

/// With the demonstration's timetable: the nearest stations of a shared place, and the choice among them.
#[tokio::test]
async fn a_shared_place_offers_the_nearest_stations() {
    let desk = desk(false).await;
    let id = desk.share(48.0, -20.0).await;
    desk.work().await;
    let said = desk.last(id).await;
    assert!(said.text.contains("aucune gare à moins de 30 km") && said.choices.is_empty(), "{}", said.text);
    desk.share(48.11, -1.68).await;
    desk.work().await;
    let offer = desk.last(id).await;
    assert!(offer.text.contains("1. Rennes (") && offer.text.contains("par son numéro"), "{}", offer.text);
    assert_eq!(offer.choices[0], "Rennes");
    let dialogue = desk.conversation(id).await.dialogue;
    assert_eq!(dialogue.intent.as_deref(), Some("schedules.next_departure"));
    assert_eq!((dialogue.asked.as_deref(), dialogue.options.len()), (Some("from"), offer.choices.len()));
    desk.write("1").await;
    desk.work().await;
    let dialogue = desk.conversation(id).await.dialogue;
    assert!(dialogue.asked.is_none() && dialogue.slots.contains_key("from"), "{dialogue:?}");
}

#[tokio::test]
async fn a_chosen_language_holds_whatever_is_written() {
    let desk = desk(false).await;
    let id = desk.write("/langue").await;
    desk.work().await;
    assert_eq!(desk.last(id).await.choices, ["English", "Français"]);
    desk.write("English").await;
    desk.work().await;
    assert!(desk.last(id).await.text.starts_with("Noted: I answer in English"));
    for text in ["merci beaucoup", "qui es-tu"] {
        let id = desk.write(text).await;
        desk.work().await;
        let lang = desk.conversation(id).await.lang;
        assert_eq!(lang, Some(Lang::EN), "{text}");
    }
    let id = desk.write("/langue fr").await;
    desk.work().await;
    assert!(desk.last(id).await.text.contains("je vous réponds en français"));
    assert_eq!(desk.conversation(id).await.lang, Some(Lang::FR));
}

#[tokio::test]
async fn a_chat_that_is_opened_is_welcomed_in_the_operators_language() {
    let desk = desk(false).await;
    let id = desk.write("/start").await;
    desk.work().await;
    let said = desk.last(id).await.text;
    assert!(said.starts_with("Bonjour et bienvenue") && said.contains("/langue en"), "{said}");
    desk.write("/stop").await;
    desk.work().await;
    assert!(desk.last(id).await.text.starts_with("C'est fait"));
    desk.write("/start").await;
    desk.work().await;
    let kinds = desk.kinds(id).await;
    assert!(kinds.contains(&EventKind::OptedOut) && kinds.contains(&EventKind::OptedIn), "{kinds:?}");
    assert_eq!(desk.last(id).await.status.as_str(), "sent");
    desk.write("/help").await;
    desk.work().await;
    assert!(desk.last(id).await.text.contains("3117"));
}
