//! The commands. Exit code 0: done; 1: it failed; 2: a file, key or argument must be corrected first.

pub mod check;
mod demo;
mod doctor;
mod embed;
pub mod eval;
mod exchange;
mod learn;
mod serve;
pub mod simulate;
mod sms;
pub mod understand;
pub mod user;

use crate::app::{self, Library, Rejected};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{self, Config};
use crate::nlu::{Means, Nlu};
use crate::store::Store;
use crate::telemetry;
use clap::{Parser, Subcommand};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Customer messages of passenger transport: understood, answered, handed over, timed
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// Configuration file; guichet.toml when it exists
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve webhooks, web chat, console and API
    Serve(serve::ServeArgs),
    /// Check configuration, intents and responses
    Check(check::CheckArgs),
    /// Learn the intent files now, so that the next start answers with the full model at once
    Learn(learn::LearnArgs),
    /// Show what one message means
    Understand(understand::UnderstandArgs),
    /// Measure understanding on a file of messages
    Eval(eval::EvalArgs),
    /// Play dialogues through the real engine and tell what differs from what they expect
    Simulate(simulate::SimulateArgs),
    /// Tell what a text takes and costs as SMS, and how thrift would word it
    Sms(sms::SmsArgs),
    /// Print the encoder's vector of each text of a file
    Embed(embed::EmbedArgs),
    /// Add examples from Rasa's nlu.yml, CSV or JSON Lines to the intent files
    Import(exchange::ImportArgs),
    /// Write the examples of one language as Rasa's nlu.yml
    Export(exchange::ExportArgs),
    /// The people of the desk
    #[command(subcommand)]
    User(user::UserCommand),
    /// Tell what is configured, what is degraded, and why
    Doctor(doctor::DoctorArgs),
}

pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            let rejected = error.downcast_ref::<Rejected>().is_some()
                || error.downcast_ref::<config::ConfigError>().is_some();
            eprintln!("guichet: {error:#}");
            ExitCode::from(if rejected { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let environment = std::env::vars().collect();
    let config = config::load(cli.config.as_deref(), &environment)?;
    telemetry::init_logs(&config.log)?;
    match cli.command {
        Command::Serve(args) => {
            let runtime = runtime()?;
            let served = runtime.block_on(serve::run(&args, config));
            // A training in progress cannot be interrupted, and nobody waits for it any more.
            runtime.shutdown_background();
            served
        }
        Command::Check(args) => check::run(&args, &config),
        Command::Learn(args) => {
            let wanted = !config.nlu.encoder.as_os_str().is_empty();
            learn::run(&args, wanted, || with_ngrams(&config))
        }
        Command::Understand(args) => {
            let (nlu, timezone) = trained(&config)?;
            understand::run(&args, &nlu, &timezone, SystemClock.now())
        }
        Command::Eval(args) => {
            let library = Library::load(&config)?;
            let settings = eval::EvalSettings {
                intents: &config.files.intents,
                gazetteer: library.gazetteer,
                means: means(&config),
                now: SystemClock.now(),
            };
            eval::run(&args, settings)
        }
        Command::Simulate(args) => runtime()?.block_on(simulate::run(&args, &config)),
        Command::Sms(args) => sms::run(&args, &config),
        Command::Embed(args) => embed::run(&args, means(&config).embedder),
        Command::Import(args) => exchange::import(&args, &config.files.intents),
        Command::Export(args) => exchange::export(&args, &config.files.intents),
        Command::User(command) => runtime()?.block_on(async {
            let store = Store::open(config.database.url.expose(), config.database.connections).await?;
            let done = user::run(command, &store, &SystemClock, &mut std::io::stdin().lock()).await;
            store.close().await;
            println!("{}", done?);
            Ok(ExitCode::SUCCESS)
        }),
        Command::Doctor(args) => runtime()?.block_on(doctor::run(&args, &config)),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// The best model there is, from the shelf or trained now.
fn trained(config: &Config) -> anyhow::Result<(Nlu, jiff::tz::TimeZone)> {
    let nlu = with_ngrams(config)?;
    if let Err(error) = nlu.complete(&progress("embedding the examples")) {
        eprintln!("the encoder failed, n-grams only: {error}");
    }
    Ok((nlu, config.timezone()))
}

fn with_ngrams(config: &Config) -> anyhow::Result<Nlu> {
    let library = Library::load(config)?;
    Ok(Nlu::train(library.pack, library.gazetteer, means(config)))
}

/// What must be corrected first, a line each.
fn refuse(errors: &[impl std::fmt::Display]) -> ExitCode {
    errors.iter().for_each(|error| eprintln!("{error}"));
    ExitCode::from(2)
}

/// A bar on the terminal; nothing where nobody looks.
fn progress(what: &'static str) -> impl Fn(usize, usize) {
    let shown = std::io::stderr().is_terminal();
    move |done, of| {
        if shown {
            let bar = "█".repeat(30 * done / of.max(1));
            let end = if done >= of { "\n" } else { "" };
            eprint!("\r{what} {bar:<30} {done}/{of} {end}");
        }
    }
}

fn means(config: &Config) -> Means {
    let embedder = app::load_embedder(config).unwrap_or_else(|why| {
        eprintln!("n-grams only: {why}");
        None
    });
    app::means(config, embedder)
}
