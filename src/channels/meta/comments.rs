//! Public comments: each author beneath each post is a conversation of its own, with the address
//! `comment:<post>:<author>`. The message that is answered is the comment, so an answer is put under it.
//!
//! Documentation: webhooks of pages (`feed`, `mention`), "Comments" of the Pages API, Instagram's comment moderation
//! and mentions.

use super::Call;
use super::value::{changes, id, id_of, is_path, let_go, list, text};
use crate::channels::{Edit, InboundEvent, InboundMessage, Moderation, Outgoing, SendError};
use crate::model::Media;
use reqwest::Method;
use serde_json::{Value, json};

const COMMENT: &str = "comment:";
/// Instagram tells of a mention under someone else's post by ids alone, and has a call of its own to answer it.
const MENTION: &str = "mention:";

pub fn is_public(address: &str) -> bool {
    address.starts_with(COMMENT) || address.starts_with(MENTION)
}

/// What is written on a page and beneath its posts.
pub fn read_feed(page: &str, entry: &Value, events: &mut Vec<InboundEvent>) {
    let at = text(entry, "time").unwrap_or_default();
    for (field, value) in changes(entry).filter(|(field, _)| !field.starts_with("messag")) {
        let verb = value.get("verb").and_then(Value::as_str).unwrap_or_default();
        let item = value.get("item").and_then(Value::as_str).unwrap_or_default();
        let written = matches!(item, "comment" | "post" | "status" | "photo" | "video" | "link");
        let read = matches!(field, "feed" | "mention") && written;
        match verb {
            "add" if read => events.extend(on_page(page, value).map(InboundEvent::Message)),
            "edit" | "edited" if read => {
                events.extend(on_page(page, value).map(|message| InboundEvent::Edit(changed(message, &at))));
            }
            // Likes and reactions, what was removed or hidden, and other fields.
            _ => let_go(field, verb),
        }
    }
}

fn on_page(page: &str, value: &Value) -> Option<InboundMessage> {
    let author = id_of(value, "from").or_else(|| id(value, "sender_id"));
    if author.as_deref() == Some(page) {
        return None;
    }
    let post = id(value, "post_id")?;
    let written = id(value, "comment_id").unwrap_or_else(|| post.clone());
    let link = |kind: &str, key| Some(Media { kind: kind.to_owned(), url: text(value, key)? });
    let photos = list(value, "photos").filter_map(Value::as_str);
    let photos = photos.map(|url| Media { kind: "image/*".to_owned(), url: url.to_owned() });
    Some(InboundMessage {
        address: address(COMMENT, &post, author.as_deref().unwrap_or(&written)),
        provider_id: written,
        text: text(value, "message").unwrap_or_default(),
        media: link("image/*", "photo")
            .into_iter()
            .chain(link("video/*", "video"))
            .chain(photos)
            .take(10)
            .collect(),
        name: value.get("from").and_then(|from| text(from, "name")).or_else(|| text(value, "sender_name")),
        ..InboundMessage::default()
    })
}

/// What is written beneath the posts of an account, and where it is mentioned.
pub fn read_instagram(account: &str, entry: &Value, events: &mut Vec<InboundEvent>) {
    for (field, value) in changes(entry).filter(|(field, _)| !field.starts_with("messag")) {
        match field {
            "comments" | "live_comments" => {
                events.extend(on_instagram(account, value).map(InboundEvent::Message));
            }
            "mentions" => events.extend(mentioned(value).map(InboundEvent::Message)),
            _ => let_go("instagram", field),
        }
    }
}

fn on_instagram(account: &str, value: &Value) -> Option<InboundMessage> {
    let author = id_of(value, "from");
    if author.as_deref() == Some(account) {
        return None;
    }
    let comment = id(value, "id").or_else(|| id(value, "comment_id"))?;
    let post = id_of(value, "media").unwrap_or_else(|| comment.clone());
    Some(InboundMessage {
        address: address(COMMENT, &post, author.as_deref().unwrap_or(&comment)),
        provider_id: comment,
        text: text(value, "text").unwrap_or_default(),
        name: value.get("from").and_then(|from| text(from, "username")),
        ..InboundMessage::default()
    })
}

/// Who wrote what is not told: the text is empty, and people look it up.
fn mentioned(value: &Value) -> Option<InboundMessage> {
    let post = id(value, "media_id")?;
    let comment = id(value, "comment_id");
    Some(InboundMessage {
        address: address(MENTION, &post, comment.as_deref().unwrap_or("caption")),
        provider_id: comment.unwrap_or(post),
        text: text(value, "text").unwrap_or_default(),
        ..InboundMessage::default()
    })
}

fn address(kind: &str, post: &str, author: &str) -> String {
    format!("{kind}{post}:{author}")
}

fn changed(message: InboundMessage, at: &str) -> Edit {
    let InboundMessage { provider_id, address, text, .. } = message;
    Edit { provider_id, revision: at.to_owned(), address, text }
}

/// The comment that is answered: the latest one, or the one that it was when it had been changed.
fn answered(message: &Outgoing) -> Result<&str, SendError> {
    let latest = message.reply_to.as_deref().unwrap_or_default();
    let comment = latest.split('~').next().unwrap_or_default();
    path(comment)
}

fn path(id: &str) -> Result<&str, SendError> {
    if is_path(id) {
        Ok(id)
    } else {
        Err(SendError::Permanent { why: "there is no comment to answer".into() })
    }
}

pub fn answer_on_page(message: &Outgoing) -> Result<Call, SendError> {
    let comment = answered(message)?;
    Ok(Call::post(format!("{comment}/comments"), json!({ "message": message.text })))
}

pub fn answer_on_instagram(account: &str, message: &Outgoing) -> Result<Call, SendError> {
    let comment = answered(message)?;
    let Some(mention) = message.address.strip_prefix(MENTION) else {
        return Ok(Call::post(format!("{comment}/replies"), json!({ "message": message.text })));
    };
    let post = mention.split(':').next().unwrap_or_default();
    let mut body = json!({ "media_id": post, "message": message.text });
    if comment != post {
        body["comment_id"] = Value::from(comment);
    }
    Ok(Call::post(format!("{account}/mentions"), body))
}

pub fn moderate_on_page(action: Moderation, comment: &str) -> Result<Call, SendError> {
    let comment = path(comment.split('~').next().unwrap_or_default())?;
    Ok(match action {
        Moderation::Hide => Call::post(comment, json!({ "is_hidden": true })),
        Moderation::Show => Call::post(comment, json!({ "is_hidden": false })),
        Moderation::Like => Call::post(format!("{comment}/likes"), json!({})),
        Moderation::Delete => delete(comment),
    })
}

pub fn moderate_on_instagram(action: Moderation, comment: &str) -> Result<Call, SendError> {
    let comment = path(comment.split('~').next().unwrap_or_default())?;
    Ok(match action {
        Moderation::Hide => Call::post(comment, json!({ "hide": true })),
        Moderation::Show => Call::post(comment, json!({ "hide": false })),
        Moderation::Delete => delete(comment),
        Moderation::Like => {
            return Err(SendError::Permanent {
                why: "Instagram lets no account like a comment this way".into(),
            });
        }
    })
}

fn delete(comment: &str) -> Call {
    Call { method: Method::DELETE, path: comment.to_owned(), body: Value::Null }
}
