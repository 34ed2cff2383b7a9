//! One train by its number.

use super::super::testing::*;
use crate::model::TrainKey;
use crate::transit::planner::{Moment, Planner as _, Run, Unknown};
use crate::transit::testing::paris;
use jiff::civil::date;
use serde_json::Value;

const CALLS: [(&str, &str, &str); 3] = [("1", "1830", "1830"), ("2", "2000", "2003"), ("3", "2130", "2130")];

fn base(disruption: Option<&str>) -> Value {
    vehicle_journey("6607", "", &CALLS, disruption)
}

fn changed(calls: &[(&str, &str, &str)]) -> Value {
    vehicle_journey("6607", ":RealTime:ab12", calls, None)
}

fn replies(base: &[Value], live: &[Value], disruptions: &[Value]) -> Vec<Reply> {
    vec![
        status(),
        ok(
            "vehicle_journeys?headsign=6607&since=20250110T000000&until=20250111T040000&data_freshness=base_schedule",
            &runs(base, disruptions),
        ),
        ok("data_freshness=realtime", &runs(live, disruptions)),
    ]
}

async fn ask(replies: Vec<Reply>) -> Result<Vec<Run>, Unknown> {
    let planner = StandIn::start(replies).await.planner();
    planner.train("6607", date(2025, 1, 10), now()).await.map(|told| told.value)
}

fn minutes(run: &Run) -> Vec<String> {
    let late = |moment: Option<Moment>| match moment {
        None => "-".to_owned(),
        Some(Moment { expected: None, .. }) => "?".to_owned(),
        Some(Moment { scheduled, expected: Some(at) }) => ((at.0 - scheduled.0) / 60_000_000).to_string(),
    };
    let stop = |stop: &crate::transit::planner::Stop| {
        let mark = if stop.skipped { " skipped" } else { "" };
        format!("{} {} {}{mark}", stop.station.id, late(stop.arrival), late(stop.departure))
    };
    run.stops.iter().map(stop).collect()
}

#[tokio::test]
async fn a_train_that_live_data_leaves_as_it_is() {
    let runs = ask(replies(&[base(None)], &[base(None)], &[])).await.unwrap();
    assert_eq!(minutes(&runs[0]), ["OCE1 - ?", "OCE2 ? ?", "OCE3 ? -"]);
    let run = &runs[0];
    assert_eq!(run.stops[1].departure.unwrap().scheduled, paris("2025-01-10T20:03"));
    assert_eq!(run.train.key, TrainKey { trip: train_id("6607"), day: date(2025, 1, 10) });
    assert_eq!((run.train.number.as_deref(), run.train.terminus.as_str()), (Some("6607"), "Lyon Part Dieu"));
    assert_eq!(
        (run.train.brand.as_deref(), run.train.line.as_deref()),
        (Some("TGV INOUI"), Some("Paris - Lyon"))
    );
}

#[tokio::test]
async fn delays_left_out_and_added_calls() {
    let late = [("1", "1835", "1835"), ("2", "2010", "2013"), ("3", "2145", "2145")];
    let runs = ask(replies(&[base(None)], &[changed(&late)], &[])).await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(minutes(&runs[0]), ["OCE1 - 5", "OCE2 10 10", "OCE3 15 -"]);
    assert_eq!(runs[0].train.key.trip, train_id("6607"), "the same train as on a board");
    let skips = [("1", "1830", "1830"), ("3", "2130", "2130")];
    let runs = ask(replies(&[base(None)], &[changed(&skips)], &[])).await.unwrap();
    assert_eq!(minutes(&runs[0]), ["OCE1 - 0", "OCE2 ? ? skipped", "OCE3 0 -"]);
    let more = [("1", "1830", "1830"), ("2", "2000", "2003"), ("4", "2050", "2052"), ("3", "2130", "2130")];
    let runs = ask(replies(&[base(None)], &[changed(&more)], &[])).await.unwrap();
    assert_eq!(minutes(&runs[0]), ["OCE1 - 0", "OCE2 0 0", "OCE4 0 0", "OCE3 0 -"]);
}

#[tokio::test]
async fn a_delay_past_midnight_stays_a_delay() {
    let calls = [("1", "2350", "2350"), ("3", "0110", "0110")];
    let late = [("1", "0010", "0010"), ("3", "0130", "0130")];
    let base = vehicle_journey("6607", "", &calls, None);
    let runs = ask(replies(&[base], &[changed(&late)], &[])).await.unwrap();
    assert_eq!(minutes(&runs[0]), ["OCE1 - 20", "OCE3 20 -"]);
    assert_eq!(runs[0].stops[1].arrival.unwrap().scheduled, paris("2025-01-11T01:10"));
}

#[tokio::test]
async fn cancelled_only_where_a_disruption_says_so() {
    let no = [disruption("no", "NO_SERVICE", "Train supprimé")];
    let runs = ask(replies(&[base(Some("no"))], &[], &no)).await.unwrap();
    assert!(runs[0].train.cancelled);
    assert_eq!(runs[0].alerts.len(), 1);
    assert_eq!(runs[0].alerts[0].as_of, paris("2025-01-10T17:59:30"));
    let late = [disruption("no", "SIGNIFICANT_DELAYS", "")];
    for contradictory in [replies(&[base(None)], &[], &no), replies(&[base(Some("no"))], &[], &late)] {
        let answer = ask(contradictory).await;
        assert!(
            matches!(&answer, Err(Unknown::Source(why)) if why.contains("neither runs nor")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_train_only_in_live_data_is_an_added_one() {
    let runs = ask(replies(&[], &[changed(&CALLS)], &[])).await.unwrap();
    assert!(runs[0].train.added);
    assert_eq!(minutes(&runs[0]), ["OCE1 - 0", "OCE2 0 0", "OCE3 0 -"]);
}

#[tokio::test]
async fn another_day_and_an_unknown_number_are_no_train() {
    let mut other = base(None);
    other["calendars"][0]["active_periods"] = serde_json::json!([{ "begin": "20250109", "end": "20250110" }]);
    assert_eq!(ask(replies(&[other], &[], &[])).await, Ok(vec![]), "periods end before their last day");
    let unknown = serde_json::json!({ "error": { "id": "unknown_object" } }).to_string().into_bytes();
    assert_eq!(ask(vec![status(), ("vehicle_journeys", 404, unknown)]).await, Ok(vec![]));
}

#[tokio::test]
async fn without_young_live_data_only_the_schedule_is_told() {
    let late = [("1", "1835", "1835"), ("2", "2010", "2013"), ("3", "2145", "2145")];
    let mut replies = replies(&[base(None)], &[changed(&late)], &[]);
    replies[0] = status_at("20250110T080000");
    assert_eq!(minutes(&ask(replies).await.unwrap()[0]), ["OCE1 - ?", "OCE2 ? ?", "OCE3 ? -"]);
}

#[tokio::test]
async fn a_told_run_is_found_again_under_its_own_key_or_the_day_before() {
    let stand_in = StandIn::start(replies(&[base(None)], &[base(None)], &[])).await;
    let planner = stand_in.planner();
    for day in [date(2025, 1, 10), date(2025, 1, 11)] {
        let key = TrainKey { trip: train_id("6607"), day };
        let run = planner.run(&key, Some("6607"), now()).await.unwrap().value;
        assert_eq!(run.map(|run| run.train.key), Some(key));
    }
    let other = TrainKey { trip: train_id("1"), day: date(2025, 1, 10) };
    assert_eq!(planner.run(&other, Some("6607"), now()).await.unwrap().value, None);
}
