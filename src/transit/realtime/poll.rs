//! Asks for the feeds again and again, and keeps the [`LiveHandle`] filled. One feed that is slow, broken or gone costs the others
//! nothing: each has its own state, its own pauses, and keeps what it said last with the age that its publisher gave it.

use super::decode::{self, Decoded, Defaults, Dropped};
use super::fetch::{self, FetchError, Fetched, Source, Validators};
use super::merge::{FeedData, Forget, merge};
use crate::clock::Clock;
use crate::config::{FeedConfig, TrafficConfig};
use crate::model::Timestamp;
use crate::transit::live::LiveHandle;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pauses after failures double from `traffic.poll` to this: live data is worth little later.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// A publisher may ask for a longer one, up to this.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);

pub struct Poller {
    feeds: Vec<Feed>,
    client: reqwest::Client,
    live: LiveHandle,
    clock: Arc<dyn Clock>,
    defaults: Defaults,
    forget: Forget,
    poll: Duration,
    max_bytes: usize,
}

struct Feed {
    name: String,
    source: Source,
    validators: Validators,
    data: FeedData,
    dropped: Dropped,
    /// Not asked before this.
    next: Timestamp,
    /// In a row.
    failures: u32,
    health: Health,
}

/// What was logged last.
#[derive(Debug, Clone, PartialEq)]
enum Health {
    Unknown,
    Well,
    Failing(String),
}

/// How one feed is, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedStatus {
    pub name: String,
    /// When the publisher made what is held; none: it never came.
    pub as_of: Option<Timestamp>,
    pub trips: usize,
    pub alerts: usize,
    pub dropped: Dropped,
    pub failing: Option<String>,
}

/// What one request brought.
enum News {
    Unchanged,
    Message(Decoded, Validators),
}

impl Poller {
    /// Errors name the feed and never show its address or headers.
    pub fn new(
        config: &TrafficConfig,
        defaults: Defaults,
        live: LiveHandle,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let client = fetch::client(config.timeout.into())
            .map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
        let mut feeds: Vec<Feed> = Vec::new();
        for (rank, feed) in config.feeds.iter().enumerate() {
            let label = feed.label();
            let twins = config.feeds[..rank].iter().filter(|other| other.label() == label).count();
            let name = if twins == 0 { label } else { format!("{label} ({})", twins + 1) };
            feeds.push(Feed::new(feed, name)?);
        }
        let forget = Forget { trips: config.forget_after.into(), alerts: config.alerts_forget_after.into() };
        let (poll, max_bytes) = (config.poll.into(), config.max_bytes);
        Ok(Self { feeds, client, live, clock, defaults, forget, poll, max_bytes })
    }

    /// Until `stopping`. Without feeds it ends at once and leaves the handle alone.
    pub async fn run(mut self, stopping: CancellationToken) {
        if self.feeds.is_empty() {
            return;
        }
        let work = async {
            loop {
                self.poll_once(self.clock.now()).await;
                tokio::time::sleep(self.pause(self.clock.now())).await;
            }
        };
        stopping.run_until_cancelled(work).await;
    }

    /// Until the next feed is due, and not longer than `traffic.poll`: what is held grows old meanwhile.
    fn pause(&self, now: Timestamp) -> Duration {
        let next = self.feeds.iter().map(|feed| feed.next.since(now)).min().unwrap_or(self.poll);
        next.clamp(Duration::from_millis(100).min(self.poll), self.poll)
    }

    /// Asks each feed that is due, all at once, and puts each answer in service when it comes.
    pub async fn poll_once(&mut self, now: Timestamp) {
        let due = self.feeds.iter().enumerate().filter(|(_, feed)| feed.is_due(now));
        let mut pending: FuturesUnordered<_> = due
            .map(|(rank, feed)| {
                let (client, source) = (self.client.clone(), feed.source.clone());
                let (validators, defaults) = (feed.validators.clone(), self.defaults.clone());
                let max_bytes = self.max_bytes;
                async move { (rank, ask(client, source, validators, max_bytes, now, defaults).await) }
            })
            .collect();
        while let Some((rank, answer)) = pending.next().await {
            self.feeds[rank].take(answer, self.poll, now);
            self.publish(now);
        }
        drop(pending);
        self.publish(now);
    }

    fn publish(&self, now: Timestamp) {
        self.live.replace(merge(self.feeds.iter().map(|feed| &feed.data), self.forget, now));
        for feed in &self.feeds {
            let Some(as_of) = feed.data.as_of() else { continue };
            metrics::gauge!("guichet_traffic_age_seconds", "feed" => feed.name.clone())
                .set(now.since(as_of).as_secs_f64());
        }
    }

