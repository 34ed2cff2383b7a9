//! What a handover tells beside the queue, and the versions of what the bot says.

use super::driver::values;
use super::sql::hours as sql;
use super::{StoreError, Tx};
use crate::model::{AgentId, ConversationId, Event, MessageId, Timestamp, Watched};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What became of a file in a set of intents and responses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path below the configured folders, `responses/fr/traffic.yaml`.
    pub file: String,
    /// `new`, `changed` or `gone`.
    pub how: String,
}

/// A set of intents and responses that came into service.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentVersion {
    pub at: Timestamp,
    pub changes: Vec<FileChange>,
}

/// What a customer was promised to be told of.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenWatch {
    pub what: Watched,
    pub until: Timestamp,
}

/// An agent's note on a conversation that is not over.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenNote {
    pub conversation_id: ConversationId,
    pub author: String,
    pub text: String,
    pub at: Timestamp,
}

impl Tx {
    /// Keeps the set of `files` (name to digest) as the one in service. None: it was already; else what changed. The very first
    /// set is kept without changes.
    pub async fn keep_content(
        &mut self,
        files: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Option<Vec<FileChange>>, StoreError> {
        let latest = self.fetch_one(&sql::CONTENT_LATEST, Vec::new()).await?;
        let before = latest.map(|row| row.json::<BTreeMap<String, String>>("files")).transpose()?;
        let changes = before.as_ref().map(|before| changes(before, files)).unwrap_or_default();
        if before.is_some() && changes.is_empty() {
            return Ok(None);
        }
        let values =
            values![Uuid::now_v7(), now, serde_json::to_string(files)?, serde_json::to_string(&changes)?];
        self.execute(&sql::CONTENT_INSERT, values).await?;
        Ok(Some(changes))
    }

    /// What came into service after `since`, oldest first, at most `limit`.
    pub async fn content_since(
        &mut self,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<ContentVersion>, StoreError> {
        let rows = self.fetch(&sql::CONTENT_SINCE, values![since, limit]).await?;
        rows.iter()
            .map(|row| Ok(ContentVersion { at: row.time("at")?, changes: row.json("changes")? }))
            .collect()
    }

    /// Transfers, snoozes and missed promises after `since`, the latest first.
    pub async fn handover_events(&mut self, since: Timestamp, limit: i64) -> Result<Vec<Event>, StoreError> {
        let rows = self.fetch(&sql::HANDOVER_EVENTS, values![since, limit]).await?;
        rows.iter()
            .map(|row| {
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
            })
            .collect()
    }

    /// What customers are to be told of, by its end, at most `limit`.
    pub async fn open_watches(&mut self, now: Timestamp, limit: i64) -> Result<Vec<OpenWatch>, StoreError> {
        let rows = self.fetch(&sql::HANDOVER_WATCHES, values![now, limit]).await?;
        rows.iter()
            .map(|row| Ok(OpenWatch { what: row.json("what")?, until: row.time("until_at")? }))
            .collect()
    }

    /// Notes on conversations that are not over, the latest first.
    pub async fn open_notes(&mut self, limit: i64) -> Result<Vec<WrittenNote>, StoreError> {
        let rows = self.fetch(&sql::HANDOVER_NOTES, values![limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(WrittenNote {
                    conversation_id: ConversationId(row.get("conversation_id")?),
                    author: row.get("name")?,
                    text: row.get("text")?,
                    at: row.time("created_at")?,
                })
            })
            .collect()
    }
}

fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<FileChange> {
    let change = |file: &String, how: &str| FileChange { file: file.clone(), how: how.to_owned() };
    let gone = before.keys().filter(|file| !now.contains_key(*file)).map(|file| change(file, "gone"));
    let others = now.iter().filter_map(|(file, digest)| match before.get(file) {
        None => Some(change(file, "new")),
        Some(known) if known != digest => Some(change(file, "changed")),
        Some(_) => None,
    });
    let mut all: Vec<FileChange> = gone.chain(others).collect();
    all.sort_by(|a, b| a.file.cmp(&b.file));
    all
}
