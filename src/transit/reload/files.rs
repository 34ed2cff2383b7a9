//! A feed in files of our own disk: a folder or an archive that somebody replaces.

use super::checks::Judge;
use super::{Look, Trouble, off_the_path};
use crate::model::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Path, time and size of every file: enough to notice that one was written.
type Fingerprint = Vec<(PathBuf, Option<SystemTime>, u64)>;

pub(super) struct Files {
    path: PathBuf,
    /// Of what is in service; none: nothing is.
    served: Option<Fingerprint>,
    /// Of the last look: a copy in progress is still growing.
    seen: Option<Fingerprint>,
    /// What was refused, on which day: it may be good on the next, when its first day has come.
    refused: Option<(Fingerprint, Date, Trouble)>,
}

impl Files {
    /// At the start there is nothing to hold a feed against, and one that has ended still knows the stations.
    pub(super) fn start(path: PathBuf, judge: &Judge, now: Timestamp) -> (Self, Result<Look, Trouble>) {
        let seen = fingerprint(&path).ok();
        let mut files = Self { path, served: None, seen: seen.clone(), refused: None };
        let loaded = judge.load(&files.path).map_err(Trouble::from);
        match (&loaded, seen) {
            (Ok(_), seen) => files.served = seen,
            (Err(trouble), Some(seen)) => files.refused = Some((seen, day(now), trouble.clone())),
            (Err(_), None) => {}
        }
        (files, loaded.map(|table| Look::New(Box::new(table))))
    }

    pub(super) async fn look(&mut self, judge: &Judge, now: Timestamp) -> Result<Look, Trouble> {
        let found = fingerprint(&self.path).map_err(|error| gone(&error))?;
        let settled = self.seen.replace(found.clone()).as_ref() == Some(&found);
        if self.served.as_ref() == Some(&found) {
            return Ok(Look::Unchanged);
        }
        if !settled {
            return Ok(Look::Changing);
        }
        if let Some((refused, on, trouble)) = &self.refused
            && *refused == found
            && *on == day(now)
        {
            return Err(trouble.clone());
        }
        let (path, judging) = (self.path.clone(), judge.clone());
        let loaded = off_the_path(move || Ok(judging.accept(&path, now)?)).await;
        if fingerprint(&self.path).ok().as_ref() != Some(&found) {
            // Written while it was read: it may be half of each.
            return Ok(Look::Changing);
        }
        match loaded {
            Ok(table) => {
                (self.served, self.refused) = (Some(found), None);
                Ok(Look::New(Box::new(table)))
            }
            Err(trouble) => {
                self.refused = Some((found, day(now), trouble.clone()));
                Err(trouble)
            }
        }
    }
}

fn day(now: Timestamp) -> Date {
    now.to_jiff().to_zoned_datetime(TimeZone::UTC).date()
}

fn gone(error: &io::Error) -> Trouble {
    Trouble::Failed(format!("it cannot be read: {error}"))
}

fn fingerprint(path: &Path) -> io::Result<Fingerprint> {
    let one = |path: PathBuf| {
        let data = std::fs::metadata(&path)?;
        Ok::<_, io::Error>((path, data.modified().ok(), data.len()))
    };
    if !path.is_dir() {
        return Ok(vec![one(path.to_owned())?]);
    }
    let mut found =
        std::fs::read_dir(path)?.map(|entry| one(entry?.path())).collect::<io::Result<Fingerprint>>()?;
    found.sort();
    Ok(found)
}
