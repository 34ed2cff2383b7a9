use super::decode::{DecodeError, Decoded, Dropped, decode};
use super::testing::*;
use super::wire::{
    self, EntitySelector, FeedHeader, StopTimeEvent, StopTimeUpdate, TimeRange, TripDescriptor,
};
use crate::model::{Lang, Timestamp};
use crate::transit::live::{Alert, Running, Shift, StopChange, TripChange};
use crate::transit::testing::shared_data;
use jiff::civil::date;
use prost::Message as _;

/// When the official examples were made.
const THEN: u64 = 1_284_457_468;

fn example(name: &str, now: u64) -> Option<Result<Decoded, DecodeError>> {
    let bytes = std::fs::read(shared_data(&format!("gtfs-realtime/{name}"))?).unwrap();
    Some(decode(&bytes, None, at(now), &defaults()))
}

fn change(decoded: &Decoded, entity: usize) -> &TripChange {
    &decoded.entities[entity].trip.as_ref().unwrap().change
}

fn only_alert(alert_given: wire::Alert) -> Option<Alert> {
    let decoded = read(&feed(NOW, vec![alert("a", alert_given)])).unwrap();
    decoded.entities.into_iter().next().and_then(|entity| entity.alert)
}

fn only_stop(update: StopTimeUpdate) -> Option<StopChange> {
    let decoded = read(&feed(NOW, vec![entity("e", trip("T", 0), vec![update])])).unwrap();
    decoded.entities.into_iter().next().and_then(|entity| entity.trip?.change.stops.pop())
}

#[test]
fn the_official_trip_updates_say_what_their_text_says() {
    let Some(decoded) = example("trip-updates-full.pb", THEN + 10) else { return };
    let decoded = decoded.unwrap();
    assert_eq!((decoded.as_of, decoded.differential, decoded.dropped), (at(THEN), false, Dropped::default()));
    let ids: Vec<&str> = decoded.entities.iter().map(|entity| entity.id.as_str()).collect();
    assert_eq!(ids, ["simple-trip", "3"]);
    let stops = |entity: usize| -> Vec<(Option<u32>, Option<Shift>, bool)> {
        let stops = &change(&decoded, entity).stops;
        stops.iter().map(|stop| (stop.sequence, stop.arrival, stop.no_data)).collect()
    };
    let first = [
        (Some(3), Some(Shift::Delay(5)), false),
        (Some(8), Some(Shift::Delay(1)), false),
        (Some(10), None, true),
    ];
    assert_eq!(stops(0), first);
    assert_eq!(stops(1), [(Some(1), Some(Shift::Delay(-2)), false), (Some(9), None, true)]);
    let second = decoded.entities[1].trip.as_ref().unwrap();
    assert_eq!(
        (second.trip_id.as_str(), second.start_time.as_deref()),
        ("frequency-expanded-trip", Some("11:15:35"))
    );
    assert_eq!(
        (second.change.running, second.change.day, second.change.as_of),
        (Running::Scheduled, None, at(THEN))
    );
}

#[test]
fn the_official_alert_says_what_its_text_says() {
    let Some(decoded) = example("alerts.pb", THEN + 10) else { return };
    let alert = decoded.unwrap().entities.remove(0).alert.unwrap();
    assert_eq!(
        (alert.id.as_str(), alert.cause.as_str(), alert.effect.as_str()),
        ("0", "construction", "detour")
    );
    assert_eq!(alert.periods, [(Some(at(1_284_457_468)), Some(at(1_284_468_072)))]);
    assert_eq!(alert.routes, ["100", "219"]);
    assert_eq!(alert.stops, ["16230", "16299"]);
    let header = "Stop at Elm street is closed, temporary stop at Oak street";
    assert_eq!(alert.header.get(&Lang::EN).map(String::as_str), Some(header));
    assert!(alert.description[&Lang::EN].ends_with("300 meters north at Oak street"));
}

