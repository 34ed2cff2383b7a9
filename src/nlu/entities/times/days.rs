//! Which day, or days, words mean: `demain`, `samedi prochain`, `ce week-end`, `la semaine prochaine`.

use super::super::calendar_words::{
    EVENING, NIGHT, days_away, is_tonight, part_of_day, weekday, weekday_needs_more,
};
use super::super::clock_words::{is_boundary, previous};
use super::dates;
use super::numbers::is_figure;
use crate::nlu::normalise::Normalised;
use jiff::Span;
use jiff::civil::Date;

/// Days in a row, and the hours of the day where the same words tell them ("tonight").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    pub first: Date,
    pub count: i32,
    pub part: Option<(i8, i8)>,
}

impl Days {
    pub fn new(first: Date, count: i32) -> Self {
        Self { first, count, part: None }
    }
}

pub(super) fn plus_days(date: Date, days: i32) -> Option<Date> {
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// The days told from `at`, and the word after.
pub(super) fn day(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    relative(text, at, today)
        .or_else(|| weekend(text, at, today))
        .or_else(|| week(text, at, today))
        .or_else(|| named(text, at, today))
        .or_else(|| dates::date(text, at, today))
}

fn relative(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let (word, next, third) = (text.word(at), text.word(at + 1), text.word(at + 2));
    let found = |days: i32, part: Option<(i8, i8)>, end: usize| {
        Some((Days { first: plus_days(today, days)?, count: 1, part }, end))
    };
    match (word, next) {
        ("aujourd" | "aujour", "hui") => return found(0, None, at + 2),
        ("apres" | "apre" | "apr", _) if days_away(next) == Some(1) => return found(2, None, at + 2),
        ("avant", _) if days_away(next) == Some(-1) => return found(-2, None, at + 2),
        ("the", "day") if matches!(third, "after" | "before") => {
            return relative(text, at + 1, today);
        }
        ("day", "after") if days_away(third) == Some(1) => return found(2, None, at + 3),
        ("day", "before") if days_away(third) == Some(-1) => return found(-2, None, at + 3),
        ("last", _) if part_of_day(next) == Some(NIGHT) => return found(-1, Some(NIGHT), at + 2),
        ("la", "nuit") if matches!(third, "derniere" | "passee") => return found(-1, Some(NIGHT), at + 3),
        ("la", "nuit") if third == "prochaine" => return found(0, Some(NIGHT), at + 3),
        ("nuit", "derniere") => return found(-1, Some(NIGHT), at + 2),
        ("cet" | "cette", "apres") if third == "midi" => return found(0, part_of_day("aprem"), at + 3),
        ("ce" | "cet" | "cette" | "this" | "dis" | "c" | "se" | "ct", _) => {
            if let Some(part) = part_of_day(next) {
                return found(0, Some(part), at + 2);
            }
            if next == "jour" {
                return found(0, None, at + 2);
            }
            let noon = matches!(next, "midi" | "lunchtime");
            if noon {
                // The hour is read as the next piece.
                return found(0, None, at + 1);
            }
        }
        ("la", "veille") => return dates::holiday(text, at, today),
        _ => {}
    }
    if is_tonight(word) {
        return found(0, Some(EVENING), at + 1);
    }
    found(days_away(word).filter(|_| word != "dm" || part_of_day(next).is_some())?, None, at + 1)
}

/// "ce week-end", "next weekend", "le week-end du 21", "the first weekend of December".
fn weekend(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let word = text.word(at);
    let first = at
        + usize::from(matches!(word, "ce" | "this" | "next" | "le" | "the" | "dis" | "c") || is_first(word));
    let led = first > at;
    let end = match (text.word(first), text.word(first + 1)) {
        ("weekend" | "wkend" | "wknd" | "wikend" | "wekend" | "weeknd" | "wkends" | "wkd", _) => first + 1,
        ("we", _) if matches!(word, "ce" | "le") => first + 1,
        ("week" | "wik", "end") => first + 2,
        _ => return None,
    };
    let before = previous(text, at);
    let habit = matches!(
        before,
        "carte" | "card" | "their" | "my" | "your" | "leur" | "every" | "evry" | "les" | "each"
    );
    // "the weekend card" is a product.
    if is_first(word) {
        return weekend_of_month(text, end, today);
    }
    if !led && habit || matches!(text.word(end), "card" | "pass") {
        return None;
    }
    let saturday = |day: Date| plus_days(day, 5 - i32::from(day.weekday().to_monday_zero_offset()));
    if matches!(text.word(end), "du" | "of")
        && let Some((days, after)) = dates::date_or_number(text, end + 1, today)
    {
        return Some((Days::new(saturday(days.first)?, 2), after));
    }
    let next = matches!(text.word(end), "prochain" | "pro" | "prochin" | "suivant");
    let later = if next || word == "next" { 7 } else { 0 };
    Some((Days::new(plus_days(saturday(today)?, later)?, 2), end + usize::from(next)))
}

fn is_first(word: &str) -> bool {
    matches!(word, "first" | "1st" | "premier" | "1er")
}

/// "the first weekend" … "of December".
fn weekend_of_month(text: &Normalised, end: usize, today: Date) -> Option<(Days, usize)> {
    if !matches!(text.word(end), "of" | "de" | "d" | "in") {
        return None;
    }
    let (month, after) = dates::date(text, end + 1, today).filter(|(days, _)| days.count >= 28)?;
    let to_saturday = (12 - i32::from(month.first.weekday().to_monday_zero_offset())) % 7;
    Some((Days::new(plus_days(month.first, to_saturday)?, 2), after))
}

/// "next week", "la semaine prochaine", "le mois prochain", "cet été".
fn week(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let since_monday = i32::from(today.weekday().to_monday_zero_offset());
    let monday = |weeks: i32| Some(Days::new(plus_days(today, 7 * weeks - since_monday)?, 7));
    let first = at + usize::from(matches!(text.word(at), "la" | "le" | "l"));
    let (word, next) = (text.word(first), text.word(first + 1));
    let of_week = |word: &str| matches!(word, "week" | "wk");
    let of_semaine = |word: &str| matches!(word, "semaine" | "smaine" | "sem" | "semain");
    let (days, end) = match (word, next) {
        ("next" | "nxt", week) if of_week(week) => (monday(1)?, first + 2),
        ("last", week) if of_week(week) => (monday(-1)?, first + 2),
        ("this", week) if of_week(week) => (monday(0)?, first + 2),
        ("cette" | "cet", semaine) if of_semaine(semaine) => (monday(0)?, first + 2),
        (semaine, "prochaine" | "pro" | "prochene" | "prochain") if of_semaine(semaine) => {
            (monday(1)?, first + 2)
        }
        (semaine, "derniere" | "passee") if of_semaine(semaine) => (monday(-1)?, first + 2),
        ("mois", "prochain") => (dates::whole_month(today, 1)?, first + 2),
        ("mois", "dernier") => (dates::whole_month(today, -1)?, first + 2),
        ("next", "month") => (dates::whole_month(today, 1)?, first + 2),
        ("last", "month") => (dates::whole_month(today, -1)?, first + 2),
        ("this", "month") => (dates::whole_month(today, 0)?, first + 2),
        ("ce", "mois") => {
            (dates::whole_month(today, 0)?, first + 2 + usize::from(text.word(first + 2) == "ci"))
        }
        ("an" | "annee", "dernier" | "derniere") => (dates::whole_year(today, -1)?, first + 2),
        ("annee" | "an", "prochaine" | "prochain") => (dates::whole_year(today, 1)?, first + 2),
        ("last", "year") => (dates::whole_year(today, -1)?, first + 2),
        ("next", "year") => (dates::whole_year(today, 1)?, first + 2),
        _ => return dates::season(text, at, today),
    };
    Some((days, end))
}

/// "samedi", "next Monday", "vendredi dernier", "lundi en huit", "samedi 14".
fn named(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let lead = text.word(at);
    let article = usize::from(lead == "the" && text.word(at + 1) == "following");
    let leads =
        matches!(text.word(at + article), "next" | "nxt" | "this" | "dis" | "ce" | "last" | "following")
            && weekday(text.word(at + article + 1)).is_some();
    let word_at = at + article + usize::from(leads);
    let word = text.word(word_at);
    let wanted = weekday(word)?;
    let mut end = word_at + 1;
    // "samedi 14", "lundi 8 septembre", "Monday the 30th": the date says it exactly.
    if let Some(found) = dates::after_weekday(text, end, today) {
        return Some(found).filter(|_| word != "mon" || !is_french_mon(text, end));
    }
    if weekday_needs_more(word) && !leads && !is_backed(text, at, end) {
        return None;
    }
    let mut ahead = i32::from(wanted) - i32::from(today.weekday().to_monday_one_offset());
    ahead += if ahead < 0 { 7 } else { 0 };
    let follows = text.word(end);
    if lead == "last" || matches!(follows, "dernier" | "passe") {
        ahead -= 7;
        end += usize::from(lead != "last");
    } else if matches!(follows, "prochain" | "pro" | "prochin" | "prochene")
        || leads && matches!(lead, "next" | "nxt")
    {
        ahead = if ahead == 0 { 7 } else { ahead };
        end += usize::from(!leads);
    } else if follows == "en" && text.word(end + 1) == "huit" {
        ahead += 7;
        end += 2;
    } else if follows == "week" && !matches!(text.word(end + 1), "end" | "ends") {
        // "Monday week"
        ahead += 7;
        end += 1;
    }
    Some((Days::new(plus_days(today, ahead)?, 1), end))
}

/// "mon 1er voyage", "mon 16 heures": the French word, not Monday.
fn is_french_mon(text: &Normalised, next: usize) -> bool {
    let number = text.word(next);
    if is_figure(number) {
        !is_boundary(text, next + 1)
    } else {
        number.ends_with("er") || number.ends_with("eme")
    }
}

/// A short weekday counts only with something of time around it.
fn is_backed(text: &Normalised, at: usize, end: usize) -> bool {
    let before = matches!(
        previous(text, at),
        "le" | "du"
            | "on"
            | "since"
            | "sinse"
            | "for"
            | "4"
            | "til"
            | "till"
            | "until"
            | "by"
            | "pr"
            | "every"
            | "evry"
    );
    let part =
        part_of_day(text.word(end)).is_some() || text.word(end) == "apres" && text.word(end + 1) == "midi";
    let french = text.word(at) == "mon";
    let alone = !french && text.tokens.len() == 1 && is_boundary(text, end);
    let clock = !french && text.word(end).bytes().next().is_some_and(|b| b.is_ascii_digit());
    before || part || alone || clock
}
