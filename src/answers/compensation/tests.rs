use crate::answers::testing::{
    Fake, at, cancelled, found, in_words, look_up, query, run, said, says, sources,
};
use crate::answers::{Lookup, Query};
use crate::model::{Lang, PastCall, PastTrain, Timestamp};
use crate::store::Store;
use crate::transit::planner::{LiveState, Run, Unknown};
use jiff::tz::TimeZone;

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

/// The same run as live data told it, last at `as_of`.
fn kept(run: Run, as_of: Timestamp) -> PastTrain {
    let calls = run.stops.into_iter().map(|stop| PastCall {
        station: stop.station,
        arrival: stop.arrival,
        departure: stop.departure,
        skipped: stop.skipped,
    });
    PastTrain {
        key: run.train.key,
        number: run.train.number,
        brand: run.train.brand,
        terminus: run.train.terminus,
        cancelled: run.train.cancelled,
        calls: calls.collect(),
        as_of,
    }
}

/// What is answered where these trains were kept and live data of noon says nothing of them.
async fn remembers(fake: &Fake, past: &[PastTrain], question: &str, lang: Lang) -> String {
    let store = Store::open("sqlite::memory:", 1).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for train in past {
        tx.keep_past(train).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut sources = sources(fake);
    sources.open(&store, &TimeZone::UTC);
    let lookup = sources.get("compensation.precheck").unwrap().look_up(&query(NAME, question, lang)).await;
    in_words(lookup, NAME, lang, false)
}

#[tokio::test]
async fn a_train_that_is_over_is_judged_by_what_was_kept_of_it() {
    let scheduled = || run("8701 Rennes: Vitré 10:00, Rennes 10:23");
    let fake = Fake { live: LiveState::Fresh(at("12:00")), runs: vec![scheduled()], ..Fake::default() };
    let late = || kept(run("8701 Rennes: Vitré 10:00+2, Rennes 10:23+35"), at("10:57"));
    let says = async |past: &[PastTrain], question: &str, lang: Lang, part: &str| {
        let text = remembers(&fake, past, question, lang).await;
        assert!(text.contains(part), "{question}: {part:?} is not in\n{text}");
    };
    says(
        &[late()],
        "train=8701",
        Lang::FR,
        "est arrivé à Rennes avec 35 min de retard : 25 % du prix vous revient selon les règles. Temps réel du 20/12/2026, \
         10:57, réseau de démonstration inventé.",
    )
    .await;
    says(&[late()], "from=Vitré to=Rennes when=10:00", Lang::EN, "arrived at Rennes 35 min late").await;
    // An hour before it arrived it was not known how it would.
    let forecast = PastTrain { as_of: at("10:01"), ..late() };
    says(
        &[forecast],
        "train=8701",
        Lang::FR,
        "était annoncé avec 35 min de retard : 25 % du prix vous reviendrait",
    )
    .await;
    let gone = || kept(cancelled("8701 Rennes: Vitré 10:00, Rennes 10:23"), at("10:00"));
    says(&[gone()], "train=8701", Lang::FR, "a été supprimé : si vous n'avez pas voyagé, 100 %").await;
    says(&[], "train=8701", Lang::FR, "Je ne peux pas vérifier ici le retard").await;
}

#[tokio::test]
async fn what_was_kept_outlives_the_timetable() {
    let late = || kept(run("8745 Brest: Vitré 08:00+130, Brest 09:30+125"), at("12:00"));
    let twin = || {
        let mut twin = late();
        twin.key.trip = "another service".into();
        twin
    };
    let arrived = "arrived at Brest 125 min late: the rules give you 50% of the price";
    // The timetable of today knows no such train.
    let other = Fake { runs: Vec::new(), ..self::late() };
    let text = remembers(&other, &[late(), twin()], "train=8745", Lang::EN).await;
    assert!(text.contains(arrived), "{text}");
    // Two trains of one number that went differently: neither is meant for sure.
    let mut different = kept(run("8745 Brest: Vitré 08:00+5, Brest 09:30+5"), at("12:00"));
    different.key.trip = "another train".into();
    let text = remembers(&other, &[late(), different], "train=8745", Lang::EN).await;
    assert!(text.contains("I can't find a train 8745"), "{text}");
}

#[tokio::test]
async fn what_is_still_ahead_is_told_by_live_data_alone() {
    let fake = Fake {
        live: LiveState::Lost(None),
        runs: vec![run("8749 Rennes: Vitré 18:05, Rennes 18:28")],
        ..Fake::default()
    };
    for past in [
        run("8749 Rennes: Vitré 18:05+90, Rennes 18:28+90"),
        cancelled("8749 Rennes: Vitré 18:05, Rennes 18:28"),
    ] {
        let text = remembers(&fake, &[kept(past, at("11:00"))], "train=8749", Lang::FR).await;
        assert!(text.contains("Je ne peux pas vérifier ici le retard"), "{text}");
    }
}
