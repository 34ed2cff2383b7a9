//! What contacts want to be told about.

use super::driver::{Row, values};
use super::{StoreError, Tx, sql};
use crate::model::{ContactId, ConversationId, NewWatch, Timestamp, WatchId, Watched};

/// A watch that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    pub id: WatchId,
    pub contact_id: ContactId,
    /// Where it was asked for.
    pub conversation_id: ConversationId,
    pub what: Watched,
    pub from: Timestamp,
    /// Told about before this.
    pub until: Timestamp,
    pub created_at: Timestamp,
    /// When something was last said for it.
    pub told_at: Option<Timestamp>,
}

impl Tx {
    pub async fn insert_watch(
        &mut self,
        contact: ContactId,
        conversation: ConversationId,
        new: &NewWatch,
        now: Timestamp,
    ) -> Result<WatchId, StoreError> {
        let id = WatchId::new();
        let what = serde_json::to_string(&new.what)?;
        let values = values![id, contact, conversation, what, new.from, new.until, now];
        self.execute(&sql::WATCH_INSERT, values).await?;
        Ok(id)
    }

    /// Sets the time for which it holds.
    pub async fn widen_watch(
        &mut self,
        id: WatchId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&sql::WATCH_WIDEN, values![id, from, until]).await?;
        Ok(())
    }

    /// False: it had ended before.
    pub async fn end_watch(&mut self, id: WatchId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::WATCH_END, values![id, now]).await? == 1)
    }

    /// Notes that something is being said for it now. False: it has ended meanwhile, and nothing may be said.
    pub async fn note_watch_told(&mut self, id: WatchId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::WATCH_TOLD, values![id, now]).await? == 1)
    }

    /// Those of a contact that have not ended at `now`, oldest first.
    pub async fn watches_of(&mut self, contact: ContactId, now: Timestamp) -> Result<Vec<Watch>, StoreError> {
        let rows = self.fetch(&sql::WATCHES_OF_CONTACT, values![contact, now]).await?;
        rows.iter().map(watch).collect()
    }

    /// Those of everybody who has not opted out, in order of id, after `after`.
    pub async fn running_watches(
        &mut self,
        now: Timestamp,
        after: Option<WatchId>,
        limit: i64,
    ) -> Result<Vec<Watch>, StoreError> {
        let after = after.map_or(uuid::Uuid::nil(), |id| id.0);
        let rows = self.fetch(&sql::WATCHES_RUNNING, values![now, after, limit]).await?;
        rows.iter().map(watch).collect()
    }
}

fn watch(row: &Row) -> Result<Watch, StoreError> {
    Ok(Watch {
        id: WatchId(row.get("id")?),
        contact_id: ContactId(row.get("contact_id")?),
        conversation_id: ConversationId(row.get("conversation_id")?),
        what: row.json("what")?,
        from: row.time("from_at")?,
        until: row.time("until_at")?,
        created_at: row.time("created_at")?,
        told_at: row.opt_time("told_at")?,
    })
}
