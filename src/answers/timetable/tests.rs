use crate::answers::Lookup;
use crate::answers::testing::{Fake, at, cancelled, found, leg, look_up, query, run, said, says};
use crate::model::Lang;
use crate::transit::planner::{Journey, LiveState, Unknown};
use serde_json::json;

const NEXT: &str = "schedules.next_departure";

fn commuter() -> Fake {
    Fake {
        runs: vec![
            run("8745 Brest: Vitré 12:05 v3, Rennes 12:28"),
            run("8747 Rennes: Vitré 13:05, Rennes 13:28"),
            run("8749 Rennes: Vitré 18:05, Rennes 18:28"),
            run("8751 Rennes: Vitré 1+00:10, Rennes 1+00:33"),
        ],
        ..Fake::default()
    }
}

fn live(state: LiveState) -> Fake {
    let mut fake = Fake { live: state, ..commuter() };
    fake.runs[0] = run("8745 Brest: Vitré 12:05+12 v3<2, Rennes 12:28+10");
    fake.runs[1] = cancelled("8747 Rennes: Vitré 13:05, Rennes 13:28");
    fake
}

#[tokio::test]
async fn the_next_trains_are_told_with_their_source_and_kept_as_facts() {
    let asked = query(NEXT, "from=Vitré to=Rennes", Lang::FR);
    let (data, facts) = found(look_up(&commuter(), "timetable.departures", &asked).await);
    assert_eq!(data["departures"].as_array().unwrap().len(), 4);
    assert_eq!(data["departures"][3]["next_day"], true);
    assert_eq!(facts.len(), 4);
    assert_eq!(facts[0].value, "departure 8745 Vitré 2026-12-20 12:05 to Brest");
    assert_eq!(facts[0].source, "timetable: Réseau Ouest");
    assert_eq!(facts[0].as_of, crate::transit::testing::paris("2026-11-01T00:00"));
    let told = facts[0].ride.as_ref().unwrap();
    assert_eq!((told.key.trip.as_str(), told.number.as_deref()), ("trip-8745", Some("8745")));
    assert_eq!((told.departs, told.arrives), (at("12:05"), Some(at("12:28"))));
    assert_eq!((told.platform.as_deref(), told.cancelled), (Some("3"), false));
}

#[tokio::test]
async fn delays_platforms_and_cancelled_trains_are_told_apart() {
    let fake = live(LiveState::Fresh(at("12:00")));
    says(&fake, NEXT, "from=Vitré to=Rennes", Lang::FR, &[
        "Voici les départs depuis Vitré vers Rennes :",
        "• 12:17 → 12:38 (retard de 12 min, prévu à 12:05), voie 3 au lieu de 2 : Alizé 8745, direction Brest",
        "• 18:05 → 18:28 : Alizé 8749, direction Rennes",
        "• 00:10 → 00:33 (dans la nuit) : Alizé 8751, direction Rennes",
        "Supprimé : 13:05 Alizé 8747",
        "Temps réel à 12:00, réseau de démonstration inventé.",
    ])
    .await;
    let asked = query(NEXT, "from=Vitré to=Rennes", Lang::FR);
    let (_, facts) = found(look_up(&fake, "timetable.departures", &asked).await);
    assert_eq!(facts[0].value, "departure 8745 Vitré 2026-12-20 12:17 to Brest, 12 min late");
    assert_eq!((facts[0].source.as_str(), facts[0].as_of), ("live: Réseau Ouest", at("12:00")));
    let gone = facts.iter().find(|fact| fact.value.starts_with("cancelled 8747")).unwrap();
    assert!(gone.ride.as_ref().unwrap().cancelled);
}

#[tokio::test]
async fn the_age_of_live_data_is_said() {
    for (state, said) in [
        (
            LiveState::Old(at("11:56")),
            "Live data of 11:56, 4 min ago: may have changed (invented demonstration network).",
        ),
        (
            LiveState::Lost(None),
            "Live data unavailable: scheduled times only, invented demonstration network (data of 1 November 2026).",
        ),
    ] {
        let fake =
            if matches!(state, LiveState::Old(_)) { live(state) } else { Fake { live: state, ..commuter() } };
        says(
            &fake,
            NEXT,
            "from=Vitré to=Rennes",
            Lang::EN,
            &["Here are the departures from Vitré to Rennes:", said],
        )
        .await;
    }
}

