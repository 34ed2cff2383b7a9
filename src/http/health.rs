//! Is it up, and what is not as it should be.

use super::AppState;
use crate::config::FeedKind;
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::transit::planner::LiveState;
use crate::transit::reload::expiry;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::time::Duration;

/// A job that is due for longer than this is not being worked on.
const BACKLOG: Duration = Duration::from_secs(60);
/// A call that was given up is told for so long, unless one arrives.
const UNHEARD_FOR: Duration = Duration::from_secs(7 * 86_400);

pub fn routes() -> Router<AppState> {
    Router::new().route("/health", get(health))
}

/// 200 while messages are accepted, with what is degraded; 503 without a database.
async fn health(State(state): State<AppState>) -> impl IntoResponse {
    let (status, degraded) = match degraded(&state).await {
        Ok(degraded) => (StatusCode::OK, degraded),
        Err(error) => {
            tracing::error!(%error, "health: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, vec!["database: not available".to_owned()])
        }
    };
    let word = match (status, degraded.is_empty()) {
        (StatusCode::OK, true) => "ok",
        (StatusCode::OK, false) => "degraded",
        _ => "down",
    };
    let model = state.mind.get().map(|mind| mind.nlu.model_name());
    (
        status,
        Json(
            json!({"status": word, "degraded": degraded, "model": model, "version": env!("CARGO_PKG_VERSION")}),
        ),
    )
}

/// Everything that works less well than configured, in words for the desk.
pub async fn degraded(state: &AppState) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    match state.mind.get() {
        None => found.push("understanding: the first model is being trained; messages wait".to_owned()),
        Some(mind) => {
            found.extend(mind.content.problems());
            if mind.nlu.degraded() {
                found.push("understanding: the encoder does not answer; n-grams only".to_owned());
            } else if mind.nlu.model_name() == "ngram" {
                found.push("understanding: without sentence embeddings; n-grams only".to_owned());
            }
        }
    }
    let now = state.clock.now();
    found.extend(timetable(state, now));
    found.extend(traffic(state, now));
    found.extend(state.calendar.problem().map(|problem| format!("opening hours: {problem}")));
    let mut tx = state.store.read().await?;
    let unknown = tx.count_unknown().await?;
    if unknown > 0 {
        found.push(format!("sending: {unknown} messages may or may not have been sent; see the console"));
    }
    let unheard = tx.alerts_unheard(now.minus(UNHEARD_FOR)).await?;
    if unheard > 0 {
        found.push(format!(
            "on call: {unheard} calls could not be delivered; see the log, and whether desk.on_call.url answers"
        ));
    }
    for count in tx.job_counts().await? {
        let late = now.since(count.oldest);
        if late > BACKLOG {
            let (n, kind, minutes) = (count.count, count.kind, late.as_secs() / 60);
            found.push(format!("queue: {n} '{kind}' jobs wait, the oldest for {minutes} minutes"));
        }
    }
    Ok(found)
}

/// Two things may be said: why the newest feed is not in service, and that the one in service ends.
fn timetable(state: &AppState, now: Timestamp) -> Vec<String> {
    let table = state.timetable.get();
    let problem = state.timetable.problem().map(|problem| match table {
        Some(_) => format!("timetable: the one before stays in service: {problem}"),
        None => format!("timetable: {problem}"),
    });
    let state = match table {
        Some(table) => expiry(&table, now, state.config.timetable.warn_days)
            .map(|warning| format!("timetable: it {warning}")),
        None => Some("timetable: none is loaded; questions about trains go to people".to_owned()),
    };
    problem.into_iter().chain(state).collect()
}

fn traffic(state: &AppState, now: Timestamp) -> Vec<String> {
    let (Ok(trains), Ok(announced)) = (state.planner.provenance(now), state.planner.announces(now)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    match trains.live {
        LiveState::Absent | LiveState::Fresh(_) => {}
        LiveState::Old(at) => {
            found.push(format!("traffic: live data is {} s old; its age is said", now.since(at).as_secs()));
        }
        LiveState::Lost(_) => {
            found.push("traffic: no live data; scheduled times only, which is said".to_owned());
        }
    }
    if trains.live_partial && trains.live.used().is_some() {
        found.push(
            "traffic: a feed of trains is missing or cut; that delays may be missing is said".to_owned(),
        );
    }
    let of_alerts = state.config.traffic.feeds.iter().any(|feed| feed.kind == FeedKind::Alerts);
    if matches!(announced, LiveState::Lost(at) if at.is_some() || of_alerts) && announced != trains.live {
        found.push("traffic: no announcements; questions about strikes and works go to people".to_owned());
    }
    found
}
