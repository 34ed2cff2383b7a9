//! What those who come must know from those who go: promises, who waits, who has whom, what is disturbed, what the bot says
//! otherwise now. Gathered here; the console words it.

use super::hours::Calendar;
use crate::content::Content;
use crate::model::{Conversation, ConversationId, ConversationState, Event, EventKind, Timestamp};
use crate::store::{ContentVersion, InDanger, OpenWatch, QueueEntry, Store, StoreError, WrittenNote};
use crate::transit::live::Alert;
use crate::transit::planner::{LiveState, SharedPlanner, TrafficQuery, Unknown};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Of each list; more than that is no note.
const LISTED: i64 = 500;
/// Announcements that hold within this time are live incidents.
const AHEAD: Duration = Duration::from_secs(12 * 3600);
/// Without opening hours, what happened in this time is told.
const OTHERWISE: Duration = Duration::from_secs(12 * 3600);
/// Between two looks for a new set of intents and responses.
const EVERY: Duration = Duration::from_secs(5);

pub struct Handover {
    pub since: Timestamp,
    /// Promised times that are near or missed.
    pub in_danger: Vec<InDanger>,
    /// Most pressing first.
    pub waiting: Vec<QueueEntry>,
    /// By the name of who is in charge.
    pub in_charge: BTreeMap<String, Vec<QueueEntry>>,
    /// Given to a colleague or a team since, and not over; the latest first.
    pub transferred: Vec<(Event, Conversation)>,
    /// The latest note on each conversation that is not over.
    pub notes: HashMap<ConversationId, WrittenNote>,
    /// What customers are to be told of.
    pub watches: Vec<OpenWatch>,
    pub incidents: Result<Incidents, Unknown>,
    pub versions: Vec<ContentVersion>,
}

/// What is disturbed on the network.
pub struct Incidents {
    pub alerts: Vec<Alert>,
    /// Who says so.
    pub source: String,
    pub announced: LiveState,
    pub trains: LiveState,
    pub late: usize,
    pub cancelled: usize,
}

/// When the shift began of which is told at `now`.
pub fn since(calendar: &Calendar, now: Timestamp) -> Timestamp {
    calendar.shift_to_tell_of(now).unwrap_or_else(|| now.minus(OTHERWISE))
}

impl Handover {
    /// # Errors
    /// The database's.
    pub async fn read(
        store: &Store,
        planner: &SharedPlanner,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut tx = store.read().await?;
        let in_danger = tx.promises_in_danger(LISTED).await?;
        let queue = tx.queue(LISTED, now).await?;
        let mut notes = HashMap::new();
        // The latest first: it stays.
        for note in tx.open_notes(LISTED).await? {
            notes.entry(note.conversation_id).or_insert(note);
        }
        let mut transferred: Vec<(Event, Conversation)> = Vec::new();
        for event in tx.handover_events(since, LISTED).await? {
            let known = |id| transferred.iter().any(|(_, conversation)| conversation.id == id);
            let Some(id) =
                event.conversation_id.filter(|id| event.kind == EventKind::Transferred && !known(*id))
            else {
                continue;
            };
            let conversation = tx.conversation(id).await?;
            let open = conversation.filter(|c| c.state != ConversationState::Resolved);
            transferred.extend(open.map(|conversation| (event, conversation)));
        }
        let watches = tx.open_watches(now, LISTED).await?;
        let versions = tx.content_since(since, LISTED).await?;
        drop(tx);
        let mut waiting = Vec::new();
        let mut in_charge: BTreeMap<String, Vec<QueueEntry>> = BTreeMap::new();
        for entry in queue {
            match entry.conversation.state {
                ConversationState::Queued => waiting.push(entry),
                ConversationState::InCharge => {
                    in_charge.entry(entry.agent_name.clone().unwrap_or_default()).or_default().push(entry);
                }
                ConversationState::Bot | ConversationState::Resolved => {}
            }
        }
        let incidents = incidents(planner, now).await;
        Ok(Self { since, in_danger, waiting, in_charge, transferred, notes, watches, incidents, versions })
    }
}

async fn incidents(planner: &SharedPlanner, now: Timestamp) -> Result<Incidents, Unknown> {
    let query = TrafficQuery { line: None, stations: Vec::new(), from: now, until: now.plus(AHEAD) };
    let told = planner.traffic(&query, now).await?;
    Ok(Incidents {
        source: told.provenance.label,
        announced: told.value.announced,
        trains: told.value.trains,
        late: told.value.late.len(),
        cancelled: told.value.cancelled.len(),
        alerts: told.value.alerts,
    })
}

/// Keeps which set of intents and responses came into service when, until `stop`.
pub async fn keep_versions(
    store: Store,
    content: Content,
    clock: std::sync::Arc<dyn crate::clock::Clock>,
    stop: CancellationToken,
) {
    let mut kept = None;
    loop {
        let generation = content.generation();
        if kept != Some(generation) {
            match keep_version(&store, &content, clock.now()).await {
                Ok(()) => kept = Some(generation),
                Err(error) => {
                    tracing::warn!(%error, "what changed in the responses is kept at the next look")
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Keeps the set in service, where it is another one than before.
///
/// # Errors
/// The database's.
pub async fn keep_version(store: &Store, content: &Content, now: Timestamp) -> Result<(), StoreError> {
    let reading = content.clone();
    let digests = tokio::task::spawn_blocking(move || reading.digests()).await;
    let Ok(files) = digests else {
        return Err(StoreError::Open("reading the files panicked".to_owned()));
    };
    let mut tx = store.begin().await?;
    if let Some(changes) = tx.keep_content(&files, now).await? {
        tx.commit().await?;
        tracing::info!(files = changes.len(), "another set of intents and responses is in service");
    }
    Ok(())
}
