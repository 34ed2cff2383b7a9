//! YouTube: comments beneath a channel's videos, read and answered in public.
//!
//! Checked against the documentation of the YouTube Data API (`commentThreads.list`, `comments.list`, `comments.insert`,
//! `comments.setModerationStatus`, their errors and costs, `ETag`) and of Google's OAuth 2.0 (refresh tokens). The payloads of the
//! tests are written by us in the documented shapes. Not tried against a live account.
//!
//! Nothing is posted to us, so comments are asked for, and every question costs of a day's units ([`quota`]). The list is in
//! the order of the threads' first comments: a new answer in a thread beyond the hundred newest is not found. Nobody can be
//! written to in private: whoever writes is invited to where `private_url` says.

mod api;
mod quota;
mod read;

use super::polling::{Fetched, OVERLAP, Polling, Source, Trouble};
use super::value::{self, list, text};
use super::{
    Accepted, BuildContext, Capabilities, Channel, InboundEvent, Listener, Lookup, Moderation, Outgoing,
    Pace, Refusal, SendError, Trace, WebhookRequest, check_url, settings, split_by,
};
use crate::config::{ChannelSettings, Secret, Span};
use crate::model::Timestamp;
use api::{Account, Api, unread};
use async_trait::async_trait;
use quota::Budget;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Of a comment, in characters: what YouTube's pages take; its interface names no number.
const MAX_COMMENT: usize = 10_000;
/// Clocks differ: what was sent by our clock may be listed as a little older.
const SKEW: Duration = Duration::from_secs(60);
/// Threads of one list, the documented maximum.
const AT_ONCE: &str = "100";
/// Lists that one question goes back at most.
const MOST_PAGES: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Of the channel: `UC…`.
    channel_id: String,
    client_id: String,
    client_secret: Secret,
    /// Of the consent by which the channel's owner lets us comment (`youtube.force-ssl`).
    refresh_token: Secret,
    /// What Google lets the project spend in a day.
    #[serde(default = "default_daily_units")]
    daily_units: u32,
    /// How often comments are asked for; less often when the day's units run out.
    #[serde(default = "default_poll")]
    poll: Span,
    /// Where those who comment are invited to write in private; left out: our web chat.
    private_url: Option<String>,
    #[serde(default = "default_api_url")]
    api_url: String,
    #[serde(default = "default_token_url")]
    token_url: String,
}

fn default_daily_units() -> u32 {
    10_000
}

fn default_poll() -> Span {
    Span::seconds(60)
}

fn default_api_url() -> String {
    "https://www.googleapis.com".into()
}

fn default_token_url() -> String {
    "https://oauth2.googleapis.com/token".into()
}

pub fn build(_: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let settings: Settings = settings(keys)?;
    if !read::is_id(&settings.channel_id) {
        return Err(
            "channel_id: is no channel. Cure: the id of the channel, such as UC_x5XG1OV2P6uZZ5FSM9Ttw".into(),
        );
    }
    for (key, empty) in [
        ("client_id", settings.client_id.is_empty()),
        ("client_secret", settings.client_secret.is_empty()),
        ("refresh_token", settings.refresh_token.is_empty()),
    ] {
        if empty {
            return Err(format!(
                "{key}: is empty. Cure: copy it from the project's OAuth client in Google's console"
            ));
        }
    }
    if settings.daily_units < 500 {
        return Err("daily_units: must be at least 500, for an answer costs 50. Cure: leave it out".into());
    }
    let poll = Duration::from(settings.poll);
    if poll < Duration::from_secs(2) {
        return Err("poll: must be at least 2s. Cure: leave it out".into());
    }
    check_url("api_url", &settings.api_url)?;
    check_url("token_url", &settings.token_url)?;
    let api = Arc::new(Api {
        base: settings.api_url.trim_end_matches('/').to_owned(),
        token_url: settings.token_url,
        account: Account {
            client_id: settings.client_id,
            client_secret: settings.client_secret,
            refresh_token: settings.refresh_token,
        },
        budget: Budget::new(settings.daily_units),
        client: context.client.clone(),
        clock: context.clock.clone(),
        token: Mutex::new(None),
    });
    let comments = Arc::new(Comments {
        api: api.clone(),
        own: settings.channel_id.clone(),
        poll,
        page: Mutex::default(),
    });
    Ok(Arc::new(YouTube {
        api,
        own: settings.channel_id,
        listener: Arc::new(Polling::new(comments, context.clock.clone())),
        private_url: settings.private_url.unwrap_or_else(|| format!("{}/chat", context.public_url)),
    }))
}

