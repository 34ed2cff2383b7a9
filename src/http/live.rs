//! Server-sent events of the console: hints only, no content. The page fetches what changed, so that a lost or
//! repeated hint does no harm.

use super::AppState;
use super::auth::SignedIn;
use crate::store::Hint;
use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{StreamExt, stream};
use std::convert::Infallible;
use std::time::Duration;
use tokio_stream::wrappers::BroadcastStream;

/// A stream ends by itself after this long and the browser comes back, so that a session that has ended does
/// not listen on.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How soon the browser comes back.
const RETRY: Duration = Duration::from_secs(2);

pub fn routes() -> Router<AppState> {
    Router::new().route("/console/events", get(events))
}

/// Also of the API.
pub async fn events(State(state): State<AppState>, _signed: SignedIn) -> Response {
    let hello = stream::iter([Event::default().retry(RETRY).comment("hello")]);
    let hints = BroadcastStream::new(state.store.hints()).filter_map(async |hint| match hint {
        Ok(Hint::Conversation(id)) => Some(Event::default().data(id.to_string())),
        Ok(Hint::Draft(id)) => Some(Event::default().data(format!("draft {id}"))),
        Ok(Hint::Desk) => Some(Event::default().data("desk")),
        Ok(Hint::Jobs) => None,
        // The receiver lagged: what it missed may be anything.
        Err(_) => Some(Event::default().data("all")),
    });
    let end = async move {
        tokio::select! {
            () = state.stopping.cancelled() => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
    };
    let stream = hello.chain(hints).map(Ok::<_, Infallible>).take_until(Box::pin(end));
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    // A proxy that gathers the stream would make it silent.
    ([("x-accel-buffering", "no")], Sse::new(stream).keep_alive(keep_alive)).into_response()
}
