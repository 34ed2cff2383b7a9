//! One person behind contacts of several channels: an agent says so, nobody guesses. What was linked can be unlinked.

use super::{DeskError, event_with};
use crate::channels::Channels;
use crate::model::{Agent, Contact, ContactId, Conversation, ConversationId, EventKind, Timestamp};
use crate::store::{Store, Tx};
use uuid::Uuid;

/// Contacts of one person.
pub const MOST_CONTACTS: usize = 20;

/// Links the contact of `id` with the one that `target` names: an address, or a conversation by its link or its id.
pub async fn link(
    store: &Store,
    channels: &Channels,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    target: &str,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let conversation = tx.conversation(id).await?.ok_or(DeskError::NotFound)?;
    let other = find(&mut tx, channels, target).await?;
    let locked = tx.lock_contacts(vec![conversation.contact_id, other]).await?;
    if other == conversation.contact_id || locked.len() < 2 {
        return Err(DeskError::NoContact);
    }
    let (ours, theirs) = (tx.person_of(conversation.contact_id).await?, tx.person_of(other).await?);
    let together = match (ours, theirs) {
        (Some(a), Some(b)) if a == b => return Ok(()),
        (Some(a), Some(b)) => tx.contacts_of(a).await?.len() + tx.contacts_of(b).await?.len(),
        (Some(a), None) | (None, Some(a)) => tx.contacts_of(a).await?.len() + 1,
        (None, None) => 2,
    };
    if together > MOST_CONTACTS {
        return Err(DeskError::TooManyContacts);
    }
    let person = ours.or(theirs).unwrap_or_else(Uuid::now_v7);
    if let Some(theirs) = theirs.filter(|theirs| *theirs != person) {
        tx.join_persons(theirs, person).await?;
    }
    tx.set_person(conversation.contact_id, Some(person)).await?;
    tx.set_person(other, Some(person)).await?;
    log(tx, now, EventKind::ContactLinked, agent, &conversation, other).await
}

/// Takes `other` out of the person behind the contact of `id`. What was not linked stays so.
pub async fn unlink(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    other: ContactId,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let conversation = tx.conversation(id).await?.ok_or(DeskError::NotFound)?;
    tx.lock_contacts(vec![conversation.contact_id, other]).await?;
    let Some(person) = tx.person_of(conversation.contact_id).await? else { return Ok(()) };
    if tx.person_of(other).await? != Some(person) {
        return Ok(());
    }
    tx.set_person(other, None).await?;
    // Nobody is linked with themselves.
    if let [alone] = &tx.contacts_of(person).await?[..] {
        tx.set_person(alone.id, None).await?;
    }
    log(tx, now, EventKind::ContactUnlinked, agent, &conversation, other).await
}

async fn log(
    mut tx: Tx,
    now: Timestamp,
    kind: EventKind,
    agent: &Agent,
    conversation: &Conversation,
    other: ContactId,
) -> Result<(), DeskError> {
    let data = serde_json::json!({ "contact": other });
    event_with(&mut tx, now, kind, agent, conversation, data).await?;
    tx.tell_conversation(conversation.id);
    Ok(tx.commit().await?)
}

/// The contact that an agent means. An address that two channels know must be told by a conversation.
async fn find(tx: &mut Tx, channels: &Channels, target: &str) -> Result<ContactId, DeskError> {
    let target = target.trim();
    let last = target.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let last = last.split(['?', '#']).next().unwrap_or_default();
    if let Ok(id) = last.parse::<ConversationId>() {
        let conversation = tx.conversation(id).await?;
        return conversation.map(|c| c.contact_id).ok_or(DeskError::NoContact);
    }
    let mut found: Vec<Contact> = Vec::new();
    for channel in channels.names() {
        found.extend(tx.contact_by_address(channel, target).await?);
    }
    match &found[..] {
        [] => Err(DeskError::NoContact),
        [one] => Ok(one.id),
        _ => Err(DeskError::ManyContacts),
    }
}

#[cfg(test)]
#[path = "persons_tests.rs"]
mod tests;
