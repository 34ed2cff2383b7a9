//! Errors as `application/problem+json` (RFC 9457). No problem ever repeats the request's content.

use crate::channels::Refusal;
use crate::store::StoreError;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// `type` is a stable path of ours, `title` the status's name, `detail` what the caller can do about it.
#[derive(Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub kind: &'static str,
    pub detail: String,
    /// Seconds to wait, sent as `Retry-After`.
    pub retry_after: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), retry_after: None }
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "type": format!("/problems/{}", self.kind),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the request's body is too large")
            }
            _ => Self::bad_request("the request's body did not arrive whole"),
        }
    }
}

impl From<StoreError> for Problem {
    /// The provider or the browser tries again: nothing was acknowledged.
    fn from(error: StoreError) -> Self {
        if let StoreError::KeyTooLong { .. } = error {
            return Self::bad_request(error.to_string());
        }
        tracing::error!(%error, "the database did not answer a request");
        let detail = "the database is not available; nothing was stored, try again";
        Self {
            retry_after: Some(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "database-unavailable", detail)
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, kind) = match refusal {
            Refusal::Unsigned => (StatusCode::UNAUTHORIZED, "unsigned"),
            Refusal::BadSignature => (StatusCode::FORBIDDEN, "bad-signature"),
            Refusal::Stale => (StatusCode::UNAUTHORIZED, "stale"),
            Refusal::ContentType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type"),
            Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Refusal::NotFound => (StatusCode::NOT_FOUND, "not-found"),
        };
        Self::new(status, kind, refusal.to_string())
    }
}
