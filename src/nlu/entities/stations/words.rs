//! The words of a message in the form of the keys: `st` is `saint`.

use super::{Gazetteer, MAX_WORDS};
use crate::nlu::features::fnv;
use crate::nlu::normalise::{Normalised, Sep};
use std::borrow::Cow;
use std::ops::Range;

pub(super) struct Words<'t> {
    pub words: Vec<Cow<'t, str>>,
    text: &'t Normalised,
}

impl<'t> Words<'t> {
    pub fn new(text: &'t Normalised) -> Self {
        let words = (0..text.tokens.len()).map(|at| Cow::Borrowed(canonical(text.word(at)))).collect();
        Self { words, text }
    }

    /// With "stmalo" written out, where the gazetteer knows such a saint.
    pub fn of_message(text: &'t Normalised, gazetteer: &Gazetteer) -> Self {
        let mut words = Self::new(text);
        for word in &mut words.words {
            if let Some(saint) = joined_saint(word, gazetteer) {
                *word = Cow::Owned(saint);
            }
        }
        words
    }

    /// Where the run of words that one name could cover ends.
    pub fn phrase_end(&self, at: usize) -> usize {
        let tokens = &self.text.tokens;
        let far = tokens.len().min(at + MAX_WORDS);
        let name_like = |sep: Sep| sep <= Sep::Hyphen || sep == Sep::Dot || sep == Sep::Dash;
        (at + 1..far).find(|&next| !name_like(tokens[next].before)).unwrap_or(far)
    }

    pub fn join(&self, range: Range<usize>) -> String {
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

/// "stmalo", "stepazanne".
fn joined_saint(word: &str, gazetteer: &Gazetteer) -> Option<String> {
    let known = |key: &String| gazetteer.spelling(fnv(key.as_bytes())).is_some();
    let rest = word.strip_prefix("st").filter(|rest| rest.len() >= 3)?;
    if known(&word.to_owned()) {
        return None;
    }
    [format!("saint{rest}"), format!("sainte{}", rest.trim_start_matches('e'))].into_iter().find(known)
}

pub(super) fn key_of(name: &str) -> String {
    Words::new(&Normalised::new(name)).words.concat()
}
