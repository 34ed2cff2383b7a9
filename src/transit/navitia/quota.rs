//! What the token allows: a token bucket for the second, and the requests of the last 24 hours.

use crate::model::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

const HOUR: i64 = 3_600_000_000;
const DAY_HOURS: i64 = 24;
/// When a refusal for too many requests names no pause.
const PAUSE: Duration = Duration::from_secs(60);
/// No pause is longer, whatever the other side says.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Requests that may still be made. Of the day, any 24 hours are counted rather than calendar days: nobody tells when theirs begin.
#[derive(Debug)]
pub(super) struct Quota {
    per_second: f64,
    per_day: u32,
    /// Below zero: requests that wait for their turn.
    tokens: f64,
    filled: Timestamp,
    /// Requests by hour (since 1970), oldest first.
    hours: VecDeque<(i64, u32)>,
    /// The other side asked for a pause until then.
    closed_until: Timestamp,
}

impl Quota {
    pub(super) fn new(per_second: u32, per_day: u32) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self {
            per_second,
            per_day,
            tokens: per_second,
            filled: Timestamp::default(),
            hours: VecDeque::new(),
            closed_until: Timestamp::default(),
        }
    }

    /// Takes a turn: how long to wait for it, at most `longest`. The error says why there is none.
    pub(super) fn take(&mut self, now: Timestamp, longest: Duration) -> Result<Duration, String> {
        if now < self.closed_until {
            return Err(format!("quota: Navitia asked for a pause until {}", self.closed_until));
        }
        let hour = now.0.div_euclid(HOUR);
        while self.hours.front().is_some_and(|(of, _)| *of < hour - DAY_HOURS) {
            self.hours.pop_front();
        }
        let made: u32 = self.hours.iter().map(|(_, count)| *count).sum();
        if made >= self.per_day {
            return Err("quota: the requests of the day are used up".to_owned());
        }
        self.tokens =
            (self.tokens + now.since(self.filled).as_secs_f64() * self.per_second).min(self.per_second);
        self.filled = self.filled.max(now);
        let missing = 1.0 - self.tokens;
        let wait = Duration::try_from_secs_f64(missing.max(0.0) / self.per_second).unwrap_or(Duration::MAX);
        if wait > longest {
            return Err("quota: too many requests in this second".to_owned());
        }
        self.tokens -= 1.0;
        match self.hours.back_mut().filter(|(of, _)| *of == hour) {
            Some((_, count)) => *count += 1,
            None => self.hours.push_back((hour, 1)),
        }
        Ok(wait)
    }

    /// The other side says that it was too much: nothing is asked until `after` has gone by.
    pub(super) fn close(&mut self, now: Timestamp, after: Option<Duration>) {
        self.closed_until = now.plus(after.unwrap_or(PAUSE).min(LONGEST_PAUSE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;

    fn at(seconds: i64) -> Timestamp {
        Timestamp((1_700_000_000 + seconds) * 1_000_000)
    }

    #[test]
    fn a_second_has_its_turns_then_a_short_wait_then_none() {
        let mut quota = Quota::new(2, 100);
        let longest = Duration::from_millis(500);
        assert_eq!(quota.take(at(0), longest), Ok(NONE));
        assert_eq!(quota.take(at(0), longest), Ok(NONE));
        assert_eq!(quota.take(at(0), longest), Ok(Duration::from_millis(500)));
        assert_eq!(quota.take(at(0), longest), Err("quota: too many requests in this second".into()));
        assert_eq!(quota.take(at(1), NONE), Ok(NONE), "two came, one was owed");
        assert!(quota.take(at(1), NONE).is_err());
        assert_eq!(quota.take(at(60), NONE), Ok(NONE));
        assert_eq!(quota.take(at(60), NONE), Ok(NONE), "a quiet minute gives no more than a second's turns");
        assert!(quota.take(at(60), NONE).is_err());
    }

    #[test]
    fn any_24_hours_hold_no_more_than_a_day() {
        let mut quota = Quota::new(10, 3);
        for hour in [0, 1, 23] {
            assert!(quota.take(at(hour * 3600), NONE).is_ok());
        }
        let refused = Err("quota: the requests of the day are used up".to_owned());
        assert_eq!(quota.take(at(23 * 3600 + 60), NONE), refused);
        assert_eq!(quota.take(at(24 * 3600), NONE), refused);
        assert!(quota.take(at(25 * 3600), NONE).is_ok(), "the first is more than a day ago");
        assert_eq!(quota.take(at(25 * 3600), NONE), refused);
    }

    #[test]
    fn a_pause_is_kept_and_is_bounded() {
        let mut quota = Quota::new(10, 100);
        quota.close(at(0), Some(Duration::from_secs(30)));
        assert!(quota.take(at(29), NONE).unwrap_err().starts_with("quota: Navitia asked for a pause"));
        assert!(quota.take(at(30), NONE).is_ok());
        quota.close(at(40), Some(Duration::MAX));
        assert!(quota.take(at(40 + 3599), NONE).is_err());
        assert!(quota.take(at(40 + 3600), NONE).is_ok());
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_twice() {
        let mut quota = Quota::new(1, 100);
        assert!(quota.take(at(10), NONE).is_ok());
        assert!(quota.take(at(5), NONE).is_err());
        assert!(quota.take(at(10), NONE).is_err());
        assert!(quota.take(at(11), NONE).is_ok());
    }
}
