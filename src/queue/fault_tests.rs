//! Every fault of a provider, through the real outbox: where the message ends, and how often it was sent. One table for
//! all kinds of channels that post to a provider; a new kind adds its lines.

use super::opt_out_tests::worker;
use super::*;
use crate::channels::testing::{Answer, Provider, build, json};
use crate::clock::ManualClock;
use crate::model::{Author, Message, MessageId, MessageKind};
use crate::store::{Ingest, NewJob};

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const PACK: &str = "domain: general\nintents:\n  thanks: { about: Thanks, examples: { fr: ['merci'] } }\n";
const TO: &str = "+33612345678";
const TEXT: &str = "Prochain départ 18h04";

struct Fault {
    what: &'static str,
    kind: &'static str,
    /// One to each request, the last one again and again; none: nobody listens there.
    answers: Vec<Answer>,
    status: &'static str,
    /// How often the message was posted.
    posts: usize,
}

fn keys(kind: &str, url: &str) -> String {
    match kind {
        "twilio" => {
            format!("account_sid = 'AC1'\nauth_token = '12345'\nfrom = '+15551110000'\napi_url = '{url}'")
        }
        _ => format!("secret = '0123456789abcdef'\ncallback_url = '{url}/replies'"),
    }
}

fn faults() -> Vec<Fault> {
    let fault = |what, kind, answers: &[&Answer], status, posts| Fault {
        what,
        kind,
        answers: answers.iter().map(|answer| (*answer).clone()).collect(),
        status,
        posts,
    };
    let ok = &json(201, r#"{"sid":"SM1"}"#);
    let nothing = &json(200, r#"{"messages":[]}"#);
    let listed = &json(
        200,
        &format!(
            r#"{{"messages":[{{"sid":"SM7","to":"{TO}","body":"{TEXT}","direction":"outbound-api"}}]}}"#
        ),
    );
    let wait = &Answer::Http(429, "retry-after: 30\r\n", "{}".into());
    let (busy, broken, lost) = (&json(429, "{}"), &json(503, "<html>"), &json(502, "<html>"));
    let (wrong, odd) = (&json(400, r#"{"code":21211}"#), &json(201, "<html>"));
    let (silence, reset) = (&Answer::Silence, &Answer::Reset);
    vec![
        fault("no connection", "http", &[], "failed", 0),
        fault("no answer", "http", &[silence], "unknown", 1),
        fault("connection reset", "http", &[reset], "unknown", 1),
        fault("429", "http", &[busy, ok], "sent", 2),
        fault("429 for ever", "http", &[busy], "failed", 6),
        fault("429, Retry-After", "http", &[wait, ok], "sent", 2),
        fault("5xx, surely not taken", "http", &[broken, ok], "sent", 2),
        fault("5xx of a proxy", "http", &[lost, ok], "unknown", 1),
        fault("4xx", "http", &[wrong], "failed", 1),
        fault("malformed body", "http", &[odd], "sent", 1),
        fault("no connection", "twilio", &[], "failed", 0),
        fault("no answer, was taken", "twilio", &[silence, listed], "sent", 1),
        fault("no answer, was not taken", "twilio", &[silence, nothing, ok], "sent", 2),
        fault("no answer at all", "twilio", &[silence], "unknown", 1),
        fault("connection reset, was taken", "twilio", &[reset, listed], "sent", 1),
        fault("429", "twilio", &[busy, ok], "sent", 2),
        fault("429, Retry-After", "twilio", &[wait, ok], "sent", 2),
        fault("5xx, was taken", "twilio", &[broken, listed], "sent", 1),
        fault("5xx, was not taken", "twilio", &[broken, nothing, ok], "sent", 2),
        fault("5xx, and the list is broken", "twilio", &[broken, odd], "unknown", 1),
        fault("4xx", "twilio", &[wrong], "failed", 1),
        fault("malformed body, was taken", "twilio", &[odd, listed], "sent", 1),
        fault("malformed body, was not taken", "twilio", &[odd, nothing, ok], "sent", 2),
    ]
}

/// Queues one message, and works until nothing is left, the clock going from job to job.
async fn play(fault: &Fault) -> (Message, usize, f64) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let provider = Provider::start(fault.answers.clone()).await;
    // Port 9 of this host: nobody listens.
    let url = if fault.answers.is_empty() { "http://127.0.0.1:9" } else { &provider.url };
    let channel = build("line", fault.kind, &keys(fault.kind, url)).unwrap();
    let worker = worker(folder.path(), PACK, clock.clone(), Channels::only("line", channel)).await;
    let id = queued(&worker, &clock).await;
    for round in 0.. {
        assert!(round < 100, "{}: it does not end", fault.what);
        worker.drain().await.unwrap();
        let next = worker.store.read().await.unwrap().next_job_at().await.unwrap();
        let Some(next) = next else { break };
        clock.advance(next.since(clock.now()));
    }
    let mut tx = worker.store.read().await.unwrap();
    let message = tx.message(id).await.unwrap().unwrap();
    let calls = tx.calls_of(id).await.unwrap().len();
    let requests = provider.requests();
    assert!(calls >= requests.len().min(20), "{}: {calls} calls are kept of {}", fault.what, requests.len());
    let posts = requests.iter().filter(|request| request.starts_with("POST ")).count();
    (message, posts, clock.now().since(NOW).as_secs_f64())
}

async fn queued(worker: &Worker, clock: &ManualClock) -> MessageId {
    let mut tx = worker.store.begin().await.unwrap();
    let inbound = Ingest { channel: "line", address: TO, provider_id: "1", text: "x", ..Ingest::default() };
    let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    for job in tx.claim_jobs(NOW, NOW.plus(AFTER_ERROR), 9).await.unwrap() {
        tx.complete_job(&job).await.unwrap();
    }
    let conversation = tx.lock_conversation(id).await.unwrap().unwrap();
    let now = clock.now();
    let mut message = Message::outbound(&conversation, Author::Bot, MessageKind::Answer, TEXT.into(), now);
    tx.insert_message(&mut message).await.unwrap();
    let job = NewJob { kind: JobKind::Send, message: &message, run_at: now, broadcast: false };
    tx.insert_job(job).await.unwrap();
    tx.commit().await.unwrap();
    message.id
}

#[tokio::test]
async fn every_fault_ends_where_it_must_and_nothing_is_sent_blindly_twice() {
    for fault in faults() {
        let (message, posts, seconds) = play(&fault).await;
        let name = format!("{}: {}", fault.kind, fault.what);
        assert_eq!(
            (message.status.as_str(), posts),
            (fault.status, fault.posts),
            "{name}: {:?}",
            message.error
        );
        let told = matches!(fault.status, "failed" | "unknown");
        assert_eq!(message.error.is_some(), told, "{name}: an agent reads why");
        if fault.what.ends_with("Retry-After") {
            assert!(seconds >= 30.0, "{name}: after {seconds} s");
        }
    }
}
