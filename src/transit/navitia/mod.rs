//! Trains from Navitia, the journey planner behind api.navitia.io, api.sncf.com and others, in place of our own timetable.
//!
//! Each question becomes one to four requests. Live times count as live only while Navitia's live data, by its own word, is
//! young enough; otherwise scheduled times are told, and that is said.
//!
//! What it cannot say for sure goes to people: arrivals of a station from everywhere (Navitia does not tell where they come from),
//! ways by a given station unless one of those it offers goes there, and the traffic of the whole network (its trains cannot be
//! counted). Between two stations Navitia leaves out a train that another one overtakes: nobody is told of it, and where it would
//! be the first of the day, a person answers.
//!
//! What this was checked against: answers that api.navitia.io gave in 2016 and 2017 for Île-de-France, as recorded in the shared data
//! (`departures.json`, `journeys.json`, `disruption.json`; `tests/recorded.rs`), and a stand-in server that answers in the form
//! of the documentation (<https://doc.navitia.io>) for the rest: arrivals, vehicle journeys, reports of lines, the status of the
//! coverage, quotas and errors. It was never run against a live server; try `guichet doctor` with your own token first.

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
