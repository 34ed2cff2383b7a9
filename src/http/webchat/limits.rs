//! How often one visitor, or one network, may ask. In memory: a restart forgives.

use crate::model::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);
/// Keys remembered at most, some 10 MB.
const MAX_KEYS: usize = 100_000;

/// A token bucket that holds `per_minute` and refills evenly, in its form of one number per key: the time at which
/// the bucket is full again (GCRA, as in ITU-T I.371).
pub struct Limiter<K> {
    interval: Duration,
    full_at: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Eq + Hash> Limiter<K> {
    /// Zero counts as one.
    pub fn new(per_minute: u32) -> Self {
        Self { interval: WINDOW / per_minute.max(1), full_at: Mutex::default() }
    }

    /// Takes one, or tells how many seconds to wait.
    pub fn take(&self, key: K, now: Timestamp) -> Result<(), u64> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MAX_KEYS && !full_at.contains_key(&key) {
            full_at.retain(|_, at| *at > now);
            if full_at.len() >= MAX_KEYS {
                // So many at once that telling them apart no longer helps; serve rather than refuse newcomers.
                full_at.clear();
            }
        }
        // Clamped, so that a clock set back locks nobody out.
        let from = full_at.get(&key).map_or(now, |at| (*at).clamp(now, now.plus(WINDOW)));
        let filled = from.plus(self.interval);
        let excess = filled.since(now).saturating_sub(WINDOW);
        if excess.is_zero() {
            full_at.insert(key, filled);
            Ok(())
        } else {
            full_at.insert(key, from);
            Err(excess.as_secs() + 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_an_even_rate_for_each_key() {
        let limiter = Limiter::new(3);
        let start = Timestamp(1_000_000_000);
        for _ in 0..3 {
            assert_eq!(limiter.take("a", start), Ok(()));
        }
        assert_eq!(limiter.take("a", start), Err(21));
        assert_eq!(limiter.take("b", start), Ok(()));
        let later = start.plus(Duration::from_secs(20));
        assert_eq!(limiter.take("a", later), Ok(()));
        assert_eq!(limiter.take("a", later), Err(21));
        // The clock was set back by a day.
        let before = start.minus(Duration::from_secs(86_400));
        assert_eq!(limiter.take("a", before), Err(21));
        assert_eq!(limiter.take("a", before.plus(Duration::from_secs(21))), Ok(()));
    }

    #[test]
    fn zero_per_minute_counts_as_one() {
        let limiter = Limiter::new(0);
        assert_eq!(limiter.take((), Timestamp(0)), Ok(()));
        assert_eq!(limiter.take((), Timestamp(0)), Err(61));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::new(1);
        for key in 0..=MAX_KEYS {
            assert_eq!(limiter.take(key, Timestamp(0)), Ok(()));
        }
        assert_eq!(limiter.full_at.lock().unwrap().len(), 1);
    }
}
