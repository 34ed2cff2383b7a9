//! What anything that knows trains can be asked, whatever it is made of: our own timetable with live data, or Navitia.

use super::live::Alert;
pub use crate::model::Moment;
use crate::model::{PastTrain, StationRef, Timestamp, TrainKey};
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Where an answer comes from and how old it is; goes into every sentence made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// The network as customers know it.
    pub label: String,
    /// The publisher declares itself "(invented)": answers must say that nothing of it runs.
    pub invented: bool,
    /// When the timetable was made.
    pub timetable_as_of: Date,
    pub live: LiveState,
    /// Some of the configured live data of trains is missing: that none speaks of a train does not mean that it is on time.
    pub live_partial: bool,
}

/// What live data there was, and when it was made. The thresholds are `traffic.old_after` and `traffic.forget_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveState {
    /// No live feed is configured: scheduled times, and that is normal.
    Absent,
    Fresh(Timestamp),
    /// Used, and its age must be said.
    Old(Timestamp),
    /// Too old to be used, or never came: scheduled times only, which must be said.
    Lost(Option<Timestamp>),
}

impl LiveState {
    /// When it was made, where it may be told.
    pub fn used(self) -> Option<Timestamp> {
        match self {
            Self::Fresh(at) | Self::Old(at) => Some(at),
            Self::Absent | Self::Lost(_) => None,
        }
    }
}

/// One call of a train.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    pub station: StationRef,
    pub arrival: Option<Moment>,
    pub departure: Option<Moment>,
    pub platform: Option<String>,
    /// The platform of the timetable, where live data says another.
    pub planned_platform: Option<String>,
    /// Live data: the train does not stop here today.
    pub skipped: bool,
}

/// A train on a day, without its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    pub key: TrainKey,
    /// The number that customers see; none when the feed has none.
    pub number: Option<String>,
    /// What customers call the kind of train: TGV INOUI, Littoral.
    pub brand: Option<String>,
    /// The route's short or long name.
    pub line: Option<String>,
    pub terminus: String,
    pub cancelled: bool,
    /// Only in live data.
    pub added: bool,
}

/// From where one gets on to where one gets off (the end of the line when nothing was asked).
#[derive(Debug, Clone, PartialEq)]
pub struct Ride {
    pub train: Train,
    pub from: Stop,
    pub to: Stop,
}

/// Departures or arrivals of one station, or between two.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// Those that run and stop, by best known time, cut at the limit. Cancelled and skipped ones are never here.
    pub rides: Vec<Ride>,
    /// Of the same window: what was scheduled and does not run or does not stop.
    pub cancelled: Vec<Ride>,
    /// The local day that was asked about (ends at 04:00 of the next morning).
    pub day: Date,
    /// Some train, on some day, goes there without a change.
    pub direct: bool,
    /// Other trains run for which no exact time is known: "the next" and "none" cannot be said.
    pub incomplete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    Departures,
    Arrivals,
}

#[derive(Debug, Clone, PartialEq)]
pub struct BoardQuery {
    /// The station whose board it is.
    pub station: String,
    /// Departures: where to; arrivals: where from.
    pub other: Option<String>,
    pub ends: Ends,
    /// Not before this, by the best known time.
    pub at: Timestamp,
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    DepartAfter(Timestamp),
    ArriveBefore(Timestamp),
}

#[derive(Debug, Clone, PartialEq)]
pub struct JourneyQuery {
    pub from: String,
    pub to: String,
    pub via: Option<String>,
    pub when: When,
    /// How many alternatives at most.
    pub limit: usize,
}

/// One way to get there; rides in order, changes between them at the same station or one that can be walked to.
#[derive(Debug, Clone, PartialEq)]
pub struct Journey {
    pub rides: Vec<Ride>,
}

/// First and last direct train of a service day.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstLast {
    pub day: Date,
    pub first: Option<Ride>,
    pub last: Option<Ride>,
    pub incomplete: bool,
}

/// One run with all of its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub train: Train,
    pub stops: Vec<Stop>,
    pub alerts: Vec<Alert>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrafficQuery {
    pub line: Option<String>,
    /// Station ids; two: between them.
    pub stations: Vec<String>,
    /// Announcements that hold somewhere in `from..until`.
    pub from: Timestamp,
    pub until: Timestamp,
}

