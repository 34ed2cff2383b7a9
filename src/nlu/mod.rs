//! What a customer means: language, intent with calibrated confidence, entities, tone.

pub mod aliases;
mod calibration;
mod classifier;
pub mod embedding_cache;
pub mod encoder;
pub mod entities;
pub mod evaluate;
pub mod features;
mod head;
pub mod language;
pub mod normalise;
pub mod pack;
mod tone;
mod yaml;

use crate::model::{IntentScore, Lang, Timestamp, Understanding};
use embedding_cache::EmbeddingCache;
use encoder::{Encoder, EncoderError};
pub use entities::Expected;
use entities::Finder;
use entities::stations::{CommonWords, Gazetteer};
use features::Grams;
use head::{Embeddings, Head, Messages};
use jiff::tz::TimeZone;
use language::LanguageModel;
use normalise::{MAX_CHARS, Normalised};
pub use pack::{IntentPack, PackError};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Texts embedded at a time: small enough that progress moves and a waiting message is not held up long.
const EMBEDDING_BATCH: usize = 32;

/// A longer message, in bytes, is no keyword.
const LONGEST_COMMAND: usize = 60;

/// What is known beside the text of a message.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The language of the conversation so far: a message that leaves it open keeps it.
    pub conversation_lang: Option<Lang>,
    pub now: Timestamp,
    /// The slot that was asked for.
    pub expected: Option<Expected>,
}

/// An encoder and the memory of what it said.
#[derive(Clone)]
pub struct Embedder {
    pub encoder: Arc<dyn Encoder>,
    pub cache: Option<Arc<EmbeddingCache>>,
}

/// Reads messages. Clones share one model, which is swapped whole when a new one is ready.
#[derive(Clone)]
pub struct Nlu(Arc<Shared>);

struct Shared {
    model: RwLock<Arc<Model>>,
    embedder: Option<Embedder>,
    timezone: TimeZone,
    /// The encoder refused the last message, or was never heard: n-grams answer.
    degraded: AtomicBool,
    /// One training at a time: it takes both cores.
    training: Mutex<()>,
}

/// Everything learned from one pack.
struct Model {
    pack: Arc<IntentPack>,
    gazetteer: Arc<Gazetteer>,
    language: LanguageModel,
    common: CommonWords,
    ngram: Head,
    full: Option<Head>,
}

impl Nlu {
    /// Trains the n-gram model, which is ready in a second or two and serves at once. With an encoder, call
    /// [`Nlu::complete`] next, off the path of messages.
    pub fn train(
        pack: IntentPack,
        gazetteer: Gazetteer,
        embedder: Option<Embedder>,
        timezone: TimeZone,
    ) -> Self {
        let model = Model::learn(Arc::new(pack), Arc::new(gazetteer));
        Self(Arc::new(Shared {
            model: RwLock::new(Arc::new(model)),
            embedder,
            timezone,
            degraded: AtomicBool::new(false),
            training: Mutex::new(()),
        }))
    }

    /// Embeds the pack's examples, trains the full model and puts it in service. `progress` is told how many
    /// texts of how many are embedded. Without an encoder nothing happens.
    ///
    /// # Errors
    /// The encoder failed; the n-gram model goes on serving.
    pub fn complete(&self, progress: &dyn Fn(usize, usize)) -> Result<(), EncoderError> {
        let _one = self.0.training.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(embedder) = &self.0.embedder else {
            return Ok(());
        };
        let model = self.model();
        match model.with_embeddings(embedder, progress) {
            Ok(full) => {
                self.swap(full);
                self.0.degraded.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(e) => {
                self.0.degraded.store(true, Ordering::Relaxed);
                Err(e)
            }
        }
    }

    /// Reads the folder of intents again and, when it is good, trains and swaps. `gazetteer`: the new one when
    /// the timetable or the aliases changed. The model in service stays until its successor is ready.
    ///
    /// # Errors
    /// All mistakes of the files; the model in service stays.
    pub fn reload(
        &self,
        folder: &Path,
        gazetteer: Option<Gazetteer>,
        progress: &dyn Fn(usize, usize),
    ) -> Result<(), Vec<PackError>> {
        let pack = IntentPack::load(folder)?;
        let _one = self.0.training.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.model();
        if pack.hash == before.pack.hash && gazetteer.is_none() {
            return Ok(());
        }
        let gazetteer = gazetteer.map_or_else(|| before.gazetteer.clone(), Arc::new);
        let next = Model::learn(Arc::new(pack), gazetteer);
        let next = match &self.0.embedder {
            None => next,
            Some(embedder) => match next.with_embeddings(embedder, progress) {
                Ok(full) => full,
                Err(error) => {
                    tracing::warn!(%error, "the encoder failed while training; n-grams answer");
                    self.0.degraded.store(true, Ordering::Relaxed);
                    next
                }
            },
        };
        self.swap(next);
        Ok(())
    }

    /// What `text` means. With an encoder in service this blocks for some milliseconds: call it from a
    /// blocking thread.
    pub fn understand(&self, text: &str, context: &Context) -> Understanding {
        let model = self.model();
        let normal = Normalised::new(text);
        let grams = Grams::new(&normal, &model.pack.lexicon);
        let embedding = model.full.as_ref().and_then(|_| self.embed(text));
        let (head, name) = match (&model.full, &embedding) {
            (Some(full), Some(_)) => (full, "encoder"),
            _ => (&model.ngram, "ngram"),
        };
        let embedding = embedding.as_deref();
        let finder = Finder {
            gazetteer: &model.gazetteer,
            common: &model.common,
            timezone: &self.0.timezone,
            now: context.now,
            expected: context.expected.as_ref(),
        };
        let entities = finder.find(text, &normal);
        let names: Vec<_> = entities.iter().filter(|e| e.role != "when").map(|e| e.span.clone()).collect();
        let lang = model.language.detect(&normal, &names, context.conversation_lang);
        let mut intents = head.intents(&grams, embedding, lang);
        if let Some(intent) = model.command(text) {
            intents.retain(|score| score.intent != intent);
            intents.insert(0, IntentScore { intent: intent.to_owned(), confidence: 1.0 });
        }
        Understanding { lang, intents, entities, tone: head.tone(&grams, embedding), model: name.to_owned() }
    }

    /// The encoder is there but does not answer: n-grams do.
    pub fn degraded(&self) -> bool {
        self.0.degraded.load(Ordering::Relaxed)
    }

    /// The pack in service.
    pub fn pack(&self) -> Arc<IntentPack> {
        self.model().pack.clone()
    }

    /// `encoder` or `ngram`: which model answers now.
    pub fn model_name(&self) -> &'static str {
        if self.model().full.is_some() { "encoder" } else { "ngram" }
    }

