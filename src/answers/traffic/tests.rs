use crate::answers::Lookup;
use crate::answers::testing::{Fake, at, cancelled, found, look_up, query, run, said, says};
use crate::model::Lang;
use crate::transit::live::Alert;
use crate::transit::planner::{LiveState, Unknown};

const DELAY: &str = "traffic.train_delay";

fn alert(cause: &str, text: &str, from: &str, until: &str) -> Alert {
    Alert {
        id: cause.to_owned(),
        cause: cause.to_owned(),
        effect: "reduced_service".to_owned(),
        header: [(Lang::FR, text.to_owned())].into_iter().filter(|(_, text)| !text.is_empty()).collect(),
        description: Default::default(),
        periods: vec![(Some(at(from)), Some(at(until)))],
        routes: Vec::new(),
        stops: Vec::new(),
        trips: Vec::new(),
        as_of: at("11:50"),
    }
}

fn disturbed() -> Fake {
    let mut stopped = run("8701 Rennes: Vitré 11:30+40, Rennes 11:53+45");
    stopped.alerts = vec![alert("technical_problem", "Panne à Laval", "11:00", "15:00")];
    Fake {
        live: LiveState::Fresh(at("12:00")),
        runs: vec![
            stopped,
            run("8745 Brest: Vitré 12:05+12 v3, Rennes 12:28+10, Brest 14:30+8"),
            cancelled("8747 Rennes: Vitré 13:05, Rennes 13:28"),
            run("8749 Rennes: Vitré 18:05+0, Rennes 18:28+0"),
            run("8753 Rennes: Vitré 19:05, Rennes 19:28"),
        ],
        alerts: vec![
            alert("strike", "Grève nationale", "2+00:00", "3+00:00"),
            alert("maintenance", "", "1+08:00", "1+17:00"),
        ],
        ..Fake::default()
    }
}

#[tokio::test]
async fn late_cancelled_on_time_and_not_reported_are_told_apart() {
    let fake = disturbed();
    for (question, lang, part) in [
        (
            "train=8745",
            Lang::FR,
            "Le train Alizé 8745 pour Brest a 12 min de retard : départ de Vitré aujourd'hui à 12:17 au lieu de 12:05, voie 3, \
             arrivée à Brest à 14:38 (+8 min).",
        ),
        ("train=8747", Lang::FR, "Le train Alizé 8747 pour Rennes de 13:05 est supprimé aujourd'hui."),
        ("train=8747", Lang::EN, "The Alizé 8747 to Rennes due at 13:05 is cancelled today."),
        ("train=8749", Lang::EN, "The Alizé 8749 to Rennes is on time: leaving Vitré today at 18:05"),
        ("train=8753", Lang::FR, "n'a aucun retard signalé : départ de Vitré aujourd'hui à 19:05"),
        ("train=8753", Lang::EN, "has no delay reported"),
        ("from=Vitré to=Rennes when=13:05", Lang::EN, "8747 to Rennes due at 13:05 is cancelled today."),
        // It has just gone by its schedule; a bare hour was read as tomorrow's.
        ("from=Vitré to=Rennes when=1+11:30", Lang::FR, "Le train Alizé 8701 pour Rennes a 40 min de retard"),
        ("train=9999", Lang::FR, "Je ne trouve pas de train 9999 aujourd'hui."),
    ] {
        says(&fake, DELAY, question, lang, &[part]).await;
    }
    says(&fake, DELAY, "train=8745", Lang::FR, &["Temps réel à 12:00, réseau de démonstration inventé."])
        .await;
    let (data, facts) = found(look_up(&fake, "traffic.train", &query(DELAY, "train=8747", Lang::FR)).await);
    assert_eq!(data["trains"][0]["status"], "cancelled");
    assert!(facts[0].ride.as_ref().unwrap().cancelled);
    assert_eq!((facts[0].source.as_str(), facts[0].as_of), ("live: Réseau Ouest", at("12:00")));
}

#[tokio::test]
async fn a_pair_without_an_hour_tells_the_next_trains_the_late_one_first() {
    let text = said(&disturbed(), DELAY, "from=Vitré to=Rennes", Lang::FR, false).await;
    let numbers: Vec<&str> =
        ["8701", "8745", "8747"].into_iter().filter(|number| text.contains(number)).collect();
    assert_eq!(numbers, ["8701", "8745", "8747"], "{text}");
    assert!(!text.contains("8753"), "{text}");
}

