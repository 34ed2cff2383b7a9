//! Hooks: where other systems are told what happened, and what became of it.

use super::driver::{Row, values};
use super::sql::api as sql;
use super::{StoreError, Tx};
use crate::config::Secret;
use crate::model::{AgentId, ConversationId, Event, EventKind, Lang, MessageId, Timestamp};
use uuid::Uuid;

/// An address that is told of events.
#[derive(Debug, Clone)]
pub struct Hook {
    pub id: Uuid,
    pub url: String,
    /// Signs what is posted.
    pub secret: Secret,
    pub kinds: Vec<String>,
    /// The last line of the log that was looked at for it.
    pub seen_seq: i64,
    pub created_at: Timestamp,
    /// Since when nothing is posted: its receiver did not answer for hours.
    pub disabled_at: Option<Timestamp>,
}

/// One event for one hook.
#[derive(Debug, Clone, PartialEq)]
pub struct HookDelivery {
    /// The same at every try.
    pub id: Uuid,
    pub hook_id: Uuid,
    pub event_seq: i64,
    pub body: String,
    /// Tries that were made.
    pub attempts: i64,
    /// Not before.
    pub run_at: Timestamp,
    pub attempted_at: Option<Timestamp>,
    /// A status, or why there was none.
    pub answer: Option<String>,
    pub delivered_at: Option<Timestamp>,
    /// Given up.
    pub failed_at: Option<Timestamp>,
}

/// A line of the log with what a body says of it.
#[derive(Debug, Clone)]
pub struct HookEvent {
    pub event: Event,
    pub channel: String,
    pub lang: Option<Lang>,
    pub intent: Option<String>,
    pub agent_name: Option<String>,
}

impl Tx {
    /// Oldest first.
    pub async fn hooks(&mut self) -> Result<Vec<Hook>, StoreError> {
        let rows = self.fetch(&sql::HOOKS, Vec::new()).await?;
        rows.iter().map(hook).collect()
    }

    /// Nobody else changes it until the end of the transaction.
    pub async fn lock_hook(&mut self, id: Uuid) -> Result<Option<Hook>, StoreError> {
        self.fetch_one(&sql::HOOK_LOCK, values![id]).await?.as_ref().map(hook).transpose()
    }

    pub async fn insert_hook(
        &mut self,
        url: &str,
        secret: &Secret,
        kinds: &[String],
        now: Timestamp,
    ) -> Result<Uuid, StoreError> {
        let id = Uuid::now_v7();
        let values = values![id, url, secret.expose(), serde_json::to_string(kinds)?, now];
        self.execute(&sql::HOOK_INSERT, values).await?;
        Ok(id)
    }

    pub async fn hook_seen(&mut self, id: Uuid, seq: i64) -> Result<(), StoreError> {
        self.execute(&sql::HOOK_SEEN, values![id, seq]).await?;
        Ok(())
    }

    /// `since`: nothing is posted from then on; none: it is again.
    pub async fn set_hook_disabled(&mut self, id: Uuid, since: Option<Timestamp>) -> Result<(), StoreError> {
        self.execute(&sql::HOOK_SET_DISABLED, values![id, since]).await?;
        Ok(())
    }

    /// With everything that waited for it.
    pub async fn delete_hook(&mut self, id: Uuid) -> Result<(), StoreError> {
        self.execute(&sql::DELIVERIES_DELETE, values![id]).await?;
        self.execute(&sql::HOOK_DELETE, values![id]).await?;
        Ok(())
    }

    /// Waits for everyone who is writing to the log, and holds up who would, until the end of this transaction: nothing
    /// comes later under a lower number than what is read now.
    pub async fn settle_events(&mut self) -> Result<(), StoreError> {
        self.execute(&sql::EVENTS_SETTLE, Vec::new()).await?;
        Ok(())
    }

    /// Lines of the log after `seq` that hooks can be told of, in their order.
    pub async fn hook_events(&mut self, seq: i64, limit: i64) -> Result<Vec<HookEvent>, StoreError> {
        let rows = self.fetch(&sql::HOOK_EVENTS, values![seq, limit]).await?;
        rows.iter().map(hook_event).collect()
    }

