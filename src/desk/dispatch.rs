//! Gives conversations out and takes them back, as time passes: offers, their ends, snoozes that are over. Each change
//! is a transaction of its own that looks again before it acts, so that several instances may do it at once.

use super::hours::Calendar;
use super::oncall::{OnCall, sla_alert};
use super::routing::{self, Waiting};
use super::sla::{self, Dues, Past, Told};
use crate::clock::Clock;
use crate::config::{RoutingConfig, RoutingMode, SlaConfig};
use crate::model::{
    Actor, AgentId, Conversation, ConversationId, ConversationState, EventKind, NewEvent, Presence,
    PromiseNews, Team, Timestamp,
};
use crate::store::{Promised, Store, StoreError, Tx};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Looks without a hint: an offer's end is nobody's message.
const POLL: Duration = Duration::from_secs(1);
/// Changes so close to each other are one look.
const GATHERED: Duration = Duration::from_millis(250);
/// Conversations of one pass; the next pass takes the next ones.
const AT_ONCE: i64 = 200;
/// Conversations whose promises are looked at; more than that wait only when nobody answers anyone.
const PROMISES: i64 = 2_000;
/// Offers that passed longer ago say nothing of who is there now.
const MISSED_WITHIN: Duration = Duration::from_secs(3600);

#[derive(Clone)]
pub struct Dispatcher {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub config: RoutingConfig,
    pub sla: SlaConfig,
    pub calendar: Calendar,
    /// Told of promises, with `desk.sla.notify`.
    pub on_call: OnCall,
}

