//! What a customer means: language, intent with calibrated confidence, entities, tone.

pub mod aliases;
mod blend;
mod calibration;
mod classifier;
mod embedder;
pub mod embedding_cache;
pub mod encoder;
pub mod entities;
pub mod evaluate;
pub mod exchange;
mod explain;
pub mod features;
mod head;
pub mod language;
mod model;
pub mod normalise;
pub mod pack;
mod questions;
mod shelf;
mod training;
mod yaml;

use crate::model::{Entity, IntentScore, Lang, Question, Timestamp, Understanding};
pub use embedder::Embedder;
pub use encoder::EncoderError;
pub use entities::Expected;
use entities::Finder;
use entities::stations::Gazetteer;
pub use explain::{Explanation, Neighbour, WordWeight};
use jiff::tz::TimeZone;
use model::Model;
use normalise::Normalised;
pub use pack::{IntentPack, PackError};
pub use shelf::Shelf;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
pub use training::set_aside;

/// A longer message, in bytes, is no keyword.
const LONGEST_COMMAND: usize = 60;

/// Words that only tie a new value to what was said before, folded.
const LINKS: &[&str] = &[
    "et", "and", "what", "about", "how", "non", "no", "plutot", "rather", "sinon", "or", "ou", "pour", "for",
    "on", "at", "in", "le", "la", "les", "l", "the", "du", "de", "d", "des", "au", "aux", "a", "to", "from",
    "depuis", "vers", "en", "apres", "avant", "after", "before", "alors", "then", "instead", "that", "celui",
    "suivant", "next", "one", "ligne", "line", "train",
];

/// What is known beside the text of a message.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The language of the conversation so far: a message that leaves it open keeps it.
    pub conversation_lang: Option<Lang>,
    pub now: Timestamp,
    /// The slot that was asked for.
    pub expected: Option<Expected>,
    /// The intent that the conversation was last about: a few words ("et demain ?") go on with it.
    pub previous: Option<String>,
    /// Nobody waits: the encoder may take its time. For measuring.
    pub patient: bool,
}

impl Context {
    /// By how much the conversation so far multiplies the odds of an intent. The fewer the words, the less they say alone;
    /// nothing but a new value ("et demain ?", "no, Nantes") says nothing at all. The factors are by judgement:
    /// `tests/understanding/follow_ups.jsonl` holds them to what they are for.
    fn prior(&self, text: &Normalised, entities: &[Entity]) -> BTreeMap<&str, f32> {
        let tells = |at: &usize| {
            let start = text.tokens[*at].original.start;
            let value = entities.iter().any(|entity| entity.span.contains(&start));
            !value && !LINKS.contains(&text.word(*at))
        };
        let telling = (0..text.tokens.len()).filter(tells).count();
        let factor = match (telling, text.tokens.len()) {
            (0, 1..=8) => 100.0,
            (_, 0..=3) => 6.0,
            (_, 4..=5) => 3.0,
            (_, 6..=8) => 1.5,
            _ => 1.0,
        };
        self.previous.iter().map(|intent| (intent.as_str(), factor)).collect()
    }
}

/// What learning and reading need beside the pack.
#[derive(Clone, Default)]
pub struct Means {
    pub embedder: Option<Embedder>,
    /// Where what was learned is kept; `None`: every start learns.
    pub shelf: Option<Shelf>,
    /// In which "tomorrow" is meant.
    pub timezone: Option<TimeZone>,
}

impl Means {
    fn encoder_id(&self) -> Option<&str> {
        self.embedder.as_ref().map(|embedder| embedder.encoder.id())
    }
}

/// Reads messages. Clones share one model, which is swapped whole when a new one is ready.
#[derive(Clone)]
pub struct Nlu(Arc<Shared>);

struct Shared {
    model: RwLock<Arc<Model>>,
    means: Means,
    timezone: TimeZone,
    /// The encoder refused the last message, or was never heard: n-grams answer.
    degraded: AtomicBool,
    /// One training at a time: it takes both cores.
    training: Mutex<()>,
}

