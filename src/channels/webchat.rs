//! The web chat: the browser reads its messages from us, so to send is to have stored. Its requests have routes
//! of their own (`http::webchat`), for a browser cannot sign a webhook.

use super::{
    Accepted, BuildContext, Capabilities, Channel, Lookup, Outgoing, Pace, Refusal, SendError, Trace,
    WebhookRequest, settings,
};
use crate::config::ChannelSettings;
use async_trait::async_trait;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {}

pub fn build(_: &str, keys: &ChannelSettings, _: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let Settings {} = settings(keys)?;
    Ok(Arc::new(Webchat))
}

struct Webchat;

#[async_trait]
impl Channel for Webchat {
    fn capabilities(&self) -> Capabilities {
        Capabilities { buttons: 10, typing: true, can_be_asked: true, ..Capabilities::text(4_000) }
    }

    /// No provider is between us and the browser.
    fn pace(&self) -> Pace {
        Pace { per_second: f64::INFINITY, concurrent: usize::MAX, ..Pace::default() }
    }

    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    async fn send(&self, message: &Outgoing, _: &Trace) -> Result<Option<String>, SendError> {
        Ok(Some(message.id.to_string()))
    }

    /// Sending has no effect outside the database, so after a crash it is simply done again.
    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::Listed(Vec::new())
    }
}
