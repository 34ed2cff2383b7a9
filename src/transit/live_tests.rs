//! Boards and trains under live data of every kind, good and bad.

use super::live::{LiveHandle, Running, Shift, Snapshot, StopChange, TripChange};
use super::planner::{Board, BoardQuery, Ends, LiveState, Planner, Ride, Unknown};
use super::testing::{EVERY_DAY, feed, paris};
use super::{LiveLimits, Local, Timetable, TimetableHandle};
use crate::model::Timestamp;
use jiff::civil::{Date, date};
use std::time::Duration;

pub(super) const DAY: Date = date(2026, 5, 5);
const TRIPS: &str =
    "route_id,service_id,trip_id,trip_short_name\nL,S,t1,101\nL,S,t2,102\nL,S,night,109\nM,S,t3,201\n";
const ROUTES: &str =
    "route_id,agency_id,route_short_name,route_long_name,route_type\nL,A,Ligne,Pont - Rade,2\nM,A,Autre,,2\n";
const STOPS: &str = "stop_id,stop_name,location_type,parent_station,platform_code\nP,Pont,1,,\nP1,Pont,0,P,1\nP2,Pont,0,P,2\n\
                     Q,Quai,0,,\nR,Rade,0,,\nX,Xaintes,0,,\n";
const TIMES: &str = "trip_id,stop_sequence,arrival_time,departure_time,stop_id\n\
    t1,10,08:00:00,08:00:00,P1\nt1,20,08:20:00,08:22:00,Q\nt1,30,08:40:00,08:40:00,R\n\
    t2,10,09:00:00,09:00:00,P1\nt2,20,09:20:00,09:22:00,Q\nt2,30,09:40:00,09:40:00,R\n\
    night,10,23:50:00,23:50:00,P1\nnight,20,24:20:00,24:22:00,Q\nnight,30,24:40:00,24:40:00,R\n\
    t3,1,10:00:00,10:00:00,R\nt3,2,10:30:00,10:30:00,Q\n";

pub(super) fn table() -> Timetable {
    let folder = feed(&[
        ("trips.txt", TRIPS),
        ("routes.txt", ROUTES),
        ("stops.txt", STOPS),
        ("calendar.txt", EVERY_DAY),
        ("stop_times.txt", TIMES),
    ]);
    Timetable::load(folder.path(), "Essai").unwrap()
}

/// A planner whose live data was made at `as_of`.
fn planner(trips: Vec<(&str, TripChange)>, as_of: &str) -> Local {
    let live = LiveHandle::default();
    let mut snapshot = Snapshot { trips_as_of: Some(paris(as_of)), ..Snapshot::default() };
    for (id, mut change) in trips {
        change.as_of = paris(as_of);
        snapshot.trips.entry(id.to_owned()).or_default().push(change);
    }
    live.replace(snapshot);
    Local::new(TimetableHandle::new(table()), live, LiveLimits::default(), true)
}

pub(super) fn change(running: Running, stops: Vec<StopChange>) -> TripChange {
    TripChange { day: Some(DAY), running, route: None, delay: None, stops, as_of: Timestamp(0) }
}

fn stop(sequence: u32) -> StopChange {
    StopChange {
        sequence: Some(sequence),
        stop_id: None,
        arrival: None,
        departure: None,
        skipped: false,
        no_data: false,
        assigned_stop_id: None,
    }
}

/// Minutes late, arriving and departing.
pub(super) fn late(sequence: u32, arrival: Option<i64>, departure: Option<i64>) -> StopChange {
    let shift = |minutes: i64| Shift::Delay(minutes * 60);
    StopChange { arrival: arrival.map(shift), departure: departure.map(shift), ..stop(sequence) }
}

async fn board(planner: &Local, station: &str, other: Option<&str>, at: &str) -> Board {
    let query = BoardQuery {
        station: station.to_owned(),
        other: other.map(str::to_owned),
        ends: Ends::Departures,
        at: paris(at),
        limit: 10,
    };
    planner.board(&query, paris(at)).await.unwrap().value
}

