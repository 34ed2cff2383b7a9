//! Plays Twilio: accepts messages slowly and unevenly, tells which it has, and forgets nothing.

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::fmt::rfc2822::DateTimePrinter;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "a-token-of-the-crash-test";
pub const NUMBER: &str = "+33939000000";
/// Longest time on either side of accepting. `queue.settle` must be well above: a provider that lists a message
/// only after we asked cannot be told from one that never had it.
const JITTER_MS: u64 = 40;

#[derive(Debug, Clone)]
pub struct Message {
    pub sid: String,
    pub to: String,
    pub body: String,
    created: jiff::Timestamp,
}

#[derive(Clone)]
pub struct Provider {
    pub url: String,
    accepted: Arc<Mutex<Vec<Message>>>,
    random: Arc<Mutex<StdRng>>,
}

impl Provider {
    pub async fn start(seed: u64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            accepted: Arc::default(),
            random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
        };
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}/Messages.json", post(create).get(list))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// In order of acceptance.
    pub fn accepted(&self) -> Vec<Message> {
        self.accepted.lock().unwrap().clone()
    }

    fn jitter(&self) -> Duration {
        Duration::from_millis(self.random.lock().unwrap().random_range(0..JITTER_MS))
    }
}

fn authorised(headers: &HeaderMap, account: &str) -> bool {
    let expected = format!("Basic {}", BASE64.encode(format!("{ACCOUNT}:{TOKEN}")));
    account == ACCOUNT && headers.get("authorization").is_some_and(|given| given == expected.as_str())
}

async fn create(
    State(provider): State<Provider>,
    Path(account): Path<String>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    if !authorised(&headers, &account) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"code": 20003})));
    }
    // A task of its own: what has reached the provider is accepted, whether or not the sender still lives.
    let accepting = tokio::spawn(async move {
        tokio::time::sleep(provider.jitter()).await;
        let message = {
            let mut accepted = provider.accepted.lock().unwrap();
            let sid = format!("SM{:032x}", accepted.len() + 1);
            accepted.push(Message {
                sid,
                to: form["To"].clone(),
                body: form["Body"].clone(),
                created: now(),
            });
            accepted.last().unwrap().clone()
        };
        tokio::time::sleep(provider.jitter()).await;
        message
    });
    (StatusCode::CREATED, Json(shown(&accepting.await.unwrap())))
}

/// Newest first, one page.
async fn list(
    State(provider): State<Provider>,
    Path(account): Path<String>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    if !authorised(&headers, &account) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"code": 20003})));
    }
    let wanted = |m: &Message| query.get("To").is_none_or(|to| *to == m.to);
    let found: Vec<Value> = provider.accepted().iter().rev().filter(|m| wanted(m)).map(shown).collect();
    (StatusCode::OK, Json(json!({"messages": found, "next_page_uri": null, "page": 0, "page_size": 1000})))
}

fn shown(message: &Message) -> Value {
    let created = DateTimePrinter::new().timestamp_to_string(&message.created).unwrap();
    json!({
        "sid": message.sid, "to": message.to, "from": NUMBER, "body": message.body, "status": "queued",
        "direction": "outbound-api", "date_created": created, "date_sent": null, "error_code": null,
    })
}

#[allow(clippy::disallowed_methods)] // another company's clock
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
