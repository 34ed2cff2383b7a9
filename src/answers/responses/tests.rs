use super::*;
use crate::answers::{Registry, registry};
use crate::model::SlotSpec;
use crate::sms::Encoding;
use crate::transit::TimetableHandle;
use serde_json::{Value, json};
use std::path::Path;

fn sources() -> Registry {
    registry(&crate::transit::testing::scheduled(&TimetableHandle::default()))
}

fn intent(name: &str, answer: Option<&str>, asked: &[&str]) -> IntentSpec {
    let slot = |name: &&str| SlotSpec {
        name: (*name).to_owned(),
        entity: "station".to_owned(),
        ask: true,
        default: None,
    };
    IntentSpec {
        name: name.to_owned(),
        answer: answer.map(str::to_owned),
        slots: asked.iter().map(slot).collect(),
        ..IntentSpec::default()
    }
}

fn intents() -> Vec<IntentSpec> {
    vec![
        intent("schedules.next_departure", Some("timetable.departures"), &["from"]),
        intent("general.thanks", None, &[]),
        intent("out_of_scope.out_of_scope", None, &[]),
    ]
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    dir
}

fn load(dir: &Path) -> Result<Responses, ResponseErrors> {
    Responses::load(dir, Lang::FR, &intents(), &sources())
}

/// The errors as `fr/file.yaml:line: …`.
fn errors(files: &[(&str, &str)]) -> Vec<String> {
    let dir = folder(files);
    let prefix = format!("{}/", dir.path().display());
    let errors = load(dir.path()).unwrap_err();
    errors.0.iter().map(|error| error.to_string().replace(&prefix, "")).collect()
}

const SCHEDULES: &str = r#"# what is asked most
next_departure:
  text: |
    Départs {{ from.name }}{% if to %} → {{ to.name }}{% endif %} :
    {% for d in departures %}
      {{ d.time }} {{ d.brand }}  {{ d.train }}
    {% endfor %}


    {{ provenance }}
  sms: "{{ from.short }}: {% for d in departures[:3] %}{{ d.time }} {% endfor %}"
  none: Plus de train direct{% if day %} {{ day }}{% endif %}.
  ask_from: De quelle gare partez-vous ?
"#;

fn departures() -> Value {
    let row = |time: &str| json!({ "time": time, "brand": "Alizé", "train": "8745" });
    json!({
        "from": { "name": "Vitré & <Co>", "short": "Vitré" }, "to": null, "day": null,
        "departures": [row("18:04"), row("19:04")], "provenance": "Théorique.",
        "operator": "Op", "help_url": "h", "hours": "7h",
    })
}

#[test]
fn renders_each_variant_tidily() {
    let dir = folder(&[
        ("fr/schedules.yaml", SCHEDULES),
        ("fr/general.yaml", "thanks:\n  text: De rien, {{ operator }} !\n"),
        ("fr/out_of_scope.yaml", "out_of_scope:\n  text: Désolé.\n"),
        ("en/general.yaml", "thanks:\n  text: You're welcome!\n"),
    ]);
    let responses = load(dir.path()).unwrap();
    let key = "schedules.next_departure";
    for (key, variant, lang, expected) in [
        (
            key,
            Variant::Text,
            Lang::FR,
            "Départs Vitré & <Co> :\n\n18:04 Alizé 8745\n\n19:04 Alizé 8745\n\nThéorique.",
        ),
        (key, Variant::Sms, Lang::FR, "Vitré: 18:04 19:04"),
        (key, Variant::None, Lang::FR, "Plus de train direct."),
        (key, Variant::Ask("from"), Lang::FR, "De quelle gare partez-vous ?"),
        ("general.thanks", Variant::Text, Lang::EN, "You're welcome!"),
        ("general.thanks", Variant::Sms, Lang::EN, "You're welcome!"), // sms falls back to text
        (key, Variant::Ask("from"), Lang::EN, "De quelle gare partez-vous ?"), // en to the default language
        ("out_of_scope", Variant::Text, Lang::FR, "Désolé."),
    ] {
        assert_eq!(responses.render(key, variant, lang, &departures()).unwrap(), expected);
    }
    assert_eq!(responses.languages(), [Lang::EN, Lang::FR]);
    let sms = responses.sms_lengths().iter().find(|sms| sms.variant == "sms").unwrap();
    assert_eq!((sms.written.encoding, sms.written.segments), (Encoding::Gsm7, 1));
    let missing = responses.render("general.nothing", Variant::Text, Lang::FR, &json!({})).unwrap_err();
    assert!(missing.to_string().contains("general.nothing"));
    let strict = responses.render("general.thanks", Variant::Text, Lang::FR, &json!({})).unwrap_err();
    assert!(matches!(strict, RenderError::Template { .. }), "{strict}");
}

