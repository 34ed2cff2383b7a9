use super::Poller;
use super::testing::*;
use crate::clock::ManualClock;
use crate::config::TrafficConfig;
use crate::transit::live::LiveHandle;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// A publisher: what it answers next, and what it was asked.
#[derive(Clone, Default)]
struct Publisher {
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

#[derive(Clone)]
enum Answer {
    /// With this ETag; 304 to who has it.
    Feed(Vec<u8>, &'static str),
    Status(u16, &'static str, &'static str),
    Never,
}

impl Publisher {
    async fn start() -> (Self, String) {
        let publisher = Self::default();
        let answering = publisher.clone();
        let app = Router::new().fallback(move |uri: axum::http::Uri, headers: HeaderMap| {
            let publisher = answering.clone();
            async move { publisher.answer(uri.path().to_owned(), headers).await }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (publisher, url)
    }

    fn says(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), answer);
    }

    /// How often each path was asked for since the last call, and the last request's headers.
    fn asked(&self) -> Vec<(String, HeaderMap)> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(&self, path: String, headers: HeaderMap) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).cloned();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), headers));
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        match answer {
            Some(Answer::Feed(_, etag)) if known.is_some_and(|known| known == etag) => {
                StatusCode::NOT_MODIFIED.into_response()
            }
            Some(Answer::Feed(bytes, etag)) => ([(header::ETAG, etag)], bytes).into_response(),
            Some(Answer::Status(status, name, value)) => {
                (StatusCode::from_u16(status).unwrap(), [(name, value)], "no").into_response()
            }
            Some(Answer::Never) => std::future::pending().await,
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

fn poller(toml: &str) -> (Poller, LiveHandle) {
    let config: TrafficConfig = toml::from_str(toml).unwrap();
    let live = LiveHandle::default();
    let clock = Arc::new(ManualClock::at(at(NOW)));
    (Poller::new(&config, defaults(), live.clone(), clock).unwrap(), live)
}

fn cancelled(made: u64, id: &str) -> Vec<u8> {
    feed(made, vec![entity(id, trip(id, 3), vec![])])
}

fn trips(live: &LiveHandle) -> Vec<String> {
    let mut trips: Vec<String> = live.get().trips.keys().cloned().collect();
    trips.sort_unstable();
    trips
}

#[tokio::test]
async fn a_broken_feed_costs_the_others_nothing_and_what_it_said_grows_old() {
    let (publisher, url) = Publisher::start().await;
    let (mut poller, live) = poller(&format!("feeds = [{{ url = '{url}/a' }}, {{ url = '{url}/b' }}]"));
    publisher.says("/a", Answer::Feed(cancelled(NOW - 5, "A"), "\"1\""));
    publisher.says("/b", Answer::Feed(cancelled(NOW - 15, "B"), "\"1\""));
    poller.poll_once(at(NOW)).await;
    assert_eq!((trips(&live), live.get().trips_as_of), (vec!["A".into(), "B".into()], Some(at(NOW - 15))));

    publisher.says("/b", Answer::Status(500, "x", ""));
    publisher.says("/a", Answer::Feed(cancelled(NOW + 100, "A2"), "\"2\""));
    poller.poll_once(at(NOW + 105)).await;
    assert_eq!(trips(&live), ["A2", "B"]);
    assert_eq!(live.get().trips_as_of, Some(at(NOW - 15)), "the age that the publisher gave");
    let failing: Vec<Option<String>> = poller.status().into_iter().map(|feed| feed.failing).collect();
    assert_eq!(failing, [None, Some("it answered 500 Internal Server Error".into())]);

    publisher.says("/a", Answer::Feed(cancelled(NOW + 900, "A3"), "\"3\""));
    publisher.says("/b", Answer::Feed(b"<html>".to_vec(), "\"9\""));
    poller.poll_once(at(NOW + 905)).await;
    assert_eq!((trips(&live), live.get().trips_partial), (vec!["A3".into()], true));
    assert_eq!(live.get().trips_as_of, Some(at(NOW + 900)));

    publisher.says("/b", Answer::Feed(cancelled(NOW + 1990, "B2"), "\"10\""));
    publisher.says("/a", Answer::Feed(cancelled(NOW + 1995, "A4"), "\"4\""));
    poller.poll_once(at(NOW + 2000)).await;
    assert_eq!((trips(&live), live.get().trips_partial), (vec!["A4".into(), "B2".into()], false));
}

#[tokio::test]
async fn an_unchanged_feed_is_not_sent_again_and_grows_old_all_the_same() {
    let (publisher, url) = Publisher::start().await;
    let (mut poller, live) =
        poller(&format!("feeds = [{{ url = '{url}/a?key=hunter2', headers = {{ X-Key = 'hunter2' }} }}]"));
    publisher.says("/a", Answer::Feed(cancelled(NOW - 5, "A"), "\"1\""));
    poller.poll_once(at(NOW)).await;
    poller.poll_once(at(NOW + 1)).await;
    assert_eq!(publisher.asked().len(), 1, "it is not due yet");
    poller.poll_once(at(NOW + 60)).await;
    let asked = publisher.asked();
    assert_eq!(
        (asked.len(), &asked[0].1[header::IF_NONE_MATCH], &asked[0].1["x-key"]),
        (1, &"\"1\"".parse().unwrap(), &"hunter2".parse().unwrap())
    );
    assert_eq!((trips(&live), live.get().trips_as_of), (vec!["A".into()], Some(at(NOW - 5))));
    assert_eq!(poller.status()[0].failing, None);
    poller.poll_once(at(NOW + 700)).await;
    assert_eq!((trips(&live), live.get().trips_as_of), (vec![], Some(at(NOW - 5))), "unchanged for too long");
}

#[tokio::test]
async fn failures_lengthen_the_pause_and_a_publisher_may_ask_for_more() {
    let (publisher, url) = Publisher::start().await;
    let (mut poller, _) = poller(&format!("feeds = [{{ url = '{url}/a' }}]\npoll = '10s'"));
    publisher.says("/a", Answer::Status(500, "x", ""));
    let mut tries = Vec::new();
    for second in 0..300 {
        poller.poll_once(at(NOW + second)).await;
        tries.extend(publisher.asked().iter().map(|_| second));
    }
    let pauses: Vec<u64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() >= 4 && pauses.is_sorted(), "{pauses:?}");
    assert!((9..=12).contains(&pauses[0]) && pauses.iter().all(|pause| *pause <= 132), "{pauses:?}");

    let (mut poller, _) = self::poller(&format!("feeds = [{{ url = '{url}/a' }}]\npoll = '10s'"));
    publisher.says("/a", Answer::Status(429, "retry-after", "500"));
    let mut tries = 0;
    for second in 0..400 {
        poller.poll_once(at(NOW + second)).await;
        tries += publisher.asked().len();
    }
    assert_eq!(tries, 1);
}

