//! The pages of the desk. Each page is whole without the script; the script only fetches the live part again
//! and posts the same forms in the background.
//!
//! Not htmx: what we need of it is "fetch a part, merge it, keep the focus", about as long as its setup, and the
//! merge must leave a typed reply and the screen reader's place alone.

#[cfg(test)]
pub(super) mod access_tests;
#[cfg(test)]
mod account_tests;
mod around;
mod audit;
pub(super) mod composer;
pub(super) mod conversation;
#[cfg(test)]
mod conversation_tests;
mod corrections;
mod handover;
#[cfg(test)]
mod handover_tests;
mod hooks;
#[cfg(test)]
mod hostile_tests;
pub mod me;
mod moderation;
mod news;
mod people;
mod quarantine;
pub(super) mod queue;
mod reports;
mod teams;
#[cfg(test)]
pub(super) mod tests;
pub(super) mod trace;
mod transcript;
mod views;

use super::AppState;
use super::auth::{NoFields, SignedForm, SignedIn};
use super::pages::{self, Ui, render};
use super::problem::Problem;
use crate::desk::hand;
use crate::desk::hours::end_of_day;
use crate::desk::{self, DeskError};
use crate::model::{Agent, ConversationId, MessageId, Role, Timestamp};
use axum::extract::{FromRequest, FromRequestParts as _, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use jiff::tz::TimeZone;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/lang/{code}", get(choose_language))
        .route("/console", get(queue::page))
        .route("/console/next", post(queue::next))
        .route("/console/presence", post(queue::presence))
        .route("/console/views", post(queue::save_view))
        .route("/console/views/{id}/delete", post(queue::delete_view))
        .route("/console/fragments/queue", get(queue::part))
        .route("/console/fragments/conversations/{id}", get(conversation_part))
        .route("/console/reports", get(reports::page))
        .route("/console/conversations/{id}", get(conversation_page))
        .route("/console/conversations/{id}/take", post(take))
        .route("/console/conversations/{id}/release", post(release))
        .route("/console/conversations/{id}/decline", post(decline))
        .route("/console/conversations/{id}/resolve", post(resolve))
        .route("/console/conversations/{id}/messages/{message}/resend", post(resend))
        .route("/console/conversations/{id}/messages/{message}/moderate", post(moderation::moderate))
        .merge(composer::routes())
        .merge(conversation::routes())
        .merge(corrections::routes())
        .merge(teams::routes())
        .merge(people::routes())
        .merge(audit::routes())
        .merge(handover::routes())
        .route("/console/fragments/news", get(news::part))
        .merge(hooks::routes())
        .route("/console/conversations/{id}/quarantine/release", post(quarantine::release))
        .route("/console/conversations/{id}/quarantine/confirm", post(quarantine::confirm))
        .route("/console/messages/{id}/trace", get(trace::page))
        .layer(middleware::from_fn(pages::finish))
}

/// The pages in the bar: path, key of the name, and who sees it. The server checks the role again on each.
const NAV: &[(&str, &str, Role)] = &[
    ("/console", "queue", Role::Agent),
    (handover::PATH, "handover_page", Role::Agent),
    ("/console/reports", "reports", Role::Agent),
    ("/console/teams", "teams_page", Role::Agent),
    (people::PATH, "people_page", Role::Manager),
    (corrections::PATH, "corrections_page", Role::Manager),
    (hooks::PATH, "hooks_page", Role::Admin),
    (audit::PATH, "audit_page", Role::Admin),
];

/// What every signed-in page shows around its content.
async fn frame(state: &AppState, signed: &SignedIn, here: &str) -> Result<Value, Problem> {
    let mut tx = state.store.read().await?;
    let presence = tx.presence(signed.agent.id).await?;
    let mentions = tx.count_mentions(signed.agent.id).await?;
    drop(tx);
    let seen = NAV.iter().filter(|(_, _, role)| signed.agent.role >= *role);
    Ok(context! {
        nav => seen.map(|(path, name, _)| (*path, *name)).collect::<Vec<_>>(),
        operator => state.config.operator.name.as_str(),
        agent => signed.agent.name.as_str(),
        role => signed.agent.role.as_str(),
        presence => presence.as_str(),
        mentions,
        csrf => signed.csrf.as_str(),
        here,
        news => Serde(news::News::read(state, signed).await?),
        degraded => super::health::degraded(state).await?,
    })
}

