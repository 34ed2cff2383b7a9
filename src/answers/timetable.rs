//! `timetable.departures`: the next scheduled trains from a station, or between two.

use super::dates::{day_words, full_date};
use super::sms::short_name;
use super::{AnswerSource, Lookup, Query, Samples};
use crate::model::{EntityValue, Fact, Lang, StationRef, Timestamp};
use crate::transit::{self, Departure, QueryError, Source, Timetable, TimetableHandle};
use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Departures told in one answer: what a screen shows at once.
const LISTED: usize = 5;

/// Answers from the timetable loaded at that moment.
///
/// Slots: `from` (a station; needed), `to` (a station), `when` (a time; now when absent). A station that is ambiguous, known by
/// the alias file only (`alias:` ids) or not served gives [`Lookup::NoData`]: the engine asks before it gets here. So does a day
/// outside the feed's validity, a pair that no train links without a change, and a day on which some trains have no exact
/// time. [`Lookup::Nothing`] says only that no *direct* train is left that day.
///
/// Variables: `from` and `to` {name, short}, `to` null without a destination; `departures`, a list of {time, brand, train, to, platform,
/// arrival}, the last two null when unknown, brand and train empty when the feed has none; `day`, null for today, else in words;
/// `provenance`, a sentence. Times are on the feed's clock.
pub(super) struct Departures {
    timetable: TimetableHandle,
}

impl Departures {
    pub(super) fn new(timetable: TimetableHandle) -> Self {
        Self { timetable }
    }
}

#[async_trait]
impl AnswerSource for Departures {
    fn name(&self) -> &'static str {
        "timetable.departures"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        let Some(timetable) = self.timetable.get() else {
            return Lookup::NoData { why: "no timetable is loaded".to_owned() };
        };
        answer(&timetable, query).unwrap_or_else(|why| Lookup::NoData { why })
    }

    fn samples(&self) -> Samples {
        samples()
    }
}

/// What the slots ask for, once they are settled.
struct Asked<'a> {
    from: &'a StationRef,
    to: Option<&'a StationRef>,
    at: Timestamp,
}

/// The error says why the source cannot know.
fn answer(timetable: &Timetable, query: &Query) -> Result<Lookup, String> {
    let asked = Asked {
        from: station(timetable, query, "from")?.ok_or("the slot 'from' is empty")?,
        to: station(timetable, query, "to")?,
        at: asked_time(query)?,
    };
    let to = asked.to.map(|to| to.id.as_str());
    let found = timetable
        .departures(&asked.from.id, to, asked.at, LISTED)
        .map_err(|error: QueryError| error.to_string())?;
    if !found.direct {
        return Err(match asked.to {
            Some(to) => format!("no train goes from {} to {} without a change", asked.from.name, to.name),
            None => format!("no train can be boarded at {}", asked.from.name),
        });
    }
    if found.incomplete {
        return Err(format!("on {} some trains have no exact time in the timetable", found.day));
    }
    let data = variables(timetable, query, &asked, &found);
    let facts = facts(timetable, &asked, &found);
    Ok(if found.rows.is_empty() { Lookup::Nothing { data, facts } } else { Lookup::Found { data, facts } })
}

/// The station of a slot; the timetable's own name for it wins over what the dialogue remembered.
fn station<'a>(
    timetable: &'a Timetable,
    query: &Query,
    slot: &str,
) -> Result<Option<&'a StationRef>, String> {
    match query.slots.get(slot) {
        None => Ok(None),
        Some(EntityValue::Station { station }) => match timetable.station(&station.id) {
            Some(known) => Ok(Some(known)),
            None => Err(format!("station '{}' is not served by the loaded timetable", station.name)),
        },
        Some(EntityValue::Ambiguous { .. }) => Err(format!("the station in slot '{slot}' is ambiguous")),
        Some(_) => Err(format!("the slot '{slot}' holds no station")),
    }
}

/// The start of the asked interval, but never the part of it that is already over.
fn asked_time(query: &Query) -> Result<Timestamp, String> {
    match query.slots.get("when") {
        None => Ok(query.now),
        Some(EntityValue::Time { start, end }) if *start < query.now && query.now < *end => Ok(query.now),
        Some(EntityValue::Time { start, .. }) => Ok(*start),
        Some(_) => Err("the slot 'when' holds no time".to_owned()),
    }
}

