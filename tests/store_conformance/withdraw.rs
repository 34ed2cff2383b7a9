//! A reply that waits to be sent is taken back, or sent: never both, never neither.

use crate::given::*;
use crate::support::TestDb;
use guichet::model::*;
use guichet::store::{JobKind, NewJob, ProposedReply};
use std::sync::Arc;
use uuid::Uuid;

async fn person(db: &TestDb) -> AgentId {
    let row = agent(&Uuid::now_v7().to_string());
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_agent(&row, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    row.agent.id
}

/// A reply of `agent` that leaves at `due`.
async fn reply(db: &TestDb, conversation: &Conversation, agent: AgentId, due: Timestamp) -> Message {
    let mut tx = db.store.begin().await.unwrap();
    let mut message = Message { agent_id: Some(agent), ..outbound(conversation, "Bonjour", at(0)) };
    message.author = Author::Agent;
    tx.insert_message(&mut message).await.unwrap();
    let job = NewJob { kind: JobKind::Send, message: &message, run_at: due, broadcast: false };
    tx.insert_job(job).await.unwrap();
    tx.commit().await.unwrap();
    message
}

async fn withdraw(db: &TestDb, message: &Message, agent: AgentId, now: Timestamp) -> bool {
    let mut tx = db.store.begin().await.unwrap();
    tx.lock_conversation(message.conversation_id).await.unwrap().unwrap();
    let taken = tx.withdraw(message, agent, now).await.unwrap();
    if taken {
        tx.commit().await.unwrap();
    }
    taken
}

async fn process_nothing(db: &TestDb) {
    for job in claim(db, at(0), 10).await {
        assert_eq!(job.kind, JobKind::Process);
        assert!(complete(db, &job).await);
    }
}

pub async fn what_was_taken_back_is_gone_and_known(db: Arc<TestDb>) {
    let agent = person(&db).await;
    let c = conversation(&db, "+1").await;
    process_nothing(&db).await;
    let message = reply(&db, &c, agent, at(5)).await;
    let next = reply(&db, &c, agent, at(6)).await;
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.withdrawable(c.id, agent, at(1)).await.unwrap(), Some((next.id, at(6))));
    assert_eq!(tx.withdrawable(c.id, agent, at(6)).await.unwrap(), None);
    drop(tx);
    assert!(withdraw(&db, &message, agent, at(4)).await);
    assert!(!withdraw(&db, &message, agent, at(4)).await, "once");
    assert_eq!(texts(&db, c.id).await, ["bonjour", "Bonjour"], "the other one is still there");
    let known = db.store.read().await.unwrap().withdrawn(message.id).await.unwrap().unwrap();
    assert_eq!((known.conversation_id, known.agent_id, known.text.as_str()), (c.id, agent, "Bonjour"));
    let jobs = claim(&db, at(6), 10).await;
    assert_eq!(jobs.iter().map(|j| j.message_id).collect::<Vec<_>>(), [next.id], "its lane is free");
    let mut tx = db.store.begin().await.unwrap();
    tx.expire_proposals(at(5)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(db.store.read().await.unwrap().withdrawn(message.id).await.unwrap(), None);
}

pub async fn what_a_worker_has_held_stays(db: Arc<TestDb>) {
    let agent = person(&db).await;
    let c = conversation(&db, "+1").await;
    process_nothing(&db).await;
    let message = reply(&db, &c, agent, at(5)).await;
    assert!(!withdraw(&db, &message, agent, at(5)).await, "its time has come");
    assert_eq!(claim(&db, at(5), 10).await.len(), 1);
    assert!(!withdraw(&db, &message, agent, at(4)).await, "it is being sent");
    // The worker dies; nobody knows how far it came.
    let mut tx = db.store.begin().await.unwrap();
    tx.release_all_jobs().await.unwrap();
    tx.commit().await.unwrap();
    assert!(!withdraw(&db, &message, agent, at(4)).await, "it may have left");
    let job = claim(&db, at(6), 10).await.remove(0);
    // The pace lets it wait: no try was made, and still its time is over.
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.defer_job(&job, at(60)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!withdraw(&db, &message, agent, at(7)).await);
    assert_eq!(texts(&db, c.id).await.len(), 2);
}

pub async fn of_worker_and_agent_one_wins(db: Arc<TestDb>) {
    let agent = person(&db).await;
    let c = conversation(&db, "+1").await;
    process_nothing(&db).await;
    let mut taken_back = 0;
    for round in 0..40 {
        let message = reply(&db, &c, agent, at(5)).await;
        let (one, two) = (db.clone(), db.clone());
        let sent = tokio::spawn(async move { claim(&one, at(5), 10).await });
        let known = message.clone();
        let taken = tokio::spawn(async move { withdraw(&two, &known, agent, at(4)).await });
        let (sent, taken) = (sent.await.unwrap(), taken.await.unwrap());
        assert_eq!(sent.len() + usize::from(taken), 1, "round {round}");
        let stored = db.store.read().await.unwrap().message(message.id).await.unwrap();
        assert_eq!(stored.is_none(), taken, "round {round}");
        taken_back += u32::from(taken);
        for job in sent {
            assert!(complete(&db, &job).await);
        }
    }
    println!("{taken_back} of 40 taken back");
}

pub async fn a_proposal_is_for_one_agent_in_one_conversation(db: Arc<TestDb>) {
    let (agent, other) = (person(&db).await, person(&db).await);
    let (c, d) = (conversation(&db, "+1").await, conversation(&db, "+2").await);
    let fact = Fact { value: "x".into(), source: "y".into(), as_of: at(-5), ride: None };
    let proposal = ProposedReply {
        id: Uuid::now_v7(),
        response: "schedules.next_departure".into(),
        text: "é 18:04".into(),
        facts: vec![fact],
    };
    let mut tx = db.store.begin().await.unwrap();
    tx.insert_proposed_reply(&proposal, c.id, agent, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.proposed_reply(proposal.id, c.id, agent).await.unwrap(), Some(proposal.clone()));
    assert_eq!(tx.proposed_reply(proposal.id, c.id, other).await.unwrap(), None);
    assert_eq!(tx.proposed_reply(proposal.id, d.id, agent).await.unwrap(), None);
    drop(tx);
    let mut tx = db.store.begin().await.unwrap();
    tx.expire_proposals(at(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(db.store.read().await.unwrap().proposed_reply(proposal.id, c.id, agent).await.unwrap(), None);
}
