//! `trips.txt`, `stop_times.txt`, `frequencies.txt` and the names of routes.

use super::{Loader, TimetableError};
use crate::transit::feed::Feed;
use crate::transit::naming;
use crate::transit::timetable::{Access, Call, Route, Trip};
use gtfs_structures::{
    Agency, ExactTimes, PickupDropOffType, RawFrequency, RawStopTime, RawTrip, Route as FeedRoute,
    TimepointType,
};
use std::collections::HashMap;

/// Longest time of a service day that we believe, in seconds: a train of a week is a damaged file.
const LONGEST_DAY: u32 = 7 * 24 * 3600;
/// Most calls that `frequencies.txt` may multiply the feed's own to: a headway of a second is a damaged file.
const MOST_REPEATED_CALLS: usize = 1_000_000;

impl<'a> Loader<'a> {
    pub(super) fn add_trips(&mut self, feed: &'a Feed) -> Result<(), TimetableError> {
        let mut rows: HashMap<&str, Vec<&'a RawStopTime>> = HashMap::new();
        for row in &feed.stop_times {
            rows.entry(row.trip_id.as_str()).or_default().push(row);
        }
        let mut repeats: HashMap<&str, Vec<&RawFrequency>> = HashMap::new();
        for row in &feed.frequencies {
            repeats.entry(row.trip_id.as_str()).or_default().push(row);
        }
        let names = RouteNames::new(feed);
        // A trip without calls is no train; a call without a trip has no days. Neither can be answered with.
        let mut empty = 0_usize;
        for trip in &feed.trips {
            let Some(mut calls) = rows.remove(trip.id.as_str()) else {
                empty += 1;
                continue;
            };
            calls.sort_by_key(|row| row.stop_sequence);
            let repeats = repeats.remove(trip.id.as_str()).unwrap_or_default();
            self.add_trip(trip, &calls, &repeats, &names)?;
        }
        if empty > 0 || !rows.is_empty() {
            let (path, strangers) = (&self.path, rows.len());
            tracing::warn!(
                path,
                empty,
                strangers,
                "trips without stop times, or stop times without trip: left out"
            );
        }
        Ok(())
    }

