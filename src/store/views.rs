//! Read-only joins for the console and the reports.

use super::conversations::conversation;
use super::driver::values;
use super::{StoreError, Tx, sql};
use crate::model::{Conversation, ConversationId, EventKind, Timestamp};

/// A line of the desk's queue.
#[derive(Debug, Clone)]
pub struct QueueEntry {
    pub conversation: Conversation,
    pub address: String,
    pub agent_name: Option<String>,
    /// The customer's last message.
    pub last_text: Option<String>,
    /// Messages that failed or whose sending is in doubt.
    pub trouble: i64,
}

/// An event with what reports group by.
#[derive(Debug, Clone)]
pub struct TimedEvent {
    pub at: Timestamp,
    pub kind: EventKind,
    pub data: serde_json::Value,
    pub conversation_id: ConversationId,
    pub channel: String,
    pub intent: Option<String>,
}

impl Tx {
    /// Conversations that people must see, most pressing first: queued, in charge, or with a message in trouble.
    pub async fn queue(&mut self, limit: i64) -> Result<Vec<QueueEntry>, StoreError> {
        let rows = self.fetch(&sql::QUEUE, values![limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(QueueEntry {
                    conversation: conversation(row)?,
                    address: row.get("address")?,
                    agent_name: row.get("agent_name")?,
                    last_text: row.get("last_text")?,
                    trouble: row.get("trouble")?,
                })
            })
            .collect()
    }

    /// How many conversations wait for a person.
    pub async fn queue_size(&mut self) -> Result<i64, StoreError> {
        self.fetch_one(&sql::QUEUE_SIZE, Vec::new()).await?.map_or(Ok(0), |row| row.get("n"))
    }

    /// Every event of the conversations opened from `from` to before `to`, conversation by conversation.
    pub async fn events_of_period(
        &mut self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<TimedEvent>, StoreError> {
        let rows = self.fetch(&sql::EVENTS_OF_PERIOD, values![from, to]).await?;
        rows.iter()
            .map(|row| {
                Ok(TimedEvent {
                    at: row.time("at")?,
                    kind: row.name("kind")?,
                    data: row.json("data")?,
                    conversation_id: ConversationId(row.get("conversation_id")?),
                    channel: row.get("channel")?,
                    intent: row.get("intent")?,
                })
            })
            .collect()
    }
}
