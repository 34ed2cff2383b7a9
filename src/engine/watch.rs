//! Alerts that people ask for: what is watched, and for how long.

use super::{Decision, Effect, Line, Part, Plan, Situation, escalate};
use crate::answers::dates::day_words;
use crate::answers::{Followable, watched};
use crate::model::{
    Dialogue, EntityValue, EscalationReason, IntentSpec, MessageKind, NewWatch, Priority, StationRef,
    Timestamp, Watched,
};
use jiff::civil::Date;
use jiff::{Span, ToSpan, ZonedDateTime};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a line, a station or a way is watched when no time is named.
const WATCHED_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// A service day ends at this hour of the next morning: its last trains arrive after midnight.
const DAY_ENDS_AT: i8 = 4;

/// What the slots name: the narrowest thing first.
pub(super) fn object(slots: &BTreeMap<String, EntityValue>) -> Option<Watched> {
    let station = |name: &str| match slots.get(name) {
        Some(EntityValue::Station { station }) => Some(station.clone()),
        _ => None,
    };
    if let Some(EntityValue::Train { number }) = slots.get("train") {
        return Some(Watched::Train { number: number.clone() });
    }
    if let (Some(from), Some(to)) = (station("from"), station("to")) {
        return Some(Watched::Pair { from, to });
    }
    if let Some(EntityValue::Line { name }) = slots.get("line") {
        return Some(Watched::Line { name: name.clone() });
    }
    let one: Option<StationRef> = ["from", "to", "at"].into_iter().find_map(station);
    one.map(|station| Watched::Station { station })
}

/// Something that the customer wants to follow. Nothing is promised before the planner is known to know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Following {
    pub new: NewWatch,
    /// What was asked for with the message before, and is not wanted.
    pub corrects: Option<Watched>,
    /// `watched`, `begins` and `until`, for templates.
    data: Value,
    decision: Decision,
    spec: IntentSpec,
}

impl Following {
    /// Second step: with what the planner knows of it.
    pub fn decide(self, known: Followable) -> Decision {
        let Following { new, corrects, mut data, mut decision, spec } = self;
        let mut say = |response: String, data| {
            decision.lines = vec![Line { response, part: Part::Text, data }];
            decision.kind = Some(MessageKind::Answer);
        };
        match known {
            Followable::Known { direct } => {
                data["direct"] = direct.into();
                say(spec.name, data);
                decision.effects.extend(corrects.map(|what| Effect::Unwatch(Some(what))));
                decision.effects.push(Effect::Watch(new));
            }
            Followable::Unknown { data: found, facts } => {
                if let (Some(data), Value::Object(found)) = (data.as_object_mut(), found) {
                    data.extend(found);
                }
                say("system.unknown_watch".to_owned(), data);
                decision.facts = facts;
                // What was asked for before is still followed, and the next correction is of that.
                corrects.into_iter().for_each(|what| put(&mut decision.dialogue.slots, what));
            }
            Followable::CannotSay { .. } => {
                let priority = spec.escalate.priority.unwrap_or(Priority::Normal);
                escalate(&mut decision, EscalationReason::NoData, priority);
                let why = Line { response: "system.cannot_follow".to_owned(), part: Part::Text, data };
                decision.lines.insert(0, why);
            }
        }
        decision
    }

    /// Instead of it: the contact follows as many things as one may, `most`. None of them is dropped for the new one: each
    /// was promised, and which of them matters least only the customer knows.
    pub fn refuse(self, most: usize) -> Decision {
        let Following { corrects, mut data, mut decision, .. } = self;
        data["most"] = most.into();
        decision.lines =
            vec![Line { response: "system.too_many_watches".to_owned(), part: Part::Text, data }];
        decision.kind = Some(MessageKind::Answer);
        corrects.into_iter().for_each(|what| put(&mut decision.dialogue.slots, what));
        decision
    }
}

