//! Live data laid over the timetable: which runs go otherwise than scheduled.
//!
//! Rules of GTFS-Realtime (<https://gtfs.org/documentation/realtime/reference/>, TripUpdate): a delay holds on until the next stop
//! that says otherwise; "no data" ends it; a skipped stop does not. What contradicts itself is not believed: a run whose times
//! would go backwards keeps its scheduled times and has no expected ones. What is cancelled or skipped stays so. A delay of the run
//! as a whole is where it stands now against its schedule: what it would have passed with that delay, it has passed.

use super::live::{Running, Shift, Snapshot, StopChange, TripChange};
use super::planner::Moment;
use super::runs::{Run, ServiceDay, TimedCall, View};
use super::timetable::{Access, Timetable};
use crate::model::{Timestamp, TrainKey};
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// A shift beyond this is a damaged value, not a delay: microseconds of a day.
const LARGEST_SHIFT: i64 = 24 * 3600 * 1_000_000;
/// How far ahead "the next run" may lie of an update that names no day.
const NEXT_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// The runs that live data speaks of. Independent of the time at which it is asked.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    runs: Vec<LiveRun>,
    /// By trip and service day, into `runs`.
    changed: HashMap<(u32, Date), usize>,
    /// Trips of repeated patterns that live data speaks of without saying which start is meant.
    unclear: HashSet<u32>,
}

/// A run as it goes today.
#[derive(Debug)]
pub(super) struct LiveRun {
    pub key: TrainKey,
    /// Only where no trip of the timetable stands behind it.
    pub route: Option<u32>,
    pub cancelled: bool,
    /// Its calls are those of live data alone.
    pub added: bool,
    /// As many as the trip's, unless added.
    pub calls: Vec<TimedCall>,
    /// When the publisher measured it.
    pub as_of: Timestamp,
}

impl Overlay {
    pub(super) fn new(table: &Timetable, snapshot: &Snapshot) -> Self {
        let mut overlay = Self::default();
        let mut chosen: BTreeMap<(u32, Date), &TripChange> = BTreeMap::new();
        let mut strangers = 0_usize;
        for (id, changes) in &snapshot.trips {
            if let Some(repeated) = table.repeats.get(id.as_str()) {
                overlay.unclear.extend(repeated);
                continue;
            }
            let trip = table.trip_by_id.get(id.as_str()).copied();
            for change in changes {
                match trip {
                    Some(trip) => choose(&mut chosen, table, trip, change),
                    None if change.running == Running::Added => {
                        overlay.runs.extend(added(table, id, change));
                    }
                    None => strangers += 1,
                }
            }
        }
        if strangers > 0 {
            tracing::debug!(strangers, "live changes of trips that the timetable does not have: left out");
        }
        overlay.apply(table, &chosen);
        overlay
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// What live data says of a scheduled run; none: nothing.
    pub(super) fn of(&self, trip: u32, day: Date) -> Option<&LiveRun> {
        self.changed.get(&(trip, day)).map(|&index| &self.runs[index])
    }

    pub(super) fn added(&self) -> impl Iterator<Item = &LiveRun> {
        self.runs.iter().filter(|run| run.added)
    }

    /// Live data speaks of this trip, and it is not known of which start.
    pub(super) fn is_unclear(&self, trip: u32) -> bool {
        self.unclear.contains(&trip)
    }

    /// Every run of the timetable that live data speaks of.
    pub(super) fn changed(&self) -> impl Iterator<Item = (u32, Date)> {
        self.changed.keys().copied()
    }

    /// Runs of the timetable that go otherwise on that day.
    pub(super) fn changed_on(&self, day: Date) -> impl Iterator<Item = (u32, &LiveRun)> {
        let of_day = self.changed.iter().filter(move |((_, on), _)| *on == day);
        of_day.map(|(&(trip, _), &index)| (trip, &self.runs[index]))
    }

    fn apply(&mut self, table: &Timetable, chosen: &BTreeMap<(u32, Date), &TripChange>) {
        for (&(trip, day), change) in chosen {
            let twins = twins(table, trip, day).filter(|&twin| !chosen.contains_key(&(twin, day)));
            for trip in std::iter::once(trip).chain(twins) {
                let Some(on) = ServiceDay::new(table, day) else { continue };
                let run = match change.running {
                    Running::Added => {
                        // The timetable's own run is replaced, even by nothing that we can read.
                        let id = &table.trips[trip as usize].id;
                        added(table, id, change).unwrap_or_else(|| cancelled(table, trip, on, change.as_of))
                    }
                    Running::Cancelled => cancelled(table, trip, on, change.as_of),
                    Running::Scheduled => live_run(table, trip, on, change),
                };
                self.changed.insert((trip, day), self.runs.len());
                self.runs.push(run);
            }
        }
    }
}

/// Of several changes of one run the worst holds, then the newest.
fn choose<'a>(
    chosen: &mut BTreeMap<(u32, Date), &'a TripChange>,
    table: &Timetable,
    trip: u32,
    change: &'a TripChange,
) {
    let Some(day) = day_of(table, trip, change) else { return };
    let rank = |change: &TripChange| (change.running == Running::Cancelled, change.as_of);
    let kept = chosen.entry((trip, day)).or_insert(change);
    if rank(change) > rank(kept) {
        *kept = change;
    }
}

