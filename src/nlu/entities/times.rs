//! Times and dates as customers write them, resolved to instants in the operator's time zone.

#[cfg(test)]
mod tests;

use super::calendar_words::{month, part_of_day, weekday};
use super::clock_words::{self, Clock};
use super::{MAX_ENTITIES, Mention};
use crate::model::{EntityValue, Timestamp};
use crate::nlu::normalise::{Normalised, Sep};
use jiff::civil::{Date, Time};
use jiff::{Span, ToSpan, ZonedDateTime};

/// A time that passed less than this ago means today: "the 18:04 is late" is often said at 18:20.
const GRACE_MINUTES: i64 = 180;
/// "vers 18h" reaches this far to both sides.
const AROUND_MINUTES: i64 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Around,
    Before,
    After,
}

/// Pieces of one expression, gathered word by word.
#[derive(Debug, Clone, Default, PartialEq)]
struct Parts {
    /// First day and how many days.
    days: Option<(Date, i32)>,
    part: Option<(i8, i8)>,
    clock: Option<Clock>,
    bound: Option<Bound>,
    /// A finished interval in minutes from now: "dans 20 min", "now".
    ahead: Option<i64>,
}

/// Times and dates in `text`, in order; `now` is in the operator's zone.
pub fn find(text: &Normalised, now: &ZonedDateTime) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens.len() && found.len() < MAX_ENTITIES {
        match expression(text, at, now) {
            Some((mention, end)) => {
                found.push(mention);
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

fn expression(text: &Normalised, start: usize, now: &ZonedDateTime) -> Option<(Mention, usize)> {
    if text.tokens[start].sigil.is_some() {
        return None;
    }
    let mut parts = Parts::default();
    let mut at = start;
    if let Some((bound, len)) = bound_at(text, at) {
        parts.bound = Some(bound);
        at += len;
    }
    let mut end = piece(text, at, now, &mut parts)?;
    loop {
        // "demain vers 18h", "tomorrow at half past six", "samedi 14 dans l'après-midi".
        let mut next = end;
        let mut bound = None;
        while next < text.tokens.len() && next < end + 4 && next_is_near(text, next) {
            if let Some((found, len)) = bound_at(text, next) {
                bound = Some(found);
                next += len;
            } else if is_link(text.word(next)) {
                next += 1;
            } else {
                break;
            }
        }
        if next >= text.tokens.len() || !next_is_near(text, next) {
            break;
        }
        let mut more = parts.clone();
        if let Some(bound) = bound {
            more.bound = Some(bound);
        }
        let Some(after) = piece(text, next, now, &mut more) else {
            break;
        };
        if more == parts {
            break;
        }
        parts = more;
        end = after;
    }
    if is_duration(text, start, end) && parts.ahead.is_none() {
        return None;
    }
    let (from, to) = resolve(&parts, now)?;
    let value = EntityValue::Time {
        start: Timestamp::from_jiff(from.timestamp()),
        end: Timestamp::from_jiff(to.timestamp()),
    };
    Some((Mention { tokens: start..end, value }, end))
}

fn next_is_near(text: &Normalised, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|token| token.before != Sep::Stop)
}

fn is_link(word: &str) -> bool {
    matches!(
        word,
        "a" | "at" | "le" | "la" | "l" | "du" | "de" | "d" | "on" | "the" | "in" | "dans" | "en" | "au"
    )
}

/// "vers", "avant", "from … on": how the time that follows is meant, and over how many words.
fn bound_at(text: &Normalised, at: usize) -> Option<(Bound, usize)> {
    let next = text.word(at + 1);
    Some(match text.word(at) {
        "vers" | "around" | "about" | "environ" | "circa" | "ver" | "approximately" => (Bound::Around, 1),
        "avant" | "before" | "by" | "until" | "till" => (Bound::Before, 1),
        "jusqu" if next == "a" || next == "au" => (Bound::Before, 2),
        "apres" if matches!(next, "midi" | "demain") => return None,
        "apres" | "after" | "des" | "since" => (Bound::After, 1),
        "partir" if next == "de" || next == "du" => (Bound::After, 2),
        _ => return None,
    })
}

/// Minutes and hours that say how long, not when: "20 min de retard", "depuis 2h", "3 hours late".
fn is_duration(text: &Normalised, start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map_or("", |b| text.word(b));
    let (first, second) = (text.word(end), text.word(end + 1));
    let lasts = matches!(before, "depuis" | "pendant" | "durant" | "dure" | "duree")
        && text.word(start).bytes().any(|b| b.is_ascii_digit())
        && !text.word(start).contains('h');
    let measured =
        matches!(first, "late" | "delay" | "delayed" | "retard" | "wait" | "waiting" | "ago" | "journey")
            || (matches!(first, "de" | "d" | "dans")
                && matches!(
                    second,
                    "retard"
                        | "attente"
                        | "trajet"
                        | "route"
                        | "train"
                        | "voyage"
                        | "retar"
                        | "retrad"
                        | "vue"
                ));
    (lasts || measured) && text.word(start).bytes().next().is_some_and(|b| b.is_ascii_digit())
}

/// One piece from `at`; the word after it.
fn piece(text: &Normalised, at: usize, now: &ZonedDateTime, parts: &mut Parts) -> Option<usize> {
    if at >= text.tokens.len() {
        return None;
    }
    if let Some((minutes, end)) = clock_words::ahead(text, at) {
        parts.ahead = Some(minutes);
        return Some(end);
    }
    if parts.days.is_none()
        && let Some((date, days, end)) = day(text, at, now, parts)
    {
        parts.days = Some((date, days));
        return Some(end);
    }
    if parts.part.is_none()
        && let Some((part, end)) = part(text, at)
    {
        if parts.days.is_some() || parts.clock.is_some() || matches!(part.0, 12 | 24) && part.0 == part.1 {
            parts.part = Some(part);
            return Some(end);
        }
        return None;
    }
    if parts.clock.is_none()
        && let Some((clock, end)) = clock_words::clock(text, at, parts.days.is_some() || parts.part.is_some())
    {
        parts.clock = Some(clock);
        return Some(end);
    }
    None
}

fn part(text: &Normalised, at: usize) -> Option<((i8, i8), usize)> {
    if matches!(text.word(at), "apres" | "aprs" | "apre") && text.word(at + 1) == "midi" {
        return Some(((12, 18), at + 2));
    }
    part_of_day(text.word(at)).map(|part| (part, at + 1))
}

fn day(text: &Normalised, at: usize, now: &ZonedDateTime, parts: &mut Parts) -> Option<(Date, i32, usize)> {
    let today = now.date();
    let word = text.word(at);
    let next = text.word(at + 1);
    let in_days = |days: i32, count: i32, end: usize| Some((plus_days(today, days)?, count, end));
    match word {
        "aujourd" if next == "hui" => return in_days(0, 1, at + 2),
        "aujourdhui" | "auj" | "ajd" | "ojd" | "today" | "aujourdui" | "tdy" | "ojourdui" => {
            return in_days(0, 1, at + 1);
        }
        "demain" | "dem1" | "2m1" | "dmn" | "dmain" | "deman" | "2main" | "tomorrow" | "tmrw" | "tmr"
        | "tomorow" | "tommorow" | "tommorrow" | "tmw" | "2moro" | "2morrow" | "demin" | "tomo" => {
            return in_days(1, 1, at + 1);
        }
        "apres" if next == "demain" => return in_days(2, 1, at + 2),
        "day" if next == "after" && text.word(at + 2) == "tomorrow" => return in_days(2, 1, at + 3),
        "hier" | "yesterday" | "ier" | "yday" => return in_days(-1, 1, at + 1),
        "tonight" | "tonite" | "2nite" | "tonigth" | "2night" => {
            parts.part = Some((18, 28));
            return in_days(0, 1, at + 1);
        }
        "last" if next == "night" => {
            parts.part = Some((18, 28));
            return in_days(-1, 1, at + 2);
        }
        "ce" | "cet" | "cette" | "this" | "c" | "se" => {
            if let Some((found, end)) = part(text, at + 1) {
                parts.part = Some(found);
                return in_days(0, 1, end);
            }
            if next == "jour" {
                return in_days(0, 1, at + 2);
            }
        }
        _ => {}
    }
    week(text, at, today).or_else(|| weekday_at(text, at, today)).or_else(|| date_at(text, at, today))
}

fn plus_days(date: Date, days: i32) -> Option<Date> {
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// "ce week-end", "next week", "la semaine prochaine".
fn week(text: &Normalised, at: usize, today: Date) -> Option<(Date, i32, usize)> {
    let since_monday = i32::from(today.weekday().to_monday_zero_offset());
    let (word, next) = (text.word(at), text.word(at + 1));
    let determiner = matches!(word, "ce" | "this" | "next" | "le" | "the");
    let first = if determiner { at + 1 } else { at };
    let is_end = |i: usize| match text.word(i) {
        "weekend" | "we" | "wkend" | "wknd" if text.word(i) != "we" || word == "ce" => Some(i + 1),
        "week" if matches!(text.word(i + 1), "end" | "ends") => Some(i + 2),
        _ => None,
    };
    if let Some(end) = is_end(first) {
        let later = if matches!(text.word(end), "prochain") || word == "next" { 7 } else { 0 };
        let end = if text.word(end) == "prochain" { end + 1 } else { end };
        // On Sunday "this weekend" is the one that is ending.
        return Some((plus_days(today, 5 - since_monday + later)?, 2, end));
    }
    let monday = |weeks: i32| plus_days(today, 7 * weeks - since_monday);
    match (word, next) {
        ("next", "week") => Some((monday(1)?, 7, at + 2)),
        ("this", "week") | ("cette", "semaine") => Some((monday(0)?, 7, at + 2)),
        ("semaine", "prochaine" | "pro") => Some((monday(1)?, 7, at + 2)),
        _ => None,
    }
}

fn weekday_at(text: &Normalised, at: usize, today: Date) -> Option<(Date, i32, usize)> {
    let leads =
        matches!(text.word(at), "next" | "this" | "ce" | "last") && weekday(text.word(at + 1)).is_some();
    let word_at = if leads { at + 1 } else { at };
    let word = text.word(word_at);
    let wanted = weekday(word)?;
    let mut end = word_at + 1;
    let before = at.checked_sub(1).map_or("", |b| text.word(b));
    if super::calendar_words::weekday_needs_more(word)
        && !leads
        && !matches!(before, "le" | "du" | "on")
        && part(text, end).is_none()
    {
        return None;
    }
    let mut ahead = i32::from(wanted) - i32::from(today.weekday().to_monday_one_offset());
    if ahead < 0 {
        ahead += 7;
    }
    if text.word(at) == "last" || matches!(text.word(end), "dernier" | "passe") {
        ahead -= 7;
        end += usize::from(text.word(at) != "last");
    } else if matches!(text.word(end), "prochain" | "pro") || text.word(at) == "next" {
        ahead = if ahead == 0 { 7 } else { ahead };
        end += usize::from(text.word(at) != "next");
    }
    // "samedi 14", "lundi 8 septembre": the date says it exactly.
    if let Some((date, days, after)) = numbered_date(text, end, today, true) {
        return Some((date, days, after));
    }
    Some((plus_days(today, ahead)?, 1, end))
}

fn date_at(text: &Normalised, at: usize, today: Date) -> Option<(Date, i32, usize)> {
    let article =
        matches!(text.word(at), "le" | "the") && numbered_date(text, at + 1, today, false).is_some();
    let first = if article { at + 1 } else { at };
    numbered_date(text, first, today, false).or_else(|| {
        // "december 24th", "en mars", "in January".
        let preposed = matches!(text.word(at), "en" | "in") && month(text.word(at + 1)).is_some();
        let month_at = if preposed { at + 1 } else { at };
        let wanted = month(text.word(month_at))?;
        if let Some(day) = ordinal(text.word(month_at + 1)) {
            return Some((upcoming(today, wanted, day)?, 1, month_at + 2));
        }
        let firm = preposed
            || !matches!(text.word(at), "mars" | "march" | "may" | "mai" | "sept" | "sep" | "mar" | "dec");
        let first = upcoming_month(today, wanted)?;
        firm.then(|| (first, i32::from(first.days_in_month()), month_at + 1))
    })
}

fn ordinal(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    let good = matches!(suffix, "" | "st" | "nd" | "rd" | "th" | "er" | "eme");
    let day: i8 = digits.parse().ok()?;
    (good && digits.len() <= 2 && (1..=31).contains(&day)).then_some(day)
}

/// "24/12", "24/12/2025", "2025-01-10", "24 décembre", "24th of december"; after a weekday also "14".
fn numbered_date(
    text: &Normalised,
    at: usize,
    today: Date,
    after_weekday: bool,
) -> Option<(Date, i32, usize)> {
    let tied = |i: usize| {
        text.tokens.get(i).is_some_and(|t| matches!(t.before, Sep::Slash | Sep::Hyphen | Sep::Dot))
    };
    let figure = |i: usize| text.word(i).parse::<i16>().ok();
    if let (Some(year @ 2000..=2100), true, true) = (figure(at), tied(at + 1), tied(at + 2)) {
        let date =
            Date::new(year, i8::try_from(figure(at + 1)?).ok()?, i8::try_from(figure(at + 2)?).ok()?).ok()?;
        return Some((date, 1, at + 3));
    }
    let day = ordinal(text.word(at))?;
    if text
        .tokens
        .get(at + 1)
        .is_some_and(|t| t.before == Sep::Slash || (t.before == Sep::Dot && tied(at + 2)))
        && let Some(number @ 1..=12) = figure(at + 1)
    {
        let wanted = i8::try_from(number).ok()?;
        if let (true, Some(year)) = (tied(at + 2), figure(at + 2)) {
            let year = if year < 100 { year + 2000 } else { year };
            return Some((Date::new(year, wanted, day).ok()?, 1, at + 3));
        }
        return Some((upcoming(today, wanted, day)?, 1, at + 2));
    }
    let month_at = at + 1 + usize::from(text.word(at + 1) == "of");
    if let Some(wanted) = month(text.word(month_at)) {
        if let Some(year @ 2000..=2100) = figure(month_at + 1) {
            return Some((Date::new(year, wanted, day).ok()?, 1, month_at + 2));
        }
        return Some((upcoming(today, wanted, day)?, 1, month_at + 1));
    }
    let alone = after_weekday
        && !matches!(text.word(at + 1), "h" | "heures" | "heure" | "min")
        && !is_colon(text, at + 1);
    if alone {
        let this_month = Date::new(today.year(), today.month(), day).ok().filter(|date| *date >= today);
        let date = this_month.or_else(|| {
            Date::new(today.year(), today.month(), 1)
                .ok()?
                .checked_add(1.month())
                .ok()?
                .with()
                .day(day)
                .build()
                .ok()
        })?;
        return Some((date, 1, at + 1));
    }
    None
}

fn is_colon(text: &Normalised, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|token| token.before == Sep::Colon)
}

/// The day of this year, or of the next when it is more than a month gone.
fn upcoming(today: Date, month: i8, day: i8) -> Option<Date> {
    let this = Date::new(today.year(), month, day).ok();
    match this {
        Some(date) if date >= today.checked_sub(31.days()).ok()? => Some(date),
        _ => Date::new(today.year().checked_add(1)?, month, day).ok(),
    }
}

fn upcoming_month(today: Date, month: i8) -> Option<Date> {
    let year = if month < today.month() { today.year().checked_add(1)? } else { today.year() };
    Date::new(year, month, 1).ok()
}

/// From when to when. Hours that the clocks skip or repeat are read as jiff's "compatible" rule does.
fn resolve(parts: &Parts, now: &ZonedDateTime) -> Option<(ZonedDateTime, ZonedDateTime)> {
    if let Some(minutes) = parts.ahead {
        let at = now.checked_add(minutes.minutes()).ok()?;
        return Some((at.clone(), at));
    }
    let (start, end) = match (&parts.clock, parts.part) {
        (Some(clock), part) => {
            let at = clock_time(clock, part, parts.days.map(|(date, _)| date), now)?;
            (at.clone(), at)
        }
        (None, Some((from, to))) => {
            let date = parts.days.map_or_else(|| now.date(), |(date, _)| date);
            let start = at_hour(date, from, now)?;
            let end = at_hour(date, to, now)?;
            // "midi" said in the evening is tomorrow's.
            if parts.days.is_none() && from == to && end < *now {
                let tomorrow = plus_days(date, 1)?;
                (at_hour(tomorrow, from, now)?, at_hour(tomorrow, to, now)?)
            } else {
                (start, end)
            }
        }
        (None, None) => {
            let (date, days) = parts.days?;
            (at_hour(date, 0, now)?, at_hour(plus_days(date, days)?, 0, now)?)
        }
    };
    match parts.bound {
        Some(Bound::Around) if start == end => Some((
            start.checked_sub(AROUND_MINUTES.minutes()).ok()?,
            end.checked_add(AROUND_MINUTES.minutes()).ok()?,
        )),
        Some(Bound::Before) => {
            let day_start = at_hour(start.date(), 0, now)?;
            let from = if day_start < *now && *now < start { now.clone() } else { day_start };
            Some((from, if start == end { end } else { start }))
        }
        Some(Bound::After) => {
            let from = if start == end { start.clone() } else { end };
            let day_end = at_hour(plus_days(start.date(), 1)?, 0, now)?;
            Some((from.clone(), day_end.max(from)))
        }
        _ => {
            // Of a period that has begun, the rest is meant.
            let begun = start < *now && *now < end;
            Some((if begun { now.clone() } else { start }, end))
        }
    }
}

/// `hour` may pass 24: the next day's morning.
fn at_hour(date: Date, hour: i8, now: &ZonedDateTime) -> Option<ZonedDateTime> {
    let date = plus_days(date, i32::from(hour / 24))?;
    date.at(hour % 24, 0, 0, 0).to_zoned_datetime(now.time_zone().clone()).ok()
}

fn clock_time(
    clock: &Clock,
    part: Option<(i8, i8)>,
    day: Option<Date>,
    now: &ZonedDateTime,
) -> Option<ZonedDateTime> {
    let afternoon = part.is_some_and(|(from, _)| (12..24).contains(&from));
    let mut hour = clock.hour;
    if afternoon && hour < 12 && !(hour < 4 && part.is_some_and(|(from, _)| from >= 18)) {
        hour += 12;
    }
    let on = |date: Date, hour: i8| {
        Time::new(hour, clock.minute, 0, 0)
            .ok()?
            .on(date.year(), date.month(), date.day())
            .to_zoned_datetime(now.time_zone().clone())
            .ok()
    };
    let half_known = clock.twelve && !afternoon && part.is_none() && hour < 12;
    if let Some(date) = day {
        let at = on(date, hour)?;
        // "tomorrow at half past six" is the morning's; "at two" hardly is; today only what is still to come.
        let late = half_known && ((1..=4).contains(&hour) || date == now.date() && at < *now);
        return if late { on(date, hour + 12) } else { Some(at) };
    }
    let earliest = now.checked_sub(GRACE_MINUTES.minutes()).ok()?;
    let today = now.date();
    let mut choices = vec![on(today, hour)];
    if half_known {
        choices.push(on(today, hour + 12));
        if let Some(next) = choices.iter().flatten().find(|at| *at >= now) {
            return Some(next.clone());
        }
    }
    choices.push(on(plus_days(today, 1)?, hour));
    choices.into_iter().flatten().find(|at| *at >= earliest)
}
