//! Who waits, as each person of the desk sees it: read once for the page and for the API.

use super::super::views::{Stamp, Wall, length, shown_address};
use crate::desk::hours::Calendar;
use crate::http::AppState;
use crate::http::pages::Ui;
use crate::http::problem::Problem;
use crate::model::{self, AgentId, ConversationState, Priority, Seat, Team, Timestamp, Tone};
use crate::store::QueueEntry;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Lines of the queue read; the most pressing ones come first.
const QUEUE_LINES: i64 = 1_000;
/// How long a reply that did not arrive is shown after the end of its conversation.
const TROUBLE: Duration = Duration::from_secs(3 * 86_400);
/// Characters of the last message shown.
const EXCERPT: usize = 160;

/// What a person wants to see of the queue; an empty field is all.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Filters {
    /// A team's name.
    pub team: String,
    pub lang: String,
    pub channel: String,
    pub priority: String,
    pub reason: String,
    /// A domain of intents.
    pub intent: String,
    pub tone: String,
    /// Within the address, the last message, the tags, lines and stations.
    pub q: String,
}

impl Filters {
    fn keeps(&self, line: &Line) -> bool {
        let is = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        let domain = line.intent.split('.').next().unwrap_or_default();
        let words = self.q.to_lowercase();
        let within = |text: &str| text.to_lowercase().contains(&words);
        is(&self.team, &line.team)
            && is(&self.lang, &line.lang)
            && is(&self.channel, &line.channel)
            && is(&self.priority, line.priority)
            && is(&self.reason, line.reason)
            && is(&self.intent, domain)
            && is(&self.tone, line.tone)
            && (words.is_empty()
                || [&line.address, &line.text]
                    .into_iter()
                    .chain(&line.about)
                    .chain(&line.tags)
                    .any(|t| within(t)))
    }

    /// By their names in the page's query.
    fn fields(&mut self) -> [(&'static str, &mut String); 8] {
        [
            ("team", &mut self.team),
            ("lang", &mut self.lang),
            ("channel", &mut self.channel),
            ("priority", &mut self.priority),
            ("reason", &mut self.reason),
            ("intent", &mut self.intent),
            ("tone", &mut self.tone),
            ("q", &mut self.q),
        ]
    }

    /// As the page's query; empty fields are left out.
    pub fn query(&self) -> String {
        let mut filters = self.clone();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(filters.fields().into_iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }

    /// Of a query, what the filters know.
    pub fn of(query: &str) -> Self {
        let mut filters = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Some((_, field)) = filters.fields().into_iter().find(|(name, _)| *name == key) {
                *field = value.chars().take(100).collect();
            }
        }
        filters
    }
}

/// Conversations that are alike to who looks.
#[derive(Serialize)]
pub struct Section {
    pub name: &'static str,
    pub lines: Vec<Line>,
    /// Of all, also those that a page leaves out.
    pub count: usize,
}

/// One conversation of the queue.
#[derive(Serialize)]
pub struct Line {
    pub id: String,
    pub channel: String,
    pub address: String,
    pub lang: String,
    pub intent: String,
    pub team: String,
    /// A key of the texts; empty: taken from the bot.
    pub reason: &'static str,
    pub priority: &'static str,
    pub tone: &'static str,
    pub age: String,
    pub since: Stamp,
    pub agent: Option<String>,
    pub text: String,
    pub trouble: i64,
    pub about: Vec<String>,
    pub tags: Vec<String>,
    /// What is promised next.
    pub due: Option<Due>,
    /// Seconds left to accept.
    pub offer: Option<u64>,
    pub snoozed: Option<Stamp>,
}

/// A promised time: how much business time is left.
#[derive(Serialize)]
pub struct Due {
    pub at: Stamp,
    /// `12 min`; late: how late.
    pub text: String,
    pub late: bool,
    /// Nearer than a quarter of an hour.
    pub near: bool,
}

/// The queue at one moment, for one person.
pub struct Snapshot {
    pub wall: Wall,
    /// Whole; the most pressing conversations first in each.
    pub sections: Vec<Section>,
    pub entries: Vec<QueueEntry>,
    pub teams: Vec<Team>,
    pub seats: Vec<Seat>,
}

impl Snapshot {
    pub async fn read(state: &AppState, ui: Ui, me: AgentId, filters: &Filters) -> Result<Self, Problem> {
        let wall = Wall::new(state, ui);
        let mut tx = state.store.read().await?;
        let entries = tx.queue(QUEUE_LINES, wall.now().minus(TROUBLE)).await?;
        let quarantined = tx.quarantined(QUEUE_LINES).await?;
        let teams = tx.teams().await?;
        let seats = tx.seats(wall.now()).await?;
        drop(tx);
        let reading = Reading {
            entries: &entries,
            quarantined: &quarantined,
            teams: &teams,
            me,
            wall: &wall,
            calendar: &state.calendar,
        };
        let sections = reading.sections(filters);
        Ok(Self { wall, sections, entries, teams, seats })
    }

