//! The note at a shift change, as data. Like the page's it names no customer: the conversation does.

use crate::answers::watched;
use crate::desk::handover::{Handover, Incidents, since};
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::problem::Problem;
use crate::model::{
    Conversation, ConversationId, ConversationState, EscalationReason, Lang, Priority, Timestamp,
};
use crate::store::{ContentVersion, FileChange, InDanger, OpenWatch, WrittenNote};
use crate::transit::live::Alert;
use crate::transit::planner::LiveState;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub fn routes() -> Router<AppState> {
    Router::new().route("/api/handover", get(note))
}

#[derive(Deserialize)]
struct Asked {
    /// An instant, or a date in the operator's time zone; empty: since the shift began.
    #[serde(default)]
    since: String,
}

#[derive(Serialize)]
struct Note {
    /// RFC 3339.
    since: String,
    now: String,
    promises: Vec<Promise>,
    waiting: Vec<Line>,
    /// What is snoozed has its time.
    in_charge: Vec<Line>,
    transferred: Vec<Transferred>,
    watches: Vec<Watch>,
    /// Null: nothing can be said, for the reason beside it.
    incidents: Option<Disturbed>,
    incidents_unknown: Option<String>,
    changes: Vec<Change>,
    degraded: Vec<String>,
}

/// One conversation.
#[derive(Serialize)]
struct Line {
    conversation: ConversationId,
    channel: String,
    state: ConversationState,
    priority: Priority,
    reason: Option<EscalationReason>,
    lang: Option<Lang>,
    intent: Option<String>,
    about: Vec<String>,
    tags: Vec<String>,
    /// The name of who is in charge.
    agent: Option<String>,
    opened_at: String,
    escalated_at: Option<String>,
    taken_at: Option<String>,
    snoozed_until: Option<String>,
    /// The latest one.
    note: Option<Written>,
}

#[derive(Serialize)]
struct Written {
    by: String,
    at: String,
    text: String,
}

impl From<&WrittenNote> for Written {
    fn from(note: &WrittenNote) -> Self {
        Self { by: note.author.clone(), at: note.at.to_string(), text: note.text.clone() }
    }
}

#[derive(Serialize)]
struct Promise {
    #[serde(flatten)]
    line: Line,
    /// The first of what was promised.
    due_at: Option<String>,
    missed: bool,
}

#[derive(Serialize)]
struct Transferred {
    #[serde(flatten)]
    line: Line,
    at: String,
    /// `agent` or `team`, by id.
    to: Value,
}

/// Of several customers.
#[derive(Serialize)]
struct Watch {
    /// `type`, `name`, `from`, `to`.
    what: Value,
    customers: usize,
    /// The last of them.
    until: String,
}

#[derive(Serialize)]
struct Disturbed {
    source: String,
    announced: Live,
    trains: Live,
    late: usize,
    cancelled: usize,
    alerts: Vec<Announced>,
}

/// How fresh the data is.
#[derive(Serialize)]
struct Live {
    /// `absent`: no such source is configured; `fresh`; `old`: used, its age must be said; `lost`: too old, not used.
    state: &'static str,
    as_of: Option<String>,
}

#[derive(Serialize)]
struct Announced {
    cause: String,
    effect: String,
    /// By language.
    header: BTreeMap<Lang, String>,
    /// Null: without end.
    until: Option<String>,
    as_of: String,
}

#[derive(Serialize)]
struct Change {
    at: String,
    files: Vec<FileChange>,
}

