//! A BERT of two layers and sixteen dimensions with random weights, made here: everything but the meaning is
//! real.

use std::fs;
use std::path::PathBuf;

use rust_bert::Config;
use rust_bert::bert::{BertConfig, BertForSentenceEmbeddings};
use tch::{Kind, Tensor, nn};
use tempfile::TempDir;

use super::*;

const WORDS: &str =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nle\ntrain\npour\nrennes\nest\nen\nretard\n##s\nquand\npart\n?";
const DENSE: &str = r#"{"in_features": 16, "out_features": 8, "bias": true, "activation_function": "torch.nn.modules.linear.Identity"}"#;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("in a folder")).expect("folder");
    fs::write(path, text).expect("written");
}

fn modules(kinds: &[&str]) -> String {
    let paths = |kind: &str| {
        if kind == "Transformer" { String::new() } else { format!("1_{kind}") }
    };
    let list: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(i, kind)| serde_json::json!({"idx": i, "name": i.to_string(), "path": paths(kind), "type": format!("sentence_transformers.models.{kind}")}))
        .collect();
    serde_json::to_string(&list).expect("json")
}

/// A whole model folder, always with the same weights.
fn tiny_model() -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    let root = folder.path();
    write(root, "modules.json", &modules(&["Transformer", "Pooling", "Normalize"]));
    let config = r#"{"model_type": "bert", "hidden_act": "gelu", "attention_probs_dropout_prob": 0.1, "hidden_dropout_prob": 0.1,
        "hidden_size": 16, "initializer_range": 0.5, "intermediate_size": 32, "max_position_embeddings": 64, "num_attention_heads": 2,
        "num_hidden_layers": 2, "type_vocab_size": 2, "vocab_size": 16}"#;
    write(root, "config.json", config);
    write(root, "sentence_bert_config.json", r#"{"max_seq_length": 32, "do_lower_case": false}"#);
    write(root, "vocab.txt", WORDS);
    let pooling = r#"{"word_embedding_dimension": 16, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true,
        "pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false}"#;
    write(root, "1_Pooling/config.json", pooling);

    let variables = nn::VarStore::new(Device::Cpu);
    let parsed = BertConfig::from_file(root.join("config.json"));
    let _model = BertForSentenceEmbeddings::new(variables.root(), &parsed);
    // Not libtorch's random numbers: all tests of the process draw from the same.
    let mut tensors: Vec<(String, Tensor)> = variables.variables().into_iter().collect();
    tensors.sort_by(|left, right| left.0.cmp(&right.0));
    for (place, (name, tensor)) in tensors.iter_mut().enumerate() {
        let size = tensor.size();
        let count = size.iter().product::<i64>();
        let waves = Tensor::arange(count, (Kind::Double, Device::Cpu)).square() * 0.37 + place as f64;
        *tensor = match size.len() {
            1 if name.ends_with("weight") => tensor.ones_like(),
            1 => tensor.zeros_like(),
            _ => (waves.sin() * 0.5).reshape(size).to_kind(Kind::Float),
        };
    }
    Tensor::write_safetensors(&tensors, root.join("model.safetensors")).expect("weights");
    folder
}

fn rewrite_weights(folder: &TempDir, change: impl FnOnce(Vec<(String, Tensor)>) -> Vec<(String, Tensor)>) {
    let path = folder.path().join("model.safetensors");
    let tensors = change(Tensor::read_safetensors(&path).expect("weights"));
    Tensor::write_safetensors(&tensors, &path).expect("weights");
}

fn load_error(folder: &Path) -> String {
    RustBertEncoder::load(folder).err().expect("does not load").to_string()
}

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[test]
fn vectors_are_of_length_one_and_the_same_alone_or_in_a_batch() {
    let folder = tiny_model();
    let encoder = RustBertEncoder::load(folder.path()).expect("loads");
    assert_eq!((encoder.dimensions(), encoder.id().len()), (16, 32));
    let texts =
        ["le train pour Rennes est en retard", "quand part le train ?", "", "RENNES", "des mots inconnus"];
    let long = "le train ".repeat(300);
    let texts: Vec<&str> = texts.into_iter().chain([long.as_str()]).collect();
    let together = encoder.encode(&texts).expect("encodes");
    for (text, vector) in texts.iter().zip(&together) {
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
        let alone = encoder.encode(&[text]).expect("encodes");
        assert!(cosine(&alone[0], vector) > 0.99999, "{text}");
    }
    let case = encoder.encode(&["Le TRAIN", "le train", "est en retard"]).expect("encodes");
    assert!(cosine(&case[0], &case[1]) > 0.99999, "BERT lower-cases unless told otherwise");
    assert!(cosine(&case[0], &case[2]) < 0.999);
}

