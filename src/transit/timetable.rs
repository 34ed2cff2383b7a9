//! The loaded timetable: its tables, and what can be read off them without a search.

use super::changes::Changes;
use super::nearby::Place;
use super::net::Order;
use super::planner::{ScheduledCall, ScheduledRun};
use super::service::{Service, day_start};
use crate::model::{StationRef, Timestamp, TrainKey};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

/// Trains by station and day. Immutable: a new feed makes a new one, swapped in through [`TimetableHandle`].
#[derive(Debug)]
pub struct Timetable {
    pub(super) source: Source,
    pub(super) zone: TimeZone,
    /// First and last service day the feed speaks for.
    pub(super) first: Date,
    pub(super) last: Date,
    /// Those of `stations` that scheduled trains call at come first; live data may name the others.
    pub(super) served: usize,
    pub(super) stations: Vec<StationRef>,
    /// Of each station, where the feed says it.
    pub(super) places: Vec<Option<Place>>,
    pub(super) station_by_id: HashMap<String, u32>,
    pub(super) stops: Vec<StopPoint>,
    pub(super) stop_by_id: HashMap<Box<str>, u32>,
    pub(super) services: Vec<Service>,
    pub(super) routes: Vec<Route>,
    pub(super) trips: Vec<Trip>,
    pub(super) trip_by_id: HashMap<Box<str>, u32>,
    /// By the `trip_id` of a pattern of `frequencies.txt`: the trips made of it.
    pub(super) repeats: HashMap<Box<str>, Vec<u32>>,
    pub(super) by_number: HashMap<Box<str>, Vec<u32>>,
    /// All calls, those of one trip side by side in running order.
    pub(super) calls: Vec<Call>,
    /// Calls at each station, as indices into `calls`.
    pub(super) at_station: Vec<Vec<u32>>,
    pub(super) order: Order,
    pub(super) changes: Changes,
    /// Each brand, terminus, platform and line once.
    pub(super) names: Vec<Box<str>>,
    /// The latest time of any service day, in seconds: how many days back a train may come from.
    pub(super) latest: i64,
}

/// Where the data comes from, for every sentence made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The network as customers know it.
    pub label: String,
    /// The publisher declares itself "(invented)": answers must say that nothing of it runs.
    pub invented: bool,
    /// When the data was made: a date inside `feed_version`, else `feed_start_date`, else the file's date.
    pub as_of: Date,
}

/// Index into `Timetable::names`.
pub(super) type Name = u32;

/// Where trains stop: a platform, or a station without any.
#[derive(Debug)]
pub(super) struct StopPoint {
    pub id: Box<str>,
    pub station: u32,
    pub platform: Option<Name>,
}

#[derive(Debug)]
pub(super) struct Route {
    pub id: Box<str>,
    pub short: Option<Name>,
    pub long: Option<Name>,
    pub agency: Option<Name>,
}

#[derive(Debug, Clone)]
pub(super) struct Trip {
    /// `trip_id`; with `@HH:MM:SS` behind it for one start of a repeated pattern.
    pub id: Box<str>,
    pub route: u32,
    /// None: the feed names a service it never describes, so the trip never runs.
    pub service: Option<u32>,
    pub number: Option<Box<str>>,
    pub brand: Option<Name>,
    pub terminus: Name,
    /// Of `Timetable::calls`.
    pub calls: Range<u32>,
    /// Not empty: the trip is a pattern that runs again and again between these shifts (seconds), at times that only the
    /// driver knows.
    pub headways: Vec<Range<i64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    Closed,
    /// By telephone, or a value we do not know: neither a plain yes nor a no.
    Arranged,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub trip: u32,
    pub stop: u32,
    pub station: u32,
    /// `stop_sequence`.
    pub sequence: u32,
    /// Seconds from the start of the service day; none: the feed gives no exact time here.
    pub arrival: Option<u32>,
    pub departure: Option<u32>,
    pub board: Access,
    pub alight: Access,
}

