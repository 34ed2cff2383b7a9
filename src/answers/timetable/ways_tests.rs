//! Ways with changes: on another day, and from one station of a city to another.

use crate::answers::testing::{Fake, at, found, leg, look_up, query, run, said, says};
use crate::model::{EntityValue, Lang, StationRef};
use crate::transit::planner::{Journey, SharedPlanner};
use crate::transit::testing::{demo, id_of, paris};
use crate::transit::{Local, TimetableHandle};
use std::sync::Arc;

/// No train is direct; the ways leave at these times.
fn ways(leave: &[(&str, &str)]) -> Fake {
    let way = |&(first, second): &(&str, &str)| Journey {
        rides: vec![
            leg(&run(&format!("8745 Brest: Vitré {first}, Rennes {first}"))),
            leg(&run(&format!("8801 Quimper: Rennes {second}, Quimper {second}"))),
        ],
    };
    Fake { journeys: leave.iter().map(way).collect(), direct: false, ..Fake::default() }
}

#[tokio::test]
async fn first_and_last_without_a_direct_train_name_the_day_on_which_the_ways_leave() {
    let name = "schedules.first_last";
    // Today's are over; those of two days ahead are not what follows.
    let tomorrow = ways(&[("1+06:05", "1+07:10"), ("1+09:05", "1+10:10"), ("2+06:05", "2+07:10")]);
    for (question, lang, parts) in [
        (
            "from=Vitré to=Quimper | dernier train",
            Lang::FR,
            [
                "Il n'y a pas de train direct de Vitré à Quimper demain. Avec correspondance :",
                "• 06:05 → 07:10 (1 h 05, changement à Rennes)",
                "• 09:05 → 10:10",
            ],
        ),
        (
            "from=Vitré to=Quimper | first train",
            Lang::EN,
            ["tomorrow", "• 06:05 → 07:10 (1 h 05, change at Rennes)", "• 09:05 → 10:10"],
        ),
    ] {
        says(&tomorrow, name, question, lang, &parts).await;
        let text = said(&tomorrow, name, question, lang, false).await;
        assert_eq!(text.matches("06:05").count(), 1, "one answer names one day: {text}");
    }
    let short = said(&tomorrow, name, "from=Vitré to=Quimper | dernier", Lang::FR, true).await;
    assert!(
        short.starts_with("Vitré-Quimper demain : pas de direct. 06:05-07:10 via Rennes, 09:05"),
        "{short}"
    );
    let (_, facts) = found(
        look_up(&tomorrow, "timetable.first_last", &query(name, "from=Vitré to=Quimper", Lang::FR)).await,
    );
    let departs: Vec<_> = facts.iter().map(|fact| fact.ride.as_ref().unwrap().departs).collect();
    assert_eq!(departs, [at("1+06:05"), at("1+07:10"), at("1+09:05"), at("1+10:10")]);

    // What leaves today is told alone.
    let both = ways(&[("19:05", "20:10"), ("1+06:05", "1+07:10")]);
    let text = said(&both, name, "from=Vitré to=Quimper | dernier train", Lang::FR, false).await;
    assert!(
        text.contains("à Quimper aujourd'hui") && text.contains("• 19:05") && !text.contains("06:05"),
        "{text}"
    );
}

#[tokio::test]
async fn a_change_of_stations_is_said() {
    let first = run("8101 Paris: Vitré 14:05+10, Paris_Montparnasse 16:00+8");
    let second = run("8301 Lyon: Paris_Gare_de_Lyon 17:00, Lyon 19:00");
    let way = Journey { rides: vec![leg(&first), leg(&second)] };
    let fake = Fake { journeys: vec![way], direct: false, runs: Vec::new(), ..Fake::default() };
    let (fr, en) = (
        "Attention, changement de gare : de Paris_Montparnasse à Paris_Gare_de_Lyon par vos propres moyens, 52 min entre les deux trains",
        "Note: you change stations, from Paris_Montparnasse to Paris_Gare_de_Lyon by your own means, with 52 min between the two trains",
    );
    for intent in ["schedules.journey", "schedules.next_departure", "schedules.first_last"] {
        says(&fake, intent, "from=Vitré to=Lyon", Lang::FR, &["changement à Paris_Montparnasse", fr]).await;
        says(&fake, intent, "from=Vitré to=Lyon", Lang::EN, &["change at Paris_Montparnasse", en]).await;
        let short = said(&fake, intent, "from=Vitré to=Lyon", Lang::FR, true).await;
        assert!(short.contains("changer de gare : ") && short.contains("(52 min)"), "{short}");
    }
    let same =
        said(&ways(&[("19:05", "20:10")]), "schedules.journey", "from=Vitré to=Quimper", Lang::FR, false)
            .await;
    assert!(!same.contains("changement de gare"), "{same}");
}

#[tokio::test]
async fn across_paris_the_demonstration_leaves_time_for_the_metro() {
    let table = demo();
    let planner: SharedPlanner =
        Arc::new(Local::new(TimetableHandle::new(demo()), Default::default(), Default::default(), false));
    let sources = crate::answers::registry(&planner);
    for (from, to, off, on, least) in [
        ("Vitré", "Lyon Part-Dieu", "Paris Montparnasse", "Paris Gare de Lyon", 40),
        ("Rouen", "Strasbourg", "Paris Saint-Lazare", "Paris Est", 35),
        ("Amiens", "Reims", "Paris Nord", "Paris Est", 15),
        ("Orléans", "Dijon", "Paris Austerlitz", "Paris Gare de Lyon", 20),
    ] {
        let mut asked = query("schedules.journey", "", Lang::FR);
        asked.now = paris("2026-12-16T09:10");
        let slot = |name: &str| EntityValue::Station {
            station: StationRef { id: id_of(&table, name), name: name.to_owned() },
        };
        asked.slots = [("from".to_owned(), slot(from)), ("to".to_owned(), slot(to))].into();
        let (data, _) = found(sources.get("timetable.journeys").unwrap().look_up(&asked).await);
        let walks: Vec<_> = data["journeys"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|way| way["walks"].as_array().unwrap())
            .collect();
        let across = walks.iter().filter(|walk| {
            (walk["from"]["name"].as_str(), walk["to"]["name"].as_str()) == (Some(off), Some(on))
        });
        let minutes: Vec<u64> = across.map(|walk| walk["minutes"].as_u64().unwrap()).collect();
        assert!(
            !minutes.is_empty() && minutes.iter().all(|&minutes| minutes >= least),
            "{from} {to}: {data}"
        );
    }
}
