//! Hours and minutes in figures, as customers write them: `18h30`, `7:12`, `6pm`, `0712`, `17.20`, `at 6`.

use super::calendar_words::part_of_day;
use super::times::numbers::{cardinal, is_figure};
use super::times::spoken;
use crate::nlu::normalise::{Normalised, Sep};

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// 0 to 24: midnight ends the day that is named beside it.
    pub hour: i8,
    pub minute: i8,
    /// Said on a twelve-hour clock without morning or evening: `half past six`.
    pub twelve: bool,
    /// `7ish`.
    pub vague: bool,
}

/// What already stands beside a time: with it, bare figures count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside {
    /// A day or a part of it.
    pub day: bool,
    /// A word such as `before`.
    pub bound: bool,
}

pub(super) fn clock_of(hour: i8, minute: i8, twelve: bool) -> Option<Clock> {
    let fits = (0..24).contains(&hour) || hour == 24 && minute < 60;
    (fits && (0..60).contains(&minute)).then_some(Clock { hour, minute, twelve, vague: false })
}

pub(super) fn sep(text: &Normalised, at: usize) -> Option<Sep> {
    text.tokens.get(at).map(|token| token.before)
}

pub(super) fn previous(text: &Normalised, at: usize) -> &str {
    at.checked_sub(1).map_or("", |before| text.word(before))
}

fn figure(word: &str) -> Option<i8> {
    (word.len() <= 2 && is_figure(word)).then(|| word.parse().ok()).flatten()
}

/// A time of day from `at`, and the word after.
pub(super) fn clock(text: &Normalised, at: usize, beside: Beside) -> Option<(Clock, usize)> {
    let french = spoken::noon(text, at, beside)
        .or_else(|| compact(text.word(at)).map(|clock| (clock, at + 1)))
        .or_else(|| with_unit(text, at))
        .or_else(|| spoken::french(text, at));
    if let Some((clock, end)) = french {
        let (clock, end) = spoken::quarters_after(text, clock, end);
        return with_half_day(text, clock, end);
    }
    tied_figures(text, at)
        .or_else(|| hours_and_half_day(text, at))
        .or_else(|| spoken::english(text, at, beside))
        .or_else(|| run_together(text, at))
        .or_else(|| bare(text, at, beside))
}

/// `7ish pm`.
fn with_half_day(text: &Normalised, clock: Clock, end: usize) -> Option<(Clock, usize)> {
    match half_day(text, end) {
        Some((pm, after)) if clock.twelve && clock.hour <= 12 => {
            Some((Clock { hour: on_half(clock.hour, pm), twelve: false, ..clock }, after))
        }
        _ => Some((clock, end)),
    }
}

pub(super) fn on_half(hour: i8, pm: bool) -> i8 {
    hour % 12 + if pm { 12 } else { 0 }
}

/// `am`, `p.m.`: afternoon or not, and the word after.
pub(super) fn half_day(text: &Normalised, at: usize) -> Option<(bool, usize)> {
    let dotted = |at: usize| text.word(at + 1) == "m" && sep(text, at + 1) == Some(Sep::Dot);
    match text.word(at) {
        "am" if previous(text, at) != "i" => Some((false, at + 1)),
        "pm" => Some((true, at + 1)),
        "a" if dotted(at) => Some((false, at + 2)),
        "p" if dotted(at) => Some((true, at + 2)),
        _ => None,
    }
}

