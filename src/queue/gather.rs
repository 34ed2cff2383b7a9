//! Messages that belong together: a text that a phone or a network cut in parts is one thought, and is answered once.
//!
//! Only a text that looks unfinished waits, for `conversations.gather` after it came, and only on channels that carry SMS:
//! everything else is answered at once, whole sentences that come in a row one by one. The parts that have come by then are read as one text. They wait in the lane behind
//! the first one's job, so nobody else can work on them, and their jobs end in the transaction that commits the reply: a
//! process killed before has done nothing, after it everything.

use crate::engine::is_command;
use crate::model::{Cue, Direction, Message, Phrases, Timestamp};
use crate::nlu::normalise::Normalised;
use crate::sms::{Segments, segments};
use std::time::Duration;

/// More parts are not taken for one thought.
const MOST_PARTS: usize = 6;
/// Phones cut between words: a part may be shorter than it could be by a word.
const A_WORD: usize = 12;

/// What to do with the message at the head of its lane.
#[derive(Debug, PartialEq)]
pub(super) enum Gathered {
    /// More may follow: look again then.
    Wait(Timestamp),
    /// So many of the messages that wait behind it belong to it.
    Parts(usize),
}

/// `behind`: the messages after `first`, in order. `window`: how long an unfinished part waits; zero: none does.
pub(super) fn gather(
    first: &Message,
    behind: &[Message],
    window: Duration,
    phrases: &Phrases,
    now: Timestamp,
) -> Gathered {
    if window.is_zero() {
        return Gathered::Parts(0);
    }
    let inbound = behind.iter().take_while(|message| message.direction == Direction::Inbound);
    let mut last = first;
    let mut parts = 0;
    for next in inbound.take(MOST_PARTS - 1) {
        if is_command(&next.text, phrases) {
            // "STOP" right after half a sentence is STOP.
            return Gathered::Parts(parts);
        }
        if !is_unfinished(&last.text, phrases) || next.created_at.since(last.created_at) > window {
            return Gathered::Parts(parts);
        }
        last = next;
        parts += 1;
    }
    let until = last.created_at.plus(window);
    let more = parts + 1 < MOST_PARTS && is_unfinished(&last.text, phrases) && now < until;
    if more { Gathered::Wait(until) } else { Gathered::Parts(parts) }
}

/// The parts as one text.
pub(super) fn joined<'m>(first: &'m Message, parts: &'m [Message]) -> String {
    let texts = std::iter::once(first).chain(parts).map(|message| message.text.trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text fills a part of an SMS to its end, or stops where no sentence does.
fn is_unfinished(text: &str, phrases: &Phrases) -> bool {
    let text = text.trim_end();
    if text.ends_with(['?', '!', '.']) && !text.ends_with("...") {
        return false;
    }
    if text.ends_with([',', '-', ':', '…', '(', '\'', '’', '/']) || text.ends_with("...") {
        return true;
    }
    let Segments { encoding, units, segments } = segments(text);
    let (single, part) = encoding.limits();
    let ends = [part * segments, if segments == 1 { single } else { 0 }];
    if ends.iter().any(|&end| units <= end && units + A_WORD >= end) {
        return true;
    }
    // A few words alone are an answer ("Le Mans", "oui mais"), however they end.
    let words = Normalised::new(text);
    let last = words.word(words.tokens.len().saturating_sub(1));
    words.tokens.len() > 2
        && phrases.of(Cue::Unfinished).iter().any(|phrase| phrase.len() == 1 && phrase[0] == last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases() -> Phrases {
        let words = ["de", "pour", "and"].map(|word| vec![word.to_owned()]);
        Phrases { cues: [(Cue::Unfinished, words.to_vec())].into(), ..Phrases::default() }
    }

    #[test]
    fn tells_a_part_from_a_message() {
        let long = |letters: usize| {
            format!("{}x", "abcdefg ".repeat(40).chars().take(letters - 1).collect::<String>())
        };
        for (text, expected) in [
            ("bonjour".to_owned(), false),
            ("prochain train Vitré Rennes".to_owned(), false),
            ("prochain train pour Rennes depuis la gare de".to_owned(), true),
            ("je voudrais un train,".to_owned(), true),
            ("a train from Lyon and".to_owned(), true),
            ("pour".to_owned(), false),
            ("c'est pour".to_owned(), true),
            ("un train pour Rennes ...".to_owned(), true),
            ("un train pour Rennes.".to_owned(), false),
            (long(120), false),
            (long(150), true),
            (long(160), true),
            (long(200), false),
            (long(306), true),
            // UCS-2, for the emoji: 70 characters alone.
            (format!("{}🚆", long(64)), true),
            (format!("{}🚆", long(40)), false),
        ] {
            assert_eq!(is_unfinished(&text, &phrases()), expected, "{text}");
        }
    }
}
