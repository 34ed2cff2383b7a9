//! Train numbers and lines.

mod lines;
mod spelled;

use super::clock_words::counts_things;
use super::{MAX_ENTITIES, Mention};
use crate::model::EntityValue;
use crate::nlu::normalise::{Normalised, Sep};
use spelled::spelled;

/// Names of trains that stand before their numbers and belong to them: `TGV 8617`.
const BRANDS: &[&str] = &[
    "ter",
    "tgv",
    "tvg",
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
/// Words before a train number that say only that it is one: `train 8745` is train `8745`.
const TRAIN_WORDS: &[&str] =
    &["train", "trains", "tr1", "trin", "trian", "tarin", "tain", "trein", "service", "services"];
/// Between brand and number: "train number 8745", "TER n° 857412".
const BETWEEN: &[&str] = &["n", "no", "num", "numero", "number", "nr", "inoui", "numbered"];
/// A number after these is one of something else.
const OTHER_NUMBERS: &[&str] = &[
    "n",
    "no",
    "numero",
    "number",
    "ref",
    "reference",
    "dossier",
    "commande",
    "order",
    "code",
    "cp",
    "tel",
    "telephone",
    "phone",
    "carte",
    "card",
    "contrat",
    "client",
    "customer",
    "facture",
    "invoice",
    "billet",
    "ticket",
    "booking",
    "reservation",
    "pv",
    "voiture",
    "coach",
    "car",
    "place",
    "seat",
    "siege",
    "iso",
    "in",
    "en",
    "since",
    "depuis",
    "annee",
    "year",
];

/// A word that stands before the name of a line: "ligne", "line".
pub(super) fn names_a_line(word: &str) -> bool {
    lines::LINES.contains(&word)
}

/// Train numbers with their brand words, and lines, in the order of the text. `expected`: a train's number was asked for.
pub fn find(text: &Normalised, expected: bool) -> Vec<Mention> {
    let mut found: Vec<Mention> = Vec::new();
    let mut at = 0;
    while at < text.tokens.len() && found.len() < MAX_ENTITIES {
        match train_at(text, at, expected).or_else(|| lines::line_at(text, at)) {
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
    text.tokens
        .get(at)
        .is_some_and(|token| token.before <= Sep::Hyphen || matches!(token.before, Sep::Dash | Sep::Other))
}

fn train(tokens: std::ops::Range<usize>, number: &str) -> Option<Mention> {
    Some(Mention { tokens, value: EntityValue::Train { number: number.to_owned() } })
}

fn train_at(text: &Normalised, at: usize, expected: bool) -> Option<Mention> {
    let word = text.word(at);
    let brand = BRANDS.contains(&word);
    if brand || TRAIN_WORDS.contains(&word) {
        let mut number_at = at + 1;
        while number_at < at + 4 && BETWEEN.contains(&text.word(number_at)) && joined(text, number_at) {
            number_at += 1;
        }
        if !joined(text, number_at) {
            return None;
        }
        let number = text.word(number_at);
        let start = if brand { at } else { number_at };
        // "TER 200" is a kind of train.
        let least = if matches!(word, "ter" | "tgv") { 4 } else { 3 };
        if is_number(number, least) && !is_clock(text, number_at) {
            return train(start..number_at + 1, number);
        }
        let (number, end) = spelled(text, number_at, true)?;
        return train(start..end, &number);
    }
    // "ter857412"
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let prefix = &word[..word.len() - digits.len()];
    if is_number(digits, 3) && BRANDS.contains(&prefix) {
        return train(at..at + 1, digits);
    }
    if is_lone_number(text, at, expected) {
        return train(at..at + 1, word);
    }
    // "it's the eight five three seven"
    let before = at.checked_sub(1).map_or("", |before| text.word(before));
    let (number, end) = spelled(text, at, false).filter(|_| matches!(before, "the" | "le" | "du" | "da"))?;
    train(at..end, &number)
}

fn is_number(word: &str, least: usize) -> bool {
    (least..=6).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit())
}

/// "train 18:30": the figures are a time.
fn is_clock(text: &Normalised, at: usize) -> bool {
    text.tokens.get(at + 1).is_some_and(|next| matches!(next.before, Sep::Colon | Sep::Slash))
        && starts_with_figure(text, at + 1)
}

fn starts_with_figure(text: &Normalised, at: usize) -> bool {
    text.word(at).bytes().next().is_some_and(|b| b.is_ascii_digit())
}

/// "le 8741", "Terminus of 17756?": four to six figures that are no hour, year, price or telephone number.
fn is_lone_number(text: &Normalised, at: usize, expected: bool) -> bool {
    let word = text.word(at);
    if !is_number(word, 4) || word.starts_with('0') {
        return false;
    }
    let shaped = match word.len() {
        4 => {
            // "2215" reads as an hour, "2026" as a year.
            let (hours, minutes) = (&word[..2], &word[2..]);
            hours > "23" || minutes > "59" && !matches!(hours, "19" | "20")
        }
        // Postal codes of towns end in zeros.
        5 => !word.ends_with("00"),
        _ => word.starts_with('8'),
    };
    let figures = |at: usize| starts_with_figure(text, at);
    let tied = |at: usize| {
        let tie = text
            .tokens
            .get(at)
            .is_some_and(|t| matches!(t.before, Sep::Hyphen | Sep::Dot | Sep::Colon | Sep::Slash));
        tie && figures(at)
    };
    let before = at.checked_sub(1).map_or("", |before| text.word(before));
    let spaced_figures =
        figures(at + 1) && text.tokens[at + 1].before <= Sep::Dot && text.word(at + 1).len() <= 3
            || at > 0 && figures(at - 1) && before.len() > 1 && text.tokens[at].before <= Sep::Dot;
    let priced = text.marks.iter().any(|mark| matches!(mark, '€' | '£'))
        && (text.tokens[at].before == Sep::Other
            || text.tokens.get(at + 1).is_none_or(|t| t.before == Sep::Other));
    shaped
        && text.tokens[at].sigil.is_none()
        && at.checked_sub(1).is_none_or(|_| !tied(at))
        && !tied(at + 1)
        && !spaced_figures
        && !priced
        && !counts_things(text.word(at + 1))
        && (expected && BETWEEN.contains(&before) || !OTHER_NUMBERS.contains(&before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_trains_and_lines() {
        for (message, surface, value) in [
            ("mon TER 857412 est en retard", "TER 857412", "857412"),
            ("le train n° 8745 roule", "8745", "8745"),
            ("train number 8745 late?", "8745", "8745"),
            ("Ma fille voyage dans le 8741, seule", "8741", "8741"),
            ("Terminus of 17756?", "17756", "17756"),
            ("the service 9412", "9412", "9412"),
            ("our train number nine two four one", "nine two four one", "9241"),
            ("tgv six one seven three", "tgv six one seven three", "6173"),
            ("le tgv soixante et un soixante-treize", "tgv soixante et un soixante-treize", "6173"),
            ("le huit mille cinq cent trente et un", "huit mille cinq cent trente et un", "8531"),
            ("appelez le 06 44 00 12 33", "", ""),
            ("dossier 8741", "", ""),
            ("en 2023", "", ""),
            ("35400 euros", "", ""),
            ("sur la D ça roule ?", "D", "D"),
            ("is the A behaving tonight", "A", "A"),
            ("la linge N", "linge N", "N"),
            ("#ligneJ", "ligneJ", "J"),
            ("RERB", "RERB", "B"),
            ("my 7:12 on line R", "line R", "R"),
            ("on line a ticket costs more", "", ""),
            ("le a l'heure", "", ""),
            ("RER 60 € d'amende", "", ""),
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
            let found = find(&text, false);
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

    #[test]
    fn a_number_is_a_train_where_one_was_asked_for() {
        for (message, asked, otherwise) in [
            ("it's number 8002", 1, 0),
            ("le numéro 850012", 1, 0),
            ("order 8002", 0, 0),
            ("number 2026", 0, 0),
        ] {
            let text = Normalised::new(message);
            assert_eq!((find(&text, true).len(), find(&text, false).len()), (asked, otherwise), "{message}");
        }
    }
}
