//! Posts of the lexicon `app.bsky.feed.post`: what is read of them, and what is published.

use crate::channels::posts::{links, without_names};
use crate::channels::value::{id, list, text};
use crate::channels::{InboundEvent, InboundMessage, Outgoing};
use crate::model::{Media, MessageId, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const COLLECTION: &str = "app.bsky.feed.post";
/// base32-sortable (specification "TID").
const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
/// Most pictures of one post (`app.bsky.embed.images`).
const MOST_MEDIA: usize = 4;

/// When the server took notice of it; a post's own time is its author's to choose.
pub fn at(notification: &Value) -> Option<Timestamp> {
    let at: jiff::Timestamp = text(notification, "indexedAt")?.parse().ok()?;
    Some(Timestamp::from_jiff(at))
}

/// A post that names the account `own`, or answers one of its posts. Answers further down a thread are told too, and said to
/// others. The address is the thread and who speaks in it.
pub fn spoken(own: &str, notification: &Value) -> Option<InboundEvent> {
    let record = notification.get("record")?;
    let author = notification.get("author")?;
    let did = id(author, "did").filter(|did| did != own)?;
    if text(record, "$type").as_deref() != Some(COLLECTION) {
        return None;
    }
    let reply = record.get("reply");
    let part = |name: &str| reply?.get(name).and_then(|part| id(part, "uri"));
    match text(notification, "reason")?.as_str() {
        "mention" => {}
        "reply" if part("parent").is_some_and(|parent| parent.starts_with(&format!("at://{own}/"))) => {}
        _ => return None,
    }
    let uri = id(notification, "uri")?;
    let name = text(author, "displayName").filter(|name| !name.trim().is_empty());
    Some(InboundEvent::Message(InboundMessage {
        address: format!("{}#{did}", part("root").unwrap_or_else(|| uri.clone())),
        provider_id: uri,
        text: without_names(&text(record, "text")?).to_owned(),
        media: pictures(&did, record),
        name: name.or_else(|| text(author, "handle")),
        // What an account says of itself, as many machines do.
        automatic: list(author, "labels").any(|label| {
            text(label, "val").as_deref() == Some("bot") && id(label, "src").as_deref() == Some(&did)
        }),
    }))
}

/// The pictures are named by their hash; this is where Bluesky shows them.
fn pictures(did: &str, record: &Value) -> Vec<Media> {
    let Some(embed) = record.get("embed") else { return Vec::new() };
    let hash = |image: &Value| id(image.get("image")?.get("ref")?, "$link");
    list(embed, "images")
        .filter_map(hash)
        .filter(|hash| hash.bytes().all(|b| b.is_ascii_alphanumeric()))
        .map(|hash| Media {
            kind: "image/*".to_owned(),
            url: format!("https://cdn.bsky.app/img/feed_fullsize/plain/{did}/{hash}@jpeg"),
        })
        .take(MOST_MEDIA)
        .collect()
}

/// The key of the record that a message becomes: always the same, so that it can be asked for, and is never there twice. A
/// TID: the time of the message, and ten bits; below its millisecond, and in the ten bits, stands a hash of its id.
pub fn record_key(id: MessageId, at: Timestamp) -> String {
    let hash = Sha256::digest(id.0.as_bytes());
    let number = hash.iter().take(4).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let millis = u64::try_from(at.0 / 1_000).unwrap_or(0) & ((1 << 43) - 1);
    let micros = millis * 1_000 + (number >> 10) % 1_000;
    let tid = (micros & ((1 << 53) - 1)) << 10 | number & 0x3FF;
    (0..13).rev().map(|place| char::from(ALPHABET[(tid >> (5 * place)) as usize & 31])).collect()
}

/// The record of an answer under `parent`, a post as `app.bsky.feed.getPosts` gives it. `None`: it cannot be answered.
pub fn record(message: &Outgoing, parent: &Value) -> Option<Value> {
    let reference = |post: &Value| Some(json!({ "uri": id(post, "uri")?, "cid": id(post, "cid")? }));
    let under = reference(parent)?;
    let thread = parent.get("record").and_then(|record| record.get("reply")?.get("root"));
    let root = thread.and_then(reference).unwrap_or_else(|| under.clone());
    let mut record = json!({
        "$type": COLLECTION,
        "text": message.text,
        "createdAt": message.since.to_string(),
        "reply": { "root": root, "parent": under },
    });
    if let Some(lang) = message.lang {
        record["langs"] = json!([lang.as_str()]);
    }
    let facets: Vec<Value> = links(&message.text)
        .into_iter()
        .map(|link| {
            json!({
                "index": { "byteStart": link.start, "byteEnd": link.end },
                "features": [{ "$type": "app.bsky.richtext.facet#link", "uri": message.text[link] }],
            })
        })
        .collect();
    if !facets.is_empty() {
        record["facets"] = Value::from(facets);
    }
    Some(record)
}

/// Has whoever wrote the post blocked the account, or been blocked by it?
pub fn is_blocked(parent: &Value) -> bool {
    let viewer = parent.get("author").and_then(|author| author.get("viewer"));
    viewer.is_some_and(|viewer| {
        viewer.get("blockedBy").and_then(Value::as_bool) == Some(true) || id(viewer, "blocking").is_some()
    })
}

/// May it stand where a server expects the address of a post? It comes from outside.
pub fn is_post(uri: &str) -> bool {
    let parts: Vec<&str> = uri.strip_prefix("at://").unwrap_or_default().split('/').collect();
    let plain = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:~%".contains(c))
    };
    parts.len() == 3 && parts[1] == COLLECTION && parts.iter().all(plain)
}