impl Timetable {
    pub fn source(&self) -> &Source {
        &self.source
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// First and last day the feed speaks for, both included.
    pub fn validity(&self) -> (Date, Date) {
        (self.first, self.last)
    }

    /// Stations with at least one train: the parent station, or the stop that has none.
    pub fn stations(&self) -> &[StationRef] {
        &self.stations[..self.served]
    }

    /// The names of the lines, short and long, each once.
    pub fn lines(&self) -> Vec<&str> {
        let named = self.routes.iter().flat_map(|route| [route.short, route.long]).flatten();
        let names: std::collections::BTreeSet<&str> = named.map(|name| self.name(name)).collect();
        names.into_iter().collect()
    }

    pub fn station(&self, id: &str) -> Option<&StationRef> {
        self.stations.get(self.served_station(id)? as usize)
    }

    /// The local day of an instant, on the feed's clock.
    pub fn local(&self, at: Timestamp) -> DateTime {
        at.to_jiff().to_zoned_datetime(self.zone.clone()).datetime()
    }

    /// All trains of a service day with their calls, in the order of the feed. Patterns of which only the headway is known have
    /// no times and are left out.
    pub fn runs(&self, day: Date) -> Vec<ScheduledRun> {
        let Some(start) = day_start(day, &self.zone) else {
            return Vec::new();
        };
        let at = |time: Option<u32>| time.map(|seconds| after(start, i64::from(seconds)));
        let call = |call: &Call| ScheduledCall {
            stop: self.stops[call.stop as usize].id.to_string(),
            station: self.stations[call.station as usize].id.clone(),
            sequence: call.sequence,
            arrival: at(call.arrival),
            departure: at(call.departure),
        };
        let run = |trip: &Trip| ScheduledRun {
            key: TrainKey { trip: trip.id.to_string(), day },
            route: self.routes[trip.route as usize].id.to_string(),
            number: trip.number.as_deref().map(str::to_owned),
            calls: self.calls_of(trip).iter().map(call).collect(),
        };
        let timed = self.trips.iter().filter(|trip| trip.headways.is_empty());
        timed.filter(|trip| self.runs_on(trip, day)).map(run).collect()
    }

    pub(super) fn runs_on(&self, trip: &Trip, day: Date) -> bool {
        trip.service.is_some_and(|service| self.services[service as usize].runs_on(day))
    }

    pub(super) fn calls_of(&self, trip: &Trip) -> &[Call] {
        &self.calls[trip.calls.start as usize..trip.calls.end as usize]
    }

    pub(super) fn served_station(&self, id: &str) -> Option<u32> {
        self.station_by_id.get(id).copied().filter(|&index| (index as usize) < self.served)
    }

    pub(super) fn name(&self, name: Name) -> &str {
        &self.names[name as usize]
    }
}

/// An instant of a service day that starts at `start`.
pub(super) fn after(start: Timestamp, seconds: i64) -> Timestamp {
    Timestamp(start.0.saturating_add(seconds.saturating_mul(1_000_000)))
}

/// The timetable that sources read now; empty until one is loaded. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct TimetableHandle(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    table: RwLock<Option<Arc<Timetable>>>,
    problem: RwLock<Option<String>>,
}

impl TimetableHandle {
    pub fn new(timetable: Timetable) -> Self {
        let handle = Self::default();
        handle.replace(timetable);
        handle
    }

    /// Readers that hold the old one finish with it.
    pub fn replace(&self, timetable: Timetable) {
        *self.0.table.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(timetable));
    }

    pub fn get(&self) -> Option<Arc<Timetable>> {
        self.0.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the feed as it is now is not in service; none: it is.
    pub fn problem(&self) -> Option<String> {
        self.0.problem.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The problem before.
    pub(super) fn set_problem(&self, problem: Option<String>) -> Option<String> {
        let mut kept = self.0.problem.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *kept, problem)
    }
}
