//! Matches the words of a message with the spellings of stations.

use super::lists::{LITTLE, WEAK_STARTS};
use super::words::Words;
use super::{CommonWords, Gazetteer, Spelling, Strength};
use crate::nlu::entities::Mention;
use crate::nlu::features::fnv;
use crate::nlu::normalise::Normalised;
use std::ops::Range;

/// More words of a message are not looked at for slips, which cost more to find than exact names.
const MAX_MISTYPED: usize = 300;

/// Most words that a mistyped name is read over.
const MISTYPED_WORDS: usize = 5;

pub(super) struct Scan<'s, 't> {
    pub gazetteer: &'s Gazetteer,
    pub text: &'t Normalised,
    pub words: &'s Words<'t>,
    pub common: &'s CommonWords,
    pub expected: bool,
    /// Tokens at which a name begins that is no everyday word, sorted.
    pub sure: Vec<usize>,
}

impl<'s, 't> Scan<'s, 't> {
    pub fn new(
        gazetteer: &'s Gazetteer,
        text: &'t Normalised,
        words: &'s Words<'t>,
        common: &'s CommonWords,
        expected: bool,
    ) -> Self {
        let mut scan = Self { gazetteer, text, words, common, expected, sure: Vec::new() };
        scan.sure = (0..text.tokens.len()).filter(|&at| scan.sure_at(at)).collect();
        scan
    }

    /// Takes in what was found; true when that was new.
    pub fn learn(&mut self, found: &[Mention]) -> bool {
        let before = self.sure.len();
        for mention in found {
            if let Err(place) = self.sure.binary_search(&mention.tokens.start) {
                self.sure.insert(place, mention.tokens.start);
            }
        }
        self.sure.len() > before
    }

    /// The longest run of words from `at` that spells a station; nothing when a name that starts inside reaches
    /// further ("gare de Lyon Part-Dieu" is not the Gare de Lyon).
    pub fn exact(&self, at: usize, limit: usize, beside: bool) -> Option<(usize, Vec<u32>)> {
        let found = self.longest(at, limit, beside)?;
        let further = |start| self.longest(start, limit, beside).is_some_and(|(end, _)| end > found.0);
        (!(at + 1..found.0).any(further)).then_some(found)
    }

    fn longest(&self, at: usize, limit: usize, beside: bool) -> Option<(usize, Vec<u32>)> {
        let mut best = None;
        self.spelled(at, limit, |end, spelling| {
            if self.counts(spelling, at..end, beside) {
                best = Some((end, spelling.stations.clone()));
            }
        });
        best
    }

    /// Every spelling that the words from `at` form.
    fn spelled(&self, at: usize, limit: usize, mut each: impl FnMut(usize, &Spelling)) {
        let mut hash = fnv(b"");
        for end in at + 1..=limit {
            for byte in self.words.words[end - 1].bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            if let Some(spelling) = self.gazetteer.spelling(hash) {
                each(end, spelling);
            }
        }
    }

    fn counts(&self, spelling: &Spelling, range: Range<usize>, beside: bool) -> bool {
        let single = range.len() == 1;
        if self.text.tokens[range.start].sigil == Some('@')
            || self.wrong_article(spelling, range.start)
            || (spelling.contracted && !self.article_before(range.start))
            || self.in_pieces(spelling, &range)
            || self.names_something_else(&range)
        {
            return false;
        }
        if self.plain_words(spelling, &range) {
            return self.text.tokens[range.end - 1].capital || self.gare_before(range.start);
        }
        let everyday = self.everyday(spelling, &range);
        if everyday && spelling.strength == Strength::Part {
            return self.gare_before(range.start);
        }
        let short = single && spelling.key.len() <= 3;
        if !everyday && !short && spelling.strength == Strength::Whole {
            return true;
        }
        let context = self.context(range, beside);
        if everyday {
            context >= 2 || (self.expected && self.text.tokens.len() <= 4)
        } else {
            context >= 1 || self.expected
        }
    }

    /// "I run" is not Irun: a word falls into pieces by a slip only when none of them is a word.
    fn in_pieces(&self, spelling: &Spelling, range: &Range<usize>) -> bool {
        range.len() > spelling.pieces && range.clone().any(|at| self.common.count(self.text.word(at)) > 0)
    }

