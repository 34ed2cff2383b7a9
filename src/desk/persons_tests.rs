use super::super::tests::{Desk, NOW, desk};
use super::*;
use crate::store::Ingest;
use std::time::Duration;

async fn wrote(desk: &Desk, channel: &str, address: &str) -> Conversation {
    let mut tx = desk.store.begin().await.unwrap();
    let provider_id = format!("{channel} {address}");
    let inbound = Ingest { channel, address, provider_id: &provider_id, text: "x", ..Ingest::default() };
    let id = tx.ingest(inbound, NOW.plus(Duration::from_secs(1)), Duration::ZERO).await.unwrap();
    let conversation = tx.conversation(id.conversation_id).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    conversation
}

#[tokio::test]
async fn contacts_are_linked_as_an_agent_says_and_unlinked_again() {
    let desk = desk().await;
    let (one, two) = (wrote(&desk, "web", "one").await, wrote(&desk, "old-channel", "two").await);
    let mine = desk.read().await.0;
    let with = async |target: &str| {
        link(&desk.store, &desk.channels, NOW, &desk.camille, desk.conversation, target).await
    };
    let earlier = async |of: &Conversation| {
        let mut tx = desk.store.read().await.unwrap();
        let found = tx.earlier_conversations(of.contact_id, of.id, 9).await.unwrap();
        let mut ids: Vec<ConversationId> = found.into_iter().map(|e| e.conversation.id).collect();
        ids.sort_unstable();
        ids
    };
    for nobody in ["", "three", "two", &mine.id.to_string(), &ConversationId::new().to_string()] {
        assert!(matches!(with(nobody).await, Err(DeskError::NoContact)), "{nobody}");
    }
    assert!(earlier(&mine).await.is_empty(), "never guessed");
    with(" one ").await.unwrap();
    with("one").await.unwrap();
    let address = format!("https://desk.example/console/conversations/{}?x#m-1", two.id);
    with(&address).await.unwrap();
    let mut both = vec![one.id, two.id];
    both.sort_unstable();
    assert_eq!(earlier(&mine).await, both);
    assert!(earlier(&two).await.contains(&mine.id), "from either side");

    let apart = async |other: ContactId| {
        unlink(&desk.store, NOW, &desk.camille, desk.conversation, other).await.unwrap();
    };
    apart(two.contact_id).await;
    apart(two.contact_id).await;
    assert_eq!(earlier(&mine).await, [one.id]);
    apart(one.contact_id).await;
    assert!(earlier(&mine).await.is_empty() && earlier(&one).await.is_empty());
    let mut tx = desk.store.read().await.unwrap();
    assert_eq!(tx.person_of(mine.contact_id).await.unwrap(), None, "nobody is linked with themselves");
    drop(tx);
    let events = desk.read().await.2;
    let count = |kind| events.iter().filter(|k| **k == kind).count();
    assert_eq!((count(EventKind::ContactLinked), count(EventKind::ContactUnlinked)), (2, 2));
}

#[tokio::test]
async fn two_persons_become_one() {
    let desk = desk().await;
    let others = [wrote(&desk, "web", "one").await, wrote(&desk, "web", "two").await];
    let third = wrote(&desk, "web", "three").await;
    let link = async |from: ConversationId, to: &str| {
        link(&desk.store, &desk.channels, NOW, &desk.camille, from, to).await.unwrap();
    };
    link(desk.conversation, "one").await;
    link(others[1].id, "three").await;
    link(desk.conversation, "three").await;
    let mut tx = desk.store.read().await.unwrap();
    let person = tx.person_of(third.contact_id).await.unwrap().unwrap();
    assert_eq!(tx.contacts_of(person).await.unwrap().len(), 4);
}
