//! Two linear readers of one message, of its n-grams and of its embedding, and how much each is believed.
//!
//! An encoder may know one language well and another hardly at all, and then its noise drowns the n-grams. So the
//! two are trained apart and blended language by language, in the proportion that explains held-out messages best.

use super::calibration::{self, HeldOut};
use super::classifier::softmax;
use super::features::{Grams, dense_row};
use super::training::{Learned, Linear, TrainingSet};
use crate::model::Lang;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Shares of the reader of embeddings that are tried for each language.
const SHARES: [f32; 9] = [0.0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0];
/// With fewer held-out messages than this in a language, its share is that of all.
const FEW: usize = 30;
/// Passes of a quick retraining.
const GLANCE: usize = 2;

/// Probabilities of classes for a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Blend {
    ngram: Arc<Tempered>,
    dense: Option<Arc<Tempered>>,
    /// Share of `dense` in each language.
    shares: BTreeMap<Lang, f32>,
    /// Scores are divided by it.
    temperature: f32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tempered {
    linear: Linear,
    temperature: f32,
    /// What it said of messages it had not seen; not kept on disk.
    #[serde(skip)]
    held_out: Vec<(usize, HeldOut)>,
}

impl Tempered {
    fn new((linear, held_out): Learned) -> Arc<Self> {
        let temperature = calibration::temperature(&scores(&held_out));
        Arc::new(Self { linear, temperature, held_out })
    }
}

impl Blend {
    /// Reads n-grams alone; also what it said of messages it had not seen.
    pub fn of_ngrams(set: &TrainingSet) -> (Self, Vec<HeldOut>) {
        let ngram = Tempered::new(set.learn_ngrams());
        let held_out = scores(&ngram.held_out);
        let temperature = ngram.temperature;
        (Self { ngram, dense: None, shares: BTreeMap::new(), temperature }, held_out)
    }

    /// This one, and the embeddings beside it.
    pub fn with_embeddings(&self, set: &TrainingSet) -> (Self, Vec<HeldOut>) {
        // Learned in another process, it comes without its held-out scores.
        let ngram = if self.ngram.held_out.is_empty() {
            Tempered::new(set.learn_ngrams())
        } else {
            self.ngram.clone()
        };
        let dense = Tempered::new(set.learn_embeddings());
        let mixed = |at: usize, share: f32| {
            let ((_, own), (_, other)) = (&dense.held_out[at], &ngram.held_out[at]);
            let logits = mix(&own.logits, dense.temperature, &other.logits, ngram.temperature, share);
            HeldOut { label: own.label, logits }
        };
        let lang_of = |at: usize| set.langs[dense.held_out[at].0];
        let all = 0..dense.held_out.len().min(ngram.held_out.len());
        let langs: BTreeSet<Lang> = set.langs.iter().copied().collect();
        let mut shares = BTreeMap::new();
        for lang in langs {
            let count = all.clone().filter(|&at| lang_of(at) == lang).count();
            let loss = |share: f32| {
                // Too few to tell the languages apart: all speak for it.
                let speaks = |at: &usize| count < FEW || lang_of(*at) == lang;
                let held_out: Vec<HeldOut> = all.clone().filter(speaks).map(|at| mixed(at, share)).collect();
                calibration::loss(&held_out, calibration::temperature(&held_out))
            };
            let best = SHARES.into_iter().min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0);
            tracing::debug!(%lang, share = best, "share of the encoder");
            shares.insert(lang, best);
        }
        let share_of = |at: usize| shares.get(&lang_of(at)).copied().unwrap_or(1.0);
        let held_out: Vec<HeldOut> = all.map(|at| mixed(at, share_of(at))).collect();
        let temperature = calibration::temperature(&held_out);
        (Self { ngram, dense: Some(dense), shares, temperature }, held_out)
    }

    /// The same blend after a glance at `set`, in which a few messages are new.
    pub fn refreshed(&self, set: &TrainingSet) -> Self {
        let refresh = |reader: &Arc<Tempered>| {
            let linear = set.refresh(&reader.linear, GLANCE);
            Arc::new(Tempered { linear, temperature: reader.temperature, held_out: Vec::new() })
        };
        std::thread::scope(|scope| {
            let ngram = scope.spawn(|| refresh(&self.ngram));
            let dense = self.dense.as_ref().filter(|_| !set.embeddings.is_empty()).map(refresh);
            let ngram = ngram.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Self { ngram, dense, shares: self.shares.clone(), temperature: self.temperature }
        })
    }

    /// Of the blend as a whole.
    pub fn temperature(&self) -> f32 {
        self.temperature
    }

    /// One probability per class. Without an embedding, the n-grams answer with a confidence of their own.
    pub fn probabilities(&self, grams: &Grams, embedding: Option<&[f32]>, lang: Lang) -> Vec<f32> {
        let ngram = |reader: &Tempered| reader.linear.logits(&reader.linear.vocabulary.row(grams));
        let (mut p, temperature) = match (&self.dense, embedding) {
            (Some(dense), Some(embedding)) => {
                let own = dense.linear.logits(&dense_row(embedding));
                let share = self.shares.get(&lang).copied().unwrap_or(1.0);
                // N-grams that count for nothing are not read.
                let other = if share < 1.0 { ngram(&self.ngram) } else { vec![0.0; own.len()] };
                let mixed = mix(&own, dense.temperature, &other, self.ngram.temperature, share);
                (mixed, self.temperature)
            }
            _ => (ngram(&self.ngram), self.ngram.temperature),
        };
        p.iter_mut().for_each(|logit| *logit /= temperature);
        softmax(&mut p);
        p
    }

    /// The n-gram reader, whose weights can be shown.
    pub fn ngram(&self) -> &Linear {
        &self.ngram.linear
    }
}

fn scores(held_out: &[(usize, HeldOut)]) -> Vec<HeldOut> {
    held_out.iter().map(|(_, scores)| scores.clone()).collect()
}

/// Weighted mean of two readers' tempered scores: a geometric mean of their probabilities.
fn mix(own: &[f32], own_temperature: f32, other: &[f32], other_temperature: f32, share: f32) -> Vec<f32> {
    let weighted = |(a, b): (&f32, &f32)| share * a / own_temperature + (1.0 - share) * b / other_temperature;
    own.iter().zip(other).map(weighted).collect()
}