async fn note(
    State(state): State<AppState>,
    _signed: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<Note>, Problem> {
    let now = state.clock.now();
    let since = match asked.since.trim() {
        "" => since(&state.calendar, now),
        text => super::instant("since", text, &state.config.timezone(), false)?,
    };
    let told = Handover::read(&state.store, &state.planner, since, now).await?;
    let degraded = crate::http::health::degraded(&state).await?;
    Ok(Json(worded(told, degraded, now)))
}

fn worded(told: Handover, degraded: Vec<String>, now: Timestamp) -> Note {
    let line = |c: &Conversation, agent: Option<String>| line(c, agent, told.notes.get(&c.id), now);
    let (incidents, incidents_unknown) = match told.incidents {
        Ok(incidents) => (Some(disturbed(incidents)), None),
        Err(why) => (None, Some(why.to_string())),
    };
    let in_charge = told.in_charge.iter().flat_map(|(name, entries)| entries.iter().map(move |e| (name, e)));
    Note {
        since: told.since.to_string(),
        now: now.to_string(),
        promises: told
            .in_danger
            .iter()
            .map(|d| promise(d, line(&d.conversation, d.agent_name.clone())))
            .collect(),
        waiting: told.waiting.iter().map(|entry| line(&entry.conversation, None)).collect(),
        in_charge: in_charge.map(|(name, e)| line(&e.conversation, Some(name.clone()))).collect(),
        transferred: told
            .transferred
            .iter()
            .map(|(event, c)| Transferred {
                line: line(c, None),
                at: event.at.to_string(),
                to: event.data.clone(),
            })
            .collect(),
        watches: watches(&told.watches),
        incidents,
        incidents_unknown,
        changes: told.versions.into_iter().filter_map(change).collect(),
        degraded,
    }
}

fn line(c: &Conversation, agent: Option<String>, note: Option<&WrittenNote>, now: Timestamp) -> Line {
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    Line {
        conversation: c.id,
        channel: c.channel.clone(),
        state: c.state,
        priority: c.priority,
        reason: c.reason,
        lang: c.lang,
        intent: c.intent.clone(),
        about: c.desk.about.clone(),
        tags: c.desk.tags.clone(),
        agent,
        opened_at: c.opened_at.to_string(),
        escalated_at: text(c.escalated_at),
        taken_at: text(c.taken_at),
        snoozed_until: text(c.desk.snoozed_until.filter(|until| *until > now)),
        note: note.map(Written::from),
    }
}

fn promise(danger: &InDanger, line: Line) -> Promise {
    let desk = &danger.conversation.desk;
    let due = desk.due_at();
    Promise { line, due_at: due.map(|at| at.to_string()), missed: desk.breached_at.is_some() }
}

/// One for each thing, in a stable order.
fn watches(open: &[OpenWatch]) -> Vec<Watch> {
    let mut by_name: BTreeMap<String, (Value, usize, Timestamp)> = BTreeMap::new();
    for OpenWatch { what, until } in open {
        let what = watched(what);
        let known = by_name.entry(what.to_string()).or_insert((what, 0, *until));
        known.1 += 1;
        known.2 = known.2.max(*until);
    }
    let watch = |(what, customers, until): (Value, usize, Timestamp)| Watch {
        what,
        customers,
        until: until.to_string(),
    };
    by_name.into_values().map(watch).collect()
}

fn disturbed(incidents: Incidents) -> Disturbed {
    let Incidents { alerts, source, announced, trains, late, cancelled } = incidents;
    Disturbed {
        source,
        announced: live(announced),
        trains: live(trains),
        late,
        cancelled,
        alerts: alerts.into_iter().map(announcement).collect(),
    }
}

fn live(live: LiveState) -> Live {
    let (state, at) = match live {
        LiveState::Absent => ("absent", None),
        LiveState::Fresh(at) => ("fresh", Some(at)),
        LiveState::Old(at) => ("old", Some(at)),
        LiveState::Lost(at) => ("lost", at),
    };
    Live { state, as_of: at.map(|at| at.to_string()) }
}

fn announcement(alert: Alert) -> Announced {
    let endless = alert.periods.iter().any(|(_, until)| until.is_none());
    let until = alert.periods.iter().filter_map(|(_, until)| *until).max().filter(|_| !endless);
    Announced {
        until: until.map(|at| at.to_string()),
        cause: alert.cause,
        effect: alert.effect,
        header: alert.header,
        as_of: alert.as_of.to_string(),
    }
}

/// None: the very first set changes nothing.
fn change(version: ContentVersion) -> Option<Change> {
    let ContentVersion { at, changes } = version;
    (!changes.is_empty()).then(|| Change { at: at.to_string(), files: changes })
}
