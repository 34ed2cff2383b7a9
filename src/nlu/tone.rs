//! How a message feels, learned from `tone.yaml` with the machinery of the intents.

use super::calibration::TrainingSet;
use super::classifier::{Classifier, Training};
use super::features::{Grams, Vocabulary};
use crate::model::Tone;

/// A stronger penalty than for intents, there being few examples. A first guess: not tuned yet.
const TRAINING: Training = Training { passes: 20, l2: 1e-4, rate: 1.0 };

/// Positive, neutral or negative.
#[derive(Debug, Clone)]
pub struct ToneModel {
    learned: Option<(Vocabulary, Classifier)>,
}

impl ToneModel {
    /// Without examples of at least two tones every message is neutral.
    pub fn learn(grams: Vec<Grams>, embeddings: Vec<Vec<f32>>, tones: &[Tone]) -> Self {
        let labels: Vec<usize> = tones.iter().map(|tone| class_of(*tone)).collect();
        let kinds = labels.iter().collect::<std::collections::BTreeSet<_>>().len();
        let set = TrainingSet { grams, embeddings, labels, classes: Tone::ALL.len() };
        Self { learned: (kinds >= 2).then(|| set.fit_all(TRAINING)) }
    }

    pub fn judge(&self, grams: &Grams, embedding: Option<&[f32]>) -> Tone {
        let Some((vocabulary, classifier)) = &self.learned else {
            return Tone::Neutral;
        };
        let logits = classifier.logits(&vocabulary.row(grams, embedding));
        let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        best.and_then(|class| Tone::ALL.get(class).copied()).unwrap_or(Tone::Neutral)
    }
}

fn class_of(tone: Tone) -> usize {
    Tone::ALL.iter().position(|&known| known == tone).unwrap_or(0)
}
