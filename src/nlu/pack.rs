//! The intent pack: a folder of YAML files that managers edit, read with every mistake named at once.

mod annotations;
mod fulfilment;
mod likeness;
mod lines;
mod phrases;
mod reader;
#[cfg(test)]
mod tests;

use super::normalise::Normalised;
use crate::model::{IntentSpec, Lang, Phrases, Tone};
pub use annotations::without_annotations;
pub use likeness::near_duplicates;
#[cfg(test)]
pub use phrases::shipped as shipped_phrases;
use reader::Reader;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Roles an annotation may carry and a slot may be named after, with the kind of entity each one is.
pub const ROLES: &[(&str, &str)] = &[
    ("from", "station"),
    ("to", "station"),
    ("via", "station"),
    ("at", "station"),
    ("station", "station"),
    ("when", "time"),
    ("train", "train"),
    ("line", "line"),
    ("ref", "reference"),
    ("phone", "phone"),
    ("email", "email"),
];

/// The kind of entity that a role marks; `None`: there is no such role.
pub fn kind_of(role: &str) -> Option<&'static str> {
    ROLES.iter().find(|(known, _)| *known == role).map(|&(_, kind)| kind)
}

/// Files of the folder that hold something other than intents.
const NOT_INTENTS: &[&str] = &["stations.yaml", "lexicon.yaml", "tone.yaml", "dialogue.yaml"];

/// A mistake in a file, said so that whoever wrote it can repair it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}: {what}. Cure: {cure}")]
pub struct PackError {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub what: String,
    pub cure: String,
}

/// One message that someone could write, with what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Without its annotations.
    pub text: String,
    pub lang: Lang,
    /// `domain.name`, or `out_of_scope`.
    pub intent: String,
    /// Role and byte range in `text`.
    pub entities: Vec<(String, Range<usize>)>,
    /// How it feels, where the file says so: `- (+) text`, `(=)` or `(-)`.
    pub tone: Option<Tone>,
    pub file: String,
    pub line: usize,
}

/// One message and how it feels.
#[derive(Debug, Clone, PartialEq)]
pub struct ToneExample {
    pub text: String,
    pub lang: Lang,
    pub tone: Tone,
    pub file: String,
    pub line: usize,
}

/// `lexicon.yaml`: what the short spellings of a language stand for. Keys are folded, as the words of a message are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lexicon(BTreeMap<Lang, HashMap<String, String>>);

/// As the words of a message are compared: without case and accents.
fn folded(text: &str) -> String {
    Normalised::new(text).folded
}

impl Lexicon {
    pub fn insert(&mut self, lang: Lang, spelling: &str, meaning: &str) {
        self.0.entry(lang).or_default().insert(spelling.to_owned(), folded(meaning));
    }

    /// What `word`, folded, stands for.
    pub fn meaning(&self, lang: Lang, word: &str) -> Option<&str> {
        self.0.get(&lang)?.get(word).map(String::as_str)
    }
}

/// Everything the folder says.
#[derive(Debug, Clone, Default)]
pub struct IntentPack {
    pub specs: Vec<IntentSpec>,
    pub examples: Vec<Example>,
    pub tones: Vec<ToneExample>,
    /// Spellings to read as other words (`tr1` as `train`).
    pub lexicon: Lexicon,
    /// The words that steer a conversation.
    pub phrases: Phrases,
    /// SHA-256 over the files' names and bytes, in hexadecimal: same hash, same model.
    pub hash: String,
}

impl IntentPack {
    /// Reads every `.yaml` and `.yml` file of `folder`, in the order of their names.
    ///
    /// # Errors
    /// All mistakes of all files, sorted by file and line; then nothing of the pack is usable.
    pub fn load(folder: &Path) -> Result<Self, Vec<PackError>> {
        let mut reader = Reader::default();
        let files = match yaml_files(folder) {
            Ok(files) => files,
            Err(error) => return Err(vec![error]),
        };
        let mut digest = Sha256::new();
        for path in files {
            reader.read_file(&path, folder, &mut digest);
        }
        reader.check_confirmed();
        if reader.pack.specs.is_empty() && reader.errors.is_empty() {
            let what = "the folder holds no intent".to_owned();
            let cure = "add a file such as schedules.yaml with `domain:` and `intents:`".to_owned();
            reader.errors.push(PackError { file: folder.display().to_string(), line: 1, what, cure });
        }
        if !reader.errors.is_empty() {
            reader.errors.sort();
            return Err(reader.errors);
        }
        reader.pack.hash = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(reader.pack)
    }

    /// Every text to embed: the examples, then those of `tone.yaml`.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let tones = self.tones.iter().map(|example| example.text.as_str());
        self.examples.iter().map(|example| example.text.as_str()).chain(tones)
    }

    /// Languages that have examples, the one with most examples first.
    pub fn languages(&self) -> Vec<Lang> {
        let mut counts: BTreeMap<Lang, usize> = BTreeMap::new();
        for example in &self.examples {
            *counts.entry(example.lang).or_default() += 1;
        }
        let mut langs: Vec<(Lang, usize)> = counts.into_iter().collect();
        langs.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        langs.into_iter().map(|(lang, _)| lang).collect()
    }
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, PackError> {
    let entries = std::fs::read_dir(folder).map_err(|e| PackError {
        file: folder.display().to_string(),
        line: 1,
        what: format!("the folder cannot be read ({e})"),
        cure: "give the path of the folder with the intent files".to_owned(),
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml"))
        .filter(|path| path.file_name().is_some_and(|name| name != "stations.yaml"))
        .collect();
    files.sort();
    Ok(files)
}