#[tokio::test]
async fn causes_are_told_or_said_not_to_be_known() {
    let name = "traffic.cause_duration";
    says(
        &disturbed(),
        name,
        "train=8701",
        Lang::FR,
        &[
            "Panne à Laval (cause : un problème technique), fin annoncée : 15:00.",
            "Le train Alizé 8701 pour Rennes a 40 min de retard : départ de Vitré à 12:10 au lieu de 11:30.",
        ],
    )
    .await;
    says(
        &disturbed(),
        name,
        "from=Vitré to=Rennes when=11:30",
        Lang::EN,
        &["(cause: a technical problem), expected end: 15:00."],
    )
    .await;
    says(&disturbed(), name, "train=8745", Lang::FR, &["La cause et la durée n'ont pas été publiées"]).await;
}

#[tokio::test]
async fn the_whole_network() {
    let name = "traffic.line_status";
    let runs = vec![run("1 B: A 12:05, B 13:00")];
    let calm = Fake { live: LiveState::Fresh(at("12:00")), runs, ..Fake::default() };
    says(&calm, name, "", Lang::FR, &["Sur le réseau : aucune perturbation signalée", "Temps réel à 12:00"])
        .await;
    says(
        &disturbed(),
        name,
        "",
        Lang::EN,
        &["On the network: 4 trains running, 2 of them late", "Live data at 12:00"],
    )
    .await;
    // Nobody knows how trains run by what was known long ago.
    let stale = Fake { live: LiveState::Lost(Some(at("10:00"))), ..calm.clone() };
    says(&stale, name, "", Lang::FR, &["(to people: the live data is too old)"]).await;
    let far = Fake { refuses: Some(Unknown::TooWide), ..calm };
    assert_eq!(said(&far, name, "", Lang::FR, false).await, "(too wide)");
}

#[tokio::test]
async fn why_a_line_is_held_up() {
    let name = "traffic.cause_duration";
    says(
        &disturbed(),
        name,
        "line=Alizé",
        Lang::FR,
        &[
            "Ligne Alizé : ",
            "(cause : des travaux)",
            "Le train Alizé 8747 pour Rennes de 13:05 est supprimé",
            "Temps réel à 12:00",
        ],
    )
    .await;
    let calm = Fake { live: LiveState::Fresh(at("12:00")), ..Fake::default() };
    says(
        &calm,
        name,
        "line=Alizé",
        Lang::EN,
        &["Line Alizé: Neither the cause nor how long it will last has been published"],
    )
    .await;
}

#[tokio::test]
async fn the_state_of_a_line() {
    let name = "traffic.line_status";
    says(&disturbed(), name, "line=Alizé", Lang::FR, &[
        "Ligne Alizé : 4 trains en circulation, dont 2 en retard ; 1 supprimé.",
        "• 12:05 Alizé 8745 pour Brest : 12 min de retard à Vitré",
        "• 13:05 Alizé 8747 pour Rennes : supprimé",
        "• moins de trains (cause : des travaux), à partir de : demain à 08:00, fin annoncée : demain à 17:00",
        "Temps réel à 12:00",
    ])
    .await;
    let calm = Fake {
        live: LiveState::Old(at("11:55")),
        runs: vec![run("1 B: A 12:05, B 13:00")],
        ..Fake::default()
    };
    says(
        &calm,
        name,
        "from=A to=B",
        Lang::EN,
        &[
            "Between A and B: no disruption reported (1 train in the next hours).",
            "Live data of 11:55, 5 min ago: may have changed",
        ],
    )
    .await;
}

#[tokio::test]
async fn strikes_and_works_are_told_apart_and_none_is_no_promise() {
    says(&disturbed(), "traffic.strike", "", Lang::FR, &[
        "• Grève nationale, à partir de : mardi 22 décembre à 00:00, fin annoncée : mercredi 23 décembre à 00:00",
    ])
    .await;
    says(
        &disturbed(),
        "traffic.works",
        "when=1+00:00-2+00:00",
        Lang::EN,
        &[
            "Works announced, tomorrow:",
            "• fewer trains, from: tomorrow at 08:00, expected end: tomorrow at 17:00",
        ],
    )
    .await;
    let calm = Fake { alerts: Vec::new(), ..disturbed() };
    says(
        &calm,
        "traffic.strike",
        "when=1+00:00-2+00:00",
        Lang::FR,
        &["Aucune grève n'est annoncée pour demain à cette heure ; cela peut encore changer."],
    )
    .await;
    says(
        &calm,
        "traffic.works",
        "when=1+00:00-3+00:00",
        Lang::EN,
        &["No works are announced between tomorrow and Tuesday 22 December at this time"],
    )
    .await;
}

