//! Hours and minutes as customers write them: `18h30`, `7:12`, `6pm`, `half past six`, `dans 20 min`.

use super::calendar_words::{number, unit_minutes};
use crate::nlu::normalise::{Normalised, Sep};

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// 0 to 23.
    pub hour: i8,
    pub minute: i8,
    /// Said on a twelve-hour clock without morning or evening: `half past six`.
    pub twelve: bool,
}

fn clock_of(hour: i8, minute: i8, twelve: bool) -> Option<Clock> {
    let hour = if hour == 24 { 0 } else { hour };
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(Clock { hour, minute, twelve })
}

fn sep(text: &Normalised, at: usize) -> Option<Sep> {
    text.tokens.get(at).map(|token| token.before)
}

fn figure(word: &str) -> Option<i8> {
    (word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit())).then(|| word.parse().ok()).flatten()
}

/// How far ahead of now, in minutes, and the word after: "dans 20 min", "in half an hour", "maintenant".
pub(super) fn ahead(text: &Normalised, at: usize) -> Option<(i64, usize)> {
    let (word, next, third) = (text.word(at), text.word(at + 1), text.word(at + 2));
    match (word, next, third) {
        ("tout", "de", "suite") => return Some((0, at + 3)),
        ("right" | "just", "now", _) => return Some((0, at + 2)),
        ("at", "the", "moment") | ("en", "ce", "moment") => return Some((0, at + 3)),
        ("immediatement" | "immediately", _, _) => return Some((0, at + 1)),
        // "and now my phone is dead": a word of telling, unless little else is said.
        ("now" | "maintenant" | "mnt" | "mtn", _, _) if text.tokens.len() <= 4 => return Some((0, at + 1)),
        _ => {}
    }
    let lead = match (word, next) {
        ("dans" | "in" | "ds" | "within", "moins") => 3,
        ("dans" | "in" | "ds" | "within", _) => 1,
        ("d", "ici") => 2,
        _ => return None,
    };
    amount(text, at + lead)
}

fn amount(text: &Normalised, at: usize) -> Option<(i64, usize)> {
    let (word, next, third) = (text.word(at), text.word(at + 1), text.word(at + 2));
    match (word, next, third) {
        ("half", "an", "hour") => return Some((30, at + 3)),
        ("une" | "1", "demi", "heure") => return Some((30, at + 3)),
        ("un" | "1", "quart", "d") if text.word(at + 3) == "heure" => return Some((15, at + 4)),
        ("an" | "a", "hour", _) => return Some((60, at + 2)),
        _ => {}
    }
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, unit, end) = if digits > 0 && digits < word.len() {
        (word[..digits].parse::<i64>().ok()?, &word[digits..], at + 1)
    } else {
        let count = if digits > 0 { word.parse::<i64>().ok()? } else { i64::from(number(word)?) };
        (count, next, at + 2)
    };
    // "1h30"
    if let Some((hours, minutes)) = unit.strip_prefix('h').and_then(|tail| figure(tail).map(|m| (count, m)))
        && (0..=72).contains(&hours)
    {
        return Some((hours * 60 + i64::from(minutes), end));
    }
    let minutes = unit_minutes(unit)?;
    (0..=1000).contains(&count).then(|| (count * minutes, end))
}

/// A time of day from `at`. `known`: a day or part of the day stands beside it, so that bare figures count.
pub(super) fn clock(text: &Normalised, at: usize, known: bool) -> Option<(Clock, usize)> {
    let word = text.word(at);
    compact(word)
        .map(|clock| (clock, at + 1))
        .or_else(|| figures(text, at, known))
        .or_else(|| spoken_english(text, at))
        .or_else(|| spoken(text, at))
}

