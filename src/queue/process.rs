//! One inbound message through understanding, facts and decision, into one transaction.

use super::deliver::commit_if;
use super::gather::{Gathered, gather, joined};
use super::manners::{Background, Seen, as_one};
use super::think::{Scene, hand_over};
use super::{Done, Manners, Worker, effects::apply};
use crate::answers::Registry;
use crate::answers::responses::Variant;
use crate::channels::{Channels, split};
use crate::config::{NoticesConfig, OperatorConfig};
use crate::content::{Content, Live};
use crate::desk::hours::Calendar;
use crate::desk::oncall::emergency;
use crate::desk::routing;
use crate::engine::manners::{hush, is_hushed};
use crate::engine::{Action, Decision, Effect, Escalation, Line, Part, Rules, in_public};
use crate::model::{
    Actor, Author, Conversation, ConversationState, Dialogue, Direction, EscalationReason, EventKind, Lang,
    Message, MessageId, MessageKind, NewEvent, Timestamp, Understanding,
};
use crate::nlu::Nlu;
use crate::store::{ClaimedJob, JobKind, NewJob, StoreError, Tx};
use crate::transit::TimetableHandle;
use crate::transit::planner::SharedPlanner;
use serde_json::json;
use std::time::Duration;

/// After so many tries, kills of the server among them, something in the message breaks us: people read it instead.
const TRIES: i64 = 6;
/// How often a decision is taken again because the conversation changed meanwhile.
const ROUNDS: usize = 3;
/// More messages that wait behind one are not looked at together.
const BEHIND: i64 = 16;

/// Everything that understanding and answering need. Cloning shares what was learned and the files in service.
#[derive(Clone)]
pub struct Mind {
    pub nlu: Nlu,
    pub content: Content,
    pub sources: Registry,
    /// The one that the sources ask.
    pub planner: SharedPlanner,
    pub calendar: Calendar,
    pub rules: Rules,
    /// How long a text that looks unfinished waits for its other parts, on channels that carry SMS.
    pub gather: Duration,
    pub notices: NoticesConfig,
    pub manners: Manners,
    pub operator: OperatorConfig,
    /// Where stations are.
    pub timetable: TimetableHandle,
}

pub(super) async fn process(worker: &Worker, job: &ClaimedJob) -> Result<Done, StoreError> {
    for _ in 0..ROUNDS {
        if let Some(done) = round(worker, job).await? {
            return Ok(done);
        }
    }
    // Someone at the desk is quicker than we are; the next try sees what they did.
    let mut tx = worker.store.begin().await?;
    let kept = tx.retry_job(job, worker.clock.now()).await?;
    commit_if(tx, kept).await
}