/// The comments of a channel.
struct Comments {
    api: Arc<Api>,
    own: String,
    poll: Duration,
    page: Mutex<Page>,
}

/// The newest threads as they were last seen.
#[derive(Clone, Default)]
struct Page {
    etag: Option<String>,
    /// How many answers each had, where the list does not give all of them.
    answers: BTreeMap<String, u64>,
    /// The place that was told with them. Another one now: what was found was not stored, and is looked for again.
    told: Option<String>,
}

impl Comments {
    /// The threads that may hold something new since `floor`; none when nothing has changed.
    async fn threads(
        &self,
        page: &mut Page,
        floor: Timestamp,
        trace: &Trace,
    ) -> Result<Vec<Value>, SendError> {
        let mut all = Vec::new();
        let mut next = String::new();
        for number in 0..MOST_PAGES {
            let mut params = vec![
                ("part", "snippet,replies"),
                ("order", "time"),
                ("textFormat", "plainText"),
                ("maxResults", AT_ONCE),
                ("allThreadsRelatedToChannelId", self.own.as_str()),
            ];
            if number > 0 {
                params.push(("pageToken", next.as_str()));
            }
            let etag = page.etag.as_deref().filter(|_| number == 0);
            let Some((listed, etag)) = self.api.get("commentThreads", &params, etag, trace).await? else {
                break;
            };
            if number == 0 {
                page.etag = etag;
            }
            let items: Vec<Value> = list(&listed, "items").cloned().collect();
            let oldest = items.last().and_then(read::thread).and_then(|thread| read::at(thread.comments[0]));
            all.extend(items);
            match text(&listed, "nextPageToken").filter(|_| oldest.is_some_and(|at| at >= floor)) {
                Some(token) => next = token,
                None => break,
            }
        }
        Ok(all)
    }

    /// What is new in the threads since `floor`, oldest first.
    async fn read(
        &self,
        threads: &[Value],
        page: &mut Page,
        floor: Timestamp,
        trace: &Trace,
    ) -> Result<Found, SendError> {
        let mut found = Found { comments: Vec::new(), newest: floor };
        let mut answers = BTreeMap::new();
        for item in threads {
            let Some(thread) = read::thread(item) else { continue };
            for comment in &thread.comments {
                found.add(&self.own, &thread.id, comment, floor);
            }
            if thread.more == 0 {
                continue;
            }
            if page.answers.get(&thread.id) != Some(&thread.more) {
                let params = answers_of(&thread.id);
                if let Some((all, _)) = self.api.get("comments", &params, None, trace).await? {
                    list(&all, "items").for_each(|comment| found.add(&self.own, &thread.id, comment, floor));
                }
            }
            answers.insert(thread.id, thread.more);
        }
        // Nothing is listed where nothing has changed.
        if !threads.is_empty() {
            page.answers = answers;
        }
        found.comments.sort_by_key(|(at, _)| *at);
        Ok(found)
    }
}

/// What lists the answers in a thread.
fn answers_of(thread: &str) -> [(&str, &str); 4] {
    [("part", "snippet"), ("textFormat", "plainText"), ("maxResults", AT_ONCE), ("parentId", thread)]
}

struct Found {
    comments: Vec<(Timestamp, InboundEvent)>,
    newest: Timestamp,
}

impl Found {
    fn add(&mut self, own: &str, thread: &str, comment: &Value, floor: Timestamp) {
        let Some(at) = read::at(comment).filter(|at| *at >= floor) else { return };
        self.newest = self.newest.max(at);
        let message = read::comment(own, thread, comment).map(InboundEvent::Message);
        // An answer stands in both lists.
        let new = message.filter(|message| !self.comments.iter().any(|(_, known)| known == message));
        self.comments.extend(new.map(|message| (at, message)));
    }
}

