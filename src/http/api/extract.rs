//! JSON bodies, read strictly. No refusal repeats what was sent.

use crate::http::AppState;
use crate::http::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

/// A body of `application/json`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let stated = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = stated.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let detail = "send application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail));
        }
        // Bounded by the router's body limit.
        let body = Bytes::from_request(request, state).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Problem::bad_request(format!("the body is not the JSON that /api/docs describes: see {place}"))
        })
    }
}
