//! On which days a service runs, and when its day begins.

use crate::model::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};

/// One `service_id`: its weeks from `calendar.txt`, then the single days of `calendar_dates.txt`, which win.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub weeks: Vec<Week>,
    /// Sorted by [`Service::seal`].
    pub added: Vec<Date>,
    pub removed: Vec<Date>,
}

/// One row of `calendar.txt`.
#[derive(Debug)]
pub(super) struct Week {
    pub first: Date,
    /// Included.
    pub last: Date,
    /// Monday first.
    pub days: [bool; 7],
}

impl Service {
    /// To be called once after the last date was pushed: lookups are binary searches.
    pub(super) fn seal(&mut self) {
        self.added.sort_unstable();
        self.removed.sort_unstable();
    }

    pub(super) fn runs_on(&self, day: Date) -> bool {
        if self.added.binary_search(&day).is_ok() {
            return true;
        }
        if self.removed.binary_search(&day).is_ok() {
            return false;
        }
        let weekday = weekday_index(day.weekday());
        self.weeks.iter().any(|week| week.first <= day && day <= week.last && week.days[weekday])
    }

    /// First and last day on which it may run; none for a service without days.
    pub(super) fn span(&self) -> Option<(Date, Date)> {
        let first = self.weeks.iter().map(|week| week.first).chain(self.added.first().copied());
        let last = self.weeks.iter().map(|week| week.last).chain(self.added.last().copied());
        Some((first.min()?, last.max()?))
    }
}

fn weekday_index(day: Weekday) -> usize {
    match day {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}

/// The instant that a service day's times count from: "noon minus 12h of the service day (effectively midnight except for
/// days on which daylight savings time changes occur)", GTFS Schedule Reference, field type Time.
/// None at the ends of jiff's calendar only.
pub(super) fn day_start(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let noon = day.at(12, 0, 0, 0).to_zoned_datetime(zone.clone()).ok()?.timestamp();
    let start = noon.checked_sub(SignedDuration::from_hours(12)).ok()?;
    Some(Timestamp::from_jiff(start))
}

/// `day` moved by `days`; none at the ends of jiff's calendar.
pub(super) fn shifted(day: Date, days: i64) -> Option<Date> {
    day.checked_add(days.days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn weekdays() -> Week {
        Week {
            first: date(2026, 1, 1),
            last: date(2026, 12, 31),
            days: [true, true, true, true, true, false, false],
        }
    }

    #[test]
    fn single_days_win_over_weeks() {
        let mut service = Service {
            weeks: vec![weekdays()],
            added: vec![date(2026, 7, 12), date(2025, 12, 31)],
            removed: vec![date(2026, 7, 14)],
        };
        service.seal();
        for (day, runs) in [
            (date(2026, 7, 13), true),  // a Monday
            (date(2026, 7, 14), false), // taken out
            (date(2026, 7, 12), true),  // a Sunday put in
            (date(2026, 7, 11), false), // a Saturday
            (date(2025, 12, 31), true), // put in before the weeks begin
            (date(2027, 1, 1), false),  // after the end
        ] {
            assert_eq!(service.runs_on(day), runs, "{day}");
        }
        assert_eq!(service.span(), Some((date(2025, 12, 31), date(2026, 12, 31))));
        assert_eq!(Service::default().span(), None);
    }

    #[test]
    fn a_day_starts_twelve_hours_before_its_noon() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        for (day, utc) in [
            (date(2026, 1, 15), "2026-01-14T23:00:00Z"),
            (date(2026, 7, 15), "2026-07-14T22:00:00Z"),
            // Clocks go forward at 02:00: the day starts at 23:00 of the evening before.
            (date(2026, 3, 29), "2026-03-28T22:00:00Z"),
            // Clocks go back at 03:00: the day starts at 01:00.
            (date(2026, 10, 25), "2026-10-24T23:00:00Z"),
        ] {
            assert_eq!(day_start(day, &zone).unwrap().to_string(), utc, "{day}");
        }
    }
}
