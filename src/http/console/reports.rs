//! The page of response times: one card per clock, plain SVG bars.

use super::super::api::{Period, read_deliveries, read_report};
use super::super::auth::SignedIn;
use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::frame;
use super::views::length;
use crate::http::AppState;
use crate::insights::clocks::{Clock, Figures, Group, Reading};
use crate::insights::deliveries::{Counts, Log};
use crate::insights::satisfaction::{Scores, satisfaction};
use crate::model::Timestamp;
use crate::store::OfPeriod;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use minijinja::{context, value::Serde};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Comments shown.
const COMMENTS: usize = 30;

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

/// One channel's messages of the period.
#[derive(Serialize)]
struct Sent {
    channel: String,
    total: Numbers,
    /// Latest first.
    days: Vec<Numbers>,
    plot: Plot,
}

#[derive(Serialize)]
struct Numbers {
    day: String,
    counts: Counts,
    segments: String,
    cost: String,
}

/// A column for each day, from the first with messages to the last.
#[derive(Serialize)]
struct Plot {
    width: i64,
    bars: Vec<DayBar>,
}

/// A part of a day's column. In units of the plot, from the top.
#[derive(Serialize)]
struct DayBar {
    status: &'static str,
    x: i64,
    y: f64,
    height: f64,
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
    let deliveries = read_deliveries(&state, span).await?;
    let surveys = state.store.read().await?.surveys_of_period(span.from, span.to).await?;
    let business = asked.time == "business";
    let cards: Vec<Card> = Clock::ALL
        .iter()
        .filter_map(|clock| Some(card(*clock, report.overall.clocks.get(clock.as_str())?, business, ui)))
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
        survey => Serde(survey(&surveys, ui)),
        sent => Serde(deliveries.iter().map(|(name, log)| sent(name, log)).collect::<Vec<_>>()),
        ..frame(&state, &signed, "/console/reports").await?
    };
    render(ui, "reports.html", context)
}

/// What customers thought; none: nobody was asked.
#[derive(Serialize)]
struct Surveyed {
    overall: ScoreRow,
    bars: Vec<Bar>,
    teams: Vec<ScoreRow>,
    channels: Vec<ScoreRow>,
    /// The latest ones.
    comments: Vec<Comment>,
}

#[derive(Serialize)]
struct ScoreRow {
    name: String,
    asked: usize,
    answered: String,
    mean: String,
    satisfied: String,
}

#[derive(Serialize)]
struct Comment {
    id: String,
    score: Option<i64>,
    text: String,
}

fn survey(surveys: &[OfPeriod], ui: Ui) -> Option<Surveyed> {
    let all = satisfaction(surveys);
    if all.overall.asked == 0 {
        return None;
    }
    let most = all.overall.distribution.iter().copied().max().unwrap_or(0).max(1);
    let labels = ["1", "2", "3", "4", "5"];
    let bars = labels.iter().zip(all.overall.distribution).map(|(label, count)| Bar {
        label,
        text: count.to_string(),
        width: 100.0 * count as f64 / most as f64,
    });
    let rows = |groups: &BTreeMap<String, Scores>| {
        groups.iter().map(|(name, scores)| score_row(name.clone(), scores, ui)).collect()
    };
    let comment = |survey: &OfPeriod| {
        let text = survey.comment.clone()?;
        Some(Comment { id: survey.conversation_id.to_string(), score: survey.score, text })
    };
    Some(Surveyed {
        overall: score_row(String::new(), &all.overall, ui),
        bars: bars.rev().collect(),
        teams: rows(&all.by_team),
        channels: rows(&all.by_channel),
        comments: surveys.iter().rev().filter_map(comment).take(COMMENTS).collect(),
    })
}

fn score_row(name: String, scores: &Scores, ui: Ui) -> ScoreRow {
    let dash = || "–".to_owned();
    let number = |mean: f64| {
        let text = format!("{mean:.2}");
        if ui.0 == crate::model::Lang::FR { text.replace('.', ",") } else { text }
    };
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    ScoreRow {
        name,
        asked: scores.asked,
        answered: scores
            .share()
            .map_or_else(dash, |share| format!("{} ({})", scores.answered, percent(share))),
        mean: scores.mean().map_or_else(dash, number),
        satisfied: scores.satisfied().map_or_else(dash, percent),
    }
}

fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_jiff().to_zoned_datetime(zone.clone()).date().to_string()
}

fn figures(reading: &Reading, business: bool) -> &Figures {
    if business { &reading.business } else { &reading.wall }
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
        bars: vec![bar("p50", figures.p50), bar("p90", figures.p90), bar("p99", figures.p99)],
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

fn sent(channel: &str, log: &Log) -> Sent {
    Sent {
        channel: channel.to_owned(),
        total: numbers(String::new(), &log.overall),
        days: log.days.iter().rev().map(|(day, counts)| numbers(day.to_string(), counts)).collect(),
        plot: plot(log),
    }
}

fn numbers(day: String, counts: &Counts) -> Numbers {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    Numbers {
        day,
        counts: *counts,
        segments: or_dash(counts.segments.map(|n| n.to_string())),
        cost: or_dash(counts.cost.map(|micros| format!("{:.2}", micros as f64 / 1e6))),
    }
}

/// Height of the plot; a day's column is nine wide in ten.
const TALL: f64 = 60.0;
const DAY: i64 = 10;

fn plot(log: &Log) -> Plot {
    let most = log.days.values().map(Counts::total).max().unwrap_or(0).max(1);
    let first = log.days.keys().next().copied();
    let at = |day: &Date| first.map_or(0, |first| i64::from((*day - first).get_days()));
    let mut bars = Vec::new();
    for (day, counts) in &log.days {
        let mut y = TALL;
        let parts = [
            ("delivered", counts.delivered),
            ("sent", counts.sent),
            ("waiting", counts.waiting),
            ("unknown", counts.unknown),
            ("failed", counts.failed),
        ];
        for (status, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
            let height = TALL * count as f64 / most as f64;
            y -= height;
            bars.push(DayBar { status, x: at(day) * DAY, y, height });
        }
    }
    let days = log.days.keys().last().map_or(0, |last| at(last) + 1);
    Plot { width: days * DAY, bars }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_a_column_for_each_day_and_a_part_for_each_status() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let counts = |delivered, failed| Counts { delivered, failed, ..Counts::default() };
        let days = [(day("2026-11-28"), counts(3, 1)), (day("2026-12-01"), counts(2, 0))];
        let log = Log { overall: counts(5, 1), days: days.into() };
        let Plot { width, bars } = plot(&log);
        assert_eq!(width, 4 * DAY, "days without messages have their place");
        let bars: Vec<(&str, i64, f64, f64)> = bars.iter().map(|b| (b.status, b.x, b.y, b.height)).collect();
        assert_eq!(
            bars,
            [("delivered", 0, 15.0, 45.0), ("failed", 0, 0.0, 15.0), ("delivered", 30, 30.0, 30.0)]
        );
        assert_eq!(numbers(String::new(), &counts(1, 0)).cost, "–");
        let priced = Counts { cost: Some(1_234_567), ..Counts::default() };
        assert_eq!(numbers(String::new(), &priced).cost, "1.23");
    }
}
