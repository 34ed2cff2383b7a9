//! What could be answered: proposed drafts and canned replies, as beside the console's reply box.

use super::conversations::Fact;
use crate::desk::assist::{Draft, Proposed};
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::console::composer::{canned_replies, proposed};
use crate::http::problem::Problem;
use crate::model::ConversationId;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use uuid::Uuid;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/conversations/{id}/drafts", get(drafts))
        .route("/api/conversations/{id}/canned", get(canned))
}

#[derive(Serialize)]
struct Drafts {
    /// The best first.
    items: Vec<Shown>,
    /// The customer's last message is being read: ask again in a moment.
    reading: bool,
    /// A source did not answer in time.
    late: bool,
    /// The first model is being learned: nothing can be proposed yet.
    learning: bool,
}

#[derive(Serialize)]
struct Shown {
    id: Uuid,
    kind: &'static str,
    response: String,
    /// Null: nothing sure is known.
    text: Option<String>,
    facts: Vec<Fact>,
    lacks: Option<String>,
    old: bool,
    departed: bool,
}

impl From<Draft> for Shown {
    fn from(draft: Draft) -> Self {
        let Draft { id, kind, response, text, facts, lacks, old, departed } = draft;
        Self {
            id,
            kind: kind.as_str(),
            response,
            text: Some(text).filter(|text| !text.is_empty()),
            facts: facts.into_iter().map(Fact::from).collect(),
            lacks,
            old,
            departed,
        }
    }
}

async fn drafts(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Json<Drafts>, Problem> {
    let found = proposed(&state, &signed, id).await?;
    let learning = found.is_none();
    let Proposed { drafts, reading, late } = found.unwrap_or_default();
    let items = drafts.into_iter().map(Shown::from).collect();
    Ok(Json(Drafts { items, reading, late, learning }))
}

#[derive(Serialize)]
struct Canned<T> {
    items: Vec<T>,
}

async fn canned(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<impl axum::response::IntoResponse, Problem> {
    Ok(Json(Canned { items: canned_replies(&state, &signed, id).await? }))
}
