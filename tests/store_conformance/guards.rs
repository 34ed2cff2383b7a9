use crate::given::*;
use crate::support::{Dialect, TestDb};
use guichet::model::*;
use guichet::store::{Hint, JobKind};
use std::sync::Arc;

pub async fn events_are_append_only(db: Arc<TestDb>) {
    conversation(&db, "+1").await;
    let mut raw = db.raw().await;
    let mut attempts = vec![
        "UPDATE events SET at = 0",
        "UPDATE events SET data = '{}' WHERE seq = 1",
        "DELETE FROM events",
        "DELETE FROM events WHERE seq = 1",
    ];
    match db.dialect {
        Dialect::Sqlite => attempts.push(
            "REPLACE INTO events (seq, at, kind, actor, data) VALUES (1, 0, 'message_received', 'system', '{}')",
        ),
        Dialect::Postgres => attempts.push("TRUNCATE events"),
    }
    for attempt in attempts {
        let refused = raw.execute(attempt).await.expect_err(attempt);
        assert!(refused.to_string().contains("append-only"), "{attempt}: {refused}");
    }
    assert_eq!(raw.count("events WHERE at > 0").await, 2);
}

pub async fn the_audit_log_is_append_only(db: Arc<TestDb>) {
    let mut tx = db.store.begin().await.unwrap();
    tx.audit(at(1), None, "sign_in", "elise", &serde_json::json!({})).await.unwrap();
    tx.commit().await.unwrap();
    let mut raw = db.raw().await;
    let mut attempts = vec![
        "UPDATE audit SET at = 0",
        "UPDATE audit SET target = 'hugo' WHERE seq = 1",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE action = 'sign_in'",
    ];
    match db.dialect {
        Dialect::Sqlite => attempts.push(
            "REPLACE INTO audit (seq, at, action, target, data) VALUES (1, 0, 'sign_in', 'hugo', '{}')",
        ),
        Dialect::Postgres => attempts.push("TRUNCATE audit"),
    }
    for attempt in attempts {
        let refused = raw.execute(attempt).await.expect_err(attempt);
        assert!(refused.to_string().contains("append-only"), "{attempt}: {refused}");
    }
    assert_eq!(raw.count("audit WHERE at > 0 AND target = 'elise'").await, 1);
}

pub async fn what_is_dropped_leaves_nothing(db: Arc<TestDb>) {
    for _ in 0..3 {
        let mut tx = db.store.begin().await.unwrap();
        tx.ingest(inbound("+1", "a", "un"), at(0), NEVER_REOPEN).await.unwrap();
        tx.use_nonce("http", "n", at(9)).await.unwrap();
        drop(tx);
    }
    // Nor does it stand in anyone's way.
    let mut raw = db.raw().await;
    raw.execute("DELETE FROM nonces").await.unwrap();
    for table in ["contacts", "conversations", "messages", "jobs", "events", "nonces"] {
        assert_eq!(raw.count(table).await, 0, "{table}");
    }
    ingested(&db.store, inbound("+1", "a", "un"), at(0)).await;
    assert_eq!(raw.count("messages").await, 1);
}

/// Postgres answers COMMIT of a failed transaction with a quiet rollback, SQLite would commit the other
/// statements. Neither may pass for success.
pub async fn a_transaction_with_a_failed_statement_cannot_commit(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.use_nonce("http", "n", at(9)).await.unwrap());
    let mut orphan = outbound(&c, "x", at(1));
    orphan.conversation_id = ConversationId::new();
    tx.insert_message(&mut orphan).await.unwrap_err();
    let mut twin = outbound(&c, "x", at(1));
    tx.insert_message(&mut twin).await.unwrap();
    tx.insert_message(&mut twin).await.unwrap_err();
    tx.use_nonce("http", "m", at(9)).await.unwrap_err();
    tx.commit().await.unwrap_err();
    let mut raw = db.raw().await;
    assert_eq!(raw.count("nonces").await, 0);
    assert_eq!(raw.count("messages").await, 1);
    // The next one is not harmed.
    ingested(&db.store, inbound("+1", "b", "deux"), at(2)).await;
}

