//! The givens of the cases.

use crate::support::TestDb;
use guichet::model::*;
use guichet::store::{AgentWithHash, ClaimedJob, Ingest, Ingested, JobKind, NewJob, Store, Tx};
use std::time::Duration;

pub const LEASE: Duration = Duration::from_secs(60);
pub const NEVER_REOPEN: Duration = Duration::ZERO;

/// Seconds after the moment at which all cases begin.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp(1_770_000_000_000_000 + seconds * 1_000_000)
}

pub fn inbound<'a>(address: &'a str, provider_id: &'a str, text: &'a str) -> Ingest<'a> {
    Ingest { channel: "sms", address, provider_id, text, ..Ingest::default() }
}

/// One inbound message, committed.
pub async fn ingested(store: &Store, message: Ingest<'_>, now: Timestamp) -> Ingested {
    let mut tx = store.begin().await.unwrap();
    let done = tx.ingest(message, now, NEVER_REOPEN).await.unwrap();
    tx.commit().await.unwrap();
    done
}

/// A conversation with one inbound message.
pub async fn conversation(db: &TestDb, address: &str) -> Conversation {
    let id = ingested(&db.store, inbound(address, &format!("in-{address}"), "bonjour"), at(0))
        .await
        .conversation_id;
    db.store.read().await.unwrap().conversation(id).await.unwrap().unwrap()
}

/// Changes a conversation and commits.
pub async fn changed(db: &TestDb, id: ConversationId, change: impl FnOnce(&mut Conversation)) {
    let mut tx = db.store.begin().await.unwrap();
    let mut conversation = tx.lock_conversation(id).await.unwrap().unwrap();
    change(&mut conversation);
    tx.save_conversation(&conversation).await.unwrap();
    tx.commit().await.unwrap();
}

pub fn outbound(conversation: &Conversation, text: &str, now: Timestamp) -> Message {
    Message {
        id: MessageId::new(),
        conversation_id: conversation.id,
        seq: 0,
        channel: conversation.channel.clone(),
        direction: Direction::Outbound,
        author: Author::Bot,
        agent_id: None,
        kind: MessageKind::Answer,
        text: text.to_owned(),
        media: Vec::new(),
        provider_id: None,
        status: DeliveryStatus::Pending,
        error: None,
        understanding: None,
        facts: Vec::new(),
        created_at: now,
        attempted_at: None,
        sent_at: None,
        choices: Vec::new(),
        automatic: false,
        edited_at: None,
        segments: None,
        cost: None,
    }
}

/// An outbound message with its sending job.
pub async fn queue_outbound(tx: &mut Tx, conversation: &Conversation, text: &str, now: Timestamp) -> Message {
    let mut message = outbound(conversation, text, now);
    tx.insert_message(&mut message).await.unwrap();
    let job = NewJob { kind: JobKind::Send, message: &message, run_at: now, broadcast: false };
    tx.insert_job(job).await.unwrap();
    message
}

/// Claims up to `limit` jobs and commits.
pub async fn claim(db: &TestDb, now: Timestamp, limit: i64) -> Vec<ClaimedJob> {
    let mut tx = db.store.begin().await.unwrap();
    let jobs = tx.claim_jobs(now, now.plus(LEASE), limit).await.unwrap();
    tx.commit().await.unwrap();
    jobs
}

/// Ends a job and commits when the claim still held.
pub async fn complete(db: &TestDb, job: &ClaimedJob) -> bool {
    let mut tx = db.store.begin().await.unwrap();
    let held = tx.complete_job(job).await.unwrap();
    if held {
        tx.commit().await.unwrap();
    }
    held
}

pub async fn texts(db: &TestDb, id: ConversationId) -> Vec<String> {
    let messages = db.store.read().await.unwrap().messages(id, 0, 1000).await.unwrap();
    messages.into_iter().map(|m| m.text).collect()
}

pub fn agent(login: &str) -> AgentWithHash {
    AgentWithHash {
        agent: Agent {
            id: AgentId::new(),
            login: login.into(),
            name: "Élise Ñandú".into(),
            role: Role::Agent,
        },
        password_hash: "$argon2id$not-a-real-one".into(),
    }
}
