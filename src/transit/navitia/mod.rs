//! Trains from Navitia, the journey planner behind api.navitia.io, api.sncf.com and others, in place of our own timetable.
//!
//! Each question becomes one to four requests. Live times count as live only while Navitia's live data, by its own word, is
//! young enough; otherwise scheduled times are told, and that is said.
//!
//! What it cannot say for sure goes to people: arrivals of a station from everywhere (Navitia does not tell where they come from),
//! ways by a given station unless one of those it offers goes there, and the traffic of the whole network (its trains cannot be
//! counted). Between two stations Navitia leaves out a train that another one overtakes: nobody is told of it, and where it would
//! be the first of the day, a person answers.

mod alerts;
mod ask;
mod client;
mod map;
mod model;
mod pair;
mod planner;
mod quota;
mod runs;
mod traffic;

pub use planner::Navitia;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
