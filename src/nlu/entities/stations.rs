//! The gazetteer: which words of a message name a station, however they are spelled.

mod build;
#[cfg(test)]
mod tests;

use super::Mention;
use super::typos::{Typos, distance};
use crate::model::{EntityValue, StationRef};
use crate::nlu::features::{HashedMap, fnv};
use crate::nlu::normalise::{Normalised, Sep};
use build::Builder;
use std::ops::Range;

/// Most words a station's name is read over.
const MAX_WORDS: usize = 8;
/// A part of a name that more stations share than this ("Villeneuve") names none of them.
const MAX_OPTIONS: usize = 20;

/// Words of names that say nothing about which station it is.
const GENERIC: &[&str] = &["ville", "gare", "hall", "sncf", "centre", "station", "train", "routiere"];
/// Names do not begin with these alone.
const WEAK_STARTS: &[&str] = &[
    "le", "la", "les", "l", "saint", "sainte", "pont", "port", "mont", "ville", "villers", "gare", "bois",
    "val", "la", "champ", "croix", "grand", "petit", "aire", "mas", "parc", "bourg", "chateau", "de", "du",
    "des", "d", "aeroport", "place", "cite", "nord", "sud", "est", "ouest", "old", "new", "north", "south",
    "east", "west", "haut", "bas",
];

/// Words that may stand before a name without belonging to it.
const LITTLE: &[&str] = &[
    "le", "la", "les", "l", "de", "d", "du", "des", "a", "au", "aux", "the", "to", "at", "in", "en", "et",
    "ou", "y",
];

/// Other names for a station, from `stations.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub name: String,
    pub also: Vec<String>,
}

/// Words that messages use without meaning a station, learned from the pack's examples.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct CommonWords(HashedMap<u32>);

impl CommonWords {
    /// `texts`: messages with the words of their stations left out.
    pub fn learn(texts: impl Iterator<Item = String>) -> Self {
        let mut counts: HashedMap<u32> = HashedMap::default();
        for text in texts {
            let text = Normalised::new(&text);
            for at in 0..text.tokens.len() {
                *counts.entry(fnv(text.word(at).as_bytes())).or_default() += 1;
            }
        }
        Self(counts)
    }

    fn count(&self, word: &str) -> u32 {
        self.0.get(&fnv(word.as_bytes())).copied().unwrap_or(0)
    }
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
}

/// Every spelling of every station, indexed so that a message is matched in microseconds.
#[derive(Debug, Clone, Default)]
pub struct Gazetteer {
    stations: Vec<StationRef>,
    spellings: Vec<Spelling>,
    exact: HashedMap<u32>,
    typos: Typos,
}

