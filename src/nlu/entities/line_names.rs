//! Lines that the timetable names in words ("Alizé", "Côte Bleue"): found like stations, but only as they are written.

use super::Mention;
use super::stations::CommonWords;
use super::trains::names_a_line;
use crate::model::EntityValue;
use crate::nlu::normalise::Normalised;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Letters that a name has at least: "C" and "N2" are lines only behind a word such as "ligne".
const LEAST_LETTERS: usize = 4;
/// Words that a name has at most.
const MOST_WORDS: usize = 6;
/// Examples that use a word make it an everyday one.
const EVERYDAY: u32 = 2;

/// The names by their first word, longest first.
#[derive(Debug, Clone, Default)]
pub struct LineNames(HashMap<String, Vec<Name>>);

#[derive(Debug, Clone)]
struct Name {
    words: Vec<String>,
    /// As its operator writes it.
    written: String,
}

impl LineNames {
    /// `names_station`: whether a station is named in a text. "Paris - Lyon" is a way from one to the other, even where a line
    /// is called so.
    pub fn new<'n>(
        names: impl Iterator<Item = &'n str>,
        names_station: impl Fn(&Normalised) -> bool,
    ) -> Self {
        let mut by_words: BTreeMap<Vec<String>, String> = BTreeMap::new();
        for written in names {
            let text = Normalised::new(written);
            let words: Vec<String> = (0..text.tokens.len()).map(|at| text.word(at).to_owned()).collect();
            let letters = words.iter().flat_map(|word| word.chars()).filter(|c| c.is_alphabetic()).count();
            if letters >= LEAST_LETTERS && words.len() <= MOST_WORDS && !names_station(&text) {
                by_words.entry(words).or_insert_with(|| written.trim().to_owned());
            }
        }
        let mut by_first: HashMap<String, Vec<Name>> = HashMap::new();
        for (words, written) in by_words {
            let Some(first) = words.first().cloned() else { continue };
            by_first.entry(first).or_default().push(Name { words, written });
        }
        by_first.values_mut().for_each(|names| names.sort_by_key(|name| std::cmp::Reverse(name.words.len())));
        Self(by_first)
    }

    /// The lines named in `text`, in order, outside the words of `taken`. A name of everyday words ("Navette") counts only
    /// behind a word such as "ligne".
    pub fn find(&self, text: &Normalised, common: &CommonWords, taken: &[Range<usize>]) -> Vec<Mention> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.tokens.len() && found.len() < super::MAX_ENTITIES {
            match self.at(text, common, taken, at) {
                Some((end, name)) => {
                    let value = EntityValue::Line { name: name.written.clone() };
                    found.push(Mention { tokens: at..end, value });
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }

    fn at(
        &self,
        text: &Normalised,
        common: &CommonWords,
        taken: &[Range<usize>],
        at: usize,
    ) -> Option<(usize, &Name)> {
        let introduced = at.checked_sub(1).is_some_and(|before| names_a_line(text.word(before)));
        let free = |range: &Range<usize>| taken.iter().all(|t| t.end <= range.start || range.end <= t.start);
        self.0.get(text.word(at))?.iter().find_map(|name| {
            let range = at..at + name.words.len();
            let said = range.clone().all(|at| text.word(at) == name.words[at - range.start]);
            let everyday = name.words.iter().all(|word| common.count(word) > EVERYDAY);
            (said && (introduced || !everyday) && free(&range)).then_some((range.end, name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> LineNames {
        let names = ["Alizé", "Navette", "Côte Bleue", "C", "001G", "Paris - Bretagne", "Alizé Sud"];
        LineNames::new(names.into_iter(), |text| text.folded.contains("paris"))
    }

    fn common() -> CommonWords {
        let texts = ["la navette part d'où", "une navette", "prochaine navette", "la côte"];
        CommonWords::learn(texts.into_iter().map(|text| (text.to_owned(), Vec::new())))
    }

    #[test]
    fn only_whole_and_uncommon_names_are_lines() {
        for (text, expected) in [
            ("l'alize circule ?", "Alizé"),
            ("Is ALIZÉ running?", "Alizé"),
            ("alizé sud perturbé", "Alizé Sud"),
            ("alizés en mer", ""),
            ("la côte bleue ce matin", "Côte Bleue"),
            ("la côte, bleue ce matin", "Côte Bleue"),
            ("la prochaine navette", ""),
            ("la ligne Navette marche ?", "Navette"),
            ("de Paris à la Bretagne, Paris - Bretagne", ""),
            ("c 001g", ""),
        ] {
            let found = names().find(&Normalised::new(text), &common(), &[]);
            let found: Vec<&str> = found
                .iter()
                .map(|mention| match &mention.value {
                    EntityValue::Line { name } => name.as_str(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(found.join("+"), expected, "{text}");
        }
        let taken = std::slice::from_ref(&(0..1));
        assert!(names().find(&Normalised::new("alizé"), &common(), taken).is_empty());
    }
}
