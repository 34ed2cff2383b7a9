//! `guichet eval`: how well messages are understood.

use super::{progress, refuse};
use crate::model::Timestamp;
use crate::nlu::entities::stations::Gazetteer;
use crate::nlu::evaluate::{
    Curves, FOLDS, Judged, LearningPoint, Metrics, TestCase, as_pack, cross_validate, is_set_aside, judge,
    read_cases, report,
};
use crate::nlu::pack::IntentPack;
use crate::nlu::{Means, Nlu};
use comfy_table::{Table, presets};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Confusions shown.
const WORST: usize = 10;
/// Parts of the examples that the learning curve learns from: each so-many-th.
const CURVE: [usize; 4] = [16, 8, 4, 2];

#[derive(Debug, Clone, clap::Args)]
pub struct EvalArgs {
    /// Messages with what is to be understood, as JSON Lines
    #[arg(long, required_unless_present = "cross_validate")]
    pub test: Option<PathBuf>,
    /// Messages to learn from instead of the intent files, as JSON Lines with any intent names
    #[arg(long)]
    pub train: Option<PathBuf>,
    /// Measure the intent files on themselves, each fifth read by a model that learned from the rest
    #[arg(long, conflicts_with = "test")]
    pub cross_validate: bool,
    /// Also write a report with curves, the confusion matrix and the worst errors
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What the configuration says.
pub struct EvalSettings<'a> {
    pub intents: &'a Path,
    pub gazetteer: Gazetteer,
    pub means: Means,
    pub now: Timestamp,
}

/// Exit code 2: a file is wrong.
pub fn run(args: &EvalArgs, settings: EvalSettings<'_>) -> anyhow::Result<ExitCode> {
    let mut settings = settings;
    let pack = match &args.train {
        Some(path) => match read_cases(path) {
            Ok(cases) => {
                // A foreign model would push the server's own off the shelf.
                settings.means.shelf = None;
                as_pack(&cases, &path.display().to_string())
            }
            Err(errors) => return Ok(refuse(&errors)),
        },
        None => match IntentPack::load(settings.intents) {
            Ok(pack) => pack,
            Err(errors) => return Ok(refuse(&errors)),
        },
    };
    if pack.examples.is_empty() {
        eprintln!("there is no example with an intent to learn from");
        return Ok(ExitCode::from(2));
    }
    let Some(test) = &args.test else {
        return cross_validated(args, &pack, &settings);
    };
    let cases = match read_cases(test) {
        Ok(cases) => cases,
        Err(errors) => return Ok(refuse(&errors)),
    };
    let title = format!("{} on {} examples", test.display(), pack.examples.len());
    let judged = learn_and_judge(pack.clone(), cases.clone(), &settings);
    let metrics = Metrics::of(&judged);
    if let Some(path) = &args.html {
        let mut learning = learning_curve(&pack, &cases, &settings);
        learning.push(LearningPoint { examples: pack.examples.len(), metrics: metrics.clone() });
        write_report(path, &title, &metrics, &judged, &learning)?;
    }
    tell(args, &metrics, &judged)?;
    Ok(ExitCode::SUCCESS)
}

fn learn_and_judge(pack: IntentPack, cases: Vec<TestCase>, settings: &EvalSettings<'_>) -> Vec<Judged> {
    let nlu = Nlu::train(pack, settings.gazetteer.clone(), settings.means.clone());
    if let Err(e) = nlu.complete(&progress("embedding")) {
        eprintln!("the encoder failed, measuring n-grams only: {e}");
    }
    judge(&nlu, cases, settings.now)
}

fn cross_validated(
    args: &EvalArgs,
    pack: &IntentPack,
    settings: &EvalSettings<'_>,
) -> anyhow::Result<ExitCode> {
    let parts = progress("cross-validating");
    let judged =
        cross_validate(pack, &settings.gazetteer, &settings.means, settings.now, &|done| parts(done, FOLDS))?;
    let metrics = Metrics::of(&judged);
    if let Some(path) = &args.html {
        let title = format!("cross-validation of {} examples", pack.examples.len());
        write_report(path, &title, &metrics, &judged, &[])?;
    }
    let aside: Vec<Judged> = judged.iter().filter(|judged| is_set_aside(judged)).cloned().collect();
    let aside = Metrics::of(&aside);
    if args.json {
        let both = serde_json::json!({"all": metrics, "set_aside": aside});
        println!("{}", serde_json::to_string_pretty(&both)?);
        return Ok(ExitCode::SUCCESS);
    }
    print(&metrics, &judged);
    println!(
        "on the {} examples that the shipped encoder was not adapted to: accuracy {}, calibration error {}",
        aside.n,
        percent(aside.accuracy),
        percent(aside.calibration.ece)
    );
    Ok(ExitCode::SUCCESS)
}

/// Accuracy when only part of the examples are learned from.
fn learning_curve(pack: &IntentPack, cases: &[TestCase], settings: &EvalSettings<'_>) -> Vec<LearningPoint> {
    let means = Means { shelf: None, ..settings.means.clone() };
    let settings = EvalSettings { gazetteer: settings.gazetteer.clone(), means, ..*settings };
    let point = |every: usize| {
        let mut counts = BTreeMap::new();
        let mut part = pack.clone();
        // The first of each intent and language, then every so many.
        part.examples.retain(|example| {
            let count = counts.entry((example.intent.clone(), example.lang)).or_insert(0usize);
            *count += 1;
            *count % every == 1
        });
        part.hash = format!("{}/{every}", pack.hash);
        let examples = part.examples.len();
        let judged = learn_and_judge(part, cases.to_vec(), &settings);
        LearningPoint { examples, metrics: Metrics::of(&judged) }
    };
    CURVE.into_iter().map(point).collect()
}

fn write_report(
    path: &Path,
    title: &str,
    metrics: &Metrics,
    judged: &[Judged],
    learning: &[LearningPoint],
) -> anyhow::Result<()> {
    std::fs::write(path, report(title, metrics, &Curves::of(judged), learning)?)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

fn tell(args: &EvalArgs, metrics: &Metrics, judged: &[Judged]) -> anyhow::Result<()> {
    if args.json {
        println!("{}", serde_json::to_string_pretty(metrics)?);
    } else {
        print(metrics, judged);
    }
    Ok(())
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
        ("out of scope: caught at 5 % rejected", percent(out.recall_at_5)),
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
