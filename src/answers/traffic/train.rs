//! `traffic.train`: whether a train is late, cancelled or on time, and why.

use super::alerts;
use crate::answers::asked::{Answer, Asked, Why, settled};
use crate::answers::provenance::Live;
use crate::answers::told::{Teller, does_not_run, minutes_late, place};
use crate::answers::{AnswerSource, Lookup, Query, Samples, sample, which};
use crate::model::StationRef;
use crate::transit::live::Alert;
use crate::transit::planner::{Moment, Provenance, Ride, Run, SharedPlanner, Told, TrafficQuery};
use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Slots: `train` (a number), or `from` (a station), `to`, `when`; else `line`, whose late and cancelled trains are told.
///
/// Variables: `trains`, rides with `status` (`cancelled`, `skipped`, `late`, `early`, `on_time`, `unreported`: live data says
/// nothing of it), `gone` (it has left, or arrived), `arriving` (`time` is the arrival at `off`), `arrival_late` in minutes
/// or null; `alerts`, what is announced for them; `causes_known`: there are announcements that are young enough to look in;
/// `train`, `line`, `from`, `to`, `day`.
/// Without live data: [`Lookup::NoData`]. [`Lookup::Nothing`]: surely no such train that day.
pub(in crate::answers) struct Train(pub SharedPlanner);

#[async_trait]
impl AnswerSource for Train {
    fn name(&self) -> &'static str {
        "traffic.train"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        settled(async { answer(&Asked::read(query, &*self.0)?).await }).await
    }

    fn samples(&self) -> Samples {
        samples()
    }
}

struct Found {
    train: Option<String>,
    /// As its operator writes it.
    line: Option<String>,
    from: Option<StationRef>,
    to: Option<StationRef>,
    rides: Vec<Ride>,
    /// None: they could not be looked up.
    alerts: Option<Vec<Alert>>,
    day: Date,
}

async fn answer(asked: &Asked<'_>) -> Answer {
    super::trains_there(asked)?;
    let (mut found, provenance) = match (&asked.train, &asked.line) {
        (Some(number), _) => by_number(asked, number).await?,
        (None, Some(line)) if asked.from.is_none() => by_line(asked, line).await?,
        (None, _) => by_station(asked).await?,
    };
    super::need_live(provenance.live)?;
    if super::announcements_there(asked).is_err() {
        found.alerts = None;
    }
    let teller = Teller::new(asked, &provenance);
    found.alerts = found.alerts.map(|alerts| alerts::chosen(alerts, &teller));
    let data = found.data(&teller);
    // A line on which no train is late is there all the same.
    if found.rides.is_empty() && found.line.is_none() {
        let number = found.train.as_deref().unwrap_or("between these stations");
        let fact = teller.scheduled_fact(format!("no train {number} on {}", found.day));
        return Ok(Lookup::Nothing { data, facts: vec![fact] });
    }
    let mut facts = teller.ride_facts(&found.rides);
    if let Some(line) = found.line.as_ref().filter(|_| facts.is_empty()) {
        facts.push(teller.live_fact(format!("no train of {line} late or cancelled"), None));
    }
    facts.extend(found.alerts.iter().flatten().map(|alert| alerts::fact(&teller, alert)));
    Ok(Lookup::Found { data, facts })
}

async fn by_number(asked: &Asked<'_>, number: &str) -> Result<(Found, Provenance), Why> {
    let told = which::numbered(asked, number).await?;
    let now = asked.now();
    let part = |run: &Run| match (&asked.from, &asked.to) {
        (None, None) => ahead(run, now),
        // A train that does not call where the customer says is still the train that was asked for.
        (from, to) => which::asked_part(run, from.as_ref(), to.as_ref()).or_else(|| ahead(run, now)),
    };
    let rides: Vec<Ride> = told.value.runs.iter().filter_map(part).take(which::TOLD).collect();
    let alerts = told.value.runs.iter().flat_map(|run| run.alerts.clone()).collect();
    let found = Found {
        train: Some(number.to_owned()),
        line: None,
        from: asked.from.clone(),
        to: asked.to.clone(),
        rides,
        alerts: Some(alerts),
        day: told.value.day,
    };
    Ok((found, told.provenance))
}

/// From the next call ahead to the end of the line; after the end, the end.
fn ahead(run: &Run, now: crate::model::Timestamp) -> Option<Ride> {
    let last = run.stops.len().checked_sub(1)?;
    if run.train.cancelled {
        return which::ride_of(run, 0, last);
    }
    let is_ahead = |stop: &crate::transit::planner::Stop| {
        !stop.skipped && which::moment_of(stop).is_some_and(|moment| moment.best() >= now)
    };
    let next = run.stops.iter().position(is_ahead).unwrap_or(last);
    which::ride_of(run, next, last)
}

async fn by_station(asked: &Asked<'_>) -> Result<(Found, Provenance), Why> {
    let from = asked.need_from()?;
    let told = which::between(asked, from, asked.to.as_ref()).await?;
    let day = told.value.first().map_or(asked.date(which::spoken_time(asked)), |ride| {
        ride.from.departure.map_or(ride.train.key.day, |moment| asked.date(moment.scheduled))
    });
    let alerts = announced(asked, &told.value).await;
    let found = Found {
        train: None,
        line: None,
        from: Some(from.clone()),
        to: asked.to.clone(),
        rides: told.value,
        alerts,
        day,
    };
    Ok((found, told.provenance))
}