/// Feeds list one train under several services; live data names one of them. All that run that day under the same number
/// with the same calls are that train.
fn twins(table: &Timetable, trip: u32, day: Date) -> impl Iterator<Item = u32> {
    let own = &table.trips[trip as usize];
    let same = own.number.as_ref().and_then(|number| table.by_number.get(number));
    let calls = table.calls_of(own);
    same.into_iter().flatten().copied().filter(move |&other| {
        let twin = &table.trips[other as usize];
        let theirs = table.calls_of(twin);
        other != trip
            && theirs.len() == calls.len()
            && calls
                .iter()
                .zip(theirs)
                .all(|(a, b)| (a.station, a.arrival, a.departure) == (b.station, b.arrival, b.departure))
            && table.runs_on(twin, day)
    })
}

/// The service day of a change; none where no run of the trip can be meant.
fn day_of(table: &Timetable, trip: u32, change: &TripChange) -> Option<Date> {
    let own = &table.trips[trip as usize];
    if change.running == Running::Added {
        return change.day.or_else(|| Some(table.local(first_time(change)?).date()));
    }
    if let Some(day) = change.day {
        return table.runs_on(own, day).then_some(day);
    }
    let view = View { table, overlay: &Overlay::default() };
    let days = view.service_days(change.as_of, change.as_of.plus(NEXT_WITHIN));
    let days = days.into_iter().filter(|on| table.runs_on(own, on.day));
    // A clock time tells the day by itself: that on which it is nearest to the schedule.
    if let Some(at) = first_time(change) {
        let distance = |on: &ServiceDay| {
            let times = Run::scheduled(table, own, *on);
            let times = times.iter().filter_map(|call| call.departure.or(call.arrival));
            times.map(|moment| (at.0 - moment.scheduled.0).abs()).min().unwrap_or(i64::MAX)
        };
        return days.min_by_key(distance).map(|on| on.day);
    }
    let days = days.filter(|on| {
        let run = live_run(table, trip, *on, change);
        let last = run.calls.iter().rev().find_map(|call| call.arrival.or(call.departure));
        last.is_some_and(|last| last.best() >= change.as_of)
    });
    let first = |on: &ServiceDay| {
        let calls = Run::scheduled(table, own, *on);
        calls.iter().find_map(|call| call.departure).map(|moment| moment.scheduled)
    };
    let soon = change.as_of.plus(NEXT_WITHIN);
    days.min_by_key(|on| on.start).filter(|on| first(on).is_none_or(|first| first <= soon)).map(|on| on.day)
}

fn first_time(change: &TripChange) -> Option<Timestamp> {
    let at = |shift: Option<Shift>| match shift {
        Some(Shift::At(at)) => Some(at),
        _ => None,
    };
    change.stops.iter().find_map(|stop| at(stop.arrival).or(at(stop.departure)))
}

fn cancelled(table: &Timetable, trip: u32, on: ServiceDay, as_of: Timestamp) -> LiveRun {
    let trip = &table.trips[trip as usize];
    let key = TrainKey { trip: trip.id.to_string(), day: on.day };
    let calls = Run::scheduled(table, trip, on);
    LiveRun { key, route: None, cancelled: true, added: false, calls, as_of }
}

fn live_run(table: &Timetable, trip: u32, on: ServiceDay, change: &TripChange) -> LiveRun {
    let mut run = cancelled(table, trip, on, change.as_of);
    if change.running == Running::Cancelled {
        return run;
    }
    let changes = matched(table, &run.calls, &change.stops);
    for (call, change) in run.calls.iter_mut().zip(&changes) {
        if let Some(change) = change {
            call.skipped = change.skipped;
            call.stop = assigned(table, call, change);
        }
    }
    let scheduled = run.calls.clone();
    if shift(&mut run.calls, change.delay, &changes).is_none() || !flows(&run.calls) {
        tracing::debug!("live times of a trip contradict each other: scheduled times stay");
        run.calls = scheduled;
    }
    forget_impossible(&mut run.calls);
    // A train that stops once or never takes nobody anywhere.
    run.cancelled = run.calls.iter().filter(|call| !call.skipped).count() < 2;
    run
}

/// The change of each call, by `stop_sequence` where it agrees with the stop, else by the stop.
fn matched<'a>(
    table: &Timetable,
    calls: &[TimedCall],
    stops: &'a [StopChange],
) -> Vec<Option<&'a StopChange>> {
    let station = |id: &str| {
        let stop = table.stop_by_id.get(id).map(|&stop| table.stops[stop as usize].station);
        stop.or_else(|| table.station_by_id.get(id).copied())
    };
    let mut found = vec![None; calls.len()];
    let mut next = 0;
    for change in stops {
        let named = change.stop_id.as_deref().map(station);
        let agrees = |call: &TimedCall| named.is_none_or(|station| station == Some(call.station));
        let numbered = change.sequence.and_then(|sequence| {
            calls.iter().position(|call| call.sequence == sequence).filter(|&index| agrees(&calls[index]))
        });
        let by_stop = || {
            named?;
            (next..calls.len()).find(|&index| agrees(&calls[index]))
        };
        if let Some(index) = numbered.or_else(by_stop)
            && found[index].is_none()
        {
            found[index] = Some(change);
            next = index + 1;
        }
    }
    found
}

