//! The feed read by hand, without any of the product's code, and the plainest search there is: every train of the day is
//! looked at again until no station is reached earlier.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

/// Seconds since 1970.
pub type Instant = i64;

pub struct Call {
    pub station: String,
    /// Seconds from noon minus twelve hours.
    pub arrival: i64,
    pub departure: i64,
    pub board: bool,
    pub alight: bool,
}

pub struct Trip {
    pub service: String,
    pub number: String,
    pub calls: Vec<Call>,
}

pub struct Feed {
    pub trips: BTreeMap<String, Trip>,
    /// By station id.
    pub names: BTreeMap<String, String>,
    pub days: BTreeMap<String, BTreeSet<Date>>,
    zone: TimeZone,
}

/// A trip on a day, in instants.
pub struct Run<'a> {
    pub number: &'a str,
    pub calls: Vec<Stop<'a>>,
}

pub struct Stop<'a> {
    pub station: &'a str,
    pub arrival: Instant,
    pub departure: Instant,
    pub board: bool,
    pub alight: bool,
}

fn rows(archive: &mut zip::ZipArchive<File>, name: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(archive.by_name(name).unwrap());
    reader.deserialize().map(Result::unwrap).collect()
}

fn seconds(clock: &str) -> i64 {
    let parts: Vec<i64> = clock.split(':').map(|part| part.trim().parse().unwrap()).collect();
    parts[0] * 3600 + parts[1] * 60 + parts[2]
}

impl Feed {
    /// Of this feed only: it has no calendar.txt, no frequencies, an empty transfers.txt, and a time at each stop.
    pub fn read(path: &Path) -> Self {
        let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
        assert!(archive.by_name("calendar.txt").is_err() && archive.by_name("frequencies.txt").is_err());
        assert!(rows(&mut archive, "transfers.txt").is_empty());
        let zone = TimeZone::get(&rows(&mut archive, "agency.txt")[0]["agency_timezone"]).unwrap();
        let (mut parents, mut names) = (HashMap::new(), BTreeMap::new());
        for row in rows(&mut archive, "stops.txt") {
            let id = row["stop_id"].clone();
            let parent = Some(&row["parent_station"]).filter(|id| !id.is_empty()).unwrap_or(&id);
            parents.insert(id.clone(), parent.clone());
            names.insert(id, row["stop_name"].clone());
        }
        let mut days: BTreeMap<String, BTreeSet<Date>> = BTreeMap::new();
        for row in rows(&mut archive, "calendar_dates.txt") {
            assert_eq!(row["exception_type"], "1");
            let day = Date::strptime("%Y%m%d", &row["date"]).unwrap();
            days.entry(row["service_id"].clone()).or_default().insert(day);
        }
        let mut calls: HashMap<String, Vec<(i64, Call)>> = HashMap::new();
        for row in rows(&mut archive, "stop_times.txt") {
            let call = Call {
                station: parents[&row["stop_id"]].clone(),
                arrival: seconds(&row["arrival_time"]),
                departure: seconds(&row["departure_time"]),
                board: row["pickup_type"] == "0",
                alight: row["drop_off_type"] == "0",
            };
            let rank = row["stop_sequence"].parse().unwrap();
            calls.entry(row["trip_id"].clone()).or_default().push((rank, call));
        }
        let mut trips = BTreeMap::new();
        for row in rows(&mut archive, "trips.txt") {
            let Some(mut calls) = calls.remove(&row["trip_id"]) else { continue };
            calls.sort_by_key(|(rank, _)| *rank);
            let calls = calls.into_iter().map(|(_, call)| call).collect();
            let (service, number) = (row["service_id"].clone(), row["trip_headsign"].clone());
            trips.insert(row["trip_id"].clone(), Trip { service, number, calls });
        }
        Self { trips, names, days, zone }
    }

    pub fn runs_on(&self, trip: &Trip, day: Date) -> bool {
        self.days.get(&trip.service).is_some_and(|days| days.contains(&day))
    }

