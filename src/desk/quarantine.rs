//! What people do with a contact that seems to send spam: let it go, or say that it is.

use super::{DeskError, event, lock};
use crate::model::{Agent, ConversationId, ConversationState, EventKind, Timestamp};
use crate::store::Store;

/// Messages that were set aside are read from the last one on; one is enough to begin.
const LAST: i64 = 1;

/// Lets the contact out of quarantine; what was set aside is read now.
pub async fn release(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let conversation = lock(&mut tx, id).await?;
    if !tx.end_quarantine(&conversation).await? {
        return Ok(());
    }
    if let Some(message) = tx.aside(id, LAST).await?.first()
        && conversation.state != ConversationState::Resolved
    {
        tx.read_later(message, now).await?;
    }
    event(&mut tx, now, EventKind::QuarantineEnded, agent, &conversation, None).await?;
    Ok(tx.commit().await?)
}

/// It is spam: the conversation is over, and what the contact writes next is not read either, but for an emergency.
pub async fn confirm(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    if tx.quarantine_of(conversation.contact_id).await?.is_none() {
        return Err(DeskError::NotInQuarantine);
    }
    tx.confirm_spam(&conversation, now).await?;
    // Whoever is in charge of it decides when it ends.
    if conversation.state == ConversationState::Bot {
        conversation.state = ConversationState::Resolved;
        conversation.resolved_at = Some(now);
        tx.save_conversation(&conversation).await?;
        event(&mut tx, now, EventKind::SpamConfirmed, agent, &conversation, None).await?;
        event(&mut tx, now, EventKind::Resolved, agent, &conversation, None).await?;
    }
    Ok(tx.commit().await?)
}
