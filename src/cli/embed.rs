//! `guichet embed`: the encoder's vectors, for measuring other classifiers on them.

use crate::nlu::Embedder;
use anyhow::Context as _;
use serde::Deserialize;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Texts embedded at a time.
const BATCH: usize = 256;

#[derive(Debug, Clone, clap::Args)]
pub struct EmbedArgs {
    /// JSON Lines with a `text` in each
    pub file: PathBuf,
}

#[derive(Deserialize)]
struct Line {
    text: String,
}

/// Prints one JSON array a line. Exit code 1: there is no encoder.
pub fn run(args: &EmbedArgs, embedder: Option<Embedder>) -> anyhow::Result<ExitCode> {
    let Some(embedder) = embedder else {
        eprintln!("no encoder is configured");
        return Ok(ExitCode::FAILURE);
    };
    let file = std::fs::File::open(&args.file).with_context(|| args.file.display().to_string())?;
    let mut texts = Vec::new();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let at = || format!("{}:{}", args.file.display(), index + 1);
        texts.push(serde_json::from_str::<Line>(&line.with_context(at)?).with_context(at)?.text);
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for batch in texts.chunks(BATCH) {
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        for vector in embedder.encoder.encode(&batch)? {
            serde_json::to_writer(&mut out, &vector)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
