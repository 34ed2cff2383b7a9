//! What the templates of the reply box read.

use super::super::super::pages::Ui;
use super::super::views::{Stamp, Wall};
use crate::answers::canned::{CannedText, gap};
use crate::channels::{Forbidden, Outgoing};
use crate::desk::assist::{Draft, Proposed};
use crate::http::AppState;
use crate::model::{Author, Contact, Conversation, Fact, Lang, MessageId, Timestamp};
use crate::sms::{segments, split, thrift};
use serde::Serialize;

/// Everything about the box that the page of a conversation has beside the conversation.
#[derive(Serialize)]
pub struct Composer {
    /// 0: replies leave at once.
    pub undo_seconds: u64,
    pub undo: Option<Undo>,
    /// Ids of the drafts in the text.
    pub used: String,
    pub panel: Option<Panel>,
    /// Empty: not asked for.
    pub canned: Vec<Canned>,
    pub count: Option<Count>,
}

/// A reply that can still be taken back.
#[derive(Serialize)]
pub struct Undo {
    pub id: String,
    pub seconds: u64,
}

/// A canned reply or a response, ready to be inserted.
#[derive(Serialize)]
pub struct Canned {
    pub name: String,
    pub title: String,
    pub text: String,
    /// Something must be filled in.
    pub gap: bool,
}

impl From<CannedText> for Canned {
    fn from(reply: CannedText) -> Self {
        let gap = gap(&reply.text).is_some();
        Self { name: reply.name, title: reply.title, text: reply.text, gap }
    }
}

#[derive(Serialize)]
pub struct Panel {
    drafts: Vec<Shown>,
    /// The customer's last message is being read.
    reading: bool,
    late: bool,
    learning: bool,
    at: Stamp,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    /// The figure that inserts it; 0: there is nothing to insert.
    key: usize,
    kind: &'static str,
    response: String,
    text: String,
    /// The slot asked for; why nothing is known.
    lacks: String,
    old: bool,
    departed: bool,
    sources: Vec<Source>,
}

/// Facts of one source and one age.
#[derive(Serialize)]
struct Source {
    source: String,
    as_of: Stamp,
    age: String,
    values: Vec<String>,
}

impl Panel {
    pub fn new(proposed: Proposed, wall: &Wall) -> Self {
        let Proposed { drafts, reading, late } = proposed;
        let mut keys = 1..;
        let mut key = |draft: &Draft| if draft.text.is_empty() { 0 } else { keys.next().unwrap_or_default() };
        let drafts = drafts.into_iter().map(|draft| (key(&draft), draft));
        let drafts = drafts.map(|(key, draft)| shown(key, draft, wall)).collect();
        Self { drafts, reading, late, learning: false, at: wall.stamp(wall.now()) }
    }

    pub fn learning(wall: &Wall) -> Self {
        Self { learning: true, ..Self::new(Proposed::default(), wall) }
    }
}

fn shown(key: usize, draft: Draft, wall: &Wall) -> Shown {
    let sources = sources(&draft.facts, wall);
    let Draft { id, kind, response, text, lacks, old, departed, .. } = draft;
    let lacks = lacks.unwrap_or_default();
    Shown { id: id.to_string(), key, kind: kind.as_str(), response, text, lacks, old, departed, sources }
}

fn sources(facts: &[Fact], wall: &Wall) -> Vec<Source> {
    let mut found: Vec<(&str, Timestamp, Source)> = Vec::new();
    for Fact { value, source, as_of, .. } in facts {
        match found.iter_mut().find(|(known, at, _)| known == source && at == as_of) {
            Some((.., known)) => known.values.push(value.clone()),
            None => {
                let (age, stamp) = (wall.age(*as_of), wall.stamp(*as_of));
                let shown = Source { source: source.clone(), as_of: stamp, age, values: vec![value.clone()] };
                found.push((source, *as_of, shown));
            }
        }
    }
    found.into_iter().map(|(.., source)| source).collect()
}

