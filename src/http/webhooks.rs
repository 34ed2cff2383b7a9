//! Providers' webhooks: verified, stored in one transaction, acknowledged after its commit.

use super::AppState;
use super::problem::Problem;
use crate::channels::{Accepted, Refusal, WebhookRequest};
use crate::queue::{TakenIn, take_in};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/webhooks/{channel}", get(handshake).post(message))
        .route("/webhooks/{channel}/{tail}", get(handshake_with_tail).post(with_tail))
}

async fn handshake(
    state: State<AppState>,
    Path(channel): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    by_get(state, &channel, "", query, headers).await
}

async fn handshake_with_tail(
    state: State<AppState>,
    Path((channel, tail)): Path<(String, String)>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    by_get(state, &channel, &format!("/{tail}"), query, headers).await
}

/// A provider that delivers by GET, or asks whether the address is ours.
async fn by_get(
    state: State<AppState>,
    name: &str,
    tail: &str,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    if state.channels.get(name).is_some_and(|channel| channel.receives_get(tail)) {
        return respond(state, name, tail.to_owned(), query, headers, Ok(Bytes::new())).await;
    }
    greet(state, name, tail, query, &headers)
}

/// A provider asks whether the address is ours.
fn greet(
    State(state): State<AppState>,
    name: &str,
    tail: &str,
    RawQuery(query): RawQuery,
    headers: &HeaderMap,
) -> Response {
    let query = query.as_deref();
    let request = WebhookRequest { tail, query, headers, body: &[], now: state.clock.now() };
    let Some(channel) = state.channels.get(name) else {
        return refused(&state, name, Refusal::NotFound.into());
    };
    match channel.handshake(&request) {
        Ok(accepted) => acknowledge(accepted),
        Err(Refusal::NotFound) => {
            let detail = "this method is not allowed here";
            refused(&state, name, Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail))
        }
        Err(refusal) => refused(&state, name, refusal.into()),
    }
}

async fn message(
    state: State<AppState>,
    Path(channel): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    respond(state, &channel, String::new(), query, headers, body).await
}

async fn with_tail(
    state: State<AppState>,
    Path((channel, tail)): Path<(String, String)>,
    query: RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    respond(state, &channel, format!("/{tail}"), query, headers, body).await
}

async fn respond(
    State(state): State<AppState>,
    name: &str,
    tail: String,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let accepted = body.map_err(Problem::from).and_then(|body| {
        let channel = state.channels.get(name).ok_or(Refusal::NotFound)?;
        let now = state.clock.now();
        let query = query.as_deref();
        Ok(channel.receive(&WebhookRequest { tail: &tail, query, headers: &headers, body: &body, now })?)
    });
    let stored = match accepted {
        Ok(accepted) => store(&state, name, &accepted).await.map(|()| accepted),
        Err(problem) => Err(problem),
    };
    match stored {
        Ok(accepted) => acknowledge(accepted),
        Err(problem) => refused(&state, name, problem),
    }
}

fn acknowledge(accepted: Accepted) -> Response {
    match accepted.reply {
        Some((kind, body)) => (StatusCode::OK, [(header::CONTENT_TYPE, kind)], body).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

fn refused(state: &AppState, name: &str, problem: Problem) -> Response {
    // The name is the caller's text unless it is a channel of ours; the content is never logged.
    let channel = state.channels.names().find(|known| *known == name).unwrap_or("(unknown)");
    tracing::warn!(channel, status = problem.status.as_u16(), kind = problem.kind, "webhook refused");
    metrics::counter!("guichet_webhooks_refused_total", "channel" => channel.to_owned(), "kind" => problem.kind)
                .increment(1);
    problem.into_response()
}

/// Everything of one request or nothing.
async fn store(state: &AppState, channel: &str, accepted: &Accepted) -> Result<(), Problem> {
    let reopen = state.config.conversations.reopen_within.into();
    match take_in(&state.store, channel, accepted, state.clock.now(), reopen).await? {
        TakenIn::Stored => Ok(()),
        TakenIn::Replayed => {
            let detail =
                "this very request was accepted before; a new delivery needs a new timestamp and signature";
            Err(Problem::new(StatusCode::CONFLICT, "replayed", detail))
        }
    }
}
