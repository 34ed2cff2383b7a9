//! The words for days, months and parts of the day, in French and English, as typed.

use super::typos::distance;

/// Everyday words that lie one slip from a word of the calendar.
const NOT_SLIPS: &[&str] = &["demand", "mourning", "warning", "vendre", "mondial", "lund", "evenings"];

const WEEKDAYS: &[(&str, i8)] = &[
    ("lundi", 1),
    ("mardi", 2),
    ("mercredi", 3),
    ("jeudi", 4),
    ("vendredi", 5),
    ("samedi", 6),
    ("dimanche", 7),
    ("monday", 1),
    ("tuesday", 2),
    ("wednesday", 3),
    ("thursday", 4),
    ("friday", 5),
    ("saturday", 6),
    ("sunday", 7),
];

/// Short or much-read names ("mars", "mai", "august") are left out: too many words lie near them.
const MONTHS: &[(&str, i8)] = &[
    ("janvier", 1),
    ("fevrier", 2),
    ("juillet", 7),
    ("septembre", 9),
    ("octobre", 10),
    ("novembre", 11),
    ("decembre", 12),
    ("january", 1),
    ("february", 2),
    ("september", 9),
    ("october", 10),
    ("november", 11),
    ("december", 12),
];

const DAYS: &[(&str, i32)] =
    &[("demain", 1), ("tomorrow", 1), ("yesterday", -1), ("today", 0), ("aujourdhui", 0)];

const MORNING: (i8, i8) = (5, 12);
const AFTERNOON: (i8, i8) = (12, 18);
pub(super) const EVENING: (i8, i8) = (18, 24);
/// Past 24 is the next morning.
pub(super) const NIGHT: (i8, i8) = (22, 29);

const PARTS: &[(&str, (i8, i8))] = &[("morning", MORNING), ("afternoon", AFTERNOON), ("evening", EVENING)];

/// What the listed word means that `word` is a slip or two away from. The first letter is hardly ever mistyped:
/// asking for it keeps "romain" from being "demain".
fn near<T: Copy>(word: &str, known: &[(&str, T)]) -> Option<T> {
    if word.len() < 5 || word.len() > 12 || NOT_SLIPS.contains(&word) {
        return None;
    }
    let is_slip = |name: &str| {
        if word.as_bytes().first() != name.as_bytes().first() {
            return false;
        }
        let slips = if name.len() >= 8 && word.len() >= 7 { 2 } else { 1 };
        // Two slips ask for the first two letters: "démarche" is no "dimanche".
        let far = distance(word, name, slips);
        far <= slips && word.get(..far) == name.get(..far)
    };
    known.iter().find(|(name, _)| is_slip(name)).map(|&(_, meaning)| meaning)
}

/// Number of a weekday, Monday is 1.
pub(super) fn weekday(word: &str) -> Option<i8> {
    Some(match word {
        "lun" | "mon" | "mondays" => 1,
        "mar" | "tue" | "tues" => 2,
        "mer" | "merc" | "wed" | "weds" | "wedns" => 3,
        "jeu" | "jedi" | "thu" | "thurs" | "thur" => 4,
        "ven" | "vend" | "fri" => 5,
        "sam" | "sat" => 6,
        "dim" | "sun" => 7,
        _ => return near(word, WEEKDAYS),
    })
}

/// Weekdays whose short form is an everyday word too ("sam" is a name, "mer" the sea, "sat" what one did).
pub(super) fn weekday_needs_more(word: &str) -> bool {
    matches!(
        word,
        "mar"
            | "mer"
            | "sam"
            | "sun"
            | "jeu"
            | "ven"
            | "lun"
            | "dim"
            | "vend"
            | "sat"
            | "mon"
            | "wed"
            | "jedi"
            | "merc"
    )
}

pub(super) fn month(word: &str) -> Option<i8> {
    Some(match word {
        "janv" | "jan" => 1,
        "fev" | "feb" => 2,
        "mars" | "march" => 3,
        "avril" | "avr" | "april" | "apr" => 4,
        "mai" | "may" => 5,
        "juin" | "june" | "jun" => 6,
        "juil" | "july" | "jul" => 7,
        "aout" | "august" | "aug" => 8,
        "sept" | "sep" => 9,
        "oct" => 10,
        "nov" => 11,
        "dec" => 12,
        _ => return near(word, MONTHS),
    })
}

/// Months that are everyday words too, or short for one.
pub(super) fn month_needs_more(word: &str) -> bool {
    matches!(word, "mars" | "march" | "may" | "mai" | "sept" | "sep" | "dec" | "jan" | "oct" | "nov")
}

/// Days from today: "demain", "yesterday".
pub(super) fn days_away(word: &str) -> Option<i32> {
    Some(match word {
        "aujourdhui" | "auj" | "ajd" | "ojd" | "tdy" | "ojourdui" | "2day" | "2d" | "aujourdui"
        | "ojourdhui" => 0,
        "dem1" | "2m1" | "dmn" | "dmain" | "2main" | "tmrw" | "tmr" | "tmw" | "2moro" | "2morrow"
        | "2moz" | "tomo" | "tmoro" | "2mrw" | "tomoz" | "dm" => 1,
        "hier" | "ier" | "yer" | "hiere" | "yday" | "iere" | "yest" => -1,
        _ => return near(word, DAYS),
    })
}

/// Hours from and to of a part of the day; past 24 is the next morning.
pub(super) fn part_of_day(word: &str) -> Option<(i8, i8)> {
    Some(match word {
        "matin" | "mat1" | "mat" | "matinee" | "morn" | "matins" | "mornin" | "forenoon" | "amtin"
        | "mtain" => MORNING,
        "aprem" | "apresmidi" | "aprm" | "aft" | "arvo" | "apreme" | "aftn" => AFTERNOON,
        "soir" | "soiree" | "soirs" | "eve" | "swar" | "soirr" | "soire" | "sior" | "evenings" => EVENING,
        "nuit" | "night" | "nite" | "nuits" => NIGHT,
        _ => return near(word, PARTS),
    })
}

/// `2nite`: the evening that comes.
pub(super) fn is_tonight(word: &str) -> bool {
    matches!(word, "tonite" | "2nite" | "2night" | "tnite" | "2nyt")
        || near(word, &[("tonight", ())]).is_some()
}
