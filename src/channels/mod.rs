//! One file per provider: verify and parse what comes in, send what goes out. What differs between providers
//! stays inside its file; here is only their common shape and the registry.

mod http;
mod segments;
mod senders;
pub mod signing;
mod twilio;
mod webchat;

use crate::clock::Clock;
use crate::config::{ChannelConfig, ChannelSettings, SmsConfig};
use crate::model::{Media, MessageId, Timestamp};
use async_trait::async_trait;
use axum::http::HeaderMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use senders::advice;

/// The one line that a new kind of channel adds.
const KINDS: &[(&str, Build)] =
    &[("http", http::build), ("twilio", twilio::build), ("webchat", webchat::build)];

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

/// A webhook as it arrived, before anyone believes it.
pub struct WebhookRequest<'a> {
    /// What follows `/webhooks/<name>`: empty, or `/status`.
    pub tail: &'a str,
    /// Without the question mark.
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    /// The raw bytes: signatures are over these.
    pub body: &'a [u8],
    pub now: Timestamp,
}

/// A webhook that was verified and parsed.
#[derive(Debug, Default, PartialEq)]
pub struct Accepted {
    pub events: Vec<InboundEvent>,
    /// The signature must not have been used before, and is remembered until then.
    pub nonce: Option<(String, Timestamp)>,
    /// What the provider wants to read once everything is stored.
    pub reply: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum InboundEvent {
    Message(InboundMessage),
    Receipt(Receipt),
}

#[derive(Debug, Clone, PartialEq)]
pub struct InboundMessage {
    pub provider_id: String,
    pub address: String,
    pub text: String,
    pub media: Vec<Media>,
}

/// What a provider tells of a message of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub provider_id: String,
    /// Our own id, when the provider gives it back: settles a send in doubt.
    pub message_id: Option<MessageId>,
    pub state: ReceiptState,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ReceiptState {
    /// The provider has it.
    Sent,
    Delivered,
    /// In the provider's words or code.
    Failed(String),
}

/// Why a webhook is refused. Nothing of it is stored, and its content is not logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the request is not signed")]
    Unsigned,
    #[error("the signature does not match")]
    BadSignature,
    /// Too old, or from the future.
    #[error("the timestamp is outside the accepted window")]
    Stale,
    #[error("the content type is not supported")]
    ContentType,
    /// What is wrong, without the content.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    #[error("there is no such webhook")]
    NotFound,
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub id: MessageId,
    pub address: String,
    pub text: String,
    /// When we first may have sent it; a provider is asked from then on.
    pub since: Timestamp,
}

/// Why a message was not sent, as a small closed set: is it tried again, and what does the agent see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Surely not sent; another try may succeed.
    #[error("{why}")]
    Retry { why: String, after: Option<Duration> },
    /// Surely not sent, and never will be.
    #[error("{why}")]
    Permanent { why: String },
    /// It may have been sent.
    #[error("{why}")]
    InDoubt { why: String },
}

/// What a provider says of a send in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Ids of messages that look like ours (address, text, time), oldest first. Empty: it was not sent.
    Listed(Vec<String>),
    /// This provider has no such question.
    CannotAsk,
    /// It could not be asked now.
    Unavailable(String),
}

/// What a channel can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Longest text in characters.
    pub max_chars: usize,
    /// Uses the short `sms` variant of responses.
    pub sms: bool,
    /// Tells whether a message was delivered.
    pub receipts: bool,
    /// Can be asked about a send in doubt.
    pub can_be_asked: bool,
}

/// One provider account.
#[async_trait]
pub trait Channel: Send + Sync {
    fn capabilities(&self) -> Capabilities;

    /// Verifies, then parses. Pure: no I/O, no clock but `request.now`.
    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal>;

    /// Hands the message to the provider once. The provider's id, when it has one.
    async fn send(&self, message: &Outgoing) -> Result<Option<String>, SendError>;

    /// Asks the provider what became of a send in doubt.
    async fn look_up(&self, message: &Outgoing) -> Lookup;
}

/// The configured channels by name.
#[derive(Clone)]
pub struct Channels {
    by_name: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    sms: Arc<SmsConfig>,
}

impl Channels {
    /// Errors: all of them, each with its key and cure.
    pub fn build(
        configured: &BTreeMap<String, ChannelConfig>,
        context: &BuildContext,
    ) -> Result<Self, Vec<String>> {
        let mut channels = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, config) in configured {
            let kind = if config.kind.is_empty() { name } else { &config.kind };
            let built = match KINDS.iter().find(|(known, _)| known == kind) {
                Some((_, build)) => build(name, &config.settings, context),
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
        if errors.is_empty() {
            Ok(Self { by_name: Arc::new(channels), sms: Arc::default() })
        } else {
            Err(errors)
        }
    }

    /// One channel, not of the configuration: a simulated one.
    pub fn only(name: &str, channel: Arc<dyn Channel>) -> Self {
        Self { by_name: Arc::new(BTreeMap::from([(name.to_owned(), channel)])), sms: Arc::default() }
    }

    pub fn get(&self, name: &str) -> Option<&Arc<dyn Channel>> {
        self.by_name.get(name)
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
