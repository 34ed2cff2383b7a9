//! When people are at the desk: split shifts, closed days, daylight saving. Pure.
//!
//! A shift is the interval between two instants: each end is its local time on that day, resolved as RFC 5545
//! does (`compatible` in jiff). A local time that the clocks skip is taken after the gap, one that they repeat
//! is taken the first time.
//!
//! What holds on a day, the first that says something: `desk.hours.exceptions`, `desk.hours.closed`, the iCalendar file
//! ([`ical`]), the day of the week.

pub mod ical;
mod live;
#[cfg(test)]
mod tests;

use crate::answers::dates;
use crate::config::{DayHours, HoursConfig};
use crate::model::{Lang, Timestamp};
use ical::Special;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan, ZonedDateTime};
use live::File;
use std::sync::Arc;
use std::time::Duration;

/// How many days ahead an opening is searched: over a year, so that a seasonal desk is found.
const SEARCH_DAYS: usize = 400;
/// A shift that began more recently than this has nothing to hand over yet.
const FRESH_SHIFT: Duration = Duration::from_secs(3600);

/// The opening hours of one desk in its time zone. Clones share the days of the file, which may change at any time.
#[derive(Debug, Clone)]
pub struct Calendar {
    hours: HoursConfig,
    zone: TimeZone,
    file: Arc<File>,
}

impl Calendar {
    /// Without what the file of `hours` says: [`Calendar::open`] reads it.
    pub fn new(hours: HoursConfig, zone: TimeZone) -> Self {
        Self { hours, zone, file: Arc::default() }
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub fn is_open(&self, at: Timestamp) -> bool {
        self.shifts(&self.file.days(), self.date(at)).any(|(start, end)| start <= at && at < end)
    }

    /// The first instant from `at` on at which the desk is open: `at` itself when it is open. None: not within
    /// 400 days.
    pub fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        let special = self.file.days();
        self.days(self.date(at))
            .take(SEARCH_DAYS)
            .flat_map(|day| self.shifts(&special, day))
            .find(|(_, end)| *end > at)
            .map(|(start, _)| start.max(at))
    }

    /// How much of `from` to `to` lies inside the opening hours; zero when `to` is before `from`.
    pub fn business_time(&self, from: Timestamp, to: Timestamp) -> Duration {
        if to <= from {
            return Duration::ZERO;
        }
        let (last, special) = (self.date(to), self.file.days());
        self.days(self.date(from))
            .take_while(|day| *day <= last)
            .flat_map(|day| self.shifts(&special, day))
            .map(|(start, end)| end.min(to).since(start.max(from)))
            .sum()
    }

    /// The instant by which `span` of business time has passed since `from`. None: not within 400 days.
    pub fn after(&self, from: Timestamp, span: Duration) -> Option<Timestamp> {
        let (mut left, special) = (span, self.file.days());
        let days = self.days(self.date(from)).take(SEARCH_DAYS);
        for (start, end) in days.flat_map(|day| self.shifts(&special, day)) {
            let start = start.max(from);
            let length = end.since(start);
            if left <= length && end > from {
                return Some(start.plus(left));
            }
            left = left.saturating_sub(length);
        }
        None
    }

    /// The hours of the day of `at`, `7h00–12h00, 14h00–22h00`.
    pub fn hours_text(&self, at: Timestamp, lang: Lang) -> String {
        let special = self.file.days();
        let shifts = self.day_hours(&special, self.date(at));
        if shifts.is_empty() {
            return if lang == Lang::FR { "fermé" } else { "closed" }.to_owned();
        }
        let shifts: Vec<String> = shifts
            .iter()
            .map(|(from, to)| format!("{}–{}", clock_text(*from, lang), clock_text(*to, lang)))
            .collect();
        shifts.join(", ")
    }

    /// When the desk opens next, seen from `at`: `demain à 7h00`, `Monday at 7:00`. None when it is open, or
    /// never opens.
    pub fn reopens_text(&self, at: Timestamp, lang: Lang) -> Option<String> {
        let opening = self.next_opening(at).filter(|opening| *opening > at)?;
        let opening = self.local(opening);
        let time = clock_text(opening.time(), lang);
        let day = day_text(opening.date(), self.date(at), lang);
        Some(if lang == Lang::FR { format!("{day} à {time}") } else { format!("{day} at {time}") })
    }

