//! Which language a message is written in, learned from the pack's own examples.

use super::normalise::{Normalised, Token};
use super::pack::IntentPack;
use crate::model::Lang;
use std::ops::Range;

/// Buckets of the hashed n-gram counts, a power of two: 64 KiB per language.
const BUCKETS: usize = 1 << 14;
/// Added to every count so that an n-gram never seen does not decide alone.
const SMOOTHING: f32 = 0.3;
/// A function word counts as much as this many seen occurrences.
const FUNCTION_WEIGHT: f32 = 12.0;
/// How many n-grams' worth of evidence a message must exceed before it overrules the conversation's language,
/// in nats.
const MARGIN: f32 = 3.0;

/// A message with fewer bytes of words than this ("ok", "ah") is of no language.
const MIN_LETTERS: usize = 3;

/// Little words that give a language away even when the pack has few examples. A language not listed here is
/// learned from its examples alone.
const FUNCTION_WORDS: &[(Lang, &str)] = &[
    (
        Lang::FR,
        "le la les un une des du de je tu il elle on nous vous ils et ou où mais donc car ni que qui quoi dont \
         ce cet cette ces mon ma mes ton ta tes son sa ses notre votre leur est sont suis es êtes était pour par \
         avec sans dans sur sous vers chez pas ne plus à au aux y en bonjour bonsoir salut merci svp stp oui non \
         j c d l m n s t qu quel quelle comment pourquoi quand combien ça cela super parfait génial nickel voilà",
    ),
    (
        Lang::EN,
        "the a an i you he she it we they and or but so because that which who what this these those my your his \
         her our their is are am was were be been for by with without in on under to from at of not no yes do \
         does did don t s ll ve hello hi hey please thanks thank how why when where can could would should there",
    ),
];

/// Said in every language.
const EVERYWHERE: &[&[u8]] = &[b"ok", b"okay"];

/// Naive Bayes over hashed character 1-to-4-grams and words.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct LanguageModel {
    langs: Vec<Lang>,
    /// Log-probabilities, `[bucket][language]`.
    scores: Vec<f32>,
}

impl LanguageModel {
    pub fn learn(pack: &IntentPack) -> Self {
        let langs = pack.languages();
        let count = langs.len().max(1);
        let mut counts = vec![SMOOTHING; BUCKETS * count];
        let tones = pack.tones.iter().map(|tone| (tone.lang, tone.text.clone()));
        let examples = pack.examples.iter().map(|example| (example.lang, without_names(example)));
        for (lang, text) in examples.chain(tones) {
            if let Some(column) = langs.iter().position(|&known| known == lang) {
                features(&Normalised::new(&text), &[], |bucket, _| counts[bucket * count + column] += 1.0);
            }
        }
        for (lang, words) in FUNCTION_WORDS {
            if let Some(column) = langs.iter().position(|known| known == lang) {
                for word in words.split_whitespace() {
                    let word = Normalised::new(word);
                    features(&word, &[], |bucket, is_word| {
                        counts[bucket * count + column] += if is_word { FUNCTION_WEIGHT } else { 0.5 };
                    });
                }
            }
        }
        for column in 0..count {
            let total: f32 = counts.iter().skip(column).step_by(count).sum();
            counts.iter_mut().skip(column).step_by(count).for_each(|cell| *cell = (*cell / total).ln());
        }
        Self { langs, scores: counts }
    }

    /// The language of `text`, read from the words outside the byte ranges of `names` in the original. When the words leave it open, that of the conversation so far, else the pack's
    /// first language.
    pub fn detect(&self, text: &Normalised, names: &[Range<usize>], conversation: Option<Lang>) -> Lang {
        let count = self.langs.len().max(1);
        let mut sums = vec![0.0f32; count];
        features(text, names, |bucket, _| {
            let row = &self.scores[bucket * count..(bucket + 1) * count];
            sums.iter_mut().zip(row).for_each(|(sum, score)| *sum += score);
        });
        let first = self.langs.first().copied().unwrap_or(Lang::FR);
        let best = (0..count).max_by(|&a, &b| sums[a].total_cmp(&sums[b]).then(b.cmp(&a))).unwrap_or(0);
        let known = conversation.filter(|lang| self.langs.contains(lang));
        let fallback = known.and_then(|lang| self.langs.iter().position(|&l| l == lang));
        let unnamed = |token: &&Token| !names.iter().any(|name| name.contains(&token.original.start));
        let letters: usize = text.tokens.iter().filter(unnamed).map(|token| token.kept.len()).sum();
        match fallback {
            Some(home) if letters < MIN_LETTERS || sums[best] - sums[home] < MARGIN => self.langs[home],
            _ => self.langs.get(best).copied().unwrap_or(first),
        }
    }
}

/// Names of places and numbers are the same in every language: they must not speak for one.
fn without_names(example: &super::pack::Example) -> String {
    let mut text = example.text.clone();
    for (role, span) in example.entities.iter().rev() {
        if role != "when" && text.get(span.clone()).is_some() {
            text.replace_range(span.clone(), "");
        }
    }
    text
}

/// Calls `each` with the bucket of every word and character n-gram; true for whole words.
fn features(text: &Normalised, names: &[Range<usize>], mut each: impl FnMut(usize, bool)) {
    for token in text.tokens.iter().filter(|token| token.sigil.is_none()) {
        if names.iter().any(|name| name.contains(&token.original.start)) {
            continue;
        }
        let word = &text.kept.as_bytes()[token.kept.clone()];
        if word.iter().any(u8::is_ascii_digit) || EVERYWHERE.contains(&word) {
            continue;
        }
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for byte in word {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        each(bucket(hash ^ 0x9e37), true);
        let at = |i: usize| {
            if i == 0 || i > word.len() { b' ' } else { word[i - 1] }
        };
        for start in 0..word.len() + 1 {
            let mut gram = 1u64;
            for len in 1..=4 {
                if start + len > word.len() + 2 {
                    break;
                }
                gram = gram << 8 | u64::from(at(start + len - 1));
                if len > 1 {
                    each(bucket(gram), false);
                }
            }
        }
    }
}

fn bucket(hash: u64) -> usize {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50) as usize % BUCKETS
}
