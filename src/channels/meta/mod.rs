//! The family of Meta: Messenger, Instagram and WhatsApp Cloud are one Graph API with one way to sign, to shake hands
//! and to batch events. That is here, with the sending; what each of them says and wants is in its own file.
//!
//! Checked against: Meta's documentation (Graph API webhooks, Messenger Platform, Instagram Platform, WhatsApp Cloud
//! API, error codes and rate limits, as published up to the spring of 2026); signatures against Python's `hmac`. The
//! payloads of the tests are written by us in the documented shapes. Not tried against a live account.
//!
//! Every body is signed: `X-Hub-Signature-256: sha256=<hex>` is the HMAC-SHA256 of its raw bytes with the app secret
//! (RFC 2104). Meta delivers the same body again until it reads 200, so a signature seen before is no replay; messages
//! are known by their ids. What is of no kind that we read is acknowledged and let go: refused, it would come again and
//! hold up what follows.

mod buttons;
mod comments;
mod errors;
mod instagram;
mod messaging;
mod messenger;
mod whatsapp;
mod window;

use super::signing::hex;
use super::{
    Accepted, BuildContext, Capabilities, Channel, Forbidden, InboundEvent, Lookup, Moderation, Outgoing,
    Pace, Refusal, Reply, SendError, Trace, WebhookRequest, as_written, content_type_is, header, settings,
    value,
};
use crate::clock::Clock;
use crate::config::{ChannelSettings, Secret};
use crate::model::Timestamp;
use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

pub use instagram::build as instagram;
pub use messenger::build as messenger;
pub use whatsapp::build as whatsapp;

/// What Meta sends to be echoed is a number of some ten digits.
const MAX_CHALLENGE: usize = 200;
/// What Meta reads as "taken".
const TAKEN: (&str, &str) = ("text/plain", "EVENT_RECEIVED");
/// The keys that all three kinds have.
const COMMON: &[&str] =
    &["app_secret", "verify_token", "access_token", "appsecret_proof", "version", "api_url"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    /// Signs what comes in.
    app_secret: Secret,
    /// Chosen by the operator, and typed into Meta's console too.
    verify_token: Secret,
    /// Of the page, the Instagram account or the system user.
    access_token: Secret,
    /// Proves with each call that the app's secret is known; for apps that require it.
    #[serde(default)]
    appsecret_proof: bool,
    #[serde(default = "default_version")]
    version: String,
    #[serde(default = "default_api_url")]
    api_url: String,
}

/// The newest that Meta's documentation names.
fn default_version() -> String {
    "v25.0".into()
}

fn default_api_url() -> String {
    "https://graph.facebook.com".into()
}

/// What differs between the three. Pure: requests are described here and made by [`Meta`].
trait Platform: Send + Sync {
    /// What Meta calls its events: other objects than this one are not for us.
    fn object(&self) -> &'static str;

    fn capabilities(&self) -> Capabilities;

    fn pace(&self) -> Pace;

    /// Longest text to this address, in characters.
    fn longest(&self, _address: &str) -> usize {
        self.capabilities().max_chars
    }

    fn is_public(&self, _address: &str) -> bool {
        false
    }

    fn private_url(&self) -> Option<String> {
        None
    }

    /// Adds what one entry of a batch tells.
    fn read(&self, entry: &Value, events: &mut Vec<InboundEvent>);

    fn refuses(&self, message: &Outgoing, now: Timestamp) -> Option<Forbidden>;

    /// The call that sends the message. Errors: it cannot be sent at all.
    fn sending(&self, message: &Outgoing, now: Timestamp) -> Result<Call, SendError>;

    fn typing(&self, address: &str, last: &str) -> Option<Call>;

    fn moderations(&self) -> &'static [Moderation];

    fn moderating(&self, action: Moderation, provider_id: &str) -> Result<Call, SendError>;
}

