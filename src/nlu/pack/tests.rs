use super::*;
use crate::model::EscalationReason;

fn load(files: &[(&str, &str)]) -> Result<IntentPack, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let intents = folder.path().join("intents");
    std::fs::create_dir(&intents).unwrap();
    for (name, text) in files {
        std::fs::write(intents.join(name), text).unwrap();
    }
    IntentPack::load(&intents).map_err(|errors| errors.iter().map(PackError::to_string).collect())
}

#[test]
fn reads_examples_with_their_lines_and_spans() {
    let text = "domain: s\nintents:\n  next:\n    about: x\n    slots:\n      from: { entity: station, ask: true }\n      train: { entity: train }\n    \
                enough: train, from + train\n    escalate: { always: true, reason: no_data, below: 0.4 }\n    examples:\n      fr: |\n        \
                - train de [Vitré](from)\n\n        - le [TER 12](train) ?\n      en: |\n        - train\n";
    let pack = load(&[("s.yaml", text)]).unwrap();
    assert_eq!(pack.specs[0].name, "s.next");
    assert_eq!(pack.specs[0].escalate.reason, Some(EscalationReason::NoData));
    assert_eq!(pack.specs[0].enough, [vec!["train"], vec!["from", "train"]]);
    let lines: Vec<usize> = pack.examples.iter().map(|example| example.line).collect();
    assert_eq!(lines, [12, 14, 16]);
    let first = &pack.examples[0];
    assert_eq!(&first.text[first.entities[0].1.clone()], "Vitré");
    assert_eq!(pack.hash.len(), 64);
}

#[test]
fn names_every_mistake_with_its_line() {
    let bad = "domain: s\nintents:\n  next:\n    about: x\n    color: red\n    slots:\n      when: { entity: station }\n    enough: when, train\n    \
               escalate: { reason: bored }\n    examples:\n      fr: |\n        - train [Vitré\n        - de [Vitré](start)\n  \
               empty:\n    about: y\n";
    let same = "domain: s\nintents:\n  empty:\n    about: z\n    examples:\n      fr: |\n        - a\n";
    let dialogue = "fr:\n  stop: stop\n  deadline:\n  before: avant\n";
    let files = [("bad.yaml", bad), ("same.yaml", same), ("worse.yaml", "a: ["), ("dialogue.yaml", dialogue)];
    let errors = load(&files).unwrap_err();
    for expected in [
        "intents/bad.yaml:5: unknown key 'color'. Cure: use one of: about, courtesy, keywords, answer, url, sample, slots, enough, whole, escalate, effect, examples",
        "intents/bad.yaml:7: the slot 'when' has the entity kind 'station'. Cure: write `entity: time`",
        "intents/bad.yaml:8: 'enough' names 'train', which is no slot of 's.next'. Cure: use its slots: when",
        "intents/bad.yaml:9: unknown reason 'bored'",
        "intents/bad.yaml:12: a '[' is not closed",
        "intents/bad.yaml:13: unknown entity role 'start'",
        "intents/bad.yaml:14: 's.empty' has no example",
        "intents/dialogue.yaml:1: no language has phrases for 'deadline'. Cure: add `deadline:` and its phrases",
        "intents/dialogue.yaml:3: 'deadline' has no text. Cure: write one line of text after it",
        "intents/dialogue.yaml:4: unknown key 'before'. Cure: use one of: stop, ",
        "intents/same.yaml:3: the intent 's.empty' is already defined at intents/bad.yaml:14",
        "intents/worse.yaml:1: not valid YAML",
    ] {
        assert!(errors.iter().any(|error| error.starts_with(expected)), "{expected}\n{errors:#?}");
    }
}