/// In place of whatever else the slots name.
fn put(slots: &mut BTreeMap<String, EntityValue>, what: Watched) {
    for name in ["train", "line", "from", "to", "at"] {
        slots.remove(name);
    }
    let station = |station| EntityValue::Station { station };
    let named = match what {
        Watched::Train { number } => vec![("train", EntityValue::Train { number })],
        Watched::Line { name } => vec![("line", EntityValue::Line { name })],
        Watched::Pair { from, to } => vec![("from", station(from)), ("to", station(to))],
        Watched::Station { station: at } => vec![("at", station(at))],
    };
    slots.extend(named.into_iter().map(|(name, value)| (name.to_owned(), value)));
}

impl Situation<'_> {
    /// `corrects`: what was asked for with the message before, and is not wanted.
    pub(super) fn watch(&self, spec: &IntentSpec, dialogue: Dialogue, corrects: Option<Watched>) -> Plan {
        let what = object(&dialogue.slots);
        let mut decision = Decision { intent: Some(spec.name.clone()), dialogue, ..Decision::default() };
        let Some(what) = what else {
            // No slot is asked for and none is filled: the pack leaves nothing to follow.
            escalate(&mut decision, EscalationReason::NoData, Priority::Normal);
            return Plan::Decided(Box::new(decision));
        };
        let (from, until) = self.period(&what, decision.dialogue.slots.get("when"));
        let data = self.watch_data(&what, from, until);
        let new = NewWatch { what, from, until };
        Plan::Follow(Box::new(Following { new, corrects, data, decision, spec: spec.clone() }))
    }

    pub(super) fn unwatch(&self, spec: &IntentSpec, dialogue: Dialogue) -> Decision {
        let what = object(&dialogue.slots);
        let data = json!({ "watched": what.as_ref().map(watched), "begins": null, "until": null });
        Decision {
            lines: vec![Line { response: spec.name.clone(), part: Part::Text, data }],
            kind: Some(MessageKind::Answer),
            intent: Some(spec.name.clone()),
            effects: vec![Effect::Unwatch(what)],
            dialogue,
            ..Decision::default()
        }
    }

    /// The asked day to the end of its service day; else today for a train, and [`WATCHED_FOR`] for everything else.
    fn period(&self, what: &Watched, when: Option<&EntityValue>) -> (Timestamp, Timestamp) {
        let now = self.now;
        if let Some(EntityValue::Time { start, end }) = when
            && let Some((begins, ends)) = self.days(*start, *end)
            && ends > now
        {
            return (begins.max(now), ends);
        }
        let until = match what {
            Watched::Train { .. } => self.days(now, now).map(|(_, ends)| ends),
            _ => None,
        };
        (now, until.unwrap_or_else(|| now.plus(WATCHED_FOR)))
    }

    /// From the beginning of the day of `start` to the end of the service day of `end`. None at the ends of jiff's calendar.
    fn days(&self, start: Timestamp, end: Timestamp) -> Option<(Timestamp, Timestamp)> {
        // `end` is the first moment after an interval: of "demain", the midnight that follows it.
        let last = if end > start { Timestamp(end.0 - 1) } else { start };
        let midnight = self.local(start).start_of_day().ok()?;
        let hour: Span = DAY_ENDS_AT.hours();
        let ends = self.date(last).tomorrow().ok()?.at(0, 0, 0, 0).checked_add(hour).ok()?;
        let ends = ends.to_zoned_datetime(self.rules.zone.clone()).ok()?;
        Some((Timestamp::from_jiff(midnight.timestamp()), Timestamp::from_jiff(ends.timestamp())))
    }

    fn watch_data(&self, what: &Watched, from: Timestamp, until: Timestamp) -> Value {
        let today = self.date(self.now);
        let words = |day: Date| day_words(day, today, self.understanding.lang);
        let begins = (from > self.now).then(|| words(self.date(from))).flatten();
        // The night belongs to the day before it.
        let last = until.minus(Duration::from_secs(3600 * DAY_ENDS_AT.unsigned_abs() as u64 + 1));
        json!({ "watched": watched(what), "begins": begins, "until": words(self.date(last)) })
    }

    pub(super) fn local(&self, at: Timestamp) -> ZonedDateTime {
        at.to_jiff().to_zoned_datetime(self.rules.zone.clone())
    }

    pub(super) fn date(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }
}
