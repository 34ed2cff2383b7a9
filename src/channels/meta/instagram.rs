//! Instagram messages, and the comments beneath an account's posts (webhook fields `comments`, `live_comments`,
//! `mentions`).
//!
//! Checked against the Instagram Platform's documentation (webhook examples, messaging, comment moderation, mentions)
//! and the Messenger Platform's, whose Send API it is. Not tried live. Subscribe to: messages, messaging_postbacks,
//! messaging_seen, comments, live_comments, mentions. Accounts that sign in with Instagram itself rather than through a
//! page have `api_url = "https://graph.instagram.com"`.

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

/// The limit of a message is in bytes of UTF-8.
const MAX_BYTES: usize = 1_000;
/// In these, French with its accents and a picture sign here and there fits the bytes; what does not is refused.
const MAX_CHARS: usize = 800;
/// Of a comment.
const MAX_COMMENT: usize = 300;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Instagram {
    /// Of the professional account, not of the page behind it.
    #[serde(deserialize_with = "as_written")]
    account_id: String,
    /// Meta granted the feature "Human Agent": people may answer for 7 days.
    #[serde(default)]
    human_agent: bool,
    /// Where those who comment in public are invited to write: "https://ig.me/m/<name>". Left out: without an address.
    private_url: Option<String>,
}

pub fn build(_: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let (common, instagram): (_, Instagram) = parts(keys)?;
    check_id("account_id", &instagram.account_id)?;
    Ok(assemble(common, Box::new(instagram), context))
}

impl Platform for Instagram {
    fn object(&self) -> &'static str {
        "instagram"
    }

    /// Edits are documented for Messenger alone; should one come, it is read all the same.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            buttons: messaging::MOST_REPLIES,
            media: true,
            typing: true,
            receipts: true,
            public: true,
            ..Capabilities::text(MAX_CHARS)
        }
    }

    /// Half of the 100 calls a second that an account may make.
    fn pace(&self) -> Pace {
        Pace { per_second: 50.0, concurrent: 16, per_contact: Duration::ZERO }
    }

    fn longest(&self, address: &str) -> usize {
        if comments::is_public(address) { MAX_COMMENT } else { MAX_CHARS }
    }

    fn is_public(&self, address: &str) -> bool {
        comments::is_public(address)
    }

    fn private_url(&self) -> Option<String> {
        self.private_url.clone()
    }

    fn read(&self, entry: &Value, events: &mut Vec<InboundEvent>) {
        if value::id(entry, "id").as_deref() != Some(&self.account_id) {
            return value::let_go("entry", "another account");
        }
        messaging::read(&self.account_id, entry, events);
        comments::read_instagram(&self.account_id, entry, events);
    }

    fn refuses(&self, message: &Outgoing, now: Timestamp) -> Option<Forbidden> {
        if comments::is_public(&message.address) {
            return None;
        }
        if message.text.len() > MAX_BYTES {
            return Some(Forbidden::TooLong { bytes: MAX_BYTES });
        }
        let open = messaging::messaging_type(message, now, self.human_agent).is_some();
        (!open).then_some(Forbidden::TooLate { hours: window::HOURS })
    }

    fn sending(&self, message: &Outgoing, now: Timestamp) -> Result<Call, SendError> {
        if comments::is_public(&message.address) {
            return comments::answer_on_instagram(&self.account_id, message);
        }
        messaging::sending(message, now, self.human_agent)
    }

    fn typing(&self, address: &str, _: &str) -> Option<Call> {
        (!comments::is_public(address)).then(|| messaging::typing(address))
    }

    fn moderations(&self) -> &'static [Moderation] {
        &[Moderation::Hide, Moderation::Show, Moderation::Delete]
    }

    fn moderating(&self, action: Moderation, id: &str) -> Result<Call, SendError> {
        comments::moderate_on_instagram(action, id)
    }
}
