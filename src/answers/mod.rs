//! What turns slots into facts ([`AnswerSource`]) and facts into words ([`responses`]).

pub mod dates;
pub mod responses;
pub mod sms;
mod timetable;
mod watches;

pub use watches::{Watches, watched};

use crate::model::{ContactId, EntityValue, Fact, Lang, Timestamp};
use crate::transit::TimetableHandle;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an answer source is asked.
#[derive(Debug, Clone)]
pub struct Query {
    /// `domain.name`: one source may serve several.
    pub intent: String,
    /// The customer's words, for what no slot holds ("le dernier", "avant 18 h").
    pub text: String,
    pub contact: ContactId,
    pub slots: BTreeMap<String, EntityValue>,
    pub lang: Lang,
    pub now: Timestamp,
}

/// What it found.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// Facts, and the variables of the response's `text` or `sms`.
    Found { data: serde_json::Value, facts: Vec<Fact> },
    /// Surely nothing (no train left that day): the response's `none` with these variables.
    Nothing { data: serde_json::Value, facts: Vec<Fact> },
    /// The source cannot know: no data, expired, station not served. People take over.
    NoData { why: String },
}

/// Example variables of a source, one per shape that a template must survive (a destination or none, a platform or none).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// As in [`Lookup::Found`], for `text` and `sms`.
    pub found: Vec<serde_json::Value>,
    /// As in [`Lookup::Nothing`], for `none`.
    pub nothing: Vec<serde_json::Value>,
}

/// Turns slots into facts. Never guesses: what it is not sure of is [`Lookup::NoData`].
#[async_trait]
pub trait AnswerSource: Send + Sync {
    /// The name that intent files use, `timetable.departures`.
    fn name(&self) -> &'static str;

    /// The engine asks for slots marked `ask` and settles ambiguous stations before it looks up.
    async fn look_up(&self, query: &Query) -> Lookup;

    /// What templates are rendered with in a check.
    fn samples(&self) -> Samples;
}

/// The answer sources by name.
#[derive(Clone)]
pub struct Registry(BTreeMap<&'static str, Arc<dyn AnswerSource>>);

impl Registry {
    pub fn get(&self, name: &str) -> Option<&Arc<dyn AnswerSource>> {
        self.0.get(name)
    }

    /// Puts a source in, in place of one of the same name.
    pub fn add(&mut self, source: Arc<dyn AnswerSource>) {
        self.0.insert(source.name(), source);
    }

    /// In alphabetical order, for messages that list what exists.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

/// Every source there is. A new one is a file and a line here. The handle may still be empty, and may be refilled.
pub fn registry(timetable: &TimetableHandle) -> Registry {
    let sources: Vec<Arc<dyn AnswerSource>> = vec![
        Arc::new(timetable::Departures::new(timetable.clone())), // one line each
        // Knows nothing until the database is open and `app` puts it in again.
        Arc::new(Watches::new(None, jiff::tz::TimeZone::UTC)),
    ];
    Registry(sources.into_iter().map(|source| (source.name(), source)).collect())
}
