//! X: direct messages, and posts that name the account or answer it.
//!
//! Checked against X's documentation as it stood in 2026: webhooks and their challenge ("Securing webhooks"), the data objects of
//! the Account Activity API, `POST /2/dm_conversations/with/:participant_id/messages`, `POST /2/tweets`, their lookups, hiding
//! replies, rate limits and error codes; lengths against npm `twitter-text`, signatures against RFC 5849 and Python's `oauthlib`
//! and `hmac`. The payloads of the tests are written by us in the documented shapes; PyPI `tweepy` writes to the
//! stand-in of tests/e2e. Not tried against a live account. X says that this interface will give way to its "X Activity API",
//! whose events are not read here. Encrypted chats are given by no interface: they do not come in.
//!
//! Every body is signed: `x-twitter-webhooks-signature: sha256=<base64>` is the HMAC-SHA256 of its raw bytes with the app's
//! secret. The challenge (GET with `crc_token`) is answered with the same HMAC of the token: a token that could be a body is
//! therefore refused, or whoever asks would get bodies signed. X delivers again what it is not sure of; messages are known by
//! their ids.

mod errors;
mod events;
mod oauth;
mod settings;
mod weight;

use super::posts::{links, without_names};
use super::value::{self, is_path, list, text};
use super::{
    Accepted, BuildContext, Capabilities, Channel, Lookup, Moderation, Outgoing, Pace, Refusal, SendError,
    Trace, WebhookRequest, content_type_is, header, split_by,
};
use crate::clock::Clock;
use crate::config::{ChannelSettings, Secret};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oauth::{Moment, Signer};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use uuid::Uuid;

/// The address of who posts in public; a bare id is a person's messages.
const POST: &str = "post:";
/// Of a direct message, in characters.
const MAX_MESSAGE: usize = 10_000;
/// Of a post, in X's own count ([`weight`]).
const MAX_POST: usize = 280;
const MAX_CHALLENGE: usize = 200;
/// Clocks differ: what was sent by our clock may be listed as a little older.
const SKEW: Duration = Duration::from_secs(60);

pub fn build(_: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let settings = settings::read(keys)?;
    let signer = settings::signer(&settings)?;
    let private_url = settings
        .private_url
        .unwrap_or_else(|| format!("https://x.com/messages/compose?recipient_id={}", settings.user_id));
    Ok(Arc::new(X {
        own: settings.user_id,
        api_secret: settings.api_secret,
        signer,
        max_post: settings.max_post,
        private_url,
        base: settings.api_url.trim_end_matches('/').to_owned(),
        client: context.client.clone(),
        clock: context.clock.clone(),
    }))
}

struct X {
    own: String,
    api_secret: Secret,
    signer: Signer,
    max_post: usize,
    private_url: String,
    base: String,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

/// One call, without what is said in the query.
struct Call {
    method: Method,
    /// Behind the base, without a first slash.
    path: String,
    query: &'static [(&'static str, &'static str)],
    body: Value,
}

impl Call {
    fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), query: &[], body }
    }

    fn get(path: impl Into<String>, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { method: Method::GET, path: path.into(), query, body: Value::Null }
    }
}