    pub fn status(&self) -> Vec<FeedStatus> {
        self.feeds.iter().map(Feed::status).collect()
    }
}

async fn ask(
    client: reqwest::Client,
    source: Source,
    validators: Validators,
    max_bytes: usize,
    now: Timestamp,
    defaults: Defaults,
) -> Result<News, FetchError> {
    match fetch::fetch(&client, &source, &validators, max_bytes).await? {
        Fetched::Unchanged => Ok(News::Unchanged),
        Fetched::New { bytes, validators, modified } => {
            let reading = move || decode::decode(&bytes, modified, now, &defaults);
            let decoded = tokio::task::spawn_blocking(reading)
                .await
                .map_err(|_| FetchError::from("reading it panicked".to_owned()))?
                .map_err(|error| FetchError::from(error.to_string()))?;
            Ok(News::Message(decoded, validators))
        }
    }
}

impl Feed {
    fn new(config: &FeedConfig, name: String) -> Result<Self, String> {
        let place = config.place().map_err(|what| format!("the url of feed '{name}' {what}"))?;
        let headers = config.header_map().map_err(|what| format!("feed '{name}': {what}"))?;
        Ok(Self {
            data: FeedData::new(name.clone(), config.kind),
            name,
            source: Source { place, headers },
            validators: Validators::default(),
            dropped: Dropped::default(),
            next: Timestamp(i64::MIN),
            failures: 0,
            health: Health::Unknown,
        })
    }

    /// Also when our clock was set back, so that a feed does not wait for hours.
    fn is_due(&self, now: Timestamp) -> bool {
        self.next <= now || self.next.since(now) > LONGEST_ASKED * 2
    }

    fn take(&mut self, answer: Result<News, FetchError>, poll: Duration, now: Timestamp) {
        let outcome = match &answer {
            Ok(News::Unchanged) => "unchanged",
            Ok(News::Message(..)) => "message",
            Err(_) => "failed",
        };
        metrics::counter!("guichet_traffic_polls_total", "feed" => self.name.clone(), "outcome" => outcome)
            .increment(1);
        let mut pause = poll;
        match answer {
            Ok(news) => {
                self.failures = 0;
                if let News::Message(decoded, validators) = news {
                    self.message(decoded, validators);
                }
                self.is(Health::Well);
            }
            Err(error) => {
                // What it said last stays, and grows old.
                pause = error
                    .retry_after
                    .unwrap_or_default()
                    .min(LONGEST_ASKED)
                    .max(backoff(poll, self.failures));
                self.failures = self.failures.saturating_add(1);
                self.is(Health::Failing(error.what));
            }
        }
        self.next = now.plus(pause.mul_f64(jitter()));
    }

    fn message(&mut self, decoded: Decoded, validators: Validators) {
        let dropped = decoded.dropped;
        self.data.apply(decoded);
        self.validators = validators;
        for (why, count) in [
            ("malformed", dropped.malformed),
            ("meaningless", dropped.meaningless),
            ("over_limit", dropped.over_limit),
        ] {
            metrics::counter!("guichet_traffic_dropped_total", "feed" => self.name.clone(), "why" => why)
                .increment(count as u64);
        }
        if dropped.total() > 0 && self.dropped.total() == 0 {
            tracing::warn!(feed = self.name, ?dropped, "some of the feed is not used; the rest is");
        }
        self.dropped = dropped;
    }

    /// Logged when it changes between well and failing, not at each poll.
    fn is(&mut self, health: Health) {
        match (&self.health, &health) {
            (Health::Unknown | Health::Well, Health::Failing(why)) => {
                tracing::warn!(feed = self.name, %why, "the live feed fails; what it said last grows old");
            }
            (Health::Unknown | Health::Failing(_), Health::Well) => {
                let as_of = self.data.as_of().map(|at| at.to_string()).unwrap_or_default();
                tracing::info!(feed = self.name, as_of, "the live feed is well");
            }
            _ => {}
        }
        self.health = health;
    }

    fn status(&self) -> FeedStatus {
        let (trips, alerts) = self.data.counts();
        let failing = if let Health::Failing(why) = &self.health { Some(why.clone()) } else { None };
        let (name, as_of, dropped) = (self.name.clone(), self.data.as_of(), self.dropped);
        FeedStatus { name, as_of, trips, alerts, dropped, failing }
    }
}

/// After `failures` earlier ones in a row.
fn backoff(poll: Duration, failures: u32) -> Duration {
    poll.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE.max(poll))
}

/// Instances that started together, or failed together, drift apart.
fn jitter() -> f64 {
    0.9 + 0.2 * rand::random::<f64>()
}
