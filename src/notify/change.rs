//! What became of a train that a customer has heard of. Pure.
//!
//! A change is worth a message when the customer would act otherwise for it:
//! - the train is cancelled, or no longer stops where they get on or off; or it runs after we had said the contrary;
//! - it leaves or arrives later than they heard, by more than `late_by`; a delay that was told must grow by
//!   `late_again_by`;
//! - it leaves earlier than they heard, by more than `late_by`: who counts on a told delay would miss it. Once a train;
//! - it leaves from another platform.
//!
//! Live data that falls silent about a train is no news of it: without a word from live data about that very stop,
//! nothing is told to be back on time, back on its platform, or running again.

use crate::model::{RideChange as Kind, StationRef, Timestamp, ToldRide, TrainKey};
use crate::store::Told;
use crate::transit::planner::{Moment, Ride, Run, Stop, Train};
use std::time::Duration;

/// Corrections of times and platforms about one train, between two answers: a feed that changes its mind all the time
/// is left to itself.
const MOST_CORRECTIONS: i64 = 3;
/// Corrections in all: whether a train runs at all is told beyond that.
const MOST_IN_ALL: i64 = 5;

/// From when on lateness counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub late_by: Duration,
    pub late_again_by: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub kind: Kind,
    /// What the customer last heard; the schedule, when they heard nothing.
    pub told: ToldRide,
    /// What is true now.
    pub now: ToldRide,
    /// What customers call the train.
    pub label: String,
}

impl Change {
    /// The earliest moment at which the customer must know.
    pub fn departs(&self) -> Timestamp {
        self.told.departs.min(self.now.departs)
    }

    /// By how much it leaves or arrives later than told.
    pub fn late(&self) -> Duration {
        lateness(&self.told, &self.now)
    }
}

fn lateness(told: &ToldRide, now: &ToldRide) -> Duration {
    let arrival = told.arrives.zip(now.arrives).map_or(Duration::ZERO, |(told, now)| now.since(told));
    now.departs.since(told.departs).max(arrival)
}

/// The key of an event of a train, shared by corrections and watches.
pub(super) fn event(key: &TrainKey, what: &str) -> String {
    format!("train|{}|{}|{what}", key.trip, key.day)
}

fn label(train: &Train) -> String {
    let words: Vec<&str> = [&train.brand, &train.number].into_iter().flatten().map(String::as_str).collect();
    match (words.is_empty(), &train.line) {
        (true, Some(line)) => line.clone(),
        (true, None) => train.terminus.clone(),
        (false, _) => words.join(" "),
    }
}

/// How `run` contradicts what was told; none: it does not, or the train has left, or enough was said about it.
pub(super) fn against(told: &Told, run: &Run, limits: Limits, now: Timestamp) -> Option<Change> {
    let ride = &told.ride;
    let (from, to) = calls(run, ride)?;
    let change = |kind, now| Some(Change { kind, told: ride.clone(), now, label: label(&run.train) });
    let may_run = told.corrections < MOST_IN_ALL;
    if let Some(kind) = gone(&run.train, from, to) {
        let leaves = from.departure.map_or(ride.departs, |moment| moment.best().max(ride.departs));
        let news = !ride.cancelled && leaves > now && may_run;
        return if news { change(kind, ToldRide { cancelled: true, ..ride.clone() }) } else { None };
    }
    let departure = from.departure?;
    let truth = ToldRide {
        departs: departure.best(),
        arrives: to.and_then(|to| to.arrival).map(|moment| moment.best()),
        platform: from.platform.clone().or_else(|| ride.platform.clone()),
        cancelled: false,
        ..ride.clone()
    };
    if truth.departs <= now {
        return None;
    }
    let live = departure.expected.is_some();
    if ride.cancelled {
        return if live && may_run { change(Kind::Running, truth) } else { None };
    }
    if told.corrections >= MOST_CORRECTIONS {
        return None;
    }
    let limit = if told.delays == 0 { limits.late_by } else { limits.late_again_by };
    let live_platform = live || from.planned_platform.is_some();
    let moved = ride.platform.is_some() && truth.platform != ride.platform;
    if lateness(ride, &truth) > limit {
        change(Kind::Later, truth)
    } else if live && ride.departs.since(truth.departs) > limits.late_by {
        change(Kind::Earlier, truth)
    } else if live_platform && moved {
        change(Kind::Platform, truth)
    } else {
        None
    }
}

fn gone(train: &Train, from: &Stop, to: Option<&Stop>) -> Option<Kind> {
    if train.cancelled {
        Some(Kind::Cancelled)
    } else if from.skipped {
        Some(Kind::NotFrom)
    } else if to.is_some_and(|to| to.skipped) {
        Some(Kind::NotTo)
    } else {
        None
    }
}

