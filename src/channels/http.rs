//! The generic channel: any other system plugs in with signed JSON in both directions.
//!
//! Inbound: `POST /webhooks/<name>` with `{"id", "from", "text", "media"?: [{"kind", "url"}]}`. Both directions
//! carry `X-Guichet-Timestamp` (Unix seconds) and `X-Guichet-Signature: v1=<hex>`, HMAC-SHA256 with the shared
//! secret over `<timestamp>.<raw body>`. A timestamp outside `tolerance` is refused with 401, a signature used
//! before with 409: the very same request was accepted already. A new request with a known `id` is accepted and
//! stored once.
//!
//! Outbound: `POST callback_url` with `{"id", "to", "text"}`. Any 2xx accepts; another status says that the
//! message was not accepted, except 502 and 504, which a proxy answers for a receiver it lost sight of.
//! `POST /webhooks/<name>/status` with `{"id", "status": "delivered" | "failed", "error"?}` reports back.

use super::signing::{SIGNATURE, TIMESTAMP, hex, mac, sign};
use super::{
    Accepted, BuildContext, Capabilities, Channel, InboundEvent, InboundMessage, Lookup, Outgoing, Receipt,
    ReceiptState, Refusal, SendError, Trace, WebhookRequest, content_type_is, header, retry_after, settings,
};
use crate::clock::Clock;
use crate::config::{ChannelSettings, Secret, Span};
use crate::model::{Media, Timestamp};
use async_trait::async_trait;
use hmac::Mac as _;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Ids and addresses beyond this are no ids.
const MAX_ID: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    secret: Secret,
    callback_url: String,
    /// How far a timestamp may be from our clock.
    #[serde(default = "default_tolerance")]
    tolerance: Span,
}

fn default_tolerance() -> Span {
    Span::seconds(300)
}

pub fn build(_: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let settings: Settings = settings(keys)?;
    if settings.secret.expose().len() < 16 {
        return Err("secret: must be at least 16 characters. Cure: openssl rand -hex 32".into());
    }
    url::Url::parse(&settings.callback_url)
        .ok()
        .filter(|u| matches!(u.scheme(), "http" | "https"))
        .ok_or("callback_url: is no http(s) URL. Cure: where replies are to be posted")?;
    Ok(Arc::new(Http { settings, client: context.client.clone(), clock: context.clock.clone() }))
}

struct Http {
    settings: Settings,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl Http {
    /// The nonce of a request whose signature and age are right.
    fn verify(&self, request: &WebhookRequest<'_>) -> Result<(String, Timestamp), Refusal> {
        let timestamp = header(request.headers, TIMESTAMP).ok_or(Refusal::Unsigned)?;
        let signature = header(request.headers, SIGNATURE).ok_or(Refusal::Unsigned)?;
        let given = signature.strip_prefix("v1=").and_then(from_hex).ok_or(Refusal::BadSignature)?;
        let mac = mac(&self.settings.secret, timestamp, request.body).ok_or(Refusal::BadSignature)?;
        mac.verify_slice(&given).map_err(|_| Refusal::BadSignature)?;
        let seconds: i64 = timestamp.parse().map_err(|_| Refusal::Stale)?;
        let at = Timestamp(seconds.saturating_mul(1_000_000));
        let tolerance: Duration = self.settings.tolerance.into();
        if request.now.since(at) > tolerance || at.since(request.now) > tolerance {
            return Err(Refusal::Stale);
        }
        Ok((hex(&given), at.plus(tolerance)))
    }
}

#[derive(Deserialize)]
struct Inbound {
    id: String,
    from: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    media: Vec<Media>,
}

#[derive(Deserialize)]
struct Status {
    id: String,
    status: String,
    error: Option<String>,
}

#[async_trait]
impl Channel for Http {
    fn capabilities(&self) -> Capabilities {
        Capabilities { media: true, receipts: true, ..Capabilities::text(4_000) }
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        let nonce = self.verify(request)?;
        if !content_type_is(request.headers, "application/json") {
            return Err(Refusal::ContentType);
        }
        let event = match request.tail {
            "" => InboundEvent::Message(inbound(request.body)?),
            "/status" => InboundEvent::Receipt(receipt(request.body)?),
            _ => return Err(Refusal::NotFound),
        };
        let reply = Some(("application/json", "{\"accepted\":true}".into()));
        Ok(Accepted { events: vec![event], nonce: Some(nonce), reply, cursor: None })
    }

    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let body =
            serde_json::json!({"id": message.id, "to": message.address, "text": message.text}).to_string();
        // When it is sent, not when the message was written: a retry after an hour is no replay.
        let signed = sign(&self.settings.secret, self.clock.now(), body.as_bytes());
        let Some((timestamp, signature)) = signed else {
            return Err(SendError::Permanent { why: "the secret cannot sign".into() });
        };
        let request = self
            .client
            .post(&self.settings.callback_url)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(body);
        let reply = trace.call(request, &[]).await?;
        let why = format!("the callback answered {}", reply.status);
        match reply.status {
            200..=299 => Ok(Some(message.id.to_string())),
            502 | 504 => Err(SendError::InDoubt { why }),
            408 | 409 | 425 | 429 | 401 | 403 | 404 | 500..=599 => {
                Err(SendError::Retry { why, after: retry_after(&reply.headers) })
            }
            _ => Err(SendError::Permanent { why }),
        }
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }
}

fn inbound(body: &[u8]) -> Result<InboundMessage, Refusal> {
    let Inbound { id, from, text, media } = json(body)?;
    if id.is_empty() || from.is_empty() || id.len() > MAX_ID || from.len() > MAX_ID {
        return Err(Refusal::Malformed("id and from must be 1 to 200 bytes long"));
    }
    let media = media.into_iter().take(10).collect();
    Ok(InboundMessage { provider_id: id, address: from, text, media, ..InboundMessage::default() })
}

fn receipt(body: &[u8]) -> Result<Receipt, Refusal> {
    let Status { id, status, error } = json(body)?;
    let state = match status.as_str() {
        "delivered" => ReceiptState::Delivered,
        "sent" => ReceiptState::Sent,
        "failed" => {
            let error: String = error.unwrap_or_default().chars().take(200).collect();
            ReceiptState::Failed(format!("reported as failed: {error}"))
        }
        _ => return Err(Refusal::Malformed("status must be sent, delivered or failed")),
    };
    let message_id = id.parse().ok();
    Ok(Receipt { provider_id: id, message_id, state })
}

fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::Malformed("the body is not UTF-8"))?;
    serde_json::from_str(text)
        .map_err(|_| Refusal::Malformed("the body is not the JSON documented for this channel"))
}

pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
