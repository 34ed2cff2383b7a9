//! One run of a train, with what live data says of it: what every question walks over.

use super::overlay::{LiveRun, Overlay};
use super::planner::{Moment, Ride, Stop, Train};
use super::service::{day_start, shifted};
use super::timetable::{Access, Call, Timetable, Trip, after};
use crate::model::{Timestamp, TrainKey};
use jiff::civil::Date;
use std::time::Duration;

const DAY: i64 = 24 * 3600;
/// A day of departures ends at 04:00 of the next morning: trains after midnight belong to the evening that customers speak of.
pub(super) const DAY_ENDS: Duration = Duration::from_secs(28 * 3600);
/// Hour at which the trains of the evening before are over.
const DAY_BEGINS: Duration = Duration::from_secs(4 * 3600);

/// A timetable and the live data that lies over it.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub table: &'a Timetable,
    pub overlay: &'a Overlay,
}

/// A service day and the instant that its times count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServiceDay {
    pub day: Date,
    pub start: Timestamp,
}

/// One call with its times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimedCall {
    /// Where the train stops by the best knowledge.
    pub stop: u32,
    /// Where the timetable has it.
    pub planned: u32,
    pub station: u32,
    pub sequence: u32,
    pub arrival: Option<Moment>,
    pub departure: Option<Moment>,
    pub board: Access,
    pub alight: Access,
    pub skipped: bool,
}

/// A run on a service day.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub table: &'a Timetable,
    /// None: only in live data.
    pub trip: Option<&'a Trip>,
    pub on: ServiceDay,
    pub live: Option<&'a LiveRun>,
}

impl ServiceDay {
    pub(super) fn new(table: &Timetable, day: Date) -> Option<Self> {
        Some(Self { day, start: day_start(day, &table.zone)? })
    }

    /// 04:00 of that morning.
    pub(super) fn begins(self) -> Timestamp {
        self.start.plus(DAY_BEGINS)
    }

    /// 04:00 of the next morning.
    pub(super) fn ends(self) -> Timestamp {
        self.start.plus(DAY_ENDS)
    }
}

impl<'a> View<'a> {
    pub(super) fn run(self, trip: u32, on: ServiceDay) -> Run<'a> {
        let live = self.overlay.of(trip, on.day);
        Run { table: self.table, trip: Some(&self.table.trips[trip as usize]), on, live }
    }

    /// Runs that no timetable has, or that run wholly otherwise.
    pub(super) fn added(self) -> impl Iterator<Item = Run<'a>> {
        let run = move |live: &'a LiveRun| {
            let on = ServiceDay::new(self.table, live.key.day)?;
            Some(Run { table: self.table, trip: None, on, live: Some(live) })
        };
        self.overlay.added().filter_map(run)
    }

    /// The service days whose trains may run between two instants: those before that run past midnight or late, up to
    /// the one after (its trains before 04:00).
    pub(super) fn service_days(self, from: Timestamp, until: Timestamp) -> Vec<ServiceDay> {
        let first = self.table.local(from).date();
        let last = self.table.local(until).date();
        let mut days = Vec::new();
        let mut offset = -(self.table.latest / DAY + 1);
        while let Some(day) = shifted(first, offset) {
            if days.len() > 32 || shifted(last, 1).is_none_or(|end| day > end) {
                break;
            }
            days.extend(ServiceDay::new(self.table, day));
            offset += 1;
        }
        days
    }
}

impl Call {
    fn timed(&self, start: Timestamp) -> TimedCall {
        let moment = |seconds: u32| Moment { scheduled: after(start, i64::from(seconds)), expected: None };
        TimedCall {
            stop: self.stop,
            planned: self.stop,
            station: self.station,
            sequence: self.sequence,
            arrival: self.arrival.map(moment),
            departure: self.departure.map(moment),
            board: self.board,
            alight: self.alight,
            skipped: false,
        }
    }
}

impl<'a> Run<'a> {
    /// As the timetable has it, whatever live data says.
    pub(super) fn scheduled(table: &Timetable, trip: &Trip, on: ServiceDay) -> Vec<TimedCall> {
        table.calls_of(trip).iter().map(|call| call.timed(on.start)).collect()
    }

