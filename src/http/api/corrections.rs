//! What agents say that messages were about, for managers to decide.

use super::extract::Body;
use crate::desk::corrections::decide;
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::problem::Problem;
use crate::model::{ConversationId, Lang, MessageId, Role};
use crate::store::Proposal;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Lines of one answer.
const MOST: i64 = 200;
const USUAL: i64 = 50;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/corrections", get(list))
        .route("/api/corrections/{id}/accept", post(accept))
        .route("/api/corrections/{id}/refuse", post(refuse))
}

#[derive(Deserialize)]
struct Which {
    /// `open` or `accepted`; empty: open.
    #[serde(default)]
    state: String,
    limit: Option<i64>,
}

#[derive(Serialize)]
struct Corrections {
    items: Vec<Correction>,
}

#[derive(Serialize)]
struct Correction {
    id: Uuid,
    conversation: ConversationId,
    message: MessageId,
    at: String,
    /// Who proposes it.
    agent: super::conversations::Named,
    lang: Lang,
    /// As the customer wrote; accepted: as it is to be learned.
    text: String,
    /// What the bot had read; null: nothing.
    read_as: Option<String>,
    intent: String,
}

impl From<Proposal> for Correction {
    fn from(p: Proposal) -> Self {
        Self {
            id: p.id,
            conversation: p.conversation,
            message: p.message,
            at: p.created_at.to_string(),
            agent: super::conversations::Named { id: p.agent.to_string(), name: p.agent_name },
            lang: p.lang,
            text: p.text,
            read_as: p.read_as,
            intent: p.intent,
        }
    }
}

async fn list(
    State(state): State<AppState>,
    signed: SignedIn,
    Query(which): Query<Which>,
) -> Result<Json<Corrections>, Problem> {
    signed.require(Role::Manager)?;
    let limit = which.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request("'limit' is a number from 1 to 200"));
    }
    let mut tx = state.store.read().await?;
    let found = match which.state.as_str() {
        "" | "open" => tx.open_proposals(limit).await?,
        "accepted" => tx.accepted_proposals(limit).await?,
        _ => return Err(Problem::bad_request("'state' is open or accepted")),
    };
    Ok(Json(Corrections { items: found.into_iter().map(Correction::from).collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    /// As it is to be learned, without what names the customer.
    text: String,
}

async fn accept(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<Uuid>,
    Body(Accepted { text }): Body<Accepted>,
) -> Result<StatusCode, Problem> {
    signed.require(Role::Manager)?;
    decide(&state.store, state.clock.now(), &signed.agent, id, true, &text).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn refuse(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    signed.require(Role::Manager)?;
    decide(&state.store, state.clock.now(), &signed.agent, id, false, "").await?;
    Ok(StatusCode::NO_CONTENT)
}
