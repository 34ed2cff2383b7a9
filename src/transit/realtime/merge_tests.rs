use super::merge::{FeedData, Forget, merge};
use super::testing::*;
use super::wire::{self, FeedEntity, TripDescriptor};
use crate::config::FeedKind;
use crate::transit::live::{Running, Shift, Snapshot, TripChange};
use std::time::Duration;

const FORGET: Forget = Forget { trips: Duration::from_secs(600), alerts: Duration::from_secs(7200) };

fn holding(bytes: &[u8]) -> FeedData {
    let mut data = FeedData::new("f".into(), FeedKind::Any);
    assert!(data.apply(read(bytes).unwrap()));
    data
}

fn merged(feeds: &[FeedData]) -> Snapshot {
    merge(feeds, FORGET, at(NOW))
}

fn measured(mut entity: FeedEntity, at: u64) -> FeedEntity {
    entity.trip_update.as_mut().unwrap().timestamp = Some(at);
    entity
}

fn delay(change: &TripChange) -> Option<Shift> {
    change.stops.first().and_then(|stop| stop.departure)
}

fn works(id: &str) -> FeedEntity {
    alert(id, wire::Alert { informed_entity: vec![of_route("R")], ..wire::Alert::default() })
}

#[test]
fn of_two_that_contradict_each_other_the_newer_measurement_wins() {
    let cancelled = |at| measured(entity("a", trip("T", 3), vec![]), at);
    let late_one = |at| measured(entity("b", trip("T", 0), vec![late(1, 300)]), at);
    for (first, second, running) in [
        (cancelled(NOW - 60), late_one(NOW - 30), Running::Scheduled),
        (late_one(NOW - 30), cancelled(NOW - 60), Running::Scheduled),
        (cancelled(NOW - 30), late_one(NOW - 60), Running::Cancelled),
        // Of the same second: nobody is sent to a train that may not run.
        (late_one(NOW - 30), cancelled(NOW - 30), Running::Cancelled),
        (cancelled(NOW - 30), late_one(NOW - 30), Running::Cancelled),
    ] {
        let apart = merged(&[
            holding(&feed(NOW - 5, vec![first.clone()])),
            holding(&feed(NOW - 20, vec![second.clone()])),
        ]);
        let together = merged(&[holding(&feed(NOW - 5, vec![first, second]))]);
        for snapshot in [apart, together] {
            let changes = &snapshot.trips["T"];
            assert_eq!((changes.len(), changes[0].running), (1, running));
        }
    }
}

#[test]
fn the_same_trip_on_two_days_is_two_trains() {
    let tomorrow = TripDescriptor { start_date: text("20270116"), ..trip("T", 3) };
    let snapshot = merged(&[holding(&feed(
        NOW,
        vec![
            measured(entity("a", tomorrow, vec![]), NOW - 60),
            measured(entity("b", trip("T", 0), vec![late(1, 300)]), NOW - 30),
        ],
    ))]);
    let states: Vec<Running> = snapshot.trips["T"].iter().map(|change| change.running).collect();
    assert_eq!(states, [Running::Scheduled, Running::Cancelled]);
}

#[test]
fn runs_that_only_their_start_time_tells_apart_are_not_told_at_all() {
    let run = |id: &str, start: &str, delay| {
        entity(id, TripDescriptor { start_time: text(start), ..trip("T", 0) }, vec![late(1, delay)])
    };
    let snapshot = merged(&[holding(&feed(NOW, vec![run("a", "08:00:00", 60), run("b", "08:10:00", 600)]))]);
    assert_eq!(snapshot.trips.get("T"), None);
    let snapshot = merged(&[holding(&feed(NOW, vec![run("a", "08:00:00", 60), run("b", "8:00:00", 60)]))]);
    assert_eq!(delay(&snapshot.trips["T"][0]), Some(Shift::Delay(60)));
}

#[test]
fn the_age_is_that_of_the_oldest_feed_and_alerts_have_their_own() {
    let trips = |made| holding(&feed(made, vec![entity("a", trip("T", 3), vec![])]));
    let alerts = holding(&feed(NOW - 3000, vec![works("w")]));
    let snapshot = merged(&[trips(NOW - 10), trips(NOW - 200), alerts]);
    assert_eq!((snapshot.trips_as_of, snapshot.alerts_as_of), (Some(at(NOW - 200)), Some(at(NOW - 3000))));
    assert_eq!((snapshot.alerts.len(), snapshot.trips_partial), (1, false));
}

#[test]
fn a_feed_that_vanished_ages_then_falls_silent_without_silencing_the_others() {
    let gone = holding(&feed(NOW - 500, vec![entity("a", trip("GONE", 3), vec![])]));
    let there = holding(&feed(NOW - 5, vec![entity("b", trip("THERE", 3), vec![])]));
    let both = [gone, there];
    let snapshot = merged(&both);
    assert_eq!(
        (snapshot.trips.len(), snapshot.trips_as_of, snapshot.trips_partial),
        (2, Some(at(NOW - 500)), false)
    );

    let later = merge(&both, FORGET, at(NOW + 200));
    assert_eq!(later.trips.keys().collect::<Vec<_>>(), ["THERE"]);
    assert_eq!((later.trips_as_of, later.trips_partial), (Some(at(NOW - 5)), true));

    // All gone: nothing is said of any train, and the age that is told is true.
    let last = merge(&both, FORGET, at(NOW + 100_000));
    assert_eq!((last.trips.len(), last.trips_as_of, last.trips_partial), (0, Some(at(NOW - 5)), true));
}

