//! What answers about trains is made of: the timetable, live data over it, and who keeps both fresh.

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, FeedKind, Span};
use crate::model::Timestamp;
use crate::transit::live::LiveHandle;
use crate::transit::navitia::Navitia;
use crate::transit::planner::{ScheduledRun, SharedPlanner};
use crate::transit::realtime::{Defaults, Poller};
use crate::transit::reload::Reloader;
use crate::transit::{LiveLimits, Local, TimetableHandle, demo_live};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often the demonstration's live traffic moves on.
const DEMO_EVERY: Duration = Duration::from_secs(15);
/// Between two looks at what contacts were told, at least, where Navitia answers.
const NAVITIA_NOTICES: Span = Span::seconds(300);

/// The handles may still be empty, and are refilled.
#[derive(Clone)]
pub struct Trains {
    pub timetable: TimetableHandle,
    pub live: LiveHandle,
    pub planner: SharedPlanner,
    /// Where it is the planner; the timetable then only names stations.
    navitia: Option<Arc<Navitia>>,
}

impl Trains {
    /// Without a timetable the server says so and hands over to people.
    pub fn load(config: &Config) -> Self {
        Self::start(config).0
    }

    /// With who keeps the timetable up to date, to be run; none when there is nothing to keep.
    pub fn start(config: &Config) -> (Self, Option<Reloader>) {
        let reloader = Reloader::start(config, Arc::new(SystemClock))
            .inspect_err(|error| tracing::error!(%error, "the timetable is not loaded"))
            .ok();
        let timetable = reloader.as_ref().map(Reloader::timetable).unwrap_or_default();
        let live = LiveHandle::default();
        let traffic = &config.traffic;
        let limits = LiveLimits {
            trips_old_after: traffic.old_after.into(),
            alerts_old_after: traffic.alerts_old_after.into(),
            forget_after: traffic.forget_after.into(),
            alerts_forget_after: traffic.alerts_forget_after.into(),
        };
        let invented = || timetable.get().is_some_and(|timetable| timetable.source().invented);
        let of_trips = traffic.feeds.iter().any(|feed| feed.kind != FeedKind::Alerts);
        let has_feed = of_trips || (traffic.feeds.is_empty() && traffic.demo && invented());
        let navitia = navitia(config, limits, &timetable);
        let planner: SharedPlanner = match navitia.clone() {
            Some(navitia) => navitia,
            None => Arc::new(Local::new(timetable.clone(), live.clone(), limits, has_feed)),
        };
        (Self { timetable, live, planner, navitia }, reloader)
    }

    /// Every question about a told train costs requests of a quota: what must be said is looked for less often.
    pub fn notices_poll(&self, configured: Span) -> Span {
        if self.navitia.is_some() { configured.max(NAVITIA_NOTICES) } else { configured }
    }

    /// Keeps live data fresh until `stopping`: from Navitia, the configured feeds, or the demonstration's simulator.
    pub fn follow(
        &self,
        config: &Config,
        clock: Arc<dyn Clock>,
        stopping: CancellationToken,
    ) -> Result<JoinHandle<()>, String> {
        if let Some(navitia) = self.navitia.clone() {
            return Ok(tokio::spawn(navitia.follow(clock, stopping)));
        }
        let live = self.live.clone();
        if config.traffic.demo && config.traffic.feeds.is_empty() {
            let timetable = self.timetable.clone();
            let runs = move |now| demo_runs(&timetable, now);
            return Ok(tokio::spawn(demo_live::simulate(runs, live, clock, DEMO_EVERY, stopping)));
        }
        let defaults = Defaults { lang: config.operator.lang, zone: config.timezone() };
        let poller = Poller::new(&config.traffic, defaults, live, clock)?;
        Ok(tokio::spawn(poller.run(stopping)))
    }
}

/// None where it is not configured. Its keys were checked when loading; what is left is the HTTP client.
fn navitia(config: &Config, limits: LiveLimits, timetable: &TimetableHandle) -> Option<Arc<Navitia>> {
    if !config.navitia.is_used() {
        return None;
    }
    let made =
        Navitia::new(&config.navitia, limits, timetable.clone(), config.operator.lang, config.timezone());
    made.inspect_err(|error| tracing::error!(%error, "Navitia is not used; the timetable answers"))
        .ok()
        .map(Arc::new)
}

/// The runs of the day at `now` and of the one before; none unless the timetable declares itself invented, so that no real
/// train ever gets an invented delay.
pub fn demo_runs(timetable: &TimetableHandle, now: Timestamp) -> Vec<ScheduledRun> {
    let Some(timetable) = timetable.get().filter(|timetable| timetable.source().invented) else {
        return Vec::new();
    };
    let today = timetable.local(now).date();
    let yesterday = today.yesterday().unwrap_or(today);
    [yesterday, today].into_iter().flat_map(|day| timetable.runs(day)).collect()
}