impl Nlu {
    /// Takes the model of this pack from the shelf; where there is none, trains the one of n-grams, which takes some
    /// seconds. With an encoder, call [`Nlu::complete`] next, off the path of messages.
    pub fn train(pack: IntentPack, gazetteer: Gazetteer, means: Means) -> Self {
        let model = Model::new(Arc::new(pack), Arc::new(gazetteer), &means);
        Self(Arc::new(Shared {
            model: RwLock::new(Arc::new(model)),
            timezone: means.timezone.clone().unwrap_or(TimeZone::UTC),
            means,
            degraded: AtomicBool::new(false),
            training: Mutex::new(()),
        }))
    }

    /// Embeds the pack's examples, trains the full model and puts it in service. `progress` is told how many
    /// texts of how many are embedded. Without an encoder, or when the shelf had it, nothing happens.
    ///
    /// # Errors
    /// The encoder failed; the n-gram model goes on serving.
    pub fn complete(&self, progress: &dyn Fn(usize, usize)) -> Result<(), EncoderError> {
        let _one = self.0.training.lock().unwrap_or_else(PoisonError::into_inner);
        let model = self.model();
        let fresh;
        let from = if model.hasty {
            fresh = Model::new(model.pack.clone(), model.gazetteer.clone(), &self.0.means);
            &fresh
        } else {
            &*model
        };
        let completed = from.completed(&self.0.means, progress);
        self.0.degraded.store(completed.is_err(), Ordering::Relaxed);
        if let Some(full) = completed? {
            self.swap(full);
        }
        Ok(())
    }

    /// Reads the folder of intents again and, when it is good, trains and swaps. `gazetteer`: of the
    /// timetable and the aliases as they are now. The model in service stays until its successor is ready. A pack that differs
    /// little is learned at a glance; call [`Nlu::settle`] when there is time.
    ///
    /// # Errors
    /// All mistakes of the files; the model in service stays.
    pub fn reload(
        &self,
        folder: &Path,
        gazetteer: Gazetteer,
        progress: &dyn Fn(usize, usize),
    ) -> Result<(), Vec<PackError>> {
        let pack = IntentPack::load(folder)?;
        let _one = self.0.training.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.model();
        let gazetteer = Arc::new(gazetteer);
        if pack.hash == before.pack.hash {
            self.swap(before.with_gazetteer(gazetteer));
            return Ok(());
        }
        let pack = Arc::new(pack);
        let glance = before.at_a_glance(pack.clone(), gazetteer.clone(), &self.0.means);
        match glance.unwrap_or_else(|error| self.failed(&error)) {
            Some(model) => self.swap(model),
            None => self.learn(pack, gazetteer, progress),
        }
        Ok(())
    }

    /// Reads messages with other stations from now on. Nothing is learned; waits for a training in progress.
    pub fn rename_stations(&self, gazetteer: Gazetteer) {
        let _one = self.0.training.lock().unwrap_or_else(PoisonError::into_inner);
        self.swap(self.model().with_gazetteer(Arc::new(gazetteer)));
    }

    /// Learns properly what was learned at a glance, or without an encoder that was away. True: there was something to do.
    pub fn settle(&self) -> bool {
        let _one = self.0.training.lock().unwrap_or_else(PoisonError::into_inner);
        let model = self.model();
        let unread = self.0.means.embedder.is_some() && !model.learned.full;
        if model.hasty || unread {
            self.learn(model.pack.clone(), model.gazetteer.clone(), &|_, _| {});
        }
        model.hasty || unread
    }

    fn learn(&self, pack: Arc<IntentPack>, gazetteer: Arc<Gazetteer>, progress: &dyn Fn(usize, usize)) {
        let next = Model::new(pack, gazetteer, &self.0.means);
        // Without its encoder the new pack answers by n-grams: `settle` tries again.
        let full = next.completed(&self.0.means, progress).unwrap_or_else(|error| self.failed(&error));
        self.swap(full.unwrap_or(next));
    }

    fn failed(&self, error: &EncoderError) -> Option<Model> {
        tracing::warn!(%error, "the encoder failed while training; n-grams answer");
        self.0.degraded.store(true, Ordering::Relaxed);
        None
    }

