//! Confidence that means something: a temperature and an out-of-scope threshold, both from messages that the
//! model did not see while it was trained.

use super::classifier::softmax;
use serde::{Deserialize, Serialize};

/// What turns scores into confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// A message whose best intent is less probable than this is out of scope.
    pub threshold: f32,
    /// And so is one to which `out_of_scope` is this many times as probable as the best intent. Negative examples
    /// are more numerous than those of any one intent, which alone would make the model reject too readily.
    pub margin: f32,
}

/// What the classifier said of a message it was not trained on.
#[derive(Debug, Clone)]
pub struct HeldOut {
    pub label: usize,
    pub logits: Vec<f32>,
}

/// Negative log-likelihood of the held-out labels under a temperature, summed.
pub fn loss(held_out: &[HeldOut], temperature: f32) -> f32 {
    held_out
        .iter()
        .map(|message| {
            let mut p: Vec<f32> = message.logits.iter().map(|logit| logit / temperature).collect();
            softmax(&mut p);
            -p[message.label].max(1e-9).ln()
        })
        .sum()
}

/// The temperature under which the held-out labels are most probable.
pub fn temperature(held_out: &[HeldOut]) -> f32 {
    let loss = |log_temperature: f32| loss(held_out, log_temperature.exp());
    // Golden-section search: the loss has one valley.
    let (mut low, mut high) = (-2.5f32, 2.5f32);
    let ratio = 0.618_034;
    for _ in 0..24 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) < loss(b) {
            high = b;
        } else {
            low = a;
        }
    }
    ((low + high) / 2.0).exp()
}

/// The threshold and the margin that do best on held-out messages: the mean of in-scope accuracy and of the F1 of
/// `out_of_scope`, read off the whole curve.
pub fn rejection(held_out: &[HeldOut], temperature: f32, out_of_scope: usize) -> (f32, f32) {
    let judged: Vec<Judged> = held_out.iter().map(|m| Judged::new(m, temperature, out_of_scope)).collect();
    let mut best = (f32::NEG_INFINITY, 0.0, 1.0);
    for margin in [1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0] {
        for step in 0..=25 {
            let threshold = step as f32 / 50.0;
            let score = score_at(&judged, threshold, margin);
            // The lowest of equals: sending a customer away wrongly costs more than one answer too many.
            if score > best.0 + 1e-6 {
                best = (score, threshold, margin);
            }
        }
    }
    (best.1, best.2)
}

struct Judged {
    is_out: bool,
    outside: f32,
    correct: bool,
    best_in: f32,
}

impl Judged {
    fn new(message: &HeldOut, temperature: f32, out_of_scope: usize) -> Self {
        let mut p: Vec<f32> = message.logits.iter().map(|logit| logit / temperature).collect();
        softmax(&mut p);
        let inside = (0..p.len()).filter(|&class| class != out_of_scope);
        let top = inside.max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap_or(0);
        Self {
            is_out: message.label == out_of_scope,
            outside: p.get(out_of_scope).copied().unwrap_or(0.0),
            correct: top == message.label,
            best_in: p[top],
        }
    }
}

fn score_at(judged: &[Judged], threshold: f32, margin: f32) -> f32 {
    let (mut right, mut inside, mut hits, mut claims, mut outside) = (0.0f32, 0.0f32, 0.0f32, 0.0f32, 0.0f32);
    for message in judged {
        let rejected = message.outside > margin * message.best_in || message.best_in < threshold;
        claims += f32::from(rejected);
        if message.is_out {
            outside += 1.0;
            hits += f32::from(rejected);
        } else {
            inside += 1.0;
            right += f32::from(!rejected && message.correct);
        }
    }
    let f1 = 2.0 * hits / (claims + outside).max(1.0);
    (right / inside.max(1.0) + f1) / 2.0
}

/// The threshold that would reject this share of the held-out messages.
pub fn low_quantile(held_out: &[HeldOut], temperature: f32, share: f32) -> f32 {
    let mut best: Vec<f32> =
        held_out.iter().map(|message| Judged::new(message, temperature, usize::MAX).best_in).collect();
    best.sort_by(f32::total_cmp);
    best.get((best.len() as f32 * share) as usize).copied().unwrap_or(0.0)
}
