//! What agents say that messages were about, for managers to accept: `guichet import` puts what was accepted into the
//! files of intents.

use super::super::auth::{NoFields, SignedForm, SignedIn};
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::frame;
use super::views::{Stamp, Wall};
use crate::desk::DeskError;
use crate::desk::corrections::{LONGEST_EXAMPLE, decide};
use crate::http::AppState;
use crate::model::Role;
use crate::store::Proposal;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt::Write as _;
use uuid::Uuid;

pub const PATH: &str = "/console/corrections";
/// Lines of the page; the oldest are decided first.
const SHOWN: i64 = 100;
/// Examples of the file, the latest ones; those that the pack has already are left out when it is read.
const EXPORTED: i64 = 10_000;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/corrections", get(page))
        .route("/console/corrections/export", get(export))
        .route("/console/corrections/{id}/accept", post(accept))
        .route("/console/corrections/{id}/refuse", post(refuse))
}

#[derive(Serialize)]
struct Line {
    id: String,
    conversation: String,
    at: Stamp,
    who: String,
    lang: String,
    text: String,
    read_as: String,
    intent: String,
    example: String,
}

/// As `guichet import` reads it. A bracket is the customer's, not an annotation.
fn example(p: &Proposal) -> String {
    let text = p.text.split_whitespace().collect::<Vec<_>>().join(" ");
    json!({ "text": text, "intent": p.intent, "lang": p.lang.as_str() }).to_string()
}

fn line(p: &Proposal, wall: &Wall) -> Line {
    Line {
        id: p.id.to_string(),
        conversation: p.conversation.to_string(),
        at: wall.stamp(p.created_at),
        who: p.agent_name.clone(),
        lang: p.lang.to_string(),
        text: p.text.clone(),
        read_as: p.read_as.clone().unwrap_or_default(),
        intent: p.intent.clone(),
        example: example(p),
    }
}

async fn show(state: &AppState, ui: Ui, signed: &SignedIn, error: String) -> Result<Response, Problem> {
    let wall = Wall::new(state, ui);
    let mut tx = state.store.read().await?;
    let open = tx.open_proposals(SHOWN).await?;
    let accepted = tx.accepted_proposals(SHOWN).await?;
    drop(tx);
    let lines = |all: &[Proposal]| Serde(all.iter().map(|p| line(p, &wall)).collect::<Vec<_>>());
    let context = context! {
        open => lines(&open),
        accepted => lines(&accepted),
        longest => LONGEST_EXAMPLE,
        error,
        ..frame(state, signed, PATH).await?
    };
    render(ui, "corrections.html", context)
}

async fn page(State(state): State<AppState>, ui: Ui, signed: SignedIn) -> Result<Response, Problem> {
    signed.require(Role::Manager)?;
    show(&state, ui, &signed, String::new()).await
}

async fn export(State(state): State<AppState>, signed: SignedIn) -> Result<Response, Problem> {
    signed.require(Role::Manager)?;
    let accepted = state.store.read().await?.accepted_proposals(EXPORTED).await?;
    let mut file = String::new();
    for proposal in &accepted {
        let _ = writeln!(file, "{}", example(proposal));
    }
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"corrections.jsonl\""),
    ];
    Ok((headers, file).into_response())
}

#[derive(Deserialize)]
struct Accepted {
    text: String,
}

async fn accept(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<Uuid>,
    SignedForm(signed, Accepted { text }): SignedForm<Accepted>,
) -> Result<Response, Problem> {
    decided(state, ui, signed, id, true, &text).await
}

async fn refuse(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<Uuid>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    decided(state, ui, signed, id, false, "").await
}

async fn decided(
    state: AppState,
    ui: Ui,
    signed: SignedIn,
    id: Uuid,
    accepted: bool,
    text: &str,
) -> Result<Response, Problem> {
    signed.require(Role::Manager)?;
    match decide(&state.store, state.clock.now(), &signed.agent, id, accepted, text).await {
        Ok(()) => Ok(Redirect::to(PATH).into_response()),
        Err(DeskError::Store(error)) => Err(error.into()),
        Err(error) => {
            let told = ui.text(&format!("errors.{}", error.code())).replace("{}", &error.detail());
            show(&state, ui, &signed, told).await
        }
    }
}
