//! What was said between us and a provider about one message. For admins only: although it is redacted, it tells how the
//! operator's accounts are used.

use super::super::auth::SignedIn;
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::frame;
use super::views::{Stamp, Wall};
use crate::http::AppState;
use crate::model::{DeliveryStatus, Message, MessageId, ProviderCall, Role};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use minijinja::{context, value::Serde};
use serde::Serialize;

#[derive(Serialize)]
struct Call {
    at: Stamp,
    /// Milliseconds.
    took: u128,
    status: Option<i64>,
    request: String,
    response: String,
}

/// The message and its calls, oldest first; only for an admin.
async fn read(
    state: &AppState,
    signed: &SignedIn,
    id: MessageId,
) -> Result<(Message, Vec<ProviderCall>), Problem> {
    if signed.agent.role < Role::Admin {
        let detail = "only an admin may read the calls of providers";
        return Err(Problem::new(StatusCode::FORBIDDEN, "role", detail));
    }
    let mut tx = state.store.read().await?;
    let message = tx.message(id).await?.ok_or_else(|| Problem::not_found("there is no such message"))?;
    let calls = tx.calls_of(id).await?;
    Ok((message, calls))
}

/// `/console/messages/{id}/trace`
pub async fn page(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    let (message, calls) = read(&state, &signed, id).await?;
    let wall = Wall::new(&state, ui);
    let calls: Vec<Call> = calls
        .into_iter()
        .map(|call| Call {
            at: wall.stamp(call.at),
            took: call.took.as_millis(),
            status: call.status,
            request: call.request,
            response: call.response,
        })
        .collect();
    let context = context! {
        conversation => message.conversation_id.to_string(),
        message => id.to_string(),
        channel => message.channel,
        status => message.status.as_str(),
        error => message.error,
        calls => Serde(calls),
        ..frame(&state, &signed, &format!("/console/messages/{id}/trace")).await?
    };
    render(ui, "trace.html", context)
}

#[derive(Serialize)]
struct Answer {
    message: String,
    channel: String,
    status: DeliveryStatus,
    calls: Vec<AnswerCall>,
}

#[derive(Serialize)]
struct AnswerCall {
    /// RFC 3339.
    at: String,
    took_ms: u128,
    /// Of HTTP, or the command status of SMPP; none: there was no answer.
    status: Option<i64>,
    request: String,
    response: String,
}

/// `GET /api/messages/{id}/trace`
pub async fn json(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<MessageId>,
) -> Result<impl IntoResponse, Problem> {
    let (message, calls) = read(&state, &signed, id).await?;
    let calls = calls.into_iter().map(|call| AnswerCall {
        at: call.at.to_string(),
        took_ms: call.took.as_millis(),
        status: call.status,
        request: call.request,
        response: call.response,
    });
    let (message, channel, status) = (id.to_string(), message.channel, message.status);
    Ok(Json(Answer { message, channel, status, calls: calls.collect() }))
}
