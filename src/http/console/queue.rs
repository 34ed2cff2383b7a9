//! The queue: who waits, most pressing first, seen through filters that can be kept as views.

pub mod reading;

use super::super::auth::{NoFields, SignedForm, SignedIn};
use super::super::pages::{self, Ui, render};
use super::super::problem::Problem;
use super::around::called;
use super::{frame, page_of};
use crate::desk::{self, hand, saved_views};
use crate::http::AppState;
use crate::model::{self, ConversationId, Presence, Seat};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};
use reading::{Filters, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Lines of one section shown; its counter counts all.
const SHOWN: usize = 200;
/// Notes shown that call who asks.
const MENTIONS: i64 = 20;

/// What the values of filters are chosen from, besides those of enums.
#[derive(Serialize)]
struct Choices {
    teams: Vec<String>,
    langs: BTreeSet<String>,
    channels: BTreeSet<String>,
    intents: BTreeSet<String>,
}

#[derive(Serialize)]
struct Person {
    name: String,
    presence: &'static str,
    load: i64,
    capacity: i64,
}

async fn queue_context(
    state: &AppState,
    ui: Ui,
    signed: &SignedIn,
    filters: &Filters,
) -> Result<Value, Problem> {
    let mut queue = Snapshot::read(state, ui, signed.agent.id, filters).await?;
    for section in &mut queue.sections {
        section.lines.truncate(SHOWN);
    }
    let mut tx = state.store.read().await?;
    let views = tx.views_of(signed.agent.id).await?;
    let mentioned = tx.mentions(signed.agent.id, MENTIONS).await?;
    drop(tx);
    let Snapshot { entries, teams, seats, .. } = &queue;
    let choices = Choices {
        teams: teams.iter().map(|team| team.name.clone()).collect(),
        langs: entries.iter().filter_map(|e| e.conversation.lang).map(|l| l.to_string()).collect(),
        channels: entries.iter().map(|e| e.conversation.channel.clone()).collect(),
        intents: entries
            .iter()
            .filter_map(|e| e.conversation.intent.as_deref()?.split('.').next().map(str::to_owned))
            .collect(),
    };
    Ok(context! {
        sections => Serde(&queue.sections),
        waiting => queue.waiting().count(),
        urgent => queue.urgent().count(),
        // The page makes a sound for an urgent one that it had not seen.
        urgent_ids => queue.urgent().map(|c| c.id.to_string()).collect::<Vec<_>>(),
        longest => queue.oldest().map(|at| queue.wall.age(at)),
        available => queue.available(),
        people => Serde(seats.iter().map(person).collect::<Vec<_>>()),
        filters => Serde(filters),
        query => filters.query(),
        choices => Serde(choices),
        reasons => model::EscalationReason::ALL.iter().map(ToString::to_string).collect::<Vec<_>>(),
        views => Serde(views),
        mentioned => Serde(mentioned.iter().map(|m| called(m, &queue.wall)).collect::<Vec<_>>()),
        ..frame(state, signed, "/console").await?
    })
}

fn person(seat: &Seat) -> Person {
    let Seat { agent, presence, load, capacity, .. } = seat;
    Person { name: agent.name.clone(), presence: presence.as_str(), load: *load, capacity: *capacity }
}

pub async fn page(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Query(filters): Query<Filters>,
) -> Result<Response, Problem> {
    render(ui, "queue.html", queue_context(&state, ui, &signed, &filters).await?)
}

pub async fn part(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Query(filters): Query<Filters>,
) -> Result<Response, Problem> {
    render(ui, "queue_part.html", queue_context(&state, ui, &signed, &filters).await?)
}

#[derive(Deserialize)]
pub struct After {
    #[serde(default)]
    after: Option<ConversationId>,
}

/// Takes the most pressing conversation that is for this agent, other than the one at hand; the queue when there is
/// none.
pub async fn next(
    State(state): State<AppState>,
    SignedForm(signed, After { after }): SignedForm<After>,
) -> Result<Redirect, Problem> {
    let now = state.clock.now();
    let taken = desk::take_next(&state.store, now, &signed.agent, after).await;
    match taken {
        Ok(Some(id)) => Ok(Redirect::to(&page_of(id))),
        Ok(None) => Ok(Redirect::to("/console")),
        Err(desk::DeskError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::not_found(error.to_string())),
    }
}

/// To the script a status, to a plain form the queue.
fn done(headers: &HeaderMap) -> Response {
    if headers.contains_key(pages::BY_SCRIPT) {
        return StatusCode::NO_CONTENT.into_response();
    }
    Redirect::to("/console").into_response()
}

#[derive(Deserialize)]
pub struct There {
    presence: Presence,
}

pub async fn presence(
    State(state): State<AppState>,
    headers: HeaderMap,
    SignedForm(signed, There { presence }): SignedForm<There>,
) -> Result<Response, Problem> {
    match hand::set_presence(&state.store, state.clock.now(), &signed.agent, presence).await {
        Ok(()) => Ok(done(&headers)),
        Err(desk::DeskError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::not_found(error.to_string())),
    }
}

#[derive(Deserialize)]
pub struct NewView {
    name: String,
    query: String,
    /// For everyone; managers only.
    #[serde(default)]
    shared: String,
}

pub async fn save_view(
    State(state): State<AppState>,
    headers: HeaderMap,
    SignedForm(signed, form): SignedForm<NewView>,
) -> Result<Response, Problem> {
    let query = Filters::of(&form.query).query();
    let everyone = !form.shared.is_empty();
    let (store, now) = (&state.store, state.clock.now());
    saved_views::save(store, now, &signed.agent, &form.name, query, everyone).await?;
    Ok(done(&headers))
}

pub async fn delete_view(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    saved_views::delete(&state.store, &signed.agent, id).await?;
    Ok(done(&headers))
}
