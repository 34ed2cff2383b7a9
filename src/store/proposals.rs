//! "This was not X but Y": examples that agents propose and managers decide on.

use super::driver::{Row, values};
use super::sql::notes as sql;
use super::{Hint, StoreError, Tx};
use crate::model::{AgentId, ConversationId, Lang, MessageId, Timestamp};
use uuid::Uuid;

/// A message that the bot read wrongly, as an agent says.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    pub id: Uuid,
    pub message: MessageId,
    pub conversation: ConversationId,
    pub agent: AgentId,
    pub agent_name: String,
    pub lang: Lang,
    /// The customer's words when it was proposed; a manager may shorten them.
    pub text: String,
    /// What the bot had read; none: nothing.
    pub read_as: Option<String>,
    /// What it was.
    pub intent: String,
    pub created_at: Timestamp,
    /// None: not decided.
    pub accepted: Option<bool>,
}

impl Tx {
    /// False: the message has this proposal already.
    pub async fn insert_proposal(&mut self, p: &Proposal) -> Result<bool, StoreError> {
        let values = values![
            p.id,
            p.message,
            p.agent,
            p.lang.as_str(),
            p.text.as_str(),
            p.read_as.clone(),
            p.intent.as_str(),
            p.created_at
        ];
        let inserted = self.execute(&sql::PROPOSAL_INSERT, values).await? == 1;
        self.hint(Hint::Conversation(p.conversation));
        Ok(inserted)
    }

    /// All of a conversation's messages, oldest first.
    pub async fn proposals_of(&mut self, id: ConversationId) -> Result<Vec<Proposal>, StoreError> {
        let rows = self.fetch(&sql::PROPOSALS_OF_CONVERSATION, values![id]).await?;
        rows.iter().map(proposal).collect()
    }

    /// Those that wait for a decision, oldest first.
    pub async fn open_proposals(&mut self, limit: i64) -> Result<Vec<Proposal>, StoreError> {
        self.fetch(&sql::PROPOSALS_OPEN, values![limit]).await?.iter().map(proposal).collect()
    }

    /// Those that were accepted, the latest decision first.
    pub async fn accepted_proposals(&mut self, limit: i64) -> Result<Vec<Proposal>, StoreError> {
        self.fetch(&sql::PROPOSALS_ACCEPTED, values![limit]).await?.iter().map(proposal).collect()
    }

    /// Decides once; `text` replaces the customer's words. The intent; none: it is unknown or was decided before.
    pub async fn decide_proposal(
        &mut self,
        id: Uuid,
        by: AgentId,
        accepted: bool,
        text: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let values = values![id, now, by, i64::from(accepted), text.map(str::to_owned)];
        let row = self.fetch_one(&sql::PROPOSAL_DECIDE, values).await?;
        row.map(|row| row.get("intent")).transpose()
    }
}

fn proposal(row: &Row) -> Result<Proposal, StoreError> {
    Ok(Proposal {
        id: row.get("id")?,
        message: MessageId(row.get("message_id")?),
        conversation: ConversationId(row.get("conversation_id")?),
        agent: AgentId(row.get("agent_id")?),
        agent_name: row.get("name")?,
        lang: Lang::new(&row.get::<String>("lang")?).unwrap_or(Lang::EN),
        text: row.get("text")?,
        read_as: row.get("read_as")?,
        intent: row.get("intent")?,
        created_at: row.time("created_at")?,
        accepted: row.get::<Option<i64>>("accepted")?.map(|accepted| accepted == 1),
    })
}