#[test]
fn every_error_is_told_with_its_line_and_cure() {
    let broken =
        "next_departure:\n  text: |\n    Bonjour\n    {{ fro.name }}\n  none: |\n    {% if day %}\n    oui\n";
    let found = errors(&[
        ("fr/schedules.yaml", broken),
        ("fr/general.yaml", "thanks:\n  sms: ok\n  smss: non\n"),
        ("fr/broken.yaml", "a:\n  text: [\n"),
        ("french/general.yaml", "a:\n  text: b\n"),
    ]);
    let has = |start: &str, part: &str| {
        assert!(
            found.iter().any(|line| line.starts_with(start) && line.contains(part)),
            "{start} {part}: {found:#?}"
        );
    };
    has("fr/schedules.yaml:4: ", "unknown variable 'fro'; the variables here are ");
    has("fr/schedules.yaml:", "'schedules.next_departure' (none): syntax error");
    has("fr/general.yaml:2: ", "has no 'text'");
    has(
        "fr/general.yaml:3: ",
        "unknown key 'smss'; use text, sms, sms_short, none, none_short or ask_<slot>",
    );
    has("fr/broken.yaml:", "");
    has("french:0: ", "'french' is not a language");
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn wrong_fields_and_hidden_branches_are_found() {
    for (template, line, part) in [
        ("text: \"{{ from.nom }}\"", 2, "undefined value"),
        ("text: |\n    a\n    {% for d in departures %}{{ d.delay }}{% endfor %}", 4, "undefined value"),
        ("text: \"{% if to and not to %}{{ hidden }}{% endif %}x\"", 2, "unknown variable 'hidden'"),
        ("text: \"{% include 'etc/passwd' %}\"", 2, "template"),
        ("text: \"{{ none }}\"\n  ask_from: \"{{ from.name }}\"", 3, "unknown variable 'from'"),
        ("text: \"{% if false %}a{% endif %}\"", 2, "renders to nothing"),
    ] {
        let found = errors(&[("fr/schedules.yaml", &format!("next_departure:\n  {template}\n"))]);
        let start = format!("fr/schedules.yaml:{line}: ");
        assert!(
            found.iter().any(|error| error.starts_with(&start) && error.contains(part)),
            "{template}: {found:#?}"
        );
    }
}

#[test]
fn absent_folders_and_languages_are_errors() {
    assert!(load(Path::new("/nowhere")).is_err());
    let found = errors(&[("en/general.yaml", "thanks:\n  text: ok\n")]);
    assert!(found[0].contains("default language 'fr'"), "{found:?}");
}

#[test]
fn what_does_not_meet_is_reported() {
    let dir = folder(&[
        ("fr/general.yaml", "thanks:\n  text: ok\nold:\n  text: ok\n"),
        ("fr/schedules.yaml", "next_departure:\n  text: ok\n"),
    ]);
    let found = load(dir.path()).unwrap().missing(&intents());
    let (lang, key) = (Lang::FR, |key: &str| key.to_owned());
    for expected in [
        Mismatch::NoResponse { lang, key: key("out_of_scope") },
        Mismatch::NoResponse { lang, key: key("system.escalated") },
        Mismatch::NoVariant { lang, key: key("schedules.next_departure"), variant: "none".to_owned() },
        Mismatch::NoVariant { lang, key: key("schedules.next_departure"), variant: "ask_from".to_owned() },
        Mismatch::Unreachable { lang, key: key("general.old") },
    ] {
        assert!(found.contains(&expected), "{expected}: {found:?}");
    }
    assert_eq!(found.len(), 4 + SYSTEM_COUNT, "{found:?}");
}

const SYSTEM_COUNT: usize = check::SYSTEM_MESSAGES.len() + notices::MESSAGES.len();

#[test]
fn the_packs_own_responses_load() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("responses");
    if !dir.exists() {
        eprintln!("absent, not tested: responses/");
        return;
    }
    let intents = crate::nlu::IntentPack::load(&dir.with_file_name("intents")).unwrap().specs;
    Responses::load(&dir, Lang::FR, &intents, &sources()).unwrap_or_else(|errors| panic!("{errors}"));
}

#[test]
fn templates_of_an_own_answer_are_checked_with_the_intents_sample_or_not_rendered() {
    let text = "own:\n  text: \"{{ seats }} {{ provenance }}{{ seat }}\"\n  none: \"{{ whatever }}\"\n";
    let dir = folder(&[("fr/sales.yaml", text)]);
    let mut intents = vec![intent("sales.own", Some("http"), &[])];
    let load = |intents: &[IntentSpec]| Responses::load(dir.path(), Lang::FR, intents, &sources());
    assert!(load(&intents).is_ok(), "without a sample nothing is known");
    intents[0].sample.found = Some(json!({ "seats": 12 }));
    let errors = load(&intents).unwrap_err().to_string();
    assert!(errors.contains("sales.yaml:2: 'sales.own' (text): unknown variable 'seat'"), "{errors}");
    intents[0].sample.found = Some(json!({ "seats": 12, "seat": "12A" }));
    assert!(load(&intents).is_ok());
}

#[test]
fn what_a_template_cannot_say_is_no_data() {
    use crate::answers::Lookup;
    let text = "own:\n  text: \"{{ operator }} {{ seats }}\"\n  sms: \"{% if short %}{{ short }}{% endif %}\"\n  none: \"{{ day }}\"\n";
    let dir = folder(&[("fr/sales.yaml", text)]);
    let intents = [intent("sales.own", Some("http"), &[])];
    let responses = Responses::load(dir.path(), Lang::FR, &intents, &sources()).unwrap();
    let found = |data| Lookup::Found { data, facts: Vec::new() };
    let nothing = |data| Lookup::Nothing { data, facts: Vec::new() };
    // English has no such response: it speaks French.
    let sayable = |lookup: &Lookup| responses.sayable("sales.own", Lang::EN, lookup.clone());
    for good in [
        found(json!({ "seats": 12, "short": "12" })),
        nothing(json!({ "day": "demain" })),
        Lookup::NoData { why: "closed".into() },
    ] {
        assert_eq!(sayable(&good), good);
    }
    for (bad, why) in [
        (found(json!({ "short": "12" })), "does not render"),
        (found(json!({ "seats": 12, "short": "" })), "renders to nothing"),
        (found(json!({ "seats": 12 })), "does not render"),
        (nothing(json!({})), "does not render"),
    ] {
        let said = sayable(&bad);
        assert!(matches!(&said, Lookup::NoData { why: found } if found.contains(why)), "{said:?}");
    }
}
