//! Answers that a Navitia server once gave, from the shared data.

use super::super::alerts::alert;
use super::super::map::Map;
use super::super::model::Disruption;
use super::super::testing::*;
use crate::config::{NavitiaConfig, StationIds};
use crate::model::Lang;
use crate::transit::planner::{BoardQuery, Ends, JourneyQuery, LiveState, Planner as _, When};
use crate::transit::testing::{paris, shared_data};
use jiff::tz::TimeZone;
use serde_json::json;

fn recorded(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(shared_data(&format!("navitia/{name}"))?).unwrap())
}

/// A coverage as it was then, of which no live data is known.
async fn then(replies: Vec<Reply>) -> super::super::Navitia {
    let status = json!({ "status": {
        "publication_date": "20170410T120000", "start_production_date": "20170401", "end_production_date": "20170630",
    }});
    let stand_in = StandIn::start([vec![ok("/status", &status)], replies].concat()).await;
    planner(&NavitiaConfig {
        our_station: "{}".into(),
        their_station: "stop_area:OIF:SA:{}".into(),
        ..stand_in.config()
    })
}

#[tokio::test]
async fn departures_of_odeon() {
    let Some(answer) = recorded("departures.json") else { return };
    let planner = then(vec![("departures", 200, answer)]).await;
    let at = paris("2017-04-27T17:05");
    let query = BoardQuery { station: "59263".into(), other: None, ends: Ends::Departures, at, limit: 20 };
    let told = planner.board(&query, at).await.unwrap();
    let rows: Vec<String> = told
        .value
        .rides
        .iter()
        .map(|ride| {
            let departure = ride.from.departure.unwrap();
            assert_eq!(departure.expected, None);
            assert_eq!(ride.train.number, None, "the operator's own id is no number");
            let minutes = departure.scheduled.since(at).as_secs() / 60;
            let (brand, line) = (ride.train.brand.as_deref().unwrap(), ride.train.line.as_deref().unwrap());
            format!("{minutes} {brand} {line} {} {}", ride.from.station.name, ride.train.terminus)
        })
        .collect();
    assert_eq!(rows.len(), 10);
    assert_eq!(rows[0], "0 Métro 4 Odéon Mairie de Montrouge");
    assert_eq!(rows[2], "0 Bus 58 Odéon Châtelet");
    assert_eq!(rows[9], "3 Métro 4 Odéon Mairie de Montrouge");
    assert_eq!(told.provenance.live, LiveState::Lost(None));
}

#[tokio::test]
async fn a_journey_on_foot_and_by_rer() {
    let Some(answer) = recorded("journeys.json") else { return };
    let planner = then(vec![("journeys", 200, answer)]).await;
    let at = paris("2017-04-13T13:37");
    let query = JourneyQuery {
        from: "8754700".into(),
        to: "8739305".into(),
        via: None,
        when: When::DepartAfter(at),
        limit: 5,
    };
    let journeys = planner.journeys(&query, at).await.unwrap().value;
    assert_eq!(journeys.len(), 1, "the other one begins or ends elsewhere");
    let ride = &journeys[0].rides[0];
    assert_eq!(ride.from.departure.unwrap().scheduled, paris("2017-04-13T13:54"));
    assert_eq!(ride.to.arrival.unwrap().scheduled, paris("2017-04-13T14:08"));
    assert_eq!(
        (ride.from.station.name.as_str(), ride.to.station.name.as_str()),
        ("Gare d'Austerlitz", "Champ de Mars Tour Eiffel")
    );
    assert_eq!((ride.train.brand.as_deref(), ride.train.line.as_deref()), (Some("RER"), Some("C")));
    assert_eq!(ride.train.terminus, "Gare de Versailles Château - Rive Gauche");
}

#[test]
fn a_disruption() {
    let Some(answer) = recorded("disruption.json") else { return };
    let disruption: Disruption = serde_json::from_slice(&answer).unwrap();
    let ids = StationIds::new("{}", "{}").unwrap();
    let map = Map { zone: TimeZone::get("Europe/Paris").unwrap(), ids: &ids, timetable: None, live: true };
    let as_of = paris("2016-06-17T14:00");
    let alert = alert(&map, &disruption, Lang::FR, as_of).unwrap();
    assert_eq!((alert.cause.as_str(), alert.effect.as_str()), ("unknown_cause", "significant_delays"));
    assert_eq!(alert.header(Lang::FR), Some("Strike"));
    assert_eq!(alert.periods, [(Some(paris("2016-06-08T21:54")), Some(paris("2016-06-08T23:10")))]);
    assert_eq!(alert.as_of, as_of);
}
