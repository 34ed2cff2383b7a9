//! A message as far as it steers the conversation: which of its words are values, which say nothing, which are cues.

use crate::model::{Cue, Entity, EntityValue, Phrases};
use crate::nlu::normalise::Normalised;
use std::ops::Range;

pub(super) struct Words<'a> {
    pub text: Normalised,
    phrases: &'a Phrases,
    original: &'a str,
    /// Part of something found, by word.
    value: Vec<bool>,
    /// Part of a phrase that says nothing of its own, by word.
    filler: Vec<bool>,
}

impl<'a> Words<'a> {
    pub fn new(original: &'a str, entities: &[Entity], phrases: &'a Phrases) -> Self {
        let text = Normalised::new(original);
        let inside = |at: usize| {
            let start = text.tokens[at].original.start;
            entities.iter().any(|entity| entity.span.contains(&start))
        };
        let value = (0..text.tokens.len()).map(inside).collect();
        let filler = vec![false; text.tokens.len()];
        let mut words = Self { text, phrases, original, value, filler };
        words.filler = words.marked(Cue::Filler);
        for at in 0..words.len() {
            words.filler[at] |= !words.value[at] && words.names_a_kind(at);
        }
        words
    }

    /// From `at` to the next value nothing but nouns stands: "le train numéro 8745".
    fn names_a_kind(&self, at: usize) -> bool {
        let noun = |at: usize| self.phrases.of(Cue::Noun).iter().any(|noun| self.stands(noun, at));
        let value = (at..self.len()).find(|&at| self.value[at]);
        value.is_some_and(|value| (at..value).all(noun))
    }

    pub fn len(&self) -> usize {
        self.text.tokens.len()
    }

    /// Words that are neither values nor fillers.
    pub fn telling(&self) -> usize {
        self.telling_beside(&[])
    }

    /// The same, without the words of `names`.
    pub fn telling_beside(&self, names: &[&str]) -> usize {
        let names: Vec<Normalised> = names.iter().map(|name| Normalised::new(name)).collect();
        let named = |at: usize| {
            let own = self.text.word(at);
            names.iter().any(|name| (0..name.tokens.len()).any(|other| name.word(other) == own))
        };
        (0..self.len()).filter(|&at| !self.value[at] && !self.filler[at] && !named(at)).count()
    }

    /// The whole message is this phrase. A question mark makes it a question about it.
    pub fn are(&self, cue: Cue) -> bool {
        !self.text.marks.contains(&'?')
            && self.phrases.of(cue).iter().any(|phrase| phrase.len() == self.len() && self.stands(phrase, 0))
    }

    /// The whole message is this phrase, asked or told.
    pub fn is(&self, phrase: &[String]) -> bool {
        phrase.len() == self.len() && self.stands(phrase, 0)
    }

    /// The whole message is such a phrase, and then `rest`.
    pub fn are_then(&self, cue: Cue, rest: &[String]) -> bool {
        let begun = |first: &Vec<String>| {
            first.len() + rest.len() == self.len() && self.stands(first, 0) && self.stands(rest, first.len())
        };
        self.phrases.of(cue).iter().any(begun)
    }

    pub fn exclaims(&self) -> bool {
        self.text.marks.contains(&'!')
    }

    /// The phrase, and beside it nothing but values and fillers.
    pub fn only(&self, cue: Cue) -> bool {
        self.places(cue).any(|place| self.rest_is_silent(&place))
    }

    /// How many words of such a phrase the message begins with, the longest counts; fillers may stand before it.
    pub fn begins(&self, cue: Cue) -> Option<usize> {
        let begun = |place: &Range<usize>| (0..place.start).all(|at| self.filler[at] && !self.value[at]);
        self.places(cue).filter(|place| begun(place) && !self.value[place.start]).map(|place| place.end).max()
    }

    /// Such a phrase stands somewhere outside the values.
    pub fn say(&self, cue: Cue) -> bool {
        self.places(cue).any(|place| place.clone().all(|at| !self.value[at]))
    }

    /// The message goes on with what was said, by how it begins or what it points at.
    pub fn link(&self) -> bool {
        self.phrases.of(Cue::Link).iter().any(|phrase| self.stands(phrase, 0)) || self.say(Cue::This)
    }

