//! The audit log, for admins.

use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::problem::Problem;
use crate::model::{AgentId, Role};
use crate::store::AuditFilter;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

/// Lines of one answer.
const MOST: i64 = 500;
const USUAL: i64 = 100;

pub fn routes() -> Router<AppState> {
    Router::new().route("/api/audit", get(list))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    action: String,
    #[serde(default)]
    login: String,
    before: Option<i64>,
    limit: Option<i64>,
}

#[derive(Serialize)]
struct Lines {
    items: Vec<Line>,
    /// The `before` of what is older; null: nothing is.
    next: Option<i64>,
}

#[derive(Serialize)]
struct Line {
    seq: i64,
    at: String,
    /// Null: the server, or someone who was not signed in.
    agent: Option<AgentId>,
    agent_name: Option<String>,
    action: String,
    target: String,
    data: serde_json::Value,
}

async fn list(
    State(state): State<AppState>,
    signed: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<Lines>, Problem> {
    signed.require(Role::Admin)?;
    let limit = asked.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request("'limit' is a number from 1 to 500"));
    }
    let filter = AuditFilter { action: asked.action.trim(), login: asked.login.trim() };
    let before = asked.before.unwrap_or(i64::MAX);
    let mut lines = state.store.read().await?.audit_lines(&filter, before, limit + 1).await?;
    let more = lines.len() as i64 > limit;
    lines.truncate(usize::try_from(limit).unwrap_or_default());
    let next = lines.last().filter(|_| more).map(|line| line.seq);
    let items = lines.into_iter().map(|line| Line {
        seq: line.seq,
        at: line.at.to_string(),
        agent: line.agent,
        agent_name: line.agent_name,
        action: line.action,
        target: line.target,
        data: line.data,
    });
    Ok(Json(Lines { items: items.collect(), next }))
}