impl X {
    fn mac(&self, bytes: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.api_secret.expose().as_bytes()).ok()?;
        mac.update(bytes);
        Some(mac)
    }

    fn verify(&self, request: &WebhookRequest<'_>) -> Result<(), Refusal> {
        let signature = header(request.headers, "x-twitter-webhooks-signature").ok_or(Refusal::Unsigned)?;
        let given = signature.strip_prefix("sha256=").and_then(|given| STANDARD.decode(given).ok());
        let mac = self.mac(request.body).ok_or(Refusal::BadSignature)?;
        mac.verify_slice(&given.ok_or(Refusal::BadSignature)?).map_err(|_| Refusal::BadSignature)
    }

    /// Makes the call and reads its answer.
    async fn call(&self, call: Call, trace: &Trace) -> Result<Value, SendError> {
        let never = |why: &str| SendError::Permanent { why: why.to_owned() };
        let mut url = Url::parse(&format!("{}/{}", self.base, call.path))
            .map_err(|_| never("the address is none of X"))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        let now = self.clock.now();
        let moment = Moment { seconds: now.0 / 1_000_000, nonce: Uuid::new_v4().simple().to_string() };
        let signed = self.signer.authorization(call.method.as_str(), &url, &moment);
        let signed = signed.ok_or_else(|| never("the keys cannot sign"))?;
        let mut request = self.client.request(call.method, url).header("authorization", signed);
        if !call.body.is_null() {
            request = request.json(&call.body);
        }
        let reply = trace.call(request, &[]).await?;
        if !reply.is_success() {
            return Err(errors::classify(&reply, now));
        }
        let unread = || SendError::InDoubt { why: "X accepted, but its answer cannot be read".into() };
        reply.json().ok_or_else(unread)
    }

    /// Ours among the messages of a conversation, or among our posts.
    async fn listed(&self, message: &Outgoing, trace: &Trace) -> Result<Vec<String>, SendError> {
        let fields = &[
            ("dm_event.fields", "id,text,sender_id,created_at,event_type"),
            ("event_types", "MessageCreate"),
            ("max_results", "100"),
        ];
        let call = if is_public(&message.address) {
            let fields =
                &[("tweet.fields", "created_at,referenced_tweets,note_tweet"), ("max_results", "100")];
            Call::get(format!("2/users/{}/tweets", self.own), fields)
        } else {
            Call::get(format!("2/dm_conversations/with/{}/dm_events", person(&message.address)?), fields)
        };
        let answer = self.call(call, trace).await?;
        let mut ids: Vec<String> = list(&answer, "data")
            .filter(|said| self.is_ours(message, said))
            .filter_map(|said| value::id(said, "id"))
            .collect();
        ids.reverse();
        Ok(ids)
    }

    fn is_ours(&self, message: &Outgoing, said: &Value) -> bool {
        let at = text(said, "created_at").and_then(|at| at.parse::<jiff::Timestamp>().ok());
        if at.is_none_or(|at| at < message.since.minus(SKEW).to_jiff()) {
            return false;
        }
        let whole = said.get("note_tweet").unwrap_or(said);
        let words = events::plain(&text(whole, "text").unwrap_or_default());
        if is_public(&message.address) {
            let under = list(said, "referenced_tweets").any(|other| {
                text(other, "type").as_deref() == Some("replied_to")
                    && value::id(other, "id") == message.reply_to
            });
            return under && without_links(without_names(&words)) == without_links(&message.text);
        }
        value::id(said, "sender_id").as_deref() == Some(&self.own)
            && without_links(&words) == without_links(&message.text)
    }
}

fn is_public(address: &str) -> bool {
    address.starts_with(POST)
}

fn person(address: &str) -> Result<&str, SendError> {
    let digits = !address.is_empty() && address.bytes().all(|b| b.is_ascii_digit());
    digits
        .then_some(address)
        .ok_or_else(|| SendError::Permanent { why: "the address is no account of X".into() })
}

fn post(id: &str) -> Result<&str, SendError> {
    is_path(id).then_some(id).ok_or_else(|| SendError::Permanent { why: "there is no post to answer".into() })
}

