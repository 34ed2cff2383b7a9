//! What was proposed to agents, and replies that they take back.

use super::driver::values;
use super::sql::composer;
use super::{Hint, StoreError, Tx, sql};
use crate::model::{AgentId, ContactId, ConversationId, Fact, Message, MessageId, Timestamp};
use uuid::Uuid;

/// A reply that was proposed to an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedReply {
    pub id: Uuid,
    /// The response that it words, `domain.name`, or `canned.<name>`.
    pub response: String,
    pub text: String,
    pub facts: Vec<Fact>,
}

/// A reply that was taken back before it left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    pub conversation_id: ConversationId,
    pub agent_id: AgentId,
    pub text: String,
}

impl Tx {
    pub async fn insert_proposed_reply(
        &mut self,
        proposal: &ProposedReply,
        conversation: ConversationId,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ProposedReply { id, response, text, facts } = proposal;
        let facts = serde_json::to_string(facts)?;
        let values = values![*id, conversation, agent, response.as_str(), text.as_str(), facts, now];
        self.execute(&composer::PROPOSED_REPLY_INSERT, values).await?;
        Ok(())
    }

    /// A proposal that was made to this agent in this conversation; none: it was made to nobody, or long ago.
    pub async fn proposed_reply(
        &mut self,
        id: Uuid,
        conversation: ConversationId,
        agent: AgentId,
    ) -> Result<Option<ProposedReply>, StoreError> {
        let row = self.fetch_one(&composer::PROPOSED_REPLY, values![id, conversation, agent]).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ProposedReply {
            id,
            response: row.get("response")?,
            text: row.get("text")?,
            facts: row.json("facts")?,
        }))
    }

    /// Takes back a message that waits to be sent: message and job are gone, and a trace of it stays. False: a worker has
    /// claimed it, or its time has come, and nothing was changed. The caller has locked the conversation.
    pub async fn withdraw(
        &mut self,
        m: &Message,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.execute(&composer::SEND_WITHDRAW, values![m.id, now]).await? == 0 {
            return Ok(false);
        }
        let values = values![m.id, m.conversation_id, agent, m.text.as_str(), now];
        self.execute(&composer::WITHDRAWN_INSERT, values).await?;
        self.execute(&composer::MESSAGE_DELETE, values![m.id]).await?;
        // What stood behind it in its lane is free.
        self.hint(Hint::Jobs);
        self.hint(Hint::Conversation(m.conversation_id));
        Ok(true)
    }

    pub async fn withdrawn(&mut self, message: MessageId) -> Result<Option<Withdrawn>, StoreError> {
        let Some(row) = self.fetch_one(&composer::WITHDRAWN, values![message]).await? else {
            return Ok(None);
        };
        Ok(Some(Withdrawn {
            conversation_id: ConversationId(row.get("conversation_id")?),
            agent_id: AgentId(row.get("agent_id")?),
            text: row.get("text")?,
        }))
    }

    /// The agent's latest message of the conversation that can still be taken back, and until when.
    pub async fn withdrawable(
        &mut self,
        conversation: ConversationId,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<Option<(MessageId, Timestamp)>, StoreError> {
        let row = self.fetch_one(&composer::WITHDRAWABLE, values![conversation, agent, now]).await?;
        row.map(|row| Ok((MessageId(row.get("id")?), row.time("run_at")?))).transpose()
    }

    /// Whether the contact has a conversation that is not over.
    pub async fn has_open_conversation(&mut self, contact: ContactId) -> Result<bool, StoreError> {
        Ok(self.fetch_one(&sql::CONVERSATION_OPEN_OF_CONTACT, values![contact]).await?.is_some())
    }

    /// Forgets what was proposed or taken back before `before`.
    pub async fn expire_proposals(&mut self, before: Timestamp) -> Result<(), StoreError> {
        self.execute(&composer::PROPOSED_REPLIES_EXPIRE, values![before]).await?;
        self.execute(&composer::WITHDRAWN_EXPIRE, values![before]).await?;
        Ok(())
    }
}