    /// What is there already stays as it is.
    pub async fn insert_delivery(
        &mut self,
        id: Uuid,
        hook: Uuid,
        seq: i64,
        body: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&sql::DELIVERY_INSERT, values![id, hook, seq, body, now]).await?;
        Ok(())
    }

    /// The first that is neither delivered nor given up.
    pub async fn next_delivery(&mut self, hook: Uuid) -> Result<Option<HookDelivery>, StoreError> {
        self.fetch_one(&sql::DELIVERY_NEXT, values![hook]).await?.as_ref().map(delivery).transpose()
    }

    pub async fn delivery_done(&mut self, id: Uuid, now: Timestamp, answer: &str) -> Result<(), StoreError> {
        self.execute(&sql::DELIVERY_DONE, values![id, now, answer]).await?;
        Ok(())
    }

    pub async fn delivery_later(
        &mut self,
        id: Uuid,
        now: Timestamp,
        answer: &str,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&sql::DELIVERY_RETRY, values![id, now, answer, run_at]).await?;
        Ok(())
    }

    pub async fn delivery_failed(
        &mut self,
        id: Uuid,
        now: Timestamp,
        answer: &str,
    ) -> Result<(), StoreError> {
        self.execute(&sql::DELIVERY_FAILED, values![id, now, answer]).await?;
        Ok(())
    }

    /// The latest first, with kind and time of their events and their conversations.
    pub async fn deliveries_of_hook(
        &mut self,
        hook: Uuid,
        limit: i64,
    ) -> Result<Vec<(HookDelivery, EventKind, Timestamp, Option<ConversationId>)>, StoreError> {
        let rows = self.fetch(&sql::DELIVERIES_OF_HOOK, values![hook, limit]).await?;
        rows.iter()
            .map(|row| {
                let conversation = row.get::<Option<Uuid>>("conversation_id")?.map(ConversationId);
                Ok((delivery(row)?, row.name("kind")?, row.time("at")?, conversation))
            })
            .collect()
    }

    /// How many wait or were given up.
    pub async fn deliveries_waiting(&mut self, hook: Uuid) -> Result<i64, StoreError> {
        self.fetch_one(&sql::DELIVERIES_WAITING, values![hook]).await?.map_or(Ok(0), |row| row.get("n"))
    }

    /// As if it had never been tried. False: there is no such delivery.
    pub async fn delivery_again(&mut self, hook: Uuid, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::DELIVERY_AGAIN, values![hook, id, now]).await? == 1)
    }

    /// The same for all that did not arrive.
    pub async fn deliveries_again(&mut self, hook: Uuid, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(&sql::DELIVERIES_AGAIN, values![hook, now]).await
    }

    /// Forgets what arrived before `before`.
    pub async fn expire_deliveries(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(&sql::DELIVERIES_EXPIRE, values![before]).await
    }
}

fn hook(row: &Row) -> Result<Hook, StoreError> {
    Ok(Hook {
        id: row.get("id")?,
        url: row.get("url")?,
        secret: Secret::new(row.get::<String>("secret")?),
        kinds: row.json("kinds")?,
        seen_seq: row.get("seen_seq")?,
        created_at: row.time("created_at")?,
        disabled_at: row.opt_time("disabled_at")?,
    })
}

fn delivery(row: &Row) -> Result<HookDelivery, StoreError> {
    Ok(HookDelivery {
        id: row.get("id")?,
        hook_id: row.get("hook_id")?,
        event_seq: row.get("event_seq")?,
        body: row.get("body")?,
        attempts: row.get("attempts")?,
        run_at: row.time("run_at")?,
        attempted_at: row.opt_time("attempted_at")?,
        answer: row.get("answer")?,
        delivered_at: row.opt_time("delivered_at")?,
        failed_at: row.opt_time("failed_at")?,
    })
}

fn hook_event(row: &Row) -> Result<HookEvent, StoreError> {
    Ok(HookEvent {
        event: Event {
            seq: row.get("seq")?,
            at: row.time("at")?,
            kind: row.name("kind")?,
            actor: row.get("actor")?,
            agent_id: row.get::<Option<Uuid>>("agent_id")?.map(AgentId),
            conversation_id: row.get::<Option<Uuid>>("conversation_id")?.map(ConversationId),
            message_id: row.get::<Option<Uuid>>("message_id")?.map(MessageId),
            data: row.json("data")?,
        },
        channel: row.get("channel")?,
        lang: row.get::<Option<String>>("lang")?.and_then(|code| Lang::new(&code)),
        intent: row.get("intent")?,
        agent_name: row.get("agent_name")?,
    })
}
