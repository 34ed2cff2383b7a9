//! Times told by their distance from now: `dans 20 min`, `il y a une heure`, `two days ago`, `maintenant`.

use super::super::calendar_words::days_away;
use super::super::clock_words::{is_boundary, sep};
use super::numbers::{cardinal, is_figure};
use crate::nlu::normalise::{Normalised, Sep};

/// Longer distances than this are no time to travel.
const MOST: i64 = 1_000;

/// How far from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distance {
    /// To the minute.
    Minutes(i64),
    /// A whole day.
    Days(i32),
}

impl Distance {
    fn back(self) -> Self {
        match self {
            Self::Minutes(minutes) => Self::Minutes(-minutes),
            Self::Days(days) => Self::Days(-days),
        }
    }
}

/// The distance told from `at`, and the word after.
pub(super) fn distance(text: &Normalised, at: usize) -> Option<(Distance, usize)> {
    // "plus tard aujourd'hui"; the pun "à l'heure des poules" is none.
    if is(text, at, &["tout", "a", "l", "heure"]) && text.word(at + 4) != "des" {
        return Some((Distance::Days(0), at + 4));
    }
    if let Some(end) = now(text, at) {
        return Some((Distance::Minutes(0), end));
    }
    let (word, next, third) = (text.word(at), text.word(at + 1), text.word(at + 2));
    let back = match (word, next, third) {
        ("il", "y", "a") => Some(at + 3),
        ("y", "a", _) | ("il", "ya", _) => Some(at + 2),
        ("ya", _, _) => Some(at + 1),
        _ => None,
    };
    if let Some(first) = back {
        return amount(text, first)
            .filter(|&(_, end)| !is_delay(text, end))
            .map(|(far, end)| (far.back(), end));
    }
    if let Some((far, end)) = amount(text, at)
        && matches!(text.word(end), "ago")
    {
        return Some((far.back(), end + 1));
    }
    forward(text, at)
}

fn is_delay(text: &Normalised, at: usize) -> bool {
    matches!(text.word(at), "de" | "d" | "2")
        && matches!(text.word(at + 1), "retard" | "rtard" | "retar" | "attente")
}

fn is(text: &Normalised, at: usize, words: &[&str]) -> bool {
    words.iter().enumerate().all(|(i, word)| text.word(at + i) == *word)
}

fn now(text: &Normalised, at: usize) -> Option<usize> {
    let phrases: &[&[&str]] = &[
        &["tout", "de", "suite"],
        &["tt", "de", "suite"],
        &["tt", "2", "suite"],
        &["right", "now"],
        &["just", "now"],
        &["at", "this", "very", "moment"],
        &["a", "cette", "heure", "ci"],
        &["straight", "away"],
        &["immediatement"],
        &["immediately"],
    ];
    if let Some(phrase) = phrases.iter().find(|phrase| is(text, at, phrase)) {
        return Some(at + phrase.len());
    }
    // "and now my phone is dead": a word of telling, unless little else is said.
    let word = matches!(text.word(at), "now" | "maintenant" | "mnt" | "mtn" | "rn" | "mtnt");
    let short = word && text.tokens.len() <= 4;
    short.then_some(at + 1)
}

fn forward(text: &Normalised, at: usize) -> Option<(Distance, usize)> {
    let (word, next) = (text.word(at), text.word(at + 1));
    let lead = match word {
        "dans" | "in" | "ds" | "within" => 1,
        // "d quarante minutes": "dans" in one letter.
        "d" if next == "ici" => 2,
        // … but "le ter d 7h42" is "de".
        "d" if sep(text, at + 1) == Some(Sep::Space)
            && !(next.contains('h') && next.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            1
        }
        // "a week today", "une semaine demain"
        "a" if next == "week" => {
            let days = days_away(text.word(at + 2))?;
            return Some((Distance::Days(7 + days), at + 3));
        }
        _ => return None,
    };
    let mut first = at + lead;
    while matches!(
        text.word(first),
        "moins" | "environ" | "about" | "around" | "less" | "than" | "the" | "next"
    ) || text.word(first) == "d" && sep(text, first + 1) == Some(Sep::Apostrophe)
    {
        first += 1;
        if first > at + lead + 3 {
            return None;
        }
    }
    amount(text, first).or_else(|| {
        // "leaves in 10": minutes go without saying.
        let bare = word == "in" && lead == 1 && is_figure(text.word(first)) && is_boundary(text, first + 1);
        let minutes: i64 =
            text.word(first).parse().ok().filter(|minutes| bare && (1..60).contains(minutes))?;
        Some((Distance::Minutes(minutes), first + 1))
    })
}

