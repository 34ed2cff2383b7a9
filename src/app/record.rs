//! Keeps what became of trains: what live data tells of them, poll by poll, until it tells nothing more.

use crate::clock::Clock;
use crate::model::{PastTrain, Timestamp, TrainKey};
use crate::store::{Store, StoreError};
use crate::transit::history::learn;
use crate::transit::live::LiveHandle;
use crate::transit::planner::SharedPlanner;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// That a train still goes as it was told is written no more often.
const CONFIRMED_EVERY: Duration = Duration::from_secs(5 * 60);
/// Trains written in one transaction: messages are stored in between.
const BATCH: usize = 200;

/// Cheap to make; what it remembers is found again in the database.
pub(super) struct Recorder {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub planner: SharedPlanner,
    pub live: LiveHandle,
    /// Service days that are kept.
    pub days: u32,
}

/// The trains of yesterday and today as they are known, and when that was last written.
#[derive(Default)]
struct Known {
    trains: HashMap<TrainKey, (PastTrain, Option<Timestamp>)>,
    /// The day on which what is too old was last forgotten.
    tidied: Option<Date>,
}

impl Recorder {
    /// Writes after each new snapshot of live data, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut known = Known::default();
        while !stop.is_cancelled() {
            let seen = self.live.get();
            if let Err(error) = self.pass(&mut known).await {
                tracing::warn!(%error, "what became of trains is written with the next live data");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.live.newer_than(&seen) => {}
            }
        }
    }

    async fn pass(&self, known: &mut Known) -> Result<(), StoreError> {
        let now = self.clock.now();
        let today = now.to_jiff().to_zoned_datetime(self.planner.zone()).date();
        if known.tidied != Some(today) {
            self.tidy(known, today).await?;
        }
        for train in self.planner.observed(now) {
            known.learn(train);
        }
        let due: Vec<TrainKey> = known.due();
        for keys in due.chunks(BATCH) {
            let mut tx = self.store.begin().await?;
            for key in keys {
                if let Some((train, _)) = known.trains.get(key) {
                    tx.keep_past(train).await?;
                }
            }
            tx.commit().await?;
            for key in keys {
                if let Some((train, written)) = known.trains.get_mut(key) {
                    *written = Some(train.as_of);
                }
            }
        }
        Ok(())
    }

    /// Forgets what is too old, and takes up what was written of the trains that may still run.
    async fn tidy(&self, known: &mut Known, today: Date) -> Result<(), StoreError> {
        let before = |days: i64| today.checked_sub(days.days()).unwrap_or(today);
        let running = before(2);
        let mut tx = self.store.begin().await?;
        tx.forget_past(before(i64::from(self.days))).await?;
        tx.commit().await?;
        known.trains.retain(|key, _| key.day >= running);
        for train in self.store.read().await?.past_since(running).await? {
            let written = Some(train.as_of);
            known.trains.entry(train.key.clone()).or_insert((train, written));
        }
        known.tidied = Some(today);
        Ok(())
    }
}

impl Known {
    fn learn(&mut self, newer: PastTrain) {
        let Some((train, written)) = self.trains.get_mut(&newer.key) else {
            self.trains.insert(newer.key.clone(), (newer, None));
            return;
        };
        let before = (train.cancelled, train.calls.clone());
        learn(train, newer);
        if before != (train.cancelled, train.calls.clone()) {
            *written = None;
        }
    }

