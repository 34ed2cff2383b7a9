//! Journeys: changes, walks, alternatives, live data; and a plain search over real feeds to hold them against.

use super::live::{LiveHandle, Running, Shift, Snapshot, StopChange, TripChange};
use super::planner::{Journey, JourneyQuery, Planner, Unknown, When};
use super::runs::{Run, ServiceDay};
use super::testing::{EVERY_DAY, demo_path, feed, paris, shared_data};
use super::timetable::Access;
use super::{LiveLimits, Local, MIN_CHANGE, Timetable, TimetableHandle};
use crate::model::Timestamp;
use gtfs_structures::RawGtfs;
use jiff::ToSpan;
use jiff::civil::date;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

const STOPS: &str = "stop_id,stop_name,location_type,parent_station\nA,Anse,0,\nB,Baie,1,\nB1,Baie,0,B\nB2,Baie,0,B\n\
                     C,Cap,0,\nD,Dune,0,\nE,Esker,0,\n";
const TRIPS: &str = "route_id,service_id,trip_id,trip_short_name\nL,S,ab1,1\nL,S,ab2,2\nL,S,bd1,11\nL,S,bd2,12\nL,S,cd,21\nL,S,ad,31\nL,S,night,41\n";
/// A→B at 8 and 9; B→D 4 and 30 minutes after the first arrives; C→D, C a walk from B; a slow direct one; one after midnight.
const TIMES: &str = "trip_id,stop_sequence,arrival_time,departure_time,stop_id\n\
    ab1,1,08:00:00,08:00:00,A\nab1,2,08:30:00,08:30:00,B1\n\
    ab2,1,09:00:00,09:00:00,A\nab2,2,09:30:00,09:30:00,B1\n\
    bd1,1,08:34:00,08:34:00,B2\nbd1,2,09:00:00,09:00:00,D\n\
    bd2,1,09:00:00,09:00:00,B2\nbd2,2,09:30:00,09:30:00,D\n\
    cd,1,09:40:00,09:40:00,C\ncd,2,10:00:00,10:00:00,D\n\
    ad,1,08:05:00,08:05:00,A\nad,2,11:00:00,11:00:00,E\nad,3,12:00:00,12:00:00,D\n\
    night,1,24:30:00,24:30:00,A\nnight,2,25:30:00,25:30:00,D\n";

fn table(transfers: &str) -> Timetable {
    let transfers = format!("from_stop_id,to_stop_id,transfer_type,min_transfer_time\n{transfers}");
    let folder = feed(&[
        ("trips.txt", TRIPS),
        ("stops.txt", STOPS),
        ("calendar.txt", EVERY_DAY),
        ("transfers.txt", &transfers),
        ("stop_times.txt", TIMES),
    ]);
    Timetable::load(folder.path(), "Essai").unwrap()
}

fn planner(transfers: &str, changes: Vec<(&str, Running, Vec<StopChange>)>) -> Local {
    let at = paris("2026-05-05T07:00");
    let live = LiveHandle::default();
    let mut snapshot = Snapshot { trips_as_of: Some(at), ..Snapshot::default() };
    for (id, running, stops) in changes {
        let change =
            TripChange { day: Some(date(2026, 5, 5)), running, route: None, delay: None, stops, as_of: at };
        snapshot.trips.insert(id.to_owned(), vec![change]);
    }
    live.replace(snapshot);
    Local::new(TimetableHandle::new(table(transfers)), live, LiveLimits::default(), true)
}

fn late(sequence: u32, minutes: i64) -> StopChange {
    StopChange {
        sequence: Some(sequence),
        stop_id: None,
        arrival: Some(Shift::Delay(minutes * 60)),
        departure: Some(Shift::Delay(minutes * 60)),
        skipped: false,
        no_data: false,
        assigned_stop_id: None,
    }
}

fn query(from: &str, to: &str, when: When) -> JourneyQuery {
    JourneyQuery { from: from.into(), to: to.into(), via: None, when, limit: 5 }
}

