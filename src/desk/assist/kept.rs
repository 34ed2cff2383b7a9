//! Which facts of a draft a reply still tells, after an agent has edited it.
//!
//! - The draft stands in the reply as it was: all of them.
//! - Else a fact is told where every figure of it that the draft said (a time, a train's number, minutes late) is still in
//!   the reply, and at least half of its words that the draft said. "18h04" is "18:04".
//! - A fact of which the draft said no figure is told where all of those words are still there, two at least.
//!
//! When in doubt a fact is dropped: what is stored as told is held against later changes, and must have been said.

use crate::model::Fact;
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization as _;

/// Shorter words are in every sentence.
const LEAST_LETTERS: usize = 4;

/// The facts of `draft` that `sent` tells.
pub fn kept(draft: &str, facts: Vec<Fact>, sent: &str) -> Vec<Fact> {
    if squeezed(sent).contains(&squeezed(draft)) {
        return facts;
    }
    let (draft, sent) = (Said::read(draft), Said::read(sent));
    let told = |fact: &Fact| {
        let own = Said::read(&fact.value);
        let common = own.common(&draft);
        // The draft did not show it: five trains are known, three are said.
        let unsaid = common.figures.is_empty() && !own.figures.is_empty();
        !unsaid && sent.tells(&common)
    };
    facts.into_iter().filter(told).collect()
}

/// A text as figures and words.
struct Said {
    figures: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl Said {
    fn read(text: &str) -> Self {
        let mut said = Said { figures: BTreeSet::new(), words: BTreeSet::new() };
        let plain: String =
            text.to_lowercase().nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect();
        for piece in plain.split(|c: char| !c.is_alphanumeric() && c != ':' && c != '-') {
            // A day as machines write it is no figure that anyone is told.
            if piece.parse::<jiff::civil::Date>().is_ok() {
                continue;
            }
            for part in piece.split('-') {
                said.take(part);
            }
        }
        said
    }

    fn take(&mut self, part: &str) {
        let part = part.trim_matches(':');
        if part.starts_with(|c: char| c.is_ascii_digit()) {
            let time = part.replace('h', ":");
            let figures = time.split(|c: char| !c.is_ascii_digit() && c != ':').map(|f| f.trim_matches(':'));
            let figures = figures.filter(|figure| !figure.is_empty());
            self.figures.extend(figures.map(|figure| figure.trim_start_matches('0').to_owned()));
        } else if part.chars().count() >= LEAST_LETTERS {
            self.words.insert(part.to_owned());
        }
    }

    fn common(&self, other: &Self) -> Self {
        Said {
            figures: self.figures.intersection(&other.figures).cloned().collect(),
            words: self.words.intersection(&other.words).cloned().collect(),
        }
    }

    fn tells(&self, fact: &Self) -> bool {
        let words = fact.words.intersection(&self.words).count();
        if fact.figures.is_empty() {
            return words >= 2 && words == fact.words.len();
        }
        fact.figures.is_subset(&self.figures) && 2 * words >= fact.words.len()
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    const DRAFT: &str = "Prochains départs Vitré → Rennes :\n18:04 Alizé 8745 (retard 12 min)\n18:34 Alizé 8747\nTemps réel à 17:58.";

    fn kept_of(values: &[&str], draft: &str, sent: &str) -> Vec<usize> {
        let fact = |(at, value): (usize, &&str)| Fact {
            value: (*value).to_owned(),
            source: "timetable: demo".into(),
            as_of: Timestamp(at as i64),
            ride: None,
        };
        let facts = values.iter().enumerate().map(fact).collect();
        kept(draft, facts, sent).into_iter().map(|fact| fact.as_of.0 as usize).collect()
    }

    #[test]
    fn what_an_edited_reply_still_tells() {
        let rides = [
            "departure 8745 Vitré 2026-12-20 18:04 to Rennes, 12 min late",
            "departure 8747 Vitré 2026-12-20 18:34 to Rennes",
        ];
        for (sent, expected) in [
            (DRAFT.to_owned(), vec![0, 1]),
            (format!("Bonjour !\n\n{}\nBonne soirée", DRAFT.replace('\n', " ")), vec![0, 1]),
            ("Vitré → Rennes : 18h04 Alizé 8745, avec 12 min de retard.".to_owned(), vec![0]),
            ("Vitré → Rennes : 18:04 Alizé 8745.".to_owned(), vec![]),
            ("Vitre-Rennes: prenez le 8747 de 18:34".to_owned(), vec![1]),
            ("Vitré → Rennes : 18:10 Alizé 8745 (retard 12 min), 18:34 Alizé 8747".to_owned(), vec![1]),
            ("Je regarde et je reviens vers vous.".to_owned(), vec![]),
        ] {
            assert_eq!(kept_of(&rides, DRAFT, &sent), expected, "{sent}");
        }
    }

    #[test]
    fn words_alone_and_what_the_draft_never_said() {
        let strike = ["alert a1 STRIKE REDUCED_SERVICE: Mouvement social national sur la ligne"];
        let draft = "Mouvement social national : peu de trains.";
        assert_eq!(kept_of(&strike, draft, "Il y a un mouvement social national demain."), [0]);
        assert_eq!(kept_of(&strike, draft, "Il y a un mouvement demain."), [] as [usize; 0]);
        // The draft shows three trains of four: the fourth is not told by an edited reply.
        let fourth = ["departure 8751 Vitré 2026-12-20 19:34 to Rennes"];
        assert_eq!(kept_of(&fourth, DRAFT, &DRAFT.replace("18:04", "18:05")), [] as [usize; 0]);
    }
}
