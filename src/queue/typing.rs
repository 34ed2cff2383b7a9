//! Shows the customer that an answer is on its way, where it takes longer than a moment.

use super::Worker;
use crate::channels::Trace;
use crate::model::ConversationState;
use crate::store::{ClaimedJob, StoreError};
use std::future::Future;
use std::time::Duration;

/// Answers are mostly there before; who waits longer begins to wonder.
pub(super) const MOMENT: Duration = Duration::from_millis(1_200);
/// It is of no use any more after so long, and must not keep the worker.
const PATIENCE: Duration = Duration::from_secs(3);

/// Does the work on a message; when it takes longer than `moment`, typing is shown beside it, once.
pub(super) async fn beside<T>(
    worker: &Worker,
    job: &ClaimedJob,
    moment: Duration,
    work: impl Future<Output = T>,
) -> T {
    // Tried again: it was shown before.
    if job.attempts > 1 || job.set_aside {
        return work.await;
    }
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(moment) => {}
    }
    let shown = async {
        if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, show(worker, job)).await {
            tracing::debug!(%error, "nobody is shown that we write");
        }
    };
    let (done, ()) = tokio::join!(work, shown);
    done
}

/// Only where the bot has the conversation: whether people write is theirs to show.
async fn show(worker: &Worker, job: &ClaimedJob) -> Result<(), StoreError> {
    let mut tx = worker.store.read().await?;
    let Some(message) = tx.message(job.message_id).await? else { return Ok(()) };
    let Some(conversation) = tx.conversation(message.conversation_id).await? else { return Ok(()) };
    let contact = tx.contact_by_id(conversation.contact_id).await?;
    drop(tx);
    let channel = worker.channels.get(&conversation.channel);
    let channel = channel.filter(|channel| channel.capabilities().typing);
    let (Some(channel), Some(contact)) = (channel, contact) else { return Ok(()) };
    if conversation.state != ConversationState::Bot || contact.opted_out_at.is_some() {
        return Ok(());
    }
    let trace = Trace::new(worker.clock.clone(), &[&contact.address]);
    channel.typing(&contact.address, message.provider_id.as_deref().unwrap_or_default(), &trace).await;
    let mut tx = worker.store.begin().await?;
    for call in trace.take() {
        tx.insert_call(message.id, &call).await?;
    }
    tx.commit().await
}