#[tokio::test]
async fn an_interval_is_kept_and_a_deadline_shows_its_end() {
    let mut fake = commuter();
    fake.runs.extend((0..6).map(|n| run(&format!("90{n} Rennes: Vitré 16:{n}5, Rennes 16:{n}8"))));
    let first = |data: &serde_json::Value| data["departures"][0]["time"].clone();
    for (question, time, many, outside) in [
        ("from=Vitré to=Rennes when=12:30-14:00", "13:05", 1, false),
        ("from=Vitré to=Rennes when=14:00-17:00 | avant 17h", "16:15", 5, false),
        ("from=Vitré to=Rennes when=14:00-17:00 | cet après-midi", "16:05", 5, false),
        // None in it: what comes later, said to be so.
        ("from=Vitré to=Rennes when=17:00-18:00", "18:05", 2, true),
    ] {
        let (data, _) = found(look_up(&fake, "timetable.departures", &query(NEXT, question, Lang::FR)).await);
        assert_eq!(first(&data), time, "{question}");
        assert_eq!(data["departures"].as_array().unwrap().len(), many, "{question}");
        assert_eq!(data["outside"], outside, "{question}");
    }
}

#[tokio::test]
async fn not_direct_none_left_and_not_served_are_three_answers() {
    let first = run("8745 Brest: Vitré 19:05, Rennes 19:28");
    let second = run("8801 Quimper: Rennes 19:45, Quimper 21:50");
    let way = Journey { rides: vec![leg(&first), leg(&second)] };
    let only_changes = Fake { journeys: vec![way], direct: false, runs: Vec::new(), ..commuter() };
    says(
        &only_changes,
        NEXT,
        "from=Vitré to=Quimper",
        Lang::FR,
        &[
            "Il n'y a pas de train direct de Vitré à Quimper ; avec correspondance :",
            "• 19:05 → 21:50 (2 h 45, changement à Rennes) : 19:05 Alizé 8745, puis 19:45 Alizé 8801",
        ],
    )
    .await;
    let none_left = Fake { direct: true, ..only_changes.clone() };
    says(
        &none_left,
        NEXT,
        "from=Vitré to=Quimper",
        Lang::EN,
        &[
            "No more direct trains from Vitré to Quimper after 12:00; otherwise:",
            "• 19:05 → 21:50 (2 h 45, change at Rennes): 19:05 Alizé 8745, then 19:45 Alizé 8801",
        ],
    )
    .await;
    let nothing = Fake { runs: vec![run("1 Rennes: Vitré 05:00, Rennes 05:20")], ..Fake::default() };
    says(&nothing, NEXT, "from=Vitré to=Rennes", Lang::FR, &[
        "Je ne trouve plus de train de Vitré à Rennes aujourd'hui après 12:00, avec ou sans correspondance. Voulez-vous",
    ])
    .await;
    let unserved = Fake { direct: false, runs: Vec::new(), ..Fake::default() };
    says(
        &unserved,
        NEXT,
        "from=Vitré to=Nice",
        Lang::EN,
        &["I can't find any way from Vitré to Nice today after 12:00, with or without a change."],
    )
    .await;
}

#[tokio::test]
async fn the_first_train_of_the_next_day_is_offered() {
    let mut tomorrow = run("8745 Rennes: Vitré 1+05:12, Rennes 1+05:40");
    tomorrow.train.key.day = "2026-12-21".parse().unwrap();
    let fake = Fake { runs: vec![tomorrow], empty_boards: true, ..Fake::default() };
    says(
        &fake,
        NEXT,
        "from=Vitré to=Rennes",
        Lang::FR,
        &["avec ou sans correspondance. Le premier train direct demain part à 05:12."],
    )
    .await;
    let lookup = look_up(&fake, "timetable.departures", &query(NEXT, "from=Vitré to=Rennes", Lang::FR)).await;
    let Lookup::Nothing { facts, .. } = lookup else { panic!("a train: {lookup:?}") };
    assert_eq!(facts[0].ride.as_ref().unwrap().departs, at("1+05:12"), "what was told is kept");
}

#[tokio::test]
async fn words_turn_the_question() {
    let mut fake = commuter();
    fake.journeys = vec![Journey { rides: vec![leg(&fake.runs[1])] }];
    says(
        &fake,
        NEXT,
        "from=Vitré to=Rennes when=12:00-14:00 | arriver à Rennes avant 14h",
        Lang::FR,
        &[
            "De Vitré à Rennes, pour arriver avant 14:00 :",
            "• 13:05 → 13:28 (23 min, direct) : 13:05 Alizé 8747",
        ],
    )
    .await;
    says(
        &fake,
        NEXT,
        "from=Rennes | les arrivées à Rennes",
        Lang::FR,
        &["Arrivées à Rennes :", "• 12:28 : Alizé 8745, en provenance de Vitré"],
    )
    .await;
    let (data, _) =
        found(look_up(&fake, "timetable.arrivals", &query("x.y", "to=Rennes from=Vitré", Lang::FR)).await);
    assert_eq!((&data["arriving"], &data["departures"][0]["time"]), (&json!(true), &json!("12:28")));
}

