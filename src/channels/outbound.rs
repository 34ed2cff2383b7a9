//! What goes out, and what became of it.

use crate::model::{Author, Lang, MessageId, Timestamp};
use std::time::Duration;

/// A message on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub id: MessageId,
    pub address: String,
    pub text: String,
    /// What the customer may choose from, as buttons where the channel has them ([`Capabilities::buttons`]). Where it
    /// has none, the text numbers them.
    pub choices: Vec<String>,
    /// The customer's latest message, by the provider's id: what a public answer is put under.
    pub reply_to: Option<String>,
    /// When the customer last wrote: some providers let us write freely for a time only.
    pub heard_at: Option<Timestamp>,
    pub author: Author,
    pub lang: Option<Lang>,
    /// When we first may have sent it; a provider is asked from then on.
    pub since: Timestamp,
}

/// Why a message was not sent, as a small closed set: is it tried again, and what does the agent see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Surely not sent; another try may succeed.
    #[error("{why}")]
    Retry { why: String, after: Option<Duration> },
    /// Surely not sent, and never will be.
    #[error("{why}")]
    Permanent { why: String },
    /// Surely not sent: this contact cannot be reached any more, which is kept.
    #[error("{why}")]
    Blocked { why: String },
    /// It may have been sent.
    #[error("{why}")]
    InDoubt { why: String },
}

/// What the rules of a provider forbid. A closed set, so that the desk can say it in the agent's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error(
        "the customer last wrote more than {hours} hours ago: they must write again before they can be written to"
    )]
    TooLate { hours: u64 },
    /// In UTF-8.
    #[error("the message is longer than {bytes} bytes, which is the most that can be sent now")]
    TooLong { bytes: usize },
}

/// What a provider says of a send in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Ids of messages that look like ours (address, text, time), oldest first. Empty: it was not sent.
    Listed(Vec<String>),
    /// This provider has no such question.
    CannotAsk,
    /// It could not be asked now.
    Unavailable(String),
}

/// What a channel can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Longest text in UTF-16 code units, which are at least as many as its characters; longer ones become several messages
    /// ([`split`]).
    pub max_chars: usize,
    /// Uses the short `sms` variant of responses.
    pub sms: bool,
    /// Most choices that it shows as buttons; 0: none.
    pub buttons: usize,
    /// Customers can send pictures and files.
    pub media: bool,
    /// Shows that someone writes.
    pub typing: bool,
    /// Tells whether a message was delivered.
    pub receipts: bool,
    /// Customers can change what they wrote.
    pub edits: bool,
    /// Has conversations that everyone reads ([`super::Channel::is_public`]).
    pub public: bool,
    /// Can be asked about a send in doubt.
    pub can_be_asked: bool,
}

impl Capabilities {
    /// Text and nothing else.
    pub const fn text(max_chars: usize) -> Self {
        Self {
            max_chars,
            sms: false,
            buttons: 0,
            media: false,
            typing: false,
            receipts: false,
            edits: false,
            public: false,
            can_be_asked: false,
        }
    }
}

/// How fast a channel may be sent to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    pub per_second: f64,
    /// Sends in progress at once.
    pub concurrent: usize,
    /// Least time between two messages to one contact.
    pub per_contact: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { per_second: 100.0, concurrent: 32, per_contact: Duration::ZERO }
    }
}

/// The text as parts of at most `max` UTF-16 code units (one character at least), in order, cut where a reader would: at a blank line, a line's end, a
/// sentence's, a word's. Never empty unless the text is; a part begins and ends with no white space.
pub fn split(text: &str, max: usize) -> Vec<String> {
    split_by(text, max, |text| text.chars().map(char::len_utf16).collect())
}

/// As [`split`], where a provider counts in its own way: `weigh` says how much each character of a text counts.
pub fn split_by(text: &str, max: usize, weigh: impl Fn(&str) -> Vec<usize>) -> Vec<String> {
    let max = max.max(1);
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while let Some(limit) = beyond(rest, max, &weigh(rest)) {
        let cut = cut_at(rest, limit);
        parts.push(rest[..cut].trim_end().to_owned());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest.to_owned());
    }
    parts
}

/// The first byte that `max` does not reach; none when it holds the whole text.
fn beyond(text: &str, max: usize, weights: &[usize]) -> Option<usize> {
    let mut sum = 0;
    text.char_indices().zip(weights).find_map(|((at, _), weight)| {
        sum += weight;
        (sum > max && at > 0).then_some(at)
    })
}

/// The end of the first part, a byte at most `limit`; a cut that leaves less than a third of the room is not taken.
fn cut_at(text: &str, limit: usize) -> usize {
    // What follows the cut may be the white space itself.
    let within =
        &text[..limit + text[limit..].chars().next().filter(|c| c.is_whitespace()).map_or(0, char::len_utf8)];
    ["\n\n", "\n", ". ", " "]
        .iter()
        .filter_map(|mark| within.rfind(mark).map(|at| if *mark == ". " { at + 1 } else { at }))
        .find(|&at| at >= limit / 3 && at > 0)
        .unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_text_is_cut_where_a_reader_would() {
        let cases: &[(&str, usize, &[&str])] = &[
            ("", 10, &[]),
            ("court", 10, &["court"]),
            ("un deux trois", 8, &["un deux", "trois"]),
            ("Premier paragraphe.\n\nSecond.", 24, &["Premier paragraphe.", "Second."]),
            ("Une phrase. Une autre phrase.", 20, &["Une phrase.", "Une autre phrase."]),
            ("abcdefghij", 4, &["abcd", "efgh", "ij"]),
            ("exactement dix", 10, &["exactement", "dix"]),
            ("éééééé", 3, &["ééé", "ééé"]),
            ("😀😀😀", 4, &["😀😀", "😀"]),
            ("😀😀", 1, &["😀", "😀"]),
        ];
        for (text, max, parts) in cases {
            assert_eq!(split(text, *max), *parts, "{text:?} in {max}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_part_is_too_long(text in "[a-zé .\n😀]{0,200}", max in 1usize..40) {
            let parts = split(&text, max);
            let fits = |part: &String| part.encode_utf16().count() <= max.max(2) && part.chars().count() <= max;
            prop_assert!(parts.iter().all(|part| fits(part) && !part.is_empty()));
            let squeeze = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(squeeze(&parts.concat()), squeeze(&text));
        }
    }
}