    /// A few words alone say little: what was said before counts.
    pub fn brief(&self) -> bool {
        self.len() <= BRIEF || self.link()
    }

    /// The choice that the message names by its number or its place: 1 is the first. `of`: how many there are.
    pub fn ordinal(&self, of: usize) -> Option<usize> {
        let numbered = |at: usize| self.text.word(at).parse::<usize>().ok();
        let numbers: Vec<usize> = (0..self.len()).filter_map(numbered).collect();
        if let [number] = numbers[..]
            && self.len() <= BRIEF
            && (1..=of).contains(&number)
        {
            return Some(number);
        }
        let silent = |place: &Range<usize>| self.rest_is_silent(place);
        let named =
            |phrases: &Vec<Vec<String>>| phrases.iter().any(|p| self.positions(p).any(|r| silent(&r)));
        let place = self.phrases.ordinals.iter().take(of).position(named);
        place.map(|at| at + 1).or_else(|| self.only(Cue::Last).then_some(of))
    }

    /// A time that is named only to be ruled out: "pas demain, jeudi". Of stations, understanding has seen to it.
    pub fn ruled_out(&self, entity: &Entity) -> bool {
        let at = self.text.tokens.iter().position(|token| token.original.start == entity.span.start);
        let before = at.and_then(|at| at.checked_sub(1)).map(|before| self.text.word(before));
        let others = self.value.iter().zip(&self.text.tokens);
        let mut others =
            others.filter(|(value, token)| **value && !entity.span.contains(&token.original.start));
        matches!(entity.value, EntityValue::Time { .. })
            && before.is_some_and(|word| self.phrases.of(Cue::Not).iter().any(|not| not.as_slice() == [word]))
            && others.next().is_some()
    }

    /// Outside the values, a word of at least four letters of `name` stands.
    pub fn names(&self, name: &str) -> bool {
        let name = Normalised::new(name);
        (0..name.tokens.len())
            .map(|at| name.word(at))
            .filter(|word| word.len() >= 4)
            .any(|word| (0..self.len()).any(|at| !self.value[at] && self.text.word(at) == word))
    }

    /// How many words of `name` stand in the message.
    pub fn shared(&self, name: &str) -> usize {
        let name = Normalised::new(name);
        let said = |at: &usize| (0..self.len()).any(|own| self.text.word(own) == name.word(*at));
        (0..name.tokens.len()).filter(said).count()
    }

    /// The customer's words without what follows the `most` first letters.
    pub fn cut(&self, most: usize) -> String {
        self.original.trim().chars().take(most).collect()
    }

    fn rest_is_silent(&self, place: &Range<usize>) -> bool {
        (0..self.len()).all(|at| place.contains(&at) || self.value[at] || self.filler[at])
    }

    fn places(&self, cue: Cue) -> impl Iterator<Item = Range<usize>> {
        self.phrases.of(cue).iter().flat_map(|phrase| self.positions(phrase))
    }

    fn positions<'p>(&'p self, phrase: &'p [String]) -> impl Iterator<Item = Range<usize>> + 'p {
        (0..self.len()).filter(|&at| self.stands(phrase, at)).map(|at| at..at + phrase.len())
    }

    fn stands(&self, phrase: &[String], at: usize) -> bool {
        phrase.iter().enumerate().all(|(index, word)| self.text.word(at + index) == word)
    }

    fn marked(&self, cue: Cue) -> Vec<bool> {
        let mut marked = vec![false; self.len()];
        for place in self.places(cue) {
            marked[place].fill(true);
        }
        marked
    }
}

/// Whether every word of `surface` belongs to a time of day, so that it names no day.
pub(super) fn names_no_day(surface: &str, phrases: &Phrases) -> bool {
    let text = Normalised::new(surface);
    let clock = |word: &str| phrases.of(Cue::Clock).iter().flatten().any(|part| part == word);
    let counted = |word: &str| word.bytes().any(|b| b.is_ascii_digit()) && !word.contains("dem");
    let slashed = surface.contains('/');
    !slashed && (0..text.tokens.len()).all(|at| clock(text.word(at)) || counted(text.word(at)))
}

/// Words of a message that says little alone.
const BRIEF: usize = 7;
