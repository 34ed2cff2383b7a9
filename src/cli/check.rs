//! `guichet check`: what is wrong, and what is weak, with file and line.

use crate::answers::Registry;
use crate::answers::compensation::Rules;
use crate::answers::responses::{Mismatch, ResponseError, Responses, SmsLength};
use crate::app;
use crate::channels;
use crate::clock::SystemClock;
use crate::config::{Config, SmsConfig};
use crate::model::IntentSpec;
use crate::nlu::aliases::AliasFile;
use crate::nlu::normalise::squeeze;
use crate::nlu::pack::{Example, IntentPack, PackError, near_duplicates};
use crate::sms::Segments;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::ExitCode;

/// Fewer examples than this per intent and language are learned from poorly.
const FEW_EXAMPLES: usize = 8;
/// A language with less than this share of the examples of the intent's best one is neglected.
const BALANCE: f64 = 0.4;

#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
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

/// Checks the channels' keys, the calendar of the opening hours, who is on call, the folder of intents and the responses, and prints what it found.
pub fn run(args: &CheckArgs, config: &Config) -> anyhow::Result<ExitCode> {
    app::build_channels(config, std::sync::Arc::new(SystemClock))?;
    app::opening_hours(config)?;
    app::on_call(config)?;
    let mut findings = intents_folder(&config.files.intents);
    for (key, what, cure) in channels::advice(&config.channels) {
        let what = format!("{key}: {what}");
        findings.warnings.push(PackError { file: "configuration".to_owned(), line: 0, what, cure });
    }
    if let Ok(pack) = IntentPack::load(&config.files.intents) {
        let sources = app::sources(config, &app::Trains::load(config).planner)?;
        findings.errors.extend(pack.specs.iter().filter_map(|spec| sources.unable(spec)));
        responses_folder(config, &pack.specs, &sources, &mut findings);
    }
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

/// Renders every response with sample data, and holds responses and intents together.
fn responses_folder(config: &Config, intents: &[IntentSpec], sources: &Registry, findings: &mut Findings) {
    let folder = &config.files.responses;
    if let Err(broken) = Rules::load(folder) {
        findings.errors.extend(broken.0.into_iter().map(pack_error));
    }
    match Responses::load(folder, config.operator.lang, intents, sources) {
        Err(broken) => findings.errors.extend(broken.0.into_iter().map(pack_error)),
        Ok(responses) => {
            findings.warnings.extend(long_sms(&responses, &config.sms));
            for mismatch in responses.missing(intents) {
                let unreachable = matches!(mismatch, Mismatch::Unreachable { .. });
                let what = mismatch.to_string();
                let (what, cure) = what.split_once("; ").unwrap_or((&what, "see there"));
                let found = PackError {
                    file: folder.display().to_string(),
                    line: 1,
                    what: what.to_owned(),
                    cure: cure.to_owned(),
                };
                if unreachable { findings.warnings.push(found) } else { findings.errors.push(found) }
            }
        }
    }
}

/// Responses that take more SMS than the budget, with the longest sample data and in their shortest wording.
fn long_sms(responses: &Responses, sms: &SmsConfig) -> Vec<PackError> {
    let lengths = responses.sms_lengths();
    let shortest = |of: &SmsLength| {
        let same =
            |other: &&SmsLength| (other.lang, &other.key, other.part()) == (of.lang, &of.key, of.part());
        lengths.iter().filter(same).map(|other| sms_of(other, sms).segments).min()
    };
    let long = lengths.iter().filter(|of| !of.variant.ends_with("_short"));
    long.filter(|of| shortest(of) > Some(sms.segment_budget))
        .map(|of| {
            let Segments { encoding, units, segments } = sms_of(of, sms);
            let what = format!(
                "'{}' ({}, {}) takes up to {segments} SMS ({units} units of {}); the budget is {}",
                of.key,
                of.variant,
                of.lang,
                encoding.as_str(),
                sms.segment_budget
            );
            let cure = match of.variant.as_str() {
                "text" => "write a short 'sms' beside it",
                "sms" => "shorten it, write an 'sms_short' beside it, or raise sms.segment_budget",
                "none" => "shorten it, write a 'none_short' beside it, or raise sms.segment_budget",
                _ => "shorten it, or raise sms.segment_budget",
            };
            PackError { file: of.file.clone(), line: of.line, what, cure: cure.to_owned() }
        })
        .collect()
}

fn sms_of(of: &SmsLength, sms: &SmsConfig) -> Segments {
    if sms.thrift { of.thrifty } else { of.written }
}

fn pack_error(error: ResponseError) -> PackError {
    PackError { file: error.file, line: error.line, what: error.what, cure: error.cure }
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
            alike(&pack, &mut findings.warnings);
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

/// Nearly the same words: another station, one word more.
fn alike(pack: &IntentPack, warnings: &mut Vec<PackError>) {
    for (first, second) in near_duplicates(pack) {
        let (first, second) = (&pack.examples[first], &pack.examples[second]);
        let other = if first.intent == second.intent { "" } else { " under another intent" };
        warnings.push(PackError {
            file: second.file.clone(),
            line: second.line,
            what: format!("nearly the same words as {}:{}{other}", first.file, first.line),
            cure: "say it as someone else would, or remove one of the two".to_owned(),
        });
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
