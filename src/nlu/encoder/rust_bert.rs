//! The encoder that runs on rust-bert and libtorch.

use std::path::Path;
use std::sync::Once;

use rust_bert::pipelines::common::{ModelType, TokenizerOption};
use rust_bert::pipelines::sentence_embeddings::{SentenceEmbeddingsConfig, SentenceEmbeddingsModel};
use tch::Device;

use super::folder::{Architecture, ModelFolder, TokenizerConfig, Vocabulary, broken};
use super::owner::{Model, Owner};
use super::{Encoder, EncoderError, MAX_TEXT_CHARS, adapt};

/// Any sentence-transformers folder that rust-bert has a model and a tokenizer for: BERT, DistilBERT,
/// RoBERTa, XLM-RoBERTa, ALBERT and T5, with mean, maximum or first-token pooling.
pub struct RustBertEncoder {
    id: String,
    dimensions: usize,
    owner: Owner,
}

impl RustBertEncoder {
    /// Loads the model and tries it once; blocks for about a second, and takes memory for three copies of the
    /// weights while it does.
    ///
    /// Errors: the file that is missing and what to do, or why the model cannot be run.
    pub fn load(folder: &Path) -> Result<Self, EncoderError> {
        let files = std::sync::Arc::new(ModelFolder::open(folder)?);
        let for_thread = std::sync::Arc::clone(&files);
        let starting = Owner::start(folder.to_owned(), move || load_model(&for_thread))?;
        // Hashing reads the weights too: beside the loading, it costs no time.
        let id = files.content_hash(&format!("guichet encoder 2, {MAX_TEXT_CHARS} characters"))?;
        let (owner, dimensions) = starting.finish()?;
        Ok(RustBertEncoder { id, dimensions, owner })
    }
}

impl Encoder for RustBertEncoder {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncoderError> {
        self.owner.encode(texts, false)
    }

    fn encode_live(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncoderError> {
        self.owner.encode(texts, true)
    }
}

impl Model for SentenceEmbeddingsModel {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        // rust-bert turns gradients off for some of its steps only.
        tch::no_grad(|| SentenceEmbeddingsModel::encode(self, texts)).map_err(|error| error.to_string())
    }
}

/// Runs on the owner thread, so that the thread settings below are that thread's.
fn load_model(files: &ModelFolder) -> Result<SentenceEmbeddingsModel, EncoderError> {
    // One thread: with two, the slowest answers took twenty times longer as soon as another process wanted a
    // core.
    tch::set_num_threads(1);
    // libtorch allows this once per process, and panics at the second time.
    static INTEROP: Once = Once::new();
    INTEROP.call_once(|| tch::set_num_interop_threads(1));

    let failed = |error: &dyn std::fmt::Display| broken(&files.root, error.to_string());
    let scratch = adapt::Scratch::new().map_err(|error| failed(&format!("no temporary folder: {error}")))?;
    let tokenizer = load_tokenizer(files, &scratch)?;
    let dense_weights = match &files.dense {
        Some(dense) => Some(adapt::dense_weights(files, &dense.weights, &scratch)?.into()),
        None => None,
    };
    let config = SentenceEmbeddingsConfig {
        modules_config_resource: files.modules.clone().into(),
        transformer_type: match files.architecture {
            Architecture::Bert => ModelType::Bert,
            Architecture::DistilBert => ModelType::DistilBert,
            Architecture::Roberta => ModelType::Roberta,
            Architecture::Albert => ModelType::Albert,
            Architecture::T5 => ModelType::T5,
        },
        transformer_config_resource: files.config.clone().into(),
        transformer_weights_resource: adapt::transformer_weights(files, &scratch)?.into(),
        pooling_config_resource: files.pooling.clone().into(),
        dense_config_resource: files.dense.as_ref().map(|dense| dense.config.clone().into()),
        dense_weights_resource: dense_weights,
        sentence_bert_config_resource: files.sentence_config.clone().into(),
        // Not read when the tokenizer is handed over.
        tokenizer_config_resource: files.config.clone().into(),
        tokenizer_vocab_resource: files.config.clone().into(),
        tokenizer_merges_resource: None,
        device: Device::Cpu,
        kind: None,
    };
    SentenceEmbeddingsModel::new_with_tokenizer(config, tokenizer).map_err(|error| failed(&error))
}

/// The tokenizer as transformers would set it up. Each kind takes only the options it knows; rust-bert
/// refuses the others.
fn load_tokenizer(files: &ModelFolder, scratch: &adapt::Scratch) -> Result<TokenizerOption, EncoderError> {
    let (kind, vocabulary, merges) = match &files.vocabulary {
        Vocabulary::WordPiece(path) => return word_piece_tokenizer(files, path, &files.tokenizer),
        Vocabulary::WordPieceJson(json) => {
            let (path, config) = adapt::word_pieces(files, json, scratch)?;
            return word_piece_tokenizer(files, &path, &config);
        }
        Vocabulary::BytePairs(words, merges) => (ModelType::Roberta, words, Some(merges)),
        Vocabulary::XlmRoberta(path) => (ModelType::XLMRoberta, path, None),
        Vocabulary::SentencePiece(path) if files.architecture == Architecture::T5 => {
            (ModelType::T5, path, None)
        }
        Vocabulary::SentencePiece(path) => (ModelType::Albert, path, None),
    };
    // Of these, transformers heeds the tokenizer's own setting for ALBERT only.
    let lower_case =
        files.lower_case || kind == ModelType::Albert && files.tokenizer.do_lower_case.unwrap_or(true);
    let merges = merges.map(|path| path.to_string_lossy());
    let prefix = files.tokenizer.add_prefix_space.filter(|_| kind == ModelType::Roberta);
    TokenizerOption::from_file(
        kind,
        &vocabulary.to_string_lossy(),
        merges.as_deref(),
        lower_case,
        None,
        prefix,
    )
    .map_err(|error| broken(&files.root, error.to_string()))
}

/// BERT's tokenizer. Where nothing is said, it lower-cases, and takes accents off exactly when it
/// lower-cases.
fn word_piece_tokenizer(
    files: &ModelFolder,
    vocabulary: &Path,
    config: &TokenizerConfig,
) -> Result<TokenizerOption, EncoderError> {
    let lower_case = files.lower_case || config.do_lower_case.unwrap_or(true);
    TokenizerOption::from_file(
        ModelType::Bert,
        &vocabulary.to_string_lossy(),
        None,
        lower_case,
        config.strip_accents,
        None,
    )
    .map_err(|error| broken(&files.root, error.to_string()))
}

#[cfg(test)]
#[path = "rust_bert_tests.rs"]
mod tests;