impl Gazetteer {
    pub fn new(mut stations: Vec<StationRef>, aliases: &[Alias], ordinary: &[String]) -> Self {
        stations.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
        stations.dedup_by(|a, b| a.id == b.id);
        let mut builder = Builder::default();
        for (at, station) in stations.iter().enumerate() {
            builder.add_names(at as u32, &station.name);
        }
        for alias in aliases {
            let known = builder.resolve(&alias.name);
            let targets = known.unwrap_or_else(|| {
                let station = StationRef { id: format!("alias:{}", alias.name), name: alias.name.clone() };
                stations.push(station);
                vec![stations.len() as u32 - 1]
            });
            for name in std::iter::once(&alias.name).chain(&alias.also) {
                builder.add_alias(name, &targets);
            }
        }
        builder.finish(stations, ordinary)
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
        let words = Words::new(text);
        let scan = Scan { gazetteer: self, text, words: &words, common, expected };
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
            match scan.exact(at, limit, beside).or_else(|| scan.mistyped(at, limit, beside)) {
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

/// The words of one message in the form of the keys: `st` is `saint`.
struct Words<'t> {
    words: Vec<&'t str>,
    text: &'t Normalised,
}

impl<'t> Words<'t> {
    fn new(text: &'t Normalised) -> Self {
        Self { words: (0..text.tokens.len()).map(|at| canonical(text.word(at))).collect(), text }
    }

    /// Where the run of words that one name could cover ends.
    fn phrase_end(&self, at: usize) -> usize {
        let tokens = &self.text.tokens;
        let far = tokens.len().min(at + MAX_WORDS);
        let name_like = |sep: Sep| sep <= Sep::Hyphen || sep == Sep::Dot || sep == Sep::Dash;
        (at + 1..far).find(|&next| !name_like(tokens[next].before)).unwrap_or(far)
    }

    fn join(&self, range: Range<usize>) -> String {
        self.words[range].concat()
    }
}

fn canonical(word: &str) -> &str {
    match word {
        "st" => "saint",
        "ste" => "sainte",
        _ => word,
    }
}

fn key_of(name: &str) -> String {
    Words::new(&Normalised::new(name)).words.concat()
}

struct Scan<'s, 't> {
    gazetteer: &'s Gazetteer,
    text: &'t Normalised,
    words: &'s Words<'t>,
    common: &'s CommonWords,
    expected: bool,
}

impl Scan<'_, '_> {
    /// The longest run of words from `at` that spells a station; nothing when a name that starts inside reaches
    /// further ("gare de Lyon Part-Dieu" is not the Gare de Lyon).
    fn exact(&self, at: usize, limit: usize, beside: bool) -> Option<(usize, Vec<u32>)> {
        let found = self.longest(at, limit, beside)?;
        let further = |start| self.longest(start, limit, beside).is_some_and(|(end, _)| end > found.0);
        (!(at + 1..found.0).any(further)).then_some(found)
    }

    fn longest(&self, at: usize, limit: usize, beside: bool) -> Option<(usize, Vec<u32>)> {
        let mut hash = fnv(b"");
        let mut best = None;
        for end in at + 1..=limit {
            for byte in self.words.words[end - 1].bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            if let Some(spelling) = self.gazetteer.spelling(hash)
                && self.counts(spelling, at..end, beside)
            {
                best = Some((end, spelling.stations.clone()));
            }
        }
        best
    }

    fn counts(&self, spelling: &Spelling, range: Range<usize>, beside: bool) -> bool {
        let single = range.len() == 1;
        let token = &self.text.tokens[range.start];
        if token.sigil == Some('@') {
            return false;
        }
        if self.wrong_article(spelling, range.start) {
            return false;
        }
        let everyday = spelling.ordinary || (single && self.common.count(self.text.word(range.start)) > 1);
        if !everyday && (spelling.strength == Strength::Whole && spelling.key.len() > 3) {
            return true;
        }
        let context = self.context(range.clone(), beside);
        if everyday || (single && spelling.key.len() <= 3) {
            context >= 2 || (self.expected && self.text.tokens.len() <= 4)
        } else {
            context >= 1 || self.expected
        }
    }

    /// "la marche" is not Lamarche, "de Morlaix" not Morlaix with a slip: a name takes in a little word before it
    /// only when that word is the name's own.
    fn wrong_article(&self, spelling: &Spelling, start: usize) -> bool {
        let first = self.words.words[start];
        LITTLE.contains(&first) && spelling.article != first.len()
    }

    /// 0: nothing speaks of a station here; 1: something does; 2: it can hardly be anything else.
    fn context(&self, range: Range<usize>, beside: bool) -> u8 {
        let tokens = &self.text.tokens;
        let token = &tokens[range.start];
        let tied = |sep: Sep| matches!(sep, Sep::Arrow | Sep::Hyphen | Sep::Dash | Sep::Slash);
        if beside && token.before != Sep::Stop {
            return 2;
        }
        if let Some(next) = tokens.get(range.end)
            && (tied(next.before) || next.before == Sep::Space)
            && self.is_sure_station(range.end)
        {
            return 2;
        }
        let capital = token.capital && token.before != Sep::Stop && !tokens.iter().all(|t| t.capital);
        let mut before = range.start;
        let mut place = false;
        while before > 0
            && matches!(self.text.word(before - 1), "la" | "le" | "l" | "the" | "gare" | "de" | "d")
        {
            place |= self.text.word(before - 1) == "gare";
            if matches!(self.text.word(before - 1), "de" | "d")
                && before >= 2
                && self.text.word(before - 2) != "gare"
            {
                break;
            }
            before -= 1;
        }
        if place || self.text.word(range.end) == "station" {
            return 2;
        }
        let Some(word) = before.checked_sub(1).map(|b| self.text.word(b)) else {
            return u8::from(capital);
        };
        let further = before.checked_sub(2).map_or("", |b| self.text.word(b));
        match word {
            "from" | "vers" | "direction" | "via" | "depuis" | "dep" | "destination" => 2,
            "to" | "pour" | "pr" | "a" | "de" | "d" | "for" | "in" | "at" | "entre" | "between" | "et"
            | "and" => {
                let travels = TRAVEL.contains(&further);
                1 + u8::from(travels || (capital && word != "for" && word != "pour"))
            }
            _ => u8::from(capital),
        }
    }

    fn is_sure_station(&self, at: usize) -> bool {
        let limit = self.words.phrase_end(at);
        let mut hash = fnv(b"");
        (at..limit).any(|end| {
            for byte in self.words.words[end].bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            self.gazetteer.spelling(hash).is_some_and(|s| {
                s.strength == Strength::Whole
                    && !s.ordinary
                    && s.key.len() > 3
                    && self.common.count(self.text.word(at)) < 2
            })
        })
    }

    /// One to three words that are a station but for a slip or two, beside words that speak of travel.
    fn mistyped(&self, at: usize, limit: usize, beside: bool) -> Option<(usize, Vec<u32>)> {
        let token = &self.text.tokens[at];
        if token.sigil.is_some() || self.common.count(self.text.word(at)) > 0 && limit == at + 1 {
            return None;
        }
        for end in (at + 1..=limit.min(at + 3)).rev() {
            let unknown = (at..end).any(|i| {
                let word = self.text.word(i);
                word.len() > 2 && self.common.count(word) == 0 && !word.bytes().all(|b| b.is_ascii_digit())
            });
            let last_counts = self.words.words[end - 1].len() > 2;
            if (at..end).any(|inside| self.longest(inside, end, false).is_some()) {
                continue;
            }
            if !unknown
                || !last_counts
                || (end > at + 1 && self.common.count(self.text.word(at)) > 3 && !self.is_name_start(at))
            {
                continue;
            }
            let key = self.words.join(at..end);
            let context = self.context(at..end, beside);
            if context == 0 && !self.expected {
                continue;
            }
            let found = self.gazetteer.nearest(&key, |spelling| !self.wrong_article(spelling, at));
            if let Some(stations) = found {
                return Some((end, stations));
            }
        }
        None
    }

    fn is_name_start(&self, at: usize) -> bool {
        WEAK_STARTS.contains(&self.words.words[at])
    }
}

/// Words of travel before "to", "pour", "de".
const TRAVEL: &[&str] = &[
    "train",
    "trains",
    "ticket",
    "tickets",
    "go",
    "going",
    "get",
    "getting",
    "travel",
    "travelling",
    "traveling",
    "bus",
    "tgv",
    "ter",
    "billet",
    "billets",
    "aller",
    "vais",
    "partir",
    "pars",
    "depart",
    "departure",
    "departures",
    "arriver",
    "arrive",
    "tr1",
    "ouigo",
    "trajet",
    "ligne",
    "line",
    "voyage",
    "trip",
    "return",
    "retour",
    "gare",
    "station",
];

impl Gazetteer {
    /// Stations whose spelling is a slip away from `key`, two from long ones; the nearest only.
    fn nearest(&self, key: &str, fits: impl Fn(&Spelling) -> bool) -> Option<Vec<u32>> {
        let allowed = match key.len() {
            0..5 => return None,
            5..8 => 1,
            _ => 2,
        };
        let mut best = allowed + 1;
        let mut stations: Vec<u32> = Vec::new();
        for candidate in self.typos.candidates(key, allowed) {
            let Some(spelling) = self.spellings.get(candidate as usize) else {
                continue;
            };
            let near = distance(key, &spelling.key, allowed);
            if near > allowed || near > best || spelling.strength == Strength::Part || !fits(spelling) {
                continue;
            }
            if near < best {
                stations.clear();
            }
            best = near;
            stations.extend(spelling.stations.iter().filter(|at| !stations.contains(at)).collect::<Vec<_>>());
        }
        (!stations.is_empty() && stations.len() <= 4).then_some(stations)
    }
}
