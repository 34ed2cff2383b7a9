//! Train numbers and lines.

use super::{MAX_ENTITIES, Mention};
use crate::model::EntityValue;
use crate::nlu::normalise::{Normalised, Sep};

/// Words before a train number that name its kind.
const BRANDS: &[&str] = &[
    "train",
    "trains",
    "tr1",
    "trin",
    "ter",
    "tgv",
    "inoui",
    "ouigo",
    "intercites",
    "intercite",
    "ic",
    "ice",
    "lyria",
    "eurostar",
    "thalys",
    "nomad",
    "remi",
    "zou",
    "breizhgo",
    "aleop",
    "transilien",
    "omnibus",
    "nightjet",
];
/// Between brand and number: "train number 8745", "TER n° 857412".
const BETWEEN: &[&str] = &["n", "no", "num", "numero", "number", "nr", "inoui", "numbered"];
/// Words before the name of a line.
const LINES: &[&str] =
    &["ligne", "lignes", "line", "rer", "transilien", "metro", "tram", "tramway", "bus", "lign"];

/// Train numbers with their brand words, and lines, in the order of the text.
pub fn find(text: &Normalised) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens.len() && found.len() < MAX_ENTITIES {
        match train_at(text, at).or_else(|| line_at(text, at)) {
            Some(mention) => {
                at = mention.tokens.end;
                found.push(mention);
            }
            None => at += 1,
        }
    }
    found
}

fn joined(text: &Normalised, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|token| token.before <= Sep::Dash || token.before == Sep::Other)
}

fn train_at(text: &Normalised, at: usize) -> Option<Mention> {
    let word = text.word(at);
    if BRANDS.contains(&word) {
        let mut end = at + 1;
        while end < at + 4 && BETWEEN.contains(&text.word(end)) && joined(text, end) {
            end += 1;
        }
        let number = text.word(end);
        if joined(text, end) && is_number(number, 3) && !is_clock(text, end) {
            let value = EntityValue::Train { number: number.to_owned() };
            return Some(Mention { tokens: at..end + 1, value });
        }
        return None;
    }
    // "ter857412"; and a lone six-figure number as the regional trains carry.
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let brand = &word[..word.len() - digits.len()];
    let lone = brand.is_empty() && digits.len() == 6 && digits.starts_with('8');
    if is_number(digits, 3) && (lone || (BRANDS.contains(&brand))) {
        return Some(Mention { tokens: at..at + 1, value: EntityValue::Train { number: digits.to_owned() } });
    }
    None
}

fn is_number(word: &str, least: usize) -> bool {
    (least..=6).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit())
}

/// "train 18:30": the figures are a time.
fn is_clock(text: &Normalised, at: usize) -> bool {
    text.tokens.get(at + 1).is_some_and(|next| next.before == Sep::Colon || next.before == Sep::Slash)
}

fn line_at(text: &Normalised, at: usize) -> Option<Mention> {
    let word = text.word(at);
    // "payer en ligne c'est possible", "on line"
    let before = at.checked_sub(1).map_or("", |b| text.word(b));
    if !LINES.contains(&word)
        || (word.starts_with("lig") && before == "en")
        || (word == "line" && before == "on")
    {
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
    let glued =
        text.tokens.get(end).is_some_and(|token| token.before <= Sep::Hyphen && token.before != Sep::Dot);
    let elided = text.tokens.get(end + 1).is_some_and(|token| token.before == Sep::Apostrophe);
    let capital = text.tokens.get(end).is_some_and(|token| token.capital);
    let word_like = matches!(name, "a" | "y" | "d" | "l" | "t" | "i") && !capital && word != "rer";
    if !glued || elided || word_like || !is_line_name(name) {
        return None;
    }
    Some(Mention { tokens: at..end + 1, value: EntityValue::Line { name: name.to_uppercase() } })
}

/// A letter, or up to three figures, or both: `C`, `4`, `T3a`, `P12`.
fn is_line_name(word: &str) -> bool {
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    letters + digits == word.len()
        && !word.is_empty()
        && letters <= 2
        && digits <= 3
        && (digits > 0 || letters == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_trains_and_lines() {
        for (message, surface, value) in [
            ("mon TER 857412 est en retard", "TER 857412", "857412"),
            ("le train n° 8745 roule", "train n° 8745", "8745"),
            ("train number 8745 late?", "train number 8745", "8745"),
            ("tgv8617", "tgv8617", "8617"),
            ("le RER C marche", "RER C", "C"),
            ("la ligne N est en panne", "ligne N", "N"),
            ("is line 4 running", "line 4", "4"),
            ("ligne a grande vitesse", "", ""),
            ("le train 18:30", "", ""),
            ("le train de 7h12", "", ""),
            ("50 euros", "", ""),
        ] {
            let text = Normalised::new(message);
            let found = find(&text);
            let Some(first) = found.first() else {
                assert_eq!(surface, "", "{message}");
                continue;
            };
            assert_eq!(&message[text.original_span(first.tokens.clone())], surface);
            match &first.value {
                EntityValue::Train { number } => assert_eq!(number, value),
                EntityValue::Line { name } => assert_eq!(name, value),
                other => panic!("{other:?}"),
            }
        }
    }
}
