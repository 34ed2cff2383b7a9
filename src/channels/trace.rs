//! What was said between us and a provider, for an admin to read when a message is in trouble: every call with its
//! duration and outcome, without what customers wrote, who they are, or what opens the account.

use super::{SendError, transport_error};
use crate::clock::Clock;
use crate::model::{ProviderCall, Timestamp};
use axum::http::HeaderMap;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// An answer beyond this is no provider's: the rest is not read. A page of a hundred public posts has some hundreds of kilobytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// Of each side of a call so much is kept, in characters.
const KEPT: usize = 2_000;
/// Values under these names say what happened, not to whom. Everything else is told by its length.
const TOLD: &[&str] = &[
    "code",
    "command",
    "command_status",
    "cursor",
    "description",
    "detail",
    "error",
    "error_code",
    "error_message",
    "error_subcode",
    "fbtrace_id",
    "id",
    "kind",
    "message_id",
    "message_status",
    "messaging_product",
    "messaging_type",
    "more_info",
    "ok",
    "parse_mode",
    "reason",
    "retry_after",
    "sid",
    "status",
    "tag",
    "title",
    "type",
];

/// Collects the calls of one send or one question.
pub struct Trace {
    clock: Arc<dyn Clock>,
    hidden: Vec<String>,
    calls: Mutex<Vec<ProviderCall>>,
}

/// What a provider answered.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// Empty when it could not be read to its end, or is longer than any provider's.
    pub body: Vec<u8>,
}

impl Reply {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Trace {
    /// `hidden`: words that must not be kept wherever they stand: the address, secrets that an address holds.
    pub fn new(clock: Arc<dyn Clock>, hidden: &[&str]) -> Self {
        let hidden = hidden.iter().filter(|h| !h.is_empty()).map(|h| (*h).to_owned()).collect();
        Self { clock, hidden, calls: Mutex::new(Vec::new()) }
    }

    /// Makes the call and keeps it. `secrets`: parts of the address that open the account.
    ///
    /// Errors: no answer. [`SendError::InDoubt`] unless the connection never stood.
    pub async fn call(&self, request: reqwest::RequestBuilder, secrets: &[&str]) -> Result<Reply, SendError> {
        let (client, request) = request.build_split();
        let request = request.map_err(transport_error)?;
        let at = self.clock.now();
        let said = self.describe(&request, secrets);
        let started = Instant::now();
        let answered = match client.execute(request).await {
            Ok(response) => Ok(read(response).await),
            Err(error) => Err(transport_error(error)),
        };
        let (status, response) = match &answered {
            Ok(reply) => (Some(i64::from(reply.status)), self.redact_body(&reply.body, secrets)),
            Err(error) => (None, self.hide(&error.to_string(), secrets)),
        };
        self.note(ProviderCall { at, took: started.elapsed(), request: said, response, status });
        answered
    }

    /// Keeps a call that was made in another way; its words are kept as they are, but for their length.
    pub fn note(&self, mut call: ProviderCall) {
        call.request = call.request.chars().take(KEPT).collect();
        call.response = call.response.chars().take(KEPT).collect();
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The calls so far, which are then forgotten here.
    pub fn take(&self) -> Vec<ProviderCall> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn describe(&self, request: &reqwest::Request, secrets: &[&str]) -> String {
        let url = request.url();
        let host = url.host_str().unwrap_or_default();
        let address = self.hide(&format!("{} {host}{}", request.method(), url.path()), secrets);
        match request.body().and_then(|body| body.as_bytes()) {
            Some(body) if !body.is_empty() => format!("{address}\n{}", self.redact_body(body, secrets)),
            _ => address,
        }
    }

    fn redact_body(&self, body: &[u8], secrets: &[&str]) -> String {
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            return self.redact(None, &value, secrets).to_string();
        }
        let Ok(text) = std::str::from_utf8(body) else { return format!("‹{} bytes›", body.len()) };
        let is_form = text.contains('=') && !text.contains(['<', '{', '\n', ' ']);
        if !is_form {
            return format!("‹{} characters›", text.chars().count());
        }
        let pairs = form_urlencoded::parse(body).map(|(key, value)| {
            (key.to_string(), self.redact(Some(&key), &Value::from(value.into_owned()), secrets))
        });
        Value::Object(pairs.collect()).to_string()
    }

