//! The loaded timetable and the one question we ask it: what leaves here, for there, from now on?

use super::service::{Service, day_start, shifted};
use crate::model::{StationRef, Timestamp};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// A day's departures end at 04:00 of the next morning: trains after midnight belong to the evening that customers speak of.
const DAY_ENDS: Duration = Duration::from_secs(28 * 3600);

/// Trains by station and day. Immutable: a new feed makes a new one, swapped in through [`TimetableHandle`].
#[derive(Debug)]
pub struct Timetable {
    pub(super) source: Source,
    pub(super) zone: TimeZone,
    /// First and last service day the feed speaks for.
    pub(super) first: Date,
    pub(super) last: Date,
    pub(super) stations: Vec<StationRef>,
    pub(super) station_by_id: HashMap<String, u32>,
    pub(super) services: Vec<Service>,
    pub(super) trips: Vec<Trip>,
    /// All calls, those of one trip side by side in running order.
    pub(super) calls: Vec<Call>,
    /// Calls at each station, as indices into `calls`.
    pub(super) at_station: Vec<Vec<u32>>,
    /// Each brand, terminus and platform once.
    pub(super) names: Vec<Box<str>>,
    /// The latest departure of any service day, in seconds: how many days back a train may come from.
    pub(super) latest: i64,
}

/// Where the data comes from, for every sentence made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The network as customers know it.
    pub label: String,
    /// The publisher declares itself "(invented)": answers must say that nothing of it runs.
    pub invented: bool,
    /// When the data was made: a date inside `feed_version`, else `feed_start_date`, else the file's date.
    pub as_of: Date,
}

/// Index into `Timetable::names`.
pub(super) type Name = u32;

#[derive(Debug)]
pub(super) struct Trip {
    /// None: the feed names a service it never describes, so the trip never runs.
    pub service: Option<u32>,
    pub number: Option<Box<str>>,
    pub brand: Option<Name>,
    pub terminus: Name,
    /// From `frequencies.txt`; empty: runs once, as its calls say.
    pub repeats: Vec<Repeat>,
}

/// One row of `frequencies.txt`, as shifts of the trip's calls, in seconds.
#[derive(Debug)]
pub(super) struct Repeat {
    pub from: i64,
    /// Excluded.
    pub until: i64,
    pub every: i64,
    /// `exact_times=1`. Otherwise only the headway is known, and no departure can be told.
    pub exact: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    Closed,
    /// By telephone, or a value we do not know: neither a plain yes nor a no.
    Arranged,
}

#[derive(Debug)]
pub(super) struct Call {
    pub trip: u32,
    pub station: u32,
    /// Seconds from the start of the service day; none: the feed gives no time here.
    pub arrival: Option<u32>,
    pub departure: Option<u32>,
    pub platform: Option<Name>,
    pub board: Access,
    pub alight: Access,
}

/// One scheduled train.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    pub at: Timestamp,
    /// On the feed's clock.
    pub time: DateTime,
    /// The number customers see; none when the feed has none.
    pub train: Option<String>,
    pub brand: Option<String>,
    pub terminus: String,
    pub platform: Option<String>,
    /// At the asked destination; none without one, or when the feed gives no time there.
    pub arrival: Option<DateTime>,
}

/// What leaves from the asked time until 04:00 of the next morning.
#[derive(Debug, Clone, PartialEq)]
pub struct Departures {
    /// Earliest first, cut at the limit.
    pub rows: Vec<Departure>,
    /// Before the cut.
    pub total: usize,
    /// The local day that was asked about.
    pub day: Date,
    /// Some train of the feed, on some day, goes there without a change.
    pub direct: bool,
    /// Other trains run that day for which the feed gives no exact time (headways only, untimed stops, boarding by
    /// telephone). Then "the next" and "none" cannot be said.
    pub incomplete: bool,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QueryError {
    #[error("station '{0}' is not served by the loaded timetable")]
    UnknownStation(String),
    #[error("the origin is the destination")]
    SameStation,
    #[error("{day} lies outside the timetable, which covers {first} to {last}")]
    OutOfRange { day: Date, first: Date, last: Date },
}

impl Timetable {
    pub fn source(&self) -> &Source {
        &self.source
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// First and last day the feed speaks for, both included.
    pub fn validity(&self) -> (Date, Date) {
        (self.first, self.last)
    }

    /// Stations with at least one train: the parent station, or the stop that has none.
    pub fn stations(&self) -> &[StationRef] {
        &self.stations
    }

    pub fn station(&self, id: &str) -> Option<&StationRef> {
        self.stations.get(*self.station_by_id.get(id)? as usize)
    }

    /// The local day of an instant, on the feed's clock.
    pub fn local(&self, at: Timestamp) -> DateTime {
        at.to_jiff().to_zoned_datetime(self.zone.clone()).datetime()
    }

    /// Trains that can be boarded at `from`, at `at` or later that day, and left at `to` when given.
    ///
    /// Direct trains only. Looks at each call of the station on a few days: work is bounded by the feed, not by the question.
    pub fn departures(
        &self,
        from: &str,
        to: Option<&str>,
        at: Timestamp,
        limit: usize,
    ) -> Result<Departures, QueryError> {
        let from = self.index_of(from)?;
        let to = to.map(|id| self.index_of(id)).transpose()?;
        if to == Some(from) {
            return Err(QueryError::SameStation);
        }
        let day = self.local(at).date();
        if day < self.first || self.last < day {
            let (first, last) = self.validity();
            return Err(QueryError::OutOfRange { day, first, last });
        }
        let mut search =
            Search { table: self, to, day, at, found: Vec::new(), direct: false, incomplete: false };
        let days = self.service_days(day);
        for &call in &self.at_station[from as usize] {
            search.visit(call, &days);
        }
        Ok(search.finish(limit))
    }

    fn index_of(&self, id: &str) -> Result<u32, QueryError> {
        self.station_by_id.get(id).copied().ok_or_else(|| QueryError::UnknownStation(id.to_owned()))
    }

    /// The service days whose trains may still leave on `day`, with the instants they count from: the next day
    /// (its trains before 04:00), the day itself, and those before it that run past midnight.
    fn service_days(&self, day: Date) -> Vec<(Date, Timestamp)> {
        let back = self.latest / DAY;
        (-1..=back)
            .filter_map(|back| {
                let service_day = shifted(day, -back)?;
                Some((service_day, day_start(service_day, &self.zone)?))
            })
            .collect()
    }

    fn name(&self, name: Name) -> String {
        self.names[name as usize].to_string()
    }
}

/// One walk over the calls of a station.
struct Search<'a> {
    table: &'a Timetable,
    to: Option<u32>,
    day: Date,
    at: Timestamp,
    found: Vec<Departure>,
    direct: bool,
    incomplete: bool,
}

impl<'a> Search<'a> {
    fn visit(&mut self, index: u32, days: &[(Date, Timestamp)]) {
        let table = self.table;
        let call = &table.calls[index as usize];
        let Some(target) = self.target(index) else { return };
        if call.board == Access::Closed {
            return;
        }
        self.direct = true;
        let trip = &table.trips[call.trip as usize];
        let Some(service) = trip.service.map(|service| &table.services[service as usize]) else {
            return;
        };
        let arranged = call.board == Access::Arranged || target.alight == Access::Arranged;
        for &(day, start) in days.iter().filter(|(day, _)| service.runs_on(*day)) {
            match call.departure {
                Some(departure) if !arranged => self.list(trip, call, target, departure, start),
                _ => self.incomplete |= day == self.day,
            }
        }
    }

