//! Many texts through the encoder, by way of the cache.

use super::embedding_cache::EmbeddingCache;
use super::encoder::{Encoder, EncoderError};
use std::sync::Arc;

/// Texts embedded at a time: small enough that progress moves and a waiting message is not held up long.
const EMBEDDING_BATCH: usize = 32;

/// An encoder and the memory of what it said.
#[derive(Clone)]
pub struct Embedder {
    pub encoder: Arc<dyn Encoder>,
    pub cache: Option<Arc<EmbeddingCache>>,
}

/// One vector a text, in order. `progress` is told how many of how many are there.
///
/// # Errors
/// The encoder failed, or returned vectors of the wrong length.
pub fn embed_all(
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
    let whole = vectors.len() == texts.len();
    if !whole || vectors.iter().any(|vector| vector.len() != encoder.dimensions()) {
        return Err(EncoderError::Refused("it returned vectors of the wrong number or length".to_owned()));
    }
    Ok(vectors)
}
