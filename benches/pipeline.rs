//! The whole pipeline over HTTP: a signed webhook in, the reply at the callback. Prints figures beside a floor
//! measured in the same run: a bare SQLite insert with the same durability.
//!
//! `cargo bench --bench pipeline -- [--json]`

mod report;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use guichet::app::App;
use guichet::config::{self, Config};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// None of them calls a person, after whom the bot would be silent.
const TEXTS: &[&str] = &[
    "prochain train de Vitré à Rennes",
    "next train from Rennes to Brest please",
    "slt a kel h le proch1 tr1 vitré rennes stp",
    "bonjour",
];

/// When the reply to each contact arrived.
type Replies = Arc<Mutex<HashMap<String, Vec<Instant>>>>;

struct Bench {
    url: String,
    replies: Replies,
    client: reqwest::Client,
    stop: tokio::sync::oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
}

impl Bench {
    async fn start(folder: &Path, encoder: bool) -> anyhow::Result<Self> {
        let replies = Replies::default();
        let callback = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let callback_url = format!("http://{}/replies", callback.local_addr()?);
        let app = Router::new().route("/replies", post(reply)).with_state(replies.clone());
        tokio::spawn(async move { axum::serve(callback, app).await });
        let app = App::build(configure(folder, &callback_url, encoder)?, None).await?;
        let url = format!("http://{}/webhooks/bench", app.address()?);
        let mind = app.state.mind.clone();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let server = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.await;
            };
            app.run(stopped).await.unwrap_or_else(|error| eprintln!("server: {error:#}"));
        });
        let wanted = if encoder { "encoder" } else { "ngram" };
        while mind.get().is_none_or(|mind| mind.nlu.model_name() != wanted) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { url, replies, client: reqwest::Client::new(), stop, server })
    }

    /// Posts one signed message; how long the acknowledgement took.
    async fn send(&self, from: &str, id: usize) -> anyhow::Result<Duration> {
        let text = TEXTS[id % TEXTS.len()];
        let body = serde_json::json!({"id": format!("{from}-{id}"), "from": from, "text": text}).to_string();
        let now = std::time::UNIX_EPOCH.elapsed()?.as_secs().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
        mac.update(format!("{now}.{body}").as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("x-guichet-timestamp", now)
            .header("x-guichet-signature", format!("v1={signature}"))
            .body(body);
        let started = Instant::now();
        request.send().await?.error_for_status()?;
        Ok(started.elapsed())
    }

    fn answered(&self) -> usize {
        self.replies.lock().map_or(0, |replies| replies.values().map(Vec::len).sum())
    }

    async fn end(self) {
        let _ = self.stop.send(());
        let _ = self.server.await;
    }
}

async fn reply(State(replies): State<Replies>, Json(body): Json<serde_json::Value>) {
    let to = body["to"].as_str().unwrap_or_default().to_owned();
    if let Ok(mut replies) = replies.lock() {
        replies.entry(to).or_default().push(Instant::now());
    }
}

fn configure(folder: &Path, callback_url: &str, encoder: bool) -> anyhow::Result<Config> {
    let database = format!("sqlite://{}", folder.join("bench.db").display());
    let mut environment = BTreeMap::from([
        ("GUICHET__SERVER__LISTEN", "127.0.0.1:0".to_owned()),
        ("GUICHET__DATABASE__URL", database),
        ("GUICHET__CHANNELS__BENCH__KIND", "http".to_owned()),
        ("GUICHET__CHANNELS__BENCH__SECRET", SECRET.to_owned()),
        ("GUICHET__CHANNELS__BENCH__CALLBACK_URL", callback_url.to_owned()),
        // It is the server that is measured, not the limits that protect it and its providers.
        ("GUICHET__CHANNELS__BENCH__PER_SECOND", "100000".to_owned()),
        ("GUICHET__CHANNELS__BENCH__CONCURRENT", "1000".to_owned()),
        ("GUICHET__MANNERS__REPLIES_PER_WINDOW", "0".to_owned()),
        ("GUICHET__MANNERS__MESSAGES_PER_MINUTE", "0".to_owned()),
    ]);
    if !encoder {
        environment.insert("GUICHET__NLU__ENCODER", String::new());
    }
    let environment = environment.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Ok(config::load(None, &environment)?)
}

/// Nearest-rank percentile in milliseconds.
fn percentile(times: &mut [Duration], p: f64) -> f64 {
    times.sort_unstable();
    let rank = (times.len() as f64 * p).ceil() as usize;
    times.get(rank.saturating_sub(1)).map_or(0.0, |t| t.as_secs_f64() * 1e3)
}

