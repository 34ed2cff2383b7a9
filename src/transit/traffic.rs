//! How a line, a station or the network runs: announcements, and the trains that are late or do not run.

use super::live::Alert;
use super::planner::{LiveState, Moment, Ride, Traffic, TrafficQuery, Unknown};
use super::runs::{Run, TimedCall, View};
use super::timetable::{Access, Call};
use super::trains::holds;
use crate::model::Timestamp;
use jiff::civil::Date;
use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

/// A train counts as late from here on, at the stop that it is told for.
pub(super) const LATE: Duration = Duration::from_secs(300);
/// Trains are counted so far ahead, whatever period is asked about.
const COUNTED: Duration = Duration::from_secs(24 * 3600);

/// What the question is about, as indices of the timetable. Nothing: the whole network.
struct Scope {
    line: Option<HashSet<u32>>,
    stations: Vec<u32>,
    /// Stations that alerts may name: those asked about, else those of the line.
    places: HashSet<u32>,
    /// Routes that alerts may name: the line's, else those that call at the stations.
    routes: HashSet<u32>,
}

impl View<'_> {
    /// `alerts` are those of the snapshot, in its order, `announced` what they are worth and `trains` what live data of trains is. Trains are those that leave in the asked period (not beyond
    /// 24 hours), from the first of the stations when some were asked, else from any place that is still ahead of them.
    pub(super) fn traffic(
        self,
        query: &TrafficQuery,
        (announced, alerts): (LiveState, &[Alert]),
        trains: LiveState,
    ) -> Result<Traffic, Unknown> {
        let scope = self.scope(query)?;
        let matches = |alert: &&Alert| holds(alert, query.from, query.until) && self.concerns(alert, &scope);
        let mut traffic = Traffic {
            line: scope.line.as_ref().and_then(|routes| self.line_name(routes)),
            alerts: alerts.iter().filter(matches).cloned().collect(),
            announced,
            trains,
            running: 0,
            late: Vec::new(),
            cancelled: Vec::new(),
        };
        let until = query.until.min(query.from.plus(COUNTED));
        let mut seen = HashSet::new();
        for on in self.service_days(query.from, until) {
            for (index, trip) in self.table.trips.iter().enumerate() {
                let index = index as u32;
                let timed = trip.headways.is_empty() && !self.overlay.is_unclear(index);
                if timed
                    && scope.line.as_ref().is_none_or(|line| line.contains(&trip.route))
                    && self.table.runs_on(trip, on.day)
                {
                    let run = self.run(index, on);
                    if !run.live.is_some_and(|live| live.added) {
                        self.count(run, &scope, query.from, until, &mut traffic, &mut seen);
                    }
                }
            }
        }
        for run in self.added() {
            if scope.line.as_ref().is_none_or(|line| run.route().is_some_and(|route| line.contains(&route))) {
                self.count(run, &scope, query.from, until, &mut traffic, &mut seen);
            }
        }
        let leaves = |ride: &Ride| ride.from.departure.map(|moment| moment.scheduled);
        traffic.late.sort_by_key(leaves);
        traffic.cancelled.sort_by_key(leaves);
        Ok(traffic)
    }

    fn scope(self, query: &TrafficQuery) -> Result<Scope, Unknown> {
        let line = query.line.as_deref().map(|line| self.routes_called(line)).transpose()?;
        let stations = query.stations.iter().map(|id| self.table.places(id, None).map(|(place, _)| place));
        let stations = stations.collect::<Result<Vec<_>, _>>()?;
        let mut places: HashSet<u32> = stations.iter().copied().collect();
        let mut routes = line.clone().unwrap_or_default();
        let calls = |route: u32, station: u32| {
            let calls = &self.table.at_station[station as usize];
            calls.iter().any(|&call| self.route_of(call) == route)
        };
        if let Some(line) = line.as_ref().filter(|_| places.is_empty()) {
            let on_line = |call: &&Call| line.contains(&self.table.trips[call.trip as usize].route);
            places.extend(self.table.calls.iter().filter(on_line).map(|call| call.station));
        }
        if line.is_none() && !stations.is_empty() {
            let all = 0..self.table.routes.len() as u32;
            routes.extend(all.filter(|&route| stations.iter().all(|&station| calls(route, station))));
        }
        Ok(Scope { line, stations, places, routes })
    }

    fn route_of(self, call: u32) -> u32 {
        let trip = self.table.calls[call as usize].trip;
        self.table.trips[trip as usize].route
    }

    /// The routes of that id, or short or long name, in whatever case.
    fn routes_called(self, line: &str) -> Result<HashSet<u32>, Unknown> {
        let asked = line.trim().to_lowercase();
        let same = |text: &str| text.trim().to_lowercase() == asked;
        let named = |name: Option<u32>| name.is_some_and(|name| same(self.table.name(name)));
        let routes = self.table.routes.iter().enumerate();
        let routes =
            routes.filter(|(_, route)| *route.id == *line || named(route.short) || named(route.long));
        let found: HashSet<u32> = routes.map(|(index, _)| index as u32).collect();
        if found.is_empty() { Err(Unknown::Line(line.to_owned())) } else { Ok(found) }
    }

    fn line_name(self, routes: &HashSet<u32>) -> Option<String> {
        let route = &self.table.routes[*routes.iter().min()? as usize];
        route.short.or(route.long).map(|name| self.table.name(name).to_owned())
    }

    fn concerns(self, alert: &Alert, scope: &Scope) -> bool {
        let network = alert.routes.is_empty() && alert.stops.is_empty() && alert.trips.is_empty();
        let everything = scope.line.is_none() && scope.stations.is_empty();
        let trip = |id: &String| {
            let trip = self.table.trip_by_id.get(id.as_str()).map(|&trip| &self.table.trips[trip as usize]);
            trip.is_some_and(|trip| {
                let stops_at =
                    |station: &u32| self.table.calls_of(trip).iter().any(|call| call.station == *station);
                scope.line.as_ref().is_none_or(|line| line.contains(&trip.route))
                    && scope.stations.iter().all(stops_at)
            })
        };
        network
            || everything
            || scope.routes.iter().any(|&route| self.names_route(alert, route))
            || self.alert_stations(alert).any(|station| scope.places.contains(&station))
            || alert.trips.iter().any(trip)
    }

    /// Counts a run if it is one of those asked about.
    fn count(
        self,
        run: Run<'_>,
        scope: &Scope,
        from: Timestamp,
        until: Timestamp,
        traffic: &mut Traffic,
        seen: &mut HashSet<Twin>,
    ) {
        let Some((boards, leaves, departure)) = part(run, scope, from) else { return };
        let gone = run.cancelled() || run.call(boards).skipped || run.call(leaves).skipped;
        let at = if gone { departure.scheduled } else { departure.best() };
        let arrival = run.call(leaves).arrival;
        let number = run.number().map(str::to_owned);
        let twin = (run.on.day, number, arrival.map(|moment| moment.scheduled), departure.scheduled);
        if at < from || at >= until || (twin.1.is_some() && !seen.insert(twin)) {
            return;
        }
        if gone {
            traffic.cancelled.push(run.ride(boards, leaves));
            return;
        }
        traffic.running += 1;
        let late = |moment: Option<Moment>| {
            moment.is_some_and(|moment| moment.best() >= moment.scheduled.plus(LATE))
        };
        if late(Some(departure)) || late(arrival) {
            traffic.late.push(run.ride(boards, leaves));
        }
    }
}

