//! The append-only log from which every clock is computed, and the nonces of signed requests.

use super::driver::{Row, values};
use super::{StoreError, Tx, sql};
use crate::model::{AgentId, ConversationId, Event, MessageId, NewEvent, Timestamp};
use uuid::Uuid;

impl Tx {
    pub async fn append_event(&mut self, at: Timestamp, event: NewEvent) -> Result<(), StoreError> {
        self.execute(
            &sql::EVENT_APPEND,
            values![
                at,
                event.kind.as_str(),
                event.actor.as_str(),
                event.actor.agent_id(),
                event.conversation_id,
                event.message_id,
                event.data.to_string(),
            ],
        )
        .await?;
        Ok(())
    }

    /// The whole history of a conversation, oldest first.
    pub async fn events(&mut self, conversation: ConversationId) -> Result<Vec<Event>, StoreError> {
        let rows = self.fetch(&sql::EVENTS_OF_CONVERSATION, values![conversation]).await?;
        rows.iter().map(event).collect()
    }

    /// Remembers a signature until `expires_at`. False: it was used before.
    pub async fn use_nonce(
        &mut self,
        channel: &str,
        nonce: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        super::check_key("nonce", nonce)?;
        Ok(self.execute(&sql::NONCE_INSERT, values![channel, nonce, expires_at]).await? == 1)
    }

    pub async fn expire_nonces(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(&sql::NONCES_EXPIRE, values![now]).await
    }
}

fn event(row: &Row) -> Result<Event, StoreError> {
    Ok(Event {
        seq: row.get("seq")?,
        at: row.time("at")?,
        kind: row.name("kind")?,
        actor: row.get("actor")?,
        agent_id: row.get::<Option<Uuid>>("agent_id")?.map(AgentId),
        conversation_id: row.get::<Option<Uuid>>("conversation_id")?.map(ConversationId),
        message_id: row.get::<Option<Uuid>>("message_id")?.map(MessageId),
        data: row.json("data")?,
    })
}
