use super::Span;
use super::hours::time;
use crate::model::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// What Guichet tells customers by itself: corrections, and what they watch.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoticesConfig {
    /// When customers are not disturbed, in the operator's time zone; what still holds afterwards is said then.
    pub quiet: QuietHours,
    /// During quiet hours: whether news of a train that leaves before they end is said at once.
    pub urgent_in_quiet: bool,
    /// A train later than told by more than this is worth a message.
    pub late_by: Span,
    /// Once a delay has been told, it must grow by this to be told again.
    pub late_again_by: Span,
    /// Between two messages for the same watched line, station or pair.
    pub again_after: Span,
    /// How many things a contact may watch at the same time.
    pub watches_per_contact: usize,
    /// How often told trains and watches are looked at when no live data arrives.
    pub poll: Span,
}

impl Default for NoticesConfig {
    fn default() -> Self {
        Self {
            quiet: QuietHours::default(),
            urgent_in_quiet: true,
            late_by: Span::seconds(5 * 60),
            late_again_by: Span::seconds(15 * 60),
            again_after: Span::seconds(15 * 60),
            watches_per_contact: 20,
            poll: Span::seconds(15),
        }
    }
}

impl NoticesConfig {
    pub(super) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let zero = |span: Span| Duration::from(span).is_zero();
        let checks = [
            (zero(self.late_by), "notices.late_by", "must be more than zero, such as 5m"),
            (zero(self.late_again_by), "notices.late_again_by", "must be more than zero, such as 15m"),
            (zero(self.poll), "notices.poll", "must be more than zero, such as 15s"),
            (self.watches_per_contact == 0, "notices.watches_per_contact", "must be at least 1"),
        ];
        checks.into_iter().filter(|(wrong, ..)| *wrong).map(|(_, key, what)| (key, what)).collect()
    }
}

/// `"22:00-06:30"`, past midnight when it ends before it begins; empty: none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours(Option<(Time, Time)>);

impl Default for QuietHours {
    fn default() -> Self {
        Self(Some((Time::constant(22, 0, 0, 0), Time::constant(6, 30, 0, 0))))
    }
}

impl QuietHours {
    /// When the quiet that holds at `at` ends; none: it is not quiet then.
    pub fn end(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let (start, end) = self.0?;
        let local = at.to_jiff().to_zoned_datetime(zone.clone());
        let (day, time) = (local.date(), local.time());
        let day = match (start < end, start <= time, time < end) {
            // Within one day, or after midnight of a night.
            (true, true, true) | (false, _, true) => day,
            (false, true, false) => day.tomorrow().ok()?,
            _ => return None,
        };
        let end = day.to_datetime(end).to_zoned_datetime(zone.clone()).ok()?;
        Some(Timestamp::from_jiff(end.timestamp()))
    }
}

impl<'de> Deserialize<'de> for QuietHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() {
            return Ok(Self(None));
        }
        let ends = text.split_once('-').and_then(|(from, to)| Some((time(from.trim())?, time(to.trim())?)));
        let ends = ends.filter(|(from, to)| from != to);
        ends.map(|ends| Self(Some(ends))).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "'{text}' are no quiet hours: write \"22:00-06:30\", or \"\" for none"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(text: &str) -> Result<QuietHours, String> {
        let value = toml::Value::String(text.to_owned());
        value.try_into().map_err(|error: toml::de::Error| error.to_string())
    }

    #[test]
    fn quiet_hours_end() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let at = |local: &str| {
            let local: jiff::civil::DateTime = local.parse().unwrap();
            Timestamp::from_jiff(local.to_zoned_datetime(zone.clone()).unwrap().timestamp())
        };
        for (hours, now, end) in [
            ("22:00-06:30", "2026-12-20T21:59", None),
            ("22:00-06:30", "2026-12-20T22:00", Some("2026-12-21T06:30")),
            ("22:00-06:30", "2026-12-21T03:00", Some("2026-12-21T06:30")),
            ("22:00-06:30", "2026-12-21T06:30", None),
            // The night when clocks go forward.
            ("22:00-06:30", "2026-03-28T23:00", Some("2026-03-29T06:30")),
            ("12:00-14:00", "2026-12-20T13:00", Some("2026-12-20T14:00")),
            ("12:00-14:00", "2026-12-20T23:00", None),
            ("12:00-14:00", "2026-12-20T11:00", None),
            ("", "2026-12-20T23:00", None),
        ] {
            assert_eq!(quiet(hours).unwrap().end(at(now), &zone), end.map(at), "{hours} at {now}");
        }
    }

    #[test]
    fn what_are_no_quiet_hours() {
        for wrong in ["22h-6h", "22:00", "22:00-22:00", "25:00-06:00"] {
            let error = quiet(wrong).unwrap_err();
            assert!(error.contains("are no quiet hours: write \"22:00-06:30\""), "{error}");
        }
        assert_eq!(quiet("22:00-06:30").unwrap(), QuietHours::default());
    }
}
