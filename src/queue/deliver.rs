//! The outbox: one outbound message to its provider, at most once where that can be known, never blindly twice.
//!
//! `pending` → `sending` is committed before the request leaves. Whoever finds a message `sending` — after a
//! crash, a timeout, a broken answer — asks the provider what became of it; where nobody can be asked, it stands
//! as `unknown` until a person decides.

use super::pace::Place;
use super::{Done, Worker};
use crate::channels::{Channel, Lookup, Outgoing, SendError, Trace};
use crate::model::{
    Actor, Author, Contact, DeliveryStatus, EventKind, Message, MessageKind, NewEvent, Timestamp,
};
use crate::store::{ClaimedJob, StoreError, Tx};
use std::sync::Arc;
use std::time::Duration;

/// What a step decides for the message and its job.
enum Outcome {
    Sent {
        provider_id: Option<String>,
    },
    /// The contact cannot be reached any more.
    Blocked {
        why: String,
    },
    TryAgain {
        at: Timestamp,
        status: DeliveryStatus,
        why: String,
    },
    Failed {
        why: String,
    },
    Unknown {
        why: String,
    },
}

pub(super) async fn deliver(worker: &Worker, job: &ClaimedJob) -> Result<Done, StoreError> {
    let now = worker.clock.now();
    let mut tx = worker.store.begin().await?;
    let Some(message) = tx.lock_message(job.message_id).await? else {
        return end(tx, job).await;
    };
    let Some(contact) = contact_of(&mut tx, &message).await? else {
        return end(tx, job).await;
    };
    let Some(channel) = worker.channels.get(&message.channel).cloned() else {
        let why = format!("channel '{}' is no longer configured", message.channel);
        return settle(worker, tx, job, &message, Outcome::Failed { why }).await;
    };
    let trace = Trace::new(worker.clock.clone(), &[&contact.address]);
    let outgoing = outgoing(&mut tx, &contact, &message).await?;
    let withheld = contact.opted_out_at.is_some() && contact.opt_out_message != Some(message.id);
    match message.status {
        DeliveryStatus::Pending if withheld => {
            let why = "the contact has opted out: nothing is sent to them".to_owned();
            settle(worker, tx, job, &message, Outcome::Failed { why }).await
        }
        DeliveryStatus::Pending => {
            match quiet(worker, job, &message, now) {
                Quiet::No => {}
                Quiet::Until(end) => {
                    let kept = tx.defer_job(job, end).await?;
                    return commit_if(tx, kept).await;
                }
                Quiet::Over => {
                    let why = "quiet hours: it would be said when its train has left".to_owned();
                    return settle(worker, tx, job, &message, Outcome::Failed { why }).await;
                }
            }
            let place = match place(worker, &mut tx, job, &contact, &message).await? {
                Ok(place) => place,
                Err(turn) => {
                    let kept = tx.defer_job(job, turn).await?;
                    return commit_if(tx, kept).await;
                }
            };
            tx.set_sending(&message, now).await?;
            tx.commit().await?;
            let outcome = send(worker, job, &message, &channel, &outgoing, &trace).await;
            drop(place);
            settle_later(worker, job, &message, outcome, &trace).await
        }
        DeliveryStatus::Sending => {
            let ready_at = message.attempted_at.unwrap_or(now).plus(worker.config.settle.into());
            if now < ready_at {
                let kept = tx.retry_job(job, ready_at).await?;
                return commit_if(tx, kept).await;
            }
            drop(tx);
            let outcome = ask(worker, job, &channel, &outgoing, &message, &trace).await?;
            settle_later(worker, job, &message, outcome, &trace).await
        }
        // A receipt settled it meanwhile, or a person did.
        _ => end(tx, job).await,
    }
}

/// May something that nobody asked for be said now?
enum Quiet {
    No,
    Until(Timestamp),
    /// When the quiet ends, it is of no use any more.
    Over,
}

/// Quiet hours are looked at when a notice is made, and again when it is sent: it may have waited for its turn, or for a
/// provider that was down. Answers are sent at any hour.
fn quiet(worker: &Worker, job: &ClaimedJob, message: &Message, now: Timestamp) -> Quiet {
    let notices = &worker.mind.notices;
    let unasked = job.broadcast && message.author == Author::Bot && message.kind == MessageKind::Notice;
    let Some(end) = notices.quiet.end(now, worker.mind.calendar.zone()).filter(|_| unasked) else {
        return Quiet::No;
    };
    let departs = message.facts.iter().filter_map(|fact| Some(fact.ride.as_ref()?.departs)).min();
    match departs.is_some_and(|at| at < end) {
        true if notices.urgent_in_quiet => Quiet::No,
        true => Quiet::Over,
        false => Quiet::Until(end),
    }
}

