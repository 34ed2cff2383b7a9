//! Slots, corrections, follow-ups, questions that wait, choices.

use super::*;

#[test]
fn slots_are_asked_one_at_a_time() {
    play(
        "two slots",
        &[
            ("je veux aller quelque part", JOURNEY, "", "journey?from"),
            ("Vitré", OUT, "from=Vitré", "journey?to"),
            ("Rennes demain", OUT, "to=Rennes;when=+1~demain", "journey(from=Vitré to=Rennes when=+1T00:00)"),
        ],
    );
    play(
        "an answer fills another slot too",
        &[
            ("un itinéraire", JOURNEY, "", "journey?from"),
            ("de Vitré à Rennes", OUT, "from=Vitré;to=Rennes", "journey(from=Vitré to=Rennes)"),
        ],
    );
    play(
        "the other slot first",
        &[
            ("un itinéraire", JOURNEY, "", "journey?from"),
            ("pour Rennes", HELLO, "to=Rennes", "journey?from"),
            ("de Vitré", HELLO, "from=Vitré", "journey(from=Vitré to=Rennes)"),
        ],
    );
    play(
        "a related question is our answer",
        &[
            ("prochain train pour Rennes", NEXT, "to=Rennes", "next_departure?from"),
            (
                "alors je pars de Vitré et il faut que j'y sois pour le repas",
                JOURNEY,
                "from=Vitré",
                "next_departure(from=Vitré to=Rennes)",
            ),
        ],
    );
    play(
        "twice, then a person",
        &[
            ("prochain train", NEXT, "", "next_departure?from"),
            ("euh chez moi", OUT, "", "unknown_station"),
            ("je sais pas", OUT, "", "escalated + -> repeated_failure"),
        ],
    );
}

#[test]
fn corrections_replace_the_right_slot() {
    let vitre_rennes =
        ("train Vitré Rennes", NEXT, "from=Vitré;to=Rennes", "next_departure(from=Vitré to=Rennes)");
    let next = |text, found, expected| [vitre_rennes, (text, OUT, found, expected)];
    for (text, found, expected) in [
        ("non, Angers", "at=Angers", "next_departure(from=Vitré to=Angers)"),
        ("euh Angers pardon", "at=Angers", "next_departure(from=Vitré to=Angers)"),
        ("pas Vitré, Angers", "at=Angers", "next_departure(from=Angers to=Rennes)"),
        ("non pas Rennes mais Angers", "at=Angers", "next_departure(from=Vitré to=Angers)"),
        ("plutôt depuis Laval", "from=Laval", "next_departure(from=Laval to=Rennes)"),
        ("plutôt 18h", "when=18:00~18h", "next_departure(from=Vitré to=Rennes when=18:00)"),
        ("no, I meant tomorrow", "when=+1~tomorrow", "next_departure(from=Vitré to=Rennes when=+1T00:00)"),
        // Who leaves for where he was going comes from elsewhere.
        ("non, de Rennes", "from=Rennes", "next_departure(from=Rennes)"),
    ] {
        play(text, &next(text, found, expected));
    }
    play(
        "what we asked for was said last",
        &[
            ("train pour Rennes", NEXT, "to=Rennes", "next_departure?from"),
            ("Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)"),
            ("euh Laval pardon", OUT, "at=Laval", "next_departure(from=Laval to=Rennes)"),
        ],
    );
    play(
        "a new hour keeps the day, a new day keeps the hour",
        &[
            (
                "Vitré Rennes demain à 8h",
                NEXT,
                "from=Vitré;to=Rennes;when=+1T08:00~demain à 8h",
                "next_departure(from=Vitré to=Rennes when=+1T08:00)",
            ),
            ("plutôt 18h", OUT, "when=18:00~18h", "next_departure(from=Vitré to=Rennes when=+1T18:00)"),
            ("et dimanche ?", OUT, "when=+2~dimanche", "next_departure(from=Vitré to=Rennes when=+2T18:00)"),
        ],
    );
}

