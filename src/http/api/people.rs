//! People of the desk and the links that were given to them. `desk::people` says who may do what.

use super::extract::Body;
use crate::desk::people::{self, Wanted};
use crate::http::AppState;
use crate::http::auth::{SignedIn, invitation};
use crate::http::problem::Problem;
use crate::model::{AgentId, Role, Timestamp};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/people", get(list))
        .route("/api/people/{person}/role", put(set_role))
        .route("/api/people/{person}/until", put(set_until))
        .route("/api/people/{person}/disable", post(disable))
        .route("/api/people/{person}/enable", post(enable))
        .route("/api/people/{person}/unlock", post(unlock))
        .route("/api/people/{person}/reset-password", post(reset_password))
        .route("/api/people/{person}/reset-totp", post(reset_totp))
        .route("/api/invitations", get(invitations).post(invite))
        .route("/api/invitations/{hash}", delete(withdraw))
}

type Done = Result<StatusCode, Problem>;

const DONE: StatusCode = StatusCode::NO_CONTENT;

#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Serialize)]
struct Person {
    id: AgentId,
    login: String,
    name: String,
    role: Role,
    email: Option<String>,
    teams: Vec<String>,
    created_at: String,
    last_seen_at: Option<String>,
    /// A guest's access ends then.
    until: Option<String>,
    disabled: bool,
    /// Neither disabled, nor over.
    may_enter: bool,
    locked_until: Option<String>,
    has_totp: bool,
    by_provider: bool,
}

async fn list(State(state): State<AppState>, signed: SignedIn) -> Result<Json<Items<Person>>, Problem> {
    signed.require(Role::Manager)?;
    let now = state.clock.now();
    let mut tx = state.store.read().await?;
    let mut teams = tx.teams_of_people(now).await?;
    let items = tx.people().await?.into_iter().map(|person| Person {
        teams: teams.remove(&person.agent.id).unwrap_or_default(),
        may_enter: person.may_enter(now),
        locked_until: person.locked_until.filter(|_| person.locked(now)).map(|at| at.to_string()),
        id: person.agent.id,
        login: person.agent.login,
        name: person.agent.name,
        role: person.agent.role,
        email: person.email,
        created_at: person.created_at.to_string(),
        last_seen_at: person.last_seen_at.map(|at| at.to_string()),
        until: person.expires_at.map(|at| at.to_string()),
        disabled: person.disabled_at.is_some(),
        has_totp: person.has_totp,
        by_provider: person.by_provider,
    });
    Ok(Json(Items { items: items.collect() }))
}

#[derive(Serialize)]
struct Invitation {
    /// Names the link without opening it.
    hash: String,
    email: Option<String>,
    role: Role,
    by: Option<String>,
    /// Whose new password it is for; null: it is for a new person.
    login: Option<String>,
    expires_at: String,
}

async fn invitations(
    State(state): State<AppState>,
    signed: SignedIn,
) -> Result<Json<Items<Invitation>>, Problem> {
    signed.require(Role::Manager)?;
    let open = state.store.read().await?.open_invitations(state.clock.now()).await?;
    let items = open.into_iter().map(|open| Invitation {
        hash: open.invitation.token_hash,
        email: open.invitation.email,
        role: open.invitation.role,
        by: open.by,
        login: open.login,
        expires_at: open.invitation.expires_at.to_string(),
    });
    Ok(Json(Items { items: items.collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    role: Role,
    #[serde(default)]
    email: Option<String>,
    /// A guest's access ends then; null: never.
    #[serde(default)]
    until: Option<jiff::Timestamp>,
}

/// Opens once, and is told once.
#[derive(Serialize)]
struct Link {
    link: String,
}

fn link(state: &AppState, token: &str) -> Json<Link> {
    Json(Link { link: format!("{}{}{token}", state.config.server.public_url, invitation::PATH) })
}

/// What opens a door for somebody is done by a person who has signed in: a token that got into wrong hands must not be able to make
/// itself an account that outlives it.
fn by_a_person(signed: &SignedIn) -> Result<(), Problem> {
    if signed.token.is_none() {
        return Ok(());
    }
    let detail = "an access token cannot do this: sign in to the console";
    Err(Problem::new(StatusCode::FORBIDDEN, "by-token", detail))
}

async fn invite(
    State(state): State<AppState>,
    signed: SignedIn,
    Body(Invite { role, email, until }): Body<Invite>,
) -> Result<(StatusCode, Json<Link>), Problem> {
    signed.require(Role::Manager)?;
    by_a_person(&signed)?;
    let wanted = Wanted { email: email.unwrap_or_default(), role, until: until.map(Timestamp::from_jiff) };
    let token = people::invite(&state.store, state.clock.now(), &signed.agent, &wanted).await?;
    Ok((StatusCode::CREATED, link(&state, &token)))
}

async fn withdraw(State(state): State<AppState>, signed: SignedIn, Path(hash): Path<String>) -> Done {
    signed.require(Role::Manager)?;
    people::withdraw(&state.store, state.clock.now(), &signed.agent, &hash).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    role: Role,
}

async fn set_role(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<AgentId>,
    Body(NewRole { role }): Body<NewRole>,
) -> Done {
    signed.require(Role::Admin)?;
    by_a_person(&signed)?;
    people::set_role(&state.store, state.clock.now(), &signed.agent, id, role).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Until {
    /// Null: never.
    until: Option<jiff::Timestamp>,
}

async fn set_until(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<AgentId>,
    Body(Until { until }): Body<Until>,
) -> Done {
    signed.require(Role::Admin)?;
    let until = until.map(Timestamp::from_jiff);
    people::set_until(&state.store, state.clock.now(), &signed.agent, id, until).await?;
    Ok(DONE)
}

async fn disable(State(state): State<AppState>, signed: SignedIn, Path(id): Path<AgentId>) -> Done {
    signed.require(Role::Admin)?;
    people::disable(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

async fn enable(State(state): State<AppState>, signed: SignedIn, Path(id): Path<AgentId>) -> Done {
    signed.require(Role::Admin)?;
    people::enable(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

async fn unlock(State(state): State<AppState>, signed: SignedIn, Path(id): Path<AgentId>) -> Done {
    signed.require(Role::Admin)?;
    people::unlock(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}

async fn reset_password(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<AgentId>,
) -> Result<Json<Link>, Problem> {
    signed.require(Role::Admin)?;
    by_a_person(&signed)?;
    let token = people::reset_link(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(link(&state, &token))
}

async fn reset_totp(State(state): State<AppState>, signed: SignedIn, Path(id): Path<AgentId>) -> Done {
    signed.require(Role::Admin)?;
    by_a_person(&signed)?;
    people::reset_totp(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(DONE)
}
