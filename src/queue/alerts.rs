//! Delivers calls to whoever is on call: posted until heard, or given up after the last try.

use super::deliver::commit_if;
use super::{Done, Worker};
use crate::model::{Actor, EventKind, NewEvent, Timestamp};
use crate::store::{Alert, ClaimedJob, StoreError, Tx};
use serde_json::json;

pub(super) async fn call(worker: &Worker, job: &ClaimedJob) -> Result<Done, StoreError> {
    let mut tx = worker.store.read().await?;
    let alert = tx.alert(job.id).await?.filter(|alert| alert.delivered_at.or(alert.failed_at).is_none());
    let Some(alert) = alert else {
        drop(tx);
        let mut tx = worker.store.begin().await?;
        let kept = tx.complete_job(job).await?;
        return commit_if(tx, kept).await;
    };
    let message = if worker.on_call.includes_text() { tx.message(alert.message_id).await? } else { None };
    drop(tx);
    let text = message.as_ref().map(|message| message.text.as_str());
    let answer = worker.on_call.post(&alert, text, worker.clock.now()).await;
    let now = worker.clock.now();
    let mut tx = worker.store.begin().await?;
    let (kept, outcome) = match answer {
        Ok(status) => {
            tx.alert_delivered(alert.id, &status.to_string(), now).await?;
            log(&mut tx, &alert, EventKind::AlertDelivered, job.attempts, now).await?;
            (tx.complete_job(job).await?, "delivered")
        }
        Err(why) => match worker.on_call.wait(job.attempts) {
            Some(wait) => {
                tracing::warn!(alert = %alert.id, kind = %alert.kind, %why, "who is on call was not reached; again in {wait:?}");
                tx.alert_answered(alert.id, &why.to_string()).await?;
                (tx.retry_job(job, now.plus(wait)).await?, "again")
            }
            None => {
                tracing::error!(alert = %alert.id, kind = %alert.kind, %why, "who is on call was not reached; given up");
                tx.alert_failed(alert.id, &why.to_string(), now).await?;
                log(&mut tx, &alert, EventKind::AlertFailed, job.attempts, now).await?;
                (tx.complete_job(job).await?, "failed")
            }
        },
    };
    metrics::counter!("guichet_alerts_total", "kind" => alert.kind.as_str(), "outcome" => outcome)
        .increment(1);
    commit_if(tx, kept).await
}

async fn log(
    tx: &mut Tx,
    alert: &Alert,
    kind: EventKind,
    tries: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = NewEvent {
        kind,
        actor: Actor::System,
        conversation_id: Some(alert.conversation_id),
        message_id: Some(alert.message_id),
        data: json!({ "alert": alert.id, "kind": alert.kind, "tries": tries }),
    };
    tx.append_event(now, event).await
}
