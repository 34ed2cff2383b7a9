//! Everything that speaks HTTP to the world: webhooks, web chat, API, console.

mod api;
mod assets;
mod auth;
mod console;
pub mod health;
mod live;
mod observe;
mod pages;
pub mod problem;
mod refusals;
pub mod webchat;
mod webhooks;

use crate::channels::Channels;
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::hours::Calendar;
use crate::desk::oncall::OnCall;
use crate::queue::Mind;
use crate::store::Store;
use crate::transit::TimetableHandle;
use crate::transit::planner::SharedPlanner;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use problem::Problem;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub config: Arc<Config>,
    pub channels: Channels,
    pub on_call: OnCall,
    /// When people are there.
    pub calendar: Calendar,
    pub timetable: TimetableHandle,
    pub planner: SharedPlanner,
    /// Empty until the first model is trained; messages are accepted before.
    pub mind: Arc<OnceLock<Arc<Mind>>>,
    /// Cancelled when the server is asked to stop: long-lived streams end.
    pub stopping: CancellationToken,
}

/// Every route with what all of them need: size limit, panics as problems, metrics.
pub fn router(state: AppState) -> Router {
    Router::new()
        .merge(webhooks::routes())
        .merge(health::routes())
        .merge(auth::routes())
        .merge(console::routes())
        .merge(live::routes())
        .merge(assets::routes())
        .merge(api::routes())
        .merge(webchat::routes(&state.config))
        .fallback(async || Problem::not_found("there is no such page"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this method is not allowed here")
        })
        .layer(DefaultBodyLimit::max(state.config.server.max_body_bytes))
        .layer(axum::middleware::from_fn_with_state(state.clone(), observe::observe))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            tracing::error!("a request panicked");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "an error of ours; it was logged")
                .into_response()
        }))
        .with_state(state)
}
