//! How fast each provider is sent to. A send that must wait is told when its turn comes, and waits as a job in the
//! database; here is only what is needed to tell, a few numbers per channel.
//!
//! The rate is held by the generic cell rate algorithm (ITU-T I.371): each send moves the time at which the next one is
//! due by `1 / per_second`, and one may come [`SLACK`] early, so that a timer that fired late delays only itself. In
//! any span `t` a channel thus sends at most `(t + SLACK) * per_second + 1` messages.
//!
//! Turns form a line for each rank. An answer asks behind the other answers only, so that a thousand broadcasts in the
//! line cost it nothing; a broadcast whose turn an answer took asks again.
//!
//! The numbers are those of one process. Several instances on one database divide each rate between them by
//! `queue.instances`; a provider's request to slow down is heeded by the instance that heard it, the others hear it
//! themselves. The time between two messages to one contact is read from the database, so it holds over all of them.

use crate::channels::{Channels, Pace};
use crate::clock::Clock;
use crate::model::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How early a send may come; see above.
const SLACK: Duration = Duration::from_millis(100);
/// No provider is obeyed for longer: a header of a year would be a mistake.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// The least wait of a send that found every place taken.
const LEAST_WAIT: Duration = Duration::from_millis(10);

/// One channel's line. Pure: the time is told.
#[derive(Debug)]
pub struct Line {
    pace: Pace,
    /// When the next send is due by the rate.
    due: Timestamp,
    /// Nothing is sent before: the provider asked for it.
    paused_until: Timestamp,
    /// Sends in progress.
    busy: usize,
    /// The last turn that was given, by rank.
    turns: [Timestamp; 2],
    /// How long a send takes, lately.
    typical: Duration,
}

impl Line {
    /// `instances` share the pace.
    pub fn new(pace: Pace, instances: u32) -> Self {
        let instances = instances.max(1);
        let share = usize::try_from(instances).unwrap_or(usize::MAX);
        let pace = Pace {
            per_second: pace.per_second / f64::from(instances),
            concurrent: (pace.concurrent / share).max(1),
            ..pace
        };
        let long_ago = Timestamp(0);
        Self {
            pace,
            due: long_ago,
            paused_until: long_ago,
            busy: 0,
            turns: [long_ago; 2],
            typical: Duration::ZERO,
        }
    }

    /// May this send leave now? It then must be followed by [`Line::done`]. Otherwise: when its turn comes, later than
    /// `now`. `waited`: it had been given a turn, which has come.
    pub fn ask(&mut self, broadcast: bool, waited: bool, now: Timestamp) -> Result<(), Timestamp> {
        let behind = if broadcast { self.turns[0].max(self.turns[1]) } else { self.turns[0] };
        let open = self.due.minus(SLACK).max(self.paused_until) <= now;
        let in_order = waited || behind < now;
        if open && in_order && self.busy < self.pace.concurrent {
            self.busy += 1;
            self.due = self.due.max(now).plus(self.interval());
            return Ok(());
        }
        // Where sends are slow, it is they that set the pace, not the rate.
        let places = u32::try_from(self.pace.concurrent).unwrap_or(u32::MAX);
        let step = self.interval().max(self.typical / places);
        let least =
            now.plus(if self.busy < self.pace.concurrent { Duration::ZERO } else { LEAST_WAIT.max(step) });
        let after = if behind < now { Timestamp(0) } else { behind.plus(step) };
        let turn = self.due.max(self.paused_until).max(after).max(least).max(Timestamp(now.0 + 1));
        self.turns[usize::from(broadcast)] = turn;
        Err(turn)
    }

    /// A send that was let go has ended, after `took`.
    pub fn done(&mut self, took: Duration) {
        self.busy = self.busy.saturating_sub(1);
        let took = took.min(LONGEST_PAUSE);
        self.typical = (self.typical * 3 + took) / 4;
    }

    /// The provider wants to hear nothing for a while.
    pub fn pause(&mut self, wait: Duration, now: Timestamp) {
        self.paused_until = self.paused_until.max(now.plus(wait.min(LONGEST_PAUSE)));
    }

