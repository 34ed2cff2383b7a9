//! What agents leave beside a conversation for each other: notes that call colleagues, drafts that they see, tags.

use super::{DeskError, event, event_with, lock, require_charge};
use crate::model::{Agent, AgentId, Conversation, ConversationId, EventKind, MessageId, Seat, Timestamp};
use crate::store::{Note, Store, Tx};
use uuid::Uuid;

/// Characters of a note.
pub const LONGEST_NOTE: usize = 2_000;
/// Characters of a draft that colleagues see; channels take less, and a paste of more is no reply.
pub const LONGEST_DRAFT: usize = 20_000;
/// Characters of a tag, and tags of one conversation.
pub const LONGEST_TAG: usize = 40;
pub const MOST_TAGS: usize = 12;

/// Adds a note; whom it calls by `@login` is told. The same note under the same key is one.
pub async fn add(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    key: Uuid,
    text: &str,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let conversation = lock(&mut tx, id).await?;
    if let Some(known) = tx.note(key).await? {
        let same = known.conversation == id && known.agent == agent.id && known.text == tidy(text);
        return if same { Ok(()) } else { Err(DeskError::KeyReused) };
    }
    write(&mut tx, now, agent, &conversation, key, text, None).await?;
    Ok(tx.commit().await?)
}

/// A note within a transaction; `also` is told of it as if it were mentioned.
pub(super) async fn write(
    tx: &mut Tx,
    now: Timestamp,
    agent: &Agent,
    conversation: &Conversation,
    key: Uuid,
    text: &str,
    also: Option<AgentId>,
) -> Result<(), DeskError> {
    let text = tidy(text);
    if text.is_empty() {
        return Err(DeskError::Empty);
    }
    if text.chars().count() > LONGEST_NOTE {
        return Err(DeskError::TooLong { max: LONGEST_NOTE });
    }
    let mut mentions = mentioned(&text, &tx.seats(now).await?);
    mentions.extend(also.filter(|also| !mentions.contains(also)));
    mentions.retain(|mentioned| *mentioned != agent.id);
    let note =
        Note { id: key, conversation: conversation.id, agent: agent.id, text, mentions, created_at: now };
    tx.insert_note(&note).await?;
    let data = serde_json::json!({ "note": note.id, "mentions": note.mentions });
    Ok(event_with(tx, now, EventKind::NoteAdded, agent, conversation, data).await?)
}

fn tidy(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

/// Who is called by `@login`, in the order of the words. A login may itself hold `@`, dots and dashes, so the longest
/// reading counts, less the punctuation of the sentence.
fn mentioned(text: &str, seats: &[Seat]) -> Vec<AgentId> {
    let of_login = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
    let mut found = Vec::new();
    for word in text.split(|c| !of_login(c)) {
        let Some(mut login) = word.strip_prefix('@') else { continue };
        while !login.is_empty() {
            let known = seats.iter().find(|seat| seat.agent.login.eq_ignore_ascii_case(login));
            if let Some(seat) = known {
                if !found.contains(&seat.agent.id) {
                    found.push(seat.agent.id);
                }
                break;
            }
            match login.strip_suffix(['.', '-', '_', '@']) {
                Some(shorter) => login = shorter,
                None => break,
            }
        }
    }
    found
}

/// Keeps what the agent in charge is writing; an empty text forgets it. `key` is that of the reply which it becomes:
/// what was sent meanwhile is no draft any more.
pub async fn keep_draft(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    key: MessageId,
    text: &str,
) -> Result<(), DeskError> {
    if text.chars().count() > LONGEST_DRAFT {
        return Err(DeskError::TooLong { max: LONGEST_DRAFT });
    }
    let mut tx = store.begin().await?;
    let conversation = lock(&mut tx, id).await?;
    require_charge(&mut tx, &conversation, agent).await?;
    let sent = tx.message(key).await?.is_some();
    let text = if sent || text.trim().is_empty() { "" } else { text };
    tx.save_draft(id, agent.id, text, now).await?;
    Ok(tx.commit().await?)
}

/// As tags are kept: small letters, single spaces, no `#` before and no comma within.
fn normalised(tag: &str) -> String {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String = tag.chars().filter(|c| !c.is_control() && *c != ',').collect();
    words(clean.trim().trim_start_matches('#')).to_lowercase()
}

/// Any agent may add a tag, to a resolved conversation too. One that is there already stays.
pub async fn add_tag(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    tag: &str,
) -> Result<(), DeskError> {
    let tag = normalised(tag);
    if tag.is_empty() {
        return Err(DeskError::Empty);
    }
    if tag.chars().count() > LONGEST_TAG {
        return Err(DeskError::TooLong { max: LONGEST_TAG });
    }
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    let tags = &mut conversation.desk.tags;
    if tags.contains(&tag) {
        return Ok(());
    }
    if tags.len() >= MOST_TAGS {
        return Err(DeskError::TooManyTags);
    }
    tags.push(tag);
    retagged(tx, now, agent, &conversation).await
}

pub async fn remove_tag(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    tag: &str,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let mut conversation = lock(&mut tx, id).await?;
    let tags = &mut conversation.desk.tags;
    let before = tags.len();
    tags.retain(|known| known != tag);
    if tags.len() == before {
        return Ok(());
    }
    retagged(tx, now, agent, &conversation).await
}

async fn retagged(
    mut tx: Tx,
    now: Timestamp,
    agent: &Agent,
    conversation: &Conversation,
) -> Result<(), DeskError> {
    tx.save_conversation(conversation).await?;
    event(&mut tx, now, EventKind::TagsChanged, agent, conversation, None).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
#[path = "notes_tests.rs"]
mod tests;
