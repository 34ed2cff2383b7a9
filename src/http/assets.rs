//! The console's style, script and icon, inside the binary.

use super::AppState;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

const FILES: &[(&str, &str, &str)] = &[
    ("desk.css", "text/css; charset=utf-8", include_str!("../../console/desk/desk.css")),
    ("desk.js", "text/javascript; charset=utf-8", include_str!("../../console/desk/desk.js")),
    ("composer.js", "text/javascript; charset=utf-8", include_str!("../../console/desk/composer.js")),
    ("news.js", "text/javascript; charset=utf-8", include_str!("../../console/desk/news.js")),
    ("queue.js", "text/javascript; charset=utf-8", include_str!("../../console/desk/queue.js")),
    ("conversation.js", "text/javascript; charset=utf-8", include_str!("../../console/desk/conversation.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../console/desk/icon.svg")),
];

pub fn routes() -> Router<AppState> {
    Router::new().route("/console/assets/{name}", get(file))
}

/// Asked for again with each page and answered 304 by content: after an upgrade no page meets an old script.
async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((_, kind, content)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let digest = Sha256::digest(content.as_bytes());
    let hex: String = digest.iter().take(12).map(|b| format!("{b:02x}")).collect();
    let etag = format!("\"{hex}\"");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|v| *v == etag);
    let shared = [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    (shared, [(header::CONTENT_TYPE, *kind)], *content).into_response()
}
