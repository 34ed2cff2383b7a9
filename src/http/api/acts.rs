//! What people do with a conversation. Each answers 204 once it is done, also when it was done before.

use super::extract::Body;
use crate::channels::Moderation;
use crate::desk::answering::{self, MOST_DRAFTS, Reply};
use crate::desk::hand::{self, Receiver};
use crate::desk::{self, moderation, quarantine};
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::problem::Problem;
use crate::model::{AgentId, ConversationId, MessageId, TeamId, Timestamp};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/conversations/{id}/take", post(take))
        .route("/api/conversations/{id}/release", post(release))
        .route("/api/conversations/{id}/decline", post(decline))
        .route("/api/conversations/{id}/transfer", post(transfer))
        .route("/api/conversations/{id}/snooze", post(snooze))
        .route("/api/conversations/{id}/wake", post(wake))
        .route("/api/conversations/{id}/hand-back", post(hand_back))
        .route("/api/conversations/{id}/resolve", post(resolve))
        .route("/api/conversations/{id}/reply", post(reply))
        .route("/api/conversations/{id}/messages/{message}/resend", post(resend))
        .route("/api/conversations/{id}/messages/{message}/withdraw", post(withdraw))
        .route("/api/conversations/{id}/messages/{message}/moderate", post(moderate))
        .route("/api/conversations/{id}/quarantine/release", post(let_go))
        .route("/api/conversations/{id}/quarantine/confirm", post(confirm))
}

const DONE: StatusCode = StatusCode::NO_CONTENT;

type Done = Result<StatusCode, Problem>;

async fn take(State(state): State<AppState>, signed: SignedIn, Path(id): Path<ConversationId>) -> Done {
    desk::take(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

async fn release(State(state): State<AppState>, signed: SignedIn, Path(id): Path<ConversationId>) -> Done {
    desk::release(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

async fn decline(State(state): State<AppState>, signed: SignedIn, Path(id): Path<ConversationId>) -> Done {
    hand::decline(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

/// To a person or to a team, with a note for them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    agent: Option<AgentId>,
    team: Option<TeamId>,
    #[serde(default)]
    note: String,
}

async fn transfer(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    Body(Transfer { agent, team, note }): Body<Transfer>,
) -> Done {
    let to = match (agent, team) {
        (Some(id), None) => Receiver::Agent(id),
        (None, Some(id)) => Receiver::Team(id),
        _ => return Err(Problem::bad_request("give one of 'agent' and 'team'")),
    };
    hand::transfer(&state.store, state.clock.now(), &signed.agent, id, to, &note).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Snooze {
    until: jiff::Timestamp,
}

async fn snooze(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    Body(Snooze { until }): Body<Snooze>,
) -> Done {
    let until = Timestamp::from_jiff(until);
    hand::snooze(&state.store, state.clock.now(), &signed.agent, id, until).await?;
    Ok(DONE)
}

async fn wake(State(state): State<AppState>, signed: SignedIn, Path(id): Path<ConversationId>) -> Done {
    hand::wake(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

async fn hand_back(State(state): State<AppState>, signed: SignedIn, Path(id): Path<ConversationId>) -> Done {
    hand::hand_back(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// Position of the last message that was read.
    seen: i64,
}

async fn resolve(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    Body(Seen { seen }): Body<Seen>,
) -> Done {
    desk::resolve(&state.store, state.clock.now(), &signed.agent, id, seen).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sending {
    text: String,
    /// Ids of the proposed drafts in the text: their facts go with it.
    #[serde(default)]
    drafts: Vec<Uuid>,
    /// Position of the last message that was read: the conversation ends with the reply.
    #[serde(default)]
    resolve: Option<i64>,
    /// It waits for the seconds of `[desk] undo`, as from the console. A program that sends has made up its mind: otherwise
    /// it leaves at once.
    #[serde(default)]
    undo: bool,
}

#[derive(Serialize)]
struct Accepted {
    message: MessageId,
}

/// The key is the message's id: the same text under it is sent once, however often it is asked for.
async fn reply(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Body(Sending { text, drafts, resolve, undo }): Body<Sending>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let message = MessageId(key(&headers)?);
    if drafts.len() > MOST_DRAFTS {
        return Err(Problem::bad_request(format!("'drafts' are at most {MOST_DRAFTS}")));
    }
    let AppState { store, channels, clock, config, .. } = &state;
    let undo = if undo { config.desk.undo.into() } else { Duration::ZERO };
    let reply = Reply { drafts: &drafts, resolve, undo, ..Reply::plain(message, &text) };
    answering::send(store, channels, clock.now(), &signed.agent, id, reply).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { message })))
}

/// What the caller names the thing it makes with, so that asking again makes no second one.
pub fn key(headers: &HeaderMap) -> Result<Uuid, Problem> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()?.parse().ok());
    key.ok_or_else(|| {
        let detail = "the header 'Idempotency-Key' must be a UUID of yours, a new one for each text";
        Problem::bad_request(detail)
    })
}

#[derive(Serialize)]
struct Withdrawn {
    text: String,
}

/// Answers the text, for another try.
async fn withdraw(
    State(state): State<AppState>,
    signed: SignedIn,
    Path((id, message)): Path<(ConversationId, MessageId)>,
) -> Result<Json<Withdrawn>, Problem> {
    let text = answering::withdraw(&state.store, state.clock.now(), &signed.agent, id, message).await?;
    Ok(Json(Withdrawn { text }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Moderate {
    /// `like`, `hide`, `show` or `delete`.
    action: String,
}

async fn moderate(
    State(state): State<AppState>,
    signed: SignedIn,
    Path((id, message)): Path<(ConversationId, MessageId)>,
    Body(Moderate { action }): Body<Moderate>,
) -> Done {
    let action = Moderation::parse(&action)
        .ok_or_else(|| Problem::bad_request("'action' must be like, hide, show or delete"))?;
    let AppState { store, channels, clock, .. } = &state;
    moderation::moderate(store, channels, clock, &signed.agent, (id, message), action).await?;
    Ok(DONE)
}

async fn resend(
    State(state): State<AppState>,
    signed: SignedIn,
    Path((id, message)): Path<(ConversationId, MessageId)>,
) -> Done {
    desk::resend(&state.store, state.clock.now(), &signed.agent, id, message).await?;
    Ok(DONE)
}

async fn let_go(State(state): State<AppState>, signed: SignedIn, Path(id): Path<ConversationId>) -> Done {
    quarantine::release(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

async fn confirm(State(state): State<AppState>, signed: SignedIn, Path(id): Path<ConversationId>) -> Done {
    quarantine::confirm(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}
