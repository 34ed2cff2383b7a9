//! News of what contacts watch: their trains, and the alerts and disruptions of their lines, stations and pairs.
//!
//! A train that the same contact was told about is left to the corrections, which know what they heard. Everything
//! else is held against the schedule, and each event has a key: an alert has two, its id and its words, since some
//! feeds give new ids to old alerts and others new words to old ids.

use super::change::{Change, event, of_ride, of_run};
use super::corrections::TRAIN_KEPT;
use super::words::{Scene, facts};
use super::{LISTED, Notice, Notifier, PAGE, fresh};
use crate::answers::{is_within, watched};
use crate::model::{ContactId, EventKind, Lang, MessageId, Timestamp, TrainKey, Watched};
use crate::store::{StoreError, Tx, Watch};
use crate::transit::live::Alert;
use crate::transit::planner::{LiveState, Provenance, Run, Told, Traffic, TrafficQuery};
use jiff::civil::Date;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How far ahead watched trains are looked at: who travels tomorrow morning wants to know this evening.
const TRAINS_AHEAD: Duration = Duration::from_secs(24 * 3600);
/// The same of lines, stations and pairs.
const TRAFFIC_AHEAD: Duration = Duration::from_secs(12 * 3600);
/// An alert older than this is no news: the bar beyond which alerts are announced as old.
const ALERT_FRESH: Duration = Duration::from_secs(10 * 60);
/// How long an alert is known to have been said. One that goes on for longer is said again.
const ALERT_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Characters of an alert that are said: its title, not its whole text.
const ALERT_CHARS: usize = 300;

/// Something to say for a watch.
struct Finding {
    /// Said, when any of them is.
    keys: Vec<String>,
    what: News,
}

enum News {
    Alert(Box<Alert>),
    Train(Box<Change>),
}

impl Finding {
    /// None: of no train.
    fn departs(&self) -> Option<Timestamp> {
        match &self.what {
            News::Train(change) => Some(change.departs()),
            News::Alert(_) => None,
        }
    }

    fn expires(&self, now: Timestamp) -> Timestamp {
        match &self.what {
            News::Train(change) => change.now.departs.plus(TRAIN_KEPT),
            News::Alert(_) => now.plus(ALERT_KEPT),
        }
    }
}

/// What the planner answered during one pass: many watch the same.
#[derive(Default)]
struct Answers {
    runs: HashMap<(String, Date), Vec<Run>>,
    traffic: Vec<(Watched, Option<Told<Traffic>>)>,
}

impl Notifier {
    /// Says what happened to what is watched: one message a watch. How many that were.
    pub(super) async fn tell_watchers(&self, now: Timestamp) -> Result<usize, StoreError> {
        let Ok(provenance) = self.planner.provenance(now) else { return Ok(0) };
        let mut answers = Answers::default();
        let mut said = 0;
        let mut after = None;
        loop {
            let page = self.store.read().await?.running_watches(now, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(said) };
            after = Some(last.id);
            for watch in &page {
                let mut found = self.findings(watch, &mut answers, now).await?;
                found.retain(|finding| self.may_say(finding.departs(), now));
                if !found.is_empty() {
                    let mut tx = self.store.read().await?;
                    found = unsaid(&mut tx, watch.contact_id, found).await?;
                }
                if !found.is_empty() {
                    said += usize::from(self.tell_watcher(watch, found, &provenance, now).await?);
                }
            }
        }
    }

    async fn findings(
        &self,
        watch: &Watch,
        answers: &mut Answers,
        now: Timestamp,
    ) -> Result<Vec<Finding>, StoreError> {
        if let Watched::Train { number } = &watch.what {
            return self.of_train(watch, number, answers, now).await;
        }
        let recently =
            watch.told_at.is_some_and(|at| now.since(at) < Duration::from(self.config.again_after));
        if recently || watch.from >= now.plus(TRAFFIC_AHEAD) {
            return Ok(Vec::new());
        }
        let Some(told) = self.traffic_of(&watch.what, answers, now).await else { return Ok(Vec::new()) };
        let traffic = &told.value;
        let mut found: Vec<Finding> = traffic.alerts.iter().filter_map(|a| of_alert(a, watch, now)).collect();
        if matches!(traffic.trains, LiveState::Fresh(_)) {
            let rides = traffic.cancelled.iter().chain(&traffic.late);
            let within = |at: Timestamp| at > now && watch.from <= at && at < watch.until;
            let trains = rides.filter_map(|ride| of_ride(ride, self.limits()));
            found.extend(trains.filter(|(_, change)| within(change.now.departs)).map(of_train));
        }
        Ok(found)
    }