#[test]
fn the_official_vehicle_is_tolerated_and_its_message_has_no_time() {
    let Some(decoded) = example("vehicle_position.pb", THEN) else { return };
    assert_eq!(decoded, Err(DecodeError::Undated));
    let bytes = std::fs::read(shared_data("gtfs-realtime/vehicle_position.pb").unwrap()).unwrap();
    let dated = decode(&bytes, Some(at(THEN)), at(THEN), &defaults()).unwrap();
    assert_eq!((dated.entities.len(), dated.dropped), (0, Dropped::default()));
}

#[test]
fn one_bad_entity_costs_only_itself() {
    let header = FeedHeader { incrementality: None, timestamp: Some(NOW) };
    let good = |id: &str| entity(id, trip(id, 0), vec![late(1, 60)]).encode_to_vec();
    // A text field that promises more bytes than there are, a varint without an end, a wrong wire type; no trip; too large.
    let bad = [vec![0x0a, 0x7f, 0x41], vec![0x10, 0xff, 0xff], vec![0x18, 0x01], vec![0x0f]];
    let no_trip = entity("x", TripDescriptor::default(), vec![late(1, 60)]).encode_to_vec();
    let mut large = good("large");
    large.extend(vec![0x52, 0x80, 0x80, 0x40]);
    large.extend(vec![0; 1 << 20]);
    let mut entities = vec![good("a")];
    entities.extend(bad);
    entities.extend([no_trip, large, good("b")]);
    let decoded = read(&raw(&header, &entities)).unwrap();
    let ids: Vec<&str> = decoded.entities.iter().map(|entity| entity.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(decoded.dropped, Dropped { malformed: 4, meaningless: 1, over_limit: 1 });
}

#[test]
fn what_is_no_message_to_its_end_is_not_used_at_all() {
    let whole =
        feed(NOW, vec![entity("a", trip("A", 0), vec![late(1, 60)]), entity("b", trip("B", 3), vec![])]);
    assert!(read(&whole).is_ok());
    let bodies: [&[u8]; 5] =
        [b"", b"<html>Service unavailable</html>", b"{\"error\":1}", &whole[..whole.len() - 1], &[0x0b]];
    for body in bodies {
        assert_eq!(read(body), Err(DecodeError::NotAFeed), "{body:?}");
    }
}

#[test]
fn the_delay_of_a_whole_trip_is_read_where_no_stop_has_a_time() {
    let no_data = StopTimeUpdate {
        stop_sequence: Some(3),
        schedule_relationship: Some(2),
        ..StopTimeUpdate::default()
    };
    let skipped = StopTimeUpdate { schedule_relationship: Some(1), ..no_data.clone() };
    for (relationship, delay, stops, expected) in [
        (0, 300, vec![], Some((Some(300), 0))),
        (0, -60, vec![skipped.clone(), no_data.clone()], Some((Some(-60), 2))),
        // What lies before a stop that has a time has mostly been passed.
        (0, 300, vec![late(2, 240)], Some((None, 1))),
        (0, 100_000, vec![], None),
        (0, i32::MIN, vec![skipped], Some((None, 1))),
        (3, 300, vec![], Some((None, 0))),
    ] {
        let mut given = entity("e", trip("T", relationship), stops);
        given.trip_update.as_mut().unwrap().delay = Some(delay);
        let decoded = read(&feed(NOW, vec![given])).unwrap();
        let read = decoded.entities.first().map(|entity| entity.trip.as_ref().unwrap().change.clone());
        assert_eq!(read.map(|change| (change.delay, change.stops.len())), expected, "{relationship} {delay}");
    }
}

#[test]
fn states_of_trips() {
    let whole = || vec![timed("A", NOW as i64 + 600), timed("B", NOW as i64 + 1200)];
    for (relationship, expected) in [
        (0, Some(Running::Scheduled)),
        (1, Some(Running::Added)),
        (2, None),
        (3, Some(Running::Cancelled)),
        (5, Some(Running::Added)),
        (7, Some(Running::Cancelled)),
        (8, Some(Running::Added)),
        (99, None),
        (-1, None),
    ] {
        let decoded = read(&feed(NOW, vec![entity("e", trip("T", relationship), whole())])).unwrap();
        let got = decoded.entities.first().map(|entity| entity.trip.as_ref().unwrap().change.running);
        assert_eq!(got, expected, "{relationship}");
        assert_eq!(decoded.dropped.meaningless, usize::from(expected.is_none()));
    }
}

#[test]
fn an_added_train_is_told_whole_or_not_at_all() {
    let time = NOW as i64;
    for (stops, told) in [
        (vec![timed("A", time), timed("B", time + 600)], true),
        (vec![timed("A", time)], false),
        (vec![timed("A", time), late(2, 60)], false),
        (vec![timed("A", time), timed("", time + 600)], false),
        (vec![timed("A", time), timed("B", 5), timed("C", time + 600)], false),
    ] {
        let decoded = read(&feed(NOW, vec![entity("e", trip("T", 1), stops)])).unwrap();
        assert_eq!(decoded.entities.len() == 1, told);
    }
}

#[test]
fn a_duplicated_trip_goes_by_its_own_name() {
    let mut duplicated =
        entity("e", trip("T", 6), vec![timed("A", NOW as i64), timed("B", NOW as i64 + 600)]);
    assert_eq!(read(&feed(NOW, vec![duplicated.clone()])).unwrap().dropped.meaningless, 1);
    let properties = wire::TripProperties { trip_id: text("T-bis"), start_date: text("20270116") };
    duplicated.trip_update.as_mut().unwrap().trip_properties = Some(properties);
    let decoded = read(&feed(NOW, vec![duplicated])).unwrap();
    assert_eq!(decoded.entities[0].trip.as_ref().unwrap().trip_id, "T-bis");
    assert_eq!(change(&decoded, 0).day, Some(date(2027, 1, 16)));
}

#[test]
fn stops_of_a_train() {
    let event = |delay, time| Some(StopTimeEvent { delay, time });
    let soon = NOW as i64 + 300;
    let base = StopTimeUpdate { stop_sequence: Some(4), ..StopTimeUpdate::default() };
    let with = |departure, relationship| StopTimeUpdate {
        departure,
        schedule_relationship: relationship,
        ..base.clone()
    };
    for (update, departure, skipped, no_data) in [
        (with(event(Some(120), None), None), Some(Shift::Delay(120)), false, false),
        (with(event(Some(-120), Some(0)), Some(0)), Some(Shift::Delay(-120)), false, false),
        (with(event(Some(120), Some(soon)), None), Some(Shift::At(at(NOW + 300))), false, false),
        (with(event(None, Some(soon * 1000)), None), Some(Shift::At(at(NOW + 300))), false, false),
        (with(event(None, Some(soon)), Some(1)), None, true, false),
        (with(event(Some(0), None), Some(2)), None, false, true),
        (with(event(Some(60), None), Some(3)), Some(Shift::Delay(60)), false, false),
        (with(event(Some(60), None), Some(77)), None, false, true),
        // Wild: nothing is known from here on.
        (with(event(Some(i32::MAX), None), None), None, false, true),
        (with(event(Some(i32::MIN), None), None), None, false, true),
        (with(event(Some(60), Some(i64::MIN)), None), None, false, true),
        (with(event(None, Some(soon + 100 * 24 * 3600)), None), None, false, true),
        (with(event(None, None), None), None, false, true),
        (with(None, None), None, false, true),
    ] {
        let stop = only_stop(update.clone()).unwrap();
        assert_eq!((stop.departure, stop.skipped, stop.no_data), (departure, skipped, no_data), "{update:?}");
        assert_eq!(stop.sequence, Some(4));
    }
    let properties = wire::StopTimeProperties { assigned_stop_id: text("P7") };
    let moved = StopTimeUpdate { stop_time_properties: Some(properties), ..late(2, 0) };
    assert_eq!(only_stop(moved).unwrap().assigned_stop_id.as_deref(), Some("P7"));
    // Neither a sequence nor a stop: it could be anywhere.
    assert_eq!(only_stop(StopTimeUpdate { stop_sequence: None, ..late(1, 60) }), None);
}

#[test]
fn a_trip_without_stops_is_no_prediction() {
    assert_eq!(read(&feed(NOW, vec![entity("e", trip("T", 0), vec![])])).unwrap().dropped.meaningless, 1);
}

#[test]
fn days_and_ids() {
    for (start_date, expected) in [
        (text("20270228"), Some(Some(date(2027, 2, 28)))),
        (text(""), Some(None)),
        (None, Some(None)),
        (text("20270231"), None),
        (text("tomorrow"), None),
        (Some(vec![0xff, 0xfe]), None),
    ] {
        let trip = TripDescriptor { start_date: start_date.clone(), ..trip("T", 3) };
        let decoded = read(&feed(NOW, vec![entity("e", trip, vec![])])).unwrap();
        let got = decoded.entities.first().map(|entity| entity.trip.as_ref().unwrap().change.day);
        assert_eq!(got, expected, "{start_date:?}");
    }
    let long = TripDescriptor { trip_id: Some(vec![b'x'; 256]), ..trip("T", 3) };
    assert_eq!(read(&feed(NOW, vec![entity("e", long, vec![])])).unwrap().dropped.over_limit, 1);
}

#[test]
fn the_age_is_the_publishers_and_never_ours() {
    let measured = |trip_time: Option<u64>, header: Option<u64>, stated: Option<u64>| {
        let mut entity = entity("e", trip("T", 3), vec![]);
        entity.trip_update.as_mut().unwrap().timestamp = trip_time;
        let header = FeedHeader { incrementality: None, timestamp: header };
        let bytes = raw(&header, &[entity.encode_to_vec()]);
        let decoded = decode(&bytes, stated.map(at), at(NOW), &defaults())?;
        Ok((decoded.as_of, change(&decoded, 0).as_of))
    };
    let hour_ahead = Some(NOW + 3600);
    for (trip_time, header, stated, expected) in [
        (None, Some(NOW - 30), None, Ok((at(NOW - 30), at(NOW - 30)))),
        (Some(NOW - 300), Some(NOW - 30), None, Ok((at(NOW - 30), at(NOW - 300)))),
        (None, Some((NOW - 30) * 1000), None, Ok((at(NOW - 30), at(NOW - 30)))),
        // A little ahead: their clock or ours. An hour ahead is a claim that is not believed.
        (None, Some(NOW + 20), None, Ok((at(NOW), at(NOW)))),
        (None, hour_ahead, None, Err(DecodeError::Undated)),
        (Some(NOW - 40), hour_ahead, None, Ok((at(NOW - 40), at(NOW - 40)))),
        (hour_ahead, Some(NOW - 30), None, Ok((at(NOW - 30), at(NOW - 30)))),
        (None, hour_ahead, Some(NOW - 50), Ok((at(NOW - 50), at(NOW - 50)))),
        (Some(NOW - 40), None, Some(NOW - 50), Ok((at(NOW - 40), at(NOW - 40)))),
        (None, None, Some(NOW + 50), Ok((at(NOW), at(NOW)))),
        (None, None, Some(NOW + 500), Err(DecodeError::Undated)),
        (None, Some(0), None, Err(DecodeError::Undated)),
        (None, Some(u64::MAX), None, Err(DecodeError::Undated)),
    ] {
        assert_eq!(measured(trip_time, header, stated), expected, "{trip_time:?} {header:?} {stated:?}");
    }
}

#[test]
fn languages_of_alerts() {
    let long = "é".repeat(600);
    for (given, expected) in [
        (vec![("fr-FR", "Grève"), ("en_GB", "Strike")], vec![(Lang::EN, "Strike"), (Lang::FR, "Grève")]),
        (vec![("", "Grève")], vec![(Lang::FR, "Grève")]),
        (vec![("FR", "Grève"), ("", "Autre")], vec![(Lang::FR, "Grève")]),
        (vec![("en", "Strike"), ("en-html", "<b>Strike</b>")], vec![(Lang::EN, "Strike")]),
        (vec![("klingon", "Qapla'")], vec![(Lang::FR, "Qapla'")]),
        (vec![("fr", " \u{202e}Gr\u{7}ève\n ")], vec![(Lang::FR, "Grève")]),
        (vec![("fr", "")], vec![]),
    ] {
        let given = wire::Alert { header_text: translated(&given), ..wire::Alert::default() };
        let got: Vec<(Lang, String)> = only_alert(given).unwrap().header.into_iter().collect();
        let expected: Vec<(Lang, String)> =
            expected.into_iter().map(|(lang, text)| (lang, text.to_owned())).collect();
        assert_eq!(got, expected);
    }
    let given = wire::Alert { header_text: translated(&[("fr", &long)]), ..wire::Alert::default() };
    assert_eq!(only_alert(given).unwrap().header[&Lang::FR], format!("{}…", "é".repeat(500)));
    // Latin-1 where UTF-8 should be: the rest of the alert is not lost.
    let mut text = translated(&[("fr", "Greve")]).unwrap();
    text.translation[0].text = Some(b"Gr\xe8ve".to_vec());
    let given = wire::Alert { header_text: Some(text), ..wire::Alert::default() };
    assert_eq!(only_alert(given).unwrap().header[&Lang::FR], "Gr\u{fffd}ve");
}

#[test]
fn periods_of_alerts() {
    let range = |start, end| TimeRange { start, end };
    let soon = Some(NOW + 60);
    for (given, expected) in [
        (vec![], Some(vec![])),
        (vec![range(None, None)], Some(vec![(None, None)])),
        (vec![range(Some(0), Some(253_402_300_799))], Some(vec![(None, None)])),
        (vec![range(Some(12), soon)], Some(vec![(None, soon.map(at))])),
        (vec![range(soon.map(|at| at * 1000), None)], Some(vec![(soon.map(at), None)])),
        (vec![range(soon, Some(NOW)), range(soon, None)], Some(vec![(soon.map(at), None)])),
        // Periods that never are must not become "always".
        (vec![range(soon, Some(NOW))], None),
        (vec![range(Some(u64::MAX), None)], None),
        (vec![range(None, Some(7))], None),
    ] {
        let got = only_alert(wire::Alert { active_period: given.clone(), ..wire::Alert::default() });
        assert_eq!(got.map(|alert| alert.periods), expected, "{given:?}");
    }
}

#[test]
fn whom_an_alert_is_for() {
    let of_trip = |day: &str| EntitySelector {
        trip: Some(TripDescriptor { start_date: text(day), route_id: text("R"), ..trip("T", 0) }),
        ..EntitySelector::default()
    };
    let nothing = EntitySelector::default();
    let agency = EntitySelector { agency_id: text("A"), ..nothing.clone() };
    let stop = EntitySelector { stop_id: text("S"), route_id: text("R2"), ..nothing.clone() };
    type Lists<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str]);
    let cases: [(Vec<EntitySelector>, Option<Lists>); 6] = [
        (vec![], Some((&[], &[], &[]))),
        (vec![of_route("R1"), of_route("R1"), stop], Some((&["R1", "R2"], &["S"], &[]))),
        (vec![of_trip("20270115")], Some((&[], &[], &["T"]))),
        (vec![of_route("R1"), agency], Some((&[], &[], &[]))),
        (vec![nothing], None),
        (vec![of_trip("20270231")], None),
    ];
    for (informed_entity, expected) in cases {
        let got = only_alert(wire::Alert { informed_entity, ..wire::Alert::default() });
        let got = got.map(|alert| (alert.routes, alert.stops, alert.trips));
        let owned = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(got, expected.map(|(routes, stops, trips)| (owned(routes), owned(stops), owned(trips))));
    }
    // About a train of one day, without a period: not about the same train tomorrow.
    let dated =
        only_alert(wire::Alert { informed_entity: vec![of_trip("20270115")], ..wire::Alert::default() })
            .unwrap();
    assert!(dated.is_active(at(NOW)) && !dated.is_active(at(NOW + 2 * 24 * 3600)));
}

#[test]
fn causes_and_effects_of_later_versions_are_unknown() {
    let given = wire::Alert { cause: Some(4), effect: Some(99), ..wire::Alert::default() };
    let alert = only_alert(given).unwrap();
    assert_eq!((alert.cause.as_str(), alert.effect.as_str()), ("strike", "unknown_effect"));
    assert_eq!(alert.as_of, at(NOW));
    assert_ne!(alert.as_of, Timestamp::default());
}
