use crate::given::*;
use crate::support::TestDb;
use guichet::model::*;
use guichet::store::{ClaimedJob, JobKind};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

fn kinds(jobs: &[ClaimedJob]) -> Vec<JobKind> {
    jobs.iter().map(|j| j.kind).collect()
}

async fn retry(db: &TestDb, job: &ClaimedJob, when: Timestamp) -> bool {
    let mut tx = db.store.begin().await.unwrap();
    let held = tx.retry_job(job, when).await.unwrap();
    if held {
        tx.commit().await.unwrap();
    }
    held
}

async fn text_of(db: &TestDb, job: &ClaimedJob) -> String {
    let mut tx = db.store.read().await.unwrap();
    tx.message(job.message_id).await.unwrap().unwrap().text
}

pub async fn only_the_head_of_a_lane_can_be_claimed(db: Arc<TestDb>) {
    for (id, text) in [("a", "un"), ("b", "deux"), ("c", "trois")] {
        ingested(&db.store, inbound("+1", id, text), at(0)).await;
    }
    for expected in ["un", "deux", "trois"] {
        let jobs = claim(&db, at(0), 10).await;
        assert_eq!(jobs.len(), 1);
        assert_eq!(text_of(&db, &jobs[0]).await, expected);
        assert!(claim(&db, at(0), 10).await.is_empty(), "a claimed head holds its lane");
        assert!(complete(&db, &jobs[0]).await);
    }
    assert!(claim(&db, at(0), 10).await.is_empty());
}

pub async fn a_waiting_retry_holds_its_lane_only(db: Arc<TestDb>) {
    ingested(&db.store, inbound("+1", "a", "un"), at(0)).await;
    ingested(&db.store, inbound("+1", "b", "deux"), at(0)).await;
    let head = claim(&db, at(0), 10).await.remove(0);
    assert!(retry(&db, &head, at(30)).await);
    ingested(&db.store, inbound("+2", "c", "ailleurs"), at(1)).await;
    let jobs = claim(&db, at(1), 10).await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(text_of(&db, &jobs[0]).await, "ailleurs");
    assert!(claim(&db, at(29), 10).await.is_empty(), "not due, and nothing overtakes it");
    let again = claim(&db, at(30), 10).await;
    assert_eq!((again.len(), again[0].id, again[0].attempts), (1, head.id, 2));
}

pub async fn processing_and_sending_are_two_lanes(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut tx = db.store.begin().await.unwrap();
    queue_outbound(&mut tx, &c, "réponse", at(0)).await;
    queue_outbound(&mut tx, &c, "suite", at(0)).await;
    tx.commit().await.unwrap();
    let jobs = claim(&db, at(0), 10).await;
    assert_eq!(kinds(&jobs), [JobKind::Process, JobKind::Send]);
    // The provider is down: we still understand what comes in.
    assert!(retry(&db, &jobs[1], at(100)).await);
    assert!(complete(&db, &jobs[0]).await);
    ingested(&db.store, inbound("+1", "b", "deux"), at(1)).await;
    assert_eq!(kinds(&claim(&db, at(1), 10).await), [JobKind::Process]);
}

pub async fn two_claimers_share_no_job(db: Arc<TestDb>) {
    for n in 0..60 {
        ingested(&db.store, inbound(&format!("+{n}"), &format!("SM{n}"), "x"), at(0)).await;
    }
    let mut claimers = JoinSet::new();
    for _ in 0..6 {
        let db = db.clone();
        claimers.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let jobs = claim(&db, at(0), 7).await;
                if jobs.is_empty() {
                    return mine;
                }
                mine.extend(jobs.iter().map(|j| j.id));
            }
        });
    }
    let all = claimers.join_all().await.concat();
    // A claimer that finds the rows locked by another may stop early; what was claimed was claimed once.
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    let rest = claim(&db, at(0), 100).await;
    assert_eq!(all.len() + rest.len(), 60);
}

