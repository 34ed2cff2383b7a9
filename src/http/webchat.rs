//! The web chat: a demo page, a widget for any site, and the API that both speak.
//!
//! A visitor is whoever holds a token of 32 random bytes; the contact's address is the token's SHA-256, so that a
//! stolen database cannot read on as the customer. The token travels in a header and there are no cookies: a
//! foreign page has no authority to borrow, which is why any origin may call. Exactly-once comes from the widget:
//! it names each message by a UUID and repeats it until it is acknowledged.

mod api;
mod limits;
mod live;
mod pages;
#[cfg(test)]
mod tests;

use super::AppState;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::Store;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use limits::Limiter;
use live::Live;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Sessions created from one address per minute. Generous: a whole station's Wi-Fi can share one.
const SESSIONS_PER_MINUTE: u32 = 60;
/// Bytes of a request: [`api::MAX_CHARS`] characters fit, even all of them escaped (`\ud83d\ude00`).
const MAX_BODY: usize = 64 * 1024;

/// What the web chat needs of the server; its tests need no more.
#[derive(Clone)]
pub struct ChatState {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub config: Arc<Config>,
    pub stopping: CancellationToken,
}

impl FromRef<AppState> for ChatState {
    fn from_ref(state: &AppState) -> Self {
        Self {
            store: state.store.clone(),
            clock: state.clock.clone(),
            config: state.config.clone(),
            stopping: state.stopping.clone(),
        }
    }
}

/// One configured channel, with what it must remember in memory.
struct Chat {
    channel: String,
    /// By the contact's address.
    messages: Limiter<String>,
    /// By the network the visitor comes from.
    sessions: Limiter<IpAddr>,
    live: Arc<Live>,
}

/// `/widget.js`, and each channel of kind `webchat` at its own path: the one of that name at `/chat`, any other at
/// `/chat/<name>`.
pub fn routes<S>(config: &Config) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    ChatState: FromRef<S>,
{
    let mut router = pages::assets(config);
    for (name, channel) in &config.channels {
        let kind = if channel.kind.is_empty() { name } else { &channel.kind };
        if kind == "webchat" {
            let path = if name == "webchat" { "/chat".to_owned() } else { format!("/chat/{name}") };
            router = router.nest(&path, chat(name, config));
        }
    }
    router
}

fn chat<S>(name: &str, config: &Config) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    ChatState: FromRef<S>,
{
    let chat = Arc::new(Chat {
        channel: name.to_owned(),
        messages: Limiter::new(config.server.webchat_per_minute),
        sessions: Limiter::new(SESSIONS_PER_MINUTE),
        live: Arc::default(),
    });
    let api = Router::new()
        .route("/sessions", post(api::create_session).options(preflight))
        .route("/messages", get(api::history).post(api::receive).options(preflight))
        .route("/events", get(live::events).options(preflight))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(headers));
    Router::new().route("/", get(pages::page)).nest("/api", api).layer(Extension(chat))
}

async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Any page may embed the widget. Answers belong to one visitor, so nobody in between keeps them.
async fn headers(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 8] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after"),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let mut response = next.run(request).await;
    let unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if unauthorized {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
