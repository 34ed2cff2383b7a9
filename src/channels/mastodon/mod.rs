//! Mastodon, and what speaks as it does: statuses that mention the account. Direct ones are private conversations; all others
//! are read by everyone, or by more people than one, and are conversations of their own.
//!
//! Checked against Mastodon's documentation (notifications, statuses, their entities, `characters_reserved_per_url`, rate limits)
//! and its source where that is silent (when an idempotency key is kept, `PostStatusService`); PyPI `Mastodon.py` reads and
//! writes with the stand-in of tests/e2e. The payloads of the tests are written by us in the documented shapes. Not tried
//! against a live account.
//!
//! **Sends in doubt.** The answers under the customer's status are looked through. Ours is not there: it is sent again, with
//! our message's id as `Idempotency-Key` as before. For an hour the same key gives the status that there is and publishes
//! nothing; what is sent later than that is looked for once more before it is.

mod html;
mod read;

use super::polling::{Fetched, Polling, Source, Trouble};
use super::posts::{weigh_links, without_names};
use super::value::{self, is_path, list, text};
use super::{
    Accepted, BuildContext, Capabilities, Channel, Listener, Lookup, Moderation, Outgoing, Pace, Refusal,
    Reply, SendError, Trace, WebhookRequest, check_url, retry_after, settings, split_by,
};
use crate::clock::Clock;
use crate::config::{ChannelSettings, Secret, Span};
use crate::model::Timestamp;
use async_trait::async_trait;
use axum::http::HeaderMap;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long a repeated key surely gives the same status: an hour, less what a request may take.
const KEY_HOLDS: Duration = Duration::from_secs(50 * 60);
/// Clocks differ: what was sent by our clock may be listed as a little older.
const SKEW: Duration = Duration::from_secs(60);
/// Most notifications of one answer (the documented maximum is 80).
const AT_ONCE: usize = 40;
/// Longer pauses than this are left to the retry schedule.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// Who sees a direct status: those it mentions.
const DIRECT: &str = "direct";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Of the server: `https://mastodon.example`.
    url: String,
    /// With the rights `read:notifications`, `read:statuses`, `read:accounts` and `write:statuses`, `write:favourites`.
    access_token: Secret,
    /// The longest status of this server.
    #[serde(default = "default_max_characters")]
    max_characters: usize,
    /// How often it is asked for mentions.
    #[serde(default = "default_poll")]
    poll: Span,
    /// Where those who write in public are invited to write; left out: the invitation names no address, and a direct
    /// status reaches us.
    private_url: Option<String>,
}

fn default_max_characters() -> usize {
    500
}

fn default_poll() -> Span {
    Span::seconds(30)
}

pub fn build(_: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let settings: Settings = settings(keys)?;
    check_url("url", &settings.url)
        .map_err(|_| "url: is no http(s) URL. Cure: write https:// and the server's name")?;
    if settings.access_token.is_empty() {
        return Err(
            "access_token: is empty. Cure: copy it from Preferences, Development, your application".into()
        );
    }
    if settings.max_characters < 200 {
        return Err(
            "max_characters: must be at least 200. Cure: leave it out, or the limit of the server".into()
        );
    }
    let poll = Duration::from(settings.poll);
    if poll < Duration::from_secs(2) {
        return Err("poll: must be at least 2s: the server lets an account ask 300 times in five minutes. Cure: leave it out".into());
    }
    let api = Arc::new(Api {
        base: settings.url.trim_end_matches('/').to_owned(),
        token: settings.access_token,
        poll,
        client: context.client.clone(),
        clock: context.clock.clone(),
    });
    Ok(Arc::new(Mastodon {
        listener: Arc::new(Polling::new(api.clone(), context.clock.clone())),
        api,
        max: settings.max_characters,
        private_url: settings.private_url,
    }))
}

