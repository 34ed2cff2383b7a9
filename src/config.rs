//! `guichet.toml` and the environment (`GUICHET__SECTION__KEY`), typed and validated. Every key has a default
//! that works; every error names the key, where its value came from, and the cure.

mod api;
mod duration;
mod fulfilment;
mod hooks;
mod hours;
mod load;
mod manners;
mod navitia;
mod notices;
mod oidc;
mod on_call;
mod pace;
mod routing;
mod secret;
mod sign_in;
mod sla;
mod sms;
mod survey;
mod timetable;
mod traffic;
mod undo;

pub use api::ApiConfig;
pub use duration::Span;
pub use fulfilment::{FulfilmentConfig, SHORTEST_SECRET};
pub use hooks::HooksConfig;
pub use hours::{DayHours, HoursConfig};
pub use load::{ConfigError, load};
pub use manners::MannersConfig;
pub use navitia::{NavitiaConfig, StationIds};
pub use notices::{NoticesConfig, QuietHours};
pub use oidc::OidcConfig;
pub use on_call::{OnCallConfig, When};
pub use pace::PaceKeys;
pub use routing::{RoutingConfig, RoutingMode};
pub use secret::Secret;
pub use sign_in::SignInConfig;
pub use sla::{ByPriority, Promises, SlaConfig};
pub use sms::{Price, SmsConfig};
pub use survey::SurveyConfig;
pub use timetable::TimetableConfig;
pub use traffic::{FeedConfig, FeedKind, Place, TrafficConfig};
pub use undo::Undo;

use crate::model::Lang;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub database: DatabaseConfig,
    pub operator: OperatorConfig,
    pub desk: DeskConfig,
    pub conversations: ConversationsConfig,
    pub files: FilesConfig,
    pub nlu: NluConfig,
    pub timetable: TimetableConfig,
    pub notices: NoticesConfig,
    pub sms: SmsConfig,
    pub manners: MannersConfig,
    pub survey: SurveyConfig,
    pub traffic: TrafficConfig,
    pub navitia: NavitiaConfig,
    pub fulfilment: FulfilmentConfig,
    pub api: ApiConfig,
    pub hooks: HooksConfig,
    pub queue: QueueConfig,
    pub log: LogConfig,
    /// By name; the name is part of the webhook's path.
    pub channels: BTreeMap<String, ChannelConfig>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    pub listen: SocketAddr,
    /// Prometheus, on a listener of its own so that it need not be public.
    pub metrics_listen: SocketAddr,
    /// How the world reaches `listen`, without a path: what providers sign, what links show.
    pub public_url: String,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// Time for a request to be answered; server-sent events are exempt.
    pub request_timeout: Span,
    /// After SIGTERM: time for work in progress to end.
    pub drain: Span,
    /// How long a console sign-in lasts.
    pub session: Span,
    /// Messages of one web-chat session per minute, before it is told to slow down.
    pub webchat_per_minute: u32,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: SocketAddr::from(([127, 0, 0, 1], 9464)),
            public_url: "http://127.0.0.1:8080".into(),
            max_body_bytes: 256 * 1024,
            request_timeout: Span::seconds(30),
            drain: Span::seconds(20),
            session: Span::seconds(12 * 3600),
            webchat_per_minute: 20,
        }
    }
}

