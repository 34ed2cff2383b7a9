//! A conversation as it is read: messages, lines of the log and notes, in the order of time.

use super::views::{Stamp, Wall};
use crate::model::{
    self, AgentId, Author, DeliveryStatus, Direction, EntityValue, EventKind, Message, Team, TeamId,
    Timestamp,
};
use crate::store::{self, Proposal};
use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Item {
    Message(Box<Said>),
    /// A line of the log.
    Note(Line),
    Memo(Memo),
}

/// All that stands in a transcript.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    pub messages: &'a [Message],
    pub events: &'a [model::Event],
    pub notes: &'a [store::Note],
    pub corrections: &'a [Proposal],
    pub teams: &'a [Team],
}

/// To whom an event says that a conversation was given.
pub fn receiver(event: &model::Event) -> Option<AgentId> {
    event.data.get("agent").filter(|_| event.kind == EventKind::Transferred)?.as_str()?.parse().ok()
}

fn team_of<'a>(event: &model::Event, teams: &'a [Team]) -> Option<&'a str> {
    let id: TeamId = event.data.get("team")?.as_str()?.parse().ok()?;
    teams.iter().find(|team| team.id == id).map(|team| team.name.as_str())
}

/// The name of an agent who took part.
type Name<'a> = &'a dyn Fn(Option<AgentId>) -> Option<String>;

/// A line of the log that explains the transcript.
#[derive(Serialize)]
pub struct Line {
    id: i64,
    at: Stamp,
    /// `escalated`, `taken`, `released`, `resolved`, `opted_out`, `opted_in`: a key of the texts.
    what: &'static str,
    who: String,
    /// Whom it was given to.
    to: String,
    reason: String,
}

#[derive(Serialize)]
pub struct Said {
    id: String,
    at: Stamp,
    author: &'static str,
    who: String,
    kind: &'static str,
    text: String,
    media: Vec<String>,
    status: &'static str,
    in_trouble: bool,
    /// A machine wrote it.
    automatic: bool,
    error: String,
    lang: String,
    tone: &'static str,
    model: String,
    /// Best first, at most three; confidence in percent.
    intents: Vec<(String, u32)>,
    entities: Vec<(String, String, String)>,
    facts: Vec<Told>,
    /// What agents say that it was about.
    corrections: Vec<Corrected>,
    /// The customer's words, which the bot may have read wrongly.
    can_correct: bool,
}

#[derive(Serialize)]
pub struct Corrected {
    intent: String,
    who: String,
    /// What a manager decided: a key of the texts.
    decided: &'static str,
}

/// What an agent wrote for colleagues.
#[derive(Serialize)]
pub struct Memo {
    id: String,
    at: Stamp,
    who: String,
    text: String,
    /// Whom it calls.
    to: Vec<String>,
}

#[derive(Serialize)]
pub struct Told {
    value: String,
    source: String,
    as_of: Stamp,
}

/// Messages in their order, what else there is between them by time. At the same instant it stands after what the
/// customer wrote and before what was answered.
pub fn items(past: &Past<'_>, name: Name<'_>, wall: &Wall) -> Vec<Item> {
    let lines = past.events.iter().filter_map(|event| note(event, past.teams, name, wall));
    let mut between: Vec<(Timestamp, Item)> =
        lines.chain(past.notes.iter().map(|note| memo(note, name, wall))).collect();
    between.sort_by_key(|(at, _)| *at);
    // Lines of the log belong to the messages shown; what a colleague wrote is always worth reading.
    let first = past.messages.first().map_or(Timestamp::default(), |m| m.created_at);
    between.retain(|(at, item)| *at >= first || matches!(item, Item::Memo(_)));
    let mut between = between.into_iter().peekable();
    let mut items = Vec::with_capacity(past.messages.len());
    for message in past.messages {
        let inbound = message.direction == Direction::Inbound;
        let before = |at: Timestamp| at < message.created_at || (at == message.created_at && !inbound);
        while let Some((_, item)) = between.next_if(|(at, _)| before(*at)) {
            items.push(item);
        }
        items.push(Item::Message(Box::new(said(message, past.corrections, name, wall))));
    }
    items.extend(between.map(|(_, item)| item));
    items
}

