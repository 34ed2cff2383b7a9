//! Instants and dates as feeds write them: POSIX seconds by the format, but also milliseconds, zeros and the year 9999.

use crate::model::Timestamp;
use jiff::civil::Date;
use std::time::Duration;

/// 2000-01-01 and 2100-01-01 in POSIX seconds: what lies outside is no time of a train.
const FIRST: i64 = 946_684_800;
const LAST: i64 = 4_102_444_800;
/// How far a publisher's clock may be ahead of ours and still be believed.
const AHEAD: Duration = Duration::from_secs(120);
/// A time further than this from now is no time of a train that anyone asks about.
const NEAR: Duration = Duration::from_secs(31 * 24 * 3600);

/// POSIX seconds, or milliseconds as some publishers write them: the two cannot be mistaken for one another between the years
/// 2000 and 2100. None: neither.
pub(super) fn posix(value: i64) -> Option<Timestamp> {
    let seconds = [value, value / 1000].into_iter().find(|seconds| (FIRST..LAST).contains(seconds))?;
    Some(Timestamp(seconds * 1_000_000))
}

/// When something was measured or made.
pub(super) fn measured(value: Option<u64>, now: Timestamp) -> Option<Timestamp> {
    believed(posix(i64::try_from(value?).ok()?)?, now)
}

/// Never later than now, and not believed when it claims to be much later.
pub(super) fn believed(at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    (at <= now.plus(AHEAD)).then_some(at.min(now))
}

/// A time at a stop.
pub(super) fn at_stop(value: i64, now: Timestamp) -> Option<Timestamp> {
    posix(value).filter(|at| now.minus(NEAR) <= *at && *at <= now.plus(NEAR))
}

/// One end of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    Open,
    At(Timestamp),
    /// Before anything we could be asked about.
    Past,
    /// After it, such as the year 9999 that stands for "until further notice".
    Never,
}

pub(super) fn end(value: Option<u64>) -> End {
    let value = match value {
        None | Some(0) => return End::Open,
        Some(value) => i64::try_from(value).unwrap_or(i64::MAX),
    };
    match posix(value) {
        Some(at) => End::At(at),
        None if value < FIRST => End::Past,
        None => End::Never,
    }
}

/// `YYYYMMDD`; none for what is no date.
pub(super) fn date(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse().ok();
    Date::new(part(0..4)?, i8::try_from(part(4..6)?).ok()?, i8::try_from(part(6..8)?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    #[test]
    fn seconds_and_milliseconds_are_told_apart_and_nonsense_is_none() {
        for (value, expected) in [
            (1_800_000_000, Some(1_800_000_000)),
            (1_800_000_000_123, Some(1_800_000_000)),
            (0, None),
            (-5, None),
            (i64::MAX, None),
            (i64::MIN, None),
            (253_402_300_799, None),
        ] {
            assert_eq!(posix(value).map(|at| at.0 / 1_000_000), expected, "{value}");
        }
    }

    #[test]
    fn a_publisher_that_lives_in_the_future_is_not_believed() {
        for (value, expected) in [
            (Some(1_799_999_990), Some(1_799_999_990)),
            (Some(1_800_000_060), Some(1_800_000_000)),
            (Some(1_800_003_600), None),
            (Some(u64::MAX), None),
            (Some(0), None),
            (None, None),
        ] {
            assert_eq!(measured(value, NOW).map(|at| at.0 / 1_000_000), expected, "{value:?}");
        }
        assert_eq!(at_stop(1_800_000_000 + 40 * 24 * 3600, NOW), None);
    }

    #[test]
    fn ends_of_periods() {
        for (value, expected) in [
            (None, End::Open),
            (Some(0), End::Open),
            (Some(1_800_000_000), End::At(NOW)),
            (Some(1_800_000_000_000), End::At(NOW)),
            (Some(12), End::Past),
            (Some(253_402_300_799), End::Never),
            (Some(u64::MAX), End::Never),
        ] {
            assert_eq!(end(value), expected, "{value:?}");
        }
    }

    #[test]
    fn dates_that_are_none() {
        assert_eq!(date("20261125"), Some(day(2026, 11, 25)));
        for text in ["20261131", "20260000", "2026-11-25", "", "99999999", "2026112", "２０２６１１２５"]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