#[tokio::test]
async fn without_live_data_people_are_called() {
    for (live, why) in [(LiveState::Absent, "no live feed"), (LiveState::Lost(Some(at("10:00"))), "too old")]
    {
        let fake = Fake { live, ..disturbed() };
        for intent in
            [DELAY, "traffic.cause_duration", "traffic.line_status", "traffic.strike", "traffic.works"]
        {
            let text = said(&fake, intent, "from=Vitré to=Rennes", Lang::FR, false).await;
            assert!(text.starts_with("(to people") && text.contains(why), "{intent}: {text}");
        }
    }
    let refusing = Fake { refuses: Some(Unknown::Line("Z".into())), ..disturbed() };
    let lookup = look_up(&refusing, "traffic.line", &query("traffic.line_status", "line=Z", Lang::FR)).await;
    assert!(matches!(lookup, Lookup::NoData { .. }), "{lookup:?}");
}

#[tokio::test]
async fn announcements_are_told_when_only_the_trains_are_not_known() {
    for live in [LiveState::Absent, LiveState::Lost(None), LiveState::Lost(Some(at("10:00")))] {
        let fake = Fake { live, announced: Some(LiveState::Fresh(at("11:58"))), ..disturbed() };
        says(&fake, "traffic.strike", "", Lang::FR, &["• Grève nationale", "Temps réel à 11:58"]).await;
        let calm = Fake { alerts: Vec::new(), ..fake.clone() };
        says(&calm, "traffic.strike", "", Lang::FR, &["Aucune grève n'est annoncée", "Temps réel à 11:58"])
            .await;
        let line = said(&fake, "traffic.line_status", "line=Alizé", Lang::FR, false).await;
        assert!(line.contains("je ne sais pas quels trains") && line.contains("Grève nationale"), "{line}");
        assert!(!line.contains("aucune perturbation") && !line.contains("en circulation"), "{line}");
        let english = said(&fake, "traffic.line_status", "line=Alizé", Lang::EN, true).await;
        assert!(english.contains("delays not known") && !english.contains("nothing reported"), "{english}");
        // That nothing is announced does not mean that all trains run.
        for (fake, intent) in [(&calm, "traffic.line_status"), (&fake, DELAY)] {
            let text = said(fake, intent, "from=Vitré to=Rennes", Lang::FR, false).await;
            assert!(text.starts_with("(to people"), "{intent}: {text}");
        }
    }
}

#[tokio::test]
async fn without_announcements_nobody_says_that_none_is_made() {
    for announced in [LiveState::Lost(None), LiveState::Lost(Some(at("09:00")))] {
        let fake = Fake { announced: Some(announced), alerts: Vec::new(), ..disturbed() };
        for intent in ["traffic.strike", "traffic.works"] {
            let text = said(&fake, intent, "", Lang::FR, false).await;
            assert!(text.starts_with("(to people"), "{intent}: {text}");
        }
        says(
            &fake,
            "traffic.cause_duration",
            "train=8745",
            Lang::FR,
            &["Je n'ai pas pu consulter les annonces"],
        )
        .await;
    }
}

#[tokio::test]
async fn a_missing_feed_is_said() {
    let fake = Fake { live_partial: true, ..disturbed() };
    for question in ["train=8753", "train=8745"] {
        says(&fake, DELAY, question, Lang::FR, &["Temps réel incomplet : des retards ou des suppressions"])
            .await;
    }
    says(&fake, "traffic.line_status", "line=Alizé", Lang::EN, &["Live data is incomplete"]).await;
}

#[tokio::test]
async fn a_publishers_text_is_bounded() {
    let mut fake = disturbed();
    fake.alerts = vec![alert("strike", &"x\n".repeat(5000), "11:00", "15:00")];
    let text = said(&fake, "traffic.strike", "", Lang::FR, false).await;
    assert!(text.chars().count() < 800, "{}", text.len());
    let short = said(&fake, "traffic.strike", "", Lang::FR, true).await;
    assert!(crate::sms::segments(&short).segments <= 2, "{short}");
}
