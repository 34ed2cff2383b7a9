//! The bot's words in a person's mouth.

use crate::content::Live;
use crate::model::EscalationReason;

/// A response without what only the bot can say: the sentence that tells the customer to write the word for a person
/// ("répondez CONSEILLER"), with the question that leads to it ("Un doute ?").
pub(super) fn for_people(text: &str, live: &Live) -> String {
    let asks = |word: &str| {
        let capitals = word.chars().count() > 2 && word.chars().all(char::is_uppercase);
        capitals && calls_a_person(&word.to_lowercase(), live)
    };
    let lines = text.lines().map(|line| {
        let mut kept: Vec<&str> = Vec::new();
        for sentence in sentences(line) {
            if !sentence.split(|c: char| !c.is_alphabetic()).any(asks) {
                kept.push(sentence);
            } else if kept.last().is_some_and(|before| before.trim_end().ends_with('?')) {
                kept.pop();
            }
        }
        kept.concat().trim_end().to_owned()
    });
    let all: Vec<String> = lines.collect();
    all.join("\n").trim().to_owned()
}

fn calls_a_person(word: &str, live: &Live) -> bool {
    let calls =
        live.intents.values().filter(|spec| spec.escalate.reason == Some(EscalationReason::Requested));
    calls.flat_map(|spec| &spec.keywords).any(|keyword| keyword == word)
}

/// The sentences of a line, each with the white space behind it.
fn sentences(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut ended = false;
    for (at, c) in line.char_indices() {
        if ended && !c.is_whitespace() {
            found.push(&line[start..at]);
            start = at;
            ended = false;
        }
        // "1.5" and "aide.example" go on.
        let last = line[at + c.len_utf8()..].chars().next().is_none_or(char::is_whitespace);
        ended |= matches!(c, '.' | '!' | '?') && last;
    }
    found.push(&line[start..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_falls_into_its_sentences() {
        for (line, expected) in [
            ("", vec![""]),
            ("Un. Deux ?  Trois", vec!["Un. ", "Deux ?  ", "Trois"]),
            ("Voir aide.example/a. Fin.", vec!["Voir aide.example/a. ", "Fin."]),
            ("À 18 h 04… oui !", vec!["À 18 h 04… oui !"]),
        ] {
            assert_eq!(sentences(line), expected);
        }
    }
}
