//! `guichet learn`: everything that a start would have to learn, learned now and kept.

use super::progress;
use crate::nlu::Nlu;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, Clone, clap::Args)]
pub struct LearnArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Embeds the examples, trains, and keeps both in the cache folder, so that the first message finds the full model. `train`
/// reads the n-grams. Exit code 1: an encoder is `wanted`, and it failed or could not be loaded.
pub fn run(
    args: &LearnArgs,
    wanted: bool,
    train: impl FnOnce() -> anyhow::Result<Nlu>,
) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let nlu = train()?;
    if let Err(error) = nlu.complete(&progress("embedding the examples")) {
        eprintln!("the encoder failed, n-grams only: {error}");
        return Ok(ExitCode::FAILURE);
    }
    let (examples, seconds) = (nlu.pack().examples.len(), start.elapsed().as_secs_f64());
    if args.json {
        let report = serde_json::json!({"examples": examples, "model": nlu.model_name(), "seconds": seconds});
        println!("{report}");
    } else {
        println!("learned {examples} examples, model: {}, in {seconds:.1} s", nlu.model_name());
    }
    let whole = !wanted || nlu.model_name() == "encoder";
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
