//! What a notification of a mention says: the entities `Notification`, `Status` and `Account`.
//!
//! The address is `<visibility>:<account>`: `direct:camille@m.example`, `public:lea`. An account's public, unlisted and
//! followers' statuses are conversations apart, for they are answered for different readers.

use super::html;
use crate::channels::posts::without_names;
use crate::channels::value::{id, is_true, list, text};
use crate::channels::{InboundEvent, InboundMessage};
use crate::model::{Media, Timestamp};
use serde_json::Value;

pub const VISIBILITIES: &[&str] = &["public", "unlisted", "private", "direct"];
/// Most attachments of one status that are kept.
const MOST_MEDIA: usize = 10;
/// An account's name is an address of at most so many bytes.
const MAX_ACCOUNT: usize = 320;

/// When the notification was made.
pub fn at(notification: &Value) -> Option<Timestamp> {
    let at: jiff::Timestamp = text(notification, "created_at")?.parse().ok()?;
    Some(Timestamp::from_jiff(at))
}

/// `None`: it is no mention, or one whose status has gone.
pub fn mention(notification: &Value) -> Option<InboundEvent> {
    if text(notification, "type").as_deref() != Some("mention") {
        return None;
    }
    let status = notification.get("status")?;
    let author = status.get("account").or_else(|| notification.get("account"))?;
    let account = text(author, "acct").filter(|acct| !acct.is_empty() && acct.len() <= MAX_ACCOUNT)?;
    let visibility = text(status, "visibility")?;
    let visibility = VISIBILITIES.iter().find(|known| **known == visibility)?;
    let words = html::text(&text(status, "content")?);
    let words = without_names(&words);
    let warning = text(status, "spoiler_text").filter(|warning| !warning.trim().is_empty());
    let name = text(author, "display_name").filter(|name| !name.trim().is_empty());
    Some(InboundEvent::Message(InboundMessage {
        provider_id: id(status, "id")?,
        address: format!("{visibility}:{account}"),
        text: warning.map_or_else(|| words.to_owned(), |warning| format!("{warning}\n{words}")),
        media: list(status, "media_attachments").filter_map(media).take(MOST_MEDIA).collect(),
        name: Some(name.unwrap_or_else(|| format!("@{account}"))),
        automatic: is_true(author, "bot"),
    }))
}

fn media(attachment: &Value) -> Option<Media> {
    let kind = match text(attachment, "type")?.as_str() {
        "image" => "image/*",
        "gifv" | "video" => "video/*",
        "audio" => "audio/*",
        _ => "application/octet-stream",
    };
    Some(Media {
        kind: kind.to_owned(),
        url: text(attachment, "url").or_else(|| text(attachment, "remote_url"))?,
    })
}
