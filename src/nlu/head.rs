//! One trained reader of intents and tone: with n-grams alone, or with the embedding beside them.
//!
//! An encoder may know one language well and another hardly at all, and then its noise drowns the n-grams. So a
//! head with embeddings is blended with the one without, language by language, in the proportion that explains
//! held-out messages best.

use super::calibration::{self, Calibration, HeldOut, TrainingSet};
use super::classifier::{Classifier, Training, softmax};
use super::features::{Grams, Vocabulary};
use super::tone::ToneModel;
use crate::model::{IntentScore, Lang, OUT_OF_SCOPE, Tone};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runner-ups told beside the best intent.
const MAX_INTENTS: usize = 5;
/// Without any out-of-scope example, this share of in-scope messages may be rejected.
const TOLERATED_REJECTIONS: f32 = 0.02;

/// Shares of the head with embeddings that are tried for each language.
const SHARES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// The messages of a pack in numbers: what a head is trained on.
pub(super) struct Messages {
    /// Sorted names; a label is a position here.
    pub intents: Vec<String>,
    pub labels: Vec<usize>,
    pub langs: Vec<Lang>,
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
    /// What cross-validation said of the training messages, in their order.
    held_out: Arc<Vec<HeldOut>>,
    blend: Option<Arc<Blend>>,
}

/// The head without embeddings, and the share of the other one in each language.
#[derive(Debug)]
struct Blend {
    ngram: Head,
    /// Temperature of the head with embeddings alone.
    temperature: f32,
    shares: BTreeMap<Lang, f32>,
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
        let held_out = set.cross_validate(how);
        let calibration = calibrate(&held_out, out_of_scope);
        let (vocabulary, classifier) = set.fit_all(how);
        let tone = ToneModel::learn(messages.tone_grams.clone(), embeddings.tones, &messages.tones);
        Self {
            intents: messages.intents.clone(),
            out_of_scope,
            vocabulary,
            classifier,
            calibration,
            tone,
            held_out: Arc::new(held_out),
            blend: None,
        }
    }

    /// This head, with embeddings, blended with `ngram`, trained on the same messages.
    pub fn blended_with(mut self, ngram: &Head, messages: &Messages) -> Self {
        let (own, other) = (self.calibration.temperature, ngram.calibration.temperature);
        let mixed = |at: usize, share: f32| HeldOut {
            label: self.held_out[at].label,
            logits: mix(&self.held_out[at].logits, own, &ngram.held_out[at].logits, other, share),
        };
        let all = 0..self.held_out.len().min(ngram.held_out.len());
        let mut shares = BTreeMap::new();
        for lang in messages.langs.iter().copied().collect::<std::collections::BTreeSet<_>>() {
            let loss = |share: f32| {
                let of_lang = all.clone().filter(|&at| messages.langs[at] == lang);
                let held_out: Vec<HeldOut> = of_lang.map(|at| mixed(at, share)).collect();
                calibration::loss(&held_out, calibration::temperature(&held_out))
            };
            let best = SHARES.into_iter().min_by(|a, b| loss(*a).total_cmp(&loss(*b)));
            shares.insert(lang, best.unwrap_or(1.0));
        }
        for (lang, share) in &shares {
            tracing::debug!(%lang, share, "share of the encoder");
        }
        let held_out: Vec<HeldOut> =
            all.map(|at| mixed(at, shares.get(&messages.langs[at]).copied().unwrap_or(1.0))).collect();
        self.calibration = calibrate(&held_out, self.out_of_scope);
        self.blend = Some(Arc::new(Blend { ngram: ngram.clone(), temperature: own, shares }));
        self
    }

    fn logits(&self, grams: &Grams, embedding: Option<&[f32]>, lang: Lang) -> Vec<f32> {
        let own = self.classifier.logits(&self.vocabulary.row(grams, embedding));
        let Some(blend) = &self.blend else { return own };
        let other = blend.ngram.classifier.logits(&blend.ngram.vocabulary.row(grams, None));
        let share = blend.shares.get(&lang).copied().unwrap_or(1.0);
        mix(&own, blend.temperature, &other, blend.ngram.calibration.temperature, share)
    }

    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    pub fn tone(&self, grams: &Grams, embedding: Option<&[f32]>) -> Tone {
        self.tone.judge(grams, embedding)
    }

    /// Best first; `out_of_scope` is always among them, and first when nothing else is probable enough.
    pub fn intents(&self, grams: &Grams, embedding: Option<&[f32]>, lang: Lang) -> Vec<IntentScore> {
        let mut p = self.logits(grams, embedding, lang);
        p.iter_mut().for_each(|logit| *logit /= self.calibration.temperature);
        softmax(&mut p);
        let mut order: Vec<usize> = (0..p.len()).filter(|class| Some(*class) != self.out_of_scope).collect();
        order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
        let best = order.first().map_or(0.0, |&class| p[class]);
        let outside = self.out_of_scope.map_or(0.0, |class| p[class]);
        let rejected = best < self.calibration.threshold || outside > self.calibration.margin * best;
        // Confidence of "none of these": that the best of them is wrong.
        let outside = if rejected { outside.max(1.0 - best) } else { outside.min(best) };
        let mut scores: Vec<IntentScore> = order
            .into_iter()
            .take(MAX_INTENTS)
            .map(|class| IntentScore { intent: self.intents[class].clone(), confidence: p[class] })
            .collect();
        let out = IntentScore { intent: OUT_OF_SCOPE.to_owned(), confidence: outside };
        let place = if rejected { 0 } else { scores.partition_point(|score| score.confidence >= outside) };
        scores.insert(place.min(scores.len()), out);
        scores
    }
}

/// Weighted mean of two heads' tempered scores: a geometric mean of their probabilities.
fn mix(own: &[f32], own_temperature: f32, other: &[f32], other_temperature: f32, share: f32) -> Vec<f32> {
    let weighted = |(a, b): (&f32, &f32)| share * a / own_temperature + (1.0 - share) * b / other_temperature;
    own.iter().zip(other).map(weighted).collect()
}

fn calibrate(held_out: &[HeldOut], out_of_scope: Option<usize>) -> Calibration {
    let temperature = calibration::temperature(held_out);
    let (threshold, margin) = match out_of_scope {
        Some(class) => calibration::rejection(held_out, temperature, class),
        None => (calibration::low_quantile(held_out, temperature, TOLERATED_REJECTIONS), 1.0),
    };
    Calibration { temperature, threshold, margin }
}

impl Messages {
    pub fn new(pack: &super::pack::IntentPack) -> Self {
        let mut positions: BTreeMap<&str, usize> = BTreeMap::new();
        for example in &pack.examples {
            positions.insert(&example.intent, 0);
        }
        positions.values_mut().enumerate().for_each(|(at, position)| *position = at);
        let grams = |text: &str| Grams::new(&super::normalise::Normalised::new(text), &pack.lexicon);
        Self {
            intents: positions.keys().map(|name| (*name).to_owned()).collect(),
            labels: pack.examples.iter().map(|e| positions[e.intent.as_str()]).collect(),
            langs: pack.examples.iter().map(|e| e.lang).collect(),
            grams: pack.examples.iter().map(|e| grams(&e.text)).collect(),
            tones: pack.tones.iter().map(|e| e.tone).collect(),
            tone_grams: pack.tones.iter().map(|e| grams(&e.text)).collect(),
        }
    }
}