/// One call of the Graph API.
#[derive(Debug, PartialEq)]
struct Call {
    method: Method,
    /// Behind the version, without a first slash.
    path: String,
    body: Value,
}

impl Call {
    fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), body }
    }
}

struct Meta {
    common: Common,
    platform: Box<dyn Platform>,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

/// Parses the keys of the family and those of the kind (`own`), and checks what types cannot.
fn parts<T: serde::de::DeserializeOwned>(keys: &ChannelSettings) -> Result<(Common, T), String> {
    let (common, own) = keys.0.clone().into_iter().partition(|(key, _)| COMMON.contains(&key.as_str()));
    let common: Common = settings(&ChannelSettings(common))?;
    let own = settings(&ChannelSettings(own))?;
    for (key, secret) in [
        ("app_secret", &common.app_secret),
        ("verify_token", &common.verify_token),
        ("access_token", &common.access_token),
    ] {
        if secret.is_empty() {
            return Err(format!(
                "{key}: is empty. Cure: copy it from the app's page at developers.facebook.com"
            ));
        }
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let versioned = common.version.strip_prefix('v').and_then(|v| v.split_once('.'));
    if !versioned.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
        return Err("version: must be written as v25.0. Cure: leave it out".into());
    }
    if !url::Url::parse(&common.api_url).is_ok_and(|u| matches!(u.scheme(), "http" | "https")) {
        return Err("api_url: is no http(s) URL. Cure: leave it out".into());
    }
    Ok((common, own))
}

/// An id of Meta's as a key of the configuration.
fn check_id(key: &str, id: &str) -> Result<(), String> {
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("{key}: must be digits. Cure: copy it from Meta's console, in quotes"));
    }
    Ok(())
}

fn assemble(common: Common, platform: Box<dyn Platform>, context: &BuildContext) -> Arc<dyn Channel> {
    Arc::new(Meta { common, platform, client: context.client.clone(), clock: context.clock.clone() })
}

impl Meta {
    /// Makes the call and reads its answer.
    async fn call(&self, call: Call, trace: &Trace) -> Result<Value, SendError> {
        let Call { method, path, body } = call;
        let url = format!("{}/{}/{path}", self.common.api_url.trim_end_matches('/'), self.common.version);
        let token = self.common.access_token.expose();
        let mut request = self.client.request(method, url).bearer_auth(token);
        if let Some(proof) = self.proof() {
            request = request.query(&[("appsecret_proof", proof)]);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let reply: Reply = trace.call(request, &[token]).await?;
        let answer: Option<Value> = reply.json();
        let error = answer.as_ref().and_then(|answer| answer.get("error"));
        match (answer.as_ref(), error) {
            (Some(_), None) if reply.is_success() => Ok(answer.unwrap_or_default()),
            (None, _) if reply.is_success() => {
                Err(SendError::InDoubt { why: "Meta accepted, but its answer cannot be read".into() })
            }
            _ => Err(errors::classify(reply.status, error, &reply.headers)),
        }
    }

    /// HMAC-SHA256 of the access token with the app secret, in hexadecimal (Graph API, "Securing requests").
    fn proof(&self) -> Option<String> {
        let mac = self.mac(self.common.access_token.expose().as_bytes())?;
        self.common.appsecret_proof.then(|| hex(&mac.finalize().into_bytes()))
    }

    fn mac(&self, bytes: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.common.app_secret.expose().as_bytes()).ok()?;
        mac.update(bytes);
        Some(mac)
    }

    fn verify(&self, request: &WebhookRequest<'_>) -> Result<(), Refusal> {
        let signature = header(request.headers, "x-hub-signature-256").ok_or(Refusal::Unsigned)?;
        let given =
            signature.strip_prefix("sha256=").and_then(super::http::from_hex).ok_or(Refusal::BadSignature)?;
        let mac = self.mac(request.body).ok_or(Refusal::BadSignature)?;
        mac.verify_slice(&given).map_err(|_| Refusal::BadSignature)
    }
}

