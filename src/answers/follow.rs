//! Whether something can be followed, which is asked before it is promised.

use super::provenance::Live;
use super::told::Teller;
use crate::model::{Fact, Lang, NewWatch, StationRef, Timestamp, Watched};
use crate::transit::planner::{
    BoardQuery, Ends, LiveState, Planner, Provenance, Run, Told, TrafficQuery, Unknown,
};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::time::Duration;

/// A train is looked for on so many days at most: each may cost a request to another server.
const MOST_DAYS: usize = 10;
/// A service day ends so long after midnight.
const NIGHT: Duration = Duration::from_secs(4 * 3600);

/// What the planner knows of something that a contact wants to follow.
#[derive(Debug, Clone, PartialEq)]
pub enum Followable {
    /// It can be followed. `direct`: of a pair, some train goes there without a change, so that there are trains to follow.
    Known { direct: bool },
    /// There surely is no such thing then. `data`: `missing`, its name; `over`: of a train, it has run already; `provenance`
    /// and `provenance_short`.
    Unknown { data: Value, facts: Vec<Fact> },
    /// Nobody would know of a delay, or the planner cannot tell.
    CannotSay { why: String },
}

/// What stands in the way.
enum Stop {
    Missing { name: String, over: bool, of: Provenance },
    Cannot(String),
}

impl From<Unknown> for Stop {
    fn from(unknown: Unknown) -> Self {
        Self::Cannot(unknown.to_string())
    }
}

/// Asks `planner` for what `new` is about, in its time. Without live data nothing can be followed, whatever is known of it.
pub async fn followable(planner: &dyn Planner, new: &NewWatch, lang: Lang, now: Timestamp) -> Followable {
    match asked(planner, new, now).await {
        Ok((direct, of)) => match of.live {
            LiveState::Fresh(_) | LiveState::Old(_) => Followable::Known { direct },
            LiveState::Absent => Followable::CannotSay { why: "no live feed is configured".to_owned() },
            LiveState::Lost(_) => Followable::CannotSay { why: "the live data is too old".to_owned() },
        },
        Err(Stop::Cannot(why)) => Followable::CannotSay { why },
        Err(Stop::Missing { name, over, of }) => {
            let teller = Teller { lang, now, zone: planner.zone(), of: &of };
            let (first, last) = (teller.date(new.from), teller.date(last_moment(new)));
            let today = first == teller.date(now);
            let mut data = json!({ "missing": name, "over": over });
            teller.add_source(&mut data, if today { Live::Silent } else { Live::Elsewhere });
            let value = format!("nothing to follow as {name} from {first} to {last}");
            Followable::Unknown { data, facts: vec![teller.scheduled_fact(value)] }
        }
    }
}

/// Whether there is a direct train (true of all but pairs), and where that comes from.
async fn asked(planner: &dyn Planner, new: &NewWatch, now: Timestamp) -> Result<(bool, Provenance), Stop> {
    match &new.what {
        Watched::Train { number } => Ok((true, train(planner, number, new, now).await?)),
        Watched::Line { name } => Ok((true, line(planner, name, now).await?)),
        Watched::Station { station } => {
            let of = planner.provenance(now)?;
            served(planner, station, &of)?;
            Ok((true, of))
        }
        Watched::Pair { from, to } => {
            let of = planner.provenance(now)?;
            served(planner, from, &of)?;
            served(planner, to, &of)?;
            let query = BoardQuery {
                station: from.id.clone(),
                other: Some(to.id.clone()),
                ends: Ends::Departures,
                at: new.from.max(now),
                limit: 1,
            };
            let Told { value, provenance } = planner.board(&query, now).await?;
            Ok((value.direct, provenance))
        }
    }
}

fn served(planner: &dyn Planner, station: &StationRef, of: &Provenance) -> Result<(), Stop> {
    let missing = || Stop::Missing { name: station.name.clone(), over: false, of: of.clone() };
    planner.station(&station.id).map(|_| ()).ok_or_else(missing)
}

async fn line(planner: &dyn Planner, name: &str, now: Timestamp) -> Result<Provenance, Stop> {
    let query =
        TrafficQuery { line: Some(name.to_owned()), from: now, until: now, ..TrafficQuery::default() };
    match planner.traffic(&query, now).await {
        Ok(told) => Ok(told.provenance),
        Err(Unknown::Line(_)) => {
            Err(Stop::Missing { name: name.to_owned(), over: false, of: planner.provenance(now)? })
        }
        Err(unknown) => Err(unknown.into()),
    }
}

/// Some run of the number is on its way in the time of the watch. Also looked for among the trains of the evening before
/// and of the morning after, where a feed may end without being asked about.
async fn train(
    planner: &dyn Planner,
    number: &str,
    new: &NewWatch,
    now: Timestamp,
) -> Result<Provenance, Stop> {
    let day = |at: Timestamp| at.to_jiff().to_zoned_datetime(planner.zone()).date();
    let from = new.from.max(now);
    let (first, last) = (day(from), day(last_moment(new)));
    let begin = first.yesterday().unwrap_or(first);
    let days = std::iter::successors(Some(begin), |day: &Date| day.tomorrow().ok());
    let days: Vec<Date> = days.take_while(|one| *one <= day(new.until)).take(MOST_DAYS + 1).collect();
    let mut of = None;
    let mut over = false;
    let mut unsure = days.last().is_none_or(|looked| *looked < last).then(|| "too many days".to_owned());
    for one in days {
        match planner.train(number, one, now).await {
            Ok(Told { value, provenance }) => {
                if value.iter().any(|run| is_within(run, from, new.until)) {
                    return Ok(provenance);
                }
                over |= one >= first && !value.is_empty();
                of = Some(provenance);
            }
            Err(Unknown::OutOfRange { .. }) if one < first || one > last => {}
            Err(unknown) => unsure = Some(unknown.to_string()),
        }
    }
    match (unsure, of) {
        (None, Some(of)) => Err(Stop::Missing { name: number.to_owned(), over, of }),
        (why, _) => Err(Stop::Cannot(why.unwrap_or_else(|| "no day to look at".to_owned()))),
    }
}

