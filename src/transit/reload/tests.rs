mod address;
mod checks;
mod files;
mod spoiled;

use super::{Outcome, Reloader};
use crate::clock::{Clock, ManualClock};
use crate::config::{Config, Secret};
use crate::model::Timestamp;
use crate::transit::testing::paris;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A feed with `trains` trains a day between two stations, from `first` to `last` (both as 20261231).
#[derive(Clone, Copy)]
struct Made {
    trains: u32,
    first: &'static str,
    last: &'static str,
    /// Of the first station, to tell one feed from another.
    name: &'static str,
}

const WHOLE_YEAR: Made = Made { trains: 10, first: "20260101", last: "20261231", name: "Pont" };

impl Made {
    fn files(self) -> Vec<(&'static str, String)> {
        let Made { trains, first, last, name } = self;
        let trips = (0..trains).map(|rank| format!("L,S,t{rank},{rank}\n"));
        let calls = (0..trains).map(|rank| {
            format!("t{rank},0,08:00:00,08:00:00,P\nt{rank},1,09:{rank:02}:00,09:{rank:02}:00,Q\n")
        });
        vec![
            (
                "agency.txt",
                "agency_id,agency_name,agency_url,agency_timezone\nA,Agency,https://a.invalid,Europe/Paris\n"
                    .into(),
            ),
            (
                "stops.txt",
                format!("stop_id,stop_name,location_type,parent_station\nP,{name},0,\nQ,Quai,0,\n"),
            ),
            ("routes.txt", "route_id,agency_id,route_short_name,route_type\nL,A,Ligne,2\n".into()),
            (
                "trips.txt",
                format!("route_id,service_id,trip_id,trip_short_name\n{}", trips.collect::<String>()),
            ),
            (
                "stop_times.txt",
                format!(
                    "trip_id,stop_sequence,arrival_time,departure_time,stop_id\n{}",
                    calls.collect::<String>()
                ),
            ),
            (
                "calendar.txt",
                format!(
                    "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n\
                     S,1,1,1,1,1,1,1,{first},{last}\n"
                ),
            ),
        ]
    }

    fn zip(self) -> Vec<u8> {
        let files = self.files();
        zip_of(files.iter().map(|(name, text)| (*name, text.as_bytes())))
    }

    fn write(self, folder: &Path) {
        self.files().iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
    }
}

fn zip_of<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn now() -> Timestamp {
    paris("2026-05-05T12:00")
}

/// A server's folder, and how it starts.
struct House {
    folder: TempDir,
    config: Config,
    clock: Arc<ManualClock>,
}

impl House {
    fn new(gtfs: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.timetable.gtfs = Secret::new(gtfs);
        config.files.cache = folder.path().join("cache");
        Self { folder, config, clock: Arc::new(ManualClock::at(now())) }
    }

    fn start(&self) -> Reloader {
        Reloader::start(&self.config, self.clock.clone()).unwrap()
    }

    async fn check(&self, reloader: &mut Reloader) -> Outcome {
        reloader.check_once(self.clock.now()).await
    }
}

/// The name of the first station in service; none without a timetable.
fn served(reloader: &Reloader) -> Option<String> {
    reloader.timetable().get().map(|table| table.stations()[0].name.clone())
}

fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Refused(why) | Outcome::Failed(why) => why,
        other => panic!("{other:?} is no trouble"),
    }
}
