//! For tests: scheduled departures as rows, without live data.

use super::overlay::Overlay;
use super::planner::{BoardQuery, Ends, Ride, Unknown};
use super::runs::View;
use super::timetable::Timetable;
use crate::model::Timestamp;
use jiff::civil::{Date, DateTime};

/// One scheduled train.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    pub at: Timestamp,
    /// On the feed's clock.
    pub time: DateTime,
    /// The number customers see; none when the feed has none.
    pub train: Option<String>,
    pub brand: Option<String>,
    pub terminus: String,
    pub platform: Option<String>,
    /// At the asked destination; none without one, or when the feed gives no time there.
    pub arrival: Option<DateTime>,
}

/// What leaves from the asked time until 04:00 of the next morning.
#[derive(Debug, Clone, PartialEq)]
pub struct Departures {
    /// Earliest first, cut at the limit.
    pub rows: Vec<Departure>,
    /// Before the cut.
    pub total: usize,
    /// The local day that was asked about.
    pub day: Date,
    /// Some train of the feed, on some day, goes there without a change.
    pub direct: bool,
    /// Other trains run that day for which the feed gives no exact time (headways only, untimed stops, boarding by
    /// telephone). Then "the next" and "none" cannot be said.
    pub incomplete: bool,
}

impl Timetable {
    /// Trains that can be boarded at `from`, at `at` or later that day, and left at `to` when given. Direct trains only.
    pub fn departures(
        &self,
        from: &str,
        to: Option<&str>,
        at: Timestamp,
        limit: usize,
    ) -> Result<Departures, Unknown> {
        let query = BoardQuery {
            station: from.to_owned(),
            other: to.map(str::to_owned),
            ends: Ends::Departures,
            at,
            limit: usize::MAX,
        };
        let board = View { table: self, overlay: &Overlay::default() }.board(&query)?;
        let row = |ride: Ride| {
            let at = ride.from.departure?.scheduled;
            Some(Departure {
                at,
                time: self.local(at),
                train: ride.train.number,
                brand: ride.train.brand,
                terminus: ride.train.terminus,
                platform: ride.from.platform,
                arrival: ride.to.arrival.filter(|_| to.is_some()).map(|moment| self.local(moment.scheduled)),
            })
        };
        let total = board.rides.len();
        Ok(Departures {
            rows: board.rides.into_iter().take(limit).filter_map(row).collect(),
            total,
            day: board.day,
            direct: board.direct,
            incomplete: board.incomplete,
        })
    }
}
