//! Departures of a station and between two.

use super::super::testing::*;
use crate::transit::live::Alert;
use crate::transit::planner::{
    Board, BoardQuery, Ends, LiveState, Moment, Planner as _, Ride, Told, TrafficQuery, Unknown,
};
use crate::transit::testing::paris;
use serde_json::json;

fn clock(at: crate::model::Timestamp) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    at.to_jiff().to_zoned_datetime(zone).strftime("%d %H:%M").to_string()
}

fn said(moment: Option<Moment>) -> String {
    match moment {
        None => "-".into(),
        Some(Moment { scheduled, expected: None }) => clock(scheduled),
        Some(Moment { scheduled, expected: Some(at) }) => format!("{} > {}", clock(scheduled), clock(at)),
    }
}

fn rows(rides: &[Ride]) -> Vec<String> {
    let row = |ride: &Ride| {
        let number = ride.train.number.as_deref().unwrap_or("?");
        format!("{number} {} … {}", said(ride.from.departure), said(ride.to.arrival))
    };
    rides.iter().map(row).collect()
}

fn query(other: Option<&str>, ends: Ends, at: &str) -> BoardQuery {
    let (station, other) = match ends {
        Ends::Departures => ("OCE1", other),
        Ends::Arrivals => ("OCE3", other),
    };
    BoardQuery { station: station.into(), other: other.map(str::to_owned), ends, at: paris(at), limit: 5 }
}

async fn board(replies: Vec<Reply>, query: BoardQuery) -> Result<Told<Board>, Unknown> {
    StandIn::start(replies).await.planner().board(&query, now()).await
}

fn evening() -> BoardQuery {
    query(None, Ends::Departures, "2025-01-10T18:00")
}

fn live_board() -> Reply {
    let departures = [
        passage("6607", "1830", None, None),
        passage("6605", "1755", Some("1810"), None),
        passage("6611", "1930", Some("1930"), None),
        passage("6699", "0500", None, None),
    ];
    ok(
        "departures?from_datetime=20250110T180000&duration=36000&count=15&data_freshness=realtime",
        &json!({ "context": context(), "departures": departures }),
    )
}

#[tokio::test]
async fn trains_are_told_with_what_live_data_says() {
    let stand_in = StandIn::start(vec![status(), live_board()]).await;
    let told = stand_in.planner().board(&evening(), now()).await.unwrap();
    let expected = ["6605 10 17:55 > 10 18:10 … -", "6607 10 18:30 … -", "6611 10 19:30 > 10 19:30 … -"];
    assert_eq!(rows(&told.value.rides), expected, "by best known time, and nothing before the asked one");
    assert_eq!((told.value.direct, told.value.incomplete), (true, false));
    let ride = &told.value.rides[0];
    assert_eq!(
        (ride.from.station.id.as_str(), ride.from.station.name.as_str()),
        ("OCE1", "Paris Gare de Lyon")
    );
    assert_eq!((ride.to.station.id.as_str(), ride.train.terminus.as_str()), ("OCE3", "Lyon Part Dieu"));
    assert_eq!(
        (ride.train.brand.as_deref(), ride.train.line.as_deref()),
        (Some("TGV INOUI"), Some("Paris - Lyon"))
    );
    assert_eq!(ride.from.platform.as_deref(), Some("A"));
    assert_eq!(told.provenance.label, "Navitia (sncf)");
    assert_eq!(told.provenance.live, LiveState::Fresh(paris("2025-01-10T17:59:30")));
    assert_eq!(told.provenance.timetable_as_of, jiff::civil::date(2024, 12, 20));
    assert!(
        stand_in.asked()[1].starts_with("/v1/coverage/sncf/stop_areas/stop_area:SNCF:1/departures?"),
        "{:?}",
        stand_in.asked()
    );
}

