//! Count and duration of every request by its route, never by its path: paths hold ids.

use super::AppState;
use super::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::{Duration, Instant};

/// Also bounds how long an answer may take to begin; streams begin at once.
pub async fn observe(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let limit = Duration::from(state.config.server.request_timeout);
    let started = Instant::now();
    let response = tokio::time::timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
        let detail = "the request took too long; nothing is known to be stored, try again";
        Problem::new(StatusCode::GATEWAY_TIMEOUT, "timeout", detail).into_response()
    });
    let status = response.status().as_u16().to_string();
    metrics::histogram!("guichet_http_seconds", "route" => route.clone())
        .record(started.elapsed().as_secs_f64());
    metrics::counter!("guichet_http_total", "route" => route, "status" => status).increment(1);
    response
}
