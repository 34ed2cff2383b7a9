//! From GTFS files to a [`Timetable`]. Format: <https://gtfs.org/documentation/schedule/reference/>.

use super::feed::{Feed, day};
use super::naming;
use super::service::{Service, Week};
use super::timetable::{Access, Call, Name, Repeat, Source, Timetable, Trip};
use crate::model::StationRef;
use gtfs_structures::{
    Agency, ExactTimes, Exception, LocationType, PickupDropOffType, RawFrequency, RawStopTime, RawTrip,
    Route, Stop,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::path::Path;

/// Longest time of a service day that we believe, in seconds: a train of a week is a damaged file.
const LONGEST_DAY: u32 = 7 * 24 * 3600;
/// Deepest chain boarding area → platform → station.
const DEEPEST_STOP: usize = 3;

#[derive(Debug, thiserror::Error)]
pub enum TimetableError {
    #[error("cannot read the timetable {path}: {why}")]
    Read { path: String, why: String },
    #[error("timetable {path}: agency_timezone '{zone}' is no time zone; correct agency.txt")]
    Zone { path: String, zone: String },
    #[error("timetable {path}: {file} names the {kind} '{id}', which {defined_in} does not define")]
    Reference { path: String, file: &'static str, kind: &'static str, id: String, defined_in: &'static str },
    #[error("timetable {path}: {file}: {what}")]
    Value { path: String, file: &'static str, what: String },
    #[error(
        "timetable {path} holds no train that ever runs; check calendar.txt, calendar_dates.txt and stop_times.txt"
    )]
    Empty { path: String },
}

impl Timetable {
    /// Reads a zip archive or a folder. `label` names the network in answers; empty: the feed's publisher.
    ///
    /// Optional files may be missing; what is there must be readable, because half a timetable tells wrong "last trains".
    /// Blocks and takes about twice the size of the unpacked feed for a moment: call it from a blocking thread.
    pub fn load(path: &Path, label: &str) -> Result<Timetable, TimetableError> {
        let shown = path.display().to_string();
        let feed = Feed::read(path).map_err(|why| TimetableError::Read { path: shown.clone(), why })?;
        let source = feed.source(label, path);
        Loader::new(shown, &feed).build(&feed, source)
    }
}

/// Tables under construction, and the indices by the feed's ids.
struct Loader<'a> {
    path: String,
    stops: HashMap<&'a str, &'a Stop>,
    services: Vec<Service>,
    service_by_id: HashMap<&'a str, u32>,
    stations: Vec<StationRef>,
    station_by_id: HashMap<String, u32>,
    names: Vec<Box<str>>,
    name_by_text: HashMap<Box<str>, Name>,
    trips: Vec<Trip>,
    calls: Vec<Call>,
}

impl<'a> Loader<'a> {
    fn new(path: String, feed: &'a Feed) -> Self {
        let mut loader = Self {
            path,
            stops: feed.stops.iter().map(|stop| (stop.id.as_str(), stop)).collect(),
            services: Vec::new(),
            service_by_id: HashMap::new(),
            stations: Vec::new(),
            station_by_id: HashMap::new(),
            names: Vec::new(),
            name_by_text: HashMap::new(),
            trips: Vec::new(),
            calls: Vec::new(),
        };
        loader.add_services(feed);
        loader
    }

    fn build(mut self, feed: &'a Feed, source: Source) -> Result<Timetable, TimetableError> {
        let zone = self.zone(feed)?;
        self.add_trips(feed)?;
        let (first, last) = self.validity(feed)?;
        let mut at_station = vec![Vec::new(); self.stations.len()];
        for (index, call) in self.calls.iter().enumerate() {
            at_station[call.station as usize].push(index as u32);
        }
        Ok(Timetable {
            source,
            zone,
            first,
            last,
            latest: self.latest(),
            stations: self.stations,
            station_by_id: self.station_by_id,
            services: self.services,
            trips: self.trips,
            calls: self.calls,
            at_station,
            names: self.names,
        })
    }

