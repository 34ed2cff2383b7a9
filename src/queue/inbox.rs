//! Where everything that comes in is stored: from a webhook, or from a listener. One transaction, all of it or nothing.

use super::receipts::apply_receipt;
use super::survey::ingest;
use crate::channels::{Accepted, Edit, InboundEvent, InboundMessage, Reach};
use crate::model::Timestamp;
use crate::store::{Ingest, Store, StoreError, Tx};
use std::time::Duration;

/// What became of one [`Accepted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenIn {
    Stored,
    /// This very request had been accepted before; nothing was stored.
    Replayed,
}

/// Stores what a channel accepted and commits. Known messages are stored once; receipts of nobody's are passed over.
pub async fn take_in(
    store: &Store,
    channel: &str,
    accepted: &Accepted,
    now: Timestamp,
    reopen_within: Duration,
) -> Result<TakenIn, StoreError> {
    let mut tx = store.begin().await?;
    if let Some((nonce, until)) = &accepted.nonce
        && !tx.use_nonce(channel, nonce, *until).await?
    {
        return Ok(TakenIn::Replayed);
    }
    let mut taking = Taking { tx: &mut tx, channel, now, reopen_within, fresh: 0, duplicates: 0 };
    for event in &accepted.events {
        taking.event(event).await?;
    }
    let (fresh, duplicates) = (taking.fresh, taking.duplicates);
    if let Some(cursor) = &accepted.cursor {
        tx.set_cursor(channel, cursor).await?;
    }
    tx.commit().await?;
    let count = |outcome, n| {
        metrics::counter!("guichet_inbound_total", "channel" => channel.to_owned(), "outcome" => outcome)
            .increment(n);
    };
    count("stored", fresh);
    count("duplicate", duplicates);
    Ok(TakenIn::Stored)
}

struct Taking<'a> {
    tx: &'a mut Tx,
    channel: &'a str,
    now: Timestamp,
    reopen_within: Duration,
    fresh: u64,
    duplicates: u64,
}

impl Taking<'_> {
    async fn event(&mut self, event: &InboundEvent) -> Result<(), StoreError> {
        match event {
            InboundEvent::Message(message) => self.message(message).await,
            InboundEvent::Edit(edit) => self.edit(edit).await,
            InboundEvent::Receipt(receipt) => {
                if !apply_receipt(self.tx, self.channel, receipt, self.now).await? {
                    tracing::debug!(channel = self.channel, "receipt for a message that is not ours");
                }
                Ok(())
            }
            InboundEvent::Reach(reach) => self.reach(reach).await,
        }
    }

    async fn message(&mut self, message: &InboundMessage) -> Result<(), StoreError> {
        let inbound = Ingest {
            channel: self.channel,
            address: &message.address,
            provider_id: &message.provider_id,
            text: &message.text,
            media: &message.media,
            name: message.name.as_deref(),
            automatic: message.automatic,
        };
        let ingested = ingest(self.tx, inbound, self.now, self.reopen_within).await?;
        *(if ingested.duplicate { &mut self.duplicates } else { &mut self.fresh }) += 1;
        Ok(())
    }

    /// Not yet read: the new text is what is read. Read already: a new message, for the customer wants it answered.
    async fn edit(&mut self, edit: &Edit) -> Result<(), StoreError> {
        let known = self.tx.inbound(self.channel, &edit.provider_id).await?;
        if let Some(known) = &known {
            if known.text == edit.text {
                return Ok(());
            }
            // The lock keeps a worker from beginning meanwhile.
            self.tx.lock_conversation(known.conversation_id).await?;
            if self.tx.edit_unread(known, &edit.text, self.now).await? {
                return Ok(());
            }
        }
        let message = InboundMessage {
            provider_id: format!("{}~{}", edit.provider_id, edit.revision),
            address: edit.address.clone(),
            text: edit.text.clone(),
            ..InboundMessage::default()
        };
        self.message(&message).await
    }

    async fn reach(&mut self, reach: &Reach) -> Result<(), StoreError> {
        let Some(contact) = self.tx.contact_by_address(self.channel, &reach.address).await? else {
            return Ok(());
        };
        let since = (!reach.reachable).then(|| contact.blocked_at.unwrap_or(self.now));
        self.tx.set_blocked(contact.id, since).await
    }
}
