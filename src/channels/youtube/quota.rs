//! What a day may cost: YouTube gives each project so many units, and every call takes some.
//!
//! Costs are those of the documentation ("Quota calculator"); the day begins at midnight Pacific time. We count what we spend,
//! and believe YouTube when it says that nothing is left.

use crate::model::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Of a list of comments or of threads.
pub const LIST: u32 = 1;
/// Of an answer, and of hiding a comment.
pub const WRITE: u32 = 50;
/// Of each day's units a fifth is kept for answers: questions stop before.
const KEPT: u32 = 5;

/// The units of one day.
pub struct Budget {
    daily: u32,
    zone: TimeZone,
    spent: Mutex<Spent>,
}

#[derive(Clone, Copy, PartialEq)]
struct Spent {
    day: Date,
    units: u32,
}

impl Budget {
    pub fn new(daily: u32) -> Self {
        // Without its rules, Pacific standard time: an hour late in summer.
        let zone =
            TimeZone::get("America/Los_Angeles").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(-8)));
        Self { daily, zone, spent: Mutex::new(Spent { day: Date::MIN, units: 0 }) }
    }

    /// Takes the units of a call. Errors: they are not there; until when.
    pub fn take(&self, units: u32, now: Timestamp) -> Result<(), Timestamp> {
        let mut spent = self.of_today(now);
        let most = if units >= WRITE { self.daily } else { self.daily - self.daily / KEPT };
        if spent.units + units > most {
            return Err(self.next_day(now));
        }
        spent.units += units;
        self.keep(spent);
        Ok(())
    }

    /// YouTube says that the day's units are gone.
    pub fn exhaust(&self, now: Timestamp) -> Timestamp {
        self.keep(Spent { units: self.daily, ..self.of_today(now) });
        self.next_day(now)
    }

    /// Before the next question: as configured, and longer when what is left would not last the day.
    pub fn pause(&self, least: Duration, now: Timestamp) -> Duration {
        let left = (self.daily - self.daily / KEPT).saturating_sub(self.of_today(now).units);
        let day = self.next_day(now).since(now);
        day.checked_div(left).map_or(day, |each| each.max(least))
    }

    /// As a listener keeps it between two starts.
    pub fn written(&self, now: Timestamp) -> String {
        let Spent { day, units } = self.of_today(now);
        format!("{day} {units}")
    }

    /// What had been spent, as [`Self::written`] told it.
    pub fn read(&self, written: &str, now: Timestamp) {
        let read = written
            .split_once(' ')
            .and_then(|(day, units)| Some((day.parse::<Date>().ok()?, units.parse().ok()?)));
        let current = self.of_today(now);
        if let Some((_, units)) = read.filter(|(day, _)| *day == current.day) {
            self.keep(Spent { units: current.units.max(units), ..current });
        }
    }

    fn of_today(&self, now: Timestamp) -> Spent {
        let day = now.to_jiff().to_zoned_datetime(self.zone.clone()).date();
        let spent = *self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.day == day { spent } else { Spent { day, units: 0 } }
    }

    fn keep(&self, spent: Spent) {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner) = spent;
    }

    fn next_day(&self, now: Timestamp) -> Timestamp {
        let today = now.to_jiff().to_zoned_datetime(self.zone.clone());
        let next = today.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
        next.map_or_else(
            |_| now.plus(Duration::from_secs(24 * 3600)),
            |next| Timestamp::from_jiff(next.timestamp()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        Timestamp::from_jiff(time.parse().unwrap())
    }

    #[test]
    fn a_day_ends_at_midnight_in_california_and_answers_have_their_share() {
        let budget = Budget::new(1_000);
        // 23:00 there, in winter.
        let evening = at("2025-12-17T07:00:00Z");
        let midnight = at("2025-12-17T08:00:00Z");
        for _ in 0..800 {
            assert_eq!(budget.take(LIST, evening), Ok(()));
        }
        assert_eq!(budget.take(LIST, evening), Err(midnight), "the rest is for answers");
        for _ in 0..4 {
            assert_eq!(budget.take(WRITE, evening), Ok(()));
        }
        assert_eq!(budget.take(WRITE, evening), Err(midnight));
        assert_eq!(budget.take(LIST, midnight), Ok(()), "a new day");
        assert_eq!(budget.exhaust(midnight), at("2025-12-18T08:00:00Z"));
        assert_eq!(budget.take(WRITE, midnight), Err(at("2025-12-18T08:00:00Z")));
        assert_eq!(
            Budget::new(10).exhaust(at("2025-07-01T12:00:00Z")),
            at("2025-07-02T07:00:00Z"),
            "in summer"
        );
    }

    #[test]
    fn questions_become_rarer_when_little_is_left() {
        let budget = Budget::new(10_000);
        let (minute, morning) = (Duration::from_secs(60), at("2025-12-17T08:00:00Z"));
        assert_eq!(budget.pause(minute, morning), minute, "8,000 units last for a day of minutes");
        budget.read("2025-12-17 7,000", morning);
        assert_eq!(budget.pause(minute, morning), minute, "what cannot be read is not believed");
        budget.read("2025-12-16 7999", morning);
        assert_eq!(budget.pause(minute, morning), minute, "yesterday's");
        budget.read("2025-12-17 7952", morning);
        assert_eq!(budget.pause(minute, morning), Duration::from_secs(1_800), "48 units for 24 hours");
        assert_eq!(budget.written(morning), "2025-12-17 7952");
        budget.exhaust(morning);
        assert_eq!(budget.pause(minute, morning), Duration::from_secs(24 * 3600));
        assert_eq!(budget.written(at("2025-12-18T09:00:00Z")), "2025-12-18 0");
    }
}
