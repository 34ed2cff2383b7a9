//! What tests of the timetable and of its answer source share.

use super::Timetable;
use crate::model::Timestamp;
use gtfs_structures::{Exception, PickupDropOffType, RawGtfs, RawStopTime};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A file of the shared test data. Absent: says so by name and gives none, but fails where `CI=true`.
pub(crate) fn shared_data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{name} is absent");
    eprintln!("absent, not tested: shared/data/{name}");
    None
}

pub(crate) fn demo_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/gtfs")
}

pub(crate) fn demo() -> Timetable {
    Timetable::load(&demo_path(), "").unwrap()
}

/// Local time in Paris, such as `2026-12-20T18:00`.
pub(crate) fn paris(local: &str) -> Timestamp {
    let local: DateTime = local.parse().unwrap();
    let zoned = local.to_zoned_datetime(TimeZone::get("Europe/Paris").unwrap()).unwrap();
    Timestamp::from_jiff(zoned.timestamp())
}

/// The id of the station of that name.
pub(crate) fn id_of(timetable: &Timetable, name: &str) -> String {
    let found = timetable.stations().iter().find(|station| station.name == name);
    found.unwrap_or_else(|| panic!("no station {name}")).id.clone()
}

/// The feed read a second time, row by row, without any index: what the timetable is checked against.
pub(crate) struct Naive {
    raw: RawGtfs,
    calls: HashMap<String, Vec<RawStopTime>>,
    parents: HashMap<String, String>,
}

impl Naive {
    pub(crate) fn read(path: &Path) -> Self {
        let raw = RawGtfs::from_path(path).unwrap();
        let mut calls: HashMap<String, Vec<RawStopTime>> = HashMap::new();
        for row in raw.stop_times.as_ref().unwrap() {
            calls.entry(row.trip_id.clone()).or_default().push(row.clone());
        }
        calls.values_mut().for_each(|rows| rows.sort_by_key(|row| row.stop_sequence));
        let parent = |stop: &gtfs_structures::Stop| stop.parent_station.clone().unwrap_or(stop.id.clone());
        let parents =
            raw.stops.as_ref().unwrap().iter().map(|stop| (stop.id.clone(), parent(stop))).collect();
        Self { raw, calls, parents }
    }

    fn runs(&self, service: &str, date: Date) -> bool {
        let (y, m, d) = (date.year(), date.month(), date.day());
        if let Some(Ok(rows)) = &self.raw.calendar_dates {
            for row in rows.iter().filter(|row| row.service_id == service) {
                if (row.date.year(), row.date.month(), row.date.day()) == (y, m, d) {
                    return row.exception_type == Exception::Added;
                }
            }
        }
        let Some(Ok(rows)) = &self.raw.calendar else {
            return false;
        };
        rows.iter().any(|row| {
            let like = row.start_date.with().year(y).month(m).day(d).build().unwrap();
            row.id == service && row.start_date <= like && like <= row.end_date && row.valid_weekday(like)
        })
    }

    /// (departure, arrival) of each train from one station to the other that leaves in `[at, until)`, Paris time.
    pub(crate) fn trains(
        &self,
        from: &str,
        to: &str,
        at: Timestamp,
        until: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let today = at.to_jiff().to_zoned_datetime(zone.clone()).date();
        let mut found = Vec::new();
        for back in -1..=2 {
            let date = today.checked_sub(jiff::Span::new().days(back)).unwrap();
            let noon =
                date.at(12, 0, 0, 0).to_zoned_datetime(zone.clone()).unwrap().timestamp().as_microsecond();
            let instant = |seconds: u32| Timestamp(noon + (i64::from(seconds) - 12 * 3600) * 1_000_000);
            for trip in self.raw.trips.as_ref().unwrap() {
                let Some(rows) = self.calls.get(&trip.id) else {
                    continue;
                };
                let Some(i) = rows.iter().position(|row| self.parents[&row.stop_id] == from) else {
                    continue;
                };
                let Some(j) = rows.iter().rposition(|row| self.parents[&row.stop_id] == to) else {
                    continue;
                };
                let closed = rows[i].pickup_type == PickupDropOffType::NotAvailable
                    || rows[j].drop_off_type == PickupDropOffType::NotAvailable;
                if i >= j || closed || !self.runs(&trip.service_id, date) {
                    continue;
                }
                let (leaves, arrives) = (rows[i].departure_time.unwrap(), rows[j].arrival_time.unwrap());
                if instant(leaves) >= at && instant(leaves) < until {
                    found.push((instant(leaves), instant(arrives)));
                }
            }
        }
        found.sort();
        found
    }
}

/// `calendar.txt` of the service `S`.
pub(crate) const EVERY_DAY: &str = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n\
                         S,1,1,1,1,1,1,1,20260101,20261231\n";

/// A small feed on disk: name and content of each file.
pub(crate) fn feed(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let base = [
        (
            "agency.txt",
            "agency_id,agency_name,agency_url,agency_timezone\nA,Agency,https://a.invalid,Europe/Paris\n",
        ),
        (
            "stops.txt",
            "stop_id,stop_name,location_type,parent_station,platform_code\nP,Pont,1,,\nP1,Pont,0,P,1\nQ,Quai,0,,\nR,Rade,0,,\n",
        ),
        ("routes.txt", "route_id,agency_id,route_short_name,route_type\nL,A,Ligne,2\n"),
    ];
    for (name, content) in base.iter().chain(files) {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

/// The planner over that timetable, without live data.
pub(crate) fn scheduled(timetable: &super::TimetableHandle) -> super::planner::SharedPlanner {
    let (live, limits) = (super::live::LiveHandle::default(), super::LiveLimits::default());
    std::sync::Arc::new(super::Local::new(timetable.clone(), live, limits, false))
}
