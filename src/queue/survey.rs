//! The survey after the end: whom to ask, and what becomes of the answers.
//!
//! Nothing waits in memory to be asked: each look finds the conversations that ended lately and were not asked about, so that a
//! killed process asks by looking again. The question, its job and the survey's row are one transaction under the lock of the
//! contact, and the row exists once per conversation: nobody is asked twice.
//!
//! An answer is stored in the conversation that is over, which it neither reopens nor starts a clock of. A score is read where
//! it comes in ([`crate::engine::survey`]); what may be a comment is understood first, and becomes an ordinary message, with the
//! time at which it came, when it is a concern.

use super::deliver::{commit_if, outgoing};
use super::process::{Effects, said_by_itself};
use super::{Done, Worker};
use crate::channels::split;
use crate::config::SurveyConfig;
use crate::engine::survey::{is_comment, may_comment, score};
use crate::engine::{Decision, Line, Part};
use crate::model::{
    Actor, Author, Contact, Conversation, ConversationId, ConversationState, EventKind, Lang, Message,
    MessageId, MessageKind, NewEvent, Timestamp,
};
use crate::store::{ClaimedJob, Ingest, Ingested, JobKind, NewJob, StoreError, Survey, Tx, Wanted};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(10);
/// Conversations read at a time.
const PAGE: i64 = 200;
/// After a score, what is written is its comment for so long.
const COMMENT_WITHIN: Duration = Duration::from_secs(15 * 60);
/// After so many tries something in the answer breaks us: it becomes an ordinary message, and people read it.
const TRIES: i64 = 6;

/// The operator's choices.
#[derive(Debug, Clone, Default)]
pub struct Surveys {
    pub config: SurveyConfig,
    /// Where a message that turns out to be no comment goes.
    pub reopen_within: Duration,
}

/// Stores an inbound message: as an answer to a survey when it is one, else as [`Tx::ingest`] does.
///
/// # Errors
/// The database's; nothing is stored.
pub async fn ingest(
    tx: &mut Tx,
    inbound: Ingest<'_>,
    now: Timestamp,
    reopen_within: Duration,
) -> Result<Ingested, StoreError> {
    if let Some(conversation_id) = answer(tx, &inbound, now).await? {
        return Ok(Ingested { conversation_id, duplicate: false });
    }
    tx.ingest(inbound, now, reopen_within).await
}

/// The conversation whose survey the message answers, having stored it there.
async fn answer(
    tx: &mut Tx,
    inbound: &Ingest<'_>,
    now: Timestamp,
) -> Result<Option<ConversationId>, StoreError> {
    let read = score(inbound.text);
    if inbound.automatic || !inbound.media.is_empty() || (read.is_none() && !may_comment(inbound.text)) {
        return Ok(None);
    }
    let Some(contact) = tx.contact_by_address(inbound.channel, inbound.address).await? else {
        return Ok(None);
    };
    let Some(survey) = tx.open_survey(contact.id, now).await? else { return Ok(None) };
    // The contact's lock makes what follows safe against a twin request.
    let id = survey.conversation_id;
    tx.lock_conversation(id).await?;
    let Some(survey) = tx.open_survey(contact.id, now).await?.filter(|survey| survey.conversation_id == id)
    else {
        return Ok(None);
    };
    if tx.inbound(inbound.channel, inbound.provider_id).await?.is_some() {
        return Ok(None);
    }
    let commenting = survey.score.is_some() && survey.comment_until.is_some_and(|until| until > now);
    match read {
        // People correct themselves.
        Some(read) if survey.score.is_none() || commenting => {
            let first = survey.score.is_none();
            let until = survey.comment_until.map(|_| now.plus(COMMENT_WITHIN));
            tx.set_score(id, read.score, until, now).await?;
            let job = first || !read.rest.is_empty();
            let message = tx.ingest_answer(inbound, id, job, now).await?;
            let event = event(EventKind::SurveyAnswered, Actor::Customer, id, message.id);
            tx.append_event(now, NewEvent { data: json!({ "score": read.score }), ..event }).await?;
            Ok(Some(id))
        }
        None if commenting => {
            tx.ingest_answer(inbound, id, true, now).await?;
            Ok(Some(id))
        }
        _ => Ok(None),
    }
}

