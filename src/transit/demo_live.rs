//! Live traffic of the demonstration: invented like its trains, so that all that live data can say is seen on any day.
//!
//! Pure: the same runs at the same moment give the same traffic, whoever computes it and after whatever restart. What happens is drawn
//! from the date; how far it has come, from the clock. A delay grows by minutes up to its height and shrinks again, a cancellation and
//! another platform are announced some time before, so that answers given earlier come to be corrected.

use super::live::{Alert, LiveHandle, Running, Shift, Snapshot, StopChange, TripChange};
use super::planner::{ScheduledCall, ScheduledRun};
use crate::clock::Clock;
use crate::model::{Lang, Timestamp};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// A delay shows this long before the train first leaves.
const DELAY_SHOWS: Duration = Duration::from_secs(45 * 60);
const CANCELLATION_SHOWS: Duration = Duration::from_secs(2 * 3600);
const PLATFORM_SHOWS: Duration = Duration::from_secs(30 * 60);
/// What is over is told this long after, plus the delay.
const STAYS: Duration = Duration::from_secs(30 * 60);
/// Shorter runs are always on time: a delay has no time to grow on them.
const SHORTEST: Duration = Duration::from_secs(10 * 60);

/// Keeps `live` filled, every `every`, until `stopping`. `runs` gives the scheduled runs around a moment: those of the service day and
/// of the one before; none where the timetable is not declared "(invented)", so that no real train ever gets an invented delay.
pub async fn simulate(
    runs: impl Fn(Timestamp) -> Vec<ScheduledRun>,
    live: LiveHandle,
    clock: Arc<dyn Clock>,
    every: Duration,
    stopping: CancellationToken,
) {
    let work = async {
        loop {
            let now = clock.now();
            live.replace(snapshot(&runs(now), now));
            tokio::time::sleep(every).await;
        }
    };
    stopping.run_until_cancelled(work).await;
}

/// The traffic at `now`. Empty, and without an age, when there are no runs: then no live data is there.
pub fn snapshot(runs: &[ScheduledRun], now: Timestamp) -> Snapshot {
    let mut days: BTreeMap<Date, Vec<Planned>> = BTreeMap::new();
    for run in runs.iter().filter_map(Planned::of) {
        days.entry(run.run.key.day).or_default().push(run);
    }
    let mut made = Snapshot::default();
    let platforms = platforms(runs);
    for (day, runs) in &days {
        let incident = Incident::of(*day, runs);
        for (run, fate) in fates(*day, runs, &incident, &platforms) {
            if let Some(change) = fate.change(run, now) {
                made.trips.entry(run.run.key.trip.clone()).or_default().push(change);
            }
        }
        made.alerts.extend(incident.alert(*day, now));
        if let Some(works) = works(*day, runs, now) {
            // Yesterday's trains still run after midnight, in the same week.
            made.alerts.retain(|alert| alert.id != works.id);
            made.alerts.push(works);
        }
    }
    if !days.is_empty() {
        made.trips_as_of = Some(now);
        made.alerts_as_of = Some(now);
    }
    made
}

/// A run with its ends.
struct Planned<'a> {
    run: &'a ScheduledRun,
    leaves: Timestamp,
    arrives: Timestamp,
}

impl<'a> Planned<'a> {
    fn of(run: &'a ScheduledRun) -> Option<Self> {
        let leaves = run.calls.iter().find_map(|call| call.departure)?;
        let arrives = run.calls.iter().rev().find_map(|call| call.arrival)?;
        (leaves < arrives).then_some(Self { run, leaves, arrives })
    }

    fn length(&self) -> Duration {
        self.arrives.since(self.leaves)
    }
}

/// What happens to a run that does not go as scheduled.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    /// How late it is at its worst.
    Late(Duration),
    /// Known this long before it would leave.
    Cancelled(Duration),
    /// Where it leaves from instead of its first platform.
    Platform(String),
}

/// One cancellation for every 250 trains of a day, one other platform for every 100, one late train in 9 and those that the incident
/// holds up; of each at least one, as far as there are trains.
fn fates<'a, 'b>(
    day: Date,
    runs: &'b [Planned<'a>],
    incident: &Incident,
    platforms: &BTreeMap<&str, BTreeSet<&str>>,
) -> Vec<(&'b Planned<'a>, Fate)> {
    let mut order: Vec<&Planned> = runs.iter().filter(|run| run.length() >= SHORTEST).collect();
    order.sort_by_key(|run| (draw(&[&day.to_string(), &run.run.key.trip, "fate"]), &run.run.key.trip));
    let (cancelled, moved, late) =
        (order.len().div_ceil(250), order.len().div_ceil(100), order.len().div_ceil(9));
    let mut found = Vec::new();
    let mut counts = (0, 0, 0);
    for run in order {
        let seed = draw(&[&day.to_string(), &run.run.key.trip, "how"]);
        let elsewhere = other_platform(run, platforms, seed);
        // The late ones first: where there is but one train, it is late.
        let fate = if counts.2 == 0 {
            counts.2 += 1;
            Fate::Late(height(run, seed))
        } else if counts.0 < cancelled {
            counts.0 += 1;
            // The day's first one is known from the start.
            Fate::Cancelled(if counts.0 == 1 { HOUR * 48 } else { CANCELLATION_SHOWS })
        } else if let Some(stop) = elsewhere.filter(|_| counts.1 < moved) {
            counts.1 += 1;
            Fate::Platform(stop)
        } else if counts.2 < late || incident.holds_up(run) {
            counts.2 += 1;
            Fate::Late(height(run, seed))
        } else {
            continue;
        };
        found.push((run, fate));
    }
    found
}

