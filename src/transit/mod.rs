//! The timetable: what trains are scheduled, on which days, from a GTFS feed.

pub mod demo_live;
mod feed;
pub mod live;
mod load;
mod naming;
pub mod planner;
pub mod realtime;
mod service;
mod timetable;

pub use load::TimetableError;
pub use timetable::{Departure, Departures, QueryError, Source, Timetable, TimetableHandle};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
