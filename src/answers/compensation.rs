//! `compensation.precheck`: whether a late or cancelled train gives a right to money, as far as can be known here: from live
//! data while it speaks of the train, then from what was kept of it.

mod rules;

use super::asked::{Asked, Why, shifted};
use super::provenance::Live;
use super::told::{Teller, does_not_run, place};
use super::{AnswerSource, Lookup, Query, Samples, sample, which};
use crate::model::{PastTrain, Timestamp, TrainKey};
use crate::store::{Store, StoreError};
use crate::transit::history;
use crate::transit::planner::{LiveState, Provenance, Ride, SharedPlanner};
use async_trait::async_trait;
use jiff::civil::Date;
pub use rules::{Rules, RulesHandle, Scale, Step};
use serde_json::{Value, json};

/// Slots: `train` (a number), or `from` and `to` with an hour in `when`.
///
/// Variables: `verdict`: `eligible`, `not_eligible`, `unknown` (the train is known and its delay is not: another day, no live
/// data), `general` (the question does not tell which train); `train` {brand, train, on, off}, null when not known; `late` in
/// minutes; `percent`; `threshold`, the shortest delay that counts; `cancelled`; `provisional`: it has not arrived yet, or what was
/// last known of it was said before; `past`: it is over, and was kept; `claim`, a web address or null; `number`; `day`; `provenance`, null where no fact is told. [`Lookup::Nothing`]: no such train that day.
/// Never [`Lookup::NoData`]: where to claim can always be told.
pub(super) struct Precheck {
    pub planner: SharedPlanner,
    pub rules: RulesHandle,
    /// Where what became of trains is kept; none (`guichet check`): only live data is known.
    pub store: Option<Store>,
}

