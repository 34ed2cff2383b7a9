use super::{StationRef, Timestamp, named_enum};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One run of a train: the source's trip and the service day it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrainKey {
    /// `trip_id` of GTFS, or the other source's own id.
    pub trip: String,
    pub day: Date,
}

/// When a train calls somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub scheduled: Timestamp,
    /// From live data; none: nothing is known beyond the schedule.
    pub expected: Option<Timestamp>,
}

impl Moment {
    /// The best that is known.
    pub fn best(&self) -> Timestamp {
        self.expected.unwrap_or(self.scheduled)
    }
}

/// What became of a train on a day, by the last word of live data about each of its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct PastTrain {
    pub key: TrainKey,
    pub number: Option<String>,
    pub brand: Option<String>,
    pub terminus: String,
    pub cancelled: bool,
    pub calls: Vec<PastCall>,
    /// When the publisher measured what came last.
    pub as_of: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PastCall {
    pub station: StationRef,
    pub arrival: Option<Moment>,
    pub departure: Option<Moment>,
    pub skipped: bool,
}

/// A train as it was told to a customer: what a later update is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToldRide {
    pub key: TrainKey,
    /// The number that customers see.
    pub number: Option<String>,
    pub from: StationRef,
    pub to: Option<StationRef>,
    /// As told: expected where live data said so, else scheduled.
    pub departs: Timestamp,
    pub arrives: Option<Timestamp>,
    pub platform: Option<String>,
    /// It was told to be cancelled.
    pub cancelled: bool,
}

named_enum!(
    /// What happened to a train since it was told, as templates read it.
    RideChange {
        Cancelled = "cancelled",
        /// It does not stop where one gets on.
        NotFrom = "not_from",
        /// It does not stop where one gets off.
        NotTo = "not_to",
        Later = "later",
        Earlier = "earlier",
        Platform = "platform",
        /// Contrary to what was said, it runs.
        Running = "running",
    }
);

/// What a contact wants to be told about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Watched {
    Line { name: String },
    Pair { from: StationRef, to: StationRef },
    Station { station: StationRef },
    Train { number: String },
}

/// A subscription to ask for: from `from` to before `until`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewWatch {
    pub what: Watched,
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Watched {
    /// Whether both name the same thing: by ids and numbers, not by how a name is written.
    pub fn is_same(&self, other: &Watched) -> bool {
        match (self, other) {
            (Watched::Line { name: a }, Watched::Line { name: b }) => a.to_lowercase() == b.to_lowercase(),
            (Watched::Pair { from: a, to: b }, Watched::Pair { from: c, to: d }) => {
                (&a.id, &b.id) == (&c.id, &d.id)
            }
            (Watched::Station { station: a }, Watched::Station { station: b }) => a.id == b.id,
            (Watched::Train { number: a }, Watched::Train { number: b }) => a == b,
            _ => false,
        }
    }
}
