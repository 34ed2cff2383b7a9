//! Several questions in one message: "mon train est à l'heure ? et je peux prendre mon vélo ?"

use super::normalise::{Normalised, Sep};
use crate::model::{IntentScore, OUT_OF_SCOPE};
use std::ops::Range;

/// Parts that are read apart, at most: a long mail has many sentences and one or two wishes.
pub const MAX_PARTS: usize = 6;
/// A shorter part goes with its neighbour: "Bonjour." with what follows, "Merci !" with what comes before.
const MIN_WORDS: usize = 3;
/// As sure as this must each part be of its own intent.
const SURE: f32 = 0.55;
/// A message that is this sure to be about one thing is not taken apart.
const ONE_THING: f32 = 0.97;
/// A message in which no second intent is this probable holds no second question.
const ANOTHER: f32 = 0.03;
/// Both questions must be among the message's own first guesses.
const GUESSES: usize = 4;

/// Words that begin another question without a full stop before them, folded.
const OPENERS: &[&[&str]] = &[
    &["et", "aussi"],
    &["et", "sinon"],
    &["et", "puis"],
    &["et", "est"],
    &["et", "je"],
    &["et", "quel"],
    &["et", "quelle"],
    &["et", "ou"],
    &["et", "comment"],
    &["et", "combien"],
    &["et", "au", "fait"],
    &["au", "fait"],
    &["sinon"],
    &["par", "ailleurs"],
    &["autre", "question"],
    &["and", "also"],
    &["and", "can"],
    &["and", "is"],
    &["and", "do"],
    &["and", "how"],
    &["and", "what"],
    &["and", "where"],
    &["and", "when"],
    &["and", "which"],
    &["also"],
    &["another", "question"],
    &["by", "the", "way"],
    &["oh", "and"],
];

/// Is it worth reading the parts? `ranked`: what the message as a whole seems to mean.
pub fn worth_a_look(ranked: &[IntentScore]) -> bool {
    let mut inside = ranked.iter().filter(|score| score.intent != OUT_OF_SCOPE).map(|score| score.confidence);
    let (best, second) = (inside.next().unwrap_or(0.0), inside.next().unwrap_or(0.0));
    best < ONE_THING && second >= ANOTHER
}

/// The message's sentences, as byte ranges of the original; fewer than two: it is one.
pub fn parts(text: &Normalised) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    for at in 1..text.tokens.len() {
        let stop = text.tokens[at].before == Sep::Stop;
        let opens = OPENERS.iter().any(|words| (0..words.len()).all(|i| text.word(at + i) == words[i]));
        let long_enough = at - starts[starts.len() - 1] >= MIN_WORDS;
        if (stop || opens) && long_enough {
            starts.push(at);
        }
    }
    starts.push(text.tokens.len());
    let mut parts: Vec<Range<usize>> =
        starts.windows(2).map(|ends| ends[0]..ends[1]).filter(|part| !part.is_empty()).collect();
    if let Some(last) = parts.pop_if(|last| last.len() < MIN_WORDS) {
        match parts.last_mut() {
            Some(before) => before.end = last.end,
            None => parts.push(last),
        }
    }
    parts.truncate(MAX_PARTS);
    parts.into_iter().map(|part| text.original_span(part)).collect()
}

/// The questions among the parts, each with what it means, in their order; empty unless there are two or more.
/// `courtesy`: intents that ask nothing.
pub fn questions(
    whole: &[IntentScore],
    parts: Vec<(Range<usize>, Vec<IntentScore>)>,
    courtesy: &dyn Fn(&str) -> bool,
) -> Vec<(Range<usize>, IntentScore)> {
    let guessed = |intent: &str| whole.iter().take(GUESSES).any(|score| score.intent == intent);
    let mut found: Vec<(Range<usize>, IntentScore)> = Vec::new();
    for (span, scores) in parts {
        let Some(best) = scores.into_iter().next() else { continue };
        let asks = best.confidence >= SURE && best.intent != OUT_OF_SCOPE && !courtesy(&best.intent);
        let known = found.iter().any(|(_, earlier)| earlier.intent == best.intent);
        if asks && !known && guessed(&best.intent) {
            found.push((span, best));
        }
    }
    if found.len() < 2 { Vec::new() } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_sentences_apart() {
        for (text, expected) in [
            (
                "Mon train 8745 est à l'heure ? Je peux prendre mon vélo ?",
                vec!["Mon train 8745 est à l'heure", "Je peux prendre mon vélo"],
            ),
            (
                "quel quai pour Brest et est ce que je peux venir avec mon chien",
                vec!["quel quai pour Brest", "et est ce que je peux venir avec mon chien"],
            ),
            ("is the 8:12 late and can i bring my bike", vec!["is the 8:12 late", "and can i bring my bike"]),
            ("Bonjour ! Le train de Rennes à Brest ?", vec!["Bonjour ! Le train de Rennes à Brest"]),
            ("prochain train pour Rennes. Merci", vec!["prochain train pour Rennes. Merci"]),
            ("", vec![]),
        ] {
            let parts = parts(&Normalised::new(text));
            let texts: Vec<&str> = parts.iter().map(|span| &text[span.clone()]).collect();
            assert_eq!(texts, expected, "{text}");
        }
    }

    #[test]
    fn finds_two_questions_and_leaves_courtesy_out() {
        let score = |intent: &str, confidence| IntentScore { intent: intent.into(), confidence };
        let whole = [score("a.x", 0.5), score("b.y", 0.4), score("g.thanks", 0.1)];
        let part = |at: usize, intent: &str, p| (at..at + 1, vec![score(intent, p)]);
        let courtesy = |intent: &str| intent.starts_with("g.");
        let found = |parts| -> Vec<String> {
            questions(&whole, parts, &courtesy).into_iter().map(|(_, s)| s.intent).collect()
        };
        assert_eq!(found(vec![part(0, "b.y", 0.9), part(1, "a.x", 0.8)]), ["b.y", "a.x"]);
        let none: [&str; 0] = [];
        assert_eq!(found(vec![part(0, "a.x", 0.9), part(1, "a.x", 0.9)]), none);
        assert_eq!(found(vec![part(0, "a.x", 0.9), part(1, "g.thanks", 0.9)]), none);
        assert_eq!(found(vec![part(0, "a.x", 0.9), part(1, "b.y", 0.4)]), none);
        assert_eq!(found(vec![part(0, "a.x", 0.9), part(1, "c.z", 0.9)]), none);
    }
}
