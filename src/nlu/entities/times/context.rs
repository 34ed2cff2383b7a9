//! Words around a time that decide how it is meant, or that it is none.

use super::super::calendar_words::part_of_day;
use super::super::clock_words::{is_boundary, previous, sep};
use super::numbers::{is_figure, number};
use super::{Bound, Parts};
use crate::nlu::normalise::{Normalised, Sep};

/// A word such as "vers" or "before".
pub(super) struct BoundWords {
    pub bound: Bound,
    pub len: usize,
    /// Customers feel it to be part of the time: "avant 9h", but not "depuis lundi".
    pub inside: bool,
}

/// How the time that follows is meant.
pub(super) fn bound_at(text: &Normalised, at: usize) -> Option<BoundWords> {
    let (word, next, third) = (text.word(at), text.word(at + 1), text.word(at + 2));
    let inside = |bound: Bound, len: usize| Some(BoundWords { bound, len, inside: true });
    let outside = |bound: Bound, len: usize| Some(BoundWords { bound, len, inside: false });
    let of = |word: &str| matches!(word, "de" | "d" | "du" | "des");
    match word {
        "vers" | "ver" => outside(Bound::Around, 1),
        "around" | "about" | "environ" | "circa" | "approximately" | "roughly" | "arond" | "abt"
        | "approx" => inside(Bound::Around, 1),
        "autour" if of(next) => inside(Bound::Around, 2),
        "aux" if matches!(next, "environs" | "alentours") && of(third) => inside(Bound::Around, 3),
        "dans" | "sur" if next == "les" && third == "coups" => inside(Bound::Around, 4),
        "dans" | "sur" if next == "les" => inside(Bound::Around, 2),
        "avant" | "before" | "b4" | "avan" | "befor" => inside(Bound::Before, 1),
        "by" | "until" | "till" | "til" => outside(Bound::Before, 1),
        "jusqu" | "jusk" if matches!(next, "a" | "au" | "en") => outside(Bound::Before, 2),
        // "après-midi", "après-demain" are other words.
        "apres" | "apre" if next == "midi" && sep(text, at + 1) == Some(Sep::Hyphen) => None,
        "apres" | "after" | "apre" | "afetr" | "aftr" => inside(Bound::After, 1),
        "des" | "since" | "depuis" | "sinse" | "depui" | "dpui" | "from" => outside(Bound::From, 1),
        "a" if next == "partir" && of(third) => outside(Bound::From, 3),
        "partir" if of(next) => outside(Bound::From, 2),
        _ => None,
    }
}

/// Words that may stand between two pieces of one time.
pub(super) fn is_link(word: &str) -> bool {
    matches!(
        word,
        "a" | "at"
            | "le"
            | "la"
            | "l"
            | "du"
            | "de"
            | "d"
            | "on"
            | "the"
            | "in"
            | "dans"
            | "en"
            | "au"
            | "da"
            | "of"
            | "2"
            | "plutot"
            | "disons"
            | "o"
    )
}

/// "matin", "après-midi", "fin de matinée", "late afternoon": the hours, and the word after.
pub(super) fn part(text: &Normalised, at: usize) -> Option<((i8, i8), usize)> {
    let (word, next) = (text.word(at), text.word(at + 1));
    let whole = |at: usize| match (text.word(at), text.word(at + 1)) {
        ("apres" | "aprs" | "apre", "midi") => Some(((12, 18), at + 2)),
        ("am", _) => Some(((5, 12), at + 1)),
        ("pm", _) => Some(((12, 18), at + 1)),
        ("journee", _) => Some(((5, 20), at + 1)),
        (word, _) => part_of_day(word).map(|hours| (hours, at + 1)),
    };
    let early = match word {
        "fin" | "late" => Some(false),
        "debut" | "early" => Some(true),
        _ => None,
    };
    let Some(early) = early else { return whole(at).filter(|_| word != "journee") };
    let first = at + 1 + usize::from(matches!(next, "de" | "d"));
    let first = first + usize::from(matches!(text.word(first), "l" | "la"));
    let ((from, to), end) = whole(first)?;
    let middle = from + (to - from) / 2;
    Some((if early { (from, middle) } else { (middle, to) }, end))
}

/// A part of the day without a day, where its words leave no doubt: "in the evening", "en matinée".
pub(super) fn lone_part(text: &Normalised, at: usize) -> Option<((i8, i8), usize)> {
    match text.word(at) {
        "in" if matches!(text.word(at + 1), "the" | "da") => part(text, at + 2),
        "early" | "late" => part(text, at),
        "en" => part(text, at + 1).filter(|_| !matches!(text.word(at + 1), "matin" | "soir" | "nuit")),
        _ => None,
    }
}

