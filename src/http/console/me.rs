//! `/console/me`: a person's own password, authenticator and sessions.

mod tokens;
mod totp;

use super::super::auth::session::{self, Place};
use super::super::auth::sign_in::{note_failure, verify};
use super::super::auth::throttle::Throttle;
use super::super::auth::{NoFields, SignedForm, SignedIn, lacks_second_step};
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::frame;
use super::views::{Stamp, Wall};
use crate::desk::{password, people, sessions};
use crate::http::AppState;
use crate::model::SessionId;
use crate::store::{Account, OpenSession};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

pub const PATH: &str = "/console/me";

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/me", get(page))
        .route("/console/me/password", post(change_password))
        .route("/console/me/sessions/{session}/end", post(end_session))
        .route("/console/me/end-other-sessions", post(end_others))
        .merge(tokens::routes())
        .merge(totp::routes())
}

#[derive(Serialize)]
struct Line {
    id: String,
    browser: String,
    address: String,
    since: Stamp,
    seen: Stamp,
    here: bool,
}

/// What the page says first.
#[derive(Default)]
struct Said {
    /// Keys of texts.
    error: Option<&'static str>,
    done: Option<&'static str>,
    /// Recovery codes, shown now and never again.
    codes: Vec<String>,
}

impl Said {
    fn error(code: &'static str) -> Self {
        Self { error: Some(code), ..Self::default() }
    }
}

async fn page(State(state): State<AppState>, ui: Ui, signed: SignedIn) -> Result<Response, Problem> {
    show(&state, ui, &signed, Said::default()).await
}

async fn show(state: &AppState, ui: Ui, signed: &SignedIn, said: Said) -> Result<Response, Problem> {
    let now = state.clock.now();
    let id = signed.agent.id;
    let mut tx = state.store.read().await?;
    let account = tx.account(id).await?.ok_or_else(gone)?;
    let open = tx.sessions_of(id, now).await?;
    let codes_left = tx.recovery_codes_left(id).await?;
    drop(tx);
    let wall = Wall::new(state, ui);
    let lines: Vec<Line> = open.into_iter().map(|open| line(&wall, signed, open)).collect();
    let offer = account.totp_pending.as_deref().map(|secret| totp::offer(state, &account, secret));
    let context = context! {
        login => account.person.agent.login.as_str(),
        email => account.person.email.as_deref(),
        has_password => account.password_hash.starts_with('$'),
        least => password::MIN_CHARS,
        has_totp => account.totp_secret.is_some(),
        required => lacks_second_step(state, signed),
        offer => offer.map(Serde),
        codes_left,
        sessions => Serde(lines),
        until => account.person.expires_at.map(|at| Serde(wall.stamp(at))),
        error => said.error,
        done => said.done,
        codes => said.codes,
        ..frame(state, signed, PATH).await?
    };
    let page = render(ui, "me.html", context)?;
    let status = if said.error.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, page).into_response())
}

fn gone() -> Problem {
    Problem::not_found("there is no such person")
}

fn line(wall: &Wall, signed: &SignedIn, open: OpenSession) -> Line {
    Line {
        id: open.id.to_string(),
        here: open.token_hash == signed.token_hash,
        browser: open.browser,
        address: open.address,
        since: wall.stamp(open.created_at),
        seen: wall.stamp(open.last_seen_at),
    }
}

/// The account, once its password was said again; else why not. A session that was left open must not be enough to
/// take an account over, nor to guess its password.
async fn proved(
    state: &AppState,
    throttle: &Throttle,
    signed: &SignedIn,
    place: &Place,
    password: &str,
) -> Result<Result<Account, &'static str>, Problem> {
    let now = state.clock.now();
    let login = &signed.agent.login;
    let account = state.store.read().await?.account(signed.agent.id).await?.ok_or_else(gone)?;
    if throttle.attempt(login, Some(place.address), now).is_err() || account.person.locked(now) {
        return Ok(Err("slow_down"));
    }
    if !verify(throttle, password.to_owned(), Some(&account)).await {
        note_failure(state, now, login, place).await?;
        return Ok(Err("wrong_password"));
    }
    throttle.succeeded(login, Some(place.address));
    Ok(Ok(account))
}

#[derive(Deserialize)]
struct NewPassword {
    current: String,
    password: String,
}

async fn change_password(
    State(state): State<AppState>,
    Extension(throttle): Extension<Arc<Throttle>>,
    ui: Ui,
    place: Place,
    SignedForm(signed, form): SignedForm<NewPassword>,
) -> Result<Response, Problem> {
    let account = match proved(&state, &throttle, &signed, &place, &form.current).await? {
        Ok(account) => account,
        Err(why) => return show(&state, ui, &signed, Said::error(why)).await,
    };
    let agent = &account.person.agent;
    let email = account.person.email.as_deref().unwrap_or_default();
    let checked = people::check_password(&form.password, &[&agent.login, &agent.name, email]);
    let hash = match checked {
        Ok(()) => throttle.hash(&form.password).await,
        Err(refused) => Err(refused),
    };
    let hash = match hash {
        Ok(hash) => hash,
        Err(refused) => return show(&state, ui, &signed, Said::error(refused.code())).await,
    };
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    tx.set_password_of(agent.id, &hash).await?;
    tx.end_other_sessions(agent.id, &signed.token_hash).await?;
    tx.close_links_of(agent.id, now).await?;
    let token = session::renew(&state, &mut tx, now, &signed, &place).await?;
    tx.audit(now, Some(agent.id), "password.changed", &agent.login, &json!({})).await?;
    tx.commit().await?;
    Ok((session::set_session(&state, &token), Redirect::to(PATH)).into_response())
}

async fn end_session(
    State(state): State<AppState>,
    Path(id): Path<SessionId>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    if !sessions::end(&state.store, state.clock.now(), &signed.agent, id).await? {
        return Err(Problem::not_found("there is no such session"));
    }
    Ok(Redirect::to(PATH).into_response())
}

async fn end_others(
    State(state): State<AppState>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    sessions::end_others(&state.store, state.clock.now(), &signed.agent, &signed.token_hash).await?;
    Ok(Redirect::to(PATH).into_response())
}
