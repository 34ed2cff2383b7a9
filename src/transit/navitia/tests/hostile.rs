//! Answers with anything in the place of anything: an error or an answer, never a panic.

use super::super::map::Map;
use super::super::model::Answer;
use super::super::runs::Lists;
use super::super::testing::*;
use crate::config::StationIds;
use crate::model::Lang;
use jiff::civil::date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Every value of the document in turn, by its pointer.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| pointers(item, &format!("{at}/{i}"), found))
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            pointers(item, &format!("{at}/{key}"), found);
        }),
        _ => {}
    }
}

fn read(document: &Value) -> (usize, usize) {
    let Ok(answer) = serde_json::from_value::<Answer>(document.clone()) else { return (0, 1) };
    let ids = StationIds::new("OCE{}", "stop_area:SNCF:{}").unwrap();
    let map = Map { zone: TimeZone::get("Europe/Paris").unwrap(), ids: &ids, timetable: None, live: true };
    let (mut good, mut bad) = (0, 0);
    let mut count = |ok: bool| if ok { good += 1 } else { bad += 1 };
    answer.departures.iter().for_each(|passage| count(map.passage(passage).is_ok()));
    let sections = answer.journeys.iter().flat_map(|journey| &journey.sections);
    sections.filter(|section| section.kind == "public_transport").for_each(|s| count(map.section(s).is_ok()));
    let lists =
        Lists { base: &answer, live: Some(&answer), day: date(2025, 1, 10), lang: Lang::FR, as_of: now() };
    count(lists.runs(&map).is_ok());
    (good, bad)
}

#[test]
fn every_value_replaced_by_nonsense() {
    let document = json!({
        "departures": [passage("6607", "1830", Some("1840"), Some("no"))],
        "journeys": [{ "sections": [section("6607", ("1830", "2030"), Some(("1840", "2045")), Some("no"))] }],
        "vehicle_journeys": [vehicle_journey("6607", "", &[("1", "1830", "1830"), ("2", "2000", "2003"), ("3", "2130", "2130")], Some("no"))],
        "disruptions": [disruption("no", "NO_SERVICE", "<p>x</p>")],
        "context": context(),
    });
    assert_eq!(read(&document), (3, 0));
    let mut all = Vec::new();
    pointers(&document, "", &mut all);
    assert!(all.len() > 200);
    let strange = [
        Value::Null,
        json!(""),
        json!("99999999T999999"),
        json!("-0010101T000000"),
        json!("20250110T"),
        json!("é🚆\u{0}"),
        json!(-1e300),
        json!([]),
        json!({}),
        json!("x".repeat(100_000)),
    ];
    let mut refused = 0;
    for pointer in &all {
        for value in &strange {
            let mut changed = document.clone();
            *changed.pointer_mut(pointer).unwrap() = value.clone();
            refused += read(&changed).1;
        }
    }
    assert!(refused > 500, "{refused}");
}
