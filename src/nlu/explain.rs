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
        let class = model.learned.head.intents.iter().position(|name| name == intent);
        let words = class.map_or_else(Vec::new, |class| self.words(&model, text, class, understanding.lang));
        let nearest = self.nearest(&model, text, understanding.lang);
        Explanation { understanding, nearest, words }
    }

    /// What each word does for the class: the message without it, read again.
    fn words(&self, model: &Model, text: &str, class: usize, lang: Lang) -> Vec<WordWeight> {
        let tokens = Normalised::new(text).tokens;
        let spans = tokens.iter().take(MOST_WORDS).map(|token| token.original.clone());
        let without: Vec<(String, String)> = spans
            .filter_map(|span| {
                let (before, after) = (text.get(..span.start)?, text.get(span.end..)?);
                Some((text.get(span)?.to_owned(), format!("{before}{after}")))
            })
            .collect();
        let texts: Vec<&str> = std::iter::once(text).chain(without.iter().map(|(_, rest)| &**rest)).collect();
        // All of them by the encoder, or none: two models cannot be compared.
        let vectors = if model.learned.full { self.embed_all(&texts, true) } else { None };
        let probability = |(at, text): (usize, &&str)| {
            let grams = model.grams(&Normalised::new(text), lang);
            let embedding = vectors.as_ref().and_then(|vectors| vectors.get(at)).map(Vec::as_slice);
            let p = model.learned.head.intent.probabilities(&grams, embedding, lang);
            p.get(class).copied().unwrap_or(0.0)
        };
        let mut p = texts.iter().enumerate().map(probability);
        let whole = p.next().unwrap_or(0.0);
        let mut words: Vec<WordWeight> = without
            .iter()
            .zip(p)
            .map(|((word, _), p)| WordWeight { word: word.clone(), weight: whole - p })
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
        let own = self.embed(text, true)?;
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
