//! The trains of one service day as a journey search wants them: best times only, in order.

use super::planner::Moment;
use super::runs::{Run, ServiceDay, TimedCall, View};
use super::timetable::{Access, Call, Timetable};
use std::collections::{HashMap, HashSet};

/// No time, or none at which one can get on (or off).
pub(super) const NEVER: i64 = i64::MAX;

/// One service day with its live data.
#[derive(Debug)]
pub(super) struct DayNet {
    pub on: ServiceDay,
    pub runs: Vec<NetRun>,
    pub calls: Vec<NetCall>,
    /// Calls at which one can get on, by time.
    pub departures: Vec<u32>,
    /// Calls at which one can get off, by time.
    pub arrivals: Vec<u32>,
    /// Other trains run for which no exact time is known.
    pub incomplete: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct NetRun {
    pub source: RunSource,
    /// Of `DayNet::calls`.
    pub first: u32,
    pub end: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum RunSource {
    Trip(u32),
    /// The how-manieth of `View::added`.
    Added(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct NetCall {
    pub run: u32,
    pub stop: u32,
    pub station: u32,
    /// Microseconds; [`NEVER`] where one cannot get off at a known time.
    pub arrival: i64,
    /// The same for getting on.
    pub departure: i64,
    /// The train stops here.
    pub stops: bool,
}

/// All calls of the timetable by departure and by arrival within their service day: made once, so that a day is filtered and
/// not sorted.
#[derive(Debug)]
pub(super) struct Order {
    by_departure: Vec<u32>,
    by_arrival: Vec<u32>,
}

impl Order {
    pub(super) fn new(calls: &[Call]) -> Self {
        let order = |time: fn(&Call) -> Option<u32>| {
            let of = |call: &u32| time(&calls[*call as usize]);
            let mut order: Vec<u32> = (0..calls.len() as u32).filter(|call| of(call).is_some()).collect();
            order.sort_by_key(of);
            order
        };
        Self { by_departure: order(|call| call.departure), by_arrival: order(|call| call.arrival) }
    }
}

impl DayNet {
    pub(super) fn new(view: View<'_>, on: ServiceDay) -> Self {
        let mut net = Self {
            on,
            runs: Vec::new(),
            calls: Vec::new(),
            departures: Vec::new(),
            arrivals: Vec::new(),
            incomplete: false,
        };
        let changed: HashSet<u32> = view.overlay.changed_on(on.day).map(|(trip, _)| trip).collect();
        // By trip: how far its calls moved on their way into this day. Only for those that run as scheduled.
        let mut moved: HashMap<u32, i64> = HashMap::new();
        let mut otherwise = Vec::new();
        for (index, trip) in view.table.trips.iter().enumerate() {
            let index = index as u32;
            if !view.table.runs_on(trip, on.day) {
                continue;
            }
            if !trip.headways.is_empty() || view.overlay.is_unclear(index) {
                net.incomplete = true;
                continue;
            }
            let run = view.run(index, on);
            if run.cancelled() || run.live.is_some_and(|live| live.added) {
                continue;
            }
            let first = net.push(run, RunSource::Trip(index));
            if changed.contains(&index) {
                otherwise.push(net.runs.len() - 1);
            } else {
                moved.insert(index, i64::from(first) - i64::from(trip.calls.start));
            }
        }
        for (rank, run) in view.added().enumerate().filter(|(_, run)| run.on.day == on.day) {
            net.push(run, RunSource::Added(rank));
            otherwise.push(net.runs.len() - 1);
        }
        net.sort(view.table, &moved, &otherwise);
        net
    }

    fn push(&mut self, run: Run<'_>, source: RunSource) -> u32 {
        let first = self.calls.len() as u32;
        for call in run.calls() {
            self.incomplete |= !call.skipped && is_vague(&call);
            let net_call = self.call(&call);
            self.calls.push(net_call);
        }
        self.runs.push(NetRun { source, first, end: self.calls.len() as u32 });
        first
    }

    fn call(&self, call: &TimedCall) -> NetCall {
        let time = |moment: Option<Moment>, access: Access| {
            let open = access == Access::Open && !call.skipped;
            moment.filter(|_| open).map_or(NEVER, |moment| moment.best().0)
        };
        NetCall {
            run: self.runs.len() as u32,
            stop: call.stop,
            station: call.station,
            arrival: time(call.arrival, call.alight),
            departure: time(call.departure, call.board),
            stops: !call.skipped,
        }
    }

    fn sort(&mut self, table: &Timetable, moved: &HashMap<u32, i64>, otherwise: &[usize]) {
        let trips = &table.calls;
        let mut shift = vec![None; table.trips.len()];
        moved.iter().for_each(|(&trip, &by)| shift[trip as usize] = Some(by));
        let here = |&call: &u32| {
            let by: i64 = shift[trips[call as usize].trip as usize]?;
            u32::try_from(i64::from(call) + by).ok()
        };
        let rest = || {
            let runs = otherwise.iter().map(|&run| self.runs[run]);
            runs.flat_map(|run| run.first..run.end)
        };
        let calls = &self.calls;
        let departs = |call: &u32| calls[*call as usize].departure;
        let arrives = |call: &u32| calls[*call as usize].arrival;
        let mut departures: Vec<u32> =
            table.order.by_departure.iter().filter_map(here).chain(rest()).collect();
        departures.retain(|call| departs(call) != NEVER);
        let mut arrivals: Vec<u32> = table.order.by_arrival.iter().filter_map(here).chain(rest()).collect();
        arrivals.retain(|call| arrives(call) != NEVER);
        // Stable, and nearly sorted already: cheap.
        departures.sort_by_key(departs);
        arrivals.sort_by_key(arrives);
        (self.departures, self.arrivals) = (departures, arrivals);
    }
}

/// Passengers may get on or off here, at no known time or by telephone.
fn is_vague(call: &TimedCall) -> bool {
    let untimed = call.arrival.is_none() && call.departure.is_none();
    let open = call.board != Access::Closed || call.alight != Access::Closed;
    (untimed && open) || call.board == Access::Arranged || call.alight == Access::Arranged
}
