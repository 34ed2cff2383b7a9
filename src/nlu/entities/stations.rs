//! The gazetteer: which words of a message name a station, however they are spelled.

mod build;
mod common;
mod context;
#[rustfmt::skip] // Lists of words read better in lines than in columns.
mod lists;
mod nearest;
mod scan;
#[cfg(test)]
mod tests;
mod words;

pub use common::CommonWords;

use super::Mention;
use super::line_names::LineNames;
use super::typos::Typos;
use crate::model::{EntityValue, StationRef};
use crate::nlu::features::HashedMap;
use crate::nlu::normalise::Normalised;
use build::{Builder, Town};
use scan::Scan;
use std::ops::Range;
use words::Words;

/// Most words a station's name is read over.
const MAX_WORDS: usize = 8;
/// A part of a name that more stations share than this ("Villeneuve") names none of them.
const MAX_OPTIONS: usize = 20;

/// Other names for a station, from `stations.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub name: String,
    pub also: Vec<String>,
}

/// How surely a spelling names its stations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// Part of a name: counts only beside the words of travel.
    Part,
    /// The name, or an alias.
    Whole,
}

#[derive(Debug, Clone)]
struct Spelling {
    key: String,
    stations: Vec<u32>,
    strength: Strength,
    /// Also an everyday word.
    ordinary: bool,
    /// How many letters of an article the name begins with as a word of its own: 2 for "Le Mans".
    article: usize,
    /// The most words that the name was written with.
    pieces: usize,
    /// "Mans", which names Le Mans only behind "au" and "du".
    contracted: bool,
}

/// Every spelling of every station, indexed so that a message is matched in microseconds.
#[derive(Debug, Clone, Default)]
pub struct Gazetteer {
    stations: Vec<StationRef>,
    spellings: Vec<Spelling>,
    exact: HashedMap<u32>,
    typos: Typos,
    /// Spellings by how they sound.
    sounds: HashedMap<Vec<u32>>,
    /// The lines of the same timetable.
    lines: LineNames,
}

impl Gazetteer {
    pub fn new(stations: Vec<StationRef>, aliases: &[Alias], ordinary: &[String]) -> Self {
        Self::with_known(stations, aliases, &[], ordinary)
    }

    /// `known`: towns that customers name. Where the timetable serves one under a longer name it is that station;
    /// else it is recognised as not served.
    pub fn with_known(
        mut stations: Vec<StationRef>,
        aliases: &[Alias],
        known: &[Alias],
        ordinary: &[String],
    ) -> Self {
        stations.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
        stations.dedup_by(|a, b| a.id == b.id);
        let mut builder = Builder::default();
        for (at, station) in stations.iter().enumerate() {
            builder.add_names(at as u32, &station.name);
        }
        for alias in aliases {
            let targets =
                builder.resolve(&alias.name).unwrap_or_else(|| vec![not_served(&mut stations, &alias.name)]);
            for name in std::iter::once(&alias.name).chain(&alias.also) {
                builder.add_alias(name, &targets);
            }
        }
        for town in known {
            let targets = match builder.resolve_town(&town.name) {
                Town::Served(found) => found,
                Town::Namesakes(mut found) => {
                    found.push(not_served(&mut stations, &town.name));
                    found
                }
                Town::Unknown => vec![not_served(&mut stations, &town.name)],
            };
            builder.add_town(town, &targets);
        }
        builder.finish(stations, ordinary)
    }

    /// With the lines of the timetable as their operator writes them.
    pub fn with_lines<'n>(mut self, names: impl Iterator<Item = &'n str>) -> Self {
        let none = CommonWords::default();
        self.lines = LineNames::new(names, |text| !self.find(text, &none, &[], true).is_empty());
        self
    }

    pub(super) fn lines(&self) -> &LineNames {
        &self.lines
    }

    /// How many stations it knows.
    pub fn len(&self) -> usize {
        self.stations.len()
    }

    pub fn is_empty(&self) -> bool {
        self.stations.is_empty()
    }

    /// Stations named in `text`, in order, outside the words of `taken` (sorted). `expected`: a station was
    /// asked for, so that words which are also everyday words count.
    pub fn find(
        &self,
        text: &Normalised,
        common: &CommonWords,
        taken: &[Range<usize>],
        expected: bool,
    ) -> Vec<Mention> {
        let words = Words::of_message(text, self);
        let mut scan = Scan::new(self, text, &words, common, expected);
        let found = self.find_once(&scan, taken);
        // What was found speaks for the everyday and the mistyped words beside it.
        if scan.learn(&found) { self.find_once(&scan, taken) } else { found }
    }

    fn find_once(&self, scan: &Scan, taken: &[Range<usize>]) -> Vec<Mention> {
        let (text, words) = (scan.text, scan.words);
        let mut found: Vec<Mention> = Vec::new();
        let mut at = 0;
        while at < text.tokens.len() && found.len() < super::MAX_ENTITIES {
            if let Some(range) = taken.iter().find(|range| range.contains(&at)) {
                at = range.end;
                continue;
            }
            let limit = taken.iter().map(|range| range.start).find(|&start| start > at);
            let limit = words.phrase_end(at).min(limit.unwrap_or(usize::MAX));
            let beside = found.last().is_some_and(|last| last.tokens.end == at);
            let exact = scan.exact(at, limit, beside).map(|found| scan.prolonged(at, limit, found));
            match exact.or_else(|| scan.mistyped(at, limit, beside)) {
                Some((end, stations)) => {
                    found.push(Mention { tokens: at..end, value: self.value(&stations) });
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }

    fn value(&self, stations: &[u32]) -> EntityValue {
        let mut options: Vec<StationRef> =
            stations.iter().filter_map(|&at| self.stations.get(at as usize).cloned()).collect();
        match options.pop() {
            Some(station) if options.is_empty() => EntityValue::Station { station },
            last => EntityValue::Ambiguous { options: options.into_iter().chain(last).collect() },
        }
    }

    fn spelling(&self, key: u64) -> Option<&Spelling> {
        self.exact.get(&key).and_then(|&at| self.spellings.get(at as usize))
    }
}

/// A station that only the alias file knows.
fn not_served(stations: &mut Vec<StationRef>, name: &str) -> u32 {
    stations.push(StationRef { id: format!("alias:{name}"), name: name.to_owned() });
    stations.len() as u32 - 1
}
