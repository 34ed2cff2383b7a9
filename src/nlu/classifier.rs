//! Multinomial logistic regression with an L2 penalty, over sparse and dense features together.

use super::features::Row;
use serde::{Deserialize, Serialize};

/// How a classifier is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    /// Times through the examples.
    pub passes: usize,
    /// Strength of the L2 penalty per example.
    pub l2: f32,
    /// First step size; it falls as 1 / (1 + rate·l2·t) (Bottou, "Stochastic gradient descent tricks", 2012).
    pub rate: f32,
}

/// Weights per feature and class. The same examples in the same order give the same weights, bit for bit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Classifier {
    classes: usize,
    /// Classes rounded up to a multiple of eight, so that each row of weights is whole vector registers.
    width: usize,
    sparse: usize,
    /// `[feature][class]`: sparse features, then the dense ones, then the bias.
    weights: Vec<f32>,
}

impl Classifier {
    /// Knows nothing yet. `sparse` and `dense`: how many features of each kind there are.
    pub fn new(classes: usize, sparse: usize, dense: usize) -> Self {
        let width = classes.div_ceil(8) * 8;
        Self { classes, width, sparse, weights: vec![0.0; (sparse + dense + 1) * width] }
    }

    /// Goes `how.passes` times through the examples, from the weights there are. `seen`: how many steps they come
    /// from; the more, the smaller the steps.
    pub fn train(&mut self, rows: &[&Row], labels: &[usize], how: Training, seen: usize) {
        // The penalty shrinks every weight at every step: one factor for all instead of touching each.
        let mut scale = 1.0f32;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let mut random = Random(0x5eed);
        let mut logits = vec![0.0f32; self.width];
        let mut step = seen as f32;
        for _ in 0..how.passes {
            random.shuffle(&mut order);
            for &at in &order {
                let rate = how.rate / (1.0 + how.rate * how.l2 * step);
                step += 1.0;
                self.raw(rows[at], scale, &mut logits);
                softmax(&mut logits[..self.classes]);
                logits[self.classes..].fill(0.0);
                logits[labels[at]] -= 1.0;
                scale *= 1.0 - rate * how.l2;
                self.update(rows[at], &logits, rate / scale, rate);
                if scale < 1e-3 {
                    self.absorb(&mut scale);
                }
            }
        }
        self.absorb(&mut scale);
    }

    /// The bias is not penalised, so it is kept out of `scale`.
    fn raw(&self, row: &Row, scale: f32, logits: &mut [f32]) {
        let width = self.width;
        logits.fill(0.0);
        for (&index, &value) in row.index.iter().zip(&row.value) {
            let start = index as usize * width;
            axpy(value, &self.weights[start..start + width], logits);
        }
        let dense = self.sparse * width;
        let bias = self.weights.len() - width;
        for (weights, &value) in self.weights[dense..bias].chunks_exact(width).zip(&row.dense) {
            axpy(value, weights, logits);
        }
        for (logit, bias) in logits.iter_mut().zip(&self.weights[bias..]) {
            *logit = *logit * scale + bias;
        }
    }

    fn update(&mut self, row: &Row, gradient: &[f32], rate: f32, bias_rate: f32) {
        let width = self.width;
        for (&index, &value) in row.index.iter().zip(&row.value) {
            let start = index as usize * width;
            axpy(-rate * value, gradient, &mut self.weights[start..start + width]);
        }
        let dense = self.sparse * width;
        let bias = self.weights.len() - width;
        for (weights, &value) in self.weights[dense..bias].chunks_exact_mut(width).zip(&row.dense) {
            axpy(-rate * value, gradient, weights);
        }
        axpy(-0.1 * bias_rate, gradient, &mut self.weights[bias..]);
    }

    fn absorb(&mut self, scale: &mut f32) {
        let bias = self.weights.len() - self.width;
        self.weights[..bias].iter_mut().for_each(|weight| *weight *= *scale);
        *scale = 1.0;
    }

    /// One score per class; `softmax(logits / temperature)` are the probabilities.
    pub fn logits(&self, row: &Row) -> Vec<f32> {
        let mut logits = vec![0.0; self.width];
        self.raw(row, 1.0, &mut logits);
        logits.truncate(self.classes);
        logits
    }
}

/// `y += a·x`; written for the compiler to vectorise.
fn axpy(a: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.chunks_exact_mut(8).zip(x.chunks_exact(8)) {
        for lane in 0..8 {
            y[lane] += a * x[lane];
        }
    }
}

/// Turns scores into probabilities that sum to one.
pub fn softmax(logits: &mut [f32]) {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - max).exp();
        sum += *logit;
    }
    logits.iter_mut().for_each(|logit| *logit /= sum);
}

/// SplitMix64 (Steele, Lea, Flood 2014): training must not depend on anything but the examples.
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }
}
