//! `/console/handover`: the note at a shift change, as a page and as text for a mail. Without who the customers are: a mail
//! travels, and the link asks for a sign-in.

use super::super::auth::SignedIn;
use super::super::pages::{Ui, render, render_text};
use super::super::problem::Problem;
use super::frame;
use super::views::Wall;
use crate::answers::watched;
use crate::desk::handover::{self, Handover, Incidents};
use crate::http::AppState;
use crate::model::{Conversation, ConversationId, Timestamp};
use crate::store::{OpenWatch, QueueEntry};
use crate::transit::live::Alert;
use crate::transit::planner::LiveState;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::civil::DateTime;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const PATH: &str = "/console/handover";
/// Longer notes are cut; the conversation has them whole.
const NOTE_CHARS: usize = 280;
/// Of the same thing that several customers wait for, one line.
const LINES: usize = 100;

pub fn routes() -> Router<AppState> {
    Router::new().route("/console/handover", get(page)).route("/console/handover.txt", get(text))
}

#[derive(Deserialize)]
struct Asked {
    /// Local time as a form writes it, `2026-11-25T07:00`; empty: since the shift began.
    #[serde(default)]
    since: String,
    #[serde(default)]
    format: String,
}

/// What is told of one subject.
#[derive(Serialize)]
struct Section {
    /// A key of the texts.
    name: &'static str,
    lines: Vec<Line>,
    /// How many lines there are beyond.
    more: usize,
}

#[derive(Serialize)]
struct Line {
    /// Of one conversation.
    link: Option<String>,
    text: String,
    /// What an agent wrote on it.
    note: Option<String>,
    /// It must not wait.
    urgent: bool,
}

impl Line {
    fn plain(text: String) -> Self {
        Self { link: None, text, note: None, urgent: false }
    }
}

async fn page(
    State(state): State<AppState>,
    ui: Ui,
    signed: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    if asked.format == "text" {
        return as_text(&state, ui, &asked).await;
    }
    let (told, since) = told(&state, ui, &asked).await?;
    let local = since.to_jiff().to_zoned_datetime(state.config.timezone());
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("since", &asked.since).finish();
    let context = context! {
        since_local => local.strftime("%Y-%m-%dT%H:%M").to_string(),
        query => if asked.since.is_empty() { String::new() } else { format!("?{query}") },
        ..context! { ..told, ..frame(&state, &signed, PATH).await? }
    };
    render(ui, "handover.html", context)
}

async fn text(
    State(state): State<AppState>,
    ui: Ui,
    _signed: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    as_text(&state, ui, &asked).await
}

async fn as_text(state: &AppState, ui: Ui, asked: &Asked) -> Result<Response, Problem> {
    let (told, _) = told(state, ui, asked).await?;
    let operator = state.config.operator.name.as_str();
    let context = context! { operator, public_url => state.config.server.public_url.as_str(), ..told };
    let text = render_text(ui, "handover.txt", context)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// What both forms tell, and since when.
async fn told(state: &AppState, ui: Ui, asked: &Asked) -> Result<(Value, Timestamp), Problem> {
    let wall = Wall::new(state, ui);
    let now = wall.now();
    let since = match asked.since.trim() {
        "" => handover::since(&state.calendar, now),
        text => instant(text, state).ok_or_else(|| {
            Problem::bad_request(
                "'since' is no time: write one such as 2026-11-25T07:00, in the operator's time zone",
            )
        })?,
    };
    let note = Handover::read(&state.store, &state.planner, since, now).await?;
    let degraded = crate::http::health::degraded(state).await?;
    let words = Words { wall: &wall, note: &note };
    let context = context! {
        sections => Serde(words.sections(degraded)),
        since => Serde(wall.stamp(since)),
        now => Serde(wall.stamp(now)),
    };
    Ok((context, since))
}

fn instant(text: &str, state: &AppState) -> Option<Timestamp> {
    let local: DateTime = text.parse().ok()?;
    Some(Timestamp::from_jiff(local.to_zoned_datetime(state.config.timezone()).ok()?.timestamp()))
}

struct Words<'a> {
    wall: &'a Wall,
    note: &'a Handover,
}