/// What a text is on the channel of its conversation.
#[derive(Serialize)]
pub struct Count {
    chars: usize,
    /// None: the channel is no longer configured.
    max: Option<usize>,
    over: bool,
    /// Exactly what goes out, in its parts; empty: nothing.
    parts: Vec<String>,
    sms: Option<Sms>,
    /// A key of the texts of errors, and what fills it: why the provider would refuse it now.
    forbidden: Option<(&'static str, String)>,
    /// The first gap that must be filled in; none: there is none.
    gap: Option<String>,
}

#[derive(Serialize)]
struct Sms {
    encoding: &'static str,
    units: usize,
    segments: usize,
    /// Units that still fit into the last segment: about, for what belongs together is not parted.
    left: usize,
    /// With its currency; empty: no price is known.
    cost: String,
    thrifty: Option<Thrifty>,
}

/// The same words in fewer SMS.
#[derive(Serialize)]
struct Thrifty {
    text: String,
    segments: usize,
}

impl Count {
    /// By the rules that [`crate::desk::answering::send`] sends by.
    pub fn new(state: &AppState, ui: Ui, conversation: &Conversation, contact: &Contact, text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        let channel = state.channels.get(&conversation.channel);
        let max = channel.map(|channel| channel.longest(&contact.address));
        let chars = text.chars().count();
        let by_sms = state.channels.is_sms(&conversation.channel);
        let parts: Vec<String> = match text {
            "" => Vec::new(),
            text if by_sms => split(text).into_iter().map(str::to_owned).collect(),
            text => vec![text.to_owned()],
        };
        let forbidden = channel.and_then(|channel| {
            let outgoing = outgoing(contact, text, state.clock.now());
            // When they last wrote is known when it is sent; here only what the text itself forbids.
            match channel.refuses(&outgoing, outgoing.since)? {
                Forbidden::TooLong { bytes } => Some(("too_many_bytes", bytes.to_string())),
                Forbidden::TooLate { .. } => None,
            }
        });
        Self {
            chars,
            max,
            over: max.is_some_and(|max| chars > max),
            parts,
            sms: (by_sms && !text.is_empty()).then(|| sms(state, ui, &conversation.channel, text)),
            forbidden,
            gap: gap(text).map(str::to_owned),
        }
    }
}

fn outgoing(contact: &Contact, text: &str, now: Timestamp) -> Outgoing {
    Outgoing {
        id: MessageId::default(),
        address: contact.address.clone(),
        text: text.to_owned(),
        choices: Vec::new(),
        reply_to: None,
        heard_at: Some(now),
        author: Author::Agent,
        lang: contact.lang,
        since: now,
    }
}

fn sms(state: &AppState, ui: Ui, channel: &str, text: &str) -> Sms {
    let taken = segments(text);
    let (single, part) = taken.encoding.limits();
    let room = if taken.segments == 1 { single } else { part * taken.segments };
    let rules = &state.config.sms;
    let count = i64::try_from(taken.segments).unwrap_or(i64::MAX);
    let cost = rules.cost_per_segment.get(channel).map(|price| price.0.saturating_mul(count));
    let thrifty = thrift(text);
    let less = segments(&thrifty).segments;
    Sms {
        encoding: taken.encoding.as_str(),
        units: taken.units,
        segments: taken.segments,
        left: room.saturating_sub(taken.units),
        cost: cost.map(|micros| money(micros, &rules.currency, ui)).unwrap_or_default(),
        thrifty: (less < taken.segments).then(|| Thrifty { text: thrifty.into_owned(), segments: less }),
    }
}

/// Millionths as people write them: at least two decimals, and no zero behind them.
fn money(micros: i64, currency: &str, ui: Ui) -> String {
    let mut amount = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    while amount.ends_with('0')
        && !amount.ends_with(".00")
        && amount.len() - amount.find('.').unwrap_or(0) > 3
    {
        amount.pop();
    }
    if ui.0 == Lang::FR {
        amount = amount.replace('.', ",");
    }
    format!("{amount} {currency}")
}
