//! What X posts to a webhook: "Account activity data objects". Messages and posts have the shape of its interface 1.1.

use super::POST;
use crate::channels::posts::without_names;
use crate::channels::value::{id, let_go, list, text};
use crate::channels::{InboundEvent, InboundMessage, Receipt, ReceiptState};
use crate::model::Media;
use serde_json::Value;

/// Most pictures of one message that are kept.
const MOST_MEDIA: usize = 10;

/// Everything that was said to the account `own`.
pub fn read(own: &str, body: &Value) -> Vec<InboundEvent> {
    if id(body, "for_user_id").as_deref() != Some(own) {
        let_go("x", "another account");
        return Vec::new();
    }
    let direct = list(body, "direct_message_events").filter_map(|event| message(own, body, event));
    let posts = list(body, "tweet_create_events").filter_map(|post| mention(own, post));
    let read = list(body, "direct_message_mark_read_events").filter_map(|event| receipt(own, event));
    direct.chain(posts).map(InboundEvent::Message).chain(read.map(InboundEvent::Receipt)).collect()
}

fn message(own: &str, body: &Value, event: &Value) -> Option<InboundMessage> {
    let create = event.get("message_create")?;
    let sender = id(create, "sender_id")?;
    // What the account itself sends is told too, by whomever.
    if sender == own {
        return None;
    }
    let data = create.get("message_data")?;
    let media = data.get("attachment").and_then(|attachment| attachment.get("media"));
    let user = body.get("users").and_then(|users| users.get(&sender));
    Some(InboundMessage {
        provider_id: id(event, "id")?,
        address: sender,
        text: plain(&text(data, "text").unwrap_or_default()),
        media: media.into_iter().filter_map(picture).collect(),
        name: user.and_then(name),
        ..InboundMessage::default()
    })
}

/// A post that names the account or answers it. Posts of its own, and what others merely pass on, are none.
fn mention(own: &str, post: &Value) -> Option<InboundMessage> {
    let user = post.get("user")?;
    let author = id(user, "id_str").or_else(|| id(user, "id"))?;
    let passed_on = post.get("retweeted_status").is_some_and(Value::is_object);
    if author == own || passed_on {
        return None;
    }
    // A post of more than 140 characters stands in a part of its own.
    let whole = post.get("extended_tweet").unwrap_or(post);
    let entities = whole.get("entities").or_else(|| post.get("entities"));
    let names = |mention: &Value| id(mention, "id_str").or_else(|| id(mention, "id")).as_deref() == Some(own);
    let named = entities.is_some_and(|entities| list(entities, "user_mentions").any(names));
    if !named && id(post, "in_reply_to_user_id_str").as_deref() != Some(own) {
        return None;
    }
    let said = text(whole, "full_text").or_else(|| text(post, "text")).unwrap_or_default();
    let pictures = whole.get("extended_entities").or_else(|| post.get("extended_entities"));
    Some(InboundMessage {
        provider_id: id(post, "id_str").or_else(|| id(post, "id"))?,
        // A post does not say which thread it belongs to: one author's posts are one conversation.
        address: format!("{POST}{author}"),
        text: without_names(&plain(&said)).to_owned(),
        media: pictures
            .into_iter()
            .flat_map(|p| list(p, "media"))
            .filter_map(picture)
            .take(MOST_MEDIA)
            .collect(),
        name: name(user),
        ..InboundMessage::default()
    })
}

/// They have read up to here.
fn receipt(own: &str, event: &Value) -> Option<Receipt> {
    if id(event, "sender_id").as_deref() == Some(own)
        || event.get("target").is_none_or(|t| id(t, "recipient_id").as_deref() != Some(own))
    {
        return None;
    }
    Some(Receipt {
        provider_id: id(event, "last_read_event_id")?,
        message_id: None,
        state: ReceiptState::Delivered,
    })
}

fn picture(media: &Value) -> Option<Media> {
    let kind = if media.get("type").and_then(Value::as_str) == Some("photo") { "image/*" } else { "video/*" };
    Some(Media { kind: kind.to_owned(), url: text(media, "media_url_https")? })
}

fn name(user: &Value) -> Option<String> {
    text(user, "name").or_else(|| text(user, "screen_name"))
}

/// X writes these three as in HTML.
pub fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