impl Words<'_> {
    fn sections(&self, degraded: Vec<String>) -> Vec<Section> {
        let note = self.note;
        let in_charge = |snoozed: bool| {
            note.in_charge.iter().flat_map(move |(name, entries)| {
                entries.iter().filter(move |e| self.snoozed(e).is_some() == snoozed).map(move |e| (name, e))
            })
        };
        let all = [
            ("promises", self.promises()),
            ("snoozed", in_charge(true).map(|(name, entry)| self.snooze(name, entry)).collect()),
            ("transferred", self.transfers()),
            ("waiting", note.waiting.iter().map(|entry| self.waits(entry)).collect()),
            ("in_charge", in_charge(false).map(|(name, entry)| self.has(name, entry)).collect()),
            ("watches", self.watches()),
            ("incidents", self.incidents()),
            ("changes", self.changes()),
            ("degraded", degraded.into_iter().map(Line::plain).collect()),
        ];
        all.into_iter()
            .map(|(name, mut lines)| {
                let more = lines.len().saturating_sub(LINES);
                lines.truncate(LINES);
                Section { name, lines, more }
            })
            .collect()
    }

    fn text(&self, key: &str) -> String {
        self.wall.ui().text(key)
    }

    fn says(&self, key: &str, with: &str) -> String {
        self.text(&format!("handover.{key}")).replace("{}", with)
    }

    /// "For 12 min"; what is of this minute is "now" alone.
    fn aged(&self, key: &str, at: Timestamp) -> String {
        let age = self.wall.age(at);
        if age == self.text("units.now") { age } else { self.says(key, &age) }
    }

    fn time(&self, at: Timestamp) -> String {
        self.wall.stamp(at).text
    }

    /// Channel, intent, what it is about: enough to know it again.
    fn named(&self, conversation: &Conversation) -> String {
        let mut parts = vec![conversation.channel.clone()];
        parts.extend(conversation.intent.clone());
        parts.extend(conversation.lang.map(|lang| lang.to_string()));
        parts.extend(conversation.desk.about.iter().cloned());
        parts.join(" · ")
    }

    fn of(&self, conversation: &Conversation, parts: &[String]) -> Line {
        let mut text = self.named(conversation);
        for part in parts.iter().filter(|part| !part.is_empty()) {
            text.push_str(" · ");
            text.push_str(part);
        }
        Line {
            link: Some(super::page_of(conversation.id)),
            text,
            note: self.written(conversation.id),
            urgent: conversation.priority == crate::model::Priority::Urgent,
        }
    }

    fn written(&self, id: ConversationId) -> Option<String> {
        let note = self.note.notes.get(&id)?;
        let whole = note.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut text: String = whole.chars().take(NOTE_CHARS).collect();
        if text.len() < whole.len() {
            text.push('…');
        }
        Some(format!("{} ({}, {})", text, note.author, self.time(note.at)))
    }

    fn snoozed(&self, entry: &QueueEntry) -> Option<Timestamp> {
        entry.conversation.desk.snoozed_until.filter(|until| *until > self.wall.now())
    }

    fn promises(&self) -> Vec<Line> {
        let line = |danger: &crate::store::InDanger| {
            let conversation = &danger.conversation;
            let desk = &conversation.desk;
            let due = desk.due_at();
            let key = if desk.breached_at.is_some() { "missed" } else { "near" };
            let due = due.map(|due| self.says(key, &self.time(due))).unwrap_or_default();
            let who = danger.agent_name.clone().unwrap_or_else(|| self.text("handover.nobody"));
            Line { urgent: desk.breached_at.is_some(), ..self.of(conversation, &[due, who]) }
        };
        self.note.in_danger.iter().map(line).collect()
    }

    fn snooze(&self, name: &str, entry: &QueueEntry) -> Line {
        let until = self.snoozed(entry).map(|until| self.says("until", &self.time(until)));
        self.of(&entry.conversation, &[until.unwrap_or_default(), name.to_owned()])
    }

    fn transfers(&self) -> Vec<Line> {
        let line = |(event, conversation): &(crate::model::Event, Conversation)| {
            self.of(conversation, &[self.says("at", &self.time(event.at))])
        };
        self.note.transferred.iter().map(line).collect()
    }

    fn waits(&self, entry: &QueueEntry) -> Line {
        let conversation = &entry.conversation;
        let since = conversation.escalated_at.unwrap_or(conversation.opened_at);
        let reason = conversation.reason.map(|reason| self.text(&format!("reason.{reason}")));
        let priority = self.text(&format!("priority.{}", conversation.priority));
        let age = self.aged("since", since);
        self.of(conversation, &[priority, reason.unwrap_or_default(), age])
    }

    fn has(&self, name: &str, entry: &QueueEntry) -> Line {
        let conversation = &entry.conversation;
        let since = conversation.taken_at.unwrap_or(conversation.opened_at);
        self.of(conversation, &[name.to_owned(), self.aged("since", since)])
    }

    /// One line for each thing, with how many customers wait for it.
    fn watches(&self) -> Vec<Line> {
        let mut by_name: BTreeMap<String, (usize, Timestamp)> = BTreeMap::new();
        for OpenWatch { what, until } in &self.note.watches {
            let told = watched(what);
            let part = |key: &str| told.get(key).and_then(|v| v.as_str()).map(str::to_owned);
            let kind = self.says(&format!("watched_{}", part("type").unwrap_or_default()), "");
            let name = part("name")
                .or_else(|| Some(format!("{} → {}", part("from")?, part("to")?)))
                .unwrap_or_default();
            let known = by_name.entry(format!("{kind} {name}")).or_insert((0, *until));
            *known = (known.0 + 1, known.1.max(*until));
        }
        let line = |(name, (count, until)): (String, (usize, Timestamp))| {
            let count = self.says("customers", &count.to_string());
            Line::plain(format!("{name} · {count} · {}", self.says("until", &self.time(until))))
        };
        by_name.into_iter().map(line).collect()
    }

    fn incidents(&self) -> Vec<Line> {
        let incidents = match &self.note.incidents {
            Ok(incidents) => incidents,
            Err(why) => return vec![Line::plain(self.says("unknown", &why.to_string()))],
        };
        let mut lines: Vec<Line> = self.state_of_data(incidents).into_iter().map(Line::plain).collect();
        lines.extend(incidents.alerts.iter().map(|alert| self.alert(alert, &incidents.source)));
        for (key, count) in [("late", incidents.late), ("cancelled", incidents.cancelled)] {
            if count > 0 {
                lines.push(Line::plain(self.says(key, &count.to_string())));
            }
        }
        lines
    }

    /// What is not as fresh as it should be.
    fn state_of_data(&self, incidents: &Incidents) -> Vec<String> {
        let say = |what: &str, state: LiveState| match state {
            LiveState::Absent | LiveState::Fresh(_) => None,
            LiveState::Old(at) => Some(self.says(&format!("{what}_old"), &self.wall.age(at))),
            LiveState::Lost(_) => Some(self.says(&format!("{what}_lost"), "")),
        };
        [say("announced", incidents.announced), say("trains", incidents.trains)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn alert(&self, alert: &Alert, source: &str) -> Line {
        let header = alert.header(self.wall.ui().0).unwrap_or_default();
        let what = if header.trim().is_empty() {
            format!("{} · {}", alert.cause, alert.effect)
        } else {
            header.to_owned()
        };
        let until = alert.periods.iter().filter_map(|(_, until)| *until).max();
        let until =
            until.map(|until| format!(" · {}", self.says("until", &self.time(until)))).unwrap_or_default();
        let age = self.aged("as_of", alert.as_of);
        Line::plain(format!("{what}{until} · {source}, {age}"))
    }

    fn changes(&self) -> Vec<Line> {
        let line = |version: &crate::store::ContentVersion| {
            let files = version.changes.iter().map(|change| {
                let how = self.text(&format!("handover.file_{}", change.how));
                format!("{} ({how})", change.file)
            });
            let files: Vec<String> = files.collect();
            (!files.is_empty())
                .then(|| Line::plain(format!("{} · {}", self.time(version.at), files.join(", "))))
        };
        self.note.versions.iter().filter_map(line).collect()
    }
}