#[test]
fn a_feed_that_never_came_is_missed_and_an_empty_one_is_not() {
    let never = FeedData::new("n".into(), FeedKind::Any);
    let snapshot = merged(std::slice::from_ref(&never));
    assert_eq!(snapshot, Snapshot { trips_partial: true, ..Snapshot::default() });
    let empty = holding(&feed(NOW - 5, vec![]));
    let snapshot = merged(std::slice::from_ref(&empty));
    assert_eq!((snapshot.trips_as_of, snapshot.alerts_as_of), (Some(at(NOW - 5)), Some(at(NOW - 5))));
    assert!(!snapshot.trips_partial);
    assert!(merged(&[empty, never]).trips_partial);
    assert_eq!(merged(&[]), Snapshot::default());
}

#[test]
fn a_feed_of_alerts_does_not_answer_for_trains() {
    let mut alerts = FeedData::new("a".into(), FeedKind::Alerts);
    alerts.apply(read(&feed(NOW - 5, vec![works("w"), entity("t", trip("T", 3), vec![])])).unwrap());
    let seen = holding(&feed(NOW - 5, vec![works("w")]));
    for only in [alerts, seen] {
        let snapshot = merged(std::slice::from_ref(&only));
        assert_eq!((snapshot.trips.len(), snapshot.trips_as_of, snapshot.trips_partial), (0, None, false));
        assert_eq!((snapshot.alerts.len(), snapshot.alerts_as_of), (1, Some(at(NOW - 5))));
    }
    let mut trips = FeedData::new("t".into(), FeedKind::Trips);
    trips.apply(read(&feed(NOW - 5, vec![works("w")])).unwrap());
    assert_eq!(merged(&[trips]).alerts, []);
}

#[test]
fn alerts_of_two_feeds_under_the_same_id_are_two() {
    let named = |name: &str| {
        let mut data = FeedData::new(name.into(), FeedKind::Any);
        data.apply(read(&feed(NOW, vec![works("1")])).unwrap());
        data
    };
    let snapshot = merged(&[named("north"), named("south")]);
    let ids: Vec<&str> = snapshot.alerts.iter().map(|alert| alert.id.as_str()).collect();
    assert_eq!(ids, ["north#1", "south#1"]);
}

#[test]
fn differential_messages_change_and_delete() {
    let mut data = holding(&feed(
        NOW - 60,
        vec![entity("a", trip("A", 0), vec![late(1, 60)]), entity("b", trip("B", 3), vec![]), works("w")],
    ));
    let gone = FeedEntity { id: text("b"), is_deleted: Some(true), ..FeedEntity::default() };
    let changed = entity("a", trip("A", 0), vec![late(1, 600)]);
    let new = entity("c", trip("C", 3), vec![]);
    assert!(data.apply(read(&differential(NOW - 30, vec![gone.clone(), changed, new])).unwrap()));
    let snapshot = merged(std::slice::from_ref(&data));
    let mut trips: Vec<&str> = snapshot.trips.keys().map(String::as_str).collect();
    trips.sort_unstable();
    assert_eq!((trips, snapshot.alerts.len()), (vec!["A", "C"], 1));
    assert_eq!(delay(&snapshot.trips["A"][0]), Some(Shift::Delay(600)));
    assert_eq!(snapshot.trips_as_of, Some(at(NOW - 30)));

    // A full message replaces all, and what it calls deleted is not there.
    assert!(data.apply(read(&feed(NOW - 10, vec![gone, works("v")])).unwrap()));
    let snapshot = merged(std::slice::from_ref(&data));
    assert_eq!((snapshot.trips.len(), snapshot.alerts.len()), (0, 1));
    assert_eq!(snapshot.trips_as_of, Some(at(NOW - 10)), "it is known to tell trains too");
}

#[test]
fn an_older_message_changes_nothing() {
    let mut data = holding(&feed(NOW - 10, vec![entity("a", trip("A", 3), vec![])]));
    assert!(!data.apply(read(&feed(NOW - 40, vec![])).unwrap()));
    assert_eq!((data.as_of(), data.counts()), (Some(at(NOW - 10)), (1, 0)));
}

#[test]
fn differential_messages_do_not_grow_for_ever() {
    let mut data = FeedData::new("f".into(), FeedKind::Any);
    let stops = || (1..=999).map(|sequence| late(sequence, 60)).collect::<Vec<_>>();
    for round in 0..3 {
        let entities = (0..250).map(|rank| {
            let id = format!("{round}-{rank}");
            entity(&id, trip(&id, 0), stops())
        });
        data.apply(read(&differential(NOW - 30 + round, entities.collect())).unwrap());
    }
    assert_eq!(data.counts(), (500, 0), "of 750, with a thousand parts each");
    let snapshot = merged(std::slice::from_ref(&data));
    assert!(
        snapshot.trips_partial && snapshot.trips.contains_key("2-249") && !snapshot.trips.contains_key("0-0")
    );
}
