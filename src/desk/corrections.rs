//! "This was not X but Y": an agent proposes, a manager decides. The files of intents are changed by people, with
//! `guichet import`, never by the server.

use super::{DeskError, event_with, lock};
use crate::model::{Agent, ConversationId, Direction, EventKind, Lang, MessageId, Timestamp, Understanding};
use crate::store::{Proposal, Store};
use uuid::Uuid;

/// Characters of an example; a longer message teaches little, and its beginning is proposed.
pub const LONGEST_EXAMPLE: usize = 500;

/// What the bot read in a message first; none: nothing.
fn read_as(understanding: Option<&Understanding>) -> Option<String> {
    Some(understanding?.intents.first()?.intent.clone())
}

/// Proposes `intent` for a customer's message, once. `intent` must be one that the bot knows: the caller looks.
pub async fn propose(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    id: ConversationId,
    message: MessageId,
    intent: &str,
) -> Result<(), DeskError> {
    let mut tx = store.begin().await?;
    let conversation = lock(&mut tx, id).await?;
    let found = tx.message(message).await?;
    let message = found
        .filter(|m| m.conversation_id == id && m.direction == Direction::Inbound)
        .ok_or(DeskError::NotFound)?;
    let text: String = message.text.trim().chars().take(LONGEST_EXAMPLE).collect();
    if text.is_empty() {
        return Err(DeskError::Empty);
    }
    let read_as = read_as(message.understanding.as_ref());
    if read_as.as_deref() == Some(intent) {
        return Err(DeskError::SameIntent);
    }
    let written = message.understanding.as_ref().map(|u| u.lang);
    let proposal = Proposal {
        id: Uuid::now_v7(),
        message: message.id,
        conversation: id,
        agent: agent.id,
        agent_name: agent.name.clone(),
        lang: written.or(conversation.lang).unwrap_or(Lang::FR),
        text,
        read_as,
        intent: intent.to_owned(),
        created_at: now,
        accepted: None,
    };
    if !tx.insert_proposal(&proposal).await? {
        return Ok(());
    }
    let data = serde_json::json!({ "message": message.id, "was": proposal.read_as, "intent": intent });
    event_with(&mut tx, now, EventKind::BotCorrected, agent, &conversation, data).await?;
    Ok(tx.commit().await?)
}

/// A manager's decision; `text` is the example as it is to be learned, without what names the customer.
pub async fn decide(
    store: &Store,
    now: Timestamp,
    manager: &Agent,
    proposal: Uuid,
    accepted: bool,
    text: &str,
) -> Result<(), DeskError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if accepted && text.is_empty() {
        return Err(DeskError::Empty);
    }
    if text.chars().count() > LONGEST_EXAMPLE {
        return Err(DeskError::TooLong { max: LONGEST_EXAMPLE });
    }
    let mut tx = store.begin().await?;
    let text = Some(text.as_str()).filter(|_| accepted);
    let Some(intent) = tx.decide_proposal(proposal, manager.id, accepted, text, now).await? else {
        return Ok(());
    };
    let action = if accepted { "correction.accepted" } else { "correction.refused" };
    let data = serde_json::json!({ "proposal": proposal });
    tx.audit(now, Some(manager.id), action, &intent, &data).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, desk};
    use super::*;
    use crate::model::{IntentScore, Tone};

    #[tokio::test]
    async fn a_correction_is_proposed_once_and_decided_once() {
        let desk = desk().await;
        let (_, messages, _) = desk.read().await;
        let mut tx = desk.store.begin().await.unwrap();
        let understanding = Understanding {
            lang: Lang::EN,
            intents: vec![IntentScore { intent: "general.thanks".into(), confidence: 0.6 }],
            entities: Vec::new(),
            questions: Vec::new(),
            tone: Tone::Neutral,
            model: "m".into(),
        };
        tx.set_understanding(messages[0].id, &understanding).await.unwrap();
        tx.commit().await.unwrap();
        let propose = async |message, intent| {
            propose(&desk.store, NOW, &desk.camille, desk.conversation, message, intent).await
        };
        let same = propose(messages[0].id, "general.thanks").await;
        assert!(matches!(same, Err(DeskError::SameIntent)));
        assert!(matches!(propose(MessageId::new(), "x.y").await, Err(DeskError::NotFound)));
        for _ in 0..2 {
            propose(messages[0].id, "traffic.train_delay").await.unwrap();
        }
        let events = desk.read().await.2;
        assert_eq!(events.iter().filter(|k| **k == EventKind::BotCorrected).count(), 1);
        let open = async || desk.store.read().await.unwrap().open_proposals(9).await.unwrap();
        let proposed = open().await.remove(0);
        assert_eq!((proposed.read_as.as_deref(), proposed.lang), (Some("general.thanks"), Lang::EN));
        assert_eq!((proposed.text.as_str(), proposed.accepted), (messages[0].text.trim(), None));

        let decide =
            async |accepted, text| decide(&desk.store, NOW, &desk.sacha, proposed.id, accepted, text).await;
        assert!(matches!(decide(true, " ").await, Err(DeskError::Empty)));
        let long = "x".repeat(501);
        assert!(matches!(decide(true, &long).await, Err(DeskError::TooLong { max: 500 })));
        decide(true, "is my\ntrain late ").await.unwrap();
        decide(false, "").await.unwrap();
        assert!(open().await.is_empty());
        let mut tx = desk.store.read().await.unwrap();
        let accepted = tx.accepted_proposals(9).await.unwrap();
        assert_eq!((accepted.len(), accepted[0].text.as_str()), (1, "is my train late"));
        let audit = tx.audit_lines(&Default::default(), i64::MAX, 9).await.unwrap();
        assert_eq!(audit.iter().filter(|line| line.action.starts_with("correction.")).count(), 1);
    }
}
