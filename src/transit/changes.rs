//! How long it takes to change trains: `transfers.txt`, and the house's own minimum where it is silent.

use super::timetable::StopPoint;
use gtfs_structures::{RawTransfer, TransferType};
use std::collections::HashMap;
use std::time::Duration;

/// Time to change trains where the feed says nothing else, between any two platforms of one station and for walks that
/// `transfers.txt` recommends without a duration. By judgement: what railways commonly plan for a small station.
pub const MIN_CHANGE: Duration = Duration::from_secs(300);
/// Most stops of one station: pairs of them are kept, and more than that is a damaged file.
const MOST_PLATFORMS: usize = 500;
/// Longest walk that we believe, in seconds.
const LONGEST_WALK: u32 = 4 * 3600;

/// Where one can get on after getting off, and how long that takes.
#[derive(Debug)]
pub(super) struct Changes {
    /// By stop: (other stop, seconds).
    out: Vec<Box<[(u32, u32)]>>,
    /// The same the other way: from which stops one can come.
    into: Vec<Box<[(u32, u32)]>>,
}

/// A side of a row of `transfers.txt`: "if it refers to a station, the rule applies to all of its stops".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Stop(u32),
    Station(u32),
}

/// Seconds; none: no change is possible there.
type Rule = Option<u32>;

impl Changes {
    /// `resolve` gives the stop and the station of an id, where it is one. An error is a file and what is wrong in it.
    ///
    /// A row about two stops wins over one about their stations. Rows that differ by route or trip are read without those
    /// columns, so the longest time of a pair holds, and "impossible" beats any: rather one connection too few. Rows of
    /// types 4 and 5 speak of trips that run on as another one, not of changes.
    pub(super) fn new(
        stops: &[StopPoint],
        stations: usize,
        rows: &[RawTransfer],
        resolve: impl Fn(&str) -> (Option<u32>, Option<u32>),
    ) -> Result<Self, (&'static str, String)> {
        let mut members = vec![Vec::new(); stations];
        for (index, stop) in stops.iter().enumerate() {
            members[stop.station as usize].push(index as u32);
        }
        if let Some(crowd) = members.iter().find(|crowd| crowd.len() > MOST_PLATFORMS) {
            let id = &stops[crowd[0] as usize].id;
            let what = format!(
                "the station of '{id}' has {} stops; at most {MOST_PLATFORMS} can be read",
                crowd.len()
            );
            return Err(("stops.txt", what));
        }
        let side = |id: &str| match resolve(id) {
            // A stop without a parent is its own station.
            (_, Some(station)) => Some((Side::Station(station), station)),
            (Some(stop), None) => Some((Side::Stop(stop), stops[stop as usize].station)),
            (None, None) => None,
        };
        let mut rules = Rules::default();
        for row in rows {
            if let (Some(from), Some(to)) = (side(&row.from_stop_id), side(&row.to_stop_id)) {
                rules.read(row, from, to);
            }
        }
        let mut out = Vec::with_capacity(stops.len());
        for (from, stop) in stops.iter().enumerate() {
            let from = (from as u32, stop.station);
            let stations = std::iter::once(from.1).chain(rules.neighbours(from.0, from.1));
            let reach = stations.flat_map(|station| &members[station as usize]).filter_map(|&to| {
                rules.seconds(from, (to, stops[to as usize].station)).map(|seconds| (to, seconds))
            });
            out.push(reach.collect::<Box<[_]>>());
        }
        let mut into = vec![Vec::new(); stops.len()];
        for (from, reach) in out.iter().enumerate() {
            for &(to, seconds) in reach {
                into[to as usize].push((from as u32, seconds));
            }
        }
        Ok(Self { out, into: into.into_iter().map(Vec::into_boxed_slice).collect() })
    }

    /// Stops at which one can board after alighting at `stop`, itself among them, with the seconds it takes.
    pub(super) fn from(&self, stop: u32) -> &[(u32, u32)] {
        &self.out[stop as usize]
    }

    /// Stops at which one can have alighted to board at `stop`.
    pub(super) fn to(&self, stop: u32) -> &[(u32, u32)] {
        &self.into[stop as usize]
    }
}

/// `transfers.txt` by pair of sides.
#[derive(Default)]
struct Rules {
    pairs: HashMap<(Side, Side), Rule>,
    /// By first side: the stations that some row leads to.
    reach: HashMap<Side, Vec<u32>>,
}

impl Rules {
    fn read(&mut self, row: &RawTransfer, from: (Side, u32), to: (Side, u32)) {
        let shortest = u32::try_from(MIN_CHANGE.as_secs()).unwrap_or(u32::MAX);
        let rule = match row.transfer_type {
            TransferType::Impossible => None,
            // The departing train waits for the arriving one.
            TransferType::Timed => Some(row.min_transfer_time.unwrap_or(0)),
            TransferType::Recommended | TransferType::MinTime => {
                Some(row.min_transfer_time.unwrap_or(shortest))
            }
            TransferType::StayOnBoard | TransferType::MustAlight => return,
        };
        let rule = rule.filter(|&seconds| seconds <= LONGEST_WALK);
        let kept = self.pairs.entry((from.0, to.0)).or_insert(rule);
        *kept = match (*kept, rule) {
            (Some(one), Some(other)) => Some(one.max(other)),
            _ => None,
        };
        self.reach.entry(from.0).or_default().push(to.1);
    }

    /// Other stations that rows lead to from a stop or its station.
    fn neighbours(&self, stop: u32, station: u32) -> Vec<u32> {
        let sides = [Side::Stop(stop), Side::Station(station)];
        let mut found: Vec<u32> =
            sides.iter().filter_map(|side| self.reach.get(side)).flatten().copied().collect();
        found.retain(|&other| other != station);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// (stop, station) to (stop, station).
    fn seconds(&self, from: (u32, u32), to: (u32, u32)) -> Rule {
        let shortest = u32::try_from(MIN_CHANGE.as_secs()).ok();
        let sides = |(stop, station)| [Side::Stop(stop), Side::Station(station)];
        let rule = sides(from)
            .into_iter()
            .flat_map(|from| sides(to).map(|to| (from, to)))
            .find_map(|pair| self.pairs.get(&pair));
        rule.copied().unwrap_or(shortest.filter(|_| from.1 == to.1))
    }
}