#[tokio::test]
async fn a_way_is_told_with_its_changes() {
    let first = run("8745 Brest: Vitré 19:05+3 v1, Rennes 19:28+3");
    let second = run("8801 Quimper: Rennes 19:45 v5<4, Quimper 21:50");
    let fake = Fake {
        live: LiveState::Fresh(at("11:59")),
        journeys: vec![Journey { rides: vec![leg(&first), leg(&second)] }],
        ..Fake::default()
    };
    says(&fake, "schedules.journey", "from=Vitré to=Quimper", Lang::FR, &[
        "De Vitré à Quimper :",
        "• 19:08 → 21:50 (2 h 42, changement à Rennes) : 19:08 Alizé 8745 (retard de 3 min), voie 1, arrivée Rennes 19:31, \
         puis 19:45 Alizé 8801, voie 5 au lieu de 4, arrivée Quimper 21:50",
        "Temps réel à 11:59, réseau de démonstration inventé.",
    ])
    .await;
    let none = Fake::default();
    says(
        &none,
        "schedules.journey",
        "from=Vitré to=Quimper when=1+00:00-2+00:00",
        Lang::EN,
        &["I can't find any way tomorrow from Vitré to Quimper, with or without a change."],
    )
    .await;
    let skipped =
        Fake { journeys: vec![Journey { rides: vec![leg(&cancelled("1 B: A 19:00, B 20:00"))] }], ..none };
    let lookup = look_up(&skipped, "timetable.journeys", &query("x.y", "from=A to=B", Lang::FR)).await;
    assert!(matches!(lookup, Lookup::Nothing { .. }), "a way that does not run is none: {lookup:?}");
}

#[tokio::test]
async fn first_and_last_by_the_words() {
    let name = "schedules.first_last";
    let mut fake = commuter();
    fake.runs.push(run("8701 Rennes: Vitré 05:05, Rennes 05:28"));
    says(
        &fake,
        name,
        "from=Vitré to=Rennes | dernier train",
        Lang::FR,
        &[
            "De Vitré à Rennes, aujourd'hui :",
            "• dernier train direct à 00:10 dans la nuit, arrivée à 00:33 : Alizé 8751, direction Rennes",
        ],
    )
    .await;
    says(
        &fake,
        name,
        "from=Vitré when=00:00-1+00:00 | first train",
        Lang::EN,
        &["From Vitré, today:", "• first train at 05:05: Alizé 8701 towards Rennes, already gone"],
    )
    .await;
    let (data, facts) =
        found(look_up(&fake, "timetable.first_last", &query(name, "from=Vitré", Lang::FR)).await);
    assert!(data["first"].is_object() && data["last"].is_object(), "not told which: both");
    assert_eq!(facts.len(), 2);
    // Today's first has left and no day was named: tomorrow's, of which nothing is known here.
    let lookup = look_up(&fake, "timetable.first_last", &query(name, "from=Vitré | premier", Lang::FR)).await;
    assert!(matches!(lookup, Lookup::Nothing { .. }), "{lookup:?}");
}

#[tokio::test]
async fn stops_of_a_train() {
    let name = "schedules.train_stops";
    let fake = Fake {
        live: LiveState::Fresh(at("12:00")),
        runs: vec![run("8745 Brest: Vitré 12:05+2, Rennes 12:28 !, Brest 14:30")],
        ..Fake::default()
    };
    says(&fake, name, "train=8745 from=Laval", Lang::FR, &[
        "Non, le train Alizé 8745 ne s'arrête pas à Laval. Arrêts du train Alizé 8745 : 12:07 Vitré, 12:28 Rennes (arrêt supprimé), \
         14:30 Brest.",
    ])
    .await;
    says(&fake, name, "train=8745 from=Brest", Lang::EN, &["Yes, the Alizé 8745 stops at Brest, at 14:30."])
        .await;
    says(&fake, name, "train=8745 from=Rennes", Lang::EN, &["No, the Alizé 8745 does not stop at Rennes."])
        .await;
    says(&fake, name, "from=Vitré to=Brest when=12:05", Lang::EN, &["Stops of the Alizé 8745: 12:07 Vitré"])
        .await;
    says(&fake, name, "train=9999", Lang::FR, &["Je ne trouve pas de train 9999 aujourd'hui."]).await;
}