    fn interval(&self) -> Duration {
        // An unlimited rate has no interval; no other is shorter than a microsecond or longer than a day.
        let seconds = (1.0 / self.pace.per_second).clamp(0.0, 86_400.0);
        Duration::from_micros((seconds * 1e6).round() as u64)
    }
}

/// The lines of all channels. Clones share them.
#[derive(Clone)]
pub struct Paces(Arc<BTreeMap<String, Paced>>);

struct Paced {
    per_contact: Duration,
    line: Arc<Mutex<Line>>,
}

impl Paces {
    pub fn new(channels: &Channels, instances: u32) -> Self {
        let paced = |(name, _): (&str, _)| {
            let pace = channels.pace(name);
            let line = Arc::new(Mutex::new(Line::new(pace, instances)));
            (name.to_owned(), Paced { per_contact: pace.per_contact, line })
        };
        Self(Arc::new(channels.iter().map(paced).collect()))
    }

    /// Least time between two messages to one contact.
    pub(super) fn per_contact(&self, channel: &str) -> Duration {
        self.0.get(channel).map_or(Duration::ZERO, |paced| paced.per_contact)
    }

    /// A place to send in, until it is dropped; or when to ask again.
    pub(super) fn ask(
        &self,
        channel: &str,
        broadcast: bool,
        waited: bool,
        clock: &Arc<dyn Clock>,
    ) -> Result<Place, Timestamp> {
        let now = clock.now();
        let line = self.0.get(channel).map(|paced| paced.line.clone());
        if let Some(line) = &line {
            line.lock().unwrap_or_else(PoisonError::into_inner).ask(broadcast, waited, now)?;
        }
        Ok(Place { line, clock: clock.clone(), since: now })
    }

    pub(super) fn pause(&self, channel: &str, wait: Duration, now: Timestamp) {
        if let Some(paced) = self.0.get(channel) {
            tracing::warn!(channel, seconds = wait.as_secs(), "the provider asks to slow down");
            paced.line.lock().unwrap_or_else(PoisonError::into_inner).pause(wait, now);
        }
    }
}

/// A send in progress, as its channel counts it.
pub(super) struct Place {
    line: Option<Arc<Mutex<Line>>>,
    clock: Arc<dyn Clock>,
    since: Timestamp,
}

