//! `http`: the operator's own service answers. An intent with `answer: http` names its address, `url:`.
//!
//! **The question.** Guichet posts JSON, signed as [`crate::channels::signing`] says with `fulfilment.secret`:
//! ```json
//! {"intent": "sales.seats", "lang": "fr",
//!  "slots": {"train": {"type": "train", "number": "8745"}},
//!  "context": {"contact": "<32 hexadecimal figures>", "now": "2026-12-20T11:04:00Z"}}
//! ```
//! A slot is `{"type": "station", "id", "name"}`, `{"type": "time", "start", "end"}` (RFC 3339, UTC; from start to before
//! end, a point in time has both the same), `{"type": "train", "number"}`, `{"type": "line", "name"}`, `{"type": "reference",
//! "code"}`, `{"type": "phone", "number"}`, `{"type": "email", "address"}`, or `{"type": "ambiguous", "options": [{"id",
//! "name"}]}`. `contact` stands for the customer: the same for the same one, and no address. The customer's words are not
//! sent. In `url`, `{intent}`, `{lang}` and names of slots are replaced by their values, percent-encoded: a station's id, a
//! time's start, a number or name; empty when the slot is.
//!
//! **The answer.** Status 200, `application/json`, at most `fulfilment.max_bytes`, one of:
//! ```json
//! {"found": {"seats": 12}, "facts": [{"value": "seats 8745: 12", "source": "Ventes", "as_of": "2026-12-20T12:04:00+01:00"}]}
//! {"nothing": {}, "facts": [{"value": "8745 is not sold", "source": "Ventes", "as_of": "2026-12-20T12:04:00+01:00"}]}
//! {"no_data": "the sales system is closed"}
//! ```
//! `found` holds the variables of the response's `text` and `sms`, `nothing` those of `none`; Guichet adds `provenance`,
//! a sentence of the sources and the oldest `as_of`. At least one fact is needed, each with `as_of`: when it was made. One
//! older than `fulfilment.stale_after`, an unknown key, or anything else that is not as here, and people take over.
//!
//! **What is given up for safety.** Redirects are not followed and no proxy is used. A question may come twice (after
//! a lost connection or a status of 500 and above), so asking must change nothing. Every address that a name leads to is
//! checked, and the checked one is connected to.

pub(crate) mod address;
mod breaker;
mod question;
mod reply;

use super::{AnswerSource, Lookup, Query, Samples};
use crate::channels::signing::{SIGNATURE, TIMESTAMP, sign};
use crate::clock::Clock;
use crate::config::{FulfilmentConfig, SHORTEST_SECRET};
use crate::model::IntentSpec;
use crate::nlu::PackError;
pub use address::check_literal;
use address::{Forbidden, Guarded};
use async_trait::async_trait;
use breaker::Breaker;
use jiff::tz::TimeZone;
use reply::Reading;
use reqwest::{Client, Response, StatusCode, header};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

const NAME: &str = "http";

/// Asks the operator's service.
pub struct Http {
    config: FulfilmentConfig,
    client: Client,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
    /// In which times are told.
    zone: TimeZone,
}

/// Where no service may be asked: simulations and tests. Knows nothing.
pub struct Offline;

/// Why there is no answer. Shows neither address nor content.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum Failure {
    /// Not asked: by configuration.
    #[error("not asked: {0}")]
    Refused(String),
    #[error("not asked: it failed too often in a row")]
    Open,
    #[error("it did not answer in time")]
    TimedOut,
    #[error("it cannot be reached")]
    Unreachable,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer is larger than fulfilment.max_bytes")]
    TooLarge,
    #[error("its answer cannot be used: {0}")]
    Malformed(String),
    #[error("a fact is {} s old, more than fulfilment.stale_after", .0.as_secs())]
    Stale(Duration),
}

impl Failure {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Open => "open",
            Self::TimedOut => "timeout",
            Self::Unreachable => "unreachable",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::Malformed(_) => "malformed",
            Self::Stale(_) => "stale",
        }
    }

    /// The host is down or overloaded; every other failure is about one question.
    fn is_of_host(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Unreachable | Self::Status(429 | 500..))
    }

    fn is_worth_another_try(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Status(500..))
    }
}

