//! Examples that say nearly the same in the same words: they teach nothing and flatter whoever measures.

use super::{Example, IntentPack, kind_of};
use crate::nlu::features::fnv;
use crate::nlu::normalise::Normalised;
use std::collections::{HashMap, HashSet};

/// Shared part of the words and word pairs of both (Jaccard's index) from which two examples are near-duplicates.
const NEAR: f64 = 0.6;
/// Short examples ("merci", "prochain train") are alike by nature: words and pairs of words that an example must have.
const MIN_FEATURES: usize = 7;
/// A word or pair in more examples than this finds no candidates: near-duplicates share rarer ones too.
const COMMON: usize = 250;

/// Pairs of examples, as positions in `pack.examples`, the later one second.
pub fn near_duplicates(pack: &IntentPack) -> Vec<(usize, usize)> {
    let features: Vec<HashSet<u64>> = pack.examples.iter().map(features).collect();
    let mut index: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, set) in features.iter().enumerate() {
        set.iter().for_each(|feature| index.entry(*feature).or_default().push(at));
    }
    let mut found = Vec::new();
    for (at, set) in features.iter().enumerate().filter(|(_, set)| set.len() >= MIN_FEATURES) {
        let postings = set.iter().filter_map(|feature| index.get(feature)).filter(|p| p.len() <= COMMON);
        let candidates: HashSet<usize> = postings.flatten().copied().filter(|&other| other < at).collect();
        let near = candidates.into_iter().filter(|&other| likeness(set, &features[other]) >= NEAR).min();
        found.extend(near.map(|other| (other, at)));
    }
    found
}

fn likeness(a: &HashSet<u64>, b: &HashSet<u64>) -> f64 {
    let (less, more) = (a.len().min(b.len()) as f64, a.len().max(b.len()) as f64);
    if less < NEAR * more {
        return 0.0; // However much they share, it is not enough.
    }
    let shared = a.intersection(b).count();
    shared as f64 / (a.len() + b.len() - shared).max(1) as f64
}

/// Words and pairs of neighbours, with the kind of an entity in its place: another station makes no other message.
fn features(example: &Example) -> HashSet<u64> {
    let mut text = example.text.clone();
    let mut entities: Vec<_> = example.entities.iter().collect();
    entities.sort_by_key(|(_, span)| std::cmp::Reverse(span.start));
    for (role, span) in entities {
        let kind = kind_of(role).unwrap_or("x");
        text.replace_range(span.clone(), &format!(" x{kind} "));
    }
    let text = Normalised::new(&text);
    let words: Vec<u64> = (0..text.tokens.len()).map(|at| fnv(text.word(at).as_bytes())).collect();
    let pairs = words.windows(2).map(|pair| pair[0].rotate_left(17) ^ pair[1]);
    words.iter().copied().chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn another_station_makes_no_other_example() {
        let folder = tempfile::tempdir().unwrap();
        let text = "domain: s\nintents:\n  next:\n    about: x\n    examples:\n      fr: |\n        \
                    - bonjour quand part le train pour [Vitré](to) svp\n        - bonjour quand part le train pour [Le Mans](to)\n        \
                    - je cherche un moyen de rentrer ce soir\n        - merci\n        - merci bien\n";
        std::fs::write(folder.path().join("s.yaml"), text).unwrap();
        let pack = IntentPack::load(folder.path()).unwrap();
        assert_eq!(near_duplicates(&pack), [(0, 1)]);
    }

    #[test]
    fn the_shipped_pack_is_large_varied_and_balanced() {
        let pack = IntentPack::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("intents")).unwrap();
        let place = |at: usize| format!("{}:{}", pack.examples[at].file, pack.examples[at].line);
        let pairs: Vec<String> =
            near_duplicates(&pack).into_iter().map(|(a, b)| format!("{} ~ {}", place(a), place(b))).collect();
        assert!(pairs.is_empty(), "nearly the same: {pairs:#?}");
        let mut counts: HashMap<_, usize> = HashMap::new();
        pack.examples.iter().for_each(|e| *counts.entry((e.intent.as_str(), e.lang)).or_default() += 1);
        for ((intent, lang), count) in counts {
            let least = if intent == crate::model::OUT_OF_SCOPE { 500 } else { 200 };
            assert!(count >= least, "{intent} has {count} examples in {lang}");
        }
    }
}
