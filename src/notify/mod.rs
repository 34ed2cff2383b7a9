//! What Guichet says without being asked: corrections of what it had told, and news of what contacts watch.
//!
//! Nothing here waits to be said: each pass holds what the store knows against what the planner knows now, so that
//! news that came during quiet hours is said after them if it still holds, and a killed process resumes by looking
//! again. A message, its job, the keys that keep it from being said twice and what the contact has now heard are one
//! transaction, under the lock of the contact: several instances on one database say it once.
//!
//! The customer of a conversation that an agent has in charge is told as well: a cancelled train waits for nobody, and
//! the agent reads the notice in the conversation. A notice opens no conversation and is no answer to the clocks.

mod change;
mod corrections;
#[cfg(test)]
mod tests;
mod watches;
mod words;

use crate::channels::Channels;
use crate::clock::Clock;
use crate::config::{NoticesConfig, OperatorConfig};
use crate::content::Content;
use crate::desk::hours::Calendar;
use crate::model::{
    Actor, Author, Contact, Conversation, EventKind, Fact, Message, MessageId, MessageKind, NewEvent,
    Timestamp,
};
use crate::queue::deliver::outgoing;
use crate::store::{JobKind, NewJob, Store, StoreError, Tx};
use crate::transit::live::LiveHandle;
use crate::transit::planner::{LiveState, Provenance, SharedPlanner};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Rows read at a time.
const PAGE: i64 = 500;
/// Changes listed in one message: more would not be read.
const LISTED: usize = 5;

/// Looks for what must be said. Cheap to clone.
#[derive(Clone)]
pub struct Notifier {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub channels: Channels,
    pub planner: SharedPlanner,
    /// Only to notice that new data is there.
    pub live: LiveHandle,
    pub content: Content,
    pub calendar: Calendar,
    pub operator: OperatorConfig,
    pub config: NoticesConfig,
}

impl Notifier {
    /// Passes after each new snapshot of live data, and every `notices.poll` at least, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let seen = self.live.get();
            match self.pass().await {
                Ok(0) => {}
                Ok(said) => tracing::info!(said, "customers were told of changes"),
                Err(error) => tracing::error!(%error, "what must be said is looked for again"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                // Elapsed or not, it is time to look.
                _ = tokio::time::timeout(self.config.poll.into(), self.live.newer_than(&seen)) => {}
            }
        }
    }

    /// Says everything that is to be said now. How many messages that were.
    ///
    /// # Errors
    /// The database's; what was committed before stays, the rest is found again by the next pass.
    pub async fn pass(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let corrections = self.correct(now).await?;
        let watched = self.tell_watchers(now).await?;
        Ok(corrections + watched)
    }

    /// Whether news of a train that leaves at `departs` (none: of no train) may be said at `now`.
    fn may_say(&self, departs: Option<Timestamp>, now: Timestamp) -> bool {
        match self.config.quiet.end(now, self.calendar.zone()) {
            None => true,
            Some(end) => self.config.urgent_in_quiet && departs.is_some_and(|at| at < end),
        }
    }

    /// Stores a notice with its sending job and its event. `None`: the rules of the provider forbid it now (the customer
    /// last wrote too long ago); nothing is stored, and the next pass looks again.
    async fn queue(
        &self,
        tx: &mut Tx,
        contact: &Contact,
        conversation: &Conversation,
        notice: Notice,
        now: Timestamp,
    ) -> Result<Option<MessageId>, StoreError> {
        let Notice { text, facts, event, data } = notice;
        let channel = self.channels.get(&conversation.channel);
        let parts =
            channel.map_or_else(|| vec![text.clone()], |channel| channel.parts(&contact.address, &text));
        let mut first = None;
        for part in parts {
            let outbound = Message::outbound(conversation, Author::Bot, MessageKind::Notice, part, now);
            // What is told is told by the first part; the others only go on.
            let facts = if first.is_none() { facts.clone() } else { Vec::new() };
            let mut message = self.channels.charged(Message { facts, ..outbound });
            if let Some(channel) = channel {
                let forbidden = channel.refuses(&outgoing(tx, contact, &message).await?, now);
                if let Some(forbidden) = forbidden {
                    tracing::debug!(channel = conversation.channel, %forbidden, "a notice is not said");
                    return Ok(None);
                }
            }
            tx.insert_message(&mut message).await?;
            let job = NewJob { kind: JobKind::Send, message: &message, run_at: now, broadcast: true };
            tx.insert_job(job).await?;
            first.get_or_insert(message.id);
        }
        let line = NewEvent {
            kind: event,
            actor: Actor::Bot,
            conversation_id: Some(conversation.id),
            message_id: first,
            data,
        };
        tx.append_event(now, line).await?;
        metrics::counter!("guichet_notices_total", "kind" => event.as_str()).increment(1);
        Ok(first)
    }
}

/// A message to say without being asked.
struct Notice {
    text: String,
    facts: Vec<Fact>,
    event: EventKind,
    /// For the log: no text.
    data: serde_json::Value,
}

/// When the live data was made, if it is fresh: nothing is corrected by anything else.
fn fresh(provenance: &Provenance) -> Option<Timestamp> {
    match provenance.live {
        LiveState::Fresh(at) => Some(at),
        LiveState::Absent | LiveState::Old(_) | LiveState::Lost(_) => None,
    }
}
