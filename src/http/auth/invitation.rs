//! One-time links: to become a person of the desk, or to choose a new password. Opening the link uses nothing up:
//! mail programs open links too.

use super::require_our_page;
use super::sign_in::HOME;
use super::throttle::Throttle;
use crate::desk::people::{self, Chosen, PeopleError};
use crate::desk::{password, token};
use crate::http::AppState;
use crate::http::pages::{Ui, render};
use crate::http::problem::Problem;
use crate::store::Invitation;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use std::sync::Arc;

/// The link's path before its token.
pub const PATH: &str = "/invitation/";

pub fn routes() -> Router<AppState> {
    Router::new().route("/invitation/{token}", get(page).post(accept))
}

#[derive(Default, Deserialize)]
struct Filled {
    #[serde(default)]
    login: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

/// What the page is about.
struct Asked {
    invitation: Invitation,
    /// For a new password: whose.
    login: Option<String>,
}

async fn find(state: &AppState, link: &str) -> Result<Option<Asked>, Problem> {
    let mut tx = state.store.read().await?;
    let Some(invitation) = tx.invitation(&token::digest(link), state.clock.now()).await? else {
        return Ok(None);
    };
    let login = match invitation.agent {
        Some(id) => tx.agent(id).await?.map(|agent| agent.login),
        None => None,
    };
    Ok(Some(Asked { invitation, login }))
}

async fn page(State(state): State<AppState>, ui: Ui, Path(link): Path<String>) -> Result<Response, Problem> {
    let asked = find(&state, &link).await?;
    let filled = Filled {
        login: asked.as_ref().and_then(|a| a.invitation.email.clone()).unwrap_or_default(),
        ..Filled::default()
    };
    form(&state, ui, asked.as_ref(), &link, &filled, None)
}

fn form(
    state: &AppState,
    ui: Ui,
    asked: Option<&Asked>,
    link: &str,
    filled: &Filled,
    error: Option<&str>,
) -> Result<Response, Problem> {
    let context = minijinja::context! {
        operator => state.config.operator.name.as_str(),
        gone => asked.is_none(),
        reset => asked.and_then(|a| a.login.as_deref()),
        role => asked.map(|a| a.invitation.role.as_str()),
        action => format!("{PATH}{link}"),
        home => HOME,
        least => password::MIN_CHARS,
        login => filled.login.as_str(),
        name => filled.name.as_str(),
        error,
    };
    let page = render(ui, "invitation.html", context)?;
    let status = match (asked, error) {
        (None, _) => StatusCode::GONE,
        (_, Some(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        (_, None) => StatusCode::OK,
    };
    Ok((status, page).into_response())
}

async fn accept(
    State(state): State<AppState>,
    Extension(throttle): Extension<Arc<Throttle>>,
    ui: Ui,
    headers: HeaderMap,
    Path(link): Path<String>,
    Form(filled): Form<Filled>,
) -> Result<Response, Problem> {
    require_our_page(&headers, &state.config.server.public_url)?;
    let Some(asked) = find(&state, &link).await? else {
        return form(&state, ui, None, &link, &filled, None);
    };
    match take(&state, &throttle, &asked, &link, &filled).await {
        Ok(done) => Ok(Redirect::to(&format!("/login?done={done}")).into_response()),
        Err(PeopleError::Store(error)) => Err(error.into()),
        Err(PeopleError::Gone) => form(&state, ui, None, &link, &filled, None),
        Err(error) => form(&state, ui, Some(&asked), &link, &filled, Some(error.code())),
    }
}

/// What the sign-in page says then.
async fn take(
    state: &AppState,
    throttle: &Throttle,
    asked: &Asked,
    link: &str,
    filled: &Filled,
) -> Result<&'static str, PeopleError> {
    let now = state.clock.now();
    let login = filled.login.trim();
    if let Some(login) = &asked.login {
        people::check_password(&filled.password, &[login])?;
        let hash = throttle.hash(&filled.password).await?;
        people::choose_password(&state.store, now, link, &hash).await?;
        return Ok("password");
    }
    people::check_login(login)?;
    people::check_name(&filled.name)?;
    let email = asked.invitation.email.as_deref().unwrap_or_default();
    people::check_password(&filled.password, &[login, &filled.name, email])?;
    let password_hash = throttle.hash(&filled.password).await?;
    people::accept(&state.store, now, link, Chosen { login, name: &filled.name, password_hash }).await?;
    Ok("joined")
}
