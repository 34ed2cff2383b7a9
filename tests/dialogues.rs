//! The shipped dialogues, through the real engine. Managers run the same by `guichet simulate tests/dialogues`.

#![allow(clippy::unwrap_used)]

use guichet::config::{self, Config};
use guichet::simulate::report::{Outcome, Report, shown};
use guichet::simulate::{Simulator, dialogue};
use std::collections::BTreeMap;
use std::path::Path;

/// The environment of the machine is not what is tested; models are kept beside the build, those of each encoder apart.
fn settings(encoder: &str) -> Config {
    let folder = if encoder.is_empty() { "understanding" } else { "dialogues" };
    let cache = &format!("{}/{folder}", env!("CARGO_TARGET_TMPDIR"));
    let set = [("GUICHET__NLU__ENCODER", encoder), ("GUICHET__FILES__CACHE", cache)];
    let environment = set.map(|(key, value)| (key.to_owned(), value.to_owned()));
    config::load(None, &BTreeMap::from(environment)).unwrap()
}

/// Tells what differed, and panics.
async fn all_pass(encoder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let all = dialogue::read(&[folder])
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
    let dialogues = all.unwrap();
    let by_lang = |code: &str| dialogues.iter().filter(|dialogue| dialogue.lang.as_str() == code).count();
    assert!(by_lang("fr") >= 36 && by_lang("en") >= 24, "at least so many are shipped");
    let simulator = Simulator::prepare(&settings(encoder), &|_, _| {}).unwrap();
    assert_eq!(simulator.model_name(), if encoder.is_empty() { "ngram" } else { "encoder" });
    let mut outcomes = Vec::new();
    for dialogue in dialogues {
        let turns = simulator.play(&dialogue).await.unwrap();
        outcomes.push(Outcome { dialogue, turns });
    }
    let report = Report::of(simulator.model_name(), &outcomes);
    let differences: String = outcomes.iter().map(|outcome| shown(outcome, false)).collect();
    assert!(report.all_passed(), "\n{differences}{}", report.totals());
}

#[tokio::test]
async fn the_shipped_dialogues_pass_with_ngrams() {
    all_pass("").await;
}

/// With the model that is shipped. Learning the pack anew takes minutes; from the shelf it is at once.
#[cfg(feature = "encoder")]
#[tokio::test]
async fn the_shipped_dialogues_pass_with_the_encoder() {
    let folder = "models/guichet-fr-en";
    assert!(Path::new(folder).exists(), "{folder} is not there. Cure: a clone with its files");
    all_pass(folder).await;
}
