//! What a feed must hold up to before it is put in service.

use crate::config::TimetableConfig;
use crate::model::Timestamp;
use crate::transit::timetable::{Timetable, TimetableHandle};
use crate::transit::{TimetableError, service::shifted};
use jiff::civil::Date;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// Days in which two feeds are compared: a whole week has every kind of day.
const COMPARED: i64 = 7;

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("it cannot be read: {0}")]
    Disk(#[from] io::Error),
    #[error("it is no zip archive")]
    NoArchive,
    #[error("it is a damaged zip archive: {0}")]
    Damaged(ZipError),
    #[error("its files unpack to more than timetable.max_unpacked_bytes ({0})")]
    TooLarge(u64),
    #[error("{0}")]
    Unreadable(#[from] TimetableError),
    #[error("its last day was {0}")]
    Ended(Date),
    #[error(
        "from {from} to {until} it has {new} trains where the one in service has {live}. Cure: if that is right, a lower \
         timetable.min_share"
    )]
    FewerTrains { from: Date, until: Date, new: usize, live: usize },
    #[error(
        "it has {new} stations where the one in service has {live}. Cure: if that is right, a lower timetable.min_share"
    )]
    FewerStations { new: usize, live: usize },
}

/// The checks, and the timetable in service that a newer one is held against.
#[derive(Clone)]
pub(super) struct Judge {
    pub config: TimetableConfig,
    pub table: TimetableHandle,
}

impl Judge {
    /// Whatever can be loaded. Blocks.
    pub(super) fn load(&self, path: &Path) -> Result<Timetable, Refusal> {
        let limit = self.config.max_unpacked_bytes;
        if path.is_dir() {
            folder_fits(path, limit)?
        } else {
            archive_fits(path, limit)?
        }
        Ok(Timetable::load(path, &self.config.label)?)
    }

    /// Only what may replace the one in service. Blocks.
    pub(super) fn accept(&self, path: &Path, now: Timestamp) -> Result<Timetable, Refusal> {
        let new = self.load(path)?;
        let today = new.local(now).date();
        let (_, last) = new.validity();
        if last < today {
            return Err(Refusal::Ended(last));
        }
        if let Some(live) = self.table.get() {
            compare(&new, &live, today, self.config.min_share)?;
        }
        Ok(new)
    }
}

/// Half a feed is worse than the one before: "the last train has left" would be said of trains that were lost on the way. Nothing
/// is compared beyond the end of the live one: then anything is better.
fn compare(new: &Timetable, live: &Timetable, today: Date, min_share: f64) -> Result<(), Refusal> {
    let days: Vec<Date> = (0..COMPARED).filter_map(|ahead| shifted(today, ahead)).collect();
    let days: Vec<Date> = days.into_iter().filter(|day| *day <= live.validity().1).collect();
    let (Some(&from), Some(&until)) = (days.first(), days.last()) else { return Ok(()) };
    let too_few = |new: usize, live: usize| (new as f64) < live as f64 * min_share;
    let (new_trains, live_trains) = (trains(new, &days), trains(live, &days));
    if too_few(new_trains, live_trains) {
        return Err(Refusal::FewerTrains { from, until, new: new_trains, live: live_trains });
    }
    let (new, live) = (new.stations().len(), live.stations().len());
    if too_few(new, live) { Err(Refusal::FewerStations { new, live }) } else { Ok(()) }
}

/// Days outside what the feed speaks for count nothing, whatever its calendar says.
fn trains(table: &Timetable, days: &[Date]) -> usize {
    let (first, last) = table.validity();
    let days = days.iter().filter(|day| (first..=last).contains(day));
    days.map(|day| table.trips.iter().filter(|trip| table.runs_on(trip, *day)).count()).sum()
}

/// Shapes are large and not read; what is no text is not unpacked.
fn is_read(name: &str) -> bool {
    name.ends_with(".txt") && !name.ends_with("shapes.txt")
}

/// The reader takes whole files into memory, so that a small archive could ask for all there is. What the archive says of its sizes
/// is believed only to refuse: then each file is unpacked, counted and thrown away. That checks the checksums too.
fn archive_fits(path: &Path, limit: u64) -> Result<(), Refusal> {
    let mut file = File::open(path)?;
    let mut magic = [0; 2];
    if file.read(&mut magic)? < magic.len() || &magic != b"PK" {
        return Err(Refusal::NoArchive);
    }
    file.rewind()?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(Refusal::Damaged)?;
    let mut left = limit;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(Refusal::Damaged)?;
        if !is_read(entry.name()) {
            continue;
        }
        if entry.size() > left {
            return Err(Refusal::TooLarge(limit));
        }
        let unpacked = io::copy(&mut entry.take(left + 1), &mut io::sink());
        let unpacked = unpacked.map_err(|error| Refusal::Damaged(error.into()))?;
        left = left.checked_sub(unpacked).ok_or(Refusal::TooLarge(limit))?;
    }
    Ok(())
}

fn folder_fits(path: &Path, limit: u64) -> Result<(), Refusal> {
    let mut total: u64 = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_read) {
            total = total.saturating_add(std::fs::metadata(entry.path())?.len());
        }
    }
    if total > limit { Err(Refusal::TooLarge(limit)) } else { Ok(()) }
}
