//! Telegram bots: the webhook with its secret token, or long polling where no public address is to be had.
//!
//! Updates are read, and requests are made, with the types of teloxide (`teloxide-core`); they are sent by our own client, so that
//! every outcome is known exactly and traced. Only private chats are answered: what is said in groups and channels is
//! ignored, even when the bot is named there.
//!
//! Checked against: the Bot API's documentation (9.1) of Update, Message, CallbackQuery, ChatMemberUpdated,
//! ResponseParameters, setWebhook, getUpdates and sendMessage; npm `telegram-test-api` as server (tests/e2e). Not tried against
//! the service itself.

mod api;
mod listen;
mod updates;

use super::{
    Accepted, BuildContext, Capabilities, Channel, Listener, Lookup, Outgoing, Pace, Refusal, SendError,
    Trace, WebhookRequest, content_type_is, header, settings,
};
use crate::config::{ChannelSettings, Secret};
use api::Api;
use async_trait::async_trait;
use listen::{Polling, Registration};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// Telegram's own service; a local Bot API server has another address.
const API_URL: &str = "https://api.telegram.org";
/// In which Telegram gives back the secret of `setWebhook`.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// "1-4096 characters after entities parsing", counted in UTF-16 code units as all of Telegram's lengths are; [`super::split`]
/// counts the same.
const MAX_CHARS: usize = 4_096;
/// A keyboard with more buttons than this is not one to choose from.
const MAX_BUTTONS: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    token: Secret,
    /// What Telegram's webhooks carry, so that nobody else can post them.
    #[serde(default)]
    secret_token: Secret,
    #[serde(default)]
    mode: Mode,
    #[serde(default = "default_api_url")]
    api_url: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Webhook,
    Polling,
}

fn default_api_url() -> String {
    API_URL.into()
}

pub fn build(name: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let settings: Settings = settings(keys)?;
    // The token stands in the address of every call.
    if !is_made_of(settings.token.expose(), ":_-") {
        return Err("token: is no bot token. Cure: copy it from @BotFather, such as 110201543:AAHdq…".into());
    }
    let secret = settings.secret_token.expose();
    if settings.mode == Mode::Webhook && (!is_made_of(secret, "_-") || secret.len() > 256) {
        return Err("secret_token: must be 1 to 256 letters, digits, _ or -. Cure: openssl rand -hex 32, \
                    or mode = \"polling\" where Telegram cannot reach this server"
            .into());
    }
    url::Url::parse(&settings.api_url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or("api_url: is no http(s) URL. Cure: leave it out, or the address of a Bot API server")?;
    let base = settings.api_url.trim_end_matches('/').to_owned();
    let api = Arc::new(Api::new(base, settings.token, context.client.clone(), context.clock.clone()));
    let listener: Arc<dyn Listener> = match settings.mode {
        Mode::Webhook => Arc::new(Registration::new(
            api.clone(),
            format!("{}/webhooks/{name}", context.public_url),
            settings.secret_token.clone(),
        )),
        Mode::Polling => Arc::new(Polling::new(api.clone(), context.clock.clone())),
    };
    let secret = (settings.mode == Mode::Webhook).then_some(settings.secret_token);
    Ok(Arc::new(Telegram { api, secret, listener }))
}

/// Not empty, and nothing but ASCII letters, digits and `more`.
fn is_made_of(text: &str, more: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

struct Telegram {
    api: Arc<Api>,
    /// None: updates are polled, and no webhook is ours.
    secret: Option<Secret>,
    listener: Arc<dyn Listener>,
}

#[async_trait]
impl Channel for Telegram {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            buttons: MAX_BUTTONS,
            media: true,
            typing: true,
            edits: true,
            ..Capabilities::text(MAX_CHARS)
        }
    }

    /// What Telegram asks of bots (Bots FAQ, "My bot is hitting limits"): one message per second in a chat, thirty in all.
    fn pace(&self) -> Pace {
        Pace { per_second: 30.0, concurrent: 16, per_contact: Duration::from_secs(1) }
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        let secret = self.secret.as_ref().filter(|_| request.tail.is_empty()).ok_or(Refusal::NotFound)?;
        let given = header(request.headers, SECRET_HEADER).ok_or(Refusal::Unsigned)?;
        if !bool::from(given.as_bytes().ct_eq(secret.expose().as_bytes())) {
            return Err(Refusal::BadSignature);
        }
        if !content_type_is(request.headers, "application/json") {
            return Err(Refusal::ContentType);
        }
        let update =
            serde_json::from_slice(request.body).map_err(|_| Refusal::Malformed("the body is no JSON"))?;
        let update = updates::read(update).ok_or(Refusal::Malformed("update_id is missing"))?;
        // The answer to a webhook may itself be a call, which spares a request.
        let reply = match &update.callback {
            Some(id) => ("application/json", api::as_reply(id).into()),
            None => ("text/plain", "".into()),
        };
        Ok(Accepted { events: update.event.into_iter().collect(), reply: Some(reply), ..Accepted::default() })
    }

    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let Ok(chat) = message.address.parse::<i64>() else {
            return Err(SendError::Permanent { why: "the address is no chat of Telegram".into() });
        };
        let answer = self.api.call("sendMessage", &api::message(chat, message), trace).await?;
        let Some(sent) = &answer.result else { return Err(answer.error()) };
        match sent.get("message_id").and_then(serde_json::Value::as_i64) {
            Some(id) => Ok(Some(updates::provider_id(chat, id))),
            None => Err(SendError::InDoubt { why: "Telegram accepted, but gave no message id".into() }),
        }
    }

    /// The Bot API lists nothing of what was sent.
    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }

    async fn typing(&self, address: &str, _: &str, trace: &Trace) {
        if let Ok(chat) = address.parse() {
            self.api.try_call("sendChatAction", &api::typing(chat), trace).await;
        }
    }

    fn listener(&self) -> Option<Arc<dyn Listener>> {
        Some(self.listener.clone())
    }
}

#[cfg(test)]
mod tests;
