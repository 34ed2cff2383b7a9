//! Providers' webhooks: verified, stored in one transaction, acknowledged after its commit.

use super::AppState;
use super::problem::Problem;
use crate::channels::{Accepted, InboundEvent, Refusal, WebhookRequest};
use crate::queue::apply_receipt;
use crate::store::Ingest;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/webhooks/{channel}", post(message))
        .route("/webhooks/{channel}/{tail}", post(with_tail))
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
        Ok(Accepted { reply: Some((kind, body)), .. }) => {
            (StatusCode::OK, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => {
            // The name is the caller's text unless it is a channel of ours; the content is never logged.
            let channel = state.channels.names().find(|known| *known == name).unwrap_or("(unknown)");
            tracing::warn!(channel, status = problem.status.as_u16(), kind = problem.kind, "webhook refused");
            metrics::counter!("guichet_webhooks_refused_total", "channel" => channel.to_owned(), "kind" => problem.kind)
                .increment(1);
            problem.into_response()
        }
    }
}

/// Everything of one request or nothing.
async fn store(state: &AppState, channel: &str, accepted: &Accepted) -> Result<(), Problem> {
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    if let Some((nonce, until)) = &accepted.nonce
        && !tx.use_nonce(channel, nonce, *until).await?
    {
        let detail =
            "this very request was accepted before; a new delivery needs a new timestamp and signature";
        return Err(Problem::new(StatusCode::CONFLICT, "replayed", detail));
    }
    let (mut fresh, mut duplicates) = (0, 0);
    for event in &accepted.events {
        match event {
            InboundEvent::Message(message) => {
                let inbound = Ingest {
                    channel,
                    address: &message.address,
                    provider_id: &message.provider_id,
                    text: &message.text,
                    media: &message.media,
                };
                let reopen = state.config.conversations.reopen_within.into();
                let ingested = tx.ingest(inbound, now, reopen).await?;
                *(if ingested.duplicate { &mut duplicates } else { &mut fresh }) += 1;
            }
            InboundEvent::Receipt(receipt) => {
                if !apply_receipt(&mut tx, channel, receipt, now).await? {
                    tracing::debug!(channel, "receipt for a message that is not ours");
                }
            }
        }
    }
    tx.commit().await?;
    metrics::counter!("guichet_inbound_total", "channel" => channel.to_owned(), "outcome" => "stored")
        .increment(fresh);
    metrics::counter!("guichet_inbound_total", "channel" => channel.to_owned(), "outcome" => "duplicate")
        .increment(duplicates);
    Ok(())
}
