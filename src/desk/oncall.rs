//! Calls whoever is on call, by a signed POST to an address of the operator's.
//!
//! The call is stored in the transaction that makes it necessary, with a job of the same id. It is posted until an answer of 2xx
//! has been committed, or `desk.on_call.retry` is exhausted. A process killed between the answer and the commit posts it again:
//! `id` is the same, and tells the other side.
//!
//! `X-Guichet-Timestamp` and `X-Guichet-Signature` are as [`crate::channels::signing`] says. The body is JSON:
//! ```json
//! {"id": "…", "kind": "emergency", "at": "2026-12-20T11:04:00Z", "conversation": "…", "link": "https://…/console/conversations/…",
//!  "channel": "sms", "priority": "urgent", "reason": "emergency", "intent": "safety.emergency", "about": ["Rennes"], "open": false}
//! ```
//! `kind` is `emergency`, `sla_warned` or `sla_breached`; the last two have `promise` and `due`. `open`: whether the desk is.
//! `text`, the customer's words, is there with `desk.on_call.include_text` only. `at` is when it happened.

use super::sla::Told;
use crate::answers::http::address::{Forbidden, Guarded, check_literal};
use crate::channels::signing::{SIGNATURE, TIMESTAMP, sign};
use crate::config::{OnCallConfig, When};
use crate::model::{AlertKind, Conversation, JobId, MessageId, PromiseNews, Timestamp};
use crate::store::{Alert, NewAlert, StoreError, Tx};
use reqwest::{Client, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Who is called, and how. The default calls nobody. Clones share it.
#[derive(Clone, Default)]
pub struct OnCall(Option<Arc<Line>>);

struct Line {
    config: OnCallConfig,
    url: Url,
    public_url: String,
    client: Client,
}

/// What happened.
pub struct Raised {
    pub kind: AlertKind,
    /// Another one about the same is none.
    about: String,
    more: Value,
}

/// An emergency was handed over. Its further messages call nobody again.
pub fn emergency(conversation: &Conversation) -> Raised {
    let about = conversation.escalated_at.map_or(0, |at| at.0).to_string();
    Raised { kind: AlertKind::Emergency, about, more: json!({}) }
}

/// A promise is near, or was missed.
pub fn sla_alert(told: &Told) -> Raised {
    let kind = match told.news {
        PromiseNews::Near => AlertKind::SlaWarned,
        PromiseNews::Missed => AlertKind::SlaBreached,
    };
    let about = format!("{}:{}", told.promise, told.since.0);
    Raised { kind, about, more: json!({ "promise": told.promise, "due": told.due.to_string() }) }
}

/// Why a call did not arrive. Shows neither address nor content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unheard {
    #[error("desk.on_call is not configured any more")]
    Nobody,
    #[error("the address leads inside the network")]
    Forbidden,
    #[error("no answer in time")]
    TimedOut,
    #[error("it cannot be reached")]
    Unreachable,
    #[error("status {0}")]
    Status(u16),
}

impl OnCall {
    /// # Errors
    /// The key, what is wrong with it, and the cure.
    pub fn new(config: &OnCallConfig, public_url: &str) -> Result<Self, String> {
        let Some(url) = config.url() else { return Ok(Self::default()) };
        check_literal(&url, config.allow_private).map_err(|_| {
            "desk.on_call.url: leads inside the network. Cure: set desk.on_call.allow_private = true if that is meant"
        })?;
        let timeout = Duration::from(config.timeout);
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout / 2)
            .redirect(reqwest::redirect::Policy::none())
            // It would resolve names itself, unchecked.
            .no_proxy()
            .dns_resolver(Arc::new(Guarded { allow_private: config.allow_private }))
            .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
        let (config, public_url) = (config.clone(), public_url.to_owned());
        Ok(Self(Some(Arc::new(Line { config, url, public_url, client }))))
    }

    /// Keeps a call to be made. `open`: whether people are at the desk.
    pub async fn raise(
        &self,
        tx: &mut Tx,
        conversation: &Conversation,
        raised: Raised,
        message: MessageId,
        open: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(line) = &self.0 else { return Ok(()) };
        let Raised { kind, about, more } = raised;
        if open && kind == AlertKind::Emergency && line.config.when == When::Closed {
            return Ok(());
        }
        let mut data = json!({
            "kind": kind,
            "at": now.to_string(),
            "conversation": conversation.id,
            "link": format!("{}/console/conversations/{}", line.public_url, conversation.id),
            "channel": conversation.channel,
            "priority": conversation.priority,
            "reason": conversation.reason,
            "intent": conversation.intent,
            "about": conversation.desk.about,
            "open": open,
        });
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        let (id, conversation_id) = (JobId::new(), conversation.id);
        let alert = NewAlert { id, kind, conversation_id, message_id: message, about, data };
        tx.raise_alert(&alert, now).await?;
        Ok(())
    }

    /// The wait before the next try, after `tries`; none: it is given up.
    pub fn wait(&self, tries: i64) -> Option<Duration> {
        let index = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
        self.0.as_ref()?.config.retry.get(index).map(|wait| Duration::from(*wait))
    }

    /// Whether the customer's words are posted.
    pub fn includes_text(&self) -> bool {
        self.0.as_ref().is_some_and(|line| line.config.include_text)
    }

    /// One try. The status of the answer, of the 2xx.
    pub async fn post(&self, alert: &Alert, text: Option<&str>, now: Timestamp) -> Result<u16, Unheard> {
        let Some(line) = &self.0 else { return Err(Unheard::Nobody) };
        let mut body = alert.data.clone();
        if let Some(body) = body.as_object_mut() {
            body.insert("id".to_owned(), json!(alert.id));
            body.extend(text.map(|text| ("text".to_owned(), json!(text))));
        }
        let body = body.to_string();
        let (timestamp, signature) =
            sign(&line.config.secret, now, body.as_bytes()).ok_or(Unheard::Nobody)?;
        let request = line
            .client
            .post(line.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(body);
        let answer = request.send().await.map_err(|error| unheard(&error))?;
        let status = answer.status();
        if status.is_success() { Ok(status.as_u16()) } else { Err(Unheard::Status(status.as_u16())) }
    }
}

fn unheard(error: &reqwest::Error) -> Unheard {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<Forbidden>().is_some() {
            return Unheard::Forbidden;
        }
        cause = inner.source();
    }
    if error.is_timeout() { Unheard::TimedOut } else { Unheard::Unreachable }
}
