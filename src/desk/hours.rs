//! When people are at the desk: split shifts, closed days, daylight saving. Pure.
//!
//! A shift is the interval between two instants: each end is its local time on that day, resolved as RFC 5545
//! does (`compatible` in jiff). A local time that the clocks skip is taken after the gap, one that they repeat
//! is taken the first time.

use crate::answers::dates;
use crate::config::{DayHours, HoursConfig};
use crate::model::{Lang, Timestamp};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan, ZonedDateTime};
use std::time::Duration;

/// How many days ahead an opening is searched: over a year, so that a seasonal desk is found.
const SEARCH_DAYS: usize = 400;

/// The opening hours of one desk in its time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    hours: HoursConfig,
    zone: TimeZone,
}

impl Calendar {
    pub fn new(hours: HoursConfig, zone: TimeZone) -> Self {
        Self { hours, zone }
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub fn is_open(&self, at: Timestamp) -> bool {
        self.shifts(self.date(at)).any(|(start, end)| start <= at && at < end)
    }

    /// The first instant from `at` on at which the desk is open: `at` itself when it is open. None: not within
    /// 400 days.
    pub fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        self.days(self.date(at))
            .take(SEARCH_DAYS)
            .flat_map(|day| self.shifts(day))
            .find(|(_, end)| *end > at)
            .map(|(start, _)| start.max(at))
    }

    /// How much of `from` to `to` lies inside the opening hours; zero when `to` is before `from`.
    pub fn business_time(&self, from: Timestamp, to: Timestamp) -> Duration {
        if to <= from {
            return Duration::ZERO;
        }
        let last = self.date(to);
        self.days(self.date(from))
            .take_while(|day| *day <= last)
            .flat_map(|day| self.shifts(day))
            .map(|(start, end)| end.min(to).since(start.max(from)))
            .sum()
    }

