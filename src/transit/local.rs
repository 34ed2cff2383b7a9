//! The planner over our own timetable and live data.

use super::live::{Alert, LiveHandle, Snapshot};
use super::net::DayNet;
use super::overlay::Overlay;
use super::planner::{
    Board, BoardQuery, FirstLast, Journey, JourneyQuery, LiveState, Planner, Provenance, Run, Told, Traffic,
    TrafficQuery, Unknown,
};
use super::runs::{ServiceDay, View};
use super::timetable::{Timetable, TimetableHandle};
use crate::model::{PastTrain, StationRef, Timestamp};
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Days kept ready for journey searches: some customers ask for next week, most for today.
const DAYS_KEPT: usize = 8;

/// How old live data may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveLimits {
    /// Trip updates older than this are used, and their age is said.
    pub trips_old_after: Duration,
    /// The same for announcements.
    pub alerts_old_after: Duration,
    /// Trip updates older than this are not used: scheduled times only, and that is said.
    pub forget_after: Duration,
    /// Announcements older than this are not used.
    pub alerts_forget_after: Duration,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            trips_old_after: Duration::from_secs(90),
            alerts_old_after: Duration::from_secs(600),
            forget_after: Duration::from_secs(1800),
            alerts_forget_after: Duration::from_secs(1800),
        }
    }
}

/// Answers from the timetable and the live data of that moment; asks nobody.
#[derive(Debug)]
pub struct Local {
    timetable: TimetableHandle,
    live: LiveHandle,
    limits: LiveLimits,
    has_feed: bool,
    prepared: Mutex<Option<Arc<Prepared>>>,
}

/// What is worked out once for a timetable and a snapshot.
#[derive(Debug)]
struct Prepared {
    table: Arc<Timetable>,
    /// None: live data is not used.
    snapshot: Option<Arc<Snapshot>>,
    overlay: Overlay,
    days: Mutex<BTreeMap<Date, Arc<DayNet>>>,
}

impl Prepared {
    fn view(&self) -> View<'_> {
        View { table: &self.table, overlay: &self.overlay }
    }

    fn day(&self, on: ServiceDay) -> Arc<DayNet> {
        if let Some(net) = locked(&self.days).get(&on.day) {
            return Arc::clone(net);
        }
        // Made outside the lock: two that want the same day make it twice, which is rare and right.
        let net = Arc::new(DayNet::new(self.view(), on));
        let mut days = locked(&self.days);
        if days.len() >= DAYS_KEPT {
            days.clear();
        }
        days.insert(on.day, Arc::clone(&net));
        net
    }
}

/// What is kept is only ever replaced whole, so a panic elsewhere leaves it good.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    one.map(Arc::as_ptr) == other.map(Arc::as_ptr)
}

impl Local {
    /// `has_feed`: a feed of trip updates is configured. Without one, scheduled times are all that is expected.
    pub fn new(timetable: TimetableHandle, live: LiveHandle, limits: LiveLimits, has_feed: bool) -> Self {
        Self { timetable, live, limits, has_feed, prepared: Mutex::new(None) }
    }

    /// What trip changes of that age are worth.
    fn trips(&self, as_of: Option<Timestamp>, now: Timestamp) -> LiveState {
        if !self.has_feed {
            return LiveState::Absent;
        }
        worth(as_of, now, self.limits.trips_old_after, self.limits.forget_after)
    }

    fn prepare(&self, now: Timestamp) -> Result<(Arc<Prepared>, LiveState, Arc<Snapshot>), Unknown> {
        let table = self.timetable.get().ok_or(Unknown::NoTimetable)?;
        let snapshot = self.live.get();
        let state = self.trips(snapshot.trips_as_of, now);
        let used = state.used().is_some().then(|| Arc::clone(&snapshot));
        let mut prepared = locked(&self.prepared);
        if let Some(kept) = prepared.as_ref()
            && Arc::ptr_eq(&kept.table, &table)
            && same(kept.snapshot.as_ref(), used.as_ref())
        {
            return Ok((Arc::clone(kept), state, snapshot));
        }
        let overlay = used.as_ref().map(|used| Overlay::new(&table, used)).unwrap_or_default();
        let made = Arc::new(Prepared { table, snapshot: used, overlay, days: Mutex::default() });
        *prepared = Some(Arc::clone(&made));
        Ok((made, state, snapshot))
    }

    fn origin(table: &Timetable, live: LiveState, snapshot: &Snapshot) -> Provenance {
        let source = table.source();
        Provenance {
            label: source.label.clone(),
            invented: source.invented,
            timetable_as_of: source.as_of,
            live,
            live_partial: snapshot.trips_partial && live != LiveState::Absent,
        }
    }

    fn tell<T>(
        &self,
        now: Timestamp,
        answer: impl FnOnce(&Prepared) -> Result<T, Unknown>,
    ) -> Result<Told<T>, Unknown> {
        let (prepared, state, snapshot) = self.prepare(now)?;
        let value = answer(&prepared)?;
        Ok(Told { value, provenance: Self::origin(&prepared.table, state, &snapshot) })
    }

