//! The runs of a train's number on a day.

use super::live::Alert;
use super::planner::{Run as Told, Unknown};
use super::runs::{Run, View};
use crate::model::Timestamp;
use jiff::civil::Date;

impl View<'_> {
    /// The same train listed under several services is told once. `alerts` are those of the snapshot.
    pub(super) fn train(self, number: &str, day: Date, alerts: &[Alert]) -> Result<Vec<Told>, Unknown> {
        let on = self.table.covered(day)?;
        let asked = number.trim();
        let trips = self.table.by_number.get(asked).map(Vec::as_slice).unwrap_or_default();
        let mut told: Vec<Told> = Vec::new();
        for &trip in trips.iter().filter(|&&trip| self.table.runs_on(&self.table.trips[trip as usize], day)) {
            // Of a pattern without times there is nothing to tell, and of one whose start is not known neither.
            if !self.table.trips[trip as usize].headways.is_empty() || self.overlay.is_unclear(trip) {
                let why = format!("train {asked} has no exact times on {day}");
                return Err(Unknown::Source(why));
            }
            let run = self.run(trip, on);
            let stops: Vec<_> = (0..run.len()).map(|index| run.stop(index)).collect();
            if told.iter().all(|other| other.stops != stops) {
                told.push(Told { train: run.train(), stops, alerts: self.alerts_of(run, alerts) });
            }
        }
        Ok(told)
    }

    /// Announcements for this run, its line or a station it calls at, that hold at some time of its way.
    fn alerts_of(self, run: Run<'_>, alerts: &[Alert]) -> Vec<Alert> {
        let moments = || run.calls().flat_map(|call| [call.arrival, call.departure]).flatten();
        let from = moments().map(|moment| moment.scheduled.min(moment.best())).min();
        let until = moments().map(|moment| moment.scheduled.max(moment.best())).max();
        let (Some(from), Some(until)) = (from, until) else {
            return Vec::new();
        };
        let key = run.key();
        let stations: Vec<u32> = run.calls().map(|call| call.station).collect();
        let concerns = |alert: &&Alert| {
            let network = alert.routes.is_empty() && alert.stops.is_empty() && alert.trips.is_empty();
            let line = run.route().is_some_and(|route| self.names_route(alert, route));
            let stop = self.alert_stations(alert).any(|station| stations.contains(&station));
            network || line || stop || alert.trips.contains(&key.trip)
        };
        alerts.iter().filter(|alert| holds(alert, from, until)).filter(concerns).cloned().collect()
    }

    pub(super) fn names_route(self, alert: &Alert, route: u32) -> bool {
        let id = &self.table.routes[route as usize].id;
        alert.routes.iter().any(|named| **named == **id)
    }

    /// The stations of the stops that an announcement names.
    pub(super) fn alert_stations(self, alert: &Alert) -> impl Iterator<Item = u32> {
        alert.stops.iter().filter_map(move |id| {
            let stop =
                self.table.stop_by_id.get(id.as_str()).map(|&stop| self.table.stops[stop as usize].station);
            stop.or_else(|| self.table.station_by_id.get(id).copied())
        })
    }
}

/// Somewhere in the interval, both ends included.
pub(super) fn holds(alert: &Alert, from: Timestamp, until: Timestamp) -> bool {
    let meets = |&(begins, ends): &(Option<Timestamp>, Option<Timestamp>)| {
        begins.is_none_or(|begins| begins <= until) && ends.is_none_or(|ends| from < ends)
    };
    alert.periods.is_empty() || alert.periods.iter().any(meets)
}
