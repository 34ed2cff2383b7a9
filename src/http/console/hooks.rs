//! `/console/hooks`: where other systems are told what happens, and what became of it; for admins.

use super::super::auth::{NoFields, SignedForm, SignedIn};
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::frame;
use super::views::{Stamp, Wall};
use crate::hooks::HookKind;
use crate::hooks::manage::{self, HookError};
use crate::http::AppState;
use crate::model::{ConversationId, EventKind, Role, Timestamp};
use crate::store::HookDelivery;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub const PATH: &str = "/console/hooks";
/// Deliveries shown of each hook.
const LATEST: i64 = 20;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/hooks", get(page).post(add))
        .route("/console/hooks/{id}/remove", post(remove))
        .route("/console/hooks/{id}/switch-on", post(switch_on))
        .route("/console/hooks/{id}/deliveries/{delivery}/send-again", post(send_again))
}

#[derive(Serialize)]
struct Shown {
    id: String,
    url: String,
    kinds: Vec<String>,
    created: Stamp,
    off: Option<Stamp>,
    waiting: i64,
    deliveries: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    id: String,
    /// A key of the texts.
    kind: &'static str,
    at: Stamp,
    conversation: Option<String>,
    attempts: i64,
    tried: Option<Stamp>,
    /// A status; a key of the texts: `timeout`, `unreachable`, `refused`; empty: not tried.
    answer: String,
    status: bool,
    /// A key of the texts.
    state: &'static str,
    next: Option<Stamp>,
}

/// What the page says first.
#[derive(Default)]
struct Said {
    /// Shown now and never again.
    secret: Option<String>,
    /// The key of its text.
    error: Option<&'static str>,
    /// What was typed, to correct it.
    url: String,
}

async fn page(State(state): State<AppState>, ui: Ui, signed: SignedIn) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    show(&state, ui, &signed, Said::default()).await
}

async fn show(state: &AppState, ui: Ui, signed: &SignedIn, said: Said) -> Result<Response, Problem> {
    let wall = Wall::new(state, ui);
    let mut tx = state.store.read().await?;
    let mut hooks = Vec::new();
    for hook in tx.hooks().await? {
        let waiting = tx.deliveries_waiting(hook.id).await?;
        let deliveries = tx.deliveries_of_hook(hook.id, LATEST).await?;
        hooks.push(Shown {
            id: hook.id.to_string(),
            url: hook.url,
            kinds: hook.kinds,
            created: wall.stamp(hook.created_at),
            off: hook.disabled_at.map(|at| wall.stamp(at)),
            waiting,
            deliveries: deliveries.into_iter().map(|delivery| line(&wall, delivery)).collect(),
        });
    }
    drop(tx);
    let status = if said.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let context = context! {
        hooks => Serde(hooks),
        kinds => HookKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        allowed => state.config.hooks.allow.clone(),
        secret => said.secret,
        error => said.error,
        url => said.url,
        ..frame(state, signed, PATH).await?
    };
    Ok((status, render(ui, "hooks.html", context)?).into_response())
}

fn line(
    wall: &Wall,
    (d, kind, at, conversation): (HookDelivery, EventKind, Timestamp, Option<ConversationId>),
) -> Line {
    let (state, next) = match (d.delivered_at, d.failed_at) {
        (Some(_), _) => ("delivered", None),
        (_, Some(_)) => ("failed", None),
        _ => ("waiting", (d.attempts > 0).then(|| wall.stamp(d.run_at))),
    };
    let answer = d.answer.unwrap_or_default();
    Line {
        id: d.id.to_string(),
        kind: HookKind::of(kind).map_or("", HookKind::as_str),
        at: wall.stamp(at),
        conversation: conversation.map(|id| id.to_string()),
        attempts: d.attempts,
        tried: d.attempted_at.map(|at| wall.stamp(at)),
        status: answer.bytes().all(|b| b.is_ascii_digit()),
        answer,
        state,
        next,
    }
}

/// A checkbox for each kind.
#[derive(Deserialize)]
struct NewHook {
    url: String,
    #[serde(default)]
    escalated: String,
    #[serde(default)]
    taken: String,
    #[serde(default)]
    answered: String,
    #[serde(default)]
    resolved: String,
}

impl NewHook {
    fn kinds(&self) -> Vec<HookKind> {
        let boxes = [
            (&self.escalated, HookKind::Escalated),
            (&self.taken, HookKind::Taken),
            (&self.answered, HookKind::Answered),
            (&self.resolved, HookKind::Resolved),
        ];
        boxes.into_iter().filter(|(ticked, _)| !ticked.is_empty()).map(|(_, kind)| kind).collect()
    }
}

async fn add(
    State(state): State<AppState>,
    ui: Ui,
    SignedForm(signed, form): SignedForm<NewHook>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let (config, now) = (&state.config.hooks, state.clock.now());
    let said = match manage::add(&state.store, config, now, &signed.agent, &form.url, &form.kinds()).await {
        Ok((_, secret)) => Said { secret: Some(secret.expose().to_owned()), ..Said::default() },
        Err(HookError::Store(error)) => return Err(error.into()),
        Err(refused) => Said { error: Some(refused.code()), url: form.url, ..Said::default() },
    };
    show(&state, ui, &signed, said).await
}

async fn remove(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Redirect, Problem> {
    manage::remove(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(Redirect::to(PATH))
}

async fn switch_on(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Redirect, Problem> {
    manage::switch_on(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(Redirect::to(PATH))
}

async fn send_again(
    State(state): State<AppState>,
    Path((id, delivery)): Path<(Uuid, Uuid)>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Redirect, Problem> {
    manage::send_again(&state.store, state.clock.now(), &signed.agent, id, delivery).await?;
    Ok(Redirect::to(PATH))
}
