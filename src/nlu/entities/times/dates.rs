//! Dates: `le 24/12`, `24 décembre`, `the second of November`, `du 3 au 28`, holidays, months, seasons.

use super::super::calendar_words::{month, month_needs_more};
use super::super::clock_words::{counts_things, is_boundary, previous, sep, stands_free};
use super::days::{Days, plus_days};
use super::numbers::{Written, day_of_month, is_figure};
use crate::nlu::normalise::{Normalised, Sep};
use jiff::ToSpan;
use jiff::civil::Date;

/// A date this many days gone is still this year's: claims are made for "le 12 mars" in the weeks after it.
const GONE_DAYS: i64 = 31;

/// A date or month from `at`, and the word after.
pub(super) fn date(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    span_of_dates(text, at, today)
        .or_else(|| holiday(text, at, today))
        .or_else(|| {
            let article = matches!(text.word(at), "le" | "the" | "da");
            written(text, at + usize::from(article), today)
        })
        .or_else(|| lone_number(text, at, today))
        .or_else(|| month_first(text, at, today))
}

/// After "the weekend of": a date, or the number of a day.
pub(super) fn date_or_number(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let at = at + usize::from(matches!(text.word(at), "the" | "le"));
    written(text, at, today).or_else(|| {
        let (day, _, end) = day_of_month(text, at)?;
        Some((Days::new(next_with_number(today, day)?, 1), end))
    })
}

/// "samedi" … "14", "14 mars", "the 30th", "14/03".
pub(super) fn after_weekday(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let first = at + usize::from(matches!(text.word(at), "the" | "le" | "da"));
    if sep(text, at) == Some(Sep::Stop) && !is_figure(text.word(first)) {
        return None;
    }
    written(text, first, today).or_else(|| {
        let (day, written, end) = day_of_month(text, first)?;
        let clock = matches!(text.word(end), "h" | "heures" | "heure" | "min" | "am" | "pm" | "o")
            || counts_things(text.word(end))
            || sep(text, end)
                .is_some_and(|sep| matches!(sep, Sep::Colon | Sep::Hyphen | Sep::Slash | Sep::Dot));
        let good = !clock && (written != Written::Cardinal) && (written != Written::Ordinal || first > at);
        good.then_some((Days::new(next_with_number(today, day)?, 1), end))
    })
}

/// "24/12", "24/12/2025", "2025-01-10", "24 décembre", "24th of december", "le premier mai".
fn written(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let tied = |i: usize| sep(text, i).is_some_and(|sep| matches!(sep, Sep::Slash | Sep::Hyphen | Sep::Dot));
    let figure = |i: usize| text.word(i).parse::<i16>().ok();
    let one = |date: Date, end: usize| Some((Days::new(date, 1), end));
    if let (Some(year @ 2000..=2100), true, true) = (figure(at), tied(at + 1), tied(at + 2)) {
        let date = Date::new(year, i8::try_from(figure(at + 1)?).ok()?, i8::try_from(figure(at + 2)?).ok()?);
        return one(date.ok()?, at + 3);
    }
    let (day, _, after) = day_of_month(text, at).filter(|_| text.word(at) != "one")?;
    let slash = sep(text, after) == Some(Sep::Slash);
    let dots = sep(text, after) == Some(Sep::Dot) && tied(after + 1);
    if let (true, Some(wanted)) = (slash || dots, figure(after).and_then(|m| i8::try_from(m).ok()))
        && (1..=12).contains(&wanted)
        && is_figure(text.word(at))
    {
        if let (true, Some(year)) = (tied(after + 1), figure(after + 1)) {
            let year = if year < 100 { year + 2000 } else { year };
            return one(Date::new(year, wanted, day).ok()?, after + 2);
        }
        // "4/5 heures" and "1/4h" are amounts.
        let amount = counts_things(text.word(after + 1)) || tied(after + 1);
        return if amount { None } else { one(upcoming(today, wanted, day)?, after + 1) };
    }
    let month_at = after + usize::from(text.word(after) == "of");
    // "Tue 24 Mar": only after its day is "mar" the month.
    let wanted = month(text.word(month_at)).or((text.word(month_at) == "mar").then_some(3))?;
    year_after(text, month_at + 1, today, wanted, day)
}