/// Thanks for a score, keeps a comment, or lets a message be an ordinary one.
pub(super) async fn take(worker: &Worker, job: &ClaimedJob) -> Result<Done, StoreError> {
    let now = worker.clock.now();
    let mut tx = worker.store.read().await?;
    let Some(found) = Answer::read(&mut tx, job.message_id).await? else {
        drop(tx);
        let mut tx = worker.store.begin().await?;
        let kept = tx.complete_job(job).await?;
        return commit_if(tx, kept).await;
    };
    drop(tx);
    let words = match score(&found.message.text) {
        Some(read) if read.rest.is_empty() => None,
        Some(read) => Some(read.rest),
        None => Some(found.message.text.clone()),
    };
    let comment = match &words {
        None => true,
        Some(_) if job.attempts > TRIES => false,
        Some(words) => found.is_comment(worker, words, now).await?,
    };
    let mut tx = worker.store.begin().await?;
    let Some(conversation) = tx.lock_conversation(found.conversation.id).await? else {
        return Err(sqlx::Error::RowNotFound.into());
    };
    if !comment {
        found.becomes_ordinary(&mut tx, worker.surveys.reopen_within).await?;
        let kept = tx.complete_job(job).await?;
        return commit_if(tx, kept).await;
    }
    let mut survey = tx.survey(conversation.id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let response = match words {
        Some(words) => {
            let all = survey.comment.take().map_or(words.clone(), |before| format!("{before}\n{words}"));
            tx.set_comment(conversation.id, &all).await?;
            let event = event(EventKind::SurveyCommented, Actor::Customer, conversation.id, found.message.id);
            tx.append_event(now, event).await?;
            "survey.noted"
        }
        None => "survey.thanks",
    };
    let silent = found.contact.opted_out_at.is_some() || conversation.state != ConversationState::Resolved;
    let mut tx = if silent {
        tx
    } else {
        let data = json!({ "score": survey.score, "comment": survey.comment_until.is_some() });
        let said = Said { response, data, conversation, contact: &found.contact };
        said.say(worker, tx, &found.message, now).await?.0
    };
    let kept = tx.complete_job(job).await?;
    commit_if(tx, kept).await
}

/// An answer and where it stands.
struct Answer {
    message: Message,
    conversation: Conversation,
    contact: Contact,
}

impl Answer {
    async fn read(tx: &mut Tx, id: MessageId) -> Result<Option<Self>, StoreError> {
        let Some(message) = tx.message(id).await? else { return Ok(None) };
        let conversation = tx.conversation(message.conversation_id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let contact = tx.contact_by_id(conversation.contact_id).await?.ok_or(sqlx::Error::RowNotFound)?;
        Ok(Some(Self { message, conversation, contact }))
    }

    async fn is_comment(&self, worker: &Worker, words: &str, now: Timestamp) -> Result<bool, StoreError> {
        let live = worker.mind.content.live();
        let said = Message { text: words.to_owned(), ..self.message.clone() };
        // What the conversation was about colours no comment.
        let conversation =
            Conversation { intent: None, dialogue: Default::default(), ..self.conversation.clone() };
        let understanding = worker.mind.understand(&said, &conversation, &live, now).await?;
        let answer_from = worker.mind.rules.answer_from;
        Ok(is_comment(words, &understanding, &live.intents, &live.phrases, answer_from))
    }

    /// As if it had come in as every message does, when it came.
    async fn becomes_ordinary(&self, tx: &mut Tx, reopen_within: Duration) -> Result<(), StoreError> {
        let at = self.message.created_at;
        let (conversation, opened) = tx.conversation_of(&self.contact, at, reopen_within).await?;
        let mut message = self.message.clone();
        tx.move_message(&mut message, conversation.id).await?;
        let opening = opened.then_some(EventKind::ConversationOpened);
        for kind in opening.into_iter().chain([EventKind::MessageReceived]) {
            tx.append_event(at, event(kind, Actor::Customer, conversation.id, message.id)).await?;
        }
        let job = NewJob { kind: JobKind::Process, message: &message, run_at: at, broadcast: false };
        tx.insert_job(job).await
    }
}

/// Something to say that no decision was taken on.
struct Said<'a> {
    response: &'static str,
    data: Value,
    conversation: Conversation,
    contact: &'a Contact,
}

impl Said<'_> {
    /// Stores it with its sending jobs. The transaction goes on; with it the last message, which carries the choices.
    async fn say(
        self,
        worker: &Worker,
        tx: Tx,
        to: &Message,
        now: Timestamp,
    ) -> Result<(Tx, Option<Message>), StoreError> {
        let Self { response, data, conversation, contact } = self;
        let decision = Decision {
            lines: vec![Line { response: response.to_owned(), part: Part::Text, data }],
            ..said_by_itself(response, &conversation.dialogue)
        };
        let parts = words(worker, &decision, &conversation, contact, now);
        let mut effects = Effects { tx, channels: &worker.channels, now, message: to, conversation };
        let said = effects.say(&decision, parts).await?;
        Ok((effects.tx, said))
    }
}

