//! Navitia's trains, stations and times as ours.

use super::model::{Display, Link, Passage, Place, Section, StopArea, StopDateTime, StopPoint};
use crate::config::StationIds;
use crate::model::{StationRef, Timestamp, TrainKey};
use crate::transit::planner::{Moment, Ride, Stop, Train, Unknown};
use crate::transit::timetable::Timetable;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;

/// No train is this late: such a pair of times is nonsense.
const LATEST: Duration = Duration::from_secs(24 * 3600);
/// Marks at which the id of a run that live data changed goes on after the id of the run in the timetable.
const CHANGED: [&str; 2] = [":modified:", ":RealTime:"];
/// Longest number that customers see: `119099`. Longer headsigns are the operator's own ids.
const LONGEST_NUMBER: usize = 8;
/// What says that a time is no exact one, or that the train must be ordered.
const INEXACT: [&str; 5] = [
    "date_time_estimated",
    "odt_with_stop_time",
    "odt_with_stop_point",
    "odt_with_zone",
    "on_demand_transport",
];

/// How one answer is read.
pub(super) struct Map<'a> {
    pub zone: TimeZone,
    pub ids: &'a StationIds,
    /// For the names that customers know; none: Navitia's.
    pub timetable: Option<Arc<Timetable>>,
    /// Live data is young enough to be told.
    pub live: bool,
}

/// The other side answered something that cannot be.
pub(super) fn nonsense(what: &str) -> Unknown {
    Unknown::Source(format!("Navitia answered nonsense: {what}"))
}

