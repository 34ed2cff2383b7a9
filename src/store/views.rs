//! Read-only joins for the console and the reports.

use super::conversations::conversation;
use super::driver::{Row, values};
use super::sql::teams;
use super::{StoreError, Tx, sql};
use crate::model::{
    AgentId, Conversation, ConversationId, DeliveryStatus, EventKind, Timestamp, Tone, Understanding,
};
use serde::Serialize;
use uuid::Uuid;

/// A line of the desk's queue.
#[derive(Debug, Clone)]
pub struct QueueEntry {
    pub conversation: Conversation,
    pub address: String,
    pub agent_name: Option<String>,
    /// The customer's last message.
    pub last_text: Option<String>,
    /// Of that message.
    pub tone: Option<Tone>,
    /// Messages that failed or whose sending is in doubt.
    pub trouble: i64,
}

/// Filters of the queue that someone kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SavedView {
    pub id: Uuid,
    /// Whose; none: everyone's.
    pub agent: Option<AgentId>,
    pub name: String,
    /// As the page's query.
    pub query: String,
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

/// Messages of ours on one channel, written within one quarter of an hour, that stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliveries {
    pub channel: String,
    pub status: DeliveryStatus,
    /// When the quarter began.
    pub at: Timestamp,
    pub count: i64,
    /// SMS that they took; none: they were none.
    pub segments: Option<i64>,
    /// In millionths of the operator's currency; none: no price is known.
    pub cost: Option<i64>,
}

fn entry(row: &Row) -> Result<QueueEntry, StoreError> {
    Ok(QueueEntry {
        conversation: conversation(row)?,
        address: row.get("address")?,
        agent_name: row.get("agent_name")?,
        last_text: row.get("last_text")?,
        tone: row
            .get::<Option<String>>("last_understanding")?
            .map(|json| serde_json::from_str::<Understanding>(&json))
            .transpose()?
            .map(|understanding| understanding.tone),
        trouble: row.get("trouble")?,
    })
}

impl Tx {
    /// Conversations that people must see, most pressing first: queued, in charge, or with a message in trouble; of those
    /// resolved before `since`, none.
    pub async fn queue(&mut self, limit: i64, since: Timestamp) -> Result<Vec<QueueEntry>, StoreError> {
        let rows = self.fetch(&sql::QUEUE, values![limit, since]).await?;
        rows.iter().map(entry).collect()
    }

    /// Conversations in quarantine, the latest first.
    pub async fn quarantined(&mut self, limit: i64) -> Result<Vec<QueueEntry>, StoreError> {
        let rows = self.fetch(&sql::QUARANTINE_LIST, values![limit]).await?;
        rows.iter().map(entry).collect()
    }

    /// What became of the messages of ours that were written from `from` to before `to`.
    pub async fn deliveries(
        &mut self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Deliveries>, StoreError> {
        let rows = self.fetch(&sql::DELIVERIES, values![from, to]).await?;
        rows.iter()
            .map(|row| {
                Ok(Deliveries {
                    channel: row.get("channel")?,
                    status: row.name("status")?,
                    at: Timestamp(row.get::<i64>("quarter")?.saturating_mul(900_000_000)),
                    count: row.get("n")?,
                    segments: row.get("segments")?,
                    cost: row.get("cost")?,
                })
            })
            .collect()
    }

    /// One's own views and everyone's, by name.
    pub async fn views_of(&mut self, agent: AgentId) -> Result<Vec<SavedView>, StoreError> {
        let rows = self.fetch(&teams::VIEWS, values![agent]).await?;
        rows.iter()
            .map(|row| {
                Ok(SavedView {
                    id: row.get("id")?,
                    agent: row.get::<Option<Uuid>>("agent_id")?.map(AgentId),
                    name: row.get("name")?,
                    query: row.get("query")?,
                })
            })
            .collect()
    }

    pub async fn insert_view(&mut self, view: &SavedView, now: Timestamp) -> Result<(), StoreError> {
        let values = values![view.id, view.agent, view.name.as_str(), view.query.as_str(), now];
        self.execute(&teams::VIEW_INSERT, values).await?;
        Ok(())
    }

    pub async fn delete_view(&mut self, id: Uuid) -> Result<(), StoreError> {
        self.execute(&teams::VIEW_DELETE, values![id]).await?;
        Ok(())
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
