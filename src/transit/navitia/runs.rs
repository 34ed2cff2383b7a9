//! One train with all of its calls: the run of the timetable and the run of live data, laid over each other.

use super::alerts::{Loss, alert, loss};
use super::map::{Map, bare, day, nonsense, number, platform, scheduled_id, without_town};
use super::model::{Answer, Calendar, Line, StopTime, VehicleJourney};
use crate::model::{Lang, Timestamp, TrainKey};
use crate::transit::planner::{Moment, Run, Stop, Train, Unknown};
use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};
use std::time::Duration;

/// A time of a run may lie this far from where the timetable has it.
const NEAR: Duration = Duration::from_secs(12 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What is read of the two lists of runs.
pub(super) struct Lists<'a> {
    /// By the timetable.
    pub base: &'a Answer,
    /// By live data; none: the coverage has none.
    pub live: Option<&'a Answer>,
    pub day: Date,
    pub lang: Lang,
    /// When live data was made.
    pub as_of: Timestamp,
}

/// A call with the instants that the timetable, or live data, has for it.
struct Timed<'a> {
    call: &'a StopTime,
    arrival: Option<Timestamp>,
    departure: Option<Timestamp>,
}

impl Lists<'_> {
    /// The runs of that service day.
    ///
    /// A run that live data leaves out and that nothing says to be cancelled is a contradiction: an error.
    pub(super) fn runs(&self, map: &Map<'_>) -> Result<Vec<Run>, Unknown> {
        let mut runs = Vec::new();
        for base in &self.base.vehicle_journeys {
            if self.runs_on(base, self.day)? {
                runs.push(self.scheduled(map, base)?);
            }
        }
        for live in self.live.iter().flat_map(|answer| &answer.vehicle_journeys) {
            let scheduled = self.base.vehicle_journeys.iter().any(|base| is_same(base, live));
            if map.live && !scheduled && self.runs_on(live, self.day)? {
                runs.push(self.added(map, live)?);
            }
        }
        Ok(runs)
    }

    fn scheduled(&self, map: &Map<'_>, base: &VehicleJourney) -> Result<Run, Unknown> {
        let planned = timed(map, base, self.day, None)?;
        let mut train = self.train(base, &planned)?;
        let mut stops =
            planned.iter().map(|call| self.stop(map, call, None)).collect::<Result<Vec<_>, _>>()?;
        let live = self.live.map(|answer| {
            answer.vehicle_journeys.iter().filter(|live| is_same(base, live)).collect::<Vec<_>>()
        });
        match live.as_deref() {
            _ if !map.live => {}
            None => {}
            Some([]) => {
                let at = planned.first().and_then(|call| call.departure).unwrap_or_default();
                if loss(map, &self.base.disruptions, &base.disruptions, None, at) != Some(Loss::Cancelled) {
                    return Err(nonsense("a train that neither runs nor is cancelled"));
                }
                train.cancelled = true;
            }
            // Nothing is said of it.
            Some([same]) if same.id == base.id => {}
            Some([changed]) => stops = self.changed(map, &planned, changed)?,
            Some(_) => return Err(nonsense("one train that runs twice")),
        }
        Ok(Run { train, stops, alerts: self.alerts(map, base) })
    }

    /// The calls of both, in running order: those that live data leaves out are skipped.
    fn changed(
        &self,
        map: &Map<'_>,
        planned: &[Timed<'_>],
        changed: &VehicleJourney,
    ) -> Result<Vec<Stop>, Unknown> {
        let live = timed(map, changed, self.day, Some(planned))?;
        let mut stops = Vec::new();
        let mut rest = planned;
        for call in &live {
            let same = |other: &Timed<'_>| other.call.stop_point.id == call.call.stop_point.id;
            match rest.iter().position(same) {
                Some(at) => {
                    for left_out in &rest[..at] {
                        stops.push(Stop { skipped: true, ..self.stop(map, left_out, None)? });
                    }
                    stops.push(self.stop(map, &rest[at], Some(call))?);
                    rest = &rest[at + 1..];
                }
                None => stops.push(self.stop(map, call, Some(call))?),
            }
        }
        for left_out in rest {
            stops.push(Stop { skipped: true, ..self.stop(map, left_out, None)? });
        }
        Ok(stops)
    }

    fn added(&self, map: &Map<'_>, live: &VehicleJourney) -> Result<Run, Unknown> {
        let calls = timed(map, live, self.day, None)?;
        let train = Train { added: true, ..self.train(live, &calls)? };
        let stops =
            calls.iter().map(|call| self.stop(map, call, Some(call))).collect::<Result<Vec<_>, _>>()?;
        Ok(Run { train, stops, alerts: self.alerts(map, live) })
    }

    fn stop(&self, map: &Map<'_>, planned: &Timed<'_>, live: Option<&Timed<'_>>) -> Result<Stop, Unknown> {
        let moment = |planned: Option<Timestamp>, live: Option<Timestamp>| {
            Some(Moment { scheduled: planned.or(live)?, expected: live })
        };
        let spoken = live.unwrap_or(planned);
        let point = &spoken.call.stop_point;
        Ok(Stop {
            arrival: moment(planned.arrival, live.and_then(|live| live.arrival)),
            departure: moment(planned.departure, live.and_then(|live| live.departure)),
            platform: platform(point),
            ..bare(map.station_of(&planned.call.stop_point)?)
        })
    }

    fn train(&self, journey: &VehicleJourney, calls: &[Timed<'_>]) -> Result<Train, Unknown> {
        let last = calls.last().and_then(|call| call.call.stop_point.stop_area.as_ref());
        let last = last.ok_or_else(|| nonsense("a train without a terminus"))?;
        let line = journey.journey_pattern.as_ref().and_then(|pattern| pattern.route.as_ref()?.line.as_ref());
        let said = |text: Option<&String>| text.filter(|text| !text.trim().is_empty()).cloned();
        let named = |line: &Line| said(line.code.as_ref()).or_else(|| said(line.name.as_ref()));
        let trip_name = journey.trip.as_ref().map(|trip| trip.name.clone());
        Ok(Train {
            key: TrainKey { trip: scheduled_id(&journey.id).to_owned(), day: self.day },
            number: number(&[&journey.headsign, &Some(journey.name.clone()), &trip_name]),
            brand: line.and_then(|line| said(line.commercial_mode.as_ref().map(|mode| &mode.name))),
            line: line.and_then(named),
            terminus: without_town(&last.name).to_owned(),
            cancelled: false,
            added: false,
        })
    }

    fn alerts(&self, map: &Map<'_>, journey: &VehicleJourney) -> Vec<crate::transit::live::Alert> {
        let linked = |id: &str| journey.disruptions.iter().any(|link| link.id.as_deref() == Some(id));
        let all = self.base.disruptions.iter().chain(self.live.iter().flat_map(|answer| &answer.disruptions));
        let mut alerts: Vec<_> = all
            .filter(|disruption| map.live && linked(&disruption.id))
            .filter_map(|disruption| alert(map, disruption, self.lang, self.as_of))
            .collect();
        alerts.sort_by(|a, b| a.id.cmp(&b.id));
        alerts.dedup_by(|a, b| a.id == b.id);
        alerts
    }

    fn runs_on(&self, journey: &VehicleJourney, on: Date) -> Result<bool, Unknown> {
        if journey.calendars.is_empty() {
            return Err(nonsense("a train without its days"));
        }
        for calendar in &journey.calendars {
            if holds(calendar, on)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The same train of the same day: live data gives a run it changed an id of its own, and leaves it its trip.
fn is_same(base: &VehicleJourney, live: &VehicleJourney) -> bool {
    let trip = |journey: &VehicleJourney| journey.trip.as_ref().map(|trip| trip.id.clone());
    scheduled_id(&base.id) == scheduled_id(&live.id)
        || (trip(base).is_some_and(|id| !id.is_empty()) && trip(base) == trip(live))
}

/// Whether the calendar holds on that day: periods end before their last day.
fn holds(calendar: &Calendar, on: Date) -> Result<bool, Unknown> {
    for exception in &calendar.exceptions {
        let Some(at) = &exception.datetime else { return Err(nonsense("an exception on no day")) };
        if day(at.get(..8).unwrap_or(at))? == on {
            return Ok(exception.kind == "add");
        }
    }
    let week = &calendar.week_pattern;
    let weekday = match on.weekday() {
        Weekday::Monday => week.monday,
        Weekday::Tuesday => week.tuesday,
        Weekday::Wednesday => week.wednesday,
        Weekday::Thursday => week.thursday,
        Weekday::Friday => week.friday,
        Weekday::Saturday => week.saturday,
        Weekday::Sunday => week.sunday,
    };
    for period in &calendar.active_periods {
        let (Some(begin), Some(end)) = (&period.begin, &period.end) else {
            return Err(nonsense("a period without its ends"));
        };
        if weekday && day(begin)? <= on && on < day(end)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The calls with their instants: times of the day, which begin again after midnight. Those of a changed run lie near where
/// the timetable has the same call.
fn timed<'a>(
    map: &Map<'_>,
    journey: &'a VehicleJourney,
    on: Date,
    planned: Option<&[Timed<'_>]>,
) -> Result<Vec<Timed<'a>>, Unknown> {
    let mut calls = Vec::new();
    let mut earliest: Option<Timestamp> = None;
    for call in &journey.stop_times {
        let same = planned
            .and_then(|planned| planned.iter().find(|other| other.call.stop_point.id == call.stop_point.id));
        let mut next = |text: Option<&String>, planned: Option<Timestamp>| -> Result<_, Unknown> {
            let Some(text) = text else { return Ok(None) };
            let at = instant(map, on, text, earliest, planned)?;
            earliest = Some(at);
            Ok(Some(at))
        };
        let arrival = next(call.arrival_time.as_ref(), same.and_then(|same| same.arrival))?;
        let departure = next(call.departure_time.as_ref(), same.and_then(|same| same.departure))?;
        if arrival.is_none() && departure.is_none() {
            return Err(nonsense("a call without a time"));
        }
        calls.push(Timed { call, arrival, departure });
    }
    // One can neither arrive where a train begins nor leave from where it ends.
    if let Some(first) = calls.first_mut() {
        first.arrival = None;
    }
    if let Some(last) = calls.last_mut() {
        last.departure = None;
    }
    if calls.len() < 2 {
        return Err(nonsense("a train that goes nowhere"));
    }
    Ok(calls)
}

/// The first time of that clock reading that is not before `earliest`; `planned` tells the day where it is known.
fn instant(
    map: &Map<'_>,
    on: Date,
    text: &str,
    earliest: Option<Timestamp>,
    planned: Option<Timestamp>,
) -> Result<Timestamp, Unknown> {
    let time = Time::strptime("%H%M%S", text).map_err(|_| nonsense("a time of day that is none"))?;
    for later in -1..=3_i64 {
        let day = on.checked_add(later.days()).map_err(|_| nonsense("a day beyond the calendar"))?;
        let at = map.at(day.to_datetime(time))?;
        let fits = match planned {
            Some(planned) => at.since(planned).max(planned.since(at)) <= NEAR,
            None => later >= 0 && earliest.is_none_or(|earliest| at >= earliest && at.since(earliest) < DAY),
        };
        if fits {
            return Ok(at);
        }
    }
    Err(nonsense("times in no order"))
}