#[test]
fn follow_ups_go_on_with_the_last_question() {
    let first = ("train Vitré Rennes", NEXT, "from=Vitré;to=Rennes", "next_departure(from=Vitré to=Rennes)");
    for (text, intent, found, expected) in [
        ("et demain ?", OUT, "when=+1~demain", "next_departure(from=Vitré to=Rennes when=+1T00:00)"),
        ("et pour Nantes ?", OUT, "to=Nantes", "next_departure(from=Vitré to=Nantes)"),
        ("and to Nantes please?", HELLO, "to=Nantes", "next_departure(from=Vitré to=Nantes)"),
        ("et au retour ?", OUT, "", "next_departure(from=Rennes to=Vitré)"),
        ("et dans l'autre sens", OUT, "", "next_departure(from=Rennes to=Vitré)"),
        ("and the way back?", OUT, "", "next_departure(from=Rennes to=Vitré)"),
        (
            "et le retour demain ?",
            OUT,
            "when=+1~demain",
            "next_departure(from=Rennes to=Vitré when=+1T00:00)",
        ),
        ("et le dernier ?", OUT, "", "first_last(from=Vitré to=Rennes)"),
        ("what about the first one?", OUT, "", "first_last(from=Vitré to=Rennes)"),
        (
            "pas demain, dimanche",
            OUT,
            "when=+1~demain;when=+2~dimanche",
            "next_departure(from=Vitré to=Rennes when=+2T00:00)",
        ),
        (
            "et pour revenir ce soir ?",
            OUT,
            "when=18:00~ce soir",
            "next_departure(from=Rennes to=Vitré when=18:00)",
        ),
        ("d'accord", OUT, "", "thanks + Close"),
        ("il est à l'heure ?", DELAY, "", "train_delay(from=Vitré to=Rennes train=1009)"),
        // A question of its own about another way begins anew.
        (
            "je voudrais savoir quand part le train pour Brest ce matin",
            NEXT,
            "to=Brest",
            "next_departure?from",
        ),
    ] {
        play(text, &[first, (text, intent, found, expected)]);
    }
    play(
        "the one after, and the one after that",
        &[
            first,
            ("et le suivant ?", OUT, "", "next_departure(from=Vitré to=Rennes when=09:10)"),
            ("celui d'après", OUT, "", "next_departure(from=Vitré to=Rennes when=10:10)"),
            ("and the next one?", HELLO, "", "next_departure(from=Vitré to=Rennes when=11:10)"),
            // The way back is asked for from now on again.
            ("et au retour ?", OUT, "", "next_departure(from=Rennes to=Vitré)"),
        ],
    );
    play(
        "thanks in between",
        &[
            first,
            ("merci", THANKS, "", "thanks + Close"),
            ("et demain ?", OUT, "when=+1~demain", "next_departure(from=Vitré to=Rennes when=+1T00:00)"),
        ],
    );
}

#[test]
fn an_open_question_waits_while_another_is_answered() {
    let open = ("train pour Rennes", NEXT, "to=Rennes", "next_departure?from");
    let answered = ("Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)");
    play(
        "a plain answer",
        &[open, ("je peux prendre mon vélo ?", BIKE, "", "luggage_bike_pet + next_departure?from"), answered],
    );
    play("small talk", &[open, ("bonjour", HELLO, "", "greeting + next_departure?from"), answered]);
    play("thanks neither close nor ask", &[open, ("merci", THANKS, "", "thanks"), answered]);
    play(
        "goodbye leaves nothing open",
        &[
            open,
            ("laisse, au revoir", BYE, "", "goodbye + Close"),
            ("Vitré", OUT, "at=Vitré", "out_of_scope"),
        ],
    );
    play("let it drop", &[open, ("laisse tomber", OUT, "", "dropped"), ("bonjour", HELLO, "", "greeting")]);
    play(
        "a question that needs a slot itself",
        &[
            open,
            ("et mon train a du retard là ou quoi", DELAY, "", "train_delay?from"),
            ("le 8745", OUT, "train=8745", "train_delay(train=8745) + next_departure?from"),
            answered,
        ],
    );
    play(
        "a person is called: nothing stays open",
        &[open, ("un conseiller", "general.human_agent", "", "human_agent + escalated + -> rule")],
    );
}

#[test]
fn two_questions_that_both_lack_a_slot() {
    play(
        "the second goes on with what the first was told",
        &[
            (
                "prochain train pour Rennes, et le dernier ?",
                "schedules.next_departure & schedules.first_last",
                "to=Rennes",
                "next_departure?from",
            ),
            (
                "Vitré",
                OUT,
                "from=Vitré",
                "next_departure(from=Vitré to=Rennes) + first_last(from=Vitré to=Rennes)",
            ),
        ],
    );
    play(
        "or asks its own",
        &[
            (
                "prochain train pour Rennes, et préviens-moi",
                "schedules.next_departure & traffic.alerts_subscribe",
                "",
                "next_departure?from",
            ),
            (
                "Vitré",
                OUT,
                "from=Vitré",
                "next_departure(from=Vitré) + alerts_subscribe + watch Vitré 09:00-+30T09:00",
            ),
        ],
    );
}