    fn redact(&self, key: Option<&str>, value: &Value, secrets: &[&str]) -> Value {
        let told = key.is_some_and(|key| TOLD.contains(&key.to_ascii_lowercase().as_str()));
        match value {
            Value::Object(fields) => Value::Object(
                fields.iter().map(|(k, v)| (k.clone(), self.redact(Some(k), v, secrets))).collect(),
            ),
            Value::Array(items) => items.iter().map(|item| self.redact(key, item, secrets)).collect(),
            Value::String(text) if told => Value::from(self.hide(text, secrets)),
            // The message of an error is the provider's, that of a send the customer's.
            Value::String(text) => Value::from(format!("‹{} characters›", text.chars().count())),
            // Numbers of people are long.
            Value::Number(number) if !told && number.as_i64().is_none_or(|n| n.abs() >= 100_000) => {
                Value::from("‹number›")
            }
            other => other.clone(),
        }
    }

    fn hide(&self, text: &str, secrets: &[&str]) -> String {
        let words = self.hidden.iter().map(String::as_str).chain(secrets.iter().copied());
        let mut text = text.to_owned();
        for word in words.filter(|word| !word.is_empty()) {
            let encoded: String = form_urlencoded::byte_serialize(word.as_bytes()).collect();
            text = text.replace(word, "‹hidden›").replace(&encoded, "‹hidden›");
        }
        text
    }
}

async fn read(mut response: reqwest::Response) -> Reply {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
            Ok(None) => return Reply { status, headers, body },
            Ok(Some(_)) | Err(_) => return Reply { status, headers, body: Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn trace() -> Trace {
        Trace::new(Arc::new(ManualClock::at(Timestamp(0))), &["+33612345678"])
    }

    #[test]
    fn what_happened_is_told_and_to_whom_is_not() {
        let cases: &[(&str, &str)] = &[
            (
                r#"{"to":"+33612345678","text":"je suis à Rennes","id":"m1"}"#,
                r#"{"id":"m1","text":"‹16 characters›","to":"‹12 characters›"}"#,
            ),
            (
                r#"{"error":{"code":131047,"title":"Re-engagement","message":"to +33612345678"}}"#,
                r#"{"error":{"code":131047,"message":"‹15 characters›","title":"Re-engagement"}}"#,
            ),
            (
                "To=%2B33612345678&Body=bonjour&Status=queued",
                r#"{"Body":"‹7 characters›","Status":"queued","To":"‹12 characters›"}"#,
            ),
            (r#"{"ok":true,"chat":{"id":"c +33612345678"}}"#, r#"{"chat":{"id":"c ‹hidden›"},"ok":true}"#),
            (r#"{"chat_id":4455667788,"n":3}"#, r#"{"chat_id":"‹number›","n":3}"#),
            ("<Response>secret</Response>", "‹27 characters›"),
        ];
        for (body, kept) in cases {
            assert_eq!(trace().redact_body(body.as_bytes(), &[]), *kept);
        }
    }

    #[tokio::test]
    async fn a_call_without_an_answer_is_kept_without_the_secrets_of_its_address() {
        let trace = trace();
        // Port 9 of this host: nobody listens.
        let request = reqwest::Client::new()
            .post("http://127.0.0.1:9/botTOKEN/send")
            .json(&serde_json::json!({"text": "x"}));
        let outcome = trace.call(request, &["TOKEN"]).await;
        assert!(matches!(outcome, Err(SendError::Retry { .. })));
        let calls = trace.take();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].request, "POST 127.0.0.1/bot‹hidden›/send\n{\"text\":\"‹1 characters›\"}");
        assert!(calls[0].status.is_none() && !calls[0].response.contains("TOKEN"));
    }
}
