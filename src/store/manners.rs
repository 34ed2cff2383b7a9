//! What keeps an exchange civil: how much was said lately, what is read later, who is in quarantine.

use super::driver::values;
use super::messages::message;
use super::{Hint, StoreError, Tx, sql};
use crate::model::{
    ContactId, Conversation, ConversationId, Message, MessageId, Quarantine, Spoken, Suspicion, Timestamp,
};
use std::time::Duration;

impl Tx {
    /// What was said to and by the contact after `since`, newest first, at most `limit`; nothing that a machine wrote.
    pub async fn exchange(
        &mut self,
        contact: ContactId,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<Spoken>, StoreError> {
        let rows = self.fetch(&sql::EXCHANGE_OF_CONTACT, values![contact, since, limit]).await?;
        rows.iter()
            .map(|row| {
                let at = row.time("created_at")?;
                Ok(Spoken { author: row.name("author")?, text: row.get("text")?, at })
            })
            .collect()
    }

    /// When another message than `except` was last handed to the provider for this contact, if within `past`.
    pub async fn last_attempt(
        &mut self,
        contact: ContactId,
        except: MessageId,
        now: Timestamp,
        past: Duration,
    ) -> Result<Option<Timestamp>, StoreError> {
        // A message may have waited long in the outbox: its conversation was then quiet since.
        let since = now.minus(past.max(Duration::from_secs(24 * 3_600)));
        match self.fetch_one(&sql::CONTACT_LAST_ATTEMPT, values![contact, except, since]).await? {
            Some(row) => row.opt_time("at"),
            None => Ok(None),
        }
    }

    /// A machine wrote it, by what it says.
    pub async fn set_automatic(&mut self, m: &Message) -> Result<(), StoreError> {
        self.execute(&sql::MESSAGE_SET_AUTOMATIC, values![m.id]).await?;
        self.hint(Hint::Conversation(m.conversation_id));
        Ok(())
    }

    /// It is read later, by [`Tx::read_later`] or when a person says so.
    pub async fn set_aside(&mut self, m: &Message, now: Timestamp) -> Result<(), StoreError> {
        self.execute(&sql::MESSAGE_SET_ASIDE, values![m.id, now]).await?;
        Ok(())
    }

    /// The latest of the messages that were set aside, oldest first, at most `limit`.
    pub async fn aside(
        &mut self,
        conversation: ConversationId,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let rows = self.fetch(&sql::MESSAGES_SET_ASIDE, values![conversation, limit]).await?;
        rows.iter().map(message).collect()
    }

    /// Nothing is set aside any more. The transaction must hold the conversation.
    pub async fn take_up(&mut self, conversation: ConversationId) -> Result<(), StoreError> {
        self.execute(&sql::MESSAGES_TAKE_UP, values![conversation]).await?;
        Ok(())
    }

    pub async fn quarantine_of(&mut self, contact: ContactId) -> Result<Option<Quarantine>, StoreError> {
        let row = self.fetch_one(&sql::QUARANTINE_OF_CONTACT, values![contact]).await?;
        row.map(|row| Ok(Quarantine { why: row.name("why")?, confirmed_at: row.opt_time("confirmed_at")? }))
            .transpose()
    }

    /// The contact is in quarantine, and this conversation is where it is seen.
    pub async fn quarantine(
        &mut self,
        c: &Conversation,
        why: Suspicion,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&sql::QUARANTINE_BEGIN, values![c.contact_id, c.id, now, why.as_str()]).await?;
        self.hint(Hint::Conversation(c.id));
        Ok(())
    }

    /// False: the contact was not in quarantine.
    pub async fn end_quarantine(&mut self, c: &Conversation) -> Result<bool, StoreError> {
        self.hint(Hint::Conversation(c.id));
        Ok(self.execute(&sql::QUARANTINE_END, values![c.contact_id]).await? == 1)
    }

    /// A person said that it is spam. False: one had before.
    pub async fn confirm_spam(&mut self, c: &Conversation, now: Timestamp) -> Result<bool, StoreError> {
        self.hint(Hint::Conversation(c.id));
        Ok(self.execute(&sql::QUARANTINE_CONFIRM, values![c.contact_id, now]).await? == 1)
    }
}
