//! An agent's reply: with the facts that it tells, and for a few seconds in the outbox, where it can be taken back.
//!
//! **The moment of an answer** is when it is handed to its provider, as for every message: the clocks of reports read
//! `message_sent`, so the seconds of waiting are counted in, and a reply that was taken back is no answer. A promise
//! ([`super::sla`]) is kept when the reply is written; taken back, it is open again, for the message is gone.
//!
//! **Taken back** is decided by the row of its job: whoever deletes it before a worker has claimed it wins, and the customer
//! never reads the message; whoever claims it first sends it. After a crash the job is still there and the reply leaves.

use super::assist::kept::kept;
use super::{DeskError, end, line, lock, require_charge, require_consent, send as put_out};
use crate::answers::canned::gap;
use crate::channels::Channels;
use crate::model::{
    Agent, Author, Conversation, ConversationId, ConversationState, Direction, EventKind, Fact, Message,
    MessageId, MessageKind, NewEvent, Timestamp,
};
use crate::queue::deliver::outgoing;
use crate::store::{Store, Tx};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// Drafts looked at for one reply; more are not put into one text.
pub const MOST_DRAFTS: usize = 8;

/// What an agent sends.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// The message's id, chosen by the page: the same text under the same key is sent once, however often the form arrives.
    pub key: MessageId,
    pub text: &'a str,
    /// The proposals that the agent put into the text; their facts go with it where the text still tells them.
    pub drafts: &'a [Uuid],
    /// Ends the conversation with it, unless the customer has written after this position.
    pub resolve: Option<i64>,
    /// How long it waits and can be taken back.
    pub undo: Duration,
}

impl<'a> Reply<'a> {
    /// Words alone, which leave at once.
    pub fn plain(key: MessageId, text: &'a str) -> Self {
        Self { key, text, drafts: &[], resolve: None, undo: Duration::ZERO }
    }
}

/// Writes the reply of the agent in charge and, where it says so, ends the conversation: one transaction.
pub async fn send(
    store: &Store,
    channels: &Channels,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    reply: Reply<'_>,
) -> Result<(), DeskError> {
    let text = reply.text.replace("\r\n", "\n");
    let text = text.trim();
    if text.is_empty() {
        return Err(DeskError::Empty);
    }
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    if let Some(known) = tx.message(reply.key).await? {
        let same = known.conversation_id == id && known.agent_id == Some(agent.id) && known.text == text;
        if !same {
            return Err(DeskError::KeyReused);
        }
        // Sent before, and now it is to be the last word.
        let mine =
            conversation.state == ConversationState::InCharge && conversation.agent_id == Some(agent.id);
        if let Some(seen) = reply.resolve.filter(|_| mine) {
            end(&mut tx, now, agent, &mut conversation, seen).await?;
            tx.commit().await?;
        }
        return Ok(());
    }
    if tx.withdrawn(reply.key).await?.is_some() {
        return Err(DeskError::Withdrawn);
    }
    require_charge(&mut tx, &conversation, agent).await?;
    if let Some(name) = gap(text) {
        return Err(DeskError::Gap(name.to_owned()));
    }
    let channel = channels
        .get(&conversation.channel)
        .ok_or_else(|| DeskError::NoChannel(conversation.channel.clone()))?;
    let contact = tx.contact_by_id(conversation.contact_id).await?.ok_or(DeskError::NotFound)?;
    let max = channel.longest(&contact.address);
    if channel.parts(&contact.address, text).len() > 1 {
        return Err(DeskError::TooLong { max });
    }
    require_consent(&mut tx, &conversation, reply.key).await?;
    let told = told(&mut tx, agent, id, reply.drafts, text).await?;
    let outbound = Message::outbound(&conversation, Author::Agent, MessageKind::Text, text.to_owned(), now);
    let mut message =
        channels.charged(Message { id: reply.key, agent_id: Some(agent.id), facts: told.facts, ..outbound });
    if let Some(forbidden) = channel.refuses(&outgoing(&mut tx, &contact, &message).await?, now) {
        return Err(DeskError::Forbidden(forbidden));
    }
    tx.insert_message(&mut message).await?;
    put_out(&mut tx, now.plus(reply.undo), &message).await?;
    tx.save_draft(id, agent.id, "", now).await?;
    let data = json!({ "responses": told.responses, "undo_ms": reply.undo.as_millis() as u64 });
    note(&mut tx, now, EventKind::AgentAnswered, agent, &conversation, message.id, data).await?;
    if let Some(seen) = reply.resolve {
        end(&mut tx, now, agent, &mut conversation, seen).await?;
    }
    Ok(tx.commit().await?)
}

/// What the drafts of a reply leave with it.
#[derive(Default)]
struct Told {
    facts: Vec<Fact>,
    /// The responses that were used, whether or not a fact of them is still told.
    responses: Vec<String>,
}

async fn told(
    tx: &mut Tx,
    agent: &Agent,
    id: ConversationId,
    drafts: &[Uuid],
    text: &str,
) -> Result<Told, DeskError> {
    let mut told = Told::default();
    for draft in drafts.iter().take(MOST_DRAFTS) {
        let Some(proposal) = tx.proposed_reply(*draft, id, agent.id).await? else { continue };
        for fact in kept(&proposal.text, proposal.facts, text) {
            if !told.facts.contains(&fact) {
                told.facts.push(fact);
            }
        }
        told.responses.push(proposal.response);
    }
    Ok(told)
}

/// Takes a reply back that has not left: its text, for the box. Asked twice, it answers the same.
///
/// # Errors
/// [`DeskError::Left`]: it has been handed over, or is being; [`DeskError::NotFound`]: it is nobody's or another's.
pub async fn withdraw(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    message: MessageId,
) -> Result<String, DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    if let Some(known) = tx.withdrawn(message).await? {
        let own = known.conversation_id == id && known.agent_id == agent.id;
        return if own { Ok(known.text) } else { Err(DeskError::NotFound) };
    }
    let found = tx.message(message).await?;
    let own = |m: &Message| {
        m.conversation_id == id && m.agent_id == Some(agent.id) && m.direction == Direction::Outbound
    };
    let found = found.filter(own).ok_or(DeskError::NotFound)?;
    if !tx.withdraw(&found, agent.id, now).await? {
        return Err(DeskError::Left);
    }
    let reopened = ended_with(&conversation, &found, agent)
        && !tx.has_open_conversation(conversation.contact_id).await?;
    if reopened {
        conversation.state = ConversationState::InCharge;
        conversation.resolved_at = None;
        tx.save_conversation(&conversation).await?;
    }
    let data = json!({ "reopened": reopened });
    note(&mut tx, now, EventKind::ReplyWithdrawn, agent, &conversation, message, data).await?;
    tx.commit().await?;
    Ok(found.text)
}

/// Whether the conversation was ended together with this reply.
fn ended_with(conversation: &Conversation, reply: &Message, agent: &Agent) -> bool {
    conversation.state == ConversationState::Resolved
        && conversation.resolved_at == Some(reply.created_at)
        && conversation.agent_id == Some(agent.id)
}

async fn note(
    tx: &mut Tx,
    now: Timestamp,
    kind: EventKind,
    agent: &Agent,
    conversation: &Conversation,
    message: MessageId,
    data: serde_json::Value,
) -> Result<(), DeskError> {
    let event = NewEvent { message_id: Some(message), data, ..line(kind, agent, conversation) };
    Ok(tx.append_event(now, event).await?)
}