/// `18h`, `18h30`, `6pm`, `630pm`, `1830h`.
fn compact(word: &str) -> Option<Clock> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 || digits > 4 || digits == word.len() {
        return None;
    }
    let (figures, tail) = word.split_at(digits);
    let split = |figures: &str| -> Option<(i8, i8)> {
        match figures.len() {
            1 | 2 => Some((figures.parse().ok()?, 0)),
            _ => {
                let (hour, minute) = figures.split_at(figures.len() - 2);
                Some((hour.parse().ok()?, minute.parse().ok()?))
            }
        }
    };
    match tail {
        "h" | "hr" | "hrs" | "heures" | "heure" | "hs" | "hh" => {
            let (hour, minute) = split(figures)?;
            clock_of(hour, minute, false)
        }
        "am" | "a" if tail == "am" => {
            let (hour, minute) = split(figures)?;
            clock_of(hour % 12, minute, false).filter(|_| hour <= 12)
        }
        "pm" => {
            let (hour, minute) = split(figures)?;
            clock_of(hour % 12 + 12, minute, false).filter(|_| hour <= 12)
        }
        _ => {
            let minute = tail.strip_prefix(['h', 'H'])?;
            let minute = minute.trim_end_matches("min").trim_end_matches("mn").trim_end_matches('m');
            clock_of(figure(figures)?, figure(minute).filter(|_| !minute.is_empty())?, false)
        }
    }
}

/// `18 h 30`, `18:30`, `6.30 pm`, `18 heures 30`, `6 o'clock`.
fn figures(text: &Normalised, at: usize, known: bool) -> Option<(Clock, usize)> {
    let hour = figure(text.word(at))?;
    if sep(text, at + 1) == Some(Sep::Colon)
        || (sep(text, at + 1) == Some(Sep::Dot) && half_day(text, at + 2).is_some())
    {
        let next = text.word(at + 1);
        if next.len() >= 2
            && let Some(minute) = next.get(..2).and_then(figure)
        {
            let glued = match next.get(2..) {
                Some("") => half_day(text, at + 2).map(|pm| (pm, at + 3)),
                Some("am") => Some((false, at + 2)),
                Some("pm") => Some((true, at + 2)),
                _ => return None,
            };
            return Some(match glued {
                Some((pm, end)) => (clock_of(hour % 12 + if pm { 12 } else { 0 }, minute, false)?, end),
                None => (clock_of(hour, minute, false)?, at + 2),
            });
        }
    }
    if let Some(pm) = half_day(text, at + 1)
        && hour <= 12
    {
        return Some((clock_of(hour % 12 + if pm { 12 } else { 0 }, 0, false)?, at + 2));
    }
    let before = at.checked_sub(1).map_or("", |b| text.word(b));
    // "the 7.14": figures with a dot are a time only where one is spoken of.
    if sep(text, at + 1) == Some(Sep::Dot)
        && matches!(before, "the" | "at" | "le" | "de" | "by" | "a" | "on")
        && let Some(minute) = figure(text.word(at + 1)).filter(|_| text.word(at + 1).len() == 2)
    {
        return Some((clock_of(hour, minute, false)?, at + 2));
    }
    match text.word(at + 1) {
        "h" | "heures" | "heure" if sep(text, at + 1) == Some(Sep::Space) => {
            let (minute, end) = minutes_after(text, at + 2);
            Some((clock_of(hour, minute, false)?, end))
        }
        "o" if text.word(at + 2) == "clock" => Some((clock_of(hour, 0, hour <= 12)?, at + 3)),
        _ => {
            let bare =
                known && before == "at" && hour <= 12 && sep(text, at + 1).is_none_or(|s| s >= Sep::Space);
            bare.then(|| clock_of(hour, 0, true)).flatten().map(|clock| (clock, at + 1))
        }
    }
}

fn half_day(text: &Normalised, at: usize) -> Option<bool> {
    match text.word(at) {
        "am" => Some(false),
        "pm" => Some(true),
        "a" if text.word(at + 1) == "m" && sep(text, at + 1) == Some(Sep::Dot) => Some(false),
        "p" if text.word(at + 1) == "m" && sep(text, at + 1) == Some(Sep::Dot) => Some(true),
        _ => None,
    }
}

/// `30`, `vingt`, `et demie`, `et quart`, `moins le quart` after the hour: minutes and the word after.
fn minutes_after(text: &Normalised, at: usize) -> (i8, usize) {
    let (word, next, third) = (text.word(at), text.word(at + 1), text.word(at + 2));
    match (word, next) {
        ("et", "demi" | "demie") => return (30, at + 2),
        ("et", "quart") => return (15, at + 2),
        _ => {}
    }
    if sep(text, at).is_none_or(|before| before > Sep::Hyphen) || text.word(at + 1) == "min" && third == "de"
    {
        return (0, at);
    }
    match (number(word), number(next)) {
        (Some(tens @ (20 | 30 | 40 | 50)), Some(ones @ 1..=9))
            if sep(text, at + 1) <= Some(Sep::Hyphen) && !is_figure(word) =>
        {
            (tens + ones, at + 2)
        }
        (Some(minute), _) if minute > 1 && (!is_figure(word) || word.len() == 2) => (minute.min(59), at + 1),
        _ => (0, at),
    }
}

