//! What runs beside the webhooks: telling Telegram where to post, or asking it for updates.

use super::super::polling::Pauses;
use super::super::{Accepted, Inbox, Listener, SendError, Trace};
use super::api::{Answer, Api, pressed};
use super::updates::{self, Taken};
use crate::clock::Clock;
use crate::config::Secret;
use crate::model::Timestamp;
use async_trait::async_trait;
use futures::future::join_all;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use teloxide_core::payloads::{DeleteWebhook, GetUpdates};
use teloxide_core::types::AllowedUpdate;
use tokio_util::sync::CancellationToken;

/// What Telegram is asked to tell.
const WANTED: [AllowedUpdate; 4] = [
    AllowedUpdate::Message,
    AllowedUpdate::EditedMessage,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::MyChatMember,
];
/// Seconds for which Telegram keeps a question open until there is something to tell.
const OPEN_FOR: u32 = 25;
/// A little longer: the answer must have time to arrive.
const PATIENCE: Duration = Duration::from_secs(40);
/// Updates at once; fewer where they are so long that together they are not read.
const AT_ONCE: u8 = 20;
/// "If there are no new updates for at least a week, then identifier of the next update will be chosen randomly": an offset that
/// is nearly so old is not sent any more, or it might pass over what is new.
const OFFSET_HOLDS: Duration = Duration::from_secs(6 * 24 * 3600);

/// Tells Telegram where to post. Said anew at every start: it may have been told otherwise meanwhile.
pub struct Registration {
    api: Arc<Api>,
    url: String,
    secret: Secret,
    pauses: Pauses,
}

impl Registration {
    pub fn new(api: Arc<Api>, url: String, secret: Secret) -> Self {
        Self { api, url, secret, pauses: Pauses::default() }
    }
}

#[async_trait]
impl Listener for Registration {
    async fn run(&self, _: Arc<dyn Inbox>, stop: CancellationToken) {
        if self.api.is_public() && !self.url.starts_with("https://") {
            tracing::error!(
                "Telegram posts to https:// only, and server.public_url is not: nothing comes in. Cure: its public \
                 address, or mode = \"polling\""
            );
        } else {
            // teloxide's SetWebhook is made for uploading a certificate and cannot be sent as JSON.
            let payload = json!({
                "url": self.url,
                "secret_token": self.secret.expose(),
                "allowed_updates": WANTED,
            });
            tokio::select! {
                () = stop.cancelled() => return,
                () = insist(&self.api, "setWebhook", &payload, self.pauses) => {}
            }
            tracing::info!(url = self.url, "Telegram posts here");
        }
        stop.cancelled().await;
    }
}

/// Calls until it is done.
async fn insist(api: &Api, method: &str, payload: &impl Serialize, mut pauses: Pauses) {
    loop {
        let trouble = match api.ask(method, payload, None).await {
            Ok(Answer { result: Some(_), .. }) => return,
            Ok(answer) => Trouble::refused(&answer),
            Err(error) => Trouble::silent(&error),
        };
        tracing::warn!(method, why = trouble.words, "Telegram is asked again");
        pauses.wait(trouble.wait).await;
    }
}

/// Why nothing was fetched.
struct Trouble {
    words: String,
    /// What Telegram wants us to wait.
    wait: Option<Duration>,
    /// The answer came and could not be read.
    unread: bool,
}

impl Trouble {
    fn refused(answer: &Answer) -> Self {
        let words = answer.error().to_string();
        let words = match answer.code {
            401 | 404 => format!("{words}. Cure: the token as @BotFather gives it"),
            409 => {
                format!("{words}. Cure: only one program may poll with this token, and no webhook may be set")
            }
            _ => words,
        };
        Self { words, wait: answer.after, unread: (200..300).contains(&answer.code) }
    }

    fn silent(error: &SendError) -> Self {
        Self { words: error.to_string(), wait: None, unread: false }
    }
}

/// Asks for updates and stores them; what is stored is acknowledged by the next question.
pub struct Polling {
    api: Arc<Api>,
    clock: Arc<dyn Clock>,
    pauses: Pauses,
    /// After an answer without updates: a server that does not keep the question open is not overrun.
    idle: Duration,
}

