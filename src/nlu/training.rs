//! Messages to learn from, and the split of them that tells honestly how sure the learner may be.

use super::calibration::HeldOut;
use super::classifier::{Classifier, Random, Training};
use super::features::{Grams, Row, Vocabulary, dense_row};
use crate::model::Lang;
use sha2::{Digest, Sha256};

/// Parts of the cross-validation.
const FOLDS: usize = 5;
/// With fewer messages set aside than this, cross-validation is the better measure, and small enough to afford.
const ENOUGH_ASIDE: usize = 400;
/// One message in so many is set aside.
const ASIDE: u8 = 8;

/// A few examples are gone through more often, up to so many steps in all and so many times.
const STEPS: usize = 60_000;
const MOST_PASSES: usize = 60;

/// The best of a few tries on the pack's own held-out messages.
pub const NGRAM: Training = Training { passes: 12, l2: 2e-5, rate: 1.0 };
pub const DENSE: Training = Training { passes: 12, l2: 1e-5, rate: 0.3 };

/// Is this message left out of training to calibrate on? The encoder we ship was not adapted on these either
/// (`training/guichet_encoder/pack.py` has the same rule): vectors fitted to their intents would flatter.
pub fn set_aside(text: &str) -> bool {
    Sha256::digest(text.as_bytes())[0].is_multiple_of(ASIDE)
}

/// Messages in numbers.
#[derive(Debug, Clone, Default)]
pub struct TrainingSet {
    pub grams: Vec<Grams>,
    /// One per message, or none at all.
    pub embeddings: Vec<Vec<f32>>,
    pub labels: Vec<usize>,
    pub langs: Vec<Lang>,
    pub aside: Vec<bool>,
    pub classes: usize,
}

/// One linear reader: of n-grams, or of the embedding.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Linear {
    /// Reads embeddings; else n-grams.
    pub dense: bool,
    /// Empty for the reader of embeddings.
    pub vocabulary: Vocabulary,
    pub classifier: Classifier,
}

/// The vocabulary of the chosen messages, and the rows of all messages in it.
type ReadRows<'a> = dyn Fn(&[usize]) -> (Vocabulary, Vec<Row>) + Sync + 'a;

/// A reader, and what readers that had not seen them said of some messages: position and scores.
pub type Learned = (Linear, Vec<(usize, HeldOut)>);

impl Linear {
    pub fn logits(&self, row: &Row) -> Vec<f32> {
        self.classifier.logits(row)
    }
}

impl TrainingSet {
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Learns from the n-grams.
    pub fn learn_ngrams(&self) -> Learned {
        self.learn(false, NGRAM, &|chosen| {
            let vocabulary = Vocabulary::learn(chosen.iter().map(|&at| &self.grams[at]));
            let rows = self.grams.iter().map(|grams| vocabulary.row(grams)).collect();
            (vocabulary, rows)
        })
    }

    /// Learns from the embeddings.
    pub fn learn_embeddings(&self) -> Learned {
        self.learn(true, DENSE, &|_| {
            (Vocabulary::default(), self.embeddings.iter().map(|embedding| dense_row(embedding)).collect())
        })
    }

    /// The same reader after a glance at all messages, for when a few of them are new: same features, fewer passes.
    pub fn refresh(&self, linear: &Linear, passes: usize) -> Linear {
        let dense = linear.dense;
        let rows: Vec<Row> = if dense {
            self.embeddings.iter().map(|embedding| dense_row(embedding)).collect()
        } else {
            self.grams.iter().map(|grams| linear.vocabulary.row(grams)).collect()
        };
        let how = if dense { DENSE } else { NGRAM };
        let mut linear = linear.clone();
        let all: Vec<usize> = (0..self.len()).collect();
        self.fit(&mut linear.classifier, &rows, &all, Training { passes, ..how }, how.passes * self.len());
        linear
    }

    fn learn(&self, dense: bool, how: Training, rows: &ReadRows<'_>) -> Learned {
        let passes = (STEPS / self.len().max(1)).clamp(how.passes, MOST_PASSES);
        let how = Training { passes, ..how };
        let aside: Vec<usize> = (0..self.len()).filter(|&at| self.aside.get(at) == Some(&true)).collect();
        if aside.len() < ENOUGH_ASIDE {
            return self.cross_validated(dense, how, rows);
        }
        let all: Vec<usize> = (0..self.len()).collect();
        let chosen: Vec<usize> = all.iter().copied().filter(|&at| !self.aside[at]).collect();
        // The vocabulary may know the words of all: that tells nothing of what they mean.
        let (vocabulary, rows) = rows(&all);
        let mut classifier = self.fresh(&vocabulary, &rows);
        self.fit(&mut classifier, &rows, &chosen, how, 0);
        let held_out = aside.iter().map(|&at| (at, self.held_out(at, &classifier, &rows))).collect();
        // Then those set aside are learned too.
        let more = Training { passes: how.passes.div_ceil(4), ..how };
        self.fit(&mut classifier, &rows, &all, more, how.passes * chosen.len());
        (Linear { dense, vocabulary, classifier }, held_out)
    }

    fn cross_validated(&self, dense: bool, how: Training, rows: &ReadRows<'_>) -> Learned {
        let folds = self.folds();
        let fold = |part: usize| {
            let chosen: Vec<usize> = (0..folds.len()).filter(|&at| folds[at] != part).collect();
            let (vocabulary, rows) = rows(&chosen);
            let mut classifier = self.fresh(&vocabulary, &rows);
            self.fit(&mut classifier, &rows, &chosen, how, 0);
            let held_out = (0..folds.len()).filter(|&at| folds[at] == part);
            held_out.map(|at| (at, self.held_out(at, &classifier, &rows))).collect::<Vec<_>>()
        };
        let mut scored = std::thread::scope(|scope| {
            let other = scope.spawn(|| (0..FOLDS / 2).flat_map(fold).collect::<Vec<_>>());
            let mut mine: Vec<_> = (FOLDS / 2..FOLDS).flat_map(fold).collect();
            // Half of the measure is no measure: its panic is ours.
            mine.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            mine
        });
        scored.sort_by_key(|&(at, _)| at);
        let all: Vec<usize> = (0..self.len()).collect();
        let (vocabulary, rows) = rows(&all);
        let mut classifier = self.fresh(&vocabulary, &rows);
        self.fit(&mut classifier, &rows, &all, how, 0);
        (Linear { dense, vocabulary, classifier }, scored)
    }

    fn fresh(&self, vocabulary: &Vocabulary, rows: &[Row]) -> Classifier {
        Classifier::new(self.classes, vocabulary.len(), rows.first().map_or(0, |row| row.dense.len()))
    }

    fn fit(&self, classifier: &mut Classifier, rows: &[Row], chosen: &[usize], how: Training, seen: usize) {
        let labels: Vec<usize> = chosen.iter().map(|&at| self.labels[at]).collect();
        let rows: Vec<&Row> = chosen.iter().map(|&at| &rows[at]).collect();
        classifier.train(&rows, &labels, how, seen);
    }

    fn held_out(&self, at: usize, classifier: &Classifier, rows: &[Row]) -> HeldOut {
        HeldOut { label: self.labels[at], logits: classifier.logits(&rows[at]) }
    }

    /// A part for each message, each class spread evenly over all parts.
    fn folds(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        Random(7).shuffle(&mut order);
        let mut next = vec![0; self.classes];
        let mut folds = vec![0; self.labels.len()];
        for at in order {
            let label = self.labels[at];
            folds[at] = next[label] % FOLDS;
            next[label] += 1;
        }
        folds
    }
}
