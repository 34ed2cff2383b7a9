//! Calls of the AT Protocol's interface, within a session: a password of the app's own opens it, and it is renewed when it
//! ends.

use crate::channels::value::{id, text};
use crate::channels::{Reply, SendError, Trace, retry_after};
use crate::clock::Clock;
use crate::config::Secret;
use crate::model::Timestamp;
use axum::http::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// There is no record under a key.
pub const NOT_FOUND: &str = "RecordNotFound";
/// Longer pauses than this are left to the retry schedule.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// One account on one server.
pub struct Api {
    base: String,
    identifier: String,
    password: Secret,
    client: reqwest::Client,
    pub clock: Arc<dyn Clock>,
    /// Opened by the first call; servers let an account open few of them a day.
    session: Mutex<Option<Session>>,
}

#[derive(Clone)]
struct Session {
    did: String,
    access: Secret,
    refresh: Secret,
}

/// One call: to ask (`params`) or to do (`body`).
pub struct Call<'a> {
    pub name: &'a str,
    pub params: &'a [(&'a str, &'a str)],
    pub body: Option<Value>,
}

impl<'a> Call<'a> {
    pub fn asking(name: &'a str, params: &'a [(&'a str, &'a str)]) -> Self {
        Self { name, params, body: None }
    }
}

/// A refused call: the name of the error as the lexicons have it, and what it means for a message.
pub struct Refused {
    pub name: String,
    pub error: SendError,
}

impl From<SendError> for Refused {
    fn from(error: SendError) -> Self {
        Self { name: String::new(), error }
    }
}

impl Api {
    pub fn new(
        base: String,
        identifier: String,
        password: Secret,
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { base, identifier, password, client, clock, session: Mutex::new(None) }
    }

    /// The account's own id.
    pub async fn did(&self, trace: &Trace) -> Result<String, SendError> {
        self.session(None, trace).await.map(|session| session.did)
    }

    /// Makes the call; once more with a renewed session when it had ended, for then nothing was done.
    pub async fn call(&self, call: &Call<'_>, trace: &Trace) -> Result<Value, Refused> {
        let session = self.session(None, trace).await?;
        let mut reply = trace.call(self.request(call, &session.access), &[]).await?;
        if has_ended(&reply) {
            let session = self.session(Some(&session), trace).await?;
            reply = trace.call(self.request(call, &session.access), &[]).await?;
        }
        if reply.is_success() {
            let unread =
                || SendError::InDoubt { why: "the server accepted, but its answer cannot be read".into() };
            return Ok(reply.json().ok_or_else(unread)?);
        }
        Err(Refused { name: error_name(&reply), error: classify(&reply, self.clock.now()) })
    }

    /// A session that is not `ended`. Whoever comes second finds the one that the first has opened.
    async fn session(&self, ended: Option<&Session>, trace: &Trace) -> Result<Session, SendError> {
        let mut current = self.session.lock().await;
        let fresh =
            |session: &&Session| ended.is_none_or(|ended| ended.access.expose() != session.access.expose());
        if let Some(session) = current.as_ref().filter(fresh) {
            return Ok(session.clone());
        }
        if let Some(old) = current.take() {
            let refresh = self.post("com.atproto.server.refreshSession").bearer_auth(old.refresh.expose());
            if let Ok(session) = self.open(refresh, trace).await {
                *current = Some(session.clone());
                return Ok(session);
            }
        }
        let body = json!({ "identifier": self.identifier, "password": self.password.expose() });
        let session = self.open(self.post("com.atproto.server.createSession").json(&body), trace).await?;
        *current = Some(session.clone());
        Ok(session)
    }

    /// Errors: never in doubt, for nothing was said to anybody.
    async fn open(&self, request: RequestBuilder, trace: &Trace) -> Result<Session, SendError> {
        let reply = trace.call(request, &[]).await.map_err(not_sent)?;
        let body: Value = reply.json().unwrap_or_default();
        let (did, access, refresh) = (id(&body, "did"), text(&body, "accessJwt"), text(&body, "refreshJwt"));
        if let (true, Some(did), Some(access), Some(refresh)) = (reply.is_success(), did, access, refresh) {
            return Ok(Session { did, access: Secret::new(access), refresh: Secret::new(refresh) });
        }
        let name = error_name(&reply);
        if matches!(reply.status, 400 | 401) {
            let why = format!(
                "no session: the server answered {} {name}. Cure: identifier, and an app password in place of the \
                 account's own",
                reply.status
            );
            return Err(SendError::Retry { why, after: None });
        }
        Err(not_sent(classify(&reply, self.clock.now())))
    }

    fn request(&self, call: &Call<'_>, access: &Secret) -> RequestBuilder {
        let request = match &call.body {
            Some(body) => self.post(call.name).json(body),
            None => self.client.request(Method::GET, self.url(call.name)).query(call.params),
        };
        request.bearer_auth(access.expose())
    }

    fn post(&self, name: &str) -> RequestBuilder {
        self.client.post(self.url(name))
    }

    fn url(&self, name: &str) -> String {
        format!("{}/xrpc/{name}", self.base)
    }
}

/// What failed before anything was sent.
pub fn not_sent(error: SendError) -> SendError {
    match error {
        SendError::InDoubt { why } => SendError::Retry { why, after: None },
        other => other,
    }
}

/// `{"error": "InvalidRequest", "message": …}`: the name, as far as it is one.
fn error_name(reply: &Reply) -> String {
    let body: Value = reply.json().unwrap_or_default();
    let name = text(&body, "error").unwrap_or_default();
    // Servers had no name for it before 2024.
    let words = text(&body, "message").unwrap_or_default();
    if name == "InvalidRequest" && words.starts_with("Could not locate record") {
        return NOT_FOUND.to_owned();
    }
    name.chars().filter(char::is_ascii_alphanumeric).take(40).collect()
}

fn has_ended(reply: &Reply) -> bool {
    reply.status == 401
        || (reply.status == 400 && matches!(error_name(reply).as_str(), "ExpiredToken" | "InvalidToken"))
}

/// What a refused call means for a message. The words of a server may hold anything, so only the name of the error is told.
fn classify(reply: &Reply, now: Timestamp) -> SendError {
    let name = error_name(reply);
    let why = |what: &str| format!("the server answered {} {name}{what}", reply.status);
    match (reply.status, name.as_str()) {
        (429, _) | (_, "RateLimitExceeded") => SendError::Retry {
            why: why(": too many calls"),
            after: regained(&reply.headers, now).max(retry_after(&reply.headers)),
        },
        (401 | 403, _)
        | (
            400,
            "AccountTakedown" | "AccountDeactivated" | "AccountSuspended" | "ExpiredToken" | "InvalidToken",
        ) => SendError::Retry { why: why(": the account or its password must be mended"), after: None },
        // A record under our key is there already: ours, most likely, which asking tells.
        (400 | 409, name) if name.contains("Exist") => SendError::InDoubt { why: why("") },
        (400..=499, _) => SendError::Permanent { why: why("") },
        // A record that is there already is answered with 500, too.
        _ => SendError::InDoubt { why: why("") },
    }
}

/// `ratelimit-reset`, in Unix seconds.
fn regained(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let reset: i64 = headers.get("ratelimit-reset")?.to_str().ok()?.trim().parse().ok()?;
    Some(Timestamp(reset.saturating_mul(1_000_000)).since(now).min(LONGEST_PAUSE))
}
