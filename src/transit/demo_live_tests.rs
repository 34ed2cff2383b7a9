use super::*;
use jiff::civil::date;

/// 120 trains on four lines: every ten minutes from 05:00 UTC, three stops in 70 minutes, two platforms at each station.
fn runs(day: Date) -> Vec<ScheduledRun> {
    let start = Timestamp::from_jiff(day.at(5, 0, 0, 0).in_tz("UTC").unwrap().timestamp());
    let run = |rank: u32| {
        let leaves = start.plus(MINUTE * 10 * rank);
        let call = |sequence: u32| {
            let at = leaves.plus(MINUTE * 35 * (sequence - 1));
            ScheduledCall {
                stop: format!("S{sequence}-{}", 1 + rank % 2),
                station: format!("S{sequence}"),
                sequence,
                arrival: (sequence > 1).then_some(at),
                departure: (sequence < 3).then_some(at),
            }
        };
        let key = crate::model::TrainKey { trip: format!("T{rank:03}"), day };
        let calls = (1..=3).map(call).collect();
        ScheduledRun { key, route: format!("R{}", rank % 4), number: Some(rank.to_string()), calls }
    };
    (0..120).map(run).collect()
}

fn start(day: Date) -> Timestamp {
    runs(day)[0].calls[0].departure.unwrap()
}

/// Every quarter of an hour of the day's traffic.
fn quarters(day: Date) -> impl Iterator<Item = Timestamp> {
    let start = start(day);
    (0..22 * 4).map(move |quarter| start.plus(MINUTE * 15 * quarter))
}

