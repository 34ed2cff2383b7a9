//! One file per provider: verify and parse what comes in, send what goes out. What differs between providers
//! stays inside its file; here is only their common shape and the registry.

mod bluesky;
mod http;
mod inbound;
mod mapped;
mod mastodon;
mod meta;
mod outbound;
mod polling;
mod posts;
mod segments;
mod senders;
pub mod signing;
mod smpp;
mod telegram;
#[cfg(test)]
pub(crate) mod testing;
pub mod trace;
mod twilio;
mod value;
mod webchat;
mod x;
mod youtube;

pub use inbound::{
    Accepted, Edit, InboundEvent, InboundMessage, Reach, Receipt, ReceiptState, Refusal, WebhookRequest,
};
pub use outbound::{Capabilities, Forbidden, Lookup, Outgoing, Pace, SendError, split, split_by};
pub use trace::{Reply, Trace};

use crate::clock::Clock;
use crate::config::{ChannelConfig, ChannelSettings, PaceKeys, SmsConfig};
use crate::model::Timestamp;
use async_trait::async_trait;
use axum::http::HeaderMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub use senders::advice;

/// The one line that a new kind of channel adds.
const KINDS: &[(&str, Build)] = &[
    ("bluesky", bluesky::build),
    ("http", http::build),
    ("instagram", meta::instagram),
    ("mapped", mapped::build),
    ("mastodon", mastodon::build),
    ("messenger", meta::messenger),
    ("smpp", smpp::build),
    ("telegram", telegram::build),
    ("twilio", twilio::build),
    ("webchat", webchat::build),
    ("whatsapp", meta::whatsapp),
    ("x", x::build),
    ("youtube", youtube::build),
];

type Build = fn(&str, &ChannelSettings, &BuildContext) -> Result<Arc<dyn Channel>, String>;

/// What every channel is built with.
#[derive(Clone)]
pub struct BuildContext {
    /// How providers reach us; part of what they sign.
    pub public_url: String,
    pub client: reqwest::Client,
    /// For what we sign.
    pub clock: Arc<dyn Clock>,
}

/// One provider account.
#[async_trait]
pub trait Channel: Send + Sync {
    fn capabilities(&self) -> Capabilities;

    /// How fast it may be sent to; the configuration may say otherwise.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Verifies, then parses. Pure: no I/O, no clock but `request.now`.
    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal>;

    /// Does the provider deliver to `tail` by GET, with everything in the query? Such a request is then received like any
    /// other, and its query is what counts.
    fn receives_get(&self, _tail: &str) -> bool {
        false
    }

    /// Answers the GET request by which a provider checks that the address is ours. Nothing is stored of it.
    fn handshake(&self, _request: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    /// Hands the message to the provider once, leaving every call of it in `trace`. The provider's id, when it has
    /// one.
    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError>;

    /// Asks the provider what became of a send in doubt.
    async fn look_up(&self, message: &Outgoing, trace: &Trace) -> Lookup;

    /// Why a message is against the rules of the provider (the time to answer is over, and no template is configured).
    /// Asked before an agent's message is stored, and again by `send`.
    fn refuses(&self, _message: &Outgoing, _now: Timestamp) -> Option<Forbidden> {
        None
    }

    /// Longest text to this address, in characters: a public answer may be held shorter than a private one.
    fn longest(&self, _address: &str) -> usize {
        self.capabilities().max_chars
    }

    /// The text as parts that this address takes, in order. Providers that count otherwise than in UTF-16 code units say it
    /// here.
    fn parts(&self, address: &str, text: &str) -> Vec<String> {
        split(text, self.longest(address))
    }

    /// Is what is said to this address read by everyone? Such conversations are of their own kind: see
    /// [`Capabilities::public`].
    fn is_public(&self, _address: &str) -> bool {
        false
    }

    /// Where those who write in public are invited to write in private.
    fn private_url(&self) -> Option<String> {
        None
    }

    /// Shows that someone writes; best effort, no error is worth a word. `last`: the provider's id of the message that
    /// is being answered.
    async fn typing(&self, _address: &str, _last: &str, _trace: &Trace) {}

    /// What agents may do to public posts of customers.
    fn moderations(&self) -> &'static [Moderation] {
        &[]
    }

    /// Does to a message of the customer what an agent asked for.
    async fn moderate(
        &self,
        _action: Moderation,
        _provider_id: &str,
        _trace: &Trace,
    ) -> Result<(), SendError> {
        Err(SendError::Permanent { why: "this channel has no such action".into() })
    }

    /// What must run beside the webhooks for messages to come in: a poll, a connection of its own.
    fn listener(&self) -> Option<Arc<dyn Listener>> {
        None
    }
}

/// What agents do to public posts of customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moderation {
    Hide,
    Show,
    Like,
    Delete,
}

impl Moderation {
    pub const ALL: &'static [Moderation] = &[Self::Like, Self::Hide, Self::Show, Self::Delete];

    /// As it stands in addresses, in the audit log and among the texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Show => "show",
            Self::Like => "like",
            Self::Delete => "delete",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == word)
    }
}

