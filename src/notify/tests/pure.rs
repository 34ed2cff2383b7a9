use super::*;
use RideChange::*;

const LIMITS: Limits = Limits { late_by: Duration::from_secs(300), late_again_by: Duration::from_secs(900) };

fn told(change: impl FnOnce(&mut Told)) -> Told {
    let mut told = Told {
        contact_id: ContactId::new(),
        conversation_id: ConversationId::new(),
        message_id: MessageId::new(),
        ride: ride(),
        revision: 0,
        corrections: 0,
        delays: 0,
    };
    change(&mut told);
    told
}

fn with(change: impl FnOnce(&mut Run)) -> Run {
    let mut run = run();
    change(&mut run);
    run
}

fn kind(told: &Told, run: &Run) -> Option<RideChange> {
    against(told, run, LIMITS, at("17:00")).map(|change| change.kind)
}

#[test]
fn what_is_worth_a_correction() {
    let silent = |run: &mut Run| run.stops[1].departure.as_mut().unwrap().expected = None;
    let as_told = told(|_| {});
    for (name, run, expected) in [
        ("as told", run(), None),
        ("five minutes are not more than five", late(5), None),
        ("six are", late(6), Some(Later)),
        ("cancelled", cancelled(), Some(Cancelled)),
        ("does not stop where they get on", with(|r| r.stops[1].skipped = true), Some(NotFrom)),
        ("does not stop where they get off", with(|r| r.stops[2].skipped = true), Some(NotTo)),
        ("does not stop elsewhere", with(|r| r.stops[0].skipped = true), None),
        ("another platform", with(|r| r.stops[1].platform = Some("5".into())), Some(Platform)),
        ("no platform any more", with(|r| r.stops[1].platform = None), None),
        (
            "arrives late only",
            with(|r| r.stops[2].arrival.as_mut().unwrap().expected = Some(at("20:06"))),
            Some(Later),
        ),
        (
            "leaves earlier",
            with(|r| r.stops[1].departure.as_mut().unwrap().expected = Some(at("17:58"))),
            Some(Earlier),
        ),
        (
            "does not call there",
            with(|r| {
                r.stops.remove(1);
            }),
            None,
        ),
        (
            "another platform of which live data says nothing",
            with(|r| {
                silent(r);
                r.stops[1].platform = Some("5".into());
            }),
            None,
        ),
    ] {
        assert_eq!(kind(&as_told, &run), expected, "{name}");
    }
    assert_eq!(against(&as_told, &cancelled(), LIMITS, at("18:04")), None, "it has left");
    assert!(against(&as_told, &late(30), LIMITS, at("18:10")).is_some(), "late, it is still ahead");
}

#[test]
fn what_was_corrected_is_held_against_the_correction() {
    let heard = |by: u64| {
        told(|t| {
            t.ride.departs = at("18:04").plus(minutes(by));
            t.ride.arrives = Some(at("20:00").plus(minutes(by)));
            t.corrections = 1;
            t.delays = 1;
        })
    };
    let heard_cancelled = told(|t| t.ride.cancelled = true);
    let enough = |corrections| {
        told(|t| {
            t.corrections = corrections;
            t.delays = corrections;
        })
    };
    // Live data that knows nothing of the train does not bring it back.
    let mut silent = run();
    silent.stops[1].departure.as_mut().unwrap().expected = None;
    for (name, told, run, expected) in [
        ("a delay that grows a little", heard(10), late(25), None),
        ("a delay that grows much", heard(10), late(26), Some(Later)),
        ("a delay that shrinks a little", heard(10), late(5), None),
        ("a delay that is gone", heard(10), run(), Some(Earlier)),
        ("a delay of which nothing is said any more", heard(10), silent.clone(), None),
        ("cancelled and still so", heard_cancelled.clone(), cancelled(), None),
        ("cancelled, and runs", heard_cancelled.clone(), run(), Some(Running)),
        ("cancelled, and nothing is said any more", heard_cancelled, silent, None),
        ("enough of times", enough(3), late(60), None),
        ("enough of times, but cancelled", enough(3), cancelled(), Some(Cancelled)),
        ("enough of all", enough(5), cancelled(), None),
    ] {
        assert_eq!(kind(&told, &run), expected, "{name}");
    }
}

#[test]
fn what_a_watched_train_does() {
    let keys = |run: &Run, was_cancelled, now: &str| -> Vec<String> {
        let found = of_run(run, was_cancelled, LIMITS, at(now));
        found
            .into_iter()
            .map(|(key, _)| key.strip_prefix("train|t8745|2026-12-18|").unwrap().to_owned())
            .collect()
    };
    let platform = with(|r| {
        r.stops[1].planned_platform = Some("3".into());
        r.stops[1].platform = Some("5".into());
    });
    for (name, run, was_cancelled, now, expected) in [
        ("on time", run(), false, "17:00", vec![]),
        ("four minutes", late(4), false, "17:00", vec![]),
        ("five minutes count", late(5), false, "17:00", vec!["late|0"]),
        ("nineteen are the same event", late(19), false, "17:00", vec!["late|0"]),
        ("twenty are the next", late(20), false, "17:00", vec!["late|1"]),
        ("cancelled", cancelled(), false, "17:00", vec!["cancelled"]),
        ("cancelled after it left its first stop", cancelled(), false, "17:40", vec!["cancelled"]),
        ("gone by", cancelled(), false, "18:04", vec![]),
        ("runs after all", run(), true, "17:00", vec!["running"]),
        ("another platform", platform, false, "17:00", vec!["platform|rennes|5"]),
        ("a stop less", with(|r| r.stops[1].skipped = true), false, "17:00", vec!["skipped|rennes"]),
    ] {
        assert_eq!(keys(&run, was_cancelled, now), expected, "{name}");
    }
}
