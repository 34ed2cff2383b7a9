//! The index of spellings, made from the names of the timetable and the alias file.

use super::lists::{GENERIC, LINKS, LITTLE, WEAK_STARTS};
use super::words::{Words, key_of};
use super::{Alias, Gazetteer, MAX_OPTIONS, Spelling, Strength};
use crate::model::StationRef;
use crate::nlu::entities::typos::sound;
use crate::nlu::features::fnv;
use crate::nlu::normalise::Normalised;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Builder {
    spellings: BTreeMap<String, (Strength2, Vec<u32>)>,
    articles: BTreeMap<String, usize>,
    bare: BTreeMap<String, Vec<u32>>,
    /// Beginnings of names that go on as another town's does: "Montauban" of Montauban-de-Bretagne.
    namesakes: BTreeSet<(String, u32)>,
    /// How many words each spelling has at most.
    pieces: BTreeMap<String, usize>,
    /// Names without the article that "au" and "du" swallow.
    contracted: BTreeMap<String, Vec<u32>>,
    /// Which spellings are such.
    short: BTreeSet<String>,
}

/// What the timetable has for a town.
pub(super) enum Town {
    Served(Vec<u32>),
    /// Stations that share the beginning of their names with it.
    Namesakes(Vec<u32>),
    Unknown,
}

/// As [`Strength`], with the order in which spellings of the same key win over each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength2 {
    /// Part of the name of a town that the timetable may not serve: gives way to everything.
    TownPart,
    Part,
    Bare,
    Name,
    Alias,
}

impl Builder {
    fn put(&mut self, words: &[&str], strength: Strength2, station: u32) {
        let key = &*words.concat();
        let pieces = self.pieces.entry(key.to_owned()).or_default();
        *pieces = words.len().max(*pieces);
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
        let words = Words::new(&text);
        let words: Vec<&str> = words.words.iter().map(|word| &**word).collect();
        self.put(&words, Strength2::Name, station);
        self.note_article(&words);
        self.contract(&words, station);
        let bare = bare(&words);
        self.bare.entry(bare.concat()).or_default().push(station);
        self.put(&bare, Strength2::Bare, station);
        self.add_parts(station, &bare, Strength2::Part);
    }

    fn add_parts(&mut self, station: u32, bare: &[&str], strength: Strength2) {
        for end in 1..bare.len() {
            let start = bare[..end].concat();
            let whole = !LINKS.contains(&bare[end - 1]);
            if whole && bare[..end].iter().any(|word| !WEAK_STARTS.contains(word)) && start.len() >= 4 {
                self.put(&bare[..end], strength, station);
                if LINKS.contains(&bare[end]) {
                    self.namesakes.insert((start, station));
                }
            }
        }
        // "Montparnasse", "Part-Dieu": what stands after the town. Of towns that are not served it says too little.
        let from = if strength == Strength2::Part { 1 } else { bare.len() };
        for begin in from..bare.len() {
            let tail = &bare[begin..];
            let telling = tail.iter().any(|word| word.len() > 4 && !WEAK_STARTS.contains(word));
            if telling && !LINKS.contains(&tail[0]) {
                self.put(tail, strength, station);
            }
        }
    }

    /// A town from the alias file, with its other names.
    pub fn add_town(&mut self, town: &Alias, targets: &[u32]) {
        for name in std::iter::once(&town.name).chain(&town.also) {
            self.add_alias(name, targets);
        }
        let text = Normalised::new(&town.name);
        let words = Words::new(&text);
        let words: Vec<&str> = words.words.iter().map(|word| &**word).collect();
        for &station in targets {
            self.add_parts(station, &bare(&words), Strength2::TownPart);
        }
    }

    pub fn add_alias(&mut self, name: &str, targets: &[u32]) {
        let text = Normalised::new(name);
        let words = Words::new(&text);
        let words: Vec<&str> = words.words.iter().map(|word| &**word).collect();
        self.note_article(&words);
        for &station in targets {
            self.put(&words, Strength2::Alias, station);
            self.contract(&words, station);
        }
    }

    fn note_article(&mut self, words: &[&str]) {
        if let Some(first) = words.first().filter(|first| LITTLE.contains(first)) {
            for end in 1..=words.len() {
                self.articles.insert(words[..end].concat(), first.len());
            }
        }
    }

    fn contract(&mut self, words: &[&str], station: u32) {
        if let ["le" | "les", rest @ ..] = words
            && rest.concat().len() >= 4
        {
            self.contracted.entry(rest.concat()).or_default().push(station);
        }
    }

    /// The station of the timetable that an alias is about: same name, "Ville", "Gare" and "Hall 1" aside.
    pub fn resolve(&self, name: &str) -> Option<Vec<u32>> {
        let text = Normalised::new(name);
        let words = Words::new(&text);
        let words: Vec<&str> = words.words.iter().map(|word| &**word).collect();
        let key = words.concat();
        if let Some((Strength2::Name | Strength2::Alias, found)) = self.spellings.get(&key) {
            return Some(found.clone());
        }
        // A town with several stations keeps them all.
        let town = || self.spellings.get(&key).map(|(_, found)| found.clone());
        self.bare.get(&bare(&words).concat()).cloned().or_else(town)
    }

    /// What the timetable has for a town: its stations, or only those of towns whose names begin alike.
    pub fn resolve_town(&self, name: &str) -> Town {
        let key = key_of(name);
        match self.spellings.get(&key) {
            Some((Strength2::Part, found)) => {
                let other = |&&at: &&u32| self.namesakes.contains(&(key.clone(), at));
                let (others, own): (Vec<&u32>, Vec<&u32>) = found.iter().partition(other);
                if own.is_empty() {
                    Town::Namesakes(others.into_iter().copied().collect())
                } else {
                    Town::Served(own.into_iter().copied().collect())
                }
            }
            Some((Strength2::TownPart, _)) => Town::Unknown,
            _ => self.resolve(name).map_or(Town::Unknown, Town::Served),
        }
    }

    pub fn finish(mut self, stations: Vec<StationRef>, ordinary: &[String]) -> Gazetteer {
        let ordinary: Vec<String> = ordinary.iter().map(|word| key_of(word)).collect();
        let mut gazetteer = Gazetteer { stations, ..Gazetteer::default() };
        let contracted = std::mem::take(&mut self.contracted);
        let known = |key: &String| self.spellings.get(key).is_some_and(|(s, _)| *s > Strength2::TownPart);
        let contracted: Vec<_> = contracted.into_iter().filter(|(key, _)| !known(key)).collect();
        for (key, stations) in contracted {
            self.spellings.insert(key.clone(), (Strength2::Bare, stations));
            self.short.insert(key);
        }
        for (key, (strength, found)) in self.spellings {
            if found.len() > MAX_OPTIONS {
                continue;
            }
            let strength = if strength <= Strength2::Part { Strength::Part } else { Strength::Whole };
            let contracted = self.short.contains(&key);
            let at = gazetteer.spellings.len() as u32;
            gazetteer.exact.insert(fnv(key.as_bytes()), at);
            if strength == Strength::Whole {
                gazetteer.typos.add(&key, at);
            }
            let ordinary = ordinary.contains(&key);
            let article = self.articles.get(&key).copied().unwrap_or(0);
            let pieces = self.pieces.get(&key).copied().unwrap_or(1);
            gazetteer.sounds.entry(fnv(sound(&key).as_bytes())).or_default().push(at);
            gazetteer.spellings.push(Spelling {
                key,
                stations: found,
                strength,
                ordinary,
                article,
                pieces,
                contracted,
            });
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
