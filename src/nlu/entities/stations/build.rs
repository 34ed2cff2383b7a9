//! The index of spellings, made from the names of the timetable and the alias file.

use super::{GENERIC, Gazetteer, LITTLE, MAX_OPTIONS, Spelling, Strength, WEAK_STARTS, Words, key_of};
use crate::model::StationRef;
use crate::nlu::features::fnv;
use crate::nlu::normalise::Normalised;
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Builder {
    spellings: BTreeMap<String, (Strength2, Vec<u32>)>,
    articles: BTreeMap<String, usize>,
    bare: BTreeMap<String, Vec<u32>>,
}

/// As [`Strength`], with the order in which spellings of the same key win over each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength2 {
    Part,
    Bare,
    Name,
    Alias,
}

impl Builder {
    fn put(&mut self, key: &str, strength: Strength2, station: u32) {
        if key.len() < 2 || key.len() > 60 {
            return;
        }
        let entry = self.spellings.entry(key.to_owned()).or_insert((strength, Vec::new()));
        if strength > entry.0 {
            *entry = (strength, Vec::new());
        }
        if strength == entry.0 && !entry.1.contains(&station) {
            entry.1.push(station);
        }
    }

    pub fn add_names(&mut self, station: u32, name: &str) {
        let text = Normalised::new(name);
        let words = Words::new(&text).words;
        self.put(&words.concat(), Strength2::Name, station);
        self.note_article(&words);
        let bare = bare(&words);
        self.bare.entry(bare.concat()).or_default().push(station);
        self.put(&bare.concat(), Strength2::Bare, station);
        for end in 1..bare.len() {
            let start = &bare[..end];
            if start.iter().any(|word| !WEAK_STARTS.contains(word)) && start.concat().len() >= 4 {
                self.put(&start.concat(), Strength2::Part, station);
            }
        }
        // "Montparnasse", "Part-Dieu": what stands after the town.
        for begin in 1..bare.len() {
            let tail = &bare[begin..];
            let telling = tail.iter().any(|word| word.len() > 4 && !WEAK_STARTS.contains(word));
            if telling
                && !matches!(
                    tail[0],
                    "en" | "sur" | "sous" | "les" | "de" | "la" | "le" | "du" | "des" | "d" | "l"
                )
            {
                self.put(&tail.concat(), Strength2::Part, station);
            }
        }
    }

    pub fn add_alias(&mut self, name: &str, targets: &[u32]) {
        let text = Normalised::new(name);
        let words = Words::new(&text).words;
        self.note_article(&words);
        for &station in targets {
            self.put(&words.concat(), Strength2::Alias, station);
        }
    }

    fn note_article(&mut self, words: &[&str]) {
        if let Some(first) = words.first().filter(|first| LITTLE.contains(first)) {
            for end in 1..=words.len() {
                self.articles.insert(words[..end].concat(), first.len());
            }
        }
    }

    /// The station of the timetable that an alias is about: same name, "Ville", "Gare" and "Hall 1" aside.
    pub fn resolve(&self, name: &str) -> Option<Vec<u32>> {
        let text = Normalised::new(name);
        let words = Words::new(&text).words;
        let key = words.concat();
        if let Some((Strength2::Name | Strength2::Alias, found)) = self.spellings.get(&key) {
            return Some(found.clone());
        }
        // A town with several stations keeps them all.
        let town = || self.spellings.get(&key).map(|(_, found)| found.clone());
        self.bare.get(&bare(&words).concat()).cloned().or_else(town)
    }

    pub fn finish(self, stations: Vec<StationRef>, ordinary: &[String]) -> Gazetteer {
        let ordinary: Vec<String> = ordinary.iter().map(|word| key_of(word)).collect();
        let mut gazetteer = Gazetteer { stations, ..Gazetteer::default() };
        for (key, (strength, found)) in self.spellings {
            if found.len() > MAX_OPTIONS {
                continue;
            }
            let strength = if strength == Strength2::Part { Strength::Part } else { Strength::Whole };
            let at = gazetteer.spellings.len() as u32;
            gazetteer.exact.insert(fnv(key.as_bytes()), at);
            if strength == Strength::Whole {
                gazetteer.typos.add(&key, at);
            }
            let ordinary = ordinary.contains(&key);
            let article = self.articles.get(&key).copied().unwrap_or(0);
            gazetteer.spellings.push(Spelling { key, stations: found, strength, ordinary, article });
        }
        gazetteer.typos.seal();
        gazetteer
    }
}

/// The name without "Ville", "Gare de", "Hall 1 - 2" at its ends.
fn bare<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let mut kept = words.to_vec();
    if let Some(at) = kept.iter().position(|word| *word == "hall")
        && at > 0
    {
        kept.truncate(at);
    }
    while kept.len() > 1 && kept.last().is_some_and(|last| GENERIC.contains(last)) {
        kept.pop();
    }
    if kept.len() > 2 && kept[0] == "gare" {
        kept.drain(..if matches!(kept[1], "de" | "d" | "du") { 2 } else { 1 });
    }
    kept
}
