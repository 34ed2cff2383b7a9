//! The pace through the whole outbox: in turn, by rank, and as slowly as a provider asks for.

use super::opt_out_tests::worker;
use super::*;
use crate::channels::{
    Accepted, Capabilities, Channel, Lookup, Outgoing, Pace, Refusal, SendError, Trace, WebhookRequest,
};
use crate::clock::ManualClock;
use crate::model::{Author, ConversationId, Message, MessageKind};
use crate::store::{Ingest, NewJob};
use async_trait::async_trait;
use std::sync::Mutex;

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const PACK: &str = "domain: general\nintents:\n  thanks: { about: Thanks, examples: { fr: ['merci'] } }\n";

/// Notes when it sent what to whom.
struct Scripted {
    pace: Pace,
    clock: Arc<ManualClock>,
    sent: Mutex<Vec<(Timestamp, String, String)>>,
    /// The first send is told to wait for so long.
    refuses: Mutex<Option<Duration>>,
    takes: Duration,
}

#[async_trait]
impl Channel for Scripted {
    fn capabilities(&self) -> Capabilities {
        Capabilities::text(1_000)
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    async fn send(&self, message: &Outgoing, _: &Trace) -> Result<Option<String>, SendError> {
        if let Some(after) = self.refuses.lock().unwrap().take() {
            return Err(SendError::Retry { why: "429".into(), after: Some(after) });
        }
        let sent = (self.clock.now(), message.address.clone(), message.text.clone());
        self.sent.lock().unwrap().push(sent);
        self.clock.advance(self.takes);
        Ok(Some(message.id.to_string()))
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }
}

struct Outbox {
    worker: Worker,
    channel: Arc<Scripted>,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

async fn outbox(pace: Pace, takes: Duration) -> Outbox {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let channel = Arc::new(Scripted {
        pace,
        clock: clock.clone(),
        sent: Mutex::default(),
        refuses: Mutex::default(),
        takes,
    });
    let channels = Channels::only("line", channel.clone());
    let worker = worker(folder.path(), PACK, clock.clone(), channels).await;
    Outbox { worker, channel, clock, _folder: folder }
}

impl Outbox {
    /// A conversation without work.
    async fn contact(&self, address: &str) -> ConversationId {
        let mut tx = self.worker.store.begin().await.unwrap();
        let inbound =
            Ingest { channel: "line", address, provider_id: address, text: "x", ..Ingest::default() };
        let now = self.clock.now();
        let id = tx.ingest(inbound, now, Duration::ZERO).await.unwrap().conversation_id;
        let jobs = tx.claim_jobs(now, now.plus(AFTER_ERROR), 9).await.unwrap();
        assert_eq!(jobs.len(), 1, "contacts come before what is queued");
        assert!(tx.complete_job(&jobs[0]).await.unwrap());
        tx.commit().await.unwrap();
        id
    }

