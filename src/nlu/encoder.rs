//! Sentence embeddings: one unit-length vector per text, close together when the texts mean alike.
//!
//! The rest of the house sees the trait only. With the Cargo feature `encoder` there is [`RustBertEncoder`];
//! without it nobody makes an encoder, and understanding rests on n-grams.

use std::path::PathBuf;

#[cfg(feature = "encoder")]
mod adapt;
#[cfg(feature = "encoder")]
mod folder;
#[cfg(any(feature = "encoder", test))]
mod owner;
#[cfg(any(feature = "encoder", test))]
mod prepare;
#[cfg(feature = "encoder")]
mod rust_bert;

#[cfg(feature = "encoder")]
pub use rust_bert::RustBertEncoder;

/// Characters of a text that an encoder reads; the rest is left out.
///
/// What a message is about is said in its first sentences, and the time a text takes grows faster than its
/// length: without a bound one pasted page would hold up everybody's answer.
pub const MAX_TEXT_CHARS: usize = 512;

/// Turns texts into unit-length embeddings. Implementations block; call from a blocking thread.
pub trait Encoder: Send + Sync {
    /// Stable name of the weights (content hash of the model folder), key of the embedding cache.
    fn id(&self) -> &str;

    /// Length of every vector.
    fn dimensions(&self) -> usize;

    /// One unit vector per text, same order, when their turn comes. Errors: the model thread died or the model refused the
    /// input.
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncoderError>;

    /// The same for a customer who waits: before everything else, and [`EncoderError::Late`] rather than after a quarter of a
    /// second.
    fn encode_live(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncoderError> {
        self.encode(texts)
    }
}

/// Why there is no encoder, or no embedding.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// The model folder is not whole.
    #[error("the encoder needs {path}, which does not exist; {cure}")]
    Missing {
        /// The file or folder that was looked for.
        path: PathBuf,
        /// What the reader can do about it.
        cure: &'static str,
    },

    /// The folder is whole, but this program cannot run such a model.
    #[error("the encoder in {folder} cannot be loaded: {reason}")]
    Load {
        /// The model folder.
        folder: PathBuf,
        /// What the file system or the model library said.
        reason: String,
    },

    /// The model failed on these texts. Other texts may go through, so the caller may go on with what it has.
    #[error("the encoder refused the text: {0}")]
    Refused(String),

    /// The machine is too busy for a customer who waits.
    #[error("the encoder did not answer in time")]
    Late,

    /// The thread that owns the model is gone; the encoder has to be loaded anew.
    #[error("the encoder's thread has stopped")]
    Stopped,
}

/// The vector at length 1, or `None` when it points nowhere (zeros, infinities, not-a-numbers).
#[cfg(any(feature = "encoder", test))]
fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    if !length.is_finite() || length < 1e-12 {
        return None;
    }
    for x in &mut vector {
        *x = (f64::from(*x) / length) as f32;
    }
    Some(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_vectors_have_length_one_and_nowhere_is_none() {
        assert_eq!(unit(vec![3.0, 4.0]), Some(vec![0.6, 0.8]));
        assert_eq!(unit(vec![0.0, 0.0]), None);
        assert_eq!(unit(vec![f32::NAN, 1.0]), None);
        assert_eq!(unit(vec![f32::INFINITY, 1.0]), None);
    }

    #[test]
    fn a_missing_file_is_named_with_its_cure() {
        let error = EncoderError::Missing { path: "m/vocab.txt".into(), cure: "run setup" };
        assert_eq!(error.to_string(), "the encoder needs m/vocab.txt, which does not exist; run setup");
    }
}
