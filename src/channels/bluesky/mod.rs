//! Bluesky: posts that name the account or answer it, read and answered in public.
//!
//! Checked against the lexicons (`com.atproto.server.createSession`, `refreshSession`, `com.atproto.repo.createRecord`,
//! `getRecord`, `app.bsky.notification.listNotifications`, `app.bsky.feed.getPosts`, `app.bsky.feed.post`, facets), the
//! specifications of TIDs and record keys, and the project's own reports of what a key that is taken is answered with (500,
//! issue 3718); PyPI `atproto` 0.0.73 was held against the stand-in of tests/e2e by hand. The payloads of the tests are written by us in
//! the documented shapes. Not tried against a live account. Chats between two are another service with rules of its own, and
//! do not come in: whoever writes is invited to where `private_url` says.
//!
//! **Sends in doubt.** The key of each record is made of our message's id. A send in doubt is asked for by it; sent again, it
//! cannot be there twice.

mod posts;
mod session;

use super::polling::{Fetched, OVERLAP, Polling, Source, Trouble};
use super::value::{self, list, text};
use super::{
    Accepted, BuildContext, Capabilities, Channel, Listener, Lookup, Moderation, Outgoing, Pace, Refusal,
    SendError, Trace, WebhookRequest, check_url, settings, split_by,
};
use crate::config::{ChannelSettings, Secret, Span};
use crate::model::Timestamp;
use async_trait::async_trait;
use posts::COLLECTION;
use serde::Deserialize;
use serde_json::{Value, json};
use session::{Api, Call, not_sent};
use std::sync::Arc;
use std::time::Duration;
use unicode_segmentation::UnicodeSegmentation as _;

/// Of a post, in characters as readers see them ("graphemes"); in bytes it is ten times as many.
const MAX_GRAPHEMES: usize = 300;
const BYTES_EACH: usize = 10;
/// Pages of notifications that one question goes back at most, of fifty each.
const MOST_PAGES: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The account's name, such as `trains.example`, or its DID.
    identifier: String,
    /// Made under Settings, App passwords.
    app_password: Secret,
    /// How often it is asked for mentions.
    #[serde(default = "default_poll")]
    poll: Span,
    /// Where those who write are invited to write in private; left out: our web chat.
    private_url: Option<String>,
    #[serde(default = "default_api_url")]
    api_url: String,
}

fn default_poll() -> Span {
    Span::seconds(15)
}

fn default_api_url() -> String {
    "https://bsky.social".into()
}

pub fn build(_: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let settings: Settings = settings(keys)?;
    if settings.identifier.trim().is_empty() {
        return Err("identifier: is empty. Cure: the account's name, such as trains.example".into());
    }
    if settings.app_password.is_empty() {
        return Err("app_password: is empty. Cure: make one under Settings, App passwords".into());
    }
    let poll = Duration::from(settings.poll);
    if poll < Duration::from_secs(2) {
        return Err("poll: must be at least 2s. Cure: leave it out".into());
    }
    check_url("api_url", &settings.api_url)?;
    let base = settings.api_url.trim_end_matches('/').to_owned();
    let (client, clock) = (context.client.clone(), context.clock.clone());
    let api = Arc::new(Api::new(base, settings.identifier, settings.app_password, client, clock.clone()));
    let mentions = Arc::new(Mentions { api: api.clone(), poll });
    Ok(Arc::new(Bluesky {
        api,
        listener: Arc::new(Polling::new(mentions, clock)),
        private_url: settings.private_url.unwrap_or_else(|| format!("{}/chat", context.public_url)),
    }))
}

/// The notifications of the account.
struct Mentions {
    api: Arc<Api>,
    poll: Duration,
}

#[async_trait]
impl Source for Mentions {
    fn name(&self) -> &'static str {
        "Bluesky"
    }

    /// The list begins with the newest, by times that authors choose in part: it is read back past the place that it had
    /// come to, and what is known is passed over.
    async fn ask(&self, cursor: Option<&str>, began: Timestamp) -> Result<Fetched, Trouble> {
        let trace = Trace::new(self.api.clock.clone(), &[]);
        let own = self.api.did(&trace).await?;
        let place = cursor.and_then(|at| at.parse::<jiff::Timestamp>().ok()).map(Timestamp::from_jiff);
        let floor = place.map_or(began, |place| place.minus(OVERLAP));
        let (mut events, mut newest, mut next) = (Vec::new(), place.unwrap_or(began), String::new());
        for _ in 0..MOST_PAGES {
            let mut params = vec![("reasons", "mention"), ("reasons", "reply"), ("limit", "50")];
            if !next.is_empty() {
                params.push(("cursor", next.as_str()));
            }
            let call = Call::asking("app.bsky.notification.listNotifications", &params);
            let page = self.api.call(&call, &trace).await.map_err(|refused| refused.error)?;
            let mut all_old = true;
            for notification in list(&page, "notifications") {
                let Some(at) = posts::at(notification).filter(|at| *at >= floor) else { continue };
                all_old = false;
                newest = newest.max(at);
                events.extend(posts::spoken(&own, notification));
            }
            match text(&page, "cursor").filter(|cursor| !all_old && !cursor.is_empty()) {
                Some(cursor) => next = cursor,
                None => break,
            }
        }
        events.reverse();
        Ok(Fetched { events, cursor: newest.to_string(), pause: self.poll })
    }
}

