//! Who waits, and the next one.

use super::extract::Body;
use crate::desk;
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::console::queue::reading::{Filters, Line, Snapshot};
use crate::http::pages::Ui;
use crate::http::problem::Problem;
use crate::model::{ConversationId, Lang};
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lines of one answer.
const MOST: usize = 200;
const USUAL: usize = 50;

pub fn routes() -> Router<AppState> {
    Router::new().route("/api/queue", get(list)).route("/api/queue/next", post(next))
}

/// Which part of the queue; the filters are the page's.
#[derive(Deserialize)]
struct Part {
    /// One of the sections; empty: all of them, in their order.
    #[serde(default)]
    section: String,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Queue {
    counts: Counts,
    /// Of the conversations that the filters keep, by section.
    sections: BTreeMap<&'static str, usize>,
    items: Vec<Item>,
    /// The `offset` of what follows; null: nothing does.
    next: Option<usize>,
}

/// Whatever the filters.
#[derive(Serialize)]
struct Counts {
    waiting: usize,
    urgent: usize,
    /// People of the desk who are there.
    available: usize,
    oldest_since: Option<String>,
}

#[derive(Serialize)]
struct Item {
    section: &'static str,
    id: String,
    channel: String,
    address: String,
    lang: Option<String>,
    intent: Option<String>,
    team: Option<String>,
    reason: Option<&'static str>,
    priority: &'static str,
    tone: Option<&'static str>,
    since: String,
    agent: Option<String>,
    text: String,
    trouble: i64,
    about: Vec<String>,
    tags: Vec<String>,
    due_at: Option<String>,
    overdue: bool,
    /// Seconds left to accept.
    offer: Option<u64>,
    snoozed_until: Option<String>,
}

async fn list(
    State(state): State<AppState>,
    signed: SignedIn,
    Query(part): Query<Part>,
    Query(filters): Query<Filters>,
) -> Result<Json<Queue>, Problem> {
    let limit = part.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request("'limit' is a number from 1 to 200"));
    }
    let queue = Snapshot::read(&state, Ui(Lang::EN), signed.agent.id, &filters).await?;
    if !part.section.is_empty() && !queue.sections.iter().any(|section| section.name == part.section) {
        let detail = "'section' is offered, waiting, mine, trouble, snoozed, others or quarantine";
        return Err(Problem::bad_request(detail));
    }
    let counts = Counts {
        waiting: queue.waiting().count(),
        urgent: queue.urgent().count(),
        available: queue.available(),
        oldest_since: queue.oldest().map(|at| at.to_string()),
    };
    let sections = queue.sections.iter().map(|section| (section.name, section.count)).collect();
    let wanted = queue.sections.into_iter().filter(|s| part.section.is_empty() || s.name == part.section);
    let lines = wanted.flat_map(|section| section.lines.into_iter().map(move |line| (section.name, line)));
    let mut lines = lines.skip(part.offset);
    let items: Vec<Item> = lines.by_ref().take(limit).map(|(section, line)| item(section, line)).collect();
    let next = lines.next().map(|_| part.offset + limit);
    Ok(Json(Queue { counts, sections, items, next }))
}

fn item(section: &'static str, line: Line) -> Item {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let name = |text: &'static str| (!text.is_empty()).then_some(text);
    Item {
        section,
        id: line.id,
        channel: line.channel,
        address: line.address,
        lang: some(line.lang),
        intent: some(line.intent),
        team: some(line.team),
        reason: name(line.reason),
        priority: line.priority,
        tone: name(line.tone),
        since: line.since.iso,
        agent: line.agent,
        text: line.text,
        trouble: line.trouble,
        about: line.about,
        tags: line.tags,
        overdue: line.due.as_ref().is_some_and(|due| due.late),
        due_at: line.due.map(|due| due.at.iso),
        offer: line.offer,
        snoozed_until: line.snoozed.map(|at| at.iso),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    /// The one at hand: another is wanted.
    #[serde(default)]
    after: Option<ConversationId>,
}

#[derive(Serialize)]
struct Taken {
    /// Null: none waits that is for this person.
    conversation: Option<ConversationId>,
}

/// Takes the most pressing conversation that is for this person.
async fn next(
    State(state): State<AppState>,
    signed: SignedIn,
    Body(After { after }): Body<After>,
) -> Result<Json<Taken>, Problem> {
    let conversation = desk::take_next(&state.store, state.clock.now(), &signed.agent, after).await?;
    Ok(Json(Taken { conversation }))
}
