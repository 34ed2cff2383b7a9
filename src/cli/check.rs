//! `guichet check`, as far as the intents go: what is wrong, and what is weak, with file and line.

use crate::nlu::aliases::AliasFile;
use crate::nlu::normalise::squeeze;
use crate::nlu::pack::{Example, IntentPack, PackError};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::ExitCode;

/// Fewer examples than this per intent and language are learned from poorly.
const FEW_EXAMPLES: usize = 8;
/// A language with less than this share of the examples of the intent's best one is neglected.
const BALANCE: f64 = 0.4;

#[derive(Debug, Clone, clap::Args)]
pub struct CheckIntentsArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Nothing is loaded while one of these stands.
    pub errors: Vec<PackError>,
    /// It works, and could work better.
    pub warnings: Vec<PackError>,
}

impl Findings {
    /// 0: all good; 1: warnings; 2: errors.
    pub fn exit_code(&self) -> u8 {
        match (self.errors.is_empty(), self.warnings.is_empty()) {
            (false, _) => 2,
            (true, false) => 1,
            (true, true) => 0,
        }
    }
}

/// Checks the folder of intents and prints what it found.
pub fn run(args: &CheckIntentsArgs, intents: &Path) -> anyhow::Result<ExitCode> {
    let findings = intents_folder(intents);
    if args.json {
        let list = |found: &[PackError]| -> Vec<serde_json::Value> {
            let entry = |e: &PackError| serde_json::json!({"file": e.file, "line": e.line, "what": e.what, "cure": e.cure});
            found.iter().map(entry).collect()
        };
        let report =
            serde_json::json!({"errors": list(&findings.errors), "warnings": list(&findings.warnings)});
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        findings.errors.iter().for_each(|error| println!("error: {error}"));
        findings.warnings.iter().for_each(|warning| println!("warning: {warning}"));
        println!("{} errors, {} warnings", findings.errors.len(), findings.warnings.len());
    }
    Ok(ExitCode::from(findings.exit_code()))
}

/// Everything wrong or weak in the folder of intents.
pub fn intents_folder(folder: &Path) -> Findings {
    let mut findings = Findings::default();
    if let Err(errors) = AliasFile::load(&folder.join("stations.yaml")) {
        findings.errors.extend(errors);
    }
    match IntentPack::load(folder) {
        Err(errors) => findings.errors.extend(errors),
        Ok(pack) => {
            duplicates(&pack, &mut findings);
            few_examples(&pack, &mut findings.warnings);
        }
    }
    findings.errors.sort();
    findings.warnings.sort();
    findings
}

/// The same text under two intents teaches nothing but doubt; twice under one only weighs it double.
fn duplicates(pack: &IntentPack, findings: &mut Findings) {
    let mut first: HashMap<String, &Example> = HashMap::new();
    for example in &pack.examples {
        let key = squeeze(&example.text);
        let Some(earlier) = first.get(key.as_str()).filter(|_| !key.is_empty()) else {
            first.insert(key, example);
            continue;
        };
        let at = format!("{}:{}", earlier.file, earlier.line);
        let finding = |what: String, cure: &str| PackError {
            file: example.file.clone(),
            line: example.line,
            what,
            cure: cure.to_owned(),
        };
        if earlier.intent == example.intent {
            findings
                .warnings
                .push(finding(format!("the same example stands at {at}"), "remove one of the two"));
        } else {
            let what = format!("the same example stands under '{}' at {at}", earlier.intent);
            findings.errors.push(finding(what, "keep it under the intent that should answer it"));
        }
    }
}

fn few_examples(pack: &IntentPack, warnings: &mut Vec<PackError>) {
    let langs = pack.languages();
    let mut counts: BTreeMap<&str, BTreeMap<_, usize>> = BTreeMap::new();
    let mut places: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for example in &pack.examples {
        *counts.entry(&example.intent).or_default().entry(example.lang).or_default() += 1;
        places.entry(&example.intent).or_insert((&example.file, example.line));
    }
    for (intent, by_lang) in counts {
        let most = by_lang.values().copied().max().unwrap_or(0);
        let (file, line) = places.get(intent).copied().unwrap_or_default();
        for lang in &langs {
            let count = by_lang.get(lang).copied().unwrap_or(0);
            let what = if count < FEW_EXAMPLES {
                format!("'{intent}' has {count} examples in {lang}")
            } else if (count as f64) < BALANCE * most as f64 {
                format!("'{intent}' has {count} examples in {lang} and {most} in another language")
            } else {
                continue;
            };
            let cure =
                format!("write at least {} in {lang}, from different people", most.max(FEW_EXAMPLES) / 2);
            warnings.push(PackError { file: file.to_owned(), line, what, cure });
        }
    }
}
