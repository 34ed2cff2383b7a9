//! Typing beside work that takes longer than a moment.

use super::opt_out_tests::worker;
use super::*;
use crate::channels::{
    Accepted, Capabilities, Channel, Lookup, Outgoing, Refusal, SendError, Trace, WebhookRequest,
};
use crate::clock::ManualClock;
use crate::model::{ConversationId, ConversationState, ProviderCall};
use crate::store::Ingest;
use async_trait::async_trait;
use std::sync::Mutex;
use tokio::sync::Notify;

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const PACK: &str = "domain: general\nintents:\n  thanks: { about: Thanks, examples: { fr: ['merci'] } }\n";

/// Keeps whom typing was shown to.
#[derive(Default)]
struct Chat {
    shown: Mutex<Vec<(String, String)>>,
    seen: Notify,
}

#[async_trait]
impl Channel for Chat {
    fn capabilities(&self) -> Capabilities {
        Capabilities { typing: true, ..Capabilities::text(1_000) }
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

    async fn typing(&self, address: &str, last: &str, trace: &Trace) {
        self.shown.lock().unwrap().push((address.into(), last.into()));
        let words = |text: &str| text.to_owned();
        trace.note(ProviderCall {
            at: trace.now(),
            took: Duration::ZERO,
            request: words("POST typing"),
            response: words("{}"),
            status: Some(500),
        });
        self.seen.notify_one();
    }
}

/// The claimed job of one message, in a conversation in this state.
async fn claimed(worker: &Worker, state: ConversationState) -> (ClaimedJob, ConversationId) {
    let mut tx = worker.store.begin().await.unwrap();
    let inbound = Ingest { channel: "chat", address: "7", provider_id: "m1", text: "x", ..Ingest::default() };
    let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    let mut conversation = tx.lock_conversation(id).await.unwrap().unwrap();
    conversation.state = state;
    tx.save_conversation(&conversation).await.unwrap();
    let jobs = tx.claim_jobs(NOW, NOW.plus(AFTER_ERROR), 9).await.unwrap();
    tx.commit().await.unwrap();
    (jobs.into_iter().next().unwrap(), id)
}

async fn chat() -> (Worker, Arc<Chat>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let channel = Arc::new(Chat::default());
    let channels = Channels::only("chat", channel.clone());
    let worker = worker(folder.path(), PACK, Arc::new(ManualClock::at(NOW)), channels).await;
    (worker, channel, folder)
}

#[tokio::test]
async fn who_waits_longer_than_a_moment_is_shown_typing_once() {
    let (worker, channel, _folder) = chat().await;
    let (job, _) = claimed(&worker, ConversationState::Bot).await;
    // The work ends when typing was seen.
    let done = typing::beside(&worker, &job, Duration::ZERO, async {
        channel.seen.notified().await;
        3
    });
    assert_eq!(done.await, 3);
    assert_eq!(*channel.shown.lock().unwrap(), [("7".to_owned(), "m1".to_owned())]);
    let calls = worker.store.read().await.unwrap().calls_of(job.message_id).await.unwrap();
    assert_eq!(calls.len(), 1, "a failure is nobody's, and can be read");
    let mut again = job;
    again.attempts = 2;
    typing::beside(&worker, &again, Duration::ZERO, std::future::ready(())).await;
    assert_eq!(channel.shown.lock().unwrap().len(), 1, "tried again, it is not shown again");
}

#[tokio::test]
async fn a_quick_answer_shows_none_and_people_show_their_own() {
    let (worker, channel, _folder) = chat().await;
    let (job, _) = claimed(&worker, ConversationState::Bot).await;
    typing::beside(&worker, &job, typing::MOMENT, std::future::ready(())).await;
    assert!(channel.shown.lock().unwrap().is_empty());
    let (worker, channel, _folder) = chat().await;
    let (job, _) = claimed(&worker, ConversationState::InCharge).await;
    typing::beside(&worker, &job, Duration::ZERO, tokio::task::yield_now()).await;
    assert!(channel.shown.lock().unwrap().is_empty());
}
