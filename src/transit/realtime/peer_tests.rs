//! Feeds that others encode: npm's `gtfs-realtime-bindings`, run by Node.

use super::decode::{Dropped, decode};
use super::merge::{FeedData, Forget, merge};
use super::testing::{NOW, at, defaults};
use crate::config::FeedKind;
use crate::model::Lang;
use crate::transit::live::{Running, Shift};
use jiff::civil::date;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What the peer writes. None when it is not installed; said loudly, and an error under `CI=true`.
fn encoded(which: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join(".local/peers/node_modules");
    if !modules.join("gtfs-realtime-bindings").is_dir() {
        let what =
            "feeds encoded by npm gtfs-realtime-bindings (not installed). Cure: scripts/setup.py test-tools";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "under CI=true nothing is skipped: {what}");
        // Not `eprintln!`: the test harness would swallow it.
        let _ = writeln!(std::io::stderr(), "NOT RUN: {what}");
        return None;
    }
    let script = root.join("tests/peers/gtfs_realtime.js");
    let done = Command::new("node").arg(script).arg(modules).arg(which).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(done.stdout)
}

#[test]
fn what_a_peer_encodes_is_understood() {
    let Some(bytes) = encoded("full") else { return };
    let decoded = decode(&bytes, None, at(NOW), &defaults()).unwrap();
    assert_eq!(
        (decoded.as_of, decoded.differential, decoded.dropped),
        (at(NOW - 20), false, Dropped::default())
    );
    let trip = |id: &str| {
        let mut trips = decoded.entities.iter().filter_map(|entity| entity.trip.as_ref());
        trips.find(|trip| trip.trip_id == id).map(|trip| trip.change.clone()).unwrap()
    };

    let late = trip("late");
    assert_eq!(
        (late.running, late.day, late.route.as_deref()),
        (Running::Scheduled, Some(date(2027, 1, 15)), Some("R1"))
    );
    assert_eq!(late.as_of, at(NOW - 40));
    let stops: Vec<_> = late.stops.iter().map(|stop| (stop.sequence, stop.arrival, stop.departure)).collect();
    assert_eq!(
        stops,
        [
            (Some(1), None, Some(Shift::Delay(300))),
            (Some(2), None, None),
            (Some(3), Some(Shift::Delay(-60)), Some(Shift::At(at(NOW + 900)))),
            (Some(4), None, None),
        ]
    );
    let skipped: Vec<bool> = late.stops.iter().map(|stop| stop.skipped).collect();
    let no_data: Vec<bool> = late.stops.iter().map(|stop| stop.no_data).collect();
    assert_eq!((skipped, no_data), (vec![false, true, false, false], vec![false, false, false, true]));
    assert_eq!(late.stops[2].assigned_stop_id.as_deref(), Some("C-7"));

    assert_eq!(trip("cancelled").running, Running::Cancelled);
    let added = trip("added");
    assert_eq!((added.running, added.stops[0].departure), (Running::Added, Some(Shift::At(at(NOW + 600)))));
    assert_eq!((trip("duplicate").running, trip("duplicate").day), (Running::Added, Some(date(2027, 1, 16))));

    let alert = decoded.entities.iter().find_map(|entity| entity.alert.clone()).unwrap();
    assert_eq!(
        (alert.cause.as_str(), alert.effect.as_str(), alert.as_of),
        ("strike", "reduced_service", at(NOW - 20))
    );
    assert_eq!(alert.header[&Lang::FR], "Grève : trafic réduit");
    assert_eq!(alert.header[&Lang::EN], "Strike: reduced service");
    assert_eq!(alert.description[&Lang::FR], "Un train sur deux.");
    assert_eq!(alert.periods, [(Some(at(NOW - 3600)), Some(at(NOW + 3600))), (Some(at(NOW + 86400)), None)]);
    assert_eq!(
        (alert.routes, alert.stops, alert.trips),
        (vec!["R1".into()], vec!["A".into()], vec!["late".into()])
    );
    assert_eq!(decoded.entities.len(), 5, "the vehicle's position is tolerated and not kept");
}

#[test]
fn a_peers_differential_message_changes_its_full_one() {
    let (Some(full), Some(changes)) = (encoded("full"), encoded("differential")) else { return };
    let mut data = FeedData::new("peer".into(), FeedKind::Any);
    for bytes in [full, changes] {
        assert!(data.apply(decode(&bytes, None, at(NOW), &defaults()).unwrap()));
    }
    let forget = Forget { trips: Duration::from_secs(600), alerts: Duration::from_secs(600) };
    let snapshot = merge([&data], forget, at(NOW));
    let mut trips: Vec<&str> = snapshot.trips.keys().map(String::as_str).collect();
    trips.sort_unstable();
    assert_eq!(trips, ["added", "duplicate", "late"]);
    assert_eq!(snapshot.trips["late"][0].running, Running::Cancelled);
    assert_eq!((snapshot.trips_as_of, snapshot.alerts.len()), (Some(at(NOW - 10)), 1));
}
