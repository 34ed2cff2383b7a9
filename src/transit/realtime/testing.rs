//! Feeds for tests, written with the same messages that read them; the peers' feeds are in `peer_tests`.

use super::decode::{DecodeError, Decoded, Defaults, decode};
use super::wire::{
    EntitySelector, FeedEntity, FeedHeader, StopTimeEvent, StopTimeUpdate, TranslatedString, Translation,
    TripDescriptor, TripUpdate,
};
use crate::model::{Lang, Timestamp};
use jiff::tz::TimeZone;
use prost::Message as _;

/// 2027-01-15T08:00:00Z.
pub(super) const NOW: u64 = 1_800_000_000;

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp(i64::try_from(seconds).unwrap() * 1_000_000)
}

pub(super) fn defaults() -> Defaults {
    Defaults { lang: Lang::FR, zone: TimeZone::get("Europe/Paris").unwrap() }
}

pub(super) fn read(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode(bytes, None, at(NOW), &defaults())
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    prost::encode_length_delimiter(bytes.len(), &mut out).unwrap();
    out.extend_from_slice(bytes);
    out
}

/// A message of raw entities.
pub(super) fn raw(header: &FeedHeader, entities: &[Vec<u8>]) -> Vec<u8> {
    let mut out = field(1, &header.encode_to_vec());
    entities.iter().for_each(|entity| out.extend(field(2, entity)));
    out
}

pub(super) fn feed(made: u64, entities: Vec<FeedEntity>) -> Vec<u8> {
    let header = FeedHeader { incrementality: None, timestamp: Some(made) };
    raw(&header, &entities.iter().map(prost::Message::encode_to_vec).collect::<Vec<_>>())
}

pub(super) fn differential(made: u64, entities: Vec<FeedEntity>) -> Vec<u8> {
    let header = FeedHeader { incrementality: Some(1), timestamp: Some(made) };
    raw(&header, &entities.iter().map(prost::Message::encode_to_vec).collect::<Vec<_>>())
}

pub(super) fn text(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

pub(super) fn trip(id: &str, relationship: i32) -> TripDescriptor {
    TripDescriptor {
        trip_id: text(id),
        start_date: text("20270115"),
        schedule_relationship: Some(relationship),
        ..TripDescriptor::default()
    }
}

pub(super) fn entity(id: &str, trip: TripDescriptor, stops: Vec<StopTimeUpdate>) -> FeedEntity {
    let update = TripUpdate { trip: Some(trip), stop_time_update: stops, ..TripUpdate::default() };
    FeedEntity { id: text(id), trip_update: Some(update), ..FeedEntity::default() }
}

pub(super) fn late(sequence: u32, delay: i32) -> StopTimeUpdate {
    let event = StopTimeEvent { delay: Some(delay), time: None };
    StopTimeUpdate { stop_sequence: Some(sequence), departure: Some(event), ..StopTimeUpdate::default() }
}

pub(super) fn timed(stop: &str, time: i64) -> StopTimeUpdate {
    let event = StopTimeEvent { delay: None, time: Some(time) };
    StopTimeUpdate { stop_id: text(stop), arrival: Some(event), ..StopTimeUpdate::default() }
}

pub(super) fn translated(texts: &[(&str, &str)]) -> Option<TranslatedString> {
    let translation =
        |&(language, words): &(&str, &str)| Translation { text: text(words), language: text(language) };
    Some(TranslatedString { translation: texts.iter().map(translation).collect() })
}

pub(super) fn of_route(route: &str) -> EntitySelector {
    EntitySelector { route_id: text(route), ..EntitySelector::default() }
}

pub(super) fn alert(id: &str, alert: super::wire::Alert) -> FeedEntity {
    FeedEntity { id: text(id), alert: Some(alert), ..FeedEntity::default() }
}
