//! `traffic.line`: how a line, the way between two stations, a station or the network runs.

use super::alerts;
use crate::answers::asked::{Answer, Asked, settled};
use crate::answers::provenance::Live;
use crate::answers::told::{Teller, place};
use crate::answers::{AnswerSource, Lookup, Query, Samples, sample};
use crate::model::StationRef;
use crate::transit::live::Alert;
use crate::transit::planner::{LiveState, Ride, SharedPlanner, Traffic, TrafficQuery, Unknown};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::time::Duration;

/// How far ahead a question about now looks.
pub(super) const AHEAD: Duration = Duration::from_secs(3 * 3600);
/// Trains named; all are counted.
const NAMED: usize = 3;

/// Slots: `line`, `from`, `to` (stations), `when`; none: the whole network.
///
/// Variables: `line`, null when not named; `from`, `to`; `running`, `late`, `cancelled`, counts of the next hours' trains;
/// `late_trains`, `cancelled_trains`, some of them as rides; `alerts`; `day`; `trains_known`: live data of trains is there, without which
/// only what is announced is told. Without either: [`Lookup::NoData`]. It never finds [`Lookup::Nothing`].
pub(in crate::answers) struct Line(pub SharedPlanner);

#[async_trait]
impl AnswerSource for Line {
    fn name(&self) -> &'static str {
        "traffic.line"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        settled(async { answer(&Asked::read(query, &*self.0)?).await }).await
    }

    fn samples(&self) -> Samples {
        samples()
    }
}

async fn answer(asked: &Asked<'_>) -> Answer {
    super::trains_there(asked)
        .or_else(|no_trains| super::announcements_there(asked).map_err(|_| no_trains))?;
    let at = asked.at();
    let query = TrafficQuery {
        line: asked.line.clone(),
        stations: asked.from.iter().chain(&asked.to).map(|station| station.id.clone()).collect(),
        from: at,
        until: asked.until().unwrap_or(at.plus(AHEAD)),
    };
    let told = match asked.planner.traffic(&query, asked.now()).await {
        Err(Unknown::TooWide) => return Ok(Lookup::TooWide),
        told => told?,
    };
    let (mut traffic, mut of) = (told.value, told.provenance);
    let trains = super::need_live(traffic.trains);
    if let Err(no_trains) = trains {
        // That nothing is announced does not mean that all trains run.
        if traffic.alerts.is_empty() {
            return Err(no_trains);
        }
        (of.live, of.live_partial) = (traffic.announced, false);
    }
    super::need_live(of.live)?;
    let teller = Teller::new(asked, &of);
    traffic.alerts = alerts::chosen(traffic.alerts, &teller);
    let state = State { from: asked.from.clone(), to: asked.to.clone(), traffic, at };
    let traffic = &state.traffic;
    let (late, cancelled) = (traffic.late.len(), traffic.cancelled.len());
    let value = format!("traffic: {} running, {late} late, {cancelled} cancelled", traffic.running);
    let counted = traffic.trains.used().is_some();
    let mut facts: Vec<_> = counted.then(|| teller.live_fact(value, None)).into_iter().collect();
    facts.extend(traffic.alerts.iter().map(|alert| alerts::fact(&teller, alert)));
    facts.extend(named(&traffic.late).chain(named(&traffic.cancelled)).map(|ride| teller.ride_fact(ride)));
    Ok(Lookup::Found { data: state.data(&teller), facts })
}

fn named(rides: &[Ride]) -> impl Iterator<Item = &Ride> {
    rides.iter().take(NAMED)
}

struct State {
    from: Option<StationRef>,
    to: Option<StationRef>,
    traffic: Traffic,
    at: crate::model::Timestamp,
}

impl State {
    fn data(&self, teller: &Teller<'_>) -> Value {
        let Traffic { line, alerts, announced: _, trains, running, late, cancelled } = &self.traffic;
        let day = teller.date(self.at);
        let rows =
            |rides: &[Ride]| -> Vec<Value> { named(rides).map(|ride| teller.ride(ride, day)).collect() };
        let mut data = json!({
            "line": line,
            "from": self.from.as_ref().map(place),
            "to": self.to.as_ref().map(place),
            "trains_known": trains.used().is_some(),
            "running": running,
            "late": late.len(),
            "cancelled": cancelled.len(),
            "late_trains": rows(late),
            "cancelled_trains": rows(cancelled),
            "alerts": alerts.iter().map(|alert| alerts::told(teller, alert)).collect::<Vec<_>>(),
            "day": teller.day(day),
        });
        teller.add_source(&mut data, Live::Speaks);
        data
    }
}

fn samples() -> Samples {
    let of = sample::provenance();
    let teller = sample::teller(&of);
    let traffic = |line: Option<&str>, late: usize, cancelled: usize, alerts: Vec<Alert>| Traffic {
        line: line.map(str::to_owned),
        alerts,
        announced: of.live,
        trains: of.live,
        running: 12,
        late: vec![sample::late_ride(); late],
        cancelled: vec![sample::cancelled_ride(); cancelled],
    };
    let state = |traffic: Traffic| State { from: None, to: None, traffic, at: sample::NOW };
    let tomorrow = sample::NOW.plus(Duration::from_secs(24 * 3600));
    let both = State {
        from: Some(sample::station("Laval")),
        ..state(traffic(None, 2, 1, vec![sample::alert(false)]))
    };
    let shapes = [
        state(traffic(Some("Alizé"), 0, 0, Vec::new())),
        state(traffic(Some("Alizé"), 1, 1, vec![sample::alert(true), sample::alert(false)])),
        State { to: Some(sample::station("Rennes")), ..both },
        State { to: Some(sample::station("Rennes")), at: tomorrow, ..state(traffic(None, 0, 0, Vec::new())) },
        state(Traffic { running: 0, ..traffic(None, 0, 0, Vec::new()) }),
        state(Traffic { trains: LiveState::Lost(None), ..traffic(None, 0, 0, vec![sample::alert(true)]) }),
        State { from: Some(sample::station("Laval")), ..state(traffic(None, 4, 0, Vec::new())) },
    ];
    let data: Vec<Value> = shapes.iter().map(|state| state.data(&teller)).collect();
    Samples { nothing: data[..1].to_vec(), found: data }
}
