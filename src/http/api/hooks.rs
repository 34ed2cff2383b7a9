//! Where other systems are told what happens, and what became of it; for admins.

use super::extract::Body;
use crate::hooks::{HookKind, manage};
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::problem::Problem;
use crate::model::{ConversationId, EventKind, Role, Timestamp};
use crate::store::HookDelivery;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Deliveries of one answer.
const LATEST: i64 = 100;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/hooks", get(list).post(add))
        .route("/api/hooks/{id}", delete(remove))
        .route("/api/hooks/{id}/switch-on", post(switch_on))
        .route("/api/hooks/{id}/deliveries", get(deliveries))
        .route("/api/hooks/{id}/deliveries/{delivery}/send-again", post(send_again))
}

#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Serialize)]
struct Hook {
    id: Uuid,
    url: String,
    kinds: Vec<String>,
    created_at: String,
    /// Since when nothing is posted: nobody answered for hours.
    off_since: Option<String>,
    /// Deliveries that have not arrived.
    waiting: i64,
}

async fn list(State(state): State<AppState>, signed: SignedIn) -> Result<Json<Items<Hook>>, Problem> {
    signed.require(Role::Admin)?;
    let mut tx = state.store.read().await?;
    let mut items = Vec::new();
    for hook in tx.hooks().await? {
        items.push(Hook {
            waiting: tx.deliveries_waiting(hook.id).await?,
            id: hook.id,
            url: hook.url,
            kinds: hook.kinds,
            created_at: hook.created_at.to_string(),
            off_since: hook.disabled_at.map(|at| at.to_string()),
        });
    }
    Ok(Json(Items { items }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewHook {
    url: String,
    kinds: Vec<HookKind>,
}

#[derive(Serialize)]
struct Made {
    id: Uuid,
    /// Told once.
    secret: String,
}

async fn add(
    State(state): State<AppState>,
    signed: SignedIn,
    Body(NewHook { url, kinds }): Body<NewHook>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let (store, config) = (&state.store, &state.config.hooks);
    let (id, secret) = manage::add(store, config, state.clock.now(), &signed.agent, &url, &kinds).await?;
    Ok((StatusCode::CREATED, Json(Made { id, secret: secret.expose().to_owned() })))
}

async fn remove(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    manage::remove(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn switch_on(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    manage::switch_on(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Delivery {
    /// As the receiver reads it.
    id: Uuid,
    seq: i64,
    kind: Option<HookKind>,
    /// When it happened.
    at: String,
    conversation: Option<ConversationId>,
    attempts: i64,
    attempted_at: Option<String>,
    /// A status, or `timeout`, `unreachable`, `refused`.
    answer: Option<String>,
    delivered_at: Option<String>,
    /// Given up.
    failed_at: Option<String>,
    /// Null: no further try is planned.
    next_try_at: Option<String>,
}

async fn deliveries(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<Json<Items<Delivery>>, Problem> {
    signed.require(Role::Admin)?;
    let mut tx = state.store.read().await?;
    if !tx.hooks().await?.iter().any(|hook| hook.id == id) {
        return Err(Problem::not_found("there is no such hook"));
    }
    let items = tx.deliveries_of_hook(id, LATEST).await?.into_iter().map(shown);
    Ok(Json(Items { items: items.collect() }))
}

fn shown(
    (d, kind, at, conversation): (HookDelivery, EventKind, Timestamp, Option<ConversationId>),
) -> Delivery {
    let open = d.delivered_at.is_none() && d.failed_at.is_none();
    Delivery {
        id: d.id,
        seq: d.event_seq,
        kind: HookKind::of(kind),
        at: at.to_string(),
        conversation,
        attempts: d.attempts,
        attempted_at: d.attempted_at.map(|at| at.to_string()),
        answer: d.answer,
        delivered_at: d.delivered_at.map(|at| at.to_string()),
        failed_at: d.failed_at.map(|at| at.to_string()),
        next_try_at: open.then(|| d.run_at.to_string()),
    }
}

async fn send_again(
    State(state): State<AppState>,
    signed: SignedIn,
    Path((id, delivery)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    manage::send_again(&state.store, state.clock.now(), &signed.agent, id, delivery).await?;
    Ok(StatusCode::NO_CONTENT)
}
