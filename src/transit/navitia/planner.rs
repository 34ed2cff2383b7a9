//! The planner: what is known of the coverage, and each question's way to Navitia.

use super::ask::Asked;
use super::client::{Client, Refused};
use super::map::{Map, day, nonsense};
use super::model;
use crate::clock::Clock;
use crate::config::{NavitiaConfig, StationIds};
use crate::model::{Lang, StationRef, Timestamp, TrainKey};
use crate::transit::planner::{
    Board, BoardQuery, Ends, FirstLast, Journey, JourneyQuery, LiveState, Planner, Provenance, Run, Told,
    Traffic, TrafficQuery, Unknown,
};
use crate::transit::{LiveLimits, TimetableHandle};
use async_trait::async_trait;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What is known of the coverage is asked again after this, before a question is answered.
const KNOWN_FOR: Duration = Duration::from_secs(30);
/// How often it is asked while nobody has a question.
const FOLLOW_EVERY: Duration = Duration::from_secs(300);
const RETRY_EVERY: Duration = Duration::from_secs(30);

/// Answers from one coverage of a Navitia server.
pub struct Navitia {
    pub(super) client: Client,
    pub(super) lang: Lang,
    ids: StationIds,
    label: String,
    pub(super) realtime: bool,
    limits: LiveLimits,
    /// For the names of stations only.
    timetable: TimetableHandle,
    /// Until Navitia tells its own.
    zone: TimeZone,
    known: RwLock<Option<Known>>,
}

/// What Navitia says of its coverage.
#[derive(Debug, Clone)]
pub(super) struct Known {
    made: Date,
    pub first: Date,
    pub last: Date,
    zone: TimeZone,
    live_at: Option<Timestamp>,
    /// When we asked.
    seen: Timestamp,
}

impl Navitia {
    /// `timetable` gives stations their names; `lang` is that of the announcements, the operator's; `zone` holds until Navitia
    /// tells its own.
    ///
    /// # Errors
    /// What is wrong with the configuration, without a secret.
    pub fn new(
        config: &NavitiaConfig,
        limits: LiveLimits,
        timetable: TimetableHandle,
        lang: Lang,
        zone: TimeZone,
    ) -> Result<Self, String> {
        let ids = config.station_ids().ok_or("navitia.our_station and navitia.their_station need {} once")?;
        Ok(Self {
            client: Client::new(config)?,
            lang,
            ids,
            label: config.shown_label(),
            realtime: config.realtime,
            limits,
            timetable,
            zone,
            known: RwLock::default(),
        })
    }

    /// Asks what the coverage is worth now. Until this has succeeded once, [`Planner::provenance`] knows nothing.
    ///
    /// # Errors
    /// Why Navitia does not answer.
    pub async fn refresh(&self, now: Timestamp) -> Result<Provenance, Unknown> {
        let answer = self.client.get(&["status"], &[], now).await.map_err(|refused| match refused {
            Refused::Failed(why) => Unknown::Source(why),
            _ => Unknown::Source("Navitia does not know the coverage (navitia.coverage)".into()),
        })?;
        let known = self.read(&answer, now)?;
        let provenance = self.of(&known, now);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(provenance)
    }