#[async_trait]
impl Source for Comments {
    fn name(&self) -> &'static str {
        "YouTube"
    }

    /// The place is the time of the newest comment, and what the day has cost: `2025-12-17T19:33:20Z 2025-12-17 1440`.
    async fn ask(&self, cursor: Option<&str>, began: Timestamp) -> Result<Fetched, Trouble> {
        let (trace, now) = (Trace::new(self.api.clock.clone(), &[]), self.api.clock.now());
        let (place, spent) = cursor.and_then(|cursor| cursor.split_once(' ')).unwrap_or_default();
        self.api.budget.read(spent, now);
        let place = place.parse::<jiff::Timestamp>().ok().map(Timestamp::from_jiff);
        let floor = place.map_or(began, |place| place.minus(OVERLAP));
        let mut known = self.page.lock().await;
        // A copy, kept once everything was read: what failed half way is asked for again as if for the first time.
        let mut page = if known.told.as_deref() == cursor { known.clone() } else { Page::default() };
        let threads = self.threads(&mut page, floor, &trace).await?;
        let found = self.read(&threads, &mut page, floor, &trace).await?;
        let newest = place.unwrap_or(began).max(found.newest);
        let events = found.comments.into_iter().map(|(_, event)| event).collect();
        let now = self.api.clock.now();
        let cursor = format!("{newest} {}", self.api.budget.written(now));
        page.told = Some(cursor.clone());
        *known = page;
        Ok(Fetched { events, cursor, pause: self.api.budget.pause(self.poll, now) })
    }
}

struct YouTube {
    api: Arc<Api>,
    own: String,
    listener: Arc<Polling<Comments>>,
    private_url: String,
}

#[async_trait]
impl Channel for YouTube {
    fn capabilities(&self) -> Capabilities {
        Capabilities { public: true, can_be_asked: true, ..Capabilities::text(MAX_COMMENT) }
    }

    /// The day's units are the limit: 160 answers of the usual 10,000, if nothing else is asked.
    fn pace(&self) -> Pace {
        Pace { per_second: 1.0, concurrent: 1, per_contact: Duration::from_secs(1) }
    }

    fn parts(&self, _: &str, text: &str) -> Vec<String> {
        split_by(text, MAX_COMMENT, |text| vec![1; text.chars().count()])
    }

    fn is_public(&self, _: &str) -> bool {
        true
    }

    fn private_url(&self) -> Option<String> {
        Some(self.private_url.clone())
    }

    /// YouTube is asked; it posts nothing to us.
    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    /// Answers stand in the thread, not under one another.
    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let thread = read::thread_of(&message.address)
            .ok_or_else(|| SendError::Permanent { why: "there is no comment to answer".into() })?;
        let body = json!({ "snippet": { "parentId": thread, "textOriginal": message.text } });
        let reply = self.api.post("comments", &[("part", "snippet")], &body, trace).await?;
        let body: Value = reply.json().ok_or_else(unread)?;
        match value::id(&body, "id") {
            Some(id) => Ok(Some(id)),
            None => Err(SendError::InDoubt { why: "YouTube accepted, but gave no id".into() }),
        }
    }

    /// A comment may be held back before it is listed, so only "it is there" counts: "not there" would send twice.
    async fn look_up(&self, message: &Outgoing, trace: &Trace) -> Lookup {
        let Some(thread) = read::thread_of(&message.address) else { return Lookup::Listed(Vec::new()) };
        let listed = match self.api.get("comments", &answers_of(thread), None, trace).await {
            Ok(listed) => listed.map(|(listed, _)| listed).unwrap_or_default(),
            Err(error) => return Lookup::Unavailable(error.to_string()),
        };
        let since = message.since.minus(SKEW);
        let ours = |comment: &&Value| {
            read::author(comment).as_ref() == Some(&self.own)
                && read::at(comment).is_some_and(|at| at >= since)
                && read::words(comment)
                    .is_some_and(|words| words.split_whitespace().eq(message.text.split_whitespace()))
        };
        let ids: Vec<String> =
            list(&listed, "items").filter(ours).filter_map(|comment| text(comment, "id")).collect();
        if ids.is_empty() {
            return Lookup::Unavailable("YouTube lists no such comment, which proves nothing".into());
        }
        Lookup::Listed(ids)
    }

    fn moderations(&self) -> &'static [Moderation] {
        &[Moderation::Hide, Moderation::Show, Moderation::Delete]
    }

    async fn moderate(&self, action: Moderation, id: &str, trace: &Trace) -> Result<(), SendError> {
        let never = |why: &str| Err(SendError::Permanent { why: why.to_owned() });
        let status = match action {
            Moderation::Hide => "heldForReview",
            Moderation::Show => "published",
            Moderation::Delete => "rejected",
            Moderation::Like => return never("YouTube lets no program like a comment"),
        };
        if !read::is_id(id) {
            return never("there is no such comment");
        }
        let params = [("id", id), ("moderationStatus", status)];
        self.api.post("comments/setModerationStatus", &params, &Value::Null, trace).await.map(|_| ())
    }

    fn listener(&self) -> Option<Arc<dyn Listener>> {
        Some(self.listener.clone())
    }
}

#[cfg(test)]
mod tests;
