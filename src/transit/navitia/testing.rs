//! A stand-in for a Navitia server, and answers written like those that are documented.

use super::Navitia;
use crate::config::NavitiaConfig;
use crate::model::{Lang, Timestamp};
use crate::transit::testing::paris;
use crate::transit::{LiveLimits, TimetableHandle};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// `test-token:` in base64, as basic authentication has it.
const AUTHORIZATION: &str = "Basic dGVzdC10b2tlbjo=";

/// What the stand-in answers to questions that contain a text; the first that fits.
pub(super) type Reply = (&'static str, u16, Vec<u8>);

/// A server on a port of its own; it ends with the test's runtime.
pub(super) struct StandIn {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

struct Shared {
    replies: Vec<Reply>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    pub(super) async fn start(replies: Vec<Reply>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::new(Shared { replies, asked: Arc::clone(&asked) });
        let router = Router::new().fallback(answer).with_state(shared);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked }
    }

    /// Every question so far, path and query with their percent signs resolved.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn config(&self) -> NavitiaConfig {
        let toml = "coverage = 'sncf'\ntoken = 'test-token'\nour_station = 'OCE{}'\n\
                    their_station = 'stop_area:SNCF:{}'\ntimeout = '5s'\nmax_bytes = 1048576\nper_second = 100";
        NavitiaConfig { url: self.url.clone(), ..toml::from_str(toml).unwrap() }
    }

    pub(super) fn planner(&self) -> Navitia {
        planner(&self.config())
    }
}

pub(super) fn planner(config: &NavitiaConfig) -> Navitia {
    let zone = TimeZone::get("Europe/Paris").unwrap();
    Navitia::new(config, LiveLimits::default(), TimetableHandle::default(), Lang::FR, zone).unwrap()
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let asked = form_urlencoded::parse(asked.replace('&', "%26").replace('=', "%3D").as_bytes())
        .map(|(key, _)| key.into_owned())
        .collect::<String>();
    shared.asked.lock().unwrap().push(asked.clone());
    if request.headers().get("authorization").is_none_or(|value| value != AUTHORIZATION) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some((_, status, body)) = shared.replies.iter().find(|(part, ..)| asked.contains(part)) else {
        let body = json!({"error": {"id": "no_solution", "message": ""}}).to_string();
        return (StatusCode::OK, body).into_response();
    };
    if *status == 0 {
        std::future::pending::<()>().await;
    }
    let location = [("location", "/v1/elsewhere"), ("retry-after", "120")];
    (StatusCode::from_u16(*status).unwrap(), location, body.clone()).into_response()
}

/// 2025-01-10, a Friday, 18:00 in Paris.
pub(super) fn now() -> Timestamp {
    paris("2025-01-10T18:00")
}

pub(super) fn ok(part: &'static str, body: &Value) -> Reply {
    (part, 200, body.to_string().into_bytes())
}

/// Live data of 17:59:30 in Paris.
pub(super) fn status() -> Reply {
    status_at("20250110T165930.123456")
}

pub(super) fn status_at(live: &str) -> Reply {
    let status = json!({
        "publication_date": "20241220T031500.000000",
        "start_production_date": "20241220",
        "end_production_date": "20250519",
        "last_rt_data_loaded": live,
    });
    ok("/status", &json!({ "context": context(), "status": status }))
}

pub(super) fn context() -> Value {
    json!({ "timezone": "Europe/Paris", "current_datetime": "20250110T180000" })
}

fn area(code: &str) -> Value {
    json!({ "id": format!("stop_area:SNCF:{code}"), "name": name(code), "label": format!("{} (Ville)", name(code)) })
}

pub(super) fn name(code: &str) -> &'static str {
    match code {
        "1" => "Paris Gare de Lyon",
        "2" => "Dijon",
        "3" => "Lyon Part Dieu",
        _ => "Ailleurs",
    }
}

pub(super) fn point(code: &str) -> Value {
    json!({ "id": format!("stop_point:SNCF:{code}:Train"), "name": name(code), "stop_area": area(code), "platform_code": "A" })
}

/// `1804` as Navitia writes it on that day; after midnight it is the next one.
pub(super) fn at(clock: &str) -> String {
    let day = if clock < "0400" { "20250111" } else { "20250110" };
    format!("{day}T{clock}00")
}