impl Drop for Place {
    fn drop(&mut self) {
        let took = self.clock.now().since(self.since);
        if let Some(line) = &self.line {
            line.lock().unwrap_or_else(PoisonError::into_inner).done(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: f64) -> Timestamp {
        Timestamp(1_766_000_000_000_000 + (seconds * 1e6) as i64)
    }

    fn seconds(at_time: Timestamp) -> f64 {
        (at_time.0 - at(0.0).0) as f64 / 1e6
    }

    fn line(per_second: f64, concurrent: usize) -> Line {
        Line::new(Pace { per_second, concurrent, per_contact: Duration::ZERO }, 1)
    }

    /// Plays jobs `(asks first at, broadcast)` as the worker does: each comes back at its turn. The time of each send,
    /// and how often anyone had to ask.
    fn play(line: &mut Line, jobs: &[(f64, bool)]) -> (Vec<f64>, usize) {
        let mut sent = vec![0.0; jobs.len()];
        let mut asked = 0;
        // As the claims are ordered: by time, answers before broadcasts, then by age.
        let mut due: BTreeSet<(Timestamp, bool, usize, bool)> =
            jobs.iter().enumerate().map(|(i, (t, b))| (at(*t), *b, i, false)).collect();
        while let Some((now, broadcast, job, waited)) = due.pop_first() {
            asked += 1;
            assert!(asked < 100_000, "spins");
            match line.ask(broadcast, waited, now) {
                Ok(()) => {
                    sent[job] = seconds(now);
                    line.done(Duration::ZERO);
                }
                Err(turn) => {
                    assert!(turn > now, "a turn is later than the asking");
                    due.insert((turn, broadcast, job, true));
                }
            }
        }
        (sent, asked)
    }

    #[test]
    fn sends_keep_to_the_rate_and_each_waits_once() {
        let jobs: Vec<(f64, bool)> = (0..200).map(|_| (0.0, false)).collect();
        let (mut sent, asked) = play(&mut line(20.0, 8), &jobs);
        assert!(sent.is_sorted(), "in the order in which they asked");
        assert!(asked <= 400, "{asked}");
        sent.sort_by(f64::total_cmp);
        assert!((9.0..=10.0).contains(&sent[199]), "{}", sent[199]);
        for (i, from) in sent.iter().enumerate() {
            let within = sent[i..].iter().take_while(|t| **t < from + 1.0).count();
            assert!(within as f64 <= (1.0 + SLACK.as_secs_f64()) * 20.0 + 1.0, "{within} in a second");
        }
    }

    #[test]
    fn a_late_timer_costs_nobody_a_second_wait() {
        let mut line = line(10.0, 8);
        let mut turns = Vec::new();
        for _ in 0..100 {
            if let Err(turn) = line.ask(false, false, at(0.0)) {
                turns.push(turn);
            }
        }
        for (i, turn) in turns.into_iter().enumerate() {
            // Between 0 and 90 ms late, unevenly.
            let late = Duration::from_millis((i as u64 * 37) % 90);
            assert_eq!(line.ask(false, true, turn.plus(late)), Ok(()), "{i}");
            line.done(Duration::ZERO);
            line.busy = 0;
        }
    }

    #[test]
    fn answers_go_before_broadcasts_and_broadcasts_are_not_forgotten() {
        let mut jobs: Vec<(f64, bool)> = (0..100).map(|_| (0.0, true)).collect();
        jobs.extend((0..10).map(|n| (5.0 + f64::from(n) * 0.01, false)));
        let (sent, asked) = play(&mut line(10.0, 8), &jobs);
        let last_answer = sent[100..].iter().copied().fold(0.0, f64::max);
        assert!(last_answer <= 6.2, "{last_answer}");
        let last_broadcast = sent[..100].iter().copied().fold(0.0, f64::max);
        assert!(last_broadcast <= 11.5, "{last_broadcast}");
        assert!(asked <= 260, "{asked}");
    }

    #[test]
    fn a_pause_holds_the_whole_channel_and_ends() {
        let mut line = line(10.0, 8);
        line.pause(30 * SECOND, at(0.0));
        let jobs: Vec<(f64, bool)> = (0..20).map(|n| (f64::from(n), n % 2 == 0)).collect();
        let (sent, _) = play(&mut line, &jobs);
        assert!(sent.iter().all(|t| (30.0..33.0).contains(t)), "{sent:?}");
        line.pause(Duration::from_secs(1 << 40), at(100.0));
        let turn = line.ask(false, false, at(100.0)).unwrap_err();
        assert_eq!(seconds(turn), 100.0 + 3_600.0);
    }

    #[test]
    fn a_slow_provider_is_asked_about_as_often_as_it_ends_sends() {
        let mut line = line(100.0, 2);
        for _ in 0..20 {
            line.ask(false, false, at(0.0)).ok();
            line.done(10 * SECOND);
        }
        line.busy = 2;
        let turns: Vec<f64> = (0..4).map(|_| seconds(line.ask(false, true, at(60.0)).unwrap_err())).collect();
        // Two places, some ten seconds each: a place every five.
        assert!(turns.windows(2).all(|two| two[1] - two[0] > 4.0), "{turns:?}");
        line.done(10 * SECOND);
        assert_eq!(line.ask(false, true, at(61.0)), Ok(()));
        assert!(line.ask(false, true, at(90.0)).is_err(), "both places are taken");
    }

    #[test]
    fn instances_share_the_pace_and_an_unlimited_one_never_waits() {
        let shared = Line::new(Pace { per_second: 30.0, concurrent: 2, per_contact: SECOND }, 3);
        assert_eq!((shared.pace.per_second, shared.pace.concurrent), (10.0, 1));
        let mut free = line(f64::INFINITY, usize::MAX);
        assert!((0..10_000).all(|_| free.ask(true, false, at(0.0)).is_ok()));
        let mut slow = line(1e-300, 1);
        assert_eq!(slow.ask(false, false, at(0.0)), Ok(()));
        slow.done(Duration::MAX);
        assert!(slow.ask(false, false, at(1.0)).is_err());
    }
}