/// `number best-departure[+known] best-arrival` of each ride.
fn told(rides: &[Ride]) -> Vec<String> {
    let clock = |at: Timestamp| table().local(at).strftime("%H:%M").to_string();
    let row = |ride: &Ride| {
        let number = ride.train.number.as_deref().unwrap_or("?");
        let departure = ride.from.departure.unwrap();
        let known = if departure.expected.is_some() { "*" } else { "" };
        let arrival = ride.to.arrival.map_or("--".to_owned(), |arrival| clock(arrival.best()));
        format!("{number} {}{known} {arrival}", clock(departure.best()))
    };
    rides.iter().map(row).collect()
}

#[tokio::test]
async fn a_delay_holds_on_until_a_stop_says_otherwise() {
    for (stops, expected) in [
        (vec![late(10, None, Some(12))], ["101 08:12* 08:32", "101 08:34* 08:52"]),
        (
            vec![late(10, None, Some(12)), late(20, Some(8), Some(6))],
            ["101 08:12* 08:28", "101 08:28* 08:46"],
        ),
        (vec![late(20, Some(5), None)], ["101 08:00 08:25", "101 08:27* 08:45"]),
        // No data: what was late before says nothing of what comes.
        (
            vec![late(10, None, Some(2)), StopChange { no_data: true, ..stop(20) }],
            ["101 08:02* 08:20", "101 08:22 08:40"],
        ),
        // An early train has left when it has left.
        (vec![late(10, None, Some(-3))], ["102 09:00 09:20", "101 08:19* 08:37"]),
        (
            vec![StopChange { departure: Some(Shift::At(paris("2026-05-05T08:07"))), ..stop(10) }],
            ["101 08:07* 08:27", "101 08:29* 08:47"],
        ),
    ] {
        let planner = planner(vec![("t1", change(Running::Scheduled, stops))], "2026-05-05T07:59");
        let from_pont = board(&planner, "P", Some("Q"), "2026-05-05T07:59").await;
        let from_quai = board(&planner, "Q", Some("R"), "2026-05-05T07:59").await;
        assert_eq!([&told(&from_pont.rides)[0], &told(&from_quai.rides)[0]], expected);
    }
}

#[tokio::test]
async fn a_delay_of_the_whole_run_holds_at_every_stop() {
    for (delay, stops, expected) in [
        (720, vec![], ["101 08:12* 08:32", "101 08:34* 08:52"]),
        (720, vec![StopChange { no_data: true, ..stop(20) }], ["101 08:12* 08:20", "101 08:22 08:40"]),
        // Beyond belief.
        (i64::MAX, vec![], ["101 08:00 08:20", "101 08:22 08:40"]),
    ] {
        let late = TripChange { delay: Some(delay), ..change(Running::Scheduled, stops) };
        let planner = planner(vec![("t1", late)], "2026-05-05T07:59");
        let from_pont = board(&planner, "P", Some("Q"), "2026-05-05T07:59").await;
        let from_quai = board(&planner, "Q", Some("R"), "2026-05-05T07:59").await;
        assert_eq!([&told(&from_pont.rides)[0], &told(&from_quai.rides)[0]], expected, "{delay}");
    }
    // It is where it should have been twelve minutes before: what lies behind that, it has left.
    let late = TripChange { delay: Some(720), ..change(Running::Scheduled, vec![]) };
    let planner = planner(vec![("t1", late)], "2026-05-05T08:13");
    let from_pont = board(&planner, "P", Some("Q"), "2026-05-05T08:13").await;
    assert_eq!(told(&from_pont.rides)[0], "102 09:00 09:20");
    let from_quai = board(&planner, "Q", Some("R"), "2026-05-05T08:13").await;
    assert_eq!(told(&from_quai.rides)[0], "101 08:34* 08:52");
}