pub async fn reading_cannot_write(db: Arc<TestDb>) {
    let mut tx = db.store.read().await.unwrap();
    tx.use_nonce("http", "n", at(9)).await.unwrap_err();
    let mut tx = db.store.read().await.unwrap();
    tx.release_all_jobs().await.unwrap_err();
}

pub async fn a_reader_sees_one_moment(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut before = db.store.read().await.unwrap();
    assert_eq!(before.messages(c.id, 0, 10).await.unwrap().len(), 1);
    ingested(&db.store, inbound("+1", "b", "deux"), at(1)).await;
    assert_eq!(before.messages(c.id, 0, 10).await.unwrap().len(), 1);
    assert_eq!(before.events(c.id).await.unwrap().len(), 2);
    let mut after = db.store.read().await.unwrap();
    assert_eq!(after.messages(c.id, 0, 10).await.unwrap().len(), 2);
}

/// The schema and the code name the same things.
pub async fn every_name_of_an_enum_is_accepted_and_no_other(db: Arc<TestDb>) {
    fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
        all.iter().map(|v| name(*v)).collect()
    }
    let c = conversation(&db, "+1").await;
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&agent("elise"), at(0)).await.unwrap();
    queue_outbound(&mut tx, &c, "x", at(0)).await;
    tx.commit().await.unwrap();
    let columns = [
        ("conversations", "state", names(ConversationState::ALL, ConversationState::as_str)),
        ("conversations", "priority", names(Priority::ALL, Priority::as_str)),
        ("conversations", "reason", names(EscalationReason::ALL, EscalationReason::as_str)),
        ("messages", "direction", names(Direction::ALL, Direction::as_str)),
        ("messages", "author", names(Author::ALL, Author::as_str)),
        ("messages", "kind", names(MessageKind::ALL, MessageKind::as_str)),
        ("messages", "status", names(DeliveryStatus::ALL, DeliveryStatus::as_str)),
        ("agents", "role", names(Role::ALL, Role::as_str)),
        ("jobs", "kind", names(JobKind::ALL, JobKind::as_str)),
    ];
    let mut raw = db.raw().await;
    for (table, column, names) in columns {
        for name in names {
            let sql = format!("UPDATE {table} SET {column} = '{name}'");
            assert!(raw.execute(&sql).await.unwrap() > 0, "{sql}");
        }
        for wrong in ["nonsense", "", "BOT", "Urgent"] {
            let sql = format!("UPDATE {table} SET {column} = '{wrong}'");
            let refused = raw.execute(&sql).await.expect_err(&sql);
            assert!(refused.as_database_error().unwrap().is_check_violation(), "{sql}: {refused}");
        }
    }
    let mut tx = db.store.begin().await.unwrap();
    for actor in [Actor::Customer, Actor::Bot, Actor::System, Actor::Agent(AgentId::new())] {
        for kind in EventKind::ALL {
            let event = NewEvent {
                kind: *kind,
                actor,
                conversation_id: Some(c.id),
                message_id: None,
                data: serde_json::json!({ "intent": "greeting\0", "confidence": 0.5 }),
            };
            tx.append_event(at(1), event).await.unwrap();
        }
    }
    let events = tx.events(c.id).await.unwrap();
    assert_eq!(events.len(), 2 + 4 * EventKind::ALL.len());
    assert_eq!(events.last().unwrap().data["intent"], "greeting\0");
    tx.commit().await.unwrap();
}

pub async fn hints_are_told_after_the_commit_only(db: Arc<TestDb>) {
    let mut hints = db.store.hints();
    let mut tx = db.store.begin().await.unwrap();
    tx.ingest(inbound("+1", "dropped", "un"), at(0), NEVER_REOPEN).await.unwrap();
    drop(tx);
    let mut tx = db.store.begin().await.unwrap();
    let done = tx.ingest(inbound("+1", "kept", "un"), at(0), NEVER_REOPEN).await.unwrap();
    assert!(hints.is_empty());
    tx.commit().await.unwrap();
    let told = [hints.recv().await.unwrap(), hints.recv().await.unwrap()];
    assert!(
        told.contains(&Hint::Jobs) && told.contains(&Hint::Conversation(done.conversation_id)),
        "{told:?}"
    );
}
