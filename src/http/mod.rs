//! Everything that speaks HTTP to the world: webhooks, web chat, API, console.

pub mod api;
pub mod assets;
pub mod auth;
pub mod console;
pub mod live;
pub mod pages;
pub mod problem;

use crate::channels::Channels;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::Store;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub config: Arc<Config>,
    pub channels: Channels,
    /// Cancelled when the server is asked to stop: long-lived streams end.
    pub stopping: CancellationToken,
}