impl Http {
    /// # Errors
    /// The TLS library of this machine does not work.
    pub fn new(config: FulfilmentConfig, clock: Arc<dyn Clock>, zone: TimeZone) -> Result<Self, String> {
        let timeout = Duration::from(config.timeout);
        let client = guarded_client(timeout, config.allow_private)?;
        let breaker = Breaker::new(config.open_after, config.pause.into());
        Ok(Self { config, client, breaker, clock, zone })
    }

    /// What keeps `url` from being asked, and the cure. Names are resolved later.
    fn refusal(&self, url: &Url) -> Option<(String, String)> {
        if self.config.secret.expose().len() < SHORTEST_SECRET {
            let cure = "set it in guichet.toml or as GUICHET__FULFILMENT__SECRET (openssl rand -hex 32)";
            return Some(("fulfilment.secret is missing: questions are signed".to_owned(), cure.to_owned()));
        }
        if !self.config.allows(url) {
            let host = host_of(url);
            let what = format!("the host '{host}' of 'url' is not on the list fulfilment.allow");
            return Some((what, format!("add \"{host}\" to it in guichet.toml, or correct the address")));
        }
        if url.scheme() != "https" && !self.config.allow_private {
            let cure = "write https://, or set fulfilment.allow_private = true inside your own network";
            return Some(("'url' is not encrypted".to_owned(), cure.to_owned()));
        }
        check_literal(url, self.config.allow_private).err().map(|forbidden| {
            let cure = "set fulfilment.allow_private = true for a service inside your own network";
            (forbidden.to_string(), cure.to_owned())
        })
    }

    async fn ask(&self, query: &Query, host: &str) -> Result<Lookup, Failure> {
        let refused = |what: &str| Failure::Refused(what.to_owned());
        let template = query.url.as_ref().ok_or_else(|| refused("the intent has no url"))?;
        let url = template.fill(|name| question::in_url(query, name));
        let url = url.ok_or_else(|| refused("a value would change the path of the url"))?;
        if let Some((what, _)) = self.refusal(&url) {
            return Err(Failure::Refused(what));
        }
        let body =
            question::body(query, &self.config.secret).ok_or_else(|| refused("the secret cannot sign"))?;
        if !self.breaker.admits(host, self.clock.now()) {
            return Err(Failure::Open);
        }
        let asked = tokio::time::timeout(self.config.timeout.into(), self.twice(&url, &body)).await;
        let asked = asked.unwrap_or(Err(Failure::TimedOut));
        self.note(host, &asked);
        let reading = Reading {
            now: query.now,
            stale_after: self.config.stale_after.into(),
            lang: query.lang,
            zone: &self.zone,
        };
        reading.read(&asked?)
    }

    fn note(&self, host: &str, asked: &Result<Vec<u8>, Failure>) {
        let open = match asked {
            Err(failure) if failure.is_of_host() => self.breaker.failed(host, self.clock.now()),
            Err(Failure::Refused(_)) => return,
            _ => {
                self.breaker.answered(host);
                false
            }
        };
        let value = if open { 1.0 } else { 0.0 };
        metrics::gauge!("guichet_fulfilment_open", "host" => host.to_owned()).set(value);
    }

    async fn twice(&self, url: &Url, body: &str) -> Result<Vec<u8>, Failure> {
        match self.once(url, body).await {
            Err(failure) if failure.is_worth_another_try() => self.once(url, body).await,
            first => first,
        }
    }

    async fn once(&self, url: &Url, body: &str) -> Result<Vec<u8>, Failure> {
        let signed = sign(&self.config.secret, self.clock.now(), body.as_bytes());
        let (timestamp, signature) =
            signed.ok_or_else(|| Failure::Refused("the secret cannot sign".to_owned()))?;
        let request = self
            .client
            .post(url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(body.to_owned());
        let response = request.send().await.map_err(|error| failure_of(&error))?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status().as_u16()));
        }
        if !is_json(&response) {
            return Err(Failure::Malformed("it is not application/json".to_owned()));
        }
        bounded(response, self.config.max_bytes).await
    }
}