fn delay(change: &TripChange, stop: usize) -> i64 {
    match change.stops[stop].departure.or(change.stops[stop].arrival) {
        Some(Shift::Delay(seconds)) => seconds,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_day_of_the_year_has_some_of_everything() {
    let mut works = 0;
    for day in date(2026, 1, 1).series(jiff::ToSpan::days(1)).take(365) {
        let runs = runs(day);
        let (mut late, mut cancelled, mut moved, mut incidents, mut announced) = (0, 0, 0, 0, false);
        for now in quarters(day) {
            let made = snapshot(&runs, now);
            assert_eq!(
                (made.trips_as_of, made.alerts_as_of, made.trips_partial),
                (Some(now), Some(now), false)
            );
            for change in made.trips.values().flatten() {
                assert_eq!(change.day, Some(day));
                match change.running {
                    Running::Cancelled => cancelled += 1,
                    _ if change.stops.iter().any(|stop| stop.assigned_stop_id.is_some()) => moved += 1,
                    _ => late += 1,
                }
            }
            incidents += made.alerts.iter().filter(|alert| alert.effect == "significant_delays").count();
            announced |= made.alerts.iter().any(|alert| alert.cause == "maintenance" && alert.is_active(now));
        }
        assert!(late > 20 && cancelled >= 5 && moved >= 2, "{day}: {late} {cancelled} {moved}");
        assert!((8..=16).contains(&incidents), "{day}: {incidents} quarters of an hour of incident");
        works += usize::from(announced);
    }
    assert_eq!(works, 12 * 14, "two weeks a month");
}

#[test]
fn the_same_moment_gives_the_same_traffic_and_other_days_another() {
    let day = date(2026, 7, 14);
    let noon = start(day).plus(HOUR * 7);
    let mut backwards = runs(day);
    backwards.reverse();
    assert_eq!(snapshot(&runs(day), noon), snapshot(&backwards, noon));
    let fates_of = |day: Date| {
        let mut trips: Vec<String> =
            quarters(day).flat_map(|now| snapshot(&runs(day), now).trips.into_keys()).collect();
        trips.sort_unstable();
        trips.dedup();
        trips
    };
    assert_ne!(fates_of(day), fates_of(date(2026, 7, 15)));
}

/// A delay that was told may grow, or shrink by minutes; a cancellation is never taken back; but corrections come to be needed.
#[test]
fn within_a_day_nothing_jumps_back_and_some_things_change() {
    let day = date(2026, 3, 29);
    let runs = runs(day);
    let mut told: std::collections::HashMap<String, TripChange> = Default::default();
    let (mut later_by_five, mut cancelled_later) = (0, 0);
    for minute in 0..20 * 60 {
        let now = start(day).minus(HOUR * 3).plus(MINUTE * minute);
        let made = snapshot(&runs, now);
        for run in &runs {
            let over = run.calls[2].arrival.unwrap() < now;
            let (before, after) =
                (told.get(&run.key.trip), made.trips.get(&run.key.trip).map(|changes| &changes[0]));
            match (before, after) {
                (Some(before), None) => assert!(over, "{before:?} is forgotten at {now}"),
                (Some(before), Some(after)) if before.running != Running::Cancelled => {
                    assert_ne!(after.running, Running::Cancelled);
                    let change = delay(after, after.stops.len() - 1) - delay(before, before.stops.len() - 1);
                    assert!((-60..=60).contains(&change), "{change} s from one minute to the next");
                }
                (Some(_), Some(after)) => assert_eq!(after.running, Running::Cancelled),
                (None, Some(after)) if minute > 0 => {
                    cancelled_later += usize::from(after.running == Running::Cancelled);
                }
                _ => {}
            }
            if after.is_some_and(|after| {
                after.running == Running::Scheduled && delay(after, after.stops.len() - 1) > 300
            }) {
                later_by_five += 1;
            }
        }
        told = made.trips.into_iter().map(|(trip, mut changes)| (trip, changes.remove(0))).collect();
    }
    assert!(later_by_five > 0);
    assert_eq!(cancelled_later, 0, "the only cancellation of 120 trains is known from the start");
}

#[test]
fn a_late_train_calls_in_order() {
    let day = date(2026, 11, 25);
    let runs = runs(day);
    for now in quarters(day) {
        let made = snapshot(&runs, now);
        for run in &runs {
            let Some(change) = made.trips.get(&run.key.trip).map(|changes| &changes[0]) else { continue };
            let times: Vec<i64> = run
                .calls
                .iter()
                .zip(&change.stops)
                .map(|(call, stop)| {
                    assert_eq!(stop.sequence, Some(call.sequence));
                    let Some(Shift::Delay(delay)) = stop.departure.or(stop.arrival) else {
                        panic!("{stop:?}")
                    };
                    assert!(delay % 60 == 0 && (0..=30 * 60).contains(&delay));
                    call.departure.or(call.arrival).unwrap().0 / 1_000_000 + delay
                })
                .collect();
            assert!(times.is_sorted(), "{times:?}");
        }
    }
}

#[test]
fn platforms_are_those_of_the_station() {
    let day = date(2026, 5, 1);
    let runs = runs(day);
    let moved: Vec<StopChange> = quarters(day)
        .flat_map(|now| snapshot(&runs, now).trips.into_values().flatten())
        .flat_map(|change| change.stops)
        .filter(|stop| stop.assigned_stop_id.is_some())
        .collect();
    for stop in &moved {
        let (from, to) = (stop.stop_id.as_deref().unwrap(), stop.assigned_stop_id.as_deref().unwrap());
        assert!(from != to && from[..2] == to[..2], "{from} to {to}");
    }
    assert!(!moved.is_empty());
}

#[test]
fn every_alert_says_in_both_languages_that_it_is_invented() {
    for day in date(2026, 6, 1).series(jiff::ToSpan::days(1)).take(14) {
        for now in quarters(day) {
            for alert in snapshot(&runs(day), now).alerts {
                for texts in [&alert.header, &alert.description] {
                    assert!(
                        texts[&Lang::FR].contains("émonstration") && texts[&Lang::FR].contains("inventé")
                    );
                    assert!(
                        texts[&Lang::EN].contains("emonstration") && texts[&Lang::EN].contains("invented")
                    );
                }
                assert!(alert.routes.iter().all(|route| route.starts_with('R')) && alert.routes.len() == 1);
            }
        }
    }
}

#[test]
fn without_trains_there_is_no_live_data() {
    assert_eq!(snapshot(&[], Timestamp(0)), Snapshot::default());
    let mut odd = runs(date(2026, 5, 5));
    odd.iter_mut().for_each(|run| run.calls.truncate(1));
    assert_eq!(snapshot(&odd, Timestamp(0)), Snapshot::default());
}

#[tokio::test]
async fn the_task_fills_the_handle_until_it_is_stopped() {
    let day = date(2026, 5, 5);
    let now = start(day).plus(HOUR * 4);
    let (live, stopping) = (LiveHandle::default(), CancellationToken::new());
    let clock = Arc::new(crate::clock::ManualClock::at(now));
    let given = move |_| runs(day);
    // So short that it comes round again while this test looks.
    let task = tokio::spawn(simulate(given, live.clone(), clock.clone(), Duration::ZERO, stopping.clone()));
    while live.get().trips_as_of != Some(now) {
        tokio::task::yield_now().await;
    }
    clock.advance(HOUR);
    while live.get().trips_as_of != Some(now.plus(HOUR)) {
        tokio::task::yield_now().await;
    }
    stopping.cancel();
    task.await.unwrap();
}
