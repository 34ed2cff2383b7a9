use jiff::civil::{Date, Time};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// When people are at the desk.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HoursConfig {
    pub monday: DayHours,
    pub tuesday: DayHours,
    pub wednesday: DayHours,
    pub thursday: DayHours,
    pub friday: DayHours,
    pub saturday: DayHours,
    pub sunday: DayHours,
    /// Days without opening, `2026-12-25`.
    pub closed: Vec<Date>,
    /// Days with hours of their own. They win over `closed` and `calendar`.
    pub exceptions: BTreeMap<Date, DayHours>,
    /// An iCalendar file of holidays and exceptions; empty: none.
    pub calendar: PathBuf,
}

impl Default for HoursConfig {
    fn default() -> Self {
        let day = || DayHours(vec![(Time::constant(7, 0, 0, 0), Time::constant(22, 0, 0, 0))]);
        Self {
            monday: day(),
            tuesday: day(),
            wednesday: day(),
            thursday: day(),
            friday: day(),
            saturday: day(),
            sunday: day(),
            closed: Vec::new(),
            exceptions: BTreeMap::new(),
            calendar: PathBuf::new(),
        }
    }
}

/// Shifts of one day in order, `"07:00-12:00, 14:00-22:00"`; empty: closed. `24:00` is the end of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayHours(pub Vec<(Time, Time)>);

impl<'de> Deserialize<'de> for DayHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "'{text}' are no opening hours: write \"07:00-22:00\" or \"07:00-12:00, 14:00-22:00\", in order"
            ))
        })
    }
}

impl DayHours {
    /// None: these are no opening hours.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text)
    }
}

impl HoursConfig {
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let twice = self.closed.iter().filter(|day| self.exceptions.contains_key(day));
        twice
            .map(|day| {
                let what = format!("{day} stands in desk.hours.closed too. Cure: leave it in one of them");
                ("desk.hours.exceptions", what)
            })
            .collect()
    }
}

fn parse(text: &str) -> Option<DayHours> {
    let mut shifts: Vec<(Time, Time)> = Vec::new();
    for shift in text.split(',').map(str::trim).filter(|s| !s.is_empty()) {
        let (from, to) = shift.split_once('-')?;
        let (from, to) = (time(from.trim())?, time(to.trim())?);
        if from >= to || shifts.last().is_some_and(|(_, end)| *end > from) {
            return None;
        }
        shifts.push((from, to));
    }
    Some(DayHours(shifts))
}

pub(super) fn time(text: &str) -> Option<Time> {
    if text == "24:00" {
        return Some(Time::MAX);
    }
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}
