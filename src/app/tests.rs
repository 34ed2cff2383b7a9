use super::keep::follow_stations;
use super::*;
use crate::model::EntityValue;
use crate::nlu::Context;
use crate::nlu::evaluate::{TestCase, as_pack};
use crate::transit::testing::demo;
use std::cell::Cell;

/// The station that a message is read to speak of.
fn station(nlu: &Nlu, text: &str) -> Option<String> {
    let understood = nlu.understand(text, &Context::default());
    understood.entities.into_iter().find_map(|entity| match entity.value {
        EntityValue::Station { station } => Some(station.name),
        _ => None,
    })
}

fn pack() -> IntentPack {
    let lines = [
        ("prochain train pour Rennes", "s.next"),
        ("quand part le train", "s.next"),
        ("perdu mon sac", "s.lost"),
    ];
    let case = |(text, intent)| -> TestCase {
        serde_json::from_value(serde_json::json!({"text": text, "lang": "fr", "intent": intent})).unwrap()
    };
    as_pack(&lines.map(case), "test")
}

#[test]
fn stations_follow_the_timetable_in_service() {
    let nlu = Nlu::train(pack(), Gazetteer::new(Vec::new(), &[], &[]), Means::default());
    let timetable = TimetableHandle::default();
    let asked = Cell::new(0);
    let names = || {
        asked.set(asked.get() + 1);
        let stations = timetable.get().map(|table| table.stations().to_vec()).unwrap_or_default();
        Ok(Gazetteer::new(stations, &[], &[]))
    };
    let text = "prochain train pour Vitré";
    let known = follow_stations(&nlu, &names, &timetable, None);
    assert_eq!((station(&nlu, text), asked.get()), (None, 0));
    timetable.replace(demo());
    let known = follow_stations(&nlu, &names, &timetable, known);
    assert_eq!((station(&nlu, text).as_deref(), asked.get()), (Some("Vitré"), 1));
    let known = follow_stations(&nlu, &names, &timetable, known);
    assert_eq!(asked.get(), 1);
    // The alias file is broken: the stations stay.
    timetable.replace(demo());
    let broken = || Err(vec!["stations.yaml:1: no".to_owned()]);
    follow_stations(&nlu, &broken, &timetable, known);
    assert_eq!(station(&nlu, text).as_deref(), Some("Vitré"));
}
