//! What people do with conversations. Each operation is one transaction, its events in it: it happened
//! entirely, or not at all. Doing the same thing twice (a double click, a form sent again) does it once.

pub mod answering;
#[cfg(test)]
mod answering_tests;
pub mod assist;
pub mod corrections;
pub mod dispatch;
pub mod hand;
#[cfg(test)]
mod hand_tests;
pub mod handover;
pub mod hours;
pub mod lockout;
pub mod moderation;
pub mod notes;
pub mod oncall;
pub mod password;
pub mod people;
pub mod persons;
pub mod quarantine;
pub mod routing;
pub mod saved_views;
pub mod sessions;
pub mod sla;
pub mod teams;
#[cfg(test)]
pub(crate) mod tests;
pub mod token;
pub mod tokens;
pub mod totp;

use crate::channels::Forbidden;
use crate::model::{
    Actor, Agent, AgentId, Conversation, ConversationId, ConversationState, DeliveryStatus, Direction,
    EventKind, Message, MessageId, NewEvent, Role, Timestamp,
};
use crate::store::{JobKind, NewJob, Store, StoreError, Tx};

/// Conversations looked at for the next one.
const LOOKED_AT: i64 = 500;

/// Why an operation was refused; the console says it in the agent's language, by [`DeskError::code`].
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error("there is no such conversation or message")]
    NotFound,
    #[error("{name} is in charge of this conversation")]
    InCharge { name: String },
    #[error("take the conversation in charge first")]
    NotInCharge,
    #[error("the conversation is resolved")]
    Resolved,
    /// Resolving now would bury a message that the agent has not read.
    #[error("the customer has written since you last looked")]
    NewMessages,
    #[error("the message is empty")]
    Empty,
    #[error("the message is longer than {max} characters")]
    TooLong { max: usize },
    #[error("the channel '{0}' is no longer configured")]
    NoChannel(String),
    /// The page had sent another text under this key and never heard back.
    #[error("your previous message was sent; read it before you send another one")]
    KeyReused,
    /// This key's message was taken back: a form that arrives late must not send it after all.
    #[error("this reply was taken back")]
    Withdrawn,
    /// It has been handed over, or is being.
    #[error("too late: the reply has left")]
    Left,
    /// A variable of a canned reply that nobody has filled in.
    #[error("the text has a gap: [[{0}]]")]
    Gap(String),
    #[error("this message is not in trouble any more")]
    NotInTrouble,
    /// Whom it was given to has left, or never was.
    #[error("there is no such colleague or team")]
    NoReceiver,
    #[error("a snooze ends between now and 30 days from now")]
    SnoozeTime,
    /// Another agent has some seconds to accept it.
    #[error("it is being offered to {name}")]
    Offered { name: String },
    /// They said STOP: nothing is sent to them until they say otherwise.
    #[error("the customer has opted out: nothing is sent to them")]
    OptedOut,
    /// By the rules of the provider.
    #[error(transparent)]
    Forbidden(Forbidden),
    #[error("this contact is not in quarantine any more")]
    NotInQuarantine,
    #[error("a conversation has at most 12 tags")]
    TooManyTags,
    /// To be linked with.
    #[error("there is no such other contact")]
    NoContact,
    #[error("several channels know this address: give the link of a conversation instead")]
    ManyContacts,
    #[error("a person has at most 20 contacts")]
    TooManyContacts,
    #[error("the bot had read just that")]
    SameIntent,
    #[error("there is no such intent")]
    NoIntent,
    #[error("this cannot be done to this message")]
    CannotModerate,
    #[error("only a manager may do this")]
    ForManagers,
    /// In our words: what it answered is in the trace.
    #[error("the provider has not done it: {0}")]
    Provider(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeskError {
    /// The key of its text in the console's language files.
    pub fn code(&self) -> &'static str {
        match self {
            DeskError::NotFound => "not_found",
            DeskError::InCharge { .. } => "in_charge",
            DeskError::NotInCharge => "not_in_charge",
            DeskError::Resolved => "resolved",
            DeskError::NewMessages => "new_messages",
            DeskError::Empty => "empty",
            DeskError::TooLong { .. } => "too_long",
            DeskError::NoChannel(_) => "no_channel",
            DeskError::KeyReused => "key_reused",
            DeskError::Withdrawn => "withdrawn",
            DeskError::Left => "left",
            DeskError::Gap(_) => "gap",
            DeskError::NotInTrouble => "not_in_trouble",
            DeskError::NoReceiver => "no_receiver",
            DeskError::SnoozeTime => "snooze_time",
            DeskError::Offered { .. } => "offered",
            DeskError::OptedOut => "opted_out",
            DeskError::Forbidden(Forbidden::TooLate { .. }) => "too_late",
            DeskError::Forbidden(Forbidden::TooLong { .. }) => "too_many_bytes",
            DeskError::NotInQuarantine => "not_in_quarantine",
            DeskError::TooManyTags => "too_many_tags",
            DeskError::NoContact => "no_contact",
            DeskError::ManyContacts => "many_contacts",
            DeskError::TooManyContacts => "too_many_contacts",
            DeskError::SameIntent => "same_intent",
            DeskError::NoIntent => "no_intent",
            DeskError::CannotModerate => "cannot_moderate",
            DeskError::ForManagers => "for_managers",
            DeskError::Provider(_) => "provider",
            DeskError::Store(_) => "store",
        }
    }

    /// What its text names: who is in charge, how long is too long.
    pub fn detail(&self) -> String {
        match self {
            DeskError::InCharge { name } | DeskError::NoChannel(name) | DeskError::Offered { name } => {
                name.clone()
            }
            DeskError::TooLong { max } => max.to_string(),
            DeskError::Gap(name) => name.clone(),
            DeskError::Provider(why) => why.clone(),
            DeskError::Forbidden(Forbidden::TooLate { hours }) => hours.to_string(),
            DeskError::Forbidden(Forbidden::TooLong { bytes }) => bytes.to_string(),
            _ => String::new(),
        }
    }
}

