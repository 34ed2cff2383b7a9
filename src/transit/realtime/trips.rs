//! One trip update into a [`TripChange`], or why it says nothing that can be used.

use super::decode::{Budget, TripUpdate, Unusable, id};
use super::instant;
use super::wire;
use crate::model::Timestamp;
use crate::transit::live::{Running, Shift, StopChange, TripChange};
use jiff::civil::Date;

/// More calls than any train makes.
const MAX_STOPS: usize = 1000;
/// A longer delay is a mistake, in seconds.
const MAX_DELAY: i64 = 24 * 3600;

/// What `TripDescriptor.schedule_relationship` means for customers.
fn running(relationship: Option<i32>) -> Option<Running> {
    match relationship.unwrap_or(0) {
        0 => Some(Running::Scheduled),
        // CANCELED, and DELETED: cancelled, and not to be shown. Someone who asks for it by number must be told all the same.
        3 | 7 => Some(Running::Cancelled),
        // ADDED, REPLACEMENT, DUPLICATED, NEW: the stops are the whole run.
        1 | 5 | 6 | 8 => Some(Running::Added),
        // UNSCHEDULED (only a headway is known) and what later versions may bring.
        _ => None,
    }
}

const DUPLICATED: i32 = 6;

pub(super) fn read(
    update: wire::TripUpdate,
    now: Timestamp,
    budget: &mut Budget,
) -> Result<TripUpdate, Unusable> {
    let trip = update.trip.ok_or(Unusable::Meaningless)?;
    let running = running(trip.schedule_relationship).ok_or(Unusable::Meaningless)?;
    let (trip_id, start_date) = if trip.schedule_relationship == Some(DUPLICATED) {
        // Under its own name: under the original's it would be a change of the original.
        let properties = update.trip_properties.ok_or(Unusable::Meaningless)?;
        (properties.trip_id, properties.start_date.or(trip.start_date))
    } else {
        (trip.trip_id, trip.start_date)
    };
    let trip_id = id(trip_id)?.ok_or(Unusable::Meaningless)?;
    let day = day(start_date)?;
    if update.stop_time_update.len() > MAX_STOPS {
        return Err(Unusable::OverLimit);
    }
    let (delay, stops) = match running {
        Running::Cancelled => (None, Vec::new()),
        Running::Scheduled => changed(update.delay, update.stop_time_update, now)?,
        Running::Added => (None, whole_run(update.stop_time_update, now)?),
    };
    budget.spend(1 + stops.len())?;
    Ok(TripUpdate {
        trip_id,
        // 8:15:00 and 08:15:00 are the same.
        start_time: id(trip.start_time)?.map(|time| time.trim_start_matches('0').to_owned()),
        measured: instant::measured(update.timestamp, now),
        // The publisher's time is only known when the whole message was read.
        change: TripChange {
            day,
            running,
            route: id(trip.route_id)?,
            delay,
            stops,
            as_of: Timestamp::default(),
        },
    })
}

/// A date that is none is worse than no date: nobody knows which train is meant.
pub(super) fn day(text: Option<Vec<u8>>) -> Result<Option<Date>, Unusable> {
    match id(text)? {
        None => Ok(None),
        Some(text) => instant::date(&text).map(Some).ok_or(Unusable::Meaningless),
    }
}

/// The delay and the stops of a run that is otherwise as scheduled. Without any, "there is no prediction" and not "on time".
///
/// "Delay information in StopTimeUpdates takes precedence of trip-level delay information." Where a stop has a time, what lies
/// before it is mostly behind the train, and a delay told of it would be of a train that has left: the trip's own is not used then.
fn changed(
    delay: Option<i32>,
    updates: Vec<wire::StopTimeUpdate>,
    now: Timestamp,
) -> Result<(Option<i64>, Vec<StopChange>), Unusable> {
    let stops: Vec<StopChange> =
        updates.into_iter().map(|update| stop(update, now)).collect::<Result<_, _>>()?;
    // A stop that cannot be placed would let an earlier delay run on over it.
    let placed = stops.iter().all(|stop| stop.sequence.is_some() || stop.stop_id.is_some());
    let timed = stops.iter().any(|stop| stop.arrival.is_some() || stop.departure.is_some());
    let delay = delay.map(i64::from).filter(|delay| !timed && delay.abs() <= MAX_DELAY);
    if (stops.is_empty() && delay.is_none()) || !placed {
        return Err(Unusable::Meaningless);
    }
    Ok((delay, stops))
}

/// A run that no timetable knows is told whole or not at all: a missing time would be a train that nobody can catch.
fn whole_run(updates: Vec<wire::StopTimeUpdate>, now: Timestamp) -> Result<Vec<StopChange>, Unusable> {
    let stops: Vec<StopChange> =
        updates.into_iter().map(|update| stop(update, now)).collect::<Result<_, _>>()?;
    let timed = |stop: &StopChange| {
        let at = |shift: Option<Shift>| matches!(shift, Some(Shift::At(_)));
        stop.stop_id.is_some() && (stop.skipped || at(stop.departure) || at(stop.arrival))
    };
    if stops.len() < 2 || !stops.iter().all(timed) {
        return Err(Unusable::Meaningless);
    }
    Ok(stops)
}

fn stop(update: wire::StopTimeUpdate, now: Timestamp) -> Result<StopChange, Unusable> {
    let properties = update.stop_time_properties.unwrap_or_default();
    let relationship = update.schedule_relationship.unwrap_or(0);
    let skipped = relationship == 1;
    let timed = matches!(relationship, 0 | 3);
    let moment =
        |event: Option<wire::StopTimeEvent>| event.filter(|_| timed).and_then(|event| shift(&event, now));
    let (arrival, departure) = (moment(update.arrival), moment(update.departure));
    Ok(StopChange {
        sequence: update.stop_sequence,
        stop_id: id(update.stop_id)?,
        // A stop that is named without a time, with a wild one, or in words of a later version: nothing is known from here on.
        // (The official example calls such a stop on time; the reference calls its delay unknown. Unknown is never false.)
        no_data: !skipped && arrival.is_none() && departure.is_none(),
        arrival,
        departure,
        skipped,
        assigned_stop_id: id(properties.assigned_stop_id)?,
    })
}

/// "If both time and delay are specified, time will take precedence."
fn shift(event: &wire::StopTimeEvent, now: Timestamp) -> Option<Shift> {
    let time = event.time.filter(|time| *time != 0);
    if let Some(at) = time.and_then(|time| instant::at_stop(time, now)) {
        return Some(Shift::At(at));
    }
    let delay = i64::from(event.delay?);
    // A wild time beside it makes a delay doubtful as well.
    (time.is_none() && delay.abs() <= MAX_DELAY).then_some(Shift::Delay(delay))
}
