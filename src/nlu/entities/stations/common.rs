//! Words that messages use without meaning a station.

use crate::nlu::features::{HashedMap, fnv};
use crate::nlu::normalise::Normalised;

/// How often each word stands in the pack's examples outside the names of stations, less how often inside them:
/// "nice" stays common, "lyon" does not.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct CommonWords(HashedMap<u32>);

impl CommonWords {
    /// `texts`: each message with the names of its stations left out, and those names.
    pub fn learn(texts: impl Iterator<Item = (String, Vec<String>)>) -> Self {
        let mut counts: HashedMap<u32> = HashedMap::default();
        let mut named: HashedMap<u32> = HashedMap::default();
        for (text, names) in texts {
            count_words(&text, &mut counts);
            names.iter().for_each(|name| count_words(name, &mut named));
        }
        counts.retain(|word, count| {
            *count = count.saturating_sub(named.get(word).copied().unwrap_or(0));
            *count > 0
        });
        Self(counts)
    }

    pub(in crate::nlu::entities) fn count(&self, word: &str) -> u32 {
        self.0.get(&fnv(word.as_bytes())).copied().unwrap_or(0)
    }
}

fn count_words(text: &str, into: &mut HashedMap<u32>) {
    let text = Normalised::new(text);
    for at in 0..text.tokens.len() {
        *into.entry(fnv(text.word(at).as_bytes())).or_default() += 1;
    }
}
