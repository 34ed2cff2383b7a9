//! Everything learned from one pack.

use super::Means;
use super::embedder::{Embedder, embed_all};
use super::encoder::EncoderError;
use super::entities::stations::{CommonWords, Gazetteer};
use super::features::Grams;
use super::head::{Head, Messages};
use super::language::LanguageModel;
use super::pack::{Example, IntentPack, kind_of};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A pack that shares this part of its examples with the one before is learned at a glance first.
const MOSTLY_THE_SAME: f64 = 0.8;

/// What a pack teaches; kept on the shelf.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Learned {
    pub(super) language: LanguageModel,
    pub(super) common: CommonWords,
    pub(super) head: Head,
    /// The head reads embeddings too.
    pub(super) full: bool,
}

/// A pack and what it taught.
pub(super) struct Model {
    pub pack: Arc<IntentPack>,
    pub gazetteer: Arc<Gazetteer>,
    pub learned: Learned,
    /// Learned at a glance: good to answer with, to be learned properly when there is time.
    pub hasty: bool,
}

impl Model {
    /// From the shelf, or else learned from n-grams.
    pub fn new(pack: Arc<IntentPack>, gazetteer: Arc<Gazetteer>, means: &Means) -> Self {
        let kept = means.shelf.as_ref().and_then(|shelf| {
            let full = means.encoder_id().and_then(|id| shelf.read(&pack.hash, Some(id)));
            full.or_else(|| shelf.read(&pack.hash, None))
        });
        let learned = kept.unwrap_or_else(|| {
            let learned = Learned {
                language: LanguageModel::learn(&pack),
                common: common_words(&pack),
                head: Head::train(&Messages::new(&pack)),
                full: false,
            };
            keep(means, &pack, &learned);
            learned
        });
        Self { pack, gazetteer, learned, hasty: false }
    }

    /// Learns the embeddings too. `progress` is told how many texts of how many are embedded.
    pub fn completed(
        &self,
        means: &Means,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Option<Self>, EncoderError> {
        let Some(embedder) = means.embedder.as_ref().filter(|_| !self.learned.full) else {
            return Ok(None);
        };
        let head = self.learned.head.with_embeddings(&embedded(&self.pack, embedder, progress)?);
        let learned = Learned { head, full: true, ..self.learned.clone() };
        keep(means, &self.pack, &learned);
        Ok(Some(Self { pack: self.pack.clone(), gazetteer: self.gazetteer.clone(), learned, hasty: false }))
    }

    /// A model of `pack`, which differs little from this one's, in a blink. `None`: it differs too much.
    pub fn at_a_glance(
        &self,
        pack: Arc<IntentPack>,
        gazetteer: Arc<Gazetteer>,
        means: &Means,
    ) -> Result<Option<Self>, EncoderError> {
        let names = |pack: &IntentPack| -> Vec<String> {
            let mut names: Vec<String> = pack.examples.iter().map(|e| e.intent.clone()).collect();
            names.sort();
            names.dedup();
            names
        };
        let before: HashSet<(&str, &str)> = self.pack.examples.iter().map(key).collect();
        let same = pack.examples.iter().filter(|e| before.contains(&key(e))).count();
        let alike = same as f64 >= MOSTLY_THE_SAME * before.len().max(pack.examples.len()) as f64;
        if !alike || names(&pack) != names(&self.pack) {
            return Ok(None);
        }
        let messages = match means.embedder.as_ref().filter(|_| self.learned.full) {
            Some(embedder) => embedded(&pack, embedder, &|_, _| {})?,
            None => Messages::new(&pack),
        };
        let head = self.learned.head.refreshed(&messages);
        let learned = Learned { head, ..self.learned.clone() };
        Ok(Some(Self { pack, gazetteer, learned, hasty: true }))
    }

    /// The same model over other names of stations.
    pub fn with_gazetteer(&self, gazetteer: Arc<Gazetteer>) -> Self {
        Self { pack: self.pack.clone(), gazetteer, learned: self.learned.clone(), hasty: self.hasty }
    }

    pub fn grams(&self, text: &super::normalise::Normalised, lang: crate::model::Lang) -> Grams {
        Grams::new(text, &self.pack.lexicon, lang)
    }
}

/// The pack's messages with their embeddings.
fn embedded(
    pack: &IntentPack,
    embedder: &Embedder,
    progress: &dyn Fn(usize, usize),
) -> Result<Messages, EncoderError> {
    let mut messages = Messages::new(pack);
    messages.embed(embed_all(embedder, &pack.texts().collect::<Vec<_>>(), progress)?);
    Ok(messages)
}

fn key(example: &Example) -> (&str, &str) {
    (&example.text, &example.intent)
}

fn keep(means: &Means, pack: &IntentPack, learned: &Learned) {
    let Some(shelf) = &means.shelf else { return };
    let encoder = means.encoder_id().filter(|_| learned.full);
    if let Err(error) = shelf.write(&pack.hash, encoder, learned) {
        tracing::warn!(%error, "the learned model could not be kept; the next start learns again");
    }
}

/// The words of a pack that mean no station.
pub(super) fn common_words(pack: &IntentPack) -> CommonWords {
    CommonWords::learn(pack.examples.iter().map(without_stations))
}

/// The text of an example without the names of stations and what is personal, and those names.
fn without_stations(example: &Example) -> (String, Vec<String>) {
    let mut text = example.text.clone();
    let mut spans: BTreeMap<usize, (usize, bool)> = BTreeMap::new();
    for (role, span) in &example.entities {
        if !matches!(role.as_str(), "when" | "train" | "line") {
            spans.insert(span.start, (span.end, kind_of(role) == Some("station")));
        }
    }
    let mut names = Vec::new();
    for (start, (end, station)) in spans.into_iter().rev() {
        if let Some(name) = example.text.get(start..end) {
            names.extend(station.then(|| name.to_owned()));
            text.replace_range(start..end, ".");
        }
    }
    (text, names)
}
