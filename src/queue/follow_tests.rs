//! What is followed, from the message to the table of watches.

use super::opt_out_tests::worker;
use super::process_tests::Line;
use super::*;
use crate::clock::ManualClock;
use crate::model::{Conversation, ConversationState, Direction, NewWatch, Watched};
use crate::store::{Ingest, Watch};

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const PACK: &str = "\
domain: traffic
intents:
  alerts_subscribe:
    about: Alerts
    effect: watch
    slots:
      line: { entity: line, ask: true }
      train: { entity: train }
    enough: line, train
    examples: { fr: ['préviens-moi pour le train 8745', 'préviens-moi pour le train 8701', 'préviens-moi'] }
  works: { about: Works, examples: { fr: ['des travaux sur la voie', 'il y a des travaux', 'les travaux du week-end'] } }
";

struct Desk {
    worker: Worker,
    conversation: Conversation,
    _folder: tempfile::TempDir,
}

impl Desk {
    /// A contact who follows `many` lines and writes `text`.
    async fn with(many: usize, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let channels = Channels::only("line", Arc::new(Line { sms: false }));
        let clock = Arc::new(ManualClock::at(NOW));
        let worker = worker(folder.path(), PACK, clock, channels).await;
        let mut tx = worker.store.begin().await.unwrap();
        let inbound = Ingest { channel: "line", address: "a", provider_id: "1", text, ..Ingest::default() };
        let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
        let conversation = tx.conversation(id).await.unwrap().unwrap();
        for number in 0..many {
            let what = Watched::Line { name: number.to_string() };
            let new = NewWatch { what, from: NOW, until: NOW.plus(Duration::from_secs(3600)) };
            tx.insert_watch(conversation.contact_id, id, &new, NOW).await.unwrap();
        }
        tx.commit().await.unwrap();
        worker.drain().await.unwrap();
        Self { worker, conversation, _folder: folder }
    }

    async fn reply(&self) -> String {
        let mut tx = self.worker.store.read().await.unwrap();
        let messages = tx.messages(self.conversation.id, 0, 10).await.unwrap();
        messages.into_iter().find(|message| message.direction == Direction::Outbound).unwrap().text
    }

    async fn watches(&self) -> Vec<Watch> {
        let mut tx = self.worker.store.read().await.unwrap();
        tx.watches_of(self.conversation.contact_id, NOW).await.unwrap()
    }

    async fn state(&self) -> ConversationState {
        let mut tx = self.worker.store.read().await.unwrap();
        tx.conversation(self.conversation.id).await.unwrap().unwrap().state
    }
}

#[tokio::test]
async fn past_the_limit_the_customer_is_told_and_nothing_is_dropped() {
    let desk = Desk::with(20, "préviens-moi pour le train 8745").await;
    let reply = desk.reply().await;
    assert!(reply.contains("20") && reply.contains("8745") && reply.contains("mes alertes"), "{reply}");
    assert_eq!((desk.watches().await.len(), desk.state().await), (20, ConversationState::Bot));
}

/// This worker has no timetable.
#[tokio::test]
async fn what_nobody_knows_goes_to_a_person_and_is_not_promised() {
    let desk = Desk::with(19, "préviens-moi pour le train 8745").await;
    let reply = desk.reply().await;
    assert!(reply.contains("8745") && !reply.contains("C'est noté"), "{reply}");
    assert_eq!((desk.watches().await.len(), desk.state().await), (19, ConversationState::Queued));
}
