//! `/console/people`: who is at the desk. Managers see it and invite agents, admins change everything. What a page
//! shows is no permission: `desk::people` looks at the rights again.

use super::super::auth::invitation;
use super::super::auth::{NoFields, SignedForm, SignedIn};
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::views::{Stamp, Wall};
use super::{end_of, frame};
use crate::desk::people::{self, PeopleError, Wanted};
use crate::http::AppState;
use crate::model::{AgentId, Role, Timestamp};
use crate::store::{OpenInvitation, Person};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

pub const PATH: &str = "/console/people";

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/people", get(page))
        .route("/console/people/invite", post(invite))
        .route("/console/people/invitations/{hash}/withdraw", post(withdraw))
        .route("/console/people/{person}/role", post(change_role))
        .route("/console/people/{person}/until", post(change_until))
        .route("/console/people/{person}/disable", post(disable))
        .route("/console/people/{person}/enable", post(enable))
        .route("/console/people/{person}/unlock", post(unlock))
        .route("/console/people/{person}/reset-password", post(reset_password))
        .route("/console/people/{person}/reset-totp", post(reset_totp))
}

#[derive(Serialize)]
struct Line {
    id: String,
    name: String,
    login: String,
    email: Option<String>,
    role: &'static str,
    teams: Vec<String>,
    seen: Option<Stamp>,
    until: Option<Stamp>,
    /// For the form: the last day.
    until_day: String,
    disabled: bool,
    ended: bool,
    locked: Option<Stamp>,
    has_totp: bool,
    by_provider: bool,
    yourself: bool,
}

#[derive(Serialize)]
struct Link {
    hash: String,
    email: Option<String>,
    role: &'static str,
    by: Option<String>,
    /// Whose password it is for.
    login: Option<String>,
    expires: Stamp,
    withdrawable: bool,
}

/// What the page says first.
#[derive(Default)]
struct Said<'a> {
    /// A one-time link, shown now and never again.
    link: Option<String>,
    /// The key of its text.
    error: Option<&'a str>,
}

async fn page(State(state): State<AppState>, ui: Ui, signed: SignedIn) -> Result<Response, Problem> {
    signed.require(Role::Manager)?;
    show(&state, ui, &signed, Said::default()).await
}

async fn show(state: &AppState, ui: Ui, signed: &SignedIn, said: Said<'_>) -> Result<Response, Problem> {
    let now = state.clock.now();
    let wall = Wall::new(state, ui);
    let mut tx = state.store.read().await?;
    let (people, teams) = (tx.people().await?, tx.teams_of_people(now).await?);
    let links = tx.open_invitations(now).await?;
    drop(tx);
    let lines: Vec<Line> =
        people.iter().map(|person| line(state, &wall, now, signed, person, &teams)).collect();
    let links: Vec<Link> = links.into_iter().map(|open| link(&wall, signed, open)).collect();
    let admin = signed.agent.role == Role::Admin;
    let context = context! {
        people => Serde(lines),
        links => Serde(links),
        admin,
        roles => if admin { vec!["agent", "manager", "admin"] } else { vec!["agent"] },
        today => state.clock.now().to_jiff().to_zoned_datetime(state.config.timezone()).date().to_string(),
        link => said.link,
        error => said.error,
        ..frame(state, signed, PATH).await?
    };
    render(ui, "people.html", context)
}

fn line(
    state: &AppState,
    wall: &Wall,
    now: Timestamp,
    signed: &SignedIn,
    person: &Person,
    teams: &HashMap<AgentId, Vec<String>>,
) -> Line {
    let zone = state.config.timezone();
    let last_day = |until: Timestamp| {
        let before = until.minus(std::time::Duration::from_secs(1));
        before.to_jiff().to_zoned_datetime(zone.clone()).date().to_string()
    };
    Line {
        id: person.agent.id.to_string(),
        name: person.agent.name.clone(),
        login: person.agent.login.clone(),
        email: person.email.clone(),
        role: person.agent.role.as_str(),
        teams: teams.get(&person.agent.id).cloned().unwrap_or_default(),
        seen: person.last_seen_at.map(|at| wall.stamp(at)),
        until: person.expires_at.map(|at| wall.stamp(at)),
        until_day: person.expires_at.map(last_day).unwrap_or_default(),
        disabled: person.disabled_at.is_some(),
        ended: person.disabled_at.is_none() && !person.may_enter(now),
        locked: person.locked_until.filter(|_| person.locked(now)).map(|at| wall.stamp(at)),
        has_totp: person.has_totp,
        by_provider: person.by_provider,
        yourself: person.agent.id == signed.agent.id,
    }
}

