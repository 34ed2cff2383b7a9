use super::*;
use crate::answers::{Registry, registry};
use crate::model::StationRef;
use crate::transit::testing::{Naive, demo, demo_path, id_of, paris};
use std::collections::BTreeMap;
use std::time::Duration;

fn slot(table: &Timetable, name: &str) -> EntityValue {
    let station = StationRef { id: id_of(table, name), name: name.to_owned() };
    EntityValue::Station { station }
}

fn query(slots: Vec<(&str, EntityValue)>, lang: Lang, now: &str) -> Query {
    let slots: BTreeMap<String, EntityValue> =
        slots.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Query {
        intent: "schedules.next_departure".into(),
        text: String::new(),
        contact: crate::model::ContactId::default(),
        slots,
        lang,
        now: paris(now),
    }
}

async fn ask(sources: &Registry, query: &Query) -> Lookup {
    sources.get("timetable.departures").unwrap().look_up(query).await
}

fn demo_sources() -> (Timetable, Registry) {
    (demo(), registry(&TimetableHandle::new(demo())))
}

#[tokio::test]
async fn tells_the_next_trains_with_their_source() {
    let (table, sources) = demo_sources();
    let slots = vec![("from", slot(&table, "Vitré")), ("to", slot(&table, "Rennes"))];
    let Lookup::Found { data, facts } = ask(&sources, &query(slots, Lang::FR, "2026-12-20T18:00")).await
    else {
        panic!("no answer");
    };
    assert_eq!(data["from"], json!({ "name": "Vitré", "short": "Vitré" }));
    assert_eq!(data["to"]["name"], "Rennes");
    assert_eq!(data["day"], Value::Null);
    assert_eq!(
        data["provenance"],
        "Horaires théoriques, réseau de démonstration inventé (données du 01/11/2026)."
    );
    let first = &data["departures"][0];
    assert_eq!((&first["time"], &first["arrival"]), (&json!("18:05"), &json!("18:28")));
    assert_eq!((&first["brand"], &first["to"]), (&json!("Littoral"), &json!("Rennes")));
    assert_eq!(data["departures"].as_array().unwrap().len(), LISTED);
    assert_eq!(facts.len(), LISTED);
    let train = first["train"].as_str().unwrap();
    assert_eq!(facts[0].value, format!("departure {train} Vitré 2026-12-20 18:05 to Rennes"));
    assert_eq!(facts[0].source, "timetable: Guichet demo (invented)");
    assert_eq!(facts[0].as_of, paris("2026-11-01T00:00"));
}

#[tokio::test]
async fn no_train_is_told_that_the_feed_does_not_hold() {
    let (table, sources) = demo_sources();
    let naive = Naive::read(&demo_path());
    for (from, to) in [("Vitré", "Rennes"), ("Lyon Part-Dieu", "Vienne"), ("Brest", "Paris Montparnasse")] {
        for now in ["2026-12-20T05:10", "2026-12-21T17:30", "2026-12-25T23:30"] {
            let slots = vec![("from", slot(&table, from)), ("to", slot(&table, to))];
            let until = paris(&format!("{}T12:00", &now[..10])).plus(Duration::from_secs(16 * 3600));
            let mut expected = naive.trains(&id_of(&table, from), &id_of(&table, to), paris(now), until);
            expected.truncate(LISTED);
            let expected: Vec<_> =
                expected.iter().map(|row| table.local(row.0).strftime("%H:%M").to_string()).collect();
            match ask(&sources, &query(slots, Lang::FR, now)).await {
                Lookup::Found { data, .. } => {
                    let told: Vec<_> = data["departures"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|row| row["time"].as_str().unwrap())
                        .collect();
                    assert_eq!(told, expected, "{from} {to} {now}");
                }
                Lookup::Nothing { .. } => assert!(expected.is_empty(), "{from} {to} {now}"),
                Lookup::NoData { why } => panic!("{from} {to} {now}: {why}"),
            }
        }
    }
}