#[test]
fn the_id_follows_the_content_not_the_place() {
    let (one, two) = (tiny_model(), tiny_model());
    let id = |folder: &TempDir| RustBertEncoder::load(folder.path()).expect("loads").id().to_owned();
    let first = id(&one);
    assert_eq!(first, id(&two));
    write(two.path(), "sentence_bert_config.json", r#"{"max_seq_length": 16, "do_lower_case": false}"#);
    assert_ne!(first, id(&two));
}

#[test]
fn what_is_missing_is_named_with_its_cure() {
    let nowhere = PathBuf::from("/nowhere/model");
    assert_eq!(
        load_error(&nowhere),
        "the encoder needs /nowhere/model, which does not exist; start in the folder that holds models/, or name another \
         sentence-transformers folder in guichet.toml"
    );
    for name in [
        "modules.json",
        "config.json",
        "sentence_bert_config.json",
        "vocab.txt",
        "model.safetensors",
        "1_Pooling/config.json",
    ] {
        let folder = tiny_model();
        fs::remove_file(folder.path().join(name)).expect("removed");
        let error = load_error(folder.path());
        assert!(error.contains(name) && error.contains("does not exist; "), "{error}");
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_the_reason() {
    let folder = tiny_model();
    write(folder.path(), "modules.json", &modules(&["Transformer", "Pooling", "Dense", "Dense"]));
    assert!(load_error(folder.path()).contains("Transformer, Pooling, Dense, Normalize"));

    let folder = tiny_model();
    write(folder.path(), "config.json", r#"{"model_type": "mpnet"}"#);
    assert!(load_error(folder.path()).contains("no sentence embeddings for the model type `mpnet`"));

    // rust-bert panics here; the reason has to come through all the same.
    let folder = tiny_model();
    write(folder.path(), "config.json", r#"{"model_type": "bert"}"#);
    assert!(load_error(folder.path()).contains("cannot be loaded"));

    let folder = tiny_model();
    write(folder.path(), "model.safetensors", "version https://git-lfs.github.com/spec/v1");
    assert!(load_error(folder.path()).contains("no safetensors file"));

    let folder = tiny_model();
    rewrite_weights(&folder, |mut tensors| {
        tensors.retain(|(name, _)| name != "embeddings.word_embeddings.weight");
        tensors
    });
    assert!(load_error(folder.path()).contains("embeddings.word_embeddings.weight"));
}

#[test]
fn weights_under_other_names_or_without_a_pooler_give_the_same_vectors() {
    let (plain, renamed) = (tiny_model(), tiny_model());
    rewrite_weights(&renamed, |mut tensors| {
        tensors.retain(|(name, _)| !name.starts_with("pooler."));
        for (name, _) in &mut tensors {
            *name = name
                .replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta");
        }
        tensors
    });
    let vector = |folder: &TempDir| {
        RustBertEncoder::load(folder.path()).expect("loads").encode(&["le train"]).expect("encodes")
    };
    assert_eq!(vector(&plain), vector(&renamed));
}

#[test]
fn a_vocabulary_in_tokenizer_json_is_the_same_vocabulary() {
    let (plain, json) = (tiny_model(), tiny_model());
    let vocabulary: serde_json::Map<String, serde_json::Value> =
        WORDS.lines().zip(0..).map(|(word, id)| (word.to_owned(), serde_json::Value::from(id))).collect();
    let tokenizer = serde_json::json!({"normalizer": {"lowercase": true, "strip_accents": null}, "model": {"type": "WordPiece", "vocab": vocabulary}});
    fs::remove_file(json.path().join("vocab.txt")).expect("removed");
    write(json.path(), "tokenizer.json", &tokenizer.to_string());
    let vector = |folder: &TempDir| {
        RustBertEncoder::load(folder.path())
            .expect("loads")
            .encode(&["Le train est en retards"])
            .expect("encodes")
    };
    assert_eq!(vector(&plain), vector(&json));

    write(json.path(), "tokenizer.json", r#"{"model": {"type": "Unigram", "vocab": []}}"#);
    assert!(load_error(json.path()).contains("is no word-piece tokenizer"));
}

#[test]
fn a_dense_layer_as_sentence_transformers_saves_it_is_applied() {
    let folder = tiny_model();
    write(folder.path(), "modules.json", &modules(&["Transformer", "Pooling", "Dense"]));
    write(folder.path(), "1_Dense/config.json", DENSE);
    let weight = Tensor::eye(16, (Kind::Float, Device::Cpu)).narrow(0, 0, 8).contiguous();
    let tensors =
        [("linear.weight", weight), ("linear.bias", Tensor::zeros([8], (Kind::Float, Device::Cpu)))];
    Tensor::write_safetensors(&tensors, folder.path().join("1_Dense/model.safetensors")).expect("weights");
    let encoder = RustBertEncoder::load(folder.path()).expect("loads");
    assert_eq!(encoder.dimensions(), 8);

    // The layer takes the first eight dimensions of the vector without it.
    let plain =
        RustBertEncoder::load(tiny_model().path()).expect("loads").encode(&["le train"]).expect("encodes");
    let head = super::super::unit(plain[0][..8].to_vec()).expect("a direction");
    let found = encoder.encode(&["le train"]).expect("encodes");
    assert!(cosine(&head, &found[0]) > 0.9999);
}
