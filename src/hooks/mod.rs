//! Other systems are told what happens to conversations.
//!
//! **What is posted.** JSON to each hook's address, for the kinds that it asked for:
//! ```json
//! {"id": "<uuid>", "type": "conversation.escalated", "seq": 1042, "at": "2026-12-20T11:04:00Z", "actor": "bot",
//!  "conversation": {"id": "<uuid>", "channel": "sms", "lang": "fr", "intent": "traffic.delay", "url": "https://…"},
//!  "agent": null, "message": "<uuid>", "reason": "requested", "priority": "high"}
//! ```
//! No text of a message and no address of a customer: who may read them asks the API. `X-Guichet-Timestamp` holds Unix seconds,
//! `X-Guichet-Signature` is `v1=` and the hexadecimal HMAC-SHA256 with the hook's secret over `<timestamp>.<raw body>`, as
//! [`crate::channels::signing`] says.
//!
//! **In order, at least once.** A hook follows the log ([`crate::store::Hook::seen_seq`]). What it is to be told becomes a
//! delivery in the transaction that moves it on; a delivery waits for the one before it. It is done when the receiver answers
//! 2xx; a process killed between that and our note of it sends it again, under the same `id`. Of several servers one works on
//! a hook at a time: it holds a lease.
//!
//! **When nobody answers**, it is tried again after each wait of `hooks.retry`; then the hook is switched off, and the log waits
//! for it: an admin who switches it on again loses nothing.

mod body;
pub mod manage;
#[cfg(test)]
mod tests;

