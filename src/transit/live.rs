//! What live feeds say right now, as plain data: which trains run otherwise than the timetable says, and what is announced.
//! Filled by `realtime`, read by the planner. Immutable: each poll makes a new one, swapped in through [`LiveHandle`].

use crate::model::{Lang, Timestamp};
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How often new data is looked for between two polls.
const GLANCE: Duration = Duration::from_secs(1);

/// All feeds together, at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// By `trip_id`; several when the same trip runs on several days, the newest first.
    pub trips: HashMap<String, Vec<TripChange>>,
    pub alerts: Vec<Alert>,
    /// When the publisher made the trip updates (the oldest of the feeds that are there); none: no such feed is there.
    pub trips_as_of: Option<Timestamp>,
    /// A configured feed of trip updates is not in here: it never came, is too old, or said more than is read. That nothing is
    /// said of a train does not mean, then, that it runs as scheduled.
    pub trips_partial: bool,
    pub alerts_as_of: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// As scheduled but for `stops`.
    Scheduled,
    Cancelled,
    /// `stops` is its whole run. Mostly not in the timetable at all; where its id is, it replaces that day's run.
    Added,
}

/// One trip on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct TripChange {
    /// None: the feed does not say; then it is the run that is under way or next.
    pub day: Option<Date>,
    pub running: Running,
    pub route: Option<String>,
    /// Of the whole run, in seconds after the schedule; none where some stop has a time of its own.
    pub delay: Option<i64>,
    /// In running order.
    pub stops: Vec<StopChange>,
    /// When the publisher measured it.
    pub as_of: Timestamp,
}

/// A change at one stop. By the format's rule a delay holds on until the next stop that says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct StopChange {
    pub sequence: Option<u32>,
    pub stop_id: Option<String>,
    pub arrival: Option<Shift>,
    pub departure: Option<Shift>,
    pub skipped: bool,
    /// From here on nothing is known: earlier delays do not hold on.
    pub no_data: bool,
    /// The stop (platform) where it really stops.
    pub assigned_stop_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Seconds after the schedule; negative: early.
    Delay(i64),
    At(Timestamp),
}

/// Something announced for lines, stations or trains.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub id: String,
    /// GTFS-Realtime's words in lower case: `strike`, `maintenance`, `technical_problem`, `unknown_cause`…
    pub cause: String,
    /// `no_service`, `reduced_service`, `significant_delays`, `detour`, `additional_service`, `modified_service`…
    pub effect: String,
    /// By language; a text without language is under the operator's.
    pub header: BTreeMap<Lang, String>,
    pub description: BTreeMap<Lang, String>,
    /// From–until; an open end is none; empty: always.
    pub periods: Vec<(Option<Timestamp>, Option<Timestamp>)>,
    /// Empty in all: the whole network.
    pub routes: Vec<String>,
    pub stops: Vec<String>,
    pub trips: Vec<String>,
    pub as_of: Timestamp,
}

impl Alert {
    pub fn is_active(&self, at: Timestamp) -> bool {
        let within = |&(from, until): &(Option<Timestamp>, Option<Timestamp>)| {
            from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until)
        };
        self.periods.is_empty() || self.periods.iter().any(within)
    }

    /// In that language, else in any there is.
    pub fn header(&self, lang: Lang) -> Option<&str> {
        self.header.get(&lang).or_else(|| self.header.values().next()).map(String::as_str)
    }
}

/// The snapshot that the planner reads now. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct LiveHandle(Arc<RwLock<Arc<Snapshot>>>);

impl LiveHandle {
    /// Readers that hold the old one finish with it.
    pub fn replace(&self, snapshot: Snapshot) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    pub fn get(&self) -> Arc<Snapshot> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until there is another than `seen`.
    pub async fn newer_than(&self, seen: &Arc<Snapshot>) {
        while Arc::ptr_eq(seen, &self.get()) {
            tokio::time::sleep(GLANCE).await;
        }
    }
}