/// One account on one server.
struct Api {
    base: String,
    token: Secret,
    poll: Duration,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl Api {
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}/api/v1/{path}", self.base))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}/api/v1/{path}", self.base))
    }

    async fn call(&self, request: RequestBuilder, trace: &Trace) -> Result<Value, SendError> {
        let reply = trace.call(request.bearer_auth(self.token.expose()), &[]).await?;
        if !reply.is_success() {
            return Err(classify(&reply, self.clock.now()));
        }
        reply.json().ok_or_else(|| SendError::InDoubt {
            why: "the server accepted, but its answer cannot be read".into(),
        })
    }

    /// Our answer among those under the customer's status.
    async fn find(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let under = answered(message)?;
        let own = self.call(self.get("accounts/verify_credentials"), trace).await?;
        let own = value::id(&own, "id");
        let context = self.call(self.get(&format!("statuses/{under}/context")), trace).await?;
        let since = message.since.minus(SKEW).to_jiff();
        let ours = |status: &&Value| {
            let at = text(status, "created_at").and_then(|at| at.parse::<jiff::Timestamp>().ok());
            let words = html::text(&text(status, "content").unwrap_or_default());
            own.is_some()
                && value::id_of(status, "account") == own
                && value::id(status, "in_reply_to_id").as_deref() == Some(under)
                && at.is_some_and(|at| at >= since)
                && same_words(without_names(&words), &message.text)
        };
        Ok(list(&context, "descendants").find(ours).and_then(|status| value::id(status, "id")))
    }
}

fn same_words(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// The customer's status that is answered.
fn answered(message: &Outgoing) -> Result<&str, SendError> {
    let id = message.reply_to.as_deref().unwrap_or_default();
    is_path(id)
        .then_some(id)
        .ok_or_else(|| SendError::Permanent { why: "there is no status to answer".into() })
}

/// Visibility and account of an address; see [`read`].
fn whom(address: &str) -> Result<(&str, &str), SendError> {
    let plain = |account: &str| account.chars().all(|c| c.is_alphanumeric() || "@._-:".contains(c));
    address
        .split_once(':')
        .filter(|(visibility, account)| {
            read::VISIBILITIES.contains(visibility) && !account.is_empty() && plain(account)
        })
        .ok_or_else(|| SendError::Permanent { why: "the address is no account of Mastodon".into() })
}

/// What a refused call means. The words of a server may hold anything, so only the status is told.
fn classify(reply: &Reply, now: Timestamp) -> SendError {
    let why = |what: &str| format!("the server answered {}{what}", reply.status);
    match reply.status {
        401 | 403 => {
            SendError::Retry { why: why(": the access token or its rights must be renewed"), after: None }
        }
        429 => {
            let after = regained(&reply.headers, now).max(retry_after(&reply.headers));
            SendError::Retry { why: why(": too many calls"), after }
        }
        404 | 410 => SendError::Permanent { why: why(": the status that is answered is gone") },
        422 => SendError::Permanent { why: why(": the status is not taken") },
        400..=499 => SendError::Permanent { why: why("") },
        _ => SendError::InDoubt { why: why("") },
    }
}

/// `X-RateLimit-Reset`, in ISO 8601.
fn regained(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let reset: jiff::Timestamp = headers.get("x-ratelimit-reset")?.to_str().ok()?.trim().parse().ok()?;
    Some(Timestamp::from_jiff(reset).since(now).min(LONGEST_PAUSE))
}

#[async_trait]
impl Source for Api {
    fn name(&self) -> &'static str {
        "Mastodon"
    }

    /// `min_id` gives what directly follows, so that nothing is passed over however much there is.
    async fn ask(&self, cursor: Option<&str>, began: Timestamp) -> Result<Fetched, Trouble> {
        let limit = AT_ONCE.to_string();
        // Private mentions of strangers are filtered unless they are asked for: all customers are strangers.
        let mut request = self.get("notifications").query(&[
            ("types[]", "mention"),
            ("include_filtered", "true"),
            ("limit", limit.as_str()),
        ]);
        if let Some(cursor) = cursor {
            request = request.query(&[("min_id", cursor)]);
        }
        let trace = Trace::new(self.clock.clone(), &[]);
        let answer = self.call(request, &trace).await?;
        let Value::Array(found) = &answer else {
            return Err(Trouble {
                words: "the server answered with no list of notifications".into(),
                wait: None,
            });
        };
        let mut events = Vec::new();
        // The newest is the first; they are handed over as they came.
        for notification in found.iter().rev() {
            let fresh = cursor.is_some() || read::at(notification).is_some_and(|at| at >= began);
            events.extend(fresh.then(|| read::mention(notification)).flatten());
        }
        let newest = found.first().and_then(|first| value::id(first, "id"));
        let cursor = newest.or_else(|| cursor.map(str::to_owned)).unwrap_or_else(|| "0".into());
        let pause = if found.len() < AT_ONCE { self.poll } else { Duration::from_secs(1) };
        Ok(Fetched { events, cursor, pause })
    }
}

