//! Calls to whoever is on call: never lost, never again once heard, and told where they are given up.

use super::opt_out_tests::worker;
use super::process_tests::Line;
use super::*;
use crate::channels::Channels;
use crate::channels::signing::{SIGNATURE, TIMESTAMP, sign};
use crate::clock::ManualClock;
use crate::config::{OnCallConfig, Secret, When};
use crate::model::{ConversationId, ConversationState, EventKind};
use crate::store::Ingest;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use std::collections::VecDeque;
use std::sync::Mutex;

const PACK: &str = "\
domain: safety
intents:
  emergency:
    about: Danger
    escalate: { always: true, reason: emergency, priority: urgent }
    examples: { fr: ['un homme est tombé sur la voie', 'il y a du feu dans le train', 'on agresse quelqu''un à bord', 'un blessé sur le quai'] }
---
domain: general
intents:
  thanks: { about: Thanks, courtesy: true, examples: { fr: ['merci', 'merci beaucoup', 'un grand merci', 'merci à vous'] } }
";
const SECRET: &str = "0123456789abcdef0123";

type Posts = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A desk that hears of emergencies, and whoever is on call, who answers what the test says.
pub(super) struct Emergencies {
    worker: Worker,
    clock: Arc<ManualClock>,
    posts: Posts,
    answers: Arc<Mutex<VecDeque<u16>>>,
    _folder: tempfile::TempDir,
}

async fn hear(
    State((posts, answers)): State<(Posts, Arc<Mutex<VecDeque<u16>>>)>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    posts.lock().unwrap().push((headers, body));
    let answer = answers.lock().unwrap().pop_front().unwrap_or(204);
    StatusCode::from_u16(answer).unwrap()
}

impl Emergencies {
    /// 2026-11-23 10:00 UTC, a Monday: the desk is open until 22:00.
    pub(super) const NOW: Timestamp = Timestamp(1_795_428_000_000_000);

    async fn new(answers: &[u16], config: OnCallConfig) -> Self {
        let (posts, answers) = (Posts::default(), Arc::new(Mutex::new(answers.iter().copied().collect())));
        let router =
            Router::new().route("/call", post(hear)).with_state((posts.clone(), Arc::clone(&answers)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/call", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = OnCallConfig { url, secret: Secret::new(SECRET), allow_private: true, ..config };
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Self::NOW));
        let channels = Channels::only("line", Arc::new(Line { sms: false }));
        let worker = worker(folder.path(), PACK, clock.clone(), channels).await;
        let on_call = OnCall::new(&config, "https://bot.example").unwrap();
        Self { worker: Worker { on_call, ..worker }, clock, posts, answers, _folder: folder }
    }

    async fn write(&self, address: &str, text: &str) -> ConversationId {
        let provider_id = format!("{address}{text}");
        let inbound =
            Ingest { channel: "line", address, provider_id: &provider_id, text, ..Ingest::default() };
        let mut tx = self.worker.store.begin().await.unwrap();
        let id = tx.ingest(inbound, self.clock.now(), Duration::ZERO).await.unwrap().conversation_id;
        tx.commit().await.unwrap();
        id
    }

    async fn after(&self, seconds: u64) -> usize {
        self.clock.advance(Duration::from_secs(seconds));
        self.worker.drain().await.unwrap();
        self.posts.lock().unwrap().len()
    }

