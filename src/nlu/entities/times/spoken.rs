//! Times of day in words: `dix-sept heures trente`, `midi et demi`, `half past six`, `eleven oh two`.

use super::super::clock_words::{
    Beside, Clock, clock_of, half_day, is_boundary, on_half, part_follows, previous, sep,
};
use super::numbers::{cardinal, is_figure, number};
use crate::nlu::normalise::{Normalised, Sep};

/// `midi`, `midnight`; `lunch` only beside a day or "after".
pub(in crate::nlu::entities) fn noon(text: &Normalised, at: usize, beside: Beside) -> Option<(Clock, usize)> {
    let hour = match text.word(at) {
        // The second half of "après-midi".
        "midi" if matches!(previous(text, at), "apres" | "aprs" | "apre") && !beside.bound => return None,
        "midi" | "noon" | "midday" => 12,
        "minuit" | "minui" | "midnight" | "midnite" => 24,
        "lunch" | "lunchtime" if beside.day || beside.bound => 12,
        _ => return None,
    };
    // "midi dix", "minuit trente"
    let (minute, end) = minutes_after(text, at + 1);
    Some((clock_of(hour, minute, false)?, end))
}

/// `et demie`, `et quart`, `moins le quart`, `moins vingt` after a full hour.
pub(in crate::nlu::entities) fn quarters_after(
    text: &Normalised,
    clock: Clock,
    end: usize,
) -> (Clock, usize) {
    if clock.minute != 0 {
        return (clock, end);
    }
    let found = match (text.word(end), text.word(end + 1)) {
        ("et", "demi" | "demie" | "dmi") => Some((30, end + 2)),
        ("et", "quart") => Some((15, end + 2)),
        ("moins", "le") if text.word(end + 2) == "quart" => Some((-15, end + 3)),
        ("moins", "quart" | "lequart") => Some((-15, end + 2)),
        ("moins", _) => cardinal(text, end + 1).filter(|(n, _)| *n < 30).map(|(n, after)| (-n, after)),
        _ => None,
    };
    match found {
        Some((minute, after)) if minute > 0 => (Clock { minute, ..clock }, after),
        Some((less, after)) => (Clock { hour: (clock.hour + 23) % 24, minute: 60 + less, ..clock }, after),
        None => (clock, end),
    }
}

/// `dix-sept heures trente`: French tells the hour on the twenty-four-hour clock, so there is no doubt left.
pub(in crate::nlu::entities) fn french(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let (hour, end) = cardinal(text, at).filter(|_| !is_figure(text.word(at)))?;
    if !matches!(text.word(end), "h" | "heure" | "heures" | "heur" | "heurs" | "eur" | "eure" | "eures") {
        return None;
    }
    let (minute, end) = minutes_after(text, end + 1);
    Some((clock_of(hour, minute, false)?, end))
}

/// Minutes after the word for hours, and the word after them; none are none.
pub(in crate::nlu::entities) fn minutes_after(text: &Normalised, at: usize) -> (i8, usize) {
    if sep(text, at).is_none_or(|before| before > Sep::Hyphen) {
        return (0, at);
    }
    let word = text.word(at);
    match cardinal(text, at) {
        Some((minute, end))
            if minute > 1
                && minute < 60
                && (!is_figure(word) || word.len() == 2)
                && text.word(end) != "min" =>
        {
            (minute, end)
        }
        _ => (0, at),
    }
}

/// `half past six`, `quarter to seven`, `six o'clock`, `half eight`, `eleven oh two`, `seven pm`.
pub(in crate::nlu::entities) fn english(
    text: &Normalised,
    at: usize,
    beside: Beside,
) -> Option<(Clock, usize)> {
    let (clock, end) =
        past_or_to(text, at).or_else(|| hour_and_minute(text, at, beside)).or_else(|| full_hour(text, at))?;
    match half_day(text, end) {
        Some((pm, after)) if clock.hour <= 12 && clock.twelve => {
            Some((Clock { hour: on_half(clock.hour, pm), twelve: false, ..clock }, after))
        }
        _ => Some((clock, end)),
    }
}