/// The floor: inserts of one row with WAL and synchronous=FULL, one after the other.
async fn bare_sqlite(folder: &Path) -> anyhow::Result<Vec<Duration>> {
    use sqlx::ConnectOptions as _;
    let mut db = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(folder.join("bare.db"))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::query("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)").execute(&mut db).await?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let started = Instant::now();
        sqlx::query("INSERT INTO t (text) VALUES ('prochain train')").execute(&mut db).await?;
        times.push(started.elapsed());
    }
    Ok(times)
}

/// `rate` messages a second for `count` messages, each from a contact of its own: acknowledgement times, and times
/// from the webhook to the reply at the callback.
async fn paced(bench: &Arc<Bench>, rate: u32, count: usize) -> (Vec<Duration>, Vec<Duration>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut sending = tokio::task::JoinSet::new();
    for id in 0..count {
        ticks.tick().await;
        let bench = bench.clone();
        sending.spawn(async move {
            let contact = format!("paced-{rate}-{id}");
            let started = Instant::now();
            (bench.send(&contact, id).await, contact, started)
        });
    }
    let (mut acknowledged, mut started) = (Vec::new(), Vec::new());
    while let Some(Ok((sent, contact, at))) = sending.join_next().await {
        if let Ok(took) = sent {
            acknowledged.push(took);
            started.push((contact, at));
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let replies = bench.replies.lock().map(|r| r.clone()).unwrap_or_default();
    let answered = started
        .iter()
        .filter_map(|(contact, at)| Some(replies.get(contact)?.first()?.duration_since(*at)))
        .collect();
    (acknowledged, answered)
}

/// A backlog posted as fast as it is taken, until the last reply: messages a second.
async fn flood(bench: &Arc<Bench>, count: usize) -> anyhow::Result<f64> {
    let before = bench.answered();
    let started = Instant::now();
    let mut sending = tokio::task::JoinSet::new();
    for worker in 0..64 {
        let bench = bench.clone();
        sending.spawn(async move {
            for id in (worker..count).step_by(64) {
                bench.send(&format!("flood-{}", id % 500), id).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = sending.join_next().await {
        ended??;
    }
    while bench.answered() - before < count {
        let missing = count - (bench.answered() - before);
        anyhow::ensure!(started.elapsed() < Duration::from_secs(120), "{missing} replies did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut rows: Vec<(String, String, String)> = Vec::new();
    let mut bare = bare_sqlite(folder.path()).await?;
    let floor = percentile(&mut bare, 0.5);
    rows.push(("bare SQLite insert, fsync, p50".into(), format!("{floor:.2} ms"), "the floor".into()));

    let ngrams = folder.path().join("ngrams");
    let bench = Arc::new(Bench::start(&ngrams, false).await?);
    let (mut ack, mut answer) = paced(&bench, 200, 2_000).await;
    for (p, name) in [(0.5, "p50"), (0.99, "p99")] {
        let value = percentile(&mut ack, p);
        rows.push((
            format!("webhook acknowledged at 200/s, {name}"),
            format!("{value:.2} ms"),
            format!("{:.1} × floor", value / floor),
        ));
    }
    let value = percentile(&mut answer, 0.99);
    rows.push((
        "answer at the provider at 200/s, n-grams, p99".into(),
        format!("{value:.1} ms"),
        String::new(),
    ));
    let rate = flood(&bench, 5_000).await?;
    rows.push((
        "whole pipeline, n-grams, 500 contacts".into(),
        format!("{rate:.0} messages/s"),
        "bar: 500".into(),
    ));
    if let Ok(bench) = Arc::try_unwrap(bench) {
        bench.end().await;
    }

    if cfg!(feature = "encoder") {
        let encoder = folder.path().join("encoder");
        let bench = Arc::new(Bench::start(&encoder, true).await?);
        let (_, mut answer) = paced(&bench, 50, 1_000).await;
        for (p, name) in [(0.5, "p50"), (0.99, "p99")] {
            let value = percentile(&mut answer, p);
            rows.push((
                format!("answer at the provider at 50/s, encoder, {name}"),
                format!("{value:.1} ms"),
                if p > 0.9 { "bar: 150 ms".into() } else { String::new() },
            ));
        }
        if let Ok(bench) = Arc::try_unwrap(bench) {
            bench.end().await;
        }
    }
    report::print(&rows);
    Ok(())
}
