//! A sentence-transformers folder as it lies on disk: which files the model consists of, and their common
//! hash.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::EncoderError;

const FOLDER_CURE: &str = "start in the folder that holds models/, or name another sentence-transformers folder \
                           in guichet.toml";
const FILE_CURE: &str = "copy the whole folder that sentence-transformers saved";
const WEIGHTS_CURE: &str =
    "save the model again with sentence-transformers 2.3 or later, which writes model.safetensors";

/// The transformers that rust-bert has sentence embeddings for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    Bert,
    DistilBert,
    Roberta,
    Albert,
    T5,
}

/// The vocabulary files of a tokenizer, by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// vocab.txt, one word piece per line.
    WordPiece(PathBuf),
    /// tokenizer.json of a word-piece tokenizer saved without its vocab.txt, as newer versions of
    /// transformers do.
    WordPieceJson(PathBuf),
    /// vocab.json and merges.txt.
    BytePairs(PathBuf, PathBuf),
    /// sentencepiece.bpe.model in the numbering of XLM-RoBERTa, which multilingual models use under any
    /// architecture.
    XlmRoberta(PathBuf),
    /// spiece.model of ALBERT or T5.
    SentencePiece(PathBuf),
}

/// The dense layer that some models have after pooling.
#[derive(Debug)]
pub(super) struct Dense {
    pub config: PathBuf,
    pub weights: PathBuf,
}

/// What tokenizer_config.json says; a missing file says nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TokenizerConfig {
    pub do_lower_case: Option<bool>,
    pub strip_accents: Option<bool>,
    pub add_prefix_space: Option<bool>,
    pub tokenizer_class: Option<String>,
}

#[derive(Deserialize)]
struct TransformerConfig {
    model_type: String,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct SentenceConfig {
    do_lower_case: bool,
}

/// A folder with every file the model needs.
#[derive(Debug)]
pub(super) struct ModelFolder {
    pub root: PathBuf,
    pub architecture: Architecture,
    pub modules: PathBuf,
    pub config: PathBuf,
    pub sentence_config: PathBuf,
    pub weights: PathBuf,
    pub pooling: PathBuf,
    pub dense: Option<Dense>,
    pub vocabulary: Vocabulary,
    pub tokenizer: TokenizerConfig,
    /// Lower-case the text first, whatever the tokenizer does.
    pub lower_case: bool,
    tokenizer_config: Option<PathBuf>,
}

impl ModelFolder {
    /// Finds the model's files. Errors: the file that is missing, or why rust-bert has no such model.
    pub(super) fn open(root: &Path) -> Result<Self, EncoderError> {
        let modules = existing(existing(root.to_owned(), FOLDER_CURE)?.join("modules.json"), FILE_CURE)?;
        let list: Vec<Module> = parse(root, &modules)?;
        let (transformer, pooling, dense) = match order(&list) {
            Some(found) => found,
            None => {
                let kinds: Vec<&str> = list.iter().map(Module::last_name).collect();
                return Err(broken(
                    root,
                    format!(
                        "modules.json lists {kinds:?}; what can be run is Transformer, Pooling, Dense, Normalize, \
                         the last two optional"
                    ),
                ));
            }
        };

        let base = root.join(&transformer.path);
        let config = existing(base.join("config.json"), FILE_CURE)?;
        let model_type = parse::<TransformerConfig>(root, &config)?.model_type;
        let sentence_config = existing(base.join("sentence_bert_config.json"), FILE_CURE)?;
        let lower_case = parse::<SentenceConfig>(root, &sentence_config)?.do_lower_case;
        let tokenizer_config = Some(base.join("tokenizer_config.json")).filter(|path| path.exists());
        let tokenizer: TokenizerConfig = match &tokenizer_config {
            Some(path) => parse(root, path)?,
            None => TokenizerConfig::default(),
        };

        let (architecture, vocabulary) = tokenizer_files(root, &base, &model_type, &tokenizer)?;
        let dense = match dense {
            Some(module) => {
                let folder = root.join(&module.path);
                Some(Dense {
                    config: existing(folder.join("config.json"), FILE_CURE)?,
                    weights: weights(&folder)?,
                })
            }
            None => None,
        };
        Ok(ModelFolder {
            architecture,
            config,
            sentence_config,
            weights: weights(&base)?,
            pooling: existing(root.join(&pooling.path).join("config.json"), FILE_CURE)?,
            dense,
            vocabulary,
            tokenizer,
            lower_case,
            tokenizer_config,
            modules,
            root: root.to_owned(),
        })
    }

