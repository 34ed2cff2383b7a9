//! `guichet understand`: what one message means.

use crate::model::{EntityValue, Timestamp, Understanding};
use crate::nlu::{Context, Nlu};
use jiff::tz::TimeZone;
use std::process::ExitCode;

#[derive(Debug, Clone, clap::Args)]
pub struct UnderstandArgs {
    /// The message
    pub text: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `timezone`: in which times are shown.
pub fn run(
    args: &UnderstandArgs,
    nlu: &Nlu,
    timezone: &TimeZone,
    now: Timestamp,
) -> anyhow::Result<ExitCode> {
    let context = Context { conversation_lang: None, now, expected: None };
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
    for entity in &got.entities {
        println!("{:<9} \"{}\" → {}", entity.role, entity.surface, shown(&entity.value, timezone));
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
    }
}