#[tokio::test]
async fn a_train_is_cancelled_when_a_disruption_says_so_and_live_data_leaves_it_out() {
    let deleted = json!({
        "id": "skip", "severity": { "effect": "REDUCED_SERVICE" },
        "impacted_objects": [{ "impacted_stops": [{ "stop_point": { "id": "stop_point:SNCF:1:Train" }, "departure_status": "deleted" }] }],
    });
    let base = [
        passage("6603", "1815", None, Some("no")),
        passage("6607", "1830", None, Some("no")),
        passage("6615", "1845", None, Some("skip")),
        passage("6617", "1850", None, None),
    ];
    let base = json!({
        "context": context(), "departures": base,
        "disruptions": [disruption("no", "NO_SERVICE", ""), deleted],
    });
    let replies = vec![status(), live_board(), ok("data_freshness=base_schedule", &base)];
    let board = board(replies, evening()).await.unwrap().value;
    assert_eq!(
        rows(&board.cancelled),
        ["6603 10 18:15 … -", "6615 10 18:45 … -"],
        "6607 runs, of 6617 nothing is known"
    );
    assert_eq!((board.cancelled[0].train.cancelled, board.cancelled[0].from.skipped), (true, false));
    assert_eq!((board.cancelled[1].train.cancelled, board.cancelled[1].from.skipped), (false, true));
    assert!(board.rides.iter().all(|ride| !ride.train.cancelled && !ride.from.skipped));
}

#[tokio::test]
async fn old_live_data_is_told_as_old_and_too_old_is_not_used() {
    for (live, state, first) in [
        ("20250110T165500", LiveState::Old(paris("2025-01-10T17:55")), "6605 10 17:55 > 10 18:10 … -"),
        ("20250110T150000", LiveState::Lost(Some(paris("2025-01-10T16:00"))), "6607 10 18:30 … -"),
        ("not-a-date-time", LiveState::Lost(None), "6607 10 18:30 … -"),
        ("", LiveState::Lost(None), "6607 10 18:30 … -"),
        ("20250110T190000", LiveState::Lost(Some(paris("2025-01-10T20:00"))), "6607 10 18:30 … -"),
    ] {
        let told = board(vec![status_at(live), live_board()], evening()).await.unwrap();
        assert_eq!(told.provenance.live, state, "{live}");
        assert_eq!(rows(&told.value.rides)[0], first, "{live}");
    }
}

#[tokio::test]
async fn without_live_data_only_the_timetable_is_asked() {
    let base =
        ok("data_freshness=base_schedule", &json!({ "departures": [passage("6607", "1830", None, None)] }));
    let stand_in = StandIn::start(vec![status(), base]).await;
    let config = crate::config::NavitiaConfig { realtime: false, ..stand_in.config() };
    let told = planner(&config).board(&evening(), now()).await.unwrap();
    assert_eq!(told.provenance.live, LiveState::Absent);
    assert_eq!(rows(&told.value.rides), ["6607 10 18:30 … -"]);
    assert_eq!(stand_in.asked().len(), 2);
}

#[tokio::test]
async fn a_train_without_an_exact_time_keeps_the_next_one_from_being_said() {
    let mut bus = passage("6607", "1830", None, None);
    bus["stop_date_time"]["additional_informations"] = json!(["date_time_estimated"]);
    let board = board(vec![status(), ok("departures", &json!({ "departures": [bus] }))], evening())
        .await
        .unwrap()
        .value;
    assert_eq!((board.rides.len(), board.incomplete), (0, true));
}

fn direct() -> Vec<Reply> {
    let live = journeys(&[
        section("6607", ("1830", "2030"), Some(("1840", "2045")), None),
        section("6611", ("2200", "0010"), None, None),
    ]);
    let next_day = journeys(&[section("6699", ("0600", "0800"), None, None)]);
    let base = json!({
        "context": context(),
        "journeys": [{ "sections": [section("6603", ("1815", "2015"), None, Some("no"))] }],
        "disruptions": [disruption("no", "NO_SERVICE", "")],
    });
    vec![
        status(),
        ok(
            "datetime=20250110T180000&datetime_represents=departure&max_nb_transfers=0&count=6&data_freshness=realtime",
            &live,
        ),
        ok("datetime=20250110T220001", &next_day),
        ok("data_freshness=base_schedule", &base),
    ]
}