/// Where the customer gets on and off. A train that calls twice is meant at the call nearest to the told time.
fn calls<'a>(run: &'a Run, ride: &ToldRide) -> Option<(&'a Stop, Option<&'a Stop>)> {
    let away = |stop: &Stop| {
        stop.departure
            .map_or(i64::MAX, |moment| (moment.scheduled.0.saturating_sub(ride.departs.0)).saturating_abs())
    };
    let boards = |stop: &Stop| stop.station.id == ride.from.id && (stop.departure.is_some() || stop.skipped);
    let (at, from) = run.stops.iter().enumerate().filter(|(_, s)| boards(s)).min_by_key(|(_, s)| away(s))?;
    let to = ride.to.as_ref().and_then(|to| run.stops[at + 1..].iter().find(|s| s.station.id == to.id));
    Some((from, to))
}

/// What a watched train does otherwise than scheduled, at the stops that are still ahead, each with the key of its event.
/// `was_cancelled`: the contact was told so.
pub(super) fn of_run(
    run: &Run,
    was_cancelled: bool,
    limits: Limits,
    now: Timestamp,
) -> Vec<(String, Change)> {
    let ahead: Vec<&Stop> =
        run.stops.iter().filter(|s| s.departure.is_some_and(|d| d.best() > now)).collect();
    let Some(first) = ahead.first() else { return Vec::new() };
    let key = |what: String| event(&run.train.key, &what);
    let last = run.stops.last().map(|stop| &stop.station);
    let change = |kind, stop: &Stop| change_at(kind, &run.train, stop, last);
    if run.train.cancelled {
        return change(Kind::Cancelled, first).map(|c| (key("cancelled".into()), c)).into_iter().collect();
    }
    let mut found = Vec::new();
    if was_cancelled && first.departure.is_some_and(|d| d.expected.is_some()) {
        found.extend(change(Kind::Running, first).map(|c| (key("running".into()), c)));
    }
    for stop in ahead.iter().filter(|stop| stop.skipped) {
        let what = key(format!("skipped|{}", stop.station.id));
        found.extend(change(Kind::NotFrom, stop).map(|c| (what, c)));
    }
    let late = |stop: &&&Stop| stop.departure.map_or(Duration::ZERO, |d| d.best().since(d.scheduled));
    if let Some(worst) = ahead.iter().filter(|stop| !stop.skipped).max_by_key(late)
        && let Some(level) = level(late(&worst), limits)
    {
        found.extend(change(Kind::Later, worst).map(|c| (key(format!("late|{level}")), c)));
    }
    for stop in ahead.iter().filter(|stop| stop.planned_platform.is_some() && !stop.skipped) {
        let platform = stop.platform.as_deref().unwrap_or_default();
        let what = key(format!("platform|{}|{platform}", stop.station.id));
        found.extend(change(Kind::Platform, stop).map(|c| (what, c)));
    }
    found
}

/// What a train of a watched line, pair or station does otherwise than scheduled, with the key of its event.
pub(super) fn of_ride(ride: &Ride, limits: Limits) -> Option<(String, Change)> {
    let gone = gone(&ride.train, &ride.from, Some(&ride.to));
    let departure = ride.from.departure?;
    let level = level(departure.best().since(departure.scheduled), limits);
    // Of a whole line, that a train is late is told once, not how its delay grows.
    let (kind, what) = match (gone, level) {
        (Some(kind), _) => (kind, "cancelled"),
        (None, Some(_)) => (Kind::Later, "late|0"),
        (None, None) => return None,
    };
    let change = change_at(kind, &ride.train, &ride.from, Some(&ride.to.station))?;
    Some((event(&ride.train.key, what), change))
}

/// Which message about its lateness a train deserves, from 0; none: it is not late enough.
fn level(late: Duration, limits: Limits) -> Option<u64> {
    let beyond = late.checked_sub(limits.late_by)?;
    Some(beyond.as_secs() / limits.late_again_by.as_secs().max(1))
}

/// Held against the schedule.
fn change_at(kind: Kind, train: &Train, stop: &Stop, to: Option<&StationRef>) -> Option<Change> {
    let Moment { scheduled, .. } = stop.departure?;
    let told = ToldRide {
        key: train.key.clone(),
        number: train.number.clone(),
        from: stop.station.clone(),
        to: to.filter(|to| to.id != stop.station.id).cloned(),
        departs: scheduled,
        arrives: None,
        platform: stop.planned_platform.clone().or_else(|| stop.platform.clone()),
        cancelled: false,
    };
    let cancelled = matches!(kind, Kind::Cancelled | Kind::NotFrom | Kind::NotTo);
    let departs = if cancelled { scheduled } else { stop.departure?.best() };
    let now = ToldRide { departs, platform: stop.platform.clone(), cancelled, ..told.clone() };
    Some(Change { kind, told, now, label: label(train) })
}