    /// Those that wait for a person, whatever the filters.
    pub fn waiting(&self) -> impl Iterator<Item = &model::Conversation> {
        self.entries.iter().map(|entry| &entry.conversation).filter(|c| c.state == ConversationState::Queued)
    }

    pub fn urgent(&self) -> impl Iterator<Item = &model::Conversation> {
        self.waiting().filter(|c| c.priority == Priority::Urgent)
    }

    /// Since when the one that waits longest does.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.waiting().filter_map(|c| c.escalated_at).min()
    }

    pub fn available(&self) -> usize {
        self.seats.iter().filter(|seat| seat.presence == model::Presence::Available).count()
    }
}

/// What the sections are made of.
struct Reading<'a> {
    entries: &'a [QueueEntry],
    /// What seems to be spam.
    quarantined: &'a [QueueEntry],
    teams: &'a [Team],
    me: AgentId,
    wall: &'a Wall,
    calendar: &'a Calendar,
}

impl Reading<'_> {
    fn line(&self, entry: &QueueEntry) -> Line {
        let c = &entry.conversation;
        let now = self.wall.now();
        let since = c.escalated_at.unwrap_or(c.opened_at);
        let team = self.teams.iter().find(|team| Some(team.id) == c.desk.team);
        let mine = c.desk.offer(now) == Some(self.me);
        Line {
            id: c.id.to_string(),
            channel: c.channel.clone(),
            address: shown_address(&entry.address, self.wall.ui()),
            lang: c.lang.map(|l| l.to_string()).unwrap_or_default(),
            intent: c.intent.clone().unwrap_or_default(),
            team: team.map(|team| team.name.clone()).unwrap_or_default(),
            reason: c.reason.map_or("", |r| r.as_str()),
            priority: c.priority.as_str(),
            tone: entry.tone.map_or("", Tone::as_str),
            age: self.wall.age(since),
            since: self.wall.stamp(since),
            agent: entry.agent_name.clone(),
            text: excerpt(entry.last_text.as_deref().unwrap_or_default()),
            trouble: entry.trouble,
            about: c.desk.about.clone(),
            tags: c.desk.tags.clone(),
            due: self.due(&c.desk),
            offer: c.desk.offered_until.filter(|_| mine).map(|until| until.since(now).as_secs()),
            snoozed: c.desk.snoozed_until.map(|until| self.wall.stamp(until)),
        }
    }

    fn due(&self, desk: &model::DeskState) -> Option<Due> {
        let at = desk.due_at()?;
        let now = self.wall.now();
        let late = at <= now;
        let left =
            if late { self.calendar.business_time(at, now) } else { self.calendar.business_time(now, at) };
        Some(Due {
            at: self.wall.stamp(at),
            text: length(left.as_secs_f64().max(60.0), self.wall.ui()),
            late,
            near: !late && left < Duration::from_secs(15 * 60),
        })
    }

    fn section(
        &self,
        name: &'static str,
        filters: &Filters,
        belongs: impl Fn(&model::Conversation) -> bool,
    ) -> Section {
        let lines =
            self.entries.iter().filter(|entry| belongs(&entry.conversation)).map(|entry| self.line(entry));
        let lines: Vec<Line> = lines.filter(|line| filters.keeps(line)).collect();
        Section { name, count: lines.len(), lines }
    }

    fn quarantine(&self, filters: &Filters) -> Section {
        let mut lines: Vec<Line> = self.quarantined.iter().map(|entry| self.line(entry)).collect();
        lines.retain(|line| filters.keeps(line));
        Section { name: "quarantine", count: lines.len(), lines }
    }

    fn sections(&self, filters: &Filters) -> Vec<Section> {
        let now = self.wall.now();
        let mine = |c: &model::Conversation| c.agent_id == Some(self.me);
        let offered = |c: &model::Conversation| c.desk.offer(now) == Some(self.me);
        let asleep = |c: &model::Conversation| c.desk.snoozed_until.is_some_and(|until| until > now);
        let queued = |c: &model::Conversation| c.state == ConversationState::Queued;
        let charge = |c: &model::Conversation| c.state == ConversationState::InCharge;
        vec![
            // What one must accept is never filtered away.
            self.section("offered", &Filters::default(), |c| queued(c) && offered(c)),
            self.section("waiting", filters, |c| queued(c) && !offered(c)),
            self.section("mine", filters, |c| charge(c) && mine(c) && !asleep(c)),
            self.section("trouble", filters, |c| {
                matches!(c.state, ConversationState::Bot | ConversationState::Resolved)
            }),
            self.section("snoozed", filters, |c| charge(c) && mine(c) && asleep(c)),
            self.section("others", filters, |c| charge(c) && !mine(c)),
            self.quarantine(filters),
        ]
    }
}

pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_keep_what_they_name_and_nothing_strange() {
        let query = "team=Night&lang=fr&evil=%3Cscript%3E&q=Rennes%20%26%20co&tone=";
        let parsed = Filters::of(query);
        assert_eq!(parsed.query(), "team=Night&lang=fr&q=Rennes+%26+co");
        assert_eq!(Filters::default().query(), "");
    }
}
