//! The timetable: how fast and in how much memory feeds load, and how long one core takes for a question. Beside it, from the same
//! run, the peer that reads whole feeds (gtfs-structures' `Gtfs`) and a scan without any index.
//!
//! `cargo bench --bench transit -- [--json]`. The feeds are looked for in ../shared/data/gtfs; absent ones are named.

#[path = "../tests/journeys_brute_force/raw.rs"]
#[allow(dead_code, clippy::unwrap_used)] // a test, which uses the rest and may panic
mod raw;
mod report;

use futures::executor::block_on;
use gtfs_structures::GtfsReader;
use guichet::model::Timestamp;
use guichet::transit::live::LiveHandle;
use guichet::transit::planner::{BoardQuery, Ends, JourneyQuery, Planner, When};
use guichet::transit::{LiveLimits, Local, MIN_CHANGE, Timetable, TimetableHandle};
use jiff::civil::Date;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use report::Row;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The bars of the project.
const LOAD_BAR: &str = "bar: 1000 ms, 150 MiB";
const DEPARTURES_BAR: &str = "bar: 1 ms";
const JOURNEYS_BAR: &str = "bar: 10 ms";
const FEEDS: [(&str, &str); 3] = [
    ("SNCF TGV", "sncf-tgv-2024-12.zip"),
    ("NYC subway", "nyc_subway_gtfs.zip"),
    ("Cairns", "cairns_gtfs.zip"),
];
const SNCF: &str = FEEDS[0].1;
/// Loads of each reader, each in a process of its own; the median is told.
const LOADS: usize = 7;
const DEPARTURES: usize = 20_000;
const JOURNEYS: usize = 5_000;
/// Questions for the scans, which are slow.
const SCANNED: usize = 200;

#[derive(Clone, Copy)]
struct Load {
    ms: f64,
    /// Growth of resident memory, when loaded and at most, in MiB.
    kept: f64,
    peak: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, load, reader, path] = arguments.as_slice()
        && load == "load"
    {
        let Load { ms, kept, peak } = load_here(reader, Path::new(path))?;
        println!("{ms} {kept} {peak}");
        return Ok(());
    }
    let mut rows = Vec::new();
    for (name, file) in FEEDS {
        let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/gtfs")).join(file);
        if path.exists() {
            measure(name, &path, &mut rows)?;
        } else {
            eprintln!("absent, not measured: shared/data/gtfs/{file}");
        }
    }
    report::print(&rows);
    Ok(())
}

fn measure(name: &str, path: &Path, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let (ours, peer) = (median(&loads("ours", path)?), median(&loads("peer", path)?));
    let shown = |load: Load| format!("{:.0} ms, {:.0} MiB (peak {:.0})", load.ms, load.kept, load.peak);
    let beside = format!(
        "{LOAD_BAR}; {:.2} × the peer's time, {:.2} × its memory",
        ours.ms / peer.ms,
        ours.kept / peer.kept
    );
    rows.push((format!("{name}: load"), shown(ours), beside));
    rows.push((format!("{name}: load, gtfs-structures' Gtfs"), shown(peer), "the peer".into()));

    let table = Timetable::load(path, name)?;
    let stations: Vec<String> = table.stations().iter().map(|station| station.id.clone()).collect();
    let zone = table.zone().clone();
    let (first, last) = table.validity();
    let planner =
        Local::new(TimetableHandle::new(table), LiveHandle::default(), LiveLimits::default(), false);
    let instant = |day: Date, minute: i64| {
        let midnight = day.at(0, 0, 0, 0).to_zoned_datetime(zone.clone())?;
        anyhow::Ok(
            Timestamp::from_jiff(midnight.timestamp()).plus(Duration::from_secs(60 * minute.unsigned_abs())),
        )
    };
    let mut rng = StdRng::seed_from_u64(1);
    let span = i64::from((last - first).get_days());
    let middle = first.checked_add(jiff::Span::new().days(span / 2))?;
    let mut draw = |whole: bool| {
        let day = if whole {
            first.checked_add(jiff::Span::new().days(rng.random_range(0..=span)))?
        } else {
            middle
        };
        let mut station = || stations[rng.random_range(0..stations.len())].clone();
        let (from, to) = (station(), station());
        anyhow::Ok((from, to, instant(day, rng.random_range(5 * 60..24 * 60))?))
    };

    let mut times = Vec::new();
    for rank in 0..DEPARTURES {
        let (station, to, at) = draw(true)?;
        let other = (rank % 2 == 0 && to != station).then_some(to);
        let query = BoardQuery { station, other, ends: Ends::Departures, at, limit: 5 };
        times.push(timed(|| drop(block_on(planner.board(&query, at)))));
    }
    percentiles(rows, &format!("{name}: next departures, any day"), &mut times, DEPARTURES_BAR);
    for (whole, what) in [(false, "one day"), (true, "any day, most of them the first time")] {
        let mut times = Vec::new();
        for _ in 0..if whole { JOURNEYS / 5 } else { JOURNEYS } {
            let (from, to, at) = draw(whole)?;
            let query = JourneyQuery { from, to, via: None, when: When::DepartAfter(at), limit: 3 };
            times.push(timed(|| drop(block_on(planner.journeys(&query, at)))));
        }
        percentiles(rows, &format!("{name}: journeys, {what}"), &mut times, JOURNEYS_BAR);
    }
    if path.ends_with(SNCF) {
        let drawn = (0..SCANNED).map(|_| draw(false)).collect::<anyhow::Result<Vec<_>>>()?;
        scans(name, path, middle, &drawn, &planner, rows);
    }
    Ok(())
}