    /// The announcements of a snapshot and what they are worth; none of those that are too old.
    fn alerts<'a>(&self, snapshot: &'a Snapshot, now: Timestamp) -> (LiveState, &'a [Alert]) {
        let LiveLimits { alerts_old_after, alerts_forget_after, .. } = self.limits;
        let state = match snapshot.alerts_as_of {
            None if !self.has_feed => LiveState::Absent,
            as_of => worth(as_of, now, alerts_old_after, alerts_forget_after),
        };
        (state, if state.used().is_some() { &snapshot.alerts } else { &[] })
    }
}

/// A time ahead of ours is as doubtful as one behind: a publisher whose clock is wrong could look fresh for ever.
fn worth(as_of: Option<Timestamp>, now: Timestamp, old_after: Duration, forget_after: Duration) -> LiveState {
    let Some(at) = as_of else { return LiveState::Lost(None) };
    let age = now.since(at).max(at.since(now));
    if age <= old_after {
        LiveState::Fresh(at)
    } else if age <= forget_after {
        LiveState::Old(at)
    } else {
        LiveState::Lost(Some(at))
    }
}

/// The worse of two states, to be said of what was made of both. Announcements that never came are no loss: many
/// publishers have none.
fn worse(trips: LiveState, alerts: LiveState) -> LiveState {
    let rank = |state: LiveState| match state {
        LiveState::Absent => 0,
        LiveState::Fresh(_) => 1,
        LiveState::Old(_) => 2,
        LiveState::Lost(_) => 3,
    };
    if alerts != LiveState::Lost(None) && rank(alerts) > rank(trips) { alerts } else { trips }
}

#[async_trait]
impl Planner for Local {
    /// UTC while no timetable is loaded.
    fn zone(&self) -> TimeZone {
        self.timetable.get().map_or(TimeZone::UTC, |table| table.zone().clone())
    }

    fn station(&self, id: &str) -> Option<StationRef> {
        self.timetable.get()?.station(id).cloned()
    }

    /// Of the trip updates.
    fn provenance(&self, now: Timestamp) -> Result<Provenance, Unknown> {
        let table = self.timetable.get().ok_or(Unknown::NoTimetable)?;
        let snapshot = self.live.get();
        Ok(Self::origin(&table, self.trips(snapshot.trips_as_of, now), &snapshot))
    }

    fn announces(&self, now: Timestamp) -> Result<LiveState, Unknown> {
        self.timetable.get().ok_or(Unknown::NoTimetable)?;
        Ok(self.alerts(&self.live.get(), now).0)
    }

    async fn board(&self, query: &BoardQuery, now: Timestamp) -> Result<Told<Board>, Unknown> {
        self.tell(now, |prepared| prepared.view().board(query))
    }

    async fn journeys(&self, query: &JourneyQuery, now: Timestamp) -> Result<Told<Vec<Journey>>, Unknown> {
        self.tell(now, |prepared| prepared.view().journeys(query, now, |on| prepared.day(on)))
    }

    async fn first_last(
        &self,
        from: &str,
        to: Option<&str>,
        day: Date,
        now: Timestamp,
    ) -> Result<Told<FirstLast>, Unknown> {
        self.tell(now, |prepared| prepared.view().first_last(from, to, day))
    }

    async fn train(&self, number: &str, day: Date, now: Timestamp) -> Result<Told<Vec<Run>>, Unknown> {
        let (prepared, state, snapshot) = self.prepare(now)?;
        let (_, alerts) = self.alerts(&snapshot, now);
        let value = prepared.view().train(number, day, alerts)?;
        Ok(Told { value, provenance: Self::origin(&prepared.table, state, &snapshot) })
    }

    fn observed(&self, now: Timestamp) -> Vec<PastTrain> {
        match self.prepare(now) {
            Ok((prepared, state, _)) if state.used().is_some() => prepared.view().observed(),
            _ => Vec::new(),
        }
    }

    /// Without any usable live data there is nothing to say of traffic.
    async fn traffic(&self, query: &TrafficQuery, now: Timestamp) -> Result<Told<Traffic>, Unknown> {
        let (prepared, trips, snapshot) = self.prepare(now)?;
        let (announced, alerts) = self.alerts(&snapshot, now);
        if trips.used().or(announced.used()).is_none() {
            let why = match (self.has_feed, snapshot.trips_as_of.max(snapshot.alerts_as_of)) {
                (false, _) => "no live feed is configured".to_owned(),
                (true, None) => "none has come yet".to_owned(),
                (true, Some(at)) => format!("the last is of {at}"),
            };
            return Err(Unknown::NoLive(why));
        }
        let value = prepared.view().traffic(query, (announced, alerts), trips)?;
        Ok(Told { value, provenance: Self::origin(&prepared.table, worse(trips, announced), &snapshot) })
    }
}
