use super::*;

fn read_text(name: &str, text: &str) -> Result<Vec<Dialogue>, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let shorter = |error: &FileError| {
        let prefix = format!("{}/", folder.path().display());
        error.to_string().replace(&prefix, "")
    };
    read(&[path]).map_err(|errors| errors.iter().map(shorter).collect())
}

const YAML: &str = "\
- id: one
  lang: fr
  channel: sms
  at: 2026-11-17T18:04
  turns:
    - customer: 2
      after_s: 1.5
      expect: {intent: a.b, slots: {train: 8745, to: null, when: 18:04}, action: 'ask:to', reply_contains: [8745, Brest]}
# two
- id: two
  lang: en
  channel: webchat
  turns:
    - customer: no
      expect: { reply_contains: Brest }
";

#[test]
fn yaml_and_json_lines_say_the_same() {
    let json = r#"{"id":"one","lang":"fr","channel":"sms","at":"2026-11-17T18:04","turns":[{"customer":"2","after_s":1.5,"expect":{"intent":"a.b","slots":{"train":8745,"to":null,"when":"18:04"},"action":"ask:to","reply_contains":["8745","Brest"]}}]}

{"id":"two","lang":"en","channel":"webchat","turns":[{"customer":"no","expect":{"reply_contains":"Brest"}}]}
"#;
    let strip = |dialogues: Vec<Dialogue>| -> Vec<Dialogue> {
        dialogues.into_iter().map(|d| Dialogue { file: String::new(), line: 0, ..d }).collect()
    };
    let yaml = read_text("a.yaml", YAML).unwrap();
    assert_eq!(yaml.iter().map(|d| d.line).collect::<Vec<_>>(), [1, 10]);
    let lines = read_text("a.jsonl", json).unwrap();
    assert_eq!(lines.iter().map(|d| d.line).collect::<Vec<_>>(), [1, 3]);
    let first = &yaml[0].turns[0];
    assert_eq!((first.customer.as_str(), first.after_s), ("2", Duration::from_millis(1_500)));
    assert_eq!(first.expect.action, Some(Action::Ask("to".into())));
    let slot = |name: &str| first.expect.slots[name].clone().map(|Value(text)| text);
    assert_eq!([slot("train"), slot("to"), slot("when")], [Some("8745".into()), None, Some("18:04".into())]);
    assert_eq!(yaml[1].turns[0].after_s, PAUSE);
    assert_eq!(strip(yaml), strip(lines));
}

#[test]
fn it_begins_on_the_clock_of_the_operator_unless_an_offset_is_named() {
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let start = |at: Option<&str>| {
        let at = at.map(|at| serde_json::from_value(serde_json::json!(at)).unwrap());
        let dialogue = Dialogue {
            id: "a".into(),
            lang: Lang::FR,
            channel: "sms".into(),
            at,
            turns: Vec::new(),
            file: String::new(),
            line: 1,
        };
        dialogue.start(&paris).to_string()
    };
    assert_eq!(start(Some("2026-07-01T08:30")), "2026-07-01T06:30:00Z");
    assert_eq!(start(Some("2026-07-01T08:30-04:00")), "2026-07-01T12:30:00Z");
    assert_eq!(start(None), "2026-11-17T07:30:00Z");
}

#[test]
fn each_mistake_is_told_with_its_line() {
    let turn = r#""turns":[{"customer":"a"}]"#;
    let bad = [
        r#"{"id":"a","lang":"fr","channel":"sms","turns":[{"customer":"a","expect":{"acton":"answer"}}]}"#
            .to_owned(),
        format!(r#"{{"id":"b","lang":"french","channel":"sms",{turn}}}"#),
        r#"{"id":"c","lang":"fr","channel":"sms","turns":[]}"#.to_owned(),
        r#"{"id":"d","lang":"fr","channel":"sms","turns":[{"customer":"a","expect":{"action":"reply"}}]}"#
            .to_owned(),
        format!(r#"{{"id":"e","lang":"fr","channel":"sms","at":"demain",{turn}}}"#),
        r#"{"id":"f","lang":"fr","channel":"sms","turns":[{"customer":"a","after_s":-1}]}"#.to_owned(),
        r#"{"id":"g","#.to_owned(),
    ];
    let errors = read_text("bad.jsonl", &bad.join("\n")).unwrap_err();
    let needles = [
        "acton",
        "'french' is not a language",
        "no turns",
        "'reply' is no action",
        "'demain'",
        "after_s",
        "EOF",
    ];
    assert_eq!(errors.len(), needles.len(), "{errors:#?}");
    for (at, (error, needle)) in errors.iter().zip(needles).enumerate() {
        assert!(error.starts_with(&format!("bad.jsonl:{}: ", at + 1)) && error.contains(needle), "{error}");
        assert!(error.contains(". Cure: "), "{error}");
    }
    let wrong_key = YAML.replace("expect: { reply_contains", "expects: { reply_contains");
    let errors = read_text("bad.yaml", &wrong_key).unwrap_err();
    assert!(errors[0].starts_with("bad.yaml:15: ") && errors[0].contains("expects"), "{errors:?}");
    let errors = read_text("bad.yaml", &YAML.replace("id: two", "id: one")).unwrap_err();
    assert!(errors[0].starts_with("bad.yaml:10: id 'one' is also at "), "{errors:?}");
    assert!(read_text("empty.jsonl", "\n").unwrap_err()[0].contains("no dialogue"));
    assert!(read_text("a.txt", YAML).unwrap_err()[0].contains("format"));
}

#[test]
fn a_folder_is_its_files_in_order_and_an_empty_one_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read(&[folder.path().to_owned()]).unwrap_err().len(), 1);
    std::fs::create_dir(folder.path().join("more")).unwrap();
    std::fs::write(folder.path().join("more/z.yaml"), YAML).unwrap();
    std::fs::write(folder.path().join("a.yaml"), YAML.replace("id: ", "id: a-")).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not read").unwrap();
    let ids: Vec<String> =
        read(&[folder.path().to_owned()]).unwrap().into_iter().map(|dialogue| dialogue.id).collect();
    assert_eq!(ids, ["a-one", "a-two", "one", "two"]);
}
