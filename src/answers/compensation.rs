//! `compensation.precheck`: whether a late or cancelled train gives a right to money, as far as can be known here.

mod rules;

use super::asked::{Asked, Why, shifted};
use super::provenance::Live;
use super::told::{Teller, does_not_run, place};
use super::{AnswerSource, Lookup, Query, Samples, sample, which};
use crate::transit::planner::{LiveState, Provenance, Ride, SharedPlanner};
use async_trait::async_trait;
use jiff::civil::Date;
pub use rules::{Rules, RulesHandle, Scale, Step};
use serde_json::{Value, json};

/// Slots: `train` (a number), or `from` and `to` with an hour in `when`.
///
/// Variables: `verdict`: `eligible`, `not_eligible`, `unknown` (the train is known and its delay is not: another day, no live
/// data), `general` (the question does not tell which train); `train` {brand, train, on, off}, null when not known; `late` in
/// minutes; `percent`; `threshold`, the shortest delay that counts; `cancelled`; `provisional`: it has not arrived yet; `claim`, a
/// web address or null; `number`; `day`; `provenance`, null where no fact is told. [`Lookup::Nothing`]: no such train that day.
/// Never [`Lookup::NoData`]: where to claim can always be told.
pub(super) struct Precheck {
    pub planner: SharedPlanner,
    pub rules: RulesHandle,
}

#[async_trait]
impl AnswerSource for Precheck {
    fn name(&self) -> &'static str {
        "compensation.precheck"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        // A question that cannot be read is answered in general.
        let Ok(asked) = Asked::read(query, &*self.planner) else { return general(None) };
        let rules = self.rules.get();
        match meant(&asked).await {
            Ok(Meant::Nobody) => general(None),
            Ok(Meant::NoTrain(day, provenance)) => {
                let found = Found { day, ..Found::new(asked.train.clone(), day) };
                let teller = Teller::new(&asked, &provenance);
                let fact = teller.scheduled_fact(format!("no such train on {day}"));
                Lookup::Nothing { data: found.data(Some(&teller)), facts: vec![fact] }
            }
            Ok(Meant::Train(ride, day, provenance)) => judged(&asked, &rules, *ride, day, &provenance),
            // The timetable does not reach there, or its source is away: the delay cannot be checked here.
            Err(Why(_)) => {
                let found = Found { verdict: "unknown", ..Found::new(asked.train.clone(), asked.today()) };
                Lookup::Found { data: found.data(None), facts: Vec::new() }
            }
        }
    }

    fn samples(&self) -> Samples {
        samples()
    }
}

enum Meant {
    /// The question does not tell which train.
    Nobody,
    NoTrain(Date, Provenance),
    Train(Box<Ride>, Date, Provenance),
}

async fn meant(asked: &Asked<'_>) -> Result<Meant, Why> {
    if let Some(number) = &asked.train {
        let told = which::numbered(asked, number).await?;
        let part = |run| which::asked_part(run, asked.from.as_ref(), asked.to.as_ref());
        let mut rides: Vec<Ride> = told.value.runs.iter().filter_map(part).collect();
        return Ok(match (rides.pop(), rides.is_empty()) {
            (None, _) => Meant::NoTrain(told.value.day, told.provenance),
            (Some(ride), true) => Meant::Train(Box::new(ride), told.value.day, told.provenance),
            (Some(_), false) => Meant::Nobody,
        });
    }
    let (Some(from), Some(to), Some(window)) = (&asked.from, &asked.to, asked.when) else {
        return Ok(Meant::Nobody);
    };
    if window.start != window.end {
        return Ok(Meant::Nobody);
    }
    let mut told = which::between(asked, from, Some(to)).await?;
    let day = asked.date(which::spoken_time(asked));
    Ok(match (told.value.pop(), told.value.is_empty()) {
        (Some(ride), true) => Meant::Train(Box::new(ride), day, told.provenance),
        _ => Meant::Nobody,
    })
}

