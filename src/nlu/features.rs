//! A message as numbers: hashed word and character n-grams, weighed by how telling they are, beside the
//! sentence embedding.

use super::normalise::Normalised;
use super::pack::Lexicon;
use crate::model::Lang;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// N-grams seen in fewer training messages are left out. Keeping all of them is worth about one point of
/// cross-validated accuracy and costs several times the memory and twice the training time.
const MIN_MESSAGES: u32 = 2;
/// Weight of the character n-grams beside the words: the best of 0.7, 1, 1.4 and 2 by cross-validation on the pack.
const CHAR_SCALE: f32 = 2.0;
/// Length of the embedding as the classifier reads it: longer takes bigger steps.
const DENSE_SCALE: f32 = 4.0;

/// Keys are hashes already: hashing them again would only cost time.
#[derive(Default, Clone)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

pub(super) type HashedMap<V> = HashMap<u64, V, BuildHasherDefault<AsIs>>;

/// 64-bit FNV-1a.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The n-grams of one message, before any vocabulary: computed once, read by every model.
#[derive(Debug, Clone, Default)]
pub struct Grams {
    words: Vec<u64>,
    chars: Vec<u64>,
}

impl Grams {
    pub fn new(text: &Normalised, lexicon: &Lexicon, lang: Lang) -> Self {
        let mut grams = Grams::default();
        let mut previous = fnv(b"^");
        for index in 0..text.tokens.len() {
            let typed = text.word(index);
            // Figures differ from one message to the next; that there is one is what counts.
            let masked = mask_digits(typed);
            let word = masked.as_deref().unwrap_or(typed);
            let hash = fnv(word.as_bytes());
            grams.words.push(hash);
            grams.words.push(previous.rotate_left(17) ^ hash);
            previous = hash;
            char_grams(word.as_bytes(), &mut grams.chars);
            for meaning in lexicon.meaning(lang, typed).into_iter().flat_map(|text| text.split_whitespace()) {
                grams.words.push(fnv(meaning.as_bytes()));
                char_grams(meaning.as_bytes(), &mut grams.chars);
            }
        }
        for mark in &text.marks {
            grams.words.push(fnv(mark.encode_utf8(&mut [0; 4]).as_bytes()) ^ 0x6d61_726b);
        }
        grams
    }
}

impl Grams {
    /// Without the runs of characters: a reader that learns from these alone asks for few features.
    pub fn words_only(&self) -> Self {
        Self { words: self.words.clone(), chars: Vec::new() }
    }
}

/// Digits as `0`, so that "18h30" and "7h05" look alike; `None` when there are none.
fn mask_digits(word: &str) -> Option<String> {
    word.bytes()
        .any(|b| b.is_ascii_digit())
        .then(|| word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect())
}

/// All runs of 3 to 5 bytes of ` word `. Up to five bytes and their number fit a `u64`: no collisions.
fn char_grams(word: &[u8], into: &mut Vec<u64>) {
    let at = |i: usize| {
        if i == 0 || i > word.len() { b' ' } else { word[i - 1] }
    };
    let padded = word.len() + 2;
    for start in 0..padded.saturating_sub(2) {
        let mut gram = 1u64;
        for len in 1..=5 {
            if start + len > padded {
                break;
            }
            gram = gram << 8 | u64::from(at(start + len - 1));
            if len >= 3 {
                into.push(gram);
            }
        }
    }
}

/// A message as the classifier reads it.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub index: Vec<u32>,
    pub value: Vec<f32>,
    /// The embedding, scaled; empty in a row of n-grams.
    pub dense: Vec<f32>,
}

/// Which n-grams count and how much, learned from the training messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Vocabulary {
    words: HashedMap<(u32, f32)>,
    chars: HashedMap<(u32, f32)>,
}

impl Vocabulary {
    pub fn learn<'g>(messages: impl Iterator<Item = &'g Grams> + Clone) -> Self {
        let mut next = 0;
        let mut learn = |group: fn(&Grams) -> &[u64]| {
            let mut seen: HashedMap<u32> = HashMap::default();
            let mut total = 0.0f32;
            for grams in messages.clone() {
                total += 1.0;
                let mut unique = group(grams).to_vec();
                unique.sort_unstable();
                unique.dedup();
                for gram in unique {
                    *seen.entry(gram).or_default() += 1;
                }
            }
            let mut kept: Vec<(u64, u32)> = seen.into_iter().filter(|&(_, n)| n >= MIN_MESSAGES).collect();
            kept.sort_unstable();
            let idf = |n: u32| ((1.0 + total) / (1.0 + n as f32)).ln() + 1.0;
            let map: HashedMap<(u32, f32)> = kept
                .into_iter()
                .map(|(gram, n)| {
                    next += 1;
                    (gram, (next - 1, idf(n)))
                })
                .collect();
            map
        };
        let words = learn(|grams| &grams.words);
        let chars = learn(|grams| &grams.chars);
        Self { words, chars }
    }

    /// How many n-grams count.
    pub fn len(&self) -> usize {
        self.words.len() + self.chars.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message with each group scaled to one length, so that a long message speaks no louder than a short.
    pub fn row(&self, grams: &Grams) -> Row {
        let mut row = Row::default();
        group(&self.words, &grams.words, 1.0, &mut row);
        group(&self.chars, &grams.chars, CHAR_SCALE, &mut row);
        row
    }
}

/// An embedding as the classifier reads it.
pub fn dense_row(embedding: &[f32]) -> Row {
    let length = embedding.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
    Row { dense: embedding.iter().map(|x| x / length * DENSE_SCALE).collect(), ..Row::default() }
}

fn group(known: &HashedMap<(u32, f32)>, grams: &[u64], scale: f32, row: &mut Row) {
    let start = row.index.len();
    let mut found: Vec<(u32, f32)> = grams.iter().filter_map(|gram| known.get(gram).copied()).collect();
    found.sort_unstable_by_key(|&(index, _)| index);
    let mut squares = 0.0f32;
    let mut rest = found.as_slice();
    while let Some(&(index, idf)) = rest.first() {
        let times = rest.iter().take_while(|&&(other, _)| other == index).count();
        rest = &rest[times..];
        let value = (1.0 + (times as f32).ln()) * idf;
        squares += value * value;
        row.index.push(index);
        row.value.push(value);
    }
    let factor = scale / squares.sqrt().max(1e-6);
    row.value[start..].iter_mut().for_each(|value| *value *= factor);
}
