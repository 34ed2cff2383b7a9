//! Teams: what they are good at, who is in them, and for how long. Everyone reads; managers change.

use super::super::auth::{NoFields, SignedForm, SignedIn};
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::views::{Stamp, Wall};
use super::{end_of, frame};
use crate::desk::teams::{self, SKILLS, Wanted, codes};
use crate::http::AppState;
use crate::model::{AgentId, Lang, Role, Seat, Team, TeamId};
use crate::store::Member;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/teams", get(page).post(save))
        .route("/console/teams/{id}/archive", post(archive))
        .route("/console/teams/{id}/members", post(add_member))
        .route("/console/teams/{id}/members/{person}/remove", post(remove_member))
        .route("/console/seats/{person}", post(set_seat))
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    languages: String,
    topics: String,
    channels: String,
    members: Vec<Within>,
}

#[derive(Serialize)]
struct Within {
    id: String,
    name: String,
    until: Option<Stamp>,
}

#[derive(Serialize)]
struct Place {
    id: String,
    name: String,
    presence: &'static str,
    load: i64,
    capacity: i64,
    languages: String,
}

async fn page(State(state): State<AppState>, ui: Ui, signed: SignedIn) -> Result<Response, Problem> {
    let wall = Wall::new(&state, ui);
    let mut tx = state.store.read().await?;
    let teams = tx.teams().await?;
    let members = tx.members(wall.now()).await?;
    let seats = tx.seats(wall.now()).await?;
    drop(tx);
    let shown: Vec<Shown> = teams.iter().map(|team| show(team, &members, &seats, &wall)).collect();
    let places: Vec<Place> = seats.iter().map(place).collect();
    let channels: Vec<String> = state.channels.names().map(str::to_owned).collect();
    render(
        ui,
        "teams.html",
        context! {
            teams => Serde(shown),
            seats => Serde(places),
            channels,
            may_change => signed.agent.role >= Role::Manager,
            ..frame(&state, &signed, "/console/teams").await?
        },
    )
}

fn show(team: &Team, members: &[Member], seats: &[Seat], wall: &Wall) -> Shown {
    let within = members.iter().filter(|member| member.team == team.id).filter_map(|member| {
        let seat = seats.iter().find(|seat| seat.agent.id == member.agent)?;
        let until = member.until.map(|until| wall.stamp(until));
        Some(Within { id: member.agent.to_string(), name: seat.agent.name.clone(), until })
    });
    Shown {
        id: team.id.to_string(),
        name: team.name.clone(),
        languages: codes(&team.languages),
        topics: team.topics.join(", "),
        channels: team.channels.join(", "),
        members: within.collect(),
    }
}

fn place(seat: &Seat) -> Place {
    Place {
        id: seat.agent.id.to_string(),
        name: seat.agent.name.clone(),
        presence: seat.presence.as_str(),
        load: seat.load,
        capacity: seat.capacity,
        languages: codes(&seat.languages),
    }
}

fn words(text: &str) -> Vec<String> {
    let words = text.split([',', ';', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words.take(SKILLS).map(str::to_owned).collect()
}

fn languages(text: &str) -> Result<Vec<Lang>, Problem> {
    let read = |word: String| {
        Lang::new(&word.to_lowercase())
            .ok_or_else(|| Problem::bad_request("languages are codes of two letters, such as fr, en"))
    };
    words(text).into_iter().map(read).collect()
}

#[derive(Deserialize)]
struct TeamForm {
    /// Empty: a new team.
    #[serde(default)]
    id: String,
    name: String,
    #[serde(default)]
    languages: String,
    #[serde(default)]
    topics: String,
    #[serde(default)]
    channels: String,
}

async fn save(
    State(state): State<AppState>,
    SignedForm(signed, form): SignedForm<TeamForm>,
) -> Result<Redirect, Problem> {
    signed.require(Role::Manager)?;
    let id = match form.id.trim() {
        "" => None,
        id => Some(id.parse().map_err(|_| Problem::bad_request("there is no such team"))?),
    };
    let wanted = Wanted {
        id,
        name: form.name,
        languages: languages(&form.languages)?,
        topics: words(&form.topics),
        channels: words(&form.channels),
    };
    teams::save(&state.store, state.clock.now(), &signed.agent, wanted).await?;
    Ok(back())
}

async fn archive(
    State(state): State<AppState>,
    Path(id): Path<TeamId>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Redirect, Problem> {
    signed.require(Role::Manager)?;
    teams::archive(&state.store, state.clock.now(), &signed.agent, id).await?;
    Ok(back())
}

#[derive(Deserialize)]
struct MemberForm {
    agent: AgentId,
    /// The last day, in the operator's time zone; empty: without end.
    #[serde(default)]
    until: String,
}

async fn add_member(
    State(state): State<AppState>,
    Path(id): Path<TeamId>,
    SignedForm(signed, form): SignedForm<MemberForm>,
) -> Result<Redirect, Problem> {
    signed.require(Role::Manager)?;
    let until = end_of(&form.until, &state.config.timezone())?;
    let member = Member { team: id, agent: form.agent, until };
    teams::add_member(&state.store, state.clock.now(), &signed.agent, member).await?;
    Ok(back())
}

async fn remove_member(
    State(state): State<AppState>,
    Path((id, agent)): Path<(TeamId, AgentId)>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Redirect, Problem> {
    signed.require(Role::Manager)?;
    teams::remove_member(&state.store, state.clock.now(), &signed.agent, id, agent).await?;
    Ok(back())
}

#[derive(Deserialize)]
struct SeatForm {
    capacity: i64,
    #[serde(default)]
    languages: String,
}

async fn set_seat(
    State(state): State<AppState>,
    Path(agent): Path<AgentId>,
    SignedForm(signed, form): SignedForm<SeatForm>,
) -> Result<Redirect, Problem> {
    signed.require(Role::Manager)?;
    let languages = languages(&form.languages)?;
    let now = state.clock.now();
    teams::set_seat(&state.store, now, &signed.agent, agent, form.capacity, &languages).await?;
    Ok(back())
}

fn back() -> Redirect {
    Redirect::to("/console/teams")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn a_guest_stays_to_the_end_of_the_last_day() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let until = end_of("2026-10-25", &zone).unwrap().unwrap();
        assert_eq!(until.to_string(), "2026-10-25T23:00:00Z");
        assert_eq!(end_of(" ", &zone).unwrap(), None);
        assert!(end_of("25/10/2026", &zone).is_err() && end_of("9999-12-31", &zone).is_err());
    }

    #[test]
    fn skills_are_words_between_commas() {
        assert_eq!(words(" schedules, traffic;\n,"), ["schedules", "traffic"]);
        assert_eq!(languages("FR, en").unwrap(), [Lang::FR, Lang::EN]);
        assert!(languages("french").is_err());
    }
}
