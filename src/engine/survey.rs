//! What customers answer to "how were you served, from 1 to 5?". Pure, and read where a message comes in, before anything else
//! is known of it: the words are here and not in the intents' files.
//!
//! Strict on purpose. A score that is not read costs a figure; a question that is taken for one costs a customer's answer. So a
//! score is the whole message, or its beginning before a separator or a word of judgement, and what asks something is none.

use super::commands::is_command;
use super::manners::emergency;
use crate::model::{EscalationReason, IntentSpec, OUT_OF_SCOPE, Phrases, Tone, Understanding};
use std::collections::BTreeMap;

/// Characters of a comment; what is longer was not written as one.
const LONGEST: usize = 1_000;

/// A score, and what was said with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    /// 1 to 5.
    pub score: i64,
    /// Empty: nothing beyond thanks.
    pub rest: String,
}

const NUMBERS: [&[&str]; 5] = [
    &["1", "un", "une", "one"],
    &["2", "deux", "two"],
    &["3", "trois", "three"],
    &["4", "quatre", "four"],
    &["5", "cinq", "five"],
];

/// Words around a score that say nothing themselves.
const FILLERS: &[&str] = &[
    "note", "je", "mets", "mettrais", "donne", "vous", "ma", "est", "c'est", "c’est", "le", "la", "un",
    "une", "i", "give", "would", "you", "it", "a", "my", "rating", "score", "is", "merci", "bcp", "beaucoup",
    "svp", "thanks", "thank", "thx", "very", "much", "please", "étoile", "étoiles", "etoile", "etoiles",
    "star", "stars", "point", "points", "bonjour", "hello", "et", "and", "à",
];

/// Words that may follow a score without a separator: a judgement begins.
const JUDGEMENTS: &[&str] = &[
    "très",
    "tres",
    "super",
    "parfait",
    "excellent",
    "excellente",
    "top",
    "bravo",
    "bien",
    "bon",
    "bonne",
    "nul",
    "nulle",
    "rien",
    "merci",
    "car",
    "parce",
    "mais",
    "pas",
    "trop",
    "service",
    "réponse",
    "réponses",
    "reponse",
    "very",
    "great",
    "good",
    "perfect",
    "bad",
    "poor",
    "awesome",
    "thanks",
    "thank",
    "because",
    "but",
    "not",
    "nothing",
    "too",
    "quick",
    "fast",
    "slow",
];

/// The score that `text` gives. None: it gives none.
pub fn score(text: &str) -> Option<Scored> {
    let text = text.trim();
    if text.is_empty() || text.contains('?') || text.chars().count() > LONGEST {
        return None;
    }
    if let Some(score) = stars(text) {
        return Some(Scored { score, rest: String::new() });
    }
    // A keycap is its digit with two marks behind it.
    let text = text.replace(['\u{fe0f}', '\u{20e3}'], "");
    let (head, rest) = split(&text);
    match (head_score(head), rest) {
        (Some(score), rest) => Some(Scored { score, rest: telling(rest) }),
        // "Note : 4".
        (None, rest)
            if words(head).iter().all(|word| FILLERS.contains(&word.as_str())) && !rest.is_empty() =>
        {
            let (head, rest) = split(rest);
            Some(Scored { score: head_score(head)?, rest: telling(rest) })
        }
        (None, _) => judged(&text),
    }
}

/// "5 très bien": the number, and a judgement that needs no separator.
fn judged(text: &str) -> Option<Scored> {
    let (number, rest) = text.split_once(char::is_whitespace)?;
    let first = words(rest).into_iter().next()?;
    let score = head_score(number).filter(|_| JUDGEMENTS.contains(&first.as_str()))?;
    Some(Scored { score, rest: telling(rest) })
}

/// A text of nothing but stars, full and empty ones.
fn stars(text: &str) -> Option<i64> {
    let full = |c: &char| matches!(c, '⭐' | '★' | '🌟' | '*');
    let known = text.chars().all(|c| full(&c) || matches!(c, '☆' | '\u{fe0f}') || c.is_whitespace());
    let count = text.chars().filter(full).count();
    i64::try_from(count).ok().filter(|count| known && (1..=5).contains(count))
}

/// Before and behind the first separator. One with a digit behind it is part of a number, a time, a list.
fn split(text: &str) -> (&str, &str) {
    let separates =
        |c: char| matches!(c, ',' | ';' | ':' | '!' | '.' | '…' | '\n' | '-' | '–' | '—' | '(' | '"' | '«');
    let mut found = text.char_indices().filter(|(_, c)| separates(*c));
    match found.next() {
        Some((at, c)) => {
            let rest = text[at + c.len_utf8()..].trim_start_matches(separates).trim();
            if rest.starts_with(|c: char| c.is_ascii_digit())
                && !text[..at].trim().is_empty()
                && head_score(&text[..at]).is_some()
            {
                // "4,5", "2-3", "4, 5 minutes": no score.
                return (text, "");
            }
            (&text[..at], rest)
        }
        None => (text, ""),
    }
}

fn words(text: &str) -> Vec<String> {
    let trimmed = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/').to_lowercase();
    text.split_whitespace().map(trimmed).filter(|word| !word.is_empty()).collect()
}

