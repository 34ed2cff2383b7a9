use crate::answers::testing::{Fake, at, cancelled, found, look_up, query, run, said, says};
use crate::answers::{Lookup, Query};
use crate::model::Lang;
use crate::transit::planner::{LiveState, Unknown};

const NAME: &str = "service.delay_compensation";

fn late() -> Fake {
    Fake {
        live: LiveState::Fresh(at("12:00")),
        runs: vec![
            run("8701 Rennes: Vitré 11:00+2, Rennes 11:23+35"),
            run("8703 Rennes: Vitré 11:10, Rennes 11:33+12"),
            run("8745 Brest: Vitré 12:05+130, Brest 14:30+125"),
            cancelled("8747 Rennes: Vitré 13:05, Rennes 13:28"),
            run("8749 Rennes: Vitré 18:05, Rennes 18:28"),
        ],
        ..Fake::default()
    }
}

async fn verdict(fake: &Fake, question: &str) -> String {
    let asked: Query = query(NAME, question, Lang::FR);
    let (data, _) = found(look_up(fake, "compensation.precheck", &asked).await);
    data["verdict"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_rules_of_the_brand_decide_on_the_delay_at_arrival() {
    says(&late(), NAME, "train=8701", Lang::FR, &[
        "Le train Alizé 8701 est arrivé à Rennes avec 35 min de retard : 25 % du prix vous revient selon les règles. Temps \
         réel à 12:00, réseau de démonstration inventé. La demande se fait sur https://aide.example",
    ])
    .await;
    says(
        &late(),
        NAME,
        "train=8745",
        Lang::EN,
        &["The Alizé 8745 is expected at Brest 125 min late: the rules would give you 50% of the price."],
    )
    .await;
    says(
        &late(),
        NAME,
        "from=Vitré to=Rennes when=11:10",
        Lang::EN,
        &["The Alizé 8703 arrived at Rennes 12 min late; compensation starts at 30 min."],
    )
    .await;
    says(
        &late(),
        NAME,
        "train=8747",
        Lang::FR,
        &["Le train Alizé 8747 est supprimé : si vous ne voyagez pas, 100 % du prix"],
    )
    .await;
    let (_, facts) =
        found(look_up(&late(), "compensation.precheck", &query(NAME, "train=8701", Lang::FR)).await);
    assert_eq!(facts[1].value, "compensation eligible: 35 min late, 25 %");
    assert_eq!(facts[0].ride.as_ref().unwrap().arrives, Some(at("11:58")));
}

#[tokio::test]
async fn what_is_not_known_is_said_and_the_link_given() {
    let unknown = ["Je ne peux pas vérifier ici le retard", "https://aide.example"];
    // Live data says nothing of it.
    says(&late(), NAME, "train=8749", Lang::FR, &unknown).await;
    for live in [LiveState::Absent, LiveState::Lost(None)] {
        says(&Fake { live, ..late() }, NAME, "train=8701", Lang::FR, &unknown).await;
    }
    // The source is away, or its timetable does not reach back to that day.
    let away = Fake { refuses: Some(Unknown::Source("away".into())), ..late() };
    says(&away, NAME, "train=8701", Lang::FR, &["le retard du train 8701", "https://aide.example"]).await;
    let lookup = look_up(&late(), "compensation.precheck", &query(NAME, "train=9999", Lang::FR)).await;
    assert!(matches!(lookup, Lookup::Nothing { .. }), "{lookup:?}");
    assert!(
        said(&late(), NAME, "train=9999", Lang::EN, false).await.contains("I can't find a train 9999 today.")
    );
}

#[tokio::test]
async fn a_question_that_names_no_train_is_answered_in_general() {
    for question in [
        "",
        "from=Vitré to=Rennes",
        "from=Vitré to=Rennes when=00:00-1+00:00",
        "from=alias:x to=Rennes when=11:10",
    ] {
        assert_eq!(verdict(&late(), question).await, "general", "{question}");
    }
    says(
        &late(),
        NAME,
        "",
        Lang::FR,
        &["rubrique « Retard et compensation »", "répondez CONSEILLER avec sa référence."],
    )
    .await;
}