    pub(super) fn len(&self) -> usize {
        match (self.live, self.trip) {
            (Some(live), _) => live.calls.len(),
            (None, Some(trip)) => trip.calls.len(),
            (None, None) => 0,
        }
    }

    /// `index` is below [`Run::len`].
    pub(super) fn call(&self, index: usize) -> TimedCall {
        match (self.live, self.trip) {
            (None, Some(trip)) => self.table.calls_of(trip)[index].timed(self.on.start),
            (live, _) => live.map_or(TimedCall::NOWHERE, |live| live.calls[index]),
        }
    }

    pub(super) fn calls(self) -> impl DoubleEndedIterator<Item = TimedCall> + use<'a> {
        (0..self.len()).map(move |index| self.call(index))
    }

    pub(super) fn cancelled(&self) -> bool {
        self.live.is_some_and(|live| live.cancelled)
    }

    pub(super) fn number(&self) -> Option<&'a str> {
        self.trip?.number.as_deref()
    }

    pub(super) fn route(&self) -> Option<u32> {
        self.trip.map(|trip| trip.route).or(self.live.and_then(|live| live.route))
    }

    pub(super) fn key(&self) -> TrainKey {
        match (self.live, self.trip) {
            (Some(live), _) => live.key.clone(),
            (None, trip) => {
                TrainKey { trip: trip.map(|trip| trip.id.to_string()).unwrap_or_default(), day: self.on.day }
            }
        }
    }

    /// Where it ends today: a train that is cut short does not go where its sign says.
    pub(super) fn terminus(&self) -> &'a str {
        let last = self.calls().rfind(|call| !call.skipped);
        let whole =
            self.live.is_none_or(|live| live.cancelled || live.calls.last().is_none_or(|call| !call.skipped));
        match (self.trip, last) {
            (Some(trip), _) if whole => self.table.name(trip.terminus),
            (_, Some(last)) => &self.table.stations[last.station as usize].name,
            (Some(trip), None) => self.table.name(trip.terminus),
            (None, None) => "",
        }
    }

    pub(super) fn train(&self) -> Train {
        let route = self.route().map(|route| &self.table.routes[route as usize]);
        let line = route.and_then(|route| route.short.or(route.long));
        let brand = match self.trip {
            Some(trip) => trip.brand,
            None => route.and_then(|route| route.short.or(route.long).or(route.agency)),
        };
        let name = |name| self.table.name(name).to_owned();
        Train {
            key: self.key(),
            number: self.number().map(str::to_owned),
            brand: brand.map(name),
            line: line.map(name),
            terminus: self.terminus().to_owned(),
            cancelled: self.cancelled(),
            added: self.live.is_some_and(|live| live.added),
        }
    }

    pub(super) fn stop(&self, index: usize) -> Stop {
        let call = self.call(index);
        let platform = |stop: u32| {
            let platform = self.table.stops[stop as usize].platform;
            platform.map(|platform| self.table.name(platform).to_owned())
        };
        Stop {
            station: self.table.stations[call.station as usize].clone(),
            arrival: call.arrival,
            departure: call.departure,
            platform: platform(call.stop),
            planned_platform: platform(call.planned)
                .filter(|planned| platform(call.stop).as_ref() != Some(planned)),
            skipped: call.skipped,
        }
    }

    /// From one call to a later one. An arrival that would lie before the departure (live data for one and not for the
    /// other) is not known.
    pub(super) fn ride(&self, from: usize, to: usize) -> Ride {
        let (from, mut to) = (self.stop(from), self.stop(to));
        if let (Some(leaves), Some(arrives)) = (from.departure, to.arrival)
            && arrives.best() < leaves.best()
        {
            to.arrival = None;
        }
        Ride { train: self.train(), from, to }
    }
}

impl TimedCall {
    /// Stands in where a run has no calls at all; nothing can be done at it.
    const NOWHERE: TimedCall = TimedCall {
        stop: 0,
        planned: 0,
        station: 0,
        sequence: 0,
        arrival: None,
        departure: None,
        board: Access::Closed,
        alight: Access::Closed,
        skipped: true,
    };
}
