use super::*;

#[tokio::test]
async fn who_was_told_otherwise_is_corrected_once() {
    let s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    assert_eq!(s.pass().await, 0, "what was told is true");
    s.runs(late(20));
    assert_eq!(s.pass().await, 1);
    let notices = s.notices(&c).await;
    let text = "Cela a changé depuis ma réponse :\n\
        • Alizé 8745 de 18:04, Rennes → Paris : retard d'environ 20 min, départ vers 18:24, arrivée vers 20:20.\n\
        Temps réel, 17:00, Réseau Breton. Pour un autre train, écrivez-moi ou répondez CONSEILLER.";
    assert_eq!(notices[0].text, text);
    assert_eq!(notices[0].facts[0].ride.as_ref().unwrap().departs, at("18:24"));
    assert_eq!(notices[0].facts[0].as_of, at("17:00"));
    assert_eq!(s.send_jobs().await, 1);
    let events = s.notifier.store.read().await.unwrap().events(c.id).await.unwrap();
    assert_eq!(events.iter().filter(|e| e.kind == EventKind::CorrectionQueued).count(), 1);
    for _ in 0..3 {
        s.clock.advance(minutes(1));
        assert_eq!(s.pass().await, 0, "never twice");
    }
    s.runs(late(30));
    assert_eq!(s.pass().await, 0, "ten minutes more are nothing new");
    s.runs(cancelled());
    assert_eq!(s.pass().await, 1, "that it is cancelled is another event");
}

#[tokio::test]
async fn not_again_after_a_restart() {
    let mut s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    s.runs(cancelled());
    assert_eq!(s.pass().await, 1);
    s.notifier.store.close().await;
    s.notifier.store = open(&s.folder).await;
    assert_eq!(s.pass().await, 0);
    assert!(s.notice(&c).await.contains("Rennes → Paris : supprimé."));
}

#[tokio::test]
async fn two_workers_at_once_say_it_once() {
    let s = stage("17:00").await;
    let mut customers = Vec::new();
    for n in 0..10 {
        customers.push(s.told(&format!("c{n}"), Lang::EN, |_| {}).await);
    }
    s.runs(cancelled());
    let (a, b) = (s.notifier.clone(), s.notifier.clone());
    let (a, b) = tokio::join!(a.pass(), b.pass());
    assert_eq!(a.unwrap() + b.unwrap(), 10);
    for customer in &customers {
        assert!(s.notice(customer).await.contains("Rennes → Paris: cancelled."));
    }
}

#[tokio::test]
async fn only_fresh_live_data_corrects() {
    let s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    s.runs(cancelled());
    for live in [LiveState::Absent, LiveState::Old(at("16:50")), LiveState::Lost(None)] {
        *s.planner.live.lock().unwrap() = live;
        assert_eq!(s.pass().await, 0, "{live:?}");
    }
    *s.planner.live.lock().unwrap() = LiveState::Fresh(at("17:00"));
    assert_eq!(s.pass().await, 1);
    s.notice(&c).await;
}

#[tokio::test]
async fn who_opted_out_is_left_alone() {
    let s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    let opt_out = async |out: bool| {
        let mut tx = s.notifier.store.begin().await.unwrap();
        match out {
            true => tx.opt_out(c.contact_id, None, at("17:00")).await.unwrap(),
            false => assert!(tx.opt_in(c.contact_id).await.unwrap()),
        }
        tx.commit().await.unwrap();
    };
    opt_out(true).await;
    s.runs(cancelled());
    assert_eq!(s.pass().await, 0);
    opt_out(false).await;
    assert_eq!(s.pass().await, 1, "back, they are told what they still believe wrongly");
}

