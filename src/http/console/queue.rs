//! The queue: who waits, most pressing first, seen through filters that can be kept as views.

use super::super::auth::{NoFields, SignedForm, SignedIn};
use super::super::pages::{self, Ui, render};
use super::super::problem::Problem;
use super::around::called;
use super::views::{Stamp, Wall, shown_address};
use super::{frame, page_of};
use crate::desk::hours::Calendar;
use crate::desk::{self, hand};
use crate::http::AppState;
use crate::model::{self, ConversationId, ConversationState, Presence, Priority, Seat, Team, Tone};
use crate::store::{QueueEntry, SavedView};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// Lines of the queue read; the most pressing ones come first.
pub const QUEUE_LINES: i64 = 1_000;
/// Lines of one section shown; its counter counts all.
const SHOWN: usize = 200;
/// Notes shown that call who asks.
const MENTIONS: i64 = 20;
/// Characters of the last message shown.
const EXCERPT: usize = 160;
/// Views of one person, and those of all.
const VIEWS: usize = 30;

/// What a person wants to see of the queue; an empty field is all.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Filters {
    /// A team's name.
    team: String,
    lang: String,
    channel: String,
    priority: String,
    reason: String,
    /// A domain of intents.
    intent: String,
    tone: String,
    /// Within the address, the last message, the tags, lines and stations.
    q: String,
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
    fn query(&self) -> String {
        let mut filters = self.clone();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(filters.fields().into_iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }

    /// Of a query, what the filters know.
    fn of(query: &str) -> Self {
        let mut filters = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Some((_, field)) = filters.fields().into_iter().find(|(name, _)| *name == key) {
                *field = value.chars().take(100).collect();
            }
        }
        filters
    }
}

#[derive(Serialize)]
struct Section {
    name: &'static str,
    lines: Vec<Line>,
    /// Of all, also those not shown.
    count: usize,
}

#[derive(Serialize)]
struct Line {
    id: String,
    channel: String,
    address: String,
    lang: String,
    intent: String,
    team: String,
    /// A key of the texts; empty: taken from the bot.
    reason: &'static str,
    priority: &'static str,
    tone: &'static str,
    age: String,
    since: Stamp,
    agent: Option<String>,
    text: String,
    trouble: i64,
    about: Vec<String>,
    tags: Vec<String>,
    /// What is promised next.
    due: Option<Due>,
    /// Seconds left to accept.
    offer: Option<u64>,
    snoozed: Option<Stamp>,
}

/// A promised time: how much business time is left.
#[derive(Serialize)]
struct Due {
    at: Stamp,
    /// `12 min`; late: how late.
    text: String,
    late: bool,
    /// Nearer than a quarter of an hour.
    near: bool,
}

/// What the values of filters are chosen from, besides those of enums.
#[derive(Serialize)]
struct Choices {
    teams: Vec<String>,
    langs: BTreeSet<String>,
    channels: BTreeSet<String>,
    intents: BTreeSet<String>,
}

#[derive(Serialize)]
struct Person {
    name: String,
    presence: &'static str,
    load: i64,
    capacity: i64,
}