/// How a line, a station or the network runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// The line as its operator writes it; none when the question named none.
    pub line: Option<String>,
    pub alerts: Vec<Alert>,
    /// What the announcements are worth, and what live data of trains is; the provenance is that of both together.
    pub announced: LiveState,
    pub trains: LiveState,
    /// Trains of the next hours on it, counted.
    pub running: usize,
    pub late: Vec<Ride>,
    pub cancelled: Vec<Ride>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Told<T> {
    pub value: T,
    pub provenance: Provenance,
}

/// Why nothing can be said: people take over.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unknown {
    #[error("no timetable is loaded")]
    NoTimetable,
    #[error("station '{0}' is not served by the loaded timetable")]
    Station(String),
    #[error("the origin is the destination")]
    SameStation,
    #[error("no line is called '{0}'")]
    Line(String),
    #[error("{day} lies outside the timetable, which covers {first} to {last}")]
    OutOfRange { day: Date, first: Date, last: Date },
    #[error("the trains of the whole network cannot be counted")]
    TooWide,
    #[error("no live data: {0}")]
    NoLive(String),
    /// The source did not answer, or answered nonsense.
    #[error("{0}")]
    Source(String),
}

/// Knows trains. Never guesses: what it is not sure of is [`Unknown`].
#[async_trait]
pub trait Planner: Send + Sync {
    fn zone(&self) -> TimeZone;
    /// The station's own name; none when it is not served.
    fn station(&self, id: &str) -> Option<StationRef>;
    /// Asks nobody: what the live data is worth at `now`.
    fn provenance(&self, now: Timestamp) -> Result<Provenance, Unknown>;
    /// Asks nobody: what announcements are worth at `now`. They may come from elsewhere, and be younger or older.
    fn announces(&self, now: Timestamp) -> Result<LiveState, Unknown> {
        self.provenance(now).map(|of| of.live)
    }
    async fn board(&self, query: &BoardQuery, now: Timestamp) -> Result<Told<Board>, Unknown>;
    /// Best first: the earliest arrival (or the latest departure), then sensible alternatives. Empty: surely none that day.
    async fn journeys(&self, query: &JourneyQuery, now: Timestamp) -> Result<Told<Vec<Journey>>, Unknown>;
    async fn first_last(
        &self,
        from: &str,
        to: Option<&str>,
        day: Date,
        now: Timestamp,
    ) -> Result<Told<FirstLast>, Unknown>;
    /// The runs of that number on that service day (several where numbers are used twice). Empty: none runs.
    async fn train(&self, number: &str, day: Date, now: Timestamp) -> Result<Told<Vec<Run>>, Unknown>;
    /// That run and no other, to hold what was told of it against what is known now; none: it is not in the data any
    /// more, which does not mean that it is cancelled.
    async fn run(
        &self,
        key: &TrainKey,
        number: Option<&str>,
        now: Timestamp,
    ) -> Result<Told<Option<Run>>, Unknown> {
        let number =
            number.ok_or_else(|| Unknown::Source("a run without a number cannot be asked for".into()))?;
        let Told { value, provenance } = self.train(number, key.day, now).await?;
        Ok(Told { value: value.into_iter().find(|run| run.train.key == *key), provenance })
    }
    async fn traffic(&self, query: &TrafficQuery, now: Timestamp) -> Result<Told<Traffic>, Unknown>;
    /// What live data tells at `now` of each train that it speaks of, to be kept; nothing where only single trains can be
    /// asked for.
    fn observed(&self, _now: Timestamp) -> Vec<PastTrain> {
        Vec::new()
    }
}

/// One scheduled train of a service day, as the demonstration's simulator and tests walk through them.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledRun {
    pub key: TrainKey,
    /// `route_id` of the feed.
    pub route: String,
    pub number: Option<String>,
    pub calls: Vec<ScheduledCall>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledCall {
    /// `stop_id` of the feed: a platform where it has some.
    pub stop: String,
    /// Station id: its parent, or itself.
    pub station: String,
    pub sequence: u32,
    pub arrival: Option<Timestamp>,
    pub departure: Option<Timestamp>,
}

/// The planner in service.
pub type SharedPlanner = Arc<dyn Planner>;
