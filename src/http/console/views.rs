//! What the templates read: words and numbers ready to show.

use super::super::auth::SignedIn;
use super::super::pages::Ui;
use crate::channels::{Capabilities, Channels};
use crate::http::AppState;
use crate::model::{
    self, AgentId, Author, ConversationId, ConversationState, DeliveryStatus, Direction, EntityValue,
    EventKind, Lang, Message, Role, Timestamp,
};
use crate::store::{StoreError, Tx};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;

/// Messages shown of a conversation, the latest ones.
const MESSAGES: i64 = 300;

/// The time now, and how it is written here.
pub struct Wall {
    now: Timestamp,
    zone: TimeZone,
    ui: Ui,
}

/// An instant, for machines and for people.
#[derive(Serialize)]
pub struct Stamp {
    pub iso: String,
    pub text: String,
}

impl Wall {
    pub fn new(state: &AppState, ui: Ui) -> Self {
        Self { now: state.clock.now(), zone: state.config.timezone(), ui }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn ui(&self) -> Ui {
        self.ui
    }

    /// `14:03`, with the day when it is another one: `23 nov. 14:03`.
    pub fn stamp(&self, at: Timestamp) -> Stamp {
        let local = at.to_jiff().to_zoned_datetime(self.zone.clone());
        let today = self.now.to_jiff().to_zoned_datetime(self.zone.clone());
        let time = format!("{:02}:{:02}", local.hour(), local.minute());
        let month = self.ui.text(&format!("months.m{}", local.month()));
        let text = if local.date() == today.date() {
            time
        } else if local.year() == today.year() {
            format!("{} {month} {time}", local.day())
        } else {
            format!("{} {month} {} {time}", local.day(), local.year())
        };
        Stamp { iso: at.to_string(), text }
    }

    pub fn age(&self, since: Timestamp) -> String {
        let minutes = self.now.since(since).as_secs() / 60;
        let day = self.ui.text("units.d");
        match minutes {
            0 => self.ui.text("units.now"),
            1..=59 => format!("{minutes} min"),
            60..=2879 => format!("{} h {:02}", minutes / 60, minutes % 60),
            _ => format!("{} {day}", minutes / 1440),
        }
    }
}

/// A length of time for reports: `3,2 s`, `4 min 05 s`, `2 h 05`, `3 j 4 h`.
pub fn length(seconds: f64, ui: Ui) -> String {
    let whole = Duration::try_from_secs_f64(seconds).map_or(0, |d| d.as_secs());
    match whole {
        0..=59 => {
            let text = format!("{seconds:.1} s");
            if ui.0 == Lang::FR { text.replace('.', ",") } else { text }
        }
        60..=3599 if whole.is_multiple_of(60) => format!("{} min", whole / 60),
        60..=3599 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..=172_799 => format!("{} h {:02}", whole / 3600, whole % 3600 / 60),
        _ => format!("{} {} {} h", whole / 86_400, ui.text("units.d"), whole % 86_400 / 3600),
    }
}

#[derive(Serialize)]
pub struct Conversation {
    id: String,
    channel: String,
    address: String,
    lang: String,
    intent: String,
    state: &'static str,
    reason: &'static str,
    priority: &'static str,
    agent: Option<String>,
    mine: bool,
    can_take: bool,
    can_release: bool,
    opened: Stamp,
    escalated: Option<Stamp>,
    age: String,
    /// Older messages exist that are not shown.
    cut: bool,
    items: Vec<Item>,
    /// Position of the last message shown.
    seen: i64,
    /// Longest reply in characters; none: the channel is no longer configured.
    max_chars: Option<usize>,
    /// Since when the contact wants no messages; none: they do.
    opted_out: Option<Stamp>,
    /// What the channel carries: keys of the texts.
    carries: Vec<&'static str>,
    /// Everyone reads it.
    public: bool,
    /// Why it seems to be spam, a key of the texts; empty: it does not.
    quarantine: &'static str,
    /// Who asks may read what was said with the provider.
    traces: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Item {
    Message(Box<Said>),
    Note(Note),
}

/// A web-chat visitor has no name but a digest: its beginning tells visitors apart.
pub fn shown_address(address: &str, ui: Ui) -> String {
    let digest = address.len() == 64 && address.bytes().all(|b| b.is_ascii_hexdigit());
    if !digest {
        return address.to_owned();
    }
    format!("{} {}", ui.text("conversation.visitor"), &address[..6])
}

/// A line of the log that explains the transcript.
#[derive(Serialize)]
struct Note {
    id: i64,
    at: Stamp,
    /// `escalated`, `taken`, `released`, `resolved`, `opted_out`, `opted_in`: a key of the texts.
    what: &'static str,
    who: String,
    reason: String,
}

#[derive(Serialize)]
struct Said {
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
}

#[derive(Serialize)]
struct Told {
    value: String,
    source: String,
    as_of: Stamp,
}

impl Conversation {
    pub async fn read(
        tx: &mut Tx,
        id: ConversationId,
        signed: &SignedIn,
        channels: &Channels,
        wall: &Wall,
    ) -> Result<Option<Self>, StoreError> {
        let Some(c) = tx.conversation(id).await? else {
            return Ok(None);
        };
        let contact = tx.contact_by_id(c.contact_id).await?;
        let opted_out = contact.as_ref().and_then(|k| k.opted_out_at).map(|at| wall.stamp(at));
        let contact = contact.map(|k| k.address).unwrap_or_default();
        let quarantine = tx.quarantine_of(c.contact_id).await?;
        let channel = channels.get(&c.channel);
        let messages = tx.latest_messages(id, MESSAGES).await?;
        let events = tx.events(id).await?;
        let people = people(tx, &c, &messages, &events).await?;
        let name = |agent: Option<AgentId>| agent.and_then(|a| people.get(&a).cloned());
        let mine = c.state == ConversationState::InCharge && c.agent_id == Some(signed.agent.id);
        let since = c.escalated_at.unwrap_or(c.opened_at);
        Ok(Some(Self {
            id: id.to_string(),
            address: shown_address(&contact, wall.ui),
            lang: c.lang.map(|l| l.to_string()).unwrap_or_default(),
            intent: c.intent.clone().unwrap_or_default(),
            state: c.state.as_str(),
            reason: c.reason.map_or("", |r| r.as_str()),
            priority: c.priority.as_str(),
            agent: name(c.agent_id),
            mine,
            can_take: matches!(c.state, ConversationState::Bot | ConversationState::Queued),
            can_release: mine || c.state == ConversationState::InCharge && signed.agent.role >= Role::Manager,
            opened: wall.stamp(c.opened_at),
            escalated: c.escalated_at.map(|at| wall.stamp(at)),
            age: wall.age(since),
            cut: messages.first().is_some_and(|m| m.seq > 1),
            seen: messages.last().map_or(0, |m| m.seq),
            items: items(&messages, &events, &name, wall),
            max_chars: channel.map(|channel| channel.capabilities().max_chars),
            opted_out,
            carries: channel.map(|channel| carries(channel.capabilities())).unwrap_or_default(),
            public: channel.is_some_and(|channel| channel.is_public(&contact)),
            quarantine: quarantine.map_or("", |q| q.why.as_str()),
            traces: signed.agent.role >= Role::Admin,
            channel: c.channel,
        }))
    }
}

/// What an agent can count on in this channel, beside text.
fn carries(capabilities: Capabilities) -> Vec<&'static str> {
    let Capabilities { sms, buttons, media, receipts, edits, .. } = capabilities;
    let all =
        [(sms, "sms"), (buttons > 0, "buttons"), (media, "media"), (receipts, "receipts"), (edits, "edits")];
    all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect()
}

/// Names of the agents who took part.
async fn people(
    tx: &mut Tx,
    conversation: &model::Conversation,
    messages: &[Message],
    events: &[model::Event],
) -> Result<HashMap<AgentId, String>, StoreError> {
    let mut names = HashMap::new();
    let wrote = messages.iter().filter_map(|m| m.agent_id);
    let acted = events.iter().filter_map(|e| e.agent_id);
    for id in conversation.agent_id.into_iter().chain(wrote).chain(acted) {
        if !names.contains_key(&id)
            && let Some(agent) = tx.agent(id).await?
        {
            names.insert(id, agent.name);
        }
    }
    Ok(names)
}

/// Messages in their order, the notes of the log between them by time. At the same instant a note stands after
/// what the customer wrote and before what was answered.
fn items(
    messages: &[Message],
    events: &[model::Event],
    name: &dyn Fn(Option<AgentId>) -> Option<String>,
    wall: &Wall,
) -> Vec<Item> {
    let mut notes = events.iter().filter_map(|e| note(e, name, wall)).peekable();
    let first = messages.first().map_or(Timestamp::default(), |m| m.created_at);
    while notes.next_if(|(at, _)| *at < first).is_some() {}
    let mut items = Vec::with_capacity(messages.len());
    for message in messages {
        let inbound = message.direction == Direction::Inbound;
        let before = |at: Timestamp| at < message.created_at || (at == message.created_at && !inbound);
        while let Some((_, note)) = notes.next_if(|(at, _)| before(*at)) {
            items.push(Item::Note(note));
        }
        items.push(Item::Message(Box::new(said(message, name, wall))));
    }
    items.extend(notes.map(|(_, note)| Item::Note(note)));
    items
}

fn note(
    event: &model::Event,
    name: &dyn Fn(Option<AgentId>) -> Option<String>,
    wall: &Wall,
) -> Option<(Timestamp, Note)> {
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
        EventKind::Taken => "taken",
        EventKind::Released => "released",
        EventKind::Resolved => "resolved",
        EventKind::OptedOut => "opted_out",
        EventKind::OptedIn => "opted_in",
        EventKind::QuarantineEnded => "quarantine_ended",
        EventKind::SpamConfirmed => "spam_confirmed",
        EventKind::MessageSetAside => match event.data.get("why").and_then(|why| why.as_str()) {
            Some("too_fast") => "set_aside_too_fast",
            Some("quarantined") => "set_aside_quarantined",
            _ => "set_aside_automatic",
        },
        _ => return None,
    };
    let reason = event.data.get("reason").and_then(|r| r.as_str());
    // Only a reason that we have words for.
    let known = reason.and_then(|r| r.parse::<model::EscalationReason>().ok());
    Some((
        event.at,
        Note {
            id: event.seq,
            at: wall.stamp(event.at),
            what,
            who: name(event.agent_id).unwrap_or_default(),
            reason: known.map(|r| r.to_string()).unwrap_or_default(),
        },
    ))
}

fn said(m: &Message, name: &dyn Fn(Option<AgentId>) -> Option<String>, wall: &Wall) -> Said {
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
    }
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