/// `None`: the conversation changed while we thought.
async fn round(worker: &Worker, job: &ClaimedJob) -> Result<Option<Done>, StoreError> {
    let mut tx = worker.store.read().await?;
    let Some(message) = tx.message(job.message_id).await? else {
        drop(tx);
        let mut tx = worker.store.begin().await?;
        let kept = tx.complete_job(job).await?;
        return commit_if(tx, kept).await.map(Some);
    };
    let conversation = tx.conversation(message.conversation_id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let contact = tx.contact_by_id(conversation.contact_id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let mut behind = tx.messages(conversation.id, message.seq, BEHIND).await?;
    let now = worker.clock.now();
    let background = Background::read(&mut tx, &conversation, &worker.mind.manners, now).await?;
    drop(tx);

    let live = worker.mind.content.live();
    let channel = worker.channels.get(&conversation.channel);
    let sms = worker.channels.is_sms(&conversation.channel);
    let mut message = message;
    if job.set_aside {
        if let Some(done) = worker.not_yet(job, &conversation, &background).await? {
            return Ok(Some(done));
        }
        behind.clear();
        message = as_one(&background.aside).unwrap_or(message);
    } else {
        let window = if sms && job.attempts <= TRIES { worker.mind.gather } else { Duration::ZERO };
        match gather(&message, &behind, window, &live.phrases, now) {
            Gathered::Wait(until) => {
                let mut tx = worker.store.begin().await?;
                let kept = tx.retry_job(job, until).await?;
                return commit_if(tx, kept).await.map(Some);
            }
            Gathered::Parts(parts) => behind.truncate(parts),
        }
    }
    let mut said = Message { text: joined(&message, &behind), ..message.clone() };
    let mut takes_up = job.set_aside;

    let lang = conversation.lang.unwrap_or(worker.mind.operator.lang);
    let (understanding, decision) = if job.attempts > TRIES {
        (None, hand_over(&conversation))
    } else {
        let mut understanding = worker.mind.understand(&said, &conversation, &live, now).await?;
        // What they chose counts, whatever this message is written in.
        let chosen = contact.chosen_lang;
        understanding.lang = chosen.unwrap_or(understanding.lang);
        if !job.set_aside {
            let seen = Seen {
                message: &said,
                conversation: &conversation,
                contact: &contact,
                background: &background,
            };
            if let Some(why) = worker.unanswered(&seen, &understanding, &live) {
                let lang = conversation.lang.unwrap_or(understanding.lang);
                return worker.leave(job, &seen, &behind, why, lang).await;
            }
            if let Some(text) = background.goes_before(&said, &understanding, &live) {
                said.text = text;
                takes_up = true;
                understanding = worker.mind.understand(&said, &conversation, &live, now).await?;
                understanding.lang = chosen.unwrap_or(understanding.lang);
            }
        }
        // Who writes to a chat again wants to be answered there; an SMS after STOP is none until START.
        let silent = sms && contact.opted_out_at.is_some();
        let near = worker.near(&said);
        let near = near.as_deref();
        let scene =
            Scene { message: &said, conversation: &conversation, live: &live, sms, silent, near, now };
        let decision = worker.decide(&scene, &understanding).await?;
        (Some(understanding), decision)
    };
    let public = channel.filter(|channel| channel.is_public(&contact.address));
    let decision = match public {
        Some(channel) => in_public(decision, channel.private_url().as_deref()),
        None => decision,
    };
    let chosen = decision.effects.iter().find_map(|effect| match effect {
        Effect::Speak(lang) => Some(*lang),
        _ => None,
    });
    // "STOP" is written in every language, and "/start" in none: the application writes it.
    let command = decision.effects.iter().any(|e| matches!(e, Effect::OptOut | Effect::OptIn))
        || decision.lines.first().is_some_and(|line| line.response == "system.help");
    let known = chosen.or(conversation.lang.filter(|_| command));
    let written = understanding.as_ref().map(|u| u.lang).filter(|_| !command || !said.text.starts_with('/'));
    let lang = known.or(contact.chosen_lang).or(written).unwrap_or(lang);
    let render = |decision: &Decision| {
        let said =
            worker.mind.render(&worker.channels, &decision.lines, &conversation.channel, lang, &live, now);
        channel.map_or_else(|| split(&said, usize::MAX), |channel| channel.parts(&contact.address, &said))
    };
    let mut decision = decision;
    let mut parts = render(&decision);
    let facts = !decision.facts.is_empty();
    let going_on = is_hushed(&conversation) || background.habits().is_loop(&message.text, &parts, facts);
    if going_on && !parts.is_empty() {
        decision = hush(decision, &conversation);
        parts = render(&decision);
    }

    let mut tx = worker.store.begin().await?;
    let current = tx.lock_conversation(conversation.id).await?.ok_or(sqlx::Error::RowNotFound)?;
    if current.state != conversation.state || current.agent_id != conversation.agent_id {
        return Ok(None);
    }
    if takes_up {
        if !background.still_holds(&mut tx, &conversation).await? {
            return Ok(None);
        }
        tx.take_up(conversation.id).await?;
    }
    let last = behind.last().map_or(message.seq, |part| part.seq);
    let channels = &worker.channels;
    let mut effects = Effects { tx, channels, now, message: &said, conversation: current };
    effects.remember(understanding.as_ref(), &decision, lang).await?;
    let reply = effects.say(&decision, parts).await?;
    let Effects { tx, conversation, .. } = &mut effects;
    if contact.opted_out_at.is_some() && !sms && !decision.effects.contains(&Effect::OptOut) {
        apply(tx, conversation, &[Effect::OptIn], None, now).await?;
    }
    apply(tx, conversation, &decision.effects, reply.as_ref(), now).await?;
    let named = effects
        .conversation
        .intent
        .as_ref()
        .and_then(|intent| live.intents.get(intent)?.escalate.team.clone());
    effects.escalate(decision.escalation, named.as_deref()).await?;
    if decision.escalation.is_some_and(|escalation| escalation.reason == EscalationReason::Emergency) {
        let Effects { tx, conversation, .. } = &mut effects;
        let (open, raised) = (worker.mind.calendar.is_open(now), emergency(conversation));
        worker.on_call.raise(tx, conversation, raised, message.id, open, now).await?;
    }
    if decision.effects.contains(&Effect::Close) {
        effects.close(last).await?;
    }
    let Effects { mut tx, conversation, .. } = effects;
    tx.save_conversation(&conversation).await?;
    let mut kept = tx.complete_job(job).await?;
    for part in &behind {
        kept &= tx.end_job_behind(part.id).await?;
    }
    commit_if(tx, kept).await.map(Some)
}

/// A notice that no message asked for.
pub(super) fn said_by_itself(response: &str, dialogue: &Dialogue) -> Decision {
    let line = Line { response: response.to_owned(), part: Part::Text, data: json!({}) };
    Decision {
        lines: vec![line],
        kind: Some(MessageKind::Notice),
        dialogue: dialogue.clone(),
        ..Decision::default()
    }
}

impl Mind {
    /// The words of a decision; none when it says nothing. A template that fails here passed its check at start, so the
    /// rest is said and the failure logged.
    pub fn render(
        &self,
        channels: &Channels,
        lines: &[Line],
        channel: &str,
        lang: Lang,
        live: &Live,
        now: Timestamp,
    ) -> String {
        let capabilities = channels.get(channel).map(|c| c.capabilities());
        let sms = capabilities.is_some_and(|c| c.sms);
        let variants: &[Variant<'_>] =
            if sms { &[Variant::Sms, Variant::SmsShort] } else { &[Variant::Text] };
        let buttons = capabilities.map_or(0, |c| c.buttons);
        let wordings = variants.iter().map(|variant| {
            let texts = lines.iter().filter_map(|line| self.say(line, *variant, lang, live, buttons, now));
            texts.collect::<Vec<_>>().join(if sms { " " } else { "\n\n" })
        });
        let about: Vec<&str> = lines.iter().map(|line| &*line.response).collect();
        channels.worded(channel, &about.join("+"), wordings.collect()).unwrap_or_default()
    }

    /// `buttons`: how many choices the channel shows as such.
    fn say(
        &self,
        line: &Line,
        text: Variant<'_>,
        lang: Lang,
        live: &Live,
        buttons: usize,
        now: Timestamp,
    ) -> Option<String> {
        let calendar = &self.calendar;
        let mut data = json!({
            "operator": self.operator.name,
            "help_url": self.operator.help_url,
            "hours": calendar.hours_text(now, lang),
            "open": calendar.is_open(now),
            "reopens": calendar.reopens_text(now, lang),
        });
        merge(&mut data, &line.data);
        let offered = choices(std::slice::from_ref(line)).len();
        data["buttons"] = json!(offered > 0 && offered <= buttons);
        let variant = match &line.part {
            Part::Text => text,
            Part::Nothing if text == Variant::SmsShort => Variant::NoneShort,
            Part::Nothing => Variant::None,
            Part::Ask(slot) => Variant::Ask(slot),
        };
        let text = live.responses.render(&line.response, variant, lang, &data);
        text.inspect_err(|error| tracing::error!(%error, "a response could not be said")).ok()
    }
}

/// What a line lets the customer choose from, in the words of the choice.
fn choices(lines: &[Line]) -> Vec<String> {
    let offered = lines.iter().filter_map(|line| line.data.get("options")?.as_array());
    offered.flatten().filter_map(|option| option.get("name")?.as_str().map(str::to_owned)).collect()
}

fn merge(data: &mut serde_json::Value, more: &serde_json::Value) {
    if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
        data.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}

/// What a decision changes, in one transaction.
pub(super) struct Effects<'a> {
    pub tx: Tx,
    pub channels: &'a Channels,
    pub now: Timestamp,
    pub message: &'a Message,
    pub conversation: Conversation,
}

impl Effects<'_> {
    pub async fn event(
        &mut self,
        kind: EventKind,
        message: MessageId,
        data: serde_json::Value,
    ) -> Result<(), StoreError> {
        let event = NewEvent {
            kind,
            actor: Actor::Bot,
            conversation_id: Some(self.conversation.id),
            message_id: Some(message),
            data,
        };
        self.tx.append_event(self.now, event).await
    }

    async fn remember(
        &mut self,
        understanding: Option<&Understanding>,
        decision: &Decision,
        lang: Lang,
    ) -> Result<(), StoreError> {
        if let Some(understanding) = understanding {
            self.tx.set_understanding(self.message.id, understanding).await?;
            let best = understanding.best();
            let data = json!({
                "intent": best.map(|b| &b.intent),
                "confidence": best.map(|b| b.confidence),
                "tone": understanding.tone,
                "model": understanding.model,
                // Why something was said: what was decided, and on which intent.
                "decided": decision.intent,
                "action": Action::of(decision, self.conversation.state).to_string(),
            });
            self.event(EventKind::MessageUnderstood, self.message.id, data).await?;
        }
        if self.conversation.lang != Some(lang) && understanding.is_some() {
            self.conversation.lang = Some(lang);
            self.tx.set_contact_lang(self.conversation.contact_id, lang).await?;
        }
        if let Some(intent) = &decision.intent {
            self.conversation.intent = Some(intent.clone());
        }
        self.conversation.dialogue = decision.dialogue.clone();
        Ok(())
    }

    pub async fn say(
        &mut self,
        decision: &Decision,
        parts: Vec<String>,
    ) -> Result<Option<Message>, StoreError> {
        let mut first = None;
        let last = parts.len().saturating_sub(1);
        for (at, text) in parts.into_iter().enumerate() {
            let part = self.say_part(decision, text, at == 0, at == last).await?;
            first.get_or_insert(part);
        }
        Ok(first)
    }

    /// The facts go with the first part, what to choose from with the last.
    async fn say_part(
        &mut self,
        decision: &Decision,
        text: String,
        first: bool,
        last: bool,
    ) -> Result<Message, StoreError> {
        let kind = decision.kind.unwrap_or(MessageKind::Notice);
        let outbound = Message::outbound(&self.conversation, Author::Bot, kind, text, self.now);
        let mut reply = self.channels.charged(Message {
            facts: if first { decision.facts.clone() } else { Vec::new() },
            choices: if last { choices(&decision.lines) } else { Vec::new() },
            ..outbound
        });
        self.tx.insert_message(&mut reply).await?;
        let job = NewJob { kind: JobKind::Send, message: &reply, run_at: self.now, broadcast: false };
        self.tx.insert_job(job).await?;
        let event =
            if kind == MessageKind::Notice { EventKind::NoticeQueued } else { EventKind::BotAnswered };
        let responses: Vec<&str> = decision.lines.iter().map(|line| &*line.response).collect();
        let data = json!({"kind": kind, "responses": responses, "to": self.message.id});
        self.event(event, reply.id, data).await?;
        Ok(reply)
    }

    /// The conversation is over, unless the customer has written again meanwhile. `last`: the last message that the
    /// decision took into account.
    async fn close(&mut self, last: i64) -> Result<(), StoreError> {
        let newer = self.tx.messages(self.conversation.id, last, BEHIND).await?;
        let written = newer.iter().any(|message| message.direction == Direction::Inbound);
        if written || self.conversation.state != ConversationState::Bot {
            return Ok(());
        }
        self.conversation.state = ConversationState::Resolved;
        self.conversation.resolved_at = Some(self.now);
        self.event(EventKind::Resolved, self.message.id, json!({"by": "bot"})).await
    }

    /// To the queue, or further up in it: an emergency overtakes.
    async fn escalate(
        &mut self,
        escalation: Option<Escalation>,
        team: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(Escalation { reason, priority }) = escalation else { return Ok(()) };
        let conversation = &mut self.conversation;
        if conversation.state == ConversationState::Bot {
            let teams = self.tx.teams().await?;
            conversation.state = ConversationState::Queued;
            conversation.escalated_at = Some(self.now);
            conversation.desk.team = routing::team_for(conversation, team, &teams);
            conversation.desk.about = routing::about(&conversation.dialogue);
        }
        conversation.reason = Some(reason);
        conversation.priority = priority;
        let data = json!({"reason": reason, "priority": priority});
        self.event(EventKind::Escalated, self.message.id, data).await
    }
}