fn link(wall: &Wall, signed: &SignedIn, open: OpenInvitation) -> Link {
    let OpenInvitation { invitation, by, login } = open;
    let plain = invitation.role == Role::Agent && invitation.agent.is_none();
    Link {
        withdrawable: plain || signed.agent.role == Role::Admin,
        hash: invitation.token_hash,
        email: invitation.email,
        role: invitation.role.as_str(),
        by,
        login,
        expires: wall.stamp(invitation.expires_at),
    }
}

/// To the page again, or the page with what was refused.
async fn done(
    state: &AppState,
    ui: Ui,
    signed: &SignedIn,
    done: Result<(), PeopleError>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(Redirect::to(PATH).into_response()),
        Err(error) => refused(state, ui, signed, error).await,
    }
}

async fn refused(
    state: &AppState,
    ui: Ui,
    signed: &SignedIn,
    error: PeopleError,
) -> Result<Response, Problem> {
    let status = match error {
        PeopleError::Store(error) => return Err(error.into()),
        PeopleError::NotFound => return Err(Problem::not_found(error.to_string())),
        PeopleError::NotAllowed => StatusCode::FORBIDDEN,
        _ => StatusCode::CONFLICT,
    };
    let said = Said { error: Some(error.code()), link: None };
    Ok((status, show(state, ui, signed, said).await?).into_response())
}

/// The whole address of a one-time link, shown to who made it, now and never again.
async fn show_link(
    state: &AppState,
    ui: Ui,
    signed: &SignedIn,
    token: Result<String, PeopleError>,
) -> Result<Response, Problem> {
    match token {
        Ok(token) => {
            let link = format!("{}{}{token}", state.config.server.public_url, invitation::PATH);
            show(state, ui, signed, Said { link: Some(link), error: None }).await
        }
        Err(error) => refused(state, ui, signed, error).await,
    }
}

#[derive(Deserialize)]
struct Invite {
    #[serde(default)]
    email: String,
    role: Role,
    #[serde(default)]
    until: String,
}

async fn invite(
    State(state): State<AppState>,
    ui: Ui,
    SignedForm(signed, form): SignedForm<Invite>,
) -> Result<Response, Problem> {
    signed.require(Role::Manager)?;
    let wanted =
        Wanted { until: end_of(&form.until, &state.config.timezone())?, email: form.email, role: form.role };
    let token = people::invite(&state.store, state.clock.now(), &signed.agent, &wanted).await;
    show_link(&state, ui, &signed, token).await
}

async fn withdraw(
    State(state): State<AppState>,
    ui: Ui,
    Path(hash): Path<String>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    signed.require(Role::Manager)?;
    let withdrawn = people::withdraw(&state.store, state.clock.now(), &signed.agent, &hash).await;
    done(&state, ui, &signed, withdrawn).await
}

#[derive(Deserialize)]
struct NewRole {
    role: Role,
}

async fn change_role(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<AgentId>,
    SignedForm(signed, NewRole { role }): SignedForm<NewRole>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let changed = people::set_role(&state.store, state.clock.now(), &signed.agent, id, role).await;
    done(&state, ui, &signed, changed).await
}

#[derive(Deserialize)]
struct Until {
    #[serde(default)]
    until: String,
}

async fn change_until(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<AgentId>,
    SignedForm(signed, Until { until }): SignedForm<Until>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let until = end_of(&until, &state.config.timezone())?;
    let changed = people::set_until(&state.store, state.clock.now(), &signed.agent, id, until).await;
    done(&state, ui, &signed, changed).await
}

async fn disable(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<AgentId>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let disabled = people::disable(&state.store, state.clock.now(), &signed.agent, id).await;
    done(&state, ui, &signed, disabled).await
}

async fn enable(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<AgentId>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let enabled = people::enable(&state.store, state.clock.now(), &signed.agent, id).await;
    done(&state, ui, &signed, enabled).await
}

async fn unlock(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<AgentId>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let unlocked = people::unlock(&state.store, state.clock.now(), &signed.agent, id).await;
    done(&state, ui, &signed, unlocked).await
}

async fn reset_password(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<AgentId>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let token = people::reset_link(&state.store, state.clock.now(), &signed.agent, id).await;
    show_link(&state, ui, &signed, token).await
}

async fn reset_totp(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<AgentId>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    signed.require(Role::Admin)?;
    let reset = people::reset_totp(&state.store, state.clock.now(), &signed.agent, id).await;
    done(&state, ui, &signed, reset).await
}
