//! One person behind contacts of several channels, as agents say; and their earlier conversations.

use super::conversations::{contact, conversation};
use super::driver::values;
use super::sql::notes as sql;
use super::{StoreError, Tx};
use crate::model::{Contact, ContactId, Conversation, ConversationId};
use uuid::Uuid;

/// An earlier conversation of the same person.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    pub conversation: Conversation,
    pub address: String,
    /// Who was in charge of it last.
    pub agent_name: Option<String>,
}

impl Tx {
    /// Locks contacts, in one order whoever asks. Fewer come back where some are unknown.
    pub async fn lock_contacts(&mut self, mut ids: Vec<ContactId>) -> Result<Vec<Contact>, StoreError> {
        ids.sort_unstable();
        ids.dedup();
        let mut locked = Vec::new();
        for id in ids {
            let row = self.fetch_one(&super::sql::CONTACT_LOCK, values![id]).await?;
            locked.extend(row.as_ref().map(contact).transpose()?);
        }
        Ok(locked)
    }

    /// Who stands behind the contact; none: nobody has said.
    pub async fn person_of(&mut self, contact: ContactId) -> Result<Option<Uuid>, StoreError> {
        let row = self.fetch_one(&sql::CONTACT_PERSON, values![contact]).await?;
        row.map_or(Ok(None), |row| row.get("person_id"))
    }

    pub async fn set_person(&mut self, contact: ContactId, person: Option<Uuid>) -> Result<(), StoreError> {
        self.execute(&sql::CONTACT_SET_PERSON, values![contact, person]).await?;
        Ok(())
    }

    /// `from` turns out to be `to`.
    pub async fn join_persons(&mut self, from: Uuid, to: Uuid) -> Result<(), StoreError> {
        self.execute(&sql::PERSONS_JOIN, values![from, to]).await?;
        Ok(())
    }

    /// Every contact of the person, the oldest first.
    pub async fn contacts_of(&mut self, person: Uuid) -> Result<Vec<Contact>, StoreError> {
        self.fetch(&sql::PERSON_CONTACTS, values![person]).await?.iter().map(contact).collect()
    }

    /// Conversations of the contact and of those linked with it, without `except`, the latest first.
    pub async fn earlier_conversations(
        &mut self,
        of: ContactId,
        except: ConversationId,
        limit: i64,
    ) -> Result<Vec<Earlier>, StoreError> {
        let rows = self.fetch(&sql::CONVERSATIONS_EARLIER, values![of, except, limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(Earlier {
                    conversation: conversation(row)?,
                    address: row.get("address")?,
                    agent_name: row.get("agent_name")?,
                })
            })
            .collect()
    }
}
