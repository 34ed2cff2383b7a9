//! What the other side can do wrong, and what it is asked.

use super::super::testing::*;
use crate::config::{NavitiaConfig, Secret, Span};
use crate::model::Timestamp;
use crate::transit::planner::{Board, BoardQuery, Ends, LiveState, Planner as _, Told, Unknown};
use crate::transit::testing::{feed, paris};
use crate::transit::{LiveLimits, Timetable, TimetableHandle};
use serde_json::json;
use std::time::Duration;

fn query() -> BoardQuery {
    BoardQuery { station: "OCE1".into(), other: None, ends: Ends::Departures, at: now(), limit: 5 }
}

async fn why(replies: Vec<Reply>) -> String {
    let stand_in = StandIn::start(replies).await;
    let config = NavitiaConfig { timeout: short(), ..stand_in.config() };
    match planner(&config).board(&query(), now()).await {
        Err(Unknown::Source(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Long enough for an answer on this machine, short enough to wait for none.
fn short() -> Span {
    #[derive(serde::Deserialize)]
    struct Holder {
        timeout: Span,
    }
    toml::from_str::<Holder>("timeout = '300ms'").unwrap().timeout
}

#[tokio::test]
async fn every_failure_is_said_and_none_is_an_answer() {
    let error = |id: &str| json!({ "error": { "id": id, "message": "x" } }).to_string().into_bytes();
    let deep = [vec![b'['; 200_000], vec![b']'; 200_000]].concat();
    let body = |text: &str| text.as_bytes().to_vec();
    for (status_code, answer, expected) in [
        (401, body(""), "refuses the token"),
        (403, body(""), "refuses the token"),
        (404, error("date_out_of_bounds"), "no timetable for that day"),
        (404, error("something_new"), "cannot answer: something_new"),
        (404, body("{}"), "answered 404"),
        (404, body("<html>"), "cannot be read"),
        (429, body(""), "quota: Navitia says that there were too many"),
        (500, body("{}"), "answered 500"),
        (302, body("{}"), "answered 302"),
        (0, body(""), "did not answer in time"),
        (200, body("garbage"), "cannot be read"),
        (200, body("[1, 2"), "cannot be read"),
        (200, body("{\"departures\": {}}"), "cannot be read"),
        (200, deep, "cannot be read"),
        (200, vec![b' '; 2 << 20], "larger than navitia.max_bytes"),
        (
            200,
            json!({ "context": { "timezone": "America/New_York" } }).to_string().into_bytes(),
            "another clock",
        ),
        (200, json!({ "departures": [{}] }).to_string().into_bytes(), "nonsense"),
    ] {
        let said = why(vec![status(), ("departures", status_code, answer)]).await;
        assert!(said.contains(expected), "{status_code}: {said}");
    }
    assert_eq!(why(vec![("status", 500, body(""))]).await, "Navitia answered 500");
    assert!(why(vec![("status", 404, error("unknown_object"))]).await.contains("navitia.coverage"));
    assert!(why(vec![ok("status", &json!({}))]).await.contains("nonsense"));
}

#[tokio::test]
async fn nobody_there_is_said() {
    let config =
        NavitiaConfig { url: "http://127.0.0.1:1/v1".into(), ..StandIn::start(vec![]).await.config() };
    let answer = planner(&config).board(&query(), now()).await;
    assert_eq!(answer.unwrap_err(), Unknown::Source("Navitia cannot be reached".into()));
}

#[tokio::test]
async fn a_station_that_does_not_fit_is_not_asked_for() {
    let unknown = json!({ "error": { "id": "unknown_object" } }).to_string().into_bytes();
    let stand_in = StandIn::start(vec![status(), ("departures", 404, unknown)]).await;
    let planner = stand_in.planner();
    let strange = BoardQuery { station: "alias:rennes".into(), ..query() };
    assert_eq!(planner.board(&strange, now()).await.unwrap_err(), Unknown::Station("alias:rennes".into()));
    assert_eq!(stand_in.asked().len(), 1, "the status only");
    let theirs = planner.board(&query(), now()).await.unwrap_err();
    assert_eq!(theirs, Unknown::Station("stop_area:SNCF:1".into()));
    let hostile = BoardQuery { station: "OCE1/../../x?token=1#".into(), ..query() };
    assert!(planner.board(&hostile, now()).await.is_err());
    let asked = stand_in.asked().pop().unwrap();
    assert!(
        asked.starts_with("/v1/coverage/sncf/stop_areas/stop_area:SNCF:1/../../x?token=1#/departures?"),
        "{asked}"
    );
    let itself = BoardQuery { other: Some("OCE1".into()), ..query() };
    assert_eq!(planner.board(&itself, now()).await.unwrap_err(), Unknown::SameStation);
    let far = BoardQuery { at: paris("2026-01-10T18:00"), ..query() };
    assert!(matches!(planner.board(&far, now()).await, Err(Unknown::OutOfRange { .. })));
}

fn board_reply() -> Reply {
    ok("departures", &json!({ "departures": [passage("6607", "1830", None, None)] }))
}

async fn board(planner: &super::super::Navitia, now: Timestamp) -> Result<Told<Board>, Unknown> {
    planner.board(&BoardQuery { at: now, ..query() }, now).await
}

#[tokio::test]
async fn the_same_question_within_a_moment_is_asked_once() {
    let stand_in = StandIn::start(vec![status(), board_reply()]).await;
    let planner = stand_in.planner();
    let first = planner.board(&query(), now()).await.unwrap();
    let again = planner.board(&query(), now().plus(Duration::from_secs(19))).await.unwrap();
    assert_eq!(first.value, again.value);
    assert_eq!(stand_in.asked().len(), 3, "status, live, scheduled");
    planner.board(&query(), now().plus(Duration::from_secs(20))).await.unwrap();
    assert_eq!(stand_in.asked().len(), 5);
}

#[tokio::test]
async fn a_used_up_quota_and_an_asked_pause_send_nothing() {
    let stand_in = StandIn::start(vec![status(), board_reply()]).await;
    let planner_of = |per_day| planner(&NavitiaConfig { per_day, ..stand_in.config() });
    let planner = planner_of(3);
    assert!(board(&planner, now()).await.is_ok());
    let later = now().plus(Duration::from_secs(3600));
    let refused = board(&planner, later).await.unwrap_err();
    assert_eq!(refused, Unknown::Source("quota: the requests of the day are used up".into()));
    assert_eq!(stand_in.asked().len(), 3);

    let stand_in = StandIn::start(vec![status(), ("departures", 429, vec![])]).await;
    let planner = stand_in.planner();
    for seconds in [0, 60, 119] {
        let refused = board(&planner, now().plus(Duration::from_secs(seconds))).await.unwrap_err();
        assert!(refused.to_string().starts_with("quota"), "{refused}");
    }
    assert_eq!(stand_in.asked().len(), 2, "the pause of Retry-After is kept");
    assert!(board(&planner, now().plus(Duration::from_secs(121))).await.is_err());
    assert_eq!(stand_in.asked().len(), 4);
}

#[tokio::test]
async fn a_token_in_a_header_of_its_own_is_no_basic_authentication() {
    let stand_in = StandIn::start(vec![status()]).await;
    let config = NavitiaConfig { token_header: "apiKey".into(), ..stand_in.config() };
    let refused = planner(&config).refresh(now()).await.unwrap_err();
    assert_eq!(refused.to_string(), "Navitia refuses the token (navitia.token)");
    let config = NavitiaConfig {
        token_header: "Authorization".into(),
        token: Secret::new("Basic dGVzdC10b2tlbjo="),
        ..stand_in.config()
    };
    assert!(planner(&config).refresh(now()).await.is_ok());
}

#[tokio::test]
async fn what_the_coverage_is_worth_is_known_without_asking() {
    let stand_in = StandIn::start(vec![status()]).await;
    let planner = stand_in.planner();
    assert!(matches!(planner.provenance(now()), Err(Unknown::Source(_))));
    planner.refresh(now()).await.unwrap();
    let fresh = LiveState::Fresh(paris("2025-01-10T17:59:30"));
    let live = |seconds| planner.provenance(now().plus(Duration::from_secs(seconds))).unwrap().live;
    assert_eq!(live(0), fresh);
    assert_eq!(live(500), fresh, "each question asks anew");
    assert!(matches!(live(7200), LiveState::Lost(Some(_))), "nobody has been reached for long");
    assert_eq!(stand_in.asked().len(), 1);
}

#[tokio::test]
async fn stations_have_the_names_of_our_timetable() {
    let files = feed(&[
        (
            "stops.txt",
            "stop_id,stop_name,location_type,parent_station,platform_code\nOCE1,Notre gare,1,,\nP1,Notre gare,0,OCE1,\nX,Autre,0,,\n",
        ),
        ("trips.txt", "route_id,service_id,trip_id\nL,S,T\n"),
        (
            "stop_times.txt",
            "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT,08:00:00,08:00:00,P1,1\nT,09:00:00,09:00:00,X,2\n",
        ),
        ("calendar.txt", crate::transit::testing::EVERY_DAY),
    ]);
    let timetable = TimetableHandle::new(Timetable::load(files.path(), "").unwrap());
    let stand_in = StandIn::start(vec![status(), board_reply()]).await;
    let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let planner = super::super::Navitia::new(
        &stand_in.config(),
        LiveLimits::default(),
        timetable,
        crate::model::Lang::FR,
        zone,
    )
    .unwrap();
    assert_eq!(planner.station("OCE1").unwrap().name, "Notre gare");
    assert_eq!(planner.station("X"), None, "its id does not fit the rule");
    assert_eq!(planner.station("OCE7"), None, "nobody would call it so");
    let told = planner.board(&query(), now()).await.unwrap();
    assert_eq!(told.value.rides[0].from.station.name, "Notre gare");
}
