//! What contacts last heard about trains: later news is held against it.

use super::driver::{Row, values};
use super::{MAX_KEY_BYTES, StoreError, Tx, sql};
use crate::model::{ContactId, ConversationId, MessageId, Timestamp, ToldRide, TrainKey};
use std::time::Duration;

/// How long after its told departure a train is still looked at: it may be late, and then the customer waits for it.
const MATTERS_AFTER: Duration = Duration::from_secs(3 * 3600);

/// What a contact last heard about one train.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub contact_id: ContactId,
    pub conversation_id: ConversationId,
    /// The message in which it was said.
    pub message_id: MessageId,
    pub ride: ToldRide,
    /// Grows with each telling.
    pub revision: i64,
    /// Since the last answer.
    pub corrections: i64,
    /// Of these, those about lateness.
    pub delays: i64,
}

impl Tx {
    /// Remembers what a message told of a train; it replaces what was told before. A train whose id is longer than
    /// [`MAX_KEY_BYTES`] is not remembered: an answer must not fail because of it.
    pub async fn remember_told(
        &mut self,
        contact: ContactId,
        conversation: ConversationId,
        message: MessageId,
        ride: &ToldRide,
    ) -> Result<(), StoreError> {
        let TrainKey { trip, day } = &ride.key;
        if trip.len() > MAX_KEY_BYTES {
            return Ok(());
        }
        let json = serde_json::to_string(ride)?;
        let until = ride.departs.plus(MATTERS_AFTER);
        let values = values![contact, trip.as_str(), day.to_string(), conversation, message, json, until];
        self.execute(&sql::TOLD_UPSERT, values).await?;
        Ok(())
    }

    /// Replaces what was told by what `message` tells now. False: it was told anew meanwhile, or corrected by
    /// another instance, and this transaction must not commit.
    pub async fn correct_told(
        &mut self,
        told: &Told,
        message: MessageId,
        ride: &ToldRide,
        about_lateness: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let TrainKey { trip, day } = &told.ride.key;
        let json = serde_json::to_string(ride)?;
        let until = ride.departs.plus(MATTERS_AFTER);
        let key = values![told.contact_id, trip.as_str(), day.to_string(), told.revision];
        let news = values![message, json, until, i64::from(about_lateness), now];
        Ok(self.execute(&sql::TOLD_CORRECT, [key, news].concat()).await? == 1)
    }

    /// What this contact last heard about this train.
    pub async fn told(&mut self, contact: ContactId, key: &TrainKey) -> Result<Option<Told>, StoreError> {
        let values = values![contact, key.trip.as_str(), key.day.to_string()];
        self.fetch_one(&sql::TOLD_OF_CONTACT, values).await?.as_ref().map(told).transpose()
    }

    /// What was told of trains that may still be ahead, of everybody who has not opted out, contact by contact, after
    /// `after`.
    pub async fn told_ahead(
        &mut self,
        now: Timestamp,
        after: Option<&Told>,
        limit: i64,
    ) -> Result<Vec<Told>, StoreError> {
        let (contact, trip, day) = after.map_or((uuid::Uuid::nil(), "", String::new()), |told| {
            (told.contact_id.0, told.ride.key.trip.as_str(), told.ride.key.day.to_string())
        });
        let rows = self.fetch(&sql::TOLD_AHEAD, values![now, contact, trip, day, limit]).await?;
        rows.iter().map(told).collect()
    }

    /// Forgets what nobody can be helped with any more.
    pub async fn forget_told(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(&sql::TOLD_FORGET, values![now]).await
    }
}

fn told(row: &Row) -> Result<Told, StoreError> {
    Ok(Told {
        contact_id: ContactId(row.get("contact_id")?),
        conversation_id: ConversationId(row.get("conversation_id")?),
        message_id: MessageId(row.get("message_id")?),
        ride: row.json("ride")?,
        revision: row.get("revision")?,
        corrections: row.get("corrections")?,
        delays: row.get("delays")?,
    })
}
