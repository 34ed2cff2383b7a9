//! Whatever is sent: no panic, spans that hold, a bounded answer.

#![allow(clippy::unwrap_used)]

use guichet::model::{Lang, OUT_OF_SCOPE, StationRef, Timestamp};
use guichet::nlu::entities::{Expected, MAX_ENTITIES, stations::Gazetteer};
use guichet::nlu::evaluate::{TestCase, as_pack};
use guichet::nlu::{Context, Means, Nlu};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::sync::LazyLock;

static NLU: LazyLock<Nlu> = LazyLock::new(|| {
    let lines = [
        ("prochain train pour Rennes", "fr", "schedules.next_departure"),
        ("a quelle heure part le train", "fr", "schedules.next_departure"),
        ("when is the next train to Brest", "en", "schedules.next_departure"),
        ("j'ai perdu mon sac", "fr", "service.lost_property"),
        ("sac oublié dans le train", "fr", "service.lost_property"),
        ("i lost my bag on the train", "en", "service.lost_property"),
        ("recette de gâteau", "fr", "out_of_scope"),
        ("tell me a joke", "en", "out_of_scope"),
    ];
    let case = |(text, lang, intent)| -> TestCase {
        serde_json::from_value(serde_json::json!({"text": text, "lang": lang, "intent": intent})).unwrap()
    };
    let cases: Vec<TestCase> = lines.into_iter().map(case).collect();
    let names = ["Rennes", "Brest", "Vitré", "Le Mans", "Paris Est", "Paris Nord", "Saint-Malo"];
    let station = |name: &&str| StationRef { id: name.to_string(), name: name.to_string() };
    let gazetteer = Gazetteer::new(names.iter().map(station).collect(), &[], &[]);
    let timezone = Some(TimeZone::get("Europe/Paris").unwrap());
    Nlu::train(as_pack(&cases, "test"), gazetteer, Means { timezone, ..Means::default() })
});

fn check(text: &str, now: i64, expected: Option<Expected>) {
    let context = Context {
        conversation_lang: Some(Lang::EN),
        now: Timestamp(now),
        expected,
        previous: Some("schedules.next_departure".into()),
        patient: false,
    };
    let got = NLU.understand(text, &context);
    assert!(!got.intents.is_empty() && got.intents.len() <= 6);
    assert!(got.intents.iter().any(|score| score.intent == OUT_OF_SCOPE));
    assert!(got.intents.iter().all(|score| (0.0..=1.0).contains(&score.confidence)));
    assert!(got.entities.len() <= MAX_ENTITIES);
    for question in &got.questions {
        assert!(text.get(question.span.clone()).is_some());
    }
    for entity in got.entities {
        assert_eq!(text.get(entity.span.clone()), Some(entity.surface.as_str()));
    }
}

proptest! {
    #[test]
    fn any_text_at_any_time(text in "\\PC{0,400}", now in any::<i64>()) {
        check(&text, now, None);
    }

    #[test]
    fn any_characters_with_an_expected_slot(text in any::<Vec<char>>()) {
        let text: String = text.into_iter().collect();
        check(&text, 0, Some(Expected { kind: "station".into(), role: "from".into(), train: true }));
    }

    #[test]
    fn words_of_travel_in_any_order(words in prop::collection::vec(prop::sample::select(vec![
        "demain", "18h", "7:12", "half", "past", "six", "24", "/", "12", "2025", "-", "31", "février", "Rennes",
        "brest", "de", "à", "→", "TER", "857412", "dans", "in", "999", "min", "samedi", "29", "feb", "pm", "h",
        "minuit", "midnight", "ce", "soir", "last", "night", "et", "quart", "moins", "le", "line", "4", ".", ":",
    ]), 0..60), glue in prop::bool::ANY, now in -60_000_000_000_000_000i64..250_000_000_000_000_000) {
        check(&words.join(if glue { "" } else { " " }), now, None);
    }
}

#[test]
fn long_and_odd_messages() {
    for text in [
        "a".repeat(10_000),
        "é ".repeat(10_000),
        "Rennes ".repeat(10_000),
        "rnnnes de ".repeat(1_000),
        "🚆".repeat(10_000),
        "\u{202e}Rennes\u{200f} \u{0}\u{1}\u{7f} demain".to_owned(),
        "e\u{301}".repeat(5_000),
        "\u{301}".repeat(10_000),
        "18h ".repeat(5_000),
        "-".repeat(10_000),
        String::new(),
    ] {
        check(&text, 1_750_000_000_000_000, None);
    }
}
