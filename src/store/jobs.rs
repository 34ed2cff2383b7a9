//! Durable jobs in ordered lanes.

use super::driver::values;
use super::{Hint, StoreError, Tx, sql};
use crate::model::{JobId, Message, MessageId, Timestamp, named_enum};
use uuid::Uuid;

named_enum!(
    /// What is to be done with a message.
    JobKind {
        /// Understand an inbound message and decide.
        Process = "process",
        /// Hand an outbound message to its provider.
        Send = "send",
        /// Call whoever is on call. The alert has the job's id.
        Alert = "alert",
        /// Take an answer to a survey.
        Survey = "survey",
    }
);

/// The beginning of the lanes of what is read later.
const SET_ASIDE: &str = "later:";

pub struct NewJob<'a> {
    pub kind: JobKind,
    pub message: &'a Message,
    pub run_at: Timestamp,
    /// Said without being asked: every answer goes before it.
    pub broadcast: bool,
}

/// A job that this process holds until `claimed_until`. Its end is committed together with its effects; when
/// the claim was lost meanwhile, [`Tx::complete_job`] says so and nothing of it may be committed.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    pub id: JobId,
    pub kind: JobKind,
    pub message_id: MessageId,
    /// Tries including this one.
    pub attempts: i64,
    /// Said without being asked, and nothing that was asked for waits behind it.
    pub broadcast: bool,
    /// It had been given a later turn ([`Tx::defer_job`]), which has come.
    pub deferred: bool,
    /// What was set aside is read now ([`Tx::read_later`]).
    pub set_aside: bool,
    lane: String,
    claimed_at: Timestamp,
    claim: Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCounts {
    pub kind: JobKind,
    pub count: i64,
    /// When the oldest became due.
    pub oldest: Timestamp,
}

impl Tx {
    /// Adds a job at the end of its lane: one lane per conversation for processing and one for sending, so that
    /// a provider that is down never keeps us from understanding. The transaction must hold the conversation
    /// ([`Tx::insert_message`] and [`Tx::lock_conversation`] do): `seq` is given at insertion, and a lower one
    /// committed later would overtake.
    pub async fn insert_job(&mut self, job: NewJob<'_>) -> Result<(), StoreError> {
        let lane = format!("{}:{}", job.kind, job.message.conversation_id);
        if job.kind == JobKind::Send && !job.broadcast {
            self.promote(&lane).await?;
        }
        self.insert_in_lane(job, lane).await
    }

    /// What waits before an answer in its lane is as pressing as the answer.
    async fn promote(&mut self, lane: &str) -> Result<(), StoreError> {
        if !self.fetch(&sql::LANE_BROADCASTS, values![lane]).await?.is_empty() {
            self.execute(&sql::LANE_PROMOTE, values![lane]).await?;
        }
        Ok(())
    }

    async fn insert_in_lane(&mut self, job: NewJob<'_>, lane: String) -> Result<(), StoreError> {
        let rank = i64::from(job.broadcast);
        let values = values![JobId::new(), lane, job.kind.as_str(), job.message.id, job.run_at, rank];
        self.execute(&sql::JOB_INSERT, values).await?;
        self.hint(Hint::Jobs);
        Ok(())
    }

    /// A job whose id and lane are the caller's.
    pub(super) async fn insert_own_job(
        &mut self,
        id: JobId,
        kind: JobKind,
        lane: String,
        message: MessageId,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&sql::JOB_INSERT, values![id, lane, kind.as_str(), message, run_at, 0_i64]).await?;
        self.hint(Hint::Jobs);
        Ok(())
    }

    /// What was set aside in the conversation of `message` is read at `run_at`. In a lane of its own, so that what comes
    /// meanwhile is not kept waiting. The transaction must hold the conversation. False: it will be read already.
    pub async fn read_later(&mut self, message: &Message, run_at: Timestamp) -> Result<bool, StoreError> {
        let lane = format!("{SET_ASIDE}{}", message.conversation_id);
        if self.fetch_one(&sql::LANE_WAITS, values![lane.as_str()]).await?.is_some() {
            return Ok(false);
        }
        let job = NewJob { kind: JobKind::Process, message, run_at, broadcast: false };
        self.insert_in_lane(job, lane).await?;
        Ok(true)
    }

    /// Claims up to `limit` jobs that are due and first in their lanes, until `until`: answers before broadcasts, then
    /// whatever has waited longest. Behind a job that ends, the next of its lane waits anew, so that lanes take turns.
    pub async fn claim_jobs(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<ClaimedJob>, StoreError> {
        let mut claimed = Vec::new();
        for row in self.fetch(&sql::JOBS_DUE, values![now, limit]).await? {
            let lane: String = row.get("lane")?;
            let job = ClaimedJob {
                id: JobId(row.get("id")?),
                kind: row.name("kind")?,
                message_id: MessageId(row.get("message_id")?),
                attempts: row.get::<i64>("attempts")? + 1,
                broadcast: row.get::<i64>("rank")? != 0,
                deferred: row.get::<i64>("deferred")? != 0,
                set_aside: lane.starts_with(SET_ASIDE),
                lane,
                claimed_at: now,
                claim: Uuid::now_v7(),
            };
            self.execute(&sql::JOB_CLAIM, values![job.id, job.claim, until]).await?;
            claimed.push(job);
        }
        Ok(claimed)
    }

    /// False: the claim was taken over, and this transaction must not commit.
    pub async fn complete_job(&mut self, job: &ClaimedJob) -> Result<bool, StoreError> {
        let ended = self.execute(&sql::JOB_COMPLETE, values![job.id, job.claim]).await? == 1;
        if ended {
            self.execute(&sql::JOB_NEXT_OF_LANE, values![job.lane.as_str(), job.claimed_at]).await?;
        }
        // The next job of the lane became free.
        self.hint(Hint::Jobs);
        Ok(ended)
    }

    /// Ends the process job of a message that was worked on together with the one before it in its lane, whose job the
    /// caller holds and ends in the same transaction. False: there is no such job, and this transaction must not commit.
    pub async fn end_job_behind(&mut self, message: MessageId) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::JOB_END_BEHIND, values![message]).await? == 1)
    }

    /// Gives the job back until `run_at`. False: the claim was taken over.
    pub async fn retry_job(&mut self, job: &ClaimedJob, run_at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::JOB_RETRY, values![job.id, job.claim, run_at]).await? == 1)
    }

    /// Gives the job back until `run_at`, as if it had not been tried. False: the claim was taken over.
    pub async fn defer_job(&mut self, job: &ClaimedJob, run_at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::JOB_DEFER, values![job.id, job.claim, run_at]).await? == 1)
    }

    /// Releases every claim: right only when no other process can hold one.
    pub async fn release_all_jobs(&mut self) -> Result<u64, StoreError> {
        self.execute(&sql::JOBS_RELEASE_ALL, Vec::new()).await
    }

    /// When the next job can be claimed at the earliest; none when there are no jobs.
    pub async fn next_job_at(&mut self) -> Result<Option<Timestamp>, StoreError> {
        match self.fetch_one(&sql::JOBS_NEXT_AT, Vec::new()).await? {
            Some(row) => row.opt_time("at"),
            None => Ok(None),
        }
    }

    pub async fn job_counts(&mut self) -> Result<Vec<JobCounts>, StoreError> {
        let rows = self.fetch(&sql::JOBS_COUNT, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(JobCounts { kind: row.name("kind")?, count: row.get("n")?, oldest: row.time("oldest")? })
            })
            .collect()
    }
}
