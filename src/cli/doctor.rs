//! `guichet doctor`: what is configured, what is degraded, and why.

use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::content::Live;
use crate::model::Timestamp;
use crate::nlu::IntentPack;
use crate::store::Store;
use crate::transit::live::LiveHandle;
use crate::transit::navitia::Navitia;
use crate::transit::planner::LiveState;
use crate::transit::realtime::{Defaults, FeedStatus, Poller};
use crate::transit::reload::expiry;
use crate::transit::{LiveLimits, TimetableHandle};
use comfy_table::{Cell, Color, Table, presets};
use serde::Serialize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Clone, clap::Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// It works, with less.
    Degraded,
    /// The server would not start.
    Broken,
}

#[derive(Debug, Serialize)]
struct Finding {
    part: String,
    state: State,
    what: String,
}

/// Exit code 0: all well; 1: degraded; 2: something keeps the server from starting.
pub async fn run(args: &DoctorArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let mut findings = vec![server(config)];
    findings.extend(channels(config));
    findings.extend(files(config));
    findings.push(encoder(config));
    findings.extend(fulfilment(config));
    findings.extend(traffic(config).await);
    findings.extend(navitia(config).await);
    findings.extend(database(config).await);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        println!("{}", table(&findings));
    }
    let worst = |state| findings.iter().any(|f| f.state == state);
    Ok(ExitCode::from(if worst(State::Broken) { 2 } else { u8::from(worst(State::Degraded)) }))
}

fn finding(part: &str, state: State, what: impl Into<String>) -> Finding {
    Finding { part: part.to_owned(), state, what: what.into() }
}

fn server(config: &Config) -> Finding {
    let server = &config.server;
    let public = format!("{} (public {})", server.listen, server.public_url);
    let open = !server.listen.ip().is_loopback();
    if open && !server.secure_cookies() {
        let what = format!(
            "{public}: reachable from elsewhere without https. Cure: server.public_url = \"https://…\" behind a proxy"
        );
        return finding("server", State::Degraded, what);
    }
    finding("server", State::Ok, public)
}

fn channels(config: &Config) -> Vec<Finding> {
    match app::build_channels(config, Arc::new(SystemClock)) {
        Ok(channels) => {
            let names: Vec<&str> = channels.names().collect();
            let mut found = vec![finding("channels", State::Ok, names.join(", "))];
            let advice = crate::channels::advice(&config.channels).into_iter();
            found.extend(advice.map(|(key, what, cure)| {
                finding("channels", State::Degraded, format!("{key}: {what}. Cure: {cure}"))
            }));
            found
        }
        Err(rejected) => rejected.0.iter().map(|error| finding("channels", State::Broken, error)).collect(),
    }
}

fn files(config: &Config) -> Vec<Finding> {
    let app::Trains { timetable, planner, .. } = app::Trains::load(config);
    let sources = match app::sources(config, &planner) {
        Ok(sources) => sources,
        Err(rejected) => {
            return rejected.0.iter().map(|error| finding("answers", State::Broken, error)).collect();
        }
    };
    let mut found = match Live::load(&config.files, config.operator.lang, &sources) {
        Ok((pack, live)) => {
            let langs: Vec<String> = live.responses.languages().iter().map(ToString::to_string).collect();
            let what = format!(
                "{} intents, {} examples, {}",
                live.intents.len(),
                pack.examples.len(),
                langs.join(", ")
            );
            vec![finding("intents", State::Ok, what)]
        }
        Err(errors) => errors.iter().map(|error| finding("intents", State::Broken, error)).collect(),
    };
    found.push(timetable_finding(&timetable, config));
    found
}

/// Asks no address: what is told is what a start would answer with.
fn timetable_finding(timetable: &TimetableHandle, config: &Config) -> Finding {
    let problem = timetable.problem();
    let Some(table) = timetable.get() else {
        let why = problem.unwrap_or_else(|| "none is configured".to_owned());
        return finding("timetable", State::Degraded, format!("{why}; questions about trains go to people"));
    };
    let (first, last) = table.validity();
    let what = format!("{}: {} stations, {first} to {last}", table.source().label, table.stations().len());
    match expiry(&table, SystemClock.now(), config.timetable.warn_days) {
        Some(warning) => finding("timetable", State::Degraded, format!("{what}: it {warning}")),
        None => finding("timetable", State::Ok, what),
    }
}

fn encoder(config: &Config) -> Finding {
    match app::load_embedder(config) {
        Ok(Some(embedder)) => {
            let what =
                format!("{} ({} dimensions)", config.nlu.encoder.display(), embedder.encoder.dimensions());
            finding("encoder", State::Ok, what)
        }
        Ok(None) => finding("encoder", State::Degraded, "not configured: n-grams only"),
        Err(why) => finding("encoder", State::Degraded, format!("n-grams only: {why}")),
    }
}