/// A client that posts where an operator says and nowhere else: every address that a name leads to is checked, redirects are
/// not followed, no proxy is used.
///
/// # Errors
/// The TLS library of this machine does not work.
pub fn guarded_client(timeout: Duration, allow_private: bool) -> Result<Client, String> {
    Client::builder()
        .timeout(timeout)
        // Leaves time for a second try.
        .connect_timeout(timeout / 2)
        .redirect(reqwest::redirect::Policy::none())
        // It would resolve names itself, unchecked.
        .no_proxy()
        .no_gzip()
        .dns_resolver(Arc::new(Guarded { allow_private }))
        .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("the HTTP client cannot be built: {error}"))
}

/// Why a request of [`guarded_client`] got no answer, in a word: `timeout`, `unreachable` or `refused`.
pub fn outcome_of(error: &reqwest::Error) -> &'static str {
    failure_of(error).outcome()
}

/// Host and port, as on the list.
fn host_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

/// `application/json`, whatever its parameters.
fn is_json(response: &Response) -> bool {
    let value = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// Stops reading where it becomes too much.
async fn bounded(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure_of(&error))? {
        if bytes.len() + chunk.len() > max_bytes {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn failure_of(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(forbidden) = inner.downcast_ref::<Forbidden>() {
            return Failure::Refused(forbidden.to_string());
        }
        cause = inner.source();
    }
    if error.is_timeout() { Failure::TimedOut } else { Failure::Unreachable }
}

/// As the intent file gives them; without, templates are parsed and not rendered.
fn samples_of(spec: &IntentSpec) -> Samples {
    let with_provenance = |sample: &serde_json::Value| {
        let mut sample = sample.clone();
        if let Some(fields) = sample.as_object_mut() {
            fields.insert("provenance".to_owned(), "Source : Billetterie, hier à 12:04.".into());
        }
        sample
    };
    let list = |sample: &Option<serde_json::Value>| sample.iter().map(with_provenance).collect();
    Samples { found: list(&spec.sample.found), nothing: list(&spec.sample.nothing) }
}

#[async_trait]
impl AnswerSource for Http {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        let host = query.url.as_ref().and_then(|url| url.example()).map(|url| host_of(&url));
        let host = host.unwrap_or_default();
        let started = Instant::now();
        let answer = self.ask(query, &host).await;
        metrics::histogram!("guichet_fulfilment_seconds", "host" => host.clone())
            .record(started.elapsed().as_secs_f64());
        let outcome = match &answer {
            Ok(Lookup::Found { .. }) => "found",
            Ok(Lookup::Nothing { .. }) => "nothing",
            Ok(Lookup::NoData { .. } | Lookup::TooWide) => "no_data",
            Err(failure) => failure.outcome(),
        };
        metrics::counter!("guichet_fulfilment_total", "host" => host.clone(), "outcome" => outcome)
            .increment(1);
        answer.unwrap_or_else(|failure| {
            tracing::warn!(intent = query.intent, host, why = %failure, "the operator's service did not help");
            Lookup::NoData { why: failure.to_string() }
        })
    }

    /// Each intent has its own: [`AnswerSource::samples_for`].
    fn samples(&self) -> Samples {
        Samples::default()
    }

    fn samples_for(&self, spec: &IntentSpec) -> Samples {
        samples_of(spec)
    }

    fn check(&self, spec: &IntentSpec) -> Result<(), PackError> {
        let Some(template) = &spec.url else { return Ok(()) };
        let Some((what, cure)) = template.example().and_then(|url| self.refusal(&url)) else { return Ok(()) };
        let (file, line) = template.place.clone();
        Err(PackError { file, line, what: format!("'{}' cannot be answered: {what}", spec.name), cure })
    }
}

#[async_trait]
impl AnswerSource for Offline {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn look_up(&self, _: &Query) -> Lookup {
        Lookup::NoData { why: "no service may be asked here".to_owned() }
    }

    /// Each intent has its own: [`AnswerSource::samples_for`].
    fn samples(&self) -> Samples {
        Samples::default()
    }

    fn samples_for(&self, spec: &IntentSpec) -> Samples {
        samples_of(spec)
    }
}

#[cfg(test)]
mod tests;
