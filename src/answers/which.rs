//! Which train a customer speaks of: by its number, or by where and when.

use super::asked::{Asked, Why, shifted};
use super::told::does_not_run;
use crate::model::{StationRef, Timestamp};
use crate::transit::planner::{BoardQuery, Ends, Moment, Ride, Run, Stop, Told};
use jiff::ToSpan;
use jiff::civil::Date;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// "Le train de 18 h" is the one of 18:04.
const SLACK: Duration = Duration::from_secs(10 * 60);
/// Trains of a board looked at to find the one of that time: late ones come later than scheduled.
const LOOKED_AT: usize = 40;
/// Trains told where the question does not tell them apart.
pub(super) const TOLD: usize = 3;

/// The runs of a number.
pub(super) struct Numbered {
    pub runs: Vec<Run>,
    pub day: Date,
}

/// The runs of that number on the asked day; without one on today's service day, or yesterday's while it is still under way.
pub(super) async fn numbered(asked: &Asked<'_>, number: &str) -> Result<Told<Numbered>, Why> {
    let now = asked.now();
    let on = async |day: Date| -> Result<Told<Numbered>, Why> {
        let told = asked.planner.train(number, day, now).await?;
        Ok(Told { value: Numbered { runs: told.value, day }, provenance: told.provenance })
    };
    if asked.when.is_some() {
        return on(asked.date(spoken_time(asked))).await;
    }
    let today = asked.today();
    // A feed that begins today knows nothing of yesterday; then nothing of it is under way.
    if let Ok(mut yesterday) = on(shifted(today, -1)).await {
        yesterday.value.runs.retain(|run| last_time(run).is_some_and(|end| end >= now));
        if !yesterday.value.runs.is_empty() {
            return Ok(yesterday);
        }
    }
    on(today).await
}

/// When the run ends, by the best that is known.
pub(super) fn last_time(run: &Run) -> Option<Timestamp> {
    run.stops.iter().rev().find_map(moment_of).map(|moment| moment.best())
}

/// Of a call: its departure, at the end of the line its arrival.
pub(super) fn moment_of(stop: &Stop) -> Option<Moment> {
    stop.departure.or(stop.arrival)
}

/// The start of the asked interval. An hour that has just gone by is today's: "mon train de 7 h 12 a du retard ?" at 7:30
/// speaks of no train of tomorrow, which is how a bare hour is read elsewhere.
pub(super) fn spoken_time(asked: &Asked<'_>) -> Timestamp {
    let (at, now) = (asked.at(), asked.now());
    let bare = asked.when.is_some_and(|window| window.start == window.end) && !asked.cues.tomorrow;
    if !bare || at <= now {
        return at;
    }
    let local = at.to_jiff().to_zoned_datetime(asked.zone.clone());
    let before = local.checked_sub(1.day()).map(|local| Timestamp::from_jiff(local.timestamp()));
    match before {
        Ok(before) if before <= now && now.since(before) <= HOUR * 6 => before,
        _ => at,
    }
}

/// The trains between two stations (or from one) that may be meant, those that do not run among them, in order of schedule.
/// One, where an hour was named and a train leaves about then.
pub(super) async fn between(
    asked: &Asked<'_>,
    from: &StationRef,
    to: Option<&StationRef>,
) -> Result<Told<Vec<Ride>>, Why> {
    let now = asked.now();
    let named = asked.when.map(|_| spoken_time(asked));
    let at = named.map_or(now.minus(MINUTE * 20), |at| at.minus(SLACK));
    let query = BoardQuery {
        station: from.id.clone(),
        other: to.map(|to| to.id.clone()),
        ends: Ends::Departures,
        at,
        limit: LOOKED_AT,
    };
    let told = asked.planner.board(&query, now).await?;
    let mut rides = told.value.rides;
    // What has left is no longer waited for, when no hour was named.
    rides.retain(|ride| {
        named.is_some() || leaves(ride).is_some_and(|moment| moment.best() >= now.minus(MINUTE))
    });
    let first_running = rides.first().and_then(leaves).map(|moment| moment.scheduled);
    let mut cancelled = told.value.cancelled;
    cancelled.retain(|ride| leaves(ride).is_some());
    rides.append(&mut cancelled);
    rides.sort_by_key(|ride| leaves(ride).map(|moment| moment.scheduled));
    let value = match asked.when {
        Some(window) if window.start == window.end => at_hour(rides, spoken_time(asked)),
        Some(_) => rides.into_iter().filter(|ride| within(asked, ride)).take(TOLD).collect(),
        None => {
            // What was cancelled long before the next train tells nothing of it.
            let old = |ride: &Ride| {
                let scheduled = leaves(ride).map(|moment| moment.scheduled);
                does_not_run(ride) && scheduled.zip(first_running).is_some_and(|(s, f)| s < f.minus(HOUR))
            };
            rides.into_iter().filter(|ride| !old(ride)).take(TOLD).collect()
        }
    };
    Ok(Told { value, provenance: told.provenance })
}

fn leaves(ride: &Ride) -> Option<Moment> {
    ride.from.departure
}

fn within(asked: &Asked<'_>, ride: &Ride) -> bool {
    let scheduled = leaves(ride).map(|moment| moment.scheduled);
    scheduled.is_some_and(|at| at >= asked.at().minus(SLACK) && asked.until().is_none_or(|end| at < end))
}

/// The one nearest to the named hour by its schedule, else the first ones after.
fn at_hour(rides: Vec<Ride>, hour: Timestamp) -> Vec<Ride> {
    let away = |ride: &Ride| {
        let scheduled = leaves(ride).map_or(Timestamp::default(), |moment| moment.scheduled);
        scheduled.since(hour).max(hour.since(scheduled))
    };
    let nearest = rides.iter().map(away).min().filter(|away| *away <= SLACK);
    match nearest {
        Some(nearest) => rides.into_iter().filter(|ride| away(ride) == nearest).collect(),
        None => {
            let later = |ride: &Ride| leaves(ride).is_some_and(|moment| moment.best() >= hour);
            rides.into_iter().filter(later).take(TOLD).collect()
        }
    }
}

/// The part of a run from one of its calls to a later one.
pub(super) fn ride_of(run: &Run, from: usize, to: usize) -> Option<Ride> {
    let (from, to) = (run.stops.get(from)?.clone(), run.stops.get(to)?.clone());
    Some(Ride { train: run.train.clone(), from, to })
}

/// Where the run calls at that station.
pub(super) fn call_at(run: &Run, station: &StationRef) -> Option<usize> {
    run.stops.iter().position(|stop| stop.station.id == station.id)
}

/// The ride that the stations of the question cut out of a run: to the end of the line where none is named. None: it does not
/// go there, or not in that order.
pub(super) fn asked_part(run: &Run, from: Option<&StationRef>, to: Option<&StationRef>) -> Option<Ride> {
    let from = match from {
        Some(station) => call_at(run, station)?,
        None => 0,
    };
    let to = match to {
        Some(station) => call_at(run, station)?,
        None => run.stops.len().checked_sub(1)?,
    };
    if to < from { None } else { ride_of(run, from, to) }
}
