//! Keeps the timetable up to date while the server runs. A feed is put in service only when it holds up to the checks; whatever
//! goes wrong, the one before stays, and why is said in the log, in `/health` and by `guichet doctor`.

mod address;
mod checks;
mod download;
mod expiry;
mod files;
mod kept;

pub use checks::Refusal;
pub use expiry::expiry;

use super::timetable::{Timetable, TimetableHandle};
use crate::clock::Clock;
use crate::config::{Config, Place, TimetableConfig};
use crate::model::Timestamp;
use address::Address;
use checks::Judge;
use files::Files;
use jiff::civil::Date;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause while there is nothing to answer with; not longer than `timetable.refresh`.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// What a look at the feed came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Unchanged,
    /// Files are being written: looked at again when they are the same twice.
    Changing,
    Replaced,
    /// It is there, and not put in service: why.
    Refused(String),
    /// It could not be had.
    Failed(String),
}

/// Why a look brought nothing new.
#[derive(Debug, Clone)]
enum Trouble {
    Refused(String),
    Failed(String),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}

impl Trouble {
    fn why(&self) -> &str {
        match self {
            Self::Refused(why) | Self::Failed(why) => why,
        }
    }
}

enum Look {
    Unchanged,
    Changing,
    New(Box<Timetable>),
}

enum Source {
    Nowhere,
    Files(Files),
    Address(Box<Address>),
}

pub struct Reloader {
    source: Source,
    /// What logs call the feed: no secret in it.
    label: String,
    judge: Judge,
    clock: Arc<dyn Clock>,
    poll: Duration,
    /// The day on which an ending was last warned of.
    warned: Option<Date>,
}

impl Reloader {
    /// Loads what there is: the files, or the copy kept of an earlier download. Without any of it the handle is empty, which is no
    /// error. Blocks for as long as loading takes.
    ///
    /// # Errors
    /// The HTTP client cannot be built, or `timetable.gtfs` is none of what it may be.
    pub fn start(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let timetable = &config.timetable;
        let judge = Judge { config: timetable.clone(), table: TimetableHandle::default() };
        let place = timetable.place().map_err(|what| format!("timetable.gtfs {what}"))?;
        let label = place.as_ref().map(Place::label).unwrap_or_default();
        let now = clock.now();
        let (source, loaded) = match place {
            None => (Source::Nowhere, Ok(Look::Unchanged)),
            Some(Place::File(path)) => {
                let (files, loaded) = Files::start(path, &judge, now);
                (Source::Files(files), loaded)
            }
            Some(Place::Http(url)) => {
                let (address, loaded) = Address::start(url, &config.files.cache, &judge)?;
                (Source::Address(Box::new(address)), loaded)
            }
        };
        let reloader = Self { source, label, judge, clock, poll: config.files.poll.into(), warned: None };
        match loaded {
            Ok(Look::New(loaded)) => reloader.judge.table.replace(*loaded),
            Ok(Look::Unchanged | Look::Changing) => {}
            Err(trouble) => reloader.is(Some(&trouble)),
        }
        Ok(reloader)
    }

    pub fn timetable(&self) -> TimetableHandle {
        self.judge.table.clone()
    }

    /// Until `stopping`. Ends at once when no timetable is configured.
    pub async fn run(mut self, stopping: CancellationToken) {
        if matches!(self.source, Source::Nowhere) {
            return;
        }
        let work = async {
            loop {
                self.check_once(self.clock.now()).await;
                tokio::time::sleep(self.pause()).await;
            }
        };
        stopping.run_until_cancelled(work).await;
    }

    fn pause(&self) -> Duration {
        let config: &TimetableConfig = &self.judge.config;
        let refresh = Duration::from(config.refresh);
        match self.source {
            Source::Address(_) if self.judge.table.get().is_none() => refresh.min(FIRST_PAUSE),
            Source::Address(_) => refresh,
            Source::Files(_) | Source::Nowhere => self.poll,
        }
    }

    /// Looks whether there is something newer, and puts it in service if it holds up to the checks.
    pub async fn check_once(&mut self, now: Timestamp) -> Outcome {
        let look = match &mut self.source {
            Source::Nowhere => return Outcome::Unchanged,
            Source::Files(files) => files.look(&self.judge, now).await,
            Source::Address(address) => address.look(&self.judge, now).await,
        };
        let outcome = match look {
            Ok(Look::Changing) => Outcome::Changing,
            Ok(Look::Unchanged) => {
                self.is(None);
                Outcome::Unchanged
            }
            Ok(Look::New(table)) => {
                self.put_in_service(*table);
                Outcome::Replaced
            }
            Err(trouble) => {
                self.is(Some(&trouble));
                match trouble {
                    Trouble::Refused(why) => Outcome::Refused(why),
                    Trouble::Failed(why) => Outcome::Failed(why),
                }
            }
        };
        metrics::counter!("guichet_timetable_checks_total", "outcome" => outcome.word()).increment(1);
        self.warn_of_end(now);
        outcome
    }

    fn put_in_service(&self, table: Timetable) {
        let (first, last) = table.validity();
        let (feed, stations) = (&self.label, table.stations().len());
        tracing::info!(feed, stations, %first, %last, "a newer timetable is in service");
        self.judge.table.replace(table);
        self.is(None);
    }

    /// Logged when it changes, not at each look.
    fn is(&self, trouble: Option<&Trouble>) {
        let problem = trouble.map(|trouble| format!("{}: {}", self.label, trouble.why()));
        let before = self.judge.table.set_problem(problem.clone());
        match (before, problem) {
            (before, Some(problem)) if before.as_ref() != Some(&problem) => {
                let left =
                    if self.judge.table.get().is_some() { "the one before stays" } else { "there is none" };
                tracing::error!(%problem, "the timetable is not put in service; {left}");
            }
            (Some(_), None) => tracing::info!(feed = self.label, "the timetable's feed is well again"),
            _ => {}
        }
    }

    /// Once a day.
    fn warn_of_end(&mut self, now: Timestamp) {
        let Some(table) = self.judge.table.get() else { return };
        let today = table.local(now).date();
        let left = (table.validity().1 - today).get_days();
        metrics::gauge!("guichet_timetable_days_left").set(f64::from(left));
        if self.warned == Some(today) {
            return;
        }
        if let Some(warning) = expiry(&table, now, self.judge.config.warn_days) {
            tracing::warn!(feed = self.label, "the timetable {warning}");
            self.warned = Some(today);
        }
    }
}

impl Outcome {
    /// For metrics.
    fn word(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changing => "changing",
            Self::Replaced => "replaced",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }
}

/// Loading blocks for longer than a task may.
async fn off_the_path<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let panicked = |_| Trouble::Failed("reading it panicked".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(panicked)?
}

#[cfg(test)]
mod tests;