fn words(
    worker: &Worker,
    decision: &Decision,
    conversation: &Conversation,
    contact: &Contact,
    now: Timestamp,
) -> Vec<String> {
    let live = worker.mind.content.live();
    let lang: Lang = contact.chosen_lang.or(conversation.lang).unwrap_or(worker.mind.operator.lang);
    let channel = worker.channels.get(&conversation.channel);
    let text =
        worker.mind.render(&worker.channels, &decision.lines, &conversation.channel, lang, &live, now);
    channel.map_or_else(|| split(&text, usize::MAX), |channel| channel.parts(&contact.address, &text))
}

/// Asks until `stop`.
pub async fn run(worker: Worker, stop: CancellationToken) {
    if !worker.surveys.config.enabled {
        return;
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        match worker.ask_surveys().await {
            Ok(0) => {}
            Ok(asked) => tracing::info!(asked, "customers were asked how they were served"),
            Err(error) => tracing::error!(%error, "surveys are asked at the next look"),
        }
    }
}

impl Worker {
    /// Asks everyone who is to be asked now. How many that were.
    ///
    /// # Errors
    /// The database's; what was committed before stays.
    pub async fn ask_surveys(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let zone = self.mind.calendar.zone();
        if self.mind.notices.quiet.end(now, zone).is_some() {
            return Ok(0);
        }
        let config = &self.surveys.config;
        let wanted = Wanted {
            resolved: (now.minus(config.within.into()), now.minus(config.after.into())),
            not_since: now.minus(config.again_after.into()),
            bot: config.bot,
        };
        let (mut asked, mut after) = (0, None);
        loop {
            let page = self.store.read().await?.surveys_wanted(wanted, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(asked) };
            after = last.resolved_at.map(|at| (at, last.id));
            for conversation in &page {
                asked += usize::from(self.ask_survey(conversation.id, wanted, now).await?);
            }
        }
    }

    async fn ask_survey(
        &self,
        id: ConversationId,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.may_ask(id, now).await? {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        let Some(conversation) = tx.lock_conversation(id).await? else { return Ok(false) };
        if !tx.survey_is_wanted(wanted, id).await? {
            return Ok(false);
        }
        let Some(contact) = tx.contact_by_id(conversation.contact_id).await? else { return Ok(false) };
        let Some(heard) = tx.last_inbound(id).await? else { return Ok(false) };
        let options: Vec<Value> = (1..=5).map(|n| json!({ "n": n, "name": n.to_string() })).collect();
        let said = Said {
            response: "survey.ask",
            data: json!({ "options": options }),
            conversation: conversation.clone(),
            contact: &contact,
        };
        let (mut tx, question) = said.say(self, tx, &heard, now).await?;
        let Some(question) = question else { return Ok(false) };
        let config = &self.surveys.config;
        let until = now.plus(config.open_for.into());
        let survey = Survey {
            conversation_id: id,
            message_id: question.id,
            asked_at: now,
            until,
            score: None,
            comment: None,
            answered_at: None,
            comment_until: config.comment.then_some(until),
        };
        if !tx.insert_survey(&survey, &conversation).await? {
            return Ok(false);
        }
        tx.append_event(now, event(EventKind::SurveyAsked, Actor::Bot, id, question.id)).await?;
        tx.commit().await?;
        metrics::counter!("guichet_surveys_total", "channel" => conversation.channel).increment(1);
        Ok(true)
    }

    /// What the channel says: nobody is asked where everyone reads it, where the operator does not want it, or where the
    /// provider would refuse.
    async fn may_ask(&self, id: ConversationId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.store.read().await?;
        let Some(conversation) = tx.conversation(id).await? else { return Ok(false) };
        let Some(contact) = tx.contact_by_id(conversation.contact_id).await? else { return Ok(false) };
        let Some(channel) = self.channels.get(&conversation.channel) else { return Ok(false) };
        if self.surveys.config.not_on.contains(&conversation.channel) || channel.is_public(&contact.address) {
            return Ok(false);
        }
        let probe = Message::outbound(&conversation, Author::Bot, MessageKind::Notice, String::new(), now);
        let outgoing = outgoing(&mut tx, &contact, &probe).await?;
        Ok(channel.refuses(&outgoing, now).is_none())
    }
}

fn event(kind: EventKind, actor: Actor, of: ConversationId, message: MessageId) -> NewEvent {
    NewEvent { kind, actor, conversation_id: Some(of), message_id: Some(message), data: json!({}) }
}
