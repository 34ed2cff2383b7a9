//! One trained reader of intents and tone: with n-grams alone, or with the embedding beside them.

use super::calibration::{self, Calibration, HeldOut, TrainingSet};
use super::classifier::{Classifier, Training, softmax};
use super::features::{Grams, Vocabulary};
use super::tone::ToneModel;
use crate::model::{IntentScore, OUT_OF_SCOPE, Tone};
use std::collections::BTreeMap;

/// Runner-ups told beside the best intent.
const MAX_INTENTS: usize = 5;
/// Without any out-of-scope example, this share of in-scope messages may be rejected.
const TOLERATED_REJECTIONS: f32 = 0.02;

/// The messages of a pack in numbers: what a head is trained on.
pub(super) struct Messages {
    /// Sorted names; a label is a position here.
    pub intents: Vec<String>,
    pub labels: Vec<usize>,
    pub grams: Vec<Grams>,
    pub tones: Vec<Tone>,
    pub tone_grams: Vec<Grams>,
}

/// Embeddings of the messages and of the tone examples, both empty without an encoder.
#[derive(Default)]
pub(super) struct Embeddings {
    pub messages: Vec<Vec<f32>>,
    pub tones: Vec<Vec<f32>>,
}

#[derive(Debug, Clone)]
pub(super) struct Head {
    intents: Vec<String>,
    out_of_scope: Option<usize>,
    vocabulary: Vocabulary,
    classifier: Classifier,
    calibration: Calibration,
    tone: ToneModel,
}

impl Head {
    pub fn train(messages: &Messages, embeddings: Embeddings) -> Self {
        let how = Training::default();
        let set = TrainingSet {
            grams: messages.grams.clone(),
            embeddings: embeddings.messages,
            labels: messages.labels.clone(),
            classes: messages.intents.len(),
        };
        let out_of_scope = messages.intents.iter().position(|intent| intent == OUT_OF_SCOPE);
        let calibration = calibrate(&set.cross_validate(how), out_of_scope);
        let (vocabulary, classifier) = set.fit_all(how);
        let tone = ToneModel::learn(messages.tone_grams.clone(), embeddings.tones, &messages.tones);
        Self {
            intents: messages.intents.clone(),
            out_of_scope,
            vocabulary,
            classifier,
            calibration,
            tone,
        }
    }

    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    pub fn tone(&self, grams: &Grams, embedding: Option<&[f32]>) -> Tone {
        self.tone.judge(grams, embedding)
    }

    /// Best first; `out_of_scope` is always among them, and first when nothing else is probable enough.
    pub fn intents(&self, grams: &Grams, embedding: Option<&[f32]>) -> Vec<IntentScore> {
        let mut p = self.classifier.logits(&self.vocabulary.row(grams, embedding));
        p.iter_mut()
            .for_each(|logit| *logit /= self.calibration.temperature);
        softmax(&mut p);
        let mut order: Vec<usize> = (0..p.len())
            .filter(|class| Some(*class) != self.out_of_scope)
            .collect();
        order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
        let best = order.first().map_or(0.0, |&class| p[class]);
        let outside = self.out_of_scope.map_or(0.0, |class| p[class]);
        let rejected = best < self.calibration.threshold || outside > self.calibration.margin * best;
        // Confidence of "none of these": that the best of them is wrong.
        let outside = if rejected {
            outside.max(1.0 - best)
        } else {
            outside.min(best)
        };
        let mut scores: Vec<IntentScore> = order
            .into_iter()
            .take(MAX_INTENTS)
            .map(|class| IntentScore {
                intent: self.intents[class].clone(),
                confidence: p[class],
            })
            .collect();
        let out = IntentScore {
            intent: OUT_OF_SCOPE.to_owned(),
            confidence: outside,
        };
        let place = if rejected {
            0
        } else {
            scores.partition_point(|score| score.confidence >= outside)
        };
        scores.insert(place.min(scores.len()), out);
        scores
    }
}

fn calibrate(held_out: &[HeldOut], out_of_scope: Option<usize>) -> Calibration {
    let temperature = calibration::temperature(held_out);
    let (threshold, margin) = match out_of_scope {
        Some(class) => calibration::rejection(held_out, temperature, class),
        None => (
            calibration::low_quantile(held_out, temperature, TOLERATED_REJECTIONS),
            1.0,
        ),
    };
    Calibration {
        temperature,
        threshold,
        margin,
    }
}

impl Messages {
    pub fn new(pack: &super::pack::IntentPack) -> Self {
        let mut positions: BTreeMap<&str, usize> = BTreeMap::new();
        for example in &pack.examples {
            positions.insert(&example.intent, 0);
        }
        positions
            .values_mut()
            .enumerate()
            .for_each(|(at, position)| *position = at);
        let grams = |text: &str| Grams::new(&super::normalise::Normalised::new(text), &pack.lexicon);
        Self {
            intents: positions.keys().map(|name| (*name).to_owned()).collect(),
            labels: pack
                .examples
                .iter()
                .map(|e| positions[e.intent.as_str()])
                .collect(),
            grams: pack.examples.iter().map(|e| grams(&e.text)).collect(),
            tones: pack.tones.iter().map(|e| e.tone).collect(),
            tone_grams: pack.tones.iter().map(|e| grams(&e.text)).collect(),
        }
    }
}
