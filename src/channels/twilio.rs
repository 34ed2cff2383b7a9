//! Twilio Programmable Messaging (SMS, MMS).
//!
//! Checked against: Twilio's documentation of webhook security, incoming messages, the Messages resource and
//! status callbacks; the signature vectors of `shared/data/vectors`; requests signed by the `twilio` package
//! (tests/e2e). Not tried against a live account.

use super::senders::Senders;
use super::{
    Accepted, BuildContext, Capabilities, Channel, InboundEvent, InboundMessage, Lookup, Outgoing, Receipt,
    ReceiptState, Refusal, SendError, Trace, WebhookRequest, content_type_is, header, retry_after, settings,
};
use crate::config::{ChannelSettings, Secret};
use crate::model::{Media, Timestamp};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha1::Sha1;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Twilio's list is newest first; older pages than this are not about a send of the last minutes.
const LOOKUP_PAGES: usize = 5;
/// Their clock and ours may differ by this much.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// The number told Twilio to stop (error 21610): nothing of ours reaches it.
const UNSUBSCRIBED: i64 = 21_610;
/// What trial accounts put before every text.
const TRIAL_PREFIX: &str = "Sent from your Twilio trial account - ";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    account_sid: String,
    auth_token: Secret,
    /// A number (`+33…`), a messaging service (`MG…`) or a name, by where the message goes.
    from: Senders,
    #[serde(default = "default_api_url")]
    api_url: String,
}

fn default_api_url() -> String {
    "https://api.twilio.com".into()
}

pub fn build(name: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let settings: Settings = settings(keys)?;
    if settings.auth_token.is_empty() {
        return Err("auth_token: is empty. Cure: copy it from the Twilio console".into());
    }
    if !settings.account_sid.bytes().all(|b| b.is_ascii_alphanumeric()) || settings.account_sid.is_empty() {
        return Err("account_sid: must be letters and digits. Cure: copy it from the Twilio console".into());
    }
    let webhook = format!("{}/webhooks/{name}", context.public_url);
    Ok(Arc::new(Twilio { settings, webhook, client: context.client.clone() }))
}

struct Twilio {
    settings: Settings,
    /// The public URL that Twilio posts to, and signs.
    webhook: String,
    client: reqwest::Client,
}

type Params = BTreeMap<String, Vec<String>>;

impl Twilio {
    fn messages_url(&self) -> String {
        let api = self.settings.api_url.trim_end_matches('/');
        format!("{api}/2010-04-01/Accounts/{}/Messages.json", self.settings.account_sid)
    }

    fn get(&self, url: &str) -> reqwest::RequestBuilder {
        self.client.get(url).basic_auth(&self.settings.account_sid, Some(self.settings.auth_token.expose()))
    }

    /// The message list of one page and the path of the next.
    async fn page(&self, url: &str, to: Option<&str>, trace: &Trace) -> Result<Page, String> {
        let mut request = self.get(url);
        if let Some(to) = to {
            request = request.query(&[("To", to), ("PageSize", "100")]);
        }
        let reply = trace.call(request, &[]).await.map_err(|error| error.to_string())?;
        if !reply.is_success() {
            return Err(format!("Twilio answered {} to the message list", reply.status));
        }
        reply.json().ok_or_else(|| "Twilio's message list cannot be read".to_owned())
    }
}