#[tokio::test]
async fn a_late_train_is_offered_after_its_scheduled_time_and_in_the_order_of_what_is_known() {
    let stops = vec![late(10, None, Some(70))];
    let planner = planner(vec![("t1", change(Running::Scheduled, stops))], "2026-05-05T08:30");
    let found = board(&planner, "P", Some("R"), "2026-05-05T08:30").await;
    assert_eq!(told(&found.rides)[..2], ["102 09:00 09:40", "101 09:10* 09:50"]);
    // After midnight, last night's late train is tonight's question.
    let mut night = change(Running::Scheduled, vec![late(10, None, Some(30))]);
    night.day = Some(DAY);
    let planner = self::planner(vec![("night", night)], "2026-05-06T00:10");
    assert_eq!(told(&board(&planner, "P", None, "2026-05-06T00:10").await.rides)[0], "109 00:20* 01:10");
}

#[tokio::test]
async fn cancelled_and_skipped_are_never_offered_and_are_listed() {
    // A cancelled trip with delays is cancelled.
    let cancelled = change(Running::Cancelled, vec![late(10, None, Some(5))]);
    let skips =
        change(Running::Scheduled, vec![StopChange { skipped: true, ..stop(20) }, late(30, Some(4), None)]);
    let planner = planner(vec![("t1", cancelled), ("t2", skips)], "2026-05-05T07:59");
    let found = board(&planner, "P", Some("Q"), "2026-05-05T07:59").await;
    assert_eq!(told(&found.rides), ["109 23:50 00:20"]);
    assert_eq!(told(&found.cancelled), ["101 08:00 08:20", "102 09:00 09:20"]);
    assert!(found.cancelled[0].train.cancelled && !found.cancelled[1].train.cancelled);
    assert!(found.cancelled[1].to.skipped && found.direct);
    let through = board(&planner, "P", Some("R"), "2026-05-05T07:59").await;
    assert_eq!(told(&through.rides), ["102 09:00 09:44", "109 23:50 00:40"]);
    // Tomorrow it runs.
    assert_eq!(told(&board(&planner, "P", Some("Q"), "2026-05-06T07:59").await.rides)[0], "101 08:00 08:20");
    // Cut short: it goes to where it still stops.
    let short = change(Running::Scheduled, vec![StopChange { skipped: true, ..stop(30) }]);
    let planner = self::planner(vec![("t1", short)], "2026-05-05T07:59");
    let found = board(&planner, "P", None, "2026-05-05T07:59").await;
    assert_eq!(
        (found.rides[0].train.terminus.as_str(), found.rides[0].to.station.id.as_str()),
        ("Quai", "Q")
    );
}

#[tokio::test]
async fn added_trains_and_other_platforms_are_told() {
    let at = |stop: &str, local: &str| StopChange {
        sequence: None,
        stop_id: Some(stop.to_owned()),
        arrival: Some(Shift::At(paris(local))),
        departure: Some(Shift::At(paris(local))),
        ..self::stop(0)
    };
    let mut extra = change(Running::Added, vec![at("P2", "2026-05-05T08:30"), at("R", "2026-05-05T09:05")]);
    (extra.day, extra.route) = (None, Some("L".to_owned()));
    let moved = StopChange { assigned_stop_id: Some("P2".to_owned()), ..stop(10) };
    // A platform of another station is no platform here.
    let strange = StopChange { assigned_stop_id: Some("R".to_owned()), ..stop(10) };
    let nowhere = change(Running::Added, vec![at("P2", "2026-05-05T08:31"), at("MARS", "2026-05-05T09:05")]);
    let planner = planner(
        vec![
            ("extra", extra),
            ("nowhere", nowhere),
            ("t1", change(Running::Scheduled, vec![moved])),
            ("t2", change(Running::Scheduled, vec![strange])),
        ],
        "2026-05-05T07:59",
    );
    let found = board(&planner, "P", Some("R"), "2026-05-05T07:59").await;
    assert_eq!(told(&found.rides)[..3], ["101 08:00 08:40", "? 08:30* 09:05", "102 09:00 09:40"]);
    let platforms = |index: usize| {
        let stop = &found.rides[index].from;
        (stop.platform.as_deref(), stop.planned_platform.as_deref())
    };
    assert_eq!(
        [platforms(0), platforms(1), platforms(2)],
        [(Some("2"), Some("1")), (Some("2"), None), (Some("1"), None)]
    );
    let train = &found.rides[1].train;
    assert_eq!((train.added, train.brand.as_deref(), train.terminus.as_str()), (true, Some("Ligne"), "Rade"));
}

