//! The two buttons of a conversation in quarantine.

use super::super::auth::{NoFields, SignedForm};
use super::super::pages::Ui;
use super::super::problem::Problem;
use super::asked;
use crate::desk::quarantine;
use crate::http::AppState;
use crate::model::ConversationId;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

pub async fn release(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    let asked = asked(state, ui, &headers, signed, id);
    let done = quarantine::release(&asked.state.store, asked.state.clock.now(), asked.agent(), id).await;
    asked.answer(done, String::new(), None).await
}

pub async fn confirm(
    State(state): State<AppState>,
    ui: Ui,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    let asked = asked(state, ui, &headers, signed, id);
    let done = quarantine::confirm(&asked.state.store, asked.state.clock.now(), asked.agent(), id).await;
    asked.answer(done, String::new(), None).await
}
