//! The pack measured on itself: each part read by a model that learned from the others.

use super::{Judged, Surfaces, TestCase, judge};
use crate::model::Timestamp;
use crate::nlu::entities::stations::Gazetteer;
use crate::nlu::pack::{Example, IntentPack};
use crate::nlu::{EncoderError, Means, Nlu, set_aside};
use std::collections::BTreeMap;

/// Parts of the pack.
pub const FOLDS: usize = 5;

/// Reads every example of the pack with a model that did not learn from it. `progress` is told the parts done.
///
/// # Errors
/// The encoder failed.
pub fn cross_validate(
    pack: &IntentPack,
    gazetteer: &Gazetteer,
    means: &Means,
    now: Timestamp,
    progress: &dyn Fn(usize),
) -> Result<Vec<Judged>, EncoderError> {
    let folds = folds(pack);
    let means = Means { shelf: None, ..means.clone() };
    let mut judged = Vec::new();
    for part in 0..FOLDS {
        let chosen = |inside: bool| {
            let examples = pack.examples.iter().zip(&folds);
            examples.filter(move |(_, fold)| (**fold == part) == inside).map(|(example, _)| example)
        };
        let others = IntentPack {
            examples: chosen(false).cloned().collect(),
            hash: format!("{} without {part}", pack.hash),
            ..pack.clone()
        };
        let nlu = Nlu::train(others, gazetteer.clone(), means.clone());
        nlu.complete(&|_, _| {})?;
        judged.extend(judge(&nlu, chosen(true).map(as_case).collect(), now));
        progress(part + 1);
    }
    Ok(judged)
}

/// Was this message kept from the encoder that we ship? Its own examples flatter it.
pub fn is_set_aside(judged: &Judged) -> bool {
    set_aside(&judged.case.text)
}

/// A part for each example, each intent and language spread evenly.
fn folds(pack: &IntentPack) -> Vec<usize> {
    let mut next = BTreeMap::new();
    pack.examples
        .iter()
        .map(|example| {
            let count = next.entry((&example.intent, example.lang)).or_insert(0usize);
            *count += 1;
            *count % FOLDS
        })
        .collect()
}

fn as_case(example: &Example) -> TestCase {
    let mut entities: BTreeMap<String, Surfaces> = BTreeMap::new();
    for (role, span) in &example.entities {
        let surface = example.text[span.clone()].to_owned();
        let many = match entities.remove(role) {
            Some(Surfaces::One(first)) => Surfaces::Many(vec![first, surface]),
            Some(Surfaces::Many(mut all)) => {
                all.push(surface);
                Surfaces::Many(all)
            }
            None => Surfaces::One(surface),
        };
        entities.insert(role.clone(), many);
    }
    TestCase {
        text: example.text.clone(),
        lang: Some(example.lang),
        intent: Some(example.intent.clone()),
        tone: example.tone,
        style: None,
        entities: Some(entities),
    }
}
