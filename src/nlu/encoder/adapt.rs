//! Small differences between the files that sentence-transformers saves and those that rust-bert reads.
//!
//! The common case, a BERT with its pooler and a vocab.txt, is read where it lies. Otherwise a file is
//! rewritten into a private temporary folder that lasts as long as the loading.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tch::{Kind, Tensor};

use super::EncoderError;
use super::folder::{Architecture, ModelFolder, TokenizerConfig, broken};

/// A header longer than this (bytes) is no header: the file is damaged.
const MAX_HEADER: u64 = 16 << 20;

/// A folder for rewritten files, for this user only, removed when dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> std::io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("guichet-encoder-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        // `create` fails when the name is taken, so nobody can have put a link of his there.
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder left in /tmp does no harm.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The transformer's weights under the names that rust-bert looks up.
pub(super) fn transformer_weights(folder: &ModelFolder, scratch: &Scratch) -> Result<PathBuf, EncoderError> {
    if !is_safetensors(&folder.weights) {
        return Ok(folder.weights.clone());
    }
    let names = tensor_names(&folder.root, &folder.weights)?;
    let rename = |name: &str| {
        // Names of the first BERT, still found in converted models.
        let name =
            name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias");
        match folder.architecture {
            Architecture::DistilBert if !name.starts_with("distilbert.") => format!("distilbert.{name}"),
            _ => name,
        }
    };
    // rust-bert's BERT wants the pooler although sentence embeddings never use it; models saved without it
    // are common.
    let add_pooler = folder.architecture == Architecture::Bert && !names.contains("pooler.dense.weight");
    if !add_pooler && names.iter().all(|name| rename(name) == *name) {
        return Ok(folder.weights.clone());
    }
    rewrite(folder, &folder.weights, &scratch.0.join("model.safetensors"), |mut tensors| {
        for (name, _) in &mut tensors {
            *name = rename(name);
        }
        if add_pooler {
            let words = tensors.iter().find(|(name, _)| name == "embeddings.word_embeddings.weight");
            let width = words.and_then(|(_, tensor)| tensor.size().last().copied()).unwrap_or_default();
            let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, tch::Device::Cpu));
            tensors.push(("pooler.dense.weight".into(), zeros(&[width, width])));
            tensors.push(("pooler.dense.bias".into(), zeros(&[width])));
        }
        tensors
    })
}

/// The dense layer's weights as `weight` and `bias`; sentence-transformers calls them `linear.weight` and
/// `linear.bias`.
pub(super) fn dense_weights(
    folder: &ModelFolder,
    weights: &Path,
    scratch: &Scratch,
) -> Result<PathBuf, EncoderError> {
    if !is_safetensors(weights) || !tensor_names(&folder.root, weights)?.contains("linear.weight") {
        return Ok(weights.to_owned());
    }
    rewrite(folder, weights, &scratch.0.join("dense.safetensors"), |mut tensors| {
        for (name, _) in &mut tensors {
            *name = name.trim_start_matches("linear.").to_owned();
        }
        tensors
    })
}

/// Writes the vocab.txt that a word-piece tokenizer.json stands for, and takes over what it says of case and
/// accents.
pub(super) fn word_pieces(
    folder: &ModelFolder,
    json: &Path,
    scratch: &Scratch,
) -> Result<(PathBuf, TokenizerConfig), EncoderError> {
    let failed = |reason: String| broken(&folder.root, format!("{}: {reason}", json.display()));
    let text = std::fs::read_to_string(json).map_err(|error| failed(error.to_string()))?;
    let tokenizer: Value = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let model = &tokenizer["model"];
    let vocabulary = model["vocab"].as_object().filter(|_| model["type"] == "WordPiece");
    let vocabulary = vocabulary.ok_or_else(|| {
        failed("is no word-piece tokenizer; rust-bert needs the vocabulary file beside it".into())
    })?;

    let mut lines = vec![""; vocabulary.len()];
    for (piece, id) in vocabulary {
        // A line number is the piece's id, so a gap would shift every piece behind it.
        let line = id.as_u64().and_then(|id| lines.get_mut(usize::try_from(id).ok()?));
        *line.ok_or_else(|| failed(format!("`{piece}` has the number {id}, of {}", vocabulary.len())))? =
            piece;
    }
    let path = scratch.0.join("vocab.txt");
    std::fs::write(&path, lines.join("\n")).map_err(|error| failed(error.to_string()))?;

    let normalizer = &tokenizer["normalizer"];
    let config = TokenizerConfig {
        do_lower_case: normalizer["lowercase"].as_bool().or(folder.tokenizer.do_lower_case),
        strip_accents: normalizer["strip_accents"].as_bool().or(folder.tokenizer.strip_accents),
        ..TokenizerConfig::default()
    };
    Ok((path, config))
}

fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
}

/// Reads all tensors, has them renamed, and writes them anew.
fn rewrite(
    folder: &ModelFolder,
    from: &Path,
    to: &Path,
    change: impl FnOnce(Vec<(String, Tensor)>) -> Vec<(String, Tensor)>,
) -> Result<PathBuf, EncoderError> {
    let failed = |error: tch::TchError| broken(&folder.root, format!("{}: {error}", from.display()));
    let tensors = change(Tensor::read_safetensors(from).map_err(failed)?);
    Tensor::write_safetensors(&tensors, to).map_err(failed)?;
    Ok(to.to_owned())
}

/// The names in a safetensors file, from its header alone: eight bytes of length, then JSON.
fn tensor_names(root: &Path, path: &Path) -> Result<HashSet<String>, EncoderError> {
    let failed = |reason: String| broken(root, format!("{}: {reason}", path.display()));
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let mut header = Vec::new();
        file.take(u64::from_le_bytes(length).min(MAX_HEADER)).read_to_end(&mut header)?;
        Ok(header)
    };
    let header = read().map_err(|error| failed(error.to_string()))?;
    let header: serde_json::Map<String, Value> =
        serde_json::from_slice(&header).map_err(|error| failed(format!("no safetensors file: {error}")))?;
    Ok(header.into_iter().map(|(name, _)| name).filter(|name| name != "__metadata__").collect())
}