#[tokio::test]
async fn two_stations_are_asked_for_the_trains_that_link_them() {
    let board =
        board(direct(), query(Some("OCE3"), Ends::Departures, "2025-01-10T18:00")).await.unwrap().value;
    let expected = ["6607 10 18:30 > 10 18:40 … 10 20:30 > 10 20:45", "6611 10 22:00 … 11 00:10"];
    assert_eq!(rows(&board.rides), expected);
    assert_eq!(rows(&board.cancelled), ["6603 10 18:15 … 10 20:15"]);
    assert!(board.direct && !board.incomplete);
}

#[tokio::test]
async fn arrivals_from_a_station_begin_with_the_first_after_the_asked_time() {
    let before = journeys(&[section("6601", ("1700", "1900"), None, None)]);
    let after = journeys(&[
        section("6603", ("1730", "1925"), None, None),
        section("6607", ("1830", "2030"), None, None),
    ]);
    let replies = vec![
        status(),
        ok("datetime=20250110T191000&datetime_represents=arrival&max_nb_transfers=0&count=1", &before),
        ok("datetime=20250110T170001&datetime_represents=departure", &after),
    ];
    let board = board(replies, query(Some("OCE1"), Ends::Arrivals, "2025-01-10T19:10")).await.unwrap().value;
    assert_eq!(rows(&board.rides), ["6603 10 17:30 … 10 19:25", "6607 10 18:30 … 10 20:30"]);
    let everywhere = board_of_arrivals().await;
    assert!(matches!(everywhere, Err(Unknown::Source(_))), "{everywhere:?}");
}

async fn board_of_arrivals() -> Result<Told<Board>, Unknown> {
    board(vec![status()], query(None, Ends::Arrivals, "2025-01-10T19:10")).await
}

#[tokio::test]
async fn nothing_between_two_stations_says_whether_a_train_ever_links_them() {
    let query = || query(Some("OCE3"), Ends::Departures, "2025-01-10T23:00");
    let some = ok("datetime=20250110T040000", &journeys(&[section("6601", ("0600", "0800"), None, None)]));
    let board_some = board(vec![status(), some], query()).await.unwrap().value;
    assert_eq!((board_some.rides.len(), board_some.direct), (0, true));
    let board_none = board(vec![status()], query()).await.unwrap().value;
    assert_eq!((board_none.rides.len(), board_none.direct), (0, false));
}

#[tokio::test]
async fn the_first_of_a_day_is_told_only_when_none_is_overtaken_before_it() {
    let morning = ok(
        "datetime=20250110T040000&datetime_represents=departure&max_nb_transfers=0&count=1&",
        &journeys(&[section("6601", ("0600", "0800"), None, None)]),
    );
    let evening = ok(
        "datetime=20250111T040000&datetime_represents=arrival",
        &journeys(&[section("6631", ("2100", "2300"), None, None)]),
    );
    let later = ok("datetime=20250110T210001", &journeys(&[section("6633", ("2200", "0310"), None, None)]));
    let ask = async |more: Vec<Reply>| {
        let replies = [vec![status(), morning.clone(), evening.clone(), later.clone()], more].concat();
        let planner = StandIn::start(replies).await.planner();
        planner.first_last("OCE1", Some("OCE3"), jiff::civil::date(2025, 1, 10), now()).await.unwrap().value
    };
    let alone = ask(vec![]).await;
    assert_eq!(
        rows(&[alone.first.unwrap(), alone.last.unwrap()]),
        ["6601 10 06:00 … 10 08:00", "6633 10 22:00 … 11 03:10"]
    );
    assert!(!alone.incomplete);
    let earlier = || ok("departures", &json!({ "departures": [passage("17750", "0530", None, None)] }));
    let run = |end: &str| {
        ok(
            "vehicle_journeys/vehicle_journey:SNCF:2025-01-10:17750",
            &runs(
                &[vehicle_journey("17750", "", &[("1", "0530", "0530"), (end, "0900", "0900")], None)],
                &[],
            ),
        )
    };
    assert!(!ask(vec![earlier(), run("2")]).await.incomplete, "it goes elsewhere");
    assert!(ask(vec![earlier(), run("3")]).await.incomplete, "it goes there, and arrives later");
    assert!(ask(vec![earlier()]).await.incomplete, "nobody knows where it goes");
}

