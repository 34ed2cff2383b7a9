//! One trained reader of intents and tone.

use super::blend::Blend;
use super::calibration::{self, Calibration, HeldOut};
use super::features::Grams;
use super::normalise::Normalised;
use super::pack::IntentPack;
use super::training::{TrainingSet, set_aside};
use crate::model::{IntentScore, Lang, OUT_OF_SCOPE, Tone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Runner-ups told beside the best intent.
const MAX_INTENTS: usize = 5;
/// Without any out-of-scope example, this share of in-scope messages may be rejected.
const TOLERATED_REJECTIONS: f32 = 0.02;

/// The messages of a pack in numbers: what a head is trained on.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Sorted names; a label is a position here.
    pub intents: Vec<String>,
    pub set: TrainingSet,
    /// The examples that carry a tone, and those of `tone.yaml`.
    pub tones: TrainingSet,
    /// For each message of `tones`, its position among the pack's texts.
    tone_texts: Vec<usize>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head {
    pub intents: Vec<String>,
    out_of_scope: Option<usize>,
    pub intent: Blend,
    calibration: Calibration,
    /// What it would be for n-grams alone.
    ngram_calibration: Calibration,
    /// Without examples of at least two tones every message is neutral.
    tone: Option<Blend>,
}

impl Head {
    /// Learns from n-grams alone.
    pub fn train(messages: &Messages) -> Self {
        let out_of_scope = messages.intents.iter().position(|intent| intent == OUT_OF_SCOPE);
        let (intent, held_out) = Blend::of_ngrams(&messages.set);
        let calibration = calibrate(&held_out, &intent, out_of_scope);
        let kinds = messages.tones.labels.iter().collect::<std::collections::BTreeSet<_>>().len();
        let tone = (kinds >= 2).then(|| Blend::of_ngrams(&messages.tones).0);
        Self {
            intents: messages.intents.clone(),
            out_of_scope,
            intent,
            calibration,
            ngram_calibration: calibration,
            tone,
        }
    }

    /// This head, and the embeddings that `messages` now have.
    pub fn with_embeddings(&self, messages: &Messages) -> Self {
        let (intent, held_out) = self.intent.with_embeddings(&messages.set);
        let calibration = calibrate(&held_out, &intent, self.out_of_scope);
        let tone = self.tone.as_ref().map(|tone| tone.with_embeddings(&messages.tones).0);
        Self { intent, calibration, tone, ..self.clone() }
    }

    /// The same head after a glance at `messages`, of the same intents, a few of them new.
    pub fn refreshed(&self, messages: &Messages) -> Self {
        Self { intent: self.intent.refreshed(&messages.set), ..self.clone() }
    }

    pub fn tone(&self, grams: &Grams, embedding: Option<&[f32]>, lang: Lang) -> Tone {
        let Some(tone) = &self.tone else { return Tone::Neutral };
        let p = tone.probabilities(grams, embedding, lang);
        let best = (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b]));
        best.and_then(|class| Tone::ALL.get(class).copied()).unwrap_or(Tone::Neutral)
    }

    /// Best first; `out_of_scope` is always among them, and first when nothing else is probable enough. `prior`: by how
    /// much the conversation so far multiplies the odds of an intent.
    pub fn intents(
        &self,
        grams: &Grams,
        embedding: Option<&[f32]>,
        lang: Lang,
        prior: &BTreeMap<&str, f32>,
    ) -> Vec<IntentScore> {
        let mut p = self.intent.probabilities(grams, embedding, lang);
        for (p, name) in p.iter_mut().zip(&self.intents) {
            // The odds, times the factor. The others keep what the words alone give them: an emergency must not
            // become less probable because trains were talked of before.
            let factor = prior.get(name.as_str()).copied().unwrap_or(1.0);
            *p = factor * *p / (1.0 + (factor - 1.0) * *p);
        }
        let calibration = if embedding.is_some() { self.calibration } else { self.ngram_calibration };
        self.ranked(&p, calibration)
    }

    fn ranked(&self, p: &[f32], calibration: Calibration) -> Vec<IntentScore> {
        let mut order: Vec<usize> = (0..p.len()).filter(|class| Some(*class) != self.out_of_scope).collect();
        order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
        let best = order.first().map_or(0.0, |&class| p[class]);
        let outside = self.out_of_scope.map_or(0.0, |class| p[class]);
        let rejected = best < calibration.threshold || outside > calibration.margin * best;
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

fn calibrate(held_out: &[HeldOut], blend: &Blend, out_of_scope: Option<usize>) -> Calibration {
    let temperature = blend.temperature();
    let (threshold, margin) = match out_of_scope {
        Some(class) => calibration::rejection(held_out, temperature, class),
        None => (calibration::low_quantile(held_out, temperature, TOLERATED_REJECTIONS), 1.0),
    };
    Calibration { threshold, margin }
}

impl Messages {
    pub fn new(pack: &IntentPack) -> Self {
        let mut positions: BTreeMap<&str, usize> = BTreeMap::new();
        for example in &pack.examples {
            positions.insert(&example.intent, 0);
        }
        positions.values_mut().enumerate().for_each(|(at, position)| *position = at);
        let grams = |text: &str, lang| Grams::new(&Normalised::new(text), &pack.lexicon, lang);
        let examples = &pack.examples;
        let set = TrainingSet {
            grams: examples.iter().map(|e| grams(&e.text, e.lang)).collect(),
            embeddings: Vec::new(),
            labels: examples.iter().map(|e| positions[e.intent.as_str()]).collect(),
            langs: examples.iter().map(|e| e.lang).collect(),
            aside: examples.iter().map(|e| set_aside(&e.text)).collect(),
            classes: positions.len(),
        };
        let mut tones = TrainingSet { classes: Tone::ALL.len(), ..TrainingSet::default() };
        let mut tone_texts = Vec::new();
        let mut add = |at: usize, grams: Grams, lang: Lang, tone: Tone, text: &str| {
            // Words tell the tone as well as their letters do, in a third of the time.
            tones.grams.push(grams.words_only());
            tones.labels.push(Tone::ALL.iter().position(|&known| known == tone).unwrap_or(0));
            tones.langs.push(lang);
            tones.aside.push(set_aside(text));
            tone_texts.push(at);
        };
        for (at, example) in examples.iter().enumerate() {
            if let Some(tone) = example.tone {
                add(at, set.grams[at].clone(), example.lang, tone, &example.text);
            }
        }
        for (at, example) in pack.tones.iter().enumerate() {
            let grams = grams(&example.text, example.lang);
            add(examples.len() + at, grams, example.lang, example.tone, &example.text);
        }
        Self { intents: positions.keys().map(|name| (*name).to_owned()).collect(), set, tones, tone_texts }
    }

    /// Puts the embeddings of the pack's texts, as [`IntentPack::texts`] lists them, beside the n-grams.
    pub fn embed(&mut self, mut vectors: Vec<Vec<f32>>) {
        self.tones.embeddings = self.tone_texts.iter().map(|&at| vectors[at].clone()).collect();
        vectors.truncate(self.set.len());
        self.set.embeddings = vectors;
    }
}
