//! Ways with changes.

use super::super::testing::*;
use crate::transit::planner::{Journey, JourneyQuery, Planner as _, Unknown, When};
use crate::transit::testing::paris;
use serde_json::{Value, json};

/// A train between two stations.
fn leg(number: &str, (from, leaves): (&str, &str), (to, arrives): (&str, &str)) -> Value {
    let mut leg = section(number, (leaves, arrives), None, None);
    leg["from"] = json!({ "stop_point": point(from) });
    leg["to"] = json!({ "stop_point": point(to) });
    leg["stop_date_times"] = json!([]);
    leg
}

fn answer(journeys: &[Vec<Value>]) -> Value {
    let journey = |sections: &Vec<Value>| json!({ "sections": sections });
    json!({ "context": context(), "journeys": journeys.iter().map(journey).collect::<Vec<_>>() })
}

fn changing() -> Vec<Value> {
    vec![
        json!({ "type": "crow_fly" }),
        leg("17757", ("1", "1810"), ("2", "1950")),
        json!({ "type": "transfer", "mode": "walking" }),
        json!({ "type": "waiting" }),
        leg("6845", ("2", "2000"), ("3", "2140")),
    ]
}

async fn ask(answer: &Value, when: When, via: Option<&str>) -> Result<Vec<Journey>, Unknown> {
    let query =
        JourneyQuery { from: "OCE1".into(), to: "OCE3".into(), via: via.map(str::to_owned), when, limit: 3 };
    let planner = StandIn::start(vec![status(), ok("/journeys?", answer)]).await.planner();
    planner.journeys(&query, now()).await.map(|told| told.value)
}

/// The numbers of each way.
fn numbers(journeys: &[Journey]) -> Vec<String> {
    let of = |journey: &Journey| {
        let numbers = journey.rides.iter().filter_map(|ride| ride.train.number.as_deref());
        numbers.collect::<Vec<_>>().join(" ")
    };
    journeys.iter().map(of).collect()
}

fn after() -> When {
    When::DepartAfter(now())
}

#[tokio::test]
async fn the_earliest_arrival_comes_first_and_tomorrow_only_when_today_has_none() {
    let later = answer(&[
        vec![leg("6613", ("1", "2100"), ("3", "2300"))],
        vec![leg("6699", ("1", "0600"), ("3", "0800"))],
        changing(),
    ]);
    let found = ask(&later, after(), None).await.unwrap();
    assert_eq!(numbers(&found), ["17757 6845", "6613"], "what has left is not told");
    let mut tomorrow = leg("6601", ("1", "0600"), ("3", "0800"));
    for key in ["departure_date_time", "base_departure_date_time"] {
        tomorrow[key] = json!("20250111T060000");
    }
    for key in ["arrival_date_time", "base_arrival_date_time"] {
        tomorrow[key] = json!("20250111T080000");
    }
    let both = answer(&[vec![tomorrow.clone()], changing()]);
    assert_eq!(numbers(&ask(&both, after(), None).await.unwrap()), ["17757 6845"]);
    let only = answer(&[vec![tomorrow]]);
    assert_eq!(numbers(&ask(&only, after(), None).await.unwrap()), ["6601"]);
}

#[tokio::test]
async fn to_be_there_in_time_the_latest_departure_comes_first() {
    let both = answer(&[changing(), vec![leg("6607", ("1", "1830"), ("3", "2030"))]]);
    let found = ask(&both, When::ArriveBefore(paris("2025-01-10T22:00")), None).await.unwrap();
    assert_eq!(numbers(&found), ["6607", "17757 6845"]);
}

#[tokio::test]
async fn a_way_that_is_not_wholly_by_train_and_on_foot_is_not_told() {
    let mut taxi = changing();
    taxi[0] = json!({ "type": "street_network", "mode": "car" });
    let mut elsewhere = changing();
    elsewhere[4]["to"] = json!({ "stop_point": point("4") });
    let mut inexact = changing();
    inexact[1]["additional_informations"] = json!(["odt_with_zone"]);
    for strange in [taxi, elsewhere, inexact] {
        let alone = ask(&answer(std::slice::from_ref(&strange)), after(), None).await;
        assert!(matches!(alone, Err(Unknown::Source(_))), "{alone:?}: people know other ways");
        let beside = ask(&answer(&[strange, changing()]), after(), None).await.unwrap();
        assert_eq!(numbers(&beside), ["17757 6845"]);
    }
}

#[tokio::test]
async fn a_given_way_is_told_only_if_it_is_offered() {
    let both = answer(&[vec![leg("6607", ("1", "1830"), ("3", "2030"))], changing()]);
    assert_eq!(numbers(&ask(&both, after(), Some("OCE2")).await.unwrap()), ["17757 6845"]);
    assert!(matches!(ask(&both, after(), Some("OCE9")).await, Err(Unknown::Source(_))));
}

#[tokio::test]
async fn no_way_is_surely_none() {
    let none = json!({ "error": { "id": "no_solution" } });
    assert_eq!(ask(&none, after(), None).await, Ok(vec![]));
}

#[tokio::test]
async fn a_change_that_cannot_be_made_is_nonsense() {
    let mut broken = changing();
    broken[4] = leg("6845", ("2", "1940"), ("3", "2140"));
    let found = ask(&answer(&[broken]), after(), None).await;
    assert!(matches!(&found, Err(Unknown::Source(why)) if why.contains("nonsense")), "{found:?}");
}