fn texts(alerts: &[Alert]) -> Vec<&str> {
    alerts.iter().filter_map(|alert| alert.header(crate::model::Lang::FR)).collect()
}

#[tokio::test]
async fn traffic_of_a_line_counts_its_trains_once_and_reads_what_is_announced() {
    let line = json!({ "pt_objects": [
        { "embedded_type": "line", "id": "line:SNCF:A", "line": { "id": "line:SNCF:A", "code": "A", "name": "Paris - Lyon" } },
        { "embedded_type": "line", "id": "line:SNCF:B", "line": { "id": "line:SNCF:B", "code": "AB", "name": "Autre" } },
    ]});
    let mut over = disruption("over", "NO_SERVICE", "Fini");
    over["status"] = json!("past");
    let reports =
        json!({ "disruptions": [disruption("s", "REDUCED_SERVICE", "Grève : un train sur deux"), over] });
    let departures = json!({ "departures": [
        passage("6607", "1830", Some("1840"), None),
        passage("6607", "1900", Some("1910"), None),
        passage("6611", "1930", None, None),
    ]});
    let replies = vec![
        status(),
        ok("pt_objects", &line),
        ok("line:SNCF:A/line_reports", &reports),
        ok("line:SNCF:A/departures", &departures),
    ];
    let planner = StandIn::start(replies).await.planner();
    let ask = async |line: Option<&str>| {
        let query = TrafficQuery {
            line: line.map(str::to_owned),
            stations: vec![],
            from: now(),
            until: paris("2025-01-10T21:00"),
        };
        planner.traffic(&query, now()).await
    };
    let traffic = ask(Some("a")).await.unwrap().value;
    assert_eq!(
        (traffic.line.as_deref(), traffic.running, traffic.late.len(), traffic.cancelled.len()),
        (Some("A"), 2, 1, 0)
    );
    assert_eq!(texts(&traffic.alerts), ["Grève : un train sur deux"]);
    assert_eq!(
        (traffic.alerts[0].cause.as_str(), traffic.alerts[0].effect.as_str()),
        ("strike", "reduced_service")
    );
    assert_eq!(
        traffic.alerts[0].periods,
        [(Some(paris("2025-01-10T00:00")), Some(paris("2025-01-11T00:00")))]
    );
    assert_eq!(ask(Some("Z")).await, Err(Unknown::Line("Z".into())));
    assert_eq!(ask(None).await, Err(Unknown::TooWide));
}

#[tokio::test]
async fn where_lines_have_no_reports_the_networks_have_and_single_trains_are_counted_instead() {
    let mut train = disruption("t", "SIGNIFICANT_DELAYS", "Panne");
    train["impacted_objects"] = json!([{ "pt_object": { "id": "SNCF:6607", "embedded_type": "trip" } }]);
    let mut works = disruption("w", "MODIFIED_SERVICE", "Travaux");
    works["impacted_objects"] =
        json!([{ "pt_object": { "id": "stop_area:SNCF:1", "embedded_type": "stop_area" } }]);
    let reports = json!({ "disruptions": [train, works] });
    let replies = vec![status(), ok("stop_area:SNCF:1/traffic_reports", &reports)];
    let planner = StandIn::start(replies).await.planner();
    let query = TrafficQuery {
        line: None,
        stations: vec!["OCE1".into()],
        from: now(),
        until: paris("2025-01-10T21:00"),
    };
    let traffic = planner.traffic(&query, now()).await.unwrap().value;
    assert_eq!(texts(&traffic.alerts), ["Travaux"]);
    assert_eq!(traffic.alerts[0].stops, ["OCE1"]);
    assert_eq!(traffic.running, 0);
}
