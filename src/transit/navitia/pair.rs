//! The questions about two stations, as requests for journeys.

use super::alerts::{Loss, loss};
use super::ask::{Asked, Listed};
use super::map::nonsense;
use super::model::{self, Answer};
use crate::model::Timestamp;
use crate::transit::planner::{
    Board, BoardQuery, FirstLast, Journey, JourneyQuery, Moment, Ride, Unknown, When,
};
use jiff::civil::Date;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Journeys asked for at once: Navitia looks for each in turn.
const PAGE: usize = 20;
/// Pages of one question.
const PAGES: usize = 6;
/// Ways looked at to find one by a given station.
const BY_WAY: usize = 10;
/// Trains asked for one by one before the first of a day is told.
const CHECKED: usize = 4;
const SECOND: Duration = Duration::from_secs(1);

/// Parts of a journey that take nobody anywhere but on foot.
const ON_FOOT: [&str; 6] = ["transfer", "waiting", "crow_fly", "boarding", "landing", "alighting"];

/// From one station to another, as Navitia calls them.
struct Way {
    from: String,
    to: String,
}

impl Asked<'_> {
    fn way(&self, from: &str, to: &str) -> Result<Way, Unknown> {
        if from == to {
            return Err(Unknown::SameStation);
        }
        Ok(Way { from: self.theirs(from)?, to: self.theirs(to)? })
    }

    /// Departures from `from` of the trains that go to `to`.
    pub(super) async fn leaving(&self, from: &str, to: &str, query: &BoardQuery) -> Result<Board, Unknown> {
        let day = self.day_of(query.at);
        self.covered(day)?;
        let until = self.day_ends(day)?;
        let way = self.way(from, to)?;
        let listed = self.direct(&way, query.at, until, query.limit).await?;
        self.board(&way, day, listed, query.limit).await
    }

    /// Arrivals at `to` of the trains that come from `from`: the last one before the asked time tells from where to look.
    pub(super) async fn arriving(&self, from: &str, to: &str, query: &BoardQuery) -> Result<Board, Unknown> {
        let day = self.day_of(query.at);
        self.covered(day)?;
        let (begins, until) = (self.day_begins(day)?, self.day_ends(day)?);
        let way = self.way(from, to)?;
        let before = self.ask(&way, When::ArriveBefore(query.at), 1, 0, self.freshness()).await?;
        let left = self.rides(before.as_deref(), &way)?.0.iter().filter_map(leaves).max();
        let start = left.map_or(begins.min(query.at), |left| left.plus(SECOND));
        let mut listed = self.direct(&way, start, until, query.limit.saturating_add(1)).await?;
        let arrives = |ride: &Ride| ride.to.arrival.map(|moment| moment.best());
        listed.rides.retain(|ride| arrives(ride).is_some_and(|at| at >= query.at && at < until));
        listed.rides.sort_by_key(arrives);
        let scheduled = |ride: &Ride| ride.to.arrival.map(|moment| moment.scheduled);
        listed.cancelled.retain(|ride| scheduled(ride).is_some_and(|at| at >= query.at && at < until));
        self.board(&way, day, listed, query.limit).await
    }

    async fn board(&self, way: &Way, day: Date, listed: Listed, limit: usize) -> Result<Board, Unknown> {
        let mut rides = listed.rides;
        // Whether one could ever go there without a change is looked for on that day.
        let direct = if rides.is_empty() && listed.cancelled.is_empty() {
            let begins = self.day_begins(day)?;
            let any = self.ask(way, When::DepartAfter(begins), 1, 0, "base_schedule").await?;
            !self.rides(any.as_deref(), way)?.0.is_empty()
        } else {
            true
        };
        let incomplete = listed.inexact || (listed.full && rides.len() < limit);
        rides.truncate(limit);
        Ok(Board { rides, cancelled: listed.cancelled, day, direct, incomplete })
    }

    /// For traffic: by our ids.
    pub(super) async fn listed_between(
        &self,
        from: &str,
        to: &str,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Listed, Unknown> {
        self.direct(&self.way(from, to)?, at, until, usize::MAX).await
    }

    /// The direct trains that leave in `at..until`, page after page: at least `limit` of them, or all, or the list is full.
    async fn direct(
        &self,
        way: &Way,
        at: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Listed, Unknown> {
        let mut listed = Listed { rides: Vec::new(), cancelled: Vec::new(), inexact: false, full: true };
        let mut start = at;
        for _ in 0..PAGES {
            let count = PAGE.min(limit.saturating_sub(listed.rides.len()).saturating_add(1));
            let answer = self.ask(way, When::DepartAfter(start), count, 0, self.freshness()).await?;
            let (rides, inexact) = self.rides(answer.as_deref(), way)?;
            listed.inexact |= inexact;
            let last = rides.iter().filter_map(leaves).max();
            let known: HashSet<_> = listed.rides.iter().map(|ride| ride.train.key.clone()).collect();
            let new = rides
                .into_iter()
                .filter(|ride| leaves(ride).is_some_and(|at| at < until) && !known.contains(&ride.train.key));
            listed.rides.extend(new.filter(|ride| leaves(ride).is_some_and(|leaves| leaves >= at)));
            let Some(last) = last.filter(|last| *last < until && *last >= start) else {
                listed.full = false;
                break;
            };
            if listed.rides.len() >= limit {
                break;
            }
            start = last.plus(SECOND);
        }
        listed.rides.sort_by_key(leaves);
        if self.map.live {
            listed.cancelled = self.lost_between(way, at, until, &listed.rides).await?;
        }
        Ok(listed)
    }

    /// The scheduled direct trains that live data leaves out and that a disruption takes away.
    async fn lost_between(
        &self,
        way: &Way,
        at: Timestamp,
        until: Timestamp,
        running: &[Ride],
    ) -> Result<Vec<Ride>, Unknown> {
        let base = self.ask(way, When::DepartAfter(at), PAGE, 0, "base_schedule").await?;
        let Some(base) = base else { return Ok(Vec::new()) };
        let mut lost = Vec::new();
        for journey in &base.journeys {
            let [section] = trains(journey).collect::<Vec<_>>()[..] else { continue };
            let Some(mut ride) = self.map.section(section)? else { continue };
            let Some(departure) = ride.from.departure else { continue };
            let runs = running.iter().any(|other| other.train.key.trip == ride.train.key.trip);
            let inside = departure.scheduled >= at && departure.scheduled < until;
            if runs || !inside || !self.is_way(&ride, way)? {
                continue;
            }
            let end =
                |place: &Option<model::Place>| place.as_ref().and_then(|place| place.stop_point.clone());
            let at_end = |point: Option<model::StopPoint>| {
                let links = &section.display_informations.links;
                loss(&self.map, &base.disruptions, links, point.as_ref(), departure.scheduled)
            };
            match (at_end(end(&section.from)), at_end(end(&section.to))) {
                (Some(Loss::Cancelled), _) | (_, Some(Loss::Cancelled)) => ride.train.cancelled = true,
                (None, None) => continue,
                (from, to) => {
                    ride.from.skipped = from.is_some();
                    ride.to.skipped = to.is_some();
                }
            }
            let scheduled = |moment: Option<Moment>| moment.map(|moment| Moment { expected: None, ..moment });
            ride.from.departure = scheduled(ride.from.departure);
            ride.to.arrival = scheduled(ride.to.arrival);
            lost.push(ride);
        }
        Ok(lost)
    }

    /// Of the trains of a day. The first is only told when no train that another overtakes can have left before it.
    pub(super) async fn first_last_between(
        &self,
        from: &str,
        to: &str,
        day: Date,
    ) -> Result<FirstLast, Unknown> {
        let way = self.way(from, to)?;
        let (begins, ends) = (self.day_begins(day)?, self.day_ends(day)?);
        let (found, inexact) = self.day_of_trains(&way, begins, ends).await?;
        let Some(found) = found else {
            return Ok(FirstLast { day, first: None, last: None, incomplete: inexact });
        };
        let (first, last) = found;
        let before = leaves(&first).unwrap_or(begins);
        let earlier = self.list(&["stop_areas", &way.from], begins, before, PAGE).await?;
        let incomplete = inexact || !self.none_overtaken(&way, &earlier).await?;
        Ok(FirstLast { day, first: Some(first), last: Some(last), incomplete })
    }

    /// First and last, as journeys tell them; none: there is none. And whether some have no exact time.
    async fn day_of_trains(
        &self,
        way: &Way,
        begins: Timestamp,
        ends: Timestamp,
    ) -> Result<(Option<(Ride, Ride)>, bool), Unknown> {
        let in_day = |ride: &Ride| leaves(ride).is_some_and(|at| at >= begins && at < ends);
        let answer = self.ask(way, When::DepartAfter(begins), 1, 0, self.freshness()).await?;
        let (rides, mut inexact) = self.rides(answer.as_deref(), way)?;
        let Some(first) = rides.into_iter().filter(in_day).min_by_key(leaves) else {
            return Ok((None, inexact));
        };
        let answer = self.ask(way, When::ArriveBefore(ends), 1, 0, self.freshness()).await?;
        let (rides, unclear) = self.rides(answer.as_deref(), way)?;
        inexact |= unclear;
        let evening = rides.into_iter().filter(in_day).max_by_key(leaves).unwrap_or_else(|| first.clone());
        // Those that arrive after the end of the day.
        let start = leaves(&evening).unwrap_or(begins).plus(SECOND);
        let later = self.direct(way, start, ends, usize::MAX).await?;
        let last = later.rides.iter().max_by_key(|ride| leaves(ride)).cloned().unwrap_or(evening);
        Ok((Some((first, last)), inexact || later.inexact || later.full))
    }

    /// Whether surely none of the trains that leave before goes there too. Each is asked for, if they are few.
    async fn none_overtaken(&self, way: &Way, earlier: &Listed) -> Result<bool, Unknown> {
        if earlier.full || earlier.inexact || earlier.rides.len() > CHECKED {
            return Ok(false);
        }
        for ride in &earlier.rides {
            let path = ["vehicle_journeys", ride.train.key.trip.as_str()];
            let Ok(Some(answer)) = self.fetch(&path, &[("depth", "2")]).await? else { return Ok(false) };
            let Some(journey) = answer.vehicle_journeys.first() else { return Ok(false) };
            let calls = journey.stop_times.iter();
            let areas: Vec<&str> =
                calls.filter_map(|call| Some(call.stop_point.stop_area.as_ref()?.id.as_str())).collect();
            if areas.len() < journey.stop_times.len() || areas.contains(&way.to.as_str()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) async fn journeys(&self, query: &JourneyQuery) -> Result<Vec<Journey>, Unknown> {
        let (When::DepartAfter(at) | When::ArriveBefore(at)) = query.when;
        let day = self.day_of(at);
        self.covered(day)?;
        let way = self.way(&query.from, &query.to)?;
        let count = if query.via.is_some() { BY_WAY } else { query.limit.clamp(1, PAGE) };
        let answer = self.ask(&way, query.when, count, 10, self.freshness()).await?;
        let mut ways = Vec::new();
        for journey in answer.as_deref().map_or(&[][..], |answer| &answer.journeys) {
            let by_way = query
                .via
                .as_deref()
                .is_none_or(|via| self.theirs(via).is_ok_and(|via| calls_at(journey, &via)));
            if let Some(rides) = self.whole(journey, &way)?.filter(|_| by_way) {
                ways.push(Journey { rides });
            }
        }
        let start = |way: &Journey| way.rides.first().and_then(leaves);
        let end =
            |way: &Journey| way.rides.last().and_then(|ride| ride.to.arrival).map(|moment| moment.best());
        ways.retain(|way| match query.when {
            When::DepartAfter(at) => start(way).is_some_and(|start| start >= at),
            When::ArriveBefore(at) => end(way).is_some_and(|end| end <= at),
        });
        if ways.is_empty()
            && (query.via.is_some() || answer.is_some_and(|answer| !answer.journeys.is_empty()))
        {
            return Err(Unknown::Source(
                "none of the ways that Navitia offers is one that was asked for".into(),
            ));
        }
        match query.when {
            When::DepartAfter(_) => {
                ways.sort_by_key(|way| (end(way), way.rides.len()));
                let day_ends = self.day_ends(day)?;
                let in_day = |way: &Journey| start(way).is_some_and(|at| at < day_ends);
                if ways.first().is_some_and(in_day) {
                    ways.retain(in_day);
                }
            }
            When::ArriveBefore(_) => ways.sort_by_key(|way| (std::cmp::Reverse(start(way)), way.rides.len())),
        }
        ways.truncate(query.limit);
        Ok(ways)
    }

    async fn ask(
        &self,
        way: &Way,
        when: When,
        count: usize,
        changes: usize,
        freshness: &str,
    ) -> Result<Option<Arc<Answer>>, Unknown> {
        let (at, represents) = match when {
            When::DepartAfter(at) => (at, "departure"),
            When::ArriveBefore(at) => (at, "arrival"),
        };
        let (at, count, changes) = (self.map.asked(at), count.to_string(), changes.to_string());
        let query = [
            ("from", way.from.as_str()),
            ("to", way.to.as_str()),
            ("datetime", at.as_str()),
            ("datetime_represents", represents),
            ("max_nb_transfers", changes.as_str()),
            ("count", count.as_str()),
            ("data_freshness", freshness),
            ("direct_path", "none"),
            ("first_section_mode[]", "walking"),
            ("last_section_mode[]", "walking"),
            ("disable_geojson", "true"),
        ];
        self.get(&["journeys"], &query).await
    }

    /// The journeys made in one train, each train once, and whether some have no exact time.
    fn rides(&self, answer: Option<&Answer>, way: &Way) -> Result<(Vec<Ride>, bool), Unknown> {
        let (mut rides, mut inexact) = (Vec::<Ride>::new(), false);
        for journey in answer.map_or(&[][..], |answer| &answer.journeys) {
            let [section] = trains(journey).collect::<Vec<_>>()[..] else { continue };
            match self.map.section(section)? {
                None => inexact = true,
                Some(ride) => {
                    let again = rides.iter().any(|other| other.train.key == ride.train.key);
                    if !again && self.is_way(&ride, way)? {
                        rides.push(ride);
                    }
                }
            }
        }
        Ok((rides, inexact))
    }

    /// The trains of a journey; none: it uses something else, has inexact times, or begins or ends at another station.
    fn whole(&self, journey: &model::Journey, way: &Way) -> Result<Option<Vec<Ride>>, Unknown> {
        let known = |section: &model::Section| {
            section.kind == "public_transport"
                || ON_FOOT.contains(&section.kind.as_str())
                || (section.kind == "street_network" && section.mode.as_deref() == Some("walking"))
        };
        if !journey.sections.iter().all(known) {
            return Ok(None);
        }
        let rides = trains(journey)
            .map(|section| self.map.section(section))
            .collect::<Result<Option<Vec<_>>, _>>()?;
        let Some(rides) = rides.filter(|rides| !rides.is_empty()) else { return Ok(None) };
        let in_order = rides.windows(2).all(|pair| {
            let arrives = pair[0].to.arrival.map(|moment| moment.best());
            arrives <= leaves(&pair[1])
        });
        if !in_order {
            return Err(nonsense("a change to a train that has left"));
        }
        let (first, last) =
            (rides.first().map(|ride| &ride.from.station.id), rides.last().map(|ride| &ride.to.station.id));
        let at = |id: Option<&String>, theirs: &str| {
            id.is_some_and(|id| self.theirs(id).is_ok_and(|id| id == theirs))
        };
        let ends = at(first, &way.from) && at(last, &way.to);
        Ok(ends.then_some(rides))
    }

    fn is_way(&self, ride: &Ride, way: &Way) -> Result<bool, Unknown> {
        let at = |id: &str, theirs: &str| self.theirs(id).is_ok_and(|id| id == theirs);
        Ok(at(&ride.from.station.id, &way.from) && at(&ride.to.station.id, &way.to))
    }
}

fn leaves(ride: &Ride) -> Option<Timestamp> {
    ride.from.departure.map(|moment| moment.best())
}

/// The sections made in trains.
fn trains(journey: &model::Journey) -> impl Iterator<Item = &model::Section> {
    journey.sections.iter().filter(|section| section.kind == "public_transport")
}

fn calls_at(journey: &model::Journey, area: &str) -> bool {
    let is_area = |point: &model::StopPoint| point.stop_area.as_ref().is_some_and(|found| found.id == area);
    trains(journey).any(|section| {
        let calls = section.stop_date_times.iter().filter_map(|call| call.stop_point.as_ref());
        let ends =
            [&section.from, &section.to].into_iter().flatten().filter_map(|place| place.stop_point.as_ref());
        calls.chain(ends).any(is_area)
    })
}
