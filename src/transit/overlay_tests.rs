//! Live data on trains that feeds list twice, and on those that `frequencies.txt` repeats; what a day's runs are.

use super::live::{LiveHandle, Running, Shift, Snapshot, StopChange, TripChange};
use super::planner::{Board, BoardQuery, Ends, JourneyQuery, Planner, When};
use super::testing::{EVERY_DAY, feed, paris};
use super::{LiveLimits, Local, Timetable, TimetableHandle};
use crate::model::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;

const TIMES: &str = "trip_id,stop_sequence,arrival_time,departure_time,stop_id,timepoint\n\
    t1,10,08:00:00,08:00:00,P1,1\nt1,20,08:20:00,08:20:00,Q,0\nt1,30,24:40:00,24:40:00,R,1\n\
    t2,1,08:00:00,08:00:00,P1,1\nt2,2,08:20:00,08:20:00,Q,0\nt2,3,24:40:00,24:40:00,R,1\n\
    t3,1,08:00:00,08:00:00,P1,1\nt3,2,08:20:00,08:20:00,Q,0\nt3,3,24:50:00,24:50:00,R,1\n";

fn table(trips: &str, frequencies: &str) -> Timetable {
    let frequencies = format!("trip_id,start_time,end_time,headway_secs,exact_times\n{frequencies}");
    let folder = feed(&[
        ("trips.txt", &format!("route_id,service_id,trip_id,trip_short_name\n{trips}")),
        ("calendar.txt", EVERY_DAY),
        ("frequencies.txt", &frequencies),
        ("stop_times.txt", TIMES),
    ]);
    Timetable::load(folder.path(), "Essai").unwrap()
}

async fn board(table: Timetable, cancelled: &str) -> Board {
    let at = paris("2026-05-05T05:00");
    let live = LiveHandle::default();
    let mut snapshot = Snapshot { trips_as_of: Some(at), ..Snapshot::default() };
    let day = Some(date(2026, 5, 5));
    let change =
        TripChange { day, running: Running::Cancelled, route: None, delay: None, stops: vec![], as_of: at };
    snapshot.trips.insert(cancelled.to_owned(), vec![change]);
    live.replace(snapshot);
    let planner = Local::new(TimetableHandle::new(table), live, LiveLimits::default(), true);
    let query =
        BoardQuery { station: "P".into(), other: Some("R".into()), ends: Ends::Departures, at, limit: 10 };
    planner.board(&query, at).await.unwrap().value
}

#[tokio::test]
async fn a_train_listed_twice_is_cancelled_once_and_for_all() {
    let twice = "L,S,t1,101\nL,S,t2,101\n";
    let found = board(table(twice, ""), "t1").await;
    assert_eq!((found.rides.len(), found.cancelled.len()), (0, 1));
    // Another train with that number, or one without any, is not the same train.
    for trips in ["L,S,t1,101\nL,S,t3,101\n", "L,S,t1,\nL,S,t2,\n"] {
        let found = board(table(trips, ""), "t1").await;
        assert_eq!((found.rides.len(), found.cancelled.len()), (1, 1), "{trips}");
    }
}

#[tokio::test]
async fn a_repeated_trip_is_told_only_when_its_start_is_known() {
    let table = || table("L,S,t1,101\n", "t1,06:00:00,07:00:00,1200,1\n");
    // The feed says that some start does not run, and not which.
    let found = board(table(), "t1").await;
    assert_eq!((found.rides.len(), found.cancelled.len(), found.incomplete), (0, 0, true));
    let found = board(table(), "t1@06:20:00").await;
    assert_eq!((found.rides.len(), found.cancelled.len(), found.incomplete), (2, 1, false));
}

#[test]
fn the_runs_of_a_day_are_those_with_exact_times() {
    let table = table(
        "L,S,t1,101\nL,S,t2,102\nL,S,t3,103\n",
        "t2,06:00:00,07:00:00,1800,1\nt3,06:00:00,07:00:00,1800,0\n",
    );
    let runs = table.runs(date(2026, 5, 5));
    let ids: Vec<&str> = runs.iter().map(|run| run.key.trip.as_str()).collect();
    assert_eq!(ids, ["t1", "t2@06:00:00", "t2@06:30:00"]);
    let run = &runs[0];
    assert_eq!((run.route.as_str(), run.number.as_deref()), ("L", Some("101")));
    let calls: Vec<_> =
        run.calls.iter().map(|call| (call.stop.as_str(), call.station.as_str(), call.sequence)).collect();
    assert_eq!(calls, [("P1", "P", 10), ("Q", "Q", 20), ("R", "R", 30)]);
    // An approximate time is no time.
    assert_eq!((run.calls[1].arrival, run.calls[2].arrival), (None, Some(paris("2026-05-06T00:40"))));
    assert!(table.runs(date(2027, 1, 1)).is_empty());
}

