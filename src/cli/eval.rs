//! `guichet eval`: how well messages are understood.

use crate::model::Timestamp;
use crate::nlu::entities::stations::Gazetteer;
use crate::nlu::evaluate::{Judged, LineError, Metrics, as_pack, judge, read_cases};
use crate::nlu::pack::{IntentPack, PackError};
use crate::nlu::{Embedder, Nlu};
use comfy_table::{Table, presets};
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Confusions shown.
const WORST: usize = 10;

#[derive(Debug, Clone, clap::Args)]
pub struct EvalArgs {
    /// Messages with what is to be understood, as JSON Lines
    #[arg(long)]
    pub test: PathBuf,
    /// Messages to learn from instead of the intent files, as JSON Lines with any intent names
    #[arg(long)]
    pub train: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What the configuration says.
pub struct EvalSettings<'a> {
    pub intents: &'a Path,
    pub gazetteer: Gazetteer,
    pub embedder: Option<Embedder>,
    pub timezone: TimeZone,
    pub now: Timestamp,
}

/// Exit code 2: a file is wrong.
pub fn run(args: &EvalArgs, settings: EvalSettings<'_>) -> anyhow::Result<ExitCode> {
    let cases = match read_cases(&args.test) {
        Ok(cases) => cases,
        Err(errors) => return Ok(refuse_lines(&errors)),
    };
    let pack = match &args.train {
        Some(path) => match read_cases(path) {
            Ok(cases) => as_pack(&cases, &path.display().to_string()),
            Err(errors) => return Ok(refuse_lines(&errors)),
        },
        None => match IntentPack::load(settings.intents) {
            Ok(pack) => pack,
            Err(errors) => return Ok(refuse_pack(&errors)),
        },
    };
    let nlu = Nlu::train(pack, settings.gazetteer, settings.embedder, settings.timezone);
    if let Err(e) = nlu.complete(&|_, _| {}) {
        eprintln!("the encoder failed, measuring n-grams only: {e}");
    }
    let judged = judge(&nlu, cases, settings.now);
    let metrics = Metrics::of(&judged);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&metrics)?);
    } else {
        print(&metrics, &judged);
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse_lines(errors: &[LineError]) -> ExitCode {
    errors.iter().for_each(|error| eprintln!("{error}"));
    ExitCode::from(2)
}

fn refuse_pack(errors: &[PackError]) -> ExitCode {
    errors.iter().for_each(|error| eprintln!("{error}"));
    ExitCode::from(2)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header.to_vec());
    table
}

fn print(metrics: &Metrics, judged: &[Judged]) {
    let mut all = table(&["what", "value"]);
    let out = &metrics.out_of_scope;
    for (name, value) in [
        ("model", metrics.model.clone()),
        ("messages", metrics.n.to_string()),
        ("accuracy", percent(metrics.accuracy)),
        ("macro F1", percent(metrics.macro_f1)),
        ("out of scope: precision", percent(out.precision)),
        ("out of scope: recall", percent(out.recall)),
        ("out of scope: AUROC", percent(out.auroc)),
        ("in scope, rejected", percent(out.in_scope_rejected)),
        ("calibration error", percent(metrics.calibration.ece)),
        ("tone accuracy", percent(metrics.tone.accuracy)),
        ("p50, p99", format!("{} µs, {} µs", metrics.latency_us.p50, metrics.latency_us.p99)),
    ] {
        all.add_row(vec![name.to_owned(), value]);
    }
    for (name, share) in metrics.by_lang.iter().chain(&metrics.by_style) {
        all.add_row(vec![format!("accuracy, {name} ({})", share.n), percent(share.accuracy)]);
    }
    for (coverage, precision) in &metrics.risk_coverage {
        all.add_row(vec![format!("right among the surest {coverage} %"), percent(*precision)]);
    }
    println!("{all}");
    let mut intents = table(&["intent", "precision", "recall", "F1", "messages"]);
    for (name, m) in &metrics.by_intent {
        let cells = [percent(m.precision), percent(m.recall), percent(m.f1), m.n.to_string()];
        intents.add_row(std::iter::once(name.clone()).chain(cells));
    }
    println!("{intents}");
    let mut roles = table(&["entity", "precision", "recall", "F1"]);
    for (name, role) in &metrics.entities.by_role {
        roles.add_row(vec![name.clone(), percent(role.precision), percent(role.recall), percent(role.f1)]);
    }
    if !metrics.entities.by_role.is_empty() {
        println!("{roles}");
    }
    println!("{}", confusions(judged));
}

fn confusions(judged: &[Judged]) -> Table {
    let mut counts = std::collections::BTreeMap::<(&str, &str), usize>::new();
    for j in judged {
        if let Some(expected) = j.case.intent.as_deref().filter(|expected| *expected != j.intent()) {
            *counts.entry((expected, j.intent())).or_default() += 1;
        }
    }
    let mut worst: Vec<_> = counts.into_iter().collect();
    worst.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let mut shown = table(&["expected", "understood as", "times"]);
    for ((expected, got), count) in worst.into_iter().take(WORST) {
        shown.add_row(vec![expected.to_owned(), got.to_owned(), count.to_string()]);
    }
    shown
}