    /// Below this confidence the model in service calls a message out of scope.
    pub fn threshold(&self) -> f32 {
        let model = self.model();
        model.full.as_ref().unwrap_or(&model.ngram).calibration().threshold
    }

    fn model(&self) -> Arc<Model> {
        self.0.model.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn swap(&self, model: Model) {
        *self.0.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(model);
    }

    fn embed(&self, text: &str) -> Option<Vec<f32>> {
        let embedder = self.0.embedder.as_ref()?;
        let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| at);
        let answer = embedder.encoder.encode(&[&text[..end]]);
        let vector = answer.ok().and_then(|mut vectors| vectors.pop());
        let vector = vector.filter(|v| v.len() == embedder.encoder.dimensions());
        self.0.degraded.store(vector.is_none(), Ordering::Relaxed);
        vector
    }
}

impl Model {
    /// The intent that the whole message is a keyword of.
    fn command(&self, text: &str) -> Option<&str> {
        if text.len() > LONGEST_COMMAND {
            return None;
        }
        let said = normalise::squeeze(text);
        let spec = self.pack.specs.iter().find(|spec| spec.keywords.contains(&said));
        spec.map(|spec| spec.name.as_str())
    }

    fn learn(pack: Arc<IntentPack>, gazetteer: Arc<Gazetteer>) -> Self {
        let ngram = Head::train(&Messages::new(&pack), Embeddings::default());
        let language = LanguageModel::learn(&pack);
        let common = CommonWords::learn(pack.examples.iter().map(without_stations));
        Self { pack, gazetteer, language, common, ngram, full: None }
    }

    fn with_embeddings(
        &self,
        embedder: &Embedder,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, EncoderError> {
        let examples = self.pack.examples.iter().map(|example| example.text.as_str());
        let tones = self.pack.tones.iter().map(|example| example.text.as_str());
        let texts: Vec<&str> = examples.chain(tones).collect();
        let mut vectors = embed_all(embedder, &texts, progress)?;
        let tones = vectors.split_off(self.pack.examples.len());
        let messages = Messages::new(&self.pack);
        let full = Head::train(&messages, Embeddings { messages: vectors, tones })
            .blended_with(&self.ngram, &messages);
        Ok(Self {
            pack: self.pack.clone(),
            gazetteer: self.gazetteer.clone(),
            language: self.language.clone(),
            common: self.common.clone(),
            ngram: self.ngram.clone(),
            full: Some(full),
        })
    }
}

fn embed_all(
    embedder: &Embedder,
    texts: &[&str],
    progress: &dyn Fn(usize, usize),
) -> Result<Vec<Vec<f32>>, EncoderError> {
    let encoder = &*embedder.encoder;
    let vectors = match &embedder.cache {
        Some(cache) => cache.encode(encoder, texts, progress)?,
        None => {
            let mut vectors = Vec::with_capacity(texts.len());
            for batch in texts.chunks(EMBEDDING_BATCH) {
                vectors.extend(encoder.encode(batch)?);
                progress(vectors.len(), texts.len());
            }
            vectors
        }
    };
    if vectors.iter().any(|vector| vector.len() != encoder.dimensions()) {
        return Err(EncoderError::Refused("it returned vectors of the wrong length".to_owned()));
    }
    Ok(vectors)
}

fn without_stations(example: &pack::Example) -> String {
    let mut text = example.text.clone();
    let mut spans: BTreeMap<usize, usize> = BTreeMap::new();
    for (role, span) in &example.entities {
        if !matches!(role.as_str(), "when" | "train" | "line") {
            spans.insert(span.start, span.end);
        }
    }
    for (start, end) in spans.into_iter().rev() {
        if text.get(start..end).is_some() {
            text.replace_range(start..end, ".");
        }
    }
    text
}

#[cfg(test)]
mod tests;