    /// GTFS wants one time zone for all agencies of a feed, so the first one speaks for all.
    fn zone(&self, feed: &Feed) -> Result<TimeZone, TimetableError> {
        let zone = feed.agencies.first().map_or("", |agency| agency.timezone.as_str());
        TimeZone::get(zone)
            .map_err(|_| TimetableError::Zone { path: self.path.clone(), zone: zone.to_owned() })
    }

    fn add_services(&mut self, feed: &'a Feed) {
        for row in &feed.calendar {
            let week = Week {
                first: day(row.start_date.year(), row.start_date.month(), row.start_date.day()),
                last: day(row.end_date.year(), row.end_date.month(), row.end_date.day()),
                days: [
                    row.monday,
                    row.tuesday,
                    row.wednesday,
                    row.thursday,
                    row.friday,
                    row.saturday,
                    row.sunday,
                ],
            };
            self.service(&row.id).weeks.push(week);
        }
        for row in &feed.calendar_dates {
            let date = day(row.date.year(), row.date.month(), row.date.day());
            let service = self.service(&row.service_id);
            match row.exception_type {
                Exception::Added => service.added.push(date),
                Exception::Deleted => service.removed.push(date),
            }
        }
        self.services.iter_mut().for_each(Service::seal);
    }

    fn service(&mut self, id: &'a str) -> &mut Service {
        let next = self.services.len() as u32;
        let index = *self.service_by_id.entry(id).or_insert(next);
        if index == next {
            self.services.push(Service::default());
        }
        &mut self.services[index as usize]
    }

