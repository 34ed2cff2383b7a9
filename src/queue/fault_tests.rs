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
const POST: &str = "at://did:plc:c/app.bsky.feed.post/3k";

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
        "telegram" => format!("token = '1:t'\nmode = 'polling'\napi_url = '{url}'"),
        "messenger" => {
            format!(
                "page_id = '1'\napp_secret = 's'\nverify_token = 'v'\naccess_token = 't'\napi_url = '{url}'"
            )
        }
        "x" => format!("user_id = '1'\napi_secret = 's'\noauth2_token = 't'\napi_url = '{url}'"),
        "mastodon" => format!("access_token = 't'\nurl = '{url}'"),
        "bluesky" => format!("identifier = 'a.example'\napp_password = 'p'\napi_url = '{url}'"),
        "youtube" => format!(
            "channel_id = 'UC1'\nclient_id = 'c'\nclient_secret = 's'\nrefresh_token = 'r'\napi_url = '{url}'\n\
             token_url = '{url}/token'"
        ),
        _ => format!("secret = '0123456789abcdef'\ncallback_url = '{url}/replies'"),
    }
}

/// Whom the message goes to, under which of their messages, and what the request that says it is known by.
fn contact(kind: &str) -> (&'static str, &'static str, &'static str) {
    match kind {
        "telegram" => ("5", "5:1", "/sendMessage "),
        "messenger" => ("77", "m1", "/me/messages "),
        "x" => ("7", "1", "/messages "),
        "mastodon" => ("direct:camille", "1", "/statuses "),
        "bluesky" => (POST, POST, "createRecord "),
        "youtube" => ("comment:Ugx1:UC2", "Ugx1", "/comments?"),
        _ => (TO, "1", " "),
    }
}

fn fault(
    what: &'static str,
    kind: &'static str,
    answers: &[&Answer],
    status: &'static str,
    posts: usize,
) -> Fault {
    let answers = answers.iter().map(|answer| (*answer).clone()).collect();
    Fault { what, kind, answers, status, posts }
}

