//! `guichet simulate`: dialogues through the real engine. Exit code 0: all passed; 1: some did not; 2: a file is wrong.

use super::{progress, refuse};
use crate::config::Config;
use crate::simulate::report::{Outcome, Report, shown};
use crate::simulate::{Simulator, dialogue};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Clone, clap::Args)]
pub struct SimulateArgs {
    /// Dialogues as YAML or JSON Lines, or folders of them
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only the dialogue with this id; may be repeated
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// Show whole conversations, also those that passed
    #[arg(long)]
    pub verbose: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub async fn run(args: &SimulateArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let mut dialogues = match dialogue::read(&args.files) {
        Ok(dialogues) => dialogues,
        Err(errors) => return Ok(refuse(&errors)),
    };
    if !args.only.is_empty() {
        let known = |id: &&String| dialogues.iter().any(|dialogue| dialogue.id == **id);
        let unknown: Vec<String> = args.only.iter().filter(|id| !known(id)).map(no_such).collect();
        if !unknown.is_empty() {
            return Ok(refuse(&unknown));
        }
        dialogues.retain(|dialogue| args.only.contains(&dialogue.id));
    }
    let simulator =
        tokio::task::block_in_place(|| Simulator::prepare(config, &progress("embedding the examples")))?;
    let count = dialogues.len();
    let bar = progress("dialogues");
    let mut outcomes = Vec::with_capacity(count);
    for (done, dialogue) in dialogues.into_iter().enumerate() {
        let turns = simulator.play(&dialogue).await?;
        outcomes.push(Outcome { dialogue, turns });
        bar(done + 1, count);
    }
    let report = Report::of(simulator.model_name(), &outcomes);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for outcome in &outcomes {
            anstream::print!("{}", shown(outcome, args.verbose));
        }
        anstream::print!("{}", report.totals());
    }
    Ok(ExitCode::from(u8::from(!report.all_passed())))
}

fn no_such(id: &String) -> String {
    format!("--only {id}: no dialogue has this id. Cure: use an id of these files")
}