#[async_trait]
impl Channel for Twilio {
    fn capabilities(&self) -> Capabilities {
        // Twilio refuses longer bodies (error 21617).
        let text = Capabilities::text(1_600);
        Capabilities { sms: true, media: true, receipts: true, can_be_asked: true, ..text }
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        let signature = header(request.headers, "x-twilio-signature").ok_or(Refusal::Unsigned)?;
        if !content_type_is(request.headers, "application/x-www-form-urlencoded") {
            return Err(Refusal::ContentType);
        }
        let params = parse_form(request.body)?;
        let mut url = format!("{}{}", self.webhook, request.tail);
        if let Some(query) = request.query {
            url = format!("{url}?{query}");
        }
        if !signed(self.settings.auth_token.expose(), &url, &params, signature) {
            return Err(Refusal::BadSignature);
        }
        let event = match request.tail {
            "" => InboundEvent::Message(message(&params)?),
            "/status" => InboundEvent::Receipt(receipt(&params, request.query)?),
            _ => return Err(Refusal::NotFound),
        };
        let reply = Some(("text/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>".into()));
        Ok(Accepted { events: vec![event], reply, ..Accepted::default() })
    }

    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let from = self.settings.from.of(&message.address);
        let sender = if from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let callback = format!("{}/status?m={}", self.webhook, message.id);
        let form = [
            ("To", &*message.address),
            (sender, from),
            ("Body", &*message.text),
            ("StatusCallback", &callback),
        ];
        let request = self
            .client
            .post(self.messages_url())
            .basic_auth(&self.settings.account_sid, Some(self.settings.auth_token.expose()))
            .form(&form);
        let reply = trace.call(request, &[]).await?;
        let body: Option<Answer> = reply.json();
        if reply.is_success() {
            return match body {
                Some(Answer { sid: Some(sid), .. }) => Ok(Some(sid)),
                _ => Err(SendError::InDoubt { why: "Twilio accepted, but gave no message id".into() }),
            };
        }
        let code = body.and_then(|b| b.code);
        let said = code.map_or(String::new(), |c| format!(", error {c}"));
        let why = format!("Twilio answered {}{said}", reply.status);
        if code == Some(UNSUBSCRIBED) {
            return Err(SendError::Blocked { why });
        }
        Err(classify(reply.status, why, retry_after(&reply.headers)))
    }

    async fn look_up(&self, message: &Outgoing, trace: &Trace) -> Lookup {
        let since = message.since.minus(CLOCK_SKEW);
        let mut found = Vec::new();
        let mut url = self.messages_url();
        let mut to = Some(message.address.as_str());
        for _ in 0..LOOKUP_PAGES {
            let page = match self.page(&url, to.take(), trace).await {
                Ok(page) => page,
                Err(why) => return Lookup::Unavailable(why),
            };
            let ended = page.messages.iter().any(|m| m.created().is_some_and(|at| at < since));
            found.extend(page.messages.into_iter().filter(|m| m.is(message, since)).map(|m| m.sid));
            match page.next_page_uri {
                Some(next) if !ended => {
                    url = format!("{}{next}", self.settings.api_url.trim_end_matches('/'));
                }
                _ => {
                    found.reverse();
                    return Lookup::Listed(found);
                }
            }
        }
        Lookup::Unavailable("Twilio's message list is too long to be searched".into())
    }
}

/// What a refused send means. 5xx: Twilio may have taken the message before it failed.
fn classify(status: u16, why: String, after: Option<Duration>) -> SendError {
    match status {
        // Wrong credentials are mended by people, who then find the messages sent.
        401 | 403 | 429 => SendError::Retry { why, after },
        500..=599 => SendError::InDoubt { why },
        _ => SendError::Permanent { why },
    }
}

#[derive(Deserialize)]
struct Answer {
    sid: Option<String>,
    code: Option<i64>,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Listed>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    sid: String,
    to: Option<String>,
    body: Option<String>,
    direction: Option<String>,
    /// RFC 2822.
    date_created: Option<String>,
}

impl Listed {
    fn created(&self) -> Option<Timestamp> {
        let zoned = jiff::fmt::rfc2822::parse(self.date_created.as_deref()?).ok()?;
        Some(Timestamp::from_jiff(zoned.timestamp()))
    }

    /// Unless it surely is another message, it is ours: a false "not sent" would send twice.
    fn is(&self, message: &Outgoing, since: Timestamp) -> bool {
        let body = self.body.as_deref().unwrap_or_default();
        let text = message.text.as_str();
        self.to.as_deref() == Some(&*message.address)
            && (body == text || body.strip_prefix(TRIAL_PREFIX) == Some(text))
            && self.direction.as_deref().is_none_or(|d| d.starts_with("outbound"))
            && self.created().is_none_or(|at| at >= since)
    }
}

