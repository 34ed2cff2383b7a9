//! Notes of agents to each other, whom they mention, drafts that colleagues see, and tags.

use super::driver::{Row, values};
use super::sql::notes as sql;
use super::{Hint, StoreError, Tx};
use crate::model::{AgentId, ConversationId, Timestamp};
use uuid::Uuid;

/// What an agent wrote for colleagues; customers never see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Chosen by the page, so that a form sent twice is one note.
    pub id: Uuid,
    pub conversation: ConversationId,
    pub agent: AgentId,
    pub text: String,
    /// Whom it calls.
    pub mentions: Vec<AgentId>,
    pub created_at: Timestamp,
}

/// A note that calls someone who has not read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    pub note: Note,
    /// Who wrote it.
    pub by: String,
    /// Of the contact.
    pub address: String,
}

/// What someone was writing.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub agent: AgentId,
    pub name: String,
    pub text: String,
    pub updated_at: Timestamp,
}

impl Tx {
    pub async fn insert_note(&mut self, note: &Note) -> Result<(), StoreError> {
        let mentions = serde_json::to_string(&note.mentions)?;
        let values =
            values![note.id, note.conversation, note.agent, note.text.as_str(), mentions, note.created_at];
        self.execute(&sql::NOTE_INSERT, values).await?;
        for agent in &note.mentions {
            let values = values![note.id, *agent, note.conversation];
            self.execute(&sql::MENTION_INSERT, values).await?;
        }
        self.hint(Hint::Conversation(note.conversation));
        if !note.mentions.is_empty() {
            // Their pages show it, wherever they are.
            self.hint(Hint::Desk);
        }
        Ok(())
    }

    pub async fn note(&mut self, id: Uuid) -> Result<Option<Note>, StoreError> {
        self.fetch_one(&sql::NOTE_BY_ID, values![id]).await?.as_ref().map(note).transpose()
    }

    /// The latest notes of a conversation, oldest first.
    pub async fn notes(&mut self, id: ConversationId, limit: i64) -> Result<Vec<Note>, StoreError> {
        let rows = self.fetch(&sql::NOTES_OF_CONVERSATION, values![id, limit]).await?;
        rows.iter().map(note).collect()
    }

    /// How many notes call the agent and are unread.
    pub async fn count_mentions(&mut self, agent: AgentId) -> Result<i64, StoreError> {
        let row = self.fetch_one(&sql::MENTIONS_COUNT, values![agent]).await?;
        row.map_or(Ok(0), |row| row.get("n"))
    }

    /// How many of them are in this conversation.
    pub async fn count_mentions_in(
        &mut self,
        agent: AgentId,
        conversation: ConversationId,
    ) -> Result<i64, StoreError> {
        let row = self.fetch_one(&sql::MENTIONS_IN, values![agent, conversation]).await?;
        row.map_or(Ok(0), |row| row.get("n"))
    }

    /// Unread notes that call the agent, the latest first.
    pub async fn mentions(&mut self, agent: AgentId, limit: i64) -> Result<Vec<Mention>, StoreError> {
        let rows = self.fetch(&sql::MENTIONS_UNREAD, values![agent, limit]).await?;
        let mention =
            |row: &Row| Ok(Mention { note: note(row)?, by: row.get("name")?, address: row.get("address")? });
        rows.iter().map(mention).collect()
    }

    /// The agent has seen the notes of this conversation.
    pub async fn read_mentions(
        &mut self,
        agent: AgentId,
        conversation: ConversationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let read = self.execute(&sql::MENTIONS_READ, values![agent, conversation, now]).await?;
        if read > 0 {
            self.hint(Hint::Desk);
        }
        Ok(())
    }

    /// An empty text forgets the draft. Colleagues who look at the conversation are told when it changed.
    pub async fn save_draft(
        &mut self,
        conversation: ConversationId,
        agent: AgentId,
        text: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let changed = if text.is_empty() {
            self.execute(&sql::DRAFT_DELETE, values![conversation, agent]).await?
        } else {
            self.execute(&sql::DRAFT_SAVE, values![conversation, agent, text, now]).await?
        };
        if changed > 0 {
            self.hint(Hint::Draft(conversation));
        }
        Ok(())
    }

    pub async fn draft(
        &mut self,
        conversation: ConversationId,
        agent: AgentId,
    ) -> Result<Option<Draft>, StoreError> {
        let row = self.fetch_one(&sql::DRAFT_OF_AGENT, values![conversation, agent]).await?;
        row.map(|row| {
            Ok(Draft {
                agent: AgentId(row.get("agent_id")?),
                name: row.get("name")?,
                text: row.get("text")?,
                updated_at: row.time("updated_at")?,
            })
        })
        .transpose()
    }

    /// Tags of the `conversations` tagged ones that were written to last, the latest first, each once.
    pub async fn tags_lately(&mut self, conversations: i64) -> Result<Vec<String>, StoreError> {
        let rows = self.fetch(&sql::TAGS_LATELY, values![conversations]).await?;
        let mut tags: Vec<String> = Vec::new();
        for row in &rows {
            for tag in row.json::<Vec<String>>("tags")? {
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
        }
        Ok(tags)
    }
}

fn note(row: &Row) -> Result<Note, StoreError> {
    Ok(Note {
        id: row.get("id")?,
        conversation: ConversationId(row.get("conversation_id")?),
        agent: AgentId(row.get("agent_id")?),
        text: row.get("text")?,
        mentions: row.json("mentions")?,
        created_at: row.time("created_at")?,
    })
}