    /// Every run of a watched train that is under way or near within the time of the watch.
    async fn of_train(
        &self,
        watch: &Watch,
        number: &str,
        answers: &mut Answers,
        now: Timestamp,
    ) -> Result<Vec<Finding>, StoreError> {
        let (from, until) = (watch.from.max(now), watch.until.min(now.plus(TRAINS_AHEAD)));
        if from >= until {
            return Ok(Vec::new());
        }
        let day = |at: Timestamp| at.to_jiff().to_zoned_datetime(self.planner.zone()).date();
        // A service day goes on after midnight.
        let first = day(from).yesterday().unwrap_or_else(|_| day(from));
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        let mut found = Vec::new();
        for day in days.take_while(|one| *one <= day(until)) {
            for run in self.runs_of(number, day, answers, now).await {
                if !is_within(run, from, until) {
                    continue;
                }
                let cancelled = event(&run.train.key, "cancelled");
                let was_cancelled = self.store.read().await?.is_said(watch.contact_id, &cancelled).await?;
                found.extend(of_run(run, was_cancelled, self.limits(), now).into_iter().map(of_train));
            }
        }
        Ok(found)
    }

    /// Empty, too, when nothing fresh is known.
    async fn runs_of<'a>(
        &self,
        number: &str,
        day: Date,
        answers: &'a mut Answers,
        now: Timestamp,
    ) -> &'a [Run] {
        let key = (number.to_owned(), day);
        if !answers.runs.contains_key(&key) {
            let runs = match self.planner.train(number, day, now).await {
                Ok(told) if fresh(&told.provenance).is_some() => told.value,
                Ok(_) => Vec::new(),
                Err(why) => {
                    tracing::debug!(%why, "a watched train cannot be looked up");
                    Vec::new()
                }
            };
            answers.runs.insert(key.clone(), runs);
        }
        answers.runs.get(&key).map_or(&[], Vec::as_slice)
    }

    async fn traffic_of<'a>(
        &self,
        what: &Watched,
        answers: &'a mut Answers,
        now: Timestamp,
    ) -> Option<&'a Told<Traffic>> {
        let known = answers.traffic.iter().position(|(known, _)| known.is_same(what));
        let at = match known {
            Some(at) => at,
            None => {
                let (from, until) = (now, now.plus(TRAFFIC_AHEAD));
                let (line, stations) = match what {
                    Watched::Line { name } => (Some(name.clone()), Vec::new()),
                    Watched::Pair { from, to } => (None, vec![from.id.clone(), to.id.clone()]),
                    Watched::Station { station } => (None, vec![station.id.clone()]),
                    Watched::Train { .. } => return None,
                };
                let told = self.planner.traffic(&TrafficQuery { line, stations, from, until }, now).await;
                let told = told.inspect_err(|why| tracing::debug!(%why, "watched traffic is unknown")).ok();
                answers.traffic.push((what.clone(), told));
                answers.traffic.len() - 1
            }
        };
        answers.traffic.get(at)?.1.as_ref()
    }

    /// One message. False: another instance was quicker, or the watch ended or its contact opted out meanwhile.
    async fn tell_watcher(
        &self,
        watch: &Watch,
        found: Vec<Finding>,
        provenance: &Provenance,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let locked = tx.lock_for_notice(watch.contact_id, watch.conversation_id).await?;
        let Some((contact, conversation)) = locked.filter(|(contact, _)| contact.opted_out_at.is_none())
        else {
            return Ok(false);
        };
        let found = unsaid(&mut tx, contact.id, found).await?;
        if found.is_empty() || !tx.note_watch_told(watch.id, now).await? {
            return Ok(false);
        }
        let as_of = as_of(&found, provenance).unwrap_or(now);
        let scene = Scene::new(&self.operator, &contact, &conversation, provenance, as_of, now);
        let Some(notice) = self.watch_notice(watch, &found, &scene, provenance, as_of) else {
            return Ok(false);
        };
        let Some(message) = self.queue(&mut tx, &contact, &conversation, notice, now).await? else {
            return Ok(false);
        };
        for finding in &found {
            claim(&mut tx, contact.id, finding, message, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    fn watch_notice(
        &self,
        watch: &Watch,
        found: &[Finding],
        scene: &Scene<'_>,
        provenance: &Provenance,
        as_of: Timestamp,
    ) -> Option<Notice> {
        let mut alerts = Vec::new();
        let mut changes = Vec::new();
        for finding in found {
            match &finding.what {
                News::Alert(alert) => alerts.extend(alert_text(alert, scene.lang())),
                News::Train(change) => changes.push(&**change),
            }
        }
        changes.sort_by_key(|change| change.now.departs);
        let listed = &changes[..changes.len().min(LISTED)];
        let subject = watched(&watch.what);
        let text = self.watch_text(&subject, &alerts, (listed, changes.len() - listed.len()), scene)?;
        let mut told = facts(&changes, provenance, as_of);
        told.extend(alerts.into_iter().map(|text| crate::model::Fact {
            value: format!("alert {text}"),
            source: format!("live: {}", provenance.label),
            as_of,
            ride: None,
        }));
        let data =
            json!({ "watch": watch.id, "alerts": found.len() - changes.len(), "trains": changes.len() });
        Some(Notice { text, facts: told, event: EventKind::WatchNoticeQueued, data })
    }
}

fn of_train((key, change): (String, Change)) -> Finding {
    Finding { keys: vec![key], what: News::Train(Box::new(change)) }
}

/// An alert that is fresh, holds within the time of the watch, and says something. New words for the same effect are no
/// news; nor are the same words under another id.
fn of_alert(alert: &Alert, watch: &Watch, now: Timestamp) -> Option<Finding> {
    let (from, until) = (watch.from.max(now), watch.until.min(now.plus(TRAFFIC_AHEAD)));
    let holds = |&(start, end): &(Option<Timestamp>, Option<Timestamp>)| {
        start.is_none_or(|start| start < until) && end.is_none_or(|end| from < end)
    };
    if now.since(alert.as_of) > ALERT_FRESH || !(alert.periods.is_empty() || alert.periods.iter().any(holds))
    {
        return None;
    }
    let mut words = Sha256::new();
    for text in alert.header.values().chain(alert.description.values()) {
        words.update(text.as_bytes());
    }
    alert.header.values().chain(alert.description.values()).find(|text| !text.trim().is_empty())?;
    let words: String = words.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let keys = vec![format!("alert|{}|{}", alert.id, alert.effect), format!("alert-words|{words}")];
    Some(Finding { keys, what: News::Alert(Box::new(alert.clone())) })
}

/// Its title, else its text, on one line.
fn alert_text(alert: &Alert, lang: Lang) -> Option<String> {
    let described = || alert.description.get(&lang).or_else(|| alert.description.values().next());
    let text = alert
        .header(lang)
        .filter(|text| !text.trim().is_empty())
        .or_else(|| described().map(String::as_str))?;
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(line.chars().take(ALERT_CHARS).collect())
}

/// Without what was said, and without trains about which the contact was told: the corrections look after those.
async fn unsaid(tx: &mut Tx, contact: ContactId, found: Vec<Finding>) -> Result<Vec<Finding>, StoreError> {
    let mut kept = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    let mut told: HashMap<TrainKey, bool> = HashMap::new();
    for finding in found {
        let mut said = finding.keys.iter().any(|key| known.contains(key));
        for key in &finding.keys {
            said = said || tx.is_said(contact, key).await?;
        }
        if let News::Train(change) = &finding.what {
            let train = &change.now.key;
            if !told.contains_key(train) {
                let heard = tx.told(contact, train).await?.is_some();
                told.insert(train.clone(), heard);
            }
            said = said || told.get(train) == Some(&true);
        }
        if !said {
            known.extend(finding.keys.iter().cloned());
            kept.push(finding);
        }
    }
    Ok(kept)
}

async fn claim(
    tx: &mut Tx,
    contact: ContactId,
    finding: &Finding,
    message: MessageId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for key in &finding.keys {
        tx.claim_notice(contact, key, message, now, finding.expires(now)).await?;
    }
    Ok(())
}

/// When what is said was made: the live data for trains, else the oldest of the alerts.
fn as_of(found: &[Finding], provenance: &Provenance) -> Option<Timestamp> {
    let alerts = found.iter().filter_map(|finding| match &finding.what {
        News::Alert(alert) => Some(alert.as_of),
        News::Train(_) => None,
    });
    if found.iter().any(|finding| finding.departs().is_some()) { fresh(provenance) } else { alerts.min() }
}
