//! The reply box: drafts, canned replies, what a text is on its channel, sending with a few seconds to take it back.

mod panel;
#[cfg(test)]
mod tests;

use super::super::auth::{NoFields, SignedForm, SignedIn};
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::views::Wall;
use super::{Act, Refused, conversation_context};
use crate::desk::answering::{self, MOST_DRAFTS, Reply};
use crate::desk::assist::{Assistant, Pieces, Proposed, canned};
use crate::http::AppState;
use crate::model::{Contact, Conversation, ConversationId, MessageId};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use minijinja::{context, value::Serde};
use panel::{Canned, Composer, Count, Panel, Undo};
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

/// A source that takes longer is named as late: an agent does not wait for it.
const DEADLINE: Duration = Duration::from_millis(1_500);
/// Messages looked at for the values of canned replies.
const LOOKED_AT: i64 = 60;
/// Longest text that is counted, in bytes; a longer one is over every limit.
const LONGEST: usize = 64 * 1024;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/conversations/{id}/reply", post(reply))
        .route("/console/conversations/{id}/messages/{message}/withdraw", post(withdraw))
        .route("/console/conversations/{id}/drafts", get(drafts_page))
        .route("/console/conversations/{id}/compose", post(compose))
        .route("/console/conversations/{id}/count", post(count))
        .route("/console/fragments/conversations/{id}/drafts", get(drafts_part))
        .route("/console/fragments/conversations/{id}/canned", get(canned_part))
}

/// What a page without script shows beside the box.
#[derive(Default)]
pub(super) struct Shown {
    panel: Option<Panel>,
    canned: Vec<Canned>,
    count: Option<Count>,
}

/// The conversation's page, with the reply box as `refused` and `shown` say.
pub(super) async fn page(
    state: &AppState,
    ui: Ui,
    signed: &SignedIn,
    id: ConversationId,
    refused: Refused,
    shown: Shown,
) -> Result<Response, Problem> {
    let now = state.clock.now();
    let undo = state.store.read().await?.withdrawable(id, signed.agent.id, now).await?;
    let composer = Composer {
        undo_seconds: Duration::from(state.config.desk.undo).as_secs(),
        undo: undo
            .map(|(message, until)| Undo { id: message.to_string(), seconds: until.since(now).as_secs() }),
        used: refused.used.clone(),
        panel: shown.panel,
        canned: shown.canned,
        count: shown.count,
    };
    let page = conversation_context(state, ui, signed, id, refused).await?;
    render(ui, "conversation.html", context! { composer => Serde(composer), ..page })
}

async fn subject(state: &AppState, id: ConversationId) -> Result<(Conversation, Contact), Problem> {
    let missing = || Problem::not_found("there is no such conversation");
    let mut tx = state.store.read().await?;
    let conversation = tx.conversation(id).await?.ok_or_else(missing)?;
    let contact = tx.contact_by_id(conversation.contact_id).await?.ok_or_else(missing)?;
    Ok((conversation, contact))
}

/// The drafts for who asks; none: while the first model is learned, nothing can be proposed.
pub async fn proposed(
    state: &AppState,
    signed: &SignedIn,
    id: ConversationId,
) -> Result<Option<Proposed>, Problem> {
    let Some(mind) = state.mind.get() else { return Ok(None) };
    let AppState { store, channels, clock, .. } = state;
    let assistant = Assistant { store, channels, mind, deadline: DEADLINE };
    let proposed = assistant.propose(clock.now(), &signed.agent, id).await?;
    proposed.map(Some).ok_or_else(|| Problem::not_found("there is no such conversation"))
}

async fn panel(state: &AppState, ui: Ui, signed: &SignedIn, id: ConversationId) -> Result<Panel, Problem> {
    let wall = Wall::new(state, ui);
    let found = proposed(state, signed, id).await?;
    Ok(found.map_or_else(|| Panel::learning(&wall), |proposed| Panel::new(proposed, &wall)))
}

pub async fn canned_replies(
    state: &AppState,
    signed: &SignedIn,
    id: ConversationId,
) -> Result<Vec<Canned>, Problem> {
    let (conversation, contact) = subject(state, id).await?;
    let Some(mind) = state.mind.get() else { return Ok(Vec::new()) };
    let messages = state.store.read().await?.latest_messages(id, LOOKED_AT).await?;
    let lang = contact.chosen_lang.or(conversation.lang).unwrap_or(state.config.operator.lang);
    let now = state.clock.now();
    let pieces = Pieces { conversation: &conversation, contact: &contact, messages: &messages, lang, now };
    Ok(canned(mind, &state.channels, pieces, &signed.agent).into_iter().map(Canned::from).collect())
}