/// The night after a day belongs to it.
fn last_moment(new: &NewWatch) -> Timestamp {
    let last = new.until.minus(NIGHT);
    Timestamp(last.0 - 1).max(new.from)
}

/// Whether the run is on its way at some time in `from..until`.
pub fn is_within(run: &Run, from: Timestamp, until: Timestamp) -> bool {
    let mut times = run.stops.iter().flat_map(|stop| [stop.arrival, stop.departure]).flatten();
    let Some(first) = times.next() else { return false };
    let last = times.last().unwrap_or(first);
    first.scheduled < until && last.best() > from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::testing::{Fake, at, run, station};

    fn new(what: Watched, from: &str, until: &str) -> NewWatch {
        NewWatch { what, from: at(from), until: at(until) }
    }

    fn train(number: &str) -> Watched {
        Watched::Train { number: number.to_owned() }
    }

    fn live() -> Fake {
        Fake {
            live: LiveState::Fresh(at("12:00")),
            runs: vec![
                run("8745 Brest: Vitré 18:05, Rennes 18:28"),
                run("8701 Rennes: Vitré 07:05, Rennes 07:28"),
                run("8799 Rennes: Vitré 23:50, Rennes 1+00:20"),
            ],
            ..Fake::default()
        }
    }

    async fn of(fake: &Fake, new: &NewWatch) -> String {
        match followable(fake, new, Lang::FR, at("12:00")).await {
            Followable::Known { direct: true } => "known".to_owned(),
            Followable::Known { direct: false } => "known, not direct".to_owned(),
            Followable::Unknown { data, facts } => {
                assert_eq!(facts[0].source, "timetable: Réseau Ouest");
                assert!(data["provenance"].as_str().unwrap().contains("inventé"), "{data}");
                format!(
                    "no {}{}",
                    data["missing"].as_str().unwrap(),
                    if data["over"] == true { ", over" } else { "" }
                )
            }
            Followable::CannotSay { why } => format!("? {why}"),
        }
    }

    #[tokio::test]
    async fn only_what_the_planner_knows_is_promised() {
        let pair = |from: &str, to: &str| Watched::Pair { from: station(from), to: station(to) };
        let elsewhere = |name: &str| StationRef { id: format!("alias:{name}"), name: name.to_owned() };
        for (what, from, until, expected) in [
            (train("8745"), "12:00", "1+04:00", "known"),
            (train("9999"), "12:00", "1+04:00", "no 9999"),
            // It runs today and not tomorrow.
            (train("8745"), "1+00:00", "2+04:00", "no 8745"),
            (train("8701"), "12:00", "1+04:00", "no 8701, over"),
            // Of this evening, and under way after midnight.
            (train("8799"), "1+00:00", "2+04:00", "known"),
            (train("9999"), "12:00", "11+04:00", "? too many days"),
            (pair("Vitré", "Rennes"), "12:00", "10+04:00", "known"),
            (Watched::Pair { from: station("Vitré"), to: elsewhere("Mars") }, "12:00", "1+04:00", "no Mars"),
            (Watched::Station { station: elsewhere("Mars") }, "12:00", "1+04:00", "no Mars"),
            (Watched::Station { station: station("Vitré") }, "12:00", "1+04:00", "known"),
            (Watched::Line { name: "N".to_owned() }, "12:00", "1+04:00", "known"),
        ] {
            let new = new(what, from, until);
            assert_eq!(of(&live(), &new).await, expected, "{new:?}");
        }
        let change = Fake { direct: false, ..live() };
        assert_eq!(of(&change, &new(pair("Vitré", "Rennes"), "12:00", "1+04:00")).await, "known, not direct");
    }

    #[tokio::test]
    async fn without_live_data_or_an_answer_nothing_is_promised() {
        let known = new(train("8745"), "12:00", "1+04:00");
        for (fake, expected) in [
            (Fake { live: LiveState::Absent, ..live() }, "? no live feed is configured"),
            (Fake { live: LiveState::Lost(None), ..live() }, "? the live data is too old"),
            (Fake { live: LiveState::Old(at("11:55")), ..live() }, "known"),
            (Fake { refuses: Some(Unknown::NoTimetable), ..live() }, "? no timetable is loaded"),
        ] {
            assert_eq!(of(&fake, &known).await, expected);
        }
        // That a train does not exist is known without live data.
        let fake = Fake { live: LiveState::Absent, ..live() };
        assert_eq!(of(&fake, &new(train("9999"), "12:00", "1+04:00")).await, "no 9999");
        let unknown_line = Fake { refuses: Some(Unknown::Line("X".to_owned())), ..live() };
        let line = new(Watched::Line { name: "X".to_owned() }, "12:00", "1+04:00");
        assert_eq!(of(&unknown_line, &line).await, "no X");
    }
}