fn shown(number: &str, disruption: Option<&str>) -> Value {
    let links: Vec<Value> =
        disruption.iter().map(|id| json!({ "id": id, "type": "disruption", "rel": "disruptions" })).collect();
    json!({
        "headsign": number, "commercial_mode": "TGV INOUI", "code": "", "label": "Paris - Lyon",
        "direction": "Lyon Part Dieu (Lyon)", "links": links,
    })
}

fn links(id: &str) -> Value {
    json!([{ "type": "line", "id": "line:SNCF:A" }, { "type": "vehicle_journey", "id": id }])
}

pub(super) fn train_id(number: &str) -> String {
    format!("vehicle_journey:SNCF:2025-01-10:{number}:1187:LongDistanceTrain")
}

/// A train that leaves the first station; `best` none: live data says nothing of it.
pub(super) fn passage(number: &str, base: &str, best: Option<&str>, disruption: Option<&str>) -> Value {
    let freshness = if best.is_some() { "realtime" } else { "base_schedule" };
    json!({
        "display_informations": shown(number, disruption),
        "links": links(&train_id(number)),
        "stop_point": point("1"),
        "route": { "direction": { "name": "Lyon Part Dieu (Lyon)", "stop_area": area("3") } },
        "stop_date_time": {
            "base_departure_date_time": at(base), "departure_date_time": at(best.unwrap_or(base)),
            "data_freshness": freshness, "additional_informations": [],
        },
    })
}

/// A train from the first station to the third.
pub(super) fn section(
    number: &str,
    base: (&str, &str),
    best: Option<(&str, &str)>,
    disruption: Option<&str>,
) -> Value {
    let (leaves, arrives) = best.unwrap_or(base);
    json!({
        "type": "public_transport",
        "from": { "stop_point": point("1") }, "to": { "stop_point": point("3") },
        "base_departure_date_time": at(base.0), "departure_date_time": at(leaves),
        "base_arrival_date_time": at(base.1), "arrival_date_time": at(arrives),
        "data_freshness": if best.is_some() { "realtime" } else { "base_schedule" },
        "additional_informations": ["regular"],
        "display_informations": shown(number, disruption), "links": links(&train_id(number)),
        "stop_date_times": [{ "stop_point": point("1") }, { "stop_point": point("2") }, { "stop_point": point("3") }],
    })
}

pub(super) fn journeys(sections: &[Value]) -> Value {
    let foot = json!({ "type": "crow_fly", "mode": "walking" });
    let journey = |section: &Value| json!({ "sections": [foot.clone(), section, foot.clone()] });
    json!({ "context": context(), "journeys": sections.iter().map(journey).collect::<Vec<_>>() })
}

/// A run of that day (`day`: `20250110`) by station, arrival and departure; `id` marks a run that live data changed.
pub(super) fn vehicle_journey(
    number: &str,
    changed: &str,
    calls: &[(&str, &str, &str)],
    disruption: Option<&str>,
) -> Value {
    let stop = |(code, arrival, departure): &(&str, &str, &str)| json!({ "stop_point": point(code), "arrival_time": format!("{arrival}00"), "departure_time": format!("{departure}00") });
    json!({
        "id": format!("{}{changed}", train_id(number)), "name": number, "headsign": number,
        "trip": { "id": format!("SNCF:2025-01-10:{number}:1187:Train"), "name": number },
        "stop_times": calls.iter().map(stop).collect::<Vec<_>>(),
        "calendars": [{ "active_periods": [{ "begin": "20250110", "end": "20250111" }], "week_pattern": { "friday": true } }],
        "disruptions": disruption.iter().map(|id| json!({ "id": id, "type": "disruption" })).collect::<Vec<_>>(),
        "journey_pattern": { "route": { "line": { "id": "line:SNCF:A", "code": "", "name": "Paris - Lyon", "commercial_mode": { "name": "TGV INOUI" } } } },
    })
}

pub(super) fn runs(journeys: &[Value], disruptions: &[Value]) -> Value {
    json!({
        "context": context(), "vehicle_journeys": journeys, "disruptions": disruptions,
        "pagination": { "total_result": journeys.len() },
    })
}

/// Holds all day on that day.
pub(super) fn disruption(id: &str, effect: &str, text: &str) -> Value {
    json!({
        "id": id, "status": "active", "severity": { "effect": effect }, "cause": "grève",
        "application_periods": [{ "begin": "20250110T000000", "end": "20250110T235959" }],
        "messages": [{ "text": text }], "updated_at": "20250110T120000",
        "impacted_objects": [{ "pt_object": { "id": "line:SNCF:A", "embedded_type": "line" } }],
    })
}