/// Four minutes to half an hour, and not more than half of a short run, lest the train had to arrive before it left.
fn height(run: &Planned, seed: u64) -> Duration {
    let drawn = Duration::from_secs(60 * (4 + seed % 27));
    drawn.min(run.length() / 2).max(MINUTE * 4)
}

impl Fate {
    /// None: nothing is known yet, or it is over.
    fn change(&self, run: &Planned, now: Timestamp) -> Option<TripChange> {
        let (before, after) = match self {
            Fate::Late(height) => (DELAY_SHOWS, STAYS + *height),
            Fate::Cancelled(before) => (*before, STAYS),
            Fate::Platform(_) => (PLATFORM_SHOWS, STAYS),
        };
        if now < run.leaves.minus(before) || now > run.arrives.plus(after) {
            return None;
        }
        let (running, stops) = match self {
            Fate::Late(height) => (Running::Scheduled, late(run, *height, now)?),
            Fate::Cancelled(_) => (Running::Cancelled, Vec::new()),
            Fate::Platform(stop) => (Running::Scheduled, vec![moved(run.run.calls.first()?, stop)]),
        };
        let route = Some(run.run.route.clone());
        Some(TripChange { day: Some(run.run.key.day), running, route, delay: None, stops, as_of: now })
    }
}

/// Every call with what is known of it at `now`: where the train has been, as late as it then was; ahead, as late as it is now.
fn late(run: &Planned, height: Duration, now: Timestamp) -> Option<Vec<StopChange>> {
    let shift = |scheduled: Option<Timestamp>| {
        let scheduled = scheduled?;
        Some(Shift::Delay(minutes_late(run, height, scheduled.min(now)) * 60))
    };
    let stops: Vec<StopChange> = run
        .run
        .calls
        .iter()
        .map(|call| StopChange {
            arrival: shift(call.arrival),
            departure: shift(call.departure),
            ..unchanged(call)
        })
        .collect();
    let any = stops.iter().any(|stop| stop.departure.or(stop.arrival) != Some(Shift::Delay(0)));
    any.then_some(stops)
}

/// Whole minutes, as the demonstration's timetable has (between two calls less than a minute apart, a loss of one would turn them round):
/// from none when it first shows, up to the height at two fifths of the run, down to three fifths of it at the end.
fn minutes_late(run: &Planned, height: Duration, at: Timestamp) -> i64 {
    let shows = run.leaves.minus(DELAY_SHOWS);
    let worst = run.leaves.plus(run.length() * 2 / 5);
    let share = if at <= worst { part(shows, worst, at) } else { 1.0 - 0.4 * part(worst, run.arrives, at) };
    (height.as_secs_f64() / 60.0 * share) as i64
}

/// How far `at` is on the way, 0 to 1.
fn part(from: Timestamp, to: Timestamp, at: Timestamp) -> f64 {
    let whole = to.since(from).as_secs_f64();
    if whole == 0.0 { 1.0 } else { (at.since(from).as_secs_f64() / whole).min(1.0) }
}

fn moved(call: &ScheduledCall, stop: &str) -> StopChange {
    let zero = |scheduled: Option<Timestamp>| scheduled.map(|_| Shift::Delay(0));
    StopChange {
        arrival: zero(call.arrival),
        departure: zero(call.departure),
        assigned_stop_id: Some(stop.to_owned()),
        ..unchanged(call)
    }
}

fn unchanged(call: &ScheduledCall) -> StopChange {
    StopChange {
        sequence: Some(call.sequence),
        stop_id: Some(call.stop.clone()),
        arrival: None,
        departure: None,
        skipped: false,
        no_data: false,
        assigned_stop_id: None,
    }
}

/// The platforms that trains use, by station.
fn platforms(runs: &[ScheduledRun]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for call in runs.iter().flat_map(|run| &run.calls) {
        found.entry(&call.station).or_default().insert(&call.stop);
    }
    found
}

