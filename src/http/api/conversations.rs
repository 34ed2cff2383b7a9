//! One conversation: what is known of it, what was said, what happened.

use super::beside::Beside;
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::problem::Problem;
use crate::model::{self, ConversationId, EntityValue, Lang, Timestamp};
use crate::store::{StoreError, Tx};
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Messages of one answer.
const MOST: i64 = 200;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/conversations/{id}", get(one))
        .route("/api/conversations/{id}/messages", get(messages))
        .route("/api/conversations/{id}/events", get(events))
}

/// A person or a team, by id and name.
#[derive(Serialize)]
pub struct Named {
    pub id: String,
    pub name: String,
}

#[derive(Serialize)]
struct Conversation {
    id: ConversationId,
    channel: String,
    state: model::ConversationState,
    lang: Option<Lang>,
    intent: Option<String>,
    priority: model::Priority,
    reason: Option<model::EscalationReason>,
    contact: Contact,
    agent: Option<Named>,
    team: Option<Named>,
    offered_to: Option<Named>,
    offered_until: Option<String>,
    snoozed_until: Option<String>,
    tags: Vec<String>,
    about: Vec<String>,
    first_answer_due_at: Option<String>,
    next_answer_due_at: Option<String>,
    resolution_due_at: Option<String>,
    opened_at: String,
    escalated_at: Option<String>,
    taken_at: Option<String>,
    resolved_at: Option<String>,
    last_message_at: String,
    /// Why it seems to be spam.
    quarantine: Option<&'static str>,
    /// Longest reply in characters; null: the channel is no longer configured.
    max_chars: Option<usize>,
    /// Everyone reads it.
    public: bool,
    #[serde(flatten)]
    beside: Beside,
}

#[derive(Serialize)]
struct Contact {
    id: String,
    address: String,
    name: Option<String>,
    lang: Option<Lang>,
    opted_out_at: Option<String>,
}

async fn one(
    State(state): State<AppState>,
    _signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Json<Conversation>, Problem> {
    let mut tx = state.store.read().await?;
    let c = tx.conversation(id).await?.ok_or_else(no_conversation)?;
    let contact = tx.contact_by_id(c.contact_id).await?.ok_or_else(no_conversation)?;
    let quarantine = tx.quarantine_of(c.contact_id).await?;
    let teams = tx.teams().await?;
    let team = teams.into_iter().find(|team| Some(team.id) == c.desk.team);
    let offer = c.desk.offer(state.clock.now());
    let channel = state.channels.get(&c.channel);
    Ok(Json(Conversation {
        agent: named(&mut tx, c.agent_id).await?,
        team: team.map(|team| Named { id: team.id.to_string(), name: team.name }),
        offered_to: named(&mut tx, offer).await?,
        offered_until: rfc3339(c.desk.offered_until.filter(|_| offer.is_some())),
        snoozed_until: rfc3339(c.desk.snoozed_until),
        first_answer_due_at: rfc3339(c.desk.first_due_at),
        next_answer_due_at: rfc3339(c.desk.next_due_at),
        resolution_due_at: rfc3339(c.desk.resolve_due_at),
        opened_at: c.opened_at.to_string(),
        escalated_at: rfc3339(c.escalated_at),
        taken_at: rfc3339(c.taken_at),
        resolved_at: rfc3339(c.resolved_at),
        last_message_at: c.last_message_at.to_string(),
        quarantine: quarantine.map(|q| q.why.as_str()),
        max_chars: channel.map(|channel| channel.longest(&contact.address)),
        public: channel.is_some_and(|channel| channel.is_public(&contact.address)),
        beside: Beside::read(&mut tx, &c).await?,
        contact: Contact {
            id: contact.id.to_string(),
            address: contact.address,
            name: contact.name,
            lang: contact.chosen_lang.or(contact.lang),
            opted_out_at: rfc3339(contact.opted_out_at),
        },
        id,
        channel: c.channel,
        state: c.state,
        lang: c.lang,
        intent: c.intent,
        priority: c.priority,
        reason: c.reason,
        tags: c.desk.tags,
        about: c.desk.about,
    }))
}

fn no_conversation() -> Problem {
    Problem::not_found("there is no such conversation")
}

fn rfc3339(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

pub async fn named(tx: &mut Tx, id: Option<model::AgentId>) -> Result<Option<Named>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    Ok(tx.agent(id).await?.map(|agent| Named { id: id.to_string(), name: agent.name }))
}

#[derive(Deserialize)]
struct After {
    /// A position: what comes after it.
    #[serde(default)]
    after: i64,
    limit: Option<i64>,
}

#[derive(Serialize)]
struct Messages {
    items: Vec<Message>,
    /// The `after` of what follows; null: nothing does yet.
    next: Option<i64>,
}

#[derive(Serialize)]
struct Message {
    id: model::MessageId,
    seq: i64,
    at: String,
    direction: model::Direction,
    author: model::Author,
    agent: Option<Named>,
    kind: model::MessageKind,
    text: String,
    media: Vec<model::Media>,
    status: model::DeliveryStatus,
    error: Option<String>,
    sent_at: Option<String>,
    edited_at: Option<String>,
    /// A machine wrote it.
    automatic: bool,
    choices: Vec<String>,
    understanding: Option<Value>,
    facts: Vec<Fact>,
    segments: Option<i64>,
}

#[derive(Serialize)]
pub struct Fact {
    value: String,
    source: String,
    as_of: String,
}

impl From<model::Fact> for Fact {
    fn from(fact: model::Fact) -> Self {
        Self { value: fact.value, source: fact.source, as_of: fact.as_of.to_string() }
    }
}

async fn messages(
    State(state): State<AppState>,
    _signed: SignedIn,
    Path(id): Path<ConversationId>,
    Query(After { after, limit }): Query<After>,
) -> Result<Json<Messages>, Problem> {
    let limit = limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) || after < 0 {
        return Err(Problem::bad_request("'limit' is a number from 1 to 200, 'after' one from 0"));
    }
    let mut tx = state.store.read().await?;
    tx.conversation(id).await?.ok_or_else(no_conversation)?;
    let mut found = tx.messages(id, after, limit + 1).await?;
    let more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or_default());
    let next = found.last().filter(|_| more).map(|message| message.seq);
    let mut items = Vec::with_capacity(found.len());
    for message in found {
        let agent = named(&mut tx, message.agent_id).await?;
        items.push(shown(message, agent));
    }
    Ok(Json(Messages { items, next }))
}