#[tokio::test]
async fn another_day_is_named() {
    let (table, sources) = demo_sources();
    let when = |from: &str, to: &str| EntityValue::Time { start: paris(from), end: paris(to) };
    for (time, lang, day, first) in [
        (when("2026-12-19T06:00", "2026-12-19T12:00"), Lang::FR, json!("demain"), "06:05"),
        (when("2026-12-19T06:00", "2026-12-19T12:00"), Lang::EN, json!("tomorrow"), "06:05"),
        (when("2026-12-20T06:00", "2026-12-20T06:00"), Lang::FR, json!("dimanche 20 décembre"), "06:05"),
        (when("2026-12-20T06:00", "2026-12-20T06:00"), Lang::EN, json!("Sunday 20 December"), "06:05"),
        // "today", asked at 18:00: what is over is over.
        (when("2026-12-18T00:00", "2026-12-19T00:00"), Lang::FR, Value::Null, "18:00"),
    ] {
        let slots = vec![("from", slot(&table, "Vitré")), ("to", slot(&table, "Rennes")), ("when", time)];
        let Lookup::Found { data, .. } = ask(&sources, &query(slots, lang, "2026-12-18T18:00")).await else {
            panic!("no answer");
        };
        assert_eq!((&data["day"], &data["departures"][0]["time"]), (&day, &json!(first)));
    }
}

#[tokio::test]
async fn nothing_left_is_said_and_the_unknown_is_not() {
    let (table, sources) = demo_sources();
    let (from, to) = (slot(&table, "Paris Gare de Lyon"), slot(&table, "Lyon Part-Dieu"));
    let late = query(vec![("from", from.clone()), ("to", to)], Lang::EN, "2026-12-20T23:50");
    let Lookup::Nothing { data, facts } = ask(&sources, &late).await else { panic!("a train at night") };
    assert_eq!(data["departures"], json!([]));
    assert_eq!(
        data["provenance"],
        "Scheduled times, invented demonstration network (data of 1 November 2026)."
    );
    assert!(facts[0].value.starts_with("no departure Paris Gare de Lyon to Lyon Part-Dieu"));

    let alias = EntityValue::Station {
        station: StationRef { id: "alias:quimperle".into(), name: "Quimperlé".into() },
    };
    let options = vec![StationRef { id: "SDN".into(), name: "Saint-Denis".into() }];
    let brest = slot(&table, "Brest");
    for (slots, now, why) in [
        (vec![], "2026-12-20T18:00", "'from' is empty"),
        (vec![("from", alias)], "2026-12-20T18:00", "not served"),
        (vec![("from", EntityValue::Ambiguous { options })], "2026-12-20T18:00", "ambiguous"),
        (vec![("from", from.clone()), ("to", from.clone())], "2026-12-20T18:00", "is the destination"),
        (vec![("from", from.clone()), ("to", brest)], "2026-12-20T18:00", "without a change"),
        (vec![("from", from.clone())], "2036-01-01T18:00", "outside the timetable"),
        (vec![("from", EntityValue::Line { name: "C".into() })], "2026-12-20T18:00", "holds no station"),
        (vec![("from", from.clone()), ("when", from.clone())], "2026-12-20T18:00", "holds no time"),
    ] {
        match ask(&sources, &query(slots, Lang::FR, now)).await {
            Lookup::NoData { why: said } => assert!(said.contains(why), "{said}"),
            other => panic!("{why}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_new_timetable_takes_over_without_a_restart() {
    let handle = TimetableHandle::default();
    let sources = registry(&handle);
    let table = demo();
    let asked = query(vec![("from", slot(&table, "Vitré"))], Lang::FR, "2026-12-20T18:00");
    assert!(matches!(ask(&sources, &asked).await, Lookup::NoData { .. }));
    handle.replace(table);
    assert!(matches!(ask(&sources, &asked).await, Lookup::Found { .. }));
}

#[test]
fn samples_have_the_shape_of_answers() {
    let table = demo();
    let asked = query(vec![("from", slot(&table, "Vitré"))], Lang::FR, "2026-12-20T18:00");
    let Ok(Lookup::Found { data, .. }) = answer(&table, &asked) else { panic!("no answer") };
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for sample in samples().found.iter().chain(&samples().nothing) {
        assert_eq!(keys(sample), keys(&data));
        assert_eq!(keys(&sample["from"]), keys(&data["from"]));
        for row in sample["departures"].as_array().unwrap() {
            assert_eq!(keys(row), keys(&data["departures"][0]));
        }
    }
}