async fn by_line(asked: &Asked<'_>, line: &str) -> Result<(Found, Provenance), Why> {
    let at = which::spoken_time(asked);
    let until = asked.until().unwrap_or(at.plus(super::line::AHEAD));
    let stations = asked.to.iter().map(|station| station.id.clone()).collect();
    let query = TrafficQuery { line: Some(line.to_owned()), stations, from: at, until };
    let Told { value, provenance } = asked.planner.traffic(&query, asked.now()).await?;
    let line = value.line.or_else(|| Some(line.to_owned()));
    let rides = value.cancelled.into_iter().chain(value.late).take(which::TOLD).collect();
    let (alerts, day) = (Some(value.alerts), asked.date(at));
    Ok((Found { train: None, line, from: None, to: asked.to.clone(), rides, alerts, day }, provenance))
}

/// What is announced: for the one train that is meant, else between the stations.
async fn announced(asked: &Asked<'_>, rides: &[Ride]) -> Option<Vec<Alert>> {
    if let [ride] = rides
        && let Some(number) = &ride.train.number
    {
        let runs = asked.planner.train(number, ride.train.key.day, asked.now()).await.ok()?;
        let run = runs.value.into_iter().find(|run| run.train.key == ride.train.key)?;
        return Some(run.alerts);
    }
    let stations = asked.from.iter().chain(&asked.to).map(|station| station.id.clone()).collect();
    let at = which::spoken_time(asked);
    let until = asked.until().unwrap_or(at.plus(super::line::AHEAD));
    let query = TrafficQuery { line: None, stations, from: at, until };
    asked.planner.traffic(&query, asked.now()).await.ok().map(|told| told.value.alerts)
}

impl Found {
    fn data(&self, teller: &Teller<'_>) -> Value {
        let alerts: Vec<Value> =
            self.alerts.iter().flatten().map(|alert| alerts::told(teller, alert)).collect();
        let mut data = json!({
            "train": self.train,
            "line": self.line,
            "from": self.from.as_ref().map(place),
            "to": self.to.as_ref().map(place),
            "trains": self.rides.iter().map(|ride| self.row(teller, ride)).collect::<Vec<_>>(),
            "alerts": alerts,
            "causes_known": self.alerts.is_some(),
            "day": teller.day(self.day),
        });
        // What live data does not report is the answer here too.
        teller.add_source(&mut data, Live::Speaks);
        data
    }

    fn row(&self, teller: &Teller<'_>, ride: &Ride) -> Value {
        let only_to = self.from.is_none() && self.to.is_some();
        let arriving = only_to || ride.from.departure.is_none();
        let mut row = if arriving { teller.arriving(ride, self.day) } else { teller.ride(ride, self.day) };
        let moment = if arriving { ride.to.arrival } else { ride.from.departure };
        row["arriving"] = arriving.into();
        row["arrival_late"] = json!(ride.to.arrival.and_then(minutes_late));
        row["gone"] = moment.is_some_and(|moment| moment.best() < teller.now).into();
        row["status"] = status(ride, moment).into();
        row
    }
}

fn status(ride: &Ride, moment: Option<Moment>) -> &'static str {
    if ride.train.cancelled {
        return "cancelled";
    }
    if does_not_run(ride) {
        return "skipped";
    }
    match moment.and_then(|moment| Some((moment.scheduled, moment.expected?))) {
        None => "unreported",
        Some((scheduled, expected)) if expected.since(scheduled).as_secs() >= 60 => "late",
        Some((scheduled, expected)) if scheduled.since(expected).as_secs() >= 60 => "early",
        Some(_) => "on_time",
    }
}

fn samples() -> Samples {
    let of = sample::provenance();
    let teller = sample::teller(&of);
    let found = |train: Option<&str>, rides: Vec<Ride>| Found {
        train: train.map(str::to_owned),
        line: None,
        from: train.is_none().then(|| sample::station("Paris Montparnasse")),
        to: train.is_none().then(|| sample::station("Rennes")),
        rides,
        alerts: Some(Vec::new()),
        day: teller.date(sample::NOW),
    };
    let with = |late: i64| {
        let mut ride = sample::late_ride();
        ride.from.departure = sample::moment(60, Some(late));
        ride
    };
    let mut skipped = sample::ride();
    skipped.from.skipped = true;
    let mut at_end = sample::late_ride();
    at_end.from.departure = None;
    let mut gone = sample::late_ride();
    gone.from.departure = sample::moment(-60, Some(10));
    let tomorrow = crate::answers::asked::shifted(teller.date(sample::NOW), 1);
    let alerts = || Some(vec![sample::alert(true), sample::alert(false)]);
    let shapes = [
        found(Some("8745"), vec![sample::ride()]),
        Found { alerts: alerts(), ..found(Some("8745"), vec![sample::late_ride()]) },
        Found { alerts: alerts(), ..found(Some("8745"), vec![sample::cancelled_ride()]) },
        found(Some("8745"), vec![skipped]),
        found(Some("8745"), vec![at_end]),
        Found { alerts: None, day: tomorrow, ..found(None, vec![gone, with(0), with(-2)]) },
        Found {
            to: None,
            ..found(None, vec![sample::late_ride(), sample::bare_ride(), sample::cancelled_ride()])
        },
        Found {
            line: Some("Alizé".to_owned()),
            from: None,
            to: None,
            alerts: alerts(),
            ..found(None, Vec::new())
        },
    ];
    let nothing = [
        found(Some("8745"), Vec::new()),
        Found { day: tomorrow, ..found(None, Vec::new()) },
        Found { to: None, ..found(None, Vec::new()) },
    ];
    let data = |found: &Found| found.data(&teller);
    Samples { found: shapes.iter().map(data).collect(), nothing: nothing.iter().map(data).collect() }
}