#[tokio::test]
async fn too_large_too_slow_and_elsewhere_are_failures() {
    let (publisher, url) = Publisher::start().await;
    let (_, elsewhere) = Publisher::start().await;
    let elsewhere: &'static str = Box::leak(elsewhere.replace("127.0.0.1", "localhost").into_boxed_str());
    let toml = "max_bytes = 2000\ntimeout = '300ms'\nfeeds = [".to_owned()
        + &["large", "slow", "moved", "zipped", "brotli", "gone"]
            .map(|path| format!("{{ url = '{url}/{path}' }}"))
            .join(",")
        + ", { url = 'http://127.0.0.1:1/hunter2?hunter2' , name = 'down' }]";
    publisher.says("/large", Answer::Feed(vec![0; 2001], "\"1\""));
    publisher.says("/slow", Answer::Never);
    publisher.says("/moved", Answer::Status(302, "location", elsewhere));
    publisher.says("/zipped", Answer::Status(200, "content-encoding", "gzip"));
    publisher.says("/brotli", Answer::Status(200, "content-encoding", "br"));
    let (mut poller, live) = poller(&toml);
    poller.poll_once(at(NOW)).await;
    let failing: Vec<String> = poller.status().into_iter().map(|feed| feed.failing.unwrap()).collect();
    assert_eq!(
        failing,
        [
            "it is larger than traffic.max_bytes (2000)",
            "it did not answer in time",
            "it answered 302 Found",
            "it cannot be unpacked",
            "it was sent compressed as \"br\"; only gzip was asked for",
            "it answered 404 Not Found",
            "it cannot be reached",
        ]
    );
    assert_eq!((live.get().trips.len(), live.get().trips_as_of), (0, None));
}

#[tokio::test]
async fn files_serve_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trips.pb");
    let toml = format!(
        "feeds = [{{ url = '{}' }}, {{ url = 'file://{}' }}, {{ url = '{}' }}]",
        path.display(),
        path.display(),
        folder.path().display()
    );
    let (mut poller, live) = poller(&toml);
    poller.poll_once(at(NOW)).await;
    let failing = |poller: &Poller, rank: usize| poller.status()[rank].failing.clone().unwrap_or_default();
    assert!(failing(&poller, 0).starts_with("it cannot be read"), "{}", failing(&poller, 0));
    assert_eq!(failing(&poller, 2), "it is no file");
    std::fs::write(&path, cancelled(NOW + 290, "A")).unwrap();
    poller.poll_once(at(NOW + 300)).await;
    assert_eq!((trips(&live), live.get().trips_as_of), (vec!["A".into()], Some(at(NOW + 290))));
    let names: Vec<String> = poller.status().into_iter().map(|feed| feed.name).collect();
    assert_eq!(names[1], format!("{} (2)", names[0]), "two feeds never share a name");
    assert!(Path::new(&names[0]).exists());
}

#[tokio::test]
async fn it_polls_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trips.pb");
    std::fs::write(&path, cancelled(NOW - 1, "A")).unwrap();
    let (poller, live) = poller(&format!("feeds = [{{ url = '{}' }}]", path.display()));
    let stopping = CancellationToken::new();
    let running = tokio::spawn(poller.run(stopping.clone()));
    while live.get().trips.is_empty() {
        tokio::task::yield_now().await;
    }
    stopping.cancel();
    running.await.unwrap();

    let (idle, live) = self::poller("");
    let untouched = live.get();
    idle.run(CancellationToken::new()).await;
    assert!(Arc::ptr_eq(&untouched, &live.get()), "without feeds the handle belongs to others");
}