impl ServerConfig {
    /// Cookies are `Secure` when the world reaches us by https.
    pub fn secure_cookies(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://path` or `postgres://user:password@host/name`. May hold a password: never printed.
    pub url: Secret,
    /// Size of the Postgres pool.
    pub connections: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: Secret::new("sqlite://data/guichet.db"), connections: 10 }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorConfig {
    /// Shown to customers.
    pub name: String,
    /// IANA name: what "18h" means.
    pub timezone: String,
    /// Where customers find help, rules and forms.
    pub help_url: String,
    /// The language when a message does not tell.
    pub lang: Lang,
}

impl Default for OperatorConfig {
    fn default() -> Self {
        Self {
            name: "Guichet".into(),
            timezone: "Europe/Paris".into(),
            help_url: "http://127.0.0.1:8080/chat".into(),
            lang: Lang::FR,
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskConfig {
    pub hours: HoursConfig,
    pub routing: RoutingConfig,
    pub sla: SlaConfig,
    pub sign_in: SignInConfig,
    pub oidc: OidcConfig,
    pub undo: Undo,
    pub on_call: OnCallConfig,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConversationsConfig {
    /// A message this soon after `resolved` reopens the conversation; zero: always a new one.
    pub reopen_within: Span,
    /// After this silence the bot forgets which question it had asked.
    pub forget_after: Span,
    /// How often a missing slot is asked for before a person is called.
    pub max_asks: u32,
    /// Messages not understood in a row before a person is called.
    pub max_failures: u32,
    /// How long a text that looks unfinished waits for its other parts, on channels that carry SMS; zero: never.
    pub gather: Span,
}

impl Default for ConversationsConfig {
    fn default() -> Self {
        Self {
            reopen_within: Span::seconds(0),
            forget_after: Span::seconds(30 * 60),
            max_asks: 2,
            max_failures: 2,
            gather: Span::seconds(2),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesConfig {
    pub intents: PathBuf,
    pub responses: PathBuf,
    /// Caches that can be made again.
    pub cache: PathBuf,
    /// How often the files are looked at for changes.
    pub poll: Span,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            intents: "intents".into(),
            responses: "responses".into(),
            cache: "data/cache".into(),
            poll: Span::seconds(1),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NluConfig {
    /// Any sentence-transformers folder; empty: n-grams only.
    pub encoder: PathBuf,
    /// Below this confidence (0 to 1) we ask to rephrase, then call a person. An intent may set its own.
    pub answer_from: f32,
    /// From this confidence up to `answer_from`, a reading that stands out is confirmed with the customer.
    pub confirm_from: f32,
}

impl Default for NluConfig {
    fn default() -> Self {
        Self { encoder: "models/guichet-fr-en".into(), answer_from: 0.40, confirm_from: 0.25 }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// Jobs worked on at the same time.
    pub workers: usize,
    /// Waits before the second, third, … try of a send that surely did not happen. After the last, it failed.
    pub retry: Vec<Span>,
    /// How long a claimed job is ours before another instance may take it over.
    pub lease: Span,
    /// The slow poll, for what no notice told.
    pub poll: Span,
    /// How long one request to a provider may take; well below `lease`.
    pub send_timeout: Span,
    /// How long a provider is given to list what it accepted, before it is asked about a send in doubt.
    pub settle: Span,
    /// How often a provider that cannot be reached is asked about a send in doubt.
    pub settle_attempts: u32,
    /// How many servers work on one Postgres: each takes its share of what the channels may send.
    pub instances: u32,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            workers: 8,
            retry: [2, 10, 60, 300, 1800].into_iter().map(Span::seconds).collect(),
            lease: Span::seconds(60),
            poll: Span::seconds(1),
            send_timeout: Span::seconds(15),
            settle: Span::seconds(10),
            settle_attempts: 5,
            instances: 1,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// As `RUST_LOG`: `info`, `guichet=debug,warn`.
    pub filter: String,
    pub json: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info,sqlx=warn".into(), json: false }
    }
}

/// One provider account. Only the channel's own file knows its further keys.
#[derive(Debug, Clone, Deserialize)]
pub struct ChannelConfig {
    /// `twilio`, `webchat`, `http`; left out: the channel's name.
    #[serde(default)]
    pub kind: String,
    /// May hold secrets: never printed.
    #[serde(flatten)]
    pub settings: ChannelSettings,
}

/// The keys of a channel, parsed by its own file.
#[derive(Clone, Deserialize, Default)]
#[serde(transparent)]
pub struct ChannelSettings(pub BTreeMap<String, toml::Value>);

impl std::fmt::Debug for ChannelSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Config {
    /// What cannot be said by types. Key, what is wrong, and the cure.
    fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        let sections = [self.notices.problems(), self.desk.routing.problems()];
        found.extend(sections.into_iter().flatten().map(|(key, what)| (key, what.to_owned())));
        let mut check = |wrong: bool, key: &'static str, what: &str| {
            if wrong {
                found.push((key, what.to_owned()));
            }
        };
        let url = url::Url::parse(&self.server.public_url);
        check(
            !url.is_ok_and(|u| {
                matches!(u.scheme(), "http" | "https") && u.path() == "/" && u.query().is_none()
            }) || self.server.public_url.ends_with('/'),
            "server.public_url",
            "must be http(s)://host[:port] without path or final slash, such as https://bot.example.com",
        );
        let db = self.database.url.expose();
        check(
            !["sqlite://", "postgres://", "postgresql://"].iter().any(|s| db.starts_with(s)),
            "database.url",
            "must begin with sqlite:// or postgres://",
        );
        check(self.database.connections < 2, "database.connections", "must be at least 2");
        check(
            jiff::tz::TimeZone::get(&self.operator.timezone).is_err(),
            "operator.timezone",
            "is no IANA time zone; write one such as Europe/Paris",
        );
        check(self.queue.workers == 0, "queue.workers", "must be at least 1");
        check(self.queue.instances == 0, "queue.instances", "must be at least 1");
        let lease: Duration = self.queue.lease.into();
        let send: Duration = self.queue.send_timeout.into();
        check(
            lease < send * 2 || lease.is_zero(),
            "queue.lease",
            "must be at least twice queue.send_timeout, so that nobody takes over a send in progress",
        );
        check(!(0.0..=1.0).contains(&self.nlu.answer_from), "nlu.answer_from", "must be between 0 and 1");
        check(
            !(0.0..=1.0).contains(&self.nlu.confirm_from),
            "nlu.confirm_from",
            "must be between 0 and 1; as high as nlu.answer_from, the bot never asks whether it understood",
        );
        check(
            Duration::from(self.conversations.gather) > Duration::from_secs(60),
            "conversations.gather",
            "must be at most 60s: the customer waits for it",
        );
        check(self.server.max_body_bytes < 1024, "server.max_body_bytes", "must be at least 1024");
        check(
            self.channels.keys().any(|name| {
                name.is_empty()
                    || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            }),
            "channels",
            "a channel's name may hold a-z, 0-9 and - only",
        );
        found.extend(self.sms.problems(|name| self.channels.contains_key(name)));
        found.extend(self.manners.problems());
        found.extend(self.timetable.problems());
        found.extend(self.traffic.problems());
        found.extend(self.navitia.problems());
        found.extend(self.fulfilment.problems());
        found.extend(self.hooks.problems());
        found.extend(self.desk.oidc.problems());
        found.extend(self.desk.undo.problems());
        found.extend(self.desk.hours.problems());
        found.extend(self.desk.on_call.problems());
        found.extend(self.desk.sla.problems(&self.desk.on_call));
        found.extend(self.survey.problems(self.desk.undo));
        found
    }

    pub fn timezone(&self) -> jiff::tz::TimeZone {
        // Checked when loading.
        jiff::tz::TimeZone::get(&self.operator.timezone).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}