fn note(event: &model::Event, teams: &[Team], name: Name<'_>, wall: &Wall) -> Option<(Timestamp, Item)> {
    let what = match event.kind {
        EventKind::Escalated => "escalated",
        EventKind::Offered => "offered",
        EventKind::OfferDeclined => "offer_declined",
        EventKind::OfferExpired => "offer_expired",
        EventKind::Transferred => "transferred",
        EventKind::SlaWarned => "sla_warned",
        EventKind::SlaBreached => "sla_breached",
        EventKind::Snoozed => "snoozed",
        EventKind::Woken => "woken",
        EventKind::AlertDelivered => "alert_delivered",
        EventKind::AlertFailed => "alert_failed",
        EventKind::SurveyAsked => "survey_asked",
        EventKind::SurveyAnswered => "survey_answered",
        EventKind::SurveyCommented => "survey_commented",
        EventKind::HandedBack => "handed_back",
        EventKind::ContactLinked => "contact_linked",
        EventKind::ContactUnlinked => "contact_unlinked",
        EventKind::Taken => "taken",
        EventKind::Released => "released",
        EventKind::ReplyWithdrawn => "reply_withdrawn",
        EventKind::Resolved => "resolved",
        EventKind::OptedOut => "opted_out",
        EventKind::OptedIn => "opted_in",
        EventKind::QuarantineEnded => "quarantine_ended",
        EventKind::SpamConfirmed => "spam_confirmed",
        EventKind::Moderated => match (
            event.data.get("done").and_then(|done| done.as_bool()),
            event.data.get("action").and_then(|action| action.as_str()),
        ) {
            (Some(true), Some("like")) => "post_like",
            (Some(true), Some("hide")) => "post_hide",
            (Some(true), Some("show")) => "post_show",
            (Some(true), Some("delete")) => "post_delete",
            _ => "post_refused",
        },
        EventKind::MessageSetAside => match event.data.get("why").and_then(|why| why.as_str()) {
            Some("too_fast") => "set_aside_too_fast",
            Some("quarantined") => "set_aside_quarantined",
            _ => "set_aside_automatic",
        },
        _ => return None,
    };
    let to = name(receiver(event)).or_else(|| team_of(event, teams).map(str::to_owned));
    let reason = event.data.get("reason").and_then(|r| r.as_str());
    // Of a survey, the score stands where others have a name.
    let score = event.data.get("score").and_then(|score| score.as_i64()).map(|score| score.to_string());
    // Only a reason that we have words for.
    let known = reason.and_then(|r| r.parse::<model::EscalationReason>().ok());
    Some((
        event.at,
        Item::Note(Line {
            id: event.seq,
            at: wall.stamp(event.at),
            what,
            who: score.or_else(|| name(event.agent_id)).unwrap_or_default(),
            to: to.unwrap_or_default(),
            reason: known.map(|r| r.to_string()).unwrap_or_default(),
        }),
    ))
}

fn memo(note: &store::Note, name: Name<'_>, wall: &Wall) -> (Timestamp, Item) {
    let memo = Memo {
        id: note.id.to_string(),
        at: wall.stamp(note.created_at),
        who: name(Some(note.agent)).unwrap_or_default(),
        text: note.text.clone(),
        to: note.mentions.iter().filter_map(|agent| name(Some(*agent))).collect(),
    };
    (note.created_at, Item::Memo(memo))
}

fn said(m: &Message, corrections: &[Proposal], name: Name<'_>, wall: &Wall) -> Said {
    let understood = m.understanding.as_ref();
    let percent = |confidence: f32| (confidence.clamp(0.0, 1.0) * 100.0).round() as u32;
    let intents = understood.map(|u| u.intents.iter().take(3));
    let entities = understood.map(|u| u.entities.iter());
    let facts = m.facts.iter().map(|fact| Told {
        value: fact.value.clone(),
        source: fact.source.clone(),
        as_of: wall.stamp(fact.as_of),
    });
    Said {
        id: m.id.to_string(),
        at: wall.stamp(m.created_at),
        author: m.author.as_str(),
        who: (m.author == Author::Agent).then(|| name(m.agent_id)).flatten().unwrap_or_default(),
        kind: m.kind.as_str(),
        text: m.text.clone(),
        media: m.media.iter().map(|media| media.kind.clone()).collect(),
        status: m.status.as_str(),
        in_trouble: matches!(m.status, DeliveryStatus::Unknown | DeliveryStatus::Failed),
        automatic: m.automatic,
        error: m.error.clone().unwrap_or_default(),
        lang: understood.map(|u| u.lang.to_string()).unwrap_or_default(),
        tone: understood.map_or("", |u| u.tone.as_str()),
        model: understood.map(|u| u.model.clone()).unwrap_or_default(),
        intents: intents.into_iter().flatten().map(|i| (i.intent.clone(), percent(i.confidence))).collect(),
        entities: entities
            .into_iter()
            .flatten()
            .map(|e| (e.role.clone(), e.surface.clone(), value(&e.value, wall)))
            .collect(),
        facts: facts.collect(),
        corrections: corrections.iter().filter(|p| p.message == m.id).map(corrected).collect(),
        can_correct: m.author == Author::Customer && !m.text.trim().is_empty(),
    }
}

fn corrected(p: &Proposal) -> Corrected {
    let decided = match p.accepted {
        None => "open",
        Some(true) => "accepted",
        Some(false) => "refused",
    };
    Corrected { intent: p.intent.clone(), who: p.agent_name.clone(), decided }
}

/// What an entity stands for, in words.
fn value(value: &EntityValue, wall: &Wall) -> String {
    match value {
        EntityValue::Station { station } => station.name.clone(),
        EntityValue::Ambiguous { options } => {
            let names: Vec<&str> = options.iter().map(|o| o.name.as_str()).collect();
            names.join(" / ")
        }
        EntityValue::Time { start, end } if start == end => wall.stamp(*start).text,
        EntityValue::Time { start, end } => {
            format!("{} – {}", wall.stamp(*start).text, wall.stamp(*end).text)
        }
        EntityValue::Train { number } => number.clone(),
        EntityValue::Line { name } => name.clone(),
        EntityValue::Reference { code } => code.clone(),
        EntityValue::Phone { number } => number.clone(),
        EntityValue::Email { address } => address.clone(),
    }
}
