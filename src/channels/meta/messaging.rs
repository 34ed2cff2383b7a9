//! What Messenger and Instagram share: the events of a conversation ("Webhook events" of the Messenger Platform), and
//! the Send API with its quick replies and its window.

use super::value::{id, id_of, is_true, let_go, list, text};
use super::{Call, buttons, window};
use crate::channels::{Edit, InboundEvent, InboundMessage, Outgoing, Receipt, ReceiptState, SendError};
use crate::model::{Author, Media, Timestamp};
use serde_json::{Value, json};

/// Quick replies beneath one message, and the characters of their titles.
pub const MOST_REPLIES: usize = 13;
const TITLE: usize = 20;
/// What stands behind a quick reply.
const MAX_PAYLOAD: usize = 1_000;
/// The payload that Meta's own examples give the "Get started" button.
const GET_STARTED: &str = "get_started";

/// The conversation events of one entry: under `messaging`, or under `changes` by fields named `message…`.
/// `standby` holds what another app is in charge of: it is not read.
pub fn read(own: &str, entry: &Value, events: &mut Vec<InboundEvent>) {
    let changed =
        super::value::changes(entry).filter(|(field, _)| field.starts_with("messag")).map(|(_, value)| value);
    for event in list(entry, "messaging").chain(changed) {
        one(own, event, events);
    }
    if list(entry, "standby").next().is_some() {
        let_go("messaging", "standby");
    }
}

fn one(own: &str, event: &Value, events: &mut Vec<InboundEvent>) {
    let sender = id_of(event, "sender");
    if let Some(message) = event.get("message") {
        if is_true(message, "is_echo") || sender.as_deref() == Some(own) {
            events.extend(echo(message).map(InboundEvent::Receipt));
        } else if is_true(message, "is_deleted") {
            let_go("messaging", "deletion");
        } else if let Some(sender) = sender {
            events.extend(written(sender, message).map(InboundEvent::Message));
        }
    } else if let Some(delivery) = event.get("delivery") {
        let mids = list(delivery, "mids").filter_map(Value::as_str).map(str::to_owned);
        events.extend(mids.map(|mid| receipt(mid, None, ReceiptState::Delivered)));
    } else if let Some(read) = event.get("read") {
        // Instagram names the message that was seen. Messenger only says until when all was read: which messages those
        // are, the delivery receipts have told before.
        events.extend(id(read, "mid").map(|mid| receipt(mid, None, ReceiptState::Delivered)));
    } else if let (Some(edit), Some(sender)) = (event.get("message_edit"), &sender) {
        events.extend(edited(sender, edit).map(InboundEvent::Edit));
    } else if let (Some(postback), Some(sender)) = (event.get("postback"), sender) {
        let at = text(event, "timestamp").unwrap_or_default();
        events.extend(postback_pressed(sender, &at, postback).map(InboundEvent::Message));
    } else {
        // Reactions, referrals, handovers, opt-ins, game plays, and what is yet to come.
        let known = |key: &&String| !["sender", "recipient", "timestamp"].contains(&key.as_str());
        let kind = event.as_object().and_then(|event| event.keys().find(known));
        let_go("messaging", kind.map_or("", String::as_str));
    }
}

fn receipt(mid: String, message_id: Option<&str>, state: ReceiptState) -> InboundEvent {
    let message_id = message_id.and_then(|id| id.parse().ok());
    InboundEvent::Receipt(Receipt { provider_id: mid, message_id, state })
}

/// A copy of what was said in our name. What we sent carries our id ([`sending`]): that settles a send in doubt. What
/// others wrote for the page in Meta's own inbox carries none, and is not read.
fn echo(message: &Value) -> Option<Receipt> {
    let message_id = text(message, "metadata")?.parse().ok()?;
    Some(Receipt {
        provider_id: id(message, "mid")?,
        message_id: Some(message_id),
        state: ReceiptState::Sent,
    })
}

