//! Lines: `RER C`, `ligne N`, `#ligneJ`, and the letter alone in `sur la D`.

use super::super::Mention;
use super::super::clock_words::previous;
use super::super::times::numbers::number;
use super::super::typos::distance;
use crate::model::EntityValue;
use crate::nlu::normalise::{Normalised, Sep};
use std::ops::Range;

/// Words before the name of a line.
pub(super) const LINES: &[&str] =
    &["ligne", "lignes", "line", "rer", "transilien", "metro", "tram", "tramway", "bus", "lign"];

pub(super) fn line_at(text: &Normalised, at: usize) -> Option<Mention> {
    named(text, at).or_else(|| misspelt(text, at)).or_else(|| glued(text, at)).or_else(|| letter(text, at))
}

fn line(tokens: Range<usize>, name: &str) -> Option<Mention> {
    Some(Mention { tokens, value: EntityValue::Line { name: name.to_uppercase() } })
}

fn named(text: &Normalised, at: usize) -> Option<Mention> {
    let word = text.word(at);
    // "payer en ligne c'est possible"
    if !LINES.contains(&word) || (word.starts_with("lig") && previous(text, at) == "en") {
        return None;
    }
    let mut end = at + 1;
    // "ligne de RER C", "RER line C", "ligne du tram 2": the last of the words names it.
    while end < at + 3
        && (LINES.contains(&text.word(end)) || matches!(text.word(end), "n" | "numero" | "number"))
    {
        if !is_line_name(text.word(end))
            || LINES.contains(&text.word(end))
            || is_line_name(text.word(end + 1))
        {
            end += 1;
        } else {
            break;
        }
    }
    let name = text.word(end);
    let capital = text.tokens.get(end).is_some_and(|token| token.capital);
    // "on line a ticket", "ligne a grande vitesse"
    let word_like = matches!(name, "a" | "y" | "d" | "l" | "t" | "i") && !capital && word != "rer";
    let money = word == "rer" && name.bytes().any(|b| b.is_ascii_digit());
    if !stands_beside(text, end) || word_like || money || !is_line_name(name) {
        return None;
    }
    line(at..end + 1, name)
}

/// The name follows its word directly, and is not the start of an elided one: "ligne d'autocar".
fn stands_beside(text: &Normalised, at: usize) -> bool {
    let near = text.tokens.get(at).is_some_and(|token| matches!(token.before, Sep::Space | Sep::Hyphen));
    let elided = text.tokens.get(at + 1).is_some_and(|token| token.before == Sep::Apostrophe);
    near && !elided
}

/// "la linge N", "lgne J", "lien N": a slip that happens to be a word wants a capital after it.
fn misspelt(text: &Normalised, at: usize) -> Option<Mention> {
    let (word, name) = (text.word(at), text.word(at + 1));
    let slip = word.len() >= 3
        && word.starts_with('l')
        && (distance(word, "ligne", 1) <= 1 || distance(word, "line", 1) <= 1);
    let capital = text.tokens.get(at + 1).is_some_and(|token| token.capital);
    let plain = matches!(word, "lgne" | "lgine" | "ligen" | "lnie" | "linne");
    let lettered = name.len() == 1 && name.bytes().all(|b| b.is_ascii_alphabetic());
    let good = slip && lettered && name != "i" && (capital || plain) && stands_beside(text, at + 1);
    if good { line(at..at + 2, name) } else { None }
}

/// `#ligneJ`, `RERB`.
fn glued(text: &Normalised, at: usize) -> Option<Mention> {
    // "@LigneN_SNCF" is who is written to.
    let (word, sigil) = (text.word(at), text.tokens[at].sigil);
    let tagged = sigil == Some('#');
    let (name, good) = if let Some(name) = word.strip_prefix("rer") {
        (name, matches!(name, "a" | "b" | "c" | "d" | "e"))
    } else if let Some(name) = word.strip_prefix("ligne") {
        (name, tagged || name != "s")
    } else {
        (word.strip_prefix("line").filter(|_| tagged)?, true)
    };
    let lettered = name.len() == 1 && name.bytes().all(|b| b.is_ascii_alphabetic());
    if good && lettered && sigil != Some('@') { line(at..at + 1, name) } else { None }
}

/// "sur la D", "is the A behaving": a letter after an article; a small one only where a line may be.
fn letter(text: &Normalised, at: usize) -> Option<Mention> {
    let name = text.word(at);
    let token = &text.tokens[at];
    let article_at = at.checked_sub(1)?;
    let article = text.word(article_at);
    if !matches!(article, "le" | "la" | "the" | "da" | "du")
        || token.before != Sep::Space
        || token.sigil.is_some()
    {
        return None;
    }
    // "LA C EST": in capitals a letter is no name.
    let shouted = text.tokens[article_at].capital && text.tokens[article_at].before != Sep::Stop;
    let tied = text
        .tokens
        .get(at + 1)
        .is_some_and(|next| matches!(next.before, Sep::Apostrophe | Sep::Hyphen | Sep::Slash | Sep::Dot));
    let lettered = matches!(name.as_bytes(), [b'a'..=b'h' | b'j'..=b'n' | b'p'..=b'u']);
    let tram = matches!(name.as_bytes(), [b't', b'1'..=b'9']);
    let small =
        article == "du" && name != "a" || matches!(previous(text, article_at), "sur" | "on" | "of" | "etat");
    // "on the a seven": a road.
    let counted = number(text.word(at + 1)).is_some();
    let good = (lettered || tram)
        && !tied
        && !counted
        && (token.capital && !shouted || small && !matches!(name, "m" | "t" | "s"));
    if good { line(at..at + 1, name) } else { None }
}

/// A letter, or up to three figures, or both: `C`, `4`, `T3a`, `P12`.
fn is_line_name(word: &str) -> bool {
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    letters + digits == word.len()
        && !word.is_empty()
        && letters <= 2
        && !matches!(word, "i" | "o")
        // "Transilien 8h15"
        && !(word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('h'))
        && digits <= 3
        && (digits > 0 || letters == 1)
}