impl Dispatcher {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut hints = self.store.hints();
        loop {
            if let Err(error) = self.pass().await {
                tracing::warn!(%error, "conversations are given out later");
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

    /// One look at everything. How much was changed.
    ///
    /// # Errors
    /// The database's; the next pass finds what is left.
    pub async fn pass(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut changed = 0;
        // Only what is over takes the one writer: most looks find nothing.
        let mut tx = self.store.read().await?;
        let snoozes = tx.snoozes_over(now, AT_ONCE).await?;
        let offers = tx.offers_over(now, AT_ONCE).await?;
        drop(tx);
        for id in snoozes {
            changed += usize::from(self.wake(id, now).await?);
        }
        for id in offers {
            changed += usize::from(self.withdraw(id, now).await?);
        }
        changed += self.keep_promises(now).await?;
        if self.config.mode == RoutingMode::Offer {
            changed += self.offer(now).await?;
        }
        Ok(changed)
    }

    /// Brings promised times up to date, and tells of those that are near or missed.
    async fn keep_promises(&self, now: Timestamp) -> Result<usize, StoreError> {
        if !self.sla.promises() {
            return Ok(0);
        }
        let mut tx = self.store.read().await?;
        let mut stale = tx.promised(PROMISES).await?;
        let teams = tx.teams().await?;
        let told = tx.told_promises().await?;
        drop(tx);
        stale.retain(|known| {
            let mut conversation = known.conversation.clone();
            let news = self.promise(&mut conversation, known, &teams, now);
            let id = conversation.id;
            conversation.desk != known.conversation.desk
                || news.iter().any(|n| !told.contains(&(id, n.promise, n.since, n.news)))
        });
        for known in &stale {
            let mut tx = self.store.begin().await?;
            let id = known.conversation.id;
            let Some(mut conversation) = tx.lock_conversation(id).await? else { continue };
            if matches!(conversation.state, ConversationState::Bot | ConversationState::Resolved) {
                continue;
            }
            let news = self.promise(&mut conversation, known, &teams, now);
            tx.save_conversation(&conversation).await?;
            for one in news {
                self.tell(&mut tx, &conversation, one, now).await?;
            }
            tx.commit().await?;
        }
        Ok(stale.len())
    }

    /// To the log, and to whoever is on call; once.
    async fn tell(
        &self,
        tx: &mut Tx,
        conversation: &Conversation,
        told: Told,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Told { promise, since, due, news } = told;
        if !tx.tell_promise((conversation.id, promise, since, news), now).await? {
            return Ok(());
        }
        let kind = match news {
            PromiseNews::Near => EventKind::SlaWarned,
            PromiseNews::Missed => EventKind::SlaBreached,
        };
        let data = serde_json::json!({ "promise": promise, "due": due.to_string() });
        let line = NewEvent { data, ..event(kind, Actor::System, conversation.id) };
        tx.append_event(now, line).await?;
        metrics::counter!("guichet_sla_total", "kind" => kind.as_str()).increment(1);
        if self.sla.notify
            && let Some(message) = tx.last_inbound(conversation.id).await?
        {
            let open = self.calendar.is_open(now);
            self.on_call.raise(tx, conversation, sla_alert(&told), message.id, open, now).await?;
        }
        Ok(())
    }

    /// Brings the conversation up to date; which of its promises are near or missed.
    fn promise(
        &self,
        conversation: &mut Conversation,
        known: &Promised,
        teams: &[Team],
        now: Timestamp,
    ) -> Vec<Told> {
        let team = teams.iter().find(|team| Some(team.id) == conversation.desk.team);
        let promises = self.sla.of(team.map(|team| team.name.as_str()));
        let Some(escalated_at) = conversation.escalated_at else { return Vec::new() };
        let past = Past {
            priority: conversation.priority,
            escalated_at,
            unanswered_since: known.unanswered_since,
            first_answered_at: known.first_answered_at,
        };
        let dues = Dues::of(&past, &promises, &self.calendar);
        let warn_before = self.sla.warn_before.into();
        sla::update(&mut conversation.desk, dues, warn_before, now);
        sla::news(&past, &dues, warn_before, now)
    }

    async fn wake(&self, id: ConversationId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let Some(mut conversation) = tx.lock_conversation(id).await? else { return Ok(false) };
        if conversation.desk.snoozed_until.is_none_or(|until| until > now) {
            return Ok(false);
        }
        conversation.desk.snoozed_until = None;
        tx.save_conversation(&conversation).await?;
        tx.append_event(now, event(EventKind::Woken, Actor::System, id)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends an offer that nobody accepted in time. Who lets several pass is not there.
    async fn withdraw(&self, id: ConversationId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let Some(mut conversation) = tx.lock_conversation(id).await? else { return Ok(false) };
        let over = conversation.desk.offered_until.is_some_and(|until| until <= now);
        let (true, Some(agent)) = (over, conversation.desk.offered_to.take()) else { return Ok(false) };
        conversation.desk.offered_until = None;
        tx.save_conversation(&conversation).await?;
        if conversation.state == ConversationState::Queued {
            tx.append_event(now, event(EventKind::OfferExpired, Actor::Agent(agent), id)).await?;
            if tx.missed_offers(agent, now.minus(MISSED_WITHIN)).await? >= self.config.missed {
                tx.set_presence(agent, Presence::Away, now).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn offer(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut tx = self.store.read().await?;
        let free = tx.to_offer(now, AT_ONCE).await?;
        if free.is_empty() {
            return Ok(0);
        }
        let seats = tx.seats(now).await?;
        if seats.iter().all(|seat| seat.presence != Presence::Available) {
            return Ok(0);
        }
        let since = now.minus(self.config.refused_for.into());
        let mut waiting = Vec::new();
        for id in free {
            let refused = tx.refused_offers(id, since).await?;
            if let Some(c) = tx.conversation(id).await? {
                waiting.push(Waiting { id, team: c.desk.team, lang: c.lang, refused });
            }
        }
        drop(tx);
        let mut made = 0;
        for (id, agent) in routing::offers(&waiting, &seats) {
            made += usize::from(self.offer_one(id, agent, now).await?);
        }
        Ok(made)
    }

    async fn offer_one(
        &self,
        id: ConversationId,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let Some(mut conversation) = tx.lock_conversation(id).await? else { return Ok(false) };
        if conversation.state != ConversationState::Queued || conversation.desk.offered_to.is_some() {
            return Ok(false);
        }
        conversation.desk.offered_to = Some(agent);
        conversation.desk.offered_until = Some(now.plus(self.config.accept.into()));
        tx.save_conversation(&conversation).await?;
        let offered = NewEvent {
            data: serde_json::json!({ "to": agent }),
            ..event(EventKind::Offered, Actor::System, id)
        };
        tx.append_event(now, offered).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn event(kind: EventKind, actor: Actor, id: ConversationId) -> NewEvent {
    let data = serde_json::json!({});
    NewEvent { kind, actor, conversation_id: Some(id), message_id: None, data }
}
