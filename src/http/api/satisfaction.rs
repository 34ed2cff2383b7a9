//! What customers answered to the survey.

use super::Period;
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::problem::Problem;
use crate::insights::satisfaction::{Scores, satisfaction};
use crate::model::ConversationId;
use crate::store::OfPeriod;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use std::collections::BTreeMap;

/// Comments of one answer, the latest ones.
const COMMENTS: usize = 200;

pub fn routes() -> Router<AppState> {
    Router::new().route("/api/reports/satisfaction", get(report))
}

#[derive(Serialize)]
struct Answer {
    /// RFC 3339.
    from: String,
    to: String,
    overall: Figures,
    by_channel: BTreeMap<String, Figures>,
    /// Empty name: of no team.
    by_team: BTreeMap<String, Figures>,
    comments: Vec<Comment>,
}

#[derive(Serialize)]
struct Figures {
    #[serde(flatten)]
    scores: Scores,
    /// Null: nobody answered.
    mean: Option<f64>,
    satisfied: Option<f64>,
    share: Option<f64>,
}

impl From<Scores> for Figures {
    fn from(scores: Scores) -> Self {
        Self { mean: scores.mean(), satisfied: scores.satisfied(), share: scores.share(), scores }
    }
}

#[derive(Serialize)]
struct Comment {
    conversation: ConversationId,
    asked_at: String,
    score: Option<i64>,
    text: String,
}

fn comment(survey: OfPeriod) -> Option<Comment> {
    let asked_at = survey.asked_at.to_string();
    Some(Comment {
        conversation: survey.conversation_id,
        asked_at,
        score: survey.score,
        text: survey.comment?,
    })
}

async fn report(
    State(state): State<AppState>,
    _signed: SignedIn,
    Query(period): Query<Period>,
) -> Result<Json<Answer>, Problem> {
    let span = period.span(state.clock.now(), &state.config.timezone())?;
    let surveys = state.store.read().await?.surveys_of_period(span.from, span.to).await?;
    let all = satisfaction(&surveys);
    let figures = |groups: BTreeMap<String, Scores>| {
        groups.into_iter().map(|(name, scores)| (name, Figures::from(scores))).collect()
    };
    Ok(Json(Answer {
        from: span.from.to_string(),
        to: span.to.to_string(),
        overall: all.overall.into(),
        by_channel: figures(all.by_channel),
        by_team: figures(all.by_team),
        comments: surveys.into_iter().rev().filter_map(comment).take(COMMENTS).collect(),
    }))
}
