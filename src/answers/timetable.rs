//! What the timetable says, with live data where there is some: departures, arrivals, ways, first and last trains, stops, platforms.

mod arrivals;
mod departures;
mod first_last;
mod journeys;
mod page;
mod platform;
mod train_stops;

pub(super) use arrivals::Arrivals;
pub(super) use departures::Departures;
pub(super) use first_last::FirstLast;
pub(super) use journeys::Journeys;
pub(super) use platform::Platform;
pub(super) use train_stops::TrainStops;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod ways_tests;
