use super::*;

fn train() -> Watched {
    Watched::Train { number: "8745".into() }
}

fn line() -> Watched {
    Watched::Line { name: "J".into() }
}

fn alert(id: &str, text: &str, as_of: Timestamp) -> Alert {
    Alert {
        id: id.into(),
        cause: "unknown_cause".into(),
        effect: "reduced_service".into(),
        header: BTreeMap::from([(Lang::FR, text.to_owned())]),
        description: BTreeMap::new(),
        periods: Vec::new(),
        routes: vec!["J".into()],
        stops: Vec::new(),
        trips: Vec::new(),
        as_of,
    }
}

fn rides(n: usize) -> Vec<Ride> {
    let ride = |n: usize| {
        let mut run = cancelled();
        run.train.key.trip = format!("t{n}");
        Ride { train: run.train, from: run.stops[1].clone(), to: run.stops[2].clone() }
    };
    (0..n).map(ride).collect()
}

#[tokio::test]
async fn a_watched_train() {
    let s = stage("12:00").await;
    let c = s.customer("a", Lang::FR).await;
    s.watch(&c, train(), "12:00", at("23:00")).await;
    assert_eq!(s.pass().await, 0);
    s.runs(late(12));
    assert_eq!(s.pass().await, 1);
    let text = "Alerte pour le train 8745 :\n\
        • Alizé 8745 de 18:04, Rennes → Paris : retard d'environ 12 min, départ vers 18:16.\n\
        Temps réel, 12:00, Réseau Breton.";
    assert_eq!(s.notice(&c).await, text);
    assert_eq!(s.pass().await, 0);
    s.runs(cancelled());
    assert_eq!(s.pass().await, 1);
    s.runs(run());
    assert_eq!(s.pass().await, 1, "it runs after all");
    assert!(s.notices(&c).await[2].text.contains("circule finalement"));
    s.runs(cancelled());
    assert_eq!(s.pass().await, 0, "said before");
}

#[tokio::test]
async fn a_watch_holds_for_its_time() {
    let s = stage("12:00").await;
    s.runs(cancelled());
    let c = s.customer("a", Lang::FR).await;
    s.watch(&c, train(), "12:00", at("16:00")).await; // over before the train leaves
    s.watch(&c, train(), "21:00", at("23:00")).await; // begins after it has arrived
    assert_eq!(s.pass().await, 0);
    let other = s.customer("b", Lang::FR).await;
    s.watch(&other, train(), "17:00", at("23:00")).await;
    assert_eq!(s.pass().await, 1, "it has not begun, but the train is near");
    s.notice(&other).await;
}

#[tokio::test]
async fn who_was_told_and_watches_reads_one_message() {
    let s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    s.watch(&c, train(), "12:00", at("23:00")).await;
    s.watch(&c, line(), "12:00", at("23:00")).await;
    s.runs(cancelled());
    let mut rides = rides(1);
    rides[0].train.key = key();
    s.planner.traffic.lock().unwrap().cancelled = rides;
    assert_eq!(s.pass().await, 1);
    assert_eq!(s.pass().await, 0);
    assert!(s.notice(&c).await.starts_with("Cela a changé"));
}

#[tokio::test]
async fn a_watched_line() {
    let s = stage("17:00").await;
    let c = s.customer("a", Lang::FR).await;
    s.watch(&c, line(), "12:00", at("23:00")).await;
    {
        let mut traffic = s.planner.traffic.lock().unwrap();
        traffic.alerts = vec![alert("1", "Trafic ralenti", at("17:00")), alert("0", "D'hier", at("16:49"))];
        traffic.cancelled = rides(7);
    }
    assert_eq!(s.pass().await, 1);
    let text = s.notice(&c).await;
    assert!(text.starts_with("Alerte pour la ligne J :\n• Trafic ralenti\n• Alizé 8745 de 18:04"), "{text}");
    assert_eq!(
        (text.matches("supprimé").count(), text.contains("Autres trains touchés : 2.")),
        (5, true),
        "{text}"
    );
    assert!(!text.contains("D'hier"), "an old alert is no news");
    // The same under another id, the same id with other words, one train more: at once there is nothing new to say.
    {
        let mut traffic = s.planner.traffic.lock().unwrap();
        traffic.alerts =
            vec![alert("2", "Trafic ralenti", at("17:16")), alert("1", "Ralenti (17:15)", at("17:16"))];
        traffic.cancelled = rides(8);
    }
    assert_eq!(s.pass().await, 0);
    s.clock.advance(minutes(16));
    assert_eq!(s.pass().await, 1);
    let last = s.notices(&c).await.pop().unwrap().text;
    assert_eq!((last.matches("supprimé").count(), last.contains("alenti")), (1, false), "{last}");
}

#[tokio::test]
async fn stale_trains_are_silent_and_fresh_alerts_are_not() {
    let s = stage("17:00").await;
    let c = s.customer("a", Lang::FR).await;
    s.watch(&c, line(), "12:00", at("23:00")).await;
    s.watch(&c, train(), "12:00", at("23:00")).await;
    s.runs(cancelled());
    s.planner.traffic.lock().unwrap().cancelled = rides(1);
    *s.planner.live.lock().unwrap() = LiveState::Old(at("16:50"));
    assert_eq!(s.pass().await, 0);
    s.planner.traffic.lock().unwrap().alerts = vec![alert("1", "Trafic ralenti", at("16:58"))];
    assert_eq!(s.pass().await, 1);
    let text = s.notice(&c).await;
    assert!(text.contains("Temps réel, 16:58") && !text.contains("supprimé"), "{text}");
}

#[tokio::test]
async fn alerts_wait_for_the_end_of_quiet_hours() {
    let s = stage("05:00").await;
    let c = s.customer("a", Lang::FR).await;
    s.watch(&c, Watched::Station { station: station("Rennes") }, "05:00", at("23:00")).await;
    s.planner.traffic.lock().unwrap().alerts = vec![alert("1", "Gare fermée", at("06:25"))];
    assert_eq!(s.pass().await, 0);
    s.clock.advance(minutes(90));
    assert_eq!(s.pass().await, 1);
    assert!(s.notice(&c).await.starts_with("Alerte pour la gare Rennes :\n• Gare fermée"));
}

#[tokio::test]
async fn new_live_data_is_looked_at_without_waiting_for_the_poll() {
    let s = stage("17:00").await;
    let c = s.told("a", Lang::FR, |_| {}).await;
    let mut notifier = s.notifier.clone();
    notifier.config.poll = toml::Value::String("1h".into()).try_into().unwrap();
    let stop = CancellationToken::new();
    let mut hints = s.notifier.store.hints();
    let (live, stopping) = (notifier.live.clone(), stop.clone());
    let running = tokio::spawn(notifier.run(stopping));
    s.runs(cancelled());
    live.replace(Snapshot::default());
    let told = async {
        while s.notices(&c).await.is_empty() {
            let _ = hints.recv().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("told");
    stop.cancel();
    running.await.unwrap();
}
