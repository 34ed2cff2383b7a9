use super::*;
use crate::nlu::pack::IntentPack;

const RASA: &str = r#"version: "3.1"
nlu:
- intent: schedules/next
  examples: |
    - train de [Vitré](from) à [Rennes]{"entity": "station", "role": "to"}
    - le [TER](brand:ter) de [8h](when)
- synonym: rennes
  examples: |
    - RNS
- intent: bonjour
  examples:
  - text: coucou [sic
"#;

#[test]
fn reads_rasa_and_says_what_it_left_out() {
    let read = from_rasa(RASA, Some(Lang::FR)).unwrap();
    let texts: Vec<(&str, &str, usize)> =
        read.examples.iter().map(|e| (e.intent.as_str(), e.text.as_str(), e.line)).collect();
    assert_eq!(
        texts,
        [
            ("schedules/next", "train de [Vitré](from) à [Rennes](to)", 5),
            ("schedules/next", "le TER de [8h](when)", 6),
            ("bonjour", "coucou (sic", 12),
        ]
    );
    assert_eq!(read.unknown_entities, ["brand"]);
    assert_eq!(read.passed_over, ["synonym"]);
    assert!(from_rasa("a: b", None).unwrap_err().to_string().contains("no list `nlu:`"));
    assert_eq!(from_rasa("nlu:\n- intent: x\n  examples: |\n    hello\n", None).unwrap_err().line, 4);
}

#[test]
fn reads_tables() {
    let csv = "intent,text,lang\nschedules.next,\"train, please\",en\nschedules.next,[a],\n";
    let read = from_csv(csv, Some(Lang::FR)).unwrap();
    assert_eq!(read.examples[0].text, "train, please");
    assert_eq!((read.examples[1].text.as_str(), read.examples[1].lang), ("(a)", Some(Lang::FR)));
    assert_eq!(from_csv("a,b\n1,2\n", None).unwrap_err().line, 1);
    assert_eq!(from_csv("text,intent,lang\nx,y,french\n", None).unwrap_err().line, 2);
    let lines = "{\"text\":\"a\",\"intent\":\"x.y\"}\n\n{\"text\":1}\n";
    assert_eq!(from_json_lines(lines, None).unwrap_err().line, 3);
}

#[test]
fn names_of_others_become_ours() {
    for (foreign, ours) in [
        ("schedules.next", "schedules.next"),
        ("faq/Ask Price", "faq.ask_price"),
        ("Greet-Me", "imported.greet_me"),
        ("nlu_fallback", "out_of_scope"),
    ] {
        assert_eq!(intent_name(foreign), ours);
    }
}

#[test]
fn examples_go_into_the_files_and_come_back_as_rasa() {
    let folder = tempfile::tempdir().unwrap();
    let intents = folder.path().join("intents");
    std::fs::create_dir(&intents).unwrap();
    let text = "# kept\ndomain: s\nintents:\n  next:\n    about: x\n    examples:\n      fr: |\n        - train de [Vitré](from)\n  \
                last:\n    about: the last\n    examples:\n      fr: |\n        - dernier train\n";
    std::fs::write(intents.join("s.yaml"), text).unwrap();
    let pack = IntentPack::load(&intents).unwrap();
    let new = |intent: &str, lang, text: &str| {
        let example = Foreign { intent: intent.into(), lang: Some(lang), text: text.into(), line: 1 };
        (intent.to_owned(), lang, example)
    };
    let examples = vec![
        new("s.next", Lang::FR, "un train   pour [Rennes](to)"),
        new("s.next", Lang::FR, "Train de Vitré !"),
        new("s.next", Lang::EN, "a train"),
        new("s.first", Lang::FR, "premier train"),
        new("faq.price", Lang::EN, "how much"),
    ];
    let done = insert(&pack, &intents, examples).unwrap();
    assert_eq!(done.known, 1);
    done.files.iter().for_each(|(path, content)| std::fs::write(path, content).unwrap());
    let pack = IntentPack::load(&intents).unwrap();
    let of = |intent: &str| pack.examples.iter().filter(|e| e.intent == intent).count();
    assert_eq!([of("s.next"), of("s.last"), of("s.first"), of("faq.price")], [3, 1, 1, 1]);
    assert!(std::fs::read_to_string(intents.join("s.yaml")).unwrap().starts_with("# kept\n"));

    let rasa = to_rasa(&pack, Lang::FR);
    let back = from_rasa(&rasa, Some(Lang::FR)).unwrap();
    let texts: Vec<&str> = back.examples.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(
        texts,
        ["premier train", "dernier train", "train de [Vitré](from)", "un train pour [Rennes](to)"]
    );
}
