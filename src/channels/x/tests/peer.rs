//! What others count: npm's `twitter-text`, by X, run by Node.

use super::super::weight::weigh;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the peer over `texts`. None when it is not installed; said loudly, and an error under `CI=true`.
fn counted_by_peer(texts: &[String]) -> Option<Vec<usize>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join(".local/peers/node_modules");
    if !modules.join("twitter-text").is_dir() {
        let what =
            "lengths as counted by npm twitter-text (not installed). Cure: scripts/setup.py test-tools";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "under CI=true nothing is skipped: {what}");
        // Not `eprintln!`: the test harness would swallow it.
        let _ = writeln!(std::io::stderr(), "NOT RUN: {what}");
        return None;
    }
    let mut node = Command::new("node")
        .arg(root.join("tests/peers/post_lengths.js"))
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

const KINDS: [&[&str]; 8] = [
    &["a", "e", "n ", "s", "t", "r ", " ", "0", "8", ", ", "-", "'", "\n", "! "],
    &[
        "é", "è", "à", "ç", "œ", "Ÿ", "É", "ñ", "ß", "«\u{a0}", "\u{a0}»", "’", "“", "–", "…", "→", "€", "·",
        "™",
    ],
    &["ш", "Ж", "я", "ا", "ل", "م", "ת", "日", "本", "語", "한", "ก", "α", "ω", "각", "क्षि"],
    &["😀", "🚆", "🎫", "❤", "☀", "✅", "𠜎", "👍", "🙏", "©", "®", "‼", "ℹ"],
    &[
        "👍🏽",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "🇫🇷",
        "🇬🇧",
        "❤\u{fe0f}",
        "👩\u{200d}🚀",
        "🏳\u{fe0f}\u{200d}🌈",
        "1\u{fe0f}\u{20e3}",
        "☀\u{fe0f}",
        "👩🏽\u{200d}🚀",
    ],
    &["e\u{301}", "o\u{302}", "c\u{327}", "a\u{300}\u{323}", "n\u{303}", "\u{200b}", "\u{2060}"],
    &[
        " https://www.sncf-connect.com/app/trips?from=a&to=b ",
        " https://ter.sncf.com/bretagne. ",
        " http://m.me/1234, ",
        " https://a.fr/b-c_d#e\n",
        " (https://x.fr) ",
        " https://x.com/messages/compose?recipient_id=12 ",
    ],
    &[
        "Rennes-Brest : 18:04 (+5 min) TER 8745 voie 3. ",
        "Prochains départs depuis Besançon Viotte : aucun aujourd’hui. ",
        "12h30. Source : horaires. ",
        "@trains ",
        "#TER ",
        "n°8745 ",
    ],
];

fn generated(count: usize) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(2_028);
    (0..count)
        .map(|n| {
            let main = KINDS[n % KINDS.len()];
            let other = KINDS[rng.random_range(0..KINDS.len())];
            let strewn = [0.0, 0.05, 0.3, 0.5][rng.random_range(0..4usize)];
            let pieces = rng.random_range(1..60usize);
            let mut text = String::new();
            for _ in 0..pieces {
                let kind = if rng.random_bool(strewn) { other } else { main };
                text.push_str(kind[rng.random_range(0..kind.len())]);
            }
            text
        })
        .collect()
}

#[test]
fn posts_are_as_long_as_the_peer_says() {
    let texts = generated(6_000);
    let Some(theirs) = counted_by_peer(&texts) else { return };
    assert_eq!(theirs.len(), texts.len());
    let differ: Vec<String> = texts
        .iter()
        .zip(theirs)
        .map(|(text, peer)| (text, weigh(text).iter().sum::<usize>(), peer))
        .filter(|(_, ours, peer)| ours != peer)
        .map(|(text, ours, peer)| format!("{text:?}: {ours}, the peer: {peer}"))
        .collect();
    let first = &differ[..differ.len().min(8)];
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), texts.len(), first.join("\n"));
}

/// Where only a list of all endings could tell, ours is never the shorter: what we let through, X takes.
#[test]
fn what_might_be_a_link_is_never_counted_shorter() {
    let hosts = [
        "a.fr",
        "x.museum",
        "ville-de-vitre.bzh",
        "b.co",
        "c.io",
        "t.co",
        "例.jp",
        "a.b.c.example",
        "e.g",
        "S.N.C.F",
        "1.5km",
        "fin.Puis",
        "a_b.fr",
        "-a.fr",
    ];
    let forms = [
        "{}",
        "{}.",
        "https://{}",
        "http://{}/a?b=c?d=e",
        "https://{}/a.?b",
        "https://{}/é/à",
        "https://{}/(a)",
        "https://{}/@moi/1",
        "x@{}",
        "xhttps://{}/a",
        "{},{}",
        "https://{}:8080/a",
        "https://{}#a",
        "https://{}?a=1",
        "HTTPS://{}/A",
        "https://{}/a//b..",
        "«https://{}»",
        "https://{}/a&",
        "https://u:p@{}/",
    ];
    let mut texts = Vec::new();
    for host in hosts {
        texts.extend(forms.iter().map(|form| format!("Voir {}, merci", form.replace("{}", host))));
    }
    let Some(theirs) = counted_by_peer(&texts) else { return };
    for (text, peer) in texts.iter().zip(theirs) {
        let ours: usize = weigh(text).iter().sum();
        assert!(ours >= peer, "{text}: {ours}, the peer: {peer}");
    }
}
