//! Numbers in words and figures, up to what clocks and calendars need.

use crate::nlu::normalise::{Normalised, Sep};

pub(in crate::nlu::entities) fn is_figure(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// One word, zero to fifty-nine.
pub(in crate::nlu::entities) fn number(word: &str) -> Option<i8> {
    if word.len() <= 2 && is_figure(word) {
        return word.parse().ok();
    }
    Some(match word {
        "zero" => 0,
        "un" | "une" | "one" => 1,
        "deux" | "two" => 2,
        "trois" | "three" | "troi" => 3,
        "quatre" | "four" | "katre" | "quat" => 4,
        "cinq" | "five" | "sinq" | "sink" => 5,
        "six" => 6,
        "sept" | "seven" => 7,
        "huit" | "eight" | "uit" => 8,
        "neuf" | "nine" => 9,
        "dix" | "ten" => 10,
        "onze" | "eleven" | "onz" => 11,
        "douze" | "twelve" | "douz" => 12,
        "treize" | "thirteen" | "treiz" => 13,
        "quatorze" | "fourteen" | "katorz" => 14,
        "quinze" | "fifteen" | "kinz" | "quinz" => 15,
        "seize" | "sixteen" | "seiz" => 16,
        "seventeen" | "dixsept" => 17,
        "eighteen" | "dixhuit" => 18,
        "nineteen" | "dixneuf" => 19,
        "vingt" | "twenty" => 20,
        "trente" | "thirty" => 30,
        "quarante" | "forty" | "fourty" => 40,
        "cinquante" | "fifty" => 50,
        _ => return None,
    })
}

/// A number over one or more words, and the word after: "dix-sept", "vingt et une", "forty-two", "18".
pub(in crate::nlu::entities) fn cardinal(text: &Normalised, at: usize) -> Option<(i8, usize)> {
    let word = text.word(at);
    let first = number(word)?;
    let near = |i: usize| text.tokens.get(i).is_some_and(|token| token.before <= Sep::Hyphen);
    if is_figure(word) || !near(at + 1) {
        return Some((first, at + 1));
    }
    let next = text.word(at + 1);
    if first >= 20 && next == "et" && near(at + 2) && matches!(text.word(at + 2), "un" | "une") {
        return Some((first + 1, at + 3));
    }
    match number(next).filter(|_| !is_figure(next)) {
        Some(ones @ 1..=9) if first >= 20 && first % 10 == 0 => Some((first + ones, at + 2)),
        Some(ones @ 7..=9) if word == "dix" => Some((10 + ones, at + 2)),
        _ => Some((first, at + 1)),
    }
}

/// How a day of the month was written: it decides how much must stand around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::nlu::entities) enum Written {
    Figures,
    /// `12th`, `1er`.
    Suffixed,
    /// `vingt-trois`.
    Cardinal,
    /// `nineteenth`, `premier`.
    Ordinal,
}

/// A day of the month from `at`, and the word after.
pub(in crate::nlu::entities) fn day_of_month(text: &Normalised, at: usize) -> Option<(i8, Written, usize)> {
    let word = text.word(at);
    let good = |day: i8| (1..=31).contains(&day);
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if !digits.is_empty() {
        let written = match &word[digits.len()..] {
            "" => Written::Figures,
            "st" | "nd" | "rd" | "th" | "er" | "eme" => Written::Suffixed,
            _ => return None,
        };
        let day = digits.parse().ok().filter(|day| digits.len() <= 2 && good(*day))?;
        return Some((day, written, at + 1));
    }
    if let Some(day) = ordinal_word(word) {
        return Some((day, Written::Ordinal, at + 1));
    }
    let tens = match word {
        "twenty" => 20,
        "thirty" => 30,
        _ => 0,
    };
    if tens > 0
        && let Some(ones @ 1..=9) = ordinal_word(text.word(at + 1))
    {
        return Some((tens + ones, Written::Ordinal, at + 2)).filter(|&(day, ..)| good(day));
    }
    let (day, end) = cardinal(text, at)?;
    good(day).then_some((day, Written::Cardinal, end))
}

fn ordinal_word(word: &str) -> Option<i8> {
    Some(match word {
        "premier" | "first" => 1,
        "second" => 2,
        "third" => 3,
        "fourth" => 4,
        "fifth" => 5,
        "sixth" => 6,
        "seventh" => 7,
        "eighth" => 8,
        "ninth" => 9,
        "tenth" => 10,
        "eleventh" => 11,
        "twelfth" => 12,
        "thirteenth" => 13,
        "fourteenth" => 14,
        "fifteenth" => 15,
        "sixteenth" => 16,
        "seventeenth" => 17,
        "eighteenth" => 18,
        "nineteenth" => 19,
        "twentieth" => 20,
        "thirtieth" => 30,
        _ => return None,
    })
}
