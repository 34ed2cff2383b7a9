//! What supervisors see on every page: promises to customers that are near or missed.

use super::super::auth::SignedIn;
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use crate::http::AppState;
use crate::model::{Role, Timestamp};
use crate::store::InDanger;
use axum::extract::State;
use axum::response::Response;
use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

/// Conversations named; the others are counted.
const NAMED: usize = 4;
const LOOKED_AT: i64 = 200;

/// Empty: nothing to tell, or not to this person.
#[derive(Serialize, Default)]
pub struct News {
    missed: usize,
    near: usize,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    id: String,
    /// Channel and intent.
    name: String,
    /// `14:05`, on the operator's clock.
    due: String,
    missed: bool,
}

impl News {
    pub async fn read(state: &AppState, signed: &SignedIn) -> Result<Self, Problem> {
        if signed.agent.role < Role::Manager || !state.config.desk.sla.promises() {
            return Ok(Self::default());
        }
        let all = state.store.read().await?.promises_in_danger(LOOKED_AT).await?;
        let missed = all.iter().filter(|danger| danger.conversation.desk.breached_at.is_some()).count();
        let zone = state.config.timezone();
        let lines = all.iter().take(NAMED).map(|danger| line(danger, &zone)).collect();
        Ok(Self { missed, near: all.len() - missed, lines })
    }
}

fn line(danger: &InDanger, zone: &TimeZone) -> Line {
    let conversation = &danger.conversation;
    let desk = &conversation.desk;
    let due = desk.due_at();
    let clock = |at: Timestamp| at.to_jiff().to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string();
    let name = match &conversation.intent {
        Some(intent) => format!("{} · {intent}", conversation.channel),
        None => conversation.channel.clone(),
    };
    Line {
        id: conversation.id.to_string(),
        name,
        due: due.map(clock).unwrap_or_default(),
        missed: desk.breached_at.is_some(),
    }
}

/// `/console/fragments/news`
pub async fn part(State(state): State<AppState>, ui: Ui, signed: SignedIn) -> Result<Response, Problem> {
    let news = News::read(&state, &signed).await?;
    render(ui, "news.html", context! { news => Serde(news), role => signed.agent.role.as_str() })
}
