//! What channels leave behind: calls of providers, cursors of listeners, leases.

use super::driver::values;
use super::{StoreError, Tx, sql};
use crate::model::{ContactId, Lang, MessageId, ProviderCall, Timestamp};
use std::time::Duration;
use uuid::Uuid;

impl Tx {
    pub async fn insert_call(&mut self, message: MessageId, call: &ProviderCall) -> Result<(), StoreError> {
        let took = i64::try_from(call.took.as_micros()).unwrap_or(i64::MAX);
        let values = values![
            Uuid::now_v7(),
            message,
            call.at,
            took,
            call.request.as_str(),
            call.response.as_str(),
            call.status
        ];
        self.execute(&sql::CALL_INSERT, values).await?;
        Ok(())
    }

    /// Every kept call about a message, oldest first.
    pub async fn calls_of(&mut self, message: MessageId) -> Result<Vec<ProviderCall>, StoreError> {
        let rows = self.fetch(&sql::CALLS_OF_MESSAGE, values![message]).await?;
        rows.iter()
            .map(|row| {
                Ok(ProviderCall {
                    at: row.time("at")?,
                    took: Duration::from_micros(row.get::<i64>("took")?.unsigned_abs()),
                    request: row.get("request")?,
                    response: row.get("response")?,
                    status: row.get("status")?,
                })
            })
            .collect()
    }

    pub async fn expire_calls(&mut self, before: Timestamp) -> Result<(), StoreError> {
        self.execute(&sql::CALLS_EXPIRE, values![before]).await?;
        Ok(())
    }

    pub async fn cursor(&mut self, channel: &str) -> Result<Option<String>, StoreError> {
        let row = self.fetch_one(&sql::CURSOR_FIND, values![channel]).await?;
        row.map(|row| row.get("cursor")).transpose()
    }

    pub async fn set_cursor(&mut self, channel: &str, cursor: &str) -> Result<(), StoreError> {
        self.execute(&sql::CURSOR_SET, values![channel, cursor]).await?;
        Ok(())
    }

    /// Takes or prolongs a lease. False: another holder has it.
    pub async fn hold_lease(
        &mut self,
        name: &str,
        holder: Uuid,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::LEASE_HOLD, values![name, holder, until, now]).await? == 1)
    }

    pub async fn end_lease(&mut self, name: &str, holder: Uuid) -> Result<(), StoreError> {
        self.execute(&sql::LEASE_END, values![name, holder]).await?;
        Ok(())
    }

    pub async fn set_contact_name(&mut self, contact: ContactId, name: &str) -> Result<(), StoreError> {
        self.execute(&sql::CONTACT_SET_NAME, values![contact, name]).await?;
        Ok(())
    }

    /// What they write in counts no more.
    pub async fn choose_lang(&mut self, contact: ContactId, lang: Lang) -> Result<(), StoreError> {
        self.execute(&sql::CONTACT_CHOOSE_LANG, values![contact, lang.as_str()]).await?;
        Ok(())
    }

    /// `since`: from when on the contact cannot be reached; none: they can be again.
    pub async fn set_blocked(
        &mut self,
        contact: ContactId,
        since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.execute(&sql::CONTACT_SET_BLOCKED, values![contact, since]).await?;
        Ok(())
    }
}