/// Of kinds that cannot be asked what became of a message: in doubt it is sent once, and a person decides.
fn unasked() -> Vec<Fault> {
    let mut faults = Vec::new();
    for (kind, ok) in [
        ("telegram", r#"{"ok":true,"result":{"message_id":2}}"#),
        ("messenger", r#"{"recipient_id":"77","message_id":"m2"}"#),
    ] {
        let (ok, busy, broken, odd) =
            (&json(200, ok), &json(429, "{}"), &json(503, "<html>"), &json(200, "<html>"));
        let (silence, reset) = (&Answer::Silence, &Answer::Reset);
        let wait = &Answer::Http(429, "retry-after: 30\r\n", "{}".into());
        let wrong =
            &json(400, r#"{"ok":false,"error_code":400,"description":"Bad Request","error":{"code":100}}"#);
        faults.extend([
            fault("no connection", kind, &[], "failed", 0),
            fault("no answer", kind, &[silence], "unknown", 1),
            fault("connection reset", kind, &[reset], "unknown", 1),
            fault("429", kind, &[busy, ok], "sent", 2),
            fault("429 for ever", kind, &[busy], "failed", 6),
            fault("429, Retry-After", kind, &[wait, ok], "sent", 2),
            fault("5xx", kind, &[broken], "unknown", 1),
            fault("4xx", kind, &[wrong], "failed", 1),
            fault("malformed body", kind, &[odd], "unknown", 1),
        ]);
    }
    faults
}

/// Of kinds that list what was sent, without saying how soon: found, it was sent; not found proves nothing.
fn listing() -> Vec<Fault> {
    let (busy, broken, wrong) = (&json(429, "{}"), &json(503, "<html>"), &json(400, "{}"));
    let (odd, silence, reset) = (&json(200, "<html>"), &Answer::Silence, &Answer::Reset);
    let wait = &Answer::Http(429, "retry-after: 30\r\n", "{}".into());
    let at = "2030-01-01T00:00:00Z";
    let x = &json(201, r#"{"data":{"dm_event_id":"9"}}"#);
    let x_listed = &json(
        200,
        &format!(r#"{{"data":[{{"id":"9","sender_id":"1","text":"{TEXT}","created_at":"{at}"}}]}}"#),
    );
    let x_nothing = &json(200, r#"{"meta":{"result_count":0}}"#);
    let token = &json(200, r#"{"access_token":"a","expires_in":3599}"#);
    let youtube = &json(200, r#"{"id":"Ugx1.9"}"#);
    let youtube_listed = &json(
        200,
        &format!(
            r#"{{"items":[{{"id":"Ugx1.9","snippet":{{"authorChannelId":{{"value":"UC1"}},"textDisplay":"{TEXT}","publishedAt":"{at}"}}}}]}}"#
        ),
    );
    let youtube_nothing = &json(200, r#"{"items":[]}"#);
    let spent = &json(403, r#"{"error":{"code":403,"errors":[{"reason":"quotaExceeded"}]}}"#);
    vec![
        fault("no connection", "x", &[], "failed", 0),
        fault("no answer, was taken", "x", &[silence, x_listed], "sent", 1),
        fault("no answer, not found", "x", &[silence, x_nothing], "unknown", 1),
        fault("connection reset, was taken", "x", &[reset, x_nothing, x_listed], "sent", 1),
        fault("429", "x", &[busy, x], "sent", 2),
        fault("429, Retry-After", "x", &[wait, x], "sent", 2),
        fault("5xx, was taken", "x", &[broken, x_listed], "sent", 1),
        fault("5xx, not found", "x", &[broken, x_nothing], "unknown", 1),
        fault("4xx", "x", &[wrong], "failed", 1),
        fault("malformed body, was taken", "x", &[odd, x_listed], "sent", 1),
        fault("no connection", "youtube", &[], "failed", 0),
        fault("no answer, was taken", "youtube", &[token, silence, youtube_listed], "sent", 1),
        fault("no answer, not found", "youtube", &[token, silence, youtube_nothing], "unknown", 1),
        fault("429", "youtube", &[token, busy, youtube], "sent", 2),
        fault("429, Retry-After", "youtube", &[token, wait, youtube], "sent", 2),
        fault("the day's units are spent", "youtube", &[token, spent], "failed", 1),
        fault("5xx, was taken", "youtube", &[token, broken, youtube_listed], "sent", 1),
        fault("4xx", "youtube", &[token, wrong], "failed", 1),
        fault("malformed body, was taken", "youtube", &[token, odd, youtube_listed], "sent", 1),
    ]
}

/// Of kinds that take a message once however often it comes, by its key: in doubt it is sent again, or asked for.
fn keyed() -> Vec<Fault> {
    let (busy, broken, wrong) = (&json(429, "{}"), &json(503, "<html>"), &json(400, "{}"));
    let (odd, silence, reset) = (&json(200, "<html>"), &Answer::Silence, &Answer::Reset);
    let wait = &Answer::Http(429, "retry-after: 30\r\n", "{}".into());
    let status = &json(200, r#"{"id":"9"}"#);
    let session = &json(200, r#"{"did":"did:plc:t","accessJwt":"a","refreshJwt":"r"}"#);
    let post = &json(200, &format!(r#"{{"posts":[{{"uri":"{POST}","cid":"c"}}]}}"#));
    let created = &json(200, r#"{"uri":"at://did:plc:t/app.bsky.feed.post/3n","cid":"c"}"#);
    let found = &json(
        200,
        &format!(r#"{{"uri":"at://did:plc:t/app.bsky.feed.post/3n","cid":"c","value":{{"text":"{TEXT}"}}}}"#),
    );
    let absent = &json(400, r#"{"error":"RecordNotFound"}"#);
    vec![
        fault("no connection", "mastodon", &[], "failed", 0),
        fault("no answer", "mastodon", &[silence, status], "sent", 2),
        fault("connection reset", "mastodon", &[reset, status], "sent", 2),
        fault("429, Retry-After", "mastodon", &[wait, status], "sent", 2),
        fault("5xx", "mastodon", &[broken, status], "sent", 2),
        fault("4xx", "mastodon", &[wrong], "failed", 1),
        fault("malformed body", "mastodon", &[odd, status], "sent", 2),
        fault("no connection", "bluesky", &[], "failed", 0),
        fault("no answer, was taken", "bluesky", &[session, post, silence, found], "sent", 1),
        fault(
            "no answer, was not taken",
            "bluesky",
            &[session, post, silence, absent, post, created],
            "sent",
            2,
        ),
        fault(
            "taken while we asked",
            "bluesky",
            &[session, post, reset, absent, post, broken, found],
            "sent",
            2,
        ),
        fault("429", "bluesky", &[session, post, busy, post, created], "sent", 2),
        fault("429, Retry-After", "bluesky", &[session, post, wait, post, created], "sent", 2),
        fault("5xx, and it cannot be asked", "bluesky", &[session, post, broken], "unknown", 1),
        fault("4xx", "bluesky", &[session, post, wrong], "failed", 1),
        fault("malformed body, was taken", "bluesky", &[session, post, odd, found], "sent", 1),
    ]
}

fn faults() -> Vec<Fault> {
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
    let (address, provider_id, says) = contact(fault.kind);
    let id = queued(&worker, &clock, (address, provider_id)).await;
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
    let is_post = |request: &&String| {
        request.starts_with("POST ") && request.lines().next().is_some_and(|line| line.contains(says))
    };
    let said: Vec<&String> = requests.iter().filter(is_post).collect();
    let key = |request: &&String| {
        request.lines().find(|line| line.starts_with("idempotency-key: ")).map(str::to_owned)
    };
    let keys: std::collections::BTreeSet<_> = said.iter().map(key).collect();
    assert!(keys.len() <= 1, "{}: {keys:?} is one message", fault.what);
    let posts = said.len();
    (message, posts, clock.now().since(NOW).as_secs_f64())
}

async fn queued(worker: &Worker, clock: &ManualClock, (address, provider_id): (&str, &str)) -> MessageId {
    let mut tx = worker.store.begin().await.unwrap();
    let inbound = Ingest { channel: "line", address, provider_id, text: "x", ..Ingest::default() };
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
    for fault in [faults(), unasked(), listing(), keyed()].into_iter().flatten() {
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