/// The same questions, answered by looking at every train of the day.
fn scans(
    name: &str,
    path: &Path,
    day: Date,
    drawn: &[(String, String, Timestamp)],
    planner: &Local,
    rows: &mut Vec<Row>,
) {
    let feed = raw::Feed::read(path);
    let runs = feed.runs((-1..=1).filter_map(|by| day.checked_add(jiff::Span::new().days(by)).ok()));
    let change = MIN_CHANGE.as_secs().cast_signed();
    let (mut board, mut scan, mut journeys, mut brute) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (from, to, at) in drawn.iter().filter(|(from, to, _)| from != to) {
        let seconds = at.0 / 1_000_000;
        let query = BoardQuery {
            station: from.clone(),
            other: Some(to.clone()),
            ends: Ends::Departures,
            at: *at,
            limit: 5,
        };
        board.push(timed(|| drop(block_on(planner.board(&query, *at)))));
        scan.push(timed(|| drop(raw::direct(&runs, from, to, seconds, feed.start(day) + 28 * 3600))));
        let when = When::DepartAfter(*at);
        let query = JourneyQuery { from: from.clone(), to: to.clone(), via: None, when, limit: 3 };
        journeys.push(timed(|| drop(block_on(planner.journeys(&query, *at)))));
        let until = seconds + 24 * 3600;
        brute.push(timed(|| {
            raw::earliest_arrival(&runs, from, to, seconds, until, change);
        }));
    }
    for (what, ours, scan) in [("departures", &mut board, &mut scan), ("journeys", &mut journeys, &mut brute)]
    {
        let (ours, scan) = (percentile(ours, 0.5), percentile(scan, 0.5));
        let beside = format!("ours on the same questions: {ours:.3} ms, {:.4} ×", ours / scan);
        rows.push((format!("{name}: {what} by a scan of the day, p50"), format!("{scan:.3} ms"), beside));
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn percentiles(rows: &mut Vec<Row>, what: &str, times: &mut [Duration], bar: &str) {
    let value = format!("p50 {:.3} ms, p99 {:.3} ms", percentile(times, 0.5), percentile(times, 0.99));
    rows.push((what.to_owned(), value, format!("{bar}; {} questions", times.len())));
}

/// Nearest-rank percentile in milliseconds.
fn percentile(times: &mut [Duration], p: f64) -> f64 {
    times.sort_unstable();
    let rank = (times.len() as f64 * p).ceil() as usize;
    times.get(rank.saturating_sub(1)).map_or(0.0, |t| t.as_secs_f64() * 1e3)
}

/// In processes of their own, so that what one load leaves to the allocator does not flatter the next.
fn loads(reader: &str, path: &Path) -> anyhow::Result<Vec<Load>> {
    let one = |_| {
        let output = Command::new(std::env::current_exe()?).args(["load", reader]).arg(path).output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        anyhow::ensure!(
            numbers.len() == 3,
            "{reader} did not load: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(Load { ms: numbers[0], kept: numbers[1], peak: numbers[2] })
    };
    (0..LOADS).map(one).collect()
}

fn median(loads: &[Load]) -> Load {
    let middle = |of: fn(&Load) -> f64| {
        let mut values: Vec<f64> = loads.iter().map(of).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Load { ms: middle(|load| load.ms), kept: middle(|load| load.kept), peak: middle(|load| load.peak) }
}

fn load_here(reader: &str, path: &Path) -> anyhow::Result<Load> {
    let (before, _) = memory()?;
    let started = Instant::now();
    let loaded: Box<dyn std::any::Any> = if reader == "ours" {
        Box::new(Timetable::load(path, "")?)
    } else {
        Box::new(GtfsReader::default().read_shapes(false).read_from_path(path)?)
    };
    let ms = started.elapsed().as_secs_f64() * 1e3;
    let (kept, peak) = memory()?;
    drop(loaded);
    Ok(Load { ms, kept: kept - before, peak: peak - before })
}

/// Resident memory of this process, now and at most, in MiB. From Linux' /proc.
fn memory() -> anyhow::Result<(f64, f64)> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib =
            line.and_then(|line| line.trim_start_matches(':').trim().split(' ').next()?.parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).ok_or_else(|| anyhow::anyhow!("/proc/self/status has no {name}"))
    };
    Ok((field("VmRSS")?, field("VmHWM")?))
}
