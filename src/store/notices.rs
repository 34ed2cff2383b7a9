//! What was said without being asked, so that nothing is said twice; and who wants to hear nothing.

use super::conversations::{contact, conversation};
use super::driver::values;
use super::{MAX_KEY_BYTES, StoreError, Tx, sql};
use crate::model::{Contact, ContactId, Conversation, ConversationId, MessageId, Timestamp};

impl Tx {
    /// Where a notice to this contact goes: the conversation that is not over, else `otherwise`, as it is. A notice opens
    /// and reopens nothing: clocks run from what customers write. Contact and conversation stay locked, in this order.
    pub async fn lock_for_notice(
        &mut self,
        id: ContactId,
        otherwise: ConversationId,
    ) -> Result<Option<(Contact, Conversation)>, StoreError> {
        let Some(row) = self.fetch_one(&sql::CONTACT_LOCK, values![id]).await? else { return Ok(None) };
        let contact = contact(&row)?;
        let open = self.fetch_one(&sql::CONVERSATION_OPEN_OF_CONTACT, values![id]).await?;
        let row = match open {
            Some(row) => Some(row),
            None => self.fetch_one(&sql::CONVERSATION_LOCK, values![otherwise]).await?,
        };
        row.map(|row| Ok((contact, conversation(&row)?))).transpose()
    }

    /// Marks an event as said to a contact by `message`. False: it was said before. The transaction must hold the
    /// contact. Keys longer than [`MAX_KEY_BYTES`] are refused as if they had been said: they come from feeds.
    pub async fn claim_notice(
        &mut self,
        contact: ContactId,
        event: &str,
        message: MessageId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        if event.len() > MAX_KEY_BYTES {
            return Ok(false);
        }
        let values = values![contact, event, message, now, expires_at];
        Ok(self.execute(&sql::NOTICE_CLAIM, values).await? == 1)
    }

    pub async fn is_said(&mut self, contact: ContactId, event: &str) -> Result<bool, StoreError> {
        Ok(event.len() > MAX_KEY_BYTES
            || !self.fetch(&sql::NOTICE_FIND, values![contact, event]).await?.is_empty())
    }

    pub async fn expire_notices(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(&sql::NOTICES_EXPIRE, values![now]).await
    }

    /// From now on nothing goes out but `confirmation`.
    pub async fn opt_out(
        &mut self,
        id: ContactId,
        confirmation: Option<MessageId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let confirmation = confirmation.map(|id| id.0);
        self.execute(&sql::CONTACT_OPT_OUT, values![id, now, confirmation]).await?;
        Ok(())
    }

    /// False: the contact had not opted out.
    pub async fn opt_in(&mut self, id: ContactId) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::CONTACT_OPT_IN, values![id]).await? == 1)
    }
}
