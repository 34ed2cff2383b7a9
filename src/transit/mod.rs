//! What trains run: the timetable from a GTFS feed, live data over it, and what both can be asked.

mod board;
mod changes;
pub mod demo_live;
#[cfg(test)]
mod departures;
mod feed;
pub mod history;
mod journeys;
pub mod live;
mod load;
mod local;
mod naming;
pub mod navitia;
mod nearby;
mod net;
mod overlay;
pub mod planner;
pub mod realtime;
pub mod reload;
mod runs;
mod scan;
mod service;
mod timetable;
mod traffic;
mod trains;

pub use changes::MIN_CHANGE;
pub use load::TimetableError;
pub use local::{LiveLimits, Local};
pub use nearby::{NEAR_KM, Nearby};
/// Under its first name, for the answer source that asks [`Timetable::departures`].
pub use timetable::{Source, Timetable, TimetableHandle};

#[cfg(test)]
mod journey_tests;
#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod overlay_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod traffic_tests;