    /// What `text` means. With an encoder in service this blocks for some milliseconds: call it from a
    /// blocking thread.
    pub fn understand(&self, text: &str, context: &Context) -> Understanding {
        let model = self.model();
        let normal = Normalised::new(text);
        let learned = &model.learned;
        let embedding = if learned.full { self.embed(text, context.patient) } else { None };
        let name = if embedding.is_some() { "encoder" } else { "ngram" };
        let embedding = embedding.as_deref();
        let finder = Finder {
            gazetteer: &model.gazetteer,
            common: &learned.common,
            timezone: &self.0.timezone,
            now: context.now,
            expected: context.expected.as_ref(),
        };
        let entities = finder.find(text, &normal);
        let names: Vec<_> = entities.iter().filter(|e| e.role != "when").map(|e| e.span.clone()).collect();
        let lang = learned.language.detect(&normal, &names, context.conversation_lang);
        let grams = model.grams(&normal, lang);
        let prior = context.prior(&normal, &entities);
        let mut intents = learned.head.intents(&grams, embedding, lang, &prior);
        let questions = self.questions(&model, text, &normal, lang, &intents, embedding.is_some());
        if let Some(intent) = model.command(text) {
            intents.retain(|score| score.intent != intent);
            intents.insert(0, IntentScore { intent: intent.to_owned(), confidence: 1.0 });
        }
        let tone = learned.head.tone(&grams, embedding, lang);
        Understanding { lang, intents, entities, questions, tone, model: name.to_owned() }
    }

    /// The questions of a message that asks several.
    fn questions(
        &self,
        model: &Model,
        text: &str,
        normal: &Normalised,
        lang: Lang,
        whole: &[IntentScore],
        embedded: bool,
    ) -> Vec<Question> {
        let parts: Vec<(Range<usize>, &str)> =
            questions::parts(normal).into_iter().filter_map(|s| Some((s.clone(), text.get(s)?))).collect();
        if parts.len() < 2 || !questions::worth_a_look(whole) {
            return Vec::new();
        }
        let texts: Vec<&str> = parts.iter().map(|&(_, part)| part).collect();
        // An encoder that was late for the whole is not asked again while the customer waits.
        let vectors = if embedded { self.embed_all(&texts, false) } else { None };
        let read = |(at, (span, part)): (usize, (Range<usize>, &str))| {
            let grams = model.grams(&Normalised::new(part), lang);
            let embedding = vectors.as_ref().and_then(|vectors| vectors.get(at)).map(Vec::as_slice);
            (span, model.learned.head.intents(&grams, embedding, lang, &BTreeMap::new()))
        };
        let scored = parts.into_iter().enumerate().map(read).collect();
        let courtesy = |name: &str| model.pack.specs.iter().any(|spec| spec.name == name && spec.courtesy);
        let found = questions::questions(whole, scored, &courtesy);
        found
            .into_iter()
            .map(|(span, score)| Question { intent: score.intent, confidence: score.confidence, span })
            .collect()
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
        if self.model().learned.full { "encoder" } else { "ngram" }
    }

    fn model(&self) -> Arc<Model> {
        self.0.model.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn swap(&self, model: Model) {
        *self.0.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(model);
    }

    fn embed(&self, text: &str, patient: bool) -> Option<Vec<f32>> {
        self.embed_all(&[text], patient)?.pop()
    }

    /// One vector a text, or nothing when the encoder does not answer, or not in time for one who waits.
    fn embed_all(&self, texts: &[&str], patient: bool) -> Option<Vec<Vec<f32>>> {
        let encoder = &self.0.means.embedder.as_ref()?.encoder;
        let vectors = if patient { encoder.encode(texts) } else { encoder.encode_live(texts) }.ok();
        let whole = |vectors: &Vec<Vec<f32>>| {
            vectors.len() == texts.len() && vectors.iter().all(|v| v.len() == encoder.dimensions())
        };
        let vectors = vectors.filter(whole);
        self.0.degraded.store(vectors.is_none(), Ordering::Relaxed);
        vectors
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
}

#[cfg(test)]
mod tests;