/// The year told after day and month, or the one that fits.
fn year_after(text: &Normalised, at: usize, today: Date, month: i8, day: i8) -> Option<(Days, usize)> {
    let one = |date: Date, end: usize| Some((Days::new(date, 1), end));
    if let Ok(year @ 2000..=2100) = text.word(at).parse::<i16>() {
        return one(Date::new(year, month, day).ok()?, at + 1);
    }
    let this = Date::new(today.year(), month, day).ok();
    match (text.word(at), text.word(at + 1)) {
        ("next", "year") => one(Date::new(today.year().checked_add(1)?, month, day).ok()?, at + 2),
        ("last", "year") => one(Date::new(today.year().checked_sub(1)?, month, day).ok()?, at + 2),
        ("prochain", _) => {
            let date = this.filter(|date| *date > today);
            one(date.or_else(|| Date::new(today.year() + 1, month, day).ok())?, at + 1)
        }
        ("dernier" | "passe", _) => {
            let date = this.filter(|date| *date < today);
            one(date.or_else(|| Date::new(today.year() - 1, month, day).ok())?, at + 1)
        }
        ("just", "gone") => one(this?, at + 2),
        _ => one(upcoming(today, month, day)?, at),
    }
}

/// "le 12", "the 5th", "du 7": a day by its number alone.
fn lone_number(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let article = matches!(text.word(at), "le" | "the" | "da");
    let before = previous(text, at);
    let first = at + usize::from(article);
    let (day, written, end) = day_of_month(text, first)?;
    let next = text.word(end);
    let tied = sep(text, end).is_some_and(|sep| match sep {
        Sep::Colon => is_figure(next),
        Sep::Hyphen | Sep::Slash | Sep::Dot | Sep::Apostrophe => true,
        _ => false,
    });
    let hour = matches!(next, "h" | "heures" | "heure" | "heur" | "min" | "hrs" | "am" | "pm")
        || counts_things(next);
    let boundary = is_boundary(text, end);
    let english = matches!(text.word(at), "the" | "da");
    let of_month = next == "of" && matches!(text.word(end + 1), "next" | "this");
    let counted = matches!(
        before,
        "on" | "for" | "until" | "till" | "til" | "from" | "since" | "by" | "before" | "after"
    );
    let counted = counted && stands_free(text, end);
    let good = match written {
        // "le 2 est en panne" names something else: small numbers want the end of the clause.
        Written::Figures => {
            article && !english && (boundary || day > 9 || stands_before_verb(next))
                || before.is_empty() && article
                || at_du(text, at) && (boundary || day > 9)
        }
        Written::Suffixed => english && (boundary || counted || of_month || next == "at") || before == "on",
        Written::Cardinal => article && !english && day > 1 && (boundary || stands_before_verb(next)),
        Written::Ordinal => english && day > 3 && (boundary || counted),
    };
    if !good || tied || hour {
        return None;
    }
    if next == "of" && matches!((text.word(end + 1), text.word(end + 2)), ("next" | "this", "month")) {
        let month = whole_month(today, if text.word(end + 1) == "next" { 1 } else { 0 })?.first;
        return Some((Days::new(month.with().day(day).build().ok()?, 1), end + 3));
    }
    Some((Days::new(next_with_number(today, day)?, 1), end))
}

fn at_du(text: &Normalised, at: usize) -> bool {
    previous(text, at) == "du" && is_figure(text.word(at))
}

fn stands_before_verb(word: &str) -> bool {
    matches!(
        word,
        "j" | "en"
            | "le"
            | "la"
            | "avec"
            | "ils"
            | "elle"
            | "vous"
            | "est"
            | "a"
            | "au"
            | "pour"
            | "je"
            | "on"
            | "il"
            | "et"
            | "ou"
            | "svp"
            | "de"
            | "qui"
            | "y"
    )
}

