//! Journeys with changes: the best one, then others that are better in some way.

use super::net::{DayNet, RunSource};
use super::planner::{Journey, JourneyQuery, Ride, Unknown, When};
use super::runs::{ServiceDay, View};
use super::scan::{Direction, Goal, Leg, Scan};
use crate::model::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Trains are looked for so long after the asked departure (before the asked arrival).
const SEARCHED: Duration = Duration::from_secs(24 * 3600);
/// Most journeys looked for at once, whatever is asked.
const MOST_JOURNEYS: usize = 10;

/// One way to get there, with what it is compared by.
struct Way {
    departure: i64,
    arrival: i64,
    legs: Vec<Leg>,
}

/// What one question searches in.
struct Search<'a> {
    view: View<'a>,
    days: Vec<Arc<DayNet>>,
}

impl View<'_> {
    /// Journeys that depart and arrive within 24 hours of the asked time, by best known times, from one station to the other
    /// without a walk before the first ride or after the last. None of them is beaten by another in departure, arrival and
    /// number of rides at once.
    ///
    /// After an asked departure: the earliest arrival first, and of that the latest departure. It may leave on the next day when
    /// none better does on the asked one; otherwise all leave on the asked day. Before an asked arrival: the latest
    /// departure first, never one before `now`. `net` gives the trains of a service day.
    pub(super) fn journeys(
        self,
        query: &JourneyQuery,
        now: Timestamp,
        net: impl Fn(ServiceDay) -> Arc<DayNet>,
    ) -> Result<Vec<Journey>, Unknown> {
        let (origin, target) = self.table.places(&query.from, Some(&query.to))?;
        let target = target.unwrap_or(origin);
        let via = query.via.as_deref().map(|via| self.table.places(via, None)).transpose()?;
        let via = via.map(|(via, _)| via).filter(|&via| via != origin && via != target);
        let (asked, from, until) = match query.when {
            When::DepartAfter(at) => (at, at, at.plus(SEARCHED)),
            When::ArriveBefore(at) => (at, at.minus(SEARCHED).max(now), at),
        };
        let on = self.table.covered(self.table.local(asked).date())?;
        let latest = Duration::from_secs(u64::try_from(self.table.latest).unwrap_or(0));
        let late = if self.overlay.is_empty() { Duration::ZERO } else { SEARCHED };
        let days = self.service_days(from, until).into_iter();
        let days = days.filter(|on| on.start <= until && on.start.plus(latest).plus(late) >= from);
        let search = Search { view: self, days: days.map(net).collect() };
        let goal = match query.when {
            When::DepartAfter(_) => {
                Goal { direction: Direction::Forward, origin, target, via, start: from.0, horizon: until.0 }
            }
            When::ArriveBefore(_) => Goal {
                direction: Direction::Backward,
                origin: target,
                target: origin,
                via,
                start: -until.0,
                horizon: -from.0,
            },
        };
        let ways = search.ways(goal, on, query.limit.min(MOST_JOURNEYS));
        // "None" is not known while some train of the day has no times.
        if ways.is_empty() && search.days.iter().any(|net| net.on == on && net.incomplete) {
            let why = format!("on {} some trains have no exact time in the timetable", on.day);
            return Err(Unknown::Source(why));
        }
        Ok(ways.iter().map(|way| search.journey(way)).collect())
    }
}

impl Search<'_> {
    fn ways(&self, goal: Goal, on: ServiceDay, limit: usize) -> Vec<Way> {
        let forward = goal.direction == Direction::Forward;
        let mut ways: Vec<Way> = Vec::new();
        let mut goal = goal;
        // Each round finds at least one way that leaves later (or arrives earlier) than those before it.
        for _ in 0..2 * limit {
            let first_day = ways.iter().any(|way| way.departure < on.ends().0);
            if ways.len() >= limit || (forward && first_day && goal.start >= on.ends().0) {
                break;
            }
            let options = Scan::run(self.view.table, &self.days, goal).options();
            let Some(next) = self.add(&goal, options, &mut ways) else { break };
            goal.start = next;
            ways = self.unbeaten(ways);
        }
        if forward {
            ways.sort_by_key(|way| (way.arrival, way.legs.len(), -way.departure));
        } else {
            ways.sort_by_key(|way| (-way.departure, way.legs.len(), way.arrival));
        }
        let same_day = ways.first().is_some_and(|best| best.departure < on.ends().0);
        ways.retain(|way| !forward || !same_day || way.departure < on.ends().0);
        ways.truncate(limit);
        ways
    }

    /// Of each option that a search found, the tightest way: the other end of the time is searched back from where it ends.
    /// Gives the start of the next search; none when there is nothing more to find.
    fn add(&self, goal: &Goal, options: Vec<(i64, Vec<Leg>)>, ways: &mut Vec<Way>) -> Option<i64> {
        let opposite = match goal.direction {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        let mut next = None;
        for (time, legs) in options {
            let back = Goal {
                direction: opposite,
                origin: goal.target,
                target: goal.origin,
                start: -time,
                horizon: -goal.start,
                ..*goal
            };
            let back = Scan::run(self.view.table, &self.days, back).options();
            let tight = back.into_iter().rev().find(|(_, tight)| tight.len() <= legs.len());
            let way = self.way(tight.map_or(legs, |(_, tight)| tight))?;
            let bound = if goal.direction == Direction::Forward { way.departure } else { -way.arrival };
            next = Some(bound.max(goal.start) + 1);
            ways.push(way);
        }
        next
    }

    fn way(&self, legs: Vec<Leg>) -> Option<Way> {
        let (first, last) = (legs.first()?, legs.last()?);
        let departure = self.days[first.day].calls[first.from as usize].departure;
        let arrival = self.days[last.day].calls[last.to as usize].arrival;
        Some(Way { departure, arrival, legs })
    }

    /// Without those that another one beats or equals.
    fn unbeaten(&self, ways: Vec<Way>) -> Vec<Way> {
        let mut kept: Vec<Way> = Vec::new();
        for way in ways {
            let beats = |a: &Way, b: &Way| {
                a.departure >= b.departure && a.arrival <= b.arrival && a.legs.len() <= b.legs.len()
            };
            if !kept.iter().any(|other| beats(other, &way)) {
                kept.retain(|other| !beats(&way, other));
                kept.push(way);
            }
        }
        kept
    }

    fn journey(&self, way: &Way) -> Journey {
        Journey { rides: way.legs.iter().filter_map(|leg| self.ride(leg)).collect() }
    }

    fn ride(&self, leg: &Leg) -> Option<Ride> {
        let net = &self.days[leg.day];
        let run = net.runs[net.calls[leg.from as usize].run as usize];
        let index = |call: u32| (call - run.first) as usize;
        let source = match run.source {
            RunSource::Trip(trip) => self.view.run(trip, net.on),
            RunSource::Added(rank) => self.view.added().nth(rank)?,
        };
        Some(source.ride(index(leg.from), index(leg.to)))
    }
}
