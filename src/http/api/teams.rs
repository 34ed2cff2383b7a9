//! Teams, who is in them, and who sits at the desk.

use super::extract::Body;
use crate::desk::teams::{self, Wanted};
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::problem::Problem;
use crate::model::{AgentId, Lang, Presence, Role, TeamId, Timestamp};
use crate::store::Member;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/teams", get(list).post(add))
        .route("/api/teams/{id}", put(change).delete(archive))
        .route("/api/teams/{id}/members/{person}", put(add_member).delete(remove_member))
        .route("/api/seats", get(seats))
        .route("/api/seats/{person}", put(set_seat))
}

#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Serialize)]
struct Team {
    id: TeamId,
    name: String,
    languages: Vec<Lang>,
    topics: Vec<String>,
    channels: Vec<String>,
    members: Vec<Within>,
}

#[derive(Serialize)]
struct Within {
    person: AgentId,
    until: Option<String>,
}

async fn list(State(state): State<AppState>, _signed: SignedIn) -> Result<Json<Items<Team>>, Problem> {
    let mut tx = state.store.read().await?;
    let members = tx.members(state.clock.now()).await?;
    let within = |team: TeamId| {
        let members = members.iter().filter(|member| member.team == team);
        members.map(|m| Within { person: m.agent, until: m.until.map(|at| at.to_string()) }).collect()
    };
    let items = tx.teams().await?.into_iter().map(|team| Team {
        members: within(team.id),
        id: team.id,
        name: team.name,
        languages: team.languages,
        topics: team.topics,
        channels: team.channels,
    });
    Ok(Json(Items { items: items.collect() }))
}

/// An empty list of skills is any.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTeam {
    name: String,
    #[serde(default)]
    languages: Vec<Lang>,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    channels: Vec<String>,
}

fn wanted(id: Option<TeamId>, new: NewTeam) -> Wanted {
    let NewTeam { name, languages, topics, channels } = new;
    Wanted { id, name, languages, topics, channels }
}

#[derive(Serialize)]
struct Made {
    id: TeamId,
}

async fn add(
    State(state): State<AppState>,
    signed: SignedIn,
    Body(new): Body<NewTeam>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let id = teams::save(&state.store, state.clock.now(), &signed.agent, wanted(None, new)).await?;
    Ok((StatusCode::CREATED, Json(Made { id })))
}

async fn change(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<TeamId>,
    Body(new): Body<NewTeam>,
) -> Result<StatusCode, Problem> {
    teams::save(&state.store, state.clock.now(), &signed.agent, wanted(Some(id), new)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn archive(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<TeamId>,
) -> Result<StatusCode, Problem> {
    teams::archive(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Until {
    /// Null: without end.
    #[serde(default)]
    until: Option<jiff::Timestamp>,
}

async fn add_member(
    State(state): State<AppState>,
    signed: SignedIn,
    Path((team, agent)): Path<(TeamId, AgentId)>,
    Body(Until { until }): Body<Until>,
) -> Result<StatusCode, Problem> {
    let member = Member { team, agent, until: until.map(Timestamp::from_jiff) };
    teams::add_member(&state.store, state.clock.now(), &signed.agent, member).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_member(
    State(state): State<AppState>,
    signed: SignedIn,
    Path((team, agent)): Path<(TeamId, AgentId)>,
) -> Result<StatusCode, Problem> {
    teams::remove_member(&state.store, state.clock.now(), &signed.agent, team, agent).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Seat {
    person: AgentId,
    login: String,
    name: String,
    role: Role,
    presence: Presence,
    presence_since: Option<String>,
    /// Conversations at once, and now.
    capacity: i64,
    load: i64,
    languages: Vec<Lang>,
    teams: Vec<TeamId>,
}

async fn seats(State(state): State<AppState>, _signed: SignedIn) -> Result<Json<Items<Seat>>, Problem> {
    let seats = state.store.read().await?.seats(state.clock.now()).await?;
    let items = seats.into_iter().map(|seat| Seat {
        person: seat.agent.id,
        login: seat.agent.login,
        name: seat.agent.name,
        role: seat.agent.role,
        presence: seat.presence,
        presence_since: seat.presence_at.map(|at| at.to_string()),
        capacity: seat.capacity,
        load: seat.load,
        languages: seat.languages,
        teams: seat.teams,
    });
    Ok(Json(Items { items: items.collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSeat {
    capacity: i64,
    #[serde(default)]
    languages: Vec<Lang>,
}

async fn set_seat(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(agent): Path<AgentId>,
    Body(NewSeat { capacity, languages }): Body<NewSeat>,
) -> Result<StatusCode, Problem> {
    let (store, now) = (&state.store, state.clock.now());
    teams::set_seat(store, now, &signed.agent, agent, capacity, &languages).await?;
    Ok(StatusCode::NO_CONTENT)
}