impl Polling {
    pub fn new(api: Arc<Api>, clock: Arc<dyn Clock>) -> Self {
        Self { api, clock, pauses: Pauses::default(), idle: Duration::from_millis(200) }
    }

    /// Without any pause worth the name.
    #[cfg(test)]
    pub fn hurried(self) -> Self {
        let short = Duration::from_millis(1);
        Self { pauses: Pauses::new(short, short), idle: short, ..self }
    }

    async fn poll(&self, inbox: &dyn Inbox) {
        insist(&self.api, "deleteWebhook", &DeleteWebhook::new(), self.pauses).await;
        let mut pauses = self.pauses;
        let mut place = None;
        let mut at_once = AT_ONCE;
        let mut told = String::new();
        loop {
            let outcome = self.round(inbox, &mut place, at_once).await;
            match outcome {
                Ok(taken) => {
                    if !told.is_empty() {
                        tracing::info!("Telegram is heard again");
                    }
                    told.clear();
                    pauses.reset();
                    at_once = AT_ONCE;
                    if taken == 0 {
                        tokio::time::sleep(self.idle).await;
                    }
                }
                Err(trouble) => {
                    if trouble.unread {
                        at_once = (at_once / 2).max(1);
                    }
                    if told != trouble.words {
                        tracing::warn!(why = trouble.words, "nothing comes from Telegram; it is asked again");
                    }
                    pauses.wait(trouble.wait).await;
                    told = trouble.words;
                }
            }
        }
    }

    /// One question. How many updates came.
    async fn round(
        &self,
        inbox: &dyn Inbox,
        place: &mut Option<Place>,
        at_once: u8,
    ) -> Result<usize, Trouble> {
        let away = |words| Trouble { words, wait: None, unread: false };
        if place.is_none() {
            *place = inbox.cursor().await.map_err(away)?.as_deref().and_then(Place::parse);
        }
        let offset = place.as_ref().and_then(|place| place.offset(self.clock.now()));
        let question = GetUpdates {
            offset,
            limit: Some(at_once),
            timeout: Some(OPEN_FOR),
            allowed_updates: Some(WANTED.to_vec()),
        };
        let answer = self.api.ask("getUpdates", &question, Some(PATIENCE)).await;
        let answer = answer.map_err(|error| Trouble::silent(&error))?;
        let Some(Value::Array(updates)) = answer.result else {
            return Err(Trouble::refused(&answer));
        };
        let count = updates.len();
        let taken: Vec<Taken> = updates.into_iter().filter_map(updates::read).collect();
        let Some(last) = taken.iter().map(|update| update.id).max() else { return Ok(count) };
        let now = Place { last, at: self.clock.now() };
        let (callbacks, events): (Vec<_>, Vec<_>) =
            taken.into_iter().map(|update| (update.callback, update.event)).unzip();
        let events = events.into_iter().flatten().collect();
        inbox
            .take(Accepted { events, cursor: Some(now.to_string()), ..Accepted::default() })
            .await
            .map_err(away)?;
        *place = Some(now);
        let callbacks = callbacks.iter().flatten();
        // No message is about it: nothing is kept.
        let trace = Trace::new(self.clock.clone(), &[]);
        join_all(
            callbacks.map(async |id| self.api.try_call("answerCallbackQuery", &pressed(id), &trace).await),
        )
        .await;
        Ok(count)
    }
}

#[async_trait]
impl Listener for Polling {
    async fn run(&self, inbox: Arc<dyn Inbox>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.poll(&*inbox) => {}
        }
    }
}

/// The last update that was stored, and when.
#[derive(Debug, PartialEq)]
struct Place {
    last: u32,
    at: Timestamp,
}

impl Place {
    fn parse(cursor: &str) -> Option<Self> {
        let (last, seconds) = cursor.split_once('@')?;
        let seconds: i64 = seconds.parse().ok()?;
        Some(Self { last: last.parse().ok()?, at: Timestamp(seconds.saturating_mul(1_000_000)) })
    }

    /// "Must be greater by one than the highest among the identifiers of previously received updates."
    fn offset(&self, now: Timestamp) -> Option<i32> {
        let holds = now.since(self.at) < OFFSET_HOLDS;
        i32::try_from(self.last).ok().and_then(|last| last.checked_add(1)).filter(|_| holds)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.last, self.at.0 / 1_000_000)
    }
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