    /// One trip; or, where `frequencies.txt` repeats it at exact times, one for each of its starts.
    fn add_trip(
        &mut self,
        raw: &'a RawTrip,
        rows: &[&'a RawStopTime],
        repeats: &[&RawFrequency],
        names: &RouteNames<'a>,
    ) -> Result<(), TimetableError> {
        let calls: Vec<Call> = rows.iter().map(|row| self.call(row)).collect::<Result<_, _>>()?;
        let (Some(first), Some(last)) = (rows.first(), calls.last()) else {
            return Ok(());
        };
        let last_station = self.stations[last.station as usize].name.clone();
        let brand = names.brand(&first.stop_id, &raw.route_id).map(|brand| self.name(brand));
        let terminus = naming::terminus(raw.trip_headsign.as_deref(), &last_station).to_owned();
        let number = naming::train_number(raw.trip_short_name.as_deref(), raw.trip_headsign.as_deref());
        let trip = Trip {
            id: raw.id.as_str().into(),
            route: self.route(&raw.route_id, names),
            service: self.service_by_id.get(raw.service_id.as_str()).copied(),
            number: number.map(Box::from),
            brand,
            terminus: self.name(&terminus),
            calls: 0..0,
            headways: Vec::new(),
        };
        if repeats.is_empty() {
            self.push(trip, &calls, 0);
            return Ok(());
        }
        self.repeat(&trip, &calls, repeats, first)
    }

    fn push(&mut self, mut trip: Trip, calls: &[Call], shift: i64) -> u32 {
        let index = self.trips.len() as u32;
        let first = self.calls.len() as u32;
        // What a pattern shifted before midnight would say is no time of that day.
        let moved = |time: Option<u32>| time.and_then(|time| u32::try_from(i64::from(time) + shift).ok());
        self.calls.extend(calls.iter().map(|call| Call {
            trip: index,
            arrival: moved(call.arrival),
            departure: moved(call.departure),
            ..*call
        }));
        trip.calls = first..self.calls.len() as u32;
        self.trip_by_id.insert(trip.id.clone(), index);
        self.trips.push(trip);
        index
    }

    fn call(&mut self, row: &'a RawStopTime) -> Result<Call, TimetableError> {
        let stop = *self.feed_stops.get(row.stop_id.as_str()).ok_or_else(|| TimetableError::Reference {
            path: self.path.clone(),
            file: "stop_times.txt",
            kind: "stop",
            id: row.stop_id.clone(),
            defined_in: "stops.txt",
        })?;
        for time in [row.arrival_time, row.departure_time].into_iter().flatten() {
            if time > LONGEST_DAY {
                let what = format!("trip '{}' has a time of {} hours", row.trip_id, time / 3600);
                return Err(self.value("stop_times.txt", what));
            }
        }
        // "timepoint=0: times are considered approximate": what may be a minute early must not be told as a time.
        let exact = row.timepoint == TimepointType::Exact;
        let stop = self.stop(stop);
        Ok(Call {
            trip: 0,
            stop,
            station: self.stops[stop as usize].station,
            sequence: row.stop_sequence,
            arrival: row.arrival_time.filter(|_| exact),
            departure: row.departure_time.filter(|_| exact),
            board: access(row.pickup_type),
            alight: access(row.drop_off_type),
        })
    }

    /// `frequencies.txt`: the trip's calls are a pattern that starts anew every headway, "start_time" being when the first
    /// vehicle leaves the first stop. Each exact start becomes a trip of its own, named `<trip_id>@<start>`.
    fn repeat(
        &mut self,
        trip: &Trip,
        calls: &[Call],
        rows: &[&RawFrequency],
        first: &RawStopTime,
    ) -> Result<(), TimetableError> {
        let Some(base) = first.departure_time.or(first.arrival_time).map(i64::from) else {
            let what = format!("trip '{}' has no time at its first stop", first.trip_id);
            return Err(self.value("frequencies.txt", what));
        };
        let mut headways = Vec::new();
        for row in rows {
            if row.headway_secs == 0 || row.start_time > LONGEST_DAY || row.end_time > LONGEST_DAY {
                let what = format!("trip '{}' has a headway of zero or a time beyond a week", row.trip_id);
                return Err(self.value("frequencies.txt", what));
            }
            if !matches!(row.exact_times, Some(ExactTimes::ScheduleBased)) {
                headways.push(i64::from(row.start_time) - base..i64::from(row.end_time) - base);
                continue;
            }
            for start in (row.start_time..row.end_time).step_by(row.headway_secs as usize) {
                if self.calls.len() + calls.len() > MOST_REPEATED_CALLS {
                    let what = format!("trip '{}' is repeated too often; correct headway_secs", row.trip_id);
                    return Err(self.value("frequencies.txt", what));
                }
                let (hour, minute, second) = (start / 3600, start / 60 % 60, start % 60);
                let id = format!("{}@{hour:02}:{minute:02}:{second:02}", trip.id).into();
                let index = self.push(Trip { id, ..trip.clone() }, calls, i64::from(start) - base);
                self.repeats.entry(trip.id.clone()).or_default().push(index);
            }
        }
        if !headways.is_empty() {
            let index = self.push(Trip { headways, ..trip.clone() }, calls, 0);
            self.repeats.entry(trip.id.clone()).or_default().push(index);
        }
        Ok(())
    }

    fn route(&mut self, id: &'a str, names: &RouteNames<'a>) -> u32 {
        if let Some(&index) = self.route_by_id.get(id) {
            return index;
        }
        let row = names.routes.get(id).copied();
        let filled = |text: Option<&'a str>| text.map(str::trim).filter(|text| !text.is_empty());
        let short = filled(row.and_then(|route| route.short_name.as_deref()));
        let long = filled(row.and_then(|route| route.long_name.as_deref()));
        let agency = row.and_then(|route| route.agency_id.as_deref());
        let route = Route {
            id: id.into(),
            short: short.map(|text| self.name(text)),
            long: long.map(|text| self.name(text)),
            agency: names.agency(agency).map(|agency| self.name(&agency.name)),
        };
        let index = self.routes.len() as u32;
        self.routes.push(route);
        self.route_by_id.insert(id, index);
        index
    }
}

/// What routes and agencies call themselves.
struct RouteNames<'a> {
    routes: HashMap<&'a str, &'a FeedRoute>,
    agencies: &'a [Agency],
}

impl<'a> RouteNames<'a> {
    fn new(feed: &'a Feed) -> Self {
        let routes = feed.routes.iter().map(|route| (route.id.as_str(), route)).collect();
        Self { routes, agencies: &feed.agencies }
    }

    fn agency(&self, id: Option<&str>) -> Option<&'a Agency> {
        self.agencies.iter().find(|agency| agency.id.as_deref() == id).or(self.agencies.first())
    }

    fn brand(&self, first_stop_id: &'a str, route_id: &str) -> Option<&'a str> {
        let route = self.routes.get(route_id).copied();
        let agency = self.agency(route.and_then(|route| route.agency_id.as_deref()));
        let short = route.and_then(|route| route.short_name.as_deref());
        let long = route.and_then(|route| route.long_name.as_deref());
        naming::brand(first_stop_id, short, long, agency.map(|agency| agency.name.as_str()))
    }
}

fn access(kind: PickupDropOffType) -> Access {
    match kind {
        // "Coordinate with the driver" is a request stop: the train passes at that time.
        PickupDropOffType::Regular | PickupDropOffType::CoordinateWithDriver => Access::Open,
        PickupDropOffType::NotAvailable => Access::Closed,
        PickupDropOffType::ArrangeByPhone | PickupDropOffType::Unknown(_) => Access::Arranged,
    }
}