/// Takes a conversation in charge, from the queue or from the bot. Of two agents at the same moment, one gets
/// it and the other reads who.
pub async fn take(store: &Store, now: Timestamp, agent: &Agent, id: ConversationId) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    match conversation.state {
        ConversationState::Resolved => return Err(DeskError::Resolved),
        ConversationState::InCharge if conversation.agent_id == Some(agent.id) => return Ok(()),
        ConversationState::InCharge => return Err(in_charge(&mut tx, &conversation).await?),
        ConversationState::Queued | ConversationState::Bot => {}
    }
    if let Some(other) = conversation.desk.offer(now).filter(|&other| other != agent.id) {
        return Err(DeskError::Offered { name: name_of(&mut tx, Some(other)).await? });
    }
    conversation.state = ConversationState::InCharge;
    conversation.agent_id = Some(agent.id);
    conversation.taken_at = Some(now);
    hand::no_offer(&mut conversation);
    tx.save_conversation(&conversation).await?;
    event(&mut tx, now, EventKind::Taken, agent, &conversation, None).await?;
    Ok(tx.commit().await?)
}

/// Takes the most pressing conversation that waits and is for this agent; not `after`, which they have just seen. None:
/// there is none.
pub async fn take_next(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    after: Option<ConversationId>,
) -> Result<Option<ConversationId>, DeskError> {
    let mut tx = store.read().await?;
    let seats = tx.seats(now).await?;
    let entries = tx.queue(LOOKED_AT, now).await?;
    drop(tx);
    let Some(seat) = seats.iter().find(|seat| seat.agent.id == agent.id) else { return Ok(None) };
    let fitting = entries
        .iter()
        .map(|entry| &entry.conversation)
        .filter(|c| c.state == ConversationState::Queued && Some(c.id) != after)
        .filter(|c| routing::fits(seat, c.desk.team, c.lang));
    for conversation in fitting {
        match take(store, now, agent, conversation.id).await {
            Ok(()) => return Ok(Some(conversation.id)),
            // A colleague was quicker.
            Err(DeskError::InCharge { .. } | DeskError::Offered { .. } | DeskError::Resolved) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Gives a conversation back to the queue: its own agent, or a manager (the agent went home).
pub async fn release(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    match conversation.state {
        ConversationState::Queued => return Ok(()),
        ConversationState::Resolved => return Err(DeskError::Resolved),
        ConversationState::Bot => return Err(DeskError::NotInCharge),
        ConversationState::InCharge if conversation.agent_id == Some(agent.id) => {}
        ConversationState::InCharge if agent.role >= Role::Manager => {}
        ConversationState::InCharge => return Err(in_charge(&mut tx, &conversation).await?),
    }
    requeue(&mut conversation, now);
    tx.save_conversation(&conversation).await?;
    event(&mut tx, now, EventKind::Released, agent, &conversation, None).await?;
    Ok(tx.commit().await?)
}

/// Ends a conversation. `seen` is the position of the last message that the agent's page showed: a newer one
/// of the customer keeps the conversation open.
pub async fn resolve(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    seen: i64,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    if conversation.state == ConversationState::Resolved {
        return Ok(());
    }
    require_charge(&mut tx, &conversation, agent).await?;
    end(&mut tx, now, agent, &mut conversation, seen).await?;
    Ok(tx.commit().await?)
}

/// Ends a conversation that the agent has in charge.
async fn end(
    tx: &mut Tx,
    now: Timestamp,
    agent: &Agent,
    conversation: &mut Conversation,
    seen: i64,
) -> Result<(), DeskError> {
    let unread = tx.messages(conversation.id, seen, 100).await?;
    if unread.iter().any(|m| m.direction == Direction::Inbound) {
        return Err(DeskError::NewMessages);
    }
    conversation.state = ConversationState::Resolved;
    conversation.resolved_at = Some(now);
    conversation.desk.snoozed_until = None;
    tx.save_conversation(conversation).await?;
    event(tx, now, EventKind::Resolved, agent, conversation, None).await?;
    Ok(())
}

/// Sends a failed message, or one that may or may not have been sent, again: a person's decision, for the
/// customer may then read it twice.
pub async fn resend(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    message: MessageId,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let conversation = lock(&mut tx, id).await?;
    if conversation.state == ConversationState::InCharge && conversation.agent_id != Some(agent.id) {
        return Err(in_charge(&mut tx, &conversation).await?);
    }
    let found = tx.lock_message(message).await?;
    let message = found
        .filter(|m| m.conversation_id == id && m.direction == Direction::Outbound)
        .ok_or(DeskError::NotFound)?;
    if !matches!(message.status, DeliveryStatus::Unknown | DeliveryStatus::Failed) {
        return Err(DeskError::NotInTrouble);
    }
    require_consent(&mut tx, &conversation, message.id).await?;
    tx.set_status(&message, DeliveryStatus::Pending, None, None, None).await?;
    send(&mut tx, now, &message).await?;
    let id = Some(message.id);
    event(&mut tx, now, EventKind::MessageRetried, agent, &conversation, id).await?;
    Ok(tx.commit().await?)
}

/// Back to the queue, where it waits for anyone who fits.
fn requeue(conversation: &mut Conversation, now: Timestamp) {
    conversation.state = ConversationState::Queued;
    conversation.agent_id = None;
    conversation.taken_at = None;
    conversation.desk.snoozed_until = None;
    // Taken from the bot, it was never escalated: from now on it waits for people.
    conversation.escalated_at.get_or_insert(now);
}

async fn lock(tx: &mut Tx, id: ConversationId) -> Result<Conversation, DeskError> {
    tx.lock_conversation(id).await?.ok_or(DeskError::NotFound)
}

async fn require_charge(tx: &mut Tx, conversation: &Conversation, agent: &Agent) -> Result<(), DeskError> {
    match conversation.state {
        ConversationState::InCharge if conversation.agent_id == Some(agent.id) => Ok(()),
        ConversationState::InCharge => Err(in_charge(tx, conversation).await?),
        ConversationState::Resolved => Err(DeskError::Resolved),
        ConversationState::Bot | ConversationState::Queued => Err(DeskError::NotInCharge),
    }
}

/// Who has opted out reads nothing but the confirmation of it.
async fn require_consent(tx: &mut Tx, conversation: &Conversation, id: MessageId) -> Result<(), DeskError> {
    let contact = tx.contact_by_id(conversation.contact_id).await?.ok_or(DeskError::NotFound)?;
    let withheld = contact.opted_out_at.is_some() && contact.opt_out_message != Some(id);
    if withheld { Err(DeskError::OptedOut) } else { Ok(()) }
}

/// The error that names who is in charge.
async fn in_charge(tx: &mut Tx, conversation: &Conversation) -> Result<DeskError, StoreError> {
    Ok(DeskError::InCharge { name: name_of(tx, conversation.agent_id).await? })
}

async fn name_of(tx: &mut Tx, agent: Option<AgentId>) -> Result<String, StoreError> {
    let name = match agent {
        Some(id) => tx.agent(id).await?.map(|agent| agent.name),
        None => None,
    };
    Ok(name.unwrap_or_else(|| "?".to_owned()))
}

/// Puts a message into the outbox, which it leaves at `at`.
async fn send(tx: &mut Tx, at: Timestamp, message: &Message) -> Result<(), StoreError> {
    tx.insert_job(NewJob { kind: JobKind::Send, message, run_at: at, broadcast: false }).await
}

async fn event(
    tx: &mut Tx,
    now: Timestamp,
    kind: EventKind,
    agent: &Agent,
    conversation: &Conversation,
    message_id: Option<MessageId>,
) -> Result<(), StoreError> {
    let data = match kind {
        EventKind::Resolved => serde_json::json!({ "by": "agent" }),
        _ => serde_json::json!({}),
    };
    let line = NewEvent { message_id, data, ..line(kind, agent, conversation) };
    tx.append_event(now, line).await
}

async fn event_with(
    tx: &mut Tx,
    now: Timestamp,
    kind: EventKind,
    agent: &Agent,
    conversation: &Conversation,
    data: serde_json::Value,
) -> Result<(), StoreError> {
    tx.append_event(now, NewEvent { data, ..line(kind, agent, conversation) }).await
}

fn line(kind: EventKind, agent: &Agent, conversation: &Conversation) -> NewEvent {
    NewEvent {
        kind,
        actor: Actor::Agent(agent.id),
        conversation_id: Some(conversation.id),
        message_id: None,
        data: serde_json::json!({}),
    }
}
