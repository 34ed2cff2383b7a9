//! What people do to public posts of customers: like, hide, show again, delete. The provider is asked outside of any
//! transaction; who asked for what is written down before, what came of it afterwards.

use super::{DeskError, in_charge, line, lock};
use crate::channels::{Channel, Channels, Moderation, Trace};
use crate::clock::Clock;
use crate::model::{
    Agent, Conversation, ConversationId, ConversationState, Direction, EventKind, Message, MessageId,
    NewEvent, Role,
};
use crate::store::{Store, Tx};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The page waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Does `action` to a message of the customer, at its provider. Whoever may answer the conversation may; deleting what a
/// customer said is for managers.
///
/// # Errors
/// [`DeskError::CannotModerate`]: nothing was asked. [`DeskError::Provider`]: it was, and is not done, or may be.
pub async fn moderate(
    store: &Store,
    channels: &Channels,
    clock: &Arc<dyn Clock>,
    agent: &Agent,
    (id, message): (ConversationId, MessageId),
    action: Moderation,
) -> Result<(), DeskError> {
    if action == Moderation::Delete && agent.role < Role::Manager {
        return Err(DeskError::ForManagers);
    }
    let mut tx = store.begin().await?;
    let conversation = lock(&mut tx, id).await?;
    if conversation.state == ConversationState::InCharge && conversation.agent_id != Some(agent.id) {
        return Err(in_charge(&mut tx, &conversation).await?);
    }
    let (channel, post, address) = public(&mut tx, channels, &conversation, message, action).await?;
    let target = format!("{} {}", conversation.channel, post.id);
    let about = json!({ "conversation": id.to_string() });
    tx.audit(clock.now(), Some(agent.id), &format!("post.{}", action.as_str()), &target, &about).await?;
    tx.commit().await?;

    let trace = Trace::new(clock.clone(), &[&address]);
    let provider_id = post.provider_id.as_deref().unwrap_or_default();
    let asked = tokio::time::timeout(PATIENCE, channel.moderate(action, provider_id, &trace)).await;
    let why = match asked {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the provider did not answer in time".to_owned()),
    };
    let mut tx = store.begin().await?;
    for call in trace.take() {
        tx.insert_call(post.id, &call).await?;
    }
    let data = json!({ "action": action.as_str(), "done": why.is_none() });
    let event = line(EventKind::Moderated, agent, &conversation);
    tx.append_event(clock.now(), NewEvent { message_id: Some(post.id), data, ..event }).await?;
    tx.commit().await?;
    why.map_or(Ok(()), |why| Err(DeskError::Provider(why)))
}

/// The channel and the post, when the channel has such an action for it.
async fn public(
    tx: &mut Tx,
    channels: &Channels,
    conversation: &Conversation,
    message: MessageId,
    action: Moderation,
) -> Result<(Arc<dyn Channel>, Message, String), DeskError> {
    let found = tx.message(message).await?;
    let post = found
        .filter(|m| m.conversation_id == conversation.id && m.direction == Direction::Inbound)
        .ok_or(DeskError::NotFound)?;
    let contact = tx.contact_by_id(conversation.contact_id).await?.ok_or(DeskError::NotFound)?;
    let channel = channels
        .get(&conversation.channel)
        .ok_or_else(|| DeskError::NoChannel(conversation.channel.clone()))?;
    let has = channel.is_public(&contact.address) && channel.moderations().contains(&action);
    if !has || post.provider_id.is_none() {
        return Err(DeskError::CannotModerate);
    }
    Ok((channel.clone(), post, contact.address))
}

#[cfg(test)]
#[path = "moderation_tests.rs"]
mod tests;
