//! What is done beside answering: the end, commands, opt-out, alerts.

use super::*;

#[test]
fn thanks_and_goodbye_close() {
    play("thanks", &[("merci", THANKS, "", "thanks + Close")]);
    play("goodbye", &[("au revoir", BYE, "", "goodbye + Close")]);
    play("hello does not", &[("bonjour", HELLO, "", "greeting")]);
}

#[test]
fn commands_come_first() {
    for (text, expected) in [
        ("STOP", "opted_out + OptOut"),
        ("stop.", "opted_out + OptOut"),
        ("Arrêt", "opted_out + OptOut"),
        ("UNSUBSCRIBE", "opted_out + OptOut"),
        ("Désabonnement", "opted_out + OptOut"),
        ("START", "opted_in + OptIn"),
        ("Reprendre", "opted_in + OptIn"),
        ("UNSTOP", "opted_in + OptIn"),
        // By SMS, as these conversations are: carriers stop us at this word.
        ("cancel", "opted_out + OptOut"),
        ("AIDE", "help"),
        ("help", "help"),
        // In a sentence they are words.
        ("stop ?", "greeting"),
        ("le train ne s'arrête pas à l'arrêt", "greeting"),
        ("help!", "greeting"),
    ] {
        play(text, &[(text, HELLO, "", expected)]);
    }
    play(
        "STOP leaves nothing open",
        &[
            ("train pour Rennes", NEXT, "to=Rennes", "next_departure?from"),
            ("STOP", OUT, "", "opted_out + OptOut"),
            ("Vitré", OUT, "at=Vitré", "next_departure(from=Vitré to=Rennes)"),
        ],
    );
}

#[test]
fn who_has_opted_out_is_told_nothing() {
    let c = conversation(Dialogue::default());
    for (text, intent, expected) in [
        ("prochain train", NEXT, ""),
        ("AIDE", OUT, ""),
        ("STOP", OUT, ""),
        ("START", OUT, "opted_in + OptIn"),
    ] {
        let (decision, looked) = decide(text, &understood(text, intent, ""), &c, true);
        assert_eq!(told(&decision, &looked), expected, "{text}");
    }
    // People who are with the customer do not keep STOP from being heard.
    let mut c = c;
    c.state = ConversationState::InCharge;
    let (decision, _) = decide("STOP", &understood("STOP", OUT, ""), &c, false);
    assert_eq!(decision.effects, [Effect::OptOut]);
}

#[test]
fn alerts_are_watched_for_the_asked_time() {
    for (text, found, expected) in [
        // A service day ends at four in the morning.
        ("préviens-moi pour le 8745", "train=8745", "watch 8745 09:00-+1T04:00"),
        ("préviens-moi pour le 8745 demain", "train=8745;when=+1~demain", "watch 8745 +1T00:00-+2T04:00"),
        (
            "alerte Vitré Rennes demain 8h",
            "from=Vitré;to=Rennes;when=+1T08:00~demain 8h",
            "watch Vitré-Rennes +1T00:00-+2T04:00",
        ),
        ("préviens-moi pour Vitré Rennes", "from=Vitré;to=Rennes", "watch Vitré-Rennes 09:00-+30T09:00"),
        ("alertes de la ligne N", "line=N", "watch N 09:00-+30T09:00"),
        ("alertes à Rennes", "at=Rennes", "watch Rennes 09:00-+30T09:00"),
        // A day that is over is not what was meant.
        ("alertes ligne N hier", "line=N;when=+-1~hier", "watch N 09:00-+30T09:00"),
    ] {
        let expected = format!("alerts_subscribe + {expected}");
        play(text, &[(text, WATCH, found, expected.leak())]);
    }
    play(
        "what?",
        &[
            ("préviens-moi", WATCH, "", "alerts_subscribe?line"),
            ("le 8745", DELAY, "train=8745", "alerts_subscribe + watch 8745 09:00-+1T04:00"),
            (
                "non, le 8747",
                OUT,
                "train=8747",
                "alerts_subscribe + unwatch 8745 + watch 8747 09:00-+1T04:00",
            ),
        ],
    );
    play(
        "the train that was told",
        &[
            ("train Vitré Rennes", NEXT, "from=Vitré;to=Rennes", "next_departure(from=Vitré to=Rennes)"),
            ("préviens-moi s'il est en retard", WATCH, "", "alerts_subscribe + watch 1009 09:00-+1T04:00"),
            ("stop les alertes", UNWATCH, "", "alerts_unsubscribe + unwatch all"),
        ],
    );
    play(
        "a way after a train, whatever the little words",
        &[
            (
                "préviens-moi pour le 8745",
                WATCH,
                "train=8745",
                "alerts_subscribe + watch 8745 09:00-+1T04:00",
            ),
            (
                "préviens-moi pour Vitré Rennes",
                WATCH,
                "to=Vitré;to=Rennes",
                "alerts_subscribe + watch Vitré-Rennes 09:00-+30T09:00",
            ),
        ],
    );
    play("one of them", &[("plus d'alertes ligne N", UNWATCH, "line=N", "alerts_unsubscribe + unwatch N")]);
}

#[test]
fn what_the_planner_does_not_know_is_not_promised() {
    play(
        "a wrong number, then the right one",
        &[
            ("préviens-moi pour le 9999 demain", WATCH, "train=9999;when=+1~demain", "unknown_watch"),
            ("le 8745", OUT, "train=8745", "alerts_subscribe + watch 8745 +1T00:00-+2T04:00"),
        ],
    );
    play(
        "a wrong correction changes nothing, and the next one is of what is still followed",
        &[
            (
                "préviens-moi pour le 8745",
                WATCH,
                "train=8745",
                "alerts_subscribe + watch 8745 09:00-+1T04:00",
            ),
            ("non, le 9999", OUT, "train=9999", "unknown_watch"),
            (
                "pardon, le 8747",
                OUT,
                "train=8747",
                "alerts_subscribe + unwatch 8745 + watch 8747 09:00-+1T04:00",
            ),
        ],
    );
    play(
        "nobody would know of a delay",
        &[("alertes de la ligne X", WATCH, "line=X", "cannot_follow + escalated + -> no_data")],
    );
    play("one too many", &[("préviens-moi pour le 8888", WATCH, "train=8888", "too_many_watches")]);
    let (text, c) = ("alertes Vitré Brest", conversation(Dialogue::default()));
    let (decision, _) = decide(text, &understood(text, WATCH, "from=Vitré;to=Brest"), &c, false);
    assert_eq!(decision.lines[0].data["direct"], false);
}
