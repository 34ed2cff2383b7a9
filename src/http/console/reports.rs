//! The page of response times: one card per clock, plain SVG bars.

use super::super::api::{Period, read_report};
use super::super::auth::SignedIn;
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::frame;
use super::views::length;
use crate::http::AppState;
use crate::insights::clocks::{Clock, Figures, Group, Reading};
use crate::model::Timestamp;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::tz::TimeZone;
use minijinja::{context, value::Serde};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(flatten)]
    period: Period,
    #[serde(default)]
    time: String,
}

#[derive(Serialize)]
struct Card {
    clock: &'static str,
    count: usize,
    waiting: usize,
    mean: String,
    bars: Vec<Bar>,
}

#[derive(Serialize)]
struct Bar {
    label: &'static str,
    text: String,
    /// In percent of the card's longest.
    width: f64,
}

#[derive(Serialize)]
struct Row {
    name: String,
    conversations: usize,
    first_answer: String,
    first_human_answer: String,
    resolution: String,
}

/// `/console/reports?from&to&time=wall|business`
pub async fn page(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let zone = state.config.timezone();
    let span = asked.period.span(state.clock.now(), &zone)?;
    let report = read_report(&state, span).await?;
    let business = asked.time == "business";
    let cards: Vec<Card> = Clock::ALL
        .iter()
        .filter_map(|clock| {
            Some(card(
                *clock,
                report.overall.clocks.get(clock.as_str())?,
                business,
                ui,
            ))
        })
        .collect();
    let context = context! {
        from => day(span.from, &zone),
        // The last day that the period touches.
        to => day(span.to.minus(Duration::from_micros(1)), &zone),
        business,
        conversations => report.overall.conversations,
        cards => Serde(cards),
        channels => Serde(rows(&report.by_channel, business, ui)),
        intents => Serde(rows(&report.by_intent, business, ui)),
        ..frame(&state, &signed, "/console/reports")
    };
    render(ui, "reports.html", context)
}

fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_jiff().to_zoned_datetime(zone.clone()).date().to_string()
}

fn figures(reading: &Reading, business: bool) -> &Figures {
    if business {
        &reading.business
    } else {
        &reading.wall
    }
}

fn text(seconds: Option<f64>, ui: Ui) -> String {
    seconds.map_or_else(|| "–".to_owned(), |s| length(s, ui))
}

fn card(clock: Clock, reading: &Reading, business: bool, ui: Ui) -> Card {
    let figures = figures(reading, business);
    let longest = figures.p99.unwrap_or(0.0).max(0.001);
    let bar = |label, seconds: Option<f64>| Bar {
        label,
        text: text(seconds, ui),
        width: seconds.map_or(0.0, |s| (100.0 * s / longest).clamp(0.5, 100.0)),
    };
    Card {
        clock: clock.as_str(),
        count: reading.count,
        waiting: reading.waiting,
        mean: text(figures.mean, ui),
        bars: vec![
            bar("p50", figures.p50),
            bar("p90", figures.p90),
            bar("p99", figures.p99),
        ],
    }
}

fn rows(groups: &BTreeMap<String, Group>, business: bool, ui: Ui) -> Vec<Row> {
    let cell = |group: &Group, clock: Clock| {
        let reading = group.clocks.get(clock.as_str());
        match reading.map(|r| figures(r, business)) {
            Some(f) if f.p50.is_some() => format!("{} · {}", text(f.p50, ui), text(f.p90, ui)),
            _ => "–".to_owned(),
        }
    };
    groups
        .iter()
        .map(|(name, group)| Row {
            name: name.clone(),
            conversations: group.conversations,
            first_answer: cell(group, Clock::FirstAnswer),
            first_human_answer: cell(group, Clock::FirstHumanAnswer),
            resolution: cell(group, Clock::Resolution),
        })
        .collect()
}
