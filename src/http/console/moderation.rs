//! What an agent does to a public post of a customer.

use super::super::problem::Problem;
use super::Act;
use crate::channels::Moderation;
use crate::desk::moderation;
use crate::http::AppState;
use crate::model::{ConversationId, MessageId};
use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Action {
    /// `like`, `hide`, `show` or `delete`. Not "action", which a form of its own has for the script.
    what: String,
}

/// `/console/conversations/{id}/messages/{message}/moderate`
pub async fn moderate(
    Path((_, message)): Path<(ConversationId, MessageId)>,
    Act(asked, Action { what }): Act<Action>,
) -> Result<Response, Problem> {
    let action = Moderation::parse(&what)
        .ok_or_else(|| Problem::bad_request("'what' must be like, hide, show or delete"))?;
    let AppState { store, channels, clock, .. } = &asked.state;
    let done = moderation::moderate(store, channels, clock, asked.agent(), (asked.id, message), action).await;
    asked.answer(done).await
}
