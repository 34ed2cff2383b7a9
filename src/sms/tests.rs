use super::*;
use crate::transit::testing::shared_data;
use proptest::prelude::*;

#[test]
fn lengths_at_the_edges() {
    use Encoding::{Gsm7, Ucs2};
    for (text, encoding, units, segments) in [
        (String::new(), Gsm7, 0, 1),
        ("a".repeat(160), Gsm7, 160, 1),
        ("a".repeat(161), Gsm7, 161, 2),
        ("a".repeat(306), Gsm7, 306, 2),
        ("a".repeat(307), Gsm7, 307, 3),
        ("€".repeat(80), Gsm7, 160, 1),
        // 153 is odd: 76 pairs a part.
        ("€".repeat(153), Gsm7, 306, 3),
        (format!("{}€{}", "a".repeat(151), "a".repeat(153)), Gsm7, 306, 2),
        // The pair opens the second part, and its last letter a third.
        (format!("{}€{}", "a".repeat(152), "a".repeat(152)), Gsm7, 306, 3),
        ("a\r\n".repeat(51) + &"a".repeat(153), Gsm7, 306, 2),
        ("ç".repeat(70), Ucs2, 70, 1),
        ("ç".repeat(71), Ucs2, 71, 2),
        ("ç".repeat(135), Ucs2, 135, 3),
        ("😀".repeat(35), Ucs2, 70, 1),
        // 67 is odd: 33 pairs a part.
        ("😀".repeat(67), Ucs2, 134, 3),
        // Of eleven units each: six a part.
        ("👨‍👩‍👧‍👦".repeat(12), Ucs2, 132, 2),
        ("👨‍👩‍👧‍👦".repeat(13), Ucs2, 143, 3),
        // One letter under 99 accents is parted.
        (format!("e{}", "\u{301}".repeat(99)), Ucs2, 100, 2),
    ] {
        assert_eq!(super::segments(&text), Segments { encoding, units, segments }, "{text}");
    }
}

#[test]
fn agrees_with_recorded_vectors() {
    let Some(path) = shared_data("vectors/sms-segments.json") else {
        return;
    };
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(vectors.len() >= 20);
    for vector in vectors {
        let text = vector["text"].as_str().unwrap();
        let counted = super::segments(text);
        assert_eq!(counted.encoding.as_str(), vector["encoding"].as_str().unwrap(), "{text}");
        assert_eq!(counted.segments as u64, vector["segments"].as_u64().unwrap(), "{text}");
    }
}

/// Codes written down from the tables of 3GPP TS 23.038.
#[test]
fn octets_are_those_of_the_alphabet() {
    for (text, octets) in [
        ("@£$¥èéùìòÇ", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9][..]),
        ("\nØø\rÅåΔ_", &[0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11]),
        ("ΦΓΛΩΠΨΣΘΞ", &[0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a]),
        ("ÆæßÉ", &[0x1c, 0x1d, 0x1e, 0x1f]),
        (" #¤/09?", &[0x20, 0x23, 0x24, 0x2f, 0x30, 0x39, 0x3f]),
        ("¡AZÄÖÑÜ§", &[0x40, 0x41, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f]),
        ("¿azäöñüà", &[0x60, 0x61, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f]),
        ("€^", &[0x1b, 0x65, 0x1b, 0x14]),
        ("{}\\[", &[0x1b, 0x28, 0x1b, 0x29, 0x1b, 0x2f, 0x1b, 0x3c]),
        ("~]|\u{c}", &[0x1b, 0x3d, 0x1b, 0x3e, 0x1b, 0x40, 0x1b, 0x0a]),
    ] {
        assert_eq!(gsm7_octets(text).as_deref(), Some(octets), "{text}");
    }
    assert_eq!(gsm7_octets("ç"), None);
    assert_eq!(gsm7_octets("`"), None);
}

#[test]
fn thrift_keeps_a_reply_in_gsm7() {
    for (text, plain) in [
        ("Besançon – l’été", "Besancon - l'été"),
        ("Nîmes, Vitré, Œuf… 20 €", "Nimes, Vitré, OEuf... 20 €"),
        ("ÀÂÈÊËÎÏÔŒÙÛÜŸÇÉ", "AAEEEIIOOEUUÜYÇÉ"),
        ("àâæçèéêëîïôœùûüÿ", "àaæcèéeeiiooeùuüy"),
        ("« Rennes → Brest »", "\" Rennes > Brest \""),
        ("“quai” ‘A’ • n° 2 · 1½ h — №5™", "\"quai\" 'A' - no 2 . 11/2 h - No5TM"),
        ("20\u{a0}h\u{202f}30\u{2009}min\tvoie", "20 h 30 min voie"),
        ("soft\u{ad}hyphen\u{feff} zero\u{200b}width", "softhyphen zerowidth"),
        // Written apart: the letter and its accent.
        ("re\u{301}ponse pre\u{302}te", "réponse prete"),
        ("ﬁn １２ ㎞ x² ł", "fin 12 km x2 l"),
        ("déjà plain, 100 %", "déjà plain, 100 %"),
        // All of it would be UCS-2 still: nothing is spoiled for nothing.
        ("Besançon 🚆", "Besançon 🚆"),
        ("l’arrêt محطة", "l’arrêt محطة"),
        ("ça coûte 日本", "ça coûte 日本"),
    ] {
        assert_eq!(thrift(text), plain, "{text}");
    }
    assert_eq!(super::plain("Bêta\u{a0}: 日本 🚆, l’été"), "Beta :  , l'été");
}

#[test]
fn the_first_wording_within_the_budget_is_sent() {
    let long = "a".repeat(400);
    let middle = "b".repeat(200);
    let short = "c".repeat(100);
    let chosen = |wordings: &[&String], budget| {
        let wordings: Vec<String> = wordings.iter().map(|text| (*text).clone()).collect();
        choose(&wordings, budget).cloned()
    };
    assert_eq!(chosen(&[&long, &middle, &short], 3), Some(long.clone()));
    assert_eq!(chosen(&[&long, &middle, &short], 2), Some(middle.clone()));
    assert_eq!(chosen(&[&long, &middle, &short], 1), Some(short));
    assert_eq!(chosen(&[&long, &middle], 1), Some(middle), "none fits: the shortest");
    assert_eq!(chosen(&[&long, &"d".repeat(400)], 1), Some(long), "as long: the earlier one");
    assert_eq!(chosen(&[], 1), None);
}

proptest! {
    #[test]
    fn parts_are_the_text_and_fit(text in "(?s)[a-z€ç\u{301}😀👨\u{200d}👩🇫🇷\r\n]{0,400}") {
        let parts = split(&text);
        prop_assert_eq!(parts.concat(), text.as_str());
        let counted = super::segments(&text);
        prop_assert_eq!(parts.len(), counted.segments);
        let (single, most) = counted.encoding.limits();
        let most = if parts.len() == 1 { single } else { most };
        for part in &parts {
            prop_assert!(units(part, counted.encoding) <= most);
            prop_assert!(parts.len() == 1 || !part.is_empty());
        }
        let sum: usize = parts.iter().map(|part| units(part, counted.encoding)).sum();
        prop_assert_eq!(sum, counted.units);
    }

    #[test]
    fn thrift_never_costs_a_text_its_encoding_and_is_done_once(text in "(?s).{0,200}") {
        let once = thrift(&text).into_owned();
        prop_assert_eq!(thrift(&once), once.as_str());
        prop_assert!(encoding(&once) == Encoding::Gsm7 || once == text);
        prop_assert_eq!(encoding(&plain(&text)), Encoding::Gsm7);
    }
}
