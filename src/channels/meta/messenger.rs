//! Messenger, and the comments beneath a page's posts (webhook field `feed`).
//!
//! Checked against the Messenger Platform's documentation (webhook events, Send API, quick replies, sender actions, the
//! 24-hour window and the tag `HUMAN_AGENT`) and the Graph API's (webhooks of pages, comments). Not tried live.
//! Subscribe the page to: messages, messaging_postbacks, message_deliveries, message_echoes, message_edits, feed.

use super::{Call, Platform, as_written, assemble, check_id, comments, messaging, parts, value, window};
use crate::channels::{
    BuildContext, Capabilities, Channel, Forbidden, InboundEvent, Moderation, Outgoing, Pace, SendError,
};
use crate::config::ChannelSettings;
use crate::model::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Of a message (Send API).
const MAX_CHARS: usize = 2_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Messenger {
    #[serde(deserialize_with = "as_written")]
    page_id: String,
    /// Meta granted the feature "Human Agent": people may answer for 7 days.
    #[serde(default)]
    human_agent: bool,
    /// Where those who comment in public are invited to write; left out: m.me with the page's id.
    private_url: Option<String>,
}

pub fn build(_: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let (common, messenger): (_, Messenger) = parts(keys)?;
    check_id("page_id", &messenger.page_id)?;
    Ok(assemble(common, Box::new(messenger), context))
}

impl Platform for Messenger {
    fn object(&self) -> &'static str {
        "page"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            buttons: messaging::MOST_REPLIES,
            media: true,
            typing: true,
            receipts: true,
            edits: true,
            public: true,
            ..Capabilities::text(MAX_CHARS)
        }
    }

    /// Well below the 300 calls a second that a page may make.
    fn pace(&self) -> Pace {
        Pace { per_second: 50.0, concurrent: 16, per_contact: Duration::ZERO }
    }

    fn is_public(&self, address: &str) -> bool {
        comments::is_public(address)
    }

    fn private_url(&self) -> Option<String> {
        Some(self.private_url.clone().unwrap_or_else(|| format!("https://m.me/{}", self.page_id)))
    }

    fn read(&self, entry: &Value, events: &mut Vec<InboundEvent>) {
        if value::id(entry, "id").as_deref() != Some(&self.page_id) {
            return value::let_go("entry", "another page");
        }
        messaging::read(&self.page_id, entry, events);
        comments::read_feed(&self.page_id, entry, events);
    }

    fn refuses(&self, message: &Outgoing, now: Timestamp) -> Option<Forbidden> {
        let open = comments::is_public(&message.address)
            || messaging::messaging_type(message, now, self.human_agent).is_some();
        (!open).then_some(Forbidden::TooLate { hours: window::HOURS })
    }

    fn sending(&self, message: &Outgoing, now: Timestamp) -> Result<Call, SendError> {
        if comments::is_public(&message.address) {
            return comments::answer_on_page(message);
        }
        messaging::sending(message, now, self.human_agent)
    }

    fn typing(&self, address: &str, _: &str) -> Option<Call> {
        (!comments::is_public(address)).then(|| messaging::typing(address))
    }

    fn moderations(&self) -> &'static [Moderation] {
        Moderation::ALL
    }

    fn moderating(&self, action: Moderation, id: &str) -> Result<Call, SendError> {
        comments::moderate_on_page(action, id)
    }
}