pub async fn a_lost_claim_cannot_end_the_job(db: Arc<TestDb>) {
    ingested(&db.store, inbound("+1", "a", "un"), at(0)).await;
    let slow = claim(&db, at(0), 1).await.remove(0);
    assert!(claim(&db, at(59), 1).await.is_empty(), "held until its end");
    let taken = claim(&db, at(60), 1).await.remove(0);
    assert_eq!((taken.id, taken.attempts), (slow.id, 2));
    assert!(!complete(&db, &slow).await);
    assert!(!retry(&db, &slow, at(61)).await);
    assert!(complete(&db, &taken).await);
    assert!(!complete(&db, &taken).await, "a job ends once");
    // A claim that ran out, but that nobody took over, is still good.
    ingested(&db.store, inbound("+1", "b", "deux"), at(0)).await;
    let late = claim(&db, at(0), 1).await.remove(0);
    assert!(complete(&db, &late).await);
}

pub async fn a_job_behind_ends_with_its_head(db: Arc<TestDb>) {
    for (id, text) in [("a", "un"), ("b", "deux"), ("c", "trois")] {
        ingested(&db.store, inbound("+1", id, text), at(0)).await;
    }
    let head = claim(&db, at(0), 10).await.remove(0);
    let mut tx = db.store.begin().await.unwrap();
    let first = tx.message(head.message_id).await.unwrap().unwrap();
    let behind = tx.messages(first.conversation_id, first.seq, 1).await.unwrap().remove(0);
    assert!(!tx.end_job_behind(first.id).await.unwrap(), "the head is claimed, and ends by its claim");
    assert!(tx.end_job_behind(behind.id).await.unwrap());
    assert!(!tx.end_job_behind(behind.id).await.unwrap(), "once");
    assert!(tx.complete_job(&head).await.unwrap());
    tx.commit().await.unwrap();
    let next = claim(&db, at(0), 10).await;
    assert_eq!(text_of(&db, &next[0]).await, "trois");
}

pub async fn release_all_frees_every_claim(db: Arc<TestDb>) {
    for n in 0..3 {
        ingested(&db.store, inbound(&format!("+{n}"), &format!("SM{n}"), "x"), at(0)).await;
    }
    let before = claim(&db, at(0), 2).await;
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.release_all_jobs().await.unwrap(), 2);
    tx.commit().await.unwrap();
    assert!(!complete(&db, &before[0]).await, "whoever held it has lost it");
    assert_eq!(claim(&db, at(0), 10).await.len(), 3);
}

pub async fn attempts_count_up(db: Arc<TestDb>) {
    ingested(&db.store, inbound("+1", "a", "un"), at(0)).await;
    for n in 1..=5 {
        let job = claim(&db, at(n), 1).await.remove(0);
        assert_eq!(job.attempts, n);
        assert!(retry(&db, &job, at(n + 1)).await);
    }
}

/// Not when the next job is due: one behind a head that waits cannot be claimed, and a worker that slept until
/// then would wake at once, again and again.
pub async fn next_job_at_is_when_a_claim_can_succeed(db: Arc<TestDb>) {
    let next = async || {
        let mut tx = db.store.read().await.unwrap();
        tx.next_job_at().await.unwrap()
    };
    assert_eq!(next().await, None);
    ingested(&db.store, inbound("+1", "a", "un"), at(5)).await;
    assert_eq!(next().await, Some(at(5)));
    let job = claim(&db, at(5), 1).await.remove(0);
    assert_eq!(next().await, Some(at(65)), "when the claim ends");
    ingested(&db.store, inbound("+1", "b", "deux"), at(6)).await;
    assert_eq!(next().await, Some(at(65)));
    assert!(retry(&db, &job, at(1800)).await);
    assert_eq!(next().await, Some(at(1800)), "the second waits for the first");
    ingested(&db.store, inbound("+2", "c", "ailleurs"), at(7)).await;
    assert_eq!(next().await, Some(at(7)));
}

pub async fn jobs_are_counted_by_kind(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut tx = db.store.begin().await.unwrap();
    queue_outbound(&mut tx, &c, "réponse", at(9)).await;
    queue_outbound(&mut tx, &c, "suite", at(3)).await;
    tx.commit().await.unwrap();
    let mut counts = db.store.read().await.unwrap().job_counts().await.unwrap();
    counts.sort_by_key(|c| c.kind);
    let seen: Vec<_> = counts.iter().map(|c| (c.kind, c.count, c.oldest)).collect();
    assert_eq!(seen, [(JobKind::Process, 1, at(0)), (JobKind::Send, 2, at(3))]);
    assert_eq!(at(9).since(at(3)), Duration::from_secs(6));
}
