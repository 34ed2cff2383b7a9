//! From hand to hand: declining an offer, transfer to a colleague or a team, snooze, and who is there.

use super::{DeskError, event, in_charge, lock, notes, requeue, require_charge};
use crate::model::{
    Agent, AgentId, Conversation, ConversationId, ConversationState, DeskState, EventKind, Presence,
    Priority, Role, TeamId, Timestamp,
};
use crate::store::{Store, Tx};
use std::time::Duration;
use uuid::Uuid;

/// A snooze of longer than this is forgetting.
pub const LONGEST_SNOOZE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Whom a conversation is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    Agent(AgentId),
    Team(TeamId),
}

/// Not now, or not me: it goes back to all, and is not offered to this agent again for a while.
pub async fn decline(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    if conversation.desk.offered_to != Some(agent.id) {
        return Ok(());
    }
    no_offer(&mut conversation);
    tx.save_conversation(&conversation).await?;
    event(&mut tx, now, EventKind::OfferDeclined, agent, &conversation, None).await?;
    Ok(tx.commit().await?)
}

/// Gives a conversation to a colleague, who has it at once, or to a team, where it waits. Its agent may, and a manager
/// (a supervisor reassigns). A `note` that is not empty is kept with it, and a colleague is told of it.
pub async fn transfer(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    to: Receiver,
    note: &str,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    require_charge_or_manager(&mut tx, &conversation, agent).await?;
    conversation.escalated_at.get_or_insert(now);
    conversation.desk.snoozed_until = None;
    no_offer(&mut conversation);
    match to {
        Receiver::Agent(colleague) => {
            if !tx.seats(now).await?.iter().any(|seat| seat.agent.id == colleague) {
                return Err(DeskError::NoReceiver);
            }
            conversation.state = ConversationState::InCharge;
            conversation.agent_id = Some(colleague);
            conversation.taken_at = Some(now);
        }
        Receiver::Team(team) => {
            if !tx.teams().await?.iter().any(|known| known.id == team) {
                return Err(DeskError::NoReceiver);
            }
            requeue(&mut conversation, now);
            conversation.desk.team = Some(team);
        }
    }
    tx.save_conversation(&conversation).await?;
    let data = match to {
        Receiver::Agent(agent) => serde_json::json!({ "agent": agent }),
        Receiver::Team(team) => serde_json::json!({ "team": team }),
    };
    super::event_with(&mut tx, now, EventKind::Transferred, agent, &conversation, data).await?;
    if !note.trim().is_empty() {
        let colleague = conversation.agent_id;
        notes::write(&mut tx, now, agent, &conversation, Uuid::now_v7(), note, colleague).await?;
    }
    Ok(tx.commit().await?)
}

/// The person in charge may, and a manager.
async fn require_charge_or_manager(
    tx: &mut Tx,
    conversation: &Conversation,
    agent: &Agent,
) -> Result<(), DeskError> {
    match conversation.state {
        ConversationState::Resolved => Err(DeskError::Resolved),
        ConversationState::InCharge if conversation.agent_id == Some(agent.id) => Ok(()),
        _ if agent.role >= Role::Manager => Ok(()),
        ConversationState::InCharge => Err(in_charge(tx, conversation).await?),
        ConversationState::Bot | ConversationState::Queued => Err(DeskError::NotInCharge),
    }
}

/// The bot answers again, from the customer's next message on; what was promised for people, and that the bot was to
/// be silent, ends. It remembers what it knew, and asks nothing that it had asked before.
pub async fn hand_back(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    if conversation.state == ConversationState::Bot {
        return Ok(());
    }
    require_charge_or_manager(&mut tx, &conversation, agent).await?;
    let DeskState { tags, about, .. } = std::mem::take(&mut conversation.desk);
    let back = Conversation {
        state: ConversationState::Bot,
        priority: Priority::Normal,
        reason: None,
        agent_id: None,
        escalated_at: None,
        taken_at: None,
        dialogue: std::mem::take(&mut conversation.dialogue).memory(),
        desk: DeskState { tags, about, ..DeskState::default() },
        ..conversation
    };
    tx.save_conversation(&back).await?;
    event(&mut tx, now, EventKind::HandedBack, agent, &back, None).await?;
    Ok(tx.commit().await?)
}

/// Ends a snooze before its time.
pub async fn wake(store: &Store, now: Timestamp, agent: &Agent, id: ConversationId) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    require_charge_or_manager(&mut tx, &conversation, agent).await?;
    if conversation.desk.snoozed_until.take().is_none() {
        return Ok(());
    }
    tx.save_conversation(&conversation).await?;
    event(&mut tx, now, EventKind::Woken, agent, &conversation, None).await?;
    Ok(tx.commit().await?)
}

/// Out of sight until `until`, or until the customer writes.
pub async fn snooze(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    until: Timestamp,
) -> Result<(), DeskError> {
    if until <= now || until > now.plus(LONGEST_SNOOZE) {
        return Err(DeskError::SnoozeTime);
    }
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    require_charge(&mut tx, &conversation, agent).await?;
    conversation.desk.snoozed_until = Some(until);
    tx.save_conversation(&conversation).await?;
    event(&mut tx, now, EventKind::Snoozed, agent, &conversation, None).await?;
    Ok(tx.commit().await?)
}

/// Says whether the agent is there. Who goes away keeps what they have in charge until they sign out; what is being
/// offered to them is offered to others.
pub async fn set_presence(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    presence: Presence,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    tx.set_presence(agent.id, presence, now).await?;
    if presence != Presence::Available {
        withdraw_offers(&mut tx, agent).await?;
    }
    Ok(tx.commit().await?)
}

/// At sign-out: nobody's customers wait for someone who has gone home. What was in charge waits for all again, what was
/// snoozed too.
pub async fn leave(tx: &mut Tx, now: Timestamp, agent: &Agent) -> Result<(), DeskError> {
    tx.set_presence(agent.id, Presence::Away, now).await?;
    withdraw_offers(tx, agent).await?;
    for id in tx.in_charge_of(agent.id).await? {
        let mut conversation = lock(tx, id).await?;
        if conversation.agent_id != Some(agent.id) || conversation.state != ConversationState::InCharge {
            continue;
        }
        requeue(&mut conversation, now);
        tx.save_conversation(&conversation).await?;
        event(tx, now, EventKind::Released, agent, &conversation, None).await?;
    }
    Ok(())
}

async fn withdraw_offers(tx: &mut Tx, agent: &Agent) -> Result<(), DeskError> {
    for id in tx.offered_to(agent.id).await? {
        let mut conversation = lock(tx, id).await?;
        if conversation.desk.offered_to == Some(agent.id) {
            no_offer(&mut conversation);
            tx.save_conversation(&conversation).await?;
        }
    }
    Ok(())
}

pub(super) fn no_offer(conversation: &mut Conversation) {
    conversation.desk.offered_to = None;
    conversation.desk.offered_until = None;
}
