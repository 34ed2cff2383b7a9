//! `timetable.train_stops`: where a train stops, and whether it stops at a station.

use crate::answers::asked::{Answer, Asked, Why, settled};
use crate::answers::told::{Teller, minutes_late, place};
use crate::answers::{AnswerSource, Lookup, Query, Samples, sample, which};
use crate::model::StationRef;
use crate::transit::planner::{Provenance, Ride, Run, SharedPlanner, Stop};
use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Slots: `train` (a number), or `from` and `to` (stations), `when`. Beside a number, `from` and `to` are the stations of which
/// it is asked whether the train stops there.
///
/// Variables: `trains`, each {brand, train, to, cancelled, stops, asked}: `stops` a list of {name, short, time, late, skipped},
/// `asked` a list of {name, short, calls, time}; `train`, `from`, `to`, `day`. [`Lookup::Nothing`]: no such train that day.
pub(in crate::answers) struct TrainStops(pub SharedPlanner);

#[async_trait]
impl AnswerSource for TrainStops {
    fn name(&self) -> &'static str {
        "timetable.train_stops"
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
    from: Option<StationRef>,
    to: Option<StationRef>,
    runs: Vec<Run>,
    day: Date,
}

async fn answer(asked: &Asked<'_>) -> Answer {
    let (runs, day, provenance) = match &asked.train {
        Some(number) => {
            let told = which::numbered(asked, number).await?;
            (told.value.runs, told.value.day, told.provenance)
        }
        None => of_the_pair(asked).await?,
    };
    let found = Found {
        train: asked.train.clone(),
        from: asked.from.clone(),
        to: asked.to.clone(),
        runs: runs.into_iter().filter(|run| !run.stops.is_empty()).take(which::TOLD).collect(),
        day,
    };
    let teller = Teller::new(asked, &provenance);
    let data = found.data(&teller);
    if found.runs.is_empty() {
        let number = found.train.as_deref().unwrap_or("between these stations");
        let fact = teller.scheduled_fact(format!("no train {number} on {day}"));
        return Ok(Lookup::Nothing { data, facts: vec![fact] });
    }
    let facts = found.rides().iter().map(|ride| teller.ride_fact(ride)).collect();
    Ok(Lookup::Found { data, facts })
}

/// The next train of the pair, or that of the asked hour.
async fn of_the_pair(asked: &Asked<'_>) -> Result<(Vec<Run>, Date, Provenance), Why> {
    let from = asked.need_from()?;
    let told = which::between(asked, from, asked.to.as_ref()).await?;
    let Some(ride) = told.value.first() else {
        return Ok((Vec::new(), asked.date(which::spoken_time(asked)), told.provenance));
    };
    let key = &ride.train.key;
    let number = ride.train.number.as_deref().ok_or("that train has no number to look it up by")?;
    let runs = asked.planner.train(number, key.day, asked.now()).await?;
    let mut meant = runs.value;
    meant.retain(|run| run.train.key == *key);
    if meant.is_empty() {
        return Err("the stops of that train are not known".into());
    }
    Ok((meant, key.day, runs.provenance))
}

impl Found {
    /// Each run as a whole.
    fn rides(&self) -> Vec<Ride> {
        self.runs.iter().filter_map(|run| which::asked_part(run, None, None)).collect()
    }

    fn data(&self, teller: &Teller<'_>) -> Value {
        let data = json!({
            "train": self.train,
            "from": self.from.as_ref().map(place),
            "to": self.to.as_ref().map(place),
            "trains": self.runs.iter().map(|run| self.run(teller, run)).collect::<Vec<_>>(),
            "day": teller.day(self.day),
        });
        teller.sourced(data, self.day, self.rides().iter())
    }

    fn run(&self, teller: &Teller<'_>, run: &Run) -> Value {
        let time = |stop: &Stop| which::moment_of(stop).map(|moment| teller.clock(moment.best()));
        let stop = |stop: &Stop| {
            let mut told = place(&stop.station);
            told["time"] = json!(time(stop));
            told["late"] = json!(which::moment_of(stop).and_then(minutes_late));
            told["skipped"] = stop.skipped.into();
            told
        };
        // Only beside a number: otherwise they are what the train was found by.
        let named = [&self.from, &self.to].into_iter().flatten().filter(|_| self.train.is_some());
        let asked = named.map(|station| {
            let call = which::call_at(run, station).and_then(|at| run.stops.get(at));
            let call = call.filter(|stop| !stop.skipped && !run.train.cancelled);
            let mut told = place(station);
            told["calls"] = call.is_some().into();
            told["time"] = json!(call.and_then(time));
            told
        });
        json!({
            "brand": run.train.brand.as_deref().unwrap_or_default(),
            "train": run.train.number.as_deref().unwrap_or_default(),
            "to": run.train.terminus,
            "cancelled": run.train.cancelled,
            "stops": run.stops.iter().map(stop).collect::<Vec<_>>(),
            "asked": asked.collect::<Vec<_>>(),
        })
    }
}

fn samples() -> Samples {
    let of = sample::provenance();
    let teller = sample::teller(&of);
    let run = |ride: Ride| Run {
        train: ride.train.clone(),
        stops: vec![ride.from.clone(), Stop { skipped: true, ..ride.to.clone() }, ride.from, ride.to],
        alerts: Vec::new(),
    };
    let found = |train: Option<&str>, runs: Vec<Run>| Found {
        train: train.map(str::to_owned),
        from: None,
        to: None,
        runs,
        day: teller.date(sample::NOW),
    };
    let place = |name: &str| Some(sample::station(name));
    let tomorrow = crate::answers::asked::shifted(teller.date(sample::NOW), 1);
    let shapes = [
        found(Some("8745"), vec![run(sample::ride())]),
        Found { from: place("Rennes"), ..found(Some("8745"), vec![run(sample::late_ride())]) },
        Found {
            from: place("Laval"),
            to: place("Rennes"),
            ..found(Some("8745"), vec![run(sample::cancelled_ride())])
        },
        Found {
            from: place("Laval"),
            to: place("Rennes"),
            day: tomorrow,
            ..found(None, vec![run(sample::bare_ride())])
        },
    ];
    let nothing = [
        found(Some("8745"), Vec::new()),
        Found { from: place("Laval"), to: place("Rennes"), day: tomorrow, ..found(None, Vec::new()) },
    ];
    let data = |found: &Found| found.data(&teller);
    Samples { found: shapes.iter().map(data).collect(), nothing: nothing.iter().map(data).collect() }
}