/// The hour after "past" and "to": whether it is on the twelve-hour clock, and the word after.
fn hour_word(text: &Normalised, at: usize) -> Option<(i8, bool, usize)> {
    match text.word(at) {
        "noon" | "midday" => Some((12, false, at + 1)),
        "midnight" => Some((24, false, at + 1)),
        word => {
            let hour = number(word).filter(|hour| (1..=12).contains(hour))?;
            Some((hour, true, at + 1))
        }
    }
}

fn past_or_to(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let first = at + usize::from(text.word(at) == "a" && text.word(at + 1) == "quarter");
    let (minutes, then) = match text.word(first) {
        "half" | "haf" | "harf" => (30, first + 1),
        "quarter" | "qtr" => (15, first + 1),
        _ => cardinal(text, first).filter(|(minutes, _)| (1..=29).contains(minutes))?,
    };
    let (hour, twelve, end, back) = match text.word(then) {
        "past" | "pst" => {
            let (hour, twelve, end) = hour_word(text, then + 1)?;
            (hour, twelve, end, false)
        }
        // "from nine to eleven" counts no minutes: those come in fives.
        "to" | "til" | "till" if minutes % 5 == 0 && minutes < 30 => {
            let (hour, twelve, end) = hour_word(text, then + 1)?;
            (hour, twelve, end, true)
        }
        _ if minutes == 30 && !is_figure(text.word(first)) => {
            let (hour, twelve, end) = hour_word(text, then)?;
            (hour, twelve, end, false)
        }
        _ => return None,
    };
    if back && text.word(first) != "quarter" && matches!(previous(text, first), "from" | "between") {
        return None;
    }
    let clock = if back {
        clock_of(if hour == 1 { 12 } else { hour - 1 }, 60 - minutes, twelve)?
    } else {
        clock_of(hour, minutes, twelve)?
    };
    // Twelve on the short clock is hour zero of either half.
    Some((Clock { hour: if clock.twelve { clock.hour % 12 } else { clock.hour }, ..clock }, end))
}

/// `six forty`, `eleven oh two`, `fifteen hundred hours`, where something says that a time is meant.
fn hour_and_minute(text: &Normalised, at: usize, beside: Beside) -> Option<(Clock, usize)> {
    let (hour, then) =
        cardinal(text, at).filter(|(hour, _)| !is_figure(text.word(at)) && (1..=23).contains(hour))?;
    if text.word(then) == "hundred" && matches!(text.word(then + 1), "hours" | "hrs") {
        return Some((clock_of(hour, 0, false)?, then + 2));
    }
    let (minute, end) = match text.word(then) {
        "oh" | "o" | "zero" => (number(text.word(then + 1)).filter(|ones| (1..=9).contains(ones))?, then + 2),
        word if is_figure(word) || sep(text, then) > Some(Sep::Hyphen) => return None,
        _ => cardinal(text, then).filter(|(minute, _)| (10..60).contains(minute))?,
    };
    let led = matches!(
        previous(text, at),
        "the" | "at" | "my" | "for" | "his" | "her" | "our" | "usual" | "by" | "da" | "mi" | "your" | "their"
    );
    let said = led
        || at == 0
        || beside.day
        || beside.bound
        || half_day(text, end).is_some()
        || part_follows(text, end);
    said.then_some(())?;
    Some((clock_of(if hour == 12 { 0 } else { hour }, minute, hour <= 12)?, end))
}

/// `six o'clock`, `seven pm`.
fn full_hour(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let hour = number(text.word(at)).filter(|hour| (1..=12).contains(hour))?;
    if text.word(at + 1) == "o" && text.word(at + 2) == "clock" {
        return Some((clock_of(hour % 12, 0, true)?, at + 3));
    }
    // "seven am" is a time, "the five am I missing" hardly is.
    let (_, end) = half_day(text, at + 1)?;
    (is_boundary(text, end) || text.word(at + 1) != "a").then_some(())?;
    Some((clock_of(hour % 12, 0, true)?, at + 1))
}
