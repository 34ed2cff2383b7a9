//! Teams: what they are good at, who is in them, and for how long. Everyone reads; managers change.

use super::super::auth::{NoFields, SignedForm, SignedIn};
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::views::{Stamp, Wall};
use super::{end_of, frame};
use crate::http::AppState;
use crate::model::{AgentId, Lang, Role, Seat, Team, TeamId, Timestamp};
use crate::store::{Member, Tx};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Words of one list of skills.
const SKILLS: usize = 50;
/// Conversations at once.
const MOST_AT_ONCE: i64 = 50;

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

fn codes(languages: &[Lang]) -> String {
    languages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn words(text: &str) -> Vec<String> {
    let words = text.split([',', ';', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words.take(SKILLS).map(|word| word.chars().take(80).collect()).collect()
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
    let name: String = form.name.trim().chars().take(80).collect();
    if name.is_empty() {
        return Err(Problem::bad_request("a team needs a name"));
    }
    let id = match form.id.trim() {
        "" => TeamId::new(),
        id => id.parse().map_err(|_| Problem::bad_request("there is no such team"))?,
    };
    let team = Team {
        id,
        name,
        languages: languages(&form.languages)?,
        topics: words(&form.topics),
        channels: words(&form.channels),
    };
    let mut tx = state.store.begin().await?;
    let taken = tx.teams().await?.iter().any(|known| known.name == team.name && known.id != team.id);
    if taken {
        return Err(Problem::bad_request("another team has this name"));
    }
    let now = state.clock.now();
    tx.save_team(&team, now).await?;
    let data =
        json!({ "languages": codes(&team.languages), "topics": team.topics, "channels": team.channels });
    note(&mut tx, &signed, now, "team.saved", &team.name, data).await?;
    tx.commit().await?;
    Ok(back())
}

async fn archive(
    State(state): State<AppState>,
    Path(id): Path<TeamId>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Redirect, Problem> {
    signed.require(Role::Manager)?;
    let mut tx = state.store.begin().await?;
    let name = name_of(&mut tx, id).await?;
    let now = state.clock.now();
    tx.archive_team(id, now).await?;
    note(&mut tx, &signed, now, "team.archived", &name, json!({})).await?;
    tx.commit().await?;
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
    let mut tx = state.store.begin().await?;
    let name = name_of(&mut tx, id).await?;
    let now = state.clock.now();
    let agent = tx.agent(form.agent).await?.ok_or_else(|| Problem::bad_request("there is no such person"))?;
    tx.save_member(Member { team: id, agent: form.agent, until }).await?;
    let data = json!({ "login": agent.login, "until": until.map(|at| at.to_string()) });
    note(&mut tx, &signed, now, "team.member_added", &name, data).await?;
    tx.commit().await?;
    Ok(back())
}

async fn remove_member(
    State(state): State<AppState>,
    Path((id, agent)): Path<(TeamId, AgentId)>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Redirect, Problem> {
    signed.require(Role::Manager)?;
    let mut tx = state.store.begin().await?;
    let name = name_of(&mut tx, id).await?;
    let now = state.clock.now();
    tx.remove_member(id, agent).await?;
    note(&mut tx, &signed, now, "team.member_removed", &name, json!({ "agent": agent })).await?;
    tx.commit().await?;
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
    if !(0..=MOST_AT_ONCE).contains(&form.capacity) {
        return Err(Problem::bad_request("conversations at once: a number from 0 to 50"));
    }
    let languages = languages(&form.languages)?;
    let mut tx = state.store.begin().await?;
    let known = tx.agent(agent).await?.ok_or_else(|| Problem::not_found("there is no such person"))?;
    tx.set_capacity(agent, form.capacity, &languages).await?;
    let data = json!({ "capacity": form.capacity, "languages": codes(&languages) });
    note(&mut tx, &signed, state.clock.now(), "seat.changed", &known.login, data).await?;
    tx.commit().await?;
    Ok(back())
}

async fn name_of(tx: &mut Tx, id: TeamId) -> Result<String, Problem> {
    let team = tx.teams().await?.into_iter().find(|team| team.id == id);
    team.map(|team| team.name).ok_or_else(|| Problem::not_found("there is no such team"))
}

async fn note(
    tx: &mut Tx,
    signed: &SignedIn,
    now: Timestamp,
    action: &str,
    target: &str,
    data: serde_json::Value,
) -> Result<(), Problem> {
    Ok(tx.audit(now, Some(signed.agent.id), action, target, &data).await?)
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