async fn drafts_part(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Response, Problem> {
    let panel = panel(&state, ui, &signed, id).await?;
    render(ui, "composer_drafts.html", context! { panel => Serde(panel), id => id.to_string() })
}

async fn canned_part(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Response, Problem> {
    let canned = canned_replies(&state, &signed, id).await?;
    render(ui, "composer_canned.html", context! { canned => Serde(canned) })
}

/// For who has no script: the page with the drafts and the canned replies, each a button.
async fn drafts_page(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Response, Problem> {
    let shown = Shown {
        panel: Some(panel(&state, ui, &signed, id).await?),
        canned: canned_replies(&state, &signed, id).await?,
        count: None,
    };
    page(&state, ui, &signed, id, Refused::default(), shown).await
}

#[derive(Deserialize)]
struct Composing {
    key: MessageId,
    #[serde(default)]
    text: String,
    /// Ids of the drafts in the text.
    #[serde(default)]
    drafts: String,
    /// `draft:<id>`, `canned:<name>`; empty: count what is there.
    #[serde(default)]
    insert: String,
}

/// The page again with a draft or a canned reply put into the box, and with what the text is on its channel.
async fn compose(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<ConversationId>,
    SignedForm(signed, form): SignedForm<Composing>,
) -> Result<Response, Problem> {
    let Composing { key, mut text, drafts: mut used, insert } = form;
    let inserted = match insert.split_once(':') {
        Some(("draft", draft)) => {
            let found = match draft.parse::<Uuid>() {
                Ok(draft) => state.store.read().await?.proposed_reply(draft, id, signed.agent.id).await?,
                Err(_) => None,
            };
            if found.is_some() {
                used = format!("{used} {draft}").trim().to_owned();
            }
            found.map(|proposal| proposal.text)
        }
        Some(("canned", name)) => {
            let replies = canned_replies(&state, &signed, id).await?;
            replies.into_iter().find(|reply| reply.name == name).map(|reply| reply.text)
        }
        _ => None,
    };
    if let Some(inserted) = inserted {
        let before = text.trim_end();
        text = if before.is_empty() { inserted } else { format!("{before}\n\n{inserted}") };
    }
    let count = Some(counted(&state, ui, id, &text).await?);
    let refused = Refused { text, key: Some(key), used, ..Refused::default() };
    page(&state, ui, &signed, id, refused, Shown { count, ..Shown::default() }).await
}

async fn counted(state: &AppState, ui: Ui, id: ConversationId, text: &str) -> Result<Count, Problem> {
    let (conversation, contact) = subject(state, id).await?;
    Ok(Count::new(state, ui, &conversation, &contact, text))
}

#[derive(Deserialize)]
struct Text {
    #[serde(default)]
    text: String,
}

/// What the text in the box is on its channel: its length, its segments, what goes out. A POST, so that no log of
/// addresses holds what agents write.
async fn count(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<ConversationId>,
    SignedForm(_, Text { text }): SignedForm<Text>,
) -> Result<Response, Problem> {
    if text.len() > LONGEST {
        return Err(Problem::bad_request("the text is too long to be counted"));
    }
    let count = counted(&state, ui, id, &text).await?;
    render(ui, "composer_count.html", context! { count => Serde(count) })
}

#[derive(Deserialize)]
struct Sending {
    key: MessageId,
    text: String,
    #[serde(default)]
    drafts: String,
    /// Position of the last message that the page showed.
    #[serde(default)]
    seen: i64,
    /// Not empty: the conversation ends with it.
    #[serde(default)]
    resolve: String,
}

async fn reply(Act(asked, form): Act<Sending>) -> Result<Response, Problem> {
    let Sending { key, text, drafts, seen, resolve } = form;
    let AppState { store, channels, clock, config, .. } = &asked.state;
    let used: Vec<Uuid> =
        drafts.split_whitespace().filter_map(|id| id.parse().ok()).take(MOST_DRAFTS).collect();
    let reply = Reply {
        key,
        text: &text,
        drafts: &used,
        resolve: (!resolve.is_empty()).then_some(seen),
        undo: config.desk.undo.into(),
    };
    let done = answering::send(store, channels, clock.now(), asked.agent(), asked.id, reply).await;
    let refused = Refused { text, key: Some(key), used: drafts, ..Refused::default() };
    asked.answer_with(done, refused).await
}

/// To the script the text; to a plain form the page with the text in the box again.
async fn withdraw(
    Path((_, message)): Path<(ConversationId, MessageId)>,
    Act(asked, NoFields {}): Act<NoFields>,
) -> Result<Response, Problem> {
    let now = asked.state.clock.now();
    match answering::withdraw(&asked.state.store, now, asked.agent(), asked.id, message).await {
        Ok(text) if asked.by_script => Ok(Json(serde_json::json!({ "text": text })).into_response()),
        Ok(text) => {
            let super::Asked { state, ui, signed, id, .. } = asked;
            let refused = Refused { text, ..Refused::default() };
            let answer = page(&state, ui, &signed, id, refused, Shown::default()).await?;
            Ok((StatusCode::OK, answer).into_response())
        }
        Err(error) => asked.answer_with(Err(error), Refused::default()).await,
    }
}
