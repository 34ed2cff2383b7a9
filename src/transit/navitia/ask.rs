//! The questions about one place, one train or one line, as requests.

use super::alerts::{Loss, loss};
use super::client::Refused;
use super::map::{Map, nonsense, scheduled_id};
use super::model::{Answer, Passage};
use super::planner::{Known, Navitia};
use super::runs::Lists;
use crate::model::Timestamp;
use crate::transit::planner::{Board, BoardQuery, FirstLast, Moment, Ride, Run, Unknown};
use jiff::civil::Date;
use std::collections::HashSet;
use std::sync::Arc;

/// Most trains of one list. A list that is full is no whole day.
pub(super) const MOST: usize = 500;
/// Runs of one number on one day.
const RUNS: usize = 25;
/// A day of trains ends at 04:00 of the next morning.
const DAY_HOUR: i8 = 4;

/// One question to Navitia.
pub(super) struct Asked<'a> {
    pub navitia: &'a Navitia,
    pub known: Known,
    pub map: Map<'a>,
    pub now: Timestamp,
    /// When live data was made.
    pub as_of: Timestamp,
}

/// Navitia does not know that station, line or train.
pub(super) struct UnknownObject;

/// Trains of a place in a period.
pub(super) struct Listed {
    /// By best known time.
    pub rides: Vec<Ride>,
    pub cancelled: Vec<Ride>,
    /// Some have no exact time.
    pub inexact: bool,
    /// More leave in the period than were listed.
    pub full: bool,
}

