//! The slots of a question as the planner wants them.

use super::{Cues, Lookup, Query};
use crate::model::{EntityValue, StationRef, Timestamp};
use crate::transit::planner::{Planner, Unknown};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

/// Why nothing can be said.
#[derive(Debug)]
pub(super) struct Why(pub String);

impl From<Unknown> for Why {
    fn from(unknown: Unknown) -> Self {
        Self(unknown.to_string())
    }
}

impl From<&str> for Why {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl From<String> for Why {
    fn from(why: String) -> Self {
        Self(why)
    }
}

pub(super) type Answer = Result<Lookup, Why>;

/// What cannot be known goes to people.
pub(super) async fn settled(answer: impl Future<Output = Answer> + Send) -> Lookup {
    answer.await.unwrap_or_else(|Why(why)| Lookup::NoData { why })
}

/// From `start` to before `end`; a point in time has `start == end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// One question. Stations carry the planner's own names.
pub(super) struct Asked<'a> {
    pub query: &'a Query,
    pub planner: &'a dyn Planner,
    pub zone: TimeZone,
    pub from: Option<StationRef>,
    pub to: Option<StationRef>,
    pub via: Option<StationRef>,
    pub train: Option<String>,
    pub line: Option<String>,
    pub when: Option<Window>,
    pub cues: Cues,
}

impl<'a> Asked<'a> {
    /// Errors: a station that is ambiguous or not served, a slot of the wrong kind.
    pub(super) fn read(query: &'a Query, planner: &'a dyn Planner) -> Result<Self, Why> {
        let slot = |name: &str| query.slots.get(name);
        let train = match slot("train") {
            None => None,
            Some(EntityValue::Train { number }) => Some(number.clone()),
            Some(_) => return Err("the slot 'train' holds no train".into()),
        };
        let line = match slot("line") {
            None => None,
            Some(EntityValue::Line { name }) => Some(name.clone()),
            Some(_) => return Err("the slot 'line' holds no line".into()),
        };
        let when = match slot("when") {
            None => None,
            Some(EntityValue::Time { start, end }) => Some(Window { start: *start, end: *end }),
            Some(_) => return Err("the slot 'when' holds no time".into()),
        };
        Ok(Self {
            query,
            planner,
            zone: planner.zone(),
            from: station(query, planner, "from")?,
            to: station(query, planner, "to")?,
            via: station(query, planner, "via")?,
            train,
            line,
            when,
            cues: query.cues,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.query.now
    }

    /// The start of the asked interval, but never the part of it that is already over.
    pub(super) fn at(&self) -> Timestamp {
        match self.when {
            None => self.now(),
            Some(Window { start, end }) if start < self.now() && self.now() < end => self.now(),
            Some(Window { start, .. }) => start,
        }
    }

    /// The end of the asked interval; none for a point in time.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.when.filter(|window| window.start < window.end).map(|window| window.end)
    }

    /// By when to be there, when that is what was asked.
    pub(super) fn be_there_by(&self) -> Option<Timestamp> {
        self.when.filter(|_| self.cues.arriving).map(|window| window.end)
    }

    /// On the planner's clock.
    pub(super) fn date(&self, at: Timestamp) -> Date {
        at.to_jiff().to_zoned_datetime(self.zone.clone()).date()
    }

    pub(super) fn today(&self) -> Date {
        self.date(self.now())
    }

    /// Where a day of trains begins: 04:00, before which trains belong to the evening. None at the ends of the calendar only.
    pub(super) fn day_start(&self, day: Date) -> Option<Timestamp> {
        let start = day.at(4, 0, 0, 0).to_zoned_datetime(self.zone.clone()).ok()?;
        Some(Timestamp::from_jiff(start.timestamp()))
    }

    /// The day whose trains a moment belongs to: until 04:00, the evening before.
    pub(super) fn train_day(&self, at: Timestamp) -> Date {
        let date = self.date(at);
        let early = self.day_start(date).is_some_and(|start| at < start);
        if early { shifted(date, -1) } else { date }
    }

    pub(super) fn need_from(&self) -> Result<&StationRef, Why> {
        self.from.as_ref().ok_or_else(|| "the slot 'from' is empty".into())
    }

    pub(super) fn need_to(&self) -> Result<&StationRef, Why> {
        self.to.as_ref().ok_or_else(|| "the slot 'to' is empty".into())
    }
}

/// `day` moved; itself at the ends of the calendar, where nothing runs.
pub(super) fn shifted(day: Date, days: i64) -> Date {
    let by: Span = days.days();
    day.checked_add(by).unwrap_or(day)
}

/// The station of a slot; the planner's own name for it wins over what the dialogue remembered.
fn station(query: &Query, planner: &dyn Planner, slot: &str) -> Result<Option<StationRef>, Why> {
    match query.slots.get(slot) {
        None => Ok(None),
        Some(EntityValue::Station { station }) => match planner.station(&station.id) {
            Some(known) => Ok(Some(known)),
            None => Err(Unknown::Station(station.name.clone()).into()),
        },
        Some(EntityValue::Ambiguous { .. }) => {
            Err(format!("the station in slot '{slot}' is ambiguous").into())
        }
        Some(_) => Err(format!("the slot '{slot}' holds no station").into()),
    }
}
