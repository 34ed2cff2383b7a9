//! What customers were asked after the end, and what they said.

use super::conversations::conversation;
use super::driver::{Row, values};
use super::sql as general;
use super::sql::hours as sql;
use super::{Ingest, JobKind, StoreError, Tx};
use crate::model::{ContactId, Conversation, ConversationId, JobId, Message, MessageId, Timestamp};

/// A survey of one conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub conversation_id: ConversationId,
    /// The message that asked.
    pub message_id: MessageId,
    pub asked_at: Timestamp,
    /// No score counts after this.
    pub until: Timestamp,
    /// 1 to 5.
    pub score: Option<i64>,
    pub comment: Option<String>,
    pub answered_at: Option<Timestamp>,
    /// Until when what is written may be a comment; none: no comment is asked for.
    pub comment_until: Option<Timestamp>,
}

/// Whom to ask: what makes a conversation one that may be asked about, beside its state.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Resolved after, and at the latest at.
    pub resolved: (Timestamp, Timestamp),
    /// Not who was asked since.
    pub not_since: Timestamp,
    /// Whether those are meant, too, that no person answered in.
    pub bot: bool,
}

/// A survey as reports read it.
#[derive(Debug, Clone, PartialEq)]
pub struct OfPeriod {
    pub conversation_id: ConversationId,
    pub asked_at: Timestamp,
    pub score: Option<i64>,
    pub comment: Option<String>,
    pub channel: String,
    /// Its name; none: of no team.
    pub team: Option<String>,
}

impl Tx {
    /// Conversations that may be asked about, by the time of their end, behind `after`.
    pub async fn surveys_wanted(
        &mut self,
        wanted: Wanted,
        after: Option<(Timestamp, ConversationId)>,
        limit: i64,
    ) -> Result<Vec<Conversation>, StoreError> {
        let (from, to) = wanted.resolved;
        let (at, id) = after.unwrap_or((from, ConversationId(uuid::Uuid::nil())));
        let values = values![from, to, wanted.not_since, i64::from(wanted.bot), at, id, limit];
        self.fetch(&sql::SURVEYS_WANTED, values).await?.iter().map(conversation).collect()
    }

    /// Whether this one still is. The transaction must hold the conversation.
    pub async fn survey_is_wanted(&mut self, wanted: Wanted, id: ConversationId) -> Result<bool, StoreError> {
        let (from, to) = wanted.resolved;
        let values = values![from, to, wanted.not_since, i64::from(wanted.bot), id];
        Ok(self.fetch_one(&sql::SURVEY_WANTED, values).await?.is_some())
    }

    /// False: it was asked about before.
    pub async fn insert_survey(&mut self, survey: &Survey, of: &Conversation) -> Result<bool, StoreError> {
        let values = values![
            survey.conversation_id,
            survey.message_id,
            survey.asked_at,
            survey.until,
            of.desk.team.map(|team| team.0),
            survey.comment_until
        ];
        Ok(self.execute(&sql::SURVEY_INSERT, values).await? == 1)
    }

    pub async fn survey(&mut self, of: ConversationId) -> Result<Option<Survey>, StoreError> {
        self.fetch_one(&sql::SURVEY_OF_CONVERSATION, values![of]).await?.as_ref().map(survey).transpose()
    }

    /// The latest survey of a contact with whom no conversation is open, while its answers count.
    pub async fn open_survey(
        &mut self,
        contact: ContactId,
        now: Timestamp,
    ) -> Result<Option<Survey>, StoreError> {
        self.fetch_one(&sql::SURVEY_OPEN, values![contact, now]).await?.as_ref().map(survey).transpose()
    }

    pub async fn set_score(
        &mut self,
        of: ConversationId,
        score: i64,
        comment_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&sql::SURVEY_SCORE, values![of, score, now, comment_until]).await?;
        Ok(())
    }

    pub async fn set_comment(&mut self, of: ConversationId, comment: &str) -> Result<(), StoreError> {
        self.execute(&sql::SURVEY_COMMENT, values![of, comment]).await?;
        Ok(())
    }

    /// Stores an answer to a survey in its conversation, which stays as it is; its job when there is something to do.
    pub async fn ingest_answer(
        &mut self,
        inbound: &Ingest<'_>,
        of: ConversationId,
        job: bool,
        now: Timestamp,
    ) -> Result<Message, StoreError> {
        super::check_key("provider id", inbound.provider_id)?;
        let mut message = super::messages::received(inbound, of, now);
        self.insert_message(&mut message).await?;
        if job {
            let lane = format!("{}:{of}", JobKind::Survey);
            self.insert_own_job(JobId::new(), JobKind::Survey, lane, message.id, now).await?;
        }
        Ok(message)
    }

    /// Moves a message to the end of another conversation, which the transaction must hold.
    pub async fn move_message(&mut self, m: &mut Message, to: ConversationId) -> Result<(), StoreError> {
        let row = self.fetch_one(&general::CONVERSATION_NEXT_SEQ, values![to, m.created_at]).await?;
        m.seq = row.ok_or(sqlx::Error::RowNotFound)?.get("last_seq")?;
        m.conversation_id = to;
        self.execute(&sql::MESSAGE_MOVE, values![m.id, to, m.seq]).await?;
        Ok(())
    }

    /// What was asked from `from` to before `to`.
    pub async fn surveys_of_period(
        &mut self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OfPeriod>, StoreError> {
        let rows = self.fetch(&sql::SURVEYS_OF_PERIOD, values![from, to]).await?;
        rows.iter()
            .map(|row| {
                Ok(OfPeriod {
                    conversation_id: ConversationId(row.get("conversation_id")?),
                    asked_at: row.time("asked_at")?,
                    score: row.get("score")?,
                    comment: row.get("comment")?,
                    channel: row.get("channel")?,
                    team: row.get("team")?,
                })
            })
            .collect()
    }
}

fn survey(row: &Row) -> Result<Survey, StoreError> {
    Ok(Survey {
        conversation_id: ConversationId(row.get("conversation_id")?),
        message_id: MessageId(row.get("message_id")?),
        asked_at: row.time("asked_at")?,
        until: row.time("until_at")?,
        score: row.get("score")?,
        comment: row.get("comment")?,
        answered_at: row.opt_time("answered_at")?,
        comment_until: row.opt_time("comment_until")?,
    })
}