fn other_platform(run: &Planned, platforms: &BTreeMap<&str, BTreeSet<&str>>, seed: u64) -> Option<String> {
    let first = run.run.calls.first()?;
    let others: Vec<&str> =
        platforms.get(first.station.as_str())?.iter().copied().filter(|stop| *stop != first.stop).collect();
    let chosen = usize::try_from(seed).unwrap_or(0).checked_rem(others.len())?;
    Some(others[chosen].to_owned())
}

/// One a day: on one line, for two to four hours, holding up the trains that leave meanwhile.
struct Incident {
    route: String,
    from: Timestamp,
    until: Timestamp,
}

impl Incident {
    fn of(day: Date, runs: &[Planned]) -> Self {
        let seed = draw(&[&day.to_string(), "incident"]);
        let (start, end) = span(runs);
        // In the second to fourth fifth of the day's traffic.
        let from = start.plus(end.since(start).mul_f64(0.2 + 0.4 * (seed % 1000) as f64 / 1000.0));
        let until = from.plus(HOUR * 2 + MINUTE * u32::try_from(seed / 1000 % 120).unwrap_or(0));
        Self { route: route(runs, seed), from, until }
    }

    fn holds_up(&self, run: &Planned) -> bool {
        run.run.route == self.route && self.from <= run.leaves && run.leaves < self.until
    }

    /// Nobody knows of it before it happens, or how long it will last.
    fn alert(&self, day: Date, now: Timestamp) -> Option<Alert> {
        (self.from <= now && now < self.until).then(|| Alert {
            id: format!("demo-incident-{day}"),
            cause: "technical_problem".to_owned(),
            effect: "significant_delays".to_owned(),
            header: words(
                "Démonstration, incident inventé : panne de signalisation, trains retardés",
                "Demonstration, invented incident: signal failure, trains delayed",
            ),
            description: words(
                "Ceci est une démonstration : cet incident est inventé. Une panne de signalisation retarde les trains de cette ligne de quelques minutes à une demi-heure.",
                "This is a demonstration: this incident is invented. A signal failure delays the trains of this line by a few minutes to half an hour.",
            ),
            periods: vec![(Some(self.from), None)],
            routes: vec![self.route.clone()],
            stops: Vec::new(),
            trips: Vec::new(),
            as_of: now,
        })
    }
}

/// Announced in two weeks of each month (counted from its first day, by seven), on one line a week. No train changes for them.
fn works(day: Date, runs: &[Planned], now: Timestamp) -> Option<Alert> {
    let month = day.strftime("%Y-%m").to_string();
    let (week, weekday) = ((day.day() - 1) / 7, (day.day() - 1) % 7);
    let week = u64::try_from(week).unwrap_or(0);
    let first = draw(&[&month, "works"]) % 2;
    if week % 2 != first || week > 3 {
        return None;
    }
    let (start, end) = span(runs);
    let until = end.plus(HOUR * 24 * u32::try_from(6 - weekday).unwrap_or(0));
    (now < end).then(|| Alert {
        id: format!("demo-works-{month}-{week}"),
        cause: "maintenance".to_owned(),
        effect: "other_effect".to_owned(),
        header: words(
            "Démonstration, travaux inventés : chantier le long de la voie, horaires inchangés",
            "Demonstration, invented works: building site along the track, times unchanged",
        ),
        description: words(
            "Ceci est une démonstration : ces travaux sont inventés. Un chantier longe la voie cette semaine ; les trains circulent aux horaires habituels.",
            "This is a demonstration: these works are invented. There is a building site along the track this week; trains run at their usual times.",
        ),
        periods: vec![(Some(start), Some(until))],
        routes: vec![route(runs, draw(&[&month, &week.to_string(), "works"]))],
        stops: Vec::new(),
        trips: Vec::new(),
        as_of: now,
    })
}

/// First departure and last arrival of a day.
fn span(runs: &[Planned]) -> (Timestamp, Timestamp) {
    let start = runs.iter().map(|run| run.leaves).min().unwrap_or_default();
    (start, runs.iter().map(|run| run.arrives).max().unwrap_or_default())
}

/// One of the day's lines.
fn route(runs: &[Planned], seed: u64) -> String {
    let routes: BTreeSet<&str> = runs.iter().map(|run| run.run.route.as_str()).collect();
    let chosen = usize::try_from(seed).unwrap_or(0).checked_rem(routes.len()).unwrap_or(0);
    routes.into_iter().nth(chosen).unwrap_or_default().to_owned()
}

fn words(fr: &str, en: &str) -> BTreeMap<Lang, String> {
    BTreeMap::from([(Lang::FR, fr.to_owned()), (Lang::EN, en.to_owned())])
}

/// A number that looks drawn and is always the same for the same words: FNV-1a, 64 bits (its constants are published with it), and a
/// last mixing so that neighbouring dates do not give neighbouring numbers.
fn draw(words: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in words.iter().flat_map(|word| word.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}

#[cfg(test)]
#[path = "demo_live_tests.rs"]
mod tests;
