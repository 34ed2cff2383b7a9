//! Trains as templates get them, and the facts kept of what was told.

use super::asked::Asked;
use super::dates::day_words;
use super::provenance::{Live, sentences};
use super::sms::short_name;
use crate::model::{Fact, Lang, StationRef, Timestamp, ToldRide};
use crate::transit::planner::{Journey, LiveState, Moment, Provenance, Ride};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Tells one answer: in one language, from one source, at one moment.
pub(super) struct Teller<'a> {
    pub lang: Lang,
    pub now: Timestamp,
    pub zone: TimeZone,
    pub of: &'a Provenance,
}

impl<'a> Teller<'a> {
    pub(super) fn new(asked: &Asked<'_>, of: &'a Provenance) -> Self {
        Self { lang: asked.query.lang, now: asked.query.now, zone: asked.zone.clone(), of }
    }

    pub(super) fn french(&self) -> bool {
        self.lang == Lang::FR
    }

    pub(super) fn date(&self, at: Timestamp) -> Date {
        at.to_jiff().to_zoned_datetime(self.zone.clone()).date()
    }

    /// `18:04`, on the network's clock. Seconds are dropped: leaving early costs a wait, leaving late the train.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.to_jiff().to_zoned_datetime(self.zone.clone()).strftime("%H:%M").to_string()
    }

    /// Null for today, else in words.
    pub(super) fn day(&self, day: Date) -> Value {
        json!(day_words(day, self.date(self.now), self.lang))
    }

    /// What is known of the source, for an answer about `day` that tells these rides.
    pub(super) fn sourced<'r>(
        &self,
        mut data: Value,
        day: Date,
        rides: impl Iterator<Item = &'r Ride>,
    ) -> Value {
        let mut rides = rides;
        let live = if rides.any(is_live) {
            Live::Speaks
        } else if day == self.date(self.now) {
            Live::Silent
        } else {
            Live::Elsewhere
        };
        self.add_source(&mut data, live);
        data
    }

    pub(super) fn add_source(&self, data: &mut Value, live: Live) {
        let said = sentences(self.of, live, self.lang, &self.zone, self.now);
        data["provenance"] = said.long.into();
        data["provenance_short"] = said.short.into();
    }

    /// When the live data was made, where it is used at all.
    fn live_at(&self) -> Option<Timestamp> {
        match self.of.live {
            LiveState::Fresh(at) | LiveState::Old(at) => Some(at),
            LiveState::Absent | LiveState::Lost(_) => None,
        }
    }

    /// A fact of the timetable: as of the day on which it was made.
    pub(super) fn scheduled_fact(&self, value: String) -> Fact {
        let day = self.of.timetable_as_of.at(0, 0, 0, 0).to_zoned_datetime(self.zone.clone());
        let as_of = day.map_or_else(|_| Timestamp::default(), |day| Timestamp::from_jiff(day.timestamp()));
        Fact { value, source: format!("timetable: {}", self.of.label), as_of, ride: None }
    }

    /// A fact of the live data, `at` the time it was made; of the timetable where there is none.
    pub(super) fn live_fact(&self, value: String, at: Option<Timestamp>) -> Fact {
        match at.or(self.live_at()) {
            Some(as_of) => Fact { value, source: format!("live: {}", self.of.label), as_of, ride: None },
            None => self.scheduled_fact(value),
        }
    }

    /// What was told of a train, to be held against what is known later.
    pub(super) fn ride_fact(&self, ride: &Ride) -> Fact {
        let train = ride.train.number.as_deref().unwrap_or("?");
        let departs = ride.from.departure.or(ride.from.arrival);
        let at = departs.map_or(Timestamp::default(), |moment| moment.best());
        let stamp = at.to_jiff().to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let kind = if does_not_run(ride) { "cancelled" } else { "departure" };
        let mut value =
            format!("{kind} {train} {} {stamp} to {}", ride.from.station.name, ride.train.terminus);
        if let Some(late) = departs.and_then(minutes_late) {
            value.push_str(&format!(", {late} min late"));
        }
        let fact = if is_live(ride) { self.live_fact(value, None) } else { self.scheduled_fact(value) };
        let told = ToldRide {
            key: ride.train.key.clone(),
            number: ride.train.number.clone(),
            from: ride.from.station.clone(),
            to: Some(ride.to.station.clone()),
            departs: at,
            arrives: ride.to.arrival.map(|moment| moment.best()),
            platform: ride.from.platform.clone(),
            cancelled: does_not_run(ride),
        };
        Fact { ride: Some(told), ..fact }
    }

    pub(super) fn ride_facts(&self, rides: &[Ride]) -> Vec<Fact> {
        rides.iter().map(|ride| self.ride_fact(ride)).collect()
    }

    /// A ride for templates; `day`: the day that is spoken of.
    ///
    /// `time` and `arrival` are the best known; `scheduled` what the timetable says of `time`; `late` in minutes, null when not
    /// late or not known; `platform_was` null unless it changed; `next_day`: it leaves after midnight.
    pub(super) fn ride(&self, ride: &Ride, day: Date) -> Value {
        self.row(ride, ride.from.departure, &ride.from.platform, &ride.from.planned_platform, day)
    }

    /// The same as a board of arrivals shows it: `time` is the arrival.
    pub(super) fn arriving(&self, ride: &Ride, day: Date) -> Value {
        self.row(ride, ride.to.arrival, &ride.to.platform, &ride.to.planned_platform, day)
    }

    fn row(
        &self,
        ride: &Ride,
        moment: Option<Moment>,
        platform: &Option<String>,
        planned: &Option<String>,
        day: Date,
    ) -> Value {
        let best = moment.map(|moment| moment.best());
        let changed =
            planned.as_ref().filter(|planned| platform.is_some() && Some(*planned) != platform.as_ref());
        json!({
            "time": best.map(|at| self.clock(at)),
            "scheduled": moment.map(|moment| self.clock(moment.scheduled)),
            "late": moment.and_then(minutes_late),
            "arrival": ride.to.arrival.map(|moment| self.clock(moment.best())),
            "next_day": best.is_some_and(|at| self.date(at) > day),
            "brand": ride.train.brand.as_deref().unwrap_or_default(),
            "train": ride.train.number.as_deref().unwrap_or_default(),
            "to": ride.train.terminus,
            "on": place(&ride.from.station),
            "off": place(&ride.to.station),
            "platform": platform,
            "platform_was": changed,
            "cancelled": does_not_run(ride),
        })
    }

    pub(super) fn rides(&self, rides: &[Ride], day: Date) -> Vec<Value> {
        rides.iter().map(|ride| self.ride(ride, day)).collect()
    }

    /// A way with its changes: `changes` are the stations where one gets off to change; `walks` those changes where the next train leaves
    /// from another station: `from`, `to`, and `minutes` from the arrival to the departure; `legs` are rides; `duration` in words.
    pub(super) fn journey(&self, journey: &Journey, day: Date) -> Option<Value> {
        let (first, last) = (journey.rides.first()?, journey.rides.last()?);
        let (leaves, arrives) = (first.from.departure?.best(), last.to.arrival?.best());
        let pairs = || journey.rides.iter().zip(journey.rides.iter().skip(1));
        let changes: Vec<&str> = pairs().map(|(before, _)| before.to.station.name.as_str()).collect();
        let walks: Vec<Value> = pairs().filter_map(|(before, after)| walk(before, after)).collect();
        Some(json!({
            "time": self.clock(leaves),
            "arrival": self.clock(arrives),
            "next_day": self.date(leaves) > day,
            "duration": duration(arrives.since(leaves).as_secs() / 60),
            "changes": changes,
            "walks": walks,
            "legs": self.rides(&journey.rides, day),
        }))
    }
}

