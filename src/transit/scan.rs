//! Earliest arrival, with as many rides as it takes: connections are scanned in order of time.
//!
//! The algorithm is the Connection Scan of Dibbelt, Pajor, Strasser and Wagner (2013), one label per number of rides, whole
//! runs relaxed when they are boarded. Backwards (latest departure) it is the same with time mirrored.

use super::net::{DayNet, NEVER, NetCall};
use super::timetable::Timetable;
use std::sync::Arc;

/// Numbers of rides told apart; a label of the last one stands for that many and more.
pub(super) const RIDES: usize = 7;
/// Longest chain of rides that is followed back. Only a damaged feed has longer ones.
const LONGEST_CHAIN: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the origin: earliest arrival.
    Forward,
    /// From the destination: latest departure.
    Backward,
}

/// What is looked for. Times run in the direction's sense: mirrored (negated) when backward.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    pub direction: Direction,
    /// Stations: where the search begins, and where it is to arrive.
    pub origin: u32,
    pub target: u32,
    /// Passed on the way: the train stops there, or one changes there.
    pub via: Option<u32>,
    pub start: i64,
    /// Nothing is arrived at after this.
    pub horizon: i64,
}

/// One ride: a run of one of the days, and where it is boarded and left, as indices into the day's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leg {
    pub day: usize,
    pub from: u32,
    pub to: u32,
}

/// How a place was reached: when one can board there, by which ride, after which label.
#[derive(Debug, Clone, Copy)]
struct Label {
    ready: i64,
    leg: Option<(Leg, Place, usize)>,
}

/// A stop, and whether `via` lies behind: 0 or 1.
#[derive(Debug, Clone, Copy)]
struct Place {
    stop: u32,
    layer: usize,
}

const UNREACHED: Label = Label { ready: NEVER, leg: None };

pub(super) struct Scan<'a> {
    table: &'a Timetable,
    days: &'a [Arc<DayNet>],
    goal: Goal,
    /// By layer, stop and number of rides.
    labels: Vec<Label>,
    /// By run and layer: the smallest number of rides with which it was boarded.
    boarded: Vec<[u8; 2]>,
    /// Of each day's first run in `boarded`.
    bases: Vec<usize>,
    /// By number of rides: the best arrival at the target.
    reached: [Label; RIDES + 1],
}

impl<'a> Scan<'a> {
    pub(super) fn run(table: &'a Timetable, days: &'a [Arc<DayNet>], goal: Goal) -> Self {
        let mut bases = Vec::with_capacity(days.len());
        let mut runs = 0;
        for day in days {
            bases.push(runs);
            runs += day.runs.len();
        }
        let mut scan = Self {
            table,
            days,
            goal,
            labels: vec![UNREACHED; 2 * table.stops.len() * (RIDES + 1)],
            boarded: vec![[u8::MAX; 2]; runs],
            bases,
            reached: [UNREACHED; RIDES + 1],
        };
        let layer = usize::from(goal.via.is_none_or(|via| via == goal.origin));
        for stop in (0..table.stops.len()).filter(|&stop| table.stops[stop].station == goal.origin) {
            let index = scan.index(Place { stop: stop as u32, layer }, 0);
            scan.labels[index].ready = goal.start;
        }
        scan.walk();
        scan
    }

    /// (time, legs) at the target by rising number of rides, each earlier than the one before. Times are mirrored when
    /// backward; legs are in running order.
    pub(super) fn options(&self) -> Vec<(i64, Vec<Leg>)> {
        let mut options: Vec<(i64, Vec<Leg>)> = Vec::new();
        for label in self.reached.iter().filter(|label| label.ready != NEVER) {
            if options.last().is_none_or(|(best, _)| label.ready < *best) {
                options.extend(self.legs(label).map(|legs| (label.ready, legs)));
            }
        }
        options
    }

    fn legs(&self, label: &Label) -> Option<Vec<Leg>> {
        let mut legs = Vec::new();
        let mut label = *label;
        while let Some((leg, place, rides)) = label.leg {
            if legs.len() == LONGEST_CHAIN {
                return None;
            }
            legs.push(leg);
            label = self.labels[self.index(place, rides)];
        }
        if self.goal.direction == Direction::Forward {
            legs.reverse();
        }
        Some(legs)
    }

    fn index(&self, place: Place, rides: usize) -> usize {
        (place.layer * self.table.stops.len() + place.stop as usize) * (RIDES + 1) + rides
    }