/// `18h`, `18h30`, `18heures30`, `6pm`, `630pm`, `7ish`.
fn compact(word: &str) -> Option<Clock> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 || digits > 4 || digits == word.len() {
        return None;
    }
    let (figures, tail) = word.split_at(digits);
    let (hour, minute) = match digits {
        1 | 2 => (figures.parse().ok()?, 0),
        _ => (figures[..digits - 2].parse().ok()?, figures[digits - 2..].parse().ok()?),
    };
    let (tail, vague) = match tail.strip_suffix("ish") {
        Some(tail) => (tail, true),
        None => (tail, false),
    };
    let clock = match tail {
        "h" | "hr" | "hrs" | "heures" | "heure" | "hs" | "hh" | "heur" => clock_of(hour, minute, false),
        "am" | "pm" => clock_of(on_half(hour, tail == "pm"), minute, false).filter(|_| hour <= 12),
        "" if vague => clock_of(hour, minute, hour <= 12),
        _ => {
            let minute = tail.strip_prefix("heures").or_else(|| tail.strip_prefix('h'))?;
            let minute = minute.trim_end_matches("min").trim_end_matches("mn").trim_end_matches('m');
            clock_of(figure(figures)?, figure(minute)?, false)
        }
    }?;
    // "24h" is a whole day.
    (clock.hour < 24).then_some(Clock { vague, ..clock })
}

/// `18 h 30`, `18 heures 30`.
fn with_unit(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let hour = figure(text.word(at)).filter(|hour| *hour < 24)?;
    if !matches!(text.word(at + 1), "h" | "heures" | "heure") || sep(text, at + 1) != Some(Sep::Space) {
        return None;
    }
    let (minute, end) = spoken::minutes_after(text, at + 2);
    Some((clock_of(hour, minute, false)?, end))
}

/// `18:30`, `6.30pm`, `7:15 a.m.`, `the 7.14`.
fn tied_figures(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let hour = figure(text.word(at))?;
    let next = text.word(at + 1);
    let minute = next.get(..2).and_then(figure)?;
    let tie = sep(text, at + 1).filter(|sep| matches!(sep, Sep::Colon | Sep::Dot))?;
    let half = match next.get(2..) {
        Some("") => half_day(text, at + 2),
        Some("am") => Some((false, at + 2)),
        Some("pm") => Some((true, at + 2)),
        // "7.12h"
        Some("h" | "hrs") => return Some((clock_of(hour, minute, false)?, at + 2)),
        _ => return None,
    };
    if let Some((pm, end)) = half {
        return Some((clock_of(on_half(hour, pm), minute, false).filter(|_| hour <= 12)?, end));
    }
    // A dot stands in prices, dates and versions too.
    let goes_on = matches!(sep(text, at + 2), Some(Sep::Dot | Sep::Colon | Sep::Slash));
    let priced = text.marks.iter().any(|mark| matches!(mark, '€' | '£'));
    if goes_on || tie == Sep::Dot && (priced || counts_things(text.word(at + 2))) {
        return None;
    }
    let twelve = text.word(at).len() == 1 && hour > 0 && !is_french_lead(previous(text, at));
    Some((clock_of(hour, minute, twelve)?, at + 2))
}

/// After these the hour is told on the French twenty-four-hour clock.
fn is_french_lead(word: &str) -> bool {
    matches!(
        word,
        "a" | "de" | "d" | "le" | "du" | "vers" | "celui" | "mon" | "avant" | "apres" | "des" | "pour"
    )
}

/// Units that make the number before them no hour.
pub(super) fn counts_things(word: &str) -> bool {
    matches!(
        word,
        "euros"
            | "euro"
            | "eur"
            | "eu"
            | "balles"
            | "quid"
            | "percent"
            | "pourcent"
            | "km"
            | "min"
            | "mins"
            | "minutes"
            | "minute"
            | "heures"
            | "hours"
            | "hour"
            | "jours"
            | "days"
            | "mois"
            | "months"
            | "ans"
            | "years"
            | "personnes"
            | "people"
            | "places"
            | "an"
            | "pounds"
            | "points"
            | "fois"
            | "times"
    )
}

/// `6 pm`.
fn hours_and_half_day(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let hour = figure(text.word(at)).filter(|hour| *hour <= 12)?;
    let (pm, end) = half_day(text, at + 1)?;
    Some((clock_of(on_half(hour, pm), 0, false)?, end))
}