#[test]
fn choices_by_number_place_and_name() {
    let which = (
        "train de saint denis",
        NEXT,
        "from=Saint-Denis|Saint-Denis-près-Martel|Stade de France - Saint-Denis",
        "which_station",
    );
    for (text, found, expected) in [
        ("2", "", "Saint-Denis-près-Martel"),
        ("2)", "", "Saint-Denis-près-Martel"),
        ("le 2", "when=+1~le 2", "Saint-Denis-près-Martel"),
        ("la première", "", "Saint-Denis"),
        ("the second one", "", "Saint-Denis-près-Martel"),
        ("la 3 svp", "", "Stade de France - Saint-Denis"),
        ("la dernière", "", "Stade de France - Saint-Denis"),
        ("près martel", "", "Saint-Denis-près-Martel"),
        ("stade de france", "", "Stade de France - Saint-Denis"),
        ("saint denis", "", "Saint-Denis"),
        ("Saint-Denis-près-Martel", "from=Saint-Denis-près-Martel", "Saint-Denis-près-Martel"),
    ] {
        let expected = format!("next_departure(from={expected})");
        play(text, &[which, (text, OUT, found, expected.leak())]);
    }
    play("an option that does not exist", &[which, ("7", OUT, "", "which_station")]);
}

#[test]
fn a_middling_confidence_is_confirmed() {
    let doubt =
        ("le pour Rennes là", "schedules.next_departure 0.33 service.fine 0.05", "to=Rennes", "confirm");
    for yes in ["oui", "ouais c ça", "yes", "ok", "oui svp"] {
        play(
            yes,
            &[
                doubt,
                (yes, OUT, "", "next_departure?from"),
                ("Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)"),
            ],
        );
    }
    for no in ["non", "nan pas du tout", "nope", "no"] {
        play(
            no,
            &[
                doubt,
                (no, OUT, "", "clarify"),
                ("blabla", "service.luggage_bike_pet 0.1", "", "escalated + -> low_confidence"),
            ],
        );
    }
    play("no, something else", &[doubt, ("non je veux savoir pour mon vélo", BIKE, "", "luggage_bike_pet")]);
    play("something else", &[doubt, ("je peux prendre mon vélo ?", BIKE, "", "luggage_bike_pet")]);
    play(
        "a value is a yes",
        &[doubt, ("de Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)")],
    );
    play(
        "yes, and more",
        &[doubt, ("oui de Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)")],
    );
    play(
        "too close a runner-up",
        &[("hm", "schedules.next_departure 0.33 schedules.journey 0.30", "", "clarify")],
    );
    play("too little", &[("hm", "schedules.next_departure 0.2", "", "clarify")]);
}

#[test]
fn who_names_nothing_asks_about_the_whole_network() {
    play(
        "no line",
        &[("des perturbations aujourd'hui ?", STATUS, "when=+0~aujourd'hui", "line_status(when=00:00)")],
    );
    play(
        "one line without its name, then all of them",
        &[
            ("ma ligne est perturbée ?", STATUS, "", "line_status?line"),
            ("je sais pas trop", OUT, "", "line_status?line"),
            ("toutes les lignes", OUT, "", "line_status()"),
        ],
    );
    play("in English", &[("is my line disrupted?", STATUS, "", "line_status?line")]);
    // Who cannot tell of everything is told of one thing.
    let (text, c) = ("des perturbations ?", conversation(Dialogue::default()));
    let (intents, rules) = (intents(), rules());
    let situation = Situation {
        text,
        understanding: &understood(text, STATUS, ""),
        conversation: &c,
        intents: &intents,
        phrases: shipped_phrases(),
        rules: &rules,
        opted_out: false,
        sms: true,
        near: None,
        now: NOW,
    };
    let Plan::LookUp(planned) = situation.plan() else { panic!("nothing is looked up") };
    assert_eq!(told(&planned.clone().decide(Some(Lookup::TooWide)), &[]), "line_status?line");
    let stale = planned.decide(Some(Lookup::NoData { why: "old".into() }));
    assert_eq!(told(&stale, &[]), "no_data + escalated + -> no_data");
}
