//! Why a message was understood as it was.

use super::embedder::embed_all;
use super::features::Row;
use super::model::Model;
use super::normalise::Normalised;
use super::{Context, Nlu};
use crate::model::{Lang, Understanding};
use serde::Serialize;
use std::collections::BTreeMap;

/// Examples shown.
const NEIGHBOURS: usize = 5;
/// Words that are tried; each costs one reading of the message.
const MOST_WORDS: usize = 40;

/// Why: what was understood, the examples nearest to the message, and the words that decided.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    pub understanding: Understanding,
    /// Nearest first.
    pub nearest: Vec<Neighbour>,
    /// The most telling first.
    pub words: Vec<WordWeight>,
}

/// An example of the pack.
#[derive(Debug, Clone, Serialize)]
pub struct Neighbour {
    /// Cosine, −1 to 1: of the embeddings, or of the n-grams without an encoder.
    pub similarity: f32,
    pub intent: String,
    pub text: String,
    pub file: String,
    pub line: usize,
}

/// A word and what it does.
#[derive(Debug, Clone, Serialize)]
pub struct WordWeight {
    pub word: String,
    /// How much less probable (−1 to 1) the intent is when the word is left out.
    pub weight: f32,
}

impl Nlu {
    /// What `text` means, and why. Takes many times as long as [`Nlu::understand`].
    pub fn explain(&self, text: &str, context: &Context) -> Explanation {
        let understanding = self.understand(text, context);
        let model = self.model();
        let intent = understanding.best().map_or("", |best| &best.intent);
        let class = model.learned.head.intents.iter().position(|name| name == intent).unwrap_or(0);
        let words = self.words(&model, text, class, understanding.lang);
        let nearest = self.nearest(&model, text, understanding.lang);
        Explanation { understanding, nearest, words }
    }

    fn words(&self, model: &Model, text: &str, class: usize, lang: Lang) -> Vec<WordWeight> {
        let probability = |text: &str| {
            let grams = model.grams(&Normalised::new(text), lang);
            let embedding = if model.learned.full { self.embed(text) } else { None };
            model.learned.head.intent.probabilities(&grams, embedding.as_deref(), lang)[class]
        };
        let whole = probability(text);
        let mut words: Vec<WordWeight> = Normalised::new(text)
            .tokens
            .iter()
            .take(MOST_WORDS)
            .filter_map(|token| {
                let (before, after) = (text.get(..token.original.start)?, text.get(token.original.end..)?);
                let weight = whole - probability(&format!("{before}{after}"));
                Some(WordWeight { word: text.get(token.original.clone())?.to_owned(), weight })
            })
            .collect();
        words.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        words
    }

    fn nearest(&self, model: &Model, text: &str, lang: Lang) -> Vec<Neighbour> {
        let examples = &model.pack.examples;
        let mut ranked: Vec<(f32, usize)> = match self.similarities(model, text) {
            Some(by_embedding) => by_embedding,
            None => {
                let vocabulary = &model.learned.head.intent.ngram().vocabulary;
                let own = vocabulary.row(&model.grams(&Normalised::new(text), lang));
                let row = |e: &super::pack::Example| {
                    vocabulary.row(&model.grams(&Normalised::new(&e.text), e.lang))
                };
                examples.iter().enumerate().map(|(at, e)| (cosine(&own, &row(e)), at)).collect()
            }
        };
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let neighbour = |(similarity, at): (f32, usize)| Neighbour {
            similarity,
            intent: examples[at].intent.clone(),
            text: examples[at].text.clone(),
            file: examples[at].file.clone(),
            line: examples[at].line,
        };
        ranked.into_iter().take(NEIGHBOURS).map(neighbour).collect()
    }

    /// Cosines of the embeddings; `None` without an encoder that answers.
    fn similarities(&self, model: &Model, text: &str) -> Option<Vec<(f32, usize)>> {
        let embedder = self.0.means.embedder.as_ref().filter(|_| model.learned.full)?;
        let own = self.embed(text)?;
        let texts: Vec<&str> = model.pack.examples.iter().map(|example| example.text.as_str()).collect();
        let vectors = embed_all(embedder, &texts, &|_, _| {}).ok()?;
        let dot = |other: &Vec<f32>| own.iter().zip(other).map(|(a, b)| a * b).sum();
        Some(vectors.iter().enumerate().map(|(at, vector)| (dot(vector), at)).collect())
    }
}

/// Of two sparse rows.
fn cosine(a: &Row, b: &Row) -> f32 {
    let length = |row: &Row| row.value.iter().map(|x| x * x).sum::<f32>().sqrt();
    let known: BTreeMap<u32, f32> = a.index.iter().copied().zip(a.value.iter().copied()).collect();
    let shared = b.index.iter().zip(&b.value).filter_map(|(index, value)| Some(known.get(index)? * value));
    shared.sum::<f32>() / (length(a) * length(b)).max(1e-6)
}