/// Links are told in a shortened form: only the words between them can be held against what was said.
fn without_links(text: &str) -> String {
    let mut bare = text.to_owned();
    for link in links(text).into_iter().rev() {
        bare.replace_range(link, "");
    }
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[async_trait]
impl Channel for X {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            media: true,
            receipts: true,
            public: true,
            can_be_asked: true,
            ..Capabilities::text(MAX_MESSAGE)
        }
    }

    /// What X lets an account do has changed often; its pages name 100 to 200 calls in a quarter of an hour. What is too much
    /// is told, and waits.
    fn pace(&self) -> Pace {
        Pace { per_second: 0.2, concurrent: 4, per_contact: Duration::from_secs(1) }
    }

    fn longest(&self, address: &str) -> usize {
        if is_public(address) { self.max_post } else { MAX_MESSAGE }
    }

    fn parts(&self, address: &str, text: &str) -> Vec<String> {
        if is_public(address) {
            split_by(text, self.max_post, weight::weigh)
        } else {
            split_by(text, MAX_MESSAGE, |text| vec![1; text.chars().count()])
        }
    }

    fn is_public(&self, address: &str) -> bool {
        is_public(address)
    }

    fn private_url(&self) -> Option<String> {
        Some(self.private_url.clone())
    }

    /// `crc_token`, to be signed with the app's secret.
    fn handshake(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        if !request.tail.is_empty() {
            return Err(Refusal::NotFound);
        }
        let query = request.query.unwrap_or_default();
        let token = form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == "crc_token")
            .map(|(_, token)| token);
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.=+/".contains(&b));
        let token = token
            .filter(|token| !token.is_empty() && token.len() <= MAX_CHALLENGE && plain(token))
            .ok_or(Refusal::Malformed("crc_token must be letters and digits"))?;
        let mac = self.mac(token.as_bytes()).ok_or(Refusal::BadSignature)?;
        let signed = format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()));
        let reply = json!({ "response_token": signed }).to_string();
        Ok(Accepted { reply: Some(("application/json", reply.into())), ..Accepted::default() })
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        self.verify(request)?;
        if !request.tail.is_empty() {
            return Err(Refusal::NotFound);
        }
        if !content_type_is(request.headers, "application/json") {
            return Err(Refusal::ContentType);
        }
        let body: Value =
            serde_json::from_slice(request.body).map_err(|_| Refusal::Malformed("the body is no JSON"))?;
        if !body.is_object() {
            return Err(Refusal::Malformed("the body is no activity"));
        }
        // X reads 200 as "taken", and nothing else is documented to be.
        let reply = Some(("text/plain", "".into()));
        Ok(Accepted { events: events::read(&self.own, &body), reply, ..Accepted::default() })
    }

    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let (call, key) = if is_public(&message.address) {
            let under = post(message.reply_to.as_deref().unwrap_or_default())?;
            let body = json!({ "text": message.text, "reply": { "in_reply_to_tweet_id": under } });
            (Call::post("2/tweets", body), "id")
        } else {
            let path = format!("2/dm_conversations/with/{}/messages", person(&message.address)?);
            (Call::post(path, json!({ "text": message.text })), "dm_event_id")
        };
        let answer = self.call(call, trace).await?;
        match answer.get("data").and_then(|data| value::id(data, key)) {
            Some(id) => Ok(Some(id)),
            None => Err(SendError::InDoubt { why: "X accepted, but gave no id".into() }),
        }
    }

    /// Nothing says how soon a new message is listed, so only "it is there" counts: "not there" would send twice.
    async fn look_up(&self, message: &Outgoing, trace: &Trace) -> Lookup {
        match self.listed(message, trace).await {
            Ok(ids) if ids.is_empty() => {
                Lookup::Unavailable("X lists no such message, which proves nothing".into())
            }
            Ok(ids) => Lookup::Listed(ids),
            Err(error) => Lookup::Unavailable(error.to_string()),
        }
    }

    fn moderations(&self) -> &'static [Moderation] {
        &[Moderation::Like, Moderation::Hide, Moderation::Show]
    }

    /// Hiding takes a reply out of the conversation below one of the account's own posts.
    async fn moderate(&self, action: Moderation, id: &str, trace: &Trace) -> Result<(), SendError> {
        let id = post(id)?;
        let hidden = |hidden: bool| Call {
            method: Method::PUT,
            path: format!("2/tweets/{id}/hidden"),
            query: &[],
            body: json!({ "hidden": hidden }),
        };
        let call = match action {
            Moderation::Hide => hidden(true),
            Moderation::Show => hidden(false),
            Moderation::Like => Call::post(format!("2/users/{}/likes", self.own), json!({ "tweet_id": id })),
            Moderation::Delete => {
                return Err(SendError::Permanent { why: "on X only their author deletes posts".into() });
            }
        };
        self.call(call, trace).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