#[tokio::test]
async fn platforms_known_changed_and_not_yet() {
    let name = "schedules.platform";
    let fake = live(LiveState::Fresh(at("12:00")));
    says(
        &fake,
        name,
        "train=8745",
        Lang::FR,
        &[
            "Alizé 8745 de 12:17 à Vitré, direction Brest : voie 3 (et non plus 2) ; il a 12 min de retard.",
            "La voie peut changer : gardez un œil sur les écrans de la gare. Temps réel à 12:00",
        ],
    )
    .await;
    says(
        &fake,
        name,
        "from=Vitré to=Rennes when=18:05",
        Lang::EN,
        &["Alizé 8749 leaving Vitré at 18:05 towards Rennes: the platform is not known yet."],
    )
    .await;
    says(
        &fake,
        name,
        "from=Vitré to=Rennes when=13:05",
        Lang::EN,
        &["13:05 towards Rennes: it is cancelled."],
    )
    .await;
    says(
        &fake,
        name,
        "train=8745 from=Laval",
        Lang::FR,
        &["Je ne trouve pas de train 8745 aujourd'hui à Laval."],
    )
    .await;
}

#[tokio::test]
async fn what_cannot_be_known_goes_to_people() {
    let refusing = |unknown| Fake { refuses: Some(unknown), ..commuter() };
    for (fake, question, why) in [
        (refusing(Unknown::NoTimetable), "from=Vitré", "no timetable"),
        (refusing(Unknown::SameStation), "from=Vitré to=Vitré", "is the destination"),
        (commuter(), "from=alias:q", "not served"),
        (commuter(), "to=Vitré", "'from' is empty"),
        (Fake { direct: false, ..commuter() }, "from=Vitré", "can be boarded"),
    ] {
        match look_up(&fake, "timetable.departures", &query(NEXT, question, Lang::FR)).await {
            Lookup::NoData { why: said } => assert!(said.contains(why), "{said}"),
            other => panic!("{why}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn sms_are_short_and_plain() {
    let fake = live(LiveState::Fresh(at("12:00")));
    for lang in [Lang::FR, Lang::EN] {
        for (intent, question) in [
            (NEXT, "from=Vitré to=Rennes"),
            ("schedules.first_last", "from=Vitré to=Rennes"),
            ("schedules.platform", "train=8745"),
            ("schedules.train_stops", "train=8745"),
            ("traffic.train_delay", "train=8745"),
            ("traffic.line_status", "from=Vitré to=Rennes"),
            ("service.delay_compensation", "train=8745"),
        ] {
            let text = said(&fake, intent, question, lang, true).await;
            let crate::sms::Segments { encoding, segments, .. } = crate::sms::segments(&text);
            assert_eq!(encoding.as_str(), "GSM-7", "{text}");
            assert!(segments <= 2, "{segments} segments: {text}");
        }
    }
    assert_eq!(
        said(&fake, NEXT, "from=Vitré to=Rennes", Lang::FR, true).await,
        "Vitré-Rennes : 12:17 (+12 min) Alizé 8745 voie 3, 18:05 Alizé 8749, 00:10 Alizé 8751. Supprimé : 13:05 8747. Temps \
         réel à 12:00 (démo inventée)."
    );
}

#[tokio::test]
async fn no_train_is_told_that_the_feed_does_not_hold() {
    use crate::transit::TimetableHandle;
    use crate::transit::testing::{Naive, demo, demo_path, id_of, paris};
    let (table, naive) = (demo(), Naive::read(&demo_path()));
    let planner: crate::transit::planner::SharedPlanner = std::sync::Arc::new(crate::transit::Local::new(
        TimetableHandle::new(demo()),
        Default::default(),
        Default::default(),
        false,
    ));
    let sources = crate::answers::registry(&planner);
    for (from, to) in [("Vitré", "Rennes"), ("Lyon Part-Dieu", "Vienne"), ("Brest", "Paris Montparnasse")] {
        for now in ["2026-12-20T05:10", "2026-12-21T17:30", "2026-12-25T23:30"] {
            let slot = |name: &str| crate::model::EntityValue::Station {
                station: crate::model::StationRef { id: id_of(&table, name), name: name.to_owned() },
            };
            let mut asked = query(NEXT, "", Lang::FR);
            asked.now = paris(now);
            asked.slots = [("from".to_owned(), slot(from)), ("to".to_owned(), slot(to))].into();
            let until =
                paris(&format!("{}T12:00", &now[..10])).plus(std::time::Duration::from_secs(16 * 3600));
            let expected = naive.trains(&id_of(&table, from), &id_of(&table, to), paris(now), until);
            let expected: Vec<String> =
                expected.iter().take(5).map(|row| table.local(row.0).strftime("%H:%M").to_string()).collect();
            let told = match sources.get("timetable.departures").unwrap().look_up(&asked).await {
                Lookup::Found { data, .. } => data["departures"].clone(),
                Lookup::Nothing { data, .. } => data["departures"].clone(),
                other => panic!("{from} {to} {now}: {other:?}"),
            };
            let told: Vec<&str> =
                told.as_array().unwrap().iter().map(|row| row["time"].as_str().unwrap()).collect();
            assert_eq!(told, expected, "{from} {to} {now}");
        }
    }
}