/// Service day, number, arrival and departure: the same train under two services is one train.
type Twin = (Date, Option<String>, Option<Timestamp>, Timestamp);

/// Where the run is looked at: between the two stations, from the one, or from the first call still ahead to the end.
fn part(run: Run<'_>, scope: &Scope, from: Timestamp) -> Option<(usize, usize, Moment)> {
    let leaves = |index: usize| run.call(index).departure;
    let last = run.len().checked_sub(1)?;
    let at = |calls: Range<usize>, station: u32, door: fn(&TimedCall) -> Access| {
        let mut calls = calls.map(|index| (index, run.call(index)));
        calls
            .find(|(_, call)| call.station == station && door(call) != Access::Closed)
            .map(|(index, _)| index)
    };
    let (boards, goes) = match scope.stations.as_slice() {
        [] => {
            let ahead = |&index: &usize| {
                let call = run.call(index);
                let gone = run.cancelled();
                (gone || !call.skipped)
                    && call.departure.is_some_and(|moment| {
                        if gone { moment.scheduled >= from } else { moment.best() >= from }
                    })
            };
            ((0..last).find(ahead)?, last)
        }
        [one] => (at(0..last, *one, |call| call.board)?, last),
        [one, other, ..] => {
            let boards = at(0..last, *one, |call| call.board)?;
            (boards, at(boards + 1..last + 1, *other, |call| call.alight)?)
        }
    };
    Some((boards, goes, leaves(boards)?))
}
