//! Made-up trains with which templates are checked, in every shape they may have. Built by the same code as answers.

use super::told::Teller;
use crate::model::{Lang, StationRef, Timestamp, TrainKey};
use crate::transit::live::Alert;
use crate::transit::planner::{LiveState, Moment, Provenance, Ride, Stop, Train};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// 2026-12-20T17:04:00Z, a Sunday.
pub(super) const NOW: Timestamp = Timestamp(1_797_786_240_000_000);
const MINUTE: i64 = 60_000_000;

fn day() -> Date {
    NOW.to_jiff().to_zoned_datetime(TimeZone::UTC).date()
}

pub(super) fn provenance() -> Provenance {
    Provenance {
        label: "Démonstration".into(),
        invented: true,
        timetable_as_of: day(),
        live: LiveState::Old(Timestamp(NOW.0 - 4 * MINUTE)),
        live_partial: false,
    }
}

pub(super) fn teller(of: &Provenance) -> Teller<'_> {
    Teller { lang: Lang::FR, now: NOW, zone: TimeZone::UTC, of }
}

pub(super) fn station(name: &str) -> StationRef {
    StationRef { id: name.to_owned(), name: name.to_owned() }
}

pub(super) fn moment(minutes: i64, late: Option<i64>) -> Option<Moment> {
    let scheduled = Timestamp(NOW.0 + minutes * MINUTE);
    Some(Moment { scheduled, expected: late.map(|late| Timestamp(scheduled.0 + late * MINUTE)) })
}

fn stop(name: &str, at: Option<Moment>) -> Stop {
    Stop {
        station: station(name),
        arrival: at,
        departure: at,
        platform: Some("7".into()),
        planned_platform: None,
        skipped: false,
    }
}

/// On time as far as is known.
pub(super) fn ride() -> Ride {
    let train = Train {
        key: TrainKey { trip: "t".into(), day: day() },
        number: Some("8745".into()),
        brand: Some("Alizé".into()),
        line: Some("Alizé".into()),
        terminus: "Saint-Malo".into(),
        cancelled: false,
        added: false,
    };
    Ride { train, from: stop("Paris Montparnasse", moment(60, None)), to: stop("Rennes", moment(150, None)) }
}

/// Late, from another platform.
pub(super) fn late_ride() -> Ride {
    let mut ride = ride();
    ride.from = stop("Paris Montparnasse", moment(60, Some(12)));
    ride.from.planned_platform = Some("3".into());
    ride.to = stop("Rennes", moment(150, Some(10)));
    ride
}

/// Nothing known but its time, after midnight.
pub(super) fn bare_ride() -> Ride {
    let mut ride = ride();
    (ride.train.number, ride.train.brand, ride.from.platform, ride.to.platform) = (None, None, None, None);
    ride.from = Stop { platform: None, ..stop("Paris Montparnasse", moment(480, None)) };
    ride.to = Stop { platform: None, ..stop("Rennes", moment(560, None)) };
    ride
}

pub(super) fn cancelled_ride() -> Ride {
    let mut ride = ride();
    ride.train.cancelled = true;
    ride
}

/// Holding now with its words, or to come without any.
pub(super) fn alert(now: bool) -> Alert {
    let hour = 3600 * 1_000_000;
    let (from, until) = if now { (-hour, 2 * hour) } else { (24 * hour, 72 * hour) };
    let text = now.then(|| (Lang::FR, "Circulation perturbée entre Laval et Rennes".to_owned()));
    let word = |word: &str| if now { word.to_owned() } else { format!("unknown_{word}") };
    Alert {
        id: "a".into(),
        cause: word("maintenance"),
        effect: word("reduced_service"),
        header: text.into_iter().collect(),
        description: Default::default(),
        periods: vec![(Some(Timestamp(NOW.0 + from)), Some(Timestamp(NOW.0 + until)))],
        routes: Vec::new(),
        stops: Vec::new(),
        trips: Vec::new(),
        as_of: NOW,
    }
}