    /// Where a passenger boarding at this call leaves the train: the asked station, else the end of the line.
    /// None: the train does not go there, or passes here once more before it does.
    fn target(&self, index: u32) -> Option<&'a Call> {
        let here = &self.table.calls[index as usize];
        let ahead = self.table.calls[index as usize + 1..].iter().take_while(|call| call.trip == here.trip);
        match self.to {
            Some(to) => ahead
                .take_while(|call| call.station != here.station)
                .find(|call| call.station == to && call.alight != Access::Closed),
            None => ahead.filter(|call| call.station != here.station && call.alight != Access::Closed).last(),
        }
    }

    /// Adds the departures of one trip on one service day: one, or those of its repeats.
    fn list(&mut self, trip: &Trip, call: &Call, target: &Call, departure: u32, start: Timestamp) {
        if trip.repeats.is_empty() {
            self.add(trip, call, target, departure, 0, start);
        }
        for repeat in &trip.repeats {
            if !repeat.exact {
                let open = self.instant(start, i64::from(departure) + repeat.from);
                let close = self.instant(start, i64::from(departure) + repeat.until);
                self.incomplete |= close > self.at && open < self.window_end();
                continue;
            }
            // Straight to the first run that is not over: a headway of a second must not cost a day of steps.
            let asked = (self.at.0 - start.0) / 1_000_000 - i64::from(departure);
            let over = (asked - repeat.from).max(0) / repeat.every;
            let mut shift = repeat.from + over * repeat.every;
            let end = self.window_end();
            while shift < repeat.until && self.instant(start, i64::from(departure) + shift) < end {
                self.add(trip, call, target, departure, shift, start);
                shift += repeat.every;
            }
        }
    }

    fn add(&mut self, trip: &Trip, call: &Call, target: &Call, departure: u32, shift: i64, start: Timestamp) {
        let at = self.instant(start, i64::from(departure) + shift);
        if at < self.at || at >= self.window_end() {
            return;
        }
        let arrival = self.to.and(target.arrival).map(|arrival| {
            let arrival = self.instant(start, i64::from(arrival) + shift);
            self.table.local(arrival)
        });
        self.found.push(Departure {
            at,
            time: self.table.local(at),
            train: trip.number.as_deref().map(str::to_owned),
            brand: trip.brand.map(|brand| self.table.name(brand)),
            terminus: self.table.name(trip.terminus),
            platform: call.platform.map(|platform| self.table.name(platform)),
            arrival,
        });
    }

    fn instant(&self, start: Timestamp, seconds: i64) -> Timestamp {
        Timestamp(start.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    fn window_end(&self) -> Timestamp {
        day_start(self.day, &self.table.zone).map_or(self.at, |start| start.plus(DAY_ENDS))
    }

    fn finish(mut self, limit: usize) -> Departures {
        let key = |row: &Departure| (row.at, row.train.clone(), row.terminus.clone(), row.arrival);
        self.found.sort_by_cached_key(key);
        // The same numbered train under two services that both run today is one train.
        self.found.dedup_by(|a, b| a.train.is_some() && key(a) == key(b));
        let total = self.found.len();
        self.found.truncate(limit);
        Departures {
            rows: self.found,
            total,
            day: self.day,
            direct: self.direct,
            incomplete: self.incomplete,
        }
    }
}

/// The timetable that sources read now; empty until one is loaded. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct TimetableHandle(Arc<RwLock<Option<Arc<Timetable>>>>);

impl TimetableHandle {
    pub fn new(timetable: Timetable) -> Self {
        Self(Arc::new(RwLock::new(Some(Arc::new(timetable)))))
    }

    /// Readers that hold the old one finish with it.
    pub fn replace(&self, timetable: Timetable) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(timetable));
    }

    pub fn get(&self) -> Option<Arc<Timetable>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
