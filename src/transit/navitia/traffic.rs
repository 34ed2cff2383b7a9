//! The traffic of a line, a station or two: what is announced, and its trains counted.

use super::alerts::alert;
use super::ask::{Asked, Listed, MOST};
use crate::model::Timestamp;
use crate::transit::live::Alert;
use crate::transit::planner::{LiveState, Moment, Ride, Traffic, TrafficQuery, Unknown};
use crate::transit::traffic::LATE;
use std::collections::HashSet;
use std::time::Duration;

/// Lines, or networks, of one report.
const REPORTS: usize = 100;
/// Trains are counted so far ahead, whatever period is asked about.
const COUNTED: Duration = Duration::from_secs(24 * 3600);

impl Asked<'_> {
    /// `live` is what its live data is worth, announcements included.
    pub(super) async fn traffic(&self, query: &TrafficQuery, live: LiveState) -> Result<Traffic, Unknown> {
        let until = query.until.min(query.from.plus(COUNTED));
        let (line, alerts, listed) = match (&query.line, query.stations.as_slice()) {
            (Some(line), _) => {
                let (id, name) = self.line(line).await?;
                let path = ["lines", id.as_str()];
                let alerts = self.announced(&path, query).await?;
                (Some(name), alerts, self.list(&path, query.from, until, MOST).await?)
            }
            (None, [station]) => {
                let id = self.theirs(station)?;
                let path = ["stop_areas", id.as_str()];
                (None, self.announced(&path, query).await?, self.list(&path, query.from, until, MOST).await?)
            }
            (None, [from, to, ..]) => {
                let (here, there) = (self.theirs(from)?, self.theirs(to)?);
                let mut alerts = self.announced(&["stop_areas", &here], query).await?;
                let others = self.announced(&["stop_areas", &there], query).await?;
                // What concerns the lines of only one of them says nothing of the way between.
                alerts.retain(|alert| others.iter().any(|other| other.id == alert.id));
                (None, alerts, self.listed_between(from, to, query.from, until).await?)
            }
            (None, []) => return Err(Unknown::TooWide),
        };
        if listed.full || listed.inexact {
            return Err(Unknown::Source("there are trains that cannot be counted".into()));
        }
        Ok(counted(line, alerts, live, listed))
    }

    /// The one line of that code or name, in whatever case: its id, and its name as its operator writes it.
    async fn line(&self, asked: &str) -> Result<(String, String), Unknown> {
        let unknown = || Unknown::Line(asked.to_owned());
        let query = [("q", asked), ("type[]", "line"), ("count", "25"), ("disable_geojson", "true")];
        let answer = self.get(&["pt_objects"], &query).await?.ok_or_else(unknown)?;
        let wanted = asked.trim().to_lowercase();
        let same =
            |text: &Option<String>| text.as_deref().is_some_and(|text| text.trim().to_lowercase() == wanted);
        let lines = answer.pt_objects.iter().filter_map(|object| object.line.as_ref());
        let mut lines = lines.filter(|line| !line.id.is_empty() && (same(&line.code) || same(&line.name)));
        let line = lines.next().ok_or_else(unknown)?;
        if lines.any(|other| other.id != line.id) {
            return Err(Unknown::Source("several lines have that name".into()));
        }
        let name = line.code.clone().filter(|code| !code.trim().is_empty()).or_else(|| line.name.clone());
        Ok((line.id.clone(), name.unwrap_or_else(|| asked.to_owned())))
    }

    /// The announcements that hold somewhere in the asked period. Some coverages fill only one of the two reports.
    async fn announced(&self, path: &[&str], query: &TrafficQuery) -> Result<Vec<Alert>, Unknown> {
        let alerts = self.reported(path, "line_reports", query).await?;
        if alerts.is_empty() { self.reported(path, "traffic_reports", query).await } else { Ok(alerts) }
    }

    async fn reported(
        &self,
        path: &[&str],
        report: &str,
        query: &TrafficQuery,
    ) -> Result<Vec<Alert>, Unknown> {
        let path: Vec<&str> = path.iter().copied().chain([report]).collect();
        let (since, until) = (self.map.asked(query.from), self.map.asked(query.until));
        let count = REPORTS.to_string();
        let asked =
            [("since", since.as_str()), ("until", &until), ("count", &count), ("disable_geojson", "true")];
        let Some(answer) = self.get(&path, &asked).await? else { return Ok(Vec::new()) };
        if answer.pagination.is_some_and(|page| page.total_result > REPORTS) {
            return Err(Unknown::Source("there are more announcements than are read".into()));
        }
        let alerts = answer.disruptions.iter();
        let alerts = alerts
            .filter_map(|disruption| alert(&self.map, disruption, self.navitia.lang, self.as_of))
            .filter(|alert| is_general(alert) && holds(alert, query));
        Ok(alerts.collect())
    }
}

/// What concerns single trains is counted with them.
fn is_general(alert: &Alert) -> bool {
    alert.trips.is_empty() || !alert.routes.is_empty() || !alert.stops.is_empty()
}

fn holds(alert: &Alert, query: &TrafficQuery) -> bool {
    let meets = |&(from, until): &(Option<Timestamp>, Option<Timestamp>)| {
        from.is_none_or(|from| from < query.until) && until.is_none_or(|until| until > query.from)
    };
    alert.periods.is_empty() || alert.periods.iter().any(meets)
}

/// Each train once, where it is first listed.
fn counted(line: Option<String>, alerts: Vec<Alert>, live: LiveState, listed: Listed) -> Traffic {
    let mut seen = HashSet::new();
    let mut once = |rides: Vec<Ride>| -> Vec<Ride> {
        rides.into_iter().filter(|ride| seen.insert(ride.train.key.clone())).collect()
    };
    let running = once(listed.rides);
    let late = |ride: &&Ride| {
        let late = |moment: Option<Moment>| {
            moment.is_some_and(|moment| moment.best() >= moment.scheduled.plus(LATE))
        };
        late(ride.from.departure) || late(ride.to.arrival)
    };
    let late = running.iter().filter(late).cloned().collect();
    Traffic {
        line,
        alerts,
        announced: live,
        trains: live,
        running: running.len(),
        late,
        cancelled: once(listed.cancelled),
    }
}
