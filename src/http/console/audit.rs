//! `/console/audit`: what was done to people and settings, for admins.

use super::super::auth::SignedIn;
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::frame;
use super::views::{Stamp, Wall};
use crate::http::AppState;
use crate::model::Role;
use crate::store::{AuditFilter, AuditLine};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

pub const PATH: &str = "/console/audit";
/// Lines of a page.
const LINES: i64 = 100;

pub fn routes() -> Router<AppState> {
    Router::new().route("/console/audit", get(page))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    action: String,
    #[serde(default)]
    login: String,
    before: Option<i64>,
}

#[derive(Serialize)]
struct Line {
    at: Stamp,
    agent: Option<String>,
    action: String,
    target: String,
    /// `role agent · until 2026-11-30T22:59:59Z`.
    data: String,
}

async fn page(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let wall = Wall::new(&state, ui);
    let filter = AuditFilter { action: asked.action.trim(), login: asked.login.trim() };
    let mut tx = state.store.read().await?;
    let lines = tx.audit_lines(&filter, asked.before.unwrap_or(i64::MAX), LINES).await?;
    let actions = tx.audit_actions().await?;
    drop(tx);
    let more = (lines.len() as i64 == LINES).then(|| lines.last().map(|line| line.seq)).flatten();
    let older = more.map(|seq| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("action", filter.action).append_pair("login", filter.login);
        query.append_pair("before", &seq.to_string()).finish()
    });
    let context = context! {
        lines => Serde(lines.into_iter().map(|line| shown(&wall, line)).collect::<Vec<_>>()),
        actions,
        action => filter.action,
        login => filter.login,
        older,
        first => asked.before.is_none(),
        ..frame(&state, &signed, PATH).await?
    };
    render(ui, "audit.html", context)
}

fn shown(wall: &Wall, line: AuditLine) -> Line {
    let told = |(key, value): (&String, &serde_json::Value)| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) if text.is_empty() => None,
        serde_json::Value::String(text) => Some(format!("{key} {text}")),
        other => Some(format!("{key} {other}")),
    };
    let data = line.data.as_object().into_iter().flatten().filter_map(told);
    Line {
        at: wall.stamp(line.at),
        // Without a name: the server, or someone who was not signed in.
        agent: line.agent_name.or_else(|| line.agent.map(|id| id.to_string())),
        data: data.collect::<Vec<_>>().join(" · "),
        action: line.action,
        target: line.target,
    }
}