/// Whether the operator's own service can be asked, where an intent wants it.
fn fulfilment(config: &Config) -> Option<Finding> {
    // Unreadable intents are told elsewhere.
    let pack = IntentPack::load(&config.files.intents).ok()?;
    let count = pack.specs.iter().filter(|spec| spec.url.is_some()).count();
    if count == 0 {
        return None;
    }
    let fulfilment = &config.fulfilment;
    let missing = if fulfilment.secret.is_empty() {
        "fulfilment.secret is missing. Cure: GUICHET__FULFILMENT__SECRET (openssl rand -hex 32)"
    } else if fulfilment.allow.is_empty() {
        "fulfilment.allow is empty. Cure: list the hosts that may be asked, [\"ops.example.com\"]"
    } else {
        let what = format!("{count} intents may ask {}", fulfilment.allow.join(", "));
        return Some(finding("fulfilment", State::Ok, what));
    };
    Some(finding("fulfilment", State::Broken, format!("{count} intents are answered by http, and {missing}")))
}

/// Asks each live feed once.
async fn traffic(config: &Config) -> Vec<Finding> {
    if config.traffic.feeds.is_empty() {
        return vec![finding("traffic", State::Ok, "no live feeds: scheduled times only")];
    }
    let now = SystemClock.now();
    let defaults = Defaults { lang: config.operator.lang, zone: config.timezone() };
    let mut poller =
        match Poller::new(&config.traffic, defaults, LiveHandle::default(), Arc::new(SystemClock)) {
            Ok(poller) => poller,
            Err(error) => return vec![finding("traffic", State::Broken, error)],
        };
    poller.poll_once(now).await;
    poller.status().iter().map(|feed| feed_finding(feed, now, config)).collect()
}

/// Asks Navitia once what its coverage is worth; nothing where it is not used.
async fn navitia(config: &Config) -> Option<Finding> {
    if !config.navitia.is_used() {
        return None;
    }
    let (now, limits) = (SystemClock.now(), LiveLimits::default());
    let built = Navitia::new(
        &config.navitia,
        limits,
        TimetableHandle::default(),
        config.operator.lang,
        config.timezone(),
    );
    let planner = match built {
        Ok(planner) => planner,
        Err(error) => return Some(finding("navitia", State::Broken, error)),
    };
    let of = match planner.refresh(now).await {
        Ok(of) => of,
        Err(why) => return Some(finding("navitia", State::Degraded, why.to_string())),
    };
    let what = |live: String| format!("{}: timetable of {}, {live}", of.label, of.timetable_as_of);
    Some(match of.live {
        LiveState::Absent => finding("navitia", State::Ok, what("no live data".to_owned())),
        LiveState::Fresh(at) => finding("navitia", State::Ok, what(format!("live data of {at}"))),
        LiveState::Old(at) => finding("navitia", State::Degraded, what(format!("old live data, of {at}"))),
        LiveState::Lost(at) => {
            let at = at.map_or_else(|| "never came".to_owned(), |at| format!("is of {at}, too old"));
            finding("navitia", State::Degraded, what(format!("live data {at}")))
        }
    })
}

fn feed_finding(feed: &FeedStatus, now: Timestamp, config: &Config) -> Finding {
    let part = format!("traffic {}", feed.name);
    let Some(as_of) = feed.as_of else {
        return finding(&part, State::Degraded, feed.failing.as_deref().unwrap_or("nothing came"));
    };
    let (age, dropped) = (now.since(as_of), feed.dropped.total());
    let mut what = format!("{} trips, {} alerts, made {as_of}", feed.trips, feed.alerts);
    if dropped > 0 {
        what.push_str(&format!("; {dropped} entries not used"));
    }
    if let Some(why) = &feed.failing {
        what.push_str(&format!("; {why}"));
    }
    let old = if feed.trips > 0 { config.traffic.old_after } else { config.traffic.alerts_old_after };
    finding(&part, if age > Duration::from(old) || dropped > 0 { State::Degraded } else { State::Ok }, what)
}

async fn database(config: &Config) -> Vec<Finding> {
    let store = match Store::open(config.database.url.expose(), config.database.connections).await {
        Ok(store) => store,
        Err(error) => return vec![finding("database", State::Broken, error.to_string())],
    };
    let counts = async {
        let mut tx = store.read().await?;
        let unknown = tx.count_unknown().await?;
        Ok::<_, crate::store::StoreError>((tx.count_agents().await?, tx.queue_size().await?, unknown))
    };
    let found = match counts.await {
        Err(error) => vec![finding("database", State::Broken, error.to_string())],
        Ok((agents, waiting, unknown)) => {
            let mut found = vec![finding(
                "database",
                State::Ok,
                if store.single_instance() { "sqlite" } else { "postgres" },
            )];
            let state = if agents == 0 { State::Degraded } else { State::Ok };
            found.push(finding("desk", state, format!("{agents} agents, {waiting} conversations waiting")));
            if unknown > 0 {
                let what = format!("{unknown} messages may or may not have been sent; see the console");
                found.push(finding("sending", State::Degraded, what));
            }
            found
        }
    };
    store.close().await;
    found
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["part", "state", "what"]);
    for Finding { part, state, what } in findings {
        let state = match state {
            State::Ok => Cell::new("ok").fg(Color::Green),
            State::Degraded => Cell::new("degraded").fg(Color::Yellow),
            State::Broken => Cell::new("broken").fg(Color::Red),
        };
        table.add_row([Cell::new(part), state, Cell::new(what)]);
    }
    table
}
