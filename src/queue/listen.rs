//! Runs what channels need beside their webhooks: one task each, on one instance at a time where two would take each
//! other's messages.

use super::inbox::take_in;
use crate::channels::{Accepted, Channels, Inbox, Listener};
use crate::clock::Clock;
use crate::store::{Store, StoreError};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a lease lasts; a killed instance is followed by another after so long.
const LEASE: Duration = Duration::from_secs(30);
/// How often a lease is prolonged, or asked for.
const RENEW: Duration = Duration::from_secs(10);

/// All listeners of the configured channels.
#[derive(Clone)]
pub struct Listeners {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub channels: Channels,
    pub reopen_within: Duration,
}

impl Listeners {
    /// Runs until `stop`, and returns when every listener has returned.
    pub async fn run(self, stop: CancellationToken) {
        let mut running = JoinSet::new();
        for (name, channel) in self.channels.iter() {
            let Some(listener) = channel.listener() else { continue };
            let inbox = Arc::new(StoreInbox { name: name.to_owned(), listeners: self.clone() });
            let stop = stop.clone();
            if listener.alone() {
                let lease =
                    Lease { name: format!("listen:{name}"), holder: Uuid::now_v7(), of: self.clone() };
                running.spawn(async move { lease.run(listener, inbox, stop).await });
            } else {
                running.spawn(async move { listener.run(inbox, stop).await });
            }
        }
        while let Some(ended) = running.join_next().await {
            if ended.is_err() {
                tracing::error!("a listener panicked: its channel receives nothing until the next start");
            }
        }
    }
}

struct StoreInbox {
    name: String,
    listeners: Listeners,
}

#[async_trait]
impl Inbox for StoreInbox {
    async fn take(&self, accepted: Accepted) -> Result<(), String> {
        let Listeners { store, clock, reopen_within, .. } = &self.listeners;
        let taken = take_in(store, &self.name, &accepted, clock.now(), *reopen_within).await;
        taken.map(|_| ()).map_err(|error| error.to_string())
    }

    async fn cursor(&self) -> Result<Option<String>, String> {
        let cursor = async { self.listeners.store.read().await?.cursor(&self.name).await };
        cursor.await.map_err(|error| error.to_string())
    }
}

struct Lease {
    name: String,
    holder: Uuid,
    of: Listeners,
}

impl Lease {
    async fn run(&self, listener: Arc<dyn Listener>, inbox: Arc<dyn Inbox>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if self.hold().await {
                // It ends with the lease, so that two never run.
                let mine = stop.child_token();
                tokio::join!(listener.run(inbox.clone(), mine.clone()), self.keep(&mine));
                self.end().await;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(RENEW) => {}
            }
        }
    }

    /// Prolongs the lease until it is lost or `mine` ends.
    async fn keep(&self, mine: &CancellationToken) {
        while !mine.is_cancelled() {
            tokio::select! {
                () = mine.cancelled() => return,
                () = tokio::time::sleep(RENEW) => {}
            }
            if !self.hold().await {
                tracing::warn!(lease = self.name, "the lease is lost: another instance listens from now on");
                mine.cancel();
            }
        }
    }

    async fn hold(&self) -> bool {
        let now = self.of.clock.now();
        let held = async {
            let mut tx = self.of.store.begin().await?;
            let held = tx.hold_lease(&self.name, self.holder, now, now.plus(LEASE)).await?;
            tx.commit().await?;
            Ok::<bool, StoreError>(held)
        };
        held.await.unwrap_or_else(|error| {
            tracing::warn!(lease = self.name, %error, "the lease cannot be asked for");
            false
        })
    }

    async fn end(&self) {
        let ended = async {
            let mut tx = self.of.store.begin().await?;
            tx.end_lease(&self.name, self.holder).await?;
            tx.commit().await
        };
        if let Err(error) = ended.await {
            tracing::warn!(lease = self.name, %error, "the lease ends by itself");
        }
    }
}