/// Hours and minutes that say how long, not when: "trois heures de retard", "depuis 2h", "3 hours late".
/// `at` and `end` enclose the clock time alone.
pub(super) fn is_duration(text: &Normalised, at: usize, end: usize, parts: &Parts) -> bool {
    let told_by_hours = (at..end).any(|i| {
        let word = text.word(i);
        let tail = word.trim_start_matches(|c: char| c.is_ascii_digit());
        matches!(word, "heures" | "heure" | "h" | "heur") || tail.len() < word.len() && tail.starts_with('h')
    });
    if !told_by_hours {
        return false;
    }
    let before = previous(text, at);
    let before2 = at.checked_sub(2).map_or("", |b| text.word(b));
    let lasts = matches!(
        before,
        "depuis"
            | "pendant"
            | "durant"
            | "dure"
            | "duree"
            | "avec"
            | "presque"
            | "dpui"
            | "depui"
            | "by"
            | "extra"
            | "dealy"
            | "delay"
            | "stood"
            | "reste"
            | "perdu"
            | "attendu"
            | "lost"
            | "waited"
            | "environ"
    ) && (!before.starts_with("dep")
        || parts.clock.is_some_and(|clock| clock.hour <= 5) && !is_exact(text.word(at)))
        && (before == "by" && matches!(before2, "late" | "l8" | "delayed")
            || !matches!(parts.bound, Some(Bound::Before | Bound::After)));
    let more =
        matches!(before, "de" | "d") && matches!(before2, "plus" | "moins" | "pres" | "retard" | "attente");
    if lasts && parts.days.is_none() && parts.part.is_none() || more || measures(text, end) {
        return true;
    }
    // Few hours without any word that leads to a time are a while: "j'ai cinq heures à tuer".
    let few = parts.clock.is_some_and(|clock| clock.hour <= 5);
    let alone =
        parts.days.is_none() && parts.part.is_none() && parts.bound.is_none() && parts.until.is_none();
    // "d'une heure", unlike "celui d 5h"
    let elided = sep(text, at) == Some(Sep::Apostrophe);
    few && alone
        && at > 0
        && (elided || !leads_to_time(before) || is_train(before) && !is_figure_start(text.word(at)))
        || few
            && alone
            && at == 0
            && !is_boundary(text, end)
            && number(text.word(0)).is_some()
            && !is_figure(text.word(0))
}

/// "5h04": to the minute, nobody waits.
fn is_exact(word: &str) -> bool {
    word.contains('h') && is_figure_start(word) && word.ends_with(|c: char| c.is_ascii_digit())
}

fn is_figure_start(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// "bloquer un train une heure"
fn is_train(word: &str) -> bool {
    matches!(word, "train" | "ter" | "tgv")
}

/// What follows measures something: "1h20 de retard", "2h10 dans la vue", "cinq heures à tuer".
fn measures(text: &Normalised, end: usize) -> bool {
    let (first, second, third) = (text.word(end), text.word(end + 1), text.word(end + 2));
    let noun = |word: &str| {
        matches!(
            word,
            "retard"
                | "rtard"
                | "attente"
                | "trajet"
                | "route"
                | "train"
                | "voyage"
                | "retar"
                | "retrad"
                | "visite"
                | "battement"
                | "correspondance"
                | "delay"
                | "retad"
        )
    };
    match first {
        "late" | "delay" | "delayed" | "retard" | "wait" | "waiting" | "ago" | "journey" | "rtard"
        | "retrad" => true,
        "de" | "d" | "2" => noun(second),
        "dans" => second == "la" && third == "vue",
        "a" => matches!(second, "tuer" | "attendre" | "perdre"),
        "plus" => matches!(second, "tot" | "tard"),
        "apres" => second == "l" && third == "heure",
        _ => false,
    }
}

fn leads_to_time(word: &str) -> bool {
    matches!(
        word,
        "a" | "de"
            | "du"
            | "le"
            | "d"
            | "vers"
            | "pour"
            | "celui"
            | "des"
            | "the"
            | "at"
            | "mon"
            | "ma"
            | "est"
            | "train"
            | "ter"
            | "tgv"
            | "depart"
            | "departs"
            | "arrivee"
            | "la"
            | "o"
            | "my"
            | "from"
            | "to"
            | "pr"
            | "et"
            | "ou"
            | "son"
            | "notre"
            | "ce"
    )
}
