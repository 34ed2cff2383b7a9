//! What no slot holds: the few words that turn a question about trains ("le dernier", "arriver avant", "les arrivées").

use crate::nlu::normalise::Normalised;

/// Light readings of the customer's words. A wrong one shows: the answer names what it answers ("arrivée avant 18:00").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cues {
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

const FIRST: &[&str] = &["1er", "1ere", "first", "earliest", "how early", "from what time", "plus tot"];
const LAST: &[&str] = &["last", "latest", "how late", "until what time", "jusqu a quelle heure", "plus tard"];
const DEADLINE: &[&str] =
    &["avant", "before", "au plus tard", "no later than", "at the latest", "max", "maximum"];
const ARRIVING: &[&str] = &[
    "arriver",
    "qui arrive",
    "qui arrivent",
    "arrivee avant",
    "y etre",
    "etre a",
    "get there",
    "get to",
    "be there",
    "be in",
    "arrive by",
    "arrive before",
    "arriving by",
    "arriving before",
    "that arrives",
    "to arrive",
];
const ARRIVALS: &[&str] = &["arrivees", "arrivals", "arrivent", "trains arriving"];
const TOMORROW: &[&str] = &["demain", "tomorrow", "dem1", "2m1"];

impl Cues {
    pub(super) fn read(text: &str) -> Self {
        let normalised = Normalised::new(text);
        let words: Vec<&str> = (0..normalised.tokens.len()).map(|at| normalised.word(at)).collect();
        let line = format!(" {} ", words.join(" "));
        let says = |list: &[&str]| list.iter().any(|cue| line.contains(&format!(" {cue} ")));
        let begins = |start: &str| words.iter().any(|word| word.starts_with(start));
        Self {
            first: says(FIRST) || begins("premi") || line.contains(" a partir de quelle heure "),
            last: says(LAST) || begins("derni"),
            deadline: says(DEADLINE),
            arriving: says(ARRIVING),
            arrivals: says(ARRIVALS),
            tomorrow: says(TOMORROW),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(Cues::read(text), expected, "{text}");
        }
    }
}