fn parse_form(body: &[u8]) -> Result<Params, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::Malformed("the form is not UTF-8"))?;
    let mut params = Params::new();
    for (key, value) in form_urlencoded::parse(text.as_bytes()) {
        params.entry(key.into_owned()).or_default().push(value.into_owned());
    }
    let replaced = params.values().flatten().chain(params.keys()).any(|v| v.contains('\u{fffd}'));
    let sent = text.to_ascii_lowercase().contains("%ef%bf%bd") || text.contains('\u{fffd}');
    if replaced && !sent {
        return Err(Refusal::Malformed("the form is not UTF-8"));
    }
    Ok(params)
}

/// HMAC-SHA1 with the auth token over the URL and the sorted parameters, in base64 (Twilio, "Webhooks
/// security"). Twilio signs the URL with or without the port, so both count.
fn signed(token: &str, url: &str, params: &Params, signature: &str) -> bool {
    let Ok(signature) = BASE64.decode(signature) else { return false };
    let matches = |url: &str| {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else { return false };
        mac.update(url.as_bytes());
        for (key, values) in params {
            for value in values.iter().collect::<BTreeSet<_>>() {
                mac.update(key.as_bytes());
                mac.update(value.as_bytes());
            }
        }
        mac.verify_slice(&signature).is_ok()
    };
    matches(url) || port_variants(url).iter().any(|variant| matches(variant))
}

/// The URL with its scheme's port spelt out, and without any port.
fn port_variants(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return Vec::new() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let port = if scheme == "https" { 443 } else { 80 };
    match authority.rsplit_once(':') {
        Some((host, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            vec![format!("{scheme}://{host}{path}")]
        }
        _ => vec![format!("{scheme}://{authority}:{port}{path}")],
    }
}

fn first<'a>(params: &'a Params, key: &str) -> Option<&'a str> {
    params.get(key).and_then(|values| values.first()).map(String::as_str).filter(|v| !v.is_empty())
}

fn message(params: &Params) -> Result<InboundMessage, Refusal> {
    let required = |key| first(params, key).ok_or(Refusal::Malformed("MessageSid or From is missing"));
    // Twilio's documented most is ten media a message.
    let count = first(params, "NumMedia").and_then(|n| n.parse().ok()).unwrap_or(0).min(10);
    let media = (0..count)
        .filter_map(|i: usize| {
            let url = first(params, &format!("MediaUrl{i}"))?.to_owned();
            let kind = first(params, &format!("MediaContentType{i}")).unwrap_or("application/octet-stream");
            Some(Media { kind: kind.to_owned(), url })
        })
        .collect();
    Ok(InboundMessage {
        provider_id: required("MessageSid")?.to_owned(),
        address: required("From")?.to_owned(),
        text: first(params, "Body").unwrap_or_default().to_owned(),
        media,
        ..InboundMessage::default()
    })
}

fn receipt(params: &Params, query: Option<&str>) -> Result<Receipt, Refusal> {
    let missing = Refusal::Malformed("MessageSid or MessageStatus is missing");
    let (Some(sid), Some(status)) = (first(params, "MessageSid"), first(params, "MessageStatus")) else {
        return Err(missing);
    };
    let state = match status {
        "delivered" | "read" => ReceiptState::Delivered,
        "failed" | "undelivered" | "canceled" => {
            let code = first(params, "ErrorCode").unwrap_or("unknown");
            ReceiptState::Failed(format!("Twilio: {status}, error {code}"))
        }
        _ => ReceiptState::Sent,
    };
    let message_id = query
        .and_then(|q| form_urlencoded::parse(q.as_bytes()).find(|(key, _)| key == "m"))
        .and_then(|(_, id)| id.parse().ok());
    Ok(Receipt { provider_id: sid.to_owned(), message_id, state })
}

#[cfg(test)]
#[path = "twilio_tests.rs"]
mod tests;