fn judged(asked: &Asked<'_>, rules: &Rules, ride: Ride, day: Date, of: &Provenance) -> Lookup {
    let Some(scale) = rules.of(ride.train.brand.as_deref()) else { return general(None) };
    let teller = Teller::new(asked, of);
    let used = matches!(of.live, LiveState::Fresh(_) | LiveState::Old(_));
    let mut found = Found {
        claim: scale.claim.clone(),
        threshold: scale.late.first().map(|step| step.from),
        cancelled: used && does_not_run(&ride),
        ..Found::new(asked.train.clone(), day)
    };
    let arrival = ride.to.arrival.and_then(|moment| Some((moment.scheduled, moment.expected?)));
    (found.verdict, found.percent) = match (used, found.cancelled, arrival) {
        (true, true, _) => match scale.cancelled {
            Some(percent) => ("eligible", Some(percent)),
            None => ("unknown", None),
        },
        (true, false, Some((scheduled, expected))) => {
            let late = expected.since(scheduled).as_secs() / 60;
            found.late = Some(late);
            found.provisional = expected > asked.now();
            match scale.due(late) {
                Some(percent) => ("eligible", Some(percent)),
                None => ("not_eligible", None),
            }
        }
        _ => ("unknown", None),
    };
    let facts = match found.verdict {
        "unknown" => Vec::new(),
        verdict => {
            let late = found.late.unwrap_or_default();
            let value = format!("compensation {verdict}: {late} min late, {} %", found.percent.unwrap_or(0));
            vec![teller.ride_fact(&ride), teller.live_fact(value, None)]
        }
    };
    found.ride = Some(ride);
    Lookup::Found { data: found.data(Some(&teller)), facts }
}

fn general(number: Option<String>) -> Lookup {
    let found = Found { verdict: "general", ..Found::new(number, Date::default()) };
    Lookup::Found { data: found.data(None), facts: Vec::new() }
}

struct Found {
    verdict: &'static str,
    number: Option<String>,
    ride: Option<Ride>,
    late: Option<u64>,
    percent: Option<u32>,
    threshold: Option<u64>,
    cancelled: bool,
    provisional: bool,
    claim: Option<String>,
    day: Date,
}

impl Found {
    fn new(number: Option<String>, day: Date) -> Self {
        Self {
            verdict: "unknown",
            number,
            ride: None,
            late: None,
            percent: None,
            threshold: None,
            cancelled: false,
            provisional: false,
            claim: None,
            day,
        }
    }

    /// Without a teller nothing is known of day and source.
    fn data(&self, teller: Option<&Teller<'_>>) -> Value {
        let train = self.ride.as_ref().map(|ride| {
            json!({
                "brand": ride.train.brand.as_deref().unwrap_or_default(),
                "train": ride.train.number.as_deref().unwrap_or_default(),
                "on": place(&ride.from.station),
                "off": place(&ride.to.station),
            })
        });
        let mut data = json!({
            "verdict": self.verdict,
            "number": self.number,
            "train": train,
            "late": self.late,
            "percent": self.percent,
            "threshold": self.threshold,
            "cancelled": self.cancelled,
            "provisional": self.provisional,
            "claim": self.claim,
            "day": teller.map_or(Value::Null, |teller| teller.day(self.day)),
            "provenance": null,
            "provenance_short": null,
        });
        if let (Some(teller), true) = (teller, self.percent.is_some() || self.late.is_some()) {
            teller.add_source(&mut data, Live::Speaks);
        }
        data
    }
}

fn samples() -> Samples {
    let of = sample::provenance();
    let teller = sample::teller(&of);
    let today = teller.date(sample::NOW);
    let found = |verdict, late: Option<u64>, percent: Option<u32>| Found {
        verdict,
        ride: Some(sample::late_ride()),
        late,
        percent,
        threshold: Some(30),
        ..Found::new(Some("8745".into()), today)
    };
    let claim = || Some("https://aide.example/retard".to_owned());
    let shapes = [
        found("eligible", Some(35), Some(25)),
        Found { provisional: true, claim: claim(), ..found("eligible", Some(125), Some(50)) },
        Found { cancelled: true, ..found("eligible", None, Some(100)) },
        found("not_eligible", Some(12), None),
        Found { provisional: true, ..found("not_eligible", Some(0), None) },
        Found { day: shifted(today, -1), claim: claim(), ..found("unknown", None, None) },
        Found { ride: None, number: None, ..found("unknown", None, None) },
        Found { ride: Some(sample::bare_ride()), ..found("unknown", None, None) },
    ];
    let mut all: Vec<Value> = shapes.iter().map(|found| found.data(Some(&teller))).collect();
    all.push(Found { verdict: "general", ..Found::new(None, today) }.data(None));
    let nothing = [Found::new(Some("8745".into()), today), Found::new(None, shifted(today, -1))];
    Samples { found: all, nothing: nothing.iter().map(|found| found.data(Some(&teller))).collect() }
}

#[cfg(test)]
mod tests;
