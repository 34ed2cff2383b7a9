//! From GTFS files to a [`Timetable`]. Format: <https://gtfs.org/documentation/schedule/reference/>.

mod trips;

use super::changes::Changes;
use super::feed::{Feed, day};
use super::nearby::Place;
use super::net::Order;
use super::service::{Service, Week};
use super::timetable::{Call, Name, Route, Source, StopPoint, Timetable, Trip};
use crate::model::StationRef;
use gtfs_structures::{Exception, LocationType, Stop};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::path::Path;

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
    feed_stops: HashMap<&'a str, &'a Stop>,
    services: Vec<Service>,
    service_by_id: HashMap<&'a str, u32>,
    stations: Vec<StationRef>,
    places: Vec<Option<Place>>,
    station_by_id: HashMap<String, u32>,
    stops: Vec<StopPoint>,
    stop_by_id: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
    name_by_text: HashMap<Box<str>, Name>,
    routes: Vec<Route>,
    route_by_id: HashMap<&'a str, u32>,
    trips: Vec<Trip>,
    trip_by_id: HashMap<Box<str>, u32>,
    repeats: HashMap<Box<str>, Vec<u32>>,
    calls: Vec<Call>,
}

impl<'a> Loader<'a> {
    fn new(path: String, feed: &'a Feed) -> Self {
        let mut loader = Self {
            path,
            feed_stops: feed.stops.iter().map(|stop| (stop.id.as_str(), stop)).collect(),
            services: Vec::new(),
            service_by_id: HashMap::new(),
            stations: Vec::new(),
            places: Vec::new(),
            station_by_id: HashMap::new(),
            stops: Vec::new(),
            stop_by_id: HashMap::new(),
            names: Vec::new(),
            name_by_text: HashMap::new(),
            routes: Vec::new(),
            route_by_id: HashMap::new(),
            trips: Vec::new(),
            trip_by_id: HashMap::new(),
            repeats: HashMap::new(),
            calls: Vec::new(),
        };
        loader.add_services(feed);
        loader
    }

    fn build(mut self, feed: &'a Feed, source: Source) -> Result<Timetable, TimetableError> {
        let zone = self.zone(feed)?;
        self.add_trips(feed)?;
        let (first, last) = self.validity(feed)?;
        let served = self.stations.len();
        // Live data may send a train to any stop of the feed, whether the schedule uses it or not.
        let places = feed.stops.iter().filter(|stop| {
            matches!(stop.location_type, LocationType::StopPoint | LocationType::BoardingArea)
        });
        for stop in places {
            self.stop(stop);
        }
        let mut at_station = vec![Vec::new(); self.stations.len()];
        for (index, call) in self.calls.iter().enumerate() {
            at_station[call.station as usize].push(index as u32);
        }
        let changes = Changes::new(&self.stops, self.stations.len(), &feed.transfers, |id| {
            (self.stop_by_id.get(id).copied(), self.station_by_id.get(id).copied())
        });
        let changes = changes.map_err(|(file, what)| self.value(file, what))?;
        let mut by_number: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        for (index, trip) in self.trips.iter().enumerate() {
            if let Some(number) = &trip.number {
                by_number.entry(number.clone()).or_default().push(index as u32);
            }
        }
        Ok(Timetable {
            source,
            zone,
            first,
            last,
            latest: self.latest(),
            served,
            stations: self.stations,
            places: self.places,
            station_by_id: self.station_by_id,
            stops: self.stops,
            stop_by_id: self.stop_by_id,
            services: self.services,
            routes: self.routes,
            trips: self.trips,
            trip_by_id: self.trip_by_id,
            repeats: self.repeats,
            by_number,
            order: Order::new(&self.calls),
            calls: self.calls,
            at_station,
            changes,
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

    /// The table's row of a stop of the feed, made when it is first asked for.
    fn stop(&mut self, stop: &'a Stop) -> u32 {
        if let Some(&index) = self.stop_by_id.get(stop.id.as_str()) {
            return index;
        }
        let platform = stop.platform_code.as_deref().map(str::trim).filter(|code| !code.is_empty());
        let platform = platform.map(|code| self.name(code));
        let index = self.stops.len() as u32;
        let station = self.station_of(stop);
        self.stops.push(StopPoint { id: stop.id.as_str().into(), station, platform });
        self.stop_by_id.insert(stop.id.as_str().into(), index);
        index
    }

    /// The parent station of a stop, or the stop itself when it has none.
    fn station_of(&mut self, stop: &'a Stop) -> u32 {
        let mut station = stop;
        for _ in 0..DEEPEST_STOP {
            let parent = station.parent_station.as_deref().and_then(|id| self.feed_stops.get(id));
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
        let place = |stop: &Stop| Place::new(stop.latitude?, stop.longitude?);
        self.places.push(place(station).or_else(|| place(stop)));
        self.station_by_id.insert(station.id.clone(), index);
        index
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
            let shift = self.trips[call.trip as usize].headways.iter().map(|shifts| shifts.end).max();
            i64::from(call.departure.or(call.arrival).unwrap_or(0)) + shift.unwrap_or(0)
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
