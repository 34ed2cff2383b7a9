use super::super::tests::reply;
use super::super::tests::{Desk, NOW, desk, person};
use super::*;
use crate::model::Role;

async fn note(desk: &Desk, by: &Agent, key: Uuid, text: &str) -> Result<(), DeskError> {
    add(&desk.store, NOW, by, desk.conversation, key, text).await
}

async fn unread(desk: &Desk, agent: &Agent) -> i64 {
    desk.store.read().await.unwrap().count_mentions(agent.id).await.unwrap()
}

#[tokio::test]
async fn a_note_calls_who_is_named_until_they_have_read_it() {
    let desk = desk().await;
    let mail = person(&desk.store, "lou@example.org", Role::Agent).await;
    let (sacha, camille) = (desk.sacha.login.to_uppercase(), desk.camille.login.clone());
    let text =
        format!("({camille}@{sacha}) vu avec @{sacha}, @{sacha} et @{}. @nobody @{camille}", mail.login);
    let key = Uuid::now_v7();
    for _ in 0..2 {
        note(&desk, &desk.camille, key, &text).await.unwrap();
    }
    assert!(matches!(note(&desk, &desk.camille, key, "other").await, Err(DeskError::KeyReused)));
    assert!(matches!(note(&desk, &desk.camille, Uuid::now_v7(), " \n").await, Err(DeskError::Empty)));
    let notes = desk.store.read().await.unwrap().notes(desk.conversation, 9).await.unwrap();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].mentions, [desk.sacha.id, mail.id], "not herself, and nobody twice");
    assert_eq!((unread(&desk, &desk.sacha).await, unread(&desk, &mail).await), (1, 1));
    assert_eq!(unread(&desk, &desk.camille).await, 0);
    let mut tx = desk.store.begin().await.unwrap();
    tx.read_mentions(desk.sacha.id, desk.conversation, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((unread(&desk, &desk.sacha).await, unread(&desk, &mail).await), (0, 1));
}

#[tokio::test]
async fn tags_are_tidy_few_and_offered_again() {
    let desk = desk().await;
    let put = async |tag: &str| add_tag(&desk.store, NOW, &desk.sacha, desk.conversation, tag).await;
    for same in [" #Objet   Trouvé,", "objet trouvé", "OBJET TROUVÉ"] {
        put(same).await.unwrap();
    }
    assert!(matches!(put(" # , ").await, Err(DeskError::Empty)));
    assert!(matches!(put(&"x".repeat(41)).await, Err(DeskError::TooLong { max: 40 })));
    for n in 1..MOST_TAGS {
        put(&format!("t{n}")).await.unwrap();
    }
    assert!(matches!(put("one more").await, Err(DeskError::TooManyTags)));
    remove_tag(&desk.store, NOW, &desk.sacha, desk.conversation, "t1").await.unwrap();
    remove_tag(&desk.store, NOW, &desk.sacha, desk.conversation, "t1").await.unwrap();
    let (conversation, _, events) = desk.read().await;
    assert_eq!(conversation.desk.tags[0], "objet trouvé");
    assert_eq!(conversation.desk.tags.len(), MOST_TAGS - 1);
    assert_eq!(events.iter().filter(|k| **k == EventKind::TagsChanged).count(), MOST_TAGS + 1);
    let offered = desk.store.read().await.unwrap().tags_lately(9).await.unwrap();
    assert_eq!(offered, conversation.desk.tags);
}

#[tokio::test]
async fn a_draft_is_seen_until_it_is_sent() {
    let desk = desk().await;
    let key = MessageId::new();
    let keep =
        async |by: &Agent, text: &str| keep_draft(&desk.store, NOW, by, desk.conversation, key, text).await;
    let seen = async || {
        let mut tx = desk.store.read().await.unwrap();
        tx.draft(desk.conversation, desk.camille.id).await.unwrap().map(|draft| draft.text)
    };
    assert!(matches!(keep(&desk.camille, "x").await, Err(DeskError::NotInCharge)));
    desk.take(&desk.camille).await.unwrap();
    assert!(matches!(keep(&desk.sacha, "x").await, Err(DeskError::InCharge { .. })));
    assert!(matches!(keep(&desk.camille, &"x".repeat(20_001)).await, Err(DeskError::TooLong { .. })));
    keep(&desk.camille, "Bonj").await.unwrap();
    keep(&desk.camille, "Bonjour").await.unwrap();
    assert_eq!(seen().await.as_deref(), Some("Bonjour"));
    reply(&desk.store, &desk.channels, NOW, &desk.camille, desk.conversation, key, "Bonjour").await.unwrap();
    assert_eq!(seen().await, None);
    // A save that was under way when the reply was sent.
    keep(&desk.camille, "Bonjour").await.unwrap();
    assert_eq!(seen().await, None);
}