    async fn queue(&self, id: ConversationId, text: &str, broadcast: bool) {
        let mut tx = self.worker.store.begin().await.unwrap();
        let conversation = tx.lock_conversation(id).await.unwrap().unwrap();
        let now = self.clock.now();
        let mut message =
            Message::outbound(&conversation, Author::Bot, MessageKind::Answer, text.to_owned(), now);
        tx.insert_message(&mut message).await.unwrap();
        tx.insert_job(NewJob { kind: JobKind::Send, message: &message, run_at: now, broadcast })
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    async fn contacts(&self, count: usize) -> Vec<ConversationId> {
        let mut all = Vec::new();
        for n in 0..count {
            all.push(self.contact(&format!("many{n}")).await);
        }
        all
    }

    /// Until nothing is left to send, the clock going from turn to turn; what was sent, with seconds from the start.
    /// How many jobs were worked on.
    async fn work(&self) -> (Vec<(f64, String, String)>, usize) {
        let mut worked = 0;
        loop {
            worked += self.worker.drain().await.unwrap();
            let next = self.worker.store.read().await.unwrap().next_job_at().await.unwrap();
            let Some(next) = next else { break };
            self.clock.advance(next.since(self.clock.now()));
        }
        let sent = std::mem::take(&mut *self.channel.sent.lock().unwrap());
        let told = sent.into_iter().map(|(at, to, text)| (at.since(NOW).as_secs_f64(), to, text));
        (told.collect(), worked)
    }
}

fn pace(per_second: f64) -> Pace {
    Pace { per_second, ..Pace::default() }
}

#[tokio::test]
async fn who_has_a_hundred_messages_does_not_keep_another_waiting() {
    for rate in [2.0, f64::INFINITY] {
        let outbox = outbox(pace(rate), Duration::from_millis(1)).await;
        let (a, b) = (outbox.contact("a").await, outbox.contact("b").await);
        for n in 0..100 {
            outbox.queue(a, &n.to_string(), false).await;
        }
        outbox.queue(b, "one", false).await;
        let (sent, worked) = outbox.work().await;
        let place = sent.iter().position(|(_, to, _)| to == "b").unwrap();
        assert!(place <= 2, "at {rate}/s it was number {place}");
        let to_a: Vec<&str> = sent.iter().filter(|s| s.1 == "a").map(|s| s.2.as_str()).collect();
        assert!(to_a.iter().enumerate().all(|(n, text)| *text == n.to_string()), "in order: {to_a:?}");
        assert!(sent.len() == 101 && worked <= 202, "{} sent, {worked} jobs", sent.len());
        if rate.is_finite() {
            assert!((49.0..=51.0).contains(&sent[100].0), "{}", sent[100].0);
        }
    }
}

#[tokio::test]
async fn answers_go_before_broadcasts_even_behind_one_of_their_lane() {
    let outbox = outbox(pace(1.0), Duration::ZERO).await;
    let (mixed, calm) = (outbox.contact("mixed").await, outbox.contact("calm").await);
    for id in outbox.contacts(30).await {
        outbox.queue(id, "broadcast", true).await;
    }
    outbox.queue(mixed, "broadcast", true).await;
    outbox.queue(mixed, "answer", false).await;
    outbox.queue(calm, "answer", false).await;
    let (sent, _) = outbox.work().await;
    assert_eq!(sent.len(), 33);
    let at = |to: &str, text: &str| sent.iter().position(|s| s.1 == to && s.2 == text).unwrap();
    assert!(at("calm", "answer") <= 3 && at("mixed", "answer") <= 4, "{sent:?}");
    assert!(at("mixed", "broadcast") < at("mixed", "answer"), "the order of the lane stays");
}

#[tokio::test]
async fn a_provider_that_asks_to_slow_down_is_left_alone_by_all() {
    let outbox = outbox(pace(10.0), Duration::ZERO).await;
    *outbox.channel.refuses.lock().unwrap() = Some(Duration::from_secs(30));
    for (n, id) in outbox.contacts(20).await.into_iter().enumerate() {
        outbox.queue(id, "x", n % 2 == 0).await;
    }
    let (sent, worked) = outbox.work().await;
    assert_eq!(sent.len(), 20);
    assert!(sent.iter().all(|(at, ..)| (30.0..=33.0).contains(at)), "{sent:?}");
    assert!(worked <= 90, "nobody spins: {worked}");
}

#[tokio::test]
async fn one_contact_is_written_to_with_a_pause() {
    let pace = Pace { per_contact: Duration::from_secs(5), ..pace(100.0) };
    let outbox = outbox(pace, Duration::ZERO).await;
    let (a, b) = (outbox.contact("a").await, outbox.contact("b").await);
    for text in ["1", "2", "3"] {
        outbox.queue(a, text, false).await;
        outbox.queue(b, text, false).await;
    }
    let (sent, worked) = outbox.work().await;
    for to in ["a", "b"] {
        let at: Vec<f64> = sent.iter().filter(|s| s.1 == to).map(|s| s.0).collect();
        assert_eq!(at, [0.0, 5.0, 10.0], "{to}");
    }
    assert!(worked <= 10, "{worked}");
    // No try was counted, so that a message does not fail for having waited.
    let messages = outbox.worker.store.read().await.unwrap().messages(a, 0, 9).await.unwrap();
    assert!(messages.iter().filter(|m| m.author == Author::Bot).all(|m| m.error.is_none()));
}
