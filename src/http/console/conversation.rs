//! What is done on a conversation's page beside replying: from hand to hand, notes, tags, links, drafts, corrections.

use super::super::auth::{NoFields, SignedIn};
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::around::{Writing, opening};
use super::{Act, Refused, page_of};
use crate::desk::hand::{self, LONGEST_SNOOZE, Receiver};
use crate::desk::{DeskError, corrections, notes, persons};
use crate::http::AppState;
use crate::model::{ContactId, ConversationId, MessageId, OUT_OF_SCOPE, Timestamp};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/conversations/{id}/transfer", post(transfer))
        .route("/console/conversations/{id}/snooze", post(snooze))
        .route("/console/conversations/{id}/wake", post(wake))
        .route("/console/conversations/{id}/hand-back", post(hand_back))
        .route("/console/conversations/{id}/notes", post(add_note))
        .route("/console/conversations/{id}/notes/read", post(read_notes))
        .route("/console/conversations/{id}/tags", post(add_tag))
        .route("/console/conversations/{id}/tags/remove", post(remove_tag))
        .route("/console/conversations/{id}/link", post(link))
        .route("/console/conversations/{id}/unlink", post(unlink))
        .route("/console/conversations/{id}/correct", post(correct))
        .route("/console/conversations/{id}/draft", post(draft))
        .route("/console/fragments/conversations/{id}/draft", get(writing))
}

#[derive(Deserialize)]
struct Transfer {
    /// `agent:<id>` or `team:<id>`.
    to: String,
    #[serde(default)]
    note: String,
}

async fn transfer(Act(asked, Transfer { to, note }): Act<Transfer>) -> Result<Response, Problem> {
    let receiver = match to.split_once(':') {
        Some(("agent", id)) => id.parse().ok().map(Receiver::Agent),
        Some(("team", id)) => id.parse().ok().map(Receiver::Team),
        _ => None,
    };
    let receiver = receiver.ok_or_else(|| Problem::bad_request("'to' must be agent:<id> or team:<id>"))?;
    let now = asked.state.clock.now();
    let done = hand::transfer(&asked.state.store, now, asked.agent(), asked.id, receiver, &note).await;
    asked.answer(done).await
}

#[derive(Deserialize)]
struct Snooze {
    /// `30m`, `2h`, `opening`: the next one after today; `customer`: until they write; `at`: see there.
    #[serde(rename = "for")]
    length: String,
    /// `2026-11-30T09:00`, in the operator's time zone.
    #[serde(default)]
    at: String,
}

impl Snooze {
    fn until(&self, state: &AppState, now: Timestamp) -> Option<Timestamp> {
        match self.length.as_str() {
            "30m" => Some(now.plus(Duration::from_secs(30 * 60))),
            "2h" => Some(now.plus(Duration::from_secs(2 * 3600))),
            "opening" => opening(state, now),
            // A customer who never writes again is not forgotten for ever.
            "customer" => Some(now.plus(LONGEST_SNOOZE)),
            "at" => local(&self.at, &state.config.timezone()),
            _ => None,
        }
    }
}

/// A form's local time; one that the clocks skip is taken after the gap, one that they repeat the first time.
fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let local: DateTime = text.trim().parse().ok()?;
    Some(Timestamp::from_jiff(local.to_zoned_datetime(zone.clone()).ok()?.timestamp()))
}

async fn snooze(Act(asked, form): Act<Snooze>) -> Result<Response, Problem> {
    let now = asked.state.clock.now();
    let done = match form.until(&asked.state, now) {
        Some(until) => hand::snooze(&asked.state.store, now, asked.agent(), asked.id, until).await,
        None => Err(DeskError::SnoozeTime),
    };
    asked.answer(done).await
}

async fn wake(Act(asked, NoFields {}): Act<NoFields>) -> Result<Response, Problem> {
    let done = hand::wake(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id).await;
    asked.answer(done).await
}

async fn hand_back(Act(asked, NoFields {}): Act<NoFields>) -> Result<Response, Problem> {
    let done = hand::hand_back(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id).await;
    asked.answer(done).await
}

#[derive(Deserialize)]
struct NewNote {
    /// The note's id, chosen by the page.
    key: Uuid,
    text: String,
}

async fn add_note(Act(asked, NewNote { key, text }): Act<NewNote>) -> Result<Response, Problem> {
    let done =
        notes::add(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id, key, &text).await;
    asked.answer(done).await
}

