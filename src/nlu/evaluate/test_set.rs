//! Test messages as JSON Lines.

use crate::model::{IntentSpec, Lang, Tone};
use crate::nlu::pack::{Example, IntentPack};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One message with what is to be understood. What is left out is not judged.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCase {
    pub text: String,
    pub lang: Option<Lang>,
    pub intent: Option<String>,
    pub tone: Option<Tone>,
    pub style: Option<String>,
    /// Role to surface, or to several.
    pub entities: Option<BTreeMap<String, Surfaces>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Surfaces {
    One(String),
    Many(Vec<String>),
}

impl Surfaces {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Surfaces::One(text) => std::slice::from_ref(text),
            Surfaces::Many(texts) => texts.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct LineError {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub what: String,
}

/// Reads a file of test messages, or all that is wrong with it.
///
/// # Errors
/// Every line that is not one JSON object with the known keys; a file that cannot be read is line 0's error.
pub fn read_cases(path: &Path) -> Result<Vec<TestCase>, Vec<LineError>> {
    let file = path.display().to_string();
    let fail = |line: usize, what: String| LineError { file: file.clone(), line, what };
    let text = std::fs::read_to_string(path).map_err(|e| vec![fail(0, format!("cannot be read ({e})"))])?;
    let mut cases = Vec::new();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<TestCase>(line) {
            Ok(case) => cases.push(case),
            Err(e) => errors.push(fail(index + 1, e.to_string())),
        }
    }
    if cases.is_empty() && errors.is_empty() {
        errors.push(fail(1, "the file holds no message".to_owned()));
    }
    if errors.is_empty() { Ok(cases) } else { Err(errors) }
}

/// Messages with intents of any name as a pack to train on.
pub fn as_pack(cases: &[TestCase], file: &str) -> IntentPack {
    let mut pack = IntentPack { hash: hash(cases), ..IntentPack::default() };
    let names: BTreeSet<&String> = cases.iter().filter_map(|case| case.intent.as_ref()).collect();
    pack.specs =
        names.into_iter().map(|name| IntentSpec { name: name.clone(), ..IntentSpec::default() }).collect();
    for (index, case) in cases.iter().enumerate() {
        let Some(intent) = &case.intent else { continue };
        pack.examples.push(Example {
            text: case.text.clone(),
            lang: case.lang.unwrap_or(Lang::EN),
            intent: intent.clone(),
            entities: Vec::new(),
            tone: case.tone,
            file: file.to_owned(),
            line: index + 1,
        });
    }
    pack
}

/// What a pack's hash is for files: same hash, same model.
fn hash(cases: &[TestCase]) -> String {
    let mut digest = Sha256::new();
    for case in cases {
        let lang = case.lang.map_or_else(String::new, |lang| lang.to_string());
        for part in [case.text.as_str(), case.intent.as_deref().unwrap_or_default(), lang.as_str()] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        digest.update([case.tone.map_or(0, |tone| 1 + tone as u8)]);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
