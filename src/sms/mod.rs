//! What a text is as SMS: its alphabet, its length, and the parts that it is sent in. Pure.
//!
//! One SMS holds 140 octets: 160 septets of GSM-7 or 70 units of UTF-16. A part of a longer text loses 6 octets to its header
//! (3GPP TS 23.040, 9.2.3.24.1): 153 septets or 67 units. A text that fills more than one SMS is packed from its beginning,
//! and what belongs together opens the next part when it does not fit:
//!
//! - an escape and its character (3GPP TS 23.038, 6.2.1.1, forbids to part them);
//! - the two units of a surrogate pair, which alone are no character;
//! - what a reader takes for one character (a family emoji, a flag, a letter with its accents), as Twilio counts. The standard
//!   leaves this to the sender. One that is longer than a part is parted.
//!
//! The national language shift tables (3GPP TS 23.038, annex A) are not used: networks and phones that do not know them show
//! other letters, so no text is sent in them and none is counted by them. "Single shift" is the extension table only.

mod alphabet;
mod clusters;
#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod tests;
mod thrift;

pub use alphabet::{gsm7_octets, gsm7_text};
pub use thrift::{plain, thrift};

use alphabet::septets;
use clusters::clusters;
use serde::Serialize;

/// How the characters of a text are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// 3GPP TS 23.038, 6.2.1: the default alphabet and its extension table.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// UTF-16, as phones read what the standard calls UCS-2.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

impl Encoding {
    pub fn as_str(self) -> &'static str {
        match self {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        }
    }

    /// Units that fit into an SMS that is alone, and into a part of a longer text.
    pub fn limits(self) -> (usize, usize) {
        match self {
            Encoding::Gsm7 => (160, 153),
            Encoding::Ucs2 => (70, 67),
        }
    }
}

/// What a text costs as SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Segments {
    pub encoding: Encoding,
    /// Septets, or UTF-16 units; without headers.
    pub units: usize,
    /// SMS that are sent and paid. An empty text still takes one.
    pub segments: usize,
}

/// The encoding that a text needs: one character outside GSM-7 makes all of it UCS-2.
pub fn encoding(text: &str) -> Encoding {
    if text.chars().all(|c| septets(c).is_some()) { Encoding::Gsm7 } else { Encoding::Ucs2 }
}

/// Counts by the same packing as [`split`].
pub fn segments(text: &str) -> Segments {
    let encoding = encoding(text);
    Segments { encoding, units: units(text, encoding), segments: split(text).len() }
}

/// How long a text is in the units of `encoding`: septets, or UTF-16 units. What GSM-7 lacks counts nothing.
pub fn units(text: &str, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Gsm7 => text.chars().filter_map(septets).sum(),
        Encoding::Ucs2 => text.encode_utf16().count(),
    }
}

/// The parts in which a text is sent, in order; together they are the text. At least one.
///
/// All have the encoding of the whole: one part of it may look like GSM-7 and is sent as UCS-2 all the same.
pub fn split(text: &str) -> Vec<&str> {
    let encoding = encoding(text);
    let (single, part) = encoding.limits();
    if units(text, encoding) <= single {
        return vec![text];
    }
    let mut parts = Vec::new();
    let (mut start, mut at, mut filled) = (0, 0, 0);
    for piece in pieces(text, encoding, part) {
        let size = units(piece, encoding);
        if filled + size > part {
            parts.push(&text[start..at]);
            (start, filled) = (at, 0);
        }
        filled += size;
        at += piece.len();
    }
    parts.push(&text[start..]);
    parts
}

/// What is not parted, in order.
fn pieces(text: &str, encoding: Encoding, part: usize) -> impl Iterator<Item = &str> {
    clusters(text).flat_map(move |cluster| {
        let whole = units(cluster, encoding) <= part;
        let cut = if whole { cluster.len() } else { 1 };
        let mut rest = cluster;
        std::iter::from_fn(move || {
            let first = rest.chars().next()?;
            let (piece, left) = rest.split_at(cut.max(first.len_utf8()));
            rest = left;
            Some(piece)
        })
    })
}

/// Which of several wordings of the same is sent: the first that takes at most `budget` segments, else the one that takes the
/// fewest, the earlier one of two. None: there is no wording.
pub fn choose(wordings: &[String], budget: usize) -> Option<&String> {
    let count = |text: &&String| segments(text).segments;
    let fitting = wordings.iter().find(|text| count(text) <= budget);
    fitting.or_else(|| wordings.iter().min_by_key(count))
}