/// A place to send in, or when its turn comes.
async fn place(
    worker: &Worker,
    tx: &mut Tx,
    job: &ClaimedJob,
    contact: &Contact,
    message: &Message,
) -> Result<Result<Place, Timestamp>, StoreError> {
    let now = worker.clock.now();
    let pause = worker.paces.per_contact(&message.channel);
    if !pause.is_zero() {
        let last = tx.last_attempt(contact.id, message.id, now, pause).await?;
        if let Some(at) = last.map(|last| last.plus(pause)).filter(|at| *at > now) {
            return Ok(Err(at));
        }
    }
    Ok(worker.paces.ask(&message.channel, job.broadcast, job.deferred, &worker.clock))
}

/// The message as its channel sends it.
pub async fn outgoing(tx: &mut Tx, contact: &Contact, message: &Message) -> Result<Outgoing, StoreError> {
    let heard = tx.last_inbound(message.conversation_id).await?;
    Ok(Outgoing {
        id: message.id,
        address: contact.address.clone(),
        text: message.text.clone(),
        choices: message.choices.clone(),
        heard_at: heard.as_ref().map(|m| m.created_at),
        reply_to: heard.and_then(|m| m.provider_id),
        author: message.author,
        lang: contact.lang,
        since: message.created_at,
    })
}

async fn send(
    worker: &Worker,
    job: &ClaimedJob,
    message: &Message,
    channel: &Arc<dyn Channel>,
    outgoing: &Outgoing,
    trace: &Trace,
) -> Outcome {
    // A little more than the client's own limit, which should strike first.
    let limit = Duration::from(worker.config.send_timeout) + Duration::from_secs(1);
    let sent = tokio::time::timeout(limit, channel.send(outgoing, trace)).await;
    let error = match sent {
        Ok(Ok(provider_id)) => return Outcome::Sent { provider_id },
        Ok(Err(error)) => error,
        Err(_) => SendError::InDoubt { why: "the provider did not answer in time".into() },
    };
    let now = worker.clock.now();
    if let SendError::Retry { after: Some(wait), .. } = &error {
        // It is the account that sends too much, not this message.
        worker.paces.pause(&message.channel, *wait, now);
    }
    match error {
        SendError::Permanent { why } => Outcome::Failed { why },
        SendError::Blocked { why } => Outcome::Blocked { why },
        SendError::InDoubt { why } => {
            let at = now.plus(worker.config.settle.into());
            Outcome::TryAgain { at, status: DeliveryStatus::Sending, why }
        }
        SendError::Retry { why, after } => match scheduled(worker, job) {
            Some(wait) => {
                let at = now.plus(after.map_or(wait, |a| a.max(wait)));
                Outcome::TryAgain { at, status: DeliveryStatus::Pending, why }
            }
            None => Outcome::Failed { why },
        },
    }
}

