//! From the pieces of an expression to instants. Hours that the clocks skip or repeat are read as jiff's
//! "compatible" rule does.

use super::super::clock_words::Clock;
use super::days::plus_days;
use super::{Bound, Parts};
use jiff::civil::Date;
use jiff::{ToSpan, ZonedDateTime};

/// A time that passed less than this ago means today: "the 18:04 is late" is often said at 18:20.
const GRACE_MINUTES: i64 = 180;
/// "vers 18h" reaches this far to both sides.
const AROUND_MINUTES: i64 = 30;

/// From when to when; a point has both the same.
pub(super) fn resolve(parts: &Parts, now: &ZonedDateTime) -> Option<(ZonedDateTime, ZonedDateTime)> {
    if let Some(minutes) = parts.ahead {
        let at = now.checked_add(minutes.minutes()).ok()?;
        return Some((at.clone(), at));
    }
    let part = parts.part.or(parts.days.and_then(|days| days.part));
    let day = parts.days.map(|days| days.first);
    let (start, end) = match (&parts.clock, part) {
        (Some(clock), part) => {
            let start = clock_time(clock, part, day, now)?;
            match &parts.until {
                Some(until) => return Some((start.clone(), end_of_range(until, part, &start, now)?)),
                None => (start.clone(), start),
            }
        }
        (None, Some(hours)) => part_of_day(hours, day, now)?,
        (None, None) => {
            let days = parts.days?;
            (at_hour(days.first, 0, now)?, at_hour(plus_days(days.first, days.count)?, 0, now)?)
        }
    };
    bounded(parts.bound, start, end, now)
}

fn part_of_day(
    (from, to): (i8, i8),
    day: Option<Date>,
    now: &ZonedDateTime,
) -> Option<(ZonedDateTime, ZonedDateTime)> {
    let on = |date: Date| Some((at_hour(date, from, now)?, at_hour(date, to, now)?));
    let (start, end) = on(day.unwrap_or(now.date()))?;
    // "in the morning" said at noon is tomorrow's.
    if day.is_none() && end < *now { on(plus_days(now.date(), 1)?) } else { Some((start, end)) }
}

fn bounded(
    bound: Option<Bound>,
    start: ZonedDateTime,
    end: ZonedDateTime,
    now: &ZonedDateTime,
) -> Option<(ZonedDateTime, ZonedDateTime)> {
    let point = start == end;
    match bound {
        Some(Bound::Around) if point => Some((
            start.checked_sub(AROUND_MINUTES.minutes()).ok()?,
            end.checked_add(AROUND_MINUTES.minutes()).ok()?,
        )),
        Some(Bound::Before) => {
            // Midnight ends the day before it.
            let day = start.checked_sub(1.minute()).ok()?.date();
            let begin = at_hour(day, 0, now)?;
            let soon = begin < *now || !point;
            Some((if soon && *now < start { now.clone() } else { begin }, start))
        }
        Some(Bound::After) => {
            let day_end = at_hour(plus_days(start.date(), 1)?, 0, now)?;
            Some((end.clone(), day_end.max(end)))
        }
        Some(Bound::From) => {
            let day_end = at_hour(plus_days(start.date(), 1)?, 0, now)?;
            Some((start, day_end.max(end)))
        }
        _ => Some((start, end)),
    }
}

/// `hour` may pass 24: the next day's morning.
fn at_hour(date: Date, hour: i8, now: &ZonedDateTime) -> Option<ZonedDateTime> {
    at_time(date, hour, 0, now)
}

fn at_time(date: Date, hour: i8, minute: i8, now: &ZonedDateTime) -> Option<ZonedDateTime> {
    let date = plus_days(date, i32::from(hour / 24))?;
    date.at(hour % 24, minute, 0, 0).to_zoned_datetime(now.time_zone().clone()).ok()
}

/// The hour once the part of the day has spoken, and whether its half of the day is still open.
fn settled_hour(clock: &Clock, part: Option<(i8, i8)>) -> (i8, bool) {
    let Some((from, _)) = part else { return (clock.hour, clock.twelve && clock.hour < 12) };
    let small = clock.hour < if from >= 22 { 6 } else { 4 };
    match clock.hour {
        // "tonight at one" is after midnight.
        hour if from >= 18 && small => (hour + 24, false),
        hour if from >= 12 && hour < 12 => (hour + 12, false),
        hour => (hour, false),
    }
}

fn clock_time(
    clock: &Clock,
    part: Option<(i8, i8)>,
    day: Option<Date>,
    now: &ZonedDateTime,
) -> Option<ZonedDateTime> {
    let (hour, open) = settled_hour(clock, part);
    let on = |date: Date, hour: i8| at_time(date, hour, clock.minute, now);
    let earliest = now.checked_sub(GRACE_MINUTES.minutes()).ok()?;
    if let Some(date) = day {
        let at = on(date, hour)?;
        // "tomorrow at half past six" is the morning's; "at two" hardly is; today only what is still to come.
        let late = open && ((1..=4).contains(&hour) || date == now.date() && at < earliest);
        return if late { on(date, hour + 12) } else { Some(at) };
    }
    let today = now.date();
    let hour = hour % 24;
    let mut choices = vec![on(today, hour)];
    if open {
        choices.push(on(today, hour + 12));
    }
    choices.push(on(plus_days(today, 1)?, hour));
    choices.into_iter().flatten().find(|at| *at >= earliest)
}

/// The first time after `start` that the clock shows.
fn end_of_range(
    clock: &Clock,
    part: Option<(i8, i8)>,
    start: &ZonedDateTime,
    now: &ZonedDateTime,
) -> Option<ZonedDateTime> {
    let (hour, open) = settled_hour(clock, part);
    let date = start.date();
    let mut choices = vec![at_time(date, hour, clock.minute, now)];
    if open {
        choices.push(at_time(date, hour + 12, clock.minute, now));
    }
    choices.push(at_time(plus_days(date, 1)?, hour % 24, clock.minute, now));
    choices.into_iter().flatten().find(|at| at > start)
}
