//! Durable work: jobs are rows, claimed with a lease, in lanes that keep the order of a conversation. A job ends
//! in the transaction that commits its effects, so a process killed at any instant loses and repeats nothing.

mod alerts;
pub mod deliver;
pub mod effects;
mod follow;
mod gather;
mod inbox;
mod listen;
mod manners;
pub mod pace;
pub mod process;
mod receipts;
pub mod survey;
mod think;
mod typing;

pub use inbox::{TakenIn, take_in};
pub use listen::Listeners;
pub use manners::Manners;
pub use pace::Paces;
pub use process::Mind;
pub use receipts::apply_receipt;
pub use survey::{Surveys, ingest};

use crate::channels::Channels;
use crate::clock::Clock;
use crate::config::QueueConfig;
use crate::desk::oncall::OnCall;
use crate::model::Timestamp;
use crate::store::{ClaimedJob, Hint, JobKind, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often what has expired is removed: sessions, nonces, what was told of past trains.
const HOUSEKEEPING: Duration = Duration::from_secs(600);
/// How long calls of providers are kept: until a customer has asked what became of a message.
const CALLS_KEPT: Duration = Duration::from_secs(14 * 24 * 3600);
/// How long proposed replies and those taken back are kept: as long as a form may arrive late.
const PROPOSALS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Wait after a database error before the next try.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Works on jobs until it is told to stop.
#[derive(Clone)]
pub struct Worker {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub channels: Channels,
    pub mind: Arc<Mind>,
    /// How fast the channels are sent to; one for all workers of a process.
    pub paces: Paces,
    pub config: QueueConfig,
    /// Who is called when an emergency is handed over.
    pub on_call: OnCall,
    pub surveys: Surveys,
}

/// What became of a job.
enum Done {
    /// Its row is gone, or waits for its next try.
    Ended,
    /// Another process took it over; ours had no effect.
    Lost,
}

impl Worker {
    /// Claims and works until `stop`; then finishes what is in progress and returns. Should the caller drop it
    /// before, the rest is resumed by the next start.
    pub async fn run(self, stop: CancellationToken) {
        self.release_left_claims().await;
        let mut hints = self.store.hints();
        let mut running = JoinSet::new();
        let mut cleaned: Option<Timestamp> = None;
        while !stop.is_cancelled() {
            let now = self.clock.now();
            if cleaned.is_none_or(|at| now.since(at) > HOUSEKEEPING) {
                cleaned = Some(now);
                self.keep_house(now).await;
            }
            let free = self.config.workers.saturating_sub(running.len());
            let wait = match self.claim(free).await {
                Ok(jobs) if !jobs.is_empty() => {
                    for job in jobs {
                        let worker = self.clone();
                        running.spawn(async move { worker.work(job).await });
                    }
                    continue;
                }
                Ok(_) => self.until_next().await,
                Err(error) => {
                    tracing::error!(%error, "jobs cannot be claimed");
                    AFTER_ERROR
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = running.join_next() => report_panic(ended),
                () = jobs_hint(&mut hints), if free > 0 => {}
                () = tokio::time::sleep(wait) => {}
            }
            while let Some(ended) = running.try_join_next() {
                report_panic(ended);
            }
        }
        while let Some(ended) = running.join_next().await {
            report_panic(ended);
        }
    }

    /// Works until no job is due; for tests and simulations, which move the clock themselves.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let mut worked = 0;
        loop {
            let jobs = self.claim(1).await?;
            if jobs.is_empty() {
                return Ok(worked);
            }
            for job in jobs {
                worked += 1;
                self.work(job).await;
            }
        }
    }

    /// Claims that a killed process left. With one instance nobody else can hold one; with several the lease
    /// decides.
    async fn release_left_claims(&self) {
        if !self.store.single_instance() {
            return;
        }
        let released = async {
            let mut tx = self.store.begin().await?;
            let released = tx.release_all_jobs().await?;
            tx.commit().await?;
            Ok::<u64, StoreError>(released)
        };
        match released.await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "resuming jobs that were interrupted"),
            Err(error) => tracing::error!(%error, "interrupted jobs wait for the end of their lease"),
        }
    }

    async fn claim(&self, free: usize) -> Result<Vec<ClaimedJob>, StoreError> {
        if free == 0 {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        // Most looks find nothing: they must not take the one writer.
        let mut tx = self.store.read().await?;
        if tx.next_job_at().await?.is_none_or(|at| at > now) {
            return Ok(Vec::new());
        }
        drop(tx);
        let mut tx = self.store.begin().await?;
        let limit = i64::try_from(free).unwrap_or(i64::MAX);
        let jobs = tx.claim_jobs(now, now.plus(self.config.lease.into()), limit).await?;
        tx.commit().await?;
        Ok(jobs)
    }

    /// How long to sleep unless something happens.
    async fn until_next(&self) -> Duration {
        let poll: Duration = self.config.poll.into();
        let next = async { self.store.read().await?.next_job_at().await };
        match next.await {
            // Due, but behind another job of its lane, whose end wakes us.
            Ok(Some(at)) if at <= self.clock.now() => poll,
            Ok(Some(at)) => at.since(self.clock.now()).min(poll),
            Ok(None) => poll,
            Err(error) => {
                tracing::error!(%error, "the next job is unknown");
                AFTER_ERROR
            }
        }
    }

    async fn work(&self, job: ClaimedJob) {
        let kind = job.kind;
        let result = match kind {
            JobKind::Process => {
                typing::beside(self, &job, typing::MOMENT, process::process(self, &job)).await
            }
            JobKind::Send => deliver::deliver(self, &job).await,
            JobKind::Alert => alerts::call(self, &job).await,
            JobKind::Survey => survey::take(self, &job).await,
        };
        match result {
            Ok(Done::Ended) => metrics::counter!("guichet_jobs_total", "kind" => kind.as_str()).increment(1),
            Ok(Done::Lost) => tracing::warn!(job = %job.id, %kind, "another instance took the job over"),
            Err(error) => {
                tracing::error!(job = %job.id, %kind, %error, "the job is tried again");
                self.give_back(&job).await;
            }
        }
    }

    /// After a database error: the claim ends now rather than with the lease.
    async fn give_back(&self, job: &ClaimedJob) {
        let given_back = async {
            let mut tx = self.store.begin().await?;
            tx.retry_job(job, self.clock.now().plus(AFTER_ERROR)).await?;
            tx.commit().await
        };
        if let Err(error) = given_back.await {
            tracing::warn!(job = %job.id, %error, "the job waits for the end of its lease");
        }
    }

    async fn keep_house(&self, now: Timestamp) {
        let clean = async {
            let mut tx = self.store.begin().await?;
            tx.expire_sessions(now).await?;
            tx.expire_nonces(now).await?;
            tx.forget_told(now).await?;
            tx.expire_notices(now).await?;
            tx.expire_calls(now.minus(CALLS_KEPT)).await?;
            tx.expire_proposals(now.minus(PROPOSALS_KEPT)).await?;
            tx.commit().await
        };
        if let Err(error) = clean.await {
            tracing::warn!(%error, "what has expired stays until the next round");
        }
    }
}

/// Waits for word of new jobs. A lagging receiver missed some: that is word enough.
async fn jobs_hint(hints: &mut tokio::sync::broadcast::Receiver<Hint>) {
    loop {
        match hints.recv().await {
            Ok(Hint::Jobs) | Err(RecvError::Lagged(_)) => return,
            Ok(Hint::Conversation(_) | Hint::Desk | Hint::Draft(_)) => {}
            // The store is gone; the poll and the stop signal remain.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// A panic in a job is a bug of ours; the lease brings the job back, and `process` hands over after some tries.
fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a job panicked; it is tried again when its lease ends");
    }
}

#[cfg(test)]
mod alerts_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod follow_tests;
#[cfg(test)]
mod manners_tests;
#[cfg(test)]
mod opt_out_tests;
#[cfg(test)]
mod own_answer_tests;
#[cfg(test)]
mod pace_tests;
#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod public_tests;
#[cfg(test)]
mod quiet_tests;
#[cfg(test)]
mod survey_tests;
#[cfg(test)]
mod told_tests;
#[cfg(test)]
mod typing_tests;