    /// "can you get us to Paris", "à l'hôpital de Laval": such names are only read with a capital.
    fn plain_words(&self, spelling: &Spelling, range: &Range<usize>) -> bool {
        let plain = |at: usize| self.common.count(self.text.word(at)) > 3;
        let tiny = range.len() == 1 && spelling.ordinary && spelling.key.len() <= 2;
        tiny || (range.len() == 2 && range.clone().all(plain))
    }

    fn everyday(&self, spelling: &Spelling, range: &Range<usize>) -> bool {
        spelling.ordinary || (range.len() == 1 && self.common.count(self.text.word(range.start)) > 1)
    }

    /// "la marche" is not Lamarche, "de Morlaix" not Morlaix with a slip: a name takes in a little word before it
    /// only when that word is the name's own.
    fn wrong_article(&self, spelling: &Spelling, start: usize) -> bool {
        let first = &*self.words.words[start];
        LITTLE.contains(&first) && spelling.article != first.len()
    }

    fn gare_before(&self, start: usize) -> bool {
        let word = |back: usize| start.checked_sub(back).map_or("", |at| self.text.word(at));
        word(1) == "gare" || (matches!(word(1), "de" | "d" | "du") && word(2) == "gare")
    }

    /// "au Mans", "du Mans".
    fn article_before(&self, start: usize) -> bool {
        start.checked_sub(1).is_some_and(|at| matches!(self.text.word(at), "au" | "du" | "aux" | "des" | "o"))
    }

    fn sure_at(&self, at: usize) -> bool {
        let mut sure = false;
        if self.text.tokens[at].sigil.is_none() {
            self.spelled(at, self.words.phrase_end(at), |end, spelling| {
                sure |= spelling.strength == Strength::Whole
                    && spelling.key.len() > 3
                    && !self.everyday(spelling, &(at..end))
                    && !spelling.contracted
                    && !self.wrong_article(spelling, at);
            });
        }
        sure
    }

    /// A few words that are a station but for a slip or two, beside words that speak of travel.
    pub fn mistyped(&self, at: usize, limit: usize, beside: bool) -> Option<(usize, Vec<u32>)> {
        let token = &self.text.tokens[at];
        let unseen = |word: &str| self.common.count(word) == 0;
        if at >= MAX_MISTYPED || token.sigil.is_some() || (!unseen(self.text.word(at)) && limit == at + 1) {
            return None;
        }
        for end in (at + 1..=limit.min(at + MISTYPED_WORDS)).rev() {
            let strange =
                |word: &str| word.len() > 2 && unseen(word) && !word.bytes().any(|b| b.is_ascii_digit());
            let last_counts = self.words.words[end - 1].len() > 2;
            if !last_counts
                || !(at..end).any(|i| strange(self.text.word(i)))
                || (end > at + 1 && self.common.count(self.text.word(at)) > 3 && !self.is_name_start(at))
                || (at..end).any(|inside| self.longest(inside, end, false).is_some())
                || self.names_something_else(&(at..end))
            {
                continue;
            }
            let context = self.context(at..end, beside);
            if context == 0 && !self.expected {
                continue;
            }
            let key = self.words.join(at..end);
            let fits = |spelling: &Spelling| !spelling.contracted && !self.wrong_article(spelling, at);
            if let Some(stations) = self.gazetteer.nearest(&key, context, fits) {
                return Some((end, stations));
            }
        }
        None
    }

    /// "Paris Montparnase": the strange word behind an exact name may belong to it.
    pub fn prolonged(&self, at: usize, limit: usize, exact: (usize, Vec<u32>)) -> (usize, Vec<u32>) {
        let (end, _) = exact;
        let strange = |at: usize| {
            let word = self.text.word(at);
            word.len() > 2 && self.common.count(word) == 0 && !self.is_sure_station(at)
        };
        for longer in (end + 1..=limit.min(end + 2)).rev() {
            if !(end..longer).all(|at| self.text.word(at).len() > 2) || !(end..longer).any(strange) {
                continue;
            }
            let pieces = |spelling: &Spelling| spelling.pieces >= longer - at && !spelling.contracted;
            let key = self.words.join(at..longer);
            if let Some(stations) = self.gazetteer.nearest(&key, 1, pieces) {
                return (longer, stations);
            }
        }
        exact
    }

    fn is_name_start(&self, at: usize) -> bool {
        WEAK_STARTS.contains(&&*self.words.words[at])
    }
}
