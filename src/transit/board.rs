//! Departures and arrivals of a station, or between two; first and last of a day.

use super::planner::{Board, BoardQuery, Ends, FirstLast, Moment, Ride, Unknown};
use super::runs::{Run, ServiceDay, View};
use super::timetable::{Access, Call, Timetable, after};
use crate::model::Timestamp;
use jiff::civil::Date;
use std::ops::Range;

impl View<'_> {
    /// Looks at each call of the station on a few days: work is bounded by the feed, not by the question.
    pub(super) fn board(self, query: &BoardQuery) -> Result<Board, Unknown> {
        let day = self.table.local(query.at).date();
        let on = self.table.covered(day)?;
        let places = self.table.places(&query.station, query.other.as_deref())?;
        let window = query.at..on.ends();
        let mut search = Search::new(self, places, query.ends, day, window, Moment::best);
        search.walk();
        let (rides, cancelled) = search.sorted();
        let build = |found: &Found| found.run.ride(found.from, found.to);
        Ok(Board {
            rides: rides.iter().take(query.limit).map(build).collect(),
            cancelled: cancelled.iter().map(build).collect(),
            day,
            direct: search.direct,
            incomplete: search.incomplete,
        })
    }

    /// The trains scheduled from 04:00 of that day to 04:00 of the next that do run.
    pub(super) fn first_last(self, from: &str, to: Option<&str>, day: Date) -> Result<FirstLast, Unknown> {
        let on = self.table.covered(day)?;
        let places = self.table.places(from, to)?;
        let window = on.begins()..on.ends();
        let mut search = Search::new(self, places, Ends::Departures, day, window, |moment| moment.scheduled);
        search.walk();
        let (rides, _) = search.sorted();
        let build = |found: &Found| -> Ride { found.run.ride(found.from, found.to) };
        let (first, last) = (rides.first().map(build), rides.last().map(build));
        Ok(FirstLast { day, first, last, incomplete: search.incomplete })
    }
}

impl Timetable {
    pub(super) fn covered(&self, day: Date) -> Result<ServiceDay, Unknown> {
        let (first, last) = self.validity();
        let on = ServiceDay::new(self, day).filter(|_| first <= day && day <= last);
        on.ok_or(Unknown::OutOfRange { day, first, last })
    }

    /// The indices of two stations that must differ.
    pub(super) fn places(&self, one: &str, other: Option<&str>) -> Result<(u32, Option<u32>), Unknown> {
        let index = |id: &str| self.served_station(id).ok_or_else(|| Unknown::Station(id.to_owned()));
        let places = (index(one)?, other.map(index).transpose()?);
        if places.1 == Some(places.0) { Err(Unknown::SameStation) } else { Ok(places) }
    }
}

/// A run and where one gets on and off.
pub(super) struct Found<'a> {
    /// By the clock of the search.
    at: Timestamp,
    pub run: Run<'a>,
    pub from: usize,
    pub to: usize,
}

/// One walk over the calls of a station.
pub(super) struct Search<'a> {
    view: View<'a>,
    here: u32,
    other: Option<u32>,
    ends: Ends,
    day: Date,
    window: Range<Timestamp>,
    /// The time by which trains are in the window and in order.
    clock: fn(&Moment) -> Timestamp,
    found: Vec<Found<'a>>,
    cancelled: Vec<Found<'a>>,
    pub direct: bool,
    pub incomplete: bool,
}

/// What a walk along a run needs to know of a call.
#[derive(Clone, Copy)]
struct Spot {
    station: u32,
    board: Access,
    alight: Access,
}

impl<'a> Search<'a> {
    /// `day` is the one that trains without exact times make incomplete.
    pub(super) fn new(
        view: View<'a>,
        (here, other): (u32, Option<u32>),
        ends: Ends,
        day: Date,
        window: Range<Timestamp>,
        clock: fn(&Moment) -> Timestamp,
    ) -> Self {
        let (found, cancelled) = (Vec::new(), Vec::new());
        Self {
            view,
            here,
            other,
            ends,
            day,
            window,
            clock,
            found,
            cancelled,
            direct: false,
            incomplete: false,
        }
    }

    pub(super) fn walk(&mut self) {
        let days = self.view.service_days(self.window.start, self.window.end);
        for &call in &self.view.table.at_station[self.here as usize] {
            self.visit(call, &days);
        }
        for run in self.view.added() {
            let spot = |index| {
                let call = run.call(index);
                Spot { station: call.station, board: call.board, alight: call.alight }
            };
            for index in 0..run.len() {
                let pair = Some(index).filter(|&index| spot(index).station == self.here);
                if let Some((from, to)) = pair.and_then(|index| self.pair(index, run.len(), spot)) {
                    self.direct = true;
                    self.list(run, from, to);
                }
            }
        }
    }