    /// When the shift began that a handover at `at` tells of. In the first hour of a shift that is the one before: who comes
    /// reads of those who go. Outside the hours it is the last one. None: there was none within 400 days.
    pub fn shift_to_tell_of(&self, at: Timestamp) -> Option<Timestamp> {
        let special = self.file.days();
        let today = self.date(at);
        let days = std::iter::successors(Some(today), |day| day.yesterday().ok()).take(SEARCH_DAYS);
        let mut shifts = days.flat_map(|day| {
            let mut shifts: Vec<_> = self.shifts(&special, day).collect();
            shifts.reverse();
            shifts
        });
        let old_enough = |start: Timestamp| start.plus(FRESH_SHIFT) <= at;
        shifts.find(|(start, _)| old_enough(*start)).map(|(start, _)| start)
    }

    fn local(&self, at: Timestamp) -> ZonedDateTime {
        at.to_jiff().to_zoned_datetime(self.zone.clone())
    }

    fn date(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// `first` and the days after it.
    fn days(&self, first: Date) -> impl Iterator<Item = Date> + use<> {
        std::iter::successors(Some(first), |day| day.tomorrow().ok())
    }

    fn day_hours<'a>(&'a self, special: &'a Special, day: Date) -> &'a [(Time, Time)] {
        if let Some(DayHours(shifts)) = self.hours.exceptions.get(&day) {
            return shifts;
        }
        if self.hours.closed.contains(&day) {
            return &[];
        }
        if let Some(shifts) = special.of(day) {
            return shifts;
        }
        let DayHours(shifts) = match day.weekday() {
            Weekday::Monday => &self.hours.monday,
            Weekday::Tuesday => &self.hours.tuesday,
            Weekday::Wednesday => &self.hours.wednesday,
            Weekday::Thursday => &self.hours.thursday,
            Weekday::Friday => &self.hours.friday,
            Weekday::Saturday => &self.hours.saturday,
            Weekday::Sunday => &self.hours.sunday,
        };
        shifts
    }

    /// The shifts of a day as instants, in order.
    fn shifts<'a>(
        &'a self,
        special: &'a Special,
        day: Date,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> + 'a {
        self.day_hours(special, day).iter().filter_map(move |(from, to)| {
            let start = self.instant(day, *from)?;
            let end = if *to == Time::MAX {
                // "24:00": the first instant of the next day.
                self.instant(day.tomorrow().ok()?, Time::midnight())?
            } else {
                self.instant(day, *to)?
            };
            Some((start, end))
        })
    }

    fn instant(&self, day: Date, time: Time) -> Option<Timestamp> {
        let zoned = day.to_datetime(time).to_zoned_datetime(self.zone.clone()).ok()?;
        Some(Timestamp::from_jiff(zoned.timestamp()))
    }
}

/// `7h00` in French, `7:00` elsewhere.
fn clock_text(time: Time, lang: Lang) -> String {
    let (hour, minute) = if time == Time::MAX { (24, 0) } else { (time.hour(), time.minute()) };
    let between = if lang == Lang::FR { 'h' } else { ':' };
    format!("{hour}{between}{minute:02}")
}

/// A day as people name it `today`: within a week its name is enough.
fn day_text(day: Date, today: Date, lang: Lang) -> String {
    match (day - today).get_days() {
        0 => if lang == Lang::FR { "aujourd'hui" } else { "today" }.to_owned(),
        2..=6 => dates::weekday(day, lang).to_owned(),
        _ => dates::day_words(day, today, lang).unwrap_or_default(),
    }
}

/// The first instant of the day `days` before that of `at` in `zone`.
pub fn start_of_day(at: Timestamp, days: i64, zone: &TimeZone) -> Timestamp {
    at.to_jiff()
        .to_zoned_datetime(zone.clone())
        .checked_sub(days.days())
        .and_then(|day| day.start_of_day())
        .map_or(at, |day| Timestamp::from_jiff(day.timestamp()))
}

/// The first instant after `day` in `zone`. None: the calendar ends before.
pub fn end_of_day(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?.to_zoned_datetime(zone.clone()).ok()?;
    Some(Timestamp::from_jiff(next.timestamp()))
}