/// "du 3 au 28", "du 28 au 29 mars": first day to last day.
fn span_of_dates(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    // "la nuit du 28 au 29 mars" is one night.
    let night = match (text.word(at), text.word(at + 1)) {
        ("la" | "the", "nuit" | "night") => at + 2,
        ("nuit" | "night", _) => at + 1,
        _ => at,
    };
    if night > at {
        let from = night + 1;
        let days = match text.word(night) {
            "du" => span_of_dates(text, night, today).or_else(|| date_or_number(text, from, today)),
            "of" => date_or_number(text, from, today).or_else(|| month_first(text, from, today)),
            _ => None,
        };
        let (days, end) = days?;
        return Some((Days { count: 1, part: Some(super::super::calendar_words::NIGHT), ..days }, end));
    }
    if text.word(at) != "du" || !is_figure(text.word(at + 1)) {
        return None;
    }
    let (first_day, _, after) = day_of_month(text, at + 1)?;
    let own_month = written(text, at + 1, today);
    let to = own_month.map_or(after, |(_, end)| end);
    if text.word(to) != "au" {
        return None;
    }
    let (last, end) = date_or_number(text, to + 1, today)?;
    let first = match own_month {
        Some((days, _)) => days.first,
        None => {
            let same = last.first.with().day(first_day).build().ok()?;
            if same > last.first { same.checked_sub(1.month()).ok()? } else { same }
        }
    };
    let count = last.first.since(first).ok()?.get_days() + 1;
    (1..=366).contains(&count).then_some((Days::new(first, count), end))
}

/// "december 24th", "en mars", "in January", "le mois d'août".
fn month_first(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let of_month = |at: usize| {
        matches!(text.word(at), "mois" | "month") && matches!(text.word(at + 1), "d" | "de" | "of")
    };
    let first = match text.word(at) {
        "le" | "the" if of_month(at + 1) => at + 3,
        "en" if month(text.word(at + 1)).is_some() => at + 1,
        _ => at,
    };
    let word = text.word(first);
    let wanted = month(word)?;
    if let Some((day, written, end)) = day_of_month(text, first + 1)
        && (matches!(written, Written::Suffixed | Written::Ordinal) || written == Written::Figures && !counts_things(text.word(end)))
        && first == at
        && !is_tied_clock(text, end)
        // French says the day first: "mars 14" is none, "March 14" is one.
        && !matches!(text.word(end), "h" | "heures")
    {
        return year_after(text, end, today, wanted, day);
    }
    let led = first > at
        || matches!(
            previous(text, at),
            "in" | "since"
                | "sinse"
                | "until"
                | "till"
                | "til"
                | "by"
                | "depuis"
                | "debut"
                | "fin"
                | "for"
                | "d"
        );
    let start = upcoming_month(today, wanted)?;
    (led || !month_needs_more(word)).then(|| (Days::new(start, i32::from(start.days_in_month())), first + 1))
}

fn is_tied_clock(text: &Normalised, at: usize) -> bool {
    matches!(sep(text, at), Some(Sep::Colon | Sep::Dot | Sep::Slash))
}

/// Days that have a name: `Noël`, `la veille de Noël`, `New Year's Eve`, `Easter weekend`, `la Toussaint`.
pub(super) fn holiday(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let word = |i: usize| text.word(at + i);
    let fixed = |month: i8, day: i8, len: usize| Some((Days::new(upcoming(today, month, day)?, 1), at + len));
    match (word(0), word(1), word(2), word(3)) {
        ("le", "jour", "de" | "2", "noel") => return fixed(12, 25, 4),
        ("jour", "de" | "2", "noel", _) => return fixed(12, 25, 3),
        ("la", "veille", "de" | "2", "noel") => return fixed(12, 24, 4),
        ("veille", "de" | "2", "noel", _) => return fixed(12, 24, 3),
        ("noel", ..) => return fixed(12, 25, 1),
        ("christmas" | "xmas", "eve", ..) => return fixed(12, 24, 2),
        ("christmas" | "xmas", "day", ..) => return fixed(12, 25, 2),
        ("christmas" | "xmas", ..) => return fixed(12, 25, 1),
        ("new", "year", "s", "eve") => return fixed(12, 31, 4),
        ("new", "year", "s", "day") => return fixed(1, 1, 4),
        ("new", "years" | "year", "eve", _) => return fixed(12, 31, 3),
        ("new", "years" | "year", "day", _) => return fixed(1, 1, 3),
        ("jour", "de", "l", "an") => return fixed(1, 1, 4),
        ("le", "jour", "de", "l") if word(4) == "an" => return fixed(1, 1, 5),
        ("la", "saint", "sylvestre", _) => return fixed(12, 31, 3),
        ("la", "toussaint", ..) => return fixed(11, 1, 2),
        ("toussaint", ..) => return fixed(11, 1, 1),
        _ => {}
    }
    let easter =
        [today.year(), today.year() + 1].into_iter().filter_map(easter_sunday).find(|day| *day >= today)?;
    let moved =
        |days: i32, count: i32, len: usize| Some((Days::new(plus_days(easter, days)?, count), at + len));
    match (word(0), word(1), word(2), word(3)) {
        ("easter", "weekend", ..) => moved(-1, 3, 2),
        ("easter", "monday", ..) => moved(1, 1, 2),
        ("easter", "sunday", ..) => moved(0, 1, 2),
        ("easter" | "paques", ..) => moved(0, 1, 1),
        ("lundi", "de", "paques", _) => moved(1, 1, 3),
        ("le", "week", "end", "de") if word(4) == "paques" => moved(-1, 3, 5),
        ("week", "end", "de", "paques") => moved(-1, 3, 4),
        ("l", "ascension", ..) => moved(39, 1, 2),
        ("la", "pentecote", ..) => moved(49, 1, 2),
        _ => None,
    }
}

