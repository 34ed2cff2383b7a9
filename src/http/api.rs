//! The JSON interface: what the console does, for programs. Errors are problems (RFC 9457). `/api/docs` describes it.

#[cfg(test)]
pub(super) mod access_tests;
mod acts;
mod audit;
mod beside;
mod conversations;
mod corrections;
#[cfg(test)]
mod desk_tests;
pub mod document;
mod drafts;
mod extract;
mod handover;
mod hooks;
mod me;
mod people;
mod queue;
mod satisfaction;
mod sketch;
mod teams;

use super::AppState;
use super::auth::SignedIn;
use super::auth::bearer::Limits;
use super::problem::Problem;
use crate::desk::hours::{end_of_day, start_of_day};
use crate::insights::clocks::{Report, report};
use crate::insights::deliveries::{Log, log};
use crate::model::Timestamp;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Extension, Json, Router, middleware};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest period of a report, in days.
const LONGEST: u64 = 400;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/reports/response-times", get(response_times))
        .route("/api/reports/deliveries", get(deliveries))
        .route("/api/messages/{id}/trace", get(super::console::trace::json))
        .route("/api/events", get(super::live::events))
        .merge(acts::routes())
        .merge(audit::routes())
        .merge(beside::routes())
        .merge(conversations::routes())
        .merge(corrections::routes())
        .merge(document::routes())
        .merge(drafts::routes())
        .merge(handover::routes())
        .merge(hooks::routes())
        .merge(me::routes())
        .merge(people::routes())
        .merge(queue::routes())
        .merge(satisfaction::routes())
        .merge(teams::routes())
        .layer(Extension(Arc::new(Limits::default())))
        .layer(middleware::from_fn(super::pages::finish))
}

/// Of a report, as asked: RFC 3339 instants, or dates in the operator's time zone (`to` then includes its day).
/// Left out: today and the six days before.
#[derive(Debug, Default, Deserialize)]
pub struct Period {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// Conversations opened from `from` to before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Period {
    pub fn span(&self, now: Timestamp, zone: &TimeZone) -> Result<Span, Problem> {
        let to = match self.to.trim() {
            "" => now,
            text => instant("to", text, zone, true)?,
        };
        let from = match self.from.trim() {
            "" => start_of_day(to.min(now), 6, zone),
            text => instant("from", text, zone, false)?,
        };
        if from >= to {
            return Err(Problem::bad_request("'from' must be before 'to'"));
        }
        if to.since(from).as_secs() > LONGEST * 86_400 {
            let detail = format!("the period is longer than {LONGEST} days: ask for less");
            return Err(Problem::bad_request(detail));
        }
        Ok(Span { from, to })
    }
}

fn instant(name: &str, text: &str, zone: &TimeZone, end: bool) -> Result<Timestamp, Problem> {
    // An unescaped + arrives as a space.
    let text = text.replace(' ', "+");
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_jiff(at));
    }
    let start = |day: Date| Some(Timestamp::from_jiff(day.to_zoned_datetime(zone.clone()).ok()?.timestamp()));
    text.parse::<Date>()
        .ok()
        .filter(|_| text.len() == 10)
        .and_then(|day| if end { end_of_day(day, zone) } else { start(day) })
        .ok_or_else(|| {
            let form = "write a date such as 2026-11-23, or an instant such as 2026-11-23T08:00:00Z";
            Problem::bad_request(format!("'{name}' is no date: {form}"))
        })
}

#[derive(Serialize)]
struct Answer {
    /// RFC 3339.
    from: String,
    to: String,
    /// Seconds, everywhere below.
    unit: &'static str,
    #[serde(flatten)]
    report: Report,
}

async fn response_times(
    State(state): State<AppState>,
    _signed: SignedIn,
    Query(period): Query<Period>,
) -> Result<impl IntoResponse, Problem> {
    let span = period.span(state.clock.now(), &state.config.timezone())?;
    let report = read_report(&state, span).await?;
    Ok(Json(Answer { from: span.from.to_string(), to: span.to.to_string(), unit: "seconds", report }))
}

#[derive(Serialize)]
struct DeliveryLog {
    /// RFC 3339.
    from: String,
    to: String,
    /// Of `cost`.
    unit: &'static str,
    by_channel: BTreeMap<String, Log>,
}

/// What became of our messages that were written in the period, by channel and day.
async fn deliveries(
    State(state): State<AppState>,
    _signed: SignedIn,
    Query(period): Query<Period>,
) -> Result<impl IntoResponse, Problem> {
    let span = period.span(state.clock.now(), &state.config.timezone())?;
    let by_channel = read_deliveries(&state, span).await?;
    let (from, to) = (span.from.to_string(), span.to.to_string());
    Ok(Json(DeliveryLog { from, to, unit: "millionths of the operator's currency", by_channel }))
}

/// The delivery log of a period.
pub async fn read_deliveries(state: &AppState, span: Span) -> Result<BTreeMap<String, Log>, Problem> {
    let rows = state.store.read().await?.deliveries(span.from, span.to).await?;
    Ok(log(&rows, &state.config.timezone()))
}

/// The response clocks of a period.
pub async fn read_report(state: &AppState, span: Span) -> Result<Report, Problem> {
    let mut tx = state.store.read().await?;
    let events = tx.events_of_period(span.from, span.to).await?;
    let calendar = state.calendar.clone();
    // A year of events takes a while: not on the threads that answer requests.
    tokio::task::spawn_blocking(move || report(&events, &calendar)).await.map_err(|error| {
        tracing::error!(%error, "a report did not end");
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, "report", "the report cannot be computed; the server's log says why")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let at = |text: &str| Timestamp::from_jiff(text.parse().unwrap());
        let now = at("2026-11-23T21:30:00Z");
        let span = |from: &str, to: &str| {
            let period = Period { from: from.into(), to: to.into() };
            period.span(now, &zone).map(|s| (s.from, s.to)).map_err(|p| p.detail)
        };
        assert_eq!(span("", ""), Ok((at("2026-11-16T23:00:00Z"), now)));
        let day = (at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"));
        assert_eq!(span("2026-10-25", "2026-10-25"), Ok(day));
        assert_eq!(
            span("2026-11-01T00:00:00 01:00", "2026-11-02T00:00:00Z"),
            Ok((at("2026-10-31T23:00:00Z"), at("2026-11-02T00:00:00Z")))
        );
        for (from, to) in [
            ("yesterday", ""),
            ("2026-13-01", ""),
            ("2026-11-20T00:00", ""),
            ("2026-11-20", "2026-11-01"),
            ("2020-01-01", "2026-01-01"),
            ("9999-12-31", "9999-12-31"),
            ("<script>", ""),
        ] {
            let detail = span(from, to).unwrap_err();
            assert!(!detail.contains("script"), "{detail}");
        }
    }
}
