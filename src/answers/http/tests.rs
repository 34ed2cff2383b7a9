//! Against a service on this machine that answers what a test gives it.

use super::*;
use crate::clock::ManualClock;
use crate::config::Secret;
use crate::model::{ContactId, EntityValue, Lang, StationRef, Timestamp, UrlTemplate};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response as Answered;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Mutex;

const SECRET: &str = "0123456789abcdef";
/// 2026-12-20T11:05:00Z.
const NOW: Timestamp = Timestamp(1_797_764_700_000_000);
/// Long enough for an answer from this machine, however busy it is.
const TIMEOUT: &str = "5s";

/// What the service does with one question.
#[derive(Clone)]
enum Say {
    Json(u16, String),
    Page(&'static str),
    Elsewhere,
    /// Takes the question and never answers.
    Never,
    /// Ends the connection in the middle of its answer.
    Breaks,
}

#[derive(Clone, Default)]
struct Service {
    says: Arc<Mutex<VecDeque<Say>>>,
    asked: Arc<Mutex<Vec<(Uri, HeaderMap, Bytes)>>>,
}

async fn serve(
    State(service): State<Service>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    service.asked.lock().unwrap().push((uri, headers, body));
    let say = service.says.lock().unwrap().pop_front().unwrap_or(Say::Json(500, "{}".into()));
    let answer = Answered::builder().header("content-type", "application/json; charset=utf-8");
    match say {
        Say::Json(status, text) => answer.status(status).body(Body::from(text)),
        Say::Page(text) => Answered::builder().header("content-type", "text/html").body(Body::from(text)),
        Say::Elsewhere => answer.status(307).header("location", "/elsewhere").body(Body::empty()),
        Say::Never => std::future::pending().await,
        Say::Breaks => {
            let halves = [Ok("{\"found\":"), Err(std::io::Error::other("gone"))];
            answer.body(Body::from_stream(futures::stream::iter(halves)))
        }
    }
    .unwrap()
}

impl Service {
    async fn start(says: &[Say]) -> (Self, SocketAddr) {
        let service = Self::default();
        service.says.lock().unwrap().extend(says.iter().cloned());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(serve).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (service, address)
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn config(allow: &str, more: &str) -> FulfilmentConfig {
    let keys = format!("secret = '{SECRET}'\nallow = ['{allow}']\nallow_private = true\n{more}");
    let mut config: FulfilmentConfig = toml::from_str(&keys).unwrap();
    if !more.contains("timeout") {
        config.timeout = toml::Value::from(TIMEOUT).try_into().unwrap();
    }
    config
}

fn http(config: FulfilmentConfig) -> (Http, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    (Http::new(config, clock.clone(), TimeZone::get("Europe/Paris").unwrap()).unwrap(), clock)
}

fn query(url: &str) -> Query {
    let slots = [
        ("train", EntityValue::Train { number: "8745 & co".into() }),
        (
            "to",
            EntityValue::Station { station: StationRef { id: "StopArea:87".into(), name: "Vitré".into() } },
        ),
        ("when", EntityValue::Time { start: NOW, end: NOW.plus(Duration::from_secs(60)) }),
        ("phone", EntityValue::Phone { number: "+33612345678".into() }),
    ];
    Query {
        intent: "sales.seats".into(),
        text: "mon secret".into(),
        cues: Default::default(),
        contact: ContactId(uuid::Uuid::from_u128(7)),
        slots: slots.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>(),
        url: Some(UrlTemplate::parse(url, ("intents/sales.yaml".into(), 7)).unwrap()),
        lang: Lang::FR,
        now: NOW,
    }
}

fn fact() -> Value {
    json!([{ "value": "seats 12", "source": "Ventes", "as_of": "2026-12-20T12:04:00+01:00" }])
}

fn found() -> Say {
    Say::Json(200, json!({ "found": { "seats": 12 }, "facts": fact() }).to_string())
}

/// One question to a service that says these things in turn, and how often it was asked.
async fn ask(says: &[Say], more: &str) -> (Lookup, usize) {
    let (service, address) = Service::start(says).await;
    let (http, _) = http(config(&address.to_string(), more));
    let answer = http.look_up(&query(&format!("http://{address}/"))).await;
    (answer, service.count())
}

fn why(lookup: Lookup) -> String {
    match lookup {
        Lookup::NoData { why } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_question_is_signed_and_says_what_is_known() {
    let (service, address) = Service::start(&[found()]).await;
    let (http, _) = http(config(&address.to_string(), ""));
    let url = format!(
        "http://{address}/answers/{{intent}}/{{to}}?train={{train}}&when={{when}}&lang={{lang}}&no={{via}}"
    );
    let answer = http.look_up(&query(&url)).await;
    let Lookup::Found { data, facts } = answer else { panic!("{answer:?}") };
    assert_eq!(data, json!({ "seats": 12, "provenance": "Source : Ventes, à 12:04." }));
    assert_eq!(facts.len(), 1);

    let (uri, headers, body) = service.asked.lock().unwrap()[0].clone();
    let sent =
        "/answers/sales.seats/StopArea%3A87?train=8745%20%26%20co&when=2026-12-20T11%3A05%3A00Z&lang=fr&no=";
    assert_eq!(uri.to_string(), sent);
    // Not with the code that signs.
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(b"1797764700.");
    mac.update(&body);
    let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(headers[TIMESTAMP], HeaderValue::from_static("1797764700"));
    assert_eq!(headers[SIGNATURE], HeaderValue::from_str(&format!("v1={expected}")).unwrap());
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    let contact = body["context"]["contact"].take();
    let contact = contact.as_str().unwrap();
    assert!(contact.len() == 32 && !contact.contains("0000000"), "{contact}");
    let expected = json!({
        "intent": "sales.seats", "lang": "fr",
        "slots": {
            "train": { "type": "train", "number": "8745 & co" },
            "to": { "type": "station", "id": "StopArea:87", "name": "Vitré" },
            "when": { "type": "time", "start": "2026-12-20T11:05:00Z", "end": "2026-12-20T11:06:00Z" },
            "phone": { "type": "phone", "number": "+33612345678" },
        },
        "context": { "contact": null, "now": "2026-12-20T11:05:00Z" },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn what_the_service_says_is_what_is_found() {
    let nothing = Say::Json(200, json!({ "nothing": { "day": "demain" }, "facts": fact() }).to_string());
    let (answer, asked) = ask(&[nothing], "").await;
    assert!(matches!(answer, Lookup::Nothing { ref data, .. } if data["day"] == "demain"), "{answer:?}");
    assert_eq!(asked, 1);
    let (answer, asked) = ask(&[Say::Json(200, json!({ "no_data": "closed" }).to_string())], "").await;
    assert_eq!((why(answer).as_str(), asked), ("closed", 1));
}

#[tokio::test]
async fn a_second_try_follows_a_failure_that_may_pass_and_no_third() {
    for (says, expected, asked) in [
        (vec![Say::Json(500, "{}".into()), found()], None, 2),
        (vec![Say::Breaks, found()], None, 2),
        (
            vec![Say::Json(503, "{}".into()), Say::Json(500, "{}".into()), found()],
            Some("it answered with status 500"),
            2,
        ),
        (vec![Say::Json(404, "{}".into()), found()], Some("it answered with status 404"), 1),
        (vec![Say::Json(429, "{}".into()), found()], Some("it answered with status 429"), 1),
        (vec![Say::Json(204, String::new()), found()], Some("it answered with status 204"), 1),
        (vec![Say::Elsewhere, found()], Some("it answered with status 307"), 1),
        (
            vec![Say::Page("<html>"), found()],
            Some("its answer cannot be used: it is not application/json"),
            1,
        ),
        (
            vec![Say::Json(200, "{\"found\"".into()), found()],
            Some("its answer cannot be used: it is not as documented at line 1, column 8"),
            1,
        ),
    ] {
        let (answer, count) = ask(&says, "").await;
        match expected {
            None => assert!(matches!(answer, Lookup::Found { .. }), "{answer:?}"),
            Some(expected) => assert_eq!(why(answer), expected),
        }
        assert_eq!(count, asked, "{expected:?}");
    }
}

#[tokio::test]
async fn too_late_too_large_and_too_old_are_no_data() {
    let (answer, asked) = ask(&[Say::Never, found()], "timeout = '40ms'").await;
    assert_eq!((why(answer).as_str(), asked), ("it did not answer in time", 1));
    let large = json!({ "found": { "text": "x".repeat(2_000) }, "facts": fact() }).to_string();
    let (answer, _) = ask(&[Say::Json(200, large)], "max_bytes = 2000").await;
    assert_eq!(why(answer), "its answer is larger than fulfilment.max_bytes");
    let (answer, _) = ask(&[found()], "stale_after = '59s'").await;
    assert_eq!(why(answer), "a fact is 60 s old, more than fulfilment.stale_after");
}

#[tokio::test]
async fn nobody_else_is_asked() {
    let (service, address) = Service::start(&[]).await;
    let listed = address.to_string();
    let (port, literal) = (address.port(), format!("http://{address}/"));
    let named = format!("http://localhost:{port}/");
    let public = FulfilmentConfig { allow_private: false, ..config(&listed, "") };
    let name = FulfilmentConfig { allow: vec![format!("localhost:{port}")], ..public.clone() };
    let unsigned = FulfilmentConfig { secret: Secret::default(), ..config(&listed, "") };
    for (config, url, expected) in [
        (config("ops.example.com", ""), &literal, "not asked: the host '127.0.0.1:"),
        (config(&listed, ""), &named, "not asked: the host 'localhost:"),
        (public.clone(), &literal, "not asked: 'url' is not encrypted"),
        (public, &literal.replace("http:", "https:"), "not asked: the host leads to an address inside"),
        (name, &named.replace("http:", "https:"), "not asked: the host leads to an address inside"),
        (unsigned, &literal, "not asked: fulfilment.secret is missing"),
    ] {
        let answer = why(http(config).0.look_up(&query(url)).await);
        assert!(answer.starts_with(expected), "{url}: {answer}");
    }
    let no_url = Query { url: None, ..query(&literal) };
    assert_eq!(why(http(config(&listed, "")).0.look_up(&no_url).await), "not asked: the intent has no url");
    assert_eq!(service.count(), 0);
    assert!(matches!(Offline.look_up(&query(&literal)).await, Lookup::NoData { .. }));
}

#[tokio::test]
async fn a_host_that_fails_is_left_alone_then_tried_once() {
    let down = || Say::Json(500, "{}".into());
    let says = [down(), down(), down(), down(), down(), down(), found(), found()];
    let (service, address) = Service::start(&says).await;
    let (http, clock) =
        http(config(&address.to_string(), "open_after = 2\npause = '30s'\nstale_after = '1h'"));
    let query = query(&format!("http://{address}/"));
    let ask = async || http.look_up(&query).await;
    assert_eq!(why(ask().await), "it answered with status 500");
    assert_eq!(why(ask().await), "it answered with status 500");
    assert_eq!(service.count(), 4);
    let open = "not asked: it failed too often in a row";
    assert_eq!(why(ask().await), open);
    clock.advance(Duration::from_secs(30));
    assert_eq!(why(ask().await), "it answered with status 500");
    assert_eq!((why(ask().await).as_str(), service.count()), (open, 6));
    clock.advance(Duration::from_secs(30));
    for _ in 0..2 {
        assert!(matches!(ask().await, Lookup::Found { .. }));
    }
    assert_eq!(service.count(), 8);
}

#[tokio::test]
async fn a_service_that_is_not_there_opens_too() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (http, _) = http(config(&address.to_string(), "open_after = 1"));
    let query = query(&format!("http://{address}/"));
    assert_eq!(why(http.look_up(&query).await), "it cannot be reached");
    assert_eq!(why(http.look_up(&query).await), "not asked: it failed too often in a row");
}

#[test]
fn what_is_not_configured_is_told_with_file_and_cure() {
    let spec = |url: &str| IntentSpec {
        name: "sales.seats".into(),
        url: Some(UrlTemplate::parse(url, ("intents/sales.yaml".into(), 7)).unwrap()),
        ..IntentSpec::default()
    };
    let public = FulfilmentConfig { allow_private: false, ..config("ops.example.com", "") };
    let unsigned = FulfilmentConfig { secret: Secret::default(), ..public.clone() };
    let start = "intents/sales.yaml:7: 'sales.seats' cannot be answered: ";
    for (config, url, expected) in [
        (
            &public,
            "https://evil.example/{intent}",
            "the host 'evil.example' of 'url' is not on the list fulfilment.allow. Cure: add \"evil.example\" to it",
        ),
        (
            &unsigned,
            "https://ops.example.com/",
            "fulfilment.secret is missing: questions are signed. Cure: set it in",
        ),
        (&public, "http://ops.example.com/", "'url' is not encrypted. Cure: write https://"),
    ] {
        let error = http(config.clone()).0.check(&spec(url)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{start}{expected}")), "{error}");
    }
    let http = http(public).0;
    assert_eq!(http.check(&spec("https://ops.example.com/{intent}?to={to}")), Ok(()));
    assert_eq!(http.check(&IntentSpec::default()), Ok(()));
}

#[test]
fn an_intents_sample_is_what_its_templates_are_checked_with() {
    let sample = crate::model::SampleAnswer { found: Some(json!({ "seats": 12 })), nothing: None };
    let samples = Offline.samples_for(&IntentSpec { sample, ..IntentSpec::default() });
    assert_eq!(samples.found[0]["seats"], 12);
    assert!(samples.found[0]["provenance"].is_string() && samples.nothing.is_empty());
}
