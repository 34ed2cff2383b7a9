//! Live updates: "changed", and the page fetches what is new, so that a lost or repeated hint does no harm.
//!
//! The page reads the stream with `fetch`, not `EventSource`: that one cannot send the token in a header, and a
//! token in the query would stay in the logs of every proxy.

use super::api::visitor;
use super::{Chat, ChatState};
use crate::http::problem::Problem;
use crate::model::{ContactId, ConversationId};
use crate::store::{Hint, Store, StoreError};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Open pages of one visitor.
const MAX_PER_CONTACT: usize = 6;
/// Open pages of all visitors of a channel; the others look every half minute.
const MAX_STREAMS: usize = 5_000;
/// Conversations whose contact is remembered.
const MAX_KNOWN: usize = 10_000;
/// The widget takes 40 s of silence for a dead line.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Who is looking. One task reads the store's hints for all of them.
#[derive(Default)]
pub struct Live(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    by_contact: HashMap<ContactId, Page>,
    streams: usize,
    /// The task was started.
    dispatching: bool,
}

struct Page {
    changed: watch::Sender<()>,
    streams: usize,
}

/// One open stream; leaves when dropped.
struct Watch {
    live: Arc<Live>,
    contact: ContactId,
    changed: watch::Receiver<()>,
}

impl Live {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None: too many streams already.
    fn join(self: &Arc<Self>, contact: ContactId, state: &ChatState) -> Option<Watch> {
        let mut watched = self.watched();
        let of_contact = watched.by_contact.get(&contact).map_or(0, |page| page.streams);
        if watched.streams >= MAX_STREAMS || of_contact >= MAX_PER_CONTACT {
            return None;
        }
        if !std::mem::replace(&mut watched.dispatching, true) {
            // Subscribed before the first page is told to look, so that nothing falls in between.
            let hints = state.store.hints();
            tokio::spawn(dispatch(self.clone(), state.store.clone(), hints, state.stopping.clone()));
        }
        watched.streams += 1;
        let page = watched
            .by_contact
            .entry(contact)
            .or_insert_with(|| Page { changed: watch::Sender::new(()), streams: 0 });
        page.streams += 1;
        let changed = page.changed.subscribe();
        drop(watched);
        Some(Watch { live: self.clone(), contact, changed })
    }

    fn is_empty(&self) -> bool {
        self.watched().streams == 0
    }

    fn tell(&self, contact: ContactId) {
        if let Some(page) = self.watched().by_contact.get(&contact) {
            page.changed.send_replace(());
        }
    }

    fn tell_all(&self) {
        for page in self.watched().by_contact.values() {
            page.changed.send_replace(());
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.live.watched();
        watched.streams -= 1;
        if let Some(page) = watched.by_contact.get_mut(&self.contact) {
            page.streams -= 1;
            if page.streams == 0 {
                watched.by_contact.remove(&self.contact);
            }
        }
    }
}

/// From conversations that changed to the visitors who look at them.
async fn dispatch(live: Arc<Live>, store: Store, mut hints: Receiver<Hint>, stopping: CancellationToken) {
    let mut known = HashMap::new();
    loop {
        let hint = tokio::select! {
            () = stopping.cancelled() => return,
            hint = hints.recv() => hint,
        };
        match hint {
            Ok(Hint::Conversation(id)) if !live.is_empty() => {
                match contact_of(&store, id, &mut known).await {
                    Ok(Some(contact)) => live.tell(contact),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(%error, "a conversation's visitor is not known; every page looks");
                        live.tell_all();
                    }
                }
            }
            Ok(_) => {}
            // What was missed may be anyone's.
            Err(RecvError::Lagged(_)) => live.tell_all(),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn contact_of(
    store: &Store,
    id: ConversationId,
    known: &mut HashMap<ConversationId, ContactId>,
) -> Result<Option<ContactId>, StoreError> {
    if let Some(contact) = known.get(&id) {
        return Ok(Some(*contact));
    }
    let Some(conversation) = store.read().await?.conversation(id).await? else {
        return Ok(None);
    };
    if known.len() >= MAX_KNOWN {
        known.clear();
    }
    known.insert(id, conversation.contact_id);
    Ok(Some(conversation.contact_id))
}

/// `GET /chat/api/events`: "changed" at once and then whenever it is so, until the server stops.
pub async fn events(
    State(state): State<ChatState>,
    Extension(chat): Extension<Arc<Chat>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let contact = visitor(&state, &chat, &headers).await?;
    let Some(watch) = chat.live.join(contact.id, &state) else {
        let detail = "too many live pages are open; fetch the messages now and then instead";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-streams", detail);
        return Err(Problem { retry_after: Some(30), ..problem });
    };
    let changes = stream::unfold((watch, state.stopping, true), async |(mut watch, stopping, first)| {
        if !first {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return None,
                changed = watch.changed.changed() => changed.ok()?,
            }
        }
        let event = Event::default().data("changed");
        Some((Ok::<_, Infallible>(event), (watch, stopping, false)))
    });
    let sse = Sse::new(changes).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // A proxy that gathers the stream would make it silent.
    Ok(([(HeaderName::from_static("x-accel-buffering"), "no")], sse))
}