    /// SHA-256 over everything that decides a vector: the model's files and `settings`, in 32 hexadecimal
    /// digits.
    pub(super) fn content_hash(&self, settings: &str) -> Result<String, EncoderError> {
        let mut hash = Sha256::new();
        hash.update(settings.as_bytes());
        let mut files =
            vec![&self.modules, &self.config, &self.sentence_config, &self.pooling, &self.weights];
        files.extend(self.tokenizer_config.as_ref());
        files.extend(self.dense.iter().flat_map(|dense| [&dense.config, &dense.weights]));
        match &self.vocabulary {
            Vocabulary::BytePairs(words, merges) => files.extend([words, merges]),
            Vocabulary::WordPiece(path) | Vocabulary::WordPieceJson(path) => files.push(path),
            Vocabulary::XlmRoberta(path) | Vocabulary::SentencePiece(path) => files.push(path),
        }
        for path in files {
            let failed = |error: std::io::Error| broken(&self.root, format!("{}: {error}", path.display()));
            let mut file = File::open(path).map_err(failed)?;
            // The length keeps one file's end and the next one's beginning apart.
            hash.update(file.metadata().map_err(failed)?.len().to_le_bytes());
            let mut buffer = vec![0; 1 << 18];
            loop {
                match file.read(&mut buffer).map_err(failed)? {
                    0 => break,
                    read => hash.update(&buffer[..read]),
                }
            }
        }
        Ok(hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Module {
    /// "sentence_transformers.models.Pooling" and its newer spellings all end in the name that counts.
    fn last_name(&self) -> &str {
        self.kind.rsplit('.').next().unwrap_or_default()
    }
}

/// Transformer, pooling and dense modules, if these are all and in the order that rust-bert runs them.
///
/// rust-bert itself would leave out a second dense layer, and give vectors that are quietly wrong.
fn order(modules: &[Module]) -> Option<(&Module, &Module, Option<&Module>)> {
    let kinds: Vec<&str> = modules.iter().map(Module::last_name).collect();
    match kinds.as_slice() {
        ["Transformer", "Pooling"] | ["Transformer", "Pooling", "Normalize"] => {
            Some((&modules[0], &modules[1], None))
        }
        ["Transformer", "Pooling", "Dense"] | ["Transformer", "Pooling", "Dense", "Normalize"] => {
            Some((&modules[0], &modules[1], Some(&modules[2])))
        }
        _ => None,
    }
}

/// The architecture and the vocabulary it comes with.
fn tokenizer_files(
    root: &Path,
    base: &Path,
    model_type: &str,
    tokenizer: &TokenizerConfig,
) -> Result<(Architecture, Vocabulary), EncoderError> {
    let architecture = match model_type {
        "bert" => Architecture::Bert,
        "distilbert" => Architecture::DistilBert,
        "roberta" | "xlm-roberta" => Architecture::Roberta,
        "albert" => Architecture::Albert,
        "t5" => Architecture::T5,
        other => {
            return Err(broken(
                root,
                format!("rust-bert has no sentence embeddings for the model type `{other}`"),
            ));
        }
    };
    let path = |name: &str| base.join(name);
    let has = |name: &str| path(name).exists();
    let vocabulary = match architecture {
        Architecture::Albert | Architecture::T5 => {
            Vocabulary::SentencePiece(existing(path("spiece.model"), FILE_CURE)?)
        }
        _ if model_type == "xlm-roberta"
            || has("sentencepiece.bpe.model") && !has("vocab.txt") && !has("vocab.json") =>
        {
            // The same file name, other numbers: the vectors would be quietly wrong.
            if tokenizer.tokenizer_class.as_deref().is_some_and(|class| class.starts_with("Camembert")) {
                return Err(broken(root, "rust-bert has no tokenizer for CamemBERT".into()));
            }
            Vocabulary::XlmRoberta(existing(path("sentencepiece.bpe.model"), FILE_CURE)?)
        }
        Architecture::Roberta => Vocabulary::BytePairs(
            existing(path("vocab.json"), FILE_CURE)?,
            existing(path("merges.txt"), FILE_CURE)?,
        ),
        Architecture::Bert | Architecture::DistilBert if !has("vocab.txt") && has("tokenizer.json") => {
            Vocabulary::WordPieceJson(path("tokenizer.json"))
        }
        Architecture::Bert | Architecture::DistilBert => {
            Vocabulary::WordPiece(existing(path("vocab.txt"), FILE_CURE)?)
        }
    };
    Ok((architecture, vocabulary))
}

/// The weights in a form that tch reads: converted for rust-bert, or as sentence-transformers saves them.
fn weights(folder: &Path) -> Result<PathBuf, EncoderError> {
    let converted = folder.join("rust_model.ot");
    if converted.exists() { Ok(converted) } else { existing(folder.join("model.safetensors"), WEIGHTS_CURE) }
}

fn existing(path: PathBuf, cure: &'static str) -> Result<PathBuf, EncoderError> {
    if path.exists() { Ok(path) } else { Err(EncoderError::Missing { path, cure }) }
}

fn parse<T: DeserializeOwned>(root: &Path, path: &Path) -> Result<T, EncoderError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| broken(root, format!("{}: {error}", path.display())))?;
    serde_json::from_str(&text).map_err(|error| broken(root, format!("{}: {error}", path.display())))
}

/// A folder that this program cannot use, and why.
pub(super) fn broken(root: &Path, reason: String) -> EncoderError {
    EncoderError::Load { folder: root.to_owned(), reason }
}
