//! What stands around a transcript: what may be done now and by whom, tags, the contact's other conversations, linked
//! contacts, and what a colleague is writing.

use super::super::auth::SignedIn;
use super::queue::reading::excerpt;
use super::views::{Stamp, Wall, shown_address};
use crate::desk::hand::LONGEST_SNOOZE;
use crate::desk::hours::end_of_day;
use crate::desk::notes::{LONGEST_NOTE, LONGEST_TAG};
use crate::http::AppState;
use crate::model::{
    self, AgentId, Contact, ConversationId, ConversationState, Presence, Role, Seat, Timestamp,
};
use crate::store::{self, Mention, StoreError, Tx};
use serde::Serialize;
use std::time::Duration;

/// Earlier conversations shown, the latest ones.
const EARLIER: i64 = 30;
/// Of so many conversations the tags are offered again, and so many tags.
const TAGGED: i64 = 200;
const TAGS_OFFERED: usize = 40;
/// Who has not typed for longer than this is not writing now. The page saves at least every two seconds.
const WRITES_FOR: Duration = Duration::from_secs(10);

#[derive(Serialize)]
pub struct Around {
    may: May,
    snoozed: Option<Stamp>,
    /// When the desk opens next after today; none: not within a year.
    opening: Option<Stamp>,
    /// To transfer to.
    teams: Vec<Choice>,
    people: Vec<Choice>,
    /// Logins to be called in a note.
    logins: Vec<String>,
    /// Unread notes here that call who asks.
    unread: i64,
    tags: Vec<Tag>,
    tags_lately: Vec<String>,
    linked: Vec<Linked>,
    earlier: Vec<Earlier>,
    writing: Option<Writing>,
    /// What who asks was writing, perhaps in another browser.
    own_draft: String,
    longest_note: usize,
    longest_tag: usize,
    /// The days of the longest snooze.
    snooze_days: u64,
}

/// What who asks may do now; the operation looks again.
#[derive(Serialize)]
struct May {
    transfer: bool,
    snooze: bool,
    wake: bool,
    hand_back: bool,
}

impl May {
    fn of(c: &model::Conversation, signed: &SignedIn, now: Timestamp) -> Self {
        let charge = c.state == ConversationState::InCharge;
        let mine = charge && c.agent_id == Some(signed.agent.id);
        let manager = signed.agent.role >= Role::Manager;
        let asleep = c.desk.snoozed_until.is_some_and(|until| until > now);
        Self {
            transfer: mine || manager && c.state != ConversationState::Resolved,
            snooze: mine && !asleep,
            wake: asleep && (mine || manager),
            hand_back: mine
                || manager && matches!(c.state, ConversationState::Queued | ConversationState::InCharge),
        }
    }
}

#[derive(Serialize)]
struct Choice {
    /// `agent:<id>` or `team:<id>`.
    value: String,
    name: String,
    /// Empty: a team.
    presence: &'static str,
    load: i64,
    capacity: i64,
    /// People of a team who are available.
    available: usize,
}

#[derive(Serialize)]
struct Tag {
    name: String,
    /// That finds its conversations in the queue.
    query: String,
}

impl Tag {
    fn new(name: &str) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        Self { name: name.to_owned(), query: query.append_pair("q", name).finish() }
    }
}

#[derive(Serialize)]
struct Linked {
    id: String,
    channel: String,
    address: String,
}

#[derive(Serialize)]
struct Earlier {
    id: String,
    at: Stamp,
    channel: String,
    /// Empty: the same contact.
    address: String,
    intent: String,
    state: &'static str,
    agent: String,
}

#[derive(Serialize)]
pub struct Writing {
    name: String,
    text: String,
    /// They type at this moment.
    now: bool,
}

impl Writing {
    /// What the person in charge is writing, for everyone else.
    pub async fn read(
        tx: &mut Tx,
        c: &model::Conversation,
        me: AgentId,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let Some(agent) = c.agent_id.filter(|agent| *agent != me) else { return Ok(None) };
        if c.state != ConversationState::InCharge {
            return Ok(None);
        }
        let draft = tx.draft(c.id, agent).await?;
        Ok(draft.map(|d| Self { name: d.name, text: d.text, now: now.since(d.updated_at) <= WRITES_FOR }))
    }
}

