use super::*;
use crate::config::Span;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::date;
use std::sync::{Mutex, PoisonError};

/// A publisher: what it answers next, and what it was asked.
#[derive(Clone)]
struct Publisher {
    answer: Arc<Mutex<Answer>>,
    asked: Arc<Mutex<Vec<HeaderMap>>>,
}

#[derive(Clone)]
enum Answer {
    /// With this ETag; 304 to who has it.
    Feed(Vec<u8>, &'static str),
    /// No validators: the same bytes each time.
    Bare(Vec<u8>),
    /// Says that it is longer than it is.
    CutShort(Vec<u8>),
    /// Begins, and never ends.
    Stalled(Vec<u8>),
    With(u16, &'static str, &'static str, &'static str),
    Never,
}

impl Publisher {
    async fn start() -> (Self, String) {
        let publisher =
            Self { answer: Arc::new(Mutex::new(Answer::Never)), asked: Arc::new(Mutex::new(Vec::new())) };
        let answering = publisher.clone();
        let app = Router::new().fallback(move |headers: HeaderMap| {
            let publisher = answering.clone();
            async move { publisher.answer(headers).await }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/gtfs.zip?key=hunter2", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (publisher, url)
    }

    fn says(&self, answer: Answer) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// The headers of each request since the last call.
    fn asked(&self) -> Vec<HeaderMap> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(&self, headers: HeaderMap) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).cloned();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(headers);
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match answer {
            Answer::Feed(_, etag) if known.is_some_and(|known| known == etag) => {
                StatusCode::NOT_MODIFIED.into_response()
            }
            Answer::Feed(bytes, etag) => {
                let made = "Mon, 04 May 2026 06:00:00 GMT";
                ([(header::ETAG, etag), (header::LAST_MODIFIED, made)], bytes).into_response()
            }
            Answer::Bare(bytes) => bytes.into_response(),
            Answer::CutShort(bytes) => {
                let broken = std::io::Error::other("the line is cut");
                let parts = futures::stream::iter([Ok(bytes), Err(broken)]);
                Body::from_stream(parts).into_response()
            }
            Answer::Stalled(bytes) => {
                use futures::StreamExt as _;
                let begun = futures::stream::iter([Ok::<_, std::io::Error>(bytes)]);
                Body::from_stream(begun.chain(futures::stream::pending())).into_response()
            }
            Answer::With(status, name, value, body) => {
                (StatusCode::from_u16(status).unwrap(), [(name, value)], body).into_response()
            }
            Answer::Never => std::future::pending().await,
        }
    }
}

async fn house() -> (Publisher, House) {
    let (publisher, url) = Publisher::start().await;
    (publisher, House::new(&url))
}

/// Files in the folder of kept copies.
fn kept(house: &House) -> Vec<String> {
    let folder = std::fs::read_dir(house.config.files.cache.join("timetable")).unwrap();
    let mut names: Vec<String> =
        folder.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
    names.retain(|name| !name.ends_with(".lock"));
    names.sort();
    names
}

#[tokio::test]
async fn a_download_is_put_in_service_and_asked_for_conditionally() {
    let (publisher, house) = house().await;
    let mut reloader = house.start();
    assert_eq!(served(&reloader), None);
    assert!(reloader.timetable().problem().unwrap().contains("it has not been downloaded yet"));
    publisher.says(Answer::Feed(WHOLE_YEAR.zip(), "\"one\""));
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    assert_eq!((served(&reloader).as_deref(), reloader.timetable().problem()), (Some("Pont"), None));
    // A feed that does not say when it was made is as old as the publisher's file, not as our download.
    assert_eq!(reloader.timetable().get().unwrap().source().as_of, date(2026, 5, 4));
    assert!(!publisher.asked()[0].contains_key(header::IF_NONE_MATCH));

    assert_eq!(house.check(&mut reloader).await, Outcome::Unchanged);
    let asked = publisher.asked();
    assert_eq!(asked[0][header::IF_NONE_MATCH], "\"one\"");
    assert_eq!(asked[0][header::IF_MODIFIED_SINCE], "Mon, 04 May 2026 06:00:00 GMT");

    publisher.says(Answer::Feed(Made { name: "Pont Neuf", ..WHOLE_YEAR }.zip(), "\"two\""));
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    assert_eq!(served(&reloader).as_deref(), Some("Pont Neuf"));
    assert_eq!(kept(&house).len(), 2, "{:?}", kept(&house));
}

#[tokio::test]
async fn the_kept_copy_serves_when_the_network_is_down() {
    let (publisher, house) = house().await;
    publisher.says(Answer::Feed(WHOLE_YEAR.zip(), "\"one\""));
    assert_eq!(house.check(&mut house.start()).await, Outcome::Replaced);
    publisher.says(Answer::With(500, "x", "y", ""));
    let mut reloader = house.start();
    assert_eq!(served(&reloader).as_deref(), Some("Pont"));
    let failed = house.check(&mut reloader).await;
    assert_eq!(failed, Outcome::Failed("it answered 500 Internal Server Error".to_owned()));
    assert_eq!(served(&reloader).as_deref(), Some("Pont"));
    let problem = reloader.timetable().problem().unwrap();
    assert!(
        problem.contains("127.0.0.1") && problem.contains("500") && !problem.contains("hunter2"),
        "{problem}"
    );
    // The network is back: the condition is that of the kept copy.
    publisher.asked();
    publisher.says(Answer::Feed(WHOLE_YEAR.zip(), "\"one\""));
    assert_eq!(house.check(&mut reloader).await, Outcome::Unchanged);
    assert_eq!(publisher.asked()[0][header::IF_NONE_MATCH], "\"one\"");
    assert_eq!(reloader.timetable().problem(), None);
    // Another address never serves this one's trains.
    let mut other = House::new("http://127.0.0.1:9/other.zip");
    other.config.files.cache = house.config.files.cache.clone();
    assert_eq!(served(&other.start()), None);
}

#[tokio::test]
async fn a_spoiled_kept_copy_is_fetched_anew() {
    let (publisher, house) = house().await;
    publisher.says(Answer::Feed(WHOLE_YEAR.zip(), "\"one\""));
    assert_eq!(house.check(&mut house.start()).await, Outcome::Replaced);
    let names = kept(&house);
    let archive = names.iter().find(|name| name.ends_with(".zip")).unwrap();
    let archive = house.config.files.cache.join("timetable").join(archive);
    std::fs::write(&archive, b"PK and nothing more").unwrap();
    publisher.asked();
    let mut reloader = house.start();
    assert_eq!(served(&reloader), None);
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    assert!(!publisher.asked()[0].contains_key(header::IF_NONE_MATCH));
    // As after a crash between archive and note: a good archive whose note speaks of another.
    std::fs::write(&archive, Made { name: "Pont Neuf", ..WHOLE_YEAR }.zip()).unwrap();
    let mut reloader = house.start();
    assert_eq!(served(&reloader).as_deref(), Some("Pont Neuf"));
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    assert!(!publisher.asked()[0].contains_key(header::IF_NONE_MATCH));
    assert_eq!(served(&reloader).as_deref(), Some("Pont"));
}

#[tokio::test]
async fn whatever_goes_wrong_the_one_before_stays() {
    let (publisher, mut house) = house().await;
    house.config.timetable.max_bytes = 20_000;
    publisher.says(Answer::Feed(WHOLE_YEAR.zip(), "\"one\""));
    let mut reloader = house.start();
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    let zip = Made { name: "Pont Neuf", ..WHOLE_YEAR }.zip();
    let html = "<!doctype html><title>Maintenance</title>";
    let cases = [
        (Answer::Feed(zip[..zip.len() / 2].to_vec(), "\"x\""), "damaged zip archive"),
        (Answer::Feed(b"PK".repeat(500), "\"x\""), "damaged zip archive"),
        (Answer::With(200, "content-type", "text/html", html), "no zip archive"),
        (
            Answer::With(200, "content-encoding", "br", html),
            "it was sent compressed (br) without being asked to",
        ),
        (Answer::With(500, "x", "y", html), "it answered 500"),
        (Answer::With(404, "x", "y", html), "it answered 404"),
        (Answer::With(302, "location", "http://127.0.0.1:9/", ""), "cannot be reached"),
        (Answer::With(302, "x", "y", ""), "it answered 302"),
        (Answer::CutShort(zip.clone()), "the connection broke"),
        (Answer::Feed(vec![b'P'; 20_001], "\"x\""), "it is larger than timetable.max_bytes (20000)"),
        (Answer::Stalled(vec![b'P'; 20_001]), "it is larger than timetable.max_bytes (20000)"),
        (Answer::Feed(Made { trains: 4, ..WHOLE_YEAR }.zip(), "\"x\""), "it has 28 trains where"),
        (Answer::Feed(Made { last: "20260504", ..WHOLE_YEAR }.zip(), "\"x\""), "its last day was 2026-05-04"),
    ];
    for (answer, expected) in cases {
        publisher.says(answer);
        let outcome = house.check(&mut reloader).await;
        assert!(why(&outcome).contains(expected), "{outcome:?}\nshould contain\n{expected}");
        assert!(reloader.timetable().problem().unwrap().contains(expected));
        assert_eq!(served(&reloader).as_deref(), Some("Pont"));
        assert_eq!(served(&house.start()).as_deref(), Some("Pont"), "the kept copy after: {expected}");
        assert_eq!(kept(&house).len(), 2, "{:?}", kept(&house));
    }
    publisher.says(Answer::Feed(zip, "\"two\""));
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    assert_eq!((served(&reloader).as_deref(), reloader.timetable().problem()), (Some("Pont Neuf"), None));
}

#[tokio::test]
async fn a_slow_publisher_is_not_waited_for() {
    let (publisher, mut house) = house().await;
    publisher.says(Answer::Feed(WHOLE_YEAR.zip(), "\"one\""));
    assert_eq!(house.check(&mut house.start()).await, Outcome::Replaced);
    house.config.timetable.timeout = Span::seconds(1);
    let mut reloader = house.start();
    for answer in [Answer::Never, Answer::Stalled(WHOLE_YEAR.zip())] {
        publisher.says(answer);
        let outcome = house.check(&mut reloader).await;
        assert_eq!(outcome, Outcome::Failed("it did not answer in time".to_owned()));
        assert_eq!(served(&reloader).as_deref(), Some("Pont"));
    }
}

#[tokio::test]
async fn a_publisher_without_validators_is_not_loaded_again() {
    let (publisher, house) = house().await;
    publisher.says(Answer::Bare(WHOLE_YEAR.zip()));
    let mut reloader = house.start();
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    let table = reloader.timetable().get().unwrap();
    assert_eq!(house.check(&mut reloader).await, Outcome::Unchanged);
    assert!(Arc::ptr_eq(&table, &reloader.timetable().get().unwrap()));
    // Also after a start.
    assert_eq!(house.check(&mut house.start()).await, Outcome::Unchanged);
}

#[tokio::test]
async fn two_processes_do_not_write_one_download() {
    let (publisher, house) = house().await;
    publisher.says(Answer::Feed(WHOLE_YEAR.zip(), "\"one\""));
    let mut reloader = house.start();
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    let lock = std::fs::read_dir(house.config.files.cache.join("timetable")).unwrap();
    let lock =
        lock.map(|entry| entry.unwrap().path()).find(|path| path.extension().unwrap() == "lock").unwrap();
    let held = std::fs::File::create(lock).unwrap();
    held.lock().unwrap();
    assert_eq!(house.check(&mut reloader).await, Outcome::Failed("another process downloads it".to_owned()));
    held.unlock().unwrap();
    assert_eq!(house.check(&mut reloader).await, Outcome::Unchanged);
}