#[async_trait]
impl Channel for Meta {
    fn capabilities(&self) -> Capabilities {
        self.platform.capabilities()
    }

    fn pace(&self) -> Pace {
        self.platform.pace()
    }

    fn longest(&self, address: &str) -> usize {
        self.platform.longest(address)
    }

    fn is_public(&self, address: &str) -> bool {
        self.platform.is_public(address)
    }

    fn private_url(&self) -> Option<String> {
        self.platform.private_url()
    }

    /// `hub.mode=subscribe`, our token, and a number to echo.
    fn handshake(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        if !request.tail.is_empty() {
            return Err(Refusal::NotFound);
        }
        let query = request.query.unwrap_or_default();
        let value = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        if value("hub.mode").as_deref() != Some("subscribe") {
            return Err(Refusal::Malformed("hub.mode must be subscribe"));
        }
        let token = value("hub.verify_token").ok_or(Refusal::Unsigned)?;
        if !bool::from(token.as_bytes().ct_eq(self.common.verify_token.expose().as_bytes())) {
            return Err(Refusal::BadSignature);
        }
        // It is echoed: nothing that a browser could take for a page.
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let challenge = value("hub.challenge")
            .filter(|text| !text.is_empty() && text.len() <= MAX_CHALLENGE && plain(text))
            .ok_or(Refusal::Malformed("hub.challenge must be letters and digits"))?;
        Ok(Accepted { reply: Some(("text/plain", challenge.into_owned().into())), ..Accepted::default() })
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
        let batches = match &body {
            Value::Object(_) => std::slice::from_ref(&body),
            // Some examples of the documentation wrap the batch in a list.
            Value::Array(batches) => batches,
            _ => return Err(Refusal::Malformed("the body is no batch of events")),
        };
        let mut events = Vec::new();
        for batch in batches {
            if value::text(batch, "object").as_deref() != Some(self.platform.object()) {
                tracing::debug!("a batch about another object than this channel's: let go");
                continue;
            }
            value::list(batch, "entry").for_each(|entry| self.platform.read(entry, &mut events));
        }
        Ok(Accepted { events, reply: Some((TAKEN.0, TAKEN.1.into())), ..Accepted::default() })
    }

    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let now = self.clock.now();
        if let Some(forbidden) = self.platform.refuses(message, now) {
            return Err(SendError::Permanent { why: forbidden.to_string() });
        }
        let answer = self.call(self.platform.sending(message, now)?, trace).await?;
        // Messenger and Instagram, WhatsApp, comments.
        let id = value::text(&answer, "message_id")
            .or_else(|| value::list(&answer, "messages").find_map(|sent| value::text(sent, "id")))
            .or_else(|| value::text(&answer, "id"));
        match id {
            Some(id) => Ok(Some(id)),
            None => Err(SendError::InDoubt { why: "Meta accepted, but gave no message id".into() }),
        }
    }

    /// The messages of a conversation can be listed on Messenger and Instagram, but nothing says how soon a new one is in
    /// the list: "not there" would send twice. What settles a doubt comes by itself, where it does: the echo of
    /// Messenger ([`messaging`]) and the statuses of WhatsApp give our own id back.
    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }

    fn refuses(&self, message: &Outgoing, now: Timestamp) -> Option<Forbidden> {
        self.platform.refuses(message, now)
    }

    async fn typing(&self, address: &str, last: &str, trace: &Trace) {
        if let Some(call) = self.platform.typing(address, last)
            && let Err(error) = self.call(call, trace).await
        {
            tracing::debug!(%error, "nobody is shown that we write");
        }
    }

    fn moderations(&self) -> &'static [Moderation] {
        self.platform.moderations()
    }

    async fn moderate(&self, action: Moderation, id: &str, trace: &Trace) -> Result<(), SendError> {
        self.call(self.platform.moderating(action, id)?, trace).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
