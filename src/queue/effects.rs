//! What a decision does beyond words: watches, opt-out, and what is remembered of the trains that were told. Within
//! the transaction that commits the decision.

use crate::engine::Effect;
use crate::model::{
    Actor, ContactId, Conversation, EventKind, Message, NewEvent, NewWatch, Timestamp, Watched,
};
use crate::store::{StoreError, Tx, Watch};
use serde_json::{Value, json};

/// Applies the effects of a decision to the contact of `conversation`, which the transaction holds, and remembers the
/// trains that `reply` tells. `reply` is what was said with the decision: after an opt-out it is the one message that
/// still goes out. [`Effect::Close`] is applied by the caller.
pub async fn apply(
    tx: &mut Tx,
    conversation: &Conversation,
    effects: &[Effect],
    reply: Option<&Message>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut applied = Applied { tx, conversation, now };
    for effect in effects {
        match effect {
            Effect::Watch(new) => applied.watch(new).await?,
            Effect::Unwatch(what) => applied.unwatch(what.as_ref()).await?,
            Effect::OptOut => applied.opt_out(reply).await?,
            Effect::OptIn => applied.opt_in().await?,
            Effect::Speak(lang) => applied.tx.choose_lang(conversation.contact_id, *lang).await?,
            Effect::Close => {}
        }
    }
    if let Some(reply) = reply {
        applied.remember_rides(reply).await?;
    }
    Ok(())
}

struct Applied<'a> {
    tx: &'a mut Tx,
    conversation: &'a Conversation,
    now: Timestamp,
}

impl Applied<'_> {
    fn contact(&self) -> ContactId {
        self.conversation.contact_id
    }

    /// A second watch on the same thing at a time that touches the first widens it. That there is room for it was seen to
    /// when it was promised (`queue::follow`); what is promised is kept, even past the limit.
    async fn watch(&mut self, new: &NewWatch) -> Result<(), StoreError> {
        if new.until <= self.now.max(new.from) {
            return Ok(());
        }
        let running = self.tx.watches_of(self.contact(), self.now).await?;
        if let Some(known) = widened(&running, new) {
            let (from, until) = (known.from.min(new.from), known.until.max(new.until));
            return self.tx.widen_watch(known.id, from, until).await;
        }
        self.tx.insert_watch(self.contact(), self.conversation.id, new, self.now).await?;
        self.event(EventKind::WatchStarted, json!({ "what": kind(&new.what) })).await
    }

    async fn unwatch(&mut self, what: Option<&Watched>) -> Result<(), StoreError> {
        for watch in self.tx.watches_of(self.contact(), self.now).await? {
            if what.is_none_or(|what| watch.what.is_same(what)) {
                self.end(&watch).await?;
            }
        }
        Ok(())
    }

    /// Who wants to hear nothing watches nothing: to be told again, they opt in and ask again.
    async fn opt_out(&mut self, reply: Option<&Message>) -> Result<(), StoreError> {
        self.unwatch(None).await?;
        self.tx.opt_out(self.contact(), reply.map(|reply| reply.id), self.now).await?;
        self.event(EventKind::OptedOut, json!({})).await
    }

    async fn opt_in(&mut self) -> Result<(), StoreError> {
        if self.tx.opt_in(self.contact()).await? {
            self.event(EventKind::OptedIn, json!({})).await?;
        }
        Ok(())
    }

    async fn remember_rides(&mut self, reply: &Message) -> Result<(), StoreError> {
        for ride in reply.facts.iter().filter_map(|fact| fact.ride.as_ref()) {
            self.tx.remember_told(self.contact(), self.conversation.id, reply.id, ride).await?;
        }
        Ok(())
    }

    async fn end(&mut self, watch: &Watch) -> Result<(), StoreError> {
        self.tx.end_watch(watch.id, self.now).await?;
        self.event(EventKind::WatchEnded, json!({ "what": kind(&watch.what), "why": "asked" })).await
    }

    async fn event(&mut self, kind: EventKind, data: Value) -> Result<(), StoreError> {
        let event = NewEvent {
            kind,
            actor: Actor::Customer,
            conversation_id: Some(self.conversation.id),
            message_id: None,
            data,
        };
        self.tx.append_event(self.now, event).await
    }
}

/// The one of `running` that `new` goes on with: the same thing, at a time that touches.
pub(super) fn widened<'w>(running: &'w [Watch], new: &NewWatch) -> Option<&'w Watch> {
    running.iter().find(|w| w.what.is_same(&new.what) && w.from <= new.until && new.from <= w.until)
}

/// For reports: what is watched by its kind, never by its content.
fn kind(what: &Watched) -> &'static str {
    match what {
        Watched::Line { .. } => "line",
        Watched::Pair { .. } => "pair",
        Watched::Station { .. } => "station",
        Watched::Train { .. } => "train",
    }
}