/// The wait before the next try; none when the schedule is exhausted.
fn scheduled(worker: &Worker, job: &ClaimedJob) -> Option<Duration> {
    let index = usize::try_from(job.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    worker.config.retry.get(index).map(|wait| Duration::from(*wait))
}

/// A send in doubt: asks the provider.
async fn ask(
    worker: &Worker,
    job: &ClaimedJob,
    channel: &Arc<dyn Channel>,
    outgoing: &Outgoing,
    message: &Message,
    trace: &Trace,
) -> Result<Outcome, StoreError> {
    let now = worker.clock.now();
    let limit = Duration::from(worker.config.send_timeout) + Duration::from_secs(1);
    let answer = tokio::time::timeout(limit, channel.look_up(outgoing, trace))
        .await
        .unwrap_or_else(|_| Lookup::Unavailable("the provider did not answer in time".into()));
    Ok(match answer {
        Lookup::Listed(ids) => {
            // The same text may have been sent to the same person before: those are known by their ids.
            let mut tx = worker.store.read().await?;
            for id in ids {
                if !tx.is_known_outbound(&message.channel, &id).await? {
                    return Ok(Outcome::Sent { provider_id: Some(id) });
                }
            }
            let why = "the provider does not know it; sending again".into();
            Outcome::TryAgain { at: now, status: DeliveryStatus::Pending, why }
        }
        Lookup::CannotAsk => {
            Outcome::Unknown { why: "it may have been sent; this provider cannot be asked".into() }
        }
        Lookup::Unavailable(why) if job.attempts < i64::from(worker.config.settle_attempts) => {
            let at = now.plus(scheduled(worker, job).unwrap_or(worker.config.settle.into()));
            Outcome::TryAgain { at, status: DeliveryStatus::Sending, why }
        }
        Lookup::Unavailable(why) => {
            Outcome::Unknown { why: format!("it may have been sent; the provider could not be asked: {why}") }
        }
    })
}

async fn settle_later(
    worker: &Worker,
    job: &ClaimedJob,
    message: &Message,
    outcome: Outcome,
    trace: &Trace,
) -> Result<Done, StoreError> {
    let mut tx = worker.store.begin().await?;
    for call in trace.take() {
        tx.insert_call(message.id, &call).await?;
    }
    match tx.lock_message(message.id).await? {
        Some(current) if current.status == DeliveryStatus::Sending => {
            settle(worker, tx, job, &current, outcome).await
        }
        // A receipt was quicker than the provider's answer.
        _ => end(tx, job).await,
    }
}

/// Commits the outcome together with the end of the job.
async fn settle(
    worker: &Worker,
    mut tx: Tx,
    job: &ClaimedJob,
    message: &Message,
    outcome: Outcome,
) -> Result<Done, StoreError> {
    let now = worker.clock.now();
    let kept = match &outcome {
        Outcome::TryAgain { at, status, why } => {
            tx.set_status(message, *status, Some(why), None, None).await?;
            tx.retry_job(job, *at).await?
        }
        Outcome::Sent { provider_id } => {
            mark_sent(&mut tx, message, provider_id.as_deref(), now).await?;
            tx.complete_job(job).await?
        }
        Outcome::Blocked { why } => {
            if let Some(contact) = contact_of(&mut tx, message).await? {
                tx.set_blocked(contact.id, Some(contact.blocked_at.unwrap_or(now))).await?;
            }
            tx.set_status(message, DeliveryStatus::Failed, Some(why), None, None).await?;
            tx.append_event(now, message_event(message, EventKind::MessageFailed)).await?;
            tx.complete_job(job).await?
        }
        Outcome::Failed { why } => {
            tx.set_status(message, DeliveryStatus::Failed, Some(why), None, None).await?;
            tx.append_event(now, message_event(message, EventKind::MessageFailed)).await?;
            tx.complete_job(job).await?
        }
        Outcome::Unknown { why } => {
            tx.set_status(message, DeliveryStatus::Unknown, Some(why), None, None).await?;
            tx.append_event(now, message_event(message, EventKind::MessageUnknown)).await?;
            tx.complete_job(job).await?
        }
    };
    let label = match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::TryAgain { .. } => "again",
        Outcome::Failed { .. } | Outcome::Blocked { .. } => "failed",
        Outcome::Unknown { .. } => "unknown",
    };
    metrics::counter!("guichet_sends_total", "channel" => message.channel.clone(), "outcome" => label)
        .increment(1);
    commit_if(tx, kept).await
}

/// The provider has it: the clocks of first answers stop here.
pub(super) async fn mark_sent(
    tx: &mut Tx,
    message: &Message,
    provider_id: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.set_status(message, DeliveryStatus::Sent, None, provider_id, Some(now)).await?;
    if message.author == Author::Agent {
        remember_rides(tx, message).await?;
    }
    tx.append_event(now, message_event(message, EventKind::MessageSent)).await
}

/// What the bot tells is remembered with its decision; a person could take it back until now.
async fn remember_rides(tx: &mut Tx, message: &Message) -> Result<(), StoreError> {
    let Some(contact) = contact_of(tx, message).await? else { return Ok(()) };
    for ride in message.facts.iter().filter_map(|fact| fact.ride.as_ref()) {
        tx.remember_told(contact.id, message.conversation_id, message.id, ride).await?;
    }
    Ok(())
}

pub(super) fn message_event(message: &Message, kind: EventKind) -> NewEvent {
    NewEvent {
        kind,
        actor: Actor::System,
        conversation_id: Some(message.conversation_id),
        message_id: Some(message.id),
        data: serde_json::json!({"kind": message.kind, "author": message.author}),
    }
}

async fn contact_of(tx: &mut Tx, message: &Message) -> Result<Option<Contact>, StoreError> {
    let Some(conversation) = tx.conversation(message.conversation_id).await? else { return Ok(None) };
    tx.contact_by_id(conversation.contact_id).await
}

async fn end(mut tx: Tx, job: &ClaimedJob) -> Result<Done, StoreError> {
    let kept = tx.complete_job(job).await?;
    commit_if(tx, kept).await
}

/// Only the holder of the claim commits.
pub(super) async fn commit_if(tx: Tx, kept: bool) -> Result<Done, StoreError> {
    if !kept {
        return Ok(Done::Lost);
    }
    tx.commit().await?;
    Ok(Done::Ended)
}
