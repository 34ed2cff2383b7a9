//! The shipped intent pack at work, read by n-grams so that every machine says the same: what the files beside this one ask for.
//! The figures with the encoder come from `guichet eval`; here are floors under which something is broken.

#![allow(clippy::unwrap_used)]

use guichet::app::{self, Library};
use guichet::config::{self, Config};
use guichet::model::Timestamp;
use guichet::nlu::evaluate::{Metrics, judge, read_cases};
use guichet::nlu::{Context, Nlu};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/understanding")
}

/// The environment of the machine is not what is tested; models are kept beside the build.
fn settings() -> Config {
    let set = [
        ("GUICHET__NLU__ENCODER", ""),
        ("GUICHET__FILES__CACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/understanding")),
    ];
    let environment = set.map(|(key, value)| (key.to_owned(), value.to_owned()));
    config::load(None, &BTreeMap::from(environment)).unwrap()
}

fn nlu() -> &'static Nlu {
    static NLU: OnceLock<Nlu> = OnceLock::new();
    NLU.get_or_init(|| {
        let config = settings();
        let library = Library::load(&config).map_err(|e| e.to_string()).unwrap();
        Nlu::train(library.pack, library.gazetteer, app::means(&config, None))
    })
}

fn lines<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[test]
fn held_out_messages_are_understood() {
    let cases = read_cases(&folder().join("held_out.jsonl")).unwrap();
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    cases.iter().for_each(|case| *counts.entry((case.intent.clone(), case.lang)).or_default() += 1);
    assert!(counts.values().all(|&count| count >= 15), "{counts:?}");
    let metrics = Metrics::of(&judge(nlu(), cases, Timestamp(1_772_000_000_000_000)));
    assert!(metrics.accuracy >= 0.79, "accuracy {}", metrics.accuracy);
    assert!(metrics.out_of_scope.auroc >= 0.92, "AUROC {}", metrics.out_of_scope.auroc);
    assert!(metrics.tone.accuracy >= 0.77, "tone {}", metrics.tone.accuracy);
    assert!(metrics.calibration.ece <= 0.10, "calibration error {}", metrics.calibration.ece);
}

#[derive(Deserialize)]
struct FollowUp {
    previous: String,
    text: String,
    intent: String,
}

#[test]
fn a_few_words_go_on_with_the_conversation_and_clear_ones_do_not() {
    let wrong: Vec<String> = lines::<FollowUp>("follow_ups.jsonl")
        .into_iter()
        .filter_map(|case| {
            let context = Context { previous: Some(case.previous), ..Context::default() };
            let got = nlu().understand(&case.text, &context).intents.remove(0).intent;
            (got != case.intent).then(|| format!("{}: {got}, not {}", case.text, case.intent))
        })
        .collect();
    // Three in twenty-four: short messages without a word of their intent are a guess.
    assert!(wrong.len() <= 3, "{wrong:#?}");
}

#[derive(Deserialize)]
struct Several {
    text: String,
    questions: Vec<String>,
}

#[test]
fn two_questions_in_one_message_are_found_in_order_and_one_is_left_whole() {
    let mut wrong = Vec::new();
    let cases = lines::<Several>("questions.jsonl");
    for case in &cases {
        let got = nlu().understand(&case.text, &Context::default());
        let found: Vec<&str> = got.questions.iter().map(|question| question.intent.as_str()).collect();
        if found != case.questions {
            wrong.push(format!("{}: {found:?}, not {:?}", case.text, case.questions));
        }
    }
    assert!(wrong.len() * 5 <= cases.len(), "{wrong:#?}");
}

#[test]
fn five_new_examples_are_learned_at_a_glance_and_then_properly() {
    let intents = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("intents");
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, intents.path().join(path.file_name().unwrap())).unwrap();
    }
    let config = settings();
    let library = Library::load(&config).map_err(|e| e.to_string()).unwrap();
    // From the shelf of the other tests, once they have filled it.
    nlu();
    let own = Nlu::train(library.pack, library.gazetteer, app::means(&config, None));
    let said = "ma trottinette à pédales volantes peut-elle dormir au vestiaire";
    let file = intents.path().join("service.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once("  station_services:").unwrap();
    let lines: String = ["", " svp", " cette nuit", " demain", " avec moi"]
        .map(|more| format!("        - {said}{more}\n"))
        .concat();
    let after = after.replacen("      fr: |\n", &format!("      fr: |\n{lines}"), 1);
    std::fs::write(&file, format!("{before}  station_services:{after}")).unwrap();
    let names = Library::load(&config).map_err(|e| e.to_string()).unwrap().gazetteer;
    own.reload(intents.path(), names, &|_, _| {}).unwrap();
    let best = |nlu: &Nlu| nlu.understand(said, &Context::default()).intents.remove(0).intent;
    assert_eq!(best(&own), "service.station_services");
    assert!(own.settle(), "what was learned at a glance is learned properly");
    assert!(!own.settle(), "once");
    assert_eq!(best(&own), "service.station_services");
}