struct Bluesky {
    api: Arc<Api>,
    listener: Arc<Polling<Mentions>>,
    private_url: String,
}

impl Bluesky {
    /// The customer's post as it is now. Errors: never in doubt.
    async fn post(&self, uri: &str, trace: &Trace) -> Result<Value, SendError> {
        if !posts::is_post(uri) {
            return Err(SendError::Permanent { why: "there is no post to answer".into() });
        }
        let params = [("uris", uri)];
        let call = Call::asking("app.bsky.feed.getPosts", &params);
        let found = self.api.call(&call, trace).await.map_err(|refused| not_sent(refused.error))?;
        let post = list(&found, "posts").next().cloned();
        post.ok_or_else(|| SendError::Permanent { why: "the post that is answered is gone".into() })
    }

    async fn create(
        &self,
        collection: &str,
        key: &str,
        record: Value,
        trace: &Trace,
    ) -> Result<String, SendError> {
        let did = self.api.did(trace).await?;
        let body = json!({ "repo": did, "collection": collection, "rkey": key, "record": record });
        let call = Call { name: "com.atproto.repo.createRecord", params: &[], body: Some(body) };
        let created = self.api.call(&call, trace).await.map_err(|refused| refused.error)?;
        let uri = value::id(&created, "uri");
        uri.ok_or_else(|| SendError::InDoubt { why: "the server accepted, but gave no address".into() })
    }
}

#[async_trait]
impl Channel for Bluesky {
    fn capabilities(&self) -> Capabilities {
        Capabilities { media: true, public: true, can_be_asked: true, ..Capabilities::text(MAX_GRAPHEMES) }
    }

    /// An account may write 1,666 records an hour (5,000 points of three each).
    fn pace(&self) -> Pace {
        Pace { per_second: 0.4, concurrent: 2, per_contact: Duration::from_secs(1) }
    }

    fn parts(&self, _: &str, text: &str) -> Vec<String> {
        split_by(text, MAX_GRAPHEMES, |text| {
            let mut weights = Vec::with_capacity(text.len());
            for cluster in text.graphemes(true) {
                let from = weights.len();
                // A character of very many bytes counts as several, so that the limit in bytes holds too.
                weights.push(cluster.len().div_ceil(BYTES_EACH));
                weights.resize(from + cluster.chars().count(), 0);
            }
            weights
        })
    }

    fn is_public(&self, _: &str) -> bool {
        true
    }

    fn private_url(&self) -> Option<String> {
        Some(self.private_url.clone())
    }

    /// Bluesky is asked; it posts nothing to us.
    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let parent = self.post(message.reply_to.as_deref().unwrap_or_default(), trace).await?;
        if posts::is_blocked(&parent) {
            return Err(SendError::Blocked {
                why: "this person has blocked the account, or is blocked by it".into(),
            });
        }
        let record = posts::record(message, &parent).ok_or_else(|| SendError::Permanent {
            why: "the post that is answered cannot be referred to".into(),
        })?;
        let key = posts::record_key(message.id, message.since);
        self.create(COLLECTION, &key, record, trace).await.map(Some)
    }

    async fn look_up(&self, message: &Outgoing, trace: &Trace) -> Lookup {
        let did = match self.api.did(trace).await {
            Ok(did) => did,
            Err(error) => return Lookup::Unavailable(error.to_string()),
        };
        let key = posts::record_key(message.id, message.since);
        let params = [("repo", did.as_str()), ("collection", COLLECTION), ("rkey", key.as_str())];
        let call = Call::asking("com.atproto.repo.getRecord", &params);
        match self.api.call(&call, trace).await {
            Ok(found) => {
                let same = found.get("value").and_then(|record| text(record, "text")).as_ref()
                    == Some(&message.text);
                match value::id(&found, "uri").filter(|_| same) {
                    Some(uri) => Lookup::Listed(vec![uri]),
                    None => Lookup::Unavailable("another record stands under its key".into()),
                }
            }
            Err(refused) if refused.name == session::NOT_FOUND => Lookup::Listed(Vec::new()),
            Err(refused) => Lookup::Unavailable(refused.error.to_string()),
        }
    }

    fn moderations(&self) -> &'static [Moderation] {
        &[Moderation::Like]
    }

    async fn moderate(&self, action: Moderation, id: &str, trace: &Trace) -> Result<(), SendError> {
        if action != Moderation::Like {
            return Err(SendError::Permanent { why: "on Bluesky a post can be liked, and no more".into() });
        }
        let post = self.post(id, trace).await?;
        let record = json!({
            "$type": "app.bsky.feed.like",
            "subject": { "uri": value::id(&post, "uri"), "cid": value::id(&post, "cid") },
            "createdAt": self.api.clock.now().to_string(),
        });
        let key = posts::record_key(crate::model::MessageId::new(), self.api.clock.now());
        self.create("app.bsky.feed.like", &key, record, trace).await.map(|_| ())
    }

    fn listener(&self) -> Option<Arc<dyn Listener>> {
        Some(self.listener.clone())
    }
}

#[cfg(test)]
mod tests;
