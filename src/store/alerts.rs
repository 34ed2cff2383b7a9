//! Calls to whoever is on call, and what was told of promises.

use super::conversations::conversation;
use super::driver::values;
use super::sql::hours as sql;
use super::{Hint, JobKind, StoreError, Tx};
use crate::model::{
    AlertKind, Conversation, ConversationId, JobId, MessageId, Promise, PromiseNews, Timestamp,
};
use std::collections::HashSet;

/// To be posted, once.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// Of the job that delivers it, too.
    pub id: JobId,
    pub kind: AlertKind,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    /// Another one of the same kind and conversation about the same is none.
    pub about: String,
    /// What is posted, without the message's text.
    pub data: serde_json::Value,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub id: JobId,
    pub kind: AlertKind,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub created_at: Timestamp,
    pub data: serde_json::Value,
    /// The last answer: a status, or why there was none.
    pub answer: Option<String>,
    pub delivered_at: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
}

/// What was told of a promise.
pub type ToldPromise = (ConversationId, Promise, Timestamp, PromiseNews);

/// A promise that is near or missed, as supervisors see it.
#[derive(Debug, Clone)]
pub struct InDanger {
    pub conversation: Conversation,
    pub address: String,
    pub agent_name: Option<String>,
}

impl Tx {
    /// Keeps an alert with the job that delivers it. False: the same was raised before.
    pub async fn raise_alert(&mut self, alert: &NewAlert, now: Timestamp) -> Result<bool, StoreError> {
        let values = values![
            alert.id,
            alert.kind.as_str(),
            alert.conversation_id,
            alert.message_id,
            alert.about.as_str(),
            now,
            alert.data.to_string(),
        ];
        if self.execute(&sql::ALERT_INSERT, values).await? == 0 {
            return Ok(false);
        }
        // A lane of its own: one that cannot be delivered keeps no other waiting.
        let lane = format!("{}:{}", JobKind::Alert, alert.id);
        self.insert_own_job(alert.id, JobKind::Alert, lane, alert.message_id, now).await?;
        Ok(true)
    }

    pub async fn alert(&mut self, id: JobId) -> Result<Option<Alert>, StoreError> {
        let Some(row) = self.fetch_one(&sql::ALERT_FIND, values![id]).await? else { return Ok(None) };
        Ok(Some(Alert {
            id,
            kind: row.name("kind")?,
            conversation_id: ConversationId(row.get("conversation_id")?),
            message_id: MessageId(row.get("message_id")?),
            created_at: row.time("created_at")?,
            data: row.json("data")?,
            answer: row.get("answer")?,
            delivered_at: row.opt_time("delivered_at")?,
            failed_at: row.opt_time("failed_at")?,
        }))
    }

    /// It is tried again; why.
    pub async fn alert_answered(&mut self, id: JobId, answer: &str) -> Result<(), StoreError> {
        self.execute(&sql::ALERT_ANSWERED, values![id, answer]).await?;
        Ok(())
    }

    pub async fn alert_delivered(
        &mut self,
        id: JobId,
        answer: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&sql::ALERT_DELIVERED, values![id, answer, now]).await?;
        Ok(())
    }

    /// It is given up; consoles show it.
    pub async fn alert_failed(&mut self, id: JobId, answer: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(&sql::ALERT_FAILED, values![id, answer, now]).await?;
        self.hint(Hint::Desk);
        Ok(())
    }

    /// How many were given up since `since`, and none has been delivered after them.
    pub async fn alerts_unheard(&mut self, since: Timestamp) -> Result<i64, StoreError> {
        self.fetch_one(&sql::ALERTS_UNHEARD, values![since]).await?.map_or(Ok(0), |row| row.get("n"))
    }

    /// False: it was told before.
    pub async fn tell_promise(&mut self, told: ToldPromise, now: Timestamp) -> Result<bool, StoreError> {
        let (conversation, promise, since, news) = told;
        let values = values![conversation, promise.as_str(), since, news.as_str(), now];
        Ok(self.execute(&sql::PROMISE_NEWS_INSERT, values).await? == 1)
    }

    /// What was told of the promises of conversations that are not over.
    pub async fn told_promises(&mut self) -> Result<HashSet<ToldPromise>, StoreError> {
        let rows = self.fetch(&sql::PROMISE_NEWS, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                let conversation = ConversationId(row.get("conversation_id")?);
                Ok((conversation, row.name("promise")?, row.time("since_at")?, row.name("news")?))
            })
            .collect()
    }

    /// Conversations with a promise that is near or missed, the longest missed first.
    pub async fn promises_in_danger(&mut self, limit: i64) -> Result<Vec<InDanger>, StoreError> {
        let rows = self.fetch(&sql::PROMISES_IN_DANGER, values![limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(InDanger {
                    conversation: conversation(row)?,
                    address: row.get("address")?,
                    agent_name: row.get("agent_name")?,
                })
            })
            .collect()
    }
}
