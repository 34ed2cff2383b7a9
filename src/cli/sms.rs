//! `guichet sms`: what a text takes and costs as SMS.

use crate::app;
use crate::clock::SystemClock;
use crate::config::{Config, Price};
use crate::sms::{Segments, segments, split, thrift};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read as _};
use std::process::ExitCode;
use std::sync::Arc;

/// Bytes of one text; an SMS of this length would be refused by every provider.
const LONGEST: usize = 1 << 20;

#[derive(Debug, Clone, clap::Args)]
pub struct SmsArgs {
    /// The text; - reads it from standard input
    text: String,
    /// Print JSON, a line for each text. With -, each line read is a text as JSON: "…" or {"text": "…"}
    #[arg(long)]
    json: bool,
    /// The channel whose price counts; left out: the only one that has a price
    #[arg(long)]
    channel: Option<String>,
}

/// A text as a line of standard input holds it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Text(String),
    Object { text: String },
}

/// What a text takes; `cost` in the operator's currency, none where no price is known.
#[derive(Serialize)]
struct Counted<'t> {
    #[serde(flatten)]
    taken: Segments,
    cost: Option<f64>,
    /// As they are sent.
    parts: Vec<&'t str>,
}

#[derive(Serialize)]
struct Report<'t> {
    #[serde(flatten)]
    written: Counted<'t>,
    within_budget: bool,
    thrift: Thrifty<'t>,
}

#[derive(Serialize)]
struct Thrifty<'t> {
    text: &'t str,
    #[serde(flatten)]
    counted: Counted<'t>,
}

/// Exit code 0: within `sms.segment_budget`, thrift counted where it is on; 1: some text is beyond it; 2: a channel or a line
/// is wrong.
pub fn run(args: &SmsArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let price = match price(args, config)? {
        Ok(price) => price,
        Err(wrong) => {
            eprintln!("{wrong}");
            return Ok(ExitCode::from(2));
        }
    };
    let counter = Counter { price, config };
    let mut within = true;
    let mut out = std::io::stdout().lock();
    if args.text != "-" {
        within &= counter.tell(&args.text, args.json, &mut out)?;
    } else if args.json {
        for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
            let line = line.with_context(|| format!("line {number} cannot be read"))?;
            if line.trim().is_empty() {
                continue;
            }
            let Some(text) = text_of(&line) else {
                eprintln!(
                    "line {number} is no text. Cure: write \"…\" or {{\"text\": \"…\"}}, at most {LONGEST} bytes"
                );
                return Ok(ExitCode::from(2));
            };
            within &= counter.tell(&text, true, &mut out)?;
        }
    } else {
        let mut text = String::new();
        std::io::stdin().lock().take(LONGEST as u64).read_to_string(&mut text)?;
        within &= counter.tell(text.trim_end_matches('\n'), false, &mut out)?;
    }
    Ok(ExitCode::from(u8::from(!within)))
}

fn text_of(line: &str) -> Option<String> {
    if line.len() > LONGEST {
        return None;
    }
    match serde_json::from_str(line).ok()? {
        Line::Text(text) | Line::Object { text } => Some(text),
    }
}

/// What a segment costs on the channel that is meant; the inner error is what to correct.
fn price(args: &SmsArgs, config: &Config) -> anyhow::Result<Result<Option<Price>, String>> {
    let prices = &config.sms.cost_per_segment;
    let Some(name) = &args.channel else {
        let mut known = prices.values();
        return Ok(Ok(known.next().copied().filter(|_| known.next().is_none())));
    };
    let channels = app::build_channels(config, Arc::new(SystemClock))?;
    if channels.is_sms(name) {
        return Ok(Ok(prices.get(name).copied()));
    }
    let sms: Vec<&str> = channels.names().filter(|name| channels.is_sms(name)).collect();
    let known =
        if sms.is_empty() { "none is configured".to_owned() } else { format!("they are {}", sms.join(", ")) };
    Ok(Err(format!("--channel: '{name}' is no channel that carries SMS; {known}")))
}

struct Counter<'a> {
    price: Option<Price>,
    config: &'a Config,
}

impl Counter<'_> {
    fn count<'t>(&self, text: &'t str) -> Counted<'t> {
        let taken = segments(text);
        let cost = self.price.map(|price| price.0 as f64 * taken.segments as f64 / 1e6);
        Counted { taken, cost, parts: split(text) }
    }

    /// Prints the report on one text. Whether it is within the budget.
    fn tell(&self, text: &str, json: bool, out: &mut impl std::io::Write) -> anyhow::Result<bool> {
        let thrifty = thrift(text);
        let (written, spared) = (self.count(text), self.count(&thrifty));
        let sent = if self.config.sms.thrift { &spared } else { &written };
        let within_budget = sent.taken.segments <= self.config.sms.segment_budget;
        if json {
            let thrift = Thrifty { text: &thrifty, counted: spared };
            serde_json::to_writer(&mut *out, &Report { written, within_budget, thrift })?;
            writeln!(out)?;
            return Ok(within_budget);
        }
        writeln!(out, "as written  {}", self.line(&written))?;
        if thrifty != text {
            writeln!(out, "with thrift {}\n\n{thrifty}", self.line(&spared))?;
        }
        if !within_budget {
            writeln!(out, "\nbeyond sms.segment_budget = {}", self.config.sms.segment_budget)?;
        }
        Ok(within_budget)
    }

    fn line(&self, counted: &Counted<'_>) -> String {
        let Segments { encoding, units, segments } = counted.taken;
        let cost =
            counted.cost.map(|cost| format!(", {cost} {}", self.config.sms.currency)).unwrap_or_default();
        format!("{}, {units} units, {segments} SMS{cost}", encoding.as_str())
    }
}