#[tokio::test]
async fn without_a_day_the_run_under_way_or_next_is_meant() {
    for (as_of, trip, day, expected) in [
        ("2026-05-05T08:10", "t1", "2026-05-05", "101 08:22 08:45"), // under way
        ("2026-05-05T12:00", "t1", "2026-05-06", "101 08:22 08:45"), // over: tomorrow's
        ("2026-05-06T00:15", "night", "2026-05-05", "109 00:22 00:45"), // last night's
    ] {
        let mut unnamed = change(Running::Scheduled, vec![late(30, Some(5), None)]);
        unnamed.day = None;
        let planner = planner(vec![(trip, unnamed)], as_of);
        let number = &expected[..3];
        let runs = planner.train(number, day.parse().unwrap(), paris(as_of)).await.unwrap().value;
        let arrival = runs[0].stops[2].arrival.unwrap();
        assert_eq!(arrival.expected, Some(arrival.scheduled.plus(Duration::from_secs(300))), "{as_of}");
        let at = paris(&format!("{day}T08:00"));
        let other = at.to_jiff().to_zoned_datetime(table().zone().clone()).date().tomorrow().unwrap();
        let runs = planner.train(number, other, paris(as_of)).await.unwrap().value;
        assert_eq!(runs[0].stops[2].arrival.unwrap().expected, None, "{as_of}");
    }
}

#[tokio::test]
async fn contradictions_leave_the_schedule_and_nothing_else() {
    let at =
        |sequence: u32, local: &str| StopChange { arrival: Some(Shift::At(paris(local))), ..stop(sequence) };
    for (what, stops) in [
        ("leaves before it arrives", vec![late(20, Some(20), Some(0))]),
        ("goes back in time", vec![late(10, None, Some(60)), late(20, Some(0), None)]),
        ("is of another century", vec![StopChange { departure: Some(Shift::At(Timestamp(0))), ..stop(10) }]),
        (
            "is beyond numbers",
            vec![late(10, None, None), StopChange { arrival: Some(Shift::Delay(i64::MAX)), ..stop(20) }],
        ),
        ("is a month late", vec![at(20, "2026-06-05T08:20")]),
        (
            "names a stop of another line",
            vec![StopChange { stop_id: Some("X".into()), ..late(20, Some(9), None) }],
        ),
        (
            "names a stop that is not",
            vec![StopChange { stop_id: Some("MARS".into()), ..late(20, Some(9), None) }],
        ),
        ("names no stop", vec![StopChange { sequence: None, ..late(20, Some(9), None) }]),
    ] {
        let planner = planner(vec![("t1", change(Running::Scheduled, stops))], "2026-05-05T07:59");
        let found = board(&planner, "P", Some("R"), "2026-05-05T07:59").await;
        assert_eq!(told(&found.rides)[0], "101 08:00 08:40", "{what}");
        assert!(found.rides[0].to.arrival.unwrap().expected.is_none(), "{what}");
    }
    // Strangers change nothing; of two changes of one run, cancelled wins.
    let planner = planner(
        vec![
            ("unknown", change(Running::Scheduled, vec![late(10, None, Some(9))])),
            ("gone", change(Running::Cancelled, vec![])),
            ("t1", change(Running::Cancelled, vec![])),
            ("t1", change(Running::Scheduled, vec![late(10, None, Some(9))])),
        ],
        "2026-05-05T07:59",
    );
    let found = board(&planner, "P", Some("R"), "2026-05-05T07:59").await;
    assert_eq!(told(&found.rides)[0], "102 09:00 09:40");
    // An hour late, then no data: the schedule of what follows is overtaken, and no time is known there.
    let stops = vec![late(10, None, Some(60)), StopChange { no_data: true, ..stop(20) }];
    let planner = self::planner(vec![("t1", change(Running::Scheduled, stops))], "2026-05-05T07:59");
    let found = board(&planner, "Q", Some("R"), "2026-05-05T07:59").await;
    assert_eq!((told(&found.rides)[0].as_str(), found.incomplete), ("102 09:22 09:40", true));
}

