//! The words for days, months, parts of the day and numbers, in French and English, as typed.

/// Number of a weekday, Monday is 1.
pub(super) fn weekday(word: &str) -> Option<i8> {
    Some(match word {
        "lundi" | "lun" | "ludi" | "lindi" | "monday" | "mon." | "mondays" => 1,
        "mardi" | "mar" | "mradi" | "tuesday" | "tue" | "tues" => 2,
        "mercredi" | "mer" | "merc" | "mercredit" | "wednesday" | "wed" | "wenesday" | "wednesay" => 3,
        "jeudi" | "jeu" | "jedi" | "jeudit" | "thursday" | "thu" | "thurs" | "thur" => 4,
        "vendredi" | "ven" | "vend" | "vendredit" | "vendrdi" | "friday" | "fri" | "firday" => 5,
        "samedi" | "sam" | "samdei" | "samdi" | "saturday" | "sat" | "saterday" | "satuday" => 6,
        "dimanche" | "dim" | "dimache" | "dimanch" | "sunday" | "sun" | "sundays" => 7,
        _ => return None,
    })
}

/// Weekdays whose short form is an everyday word too ("sam" is a name, "mer" the sea, "sun" the sun).
pub(super) fn weekday_needs_more(word: &str) -> bool {
    matches!(word, "mar" | "mer" | "sam" | "sun" | "jeu" | "ven" | "lun" | "dim" | "vend")
}

pub(super) fn month(word: &str) -> Option<i8> {
    Some(match word {
        "janvier" | "janv" | "january" | "jan" => 1,
        "fevrier" | "fev" | "february" | "feb" => 2,
        "mars" | "march" => 3,
        "avril" | "avr" | "april" | "apr" => 4,
        "mai" | "may" => 5,
        "juin" | "june" | "jun" => 6,
        "juillet" | "juil" | "july" | "jul" => 7,
        "aout" | "august" | "aug" => 8,
        "septembre" | "sept" | "september" | "sep" => 9,
        "octobre" | "oct" | "october" => 10,
        "novembre" | "nov" | "november" => 11,
        "decembre" | "dec" | "december" => 12,
        _ => return None,
    })
}

/// Hours from and to of a part of the day; past 24 is the next morning.
pub(super) fn part_of_day(word: &str) -> Option<(i8, i8)> {
    Some(match word {
        "matin" | "mat1" | "mat" | "matinee" | "morning" | "mornin" | "mornings" | "matins" => (4, 12),
        "midi" | "noon" | "midday" | "lunch" | "lunchtime" => (12, 12),
        "aprem" | "apresmidi" | "afternoon" | "aprm" => (12, 18),
        "soir" | "soiree" | "evening" | "soirs" | "eve" => (18, 24),
        "nuit" | "night" | "nite" => (20, 28),
        "minuit" | "midnight" => (24, 24),
        _ => return None,
    })
}

/// Zero to fifty-nine in words; two words are two calls added up.
pub(super) fn number(word: &str) -> Option<i8> {
    if word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit()) {
        return word.parse().ok();
    }
    Some(match word {
        "zero" => 0,
        "un" | "une" | "one" | "an" => 1,
        "deux" | "two" => 2,
        "trois" | "three" => 3,
        "quatre" | "four" => 4,
        "cinq" | "five" => 5,
        "six" => 6,
        "sept" | "seven" => 7,
        "huit" | "eight" => 8,
        "neuf" | "nine" => 9,
        "dix" | "ten" => 10,
        "onze" | "eleven" => 11,
        "douze" | "twelve" => 12,
        "treize" | "thirteen" => 13,
        "quatorze" | "fourteen" => 14,
        "quinze" | "fifteen" => 15,
        "seize" | "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "vingt" | "twenty" => 20,
        "trente" | "thirty" => 30,
        "quarante" | "forty" => 40,
        "cinquante" | "fifty" => 50,
        _ => return None,
    })
}

/// Minutes in one unit of time.
pub(super) fn unit_minutes(word: &str) -> Option<i64> {
    Some(match word {
        "min" | "mins" | "minute" | "minutes" | "mn" | "m" | "mns" => 1,
        "h" | "heure" | "heures" | "hour" | "hours" | "hr" | "hrs" => 60,
        "jour" | "jours" | "day" | "days" | "j" => 1440,
        "semaine" | "semaines" | "week" | "weeks" => 10_080,
        _ => return None,
    })
}
