//! How well stations are found, with the files that the server loads.

use super::*;
use crate::nlu::aliases::AliasFile;
use crate::nlu::evaluate::{TestCase, read_cases};
use crate::nlu::model::common_words;
use crate::nlu::normalise::squeeze;
use crate::nlu::pack::IntentPack;
use crate::transit::Timetable;
use std::collections::BTreeMap;
use std::path::Path;

const ROLES: [&str; 5] = ["from", "to", "via", "at", "station"];

/// What was right, claimed and expected, over all roles of stations, and the messages read wrongly.
#[derive(Default)]
struct Score {
    right: usize,
    claimed: usize,
    expected: usize,
    wrong: Vec<String>,
}

impl Score {
    fn f1(&self) -> f64 {
        2.0 * self.right as f64 / (self.claimed + self.expected) as f64
    }

    fn add(&mut self, case: &TestCase, found: &[Entity]) {
        let none = BTreeMap::new();
        let expected = case.entities.as_ref().unwrap_or(&none).iter();
        let expected =
            expected.flat_map(|(role, texts)| texts.iter().map(move |text| (&**role, squeeze(text))));
        let expected: Vec<(&str, String)> = expected.filter(|(role, _)| ROLES.contains(role)).collect();
        let found = found.iter().filter(|entity| ROLES.contains(&&*entity.role));
        let mut left: Vec<(&str, String)> = found.map(|e| (&*e.role, squeeze(&e.surface))).collect();
        self.claimed += left.len();
        self.expected += expected.len();
        let mut missed = false;
        for wanted in &expected {
            match left.iter().position(|found| found == wanted) {
                Some(at) => {
                    left.swap_remove(at);
                    self.right += 1;
                }
                None => missed = true,
            }
        }
        if missed || !left.is_empty() {
            self.wrong.push(format!("{}\n  expected {expected:?}, too much {left:?}", case.text));
        }
    }
}

fn score(file: &str) -> Score {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = AliasFile::load(&root.join("intents/stations.yaml")).unwrap();
    let timetable = Timetable::load(&root.join("demo/gtfs"), "demo").unwrap();
    let stations = timetable.stations().to_vec();
    let gazetteer = Gazetteer::with_known(stations, &names.aliases, &names.known, &names.ordinary);
    let pack = IntentPack::load(&root.join("intents")).unwrap();
    let common = common_words(&pack);
    let timezone = TimeZone::get("Europe/Paris").unwrap();
    let now = Timestamp(1_750_000_000_000_000);
    let finder = Finder { gazetteer: &gazetteer, common: &common, timezone: &timezone, now, expected: None };
    let mut score = Score::default();
    for case in read_cases(&root.join("tests/understanding").join(file)).unwrap() {
        score.add(&case, &finder.find(&case.text, &Normalised::new(&case.text)));
    }
    score
}

#[test]
fn stations_with_their_roles_are_found_in_hard_messages() {
    let score = score("stations.jsonl");
    assert!(score.f1() >= 0.95, "F1 {:.4}\n{}", score.f1(), score.wrong.join("\n"));
}

#[test]
fn stations_with_their_roles_are_found_in_the_held_out_messages() {
    let score = score("held_out.jsonl");
    assert!(score.f1() >= 0.83, "F1 {:.4}\n{}", score.f1(), score.wrong.join("\n"));
}
