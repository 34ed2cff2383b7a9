//! The planner held against a second reading of a real feed that shares no code with it: the same earliest arrivals, and not
//! one offered train that the feed does not hold.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests

mod raw;

use futures::executor::block_on;
use guichet::model::Timestamp;
use guichet::transit::live::LiveHandle;
use guichet::transit::planner::{BoardQuery, Ends, Journey, JourneyQuery, Planner, Ride, When};
use guichet::transit::{LiveLimits, Local, MIN_CHANGE, Timetable, TimetableHandle};
use jiff::civil::{Date, date};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use raw::{Feed, Instant, Run};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FEED: &str = "gtfs/sncf-tgv-2024-12.zip";
const QUERIES: usize = 500;
const HOURS_24: i64 = 24 * 3600;

fn shared_data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(FEED);
    if path.exists() {
        return Some(path);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{FEED} is absent");
    eprintln!("absent, not tested: shared/data/{FEED}");
    None
}

fn planner(path: &Path) -> Local {
    let table = Timetable::load(path, "SNCF").unwrap();
    Local::new(TimetableHandle::new(table), LiveHandle::default(), LiveLimits::default(), false)
}

fn stamp(at: Instant) -> Timestamp {
    Timestamp(at * 1_000_000)
}

fn second(at: Timestamp) -> Instant {
    assert_eq!(at.0 % 1_000_000, 0);
    at.0 / 1_000_000
}

/// Runs of a day and of its neighbours, for many queries of the same day.
struct Days<'a> {
    feed: &'a Feed,
    around: BTreeMap<Date, Vec<Run<'a>>>,
}

impl<'a> Days<'a> {
    fn around(&mut self, day: Date) -> &[Run<'a>] {
        let feed = self.feed;
        let runs = || feed.runs((-2..=1).filter_map(|by| day.checked_add(jiff::Span::new().days(by)).ok()));
        self.around.entry(day).or_insert_with(runs)
    }
}

