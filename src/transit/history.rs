//! What became of trains, as live data last told it: for questions about trains that no feed speaks of any more.

use super::planner::{Run as Told, Stop, Train};
use super::runs::{Run, ServiceDay, View};
use crate::model::{Moment, PastCall, PastTrain, Timestamp};
use std::time::Duration;

/// What was measured so shortly before a train was expected is how it arrived: feeds drop a train when it gets there, and
/// what is kept may be as much older than what came last.
const SETTLED: Duration = Duration::from_secs(6 * 60);

/// Takes in what was measured later. Feeds leave out the calls that a train has passed: what was known of them stays.
pub fn learn(past: &mut PastTrain, newer: PastTrain) {
    if newer.as_of < past.as_of {
        return;
    }
    let older = std::mem::replace(past, newer);
    let same = |(old, new): (&PastCall, &PastCall)| old.station.id == new.station.id;
    if older.calls.len() == past.calls.len() && older.calls.iter().zip(&past.calls).all(same) {
        for (call, old) in past.calls.iter_mut().zip(older.calls) {
            call.arrival = kept(old.arrival, call.arrival, past.as_of);
            call.departure = kept(old.departure, call.departure, past.as_of);
        }
    }
}

/// A moment that had gone by is not forgotten because nothing more is said of it; a forecast is.
fn kept(old: Option<Moment>, new: Option<Moment>, as_of: Timestamp) -> Option<Moment> {
    let passed = old.filter(|moment| moment.expected.is_some_and(|expected| expected <= as_of));
    match (passed, new) {
        (Some(old), None | Some(Moment { expected: None, .. })) => Some(old),
        (_, new) => new,
    }
}

/// Whether the last word was said when the train was there, or so shortly before that it is how it went.
pub fn is_settled(as_of: Timestamp, expected: Timestamp) -> bool {
    as_of.plus(SETTLED) >= expected
}

/// As planners tell runs.
pub fn told(past: &PastTrain) -> Told {
    let train = Train {
        key: past.key.clone(),
        number: past.number.clone(),
        brand: past.brand.clone(),
        line: None,
        terminus: past.terminus.clone(),
        cancelled: past.cancelled,
        added: false,
    };
    let stop = |call: &PastCall| Stop {
        station: call.station.clone(),
        arrival: call.arrival,
        departure: call.departure,
        platform: None,
        planned_platform: None,
        skipped: call.skipped,
    };
    Told { train, stops: past.calls.iter().map(stop).collect(), alerts: Vec::new() }
}

impl View<'_> {
    /// Every run that live data speaks of.
    pub(super) fn observed(self) -> Vec<PastTrain> {
        let changed = self.overlay.changed().filter_map(|(trip, day)| {
            let on = ServiceDay::new(self.table, day)?;
            Some(self.run(trip, on))
        });
        changed.chain(self.added()).filter_map(past).collect()
    }
}

fn past(run: Run<'_>) -> Option<PastTrain> {
    let as_of = run.live?.as_of;
    let calls = (0..run.len()).map(|index| {
        let Stop { station, arrival, departure, skipped, .. } = run.stop(index);
        PastCall { station, arrival, departure, skipped }
    });
    let calls = calls.collect();
    let Train { key, number, brand, terminus, cancelled, .. } = run.train();
    Some(PastTrain { key, number, brand, terminus, cancelled, calls, as_of })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transit::live::{LiveHandle, Running, Shift, Snapshot, StopChange, TripChange};
    use crate::transit::live_tests::{DAY, change, table};
    use crate::transit::planner::Planner as _;
    use crate::transit::testing::paris;
    use crate::transit::{LiveLimits, Local, TimetableHandle};

    const MINUTE: i64 = 60_000_000;

    fn at(clock: &str) -> Timestamp {
        paris(&format!("2026-05-05T{clock}"))
    }

    /// What is told at `clock` of the train of 8:00, which is late by so many minutes at these calls (10, 20, 30).
    fn told(clock: &str, running: Running, late: &[(u32, i64)]) -> Vec<PastTrain> {
        let stop = |&(sequence, minutes): &(u32, i64)| StopChange {
            sequence: Some(sequence),
            stop_id: None,
            arrival: Some(Shift::Delay(minutes * 60)),
            departure: None,
            skipped: false,
            no_data: false,
            assigned_stop_id: None,
        };
        let change = TripChange { as_of: at(clock), ..change(running, late.iter().map(stop).collect()) };
        let live = LiveHandle::default();
        live.replace(Snapshot {
            trips: [("t1".to_owned(), vec![change])].into(),
            trips_as_of: Some(at(clock)),
            ..Snapshot::default()
        });
        let planner = Local::new(TimetableHandle::new(table()), live, LiveLimits::default(), true);
        planner.observed(at(clock))
    }

    fn minutes_late(past: &PastTrain) -> Vec<Option<i64>> {
        let late = |moment: Moment| moment.expected.map(|e| (e.0 - moment.scheduled.0) / MINUTE);
        past.calls.iter().map(|call| call.arrival.and_then(late)).collect()
    }

    #[test]
    fn a_train_is_followed_to_its_end() {
        let mut past = told("07:50", Running::Scheduled, &[(10, 5)]).pop().unwrap();
        assert_eq!(past.number.as_deref(), Some("101"));
        assert_eq!((past.key.day, past.as_of), (DAY, at("07:50")));
        assert_eq!(minutes_late(&past), [Some(5), Some(5), Some(5)]);
        // The first call has gone by, and the feed speaks of the others.
        learn(&mut past, told("08:15", Running::Scheduled, &[(20, 12)]).pop().unwrap());
        assert_eq!(minutes_late(&past), [Some(5), Some(12), Some(12)]);
        learn(&mut past, told("08:38", Running::Scheduled, &[(30, 14)]).pop().unwrap());
        assert_eq!(minutes_late(&past), [Some(5), Some(12), Some(14)]);
        // It arrives at 8:54; what was said at 8:38 is a forecast, what is said at 8:50 is not.
        let arrives = at("08:54");
        assert!(!is_settled(past.as_of, arrives));
        learn(&mut past, told("08:50", Running::Scheduled, &[(30, 14)]).pop().unwrap());
        assert!(is_settled(past.as_of, arrives));
        // What is older teaches nothing.
        let before = past.clone();
        learn(&mut past, told("08:20", Running::Cancelled, &[]).pop().unwrap());
        assert_eq!(past, before);
    }

    #[test]
    fn a_forecast_that_is_taken_back_is_not_kept() {
        let mut past = told("07:50", Running::Scheduled, &[(10, 5), (30, 40)]).pop().unwrap();
        let mut silent = told("08:10", Running::Scheduled, &[(10, 5)]).pop().unwrap();
        for call in &mut silent.calls[1..] {
            call.arrival.as_mut().unwrap().expected = None;
        }
        learn(&mut past, silent);
        assert_eq!(minutes_late(&past), [Some(5), None, None]);
    }

    #[test]
    fn cancelled_and_silent() {
        let past = told("07:50", Running::Cancelled, &[]).pop().unwrap();
        assert!(past.cancelled && minutes_late(&past) == [None; 3]);
        let planner =
            Local::new(TimetableHandle::new(table()), LiveHandle::default(), LiveLimits::default(), true);
        assert_eq!(planner.observed(at("07:50")), []);
    }
}
