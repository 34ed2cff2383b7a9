//! One message into what it says, entity by entity.

use super::wire::{self, Field, Fields};
use super::{alerts, instant, trips};
use crate::model::{Lang, Timestamp};
use crate::transit::live::{Alert, TripChange};
use jiff::tz::TimeZone;
use prost::Message as _;

/// A national feed has some 10,000.
pub(super) const MAX_ENTITIES: usize = 100_000;
/// In bytes. The largest alerts of real feeds name some thousands of trips.
const MAX_ENTITY: usize = 512 * 1024;
/// Stops, selectors and trips of one message together: what memory it may take.
pub(super) const MAX_PARTS: usize = 500_000;
/// In bytes.
const MAX_ID: usize = 255;

/// What a message does not say itself.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The language of texts that name none.
    pub lang: Lang,
    pub zone: TimeZone,
}

/// One message, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// When the publisher made it; never later than now.
    pub as_of: Timestamp,
    /// Only what changed since the last message, instead of everything.
    pub differential: bool,
    pub entities: Vec<Entity>,
    pub dropped: Dropped,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    pub id: String,
    pub deleted: bool,
    pub trip: Option<TripUpdate>,
    pub alert: Option<Alert>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TripUpdate {
    pub trip_id: String,
    /// As the feed writes it: one of several runs of a trip with frequencies.
    pub start_time: Option<String>,
    /// As the update itself says.
    pub(super) measured: Option<Timestamp>,
    pub change: TripChange,
}

/// Entities that were left out, by why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Bytes that are no entity.
    pub malformed: usize,
    /// Entities that say nothing that can be used: no trip, a date that is none, a state that we do not know.
    pub meaningless: usize,
    /// Too many, or too large. Then the rest of the message is not all that it said.
    pub over_limit: usize,
}

impl Dropped {
    pub fn total(self) -> usize {
        self.malformed + self.meaningless + self.over_limit
    }

    fn count(&mut self, why: Unusable) {
        match why {
            Unusable::Malformed => self.malformed += 1,
            Unusable::Meaningless => self.meaningless += 1,
            Unusable::OverLimit => self.over_limit += 1,
        }
    }
}

/// Why a whole message is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("it is no GTFS-Realtime message")]
    NotAFeed,
    /// Facts carry their age; these have none.
    #[error("it does not say when it was made, or claims to be from the future")]
    Undated,
}

/// Why an entity is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    Malformed,
    Meaningless,
    OverLimit,
}

/// What one message may still hold.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn spend(&mut self, parts: usize) -> Result<(), Unusable> {
        self.0 = self.0.checked_sub(parts).ok_or(Unusable::OverLimit)?;
        Ok(())
    }
}

/// An id or another short text; empty counts as left out, as some encoders write every field.
pub(super) fn id(bytes: Option<Vec<u8>>) -> Result<Option<String>, Unusable> {
    let bytes = bytes.unwrap_or_default();
    if bytes.len() > MAX_ID {
        return Err(Unusable::OverLimit);
    }
    let text = String::from_utf8(bytes).map_err(|_| Unusable::Malformed)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Reads a message. `stated` is when the publisher says elsewhere that it was made (`Last-Modified`), for messages that do not
/// say it themselves.
///
/// Work and memory are bounded by the limits above, and by the length of `bytes`, which the caller limits.
pub fn decode(
    bytes: &[u8],
    stated: Option<Timestamp>,
    now: Timestamp,
    defaults: &Defaults,
) -> Result<Decoded, DecodeError> {
    let header = header(bytes)?;
    let mut dropped = Dropped::default();
    let mut budget = Budget(MAX_PARTS);
    let mut entities = Vec::new();
    for field in Fields::of(bytes).map_while(Result::ok) {
        let Field { number: 2, bytes: Some(bytes) } = field else { continue };
        if entities.len() == MAX_ENTITIES {
            dropped.count(Unusable::OverLimit);
            continue;
        }
        match entity(bytes, now, defaults, &mut budget) {
            Ok(Some(entity)) => entities.push(entity),
            Ok(None) => {}
            Err(why) => dropped.count(why),
        }
    }
    // Without a time of its own it was made when its newest measurement was, or later.
    let newest = || entities.iter().filter_map(|entity| entity.trip.as_ref()?.measured).max();
    let stated = || stated.and_then(|at| instant::believed(at, now));
    let as_of = instant::measured(header.timestamp, now)
        .or_else(|| newest().max(stated()))
        .ok_or(DecodeError::Undated)?;
    for entity in &mut entities {
        if let Some(trip) = &mut entity.trip {
            trip.change.as_of = trip.measured.unwrap_or(as_of);
        }
        if let Some(alert) = &mut entity.alert {
            alert.as_of = as_of;
        }
    }
    Ok(Decoded { as_of, differential: header.incrementality == Some(1), entities, dropped })
}

/// The header, once it is sure that the bytes are a message to their end: half a message would lack trains silently.
fn header(bytes: &[u8]) -> Result<wire::FeedHeader, DecodeError> {
    let mut header = None;
    for field in Fields::of(bytes) {
        let field = field.map_err(|_| DecodeError::NotAFeed)?;
        if let Field { number: 1, bytes: Some(bytes) } = field {
            header = Some(wire::FeedHeader::decode(bytes).map_err(|_| DecodeError::NotAFeed)?);
        }
    }
    header.ok_or(DecodeError::NotAFeed)
}

/// None: nothing is wrong with it, and nothing in it is for us (a vehicle's position).
fn entity(
    bytes: &[u8],
    now: Timestamp,
    defaults: &Defaults,
    budget: &mut Budget,
) -> Result<Option<Entity>, Unusable> {
    if bytes.len() > MAX_ENTITY {
        return Err(Unusable::OverLimit);
    }
    let read = wire::FeedEntity::decode(bytes).map_err(|_| Unusable::Malformed)?;
    let id = id(read.id)?.unwrap_or_default();
    if read.is_deleted == Some(true) {
        return Ok(Some(Entity { id, deleted: true, trip: None, alert: None }));
    }
    let trip = read.trip_update.map(|update| trips::read(update, now, budget)).transpose()?;
    let alert = read.alert.map(|alert| alerts::read(id.clone(), alert, defaults, budget)).transpose()?;
    let used = trip.is_some() || alert.is_some();
    Ok(used.then_some(Entity { id, deleted: false, trip, alert }))
}
