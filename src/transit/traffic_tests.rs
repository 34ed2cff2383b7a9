//! Traffic: which announcements and trains belong to what was asked, and what age does to them.

use super::live::{Alert, LiveHandle, Running, Snapshot};
use super::live_tests::{DAY, change, late, table};
use super::planner::{LiveState, Planner, Ride, Told, TrafficQuery, Unknown};
use super::testing::paris;
use super::{LiveLimits, Local, TimetableHandle};
use jiff::civil::date;
use std::time::Duration;

fn alert(id: &str, routes: &[&str], stops: &[&str], until: Option<&str>) -> Alert {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Alert {
        id: id.to_owned(),
        cause: "strike".into(),
        effect: "reduced_service".into(),
        header: Default::default(),
        description: Default::default(),
        periods: vec![(None, until.map(paris))],
        routes: ids(routes),
        stops: ids(stops),
        trips: vec![],
        as_of: paris("2026-05-05T07:00"),
    }
}

#[tokio::test]
async fn traffic_tells_alerts_and_trains_of_what_was_asked() {
    let live = LiveHandle::default();
    let mut snapshot = Snapshot {
        trips_as_of: Some(paris("2026-05-05T07:00")),
        alerts_as_of: Some(paris("2026-05-05T07:00")),
        ..Snapshot::default()
    };
    snapshot.trips.insert("t1".into(), vec![change(Running::Scheduled, vec![late(10, None, Some(12))])]);
    snapshot.trips.insert("t2".into(), vec![change(Running::Cancelled, vec![])]);
    snapshot.alerts = vec![
        alert("line", &["L"], &[], None),
        alert("other", &["M"], &[], None),
        alert("stop", &[], &["P2"], None),
        alert("over", &["L"], &[], Some("2026-05-05T06:00")),
        alert("all", &[], &[], Some("2026-05-05T12:00")),
    ];
    live.replace(snapshot);
    let planner = Local::new(TimetableHandle::new(table()), live, LiveLimits::default(), true);
    let now = paris("2026-05-05T07:00");
    let until = paris("2026-05-05T20:00");
    let ask = |line: Option<&str>, stations: &[&str]| TrafficQuery {
        line: line.map(str::to_owned),
        stations: stations.iter().map(|id| (*id).to_owned()).collect(),
        from: now,
        until,
    };
    for (query, alerts, running, late, cancelled) in [
        (ask(Some("ligne"), &[]), vec!["line", "stop", "all"], 1, vec!["101"], vec!["102"]),
        (ask(Some("Pont - Rade"), &[]), vec!["line", "stop", "all"], 1, vec!["101"], vec!["102"]),
        (ask(Some("Autre"), &[]), vec!["other", "all"], 1, vec![], vec![]),
        (ask(None, &["P"]), vec!["line", "stop", "all"], 1, vec!["101"], vec!["102"]),
        (ask(None, &["R", "Q"]), vec!["line", "other", "all"], 1, vec![], vec![]),
        (ask(None, &[]), vec!["line", "other", "stop", "all"], 2, vec!["101"], vec!["102"]),
    ] {
        let told = planner.traffic(&query, now).await.unwrap().value;
        let ids: Vec<&str> = told.alerts.iter().map(|alert| alert.id.as_str()).collect();
        let numbers =
            |rides: &[Ride]| rides.iter().filter_map(|ride| ride.train.number.clone()).collect::<Vec<_>>();
        assert_eq!((ids, told.running), (alerts, running), "{query:?}");
        assert_eq!(
            (numbers(&told.late), numbers(&told.cancelled)),
            (late.into_iter().map(String::from).collect(), cancelled.into_iter().map(String::from).collect()),
            "{query:?}"
        );
    }
    let unknown = planner.traffic(&ask(Some("RER Z"), &[]), now).await.unwrap_err();
    assert_eq!(unknown, Unknown::Line("RER Z".into()));
    // Announcements are old after ten minutes; past the limit nothing can be said.
    let later = |minutes: u64| now.plus(Duration::from_secs(minutes * 60));
    let network = ask(None, &[]);
    let state = |minutes| planner.traffic(&network, later(minutes));
    assert_eq!(state(1).await.unwrap().provenance.live, LiveState::Fresh(now));
    assert_eq!(planner.announces(later(1)), Ok(LiveState::Fresh(now)));
    assert_eq!(state(11).await.unwrap().provenance.live, LiveState::Old(now));
    assert!(matches!(state(31).await, Err(Unknown::NoLive(_))));
    // The alerts of a train, and its calls.
    let runs = planner.train("101", DAY, now).await.unwrap().value;
    let ids: Vec<&str> = runs[0].alerts.iter().map(|alert| alert.id.as_str()).collect();
    assert_eq!((runs.len(), runs[0].stops.len(), ids), (1, 3, vec!["line", "stop", "all"]));
    assert!(planner.train("999", DAY, now).await.unwrap().value.is_empty());
    assert!(matches!(planner.train("101", date(2030, 1, 1), now).await, Err(Unknown::OutOfRange { .. })));
}

#[tokio::test]
async fn announcements_and_trains_have_ages_of_their_own() {
    let now = paris("2026-05-05T07:00");
    let (fresh, gone) = (now, now.minus(Duration::from_secs(3600)));
    let query = TrafficQuery { line: None, stations: vec![], from: now, until: paris("2026-05-05T20:00") };
    let ask = async |trips_as_of, alerts_as_of, has_feed| {
        let live = LiveHandle::default();
        let mut snapshot = Snapshot { trips_as_of, alerts_as_of, ..Snapshot::default() };
        snapshot.trips.insert("t2".into(), vec![change(Running::Cancelled, vec![])]);
        snapshot.alerts = vec![alert("all", &[], &[], None)];
        live.replace(snapshot);
        let planner = Local::new(TimetableHandle::new(table()), live, LiveLimits::default(), has_feed);
        let announces = planner.announces(now).unwrap();
        planner.traffic(&query, now).await.map(|told| {
            let Told { value, provenance } = told;
            assert_eq!(value.announced, announces);
            (value.alerts.len(), value.cancelled.len(), value.trains, value.announced, provenance.live)
        })
    };
    let lost = LiveState::Lost(Some(gone));
    let (well, never) = (LiveState::Fresh(fresh), LiveState::Lost(None));
    assert_eq!(ask(Some(gone), Some(fresh), true).await, Ok((1, 0, lost, well, lost)));
    assert_eq!(ask(Some(fresh), Some(gone), true).await, Ok((0, 1, well, lost, lost)));
    assert_eq!(ask(Some(fresh), None, true).await, Ok((0, 1, well, never, well)));
    // A feed of alerts alone: of trains nothing is expected.
    assert_eq!(ask(None, Some(fresh), false).await, Ok((1, 0, LiveState::Absent, well, well)));
    assert!(matches!(ask(Some(gone), Some(gone), true).await, Err(Unknown::NoLive(_))));
    assert!(matches!(ask(None, None, false).await, Err(Unknown::NoLive(_))));
}