struct Reading<'a> {
    entries: &'a [QueueEntry],
    /// What seems to be spam.
    quarantined: &'a [QueueEntry],
    teams: &'a [Team],
    me: model::AgentId,
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
        let at = [desk.first_due_at, desk.next_due_at, desk.resolve_due_at].into_iter().flatten().min()?;
        let now = self.wall.now();
        let late = at <= now;
        let left =
            if late { self.calendar.business_time(at, now) } else { self.calendar.business_time(now, at) };
        Some(Due {
            at: self.wall.stamp(at),
            text: super::views::length(left.as_secs_f64().max(60.0), self.wall.ui()),
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
        let mut lines: Vec<Line> = lines.filter(|line| filters.keeps(line)).collect();
        let count = lines.len();
        lines.truncate(SHOWN);
        Section { name, lines, count }
    }

    fn quarantine(&self, filters: &Filters) -> Section {
        let mut lines: Vec<Line> = self.quarantined.iter().map(|entry| self.line(entry)).collect();
        lines.retain(|line| filters.keeps(line));
        let count = lines.len();
        lines.truncate(SHOWN);
        Section { name: "quarantine", lines, count }
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
            self.section("trouble", filters, |c| c.state == ConversationState::Bot),
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

async fn queue_context(
    state: &AppState,
    ui: Ui,
    signed: &SignedIn,
    filters: &Filters,
) -> Result<Value, Problem> {
    let wall = Wall::new(state, ui);
    let mut tx = state.store.read().await?;
    let entries = tx.queue(QUEUE_LINES).await?;
    let quarantined = tx.quarantined(QUEUE_LINES).await?;
    let teams = tx.teams().await?;
    let seats = tx.seats(wall.now()).await?;
    let views = tx.views_of(signed.agent.id).await?;
    let mentioned = tx.mentions(signed.agent.id, MENTIONS).await?;
    drop(tx);
    let reading = Reading {
        entries: &entries,
        quarantined: &quarantined,
        teams: &teams,
        me: signed.agent.id,
        wall: &wall,
        calendar: &state.calendar,
    };
    let waiting = |c: &model::Conversation| c.state == ConversationState::Queued;
    let queued = entries.iter().filter(|entry| waiting(&entry.conversation));
    let urgent = queued.clone().filter(|entry| entry.conversation.priority == Priority::Urgent);
    let oldest = queued.clone().filter_map(|entry| entry.conversation.escalated_at).min();
    let choices = Choices {
        teams: teams.iter().map(|team| team.name.clone()).collect(),
        langs: entries.iter().filter_map(|e| e.conversation.lang).map(|l| l.to_string()).collect(),
        channels: entries.iter().map(|e| e.conversation.channel.clone()).collect(),
        intents: entries
            .iter()
            .filter_map(|e| e.conversation.intent.as_deref()?.split('.').next().map(str::to_owned))
            .collect(),
    };
    Ok(context! {
        sections => Serde(reading.sections(filters)),
        waiting => queued.clone().count(),
        urgent => urgent.clone().count(),
        // The page makes a sound for an urgent one that it had not seen.
        urgent_ids => urgent.map(|e| e.conversation.id.to_string()).collect::<Vec<_>>(),
        longest => oldest.map(|at| wall.age(at)),
        available => seats.iter().filter(|seat| seat.presence == Presence::Available).count(),
        people => Serde(seats.iter().map(person).collect::<Vec<_>>()),
        filters => Serde(filters),
        query => filters.query(),
        choices => Serde(choices),
        reasons => model::EscalationReason::ALL.iter().map(ToString::to_string).collect::<Vec<_>>(),
        views => Serde(views),
        mentioned => Serde(mentioned.iter().map(|m| called(m, &wall)).collect::<Vec<_>>()),
        ..frame(state, signed, "/console").await?
    })
}

fn person(seat: &Seat) -> Person {
    let Seat { agent, presence, load, capacity, .. } = seat;
    Person { name: agent.name.clone(), presence: presence.as_str(), load: *load, capacity: *capacity }
}

pub async fn page(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Query(filters): Query<Filters>,
) -> Result<Response, Problem> {
    render(ui, "queue.html", queue_context(&state, ui, &signed, &filters).await?)
}

pub async fn part(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Query(filters): Query<Filters>,
) -> Result<Response, Problem> {
    render(ui, "queue_part.html", queue_context(&state, ui, &signed, &filters).await?)
}

#[derive(Deserialize)]
pub struct After {
    #[serde(default)]
    after: Option<ConversationId>,
}

/// Takes the most pressing conversation that is for this agent, other than the one at hand; the queue when there is
/// none.
pub async fn next(
    State(state): State<AppState>,
    SignedForm(signed, After { after }): SignedForm<After>,
) -> Result<Redirect, Problem> {
    let now = state.clock.now();
    let taken = desk::take_next(&state.store, now, &signed.agent, after).await;
    match taken {
        Ok(Some(id)) => Ok(Redirect::to(&page_of(id))),
        Ok(None) => Ok(Redirect::to("/console")),
        Err(desk::DeskError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::not_found(error.to_string())),
    }
}

/// To the script a status, to a plain form the queue.
fn done(headers: &HeaderMap) -> Response {
    if headers.contains_key(pages::BY_SCRIPT) {
        return StatusCode::NO_CONTENT.into_response();
    }
    Redirect::to("/console").into_response()
}

#[derive(Deserialize)]
pub struct There {
    presence: Presence,
}

pub async fn presence(
    State(state): State<AppState>,
    headers: HeaderMap,
    SignedForm(signed, There { presence }): SignedForm<There>,
) -> Result<Response, Problem> {
    match hand::set_presence(&state.store, state.clock.now(), &signed.agent, presence).await {
        Ok(()) => Ok(done(&headers)),
        Err(desk::DeskError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::not_found(error.to_string())),
    }
}

#[derive(Deserialize)]
pub struct NewView {
    name: String,
    query: String,
    /// For everyone; managers only.
    #[serde(default)]
    shared: String,
}

pub async fn save_view(
    State(state): State<AppState>,
    headers: HeaderMap,
    SignedForm(signed, form): SignedForm<NewView>,
) -> Result<Response, Problem> {
    let name: String = form.name.trim().chars().take(40).collect();
    let filters = Filters::of(&form.query);
    if name.is_empty() || filters == Filters::default() {
        return Err(Problem::bad_request("a view needs a name, and at least one filter"));
    }
    let everyone = !form.shared.is_empty();
    if everyone {
        signed.require(model::Role::Manager)?;
    }
    let mut tx = state.store.begin().await?;
    if tx.views_of(signed.agent.id).await?.len() >= VIEWS {
        return Err(Problem::bad_request("there are 30 views already: delete one first"));
    }
    let owner = (!everyone).then_some(signed.agent.id);
    let view = SavedView { id: Uuid::now_v7(), agent: owner, name, query: filters.query() };
    tx.insert_view(&view, state.clock.now()).await?;
    tx.commit().await?;
    Ok(done(&headers))
}

pub async fn delete_view(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    let mut tx = state.store.begin().await?;
    let known = tx.views_of(signed.agent.id).await?.into_iter().find(|view| view.id == id);
    let Some(view) = known else { return Ok(done(&headers)) };
    if view.agent.is_none() {
        signed.require(model::Role::Manager)?;
    }
    tx.delete_view(id).await?;
    tx.commit().await?;
    Ok(done(&headers))
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
