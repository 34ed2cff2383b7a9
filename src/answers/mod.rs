//! What turns slots into facts ([`AnswerSource`]) and facts into words ([`responses`]).

mod asked;
pub mod canned;
pub mod compensation;
mod cues;
pub mod dates;
mod follow;
pub mod http;
mod provenance;
pub mod responses;
mod sample;
pub mod sms;
mod timetable;
mod told;
mod traffic;
mod watches;
mod which;

pub use cues::Cues;
pub use follow::{Followable, followable, is_within};
pub use watches::watched;

use crate::model::{ContactId, EntityValue, Fact, IntentSpec, Lang, Timestamp, UrlTemplate};
use crate::nlu::PackError;
use crate::store::Store;
use crate::transit::planner::SharedPlanner;
use async_trait::async_trait;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use watches::Watches;

/// What an answer source is asked.
#[derive(Debug, Clone)]
pub struct Query {
    /// `domain.name`: one source may serve several.
    pub intent: String,
    /// The customer's words.
    pub text: String,
    /// What they say that no slot holds ("le dernier", "avant 18 h").
    pub cues: Cues,
    pub contact: ContactId,
    pub slots: BTreeMap<String, EntityValue>,
    /// Where the intent says that its answer is, for `http`.
    pub url: Option<UrlTemplate>,
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
    /// It can be told of one thing, not of everything at once: the engine asks which.
    TooWide,
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

    /// The same for one intent, where it has its own.
    fn samples_for(&self, _: &IntentSpec) -> Samples {
        self.samples()
    }

    /// Whether the source, as it is configured, can answer this intent.
    ///
    /// # Errors
    /// What is in the way, with the intent's file and line, and the cure.
    fn check(&self, _: &IntentSpec) -> Result<(), PackError> {
        Ok(())
    }
}

/// The answer sources by name.
#[derive(Clone)]
pub struct Registry {
    sources: BTreeMap<&'static str, Arc<dyn AnswerSource>>,
    planner: SharedPlanner,
    compensation: compensation::RulesHandle,
}

impl Registry {
    pub fn get(&self, name: &str) -> Option<&Arc<dyn AnswerSource>> {
        self.sources.get(name)
    }

    /// Why the intent's source cannot answer it as things are configured; none: it can, or there is no such source.
    pub fn unable(&self, spec: &IntentSpec) -> Option<PackError> {
        self.get(spec.answer.as_deref()?)?.check(spec).err()
    }

    /// Puts a source in, in place of one of the same name.
    pub fn add(&mut self, source: Arc<dyn AnswerSource>) {
        self.sources.insert(source.name(), source);
    }

    /// Puts in what the database answers.
    pub fn open(&mut self, store: &Store, zone: &TimeZone) {
        self.add(Arc::new(Watches::new(Some(store.clone()), zone.clone())));
        let (planner, rules) = (self.planner.clone(), self.compensation.clone());
        self.add(Arc::new(compensation::Precheck { planner, rules, store: Some(store.clone()) }));
    }

    /// In alphabetical order, for messages that list what exists.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.sources.keys().copied()
    }

    /// What `compensation.precheck` reads; whoever loads the files puts them in service here.
    pub fn compensation(&self) -> &compensation::RulesHandle {
        &self.compensation
    }
}

/// Every source there is. A new one is a file and a line here.
pub fn registry(planner: &SharedPlanner) -> Registry {
    let planner = || planner.clone();
    let rules = compensation::RulesHandle::default();
    let sources: Vec<Arc<dyn AnswerSource>> = vec![
        // one line each
        Arc::new(timetable::Departures(planner())),
        Arc::new(timetable::Arrivals(planner())),
        Arc::new(timetable::Journeys(planner())),
        Arc::new(timetable::FirstLast(planner())),
        Arc::new(timetable::TrainStops(planner())),
        Arc::new(timetable::Platform(planner())),
        Arc::new(traffic::Train(planner())),
        Arc::new(traffic::Line(planner())),
        Arc::new(traffic::Announced(planner())),
        Arc::new(compensation::Precheck { planner: planner(), rules: rules.clone(), store: None }),
        // Asks nobody until `app` puts in the one that does.
        Arc::new(http::Offline),
        // Knows nothing until the database is open.
        Arc::new(Watches::new(None, TimeZone::UTC)),
    ];
    let sources = sources.into_iter().map(|source| (source.name(), source)).collect();
    Registry { sources, planner: planner(), compensation: rules }
}

#[cfg(test)]
mod testing;