fn shown(m: model::Message, agent: Option<Named>) -> Message {
    Message {
        id: m.id,
        seq: m.seq,
        at: m.created_at.to_string(),
        direction: m.direction,
        author: m.author,
        agent,
        kind: m.kind,
        text: m.text,
        media: m.media,
        status: m.status,
        error: m.error,
        sent_at: rfc3339(m.sent_at),
        edited_at: rfc3339(m.edited_at),
        automatic: m.automatic,
        choices: m.choices,
        understanding: m.understanding.as_ref().map(understood),
        facts: m.facts.into_iter().map(Fact::from).collect(),
        segments: m.segments,
    }
}

fn understood(u: &model::Understanding) -> Value {
    let entities = u.entities.iter().map(|entity| {
        json!({
            "role": entity.role,
            "surface": entity.surface,
            "start": entity.span.start,
            "end": entity.span.end,
            "value": value(&entity.value),
        })
    });
    json!({
        "lang": u.lang,
        "intents": u.intents,
        "entities": entities.collect::<Vec<_>>(),
        "tone": u.tone,
        "model": u.model,
    })
}

/// As it is stored, with times that everyone reads.
fn value(value: &EntityValue) -> Value {
    match value {
        EntityValue::Time { start, end } => {
            json!({ "type": "time", "start": start.to_string(), "end": end.to_string() })
        }
        other => json!(other),
    }
}

#[derive(Serialize)]
struct Events {
    items: Vec<Event>,
}

#[derive(Serialize)]
struct Event {
    seq: i64,
    at: String,
    kind: model::EventKind,
    actor: String,
    agent: Option<Named>,
    message: Option<model::MessageId>,
    data: Value,
}

async fn events(
    State(state): State<AppState>,
    _signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Json<Events>, Problem> {
    let mut tx = state.store.read().await?;
    tx.conversation(id).await?.ok_or_else(no_conversation)?;
    let mut items = Vec::new();
    for event in tx.events(id).await? {
        items.push(Event {
            seq: event.seq,
            at: event.at.to_string(),
            kind: event.kind,
            actor: event.actor,
            agent: named(&mut tx, event.agent_id).await?,
            message: event.message_id,
            data: event.data,
        });
    }
    Ok(Json(Events { items }))
}