    /// When the ride can be got on at that call, in the direction's sense.
    fn enters(&self, call: &NetCall) -> i64 {
        match self.goal.direction {
            Direction::Forward => call.departure,
            Direction::Backward if call.arrival == NEVER => NEVER,
            Direction::Backward => -call.arrival,
        }
    }

    fn leaves(&self, call: &NetCall) -> i64 {
        match self.goal.direction {
            Direction::Forward => call.arrival,
            Direction::Backward if call.departure == NEVER => NEVER,
            Direction::Backward => -call.departure,
        }
    }

    /// Visits the calls of all days in one order of time, until nothing better can come.
    fn walk(&mut self) {
        let days = self.days;
        let forward = self.goal.direction == Direction::Forward;
        let events = |day: &'a DayNet| if forward { &day.departures } else { &day.arrivals };
        // How many events of each day are behind, in the direction's sense.
        let mut behind: Vec<usize> = Vec::with_capacity(days.len());
        for day in days {
            let time = |&call: &u32| self.enters(&day.calls[call as usize]);
            behind.push(match self.goal.direction {
                Direction::Forward => day.departures.partition_point(|call| time(call) < self.goal.start),
                Direction::Backward => {
                    day.arrivals.len() - day.arrivals.partition_point(|call| time(call) >= self.goal.start)
                }
            });
        }
        let head = |scan: &Self, day: usize, behind: usize| {
            let events = events(&days[day]);
            let rank = if forward { behind } else { events.len().checked_sub(behind + 1)? };
            let call = *events.get(rank)?;
            Some((scan.enters(&days[day].calls[call as usize]), day, call))
        };
        let mut heads: Vec<_> = (0..days.len()).map(|day| head(self, day, behind[day])).collect();
        while let Some((time, day, call)) = heads.iter().flatten().min().copied() {
            let best = self.reached.iter().map(|label| label.ready).min().unwrap_or(NEVER);
            if time > best || time > self.goal.horizon {
                break;
            }
            self.visit(day, call, time);
            behind[day] += 1;
            heads[day] = head(self, day, behind[day]);
        }
    }

    fn visit(&mut self, day: usize, call: u32, time: i64) {
        let here = self.days[day].calls[call as usize];
        let run = self.bases[day] + here.run as usize;
        for layer in 0..2 {
            let place = Place { stop: here.stop, layer };
            let start = self.index(place, 0);
            let most = usize::from(self.boarded[run][layer]).min(RIDES + 1);
            let fits = |rides: &usize| self.labels[start + rides].ready <= time;
            if let Some(rides) = (0..most).find(fits) {
                self.boarded[run][layer] = rides as u8;
                self.ride(day, call, time, place, rides);
            }
        }
    }

    /// Relaxes all calls that lie ahead of a boarding.
    fn ride(&mut self, day: usize, from: u32, time: i64, place: Place, rides: usize) {
        let net: &'a DayNet = &self.days[day];
        let run = net.runs[net.calls[from as usize].run as usize];
        let after = (rides + 1).min(RIDES);
        let mut layer = place.layer;
        let forward = self.goal.direction == Direction::Forward;
        let ahead = if forward { from + 1..run.end } else { run.first..from };
        for step in 0..ahead.len() as u32 {
            let to = if forward { ahead.start + step } else { ahead.end - 1 - step };
            let call = &net.calls[to as usize];
            if call.stops && self.goal.via == Some(call.station) {
                layer = 1;
            }
            let at = self.leaves(call);
            if at == NEVER || at < time || at > self.goal.horizon {
                continue;
            }
            let leg = if forward { Leg { day, from, to } } else { Leg { day, from: to, to: from } };
            let label = Label { ready: at, leg: Some((leg, place, rides)) };
            if call.station == self.goal.target {
                if layer == 1 && at < self.reached[after].ready {
                    self.reached[after] = label;
                }
            } else {
                self.change(call.stop, layer, after, label);
            }
        }
    }

    /// From a stop that a ride ends at, on to those where the next can begin.
    fn change(&mut self, stop: u32, layer: usize, rides: usize, label: Label) {
        let changes = &self.table.changes;
        let reach = match self.goal.direction {
            Direction::Forward => changes.from(stop),
            Direction::Backward => changes.to(stop),
        };
        for &(other, seconds) in reach {
            let ready = label.ready.saturating_add(i64::from(seconds) * 1_000_000);
            let passes = self.goal.via == Some(self.table.stops[other as usize].station);
            let place = Place { stop: other, layer: if passes { 1 } else { layer } };
            let index = self.index(place, rides);
            if ready < self.labels[index].ready {
                self.labels[index] = Label { ready, ..label };
            }
        }
    }
}