    fn add_trips(&mut self, feed: &'a Feed) -> Result<(), TimetableError> {
        let mut rows: HashMap<&str, Vec<&RawStopTime>> = HashMap::new();
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

    fn add_trip(
        &mut self,
        raw: &RawTrip,
        rows: &[&RawStopTime],
        repeats: &[&RawFrequency],
        names: &RouteNames,
    ) -> Result<(), TimetableError> {
        let trip = self.trips.len() as u32;
        for row in rows {
            let call = self.call(trip, row)?;
            self.calls.push(call);
        }
        let (Some(first), Some(last)) = (rows.first(), self.calls.last()) else {
            return Ok(());
        };
        let last_station = self.stations[last.station as usize].name.clone();
        let repeats = self.repeats(repeats, first)?;
        let brand = names.brand(&first.stop_id, &raw.route_id).map(|brand| self.name(brand));
        let terminus = naming::terminus(raw.trip_headsign.as_deref(), &last_station).to_owned();
        let number = naming::train_number(raw.trip_short_name.as_deref(), raw.trip_headsign.as_deref());
        let trip = Trip {
            service: self.service_by_id.get(raw.service_id.as_str()).copied(),
            number: number.map(Box::from),
            brand,
            terminus: self.name(&terminus),
            repeats,
        };
        self.trips.push(trip);
        Ok(())
    }

    fn call(&mut self, trip: u32, row: &RawStopTime) -> Result<Call, TimetableError> {
        let stop = *self.stops.get(row.stop_id.as_str()).ok_or_else(|| TimetableError::Reference {
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
        let platform = stop.platform_code.as_deref().map(str::trim).filter(|code| !code.is_empty());
        Ok(Call {
            trip,
            station: self.station_of(stop),
            arrival: row.arrival_time,
            departure: row.departure_time,
            platform: platform.map(|code| self.name(code)),
            board: access(row.pickup_type),
            alight: access(row.drop_off_type),
        })
    }

    /// The parent station of a stop, or the stop itself when it has none.
    fn station_of(&mut self, stop: &'a Stop) -> u32 {
        let mut station = stop;
        for _ in 0..DEEPEST_STOP {
            let parent = station.parent_station.as_deref().and_then(|id| self.stops.get(id));
            match parent {
                Some(parent) if station.location_type != LocationType::StopArea => station = parent,
                _ => break,
            }
        }
        if let Some(&index) = self.station_by_id.get(&station.id) {
            return index;
        }
        let index = self.stations.len() as u32;
        let name = station.name.as_deref().or(stop.name.as_deref()).unwrap_or(&station.id);
        self.stations.push(StationRef { id: station.id.clone(), name: name.to_owned() });
        self.station_by_id.insert(station.id.clone(), index);
        index
    }

    /// `frequencies.txt`: the trip's calls are a pattern that starts anew every headway, "start_time" being when the first
    /// vehicle leaves the first stop.
    fn repeats(&self, rows: &[&RawFrequency], first: &RawStopTime) -> Result<Vec<Repeat>, TimetableError> {
        let Some(base) = first.departure_time.or(first.arrival_time).map(i64::from) else {
            return match rows {
                [] => Ok(Vec::new()),
                _ => Err(self.value(
                    "frequencies.txt",
                    format!("trip '{}' has no time at its first stop", first.trip_id),
                )),
            };
        };
        let repeat = |row: &&RawFrequency| {
            if row.headway_secs == 0 || row.start_time > LONGEST_DAY || row.end_time > LONGEST_DAY {
                let what = format!("trip '{}' has a headway of zero or a time beyond a week", row.trip_id);
                return Err(self.value("frequencies.txt", what));
            }
            Ok(Repeat {
                from: i64::from(row.start_time) - base,
                until: i64::from(row.end_time) - base,
                every: i64::from(row.headway_secs),
                exact: matches!(row.exact_times, Some(ExactTimes::ScheduleBased)),
            })
        };
        rows.iter().map(repeat).collect()
    }

    fn name(&mut self, text: &str) -> Name {
        if let Some(&name) = self.name_by_text.get(text) {
            return name;
        }
        let name = self.names.len() as Name;
        self.names.push(text.into());
        self.name_by_text.insert(text.into(), name);
        name
    }

    fn latest(&self) -> i64 {
        let of_call = |call: &Call| {
            let shift = self.trips[call.trip as usize].repeats.iter().map(|repeat| repeat.until).max();
            i64::from(call.departure.unwrap_or(0)) + shift.unwrap_or(0)
        };
        self.calls.iter().map(of_call).max().unwrap_or(0).max(0)
    }

    /// The days on which trains run, within what `feed_info.txt` claims. A claim beyond the last train is no knowledge: "no
    /// train that day" would be a guess.
    fn validity(&self, feed: &Feed) -> Result<(Date, Date), TimetableError> {
        let used = self.trips.iter().filter_map(|trip| self.services[trip.service? as usize].span());
        let span = used.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
        let (first, last) = span.ok_or_else(|| TimetableError::Empty { path: self.path.clone() })?;
        let (start, end) = feed.claimed();
        Ok((start.map_or(first, |start| start.max(first)), end.map_or(last, |end| end.min(last))))
    }

    fn value(&self, file: &'static str, what: String) -> TimetableError {
        TimetableError::Value { path: self.path.clone(), file, what }
    }
}

/// What routes and agencies call themselves.
struct RouteNames<'a> {
    routes: HashMap<&'a str, &'a Route>,
    agencies: &'a [Agency],
}

impl<'a> RouteNames<'a> {
    fn new(feed: &'a Feed) -> Self {
        let routes = feed.routes.iter().map(|route| (route.id.as_str(), route)).collect();
        Self { routes, agencies: &feed.agencies }
    }

    fn brand(&self, first_stop_id: &'a str, route_id: &str) -> Option<&'a str> {
        let route = self.routes.get(route_id).copied();
        let agency_id = route.and_then(|route| route.agency_id.as_deref());
        let agency = self.agencies.iter().find(|agency| agency.id.as_deref() == agency_id);
        let agency = agency.or(self.agencies.first()).map(|agency| agency.name.as_str());
        let short = route.and_then(|route| route.short_name.as_deref());
        let long = route.and_then(|route| route.long_name.as_deref());
        naming::brand(first_stop_id, short, long, agency)
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
