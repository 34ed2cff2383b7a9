//! `/console/me/tokens`: personal access tokens for programs.

use super::{PATH as ME, gone, proved};
use crate::desk::tokens::{self, TokenError, Wanted};
use crate::http::AppState;
use crate::http::auth::session::Place;
use crate::http::auth::throttle::Throttle;
use crate::http::auth::{NoFields, SignedForm, SignedIn, lacks_second_step};
use crate::http::console::views::{Stamp, Wall};
use crate::http::console::{end_of, frame};
use crate::http::pages::{Ui, render};
use crate::http::problem::Problem;
use crate::store::AccessToken;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::ToSpan as _;
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

const PATH: &str = "/console/me/tokens";
/// Days until the end that the form proposes.
const PROPOSED_DAYS: i64 = 90;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/me/tokens", get(page).post(create))
        .route("/console/me/tokens/{id}/revoke", post(revoke))
}

#[derive(Serialize)]
struct Line {
    id: String,
    name: String,
    read_only: bool,
    created: Stamp,
    used: Option<Stamp>,
    expires: Option<Stamp>,
    ended: bool,
}

/// What the page says first.
#[derive(Default)]
struct Said {
    /// Shown now and never again.
    token: Option<String>,
    /// The key of its text.
    error: Option<&'static str>,
}

async fn page(State(state): State<AppState>, ui: Ui, signed: SignedIn) -> Result<Response, Problem> {
    show(&state, ui, &signed, Said::default()).await
}

async fn show(state: &AppState, ui: Ui, signed: &SignedIn, said: Said) -> Result<Response, Problem> {
    let wall = Wall::new(state, ui);
    let mut tx = state.store.read().await?;
    let account = tx.account(signed.agent.id).await?.ok_or_else(gone)?;
    let lines: Vec<Line> = tx.tokens_of(signed.agent.id).await?.into_iter().map(|t| line(&wall, t)).collect();
    drop(tx);
    let today = wall.now().to_jiff().to_zoned_datetime(state.config.timezone()).date();
    let proposed = today.checked_add(PROPOSED_DAYS.days()).unwrap_or(today);
    let status = if said.error.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let context = context! {
        tokens => Serde(lines),
        token => said.token,
        error => said.error,
        today => today.to_string(),
        proposed => proposed.to_string(),
        has_password => account.password_hash.starts_with('$'),
        required => lacks_second_step(state, signed),
        ..frame(state, signed, ME).await?
    };
    Ok((status, render(ui, "tokens.html", context)?).into_response())
}

fn line(wall: &Wall, token: AccessToken) -> Line {
    Line {
        id: token.id.to_string(),
        name: token.name,
        read_only: token.read_only,
        created: wall.stamp(token.created_at),
        used: token.last_used_at.map(|at| wall.stamp(at)),
        ended: token.expires_at.is_some_and(|at| at <= wall.now()),
        expires: token.expires_at.map(|at| wall.stamp(at)),
    }
}

#[derive(Deserialize)]
struct NewToken {
    name: String,
    /// `read` or `full`.
    rights: String,
    /// The last day; empty: without end.
    #[serde(default)]
    until: String,
    #[serde(default)]
    password: String,
}

/// Asks for the password again: a token goes on when the session that was left open has ended.
async fn create(
    State(state): State<AppState>,
    Extension(throttle): Extension<Arc<Throttle>>,
    ui: Ui,
    place: Place,
    SignedForm(signed, form): SignedForm<NewToken>,
) -> Result<Response, Problem> {
    if lacks_second_step(&state, &signed) {
        return Ok(Redirect::to(ME).into_response());
    }
    let account = state.store.read().await?.account(signed.agent.id).await?.ok_or_else(gone)?;
    let error = |why| Said { error: Some(why), token: None };
    if account.password_hash.starts_with('$')
        && let Err(why) = proved(&state, &throttle, &signed, &place, &form.password).await?
    {
        return show(&state, ui, &signed, error(why)).await;
    }
    let until = end_of(&form.until, &state.config.timezone())?;
    let wanted = Wanted { name: &form.name, read_only: form.rights != "full", until };
    let said = match tokens::create(&state.store, state.clock.now(), &signed.agent, wanted).await {
        Ok(token) => Said { token: Some(token), error: None },
        Err(TokenError::Store(error)) => return Err(error.into()),
        Err(refused) => error(refused.code()),
    };
    show(&state, ui, &signed, said).await
}

async fn revoke(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    if !tokens::revoke(&state.store, state.clock.now(), &signed.agent, id).await? {
        return Err(Problem::not_found("there is no such token"));
    }
    Ok(Redirect::to(PATH).into_response())
}