/// Gauss's rule for the Gregorian calendar, as Meeus and others print it.
fn easter_sunday(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let (month, day) = ((h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// "cet été", "this summer", "next spring", "jusqu'à l'hiver": three whole months.
pub(super) fn season(text: &Normalised, at: usize, today: Date) -> Option<(Days, usize)> {
    let month_of = |word: &str| {
        Some(match word {
            "printemps" | "spring" => 3,
            "ete" | "summer" => 6,
            "automne" | "autumn" | "fall" => 9,
            "hiver" | "winter" => 12,
            _ => return None,
        })
    };
    let lead = text.word(at);
    // "tout l'été", "all summer" say the whole of it.
    let all = usize::from(matches!(lead, "tout" | "tt" | "all"));
    let (month, end) = match text.word(at + all) {
        "cet" | "ce" | "this" | "next" | "last" | "l" => (month_of(text.word(at + all + 1))?, at + all + 2),
        "lete" if all > 0 => (6, at + 2),
        "summer" if all > 0 => (6, at + 2),
        word if matches!(previous(text, at), "till" | "until" | "til") => (month_of(word)?, at + 1),
        _ => return None,
    };
    let over = i16::from(month + 2 < today.month() && month != 12);
    let later = over + i16::from(lead == "next" && over == 0 && month <= today.month());
    let back = i16::from(lead == "last");
    let first = Date::new(today.year().checked_add(later)?.checked_sub(back)?, month, 1).ok()?;
    let last = first.checked_add(3.months()).ok()?;
    Some((Days::new(first, last.since(first).ok()?.get_days()), end))
}

pub(super) fn whole_month(today: Date, away: i64) -> Option<Days> {
    let first = today.first_of_month().checked_add(away.months()).ok()?;
    Some(Days::new(first, i32::from(first.days_in_month())))
}

pub(super) fn whole_year(today: Date, away: i16) -> Option<Days> {
    let first = Date::new(today.year().checked_add(away)?, 1, 1).ok()?;
    Some(Days::new(first, i32::from(first.days_in_year())))
}

/// The day of this year, or of the next when it is long gone.
fn upcoming(today: Date, month: i8, day: i8) -> Option<Date> {
    let oldest = today.checked_sub(GONE_DAYS.days()).ok()?;
    let this = Date::new(today.year(), month, day).ok().filter(|date| *date >= oldest);
    this.or_else(|| Date::new(today.year().checked_add(1)?, month, day).ok())
}

/// The next day with this number, today included.
fn next_with_number(today: Date, day: i8) -> Option<Date> {
    let first = today.first_of_month();
    // A 31st may be two months ahead.
    (0..3i64).find_map(|months| {
        let month = first.checked_add(months.months()).ok()?;
        month.with().day(day).build().ok().filter(|date| *date >= today)
    })
}

fn upcoming_month(today: Date, month: i8) -> Option<Date> {
    let year = if month < today.month() { today.year().checked_add(1)? } else { today.year() };
    Date::new(year, month, 1).ok()
}
