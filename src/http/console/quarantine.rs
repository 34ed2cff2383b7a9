//! The two buttons of a conversation in quarantine.

use super::super::auth::NoFields;
use super::super::problem::Problem;
use super::Act;
use crate::desk::quarantine;
use axum::response::Response;

pub async fn release(Act(asked, NoFields {}): Act<NoFields>) -> Result<Response, Problem> {
    let done =
        quarantine::release(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id).await;
    asked.answer(done).await
}

pub async fn confirm(Act(asked, NoFields {}): Act<NoFields>) -> Result<Response, Problem> {
    let done =
        quarantine::confirm(&asked.state.store, asked.state.clock.now(), asked.agent(), asked.id).await;
    asked.answer(done).await
}