/// A train that the question means.
struct Meaning {
    ride: Ride,
    day: Date,
    of: Provenance,
    /// When it was measured, of a train that was kept.
    kept: Option<Timestamp>,
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
        let meant = meant(&asked).await;
        if let Some(past) = self.past(&asked, &meant).await {
            return judged(&asked, &rules, past);
        }
        match meant {
            Ok(Meant::Nobody) => general(None),
            Ok(Meant::NoTrain(day, provenance)) => {
                let found = Found { day, ..Found::new(asked.train.clone(), day) };
                let teller = Teller::new(&asked, &provenance);
                let fact = teller.scheduled_fact(format!("no such train on {day}"));
                Lookup::Nothing { data: found.data(Some(&teller)), facts: vec![fact] }
            }
            Ok(Meant::Train(train)) => judged(&asked, &rules, *train),
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

impl Precheck {
    /// What was kept of the train, where live data does not tell how it arrived.
    async fn past(&self, asked: &Asked<'_>, meant: &Result<Meant, Why>) -> Option<Meaning> {
        let of = self.planner.provenance(asked.now()).ok()?;
        let found = match meant {
            Ok(Meant::Nobody) => return None,
            Ok(Meant::Train(train)) if is_told(train) => return None,
            Ok(Meant::Train(train)) => {
                let past = self.of_train(&train.ride.train.key).await;
                past.map(|past| past.and_then(|past| Some((part(&past, &train.ride)?, past))))
            }
            // The timetable of today need not have the train, nor reach there.
            Ok(Meant::NoTrain(day, _)) => self.numbered(asked, *day).await,
            Err(_) => self.numbered(asked, asked.date(which::spoken_time(asked))).await,
        };
        let (ride, past) = found
            .inspect_err(|error| tracing::warn!(%error, "what became of a train cannot be read"))
            .ok()??;
        // What is still ahead is told by live data alone.
        ride.to.arrival.filter(|moment| moment.best() <= asked.now())?;
        // Live data as it was then.
        let of = Provenance { live: LiveState::Old(past.as_of), live_partial: false, ..of };
        Some(Meaning { ride, day: past.key.day, of, kept: Some(past.as_of) })
    }

    async fn of_train(&self, key: &TrainKey) -> Result<Option<PastTrain>, StoreError> {
        match &self.store {
            Some(store) => store.read().await?.past(key).await,
            None => Ok(None),
        }
    }

    /// The only run of the asked number that goes where it was asked.
    async fn numbered(&self, asked: &Asked<'_>, day: Date) -> Result<Option<(Ride, PastTrain)>, StoreError> {
        let (Some(store), Some(number)) = (&self.store, &asked.train) else { return Ok(None) };
        let past = store.read().await?.past_numbered(number, day).await?;
        let mut found: Vec<(Ride, PastTrain)> = Vec::new();
        for past in past {
            let run = history::told(&past);
            // Feeds list one train under several services.
            let twin = found.iter().any(|(_, other)| other.calls == past.calls);
            if let Some(ride) =
                which::asked_part(&run, asked.from.as_ref(), asked.to.as_ref()).filter(|_| !twin)
            {
                found.push((ride, past));
            }
        }
        let only = found.pop();
        Ok(only.filter(|_| found.is_empty()))
    }
}

/// Live data tells how it arrives, or that it does not run.
fn is_told(train: &Meaning) -> bool {
    let expected = train.ride.to.arrival.and_then(|moment| moment.expected).is_some();
    train.of.live.used().is_some() && (expected || does_not_run(&train.ride))
}

/// The same way as `ride`, as it went.
fn part(past: &PastTrain, ride: &Ride) -> Option<Ride> {
    which::asked_part(&history::told(past), Some(&ride.from.station), Some(&ride.to.station))
}

enum Meant {
    /// The question does not tell which train.
    Nobody,
    NoTrain(Date, Provenance),
    Train(Box<Meaning>),
}

async fn meant(asked: &Asked<'_>) -> Result<Meant, Why> {
    let train = |ride, day, of| Meant::Train(Box::new(Meaning { ride, day, of, kept: None }));
    if let Some(number) = &asked.train {
        let told = which::numbered(asked, number).await?;
        let part = |run| which::asked_part(run, asked.from.as_ref(), asked.to.as_ref());
        let mut rides: Vec<Ride> = told.value.runs.iter().filter_map(part).collect();
        return Ok(match (rides.pop(), rides.is_empty()) {
            (None, _) => Meant::NoTrain(told.value.day, told.provenance),
            (Some(ride), true) => train(ride, told.value.day, told.provenance),
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
        (Some(ride), true) => train(ride, day, told.provenance),
        _ => Meant::Nobody,
    })
}

fn judged(asked: &Asked<'_>, rules: &Rules, train: Meaning) -> Lookup {
    let Meaning { ride, day, of, kept } = train;
    let Some(scale) = rules.of(ride.train.brand.as_deref()) else { return general(None) };
    let teller = Teller::new(asked, &of);
    let used = of.live.used().is_some();
    let mut found = Found {
        claim: scale.claim.clone(),
        threshold: scale.late.first().map(|step| step.from),
        cancelled: used && does_not_run(&ride),
        kept,
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
            found.provisional = match kept {
                Some(as_of) => !history::is_settled(as_of, expected),
                None => expected > asked.now(),
            };
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
    /// When it was measured, of a train that was kept.
    kept: Option<Timestamp>,
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
            kept: None,
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
            "past": self.kept.is_some(),
            "claim": self.claim,
            "day": teller.map_or(Value::Null, |teller| teller.day(self.day)),
            "provenance": null,
            "provenance_short": null,
        });
        if let (Some(teller), true) = (teller, self.percent.is_some() || self.late.is_some()) {
            teller.add_source(&mut data, self.kept.map_or(Live::Speaks, Live::Kept));
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
        Found { kept: Some(sample::NOW), provisional: true, ..found("eligible", Some(125), Some(50)) },
        Found { kept: Some(sample::NOW), ..found("not_eligible", Some(12), None) },
        Found { kept: Some(sample::NOW), cancelled: true, ..found("eligible", None, Some(100)) },
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
