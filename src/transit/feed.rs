//! The GTFS files we use, read whole, and what they say of themselves.

use super::timetable::Source;
use gtfs_structures::{
    Agency, Calendar, CalendarDate, FeedInfo, GtfsReader, RawFrequency, RawGtfs, RawStopTime, RawTransfer,
    RawTrip, Route, Stop,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::Path;

/// An error with its causes: gtfs-structures keeps the useful half in `source`.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The files we use, all of them read without error.
pub(super) struct Feed {
    pub agencies: Vec<Agency>,
    pub stops: Vec<Stop>,
    pub routes: Vec<Route>,
    pub trips: Vec<RawTrip>,
    pub stop_times: Vec<RawStopTime>,
    pub calendar: Vec<Calendar>,
    pub calendar_dates: Vec<CalendarDate>,
    pub frequencies: Vec<RawFrequency>,
    pub transfers: Vec<RawTransfer>,
    pub info: Option<FeedInfo>,
}

impl Feed {
    /// A zip archive or a folder; the error in one line, with its causes.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let reader = GtfsReader::default().read_shapes(false).raw();
        reader.read_from_path(path).and_then(Self::take).map_err(|error| chain(&error))
    }

    fn take(raw: RawGtfs) -> Result<Self, gtfs_structures::Error> {
        Ok(Self {
            agencies: raw.agencies?,
            stops: raw.stops?,
            routes: raw.routes?,
            trips: raw.trips?,
            stop_times: raw.stop_times?,
            calendar: raw.calendar.transpose()?.unwrap_or_default(),
            calendar_dates: raw.calendar_dates.transpose()?.unwrap_or_default(),
            frequencies: raw.frequencies.transpose()?.unwrap_or_default(),
            transfers: raw.transfers.transpose()?.unwrap_or_default(),
            info: raw.feed_info.transpose()?.and_then(|rows| rows.into_iter().next()),
        })
    }

    /// First and last day that `feed_info.txt` claims to be complete and reliable for.
    pub(super) fn claimed(&self) -> (Option<Date>, Option<Date>) {
        let info = self.info.as_ref();
        let start = info.and_then(|info| info.start_date);
        let end = info.and_then(|info| info.end_date);
        (
            start.map(|date| day(date.year(), date.month(), date.day())),
            end.map(|date| day(date.year(), date.month(), date.day())),
        )
    }

    /// `path` is where the feed was read from, for the date of last resort.
    pub(super) fn source(&self, label: &str, path: &Path) -> Source {
        let info = self.info.as_ref();
        let publisher = info.map(|info| info.name.as_str());
        let agency = self.agencies.first().map(|agency| agency.name.as_str());
        let fallback = publisher.or(agency).unwrap_or_default();
        let version = info.and_then(|info| info.version.as_deref()).and_then(date_inside);
        Source {
            label: if label.is_empty() { fallback } else { label }.to_owned(),
            invented: publisher.is_some_and(|name| name.to_lowercase().contains("(invented)")),
            as_of: version.or(self.claimed().0).unwrap_or_else(|| file_date(path)),
        }
    }
}

/// gtfs-structures speaks another jiff than we do; its dates were checked when they were read.
pub(super) fn day(year: i16, month: i8, day: i8) -> Date {
    Date::new(year, month, day).unwrap_or(Date::ZERO)
}

/// `feed_version` is free text; most publishers write the day they made it, as 2024-12-20 or 20241220, alone or first.
fn date_inside(version: &str) -> Option<Date> {
    let version = version.trim();
    let parse = |length: usize, format: &str| Date::strptime(format, version.get(..length)?).ok();
    let date = parse(10, "%Y-%m-%d").or_else(|| parse(8, "%Y%m%d"))?;
    (1990..2100).contains(&date.year()).then_some(date)
}

/// When the archive, or the folder's stop_times.txt, was last written (UTC). The epoch when the disk does not say.
fn file_date(path: &Path) -> Date {
    let file = if path.is_dir() { path.join("stop_times.txt") } else { path.to_owned() };
    let modified = std::fs::metadata(file).and_then(|meta| meta.modified()).ok();
    let stamp =
        modified.and_then(|time| jiff::Timestamp::try_from(time).ok()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned_datetime(TimeZone::UTC).date()
}
