//! Normalisation, entities, times, roles and intents on whatever bytes come: `cargo +nightly fuzz run understanding` in the
//! project's root (or `RUSTC_BOOTSTRAP=1 cargo fuzz run understanding`). The first eight bytes are the time.

#![no_main]

use guichet::model::{StationRef, Timestamp};
use guichet::nlu::entities::stations::Gazetteer;
use guichet::nlu::evaluate::{TestCase, as_pack};
use guichet::nlu::{Context, Means, Nlu};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static NLU: LazyLock<Nlu> = LazyLock::new(|| {
    let cases: Vec<TestCase> = ["prochain train pour Rennes", "j'ai perdu mon sac", "tell me a joke", "i lost my bag"]
        .iter()
        .zip(["a.next", "a.lost", "out_of_scope", "a.lost"])
        .filter_map(|(text, intent)| {
            serde_json::from_value(serde_json::json!({"text": text, "lang": "fr", "intent": intent})).ok()
        })
        .collect();
    let names = ["Rennes", "Brest", "Vitré", "Le Mans", "Paris Est", "Saint-Malo", "Nice"];
    let stations = names.iter().map(|name| StationRef { id: (*name).into(), name: (*name).into() }).collect();
    let timezone = TimeZone::get("Europe/Paris").ok();
    Nlu::train(as_pack(&cases, "fuzz"), Gazetteer::new(stations, &[], &[]), Means { timezone, ..Means::default() })
});

fuzz_target!(|data: &[u8]| {
    let (now, text) = data.split_at(data.len().min(8));
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut bytes = [0; 8];
    bytes[..now.len()].copy_from_slice(now);
    let context = Context { now: Timestamp(i64::from_le_bytes(bytes)), ..Context::default() };
    let got = NLU.understand(text, &context);
    for entity in &got.entities {
        assert_eq!(text.get(entity.span.clone()), Some(entity.surface.as_str()));
    }
});