    /// Keeps what is known of the coverage fresh until `stopping`.
    pub async fn follow(self: Arc<Self>, clock: Arc<dyn Clock>, stopping: CancellationToken) {
        let half: Duration = self.limits.forget_after / 2;
        let every = FOLLOW_EVERY.min(half).max(RETRY_EVERY);
        loop {
            let pause = match self.refresh(clock.now()).await {
                Ok(_) => every,
                Err(why) => {
                    tracing::warn!(%why, "Navitia does not say what it knows");
                    RETRY_EVERY
                }
            };
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn read(&self, answer: &model::Answer, now: Timestamp) -> Result<Known, Unknown> {
        let status = answer.status.as_ref().ok_or_else(|| nonsense("no status of the coverage"))?;
        let zone = answer.context.as_ref().and_then(|context| context.timezone.as_deref());
        let zone = match zone {
            Some(name) => TimeZone::get(name).map_err(|_| nonsense("a time zone that is none"))?,
            None => self.zone.clone(),
        };
        let needed = |text: &Option<String>, what: &str| {
            text.clone().filter(|text| !text.is_empty()).ok_or_else(|| nonsense(what))
        };
        let (first, last) = (
            needed(&status.start_production_date, "a timetable without a first day")?,
            needed(&status.end_production_date, "a timetable without a last day")?,
        );
        let made = needed(&status.publication_date, "a timetable that was never made")?;
        let live = status.last_rt_data_loaded.as_deref().filter(|text| !text.is_empty());
        Ok(Known {
            made: local_day(utc(&made)?, &zone),
            first: day(&first)?,
            last: day(&last)?,
            zone,
            // "not-a-date-time": live data never came.
            live_at: live.and_then(|text| utc(text).ok()),
            seen: now,
        })
    }

    /// What is known, asked again when it is no longer new.
    pub(super) async fn known(&self, now: Timestamp) -> Result<Known, Unknown> {
        let is_new = |known: &Known| now.since(known.seen) < KNOWN_FOR && known.seen.since(now) < KNOWN_FOR;
        if let Some(known) = self.seen().filter(is_new) {
            return Ok(known);
        }
        self.refresh(now).await?;
        self.seen().ok_or_else(|| nonsense("no status of the coverage"))
    }

    pub(super) fn stations(&self) -> &StationIds {
        &self.ids
    }

    fn seen(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn of(&self, known: &Known, now: Timestamp) -> Provenance {
        Provenance {
            label: self.label.clone(),
            invented: false,
            timetable_as_of: known.made,
            live: self.live_state(known, now),
            live_partial: false,
        }
    }

    /// A time ahead of ours is as doubtful as one behind.
    fn live_state(&self, known: &Known, now: Timestamp) -> LiveState {
        if !self.realtime {
            return LiveState::Absent;
        }
        let Some(at) = known.live_at else { return LiveState::Lost(None) };
        let age = now.since(at).max(at.since(now));
        if age <= self.limits.trips_old_after {
            LiveState::Fresh(at)
        } else if age <= self.limits.forget_after {
            LiveState::Old(at)
        } else {
            LiveState::Lost(Some(at))
        }
    }

    /// Begins a question: checks the coverage, and how its answers are read.
    async fn asked(&self, now: Timestamp) -> Result<(Asked<'_>, Provenance), Unknown> {
        let known = self.known(now).await?;
        let provenance = self.of(&known, now);
        let live = matches!(provenance.live, LiveState::Fresh(_) | LiveState::Old(_));
        let as_of = match provenance.live {
            LiveState::Fresh(at) | LiveState::Old(at) => at,
            LiveState::Absent | LiveState::Lost(_) => now,
        };
        let map = Map { zone: known.zone.clone(), ids: &self.ids, timetable: self.timetable.get(), live };
        Ok((Asked { navitia: self, known, map, now, as_of }, provenance))
    }
}

/// `20241220T031500`, perhaps with a fraction, in UTC.
fn utc(text: &str) -> Result<Timestamp, Unknown> {
    let whole = text.split('.').next().unwrap_or_default();
    let at = DateTime::strptime("%Y%m%dT%H%M%S", whole)
        .ok()
        .and_then(|at| at.to_zoned_datetime(TimeZone::UTC).ok())
        .ok_or_else(|| nonsense("a time that is none"))?;
    Ok(Timestamp::from_jiff(at.timestamp()))
}

fn local_day(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_jiff().to_zoned_datetime(zone.clone()).date()
}

#[async_trait]
impl Planner for Navitia {
    fn zone(&self) -> TimeZone {
        self.seen().map_or_else(|| self.zone.clone(), |known| known.zone)
    }

    /// By our timetable's names: a station that it has, and whose id fits the rule.
    fn station(&self, id: &str) -> Option<StationRef> {
        self.ids.to_theirs(id)?;
        self.timetable.get()?.station(id).cloned()
    }

    /// As Navitia last said: each question asks anew. Not asked for longer than what live data is forgotten after: lost.
    fn provenance(&self, now: Timestamp) -> Result<Provenance, Unknown> {
        let known = self.seen().ok_or_else(|| Unknown::Source("Navitia has not answered yet".into()))?;
        let idle = now.since(known.seen);
        let at = if idle <= self.limits.forget_after { known.seen } else { now };
        Ok(self.of(&known, at))
    }

    async fn board(&self, query: &BoardQuery, now: Timestamp) -> Result<Told<Board>, Unknown> {
        let (asked, provenance) = self.asked(now).await?;
        let value = match (query.ends, query.other.as_deref()) {
            (Ends::Departures, None) => asked.departures(query).await?,
            (Ends::Departures, Some(to)) => asked.leaving(&query.station, to, query).await?,
            (Ends::Arrivals, Some(from)) => asked.arriving(from, &query.station, query).await?,
            (Ends::Arrivals, None) => {
                return Err(Unknown::Source(
                    "Navitia does not tell where the trains that arrive come from".into(),
                ));
            }
        };
        Ok(Told { value, provenance })
    }

    async fn journeys(&self, query: &JourneyQuery, now: Timestamp) -> Result<Told<Vec<Journey>>, Unknown> {
        let (asked, provenance) = self.asked(now).await?;
        let value = asked.journeys(query).await?;
        Ok(Told { value, provenance })
    }

    async fn first_last(
        &self,
        from: &str,
        to: Option<&str>,
        day: Date,
        now: Timestamp,
    ) -> Result<Told<FirstLast>, Unknown> {
        let (asked, provenance) = self.asked(now).await?;
        let value = asked.first_last(from, to, day).await?;
        Ok(Told { value, provenance })
    }

    async fn train(&self, number: &str, day: Date, now: Timestamp) -> Result<Told<Vec<Run>>, Unknown> {
        let (asked, provenance) = self.asked(now).await?;
        let value = asked.train(number, day).await?;
        Ok(Told { value, provenance })
    }

    /// Also under the day before: of a train told on a board, Navitia says when it leaves there and not on which day it began.
    async fn run(
        &self,
        key: &TrainKey,
        number: Option<&str>,
        now: Timestamp,
    ) -> Result<Told<Option<Run>>, Unknown> {
        let number =
            number.ok_or_else(|| Unknown::Source("a run without a number cannot be asked for".into()))?;
        let (asked, provenance) = self.asked(now).await?;
        let mut found = None;
        for day in [Some(key.day), key.day.yesterday().ok()].into_iter().flatten() {
            let runs = match asked.train(number, day).await {
                Err(Unknown::OutOfRange { .. }) if day != key.day => Vec::new(),
                runs => runs?,
            };
            found = runs.into_iter().find(|run| run.train.key.trip == key.trip);
            if found.is_some() {
                break;
            }
        }
        if let Some(run) = &mut found {
            run.train.key = key.clone();
        }
        Ok(Told { value: found, provenance })
    }

    /// Of a line, a station or two. Without live data that is young enough there is nothing to say of traffic.
    async fn traffic(&self, query: &TrafficQuery, now: Timestamp) -> Result<Told<Traffic>, Unknown> {
        let (asked, provenance) = self.asked(now).await?;
        match provenance.live {
            LiveState::Fresh(_) | LiveState::Old(_) => {}
            LiveState::Absent => return Err(Unknown::NoLive("the coverage has no live data".into())),
            LiveState::Lost(None) => return Err(Unknown::NoLive("none has come yet".into())),
            LiveState::Lost(Some(at)) => return Err(Unknown::NoLive(format!("the last is of {at}"))),
        }
        let value = asked.traffic(query, provenance.live).await?;
        Ok(Told { value, provenance })
    }
}