fn written(sender: String, message: &Value) -> Option<InboundMessage> {
    let typed = text(message, "text").unwrap_or_default();
    let behind = message.get("quick_reply").and_then(|reply| text(reply, "payload"));
    let story = message.get("reply_to").and_then(|to| to.get("story"));
    Some(InboundMessage {
        provider_id: id(message, "mid")?,
        address: sender,
        text: behind.map_or(typed.clone(), |behind| buttons::pressed(&typed, &behind)),
        media: list(message, "attachments").chain(story).take(10).filter_map(attachment).collect(),
        ..InboundMessage::default()
    })
}

/// A picture, a place, a story that mentions the account or is answered, a link, …
fn attachment(attachment: &Value) -> Option<Media> {
    let payload = attachment.get("payload").unwrap_or(attachment);
    if let Some(place) = payload.get("coordinates") {
        let degrees = |key: &str| place.get(key).and_then(Value::as_f64);
        return Some(Media::position(degrees("lat")?, degrees("long")?));
    }
    // Meta names a kind, no media type.
    let kind = match attachment.get("type").and_then(Value::as_str) {
        Some("image" | "sticker") => "image/*",
        Some("audio") => "audio/*",
        Some("video" | "reel" | "ig_reel") => "video/*",
        Some("fallback" | "share" | "post" | "ig_post" | "template") => "text/html",
        _ => "application/octet-stream",
    };
    let url = text(payload, "url").or_else(|| text(attachment, "url"))?;
    Some(Media { kind: kind.to_owned(), url })
}

fn edited(sender: &str, edit: &Value) -> Option<Edit> {
    let revision = text(edit, "num_edit").unwrap_or_default();
    if revision == "0" {
        // The message itself, which is told apart.
        return None;
    }
    Some(Edit {
        provider_id: id(edit, "mid")?,
        revision,
        address: sender.to_owned(),
        text: text(edit, "text").unwrap_or_default(),
    })
}

/// A pressed button reads as its title; the one that opens a conversation as a greeting, for nothing was asked yet.
fn postback_pressed(sender: String, at: &str, postback: &Value) -> Option<InboundMessage> {
    let title = text(postback, "title").unwrap_or_default();
    let payload = text(postback, "payload").unwrap_or_default();
    let starts = payload.replace(['-', ' '], "_").eq_ignore_ascii_case(GET_STARTED);
    let text = match (starts, title.as_str()) {
        (true, "Get Started" | "Get started") => "Hello".to_owned(),
        (true, _) => "Bonjour".to_owned(),
        (false, title) => buttons::pressed(title, &payload),
    };
    let provider_id = id(postback, "mid").unwrap_or_else(|| format!("postback:{sender}:{at}"));
    Some(InboundMessage { provider_id, address: sender, text, ..InboundMessage::default() })
}

/// May the message be sent at this time, and if so with what type and tag?
pub fn messaging_type(message: &Outgoing, now: Timestamp, human_agent: bool) -> Option<Value> {
    let by_person = human_agent && message.author == Author::Agent;
    if window::is_open(message, now, window::HOURS) {
        Some(json!({ "messaging_type": "RESPONSE" }))
    } else if by_person && window::is_open(message, now, window::HUMAN_HOURS) {
        Some(json!({ "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT" }))
    } else {
        None
    }
}

/// The Send API; `me` is whom the token belongs to.
pub fn sending(message: &Outgoing, now: Timestamp, human_agent: bool) -> Result<Call, SendError> {
    let too_late = || SendError::Permanent { why: "the customer last wrote too long ago".into() };
    let mut body = messaging_type(message, now, human_agent).ok_or_else(too_late)?;
    let mut said = json!({ "text": message.text, "metadata": message.id });
    let replies: Vec<Value> = buttons::fit(&message.choices, MOST_REPLIES, TITLE)
        .into_iter()
        .map(|button| {
            let payload = buttons::cut(&button.label, MAX_PAYLOAD);
            json!({ "content_type": "text", "title": button.title, "payload": payload })
        })
        .collect();
    if !replies.is_empty() {
        said["quick_replies"] = Value::from(replies);
    }
    body["recipient"] = json!({ "id": message.address });
    body["message"] = said;
    Ok(Call::post("me/messages", body))
}

/// Shown for 20 seconds, or until the answer.
pub fn typing(address: &str) -> Call {
    Call::post("me/messages", json!({ "recipient": { "id": address }, "sender_action": "typing_on" }))
}