async fn read_notes(Act(asked, NoFields {}): Act<NoFields>) -> Result<Response, Problem> {
    read_mentions(&asked.state, &asked.signed, asked.id).await?;
    asked.answer(Ok(())).await
}

/// Who has the conversation before them has read what calls them there.
pub async fn read_mentions(state: &AppState, signed: &SignedIn, id: ConversationId) -> Result<(), Problem> {
    let unread = state.store.read().await?.count_mentions_in(signed.agent.id, id).await?;
    if unread > 0 {
        let mut tx = state.store.begin().await?;
        tx.read_mentions(signed.agent.id, id, state.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Tag {
    tag: String,
}

async fn add_tag(Act(asked, Tag { tag }): Act<Tag>) -> Result<Response, Problem> {
    let done =
        notes::add_tag(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id, &tag).await;
    asked.answer(done).await
}

async fn remove_tag(Act(asked, Tag { tag }): Act<Tag>) -> Result<Response, Problem> {
    let done =
        notes::remove_tag(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id, &tag).await;
    asked.answer(done).await
}

#[derive(Deserialize)]
struct Link {
    /// An address, or the link of a conversation.
    with: String,
}

async fn link(Act(asked, Link { with }): Act<Link>) -> Result<Response, Problem> {
    let AppState { store, channels, clock, .. } = &asked.state;
    let done = persons::link(store, channels, clock.now(), asked.agent(), asked.id, &with).await;
    asked.answer(done).await
}

#[derive(Deserialize)]
struct Unlink {
    contact: ContactId,
}

async fn unlink(Act(asked, Unlink { contact }): Act<Unlink>) -> Result<Response, Problem> {
    let now = asked.state.clock.now();
    let done = persons::unlink(&asked.state.store, now, asked.agent(), asked.id, contact).await;
    asked.answer(done).await
}

/// An intent as agents choose it.
#[derive(Serialize)]
pub struct Known {
    pub name: String,
    pub about: String,
}

/// Every intent in service, by name, and "none of them". Empty until the first model is trained.
pub fn intents(state: &AppState, ui: Ui) -> Vec<Known> {
    let Some(mind) = state.mind.get() else { return Vec::new() };
    let live = mind.content.live();
    let specs =
        live.intents.values().map(|spec| Known { name: spec.name.clone(), about: spec.about.clone() });
    let none = Known { name: OUT_OF_SCOPE.to_owned(), about: ui.text("correct.out_of_scope") };
    specs.chain([none]).collect()
}

#[derive(Deserialize)]
struct Correction {
    message: MessageId,
    /// `domain.name`.
    intent: String,
}

async fn correct(Act(asked, Correction { message, intent }): Act<Correction>) -> Result<Response, Problem> {
    let intent = intent.trim();
    let known = intents(&asked.state, asked.ui).iter().any(|known| known.name == intent);
    let now = asked.state.clock.now();
    let done = if known {
        corrections::propose(&asked.state.store, now, asked.agent(), asked.id, message, intent).await
    } else {
        Err(DeskError::NoIntent)
    };
    asked.answer(done).await
}

#[derive(Deserialize)]
struct NewDraft {
    /// Of the reply that it becomes.
    key: MessageId,
    text: String,
}

/// The script saves what is typed, at most every second or two.
async fn draft(Act(asked, NewDraft { key, text }): Act<NewDraft>) -> Result<Response, Problem> {
    let text = text.replace("\r\n", "\n");
    let now = asked.state.clock.now();
    let done = notes::keep_draft(&asked.state.store, now, asked.agent(), asked.id, key, &text).await;
    match done {
        // Nobody loses anything: the words are in their browser, and colleagues see who has it now.
        Err(DeskError::NotInCharge | DeskError::InCharge { .. } | DeskError::Resolved) => {
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        done => asked.answer_with(done, Refused { text, key: Some(key), ..Refused::default() }).await,
    }
}

async fn writing(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Response, Problem> {
    let mut tx = state.store.read().await?;
    let unknown = || Problem::not_found("there is no such conversation");
    let conversation = tx.conversation(id).await?.ok_or_else(unknown)?;
    let writing = Writing::read(&mut tx, &conversation, signed.agent.id, state.clock.now()).await?;
    let context = context! { around => context! { writing => Serde(writing) }, here => page_of(id) };
    render(ui, "writing_part.html", context)
}
