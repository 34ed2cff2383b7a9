//! `guichet import` and `guichet export`: examples from and to other systems.

use super::refuse;
use crate::model::{Lang, OUT_OF_SCOPE};
use crate::nlu::exchange::{self, Foreign, Inserted, Read};
use crate::nlu::language::LanguageModel;
use crate::nlu::normalise::Normalised;
use crate::nlu::pack::{IntentPack, PackError, without_annotations};
use anyhow::Context as _;
use comfy_table::{Table, presets};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Rasa's nlu.yml
    Rasa,
    /// text,intent,lang with a header
    Csv,
    /// {"text", "intent", "lang"} on each line
    Jsonl,
}

#[derive(Debug, Clone, clap::Args)]
pub struct ImportArgs {
    /// Rasa's nlu.yml, CSV (.csv) or JSON Lines (.jsonl)
    pub file: PathBuf,
    /// What kind of file it is, where its ending does not tell
    #[arg(long)]
    pub format: Option<Format>,
    /// The language of the examples, where the file does not tell; without it, each is guessed from its words
    #[arg(long)]
    pub lang: Option<String>,
    /// An intent's name there and here, such as ask_time=schedules.next_departure; repeat as needed
    #[arg(long = "map", value_name = "THEIRS=OURS")]
    pub maps: Vec<String>,
    /// Show what would be added, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// The language whose examples are written
    #[arg(long, default_value = "fr")]
    pub lang: String,
    /// Where to; without it, to the terminal
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// Exit code 2: the file or an argument must be corrected first.
pub fn import(args: &ImportArgs, folder: &Path) -> anyhow::Result<ExitCode> {
    let pack = match IntentPack::load(folder) {
        Ok(pack) => pack,
        Err(errors) => return Ok(refuse(&errors)),
    };
    let (Some(lang), Some(maps)) = (language(args.lang.as_deref()), maps(&args.maps)) else {
        eprintln!("write --lang fr, and --map theirs=domain.name");
        return Ok(ExitCode::from(2));
    };
    let text = std::fs::read_to_string(&args.file).with_context(|| args.file.display().to_string())?;
    let read = match format(args) {
        Format::Rasa => exchange::from_rasa(&text, lang),
        Format::Csv => exchange::from_csv(&text, lang),
        Format::Jsonl => exchange::from_json_lines(&text, lang),
    };
    let read = match read {
        Ok(read) => read,
        Err(error) => {
            eprintln!("{}: {error}", args.file.display());
            return Ok(ExitCode::from(2));
        }
    };
    left_out(&read);
    let guess = LanguageModel::learn(&pack);
    let ours = |example: Foreign| {
        let intent =
            maps.get(&example.intent).cloned().unwrap_or_else(|| exchange::intent_name(&example.intent));
        let plain = without_annotations(&example.text);
        let lang = example.lang.unwrap_or_else(|| guess.detect(&Normalised::new(&plain), &[], None));
        (intent, lang, example)
    };
    let done = exchange::insert(&pack, folder, read.examples.into_iter().map(ours).collect())?;
    if let Err(errors) = tried(folder, &done)? {
        eprintln!("with these examples the intent files could not be read; nothing was changed:");
        return Ok(refuse(&errors));
    }
    if !args.dry_run {
        for (path, content) in &done.files {
            // Whole or not at all: a server may be reading it.
            let part = path.with_extension("part");
            std::fs::write(&part, content).with_context(|| part.display().to_string())?;
            std::fs::rename(&part, path).with_context(|| path.display().to_string())?;
        }
    }
    report(&done, args.dry_run);
    Ok(ExitCode::SUCCESS)
}

/// Writes the examples of one language as Rasa's `nlu.yml`.
pub fn export(args: &ExportArgs, folder: &Path) -> anyhow::Result<ExitCode> {
    let pack = match IntentPack::load(folder) {
        Ok(pack) => pack,
        Err(errors) => return Ok(refuse(&errors)),
    };
    let Some(lang) = Lang::new(&args.lang).filter(|lang| pack.languages().contains(lang)) else {
        let known: Vec<String> = pack.languages().iter().map(Lang::to_string).collect();
        eprintln!("there are no examples in '{}'. Cure: one of {}", args.lang, known.join(", "));
        return Ok(ExitCode::from(2));
    };
    let text = exchange::to_rasa(&pack, lang);
    match &args.out {
        Some(path) => std::fs::write(path, text).with_context(|| path.display().to_string())?,
        None => print!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the folder as it would be, from a copy.
fn tried(folder: &Path, done: &Inserted) -> anyhow::Result<Result<(), Vec<PackError>>> {
    let copy = std::env::temp_dir().join(format!("guichet-import-{}", uuid::Uuid::now_v7())).join("intents");
    std::fs::create_dir_all(&copy)?;
    let fill = || -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_file() && !done.files.contains_key(&path) {
                std::fs::copy(&path, copy.join(path.file_name().unwrap_or_default()))?;
            }
        }
        done.files.iter().try_for_each(|(path, text)| {
            std::fs::write(copy.join(path.file_name().unwrap_or_default()), text)
        })
    };
    let read = fill().map(|()| IntentPack::load(&copy).map(drop));
    let removed = copy.parent().map_or(Ok(()), std::fs::remove_dir_all);
    let read = read?;
    removed?;
    Ok(read)
}

/// `Some(None)`: not said. `None`: said wrongly.
fn language(code: Option<&str>) -> Option<Option<Lang>> {
    code.map_or(Some(None), |code| Lang::new(code).map(Some))
}

/// `None`: one of them names no intent of ours.
fn maps(given: &[String]) -> Option<BTreeMap<String, String>> {
    let pair = |map: &String| {
        let (theirs, ours) = map.split_once('=')?;
        let ours = ours.trim();
        let good = ours == OUT_OF_SCOPE || ours.contains('.') && exchange::intent_name(ours) == ours;
        good.then(|| (theirs.trim().to_owned(), ours.to_owned()))
    };
    given.iter().map(pair).collect()
}

fn format(args: &ImportArgs) -> Format {
    args.format.unwrap_or_else(|| match args.file.extension().and_then(|e| e.to_str()) {
        Some("csv") => Format::Csv,
        Some("jsonl" | "ndjson" | "json") => Format::Jsonl,
        _ => Format::Rasa,
    })
}

fn left_out(read: &Read) {
    if !read.unknown_entities.is_empty() {
        println!("entities without a role of ours, their text kept: {}", read.unknown_entities.join(", "));
    }
    if !read.passed_over.is_empty() {
        println!("passed over: {}", read.passed_over.join(", "));
    }
}

fn report(done: &Inserted, dry: bool) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["intent", "language", "new examples"]);
    for ((intent, lang), count) in &done.added {
        table.add_row([intent.clone(), lang.to_string(), count.to_string()]);
    }
    println!("{table}");
    let files: Vec<String> = done.files.keys().map(|path| path.display().to_string()).collect();
    let verb = if dry { "would change" } else { "changed" };
    println!("{} known already; {verb}: {}", done.known, files.join(", "));
    if !dry {
        println!("next: `guichet check`, and write a response for each new intent");
    }
}