    fn visit(&mut self, index: u32, days: &[ServiceDay]) {
        let table = self.view.table;
        let trip_index = table.calls[index as usize].trip;
        let trip = &table.trips[trip_index as usize];
        let calls = table.calls_of(trip);
        let spot = |index: usize| {
            let Call { station, board, alight, .. } = calls[index];
            Spot { station, board, alight }
        };
        let Some((from, to)) = self.pair((index - trip.calls.start) as usize, calls.len(), spot) else {
            return;
        };
        self.direct = true;
        for &on in days.iter().filter(|on| table.runs_on(trip, on.day)) {
            let end = if self.ends == Ends::Departures { calls[from].departure } else { calls[to].arrival };
            match end {
                Some(time) if !trip.headways.is_empty() => {
                    for shifts in &trip.headways {
                        let open = after(on.start, i64::from(time) + shifts.start);
                        let close = after(on.start, i64::from(time) + shifts.end);
                        self.incomplete |= close > self.window.start && open < self.window.end;
                    }
                }
                None if !trip.headways.is_empty() => self.incomplete |= on.day == self.day,
                _ if self.view.overlay.is_unclear(trip_index) => self.incomplete |= on.day == self.day,
                _ => {
                    let run = self.view.run(trip_index, on);
                    // One that runs wholly otherwise is found among the added ones.
                    if !run.live.is_some_and(|live| live.added) {
                        self.list(run, from, to);
                    }
                }
            }
        }
    }

    /// Where a passenger at this call gets on and off: the asked station at the other end, else the end (or the start) of the
    /// line. None: the train does not link them, or passes here once more in between.
    fn pair(&self, here: usize, len: usize, spot: impl Fn(usize) -> Spot) -> Option<(usize, usize)> {
        let at = spot(here).station;
        match (self.ends, self.other) {
            (Ends::Departures, _) if spot(here).board == Access::Closed => None,
            (Ends::Arrivals, _) if spot(here).alight == Access::Closed => None,
            (Ends::Departures, Some(to)) => {
                let ahead = (here + 1..len).take_while(|&index| spot(index).station != at);
                let mut ahead = ahead.filter(|&index| spot(index).alight != Access::Closed);
                Some((here, ahead.find(|&index| spot(index).station == to)?))
            }
            (Ends::Departures, None) => {
                let open = |&index: &usize| spot(index).station != at && spot(index).alight != Access::Closed;
                Some((here, (here + 1..len).rfind(open)?))
            }
            (Ends::Arrivals, Some(from)) => {
                let behind = (0..here).rev().take_while(|&index| spot(index).station != at);
                let mut behind = behind.filter(|&index| spot(index).board != Access::Closed);
                Some((behind.find(|&index| spot(index).station == from)?, here))
            }
            (Ends::Arrivals, None) => {
                let open = |&index: &usize| spot(index).station != at && spot(index).board != Access::Closed;
                Some(((0..here).find(open)?, here))
            }
        }
    }

    fn list(&mut self, run: Run<'a>, from: usize, to: usize) {
        let (from, to) = if self.other.is_none() { self.short_of(run, from, to) } else { (from, to) };
        let (boarding, leaving) = (run.call(from), run.call(to));
        let moment = if self.ends == Ends::Departures { boarding.departure } else { leaving.arrival };
        let arranged = boarding.board == Access::Arranged || leaving.alight == Access::Arranged;
        let Some(moment) = moment.filter(|_| !arranged) else {
            self.incomplete |= run.on.day == self.day && !run.cancelled();
            return;
        };
        if run.cancelled() || boarding.skipped || leaving.skipped {
            if self.window.contains(&moment.scheduled) {
                self.cancelled.push(Found { at: moment.scheduled, run, from, to });
            }
            return;
        }
        let at = (self.clock)(&moment);
        if self.window.contains(&at) {
            self.found.push(Found { at, run, from, to });
        }
    }

    /// Without an asked other end, a train that is cut short goes to (or comes from) where it still stops.
    fn short_of(&self, run: Run<'a>, from: usize, to: usize) -> (usize, usize) {
        let stops = |index: &usize| !run.call(*index).skipped;
        if run.cancelled() {
            return (from, to);
        }
        match self.ends {
            Ends::Departures => (from, (from + 1..=to).rfind(stops).unwrap_or(to)),
            Ends::Arrivals => ((from..to).find(stops).unwrap_or(from), to),
        }
    }

    /// Those that run, and those that do not. To be asked once.
    pub(super) fn sorted(&mut self) -> (Vec<Found<'a>>, Vec<Found<'a>>) {
        (unique(std::mem::take(&mut self.found)), unique(std::mem::take(&mut self.cancelled)))
    }
}

/// In order of time. The same numbered train under two services that both run today is one train.
fn unique(mut found: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let key = |found: &Found<'_>| {
        let (leaves, arrives) = (found.run.call(found.from).departure, found.run.call(found.to).arrival);
        let instant = |moment: Option<Moment>| moment.map(|moment| moment.best());
        let number = found.run.number().map(str::to_owned);
        (found.at, number, found.run.terminus().to_owned(), instant(leaves), instant(arrives))
    };
    found.sort_by_cached_key(key);
    found.dedup_by(|a, b| a.run.number().is_some() && key(a) == key(b));
    found
}