/// `number+number departure arrival` of each journey.
fn told(journeys: &[Journey]) -> Vec<String> {
    let row = |journey: &Journey| {
        let numbers: Vec<_> = journey.rides.iter().map(|ride| ride.train.number.clone().unwrap()).collect();
        let clock = |at: Timestamp| {
            let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
            at.to_jiff().to_zoned_datetime(zone).datetime().strftime("%H:%M").to_string()
        };
        let (leaves, arrives) = ends(journey);
        format!("{} {} {}", numbers.join("+"), clock(leaves), clock(arrives))
    };
    journeys.iter().map(row).collect()
}

fn ends(journey: &Journey) -> (Timestamp, Timestamp) {
    let (first, last) = (journey.rides.first().unwrap(), journey.rides.last().unwrap());
    (first.from.departure.unwrap().best(), last.to.arrival.unwrap().best())
}

async fn ask(planner: &Local, query: &JourneyQuery) -> Vec<String> {
    told(&planner.journeys(query, paris("2026-05-05T07:00")).await.unwrap().value)
}

fn after(at: &str) -> When {
    When::DepartAfter(paris(at))
}

#[tokio::test]
async fn changes_take_the_time_that_the_feed_says_and_five_minutes_otherwise() {
    let asked = query("A", "D", after("2026-05-05T07:30"));
    let slow = ["31 08:05 12:00", "41 00:30 01:30"];
    for (transfers, expected) in [
        // Four minutes are too few by default.
        ("", vec!["1+12 08:00 09:30"]),
        // To the station as a whole, and to the platform.
        ("B,B,2,240\n", vec!["1+11 08:00 09:00"]),
        ("B1,B2,2,240\n", vec!["1+11 08:00 09:00"]),
        ("B1,B2,1,\n", vec!["1+11 08:00 09:00"]),
        // The platforms' own rule wins over the station's.
        ("B,B,2,60\nB1,B2,2,2400\n", vec![]),
        ("B1,B2,3,\n", vec![]),
        // Of two rows of a pair (by route, say) the longer time holds, and "impossible" wins.
        ("B,B,2,60\nB,B,2,600\n", vec!["1+12 08:00 09:30"]),
        ("B,B,2,60\nB,B,3,\n", vec![]),
        // On foot to C, where the second A→B still catches the train.
        ("B,C,2,600\n", vec!["1+12 08:00 09:30", "2+21 09:00 10:00"]),
        ("B,C,0,\n", vec!["1+12 08:00 09:30", "2+21 09:00 10:00"]),
        // A walk of 601 seconds misses the train after the second one; after the first it is beaten.
        ("B,C,2,601\n", vec!["1+12 08:00 09:30"]),
    ] {
        let expected: Vec<&str> = expected.into_iter().chain(slow).collect();
        assert_eq!(ask(&planner(transfers, vec![]), &asked).await, expected, "{transfers}");
    }
}

#[tokio::test]
async fn live_data_makes_and_breaks_connections() {
    let asked = query("A", "D", after("2026-05-05T07:30"));
    for (changes, first) in [
        (vec![("ab1", Running::Scheduled, vec![late(1, 26)])], "31 08:05 12:00"),
        (vec![("bd1", Running::Scheduled, vec![late(1, 1)])], "1+11 08:00 09:01"),
        (vec![("bd2", Running::Cancelled, vec![])], "31 08:05 12:00"),
        (
            vec![("bd2", Running::Scheduled, vec![StopChange { skipped: true, ..late(1, 0) }])],
            "31 08:05 12:00",
        ),
    ] {
        assert_eq!(ask(&planner("", changes.clone()), &asked).await[0], first, "{changes:?}");
    }
    let at = |stop: &str, local: &str| StopChange {
        sequence: None,
        stop_id: Some(stop.into()),
        arrival: Some(Shift::At(paris(local))),
        departure: Some(Shift::At(paris(local))),
        ..late(0, 0)
    };
    let extra = vec![at("B2", "2026-05-05T08:40"), at("D", "2026-05-05T08:50")];
    let journeys = planner("", vec![("extra", Running::Added, extra)]);
    let journeys = journeys.journeys(&asked, paris("2026-05-05T07:00")).await.unwrap().value;
    assert_eq!(ends(&journeys[0]).1, paris("2026-05-05T08:50"));
    assert!(journeys[0].rides[1].train.added);
}