fn is_figure(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// `half past six`, `quarter to seven`, `ten past eight`, `six o'clock`.
fn spoken_english(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let first = at + usize::from(text.word(at) == "a" && text.word(at + 1) == "quarter");
    if number(text.word(first)).is_some() && text.word(first + 1) == "o" && text.word(first + 2) == "clock" {
        return Some((clock_of(number(text.word(first))?, 0, true)?, first + 3));
    }
    // "the ten fifteen", "at six forty"
    let before = at.checked_sub(1).map_or("", |b| text.word(b));
    if let (Some(hour @ 1..=12), Some(minute @ 10..=50)) = (number(text.word(at)), number(text.word(at + 1)))
        && matches!(before, "the" | "at" | "my" | "for")
        && !is_figure(text.word(at))
        && !is_figure(text.word(at + 1))
    {
        let ones = number(text.word(at + 2)).filter(|ones| (1..=9).contains(ones) && minute >= 20);
        let end = at + 2 + usize::from(ones.is_some());
        return Some((clock_of(hour % 12, minute + ones.unwrap_or(0), true)?, end));
    }
    let minutes = match text.word(first) {
        "half" => 30,
        "quarter" => 15,
        word => number(word).filter(|minutes| minutes % 5 == 0)?,
    };
    let (hour, back) = match text.word(first + 1) {
        "past" => (number(text.word(first + 2))?, false),
        "to" if minutes < 30 => (number(text.word(first + 2))?, true),
        _ if minutes == 30 => {
            return Some((
                clock_of(number(text.word(first + 1)).filter(|_| text.word(first) == "half")?, 30, true)?,
                first + 2,
            ));
        }
        _ => return None,
    };
    if !(1..=12).contains(&hour) {
        return None;
    }
    let total = i16::from(hour) * 60 + if back { -i16::from(minutes) } else { i16::from(minutes) };
    let pm = half_day(text, first + 3);
    let hour = i8::try_from(total / 60).ok()?;
    let minute = i8::try_from(total % 60).ok()?;
    match pm {
        Some(pm) => Some((clock_of(hour % 12 + if pm { 12 } else { 0 }, minute, false)?, first + 4)),
        None => Some((clock_of(hour % 12, minute, true)?, first + 3)),
    }
}

/// `dix-sept heures trente`, `six heures et demie`, `huit heures moins le quart`, `seven pm`.
fn spoken(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let first = number(text.word(at)).filter(|_| !is_figure(text.word(at)))?;
    let second = number(text.word(at + 1)).filter(|_| !is_figure(text.word(at + 1)));
    let (hour, mut end) = match second {
        Some(ones) if (first == 20 && ones <= 4) || (first == 10 && (7..=9).contains(&ones)) => {
            (first + ones, at + 2)
        }
        _ if first == 20 && text.word(at + 1) == "et" && text.word(at + 2) == "une" => (21, at + 3),
        _ => (first, at + 1),
    };
    if let Some(pm) = half_day(text, end)
        && hour <= 12
    {
        return Some((clock_of(hour % 12 + if pm { 12 } else { 0 }, 0, false)?, end + 1));
    }
    if !matches!(text.word(end), "h" | "heure" | "heures") || hour > 24 {
        return None;
    }
    end += 1;
    if text.word(end) == "moins" {
        let skip = usize::from(text.word(end + 1) == "le");
        let less = match text.word(end + 1 + skip) {
            "quart" => 15,
            word => number(word)?,
        };
        return Some((clock_of((hour + 23) % 24, 60 - less, false)?, end + 2 + skip));
    }
    let (minute, end) = minutes_after(text, end);
    // French says "six heures" for the morning: no twelve-hour doubt.
    Some((clock_of(hour, minute, false)?, end))
}