    /// What has changed since it was written, and what was confirmed long after.
    fn due(&self) -> Vec<TrainKey> {
        let due = |(train, written): &(PastTrain, Option<Timestamp>)| {
            written.is_none_or(|at| train.as_of.since(at) >= CONFIRMED_EVERY)
        };
        self.trains.iter().filter(|(_, known)| due(known)).map(|(key, _)| key.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::transit::live::{Running, Shift, Snapshot, StopChange, TripChange};
    use crate::transit::testing::{EVERY_DAY, feed, paris};
    use crate::transit::{LiveLimits, Local, Timetable, TimetableHandle};

    fn at(clock: &str) -> Timestamp {
        paris(&format!("2026-05-05T{clock}"))
    }

    struct Stage {
        recorder: Recorder,
        known: Known,
        clock: Arc<ManualClock>,
    }

    impl Stage {
        async fn new() -> Self {
            let files = [
                ("trips.txt", "route_id,service_id,trip_id,trip_short_name\nL,S,t1,101\n"),
                ("calendar.txt", EVERY_DAY),
                (
                    "stop_times.txt",
                    "trip_id,stop_sequence,arrival_time,departure_time,stop_id\n\
                     t1,10,08:00:00,08:00:00,P1\nt1,30,08:40:00,08:40:00,R\n",
                ),
            ];
            let table = Timetable::load(feed(&files).path(), "Essai").unwrap();
            let live = LiveHandle::default();
            let planner = Local::new(TimetableHandle::new(table), live.clone(), LiveLimits::default(), true);
            let clock = Arc::new(ManualClock::at(at("07:50")));
            let store = Store::open("sqlite::memory:", 1).await.unwrap();
            let recorder =
                Recorder { store, clock: clock.clone(), planner: Arc::new(planner), live, days: 60 };
            Self { recorder, known: Known::default(), clock }
        }

        /// Live data of `clock`: the train of 8:00 is late by so much at its end; or it says nothing.
        async fn polled(&mut self, clock: &str, minutes: Option<i64>) {
            let stop = |minutes: i64| StopChange {
                sequence: Some(30),
                stop_id: None,
                arrival: Some(Shift::Delay(minutes * 60)),
                departure: None,
                skipped: false,
                no_data: false,
                assigned_stop_id: None,
            };
            let change = |minutes| TripChange {
                day: Some("2026-05-05".parse().unwrap()),
                running: Running::Scheduled,
                route: None,
                delay: None,
                stops: vec![stop(minutes)],
                as_of: at(clock),
            };
            let trips = minutes.map(|minutes| ("t1".to_owned(), vec![change(minutes)]));
            self.recorder.live.replace(Snapshot {
                trips: trips.into_iter().collect(),
                trips_as_of: Some(at(clock)),
                ..Snapshot::default()
            });
            self.later(at(clock));
            self.recorder.pass(&mut self.known).await.unwrap();
        }

        fn later(&self, at: Timestamp) {
            self.clock.advance(at.since(self.clock.now()));
        }

        /// When it was measured, and how late the train was at its end.
        async fn kept(&self) -> Option<(Timestamp, u64)> {
            let mut tx = self.recorder.store.read().await.unwrap();
            let past = tx.past_numbered("101", "2026-05-05".parse().unwrap()).await.unwrap().pop()?;
            let end = past.calls.last().unwrap().arrival.unwrap();
            Some((past.as_of, end.best().since(end.scheduled).as_secs() / 60))
        }
    }

    #[tokio::test]
    async fn the_last_word_about_a_train_is_kept() {
        let mut stage = Stage::new().await;
        assert_eq!(stage.kept().await, None);
        stage.polled("07:50", Some(5)).await;
        assert_eq!(stage.kept().await, Some((at("07:50"), 5)));
        // The same again is written now and then only.
        stage.polled("07:51", Some(5)).await;
        assert_eq!(stage.kept().await, Some((at("07:50"), 5)));
        stage.polled("07:56", Some(5)).await;
        assert_eq!(stage.kept().await, Some((at("07:56"), 5)));
        stage.polled("08:30", Some(35)).await;
        assert_eq!(stage.kept().await, Some((at("08:30"), 35)));
        // A new start knows what was written, and a feed that says nothing more changes nothing.
        stage.known = Known::default();
        stage.polled("09:20", None).await;
        assert_eq!(stage.kept().await, Some((at("08:30"), 35)));
        // Nothing newer was told since, however often it is looked.
        assert_eq!(stage.known.due(), []);
    }

    #[tokio::test]
    async fn what_is_too_old_is_forgotten() {
        let mut stage = Stage::new().await;
        stage.polled("08:30", Some(35)).await;
        let day = Duration::from_secs(86_400);
        stage.later(at("12:00").plus(day * 60));
        stage.recorder.pass(&mut stage.known).await.unwrap();
        assert!(stage.kept().await.is_some());
        stage.later(at("12:00").plus(day * 61));
        stage.recorder.pass(&mut stage.known).await.unwrap();
        assert_eq!(stage.kept().await, None);
        assert!(stage.known.trains.is_empty());
    }
}
