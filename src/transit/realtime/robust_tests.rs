//! Whatever bytes come: no panic, and no more than the limits allow.

use super::decode::{Decoded, decode};
use super::merge::{FeedData, Forget, merge};
use super::testing::*;
use super::wire::{self, StopTimeUpdate, TimeRange};
use crate::config::FeedKind;
use crate::model::Timestamp;
use crate::transit::live::Shift;
use proptest::prelude::*;
use std::time::Duration;

/// A message with something of everything, to be spoiled.
fn whole() -> Vec<u8> {
    let moved = StopTimeUpdate {
        stop_time_properties: Some(wire::StopTimeProperties { assigned_stop_id: text("P2") }),
        ..late(3, 120)
    };
    let alert_given = wire::Alert {
        active_period: vec![TimeRange { start: Some(NOW), end: None }],
        informed_entity: vec![of_route("R")],
        cause: Some(3),
        effect: Some(2),
        header_text: translated(&[("fr-FR", "Panne"), ("", "Failure")]),
        ..wire::Alert::default()
    };
    feed(
        NOW,
        vec![
            entity("a", trip("A", 0), vec![late(1, 60), moved]),
            entity("b", trip("B", 3), vec![]),
            entity("c", trip("C", 1), vec![timed("S", NOW as i64), timed("T", NOW as i64 + 60)]),
            alert("d", alert_given),
        ],
    )
}

fn holds(decoded: &Decoded, now: Timestamp) {
    assert!(decoded.as_of <= now);
    let near = Duration::from_secs(32 * 24 * 3600);
    for entity in &decoded.entities {
        assert!(entity.id.len() <= 255);
        if let Some(trip) = &entity.trip {
            assert!(!trip.trip_id.is_empty() && trip.change.as_of <= now && trip.change.stops.len() <= 1000);
            for shift in trip.change.stops.iter().flat_map(|stop| [stop.arrival, stop.departure]).flatten() {
                match shift {
                    Shift::Delay(seconds) => assert!(seconds.abs() <= 24 * 3600),
                    Shift::At(at) => assert!(now.minus(near) < at && at < now.plus(near)),
                }
            }
        }
        for words in entity.alert.iter().flat_map(|alert| alert.header.values()) {
            assert!(!words.is_empty() && words.chars().count() <= 501);
        }
    }
}

fn survive(bytes: &[u8], now: Timestamp) {
    let Ok(decoded) = decode(bytes, None, now, &defaults()) else { return };
    holds(&decoded, now);
    let mut data = FeedData::new("f".into(), FeedKind::Any);
    data.apply(decoded.clone());
    data.apply(Decoded { differential: true, ..decoded });
    let forget = Forget { trips: Duration::from_secs(600), alerts: Duration::from_secs(600) };
    let snapshot = merge([&data], forget, now);
    assert!(snapshot.trips_as_of.is_none_or(|as_of| as_of <= now));
}

proptest! {
    #[test]
    fn any_bytes_at_any_time(bytes in prop::collection::vec(any::<u8>(), 0..600), now in any::<i64>()) {
        survive(&bytes, Timestamp(now));
    }

    /// Bytes changed, put in, taken out.
    #[test]
    fn a_spoiled_message(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..12),
        now in prop_oneof![Just(NOW as i64 * 1_000_000), any::<i64>()],
    ) {
        let mut bytes = whole();
        for (place, byte, how) in changes {
            let place = place.index(bytes.len());
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ if bytes.len() > 1 => { bytes.remove(place); }
                _ => {}
            }
        }
        survive(&bytes, Timestamp(now));
    }

    /// Whole messages with wild values in them.
    #[test]
    fn wild_values(
        made in any::<u64>(), delay in any::<i32>(), time in any::<i64>(), state in any::<i32>(),
        start in any::<u64>(), end in any::<u64>(), date in "\\PC{0,12}", now in any::<i64>(),
    ) {
        let mut trip = trip("T", state);
        trip.start_date = text(&date);
        let range = TimeRange { start: Some(start), end: Some(end) };
        let alert_given = wire::Alert { active_period: vec![range], effect: Some(state), ..wire::Alert::default() };
        let bytes = feed(made, vec![
            entity("a", trip, vec![late(1, delay), timed("S", time)]),
            alert("b", alert_given),
        ]);
        survive(&bytes, Timestamp(now));
    }
}

/// Two bytes of message must not become a hundred of memory, millions of times.
#[test]
fn small_parts_in_great_number_are_cut() {
    let now = at(NOW);
    let empty_entities = feed(NOW, vec![wire::FeedEntity::default(); 300_000]);
    assert_eq!(decode(&empty_entities, None, now, &defaults()).unwrap().entities.len(), 0);

    let deleted = wire::FeedEntity { is_deleted: Some(true), ..wire::FeedEntity::default() };
    let decoded = decode(&feed(NOW, vec![deleted; 150_000]), None, now, &defaults()).unwrap();
    assert_eq!((decoded.entities.len(), decoded.dropped.over_limit), (100_000, 50_000));

    let long = entity("e", trip("T", 0), vec![StopTimeUpdate::default(); 100_000]);
    let decoded = decode(&feed(NOW, vec![long; 10]), None, now, &defaults()).unwrap();
    assert_eq!((decoded.entities.len(), decoded.dropped.over_limit), (0, 10));

    let full = entity("e", trip("T", 0), (1..1000).map(|sequence| late(sequence, 60)).collect());
    let decoded = decode(&feed(NOW, vec![full; 600]), None, now, &defaults()).unwrap();
    assert_eq!((decoded.entities.len(), decoded.dropped.over_limit), (500, 100));
}
