use super::*;
use crate::engine::tests::NOW;
use crate::nlu::pack::shipped_phrases;

fn automatic(text: &str) -> bool {
    is_automatic(text, &[], shipped_phrases())
}

#[test]
fn what_machines_write_is_told_from_what_people_ask() {
    for text in [
        "Réponse automatique : je suis absent jusqu'au 12 août.",
        "réponse automatique",
        "[Réponse automatique] Bonjour, je ne suis pas disponible",
        "Bonjour, ceci est un message automatique, merci de ne pas y répondre.",
        "Ceci est une réponse automatique. En cas d'urgence, appelez le 06 12 34 56 78",
        "Merci de ne pas répondre à ce message",
        "Je suis absent.",
        "je suis actuellement absent",
        "Je suis absent du bureau, merci",
        "Out of office",
        "Out of office: back on Monday",
        "Automatic reply: I am away until next week",
        "I am out of the office until Monday.",
        "This is an automated message, please do not reply.",
        "Please do not reply to this message",
        "I'm driving right now, I'll reply later",
        "Je conduis, je vous répondrai plus tard",
    ] {
        assert!(automatic(text), "{text}");
    }
    for text in [
        "je suis absent demain, puis-je me faire rembourser ?",
        "je suis absent demain puis je me faire rembourser",
        "je suis absent demain, je voudrais échanger mon billet",
        "j'ai reçu une réponse automatique et personne ne me répond",
        "vous m'envoyez un message automatique, je veux un conseiller",
        "réponse automatique encore une fois ? je veux quelqu'un",
        "le train est absent du tableau",
        "pourquoi ne pas répondre à mes messages",
        "out of order toilets on my train",
        "the ticket office is out of order",
        "i was out of the office and missed my train",
        "is this an automated message?",
        "bonjour",
        "",
        "automatique",
        "la porte automatique est bloquée",
    ] {
        assert!(!automatic(text), "{text}");
    }
    assert!(is_unread_address("No-Reply@operator.example") && is_unread_address("noreply"));
    assert!(!is_unread_address("+33612345678") && !is_unread_address("marie.noreply.fan"));
}

const LIMITS: Limits = Limits { replies: 5, window: Duration::from_secs(600), messages_per_minute: 3 };

/// `(seconds ago, author, text)`, newest first.
fn lately(said: &[(u64, Author, &str)]) -> Vec<Spoken> {
    let spoken = |(ago, author, text): &(u64, Author, &str)| Spoken {
        author: *author,
        text: (*text).to_owned(),
        at: NOW.minus(Duration::from_secs(*ago)),
    };
    said.iter().map(spoken).collect()
}

#[test]
fn who_writes_too_fast_is_answered_when_the_minute_is_over() {
    use Author::{Bot, Customer};
    let said = lately(&[
        (0, Customer, "d"),
        (10, Bot, "x"),
        (20, Customer, "c"),
        (30, Customer, "b"),
        (50, Customer, "a"),
        (61, Customer, "before"),
    ]);
    let habits = Habits { lately: &said, limits: LIMITS, now: NOW };
    assert!(habits.too_fast(NOW));
    assert!(!habits.too_fast(said[2].at.minus(Duration::from_micros(1))), "those before came slowly enough");
    assert_eq!(habits.calm_at(), NOW.plus(Duration::from_secs(10)));
    let later = Habits { now: NOW.plus(Duration::from_secs(10)), ..habits };
    assert_eq!(later.calm_at(), later.now);
    let free = Habits { limits: Limits { messages_per_minute: 0, ..LIMITS }, ..habits };
    assert!(!free.too_fast(NOW));
}

#[test]
fn a_loop_is_the_same_words_on_both_sides_or_too_many_replies() {
    use Author::{Bot, Customer};
    let reply = |text: &str| vec![text.to_owned()];
    let same = lately(&[
        (0, Customer, "Bonjour"),
        (5, Bot, "Bonjour !"),
        (6, Customer, "Bonjour"),
        (8, Bot, "Bonjour !"),
        (9, Customer, " Bonjour "),
    ]);
    let habits = Habits { lately: &same, limits: LIMITS, now: NOW };
    assert!(habits.is_loop("Bonjour", &reply("Bonjour !"), false));
    assert!(
        !habits.is_loop("Bonjour", &reply("Bonjour !"), true),
        "an answer with facts may be asked for again"
    );
    // "Et le suivant ?" is asked again and again, and answered differently.
    assert!(!habits.is_loop("Bonjour", &reply("Le suivant part à 8 h"), false));
    assert!(!habits.is_loop("Et le suivant ?", &reply("Bonjour !"), false));
    let twice = Habits { lately: &same[..3], ..habits };
    assert!(!twice.is_loop("Bonjour", &reply("Bonjour !"), false));
    let old = Habits { now: NOW.plus(Duration::from_secs(115)), ..habits };
    assert!(!old.is_loop("Bonjour", &reply("Bonjour !"), false));

    // Two parts of one reply are one.
    let many: Vec<(u64, Author, &str)> =
        (0..5).flat_map(|n| [(n * 20, Bot, "y"), (n * 20, Bot, "x")]).collect();
    let many = lately(&many);
    let habits = Habits { lately: &many, limits: LIMITS, now: NOW };
    assert!(habits.is_loop("autre chose", &reply("z"), false));
    assert!(habits.is_loop("autre chose", &reply("z"), true), "no exchange is without end");
    let fewer = Habits { lately: &many[..8], ..habits };
    assert!(!fewer.is_loop("autre chose", &reply("z"), false));
    let free = Habits { limits: Limits { replies: 0, ..LIMITS }, ..habits };
    assert!(!free.is_loop("autre chose", &reply("z"), false));
}

#[test]
fn spam_is_many_links_or_links_alone_or_what_everybody_writes() {
    use Author::Customer;
    let none = Habits { lately: &[], limits: LIMITS, now: NOW };
    let four = "http://a.example https://b.example www.c.example (http://d.example)";
    assert_eq!(none.suspicion(four, 0), Some(Suspicion::Links));
    for text in [
        "voir https://www.sncf.example/info et http://ter.example",
        "le train de http://",
        "Bonjour, voici ma photo https://a.example https://b.example https://c.example",
        "",
    ] {
        assert_eq!(none.suspicion(text, 0), None, "{text}");
    }
    let alone = lately(&[
        (0, Customer, "https://win.example"),
        (30, Customer, "cliquez https://win.example/2"),
        (90, Customer, "https://win.example/3"),
    ]);
    let habits = Habits { lately: &alone, ..none };
    assert_eq!(habits.suspicion("https://win.example", 0), Some(Suspicion::RepeatedLink));
    let twice = Habits { lately: &alone[..2], ..none };
    assert_eq!(twice.suspicion("https://win.example", 0), None);
    // One link in a sentence is no link alone.
    assert_eq!(habits.suspicion("je n'arrive pas à ouvrir https://shop.example", 0), None);
    let long = "Gagnez beaucoup d'argent en restant chez vous dès demain";
    assert_eq!(none.suspicion(long, 10), Some(Suspicion::Crowd));
    assert_eq!(none.suspicion(long, 9), None);
    assert_eq!(none.suspicion("le train est annulé", 400), None, "many ask that when one is");
}
