//! The figures, each with its definition.

use super::{Judged, found_surfaces};
use crate::model::OUT_OF_SCOPE;
use crate::nlu::normalise::squeeze;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Bins of the calibration error.
const BINS: usize = 10;

/// A message and the intent expected of it.
type Expected<'a> = (&'a Judged, &'a str);

/// Everything `guichet eval` tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Share of messages whose first intent is the expected one, `out_of_scope` included.
    pub accuracy: f64,
    /// Mean F1 over the intents that occur in the test.
    pub macro_f1: f64,
    pub by_intent: BTreeMap<String, Measure>,
    pub by_lang: BTreeMap<String, Share>,
    pub by_style: BTreeMap<String, Share>,
    pub out_of_scope: OutOfScope,
    pub calibration: CalibrationError,
    pub entities: Entities,
    pub tone: ToneScore,
    pub latency_us: Latency,
    /// Share of right intents among the most confident 50, 60, 70, 80 and 90 % of in-scope messages.
    pub risk_coverage: BTreeMap<String, f64>,
    pub model: String,
    pub n: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measure {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// Expected occurrences.
    pub n: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Share {
    pub accuracy: f64,
    pub n: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct OutOfScope {
    pub precision: f64,
    pub recall: f64,
    /// Chance that an in-scope message is thought more in scope than an out-of-scope one.
    pub auroc: f64,
    /// Share of in-scope messages called out of scope.
    pub in_scope_rejected: f64,
    /// Share of out-of-scope messages caught by the threshold that rejects 5 % of in-scope ones.
    pub recall_at_5: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CalibrationError {
    /// Mean distance between confidence and accuracy over ten bins of equal width, weighed by their messages.
    pub ece: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Entities {
    pub by_role: BTreeMap<String, RoleScore>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RoleScore {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ToneScore {
    pub accuracy: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    pub p50: u64,
    pub p99: u64,
}

impl Metrics {
    pub fn of(judged: &[Judged]) -> Self {
        let with_intent: Vec<(&Judged, &str)> =
            judged.iter().filter_map(|j| j.case.intent.as_deref().map(|intent| (j, intent))).collect();
        let by_intent = by_intent(&with_intent);
        let expected: Vec<&Measure> = by_intent.values().filter(|measure| measure.n > 0).collect();
        let macro_f1 = ratio(expected.iter().map(|measure| measure.f1).sum(), expected.len());
        let right = |j: &Judged, intent: &str| j.intent() == intent;
        let langs = with_intent.iter().filter_map(|(j, i)| Some((j.case.lang?.to_string(), right(j, i))));
        let styles = with_intent.iter().filter_map(|(j, i)| Some((j.case.style.clone()?, right(j, i))));
        let tones: Vec<bool> = judged.iter().filter_map(Judged::tone_is_right).collect();
        Self {
            accuracy: share(with_intent.iter().map(|(j, intent)| right(j, intent))),
            macro_f1,
            by_intent,
            by_lang: shares(langs),
            by_style: shares(styles),
            out_of_scope: out_of_scope(&with_intent),
            calibration: CalibrationError { ece: calibration_error(&with_intent) },
            entities: Entities { by_role: by_role(judged) },
            tone: ToneScore { accuracy: share(tones.into_iter()) },
            latency_us: latency(judged),
            risk_coverage: risk_coverage(&with_intent),
            model: judged.first().map_or_else(String::new, |j| j.got.model.clone()),
            n: judged.len(),
        }
    }
}

fn ratio(sum: f64, count: usize) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}

fn share(hits: impl Iterator<Item = bool>) -> f64 {
    let (mut right, mut all) = (0usize, 0usize);
    for hit in hits {
        right += usize::from(hit);
        all += 1;
    }
    ratio(right as f64, all)
}

fn shares(pairs: impl Iterator<Item = (String, bool)>) -> BTreeMap<String, Share> {
    let mut groups: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for (name, hit) in pairs {
        groups.entry(name).or_default().push(hit);
    }
    groups
        .into_iter()
        .map(|(name, hits)| (name, Share { n: hits.len(), accuracy: share(hits.into_iter()) }))
        .collect()
}

/// Precision, recall and F1 from what was right, claimed and expected.
fn scores(right: usize, claimed: usize, expected: usize) -> (f64, f64, f64) {
    let precision = ratio(right as f64, claimed);
    let recall = ratio(right as f64, expected);
    (precision, recall, ratio(2.0 * right as f64, claimed + expected))
}

fn by_intent(with_intent: &[(&Judged, &str)]) -> BTreeMap<String, Measure> {
    let names: BTreeSet<&str> = with_intent.iter().flat_map(|(j, intent)| [*intent, j.intent()]).collect();
    names
        .into_iter()
        .map(|name| {
            let claimed = with_intent.iter().filter(|(j, _)| j.intent() == name).count();
            let n = with_intent.iter().filter(|(_, intent)| *intent == name).count();
            let right =
                with_intent.iter().filter(|(j, intent)| j.intent() == name && *intent == name).count();
            let (precision, recall, f1) = scores(right, claimed, n);
            (name.to_owned(), Measure { precision, recall, f1, n })
        })
        .collect()
}

fn out_of_scope(with_intent: &[(&Judged, &str)]) -> OutOfScope {
    let (outside, inside): (Vec<Expected>, Vec<Expected>) =
        with_intent.iter().copied().partition(|(_, intent)| *intent == OUT_OF_SCOPE);
    let caught = outside.iter().filter(|(j, _)| j.intent() == OUT_OF_SCOPE).count();
    let rejected = inside.iter().filter(|(j, _)| j.intent() == OUT_OF_SCOPE).count();
    let (precision, recall, _) = scores(caught, caught + rejected, outside.len());
    // Mann-Whitney's U: every pair of an in-scope and an out-of-scope message; a tie counts half.
    let mut wins = 0.0;
    for (out, _) in &outside {
        for (in_scope, _) in &inside {
            let (a, b) = (in_scope.in_scope_confidence(), out.in_scope_confidence());
            wins += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
        }
    }
    OutOfScope {
        precision,
        recall,
        auroc: ratio(wins, outside.len() * inside.len()),
        in_scope_rejected: ratio(rejected as f64, inside.len()),
        recall_at_5: recall_at(0.05, &inside, &outside),
    }
}

fn recall_at(rejected: f64, inside: &[Expected], outside: &[Expected]) -> f64 {
    let mut sure: Vec<f32> = inside.iter().map(|(j, _)| j.in_scope_confidence()).collect();
    sure.sort_by(f32::total_cmp);
    let threshold = sure.get((sure.len() as f64 * rejected) as usize).copied().unwrap_or(0.0);
    share(outside.iter().map(|(j, _)| j.in_scope_confidence() < threshold))
}

fn calibration_error(with_intent: &[(&Judged, &str)]) -> f64 {
    let mut bins = [(0.0f64, 0usize, 0usize); BINS];
    for (j, intent) in with_intent {
        let confidence = f64::from(j.confidence());
        let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += confidence;
        bin.1 += usize::from(j.intent() == *intent);
        bin.2 += 1;
    }
    let gaps: f64 = bins.iter().map(|(confidence, right, _)| (confidence - *right as f64).abs()).sum();
    ratio(gaps, with_intent.len())
}

/// A found entity is right when role and surface agree, case, accents, spaces and punctuation aside. Only
/// messages that say which entities they hold are judged.
fn by_role(judged: &[Judged]) -> BTreeMap<String, RoleScore> {
    let mut counts: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    for j in judged {
        let Some(expected) = &j.case.entities else {
            continue;
        };
        let found_roles = j.got.entities.iter().map(|entity| entity.role.as_str());
        let roles: BTreeSet<&str> = expected.keys().map(String::as_str).chain(found_roles).collect();
        for role in roles {
            let mut found = found_surfaces(&j.got, role);
            let entry = counts.entry(role.to_owned()).or_default();
            entry.1 += found.len();
            for surface in expected.get(role).into_iter().flat_map(|surfaces| surfaces.iter()) {
                entry.2 += 1;
                let wanted = squeeze(surface);
                if let Some(at) = found.iter().position(|candidate| *candidate == wanted) {
                    found.swap_remove(at);
                    entry.0 += 1;
                }
            }
        }
    }
    counts
        .into_iter()
        .map(|(role, (right, claimed, expected))| {
            let (precision, recall, f1) = scores(right, claimed, expected);
            (role, RoleScore { precision, recall, f1 })
        })
        .collect()
}

fn latency(judged: &[Judged]) -> Latency {
    let mut micros: Vec<u64> = judged.iter().map(|j| j.micros).collect();
    micros.sort_unstable();
    let at = |share: f64| {
        let index = (micros.len() as f64 * share) as usize;
        micros.get(index.min(micros.len().saturating_sub(1))).copied().unwrap_or(0)
    };
    Latency { p50: at(0.50), p99: at(0.99) }
}

fn risk_coverage(with_intent: &[(&Judged, &str)]) -> BTreeMap<String, f64> {
    let mut inside: Vec<(f32, bool)> = with_intent
        .iter()
        .filter(|(_, intent)| *intent != OUT_OF_SCOPE)
        .map(|(j, intent)| (j.in_scope_confidence(), j.intent() == *intent))
        .collect();
    inside.sort_by(|a, b| b.0.total_cmp(&a.0));
    [50usize, 60, 70, 80, 90]
        .into_iter()
        .map(|percent| {
            let kept = (inside.len() * percent).div_ceil(100);
            (percent.to_string(), share(inside[..kept].iter().map(|(_, right)| *right)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entity, EntityValue, IntentScore, Lang, Tone, Understanding};
    use crate::nlu::evaluate::TestCase;

    fn judged(line: &str, intents: &[(&str, f32)], entities: &[(&str, &str)]) -> Judged {
        let case: TestCase = serde_json::from_str(line).unwrap();
        let entity = |(role, surface): &(&str, &str)| Entity {
            role: role.to_string(),
            surface: surface.to_string(),
            span: 0..surface.len(),
            value: EntityValue::Line { name: surface.to_string() },
        };
        let score = |(intent, confidence): &(&str, f32)| IntentScore {
            intent: intent.to_string(),
            confidence: *confidence,
        };
        let got = Understanding {
            lang: Lang::FR,
            intents: intents.iter().map(score).collect(),
            entities: entities.iter().map(entity).collect(),
            questions: Vec::new(),
            tone: Tone::Neutral,
            model: "ngram".into(),
        };
        Judged { case, got, micros: 10 }
    }

    #[test]
    fn figures_of_a_small_test_are_those_worked_out_by_hand() {
        let all = [
            judged(
                r#"{"text":"a","lang":"fr","intent":"x","tone":"neutral","entities":{"from":"Vitré","to":["Rennes","Brest"]}}"#,
                &[("x", 0.95), ("out_of_scope", 0.05)],
                &[("from", "vitre"), ("to", "RENNES"), ("at", "Laval")],
            ),
            judged(r#"{"text":"b","lang":"en","intent":"y"}"#, &[("x", 0.8), ("out_of_scope", 0.0)], &[]),
            judged(
                r#"{"text":"c","lang":"en","intent":"out_of_scope"}"#,
                &[("out_of_scope", 0.7), ("x", 0.3)],
                &[],
            ),
            judged(r#"{"text":"d","lang":"en","intent":"y"}"#, &[("out_of_scope", 0.55), ("y", 0.45)], &[]),
        ];
        let metrics = Metrics::of(&all);
        assert_eq!(metrics.accuracy, 0.5);
        assert_eq!(metrics.by_lang["fr"], Share { accuracy: 1.0, n: 1 });
        let x = metrics.by_intent["x"];
        assert_eq!((x.precision, x.recall, x.n), (0.5, 1.0, 1));
        let out = metrics.out_of_scope;
        assert_eq!((out.precision, out.recall, out.auroc), (0.5, 1.0, 1.0));
        assert!((out.in_scope_rejected - 1.0 / 3.0).abs() < 1e-9);
        let to = metrics.entities.by_role["to"];
        assert_eq!((to.precision, to.recall), (1.0, 0.5));
        assert_eq!(metrics.entities.by_role["at"].precision, 0.0);
        assert_eq!(metrics.tone.accuracy, 1.0);
        assert_eq!(metrics.risk_coverage["50"], 0.5);
        assert!((metrics.calibration.ece - (0.05 + 0.8 + 0.3 + 0.55) / 4.0).abs() < 1e-6);
    }
}
