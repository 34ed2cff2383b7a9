//! Messages, and the one transaction by which an inbound one enters.

use super::driver::{Row, values};
use super::{Hint, JobKind, NewJob, StoreError, Tx, sql};
use crate::model::{
    Actor, AgentId, Author, ContactId, ConversationId, DeliveryStatus, Direction, EventKind, Media, Message,
    MessageId, MessageKind, NewEvent, Timestamp, Understanding,
};
use std::time::Duration;
use uuid::Uuid;

/// An inbound message as a channel parsed it.
#[derive(Debug, Clone, Default)]
pub struct Ingest<'a> {
    pub channel: &'a str,
    pub address: &'a str,
    /// The provider's id, by which a repeated delivery is recognised.
    pub provider_id: &'a str,
    pub text: &'a str,
    pub media: &'a [Media],
    /// How the contact calls themselves; nothing keeps what is known.
    pub name: Option<&'a str>,
    /// A machine wrote it, as its provider says.
    pub automatic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested {
    pub conversation_id: ConversationId,
    /// The provider had delivered it before: nothing was stored.
    pub duplicate: bool,
}

impl Tx {
    /// Contact, conversation, message, job and events, or nothing at all when the message is known.
    pub async fn ingest(
        &mut self,
        inbound: Ingest<'_>,
        now: Timestamp,
        reopen_within: Duration,
    ) -> Result<Ingested, StoreError> {
        super::check_key("provider id", inbound.provider_id)?;
        // First the contact: its lock makes the check for a duplicate safe against a twin request.
        let contact = self.contact(inbound.channel, inbound.address, now).await?;
        if let Some(name) = inbound.name
            && contact.name.as_deref() != Some(name)
        {
            self.set_contact_name(contact.id, name).await?;
        }
        if contact.blocked_at.is_some() {
            self.set_blocked(contact.id, None).await?;
        }
        let known = values![inbound.channel, inbound.provider_id];
        if let Some(row) = self.fetch_one(&sql::MESSAGE_INBOUND_EXISTS, known).await? {
            let conversation_id = ConversationId(row.get("conversation_id")?);
            return Ok(Ingested { conversation_id, duplicate: true });
        }
        let (conversation, opened) = self.conversation_of(&contact, now, reopen_within).await?;
        let mut message = received(&inbound, conversation.id, now);
        self.insert_message(&mut message).await?;
        if conversation.desk.snoozed_until.is_some() {
            self.wake(conversation.id).await?;
            self.event(now, &message, EventKind::Woken, Actor::Customer).await?;
        }
        if opened {
            self.event(now, &message, EventKind::ConversationOpened, Actor::Customer).await?;
        }
        self.event(now, &message, EventKind::MessageReceived, Actor::Customer).await?;
        let job = NewJob { kind: JobKind::Process, message: &message, run_at: now, broadcast: false };
        self.insert_job(job).await?;
        Ok(Ingested { conversation_id: conversation.id, duplicate: false })
    }

    async fn event(
        &mut self,
        now: Timestamp,
        message: &Message,
        kind: EventKind,
        actor: Actor,
    ) -> Result<(), StoreError> {
        self.append_event(
            now,
            NewEvent {
                kind,
                actor,
                conversation_id: Some(message.conversation_id),
                message_id: Some(message.id),
                data: serde_json::json!({}),
            },
        )
        .await
    }

    /// Stores a message at the end of its conversation; sets its `seq`.
    pub async fn insert_message(&mut self, m: &mut Message) -> Result<(), StoreError> {
        let row =
            self.fetch_one(&sql::CONVERSATION_NEXT_SEQ, values![m.conversation_id, m.created_at]).await?;
        m.seq = row.ok_or(sqlx::Error::RowNotFound)?.get("last_seq")?;
        self.execute(
            &sql::MESSAGE_INSERT,
            values![
                m.id,
                m.conversation_id,
                m.seq,
                m.channel.as_str(),
                m.direction.as_str(),
                m.author.as_str(),
                m.agent_id,
                m.kind.as_str(),
                m.text.as_str(),
                serde_json::to_string(&m.media)?,
                m.provider_id.clone(),
                m.status.as_str(),
                serde_json::to_string(&m.facts)?,
                m.created_at,
                serde_json::to_string(&m.choices)?,
                i64::from(m.automatic),
                m.segments,
                m.cost,
            ],
        )
        .await?;
        self.hint(Hint::Conversation(m.conversation_id));
        Ok(())
    }

    pub async fn message(&mut self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.fetch_one(&sql::MESSAGE_BY_ID, values![id]).await?.as_ref().map(message).transpose()
    }

    /// The same, and nobody else changes it until the end of the transaction.
    pub async fn lock_message(&mut self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.fetch_one(&sql::MESSAGE_LOCK, values![id]).await?.as_ref().map(message).transpose()
    }

    pub async fn lock_message_by_provider_id(
        &mut self,
        channel: &str,
        provider_id: &str,
    ) -> Result<Option<Message>, StoreError> {
        let row =
            self.fetch_one(&sql::MESSAGE_BY_OUTBOUND_PROVIDER_ID, values![channel, provider_id]).await?;
        row.as_ref().map(message).transpose()
    }

    /// Whether a message of ours already has this id of the provider.
    pub async fn is_known_outbound(&mut self, channel: &str, provider_id: &str) -> Result<bool, StoreError> {
        Ok(!self.fetch(&sql::MESSAGE_OUTBOUND_KNOWN, values![channel, provider_id]).await?.is_empty())
    }