impl Map<'_> {
    /// `20250110T180400`, on the coverage's clock.
    pub(super) fn instant(&self, text: &str) -> Result<Timestamp, Unknown> {
        let local = DateTime::strptime("%Y%m%dT%H%M%S", text).map_err(|_| nonsense("a time that is none"))?;
        self.at(local)
    }

    pub(super) fn at(&self, local: DateTime) -> Result<Timestamp, Unknown> {
        let zoned = local
            .to_zoned_datetime(self.zone.clone())
            .map_err(|_| nonsense("a time at the end of the calendar"))?;
        Ok(Timestamp::from_jiff(zoned.timestamp()))
    }

    pub(super) fn local(&self, at: Timestamp) -> DateTime {
        at.to_jiff().to_zoned_datetime(self.zone.clone()).datetime()
    }

    /// As Navitia wants it asked.
    pub(super) fn asked(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y%m%dT%H%M%S").to_string()
    }

    /// Scheduled and best known time of one end of a call; none: there is none.
    fn moment(
        &self,
        best: Option<&String>,
        base: Option<&String>,
        spoken: bool,
    ) -> Result<Option<Moment>, Unknown> {
        let best = best.map(|text| self.instant(text)).transpose()?;
        let base = base.map(|text| self.instant(text)).transpose()?;
        let Some(scheduled) = base.or(best) else { return Ok(None) };
        let expected = best.filter(|best| self.live && (spoken || Some(*best) != base));
        if expected.is_some_and(|at| at.since(scheduled).max(scheduled.since(at)) > LATEST) {
            return Err(nonsense("a train more than a day late"));
        }
        Ok(Some(Moment { scheduled, expected }))
    }

    fn departure(&self, times: &StopDateTime, spoken: bool) -> Result<Option<Moment>, Unknown> {
        self.moment(times.departure_date_time.as_ref(), times.base_departure_date_time.as_ref(), spoken)
    }

    fn arrival(&self, times: &StopDateTime, spoken: bool) -> Result<Option<Moment>, Unknown> {
        self.moment(times.arrival_date_time.as_ref(), times.base_arrival_date_time.as_ref(), spoken)
    }

    /// Under our id and name where our timetable has it.
    pub(super) fn station(&self, area: &StopArea) -> Result<StationRef, Unknown> {
        if area.id.is_empty() {
            return Err(nonsense("a station without an id"));
        }
        let ours = self.ids.to_ours(&area.id);
        let timetable = self.timetable.as_deref();
        if let Some(known) = ours.as_deref().and_then(|id| timetable?.station(id)) {
            return Ok(known.clone());
        }
        let name = if area.name.is_empty() { area.label.as_ref().unwrap_or(&area.id) } else { &area.name };
        Ok(StationRef { id: ours.unwrap_or_else(|| area.id.clone()), name: name.clone() })
    }

    pub(super) fn station_of(&self, point: &StopPoint) -> Result<StationRef, Unknown> {
        self.station(point.stop_area.as_ref().ok_or_else(|| nonsense("a platform without its station"))?)
    }

    /// A train of a board of departures, from there to the end of its line. None: its time is no exact one.
    ///
    /// Navitia tells no arrival there, and of the terminus no more than its name.
    pub(super) fn passage(&self, passage: &Passage) -> Result<Option<Ride>, Unknown> {
        let times = &passage.stop_date_time;
        if is_inexact(times) {
            return Ok(None);
        }
        let spoken = is_spoken(times);
        let departure =
            self.departure(times, spoken)?.ok_or_else(|| nonsense("a departure without a time"))?;
        let train = self.train(&passage.display_informations, &passage.links, times, departure)?;
        let direction = passage.route.as_ref().and_then(|route| route.direction.as_ref());
        let area = direction.and_then(|place| place.stop_area.as_ref()).filter(|area| {
            // The route's end is that of this train only where their names agree.
            without_town(&area.name) == train.terminus || area.name == train.terminus
        });
        let terminus = match area {
            Some(area) => self.station(area)?,
            None => StationRef { id: String::new(), name: train.terminus.clone() },
        };
        let from = Stop {
            station: self.station_of(&passage.stop_point)?,
            arrival: None,
            departure: Some(departure),
            platform: platform(&passage.stop_point),
            planned_platform: None,
            skipped: false,
        };
        Ok(Some(Ride { train, from, to: bare(terminus) }))
    }

    /// The part of a journey that is made in one train. None: its times are no exact ones.
    pub(super) fn section(&self, section: &Section) -> Result<Option<Ride>, Unknown> {
        if is_inexact(&section.times) {
            return Ok(None);
        }
        let spoken = is_spoken(&section.times);
        let departure = self.departure(&section.times, spoken)?;
        let departure = departure.ok_or_else(|| nonsense("a train without a departure"))?;
        let arrival = self.arrival(&section.times, spoken)?;
        let arrival = arrival.ok_or_else(|| nonsense("a train without an arrival"))?;
        if arrival.best() < departure.best() || arrival.scheduled < departure.scheduled {
            return Err(nonsense("a train that arrives before it leaves"));
        }
        let train = self.train(&section.display_informations, &section.links, &section.times, departure)?;
        let (from, to) = (self.end(section.from.as_ref())?, self.end(section.to.as_ref())?);
        Ok(Some(Ride {
            train,
            from: Stop { departure: Some(departure), ..from },
            to: Stop { arrival: Some(arrival), ..to },
        }))
    }

    fn end(&self, place: Option<&Place>) -> Result<Stop, Unknown> {
        let place = place.ok_or_else(|| nonsense("a train without an end"))?;
        match (&place.stop_point, &place.stop_area) {
            (Some(point), _) => Ok(Stop { platform: platform(point), ..bare(self.station_of(point)?) }),
            (None, Some(area)) => Ok(bare(self.station(area)?)),
            (None, None) => Err(nonsense("a train that ends at no station")),
        }
    }

    fn train(
        &self,
        shown: &Display,
        links: &[Link],
        times: &StopDateTime,
        departure: Moment,
    ) -> Result<Train, Unknown> {
        let id = links.iter().find(|link| link.kind == "vehicle_journey").and_then(|link| link.id.as_deref());
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| nonsense("a train without an id"))?;
        let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let terminus = said(&shown.direction).ok_or_else(|| nonsense("a train without a direction"))?;
        Ok(Train {
            key: TrainKey { trip: scheduled_id(id).to_owned(), day: self.local(departure.scheduled).date() },
            number: number(&[&shown.trip_short_name, &shown.headsign]),
            brand: said(&shown.commercial_mode),
            line: said(&shown.code).or_else(|| said(&shown.label)),
            terminus: without_town(&terminus).to_owned(),
            cancelled: false,
            added: self.live && is_spoken(times) && times.base_departure_date_time.is_none(),
        })
    }
}