fn variables(timetable: &Timetable, query: &Query, asked: &Asked, found: &transit::Departures) -> Value {
    let today = timetable.local(query.now).date();
    json!({
        "from": place(asked.from),
        "to": asked.to.map(place),
        "departures": found.rows.iter().map(row).collect::<Vec<_>>(),
        "day": day_words(found.day, today, query.lang),
        "provenance": provenance(timetable.source(), query.lang),
    })
}

fn place(station: &StationRef) -> Value {
    json!({ "name": station.name, "short": short_name(&station.name) })
}

fn row(departure: &Departure) -> Value {
    json!({
        "time": departure.time.strftime("%H:%M").to_string(),
        "brand": departure.brand.as_deref().unwrap_or_default(),
        "train": departure.train.as_deref().unwrap_or_default(),
        "to": departure.terminus,
        "platform": departure.platform,
        "arrival": departure.arrival.map(|arrival| arrival.strftime("%H:%M").to_string()),
    })
}

/// Says that these are scheduled times, whose, and how old. An invented network is named as such whatever its label.
fn provenance(source: &Source, lang: Lang) -> String {
    let date = full_date(source.as_of, lang);
    let label = &source.label;
    match (lang == Lang::FR, source.invented) {
        (true, true) => format!("Horaires théoriques, réseau de démonstration inventé (données du {date})."),
        (true, false) => format!("Horaires théoriques, {label} (données du {date})."),
        (false, true) => format!("Scheduled times, invented demonstration network (data of {date})."),
        (false, false) => format!("Scheduled times, {label} (data of {date})."),
    }
}

fn facts(timetable: &Timetable, asked: &Asked, found: &transit::Departures) -> Vec<Fact> {
    let source = format!("timetable: {}", timetable.source().label);
    let as_of = instant(timetable, timetable.source().as_of);
    let fact = |value: String| Fact { value, source: source.clone(), as_of, ride: None };
    if found.rows.is_empty() {
        let to = asked.to.map_or("anywhere", |to| to.name.as_str());
        let after = timetable.local(asked.at).strftime("%Y-%m-%d %H:%M").to_string();
        return vec![fact(format!(
            "no departure {} to {to} from {after} until the end of that day",
            asked.from.name
        ))];
    }
    let departure = |row: &Departure| {
        let train = row.train.as_deref().unwrap_or("?");
        let time = row.time.strftime("%Y-%m-%d %H:%M");
        fact(format!("departure {train} {} {time} to {}", asked.from.name, row.terminus))
    };
    found.rows.iter().map(departure).collect()
}

/// Midnight of that day on the feed's clock; the epoch where jiff's calendar ends.
fn instant(timetable: &Timetable, day: Date) -> Timestamp {
    let midnight = day.at(0, 0, 0, 0).to_zoned_datetime(timetable.zone().clone());
    midnight.map_or_else(|_| Timestamp::default(), |midnight| Timestamp::from_jiff(midnight.timestamp()))
}

fn samples() -> Samples {
    let from = json!({ "name": "Paris Montparnasse", "short": "Paris Montp." });
    let to = json!({ "name": "Rennes", "short": "Rennes" });
    let provenance = "Horaires théoriques, réseau de démonstration inventé (données du 01/11/2026).";
    let full = json!({ "time": "18:04", "brand": "Alizé", "train": "8745", "to": "Brest", "platform": "7", "arrival": "19:34" });
    let bare = json!({ "time": "18:04", "brand": "", "train": "", "to": "Brest", "platform": null, "arrival": null });
    let with = |to: &Value, departures: Value, day: Value| json!({ "from": from, "to": to, "departures": departures, "day": day, "provenance": provenance });
    Samples {
        found: vec![
            with(&to, json!([full, full, full, full, full]), Value::Null),
            with(&Value::Null, json!([bare]), json!("samedi 20 décembre")),
        ],
        nothing: vec![with(&to, json!([]), Value::Null), with(&Value::Null, json!([]), json!("demain"))],
    }
}

#[cfg(test)]
#[path = "timetable_tests.rs"]
mod tests;