/// A query that some train could answer: its ends are calls of trains that meet, at whatever time.
fn drawn(rng: &mut StdRng, feed: &Feed, runs: &[Run<'_>]) -> (String, String) {
    loop {
        let one = &runs[rng.random_range(0..runs.len())];
        let from = rng.random_range(0..one.calls.len());
        let mut to = one.calls[rng.random_range(0..one.calls.len())].station;
        // One change, or two.
        for _ in 0..rng.random_range(0..3) {
            let met: Vec<&Run> =
                runs.iter().filter(|run| run.calls.iter().any(|call| call.station == to)).collect();
            let other = met[rng.random_range(0..met.len())];
            to = other.calls[rng.random_range(0..other.calls.len())].station;
        }
        let from = one.calls[from].station;
        if from != to && feed.names.contains_key(from) {
            return (from.to_owned(), to.to_owned());
        }
    }
}

/// Every ride is a train of the feed on its day, with these times at these stations, open there; changes take the minimum.
fn check(feed: &Feed, journey: &Journey, from: &str, to: &str) {
    let rides = &journey.rides;
    assert_eq!(rides.first().unwrap().from.station.id, from);
    assert_eq!(rides.last().unwrap().to.station.id, to);
    for ride in rides {
        check_ride(feed, ride);
    }
    for pair in rides.windows(2) {
        assert_eq!(pair[0].to.station.id, pair[1].from.station.id, "{journey:#?}");
        let wait = second(departs(&pair[1])) - second(arrives(&pair[0]));
        assert!(wait >= MIN_CHANGE.as_secs().cast_signed(), "{wait} s to change: {journey:#?}");
    }
}

fn check_ride(feed: &Feed, ride: &Ride) {
    let (id, day) = (&ride.train.key.trip, ride.train.key.day);
    let trip = &feed.trips[id];
    assert!(feed.runs_on(trip, day), "{ride:#?}");
    assert_eq!(ride.train.number.as_deref(), Some(trip.number.as_str()));
    assert!(!ride.train.cancelled && !ride.train.added);
    let start = feed.start(day);
    let leaves = second(departs(ride)) - start;
    let arrives = second(arrives(ride)) - start;
    let on = trip
        .calls
        .iter()
        .position(|call| call.station == ride.from.station.id && call.departure == leaves && call.board);
    let off = trip
        .calls
        .iter()
        .rposition(|call| call.station == ride.to.station.id && call.arrival == arrives && call.alight);
    assert!(on.is_some() && on < off, "{ride:#?}");
}

fn departs(ride: &Ride) -> Timestamp {
    let moment = ride.from.departure.unwrap();
    assert_eq!(moment.expected, None);
    moment.scheduled
}

fn arrives(ride: &Ride) -> Timestamp {
    ride.to.arrival.unwrap().scheduled
}

fn ends(journey: &Journey) -> (Instant, Instant) {
    (second(departs(&journey.rides[0])), second(arrives(journey.rides.last().unwrap())))
}

#[test]
fn journeys_are_those_of_a_brute_force_search() {
    let Some(path) = shared_data() else { return };
    let (feed, planner) = (Feed::read(&path), planner(&path));
    let mut days = Days { feed: &feed, around: BTreeMap::new() };
    let mut rng = StdRng::seed_from_u64(20_241_220);
    let change = MIN_CHANGE.as_secs().cast_signed();
    let (mut reached, mut changed, mut offered, mut tight) = (0, 0, 0, 0);
    for number in 0..QUERIES {
        let day = date(2024, 12, 21).checked_add(jiff::Span::new().days(rng.random_range(0..95))).unwrap();
        let runs = days.around(day);
        let (from, to) = drawn(&mut rng, &feed, runs);
        let at = feed.instant(day, rng.random_range(0..24), rng.random_range(0..60));
        // Every fifth question is the other one.
        let backward = number % 5 == 4;
        let when = if backward { When::ArriveBefore(stamp(at)) } else { When::DepartAfter(stamp(at)) };
        let asked = format!("query {number}: {} → {} {when:?} on {day}", feed.names[&from], feed.names[&to]);
        let query = JourneyQuery { from: from.clone(), to: to.clone(), via: None, when, limit: 5 };
        let told = block_on(planner.journeys(&query, stamp(at - 2 * HOURS_24)));
        let journeys = told.unwrap_or_else(|error| panic!("{asked}: {error}")).value;
        for journey in &journeys {
            check(&feed, journey, &from, &to);
            let (departure, arrival) = ends(journey);
            assert!(if backward { arrival <= at } else { departure >= at }, "{asked}: {journey:#?}");
        }
        let best = journeys.first().map(|journey| if backward { ends(journey).0 } else { ends(journey).1 });
        let search = |change| {
            if backward {
                raw::latest_departure(runs, &from, &to, at, at - HOURS_24, change)
            } else {
                raw::earliest_arrival(runs, &from, &to, at, at + HOURS_24, change)
            }
        };
        let expected = search(change);
        assert_eq!(best, expected, "{asked}: {journeys:#?}");
        reached += usize::from(expected.is_some());
        changed += usize::from(journeys.first().is_some_and(|journey| journey.rides.len() > 1));
        offered += journeys.len();
        tight += usize::from(search(0) != expected);
    }
    println!(
        "{reached} of {QUERIES} answered, {changed} with changes, {offered} journeys offered; {tight} would be faster without \
         a minimum to change"
    );
    // Else nothing was compared.
    assert!(reached > QUERIES / 2 && changed > QUERIES / 10 && tight > 0, "{reached} {changed} {tight}");
}

fn board(planner: &Local, from: &str, to: &str, at: Instant) -> Vec<(Instant, Instant, String)> {
    let query = BoardQuery {
        station: from.to_owned(),
        other: Some(to.to_owned()),
        ends: Ends::Departures,
        at: stamp(at),
        limit: 1000,
    };
    let told = block_on(planner.board(&query, stamp(at))).unwrap().value;
    let row =
        |ride: &Ride| (second(departs(ride)), second(arrives(ride)), ride.train.number.clone().unwrap());
    let mut rows: Vec<_> = told.rides.iter().map(row).collect();
    rows.sort();
    rows
}

#[test]
fn departures_are_those_of_a_scan() {
    let Some(path) = shared_data() else { return };
    let (feed, planner) = (Feed::read(&path), planner(&path));
    let mut days = Days { feed: &feed, around: BTreeMap::new() };
    let named = |name: &str| {
        let found = feed.names.iter().find(|(id, known)| *known == name && id.starts_with("StopArea"));
        found.unwrap().0.clone()
    };
    // Counted in the feed by hand, once.
    let (paris, lyon) = (named("Paris Gare de Lyon Hall 1 - 2"), named("Lyon Part Dieu"));
    let day = date(2025, 1, 10);
    let at = feed.instant(day, 0, 0);
    let rows = board(&planner, &paris, &lyon, at);
    assert_eq!(rows.len(), 23);
    assert_eq!(rows, raw::direct(days.around(day), &paris, &lyon, at, at + 28 * 3600));

    let mut rng = StdRng::seed_from_u64(10);
    let mut compared = 0;
    for _ in 0..500 {
        let day = date(2024, 12, 21).checked_add(jiff::Span::new().days(rng.random_range(0..95))).unwrap();
        let runs = days.around(day);
        let run = &runs[rng.random_range(0..runs.len())];
        let (one, other) = (rng.random_range(0..run.calls.len()), rng.random_range(0..run.calls.len()));
        if one == other {
            continue;
        }
        let (from, to) = (run.calls[one.min(other)].station, run.calls[one.max(other)].station);
        let at = feed.instant(day, rng.random_range(0..24), rng.random_range(0..60));
        let expected = raw::direct(runs, from, to, at, feed.start(day) + 28 * 3600);
        assert_eq!(board(&planner, from, to, at), expected, "{from} {to} {at}");
        compared += expected.len();
    }
    assert!(compared > 1000, "{compared} trains compared");
}