    /// Messages after position `after_seq`, oldest first, at most `limit`.
    pub async fn messages(
        &mut self,
        conversation: ConversationId,
        after_seq: i64,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let rows =
            self.fetch(&sql::MESSAGES_OF_CONVERSATION, values![conversation, after_seq, limit]).await?;
        rows.iter().map(message).collect()
    }

    /// The latest messages of a conversation, oldest first, at most `limit`.
    pub async fn latest_messages(
        &mut self,
        conversation: ConversationId,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let rows = self.fetch(&sql::MESSAGES_LATEST, values![conversation, limit]).await?;
        rows.iter().map(message).collect()
    }

    /// The contact's latest messages over all its conversations, oldest first.
    pub async fn messages_of_contact(
        &mut self,
        contact: ContactId,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let rows = self.fetch(&sql::MESSAGES_OF_CONTACT, values![contact, limit]).await?;
        rows.iter().map(message).collect()
    }

    /// The customer's latest message of a conversation.
    pub async fn last_inbound(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Option<Message>, StoreError> {
        self.fetch_one(&sql::MESSAGE_LAST_INBOUND, values![conversation])
            .await?
            .as_ref()
            .map(message)
            .transpose()
    }

    /// The inbound message of a provider's id.
    pub async fn inbound(&mut self, channel: &str, provider_id: &str) -> Result<Option<Message>, StoreError> {
        let Some(row) =
            self.fetch_one(&sql::MESSAGE_BY_INBOUND_PROVIDER_ID, values![channel, provider_id]).await?
        else {
            return Ok(None);
        };
        message(&row).map(Some)
    }

    /// Replaces the text of a message that nobody has begun to read. False: it was read already.
    pub async fn edit_unread(&mut self, m: &Message, text: &str, now: Timestamp) -> Result<bool, StoreError> {
        let edited = self.execute(&sql::MESSAGE_EDIT, values![m.id, text, now]).await? == 1;
        self.hint(Hint::Conversation(m.conversation_id));
        Ok(edited)
    }

    pub async fn set_understanding(&mut self, id: MessageId, u: &Understanding) -> Result<(), StoreError> {
        self.execute(&sql::MESSAGE_SET_UNDERSTANDING, values![id, serde_json::to_string(u)?]).await?;
        Ok(())
    }

    /// Moves a message to `status`; `provider_id` and `sent_at` are kept when `None`.
    pub async fn set_status(
        &mut self,
        m: &Message,
        status: DeliveryStatus,
        error: Option<&str>,
        provider_id: Option<&str>,
        sent_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let values = values![m.id, status.as_str(), error, provider_id, sent_at];
        self.execute(&sql::MESSAGE_SET_STATUS, values).await?;
        self.hint(Hint::Conversation(m.conversation_id));
        Ok(())
    }

    /// From here on the message may be at the provider, whatever happens to us.
    pub async fn set_sending(&mut self, m: &Message, now: Timestamp) -> Result<(), StoreError> {
        self.execute(&sql::MESSAGE_SET_SENDING, values![m.id, now]).await?;
        Ok(())
    }

    /// How many outbound messages may or may not have been sent.
    pub async fn count_unknown(&mut self) -> Result<i64, StoreError> {
        self.fetch_one(&sql::MESSAGES_UNKNOWN, Vec::new()).await?.map_or(Ok(0), |row| row.get("n"))
    }
}

/// An inbound message, before it has its place.
pub(super) fn received(inbound: &Ingest<'_>, conversation_id: ConversationId, now: Timestamp) -> Message {
    Message {
        id: MessageId::new(),
        conversation_id,
        seq: 0,
        channel: inbound.channel.to_owned(),
        direction: Direction::Inbound,
        author: Author::Customer,
        agent_id: None,
        kind: MessageKind::Text,
        text: inbound.text.to_owned(),
        media: inbound.media.to_vec(),
        provider_id: Some(inbound.provider_id.to_owned()),
        status: DeliveryStatus::Received,
        error: None,
        understanding: None,
        facts: Vec::new(),
        created_at: now,
        attempted_at: None,
        sent_at: None,
        choices: Vec::new(),
        automatic: inbound.automatic,
        edited_at: None,
        segments: None,
        cost: None,
    }
}

pub(super) fn message(row: &Row) -> Result<Message, StoreError> {
    Ok(Message {
        id: MessageId(row.get("id")?),
        conversation_id: ConversationId(row.get("conversation_id")?),
        seq: row.get("seq")?,
        channel: row.get("channel")?,
        direction: row.name("direction")?,
        author: row.name("author")?,
        agent_id: row.get::<Option<Uuid>>("agent_id")?.map(AgentId),
        kind: row.name("kind")?,
        text: row.get("text")?,
        media: row.json("media")?,
        provider_id: row.get("provider_id")?,
        status: row.name("status")?,
        error: row.get("error")?,
        understanding: row
            .get::<Option<String>>("understanding")?
            .map(|json| serde_json::from_str(&json))
            .transpose()?,
        facts: row.json("facts")?,
        created_at: row.time("created_at")?,
        attempted_at: row.opt_time("attempted_at")?,
        sent_at: row.opt_time("sent_at")?,
        choices: row.json("choices")?,
        automatic: row.get::<i64>("automatic")? != 0,
        edited_at: row.opt_time("edited_at")?,
        segments: row.get("segments")?,
        cost: row.get("cost")?,
    })
}
