//! Threads of comments as `commentThreads.list` and `comments.list` give them. The address is `comment:<thread>:<author>`.

use crate::channels::InboundMessage;
use crate::channels::posts::without_names;
use crate::channels::value::{id, list, text};
use crate::model::Timestamp;
use serde_json::Value;

const COMMENT: &str = "comment:";

/// One thread: its comments, as far as they are in the list, with their times.
pub struct Thread<'a> {
    pub id: String,
    /// The first, then the answers.
    pub comments: Vec<&'a Value>,
    /// How many answers there are, if the list does not give all of them; else 0.
    pub more: u64,
}

pub fn thread(item: &Value) -> Option<Thread<'_>> {
    let snippet = item.get("snippet")?;
    let first = snippet.get("topLevelComment")?;
    let answers: Vec<&Value> =
        item.get("replies").map(|replies| list(replies, "comments").collect()).unwrap_or_default();
    let all = snippet.get("totalReplyCount").and_then(Value::as_u64).unwrap_or(0);
    let more = if all > answers.len() as u64 { all } else { 0 };
    Some(Thread { id: id(item, "id")?, comments: [first].into_iter().chain(answers).collect(), more })
}

/// When it was written.
pub fn at(comment: &Value) -> Option<Timestamp> {
    let at: jiff::Timestamp = text(comment.get("snippet")?, "publishedAt")?.parse().ok()?;
    Some(Timestamp::from_jiff(at))
}

pub fn author(comment: &Value) -> Option<String> {
    id(comment.get("snippet")?.get("authorChannelId")?, "value")
}

/// What was written, as plain text: the list is asked for it so.
pub fn words(comment: &Value) -> Option<String> {
    text(comment.get("snippet")?, "textDisplay")
}

/// A comment of someone else than the channel `own`.
pub fn comment(own: &str, thread: &str, comment: &Value) -> Option<InboundMessage> {
    let author = author(comment).filter(|author| author != own)?;
    Some(InboundMessage {
        provider_id: id(comment, "id")?,
        address: format!("{COMMENT}{thread}:{author}"),
        text: without_names(&words(comment)?).to_owned(),
        name: text(comment.get("snippet")?, "authorDisplayName"),
        ..InboundMessage::default()
    })
}

/// The thread of an address.
pub fn thread_of(address: &str) -> Option<&str> {
    address.strip_prefix(COMMENT)?.rsplit_once(':').map(|(thread, _)| thread).filter(|thread| is_id(thread))
}

/// Ids of comments: letters and digits, with a full stop between a thread and an answer in it.
pub fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}