pub(super) fn place(station: &StationRef) -> Value {
    json!({ "name": station.name, "short": short_name(&station.name) })
}

/// From where one train arrives to where the next one leaves; none: the same station.
fn walk(before: &Ride, after: &Ride) -> Option<Value> {
    let (from, to) = (&before.to.station, &after.from.station);
    let between = after.from.departure?.best().since(before.to.arrival?.best());
    (from.id != to.id)
        .then(|| json!({ "from": place(from), "to": place(to), "minutes": between.as_secs() / 60 }))
}

/// "45 min", "2 h 05".
fn duration(minutes: u64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

/// Whole minutes after the schedule, where live data says so; none when on time or early.
pub(super) fn minutes_late(moment: Moment) -> Option<u64> {
    let minutes = moment.expected?.since(moment.scheduled).as_secs() / 60;
    (minutes > 0).then_some(minutes)
}

/// It does not take one there: cancelled, or not stopping at one of the two ends.
pub(super) fn does_not_run(ride: &Ride) -> bool {
    ride.train.cancelled || ride.from.skipped || ride.to.skipped
}

/// Live data says something of it.
pub(super) fn is_live(ride: &Ride) -> bool {
    let expected = |moment: Option<Moment>| moment.is_some_and(|moment| moment.expected.is_some());
    does_not_run(ride)
        || ride.train.added
        || expected(ride.from.departure)
        || expected(ride.to.arrival)
        || ride.from.planned_platform.is_some()
        || ride.to.planned_platform.is_some()
}
