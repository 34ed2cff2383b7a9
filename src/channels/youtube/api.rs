//! Calls of the YouTube Data API: an access token that is renewed from the refresh token (RFC 6749, section 6), the day's units,
//! and what a refused call means.

use super::quota::{Budget, LIST, WRITE};
use crate::channels::value::{list, text};
use crate::channels::{Reply, SendError, Trace, retry_after};
use crate::clock::Clock;
use crate::config::Secret;
use crate::model::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A token is renewed so long before it ends.
const EARLY: Duration = Duration::from_secs(60);
/// Longer pauses than this are left to the retry schedule.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// How a project shows that it may speak for the channel.
pub struct Account {
    pub client_id: String,
    pub client_secret: Secret,
    pub refresh_token: Secret,
}

pub struct Api {
    pub base: String,
    pub token_url: String,
    pub account: Account,
    pub budget: Budget,
    pub client: reqwest::Client,
    pub clock: Arc<dyn Clock>,
    /// The access token, and when it ends.
    pub token: Mutex<Option<(Secret, Timestamp)>>,
}

/// An answer: none when nothing has changed since the `ETag` that was sent.
pub type Answer = Option<(Value, Option<String>)>;

impl Api {
    pub async fn get(
        &self,
        path: &str,
        params: &[(&str, &str)],
        etag: Option<&str>,
        trace: &Trace,
    ) -> Result<Answer, SendError> {
        let request = self.client.get(self.url(path)).query(params);
        let request = match etag {
            Some(etag) => request.header("if-none-match", etag),
            None => request,
        };
        let reply = self.call(request, LIST, trace).await?;
        if reply.status == 304 {
            return Ok(None);
        }
        let etag = reply.headers.get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let body: Value = reply.json().ok_or_else(unread)?;
        let etag = etag.or_else(|| text(&body, "etag"));
        Ok(Some((body, etag)))
    }

    /// `body`: null for none. Its answer may be empty.
    pub async fn post(
        &self,
        path: &str,
        params: &[(&str, &str)],
        body: &Value,
        trace: &Trace,
    ) -> Result<Reply, SendError> {
        let request = self.client.request(Method::POST, self.url(path)).query(params);
        let request = if body.is_null() { request.header("content-length", "0") } else { request.json(body) };
        self.call(request, WRITE, trace).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/youtube/v3/{path}", self.base)
    }

    async fn call(&self, request: RequestBuilder, units: u32, trace: &Trace) -> Result<Reply, SendError> {
        let now = self.clock.now();
        self.budget.take(units, now).map_err(|until| no_units(until, now))?;
        let token = self.token(trace).await?;
        let reply = trace.call(request.bearer_auth(token.expose()), &[]).await?;
        if reply.is_success() || reply.status == 304 {
            return Ok(reply);
        }
        if reply.status == 401 {
            // Perhaps it was taken back: the next call renews it.
            *self.token.lock().await = None;
        }
        Err(self.classify(&reply, now))
    }

    /// Errors: never in doubt, for nothing was said to anybody.
    async fn token(&self, trace: &Trace) -> Result<Secret, SendError> {
        let mut current = self.token.lock().await;
        let now = self.clock.now();
        if let Some((token, _)) = current.as_ref().filter(|(_, ends)| now.plus(EARLY) < *ends) {
            return Ok(token.clone());
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", self.account.client_id.as_str()),
            ("client_secret", self.account.client_secret.expose()),
            ("refresh_token", self.account.refresh_token.expose()),
        ];
        let reply = trace.call(self.client.post(&self.token_url).form(&form), &[]).await.map_err(not_sent)?;
        let body: Value = reply.json().unwrap_or_default();
        let lasts = body.get("expires_in").and_then(Value::as_u64).unwrap_or(600);
        match text(&body, "access_token").filter(|token| reply.is_success() && !token.is_empty()) {
            Some(token) => {
                let token = Secret::new(token);
                *current = Some((token.clone(), now.plus(Duration::from_secs(lasts.min(86_400)))));
                Ok(token)
            }
            None => {
                let error = name(&text(&body, "error").unwrap_or_default());
                let why = format!(
                    "no access token: Google answered {} {error}. Cure: client_id, client_secret and refresh_token \
                     of one consent",
                    reply.status
                );
                Err(SendError::Retry { why, after: retry_after(&reply.headers) })
            }
        }
    }

    /// What a refused call means for a message: by the reasons of the documentation ("Errors", "comments: insert").
    fn classify(&self, reply: &Reply, now: Timestamp) -> SendError {
        let body: Value = reply.json().unwrap_or_default();
        let first = body.get("error").and_then(|error| list(error, "errors").next());
        let reason = name(&first.and_then(|error| text(error, "reason")).unwrap_or_default());
        let why = |what: &str| format!("YouTube answered {} {reason}{what}", reply.status);
        match (reply.status, reason.as_str()) {
            (_, "quotaExceeded" | "dailyLimitExceeded") => no_units(self.budget.exhaust(now), now),
            (429, _) | (_, "rateLimitExceeded" | "userRateLimitExceeded") => {
                SendError::Retry { why: why(": too many calls"), after: retry_after(&reply.headers) }
            }
            (_, "commentsDisabled" | "ineligibleAccount" | "parentCommentIsPrivate") => {
                SendError::Permanent { why: why(": this comment cannot be answered") }
            }
            (401, _)
            | (
                403,
                "authError"
                | "insufficientPermissions"
                | "accessNotConfigured"
                | "accountDelegationForbidden",
            ) => SendError::Retry {
                why: why(": the project or its consent must be mended in Google's console"),
                after: None,
            },
            // "The API server failed to successfully process the request."
            (_, "processingFailure" | "backendError") => SendError::InDoubt { why: why("") },
            (400..=499, _) => SendError::Permanent { why: why("") },
            _ => SendError::InDoubt { why: why("") },
        }
    }
}

pub fn unread() -> SendError {
    SendError::InDoubt { why: "YouTube accepted, but its answer cannot be read".into() }
}

fn not_sent(error: SendError) -> SendError {
    match error {
        SendError::InDoubt { why } => SendError::Retry { why, after: None },
        other => other,
    }
}

fn no_units(until: Timestamp, now: Timestamp) -> SendError {
    let why =
        "the day's units of YouTube are spent. Cure: ask Google for more, and set daily_units".to_owned();
    SendError::Retry { why, after: Some(until.since(now).min(LONGEST_PAUSE)) }
}

/// A reason as far as it is one.
fn name(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}
