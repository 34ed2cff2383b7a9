//! What no slot holds: the few words that turn a question about trains ("le dernier", "arriver avant", "les arrivées").

use crate::model::{Cue, Phrases};
use crate::nlu::normalise::Normalised;

/// Light readings of the customer's words, by the phrases of `intents/dialogue.yaml`. A wrong one shows: the answer names what
/// it answers ("arrivée avant 18:00").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cues {
    pub first: bool,
    pub last: bool,
    /// "avant 18 h": the time is an end.
    pub deadline: bool,
    /// The time is when to be there, not when to leave.
    pub arriving: bool,
    /// The board of arrivals is meant.
    pub arrivals: bool,
    pub tomorrow: bool,
}

impl Cues {
    pub fn read(text: &str, phrases: &Phrases) -> Self {
        let text = Normalised::new(text);
        let words: Vec<&str> = (0..text.tokens.len()).map(|at| text.word(at)).collect();
        let says = |cue| {
            let mut listed = phrases.of(cue).iter();
            listed.any(|phrase| words.windows(phrase.len().max(1)).any(|said| said == phrase.as_slice()))
        };
        Self {
            first: says(Cue::AsksFirst),
            last: says(Cue::AsksLast),
            deadline: says(Cue::Deadline),
            arriving: says(Cue::Arriving),
            arrivals: says(Cue::Arrivals),
            tomorrow: says(Cue::Tomorrow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::pack::shipped_phrases;

    #[test]
    fn the_words_that_turn_a_question() {
        let none = Cues::default();
        for (text, expected) in [
            ("prochain train pour Rennes", none),
            ("je suis arrivé à Rennes, et maintenant ?", none),
            ("j'arrive à la gare à 18h", none),
            ("le PREMIER train svp", Cues { first: true, ..none }),
            ("derniere navette pour Vitré", Cues { last: true, ..none }),
            ("jusqu'à quelle heure y a-t-il des trains ?", Cues { last: true, ..none }),
            ("first and last train", Cues { first: true, last: true, ..none }),
            ("un train avant 18h", Cues { deadline: true, ..none }),
            ("arriver à Brest avant 13h30", Cues { deadline: true, arriving: true, ..none }),
            (
                "I need to be there before 9am tomorrow",
                Cues { deadline: true, arriving: true, tomorrow: true, ..none },
            ),
            ("arrivées à Laval", Cues { arrivals: true, ..none }),
        ] {
            assert_eq!(Cues::read(text, shipped_phrases()), expected, "{text}");
        }
    }
}
