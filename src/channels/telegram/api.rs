//! Calls of the Bot API: what is asked, and what the answers mean.

use super::super::{Outgoing, SendError, Trace, retry_after};
use crate::clock::Clock;
use crate::config::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use teloxide_core::payloads::{AnswerCallbackQuery, SendChatAction, SendMessage};
use teloxide_core::types::{
    CallbackQueryId, ChatAction, ChatId, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions,
    Recipient, ReplyMarkup,
};

/// "1-64 bytes": what a button may carry.
const MAX_CALLBACK_DATA: usize = 64;
/// Two labels of at most so many characters stand side by side on a telephone.
const HALF_A_ROW: usize = 14;
/// Telegram's words are kept up to this length, in characters.
const MAX_WORDS: usize = 200;
/// Flood control asks for seconds; more than this is no wait but an outage.
const LONGEST_WAIT: u64 = 3_600;

/// One bot.
pub struct Api {
    base: String,
    token: Secret,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl Api {
    pub fn new(base: String, token: Secret, client: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { base, token, client, clock }
    }

    /// Is it Telegram's own service, which posts to https only?
    pub fn is_public(&self) -> bool {
        self.base == super::API_URL
    }

    /// Errors: no answer came.
    pub async fn call(
        &self,
        method: &str,
        payload: &impl Serialize,
        trace: &Trace,
    ) -> Result<Answer, SendError> {
        self.send(self.request(method, payload), trace).await
    }

    /// For what no message is about: nothing is kept of it. `patience` in place of the client's own.
    pub async fn ask(
        &self,
        method: &str,
        payload: &impl Serialize,
        patience: Option<Duration>,
    ) -> Result<Answer, SendError> {
        let request = self.request(method, payload);
        let request = match patience {
            Some(patience) => request.timeout(patience),
            None => request,
        };
        self.send(request, &Trace::new(self.clock.clone(), &[])).await
    }

    /// Best effort: what comes of it changes nothing.
    pub async fn try_call(&self, method: &str, payload: &impl Serialize, trace: &Trace) {
        match self.call(method, payload, trace).await {
            Ok(answer) if answer.result.is_some() => {}
            Ok(answer) => tracing::debug!(method, error = %answer.error(), "refused by Telegram"),
            Err(error) => tracing::debug!(method, %error, "not heard by Telegram"),
        }
    }

    fn request(&self, method: &str, payload: &impl Serialize) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/bot{}/{method}", self.base, self.token.expose())).json(payload)
    }

    async fn send(&self, request: reqwest::RequestBuilder, trace: &Trace) -> Result<Answer, SendError> {
        let reply = trace.call(request, &[self.token.expose()]).await?;
        let after = retry_after(&reply.headers);
        let body: Option<Body> = reply.json();
        let Some(body) = body else {
            return Ok(Answer { code: reply.status, result: None, words: None, after });
        };
        let result = body.result.filter(|_| body.ok && reply.is_success());
        let words = body.description.map(|words| words.chars().take(MAX_WORDS).collect());
        let after = body
            .parameters
            .and_then(|parameters| parameters.retry_after)
            .map_or(after, |seconds| Some(Duration::from_secs(seconds.min(LONGEST_WAIT))));
        Ok(Answer { code: body.error_code.unwrap_or(reply.status), result, words, after })
    }
}

/// An answer as every method gives it (Bot API, "Making requests").
#[derive(Deserialize)]
struct Body {
    ok: bool,
    /// Some methods answer null for "done".
    #[serde(default, deserialize_with = "even_null")]
    result: Option<Value>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

fn even_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Parameters {
    /// Seconds.
    retry_after: Option<u64>,
}

pub struct Answer {
    /// Telegram's `error_code`, else the status of HTTP.
    pub code: u16,
    /// None: refused, or not to be read.
    pub result: Option<Value>,
    /// Telegram's own; none: what answered was no Bot API.
    pub words: Option<String>,
    pub after: Option<Duration>,
}

impl Answer {
    /// What an answer without a result means for a message. A server that failed may have sent it before, and so may one whose
    /// answer cannot be read.
    pub fn error(&self) -> SendError {
        let why = match &self.words {
            Some(words) => format!("Telegram answered {}: {words}", self.code),
            None => format!("Telegram answered {}", self.code),
        };
        match self.code {
            200..=299 | 500..=599 => SendError::InDoubt { why },
            // Who blocked the bot, deleted the account or never began a chat. In Telegram's words only: a proxy's 403 is about us.
            403 if self.words.is_some() => SendError::Blocked { why },
            // A wrong token is mended by people, who then find the messages sent.
            300..=399 | 401 | 403 | 404 | 409 | 429 => SendError::Retry { why, after: self.after },
            _ => SendError::Permanent { why },
        }
    }
}

/// Plain text: without `parse_mode` nothing in it becomes markup, and a link shows no foreign page.
pub fn message(chat: i64, message: &Outgoing) -> SendMessage {
    let mut payload = SendMessage::new(Recipient::Id(ChatId(chat)), message.text.clone());
    payload.link_preview_options = Some(LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    });
    payload.reply_markup = keyboard(&message.choices).map(ReplyMarkup::InlineKeyboard);
    payload
}

pub fn typing(chat: i64) -> SendChatAction {
    SendChatAction::new(Recipient::Id(ChatId(chat)), ChatAction::Typing)
}

/// Ends the little clock on the button that was pressed.
pub fn pressed(callback: &str) -> AnswerCallbackQuery {
    AnswerCallbackQuery::new(CallbackQueryId(callback.to_owned()))
}

/// The same as the answer to a webhook (Bot API, "Making requests when getting updates").
pub fn as_reply(callback: &str) -> String {
    serde_json::json!({"method": "answerCallbackQuery", "callback_query_id": callback}).to_string()
}

/// A button reads as its label when it is pressed; a label that it cannot carry comes back as its number, which the label is
/// found by ([`super::updates`]).
fn keyboard(choices: &[String]) -> Option<InlineKeyboardMarkup> {
    if choices.is_empty() || choices.len() > super::MAX_BUTTONS {
        return None;
    }
    let buttons = choices.iter().enumerate().map(|(at, label)| {
        let fits = (1..=MAX_CALLBACK_DATA).contains(&label.len()) && !label.starts_with('#');
        InlineKeyboardButton::callback(
            label.clone(),
            if fits { label.clone() } else { format!("#{}", at + 1) },
        )
    });
    let short = choices.iter().all(|label| label.chars().count() <= HALF_A_ROW);
    let in_a_row = if short { 2 } else { 1 };
    let buttons: Vec<InlineKeyboardButton> = buttons.collect();
    Some(InlineKeyboardMarkup::new(buttons.chunks(in_a_row).map(<[_]>::to_vec)))
}