/// The end of the day of a form's date, in the operator's time zone; an empty text is no end.
fn end_of(day: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Problem> {
    let day = day.trim();
    if day.is_empty() {
        return Ok(None);
    }
    let at = day.parse().ok().and_then(|day| end_of_day(day, zone));
    at.map(Some).ok_or_else(|| Problem::bad_request("'until' is no date: write one such as 2026-11-30"))
}

fn page_of(id: ConversationId) -> String {
    format!("/console/conversations/{id}")
}

/// A reply that was refused, to show again with the reason; and the message that is being corrected.
#[derive(Default)]
struct Refused {
    error: String,
    text: String,
    key: Option<MessageId>,
    /// Ids of the drafts in the text.
    used: String,
    correct: Option<MessageId>,
}

async fn conversation_context(
    state: &AppState,
    ui: Ui,
    signed: &SignedIn,
    id: ConversationId,
    refused: Refused,
) -> Result<Value, Problem> {
    let clock = views::Wall::new(state, ui);
    let mut tx = state.store.read().await?;
    let conversation = views::Conversation::read(&mut tx, id, signed, &state.channels, &clock)
        .await?
        .ok_or_else(|| Problem::not_found("there is no such conversation"))?;
    let around = around::Around::read(&mut tx, state, id, signed, &clock).await?;
    drop(tx);
    Ok(context! {
        conversation => Serde(conversation),
        around => Serde(around),
        // The default of an id is a new one.
        key => refused.key.unwrap_or_default().to_string(),
        error => refused.error,
        text => refused.text,
        correct => refused.correct.map(|id| id.to_string()).unwrap_or_default(),
        intents => Serde(conversation::intents(state, ui)),
        ..frame(state, signed, &page_of(id)).await?
    })
}

/// Which panel a link of the page opens, for browsers without the script.
#[derive(Deserialize)]
struct Opened {
    /// The message to correct.
    #[serde(default)]
    correct: Option<MessageId>,
}

async fn conversation_page(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
    Query(opened): Query<Opened>,
) -> Result<Response, Problem> {
    conversation::read_mentions(&state, &signed, id).await?;
    let refused = Refused { correct: opened.correct, ..Refused::default() };
    composer::page(&state, ui, &signed, id, refused, composer::Shown::default()).await
}

async fn conversation_part(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<Response, Problem> {
    let context = conversation_context(&state, ui, &signed, id, Refused::default()).await?;
    render(ui, "conversation_part.html", context)
}

/// What the actions share: who asks, in which language, from the script or from a plain form.
struct Asked {
    state: AppState,
    ui: Ui,
    by_script: bool,
    signed: SignedIn,
    id: ConversationId,
}

impl Asked {
    fn agent(&self) -> &Agent {
        &self.signed.agent
    }

    async fn answer(self, done: Result<(), DeskError>) -> Result<Response, Problem> {
        self.answer_with(done, Refused::default()).await
    }

    /// The script reads a status and a problem; a plain form is led to the page, which tells the error.
    async fn answer_with(self, done: Result<(), DeskError>, typed: Refused) -> Result<Response, Problem> {
        let error = match done {
            Ok(()) if self.by_script => return Ok(StatusCode::NO_CONTENT.into_response()),
            Ok(()) => return Ok(Redirect::to(&page_of(self.id)).into_response()),
            Err(DeskError::Store(error)) => return Err(error.into()),
            Err(error @ DeskError::NotFound) => return Err(Problem::not_found(error.to_string())),
            Err(error) => error,
        };
        let told = self.ui.text(&format!("errors.{}", error.code()));
        let told = told.replace("{}", &error.detail());
        if self.by_script {
            return Err(Problem::new(StatusCode::CONFLICT, error.code(), told));
        }
        // A key that was used for another text, or whose message was taken back, would be refused again.
        let spent = matches!(error, DeskError::KeyReused | DeskError::Withdrawn);
        let refused = Refused { error: told, key: typed.key.filter(|_| !spent), ..typed };
        let Asked { state, ui, signed, id, .. } = self;
        let answer = composer::page(&state, ui, &signed, id, refused, composer::Shown::default()).await?;
        Ok((StatusCode::CONFLICT, answer).into_response())
    }
}

/// A form of a signed-in person about the conversation that the address names.
struct Act<T>(Asked, T);

/// Of an address, whatever else it names.
#[derive(Deserialize)]
struct Named {
    id: ConversationId,
}

impl<T: DeserializeOwned> FromRequest<AppState> for Act<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let ui = Ui::from_request_parts(&mut parts, state).await.map_err(IntoResponse::into_response)?;
        let Path(Named { id }) =
            Path::from_request_parts(&mut parts, state).await.map_err(IntoResponse::into_response)?;
        let by_script = parts.headers.contains_key(pages::BY_SCRIPT);
        let request = Request::from_parts(parts, body);
        let SignedForm(signed, form) = SignedForm::from_request(request, state).await?;
        Ok(Self(Asked { state: state.clone(), ui, by_script, signed, id }, form))
    }
}

async fn take(Act(asked, NoFields {}): Act<NoFields>) -> Result<Response, Problem> {
    let done = desk::take(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id).await;
    asked.answer(done).await
}

async fn release(Act(asked, NoFields {}): Act<NoFields>) -> Result<Response, Problem> {
    let done = desk::release(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id).await;
    asked.answer(done).await
}

async fn decline(Act(asked, NoFields {}): Act<NoFields>) -> Result<Response, Problem> {
    let done = hand::decline(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id).await;
    asked.answer(done).await
}

#[derive(Deserialize)]
struct Seen {
    /// Position of the last message that the page showed.
    seen: i64,
}

async fn resolve(Act(asked, Seen { seen }): Act<Seen>) -> Result<Response, Problem> {
    let done =
        desk::resolve(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id, seen).await;
    asked.answer(done).await
}

async fn resend(
    Path((_, message)): Path<(ConversationId, MessageId)>,
    Act(asked, NoFields {}): Act<NoFields>,
) -> Result<Response, Problem> {
    let now = asked.state.clock.now();
    let done = desk::resend(&asked.state.store, now, asked.agent(), asked.id, message).await;
    asked.answer(done).await
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    next: String,
}

/// Remembers the language for a year; asks for no session, for the sign-in page has it too.
async fn choose_language(Path(code): Path<String>, Query(Back { next }): Query<Back>) -> Response {
    let code = if code == "fr" { "fr" } else { "en" };
    let ours = (next.starts_with("/console") || next.starts_with("/login"))
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let next = if ours { next.as_str() } else { "/console" };
    let cookie = format!("lang={code}; Path=/; SameSite=Lax; Max-Age=31536000");
    ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response()
}
