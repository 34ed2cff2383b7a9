//! Access tokens and hooks.

use crate::given::*;
use crate::support::TestDb;
use guichet::config::Secret;
use guichet::model::*;
use guichet::store::{HookEvent, NewToken, Tx};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub async fn a_token_opens_until_it_ends(db: Arc<TestDb>) {
    let elise = agent("elise");
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&elise, at(0)).await.unwrap();
    let new = |token_hash, expires_at| NewToken {
        token_hash,
        agent: elise.agent.id,
        name: "a",
        read_only: true,
        expires_at,
    };
    let short = tx.insert_token(&new("short", Some(at(10))), at(0)).await.unwrap();
    let long = tx.insert_token(&new("long", None), at(1)).await.unwrap();
    let holder = tx.token("short", at(9)).await.unwrap().unwrap();
    assert_eq!((holder.token, &holder.agent, holder.read_only), (short, &elise.agent, true));
    assert!(tx.token("short", at(10)).await.unwrap().is_none());
    tx.token_used(long, at(5)).await.unwrap();
    let listed = tx.tokens_of(elise.agent.id).await.unwrap();
    assert_eq!(
        listed.iter().map(|t| (t.id, t.last_used_at)).collect::<Vec<_>>(),
        [(long, Some(at(5))), (short, None)]
    );
    assert!(tx.revoke_token(AgentId::new(), long, at(6)).await.unwrap().is_none(), "of someone else");
    assert_eq!(tx.revoke_token(elise.agent.id, long, at(6)).await.unwrap().as_deref(), Some("a"));
    assert!(tx.token("long", at(6)).await.unwrap().is_none());
    tx.set_disabled(elise.agent.id, Some(at(7))).await.unwrap();
    assert!(tx.token("short", at(8)).await.unwrap().is_none());
    assert_eq!(tx.revoke_tokens(elise.agent.id, at(8)).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

async fn taken(tx: &mut Tx, conversation: &Conversation, at: Timestamp) {
    let event = NewEvent {
        kind: EventKind::Taken,
        actor: Actor::System,
        conversation_id: Some(conversation.id),
        message_id: None,
        data: json!({}),
    };
    tx.append_event(at, event).await.unwrap();
}

/// Other databases of the same Postgres have transactions too, which may hold lines back for a moment: looks until there are
/// so many.
async fn events(db: &TestDb, after: i64, count: usize) -> Vec<HookEvent> {
    let look = async {
        loop {
            let found = db.store.read().await.unwrap().hook_events(after, 10).await.unwrap();
            if found.len() == count {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), look).await.unwrap()
}

/// A line with a lower number that is committed later is not passed over.
pub async fn a_hook_reads_no_further_than_what_surely_happened(db: Arc<TestDb>) {
    let (one, other) = (conversation(&db, "1").await, conversation(&db, "2").await);
    let mut slow = db.store.begin().await.unwrap();
    taken(&mut slow, &one, at(1)).await;
    // SQLite has one writer: there is nothing to overtake.
    if !db.store.single_instance() {
        let mut quick = db.store.begin().await.unwrap();
        taken(&mut quick, &other, at(2)).await;
        quick.commit().await.unwrap();
    }
    let store = db.store.clone();
    let reader = tokio::spawn(async move {
        let mut tx = store.begin().await.unwrap();
        tx.settle_events().await.unwrap();
        let seen = tx.hook_events(0, 10).await.unwrap();
        tx.commit().await.unwrap();
        seen
    });
    tokio::task::yield_now().await;
    slow.commit().await.unwrap();
    let seen = reader.await.unwrap();
    assert!(seen.iter().any(|told| told.event.conversation_id == Some(one.id)), "{seen:?}");
    assert_eq!(seen.len(), if db.store.single_instance() { 1 } else { 2 });
}

pub async fn deliveries_wait_in_their_order(db: Arc<TestDb>) {
    let c = conversation(&db, "1").await;
    let mut tx = db.store.begin().await.unwrap();
    let id = tx.insert_hook("https://x.example/", &Secret::new("s"), &["taken".into()], at(0)).await.unwrap();
    for second in 1..=3 {
        taken(&mut tx, &c, at(second)).await;
    }
    tx.commit().await.unwrap();
    let events = events(&db, 0, 3).await;
    let mut tx = db.store.begin().await.unwrap();
    let hook = tx.lock_hook(id).await.unwrap().unwrap();
    assert!(hook.seen_seq < events[0].event.seq, "what happened before is not told");
    for told in &events {
        for _ in 0..2 {
            tx.insert_delivery(uuid::Uuid::now_v7(), id, told.event.seq, "{}", at(9)).await.unwrap();
        }
    }
    tx.hook_seen(id, events[2].event.seq).await.unwrap();
    assert_eq!(tx.deliveries_waiting(id).await.unwrap(), 3, "each once");
    let first = tx.next_delivery(id).await.unwrap().unwrap();
    assert_eq!(first.event_seq, events[0].event.seq);
    tx.delivery_later(first.id, at(10), "500", at(70)).await.unwrap();
    let waits = tx.next_delivery(id).await.unwrap().unwrap();
    assert_eq!((waits.id, waits.attempts, waits.run_at), (first.id, 1, at(70)), "those behind it wait");
    tx.delivery_done(first.id, at(70), "200").await.unwrap();
    let second = tx.next_delivery(id).await.unwrap().unwrap();
    tx.delivery_failed(second.id, at(80), "timeout").await.unwrap();
    tx.set_hook_disabled(id, Some(at(80))).await.unwrap();
    assert_eq!(tx.next_delivery(id).await.unwrap().unwrap().event_seq, events[2].event.seq);
    assert_eq!(tx.deliveries_again(id, at(90)).await.unwrap(), 2);
    assert_eq!(tx.next_delivery(id).await.unwrap().unwrap().id, second.id);
    assert!(tx.delivery_again(id, first.id, at(91)).await.unwrap());
    assert!(!tx.delivery_again(uuid::Uuid::now_v7(), first.id, at(91)).await.unwrap(), "of another hook");
    tx.delivery_done(first.id, at(92), "200").await.unwrap();
    let listed = tx.deliveries_of_hook(id, 10).await.unwrap();
    assert_eq!(
        listed.iter().map(|(_, kind, when, _)| (*kind, *when)).collect::<Vec<_>>(),
        [(EventKind::Taken, at(3)), (EventKind::Taken, at(2)), (EventKind::Taken, at(1))]
    );
    assert_eq!(tx.expire_deliveries(at(92)).await.unwrap(), 0);
    assert_eq!(tx.expire_deliveries(at(93)).await.unwrap(), 1);
    tx.delete_hook(id).await.unwrap();
    assert!(tx.hooks().await.unwrap().is_empty());
    tx.commit().await.unwrap();
}