/// A call of which nothing but the station is known.
pub(super) fn bare(station: StationRef) -> Stop {
    Stop { station, arrival: None, departure: None, platform: None, planned_platform: None, skipped: false }
}

pub(super) fn platform(point: &StopPoint) -> Option<String> {
    point.platform_code.clone().filter(|code| !code.trim().is_empty())
}

/// Live data says something of it, be it that it is on time.
fn is_spoken(times: &StopDateTime) -> bool {
    times.data_freshness.as_deref() == Some("realtime")
}

fn is_inexact(times: &StopDateTime) -> bool {
    times.additional_informations.iter().any(|what| INEXACT.contains(&what.as_str()))
}

/// The first that customers can have seen: short, with a digit in it.
pub(super) fn number(candidates: &[&Option<String>]) -> Option<String> {
    let is_number = |text: &&str| {
        (1..=LONGEST_NUMBER).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().any(|byte| byte.is_ascii_digit())
    };
    candidates.iter().filter_map(|text| text.as_deref()).map(str::trim).find(is_number).map(str::to_owned)
}

/// The same whether live data has changed the run or not.
pub(super) fn scheduled_id(id: &str) -> &str {
    let end = CHANGED.iter().filter_map(|mark| id.find(mark)).min().unwrap_or(id.len());
    &id[..end]
}

/// `Nice Ville (Nice)` without the town, which may hold brackets itself: `Berg (Pfalz) (Berg (Pfalz))`.
pub(super) fn without_town(name: &str) -> &str {
    let name = name.trim();
    if !name.ends_with(')') {
        return name;
    }
    let mut open = 0;
    for (at, c) in name.char_indices().rev() {
        match c {
            ')' => open += 1,
            '(' if open == 1 => {
                let before = name[..at].trim_end();
                return if before.is_empty() { name } else { before };
            }
            '(' => open -= 1,
            _ => {}
        }
    }
    name
}

/// `20241220`
pub(super) fn day(text: &str) -> Result<Date, Unknown> {
    Date::strptime("%Y%m%d", text).map_err(|_| nonsense("a day that is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_are_left_out_of_directions() {
        for (name, shown) in [
            ("Nice Ville (Nice)", "Nice Ville"),
            ("Berg (Pfalz) (Berg (Pfalz))", "Berg (Pfalz)"),
            ("Nice Ville", "Nice Ville"),
            ("(Nice)", "(Nice)"),
            (")", ")"),
            ("", ""),
        ] {
            assert_eq!(without_town(name), shown);
        }
    }

    #[test]
    fn a_number_is_what_customers_see() {
        let of = |one: &str, other: &str| number(&[&Some(one.into()), &Some(other.into())]);
        assert_eq!(of("", "6607").as_deref(), Some("6607"));
        assert_eq!(of(" 6607 ", "1").as_deref(), Some("6607"));
        for strange in ["OIF:79551428-1_42540-1", "VICK", "12 34", "é1", "123456789"] {
            assert_eq!(of(strange, ""), None, "{strange}");
        }
    }

    #[test]
    fn a_changed_run_keeps_its_own_id() {
        let id = "vehicle_journey:SNCF:2025-01-10:6607:1187:Train";
        for mark in ["", ":modified:0:ab-12", ":RealTime:ab-12", ":RealTime:1:modified:2"] {
            assert_eq!(scheduled_id(&format!("{id}{mark}")), id);
        }
    }
}
