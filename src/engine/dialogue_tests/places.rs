//! A place that is shared instead of words, and the language that is chosen.

use super::*;

/// The decision on a place that is shared, in a dialogue that stands as `c` says.
fn shares(c: &Conversation, near: &[crate::transit::Nearby]) -> Decision {
    let (intents, rules) = (intents(), rules());
    let u = understood("", "out_of_scope", "");
    let situation = Situation {
        text: "",
        understanding: &u,
        conversation: c,
        intents: &intents,
        phrases: shipped_phrases(),
        rules: &rules,
        opted_out: false,
        sms: false,
        near: Some(near),
        now: NOW,
    };
    match situation.plan() {
        Plan::Decided(decision) => *decision,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_place_answers_the_open_question_or_begins_the_next_departure() {
    let near: Vec<_> = [("Vitré", 400), ("Rennes", 5_300)]
        .map(|(name, metres)| crate::transit::Nearby { station: station(name), metres })
        .to_vec();
    let asked = |intent: &str, slot: &str| {
        conversation(Dialogue {
            intent: Some(intent.into()),
            asked: Some(slot.into()),
            times_asked: 2,
            last_at: Some(NOW),
            slots: [("from".to_owned(), EntityValue::Station { station: station("Laval") })].into(),
            ..Dialogue::default()
        })
    };
    // Nothing is open: where one leaves from.
    let mut c = conversation(Dialogue::default());
    let offer = shares(&c, &near);
    assert_eq!(offer.lines[0].response, "system.nearest_stations");
    let options = json!([{"n": 1, "name": "Vitré", "km": 0}, {"n": 2, "name": "Rennes", "km": 5}]);
    assert_eq!(offer.lines[0].data["options"], options);
    assert_eq!((offer.intent.as_deref(), offer.dialogue.asked.as_deref()), (Some(NEXT), Some("from")));
    c.dialogue = offer.dialogue;
    for choice in ["2", "Rennes"] {
        let (chosen, looked) = decide(choice, &understood(choice, "out_of_scope", ""), &c, false);
        assert_eq!(told(&chosen, &looked), "next_departure(from=Rennes)", "{choice}");
    }
    // Where one goes was asked: the place is that.
    let c = asked(JOURNEY, "to");
    let offer = shares(&c, &near);
    assert_eq!((offer.intent.as_deref(), offer.dialogue.asked.as_deref()), (Some(JOURNEY), Some("to")));
    assert_eq!(offer.dialogue.times_asked, 2, "an offer is no other question");
    // A line was asked for: that waits.
    let offer = shares(&asked(WATCH, "line"), &near);
    assert_eq!((offer.dialogue.asked.as_deref(), offer.dialogue.open.len()), (Some("from"), 1));
    // Nothing is near: the name is asked for, and answers.
    let offer = shares(&conversation(Dialogue::default()), &[]);
    assert_eq!(offer.lines[0].response, "system.no_station_near");
    let c = conversation(offer.dialogue);
    let (chosen, looked) = decide("Vitré", &understood("Vitré", "out_of_scope", "at=Vitré"), &c, false);
    assert_eq!(told(&chosen, &looked), "next_departure(from=Vitré)");
    // People have the conversation: it is theirs.
    let c = Conversation { state: ConversationState::InCharge, ..conversation(Dialogue::default()) };
    assert!(shares(&c, &near).lines.is_empty());
}

#[test]
fn a_language_is_chosen_by_command_or_by_its_name() {
    let said = |text: &str, state| {
        let c = Conversation { state, ..conversation(Dialogue::default()) };
        let (decision, looked) = decide(text, &understood(text, "out_of_scope", ""), &c, false);
        told(&decision, &looked)
    };
    let (bot, person) = (ConversationState::Bot, ConversationState::InCharge);
    for (text, expected) in [
        ("/langue", "which_language"),
        ("LANGUAGE", "which_language"),
        ("/langue en", "language_set + Speak(Lang([101, 110]))"),
        ("/lang fr", "language_set + Speak(Lang([102, 114]))"),
        ("langue anglais", "language_set + Speak(Lang([101, 110]))"),
        ("English", "language_set + Speak(Lang([101, 110]))"),
        ("en français s'il vous plaît", "language_set + Speak(Lang([102, 114]))"),
        // "En" begins many a message, and "langue ?" asks something else.
        ("en", "out_of_scope"),
        ("langue ?", "out_of_scope"),
        ("je parle anglais", "out_of_scope"),
        ("/start", "welcome + OptIn"),
        ("start", "opted_in + OptIn"),
    ] {
        assert_eq!(said(text, bot), expected, "{text}");
    }
    assert_eq!(said("English", person), "", "an answer to whoever asked");
    assert_eq!(said("/langue en", person), "language_set + Speak(Lang([101, 110]))");
}
