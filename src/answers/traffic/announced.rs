//! `traffic.announced`: strikes and works, as live feeds announce them.

use super::alerts;
use crate::answers::asked::{Answer, Asked, Why, settled, shifted};
use crate::answers::provenance::Live;
use crate::answers::told::{Teller, place};
use crate::answers::{AnswerSource, Lookup, Query, Samples, sample};
use crate::model::{StationRef, Timestamp};
use crate::transit::live::Alert;
use crate::transit::planner::{Provenance, SharedPlanner, TrafficQuery};
use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::time::Duration;

/// How far ahead announcements are looked for when no day is named.
const AHEAD: Duration = Duration::from_secs(30 * 24 * 3600);

/// Which causes an intent asks about, by the end of its name.
const CAUSES: &[(&str, &[&str])] =
    &[("strike", &["strike", "demonstration"]), ("works", &["maintenance", "construction"])];

/// For the intents `….strike` and `….works`. Slots: `line`, `from`, `to` (stations), `when`; none: the whole network, a month ahead.
///
/// Variables: `alerts`, `line`, `from`, `to`, `day` (null: no day was named, or today), `last_day` (null unless several were
/// named), `named`: a day was named. Without announcements that are young enough: [`Lookup::NoData`],
/// however the trains are known to run. [`Lookup::Nothing`]: none is announced there and then, which is no promise.
pub(in crate::answers) struct Announced(pub SharedPlanner);

#[async_trait]
impl AnswerSource for Announced {
    fn name(&self) -> &'static str {
        "traffic.announced"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        settled(async { answer(&Asked::read(query, &*self.0)?).await }).await
    }

    fn samples(&self) -> Samples {
        samples()
    }
}

struct Found {
    line: Option<String>,
    from: Option<StationRef>,
    to: Option<StationRef>,
    alerts: Vec<Alert>,
    /// First and last of the days that were named.
    days: Option<(Date, Date)>,
}

async fn answer(asked: &Asked<'_>) -> Answer {
    let name = asked.query.intent.rsplit('.').next().unwrap_or_default();
    let causes = CAUSES.iter().find(|(intent, _)| *intent == name).map(|(_, causes)| *causes);
    let causes = causes.ok_or_else(|| Why(format!("no causes are known for the intent '{name}'")))?;
    super::announcements_there(asked)?;
    let at = asked.at();
    let until = match (asked.when, asked.until()) {
        (None, _) => at.plus(AHEAD),
        (_, Some(end)) => end,
        (Some(_), None) => at.plus(super::line::AHEAD),
    };
    let query = TrafficQuery {
        line: asked.line.clone(),
        stations: asked.from.iter().chain(&asked.to).map(|station| station.id.clone()).collect(),
        from: at,
        until,
    };
    let told = asked.planner.traffic(&query, asked.now()).await?;
    super::need_live(told.value.announced)?;
    let of = Provenance { live: told.value.announced, live_partial: false, ..told.provenance };
    let teller = Teller::new(asked, &of);
    let mut alerts = told.value.alerts;
    alerts.retain(|alert| causes.contains(&alert.cause.as_str()));
    let found = Found {
        line: told.value.line,
        from: asked.from.clone(),
        to: asked.to.clone(),
        alerts: alerts::chosen(alerts, &teller),
        // The end of an interval is the first moment outside it.
        days: asked.when.map(|_| (asked.date(at), asked.date(Timestamp(until.0 - 1).max(at)))),
    };
    let data = found.data(&teller);
    if found.alerts.is_empty() {
        let fact = teller.live_fact(format!("no {name} announced"), None);
        return Ok(Lookup::Nothing { data, facts: vec![fact] });
    }
    let facts = found.alerts.iter().map(|alert| alerts::fact(&teller, alert)).collect();
    Ok(Lookup::Found { data, facts })
}

impl Found {
    fn data(&self, teller: &Teller<'_>) -> Value {
        let mut data = json!({
            "line": self.line,
            "from": self.from.as_ref().map(place),
            "to": self.to.as_ref().map(place),
            "alerts": self.alerts.iter().map(|alert| alerts::told(teller, alert)).collect::<Vec<_>>(),
            "named": self.days.is_some(),
            "day": self.days.map_or(Value::Null, |(day, _)| teller.day(day)),
            "last_day": self.days.filter(|(day, last)| last > day).map(|(_, last)| teller.day(last)),
        });
        teller.add_source(&mut data, Live::Speaks);
        data
    }
}

fn samples() -> Samples {
    let of = sample::provenance();
    let teller = sample::teller(&of);
    let today = teller.date(sample::NOW);
    let tomorrow = shifted(today, 1);
    let found = |alerts: Vec<Alert>, day: Option<Date>| Found {
        line: None,
        from: None,
        to: None,
        alerts,
        days: day.map(|day| (day, day)),
    };
    let days = Some((today, shifted(today, 2)));
    let line = || Some("Alizé".to_owned());
    let place = |name: &str| Some(sample::station(name));
    let shapes = [
        found(vec![sample::alert(true)], None),
        Found { days, ..found(vec![sample::alert(true)], None) },
        Found { line: line(), ..found(vec![sample::alert(false), sample::alert(true)], Some(tomorrow)) },
        Found { from: place("Laval"), to: place("Rennes"), ..found(vec![sample::alert(true)], Some(today)) },
    ];
    let nothing = [
        found(Vec::new(), None),
        Found { line: line(), ..found(Vec::new(), Some(tomorrow)) },
        Found { from: place("Laval"), to: place("Rennes"), ..found(Vec::new(), Some(today)) },
        Found { to: place("Rennes"), ..found(Vec::new(), None) },
        Found { days, ..found(Vec::new(), None) },
    ];
    let data = |found: &Found| found.data(&teller);
    Samples { found: shapes.iter().map(data).collect(), nothing: nothing.iter().map(data).collect() }
}