    fn bodies(&self) -> Vec<serde_json::Value> {
        self.posts.lock().unwrap().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    async fn kinds(&self, id: ConversationId) -> Vec<EventKind> {
        let events = self.worker.store.read().await.unwrap().events(id).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    async fn unheard(&self) -> i64 {
        let since = self.clock.now().minus(Duration::from_secs(86_400));
        self.worker.store.read().await.unwrap().alerts_unheard(since).await.unwrap()
    }
}

#[tokio::test]
async fn an_emergency_calls_once_signed_and_without_its_words() {
    let desk = Emergencies::new(&[], OnCallConfig::default()).await;
    let id = desk.write("a", "un homme est tombé sur la voie").await;
    assert_eq!(desk.after(0).await, 1);
    let (headers, body) = desk.posts.lock().unwrap()[0].clone();
    let (timestamp, signature) = sign(&Secret::new(SECRET), desk.clock.now(), body.as_bytes()).unwrap();
    assert_eq!(
        (headers[TIMESTAMP].to_str().unwrap(), headers[SIGNATURE].to_str().unwrap()),
        (&*timestamp, &*signature)
    );
    assert!(!body.contains("tombé"), "{body}");
    let told = &desk.bodies()[0];
    assert_eq!(
        (told["kind"].as_str(), told["priority"].as_str(), told["open"].as_bool()),
        (Some("emergency"), Some("urgent"), Some(true))
    );
    assert_eq!(told["link"].as_str(), Some(&*format!("https://bot.example/console/conversations/{id}")));
    let said = desk.worker.store.read().await.unwrap().messages(id, 1, 10).await.unwrap();
    assert!(said[0].text.contains("3117"), "the customer is told whom to call: {}", said[0].text);
    // The same emergency goes on: nobody is called again; another customer's is another one.
    desk.write("a", "il y a du feu dans le train").await;
    assert_eq!(desk.after(60).await, 1);
    desk.write("b", "un blessé sur le quai").await;
    assert_eq!(desk.after(1).await, 2);
    assert_eq!(desk.kinds(id).await.iter().filter(|k| **k == EventKind::AlertDelivered).count(), 1);
    desk.write("c", "merci").await;
    assert_eq!(desk.after(1).await, 2);
}

#[tokio::test]
async fn a_call_is_made_until_it_is_heard() {
    let desk =
        Emergencies::new(&[500, 302, 404], OnCallConfig { include_text: true, ..OnCallConfig::default() })
            .await;
    let id = desk.write("a", "un homme est tombé sur la voie").await;
    assert_eq!(desk.after(0).await, 1);
    assert_eq!(desk.after(4).await, 1, "five seconds between the first two");
    assert_eq!(desk.after(1).await, 2);
    assert_eq!(desk.after(15).await, 3);
    assert_eq!(desk.after(60).await, 4);
    assert_eq!(desk.after(7200).await, 4, "heard");
    let bodies = desk.bodies();
    assert!(
        bodies
            .iter()
            .all(|body| body["id"] == bodies[0]["id"] && body["text"] == "un homme est tombé sur la voie")
    );
    assert_eq!((desk.unheard().await, desk.kinds(id).await.contains(&EventKind::AlertDelivered)), (0, true));
}

#[tokio::test]
async fn a_call_that_is_given_up_is_told_until_another_is_heard() {
    let retry = vec![crate::config::Span::seconds(1)];
    let desk = Emergencies::new(&[500, 500], OnCallConfig { retry, ..OnCallConfig::default() }).await;
    let id = desk.write("a", "un homme est tombé sur la voie").await;
    assert_eq!(desk.after(0).await, 1);
    assert_eq!(desk.after(1).await, 2);
    assert_eq!((desk.after(7200).await, desk.unheard().await), (2, 1));
    assert!(desk.kinds(id).await.contains(&EventKind::AlertFailed));
    assert_eq!(
        desk.worker.store.read().await.unwrap().conversation(id).await.unwrap().unwrap().state,
        ConversationState::Queued
    );
    desk.write("b", "un blessé sur le quai").await;
    assert_eq!((desk.after(1).await, desk.unheard().await), (3, 0));
}

#[tokio::test]
async fn a_process_killed_between_the_answer_and_the_commit_calls_with_the_same_id() {
    let desk = Emergencies::new(&[], OnCallConfig::default()).await;
    desk.write("a", "un homme est tombé sur la voie").await;
    // The message is read; the call is claimed and posted, and the process dies.
    let claim = async || {
        let mut tx = desk.worker.store.begin().await.unwrap();
        let jobs =
            tx.claim_jobs(desk.clock.now(), desk.clock.now().plus(Duration::from_secs(60)), 1).await.unwrap();
        tx.commit().await.unwrap();
        jobs
    };
    let job = claim().await.pop().unwrap();
    desk.worker.work(job).await;
    let call = loop {
        let job = claim().await.pop().unwrap();
        if job.kind == JobKind::Alert {
            break job;
        }
        desk.worker.work(job).await;
    };
    let alert = desk.worker.store.read().await.unwrap().alert(call.id).await.unwrap().unwrap();
    desk.worker.on_call.post(&alert, None, desk.clock.now()).await.unwrap();
    desk.worker.release_left_claims().await;
    assert_eq!(desk.after(0).await, 2);
    assert_eq!(desk.bodies()[0], desk.bodies()[1]);
    // The late answer of a process that was taken for dead changes nothing.
    desk.worker.work(call).await;
    assert_eq!(desk.after(7200).await, 2, "known as heard, it is not posted again");
    assert!(desk.answers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn inside_the_hours_people_see_it_where_that_is_configured() {
    let desk = Emergencies::new(&[], OnCallConfig { when: When::Closed, ..OnCallConfig::default() }).await;
    desk.write("a", "un homme est tombé sur la voie").await;
    assert_eq!(desk.after(0).await, 0);
    desk.clock.advance(Duration::from_secs(13 * 3600));
    desk.write("b", "un homme est tombé sur la voie").await;
    assert_eq!(desk.after(0).await, 1);
    assert_eq!(desk.bodies()[0]["open"], false);
}

#[test]
fn an_address_inside_the_network_must_be_meant() {
    for (url, private, fine) in [
        ("https://10.0.0.1/x", false, false),
        ("https://10.0.0.1/x", true, true),
        ("http://169.254.169.254/x", true, false),
        ("https://alerts.example.com/x", false, true),
    ] {
        let config = OnCallConfig {
            url: url.into(),
            allow_private: private,
            secret: Secret::new(SECRET),
            ..OnCallConfig::default()
        };
        assert_eq!(OnCall::new(&config, "").is_ok(), fine, "{url}");
    }
}