/// The one number from 1 to 5 of a head that says nothing else: `4`, `4/5`, `4 sur 5`, `je mets quatre`.
fn head_score(head: &str) -> Option<i64> {
    let words = words(head);
    if words.len() > 8 {
        return None;
    }
    let joined = words.join(" ");
    let joined = joined
        .replace(" out of 5", "/5")
        .replace(" out of five", "/5")
        .replace(" sur 5", "/5")
        .replace(" sur cinq", "/5")
        .replace(" / 5", "/5")
        .replace(" /5", "/5");
    let mut score = None;
    // "Un" is a number where nothing else is one.
    let words: Vec<&str> = joined.split(' ').collect();
    let number = |word: &str| {
        let bare = word.strip_suffix("/5").unwrap_or(word);
        let at = NUMBERS.iter().position(|names| names.contains(&bare))?;
        i64::try_from(at + 1).ok()
    };
    let telling: Vec<&&str> = words.iter().filter(|word| !FILLERS.contains(word)).collect();
    match telling.as_slice() {
        [] => words.iter().rev().find_map(|word| number(word)).filter(|_| words.len() == 1),
        telling => {
            for word in telling {
                if score.is_some() {
                    return None;
                }
                score = Some(number(word)?);
            }
            score
        }
    }
}

/// What was said beyond the score; empty when it is thanks alone.
fn telling(rest: &str) -> String {
    let all = words(rest);
    let nothing = all.iter().all(|word| FILLERS.contains(&word.as_str()));
    if nothing { String::new() } else { rest.trim().to_owned() }
}

/// Whether a message behind a score may be its comment, before it is understood.
pub fn may_comment(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains('?') && text.chars().count() <= LONGEST
}

/// Whether what was understood is a comment on how the customer was served, and no concern of theirs: complaints and praise are
/// comments, what we would look up or what names a train is not.
pub fn is_comment(
    text: &str,
    understanding: &Understanding,
    intents: &BTreeMap<String, IntentSpec>,
    phrases: &Phrases,
    answer_from: f32,
) -> bool {
    if is_command(text, phrases) || emergency(understanding, intents).is_some() {
        return false;
    }
    let best = understanding.best().filter(|best| best.confidence >= answer_from);
    let Some(best) = best.filter(|best| best.intent != OUT_OF_SCOPE) else { return true };
    let Some(spec) = intents.get(&best.intent) else { return true };
    let complains = spec.escalate.reason == Some(EscalationReason::NegativeTone);
    let praises = understanding.tone == Tone::Positive && spec.answer.is_none();
    (spec.courtesy || complains || praises) && understanding.entities.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_however_they_are_written() {
        for (expected, texts) in [
            (1, "1|un|1/5|Un.|one|⭐|je mets 1|1 étoile|1️⃣"),
            (2, "2|deux|2 sur 5|two stars|★★☆☆☆"),
            (3, "3|trois|3 !|3 merci|three|note : 3|Note 3|3 / 5"),
            (
                4,
                "4|4/5|quatre|4 sur cinq|4 out of 5|Je vous donne 4|I give you a 4|⭐⭐⭐⭐|**** |\"4\"|(4)|4 points|ma note est 4/5|4 🙂",
            ),
            (
                5,
                "5|cinq|5/5 !|cinq étoiles|five|5 merci beaucoup|5, merci|5 thanks|merci 5|Bonjour, 5|⭐️⭐️⭐️⭐️⭐️|5!!!",
            ),
        ] {
            for text in texts.split('|') {
                let read = score(text);
                assert_eq!(read, Some(Scored { score: expected, rest: String::new() }), "{text}");
            }
        }
    }

    #[test]
    fn a_score_may_bring_a_comment() {
        for (text, expected, rest) in [
            ("4, très aimable", 4, "très aimable"),
            ("5 - réponse rapide, bravo", 5, "réponse rapide, bravo"),
            ("5 très bien", 5, "très bien"),
            ("2 mais trop long", 2, "mais trop long"),
            ("1. Personne ne répond", 1, "Personne ne répond"),
            ("4/5\nsympa", 4, "sympa"),
            ("Note : 3 (un peu lent)", 3, "un peu lent)"),
        ] {
            assert_eq!(score(text), Some(Scored { score: expected, rest: rest.to_owned() }), "{text}");
        }
    }

    #[test]
    fn a_number_in_a_question_or_a_sentence_is_no_score() {
        for text in [
            "",
            "?",
            "4 ?",
            "le 4 ?",
            "train 5",
            "voie 3",
            "le train de 5h",
            "4h",
            "4e",
            "10",
            "0",
            "6",
            "8/10",
            "4/10",
            "4,5",
            "4.5",
            "4:30",
            "2-3",
            "18h04",
            "5 minutes de retard",
            "5 mecs encerclent une fille",
            "3117",
            "2 billets pour Rennes",
            "un homme est tombé",
            "une question",
            "bonjour",
            "merci",
            "oui",
            "STOP",
            "1 2 3",
            "4 ou 5",
            "3 trains en retard",
            "******",
            "n 5",
            "TER 4",
            "12",
            "quai 2",
            "4, 5 minutes",
            "5 personnes",
            "un train",
            "je veux 2 places",
        ] {
            assert_eq!(score(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,40}") {
            if let Some(read) = score(&text) {
                prop_assert!((1..=5).contains(&read.score));
                prop_assert!(!text.contains('?'));
            }
        }
    }
}
