//! Things found in a message: stations with their roles, times, trains, lines, and what is personal.

mod calendar_words;
mod clock_words;
mod line_names;
pub mod personal;
pub mod roles;
pub mod stations;
#[cfg(test)]
mod tests;
pub mod times;
pub mod trains;
mod typos;

use super::normalise::Normalised;
use crate::model::{Entity, EntityValue, Timestamp};
use jiff::tz::TimeZone;
use stations::{CommonWords, Gazetteer};
use std::ops::Range;

/// More entities than this in one message are not read: no request needs them, and a pasted timetable would.
pub const MAX_ENTITIES: usize = 24;

/// What a slot in waiting expects: a lone station takes its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// `station`, `time`, `train` or `line`.
    pub kind: String,
    /// The slot's name, which is the entity's role.
    pub role: String,
    /// A train's number would answer as well.
    pub train: bool,
}

/// Something found, by the words it stands on.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    pub tokens: Range<usize>,
    pub value: EntityValue,
}

/// What finding entities needs beside the text.
pub struct Finder<'a> {
    pub gazetteer: &'a Gazetteer,
    pub common: &'a CommonWords,
    pub timezone: &'a TimeZone,
    pub now: Timestamp,
    pub expected: Option<&'a Expected>,
}

impl Finder<'_> {
    /// Everything found in `text`, in the order of the text.
    pub fn find(&self, original: &str, text: &Normalised) -> Vec<Entity> {
        let now = self.now.to_jiff().to_zoned_datetime(self.timezone.clone());
        let personal = personal::find(original, text, self.common);
        let mut trains = trains::find(text, self.expected.is_some_and(|expected| expected.train));
        trains.retain(|train| !overlaps(&personal, train));
        let mut times = times::find(text, &now);
        let expects = |kind: &str| self.expected.is_some_and(|expected| expected.kind == kind);
        times.retain(|time| !overlaps(&trains, time) && !overlaps(&personal, time));
        let others: Vec<&Mention> = trains.iter().chain(&times).chain(&personal).collect();
        let spoken = |mention: &&Mention| mention.tokens.clone();
        let mut named: Vec<Range<usize>> = others.iter().map(spoken).collect();
        named.extend(personal::handles(original, text));
        let mut lines = self.gazetteer.lines().find(text, self.common, &named);
        // "L'Alizé 8015" is a train.
        lines.retain(|line| trains.iter().all(|train| train.tokens.start != line.tokens.end));
        let others: Vec<&Mention> = others.into_iter().chain(&lines).collect();
        let mut taken: Vec<Range<usize>> = others.iter().map(|mention| mention.tokens.clone()).collect();
        taken.extend(personal::handles(original, text));
        taken.sort_by_key(|range| range.start);
        let stations = self.gazetteer.find(text, self.common, &taken, expects("station"));
        let stations = settled(text, stations);
        let roles = roles::assign(text, &stations, self.expected);
        let role_of = |mention: &Mention| match mention.value {
            EntityValue::Train { .. } => "train",
            EntityValue::Line { .. } => "line",
            _ => personal::role(&mention.value).unwrap_or("when"),
        };
        let others = others.into_iter().map(|mention| (role_of(mention), mention));
        let mut found: Vec<(&str, &Mention)> = roles.into_iter().zip(&stations).chain(others).collect();
        found.sort_by_key(|(_, mention)| mention.tokens.start);
        found
            .into_iter()
            .take(MAX_ENTITIES)
            .filter_map(|(role, mention)| {
                let span = text.original_span(mention.tokens.clone());
                let surface = original.get(span.clone())?.to_owned();
                Some(Entity { role: role.to_owned(), surface, span, value: mention.value.clone() })
            })
            .collect()
    }
}

fn overlaps(taken: &[Mention], mention: &Mention) -> bool {
    taken
        .iter()
        .any(|other| other.tokens.start < mention.tokens.end && mention.tokens.start < other.tokens.end)
}

/// Without the stations that are ruled out and those named twice.
fn settled(text: &Normalised, mut stations: Vec<Mention>) -> Vec<Mention> {
    let out = roles::ruled_out(text, &stations);
    let mut at = 0..out.len();
    stations.retain(|_| at.next().is_none_or(|at| !out[at]));
    let again = |at: usize| {
        let this = &stations[at];
        // The fuller name stays: "chalon ? moi c'est chalon sur saône".
        stations.iter().enumerate().any(|(other, that)| {
            let fuller = that.tokens.len() > this.tokens.len();
            other != at
                && that.value == this.value
                && (fuller || (that.tokens.len() == this.tokens.len() && other < at))
        })
    };
    let twice: Vec<bool> = (0..stations.len()).map(again).collect();
    let mut at = 0..twice.len();
    stations.retain(|_| at.next().is_none_or(|at| !twice[at]));
    stations
}