struct Mastodon {
    api: Arc<Api>,
    listener: Arc<Polling<Api>>,
    max: usize,
    private_url: Option<String>,
}

impl Mastodon {
    /// What is left beside the name of whom we answer, which is counted without its server; ours counts the whole.
    fn room(&self, address: &str) -> usize {
        let account = address.split_once(':').map_or(address, |(_, account)| account);
        self.max.saturating_sub(account.chars().count() + 2).max(1)
    }
}

#[async_trait]
impl Channel for Mastodon {
    fn capabilities(&self) -> Capabilities {
        Capabilities { media: true, public: true, can_be_asked: true, ..Capabilities::text(self.max) }
    }

    /// A server lets an account make 300 calls in five minutes, the questions for mentions among them.
    fn pace(&self) -> Pace {
        Pace { per_second: 0.5, concurrent: 2, per_contact: Duration::from_secs(1) }
    }

    fn longest(&self, address: &str) -> usize {
        self.room(address)
    }

    fn parts(&self, address: &str, text: &str) -> Vec<String> {
        split_by(text, self.room(address), |text| {
            let mut weights = vec![1; text.chars().count()];
            weigh_links(text, &mut weights);
            weights
        })
    }

    fn is_public(&self, address: &str) -> bool {
        !address.starts_with(DIRECT)
    }

    fn private_url(&self) -> Option<String> {
        self.private_url.clone()
    }

    /// Mastodon is asked; it posts nothing to us.
    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    /// As it was written to us: the same visibility, and the name, without which nobody is told.
    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let (visibility, account) = whom(&message.address)?;
        let under = answered(message)?;
        if self.api.clock.now().since(message.since) > KEY_HOLDS
            && let Some(there) = self.api.find(message, trace).await.map_err(not_sent)?
        {
            return Ok(Some(there));
        }
        let mut body = json!({
            "status": format!("@{account} {}", message.text),
            "in_reply_to_id": under,
            "visibility": visibility,
        });
        if let Some(lang) = message.lang {
            body["language"] = Value::from(lang.as_str());
        }
        let request = self.api.post("statuses").header("idempotency-key", message.id.to_string()).json(&body);
        match value::id(&self.api.call(request, trace).await?, "id") {
            Some(id) => Ok(Some(id)),
            None => Err(SendError::InDoubt { why: "the server accepted, but gave no id".into() }),
        }
    }

    /// Looked for first: a server that failed may have published a status and lost its key. What is not there is sent
    /// again under the same key, and published once even if the first request is still on its way.
    async fn look_up(&self, message: &Outgoing, trace: &Trace) -> Lookup {
        match self.api.find(message, trace).await {
            Ok(found) => Lookup::Listed(found.into_iter().collect()),
            Err(error) => Lookup::Unavailable(error.to_string()),
        }
    }

    fn moderations(&self) -> &'static [Moderation] {
        &[Moderation::Like]
    }

    async fn moderate(&self, action: Moderation, id: &str, trace: &Trace) -> Result<(), SendError> {
        if action != Moderation::Like || !is_path(id) {
            return Err(SendError::Permanent {
                why: "on Mastodon a status can be liked, and no more".into(),
            });
        }
        self.api.call(self.api.post(&format!("statuses/{id}/favourite")), trace).await.map(|_| ())
    }

    fn listener(&self) -> Option<Arc<dyn Listener>> {
        Some(self.listener.clone())
    }
}

/// A question that failed before anything was sent.
fn not_sent(error: SendError) -> SendError {
    match error {
        SendError::InDoubt { why } => SendError::Retry { why, after: None },
        other => other,
    }
}

#[cfg(test)]
mod tests;
