//! What each feed said last, and all of them together.

use super::decode::{Decoded, Entity, MAX_ENTITIES, MAX_PARTS, TripUpdate};
use crate::config::FeedKind;
use crate::model::Timestamp;
use crate::transit::live::{Alert, Running, Snapshot, TripChange};
use jiff::civil::Date;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// An entity of a differential feed that nobody deletes is forgotten after this.
const DIFFERENTIAL_KEEPS: Duration = Duration::from_secs(24 * 3600);

/// The last good message of one feed, or what its differential messages made together.
#[derive(Debug, Clone)]
pub struct FeedData {
    /// Makes alert ids of several feeds differ.
    name: String,
    kind: FeedKind,
    as_of: Option<Timestamp>,
    entities: Vec<Entity>,
    /// Such entities have come: a feed of alerts only must not answer for trains.
    trips_seen: bool,
    alerts_seen: bool,
    /// It said more than is read.
    cut: bool,
}

impl FeedData {
    pub fn new(name: String, kind: FeedKind) -> Self {
        let entities = Vec::new();
        Self { name, kind, as_of: None, entities, trips_seen: false, alerts_seen: false, cut: false }
    }

    /// When the publisher made what is held; none before the first message.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    pub fn counts(&self) -> (usize, usize) {
        let trips = self.entities.iter().filter(|entity| entity.trip.is_some()).count();
        (trips, self.entities.iter().filter(|entity| entity.alert.is_some()).count())
    }

    /// Takes a message over. False: it is older than what is held (a cache in between answered), and changes nothing.
    pub fn apply(&mut self, decoded: Decoded) -> bool {
        if self.as_of.is_some_and(|held| decoded.as_of < held) {
            return false;
        }
        self.as_of = Some(decoded.as_of);
        self.cut = decoded.dropped.over_limit > 0 || (decoded.differential && self.cut);
        if decoded.differential {
            let touched: HashSet<&str> = decoded.entities.iter().map(|entity| entity.id.as_str()).collect();
            let oldest = decoded.as_of.minus(DIFFERENTIAL_KEEPS);
            self.entities.retain(|held| !touched.contains(held.id.as_str()) && measured(held) >= oldest);
        } else {
            self.entities.clear();
        }
        self.entities.extend(decoded.entities.into_iter().filter(|entity| !entity.deleted));
        for entity in &mut self.entities {
            entity.trip.take_if(|_| self.kind == FeedKind::Alerts);
            entity.alert.take_if(|_| self.kind == FeedKind::Trips);
            self.trips_seen |= entity.trip.is_some();
            self.alerts_seen |= entity.alert.is_some();
        }
        self.entities.retain(|entity| entity.trip.is_some() || entity.alert.is_some());
        self.limit();
        true
    }

    /// Differential messages add up: the oldest entities give way.
    fn limit(&mut self) {
        let mut parts = 0;
        let fits = |entity: &&Entity| {
            parts += size(entity);
            parts <= MAX_PARTS
        };
        let kept = self.entities.iter().rev().take(MAX_ENTITIES).take_while(fits).count();
        let surplus = self.entities.len() - kept;
        self.cut |= surplus > 0;
        self.entities.drain(..surplus);
    }

    /// Whether a train's change would be in this feed. One that has shown nothing yet may hold anything.
    fn is_of_trips(&self) -> bool {
        match self.kind {
            FeedKind::Trips => true,
            FeedKind::Alerts => false,
            FeedKind::Any => self.trips_seen || !self.alerts_seen,
        }
    }

    fn is_of_alerts(&self) -> bool {
        match self.kind {
            FeedKind::Trips => false,
            FeedKind::Alerts => true,
            FeedKind::Any => self.alerts_seen || !self.trips_seen,
        }
    }

    fn is_younger(&self, than: Duration, now: Timestamp) -> bool {
        self.as_of.is_some_and(|as_of| now.since(as_of) <= than)
    }
}

fn measured(entity: &Entity) -> Timestamp {
    let trip = entity.trip.as_ref().map(|trip| trip.change.as_of);
    trip.or(entity.alert.as_ref().map(|alert| alert.as_of)).unwrap_or_default()
}