#[tokio::test]
async fn age_decides_what_live_data_is_worth() {
    let delay = || vec![("t1", change(Running::Scheduled, vec![late(10, None, Some(12))]))];
    let made = paris("2026-05-05T07:00:00");
    for (age, state, first) in [
        (0, LiveState::Fresh(made), "101 08:12* 08:52"),
        (90, LiveState::Fresh(made), "101 08:12* 08:52"),
        (91, LiveState::Old(made), "101 08:12* 08:52"),
        (1800, LiveState::Old(made), "101 08:12* 08:52"),
        (1801, LiveState::Lost(Some(made)), "101 08:00 08:40"),
    ] {
        let planner = planner(delay(), "2026-05-05T07:00");
        let now = made.plus(Duration::from_secs(age));
        let query = BoardQuery {
            station: "P".into(),
            other: Some("R".into()),
            ends: Ends::Departures,
            at: now,
            limit: 1,
        };
        let board = planner.board(&query, now).await.unwrap();
        assert_eq!((board.provenance.live, told(&board.value.rides)[0].as_str()), (state, first), "{age}");
        assert_eq!(planner.provenance(now).unwrap().live, state);
        // A clock that runs ahead of ours is as wrong as one behind.
        let ahead = made.minus(Duration::from_secs(age));
        assert_eq!(planner.provenance(ahead).unwrap().live, state);
    }
    let handle = TimetableHandle::new(table());
    let silent = Local::new(handle.clone(), LiveHandle::default(), LiveLimits::default(), true);
    assert_eq!(silent.provenance(made).unwrap().live, LiveState::Lost(None));
    let none = Local::new(handle, LiveHandle::default(), LiveLimits::default(), false);
    assert_eq!(none.provenance(made).unwrap().live, LiveState::Absent);
    let empty = Local::new(TimetableHandle::default(), LiveHandle::default(), LiveLimits::default(), false);
    assert_eq!(empty.provenance(made), Err(Unknown::NoTimetable));
}

#[tokio::test]
async fn arrivals_first_and_last() {
    let cancelled = change(Running::Cancelled, vec![]);
    let planner = planner(vec![("night", cancelled)], "2026-05-05T07:59");
    let now = paris("2026-05-05T07:59");
    let arrivals = |other: Option<&str>| BoardQuery {
        station: "Q".into(),
        other: other.map(str::to_owned),
        ends: Ends::Arrivals,
        at: now,
        limit: 10,
    };
    let found = planner.board(&arrivals(Some("P")), now).await.unwrap().value;
    assert_eq!(told(&found.rides), ["101 08:00 08:20", "102 09:00 09:20"]);
    assert_eq!(told(&found.cancelled), ["109 23:50 00:20"]);
    let found = planner.board(&arrivals(None), now).await.unwrap().value;
    assert_eq!(told(&found.rides), ["101 08:00 08:20", "102 09:00 09:20", "201 10:00 10:30"]);
    let ends = planner.first_last("P", Some("R"), DAY, now).await.unwrap().value;
    assert_eq!(told(&[ends.first.unwrap(), ends.last.unwrap()]), ["101 08:00 08:40", "102 09:00 09:40"]);
    // Tomorrow the last one runs; it belongs to the evening although it arrives the day after.
    let ends = planner.first_last("Q", Some("R"), date(2026, 5, 6), now).await.unwrap().value;
    assert_eq!(told(&[ends.first.unwrap(), ends.last.unwrap()]), ["101 08:22 08:40", "109 00:22 00:40"]);
}