    /// The instant by which `span` of business time has passed since `from`. None: not within 400 days.
    pub fn after(&self, from: Timestamp, span: Duration) -> Option<Timestamp> {
        let mut left = span;
        for (start, end) in self.days(self.date(from)).take(SEARCH_DAYS).flat_map(|day| self.shifts(day)) {
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
        let shifts = self.day_hours(self.date(at));
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

    fn day_hours(&self, day: Date) -> &[(Time, Time)] {
        if self.hours.closed.contains(&day) {
            return &[];
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
    fn shifts(&self, day: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        self.day_hours(day).iter().filter_map(move |(from, to)| {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Weekdays 7–12 and 14–22, Saturday until midnight, Sunday closed; 2026-12-25 (a Friday) closed.
    fn desk() -> Calendar {
        let text = r#"
            monday = "07:00-12:00, 14:00-22:00"
            tuesday = "07:00-12:00, 14:00-22:00"
            wednesday = "07:00-12:00, 14:00-22:00"
            thursday = "07:00-12:00, 14:00-22:00"
            friday = "07:00-12:00, 14:00-22:00"
            saturday = "20:00-24:00"
            sunday = ""
            closed = ["2026-12-25"]"#;
        Calendar::new(toml::from_str(text).unwrap(), TimeZone::get("Europe/Paris").unwrap())
    }

    /// Open all night around the hours that daylight saving skips and repeats.
    fn night_desk() -> Calendar {
        let text = "sunday = \"01:00-04:00\"\nsaturday = \"\"\nmonday = \"\"";
        Calendar::new(toml::from_str(text).unwrap(), TimeZone::get("Europe/Paris").unwrap())
    }

    fn at(text: &str) -> Timestamp {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let local: jiff::civil::DateTime = text.parse().unwrap();
        Timestamp::from_jiff(local.to_zoned_datetime(zone).unwrap().timestamp())
    }

    #[test]
    fn open_and_closed() {
        // 2026-11-23 is a Monday.
        for (when, open) in [
            ("2026-11-23T06:59:59", false),
            ("2026-11-23T07:00:00", true),
            ("2026-11-23T12:00:00", false),
            ("2026-11-23T13:59:59", false),
            ("2026-11-23T14:00:00", true),
            ("2026-11-23T22:00:00", false),
            ("2026-11-28T23:59:59", true),
            ("2026-11-29T00:00:00", false),
            ("2026-12-25T10:00:00", false),
        ] {
            assert_eq!(desk().is_open(at(when)), open, "{when}");
        }
    }

    #[test]
    fn next_openings_and_their_words() {
        for (when, next, fr, en) in [
            ("2026-11-23T05:00", "2026-11-23T07:00", "aujourd'hui à 7h00", "today at 7:00"),
            ("2026-11-23T12:30", "2026-11-23T14:00", "aujourd'hui à 14h00", "today at 14:00"),
            ("2026-11-23T23:00", "2026-11-24T07:00", "demain à 7h00", "tomorrow at 7:00"),
            ("2026-11-29T00:00", "2026-11-30T07:00", "demain à 7h00", "tomorrow at 7:00"),
            ("2026-12-24T22:00", "2026-12-26T20:00", "samedi à 20h00", "Saturday at 20:00"),
        ] {
            assert_eq!(desk().next_opening(at(when)), Some(at(next)), "{when}");
            assert_eq!(desk().reopens_text(at(when), Lang::FR).as_deref(), Some(fr), "{when}");
            assert_eq!(desk().reopens_text(at(when), Lang::EN).as_deref(), Some(en), "{when}");
        }
        let open = at("2026-11-23T08:00");
        assert_eq!(desk().next_opening(open), Some(open));
        assert_eq!(desk().reopens_text(open, Lang::FR), None);
    }

    #[test]
    fn far_and_never() {
        let mut desk = desk();
        let first: Date = "2026-11-23".parse().unwrap();
        desk.hours.closed = desk.days(first).take(9).collect();
        let when = at("2026-11-23T08:00");
        let text = |lang| desk.reopens_text(when, lang).unwrap();
        assert_eq!(text(Lang::FR), "mercredi 2 décembre à 7h00");
        assert_eq!(text(Lang::EN), "Wednesday 2 December at 7:00");
        desk.hours.closed = desk.days(first).take(SEARCH_DAYS).collect();
        assert_eq!(desk.next_opening(when), None);
        assert_eq!(desk.next_opening(Timestamp(i64::MAX)), None);
    }

    #[test]
    fn hours_of_the_day() {
        let desk = desk();
        let monday = at("2026-11-23T00:00");
        assert_eq!(desk.hours_text(monday, Lang::FR), "7h00–12h00, 14h00–22h00");
        assert_eq!(desk.hours_text(monday, Lang::EN), "7:00–12:00, 14:00–22:00");
        assert_eq!(desk.hours_text(at("2026-11-28T01:00"), Lang::EN), "20:00–24:00");
        assert_eq!(desk.hours_text(at("2026-11-29T01:00"), Lang::FR), "fermé");
    }

    #[test]
    fn business_time_counts_opening_hours_only() {
        for (from, to, minutes) in [
            ("2026-11-23T08:00", "2026-11-23T08:05", 5),
            ("2026-11-23T11:50", "2026-11-23T14:10", 20),
            // Friday evening to Monday morning: 10 min, Saturday's 4 h, 5 min.
            ("2026-11-27T21:50", "2026-11-30T07:05", 10 + 240 + 5),
            ("2026-11-29T01:00", "2026-11-29T22:00", 0),
            ("2026-11-23T10:00", "2026-11-23T09:00", 0),
            // The night that Europe leaves daylight saving is no opening time.
            ("2026-10-23T21:00", "2026-10-26T08:00", 60 + 240 + 60),
        ] {
            let got = desk().business_time(at(from), at(to));
            assert_eq!(got, Duration::from_secs(minutes * 60), "{from} to {to}");
        }
    }

    #[test]
    fn daylight_saving_nights() {
        let desk = night_desk();
        for (night, hours) in [("2026-03-29", 2), ("2026-10-25", 4), ("2026-11-29", 3)] {
            let (from, to) = (at(&format!("{night}T00:00")), at(&format!("{night}T12:00")));
            assert_eq!(desk.business_time(from, to), Duration::from_secs(hours * 3600), "{night}");
        }
        // 02:30 does not exist on 2026-03-29: a shift that begins then begins at 03:30.
        let text = "sunday = \"02:30-04:00\"\nsaturday = \"\"";
        let gap = Calendar::new(toml::from_str(text).unwrap(), desk.zone.clone());
        assert_eq!(gap.next_opening(at("2026-03-29T01:00")), Some(at("2026-03-29T03:30")));
    }
}
