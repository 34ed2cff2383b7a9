//! How well messages are understood, measured on ones that the models have not seen.

mod cross_validation;
mod curves;
mod metrics;
mod report;
mod test_set;

pub use cross_validation::{FOLDS, cross_validate, is_set_aside};
pub use curves::{Curves, LearningPoint};
pub use metrics::{Measure, Metrics, RoleScore, Share};
pub use report::report;
pub use test_set::{LineError, Surfaces, TestCase, as_pack, read_cases};

use super::normalise::squeeze;
use super::{Context, Nlu};
use crate::model::{OUT_OF_SCOPE, Timestamp, Tone, Understanding};
use std::time::Instant;

/// What was expected of one message and what came.
#[derive(Debug, Clone)]
pub struct Judged {
    pub case: TestCase,
    pub got: Understanding,
    pub micros: u64,
}

impl Judged {
    pub fn intent(&self) -> &str {
        self.got.best().map_or(OUT_OF_SCOPE, |best| best.intent.as_str())
    }

    pub fn confidence(&self) -> f32 {
        self.got.best().map_or(0.0, |best| best.confidence)
    }

    /// How sure the model is that some intent fits: the opposite of out of scope.
    pub fn in_scope_confidence(&self) -> f32 {
        let inside = self.got.intents.iter().find(|score| score.intent != OUT_OF_SCOPE);
        inside.map_or(0.0, |score| score.confidence)
    }

    pub fn tone_is_right(&self) -> Option<bool> {
        self.case.tone.map(|tone: Tone| tone == self.got.tone)
    }
}

/// Reads every case as the first message of a conversation at `now`.
pub fn judge(nlu: &Nlu, cases: Vec<TestCase>, now: Timestamp) -> Vec<Judged> {
    let context = Context { now, patient: true, ..Context::default() };
    cases
        .into_iter()
        .map(|case| {
            let start = Instant::now();
            let got = nlu.understand(&case.text, &context);
            let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            Judged { case, got, micros }
        })
        .collect()
}

/// The role's surfaces found in a message, in the form in which they are compared.
fn found_surfaces(got: &Understanding, role: &str) -> Vec<String> {
    got.entities.iter().filter(|entity| entity.role == role).map(|entity| squeeze(&entity.surface)).collect()
}
