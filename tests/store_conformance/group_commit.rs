//! What only SQLite does: many transactions in one commit. Each must still stand or fall by itself.

use crate::given::*;
use crate::support::TestDb;
use guichet::store::Store;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinSet;

async fn stored(db: &TestDb) -> BTreeSet<String> {
    let texts = db.raw().await.texts("SELECT text FROM messages").await;
    let unique: BTreeSet<_> = texts.iter().cloned().collect();
    assert_eq!(unique.len(), texts.len(), "nothing is stored twice");
    unique
}

/// 200 at once; every third is cancelled somewhere between its first poll and its commit. What was told to be
/// committed is there; of what was cancelled, all or nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancelled_transactions_harm_nobody() {
    let db = Arc::new(TestDb::sqlite().await);
    let mut tasks = Vec::new();
    for n in 0..200 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            let text = format!("{n}");
            ingested(&db.store, inbound(&format!("+{}", n % 40), &text, &text), at(n)).await;
            text
        }));
    }
    for (n, task) in tasks.iter().enumerate() {
        if n % 3 == 0 {
            // Not a wait for something: it spreads the cancellations over all stages of a transaction.
            for _ in 0..n % 17 {
                tokio::task::yield_now().await;
            }
            task.abort();
        }
    }
    let mut committed = BTreeSet::new();
    for (n, task) in tasks.into_iter().enumerate() {
        match task.await {
            Ok(text) => _ = committed.insert(text),
            Err(error) => assert!(error.is_cancelled() && n % 3 == 0, "{n}: {error}"),
        }
    }
    // The writer serves on, and what it stores is what it says.
    committed.insert("last".to_owned());
    ingested(&db.store, inbound("+last", "last", "last"), at(300)).await;
    let stored = stored(&db).await;
    assert!(committed.is_subset(&stored), "lost: {:?}", committed.difference(&stored));
    let uncertain: Vec<_> = stored.difference(&committed).collect();
    assert!(uncertain.iter().all(|t| t.parse::<usize>().unwrap() % 3 == 0), "{uncertain:?}");
    // All or nothing: a message has its job and its event.
    let mut raw = db.raw().await;
    let n = i64::try_from(stored.len()).unwrap();
    assert_eq!((raw.count("jobs").await, raw.count("events WHERE kind = 'message_received'").await), (n, n));
}

/// A future dropped at each of its suspension points in turn: the writer survives all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_can_be_dropped_at_any_point() {
    let db = TestDb::sqlite().await;
    for polls in 0..60 {
        let text = format!("dropped after {polls}");
        {
            let id = format!("d{polls}");
            let future = ingested(&db.store, inbound("+1", &id, &text), at(0));
            let mut future = std::pin::pin!(future);
            for _ in 0..polls {
                if futures::poll!(future.as_mut()).is_ready() {
                    break;
                }
                // Lets the database's thread answer, so that the next poll gets further.
                tokio::task::yield_now().await;
            }
        }
        let after = format!("after {polls}");
        ingested(&db.store, inbound("+2", &after, &after), at(1)).await;
    }
    let stored = stored(&db).await;
    assert_eq!(stored.iter().filter(|t| t.starts_with("after")).count(), 60);
}

/// Nobody commits after it, yet it must not keep the file locked: `guichet user add` runs beside the server.
#[tokio::test]
async fn what_is_dropped_frees_the_file() {
    let db = TestDb::sqlite().await;
    let mut tx = db.store.begin().await.unwrap();
    tx.use_nonce("http", "n", at(1)).await.unwrap();
    drop(tx);
    let other = Store::open(&db.url, 2).await.unwrap();
    let mut tx = other.begin().await.unwrap();
    assert!(tx.use_nonce("http", "n", at(1)).await.unwrap());
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_error_in_one_transaction_does_not_harm_the_others() {
    let db = Arc::new(TestDb::sqlite().await);
    let c = conversation(&db, "+0").await;
    let mut tasks = JoinSet::new();
    for n in 0..100 {
        let (db, c) = (db.clone(), c.clone());
        tasks.spawn(async move {
            let text = format!("{n}");
            let mut tx = db.store.begin().await.unwrap();
            tx.ingest(inbound(&format!("+{n}"), &text, &text), at(n), NEVER_REOPEN).await.unwrap();
            if n % 4 == 0 {
                let mut twin = outbound(&c, "twin", at(n));
                tx.insert_message(&mut twin).await.unwrap();
                tx.insert_message(&mut twin).await.unwrap_err();
                tx.commit().await.unwrap_err();
            } else {
                tx.commit().await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let mut expected: BTreeSet<_> = (0..100).filter(|n| n % 4 != 0).map(|n| n.to_string()).collect();
    expected.insert("bonjour".into());
    assert_eq!(stored(&db).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reopening_without_close_finds_all_that_was_committed() {
    let db = Arc::new(TestDb::sqlite().await);
    let second = Store::open(&db.url, 2).await.unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..100 {
        let (db, second) = (db.clone(), second.clone());
        tasks.spawn(async move {
            let text = format!("{n}");
            let store = if n % 2 == 0 { &db.store } else { &second };
            ingested(store, inbound(&format!("+{n}"), &text, &text), at(n)).await;
        });
    }
    tasks.join_all().await;
    let mut left_open = second.begin().await.unwrap();
    left_open.ingest(inbound("+x", "x", "x"), at(0), NEVER_REOPEN).await.unwrap();
    drop((left_open, second));
    let reopened = Store::open(&db.url, 2).await.unwrap();
    let stored = stored(&db).await;
    assert_eq!(stored.len(), 100);
    ingested(&reopened, inbound("+y", "y", "y"), at(0)).await;
}
