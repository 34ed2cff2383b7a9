//! A host that does not answer is left alone for a while, so that customers reach people at once instead of waiting.

use crate::model::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One state per host; hosts are those of the allow-list, so they are few.
pub(super) struct Breaker {
    /// Failures in a row before a host is left alone.
    open_after: u32,
    pause: Duration,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Debug, Default)]
struct Host {
    failures: u32,
    /// Not asked before then.
    until: Option<Timestamp>,
}

impl Breaker {
    pub(super) fn new(open_after: u32, pause: Duration) -> Self {
        Self { open_after, pause, hosts: Mutex::default() }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `host` may be asked now. After the pause one question may, and the others wait for another pause: a
    /// question that ends without a word, with its server, leaves nothing behind.
    pub(super) fn admits(&self, host: &str, now: Timestamp) -> bool {
        let mut hosts = self.hosts();
        let Some(state) = hosts.get_mut(host) else { return true };
        let Some(until) = state.until else { return true };
        // Longer than the pause: the clock was set back.
        if now < until && until.since(now) <= self.pause {
            return false;
        }
        state.until = Some(now.plus(self.pause));
        true
    }

    pub(super) fn answered(&self, host: &str) {
        self.hosts().remove(host);
    }

    /// Whether `host` is left alone from now on.
    pub(super) fn failed(&self, host: &str, now: Timestamp) -> bool {
        let mut hosts = self.hosts();
        let state = hosts.entry(host.to_owned()).or_default();
        state.failures = state.failures.saturating_add(1);
        let open = state.failures >= self.open_after;
        if open {
            state.until = Some(now.plus(self.pause));
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn it_opens_tries_once_and_closes() {
        let breaker = Breaker::new(3, Duration::from_secs(30));
        let at = |seconds: i64| Timestamp(seconds * SECOND);
        assert!(!breaker.failed("a", at(0)) && !breaker.failed("a", at(1)));
        breaker.answered("a");
        // In a row: what was answered in between counts.
        assert!(!breaker.failed("a", at(2)) && !breaker.failed("a", at(3)) && breaker.admits("a", at(3)));
        assert!(breaker.failed("a", at(4)));
        assert!(!breaker.admits("a", at(4)) && !breaker.admits("a", at(33)));
        assert!(breaker.admits("b", at(4)), "another host");
        // One tries; it fails; the next tries after another pause.
        assert!(breaker.admits("a", at(34)) && !breaker.admits("a", at(34)));
        assert!(breaker.failed("a", at(36)));
        assert!(!breaker.admits("a", at(65)) && breaker.admits("a", at(66)));
        // One that never ended does not keep it shut.
        assert!(!breaker.admits("a", at(95)) && breaker.admits("a", at(96)));
        breaker.answered("a");
        assert!(breaker.admits("a", at(96)) && breaker.admits("a", at(96)));
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_shut() {
        let breaker = Breaker::new(1, Duration::from_secs(30));
        assert!(breaker.failed("a", Timestamp(10_000 * SECOND)));
        assert!(breaker.admits("a", Timestamp(SECOND)));
    }
}