fn size(entity: &Entity) -> usize {
    let stops = entity.trip.as_ref().map_or(0, |trip| trip.change.stops.len());
    let selectors =
        entity.alert.as_ref().map_or(0, |alert| alert.routes.len() + alert.stops.len() + alert.trips.len());
    1 + stops + selectors
}

/// Beyond these ages (`traffic.forget_after`, `traffic.alerts_forget_after`) a feed is as good as gone.
#[derive(Debug, Clone, Copy)]
pub struct Forget {
    pub trips: Duration,
    pub alerts: Duration,
}

/// All feeds together. One that is too old is left out, so that it neither speaks nor makes the others old; that it is missing is said.
pub fn merge<'a>(
    feeds: impl IntoIterator<Item = &'a FeedData> + Clone,
    forget: Forget,
    now: Timestamp,
) -> Snapshot {
    let of_trips = || feeds.clone().into_iter().filter(|feed| feed.is_of_trips());
    let of_alerts = || feeds.clone().into_iter().filter(|feed| feed.is_of_alerts());
    let young = |feed: &&FeedData| feed.is_younger(forget.trips, now);
    Snapshot {
        trips: trips(of_trips().filter(young)),
        alerts: of_alerts().filter(|feed| feed.is_younger(forget.alerts, now)).flat_map(alerts).collect(),
        trips_as_of: age(of_trips(), forget.trips, now),
        trips_partial: of_trips().any(|feed| feed.cut || !feed.is_younger(forget.trips, now)),
        alerts_as_of: age(of_alerts(), forget.alerts, now),
    }
}

/// Of the oldest that is used; when none is, of the one that was there last.
fn age<'a>(feeds: impl Iterator<Item = &'a FeedData>, forget: Duration, now: Timestamp) -> Option<Timestamp> {
    let (used, lost): (Vec<&FeedData>, Vec<&FeedData>) = feeds.partition(|feed| feed.is_younger(forget, now));
    let oldest = used.iter().filter_map(|feed| feed.as_of).min();
    oldest.or_else(|| lost.iter().filter_map(|feed| feed.as_of).max())
}

fn alerts(feed: &FeedData) -> impl Iterator<Item = Alert> + '_ {
    let named = |alert: &Alert| Alert { id: format!("{}#{}", feed.name, alert.id), ..alert.clone() };
    feed.entities.iter().filter_map(move |entity| entity.alert.as_ref().map(named))
}

/// One run, as far as a feed tells.
type RunKey<'a> = (&'a str, Option<Date>);

fn trips<'a>(feeds: impl Iterator<Item = &'a FeedData>) -> HashMap<String, Vec<TripChange>> {
    let mut best: HashMap<RunKey, &TripUpdate> = HashMap::new();
    // Runs of one trip with frequencies: they differ by a start time that a `TripChange` has no room for, so a change of one would be
    // told of all.
    let mut repeated: HashSet<RunKey> = HashSet::new();
    for update in feeds.flat_map(|feed| &feed.entities).filter_map(|entity| entity.trip.as_ref()) {
        let key = (update.trip_id.as_str(), update.change.day);
        let Some(&held) = best.get(&key) else {
            best.insert(key, update);
            continue;
        };
        let (a, b) = (&held.start_time, &update.start_time);
        if a.is_some() && b.is_some() && a != b {
            repeated.insert(key);
        }
        if wins(&update.change, &held.change) {
            best.insert(key, update);
        }
    }
    let mut found: HashMap<String, Vec<TripChange>> = HashMap::new();
    for (_, update) in best.into_iter().filter(|(key, _)| !repeated.contains(key)) {
        found.entry(update.trip_id.clone()).or_default().push(update.change.clone());
    }
    for changes in found.values_mut() {
        changes.sort_by_key(|change| (std::cmp::Reverse(change.as_of), change.day));
    }
    found
}

/// The newer measurement; of two of the same second the cancellation, because a train that is offered and does not run is the worse
/// error; else the feed that is configured first.
fn wins(new: &TripChange, held: &TripChange) -> bool {
    let cancelled = |change: &TripChange| change.running == Running::Cancelled;
    new.as_of > held.as_of || (new.as_of == held.as_of && cancelled(new) && !cancelled(held))
}
