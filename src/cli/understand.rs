//! `guichet understand`: what one message means.

use crate::model::{EntityValue, Timestamp, Understanding};
use crate::nlu::{Context, Explanation, Nlu};
use jiff::tz::TimeZone;
use std::process::ExitCode;

/// Words shown with `--explain`.
const WORDS: usize = 8;

#[derive(Debug, Clone, clap::Args)]
pub struct UnderstandArgs {
    /// The message
    pub text: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Also tell why: the nearest examples and the words that decided
    #[arg(long)]
    pub explain: bool,
}

/// `timezone`: in which times are shown.
pub fn run(
    args: &UnderstandArgs,
    nlu: &Nlu,
    timezone: &TimeZone,
    now: Timestamp,
) -> anyhow::Result<ExitCode> {
    let context = Context { now, ..Context::default() };
    if args.explain {
        let why = nlu.explain(&args.text, &context);
        if args.json {
            println!("{}", serde_json::to_string_pretty(&why)?);
        } else {
            print(&why.understanding, timezone);
            print_why(&why);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let got = nlu.understand(&args.text, &context);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&got)?);
    } else {
        print(&got, timezone);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(got: &Understanding, timezone: &TimeZone) {
    println!("language  {}", got.lang);
    println!("tone      {}", got.tone);
    println!("model     {}", got.model);
    for score in &got.intents {
        println!("intent    {:5.1} %  {}", score.confidence * 100.0, score.intent);
    }
    for question in &got.questions {
        println!("question  {:5.1} %  {}", question.confidence * 100.0, question.intent);
    }
    for entity in &got.entities {
        println!("{:<9} \"{}\" → {}", entity.role, entity.surface, shown(&entity.value, timezone));
    }
}

fn print_why(why: &Explanation) {
    println!("\nthe words that decided, by what leaving them out takes from the probability");
    for word in why.words.iter().filter(|word| word.weight.abs() >= 0.01).take(WORDS) {
        let bar = "█".repeat((word.weight.max(0.0) * 20.0).ceil() as usize);
        println!("  {:+6.1} %  {:<20} {}", word.weight * 100.0, word.word, bar);
    }
    println!("\nthe nearest examples");
    for near in &why.nearest {
        println!(
            "  {:.2}  {:<28} {}  ({}:{})",
            near.similarity, near.intent, near.text, near.file, near.line
        );
    }
}

fn shown(value: &EntityValue, timezone: &TimeZone) -> String {
    let local = |at: &Timestamp| {
        at.to_jiff().to_zoned_datetime(timezone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    };
    match value {
        EntityValue::Station { station } => format!("{} ({})", station.name, station.id),
        EntityValue::Ambiguous { options } => {
            let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
            format!("one of {}", names.join(", "))
        }
        EntityValue::Time { start, end } if start == end => local(start),
        EntityValue::Time { start, end } => format!("{} – {}", local(start), local(end)),
        EntityValue::Train { number } => format!("train {number}"),
        EntityValue::Line { name } => format!("line {name}"),
        EntityValue::Reference { code } => format!("booking {code}"),
        EntityValue::Phone { number } => number.clone(),
        EntityValue::Email { address } => address.clone(),
    }
}