#[tokio::test]
async fn arriving_before_is_the_latest_departure_and_never_one_that_has_left() {
    let before = |at: &str| query("A", "D", When::ArriveBefore(paris(at)));
    let planner = planner("B,C,2,600\n", vec![]);
    assert_eq!(
        ask(&planner, &before("2026-05-05T12:00")).await,
        ["2+21 09:00 10:00", "31 08:05 12:00", "1+12 08:00 09:30"]
    );
    assert_eq!(ask(&planner, &before("2026-05-05T09:59")).await, ["1+12 08:00 09:30"]);
    assert_eq!(ask(&planner, &before("2026-05-05T09:29")).await, Vec::<String>::new());
    let late = planner.journeys(&before("2026-05-05T10:30"), paris("2026-05-05T08:30")).await.unwrap().value;
    assert_eq!(told(&late), ["2+21 09:00 10:00"]);
}

#[tokio::test]
async fn a_way_through_a_station_passes_it() {
    let planner = planner("B,C,2,600\n", vec![]);
    let through =
        |via: &str| JourneyQuery { via: Some(via.into()), ..query("A", "D", after("2026-05-05T07:30")) };
    assert_eq!(ask(&planner, &through("E")).await, ["31 08:05 12:00"]);
    assert_eq!(ask(&planner, &through("C")).await, ["2+21 09:00 10:00"]);
    assert_eq!(ask(&planner, &through("B")).await, ["1+12 08:00 09:30", "2+21 09:00 10:00"]);
    let before = JourneyQuery { when: When::ArriveBefore(paris("2026-05-05T13:00")), ..through("E") };
    assert_eq!(ask(&planner, &before).await, ["31 08:05 12:00"]);
    let now = paris("2026-05-05T07:00");
    for (asked, error) in [
        (through("MARS"), Unknown::Station("MARS".into())),
        (query("A", "A", after("2026-05-05T07:30")), Unknown::SameStation),
    ] {
        assert_eq!(planner.journeys(&asked, now).await, Err(error));
    }
    for at in [paris("2030-05-05T07:30"), Timestamp(i64::MAX), Timestamp(i64::MIN)] {
        for when in [When::DepartAfter(at), When::ArriveBefore(at)] {
            let told = planner.journeys(&query("A", "D", when), now).await;
            assert!(matches!(told, Err(Unknown::OutOfRange { .. })), "{at:?}");
        }
    }
}

#[tokio::test]
async fn none_is_not_said_where_some_train_has_no_times() {
    let headways = "trip_id,start_time,end_time,headway_secs\nab1,06:00:00,22:00:00,600\n";
    let files = [
        ("trips.txt", "route_id,service_id,trip_id,trip_short_name\nL,S,ab1,1\nL,S,bd1,11\n"),
        ("stops.txt", STOPS),
        ("calendar.txt", EVERY_DAY),
        (
            "stop_times.txt",
            "trip_id,stop_sequence,arrival_time,departure_time,stop_id\nab1,1,08:00:00,08:00:00,A\nab1,2,08:30:00,08:30:00,B1\n\
             bd1,1,08:34:00,08:34:00,B2\nbd1,2,09:00:00,09:00:00,D\n",
        ),
        ("frequencies.txt", headways),
    ];
    let folder = feed(&files);
    let handle = TimetableHandle::new(Timetable::load(folder.path(), "").unwrap());
    let planner = Local::new(handle, LiveHandle::default(), LiveLimits::default(), false);
    let told = planner.journeys(&query("A", "D", after("2026-05-05T07:30")), paris("2026-05-05T07:00")).await;
    assert!(matches!(told, Err(Unknown::Source(_))), "{told:?}");
}