fn unit_minutes(word: &str) -> Option<i64> {
    Some(match word {
        "min" | "mins" | "minute" | "minutes" | "mn" | "m" | "mns" | "minuts" => 1,
        "h" | "heure" | "heures" | "hour" | "hours" | "hr" | "hrs" | "heur" => 60,
        "jour" | "jours" | "day" | "days" | "j" => 1440,
        "semaine" | "semaines" | "week" | "weeks" | "sem" => 10_080,
        "fortnight" => 20_160,
        _ => return None,
    })
}

/// "20 min", "une heure et quart", "trois quarts d'heure", "two and a half hours", "1/4h".
fn amount(text: &Normalised, at: usize) -> Option<(Distance, usize)> {
    let (minutes, end) = fraction(text, at).or_else(|| whole(text, at))?;
    let far = if minutes >= 1440 && minutes % 1440 == 0 {
        Distance::Days(i32::try_from(minutes / 1440).ok()?)
    } else {
        Distance::Minutes(minutes)
    };
    Some((far, end))
}

/// Halves and quarters of an hour.
fn fraction(text: &Normalised, at: usize) -> Option<(i64, usize)> {
    let of_hour = |at: usize| match (text.word(at), text.word(at + 1), text.word(at + 2)) {
        ("of", "an", "hour") => Some(at + 3),
        ("d" | "an", "heure" | "heur" | "hour", _) => Some(at + 2),
        ("heure" | "hour" | "h" | "heur", _, _) => Some(at + 1),
        _ => None,
    };
    // "1/4h", "3/4 d'heure", "1/2 heure": the slash parts the figures into words.
    let slash = sep(text, at + 1) == Some(Sep::Slash);
    let fourths = match (text.word(at), text.word(at + 1)) {
        ("1", "4h") if slash => return Some((15, at + 2)),
        ("1", "2h") if slash => return Some((30, at + 2)),
        ("3", "4h") if slash => return Some((45, at + 2)),
        ("1", "4") if slash => Some((1, at + 2)),
        ("1", "2") if slash => Some((2, at + 2)),
        ("3", "4") if slash => Some((3, at + 2)),
        ("half", _) => Some((2, at + 1)),
        ("une" | "1" | "a", "demi" | "half") => Some((2, at + 2)),
        ("un" | "1", "quart") | ("a", "quarter") => Some((1, at + 2)),
        ("trois" | "3", "quarts" | "quart") | ("three", "quarters") => Some((3, at + 2)),
        _ => None,
    };
    let (fourths, end) = fourths?;
    Some((15 * fourths, of_hour(end)?))
}

fn whole(text: &Normalised, at: usize) -> Option<(i64, usize)> {
    let word = text.word(at);
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let count: i64 = match digits {
        0 if matches!(word, "a" | "an") => 1,
        0 => i64::from(cardinal(text, at)?.0),
        _ => word[..digits].parse().ok().filter(|count| *count <= MOST)?,
    };
    let after = if digits == 0 { cardinal(text, at).map_or(at + 1, |(_, end)| end) } else { at + 1 };
    if digits > 0 && digits < word.len() {
        // "20min", "2h30"
        let unit = &word[digits..];
        let minutes = unit.strip_prefix('h').filter(|tail| is_figure(tail) && tail.len() == 2);
        return match minutes {
            Some(tail) => Some((count * 60 + tail.parse::<i64>().ok()?, after)),
            None => Some((count * unit_minutes(unit)?, after)),
        };
    }
    // "two and a half hours"
    if (text.word(after), text.word(after + 1), text.word(after + 2)) == ("and", "a", "half") {
        let unit = unit_minutes(text.word(after + 3))?;
        return Some((count * unit + unit / 2, after + 4));
    }
    let unit = unit_minutes(text.word(after))?;
    let (more, end) = if unit == 60 { past_the_hour(text, after + 1) } else { (0, after + 1) };
    Some((count * unit + more, end))
}

/// "… et quart", "… et demie", "… and a half" after hours.
fn past_the_hour(text: &Normalised, at: usize) -> (i64, usize) {
    match (text.word(at), text.word(at + 1), text.word(at + 2)) {
        ("et", "quart", _) => (15, at + 2),
        ("et", "demi" | "demie", _) => (30, at + 2),
        ("and", "a", "quarter") => (15, at + 3),
        ("and", "a", "half") => (30, at + 3),
        _ => (0, at),
    }
}
