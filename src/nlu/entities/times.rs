//! Times and dates as customers write them, resolved to instants in the operator's time zone.

mod ahead;
mod context;
mod dates;
mod days;
pub(super) mod numbers;
mod ranges;
mod resolve;
pub(super) mod spoken;
#[cfg(test)]
mod tests;

use super::clock_words::{self, Beside, Clock};
use super::{MAX_ENTITIES, Mention};
use crate::model::{EntityValue, Timestamp};
use crate::nlu::normalise::{Normalised, Sep};
use ahead::Distance;
use context::{bound_at, is_link};
use days::{Days, plus_days};
use jiff::ZonedDateTime;
use std::ops::Range;

/// How a time bounds what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Around,
    Before,
    After,
    /// After, the time itself included: "dès lundi" begins on Monday, "après lundi" when it is over.
    From,
}

/// Pieces of one expression, gathered word by word.
#[derive(Debug, Clone, Default, PartialEq)]
struct Parts {
    days: Option<Days>,
    /// Hours of the day, from and to.
    part: Option<(i8, i8)>,
    clock: Option<Clock>,
    /// The other end of "entre 14h et 16h".
    until: Option<Clock>,
    bound: Option<Bound>,
    /// Minutes from now: "dans 20 min", "now".
    ahead: Option<i64>,
    /// The words of the clock time.
    clock_words: Range<usize>,
}

/// Times and dates in `text`, in order; `now` is in the operator's zone.
pub fn find(text: &Normalised, now: &ZonedDateTime) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens.len() && found.len() < MAX_ENTITIES {
        match expression(text, at, now) {
            Some(mention) => {
                at = mention.tokens.end;
                found.push(mention);
            }
            None => at += 1,
        }
    }
    found
}

fn expression(text: &Normalised, start: usize, now: &ZonedDateTime) -> Option<Mention> {
    if text.tokens[start].sigil.is_some() {
        return None;
    }
    let mut parts = Parts::default();
    let (mut first, mut at) = (start, start);
    let mut found = piece(text, at, now, &mut parts);
    if found.is_none()
        && let Some(words) = bound_at(text, at)
    {
        at += words.len;
        parts.bound = Some(words.bound);
        first = if words.inside { start } else { at };
        found = piece(text, at, now, &mut parts);
    }
    let mut end = match found {
        Some(end) => end,
        None => {
            let (part, end) = context::lone_part(text, start)?;
            parts.part = Some(part);
            end
        }
    };
    while let Some((more, after)) = continued(text, end, now, &parts) {
        parts = more;
        end = after;
    }
    if is_delay(text, &parts) {
        return None;
    }
    if parts.bound == Some(Bound::Around) && parts.clock.is_none() {
        // "this is about today"
        first = at;
    }
    let (from, to) = resolve::resolve(&parts, now)?;
    let value = EntityValue::Time {
        start: Timestamp::from_jiff(from.timestamp()),
        end: Timestamp::from_jiff(to.timestamp()),
    };
    Some(Mention { tokens: first..end, value })
}

/// The next piece of the same time: "demain vers 18h", "tomorrow at half past six", "samedi 14 dans l'après-midi".
fn continued(text: &Normalised, end: usize, now: &ZonedDateTime, parts: &Parts) -> Option<(Parts, usize)> {
    let mut more = parts.clone();
    let mut next = end;
    while next < end + 4 && is_near(text, next) {
        let mut tried = more.clone();
        if let Some(after) = piece(text, next, now, &mut tried) {
            // "du 4/06, 2h de retard": the delay is no part of the date.
            let new = tried != more && (parts.clock.is_some() || !is_delay(text, &tried));
            return new.then_some((tried, after));
        }
        if let Some(words) = bound_at(text, next) {
            more.bound = Some(words.bound);
            next += words.len;
        } else if is_link(text.word(next)) {
            next += 1;
        } else {
            return None;
        }
    }
    None
}

fn is_delay(text: &Normalised, parts: &Parts) -> bool {
    parts.clock.is_some() && context::is_duration(text, parts.clock_words.start, parts.clock_words.end, parts)
}

fn is_near(text: &Normalised, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|token| token.before != Sep::Stop)
}

/// One piece from `at`; the word after it.
fn piece(text: &Normalised, at: usize, now: &ZonedDateTime, parts: &mut Parts) -> Option<usize> {
    if at >= text.tokens.len() || parts.ahead.is_some() {
        return None;
    }
    if let Some((far, end)) = ahead::distance(text, at) {
        match far {
            Distance::Minutes(minutes) => parts.ahead = Some(minutes),
            Distance::Days(_) if parts.days.is_some() => return None,
            Distance::Days(days) => parts.days = Some(Days::new(plus_days(now.date(), days)?, 1)),
        }
        return Some(end);
    }
    if parts.days.is_none()
        && let Some((days, end)) = days::day(text, at, now.date())
    {
        parts.days = Some(days);
        return Some(end);
    }
    if parts.part.is_none()
        && (parts.days.is_some() || parts.clock.is_some())
        && let Some((part, end)) = context::part(text, at)
    {
        parts.part = Some(part);
        return Some(end);
    }
    if parts.clock.is_none() { clock(text, at, parts) } else { None }
}

/// A time of day, or two with what lies between them.
fn clock(text: &Normalised, at: usize, parts: &mut Parts) -> Option<usize> {
    let beside = Beside { day: parts.days.is_some() || parts.part.is_some(), bound: parts.bound.is_some() };
    if let Some((first, second, end)) = ranges::range(text, at, beside) {
        (parts.clock, parts.until, parts.bound) = (Some(first), Some(second), None);
        parts.clock_words = at..end;
        return Some(end);
    }
    let (clock, end) = clock_words::clock(text, at, beside)?;
    if clock.vague {
        parts.bound = Some(Bound::Around);
    }
    parts.clock = Some(clock);
    parts.clock_words = at..end;
    Some(end)
}