/// The platform that live data names, if it is one of that station.
fn assigned(table: &Timetable, call: &TimedCall, change: &StopChange) -> u32 {
    let named = change.assigned_stop_id.as_deref().or(change.stop_id.as_deref());
    let stop = named.and_then(|id| table.stop_by_id.get(id).copied());
    stop.filter(|&stop| table.stops[stop as usize].station == call.station).unwrap_or(call.stop)
}

/// Gives calls their expected times; `whole` is the delay of the run, in seconds. None: some shift is beyond belief.
fn shift(calls: &mut [TimedCall], whole: Option<i64>, changes: &[Option<&StopChange>]) -> Option<()> {
    let mut delay: Option<i64> = measured(whole.map(Shift::Delay), None)?;
    let expect = |moment: &mut Option<Moment>, delay: Option<i64>| {
        if let (Some(moment), Some(delay)) = (moment.as_mut(), delay) {
            moment.expected = Some(Timestamp(moment.scheduled.0.saturating_add(delay)));
        }
    };
    for (call, change) in calls.iter_mut().zip(changes) {
        let (mut arrival, mut departure) = (delay, delay);
        match change {
            Some(change) if change.skipped => continue,
            Some(change) if change.no_data => (arrival, departure) = (None, None),
            Some(change) => {
                let own = measured(change.arrival, call.arrival.or(call.departure))?;
                arrival = own.or(delay);
                departure = measured(change.departure, call.departure.or(call.arrival))?.or(arrival);
            }
            None => {}
        }
        expect(&mut call.arrival, arrival);
        expect(&mut call.departure, departure);
        delay = departure;
    }
    Some(())
}

/// A shift in microseconds. None outside: beyond belief; none inside: nothing is said.
fn measured(shift: Option<Shift>, moment: Option<Moment>) -> Option<Option<i64>> {
    let shift = match (shift, moment) {
        (Some(Shift::Delay(seconds)), _) => Some(seconds.saturating_mul(1_000_000)),
        (Some(Shift::At(at)), Some(moment)) => Some(at.0.saturating_sub(moment.scheduled.0)),
        _ => None,
    };
    let believed = |shift: i64| shift.unsigned_abs() <= LARGEST_SHIFT.unsigned_abs();
    shift.is_none_or(believed).then_some(shift)
}

/// Expected times never go backwards along the run.
fn flows(calls: &[TimedCall]) -> bool {
    let stops = calls.iter().filter(|call| !call.skipped);
    let moments = stops.flat_map(|call| [call.arrival, call.departure]).flatten();
    moments.filter_map(|moment| moment.expected).is_sorted()
}

/// A scheduled time that the train's expected times have overtaken is no knowledge any more.
fn forget_impossible(calls: &mut [TimedCall]) {
    let mut reached: Option<Timestamp> = None;
    for call in calls.iter_mut().filter(|call| !call.skipped) {
        for moment in [&mut call.arrival, &mut call.departure] {
            match *moment {
                Some(Moment { expected: Some(expected), .. }) => reached = Some(expected),
                Some(Moment { scheduled, .. }) if reached.is_some_and(|at| scheduled < at) => *moment = None,
                _ => {}
            }
        }
    }
}

/// A run that only live data has. None: it cannot be told where it goes, or its times contradict each other.
fn added(table: &Timetable, id: &str, change: &TripChange) -> Option<LiveRun> {
    let day = change.day.or_else(|| Some(table.local(first_time(change)?).date()))?;
    let moment = |shift: Option<Shift>| match shift {
        Some(Shift::At(at)) => Some(Moment { scheduled: at, expected: Some(at) }),
        _ => None,
    };
    let mut calls = Vec::new();
    for (rank, stop) in change.stops.iter().enumerate().filter(|(_, stop)| !stop.skipped) {
        let named = stop.assigned_stop_id.as_deref().or(stop.stop_id.as_deref());
        let place = *table.stop_by_id.get(named?)?;
        calls.push(TimedCall {
            stop: place,
            planned: place,
            station: table.stops[place as usize].station,
            sequence: stop.sequence.unwrap_or(rank as u32),
            arrival: moment(stop.arrival),
            departure: moment(stop.departure),
            board: Access::Open,
            alight: Access::Open,
            skipped: false,
        });
    }
    let route = change.route.as_deref();
    let route = route.and_then(|id| table.routes.iter().position(|route| *route.id == *id));
    let run = LiveRun {
        key: TrainKey { trip: id.to_owned(), day },
        route: route.map(|index| index as u32),
        cancelled: false,
        added: true,
        calls,
        as_of: change.as_of,
    };
    (run.calls.len() >= 2 && flows(&run.calls)).then_some(run)
}
