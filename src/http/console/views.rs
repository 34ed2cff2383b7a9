//! What the templates read: words and numbers ready to show.

use super::super::auth::SignedIn;
use super::super::pages::Ui;
use super::transcript::{self, Item, Past};
use crate::channels::{Capabilities, Channel, Channels, Moderation};
use crate::http::AppState;
use crate::model::{self, AgentId, ConversationId, ConversationState, Lang, Role, Timestamp};
use crate::store::{StoreError, Tx};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Messages shown of a conversation, the latest ones.
const MESSAGES: i64 = 300;
/// Notes shown, the latest ones.
const NOTES: i64 = 200;

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
    /// What may be done to what the customer wrote: keys of the texts.
    moderations: Vec<&'static str>,
    /// Why it seems to be spam, a key of the texts; empty: it does not.
    quarantine: &'static str,
    /// Who asks may read what was said with the provider.
    traces: bool,
}

/// A web-chat visitor has no name but a digest: its beginning tells visitors apart.
pub fn shown_address(address: &str, ui: Ui) -> String {
    let digest = address.len() == 64 && address.bytes().all(|b| b.is_ascii_hexdigit());
    if !digest {
        return address.to_owned();
    }
    format!("{} {}", ui.text("conversation.visitor"), &address[..6])
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
        let notes = tx.notes(id, NOTES).await?;
        let corrections = tx.proposals_of(id).await?;
        let teams = tx.teams().await?;
        let past = Past {
            messages: &messages,
            events: &events,
            notes: &notes,
            corrections: &corrections,
            teams: &teams,
        };
        let people = people(tx, &c, &past).await?;
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
            items: transcript::items(&past, &name, wall),
            max_chars: channel.map(|channel| channel.longest(&contact)),
            opted_out,
            carries: channel.map(|channel| carries(channel.capabilities())).unwrap_or_default(),
            public: channel.is_some_and(|channel| channel.is_public(&contact)),
            moderations: moderations(channel, &contact, signed.agent.role),
            quarantine: quarantine.map_or("", |q| q.why.as_str()),
            traces: signed.agent.role >= Role::Admin,
            channel: c.channel,
        }))
    }
}

fn moderations(channel: Option<&Arc<dyn Channel>>, contact: &str, role: Role) -> Vec<&'static str> {
    let public = channel.filter(|channel| channel.is_public(contact));
    let all = public.map_or(&[][..], |channel| channel.moderations());
    let may = |action: &&Moderation| **action != Moderation::Delete || role >= Role::Manager;
    all.iter().filter(may).map(|action| action.as_str()).collect()
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
    past: &Past<'_>,
) -> Result<HashMap<AgentId, String>, StoreError> {
    let mut names = HashMap::new();
    let mut ids: Vec<AgentId> = conversation.agent_id.into_iter().collect();
    ids.extend(past.messages.iter().filter_map(|m| m.agent_id));
    ids.extend(past.events.iter().filter_map(|e| e.agent_id));
    ids.extend(past.events.iter().filter_map(transcript::receiver));
    ids.extend(past.notes.iter().flat_map(|n| n.mentions.iter().copied().chain([n.agent])));
    for id in ids {
        if !names.contains_key(&id)
            && let Some(agent) = tx.agent(id).await?
        {
            names.insert(id, agent.name);
        }
    }
    Ok(names)
}
