use crate::given::*;
use crate::support::TestDb;
use guichet::model::*;
use std::sync::Arc;

async fn escalated(db: &TestDb, address: &str, priority: Priority, second: i64) {
    let c = conversation(db, address).await;
    changed(db, c.id, |c| {
        c.state = ConversationState::Queued;
        c.priority = priority;
        c.reason = Some(EscalationReason::Requested);
        c.escalated_at = Some(at(second));
    })
    .await;
}

/// A bot's conversation with a message in trouble was never escalated: its age is that of its last message,
/// wherever the database would sort a null.
pub async fn the_queue_is_by_priority_then_age(db: Arc<TestDb>) {
    escalated(&db, "normal, young", Priority::Normal, 50).await;
    escalated(&db, "normal, old", Priority::Normal, 10).await;
    escalated(&db, "urgent, young", Priority::Urgent, 60).await;
    escalated(&db, "high", Priority::High, 1).await;
    escalated(&db, "urgent, old", Priority::Urgent, 5).await;
    let c = conversation(&db, "in trouble").await;
    let mut tx = db.store.begin().await.unwrap();
    let m = queue_outbound(&mut tx, &c, "x", at(30)).await;
    tx.set_status(&m, DeliveryStatus::Unknown, Some("timeout"), None, None).await.unwrap();
    tx.commit().await.unwrap();
    conversation(&db, "with the bot").await;
    let over = conversation(&db, "over").await;
    changed(&db, over.id, |c| c.state = ConversationState::Resolved).await;

    let mut tx = db.store.read().await.unwrap();
    let order: Vec<_> = tx.queue(100, at(0)).await.unwrap().into_iter().map(|e| e.address).collect();
    let expected = ["urgent, old", "urgent, young", "high", "normal, old", "in trouble", "normal, young"];
    assert_eq!(order, expected);
    assert_eq!(tx.queue(2, at(0)).await.unwrap().len(), 2);
    assert_eq!(tx.queue_size().await.unwrap(), 5);
}

pub async fn the_queue_shows_trouble_and_the_last_words(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    ingested(&db.store, inbound("+1", "b", "et alors ?"), at(1)).await;
    let person = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&person, at(0)).await.unwrap();
    for status in [DeliveryStatus::Unknown, DeliveryStatus::Failed, DeliveryStatus::Sent] {
        let m = queue_outbound(&mut tx, &c, "réponse", at(2)).await;
        tx.set_status(&m, status, None, None, None).await.unwrap();
    }
    tx.commit().await.unwrap();
    changed(&db, c.id, |c| {
        c.state = ConversationState::InCharge;
        c.agent_id = Some(person.agent.id);
    })
    .await;
    let entries = db.store.read().await.unwrap().queue(10, at(0)).await.unwrap();
    let [entry] = &entries[..] else { panic!("one entry: {entries:?}") };
    assert_eq!(entry.last_text.as_deref(), Some("et alors ?"));
    assert_eq!(entry.agent_name.as_deref(), Some("Élise Ñandú"));
    assert_eq!((entry.trouble, entry.address.as_str()), (2, "+1"));
}

/// A conversation belongs whole to the period in which it was opened, from its first moment to before its last.
pub async fn events_of_a_period_are_those_of_its_conversations(db: Arc<TestDb>) {
    for (address, second) in [("+1", 99), ("+2", 100), ("+3", 199), ("+4", 200)] {
        ingested(&db.store, inbound(address, address, "x"), at(second)).await;
    }
    ingested(&db.store, inbound("+2", "late", "x"), at(5000)).await;
    let mut tx = db.store.read().await.unwrap();
    let events = tx.events_of_period(at(100), at(200)).await.unwrap();
    assert_eq!(events.len(), 5, "two openings, three messages");
    assert_eq!(events.iter().filter(|e| e.at == at(5000)).count(), 1);
    assert!(events.iter().all(|e| e.channel == "sms" && e.intent.is_none()));
    let mut conversations: Vec<_> = events.iter().map(|e| e.conversation_id).collect();
    conversations.dedup();
    assert_eq!(conversations.len(), 2, "conversation by conversation");
}