    /// The instant that the day's times count from.
    pub fn start(&self, day: Date) -> Instant {
        let noon = day.at(12, 0, 0, 0).to_zoned_datetime(self.zone.clone()).unwrap();
        noon.timestamp().as_second() - 12 * 3600
    }

    pub fn instant(&self, day: Date, hour: i8, minute: i8) -> Instant {
        day.at(hour, minute, 0, 0).to_zoned_datetime(self.zone.clone()).unwrap().timestamp().as_second()
    }

    /// All runs of the days given.
    pub fn runs(&self, days: impl Iterator<Item = Date>) -> Vec<Run<'_>> {
        let mut found = Vec::new();
        for day in days {
            let start = self.start(day);
            for trip in self.trips.values().filter(|trip| self.runs_on(trip, day)) {
                let calls = trip.calls.iter().map(|call| Stop {
                    station: &call.station,
                    arrival: start + call.arrival,
                    departure: start + call.departure,
                    board: call.board,
                    alight: call.alight,
                });
                found.push(Run { number: &trip.number, calls: calls.collect() });
            }
        }
        found
    }
}

/// When the station `to` is reached first, leaving `from` at `at` or later. `change`: seconds between getting off and on.
pub fn earliest_arrival(
    runs: &[Run<'_>],
    from: &str,
    to: &str,
    at: Instant,
    until: Instant,
    change: i64,
) -> Option<Instant> {
    let mut reached: HashMap<&str, Instant> = HashMap::new();
    let mut better = true;
    while better {
        better = false;
        for run in runs {
            let mut aboard = false;
            for stop in &run.calls {
                let known = reached.get(stop.station).copied();
                if aboard
                    && stop.alight
                    && stop.arrival <= until
                    && known.is_none_or(|known| stop.arrival < known)
                {
                    reached.insert(stop.station, stop.arrival);
                    better = true;
                }
                let ready = reached.get(stop.station).map(|arrival| arrival + change);
                let ready = if stop.station == from { Some(at) } else { ready };
                aboard |= stop.board && ready.is_some_and(|ready| stop.departure >= ready);
            }
        }
    }
    reached.get(to).copied()
}

/// The same the other way: the latest departure that still arrives by `at`, and not before `since`.
pub fn latest_departure(
    runs: &[Run<'_>],
    from: &str,
    to: &str,
    at: Instant,
    since: Instant,
    change: i64,
) -> Option<Instant> {
    let mut leaves: HashMap<&str, Instant> = HashMap::new();
    let mut better = true;
    while better {
        better = false;
        for run in runs {
            let mut useful = false;
            for stop in run.calls.iter().rev() {
                let known = leaves.get(stop.station).copied();
                if useful
                    && stop.board
                    && stop.departure >= since
                    && known.is_none_or(|known| stop.departure > known)
                {
                    leaves.insert(stop.station, stop.departure);
                    better = true;
                }
                let due = leaves.get(stop.station).map(|departure| departure - change);
                let due = if stop.station == to { Some(at) } else { due };
                useful |= stop.alight && due.is_some_and(|due| stop.arrival <= due);
            }
        }
    }
    leaves.get(from).copied()
}

/// (departure, arrival, number) of the direct trains from one station to another that leave in `at..until`, each once.
pub fn direct(
    runs: &[Run<'_>],
    from: &str,
    to: &str,
    at: Instant,
    until: Instant,
) -> Vec<(Instant, Instant, String)> {
    let mut found = Vec::new();
    for run in runs {
        let Some(on) = run.calls.iter().position(|call| call.station == from && call.board) else { continue };
        let Some(off) = run.calls[on + 1..].iter().find(|call| call.station == to && call.alight) else {
            continue;
        };
        if (at..until).contains(&run.calls[on].departure) {
            found.push((run.calls[on].departure, off.arrival, run.number.to_owned()));
        }
    }
    found.sort();
    found.dedup();
    found
}
