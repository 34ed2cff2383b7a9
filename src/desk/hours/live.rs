//! The iCalendar file as it is now. A file that cannot be read never replaces what was: the error is kept for the console and
//! `/health` until it is mended.

use super::ical::{self, MOST_BYTES, Special};
use super::{Calendar, SEARCH_DAYS};
use crate::config::HoursConfig;
use crate::model::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// What clones of a calendar share.
#[derive(Debug, Default)]
pub(super) struct File {
    days: RwLock<Arc<Special>>,
    problem: RwLock<Option<String>>,
    seen: Mutex<Option<Seen>>,
}

/// Time and size of the file, enough to notice a save, and the day for which its events were worked out.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    modified: Option<SystemTime>,
    size: Option<u64>,
    day: Date,
}

impl File {
    pub(super) fn days(&self) -> Arc<Special> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Calendar {
    /// With what the file of `hours` says at `now`.
    ///
    /// # Errors
    /// The file, the line, and the cure.
    pub fn open(hours: HoursConfig, zone: TimeZone, now: Timestamp) -> Result<Self, String> {
        let calendar = Self::new(hours, zone);
        calendar.refresh(now);
        match calendar.problem() {
            None => Ok(calendar),
            Some(problem) => Err(problem),
        }
    }

    /// Why the file as it is now is not in service; none: it is, or there is none.
    pub fn problem(&self) -> Option<String> {
        self.file.problem.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the file, and reads it when it was saved or the day has changed. True: other days may be in service.
    pub fn refresh(&self, now: Timestamp) -> bool {
        let path = &self.hours.calendar;
        if path.as_os_str().is_empty() {
            return false;
        }
        let data = std::fs::metadata(path).ok();
        let today = self.date(now);
        let seen = Seen {
            modified: data.as_ref().and_then(|data| data.modified().ok()),
            size: data.as_ref().map(std::fs::Metadata::len),
            day: today,
        };
        {
            let mut known = self.file.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if known.as_ref() == Some(&seen) {
                return false;
            }
            *known = Some(seen);
        }
        let read = read(path, &self.zone, today);
        let problem = match read {
            Ok(days) => {
                *self.file.days.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(days);
                None
            }
            Err(problem) => Some(format!("{}: {problem}", path.display())),
        };
        let good = problem.is_none();
        *self.file.problem.write().unwrap_or_else(PoisonError::into_inner) = problem;
        good
    }

    /// Follows the file until `stop`.
    pub async fn follow(self, clock: Arc<dyn crate::clock::Clock>, every: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let (calendar, now, before) = (self.clone(), clock.now(), self.problem());
            match tokio::task::spawn_blocking(move || calendar.refresh(now)).await {
                Ok(true) => tracing::info!("the calendar of opening hours was read again"),
                Ok(false) => match self.problem() {
                    problem if problem == before => {}
                    Some(problem) => {
                        tracing::error!(%problem, "the changed calendar is not in service; the last good one stays");
                    }
                    None => {}
                },
                Err(_) => tracing::error!("reading the calendar panicked; the last good one stays"),
            }
        }
    }
}

/// Reports look back as far as openings are looked for ahead.
fn read(path: &Path, zone: &TimeZone, today: Date) -> Result<Special, String> {
    let cure = "Cure: correct desk.hours.calendar, or leave it empty";
    let size = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}. {cure}"))?.len();
    if size > MOST_BYTES {
        return Err(format!("it is larger than {MOST_BYTES} bytes. Cure: keep the events of the desk only"));
    }
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}. {cure}"))?;
    let reach: Span = i64::try_from(SEARCH_DAYS).unwrap_or(400).saturating_add(31).days();
    let (from, to) = (today.saturating_sub(reach), today.saturating_add(reach));
    ical::read(&text, zone, from, to).map_err(|error| error.to_string())
}