/// A part of a channel that fetches rather than waits.
#[async_trait]
pub trait Listener: Send + Sync {
    /// Must only one instance of several run it? A second poll would take the first one's messages.
    fn alone(&self) -> bool {
        true
    }

    /// Runs until `stop`, handing what comes in to `inbox`. It keeps trying by itself, with a growing pause, when the
    /// provider is away; it returns only when told to stop.
    async fn run(&self, inbox: Arc<dyn Inbox>, stop: CancellationToken);
}

/// Where a [`Listener`] hands over. An event that was taken is stored: only then is it acknowledged to the provider.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores everything of `accepted`, its cursor too, in one transaction. Known messages are stored once. Errors: in
    /// words for the log; nothing was stored, and it is to be handed over again.
    async fn take(&self, accepted: Accepted) -> Result<(), String>;

    /// How far the listener had come, as it said itself in [`Accepted::cursor`].
    async fn cursor(&self) -> Result<Option<String>, String>;
}

/// The configured channels by name.
#[derive(Clone)]
pub struct Channels {
    by_name: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    sms: Arc<SmsConfig>,
    /// What the configuration says of their pace.
    paces: Arc<BTreeMap<String, PaceKeys>>,
}

impl Channels {
    /// Errors: all of them, each with its key and cure.
    pub fn build(
        configured: &BTreeMap<String, ChannelConfig>,
        context: &BuildContext,
    ) -> Result<Self, Vec<String>> {
        let mut channels = BTreeMap::new();
        let mut paces = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, config) in configured {
            let kind = if config.kind.is_empty() { name } else { &config.kind };
            let built = match KINDS.iter().find(|(known, _)| known == kind) {
                Some((_, build)) => config.settings.split_pace().and_then(|(pace, own)| {
                    paces.insert(name.clone(), pace);
                    build(name, &own, context)
                }),
                None => {
                    let known: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
                    Err(format!("kind: '{kind}' is no kind of channel. Cure: one of {}", known.join(", ")))
                }
            };
            match built {
                Ok(channel) => {
                    channels.insert(name.clone(), channel);
                }
                Err(error) => errors.push(format!("channels.{name}.{error}")),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self { by_name: Arc::new(channels), sms: Arc::default(), paces: Arc::new(paces) })
    }

    /// One channel, not of the configuration: a simulated one.
    pub fn only(name: &str, channel: Arc<dyn Channel>) -> Self {
        Self::of([(name.to_owned(), channel)])
    }

    /// Channels that are not of the configuration.
    pub fn of(channels: impl IntoIterator<Item = (String, Arc<dyn Channel>)>) -> Self {
        Self { by_name: Arc::new(channels.into_iter().collect()), sms: Arc::default(), paces: Arc::default() }
    }

    /// How fast a channel may be sent to: its own choice, where the configuration does not say otherwise.
    pub fn pace(&self, name: &str) -> Pace {
        let own = self.get(name).map_or_else(Pace::default, |channel| channel.pace());
        let Some(keys) = self.paces.get(name) else { return own };
        Pace {
            per_second: keys.per_second.unwrap_or(own.per_second),
            concurrent: keys.concurrent.unwrap_or(own.concurrent),
            per_contact: keys.per_contact.map_or(own.per_contact, Duration::from),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Arc<dyn Channel>> {
        self.by_name.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn Channel>)> {
        self.by_name.iter().map(|(name, channel)| (name.as_str(), channel))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// Parses a channel's keys; the error begins with the key.
fn settings<T: serde::de::DeserializeOwned>(settings: &ChannelSettings) -> Result<T, String> {
    let table: toml::Table = settings.0.clone().into_iter().collect();
    serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().message().lines().next().unwrap_or_default().to_owned();
        let quoted = message.split('`').nth(1).unwrap_or_default();
        if message.starts_with("missing field") {
            format!("{quoted}: is missing. Cure: set it in guichet.toml or in the environment")
        } else if message.starts_with("unknown field") {
            format!("{quoted}: {message}")
        } else {
            format!("{path}: {message}")
        }
    })
}

/// A text of digits, as it was written: the environment makes a number of it.
fn as_written<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let written = <crate::config::Secret as serde::Deserialize>::deserialize(deserializer)?;
    Ok(written.expose().to_owned())
}

/// Errors: the key and its cure, when the address of the provider is none.
fn check_url(key: &str, url: &str) -> Result<(), String> {
    match url::Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        _ => Err(format!("{key}: is no http(s) URL. Cure: leave it out")),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Ignores parameters such as `; charset=utf-8`.
fn content_type_is(headers: &HeaderMap, expected: &str) -> bool {
    header(headers, "content-type")
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(expected))
}

/// `Retry-After` in seconds, at most an hour. The form with a date is left to the retry schedule.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = header(headers, "retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(3_600)))
}

/// What a request without an answer means: before the connection stood, surely nothing was sent; later it may
/// have been.
fn transport_error(error: reqwest::Error) -> SendError {
    let connecting = error.is_connect() || error.is_builder();
    // The URL may hold an account.
    let why = format!("no answer from the provider: {}", error.without_url());
    if connecting { SendError::Retry { why, after: None } } else { SendError::InDoubt { why } }
}