use crate::answers::http::{guarded_client, outcome_of};
use crate::channels::signing::{SIGNATURE, TIMESTAMP, sign};
use crate::clock::Clock;
use crate::config::{HooksConfig, Secret};
use crate::model::{EventKind, Timestamp, named_enum};
use crate::store::{Hook, HookDelivery, Store, StoreError};
use futures::{StreamExt as _, stream};
use reqwest::{Client, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

named_enum!(
    /// What a hook can be told.
    HookKind {
        Escalated = "escalated",
        Taken = "taken",
        /// By a person.
        Answered = "answered",
        Resolved = "resolved",
        /// A reply that was told as answered was taken back before it left; what it had resolved is open again.
        Withdrawn = "withdrawn",
    }
);

impl HookKind {
    /// Other kinds of events are not told.
    pub fn of(kind: EventKind) -> Option<Self> {
        match kind {
            EventKind::Escalated => Some(Self::Escalated),
            EventKind::Taken => Some(Self::Taken),
            EventKind::AgentAnswered => Some(Self::Answered),
            EventKind::Resolved => Some(Self::Resolved),
            EventKind::ReplyWithdrawn => Some(Self::Withdrawn),
            _ => None,
        }
    }
}

/// Looks without a hint: the next try is nobody's message.
const POLL: Duration = Duration::from_secs(1);
/// Changes so close to each other are one look.
const GATHERED: Duration = Duration::from_millis(200);
/// Hooks that are posted to at the same time.
const AT_ONCE: usize = 8;
/// Lines of the log that become deliveries in one transaction.
const LINES: i64 = 200;
/// One hook does not keep the others waiting for longer, a try that has begun aside.
const TURN: Duration = Duration::from_secs(5);
/// A lease outlives a try by this much.
const MARGIN: Duration = Duration::from_secs(30);
/// How often old deliveries are forgotten.
const SWEEP: Duration = Duration::from_secs(3600);

/// Posts what the log says.
pub struct Deliverer {
    store: Store,
    clock: Arc<dyn Clock>,
    config: HooksConfig,
    public_url: String,
    client: Client,
    /// Of its leases.
    holder: Uuid,
}

impl Deliverer {
    /// # Errors
    /// The TLS library of this machine does not work.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        config: HooksConfig,
        public_url: String,
    ) -> Result<Self, String> {
        let client = guarded_client(config.timeout.into(), config.allow_private)?;
        Ok(Self { store, clock, config, public_url, client, holder: Uuid::now_v7() })
    }

    /// Runs until `stop`; a try that has begun is ended first.
    pub async fn run(self, stop: CancellationToken) {
        let mut hints = self.store.hints();
        let mut swept = Timestamp::default();
        while !stop.is_cancelled() {
            if let Err(error) = self.pass(&stop).await {
                tracing::warn!(%error, "hooks are told later");
            }
            let now = self.clock.now();
            if now.since(swept) >= SWEEP {
                swept = now;
                if let Err(error) = self.sweep(now).await {
                    tracing::warn!(%error, "old deliveries of hooks are forgotten later");
                }
            }
            let hinted = async {
                match hints.recv().await {
                    Err(RecvError::Closed) => std::future::pending().await,
                    _ => tokio::time::sleep(GATHERED).await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = hinted => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// One look at every hook.
    ///
    /// # Errors
    /// The database's; the next pass finds what is left.
    pub async fn pass(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let hooks = self.store.read().await?.hooks().await?;
        let open = hooks.into_iter().filter(|hook| hook.disabled_at.is_none());
        let done: Vec<Result<(), StoreError>> =
            stream::iter(open).map(|hook| self.serve(hook, stop)).buffer_unordered(AT_ONCE).collect().await;
        done.into_iter().collect()
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        tx.expire_deliveries(now.minus(self.config.keep.into())).await?;
        tx.commit().await
    }

    /// Brings one hook up to date, unless another server does.
    async fn serve(&self, hook: Hook, stop: &CancellationToken) -> Result<(), StoreError> {
        let began = self.clock.now();
        // Most looks find nothing: they take neither the lease nor the one writer.
        let mut tx = self.store.read().await?;
        let waits = tx.next_delivery(hook.id).await?.is_some_and(|next| next.run_at <= began);
        let news = !tx.hook_events(hook.seen_seq, 1).await?.is_empty();
        drop(tx);
        if !(waits || news) || !self.follow(&hook, began).await? {
            return Ok(());
        }
        while !stop.is_cancelled() && self.clock.now().since(began) < TURN {
            let next = self.store.read().await?.next_delivery(hook.id).await?;
            let Some(next) = next.filter(|next| next.run_at <= self.clock.now()) else { break };
            let answer = self.post(&hook, &next).await;
            if !self.note(&hook, &next, &answer).await? {
                break;
            }
        }
        let mut tx = self.store.begin().await?;
        tx.end_lease(&lease(hook.id), self.holder).await?;
        tx.commit().await
    }

    /// Takes the lease, and makes deliveries of what the log has since. False: another server works on this hook, or it has
    /// just been removed or switched off.
    async fn follow(&self, hook: &Hook, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        if !tx.hold_lease(&lease(hook.id), self.holder, now, self.lease_end(now)).await? {
            return Ok(false);
        }
        let Some(hook) = tx.lock_hook(hook.id).await?.filter(|hook| hook.disabled_at.is_none()) else {
            return Ok(false);
        };
        tx.settle_events().await?;
        let events = tx.hook_events(hook.seen_seq, LINES).await?;
        for told in &events {
            let kind = HookKind::of(told.event.kind);
            let Some(kind) = kind.filter(|kind| hook.kinds.iter().any(|k| k == kind.as_str())) else {
                continue;
            };
            let id = Uuid::now_v7();
            let body = body::of(id, kind, told, &self.public_url);
            tx.insert_delivery(id, hook.id, told.event.seq, &body, now).await?;
        }
        if let Some(last) = events.last() {
            tx.hook_seen(hook.id, last.event.seq).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.plus(self.config.timeout.into()).plus(MARGIN)
    }

    /// A status, or why there was none. What the receiver says beyond its status is not read.
    async fn post(&self, hook: &Hook, delivery: &HookDelivery) -> Result<u16, &'static str> {
        // The configuration may have changed since the hook was made.
        let url = manage::check_url(&self.config, &hook.url).map_err(|_| "refused")?;
        // When it is sent, not when it happened: a try after hours is no replay.
        let (timestamp, signature) =
            sign(&hook.secret, self.clock.now(), delivery.body.as_bytes()).ok_or("refused")?;
        let request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(delivery.body.clone());
        let response = request.send().await.map_err(|error| outcome_of(&error))?;
        Ok(response.status().as_u16())
    }

    /// Notes how a try ended. False: the hook's turn is over.
    async fn note(
        &self,
        hook: &Hook,
        delivery: &HookDelivery,
        answer: &Result<u16, &'static str>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let told = answer.map_or_else(str::to_owned, |status| status.to_string());
        let arrived = answer.is_ok_and(|status| (200..300).contains(&status));
        let mut tx = self.store.begin().await?;
        // Lost after a long pause of this process: whoever has it now tries by itself.
        if !tx.hold_lease(&lease(hook.id), self.holder, now, self.lease_end(now)).await? {
            return Ok(false);
        }
        let tried = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
        let outcome = match self.config.retry.get(tried) {
            _ if arrived => {
                tx.delivery_done(delivery.id, now, &told).await?;
                "delivered"
            }
            Some(wait) => {
                tx.delivery_later(delivery.id, now, &told, now.plus((*wait).into())).await?;
                "retry"
            }
            None => {
                tx.delivery_failed(delivery.id, now, &told).await?;
                tx.set_hook_disabled(hook.id, Some(now)).await?;
                tracing::error!(hook = %hook.id, answer = told, "a hook is switched off: nobody answered for hours");
                "given_up"
            }
        };
        tx.commit().await?;
        metrics::counter!("guichet_hooks_total", "outcome" => outcome).increment(1);
        Ok(arrived)
    }
}

fn lease(hook: Uuid) -> String {
    format!("hook:{hook}")
}

/// 256 random bits, with a beginning that people and secret scanners know.
fn new_secret() -> Secret {
    Secret::new(format!("ghk_{}", crate::desk::token::random()))
}