impl Around {
    pub async fn read(
        tx: &mut Tx,
        state: &AppState,
        id: ConversationId,
        signed: &SignedIn,
        wall: &Wall,
    ) -> Result<Option<Self>, StoreError> {
        let Some(c) = tx.conversation(id).await? else { return Ok(None) };
        let (now, me) = (wall.now(), signed.agent.id);
        let seats = tx.seats(now).await?;
        let teams = tx.teams().await?;
        let mut tags_lately = tx.tags_lately(TAGGED).await?;
        tags_lately.retain(|tag| !c.desk.tags.contains(tag));
        tags_lately.truncate(TAGS_OFFERED);
        let person = tx.person_of(c.contact_id).await?;
        let mut contacts = match person {
            Some(person) => tx.contacts_of(person).await?,
            None => Vec::new(),
        };
        contacts.retain(|contact| contact.id != c.contact_id);
        let earlier = tx.earlier_conversations(c.contact_id, id, EARLIER).await?;
        let mut colleagues: Vec<&Seat> = seats.iter().filter(|s| Some(s.agent.id) != c.agent_id).collect();
        colleagues.sort_by_key(|seat| (there(seat), seat.load));
        Ok(Some(Self {
            may: May::of(&c, signed, now),
            snoozed: c.desk.snoozed_until.filter(|until| *until > now).map(|until| wall.stamp(until)),
            opening: opening(state, now).map(|at| wall.stamp(at)),
            teams: teams.iter().map(|t| team(t, &seats)).collect(),
            people: colleagues.into_iter().map(colleague).collect(),
            logins: seats.iter().filter(|s| s.agent.id != me).map(|s| s.agent.login.clone()).collect(),
            unread: tx.count_mentions_in(me, id).await?,
            tags: c.desk.tags.iter().map(|tag| Tag::new(tag)).collect(),
            tags_lately,
            linked: contacts.iter().map(|contact| linked(contact, wall)).collect(),
            earlier: earlier.iter().map(|one| other(one, &c, wall)).collect(),
            writing: Writing::read(tx, &c, me, now).await?,
            own_draft: tx.draft(id, me).await?.map(|draft| draft.text).unwrap_or_default(),
            longest_note: LONGEST_NOTE,
            longest_tag: LONGEST_TAG,
            snooze_days: LONGEST_SNOOZE.as_secs() / 86_400,
        }))
    }
}

/// When the desk opens next after today.
pub fn opening(state: &AppState, now: Timestamp) -> Option<Timestamp> {
    let zone = state.config.timezone();
    let today = now.to_jiff().to_zoned_datetime(zone.clone()).date();
    state.calendar.next_opening(end_of_day(today, &zone)?)
}

/// Who is there comes first.
fn there(seat: &Seat) -> u8 {
    match seat.presence {
        Presence::Available => 0,
        Presence::Pause => 1,
        Presence::Away => 2,
    }
}

fn team(team: &model::Team, seats: &[Seat]) -> Choice {
    let there = |seat: &&Seat| seat.presence == Presence::Available && seat.teams.contains(&team.id);
    Choice {
        value: format!("team:{}", team.id),
        name: team.name.clone(),
        presence: "",
        load: 0,
        capacity: 0,
        available: seats.iter().filter(there).count(),
    }
}

fn colleague(seat: &Seat) -> Choice {
    Choice {
        value: format!("agent:{}", seat.agent.id),
        name: seat.agent.name.clone(),
        presence: seat.presence.as_str(),
        load: seat.load,
        capacity: seat.capacity,
        available: 0,
    }
}

fn linked(contact: &Contact, wall: &Wall) -> Linked {
    Linked {
        id: contact.id.to_string(),
        channel: contact.channel.clone(),
        address: shown_address(&contact.address, wall.ui()),
    }
}

fn other(one: &store::Earlier, here: &model::Conversation, wall: &Wall) -> Earlier {
    let c = &one.conversation;
    let same = c.contact_id == here.contact_id;
    Earlier {
        id: c.id.to_string(),
        at: wall.stamp(c.opened_at),
        channel: c.channel.clone(),
        address: if same { String::new() } else { shown_address(&one.address, wall.ui()) },
        intent: c.intent.clone().unwrap_or_default(),
        state: c.state.as_str(),
        agent: one.agent_name.clone().unwrap_or_default(),
    }
}

/// A note that calls who asks.
#[derive(Serialize)]
pub struct Called {
    id: String,
    conversation: String,
    by: String,
    address: String,
    text: String,
    at: Stamp,
}

pub fn called(mention: &Mention, wall: &Wall) -> Called {
    let Mention { note, by, address } = mention;
    Called {
        id: note.id.to_string(),
        conversation: note.conversation.to_string(),
        by: by.clone(),
        address: shown_address(address, wall.ui()),
        text: excerpt(&note.text),
        at: wall.stamp(note.created_at),
    }
}
