//! What people leave beside a conversation: notes for colleagues, tags, contacts that are one person, corrections of the bot.

use super::acts::key;
use super::conversations::{Named, named};
use super::extract::Body;
use crate::desk::{DeskError, corrections, notes, persons};
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::console::conversation::{intents, read_mentions};
use crate::http::pages::Ui;
use crate::http::problem::Problem;
use crate::model::{ContactId, Conversation, ConversationId, Lang, MessageId};
use crate::store::{StoreError, Tx};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/conversations/{id}/notes", post(add_note))
        .route("/api/conversations/{id}/notes/read", post(read_notes))
        .route("/api/conversations/{id}/tags", post(add_tag))
        .route("/api/conversations/{id}/tags/remove", post(remove_tag))
        .route("/api/conversations/{id}/link", post(link))
        .route("/api/conversations/{id}/unlink", post(unlink))
        .route("/api/conversations/{id}/messages/{message}/correct", post(correct))
        .route("/api/intents", get(list))
}

/// Notes of one answer, the latest ones.
const NOTES: i64 = 200;

/// As it is read with the conversation.
#[derive(Serialize)]
pub struct Beside {
    /// Oldest first.
    notes: Vec<Note>,
    /// Other contacts of the same person.
    linked: Vec<Linked>,
    corrections: Vec<Corrected>,
}

#[derive(Serialize)]
struct Note {
    id: Uuid,
    at: String,
    agent: Option<Named>,
    text: String,
    /// Whom it calls.
    mentions: Vec<Named>,
}

#[derive(Serialize)]
struct Linked {
    id: ContactId,
    channel: String,
    address: String,
}

#[derive(Serialize)]
struct Corrected {
    message: MessageId,
    agent: String,
    /// What the bot had read; null: nothing.
    read_as: Option<String>,
    intent: String,
    /// Null: not decided.
    accepted: Option<bool>,
}

impl Beside {
    pub async fn read(tx: &mut Tx, c: &Conversation) -> Result<Self, StoreError> {
        let mut notes = Vec::new();
        for note in tx.notes(c.id, NOTES).await? {
            let mut mentions = Vec::new();
            for agent in note.mentions {
                mentions.extend(named(tx, Some(agent)).await?);
            }
            let agent = named(tx, Some(note.agent)).await?;
            let at = note.created_at.to_string();
            notes.push(Note { id: note.id, at, agent, text: note.text, mentions });
        }
        let contacts = match tx.person_of(c.contact_id).await? {
            Some(person) => tx.contacts_of(person).await?,
            None => Vec::new(),
        };
        let others = contacts.into_iter().filter(|contact| contact.id != c.contact_id);
        let linked = others.map(|k| Linked { id: k.id, channel: k.channel, address: k.address }).collect();
        let proposals = tx.proposals_of(c.id).await?.into_iter();
        let corrections = proposals.map(|p| Corrected {
            message: p.message,
            agent: p.agent_name,
            read_as: p.read_as,
            intent: p.intent,
            accepted: p.accepted,
        });
        Ok(Self { notes, linked, corrections: corrections.collect() })
    }
}

const DONE: StatusCode = StatusCode::NO_CONTENT;

type Done = Result<StatusCode, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewNote {
    text: String,
}

#[derive(Serialize)]
struct Made {
    id: Uuid,
}

/// The key is the note's id: the same text under it is one note.
async fn add_note(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Body(NewNote { text }): Body<NewNote>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let note = key(&headers)?;
    notes::add(&state.store, state.clock.now(), &signed.agent, id, note, &text).await?;
    Ok((StatusCode::CREATED, Json(Made { id: note })))
}

async fn read_notes(State(state): State<AppState>, signed: SignedIn, Path(id): Path<ConversationId>) -> Done {
    read_mentions(&state, &signed, id).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    tag: String,
}

async fn add_tag(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    Body(Tag { tag }): Body<Tag>,
) -> Done {
    notes::add_tag(&state.store, state.clock.now(), &signed.agent, id, &tag).await?;
    Ok(DONE)
}

async fn remove_tag(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    Body(Tag { tag }): Body<Tag>,
) -> Done {
    notes::remove_tag(&state.store, state.clock.now(), &signed.agent, id, &tag).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    /// An address, or a conversation by its id or its link.
    with: String,
}

async fn link(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    Body(Link { with }): Body<Link>,
) -> Done {
    let AppState { store, channels, clock, .. } = &state;
    persons::link(store, channels, clock.now(), &signed.agent, id, &with).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unlink {
    contact: ContactId,
}

async fn unlink(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    Body(Unlink { contact }): Body<Unlink>,
) -> Done {
    persons::unlink(&state.store, state.clock.now(), &signed.agent, id, contact).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Correction {
    /// `domain.name`.
    intent: String,
}

/// Proposed once; a manager decides.
async fn correct(
    State(state): State<AppState>,
    signed: SignedIn,
    Path((id, message)): Path<(ConversationId, MessageId)>,
    Body(Correction { intent }): Body<Correction>,
) -> Done {
    if !intents(&state, Ui(Lang::EN)).iter().any(|known| known.name == intent) {
        return Err(DeskError::NoIntent.into());
    }
    let now = state.clock.now();
    corrections::propose(&state.store, now, &signed.agent, id, message, &intent).await?;
    Ok(DONE)
}

#[derive(Serialize)]
struct Intents<T> {
    items: Vec<T>,
}

/// What a correction may name.
async fn list(State(state): State<AppState>, _signed: SignedIn) -> impl axum::response::IntoResponse {
    Json(Intents { items: intents(&state, Ui(Lang::EN)) })
}
