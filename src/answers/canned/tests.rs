use super::*;
use crate::answers::responses::ResponseError;

fn load(text: &str) -> Result<Canned, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), text).unwrap();
    let told = |e: &ResponseError| format!("{}: {}; {}", e.line, e.what, e.cure);
    let facts = Some("timetable.departures".to_owned());
    let intents = [("service.invoice", None), ("schedules.next_departure", facts)];
    let spec = |(name, answer): (&str, _)| IntentSpec { name: name.into(), answer, ..IntentSpec::default() };
    Canned::load(folder.path(), Lang::FR, &intents.map(spec))
        .map_err(|errors| errors.0.iter().map(told).collect())
}

const GOOD: &str = "\
zeta:
  title: { fr: Fin, en: End }
  text:
    fr: |
      Bonjour {{ contact }},
      le train {{ train }} part de {{ station }}.
    en: Train {{ train }} leaves from {{ station }}.
alpha:
  holding: true
  title: { fr: Attente }
  text: { fr: 'Un instant.{% if open %} Nous sommes là.{% endif %}' }
";

#[test]
fn variables_are_filled_and_what_is_missing_is_a_gap() {
    let canned = load(GOOD).unwrap();
    let texts = BTreeMap::from([("train", "8745".to_owned()), ("contact", "  ".to_owned())]);
    let values = Values { texts, open: true };
    let french = canned.texts(Lang::FR, &values, &|_| None);
    let names: Vec<&str> = french.iter().map(|c| &*c.name).collect();
    assert_eq!(names, ["zeta", "alpha"], "in the order of the file");
    assert_eq!(french[0].text, "Bonjour [[nom du client]],\nle train 8745 part de [[gare]].");
    assert_eq!((french[0].holding, french[1].holding), (false, true));
    assert_eq!(french[1].text, "Un instant. Nous sommes là.");
    let english = canned.texts(Lang::EN, &values, &|_| None);
    assert_eq!(english[0].text, "Train 8745 leaves from [[station]].");
    assert_eq!(english[1].title, "Attente", "in the operator's language where there is no other");
    assert_eq!(gap(&french[0].text), Some("nom du client"));
}

#[test]
fn only_gaps_are_gaps() {
    for (text, expected) in [
        ("", None),
        ("a [[b]] c [[d]]", Some("b")),
        ("array[[0]", None),
        ("[[]]", Some("")),
        ("[[a\nb]]", None),
        ("x [[ [[y]]", Some("y")),
        (&format!("[[{}]]", "é".repeat(61)), None),
        ("[b]", None),
    ] {
        assert_eq!(gap(text), expected, "{text}");
    }
}

#[test]
fn mistakes_are_told_with_their_lines() {
    let text = "\
Bad name:
  title: { fr: A, en: B }
  text:
    fr: 'ok'
only:
  title: { en: Only }
  text:
    en: Only
broken:
  title: { fr: A }
  text:
    fr: |
      Une ligne,
      puis {{ nom }} et {{ train }}.
open:
  title: { fr: A }
  text:
    fr: 'Le {{ train'
nothing:
  title: { fr: A }
  text:
    fr: ' '
";
    let errors = load(text).unwrap_err();
    for expected in [
        "1: 'Bad name' cannot be typed",
        "2: 'Bad name' has a title in 'en' and no such text",
        "8: 'only' has no text in the operator's language 'fr'",
        "14: 'broken' in 'fr': unknown variable 'nom'; the variables here are agent, contact",
        "18: 'open' in 'fr': ",
        "22: 'nothing' in 'fr' is empty",
    ] {
        assert!(errors.iter().any(|error| error.starts_with(expected)), "{expected}: {errors:#?}");
    }
    assert_eq!(errors.len(), 6, "{errors:#?}");
    assert!(load("a:\n  titel: {}\n").unwrap_err()[0].starts_with("2: "));
    assert!(load("a: [").is_err());
}

#[test]
fn a_response_is_offered_in_its_own_words() {
    let text = "invoice:\n  title: { fr: Facture }\n  response: service.invoice\n";
    let canned = load(text).unwrap();
    assert!(canned.offers("service.invoice") && !canned.offers("service.fine"));
    let said = canned.texts(Lang::EN, &Values::default(), &|name| Some(format!("words of {name}")));
    assert_eq!((said[0].title.as_str(), said[0].text.as_str()), ("Facture", "words of service.invoice"));
    assert_eq!(canned.texts(Lang::FR, &Values::default(), &|_| None), []);
    for (text, expected) in [
        ("a:\n  title: { fr: A }\n  response: service.nothing\n", "3: 'a': 'service.nothing' is no response"),
        ("a:\n  title: { fr: A }\n  response: schedules.next_departure\n", "3: 'a': 'schedules.next"),
        ("a:\n  title: { en: A }\n  response: service.invoice\n", "2: 'a' has no title in the operator's"),
        ("a:\n  title: { fr: A }\n", "1: 'a' needs either a text or a response"),
    ] {
        let errors = load(text).unwrap_err();
        assert!(errors[0].starts_with(expected), "{expected}: {errors:?}");
    }
}

#[test]
fn the_shipped_replies_are_good_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pack = crate::nlu::IntentPack::load(&root.join("intents")).unwrap();
    let canned = Canned::load(&root.join("responses"), Lang::FR, &pack.specs);
    let canned = canned.unwrap_or_else(|errors| panic!("{errors}"));
    let texts = |lang| canned.texts(lang, &Values::default(), &|name| Some(format!("{lang} {name}")));
    let (french, english) = (texts(Lang::FR), texts(Lang::EN));
    assert_eq!(french.len(), english.len());
    assert!(french.iter().zip(&english).all(|(fr, en)| fr.text != en.text));
    assert!(french.iter().any(|c| c.holding));
    let none = Canned::load(Path::new("/nowhere"), Lang::FR, &[]).unwrap();
    assert!(none.texts(Lang::FR, &Values::default(), &|_| None).is_empty());
}
