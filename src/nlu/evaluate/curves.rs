//! The curves of the report: each a list of points, computed from judged messages.

use super::{Judged, Metrics};
use crate::model::OUT_OF_SCOPE;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Bars of the histogram and points of the reliability curve.
const BINS: usize = 10;
/// Errors shown.
const WORST: usize = 40;

/// Everything that the report draws.
#[derive(Debug, Clone, Serialize)]
pub struct Curves {
    pub intents: Vec<String>,
    /// `[expected][understood]`, in the order of `intents`.
    pub confusion: Vec<Vec<usize>>,
    pub bins: Vec<Bin>,
    /// Coverage and share of right intents among the most confident part of all messages, in hundredths.
    pub risk_coverage: Vec<(f64, f64)>,
    /// In-scope messages rejected and out-of-scope messages caught, as the threshold rises.
    pub rejection: Vec<(f64, f64)>,
    /// Wrong and most confident first.
    pub worst: Vec<Error>,
}

/// Messages whose confidence lies in a tenth.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Bin {
    pub right: usize,
    pub wrong: usize,
    pub mean_confidence: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Error {
    pub text: String,
    pub lang: String,
    pub style: String,
    pub expected: String,
    pub understood: String,
    pub confidence: f32,
}

/// Accuracy on the test messages when so many examples were learned from.
#[derive(Debug, Clone, Serialize)]
pub struct LearningPoint {
    pub examples: usize,
    pub metrics: Metrics,
}

impl Curves {
    pub fn of(judged: &[Judged]) -> Self {
        let known: Vec<(&Judged, &str)> =
            judged.iter().filter_map(|j| Some((j, j.case.intent.as_deref()?))).collect();
        let names: BTreeSet<&str> = known.iter().flat_map(|(j, intent)| [*intent, j.intent()]).collect();
        let intents: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let place: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut confusion = vec![vec![0; intents.len()]; intents.len()];
        for (j, intent) in &known {
            confusion[place[intent]][place[j.intent()]] += 1;
        }
        Self {
            confusion,
            bins: bins(&known),
            risk_coverage: risk_coverage(&known),
            rejection: rejection(&known),
            worst: worst(&known),
            intents,
        }
    }
}

fn bins(known: &[(&Judged, &str)]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for (j, intent) in known {
        let at = ((j.confidence() * BINS as f32) as usize).min(BINS - 1);
        let bin = &mut bins[at];
        bin.mean_confidence += f64::from(j.confidence());
        *(if j.intent() == *intent { &mut bin.right } else { &mut bin.wrong }) += 1;
    }
    for bin in &mut bins {
        bin.mean_confidence /= (bin.right + bin.wrong).max(1) as f64;
    }
    bins
}

fn risk_coverage(known: &[(&Judged, &str)]) -> Vec<(f64, f64)> {
    let mut all: Vec<(f32, bool)> =
        known.iter().map(|(j, intent)| (j.confidence(), j.intent() == *intent)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let step = |percent: usize| {
        let kept = (all.len() * percent).div_ceil(100).max(1).min(all.len());
        let right = all[..kept].iter().filter(|(_, right)| *right).count();
        (percent as f64, 100.0 * right as f64 / kept.max(1) as f64)
    };
    if all.is_empty() { Vec::new() } else { (2..=100).step_by(2).map(step).collect() }
}

fn rejection(known: &[(&Judged, &str)]) -> Vec<(f64, f64)> {
    let (outside, inside): (Vec<_>, Vec<_>) = known.iter().partition(|(_, intent)| *intent == OUT_OF_SCOPE);
    if outside.is_empty() || inside.is_empty() {
        return Vec::new();
    }
    let below = |group: &[&(&Judged, &str)], threshold: f32| {
        let caught = group.iter().filter(|(j, _)| j.in_scope_confidence() < threshold).count();
        100.0 * caught as f64 / group.len() as f64
    };
    (0..=100)
        .map(|percent| percent as f32 / 100.0)
        .map(|threshold| (below(&inside, threshold), below(&outside, threshold)))
        .collect()
}

fn worst(known: &[(&Judged, &str)]) -> Vec<Error> {
    let mut wrong: Vec<&(&Judged, &str)> = known.iter().filter(|(j, intent)| j.intent() != *intent).collect();
    wrong.sort_by(|a, b| b.0.confidence().total_cmp(&a.0.confidence()));
    let error = |(j, intent): &(&Judged, &str)| Error {
        text: j.case.text.clone(),
        lang: j.case.lang.map_or_else(String::new, |lang| lang.to_string()),
        style: j.case.style.clone().unwrap_or_default(),
        expected: (*intent).to_owned(),
        understood: j.intent().to_owned(),
        confidence: j.confidence(),
    };
    wrong.into_iter().take(WORST).map(error).collect()
}
