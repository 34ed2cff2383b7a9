//! What others count: npm's `sms-segments-calculator`, by Twilio, run by Node.

use super::segments;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the peer over `texts`. None when it is not installed; said loudly, and an error under `CI=true`.
fn counted_by_peer(texts: &[String]) -> Option<Vec<(String, usize)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join(".local/peers/node_modules");
    if !modules.join("sms-segments-calculator").is_dir() {
        let what = "segments as counted by npm sms-segments-calculator (not installed). Cure: scripts/setup.py test-tools";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "under CI=true nothing is skipped: {what}");
        // Not `eprintln!`: the test harness would swallow it.
        let _ = writeln!(std::io::stderr(), "NOT RUN: {what}");
        return None;
    }
    let mut node = Command::new("node")
        .arg(root.join("tests/peers/sms_segments.js"))
        .arg(modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(texts).unwrap();
    node.stdin.take().unwrap().write_all(&input).unwrap();
    let done = node.wait_with_output().unwrap();
    assert!(done.status.success());
    Some(serde_json::from_slice(&done.stdout).unwrap())
}

/// Characters that stand together in a text, by kind.
const KINDS: [&[&str]; 9] = [
    &["a", "e", "n", "s", "t", "r", " ", "0", "8", ".", ",", "-", "'", "\n"],
    &["é", "è", "à", "ù", "ì", "ò", "Ç", "É", "ñ", "ü", "ß", "£", "¥", "§", "¿", "Δ", "Ω", "@", "_"],
    &["€", "^", "{", "}", "[", "]", "~", "|", "\\", "\u{c}", "\r\n"],
    &["ç", "ê", "â", "î", "ô", "û", "ë", "ï", "œ", "À", "È", "’", "“", "”", "«", "»", "–", "…", "→", "`"],
    &["ш", "Ж", "я", "ا", "ل", "م", "م", "ת", "日", "本", "語", "한", "ก", "α", "ω"],
    &["😀", "🚆", "🎫", "❤", "☀", "✅", "𝒳", "𠜎", "👍", "🙏"],
    &[
        "👍🏽",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "🇫🇷",
        "🇬🇧",
        "❤\u{fe0f}",
        "👩\u{200d}🚀",
        "🏳\u{fe0f}\u{200d}🌈",
        "1\u{fe0f}\u{20e3}",
    ],
    &[
        "👩🏽\u{200d}🚀",
        "🧑\u{200d}🤝\u{200d}🧑",
        "❤\u{fe0f}\u{200d}🔥",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "🥹",
        "🫶🏼",
        "क्षि",
        "நி",
        "กำ",
        "각",
    ],
    &["e\u{301}", "o\u{302}", "c\u{327}", "a\u{300}\u{323}", "n\u{303}"],
];
const FRENCH: [&str; 6] = [
    "Rennes-Brest : 18:04 (+5 min) TER 8745 voie 3, 19:04 TER 8747. ",
    "Votre train est retardé d’environ 20 minutes à cause d’un incident de signalisation. ",
    "Prochains départs depuis Besançon Viotte vers Nîmes : aucun aujourd’hui. ",
    "L'accueil est fermé : une personne vous répondra ici à la réouverture, demain à 7h00. ",
    "« Saint-Étienne Châteaucreux » → Œuvre… 20 € ",
    "Pour ne plus rien recevoir, répondez STOP. ",
];

fn generated(rng: &mut StdRng, count: usize) -> Vec<String> {
    let edges = [70, 67, 134, 201, 160, 153, 306, 459];
    (0..count)
        .map(|n| {
            let mut text = String::new();
            let edge = edges[rng.random_range(0..edges.len())];
            let length = (edge + rng.random_range(0..9usize)).saturating_sub(4);
            // Mostly of one kind, with a few of others strewn in: what needs two units falls on every boundary.
            let main = KINDS[n % KINDS.len()];
            let other = KINDS[rng.random_range(0..KINDS.len())];
            let strewn = [0.0, 0.02, 0.2, 0.5][rng.random_range(0..4usize)];
            if n % 10 == 9 {
                while text.encode_utf16().count() < length {
                    text.push_str(FRENCH[rng.random_range(0..FRENCH.len())]);
                }
                return text.chars().take(length).collect();
            }
            while text.encode_utf16().count() < length {
                let kind = if rng.random_bool(strewn) { other } else { main };
                text.push_str(kind[rng.random_range(0..kind.len())]);
            }
            text
        })
        .collect()
}

/// A character of two units, or of many, at each place around each boundary.
fn astride() -> Vec<String> {
    let mut texts = Vec::new();
    for (filler, of_two, edges) in [
        ("a", "€", [153, 160, 306]),
        ("a", "\r\n", [153, 160, 306]),
        ("ç", "😀", [67, 70, 134]),
        ("ç", "👨\u{200d}👩\u{200d}👧\u{200d}👦", [67, 70, 134]),
        ("ç", "🇫🇷", [67, 70, 134]),
        ("ç", "e\u{301}", [67, 70, 134]),
        ("ç", "€", [67, 70, 134]),
    ] {
        for edge in edges {
            for before in edge - 13..=edge + 1 {
                for after in [0, 1, 5, 10, 67, 153] {
                    texts.push(format!("{}{of_two}{}", filler.repeat(before), filler.repeat(after)));
                }
            }
        }
    }
    texts
}

#[test]
fn encoding_and_segments_are_those_of_the_peer() {
    let mut rng = StdRng::seed_from_u64(2_027);
    let mut texts = astride();
    texts.push(String::new());
    let left = 5_000_usize.saturating_sub(texts.len());
    texts.extend(generated(&mut rng, left));
    assert!(texts.len() >= 5_000);
    let Some(theirs) = counted_by_peer(&texts) else { return };
    assert_eq!(theirs.len(), texts.len());
    let mut differ = Vec::new();
    for (text, (encoding, count)) in texts.iter().zip(theirs) {
        let ours = segments(text);
        if (ours.encoding.as_str(), ours.segments) != (encoding.as_str(), count) {
            differ.push(format!("{text:?}: {ours:?}, the peer: {encoding}, {count}"));
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {} differ:\n{}",
        differ.len(),
        texts.len(),
        differ[..differ.len().min(5)].join("\n")
    );
}

/// Where the peer is wrong: it puts what does not fit into a part all the same. No text of people is so.
#[test]
fn a_character_longer_than_a_part_is_counted_by_what_fits() {
    let text = format!("e{}", "\u{301}".repeat(299));
    assert_eq!(segments(&text).segments, 5, "300 units, 67 a part");
    if let Some(theirs) = counted_by_peer(&[text]) {
        assert_eq!(theirs, [("UCS-2".to_owned(), 2)], "the peer was mended: hold it to ours");
    }
}