#[tokio::test]
async fn quiet_hours() {
    let s = stage("23:00").await;
    let tomorrow = |run: &mut Run, hours: u64| {
        for stop in &mut run.stops {
            for moment in [&mut stop.arrival, &mut stop.departure].into_iter().flatten() {
                let moved = moment.scheduled.plus(minutes(60 * hours));
                *moment = Moment { scheduled: moved, expected: Some(moved) };
            }
        }
        run.train.cancelled = true;
    };
    let c = s.told("a", Lang::FR, |r| r.departs = at("18:04").plus(minutes(16 * 60))).await;
    let mut run = run();
    tomorrow(&mut run, 16); // 10:04
    s.runs(run);
    assert_eq!(s.pass().await, 0, "it leaves in the morning: no reason to wake anybody");
    s.clock.advance(minutes(7 * 60 + 29));
    assert_eq!(s.pass().await, 0, "06:29");
    s.clock.advance(minutes(1));
    assert_eq!(s.pass().await, 1, "06:30, and it still holds");
    assert!(s.notice(&c).await.contains("10:04"));

    let mut s = stage("23:00").await;
    let c = s.told("a", Lang::FR, |r| r.departs = at("18:04").plus(minutes(11 * 60))).await;
    let mut run = super::run();
    tomorrow(&mut run, 11); // 05:04
    s.runs(run);
    s.notifier.config.urgent_in_quiet = false;
    assert_eq!(s.pass().await, 0);
    s.notifier.config.urgent_in_quiet = true;
    assert_eq!(s.pass().await, 1, "it leaves before the quiet ends");
    assert!(s.notice(&c).await.contains("de 05:04 (demain)"));
}

#[tokio::test]
async fn a_correction_that_was_wrong_is_taken_back_once() {
    let s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    let mut said = Vec::new();
    for now in [cancelled(), run(), cancelled(), run(), cancelled(), run()] {
        s.runs(now);
        said.push(s.pass().await);
    }
    assert_eq!(
        said,
        [1, 1, 1, 0, 0, 0],
        "cancelled, runs after all, cancelled; the rest is the feed's own affair"
    );
    let last = s.notices(&c).await.pop().unwrap();
    assert!(last.text.contains("supprimé"), "{}", last.text);
}

#[tokio::test]
async fn a_new_answer_is_what_counts() {
    let s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    s.runs(late(20));
    s.tell(&c, |ride| {
        ride.departs = at("18:24");
        ride.arrives = Some(at("20:20"));
    })
    .await;
    assert_eq!(s.pass().await, 0, "they know");
    s.runs(late(27));
    assert_eq!(s.pass().await, 1);
}

#[tokio::test]
async fn the_agent_in_charge_sees_it_and_a_resolved_conversation_stays_resolved() {
    let s = stage("17:00").await;
    for state in [ConversationState::InCharge, ConversationState::Resolved] {
        let mut c = s.told(state.as_str(), Lang::FR, |_| {}).await;
        c.state = state;
        let mut tx = s.notifier.store.begin().await.unwrap();
        tx.save_conversation(&c).await.unwrap();
        tx.commit().await.unwrap();
        s.runs(cancelled());
        assert_eq!(s.pass().await, 1);
        s.notice(&c).await;
        let now = s.notifier.store.read().await.unwrap().conversation(c.id).await.unwrap().unwrap();
        assert_eq!(now.state, state);
        s.runs(run());
    }
}

#[tokio::test]
async fn several_trains_of_a_contact_are_one_message() {
    let s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    s.tell(&c, |ride| {
        ride.key.trip = "t8747".into();
        ride.number = Some("8747".into());
    })
    .await;
    // Told from a timetable that was replaced meanwhile: that it is gone does not mean that it is cancelled.
    s.tell(&c, |ride| ride.key.trip = "gone".into()).await;
    s.runs(cancelled());
    assert_eq!(s.pass().await, 1);
    let text = s.notice(&c).await;
    assert_eq!((text.matches("8745").count(), text.matches("8747").count()), (1, 1), "{text}");
    assert_eq!(s.pass().await, 0);
}
