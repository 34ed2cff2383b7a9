//! What turns slots into facts ([`AnswerSource`]) and facts into words ([`responses`]).

use crate::model::{EntityValue, Fact, Lang, Timestamp};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// What an answer source is asked.
#[derive(Debug, Clone)]
pub struct Query {
    pub slots: BTreeMap<String, EntityValue>,
    pub lang: Lang,
    pub now: Timestamp,
}

/// What it found.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// Facts, and the variables of the response's `text` or `sms`.
    Found {
        data: serde_json::Value,
        facts: Vec<Fact>,
    },
    /// Surely nothing (no train left that day): the response's `none` with these variables.
    Nothing {
        data: serde_json::Value,
        facts: Vec<Fact>,
    },
    /// The source cannot know: no data, expired, station not served. People take over.
    NoData { why: String },
}

/// Turns slots into facts. Never guesses: what it is not sure of is [`Lookup::NoData`].
#[async_trait]
pub trait AnswerSource: Send + Sync {
    /// The name that intent files use, `timetable.departures`.
    fn name(&self) -> &'static str;

    async fn look_up(&self, query: &Query) -> Lookup;
}