/// `0712`, `the 2215`, `1830 hrs`: only where nothing else is counted. What reads as a year is one.
fn run_together(text: &Normalised, at: usize) -> Option<(Clock, usize)> {
    let word = text.word(at);
    let priced = sep(text, at) == Some(Sep::Other) && text.marks.iter().any(|mark| matches!(mark, '€' | '£'));
    let tied = |at: usize| {
        sep(text, at).is_some_and(|sep| sep > Sep::Space && sep < Sep::Comma && sep != Sep::Other)
    };
    if priced || !is_figure(word) || !(3..=4).contains(&word.len()) || at > 0 && tied(at) || tied(at + 1) {
        return None;
    }
    let (hour, minute) = (word[..word.len() - 2].parse().ok()?, word[word.len() - 2..].parse().ok()?);
    let clock = clock_of(hour, minute, false).filter(|clock| clock.hour < 24)?;
    let unit = matches!(text.word(at + 1), "h" | "hrs" | "hours" | "hr");
    let before = previous(text, at);
    let article =
        matches!(before, "the" | "da" | "my" | "mi" | "at" | "le" | "du" | "mon" | "celui" | "vers");
    let year = (1990..2040).contains(&word.parse::<i16>().ok()?);
    let counted = counts_things(text.word(at + 1)) && !unit;
    let alone = at == 0
        || word.starts_with('0')
        || matches!(before, "a" | "de" | "its" | "by" | "for" | "4" | "departure");
    // "the 100 late minutes"
    let counted = counted || word.len() == 3 && !stands_free(text, at + 1);
    let good = unit || article && !counted || alone && word.len() == 4 && !year && !counted;
    good.then_some((clock, at + 1 + usize::from(unit)))
}

/// `at 6`, `before 4`, `three in the afternoon`: an hour that only its neighbours make one.
fn bare(text: &Normalised, at: usize, beside: Beside) -> Option<(Clock, usize)> {
    let (hour, end) = cardinal(text, at).filter(|(hour, _)| (1..=12).contains(hour))?;
    let led = previous(text, at) == "at" || beside.bound;
    let free = stands_free(text, end) && (text.word(at) != "one" || is_boundary(text, end));
    (led && free || part_follows(text, end)).then_some(())?;
    Some((clock_of(hour % 12, 0, true)?, end))
}

/// "in the afternoon", "at night", "du soir", "tomorrow morning".
pub(super) fn part_follows(text: &Normalised, at: usize) -> bool {
    let is_part = |at: usize| part_of_day(text.word(at)).is_some();
    match text.word(at) {
        "in" => is_part(at + 1) || matches!(text.word(at + 1), "the" | "da") && is_part(at + 2),
        "at" => text.word(at + 1) == "night",
        "du" => is_part(at + 1),
        _ => false,
    }
}

pub(super) fn is_boundary(text: &Normalised, at: usize) -> bool {
    sep(text, at).is_none_or(|sep| sep >= Sep::Comma)
}

/// Nothing follows that the number before could count.
pub(super) fn stands_free(text: &Normalised, at: usize) -> bool {
    is_boundary(text, at)
        || matches!(
            text.word(at),
            "in" | "at"
                | "to"
                | "from"
                | "for"
                | "on"
                | "and"
                | "or"
                | "but"
                | "please"
                | "pls"
                | "plz"
                | "then"
                | "so"
                | "i"
                | "we"
                | "it"
                | "is"
                | "only"
                | "sharp"
                | "this"
                | "until"
                | "that"
                | "will"
                | "my"
                | "the"
                | "if"
                | "2"
                | "4"
                | "svp"
                | "stp"
                | "et"
                | "ou"
                | "pour"
                | "de"
                | "a"
                | "au"
                | "je"
                | "il"
                | "ce"
                | "dans"
                | "vers"
                | "tomorrow"
                | "tonight"
                | "today"
                | "demain"
                | "o"
                | "est"
                | "who"
                | "when"
                | "qui"
                | "que"
                | "with"
                | "avec"
                | "si"
                | "as"
                | "there"
                | "no"
                | "non"
        )
}