/// By station: from which others one can walk there, as the rows of `transfers.txt` about stations have it, read on their own.
type Walks = HashMap<u32, Vec<(u32, Duration)>>;

fn walks(table: &Timetable, path: &Path) -> Walks {
    let mut found = Walks::new();
    for row in RawGtfs::from_path(path).unwrap().transfers.transpose().unwrap().unwrap_or_default() {
        let station = |id: &str| table.station_by_id.get(id).copied();
        let ends = station(&row.from_stop_id).zip(station(&row.to_stop_id)).filter(|(from, to)| from != to);
        if let (Some((from, to)), Some(seconds)) = (ends, row.min_transfer_time) {
            found.entry(to).or_default().push((from, Duration::from_secs(seconds.into())));
        }
    }
    found
}

/// Earliest arrival by going over all runs again and again until nothing improves.
fn plain(
    table: &Timetable,
    walks: &Walks,
    (from, to): (&str, &str),
    at: Timestamp,
    until: Timestamp,
) -> Option<Timestamp> {
    let (from, to) = (table.station_by_id[from], table.station_by_id[to]);
    let day = table.local(at).date();
    let days = (-2..=2).filter_map(|by| ServiceDay::new(table, day.checked_add(by.days()).ok()?));
    let on = |on: ServiceDay| {
        let trips = table.trips.iter().filter(move |trip| table.runs_on(trip, on.day));
        trips.map(move |trip| Run::scheduled(table, trip, on))
    };
    let runs: Vec<_> = days.flat_map(on).collect();
    let mut reached: HashMap<u32, Timestamp> = HashMap::new();
    loop {
        let mut better = false;
        for calls in &runs {
            let mut aboard = false;
            for call in calls {
                let here = call.station;
                if let (true, Access::Open, Some(arrival)) = (aboard, call.alight, call.arrival)
                    && arrival.scheduled <= until
                    && reached.get(&here).is_none_or(|&kept| arrival.scheduled < kept)
                {
                    reached.insert(here, arrival.scheduled);
                    better = true;
                }
                let walked = walks.get(&here).into_iter().flatten();
                let walked = walked.filter_map(|(other, by)| Some(reached.get(other)?.plus(*by)));
                let stayed = reached.get(&here).map(|at| at.plus(MIN_CHANGE));
                let ready = if here == from { Some(at) } else { walked.chain(stayed).min() };
                let leaves = call.departure.filter(|_| call.board == Access::Open);
                aboard |= leaves.is_some_and(|leaves| ready.is_some_and(|ready| ready <= leaves.scheduled));
            }
        }
        if !better {
            return reached.get(&to).copied();
        }
    }
}

#[tokio::test]
async fn the_demo_and_the_sncf_feed_agree_with_a_plain_search() {
    let sncf = shared_data("gtfs/sncf-tgv-2024-12.zip").map(|path| (path, date(2025, 1, 9)));
    for (path, day) in sncf.into_iter().chain([(demo_path(), date(2026, 12, 18))]) {
        let table = Timetable::load(&path, "").unwrap();
        let planner = Local::new(
            TimetableHandle::new(Timetable::load(&path, "").unwrap()),
            LiveHandle::default(),
            LiveLimits::default(),
            false,
        );
        let walks = walks(&table, &path);
        let stations = table.stations();
        let midnight = paris(&format!("{day}T00:00"));
        for round in 0..60_usize {
            let (from, to) =
                (&stations[round * 7919 % stations.len()], &stations[(round * 104_729 + 3) % stations.len()]);
            if from.id == to.id {
                continue;
            }
            let at = midnight.plus(Duration::from_secs((round as u64 * 2_617) % 86_400));
            let until = at.plus(Duration::from_secs(86_400));
            let told =
                planner.journeys(&query(&from.id, &to.id, When::DepartAfter(at)), at).await.unwrap().value;
            let expected = plain(&table, &walks, (&from.id, &to.id), at, until);
            assert_eq!(
                told.first().map(|journey| ends(journey).1),
                expected,
                "{} {} {at}",
                from.name,
                to.name
            );
        }
    }
}