impl Asked<'_> {
    /// None: Navitia knows the question and found nothing.
    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Option<Arc<Answer>>, Unknown> {
        match self.fetch(path, query).await? {
            Ok(answer) => Ok(answer),
            Err(UnknownObject) => Err(match path {
                ["stop_areas", id, ..] => Unknown::Station((*id).to_owned()),
                _ => Unknown::Source("Navitia does not know what was asked about".into()),
            }),
        }
    }

    /// The inner error: Navitia does not know that object.
    pub(super) async fn fetch(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Result<Option<Arc<Answer>>, UnknownObject>, Unknown> {
        match self.navitia.client.get(path, query, self.now).await {
            Ok(answer) => {
                self.check_zone(&answer)?;
                Ok(Ok(Some(answer)))
            }
            Err(Refused::Nothing) => Ok(Ok(None)),
            Err(Refused::UnknownObject) => Ok(Err(UnknownObject)),
            Err(Refused::OutOfBounds) => Err(Unknown::Source("Navitia has no timetable for that day".into())),
            Err(Refused::Failed(why)) => Err(Unknown::Source(why)),
        }
    }

    /// Times are read on one clock: an answer on another one would be read wrongly.
    fn check_zone(&self, answer: &Answer) -> Result<(), Unknown> {
        let told = answer.context.as_ref().and_then(|context| context.timezone.as_deref());
        let same = told.is_none_or(|told| self.map.zone.iana_name() == Some(told));
        if same { Ok(()) } else { Err(nonsense("times on another clock than before")) }
    }

    pub(super) fn theirs(&self, station: &str) -> Result<String, Unknown> {
        let served = self.navitia.stations().to_theirs(station);
        served.ok_or_else(|| Unknown::Station(station.to_owned()))
    }

    pub(super) fn covered(&self, day: Date) -> Result<(), Unknown> {
        let Known { first, last, .. } = self.known;
        if first <= day && day <= last { Ok(()) } else { Err(Unknown::OutOfRange { day, first, last }) }
    }

    pub(super) fn day_of(&self, at: Timestamp) -> Date {
        self.map.local(at).date()
    }

    pub(super) fn day_begins(&self, day: Date) -> Result<Timestamp, Unknown> {
        self.map.at(day.at(DAY_HOUR, 0, 0, 0))
    }

    pub(super) fn day_ends(&self, day: Date) -> Result<Timestamp, Unknown> {
        self.day_begins(day.tomorrow().map_err(|_| nonsense("a day beyond the calendar"))?)
    }

    /// `realtime`, or what there is.
    pub(super) fn freshness(&self) -> &'static str {
        if self.navitia.realtime { "realtime" } else { "base_schedule" }
    }

    /// The departures below `path`; those that live data leaves out and that a disruption takes away are the cancelled ones.
    pub(super) async fn list(
        &self,
        path: &[&str],
        at: Timestamp,
        until: Timestamp,
        count: usize,
    ) -> Result<Listed, Unknown> {
        let count = count.clamp(1, MOST);
        let live = self.passages(path, at, until, count, self.freshness()).await?;
        let live = live.as_deref().map_or(&[][..], |answer| &answer.departures);
        let mut listed =
            Listed { rides: Vec::new(), cancelled: Vec::new(), inexact: false, full: live.len() >= count };
        let mut ids = HashSet::new();
        for passage in live {
            ids.extend(train_id(passage));
            match self.map.passage(passage)? {
                Some(ride) if within(&ride, at, until) => listed.rides.push(ride),
                Some(_) => {}
                None => listed.inexact = true,
            }
        }
        listed.rides.sort_by_key(|ride| ride.from.departure.map(|moment| moment.best()));
        if self.map.live {
            // What comes after a full list may be missing from it for no other reason.
            let last = listed.rides.last().filter(|_| listed.full).and_then(|ride| ride.from.departure);
            let until = last.map_or(until, |last| until.min(last.scheduled));
            listed.cancelled = self.cancelled(path, at, until, count, &ids).await?;
        }
        Ok(listed)
    }

    async fn cancelled(
        &self,
        path: &[&str],
        at: Timestamp,
        until: Timestamp,
        count: usize,
        running: &HashSet<String>,
    ) -> Result<Vec<Ride>, Unknown> {
        let base = self.passages(path, at, until, count, "base_schedule").await?;
        let Some(base) = base else { return Ok(Vec::new()) };
        let mut cancelled = Vec::new();
        for passage in base.departures.iter().filter(|p| train_id(p).is_some_and(|id| !running.contains(&id)))
        {
            let Some(mut ride) = self.map.passage(passage)? else { continue };
            let Some(departure) = ride.from.departure else { continue };
            let links = &passage.display_informations.links;
            let lost =
                loss(&self.map, &base.disruptions, links, Some(&passage.stop_point), departure.scheduled);
            match lost {
                Some(Loss::Cancelled) => ride.train.cancelled = true,
                Some(Loss::Skipped) => ride.from.skipped = true,
                None => continue,
            }
            ride.from.departure = Some(Moment { expected: None, ..departure });
            if departure.scheduled >= at && departure.scheduled < until {
                cancelled.push(ride);
            }
        }
        Ok(cancelled)
    }

    async fn passages(
        &self,
        path: &[&str],
        at: Timestamp,
        until: Timestamp,
        count: usize,
        freshness: &str,
    ) -> Result<Option<Arc<Answer>>, Unknown> {
        let path: Vec<&str> = path.iter().copied().chain(["departures"]).collect();
        let (from, seconds, count) =
            (self.map.asked(at), until.since(at).as_secs().to_string(), count.to_string());
        let query = [
            ("from_datetime", from.as_str()),
            ("duration", &seconds),
            ("count", &count),
            ("data_freshness", freshness),
            ("disable_geojson", "true"),
        ];
        self.get(&path, &query).await
    }

    pub(super) async fn departures(&self, query: &BoardQuery) -> Result<Board, Unknown> {
        let day = self.day_of(query.at);
        self.covered(day)?;
        let station = self.theirs(&query.station)?;
        // A few more than wanted: some may have no exact time.
        let listed = self
            .list(&["stop_areas", &station], query.at, self.day_ends(day)?, query.limit.saturating_add(10))
            .await?;
        let mut rides = listed.rides;
        let short = rides.len() < query.limit;
        rides.truncate(query.limit);
        Ok(Board {
            rides,
            cancelled: listed.cancelled,
            day,
            direct: true,
            incomplete: listed.inexact || (listed.full && short),
        })
    }

    pub(super) async fn first_last(
        &self,
        from: &str,
        to: Option<&str>,
        day: Date,
    ) -> Result<FirstLast, Unknown> {
        self.covered(day)?;
        if let Some(to) = to {
            return self.first_last_between(from, to, day).await;
        }
        let station = self.theirs(from)?;
        let (begins, ends) = (self.day_begins(day)?, self.day_ends(day)?);
        let listed = self.list(&["stop_areas", &station], begins, ends, MOST).await?;
        let scheduled = |ride: &&Ride| ride.from.departure.map(|moment| moment.scheduled);
        let (first, last) =
            (listed.rides.iter().min_by_key(scheduled), listed.rides.iter().max_by_key(scheduled));
        Ok(FirstLast {
            day,
            first: first.cloned(),
            last: last.cloned(),
            incomplete: listed.inexact || listed.full,
        })
    }

    pub(super) async fn train(&self, number: &str, day: Date) -> Result<Vec<Run>, Unknown> {
        self.covered(day)?;
        let base = self.vehicle_journeys(number, day, "base_schedule").await?;
        let live = match self.navitia.realtime {
            true => Some(self.vehicle_journeys(number, day, "realtime").await?),
            false => None,
        };
        let (nothing, lang, as_of) = (Answer::default(), self.navitia.lang, self.as_of);
        let base = base.as_deref().unwrap_or(&nothing);
        let live = live.as_ref().map(|live| live.as_deref().unwrap_or(&nothing));
        Lists { base, live, day, lang, as_of }.runs(&self.map)
    }

    /// None: no such train. Asked to 04:00 of the next morning, so that trains after midnight are found.
    async fn vehicle_journeys(
        &self,
        number: &str,
        day: Date,
        freshness: &str,
    ) -> Result<Option<Arc<Answer>>, Unknown> {
        let (since, until) =
            (self.map.asked(self.map.at(day.at(0, 0, 0, 0))?), self.map.asked(self.day_ends(day)?));
        let count = RUNS.to_string();
        let query = [
            ("headsign", number),
            ("since", since.as_str()),
            ("until", &until),
            ("data_freshness", freshness),
            ("depth", "2"),
            ("count", &count),
            ("disable_geojson", "true"),
        ];
        let answer = self.fetch(&["vehicle_journeys"], &query).await?.unwrap_or(None);
        let total =
            answer.as_deref().and_then(|answer| answer.pagination).map_or(0, |page| page.total_result);
        if total > RUNS {
            Err(Unknown::Source("too many trains have that number".into()))
        } else {
            Ok(answer)
        }
    }
}

fn train_id(passage: &Passage) -> Option<String> {
    let link = passage.links.iter().find(|link| link.kind == "vehicle_journey")?;
    link.id.as_deref().map(|id| scheduled_id(id).to_owned())
}

fn within(ride: &Ride, at: Timestamp, until: Timestamp) -> bool {
    ride.from.departure.is_some_and(|moment| moment.best() >= at && moment.best() < until)
}