#[test]
fn a_headway_of_a_second_is_refused() {
    let rows = "trip_id,start_time,end_time,headway_secs,exact_times\nt1,00:00:00,167:00:00,1,1\n";
    let folder = feed(&[
        ("trips.txt", "route_id,service_id,trip_id\nL,S,t1\n"),
        ("calendar.txt", EVERY_DAY),
        ("frequencies.txt", rows),
        ("stop_times.txt", TIMES),
    ]);
    let error = Timetable::load(folder.path(), "").unwrap_err().to_string();
    assert!(error.contains("repeated too often"), "{error}");
}

/// Seconds around a whole day of delay, or anything at all.
fn any_shift() -> impl Strategy<Value = Option<Shift>> {
    let near = paris("2026-05-05T08:00").0;
    prop_oneof![
        Just(None),
        (-4_000_i64..90_000).prop_map(|seconds| Some(Shift::Delay(seconds))),
        any::<i64>().prop_map(|seconds| Some(Shift::Delay(seconds))),
        (-9_000_i64..90_000).prop_map(move |by| Some(Shift::At(Timestamp(near + by * 1_000_000)))),
        any::<i64>().prop_map(|at| Some(Shift::At(Timestamp(at)))),
    ]
}

fn any_stop() -> impl Strategy<Value = StopChange> {
    let ids = || prop::option::of(prop::sample::select(vec!["P1", "P", "Q", "R", "MARS"]));
    let sequence = prop::option::of(prop::sample::select(vec![0, 10, 20, 30, u32::MAX]));
    let shifts = (any_shift(), any_shift());
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.1));
    (sequence, ids(), ids(), shifts, flags).prop_map(|(sequence, stop, assigned, shifts, flags)| StopChange {
        sequence,
        stop_id: stop.map(str::to_owned),
        arrival: shifts.0,
        departure: shifts.1,
        skipped: flags.0,
        no_data: flags.1,
        assigned_stop_id: assigned.map(str::to_owned),
    })
}

fn any_change() -> impl Strategy<Value = TripChange> {
    let days = vec![None, Some(date(2026, 5, 5)), Some(date(2026, 5, 4)), Some(jiff::civil::Date::MAX)];
    let running = vec![Running::Scheduled, Running::Scheduled, Running::Cancelled, Running::Added];
    let as_of = prop_oneof![Just(paris("2026-05-05T07:30")), any::<i64>().prop_map(Timestamp)];
    let stops = prop::collection::vec(any_stop(), 0..5);
    (prop::sample::select(days), prop::sample::select(running), stops, as_of).prop_map(
        |(day, running, stops, as_of)| TripChange {
            day,
            running,
            route: Some("L".into()),
            delay: None,
            stops,
            as_of,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever live data says, nobody is told to arrive before leaving, to take what does not run, or a train that has left.
    #[test]
    fn no_live_data_makes_an_absurd_answer(
        changes in prop::collection::vec((prop::sample::select(vec!["t1", "t2", "x"]), any_change()), 1..4)
    ) {
        let at = paris("2026-05-05T07:30");
        let mut snapshot = Snapshot { trips_as_of: Some(at), ..Snapshot::default() };
        for (id, change) in changes {
            snapshot.trips.entry(id.to_owned()).or_default().push(change);
        }
        let live = LiveHandle::default();
        live.replace(snapshot);
        let table = TimetableHandle::new(table("L,S,t1,101\nL,S,t2,102\n", ""));
        let planner = Local::new(table, live, LiveLimits::default(), true);
        let (from, to) = ("P".to_owned(), "R".to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for ends in [Ends::Departures, Ends::Arrivals] {
                let query = BoardQuery { station: "P".into(), other: None, ends, at, limit: 10 };
                for ride in planner.board(&query, at).await.unwrap().value.rides {
                    let (leaves, arrives) = (ride.from.departure, ride.to.arrival);
                    prop_assert!(!ride.train.cancelled && !ride.from.skipped && !ride.to.skipped);
                    let told = if ends == Ends::Departures { leaves } else { arrives };
                    prop_assert!(told.is_some_and(|moment| moment.best() >= at));
                    if let (Some(leaves), Some(arrives)) = (leaves, arrives) {
                        prop_assert!(leaves.best() <= arrives.best());
                    }
                }
            }
            let query = JourneyQuery { from, to, via: None, when: When::DepartAfter(at), limit: 5 };
            for journey in planner.journeys(&query, at).await.map(|told| told.value).unwrap_or_default() {
                let mut clock = at;
                for ride in journey.rides {
                    let (leaves, arrives) = (ride.from.departure.unwrap().best(), ride.to.arrival.unwrap().best());
                    prop_assert!(clock <= leaves && leaves <= arrives && !ride.train.cancelled);
                    clock = arrives;
                }
            }
            prop_assert!(planner.train("101", date(2026, 5, 5), at).await.is_ok());
            Ok(())
        })?;
    }
}
