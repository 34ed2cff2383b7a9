//! `timetable.platform`: which platform a train leaves from, or arrives at.

use crate::answers::asked::{Answer, Asked, settled};
use crate::answers::told::{Teller, place};
use crate::answers::{AnswerSource, Lookup, Query, Samples, sample, which};
use crate::model::StationRef;
use crate::transit::planner::{Ride, SharedPlanner};
use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Slots: `train` (a number), or `from` (a station), `to`, `when`. With a number, `from` alone is the station that is asked about,
/// and where there is none, the origin of the train.
///
/// Variables: `trains`, rides with `arriving` beside (the platform is that of the arrival); `train`, the number, null when not
/// named; `at`, the station, null when not named; `to`; `day`. [`Lookup::Nothing`]: no such train, or it does not stop there.
pub(in crate::answers) struct Platform(pub SharedPlanner);

#[async_trait]
impl AnswerSource for Platform {
    fn name(&self) -> &'static str {
        "timetable.platform"
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
    at: Option<StationRef>,
    to: Option<StationRef>,
    /// With whether the arrival is meant.
    rides: Vec<(Ride, bool)>,
    day: Date,
}

async fn answer(asked: &Asked<'_>) -> Answer {
    let (rides, day, provenance) = match &asked.train {
        Some(number) => {
            let told = which::numbered(asked, number).await?;
            let part = |run| {
                let arriving = asked.from.is_none() && asked.to.is_some();
                let ride = which::asked_part(run, asked.from.as_ref(), asked.to.as_ref())?;
                // At the end of the line a train only arrives.
                Some((ride.clone(), arriving || ride.from.departure.is_none()))
            };
            let rides: Vec<(Ride, bool)> =
                told.value.runs.iter().filter_map(part).take(which::TOLD).collect();
            (rides, told.value.day, told.provenance)
        }
        None => {
            let told = which::between(asked, asked.need_from()?, asked.to.as_ref()).await?;
            let rides = told.value.into_iter().map(|ride| (ride, false)).collect();
            (rides, asked.date(which::spoken_time(asked)), told.provenance)
        }
    };
    let found =
        Found { train: asked.train.clone(), at: asked.from.clone(), to: asked.to.clone(), rides, day };
    let teller = Teller::new(asked, &provenance);
    let data = found.data(&teller);
    if found.rides.is_empty() {
        let number = found.train.as_deref().unwrap_or("any");
        let fact = teller.scheduled_fact(format!("no train {number} there on {day}"));
        return Ok(Lookup::Nothing { data, facts: vec![fact] });
    }
    let facts = found.rides.iter().map(|(ride, _)| teller.ride_fact(ride)).collect();
    Ok(Lookup::Found { data, facts })
}

impl Found {
    fn data(&self, teller: &Teller<'_>) -> Value {
        let row = |(ride, arriving): &(Ride, bool)| {
            let mut row =
                if *arriving { teller.arriving(ride, self.day) } else { teller.ride(ride, self.day) };
            row["arriving"] = (*arriving).into();
            row
        };
        let data = json!({
            "train": self.train,
            "at": self.at.as_ref().map(place),
            "to": self.to.as_ref().map(place),
            "trains": self.rides.iter().map(row).collect::<Vec<_>>(),
            "day": teller.day(self.day),
        });
        teller.sourced(data, self.day, self.rides.iter().map(|(ride, _)| ride))
    }
}

fn samples() -> Samples {
    let of = sample::provenance();
    let teller = sample::teller(&of);
    let found = |train: Option<&str>, rides: Vec<(Ride, bool)>| Found {
        train: train.map(str::to_owned),
        at: train.is_none().then(|| sample::station("Paris Montparnasse")),
        to: train.is_none().then(|| sample::station("Rennes")),
        rides,
        day: teller.date(sample::NOW),
    };
    let tomorrow = crate::answers::asked::shifted(teller.date(sample::NOW), 1);
    let shapes = [
        found(Some("8745"), vec![(sample::ride(), false)]),
        found(Some("8745"), vec![(sample::late_ride(), true)]),
        found(
            None,
            vec![
                (sample::late_ride(), false),
                (sample::bare_ride(), false),
                (sample::cancelled_ride(), false),
            ],
        ),
        Found { day: tomorrow, ..found(Some("8745"), vec![(sample::bare_ride(), false)]) },
    ];
    let nothing = [
        found(Some("8745"), Vec::new()),
        found(None, Vec::new()),
        Found { at: Some(sample::station("Rennes")), day: tomorrow, ..found(Some("8745"), Vec::new()) },
        Found { to: None, ..found(None, Vec::new()) },
    ];
    let data = |found: &Found| found.data(&teller);
    Samples { found: shapes.iter().map(data).collect(), nothing: nothing.iter().map(data).collect() }
}
