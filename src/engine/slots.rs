//! Which entity fills which slot.

use super::Situation;
use super::words::{Words, names_no_day};
use crate::model::{
    Cue, Dialogue, Entity, EntityValue, IntentEffect, IntentSpec, SlotSpec, StationRef, Timestamp,
    Understanding,
};
use jiff::civil::Date;
use std::time::Duration;

/// A shorter interval is a time of day rather than a day.
const TIME_OF_DAY: Duration = Duration::from_secs(6 * 3600);
/// An interval of this length, give or take an hour of daylight saving, is a day.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A time this near to when it was written was "now".
const NOW: Duration = Duration::from_secs(600);

/// What keeps us from answering.
#[derive(Debug, PartialEq)]
pub enum Missing {
    Value { slot: String },
    Choice { slot: String, options: Vec<StationRef> },
}

/// Begins an intent: the stations and times of another one do not leak into it, and no question is open.
pub fn start(dialogue: &mut Dialogue, spec: &IntentSpec) {
    if dialogue.intent.as_deref() != Some(&spec.name) {
        dialogue.intent = Some(spec.name.clone());
        dialogue.slots.clear();
        dialogue.recent.clear();
    }
    dialogue.asked = None;
    dialogue.times_asked = 0;
    dialogue.options.clear();
}

/// The option that the customer chose, by its number, its place or its name.
pub(super) fn choice<'d>(
    words: &Words<'_>,
    understanding: &Understanding,
    dialogue: &'d Dialogue,
) -> Option<&'d EntityValue> {
    let options = &dialogue.options;
    if options.is_empty() {
        return None;
    }
    if let Some(number) = words.ordinal(options.len()) {
        return options.get(number - 1);
    }
    let named = |option: &&EntityValue| understanding.entities.iter().any(|e| e.value == **option);
    if let Some(option) = options.iter().find(named) {
        return Some(option);
    }
    let shared = |option: &EntityValue| station(option).map_or(0, |station| words.shared(&station.name));
    let most = options.iter().map(shared).max().filter(|&most| most > 0 && words.brief())?;
    let mut best = options.iter().filter(|option| shared(option) == most);
    let (first, others) = (best.next(), best.count());
    // Of "Saint-Denis" and "Saint-Denis-près-Martel", the bare words name the first.
    let whole = |option: &&EntityValue| {
        station(option)
            .is_some_and(|s| s.name.split([' ', '-', '\'']).filter(|w| !w.is_empty()).count() == most)
    };
    if others == 0 { first } else { options.iter().find(whole) }
}

/// Whether the message gives values for the intent, and says little else: what is known already may be named.
pub(super) fn answers(
    words: &Words<'_>,
    understanding: &Understanding,
    spec: &IntentSpec,
    dialogue: &Dialogue,
) -> bool {
    let letters = |t: &str| t.chars().filter(|c| c.is_alphanumeric()).count();
    let fitting = understanding.entities.iter().filter(|e| fits_some(&e.value, spec));
    let said: usize = fitting.map(|e| letters(&e.surface)).sum();
    let known: Vec<&str> = dialogue.slots.values().filter_map(station).map(|s| s.name.as_str()).collect();
    said > 0 && (words.telling_beside(&known) == 0 || said * 2 >= letters(&words.text.folded))
}

/// Whether something in the message fills a slot of the intent.
pub fn fits_any(understanding: &Understanding, spec: &IntentSpec) -> bool {
    understanding.entities.iter().any(|e| fits_some(&e.value, spec))
}

fn fits_some(value: &EntityValue, spec: &IntentSpec) -> bool {
    spec.slots.iter().any(|slot| fits(value, slot))
}

/// Puts the entities of the message into the slots: by role first, then into the slot that was asked for. A lone value
/// that goes on with an answered question, or corrects it, replaces the value it most likely means; else it fills the
/// first empty slot.
pub(super) fn fill(situation: &Situation<'_>, words: &Words<'_>, spec: &IntentSpec, dialogue: &mut Dialogue) {
    if let (Some(asked), Some(value)) =
        (dialogue.asked.clone(), choice(words, situation.understanding, dialogue).cloned())
    {
        dialogue.options.clear();
        put(dialogue, &asked, value);
        return;
    }
    dialogue.options.clear();
    let mut filled: Vec<&str> = Vec::new();
    let mut left: Vec<&Entity> = Vec::new();
    let watched = matches!(spec.effect, Some(IntentEffect::Watch | IntentEffect::Unwatch));
    let ends = situation.understanding.entities.iter().filter(|e| e.role == "to").count();
    for entity in &situation.understanding.entities {
        if words.ruled_out(entity) {
            continue;
        }
        // "Préviens-moi pour Vitré Rennes": the way is meant, and "pour" says no direction.
        let starts = watched && ends == 2 && !filled.contains(&"from") && entity.role == "to";
        let role = if starts { "from" } else { entity.role.as_str() };
        let by_role = spec.slots.iter().find(|slot| slot.name == role && fits(&entity.value, slot));
        match by_role {
            Some(slot) if !filled.contains(&&*slot.name) => {
                let value = settled(situation, entity, dialogue.slots.get(&slot.name));
                put(dialogue, &slot.name, value);
                filled.push(&slot.name);
            }
            // One changes at a station only where the words say so, and then it is no end of the way.
            _ if entity.role == "via" => {}
            _ => left.push(entity),
        }
    }
    for entity in left {
        let target = asked_for(spec, dialogue, entity, &filled)
            .or_else(|| lacking(words, spec, dialogue, entity))
            .or_else(|| replaced(words, spec, dialogue, entity, &filled))
            .or_else(|| empty(spec, dialogue, entity, &filled));
        if let Some(slot) = target {
            put(dialogue, &slot.name, entity.value.clone());
            filled.push(&slot.name);
        }
    }
    if !filled.is_empty() {
        dialogue.after = None;
    }
    part_ends(dialogue, &filled);
}

fn put(dialogue: &mut Dialogue, slot: &str, value: EntityValue) {
    dialogue.slots.insert(slot.to_owned(), value);
    dialogue.recent.retain(|name| name != slot);
    dialogue.recent.push(slot.to_owned());
}

fn asked_for<'s>(
    spec: &'s IntentSpec,
    dialogue: &Dialogue,
    entity: &Entity,
    filled: &[&str],
) -> Option<&'s SlotSpec> {
    let asked = dialogue.asked.as_deref()?;
    spec.slots.iter().find(|s| s.name == asked && fits(&entity.value, s) && !filled.contains(&asked))
}

/// What the question cannot be answered without, unless the message corrects something.
fn lacking<'s>(
    words: &Words<'_>,
    spec: &'s IntentSpec,
    dialogue: &Dialogue,
    entity: &Entity,
) -> Option<&'s SlotSpec> {
    if words.say(Cue::Correct) {
        return None;
    }
    spec.slots.iter().find(|s| s.ask && fits(&entity.value, s) && !dialogue.slots.contains_key(&s.name))
}

/// Of an answered question, the slot whose value the message names ("pas Lyon, Dijon"), else the one filled last.
fn replaced<'s>(
    words: &Words<'_>,
    spec: &'s IntentSpec,
    dialogue: &Dialogue,
    entity: &Entity,
    filled: &[&str],
) -> Option<&'s SlotSpec> {
    if dialogue.asked.is_some() && !words.say(Cue::Correct) {
        return None;
    }
    let candidates = || {
        spec.slots.iter().filter(|slot| {
            fits(&entity.value, slot)
                && dialogue.slots.contains_key(&slot.name)
                && !filled.contains(&&*slot.name)
        })
    };
    let named = candidates().find(|slot| {
        dialogue.slots.get(&slot.name).and_then(station).is_some_and(|known| words.names(&known.name))
    });
    let latest =
        || dialogue.recent.iter().rev().find_map(|name| candidates().find(|slot| slot.name == *name));
    named.or_else(latest)
}

fn empty<'s>(
    spec: &'s IntentSpec,
    dialogue: &Dialogue,
    entity: &Entity,
    filled: &[&str],
) -> Option<&'s SlotSpec> {
    spec.slots.iter().find(|slot| {
        fits(&entity.value, slot)
            && slot.name != "via"
            && !dialogue.slots.contains_key(&slot.name)
            && !filled.contains(&&*slot.name)
    })
}

/// Nobody travels from a station to itself: what was said before gives way to what is said now.
fn part_ends(dialogue: &mut Dialogue, filled: &[&str]) {
    if !dialogue.slots.contains_key("from") || dialogue.slots.get("from") != dialogue.slots.get("to") {
        return;
    }
    let old = match (filled.contains(&"from"), filled.contains(&"to")) {
        (true, false) => "to",
        (false, true) => "from",
        _ => return,
    };
    dialogue.slots.remove(old);
    dialogue.recent.retain(|name| name != old);
}

/// The value, with what it leaves open from the time before: "plutôt 18h" keeps the day, "et demain ?" the hour.
fn settled(situation: &Situation<'_>, entity: &Entity, before: Option<&EntityValue>) -> EntityValue {
    let (EntityValue::Time { start, end }, Some(EntityValue::Time { start: old, end: old_end })) =
        (&entity.value, before)
    else {
        return entity.value.clone();
    };
    let day_of = |at: Timestamp| situation.date(at);
    let moved = |at: Timestamp, to: Date, length: Duration| {
        let time = situation.local(at).time();
        let moved = to.to_datetime(time).to_zoned_datetime(situation.rules.zone.clone()).ok()?;
        let start = Timestamp::from_jiff(moved.timestamp());
        Some(EntityValue::Time { start, end: start.plus(length) })
    };
    let length = end.since(*start);
    let written = situation.conversation.dialogue.last_at.unwrap_or(situation.now);
    let was_now = old.since(written).max(written.since(*old)) <= NOW;
    let old_length = old_end.since(*old);
    let whole_day = length.abs_diff(DAY) <= Duration::from_secs(3600);
    let kept = if names_no_day(&entity.surface, situation.phrases) && day_of(*old) > day_of(situation.now) {
        moved(*start, day_of(*old), length)
    } else if whole_day && old_length <= TIME_OF_DAY && !was_now {
        moved(*old, day_of(*start), old_length)
    } else {
        None
    };
    kept.unwrap_or_else(|| entity.value.clone())
}

/// The first slot that must be settled with the customer.
pub fn missing(spec: &IntentSpec, dialogue: &Dialogue) -> Option<Missing> {
    let filled = |set: &Vec<String>| set.iter().all(|name| dialogue.slots.contains_key(name));
    let enough = spec.enough.iter().any(filled);
    spec.slots.iter().find_map(|slot| match dialogue.slots.get(&slot.name) {
        Some(EntityValue::Ambiguous { options }) => {
            Some(Missing::Choice { slot: slot.name.clone(), options: options.clone() })
        }
        Some(_) => None,
        None => (slot.ask && !enough).then(|| Missing::Value { slot: slot.name.clone() }),
    })
}

fn station(value: &EntityValue) -> Option<&StationRef> {
    match value {
        EntityValue::Station { station } => Some(station),
        _ => None,
    }
}

pub fn fits(value: &EntityValue, slot: &SlotSpec) -> bool {
    let kind = match value {
        EntityValue::Station { .. } | EntityValue::Ambiguous { .. } => "station",
        EntityValue::Time { .. } => "time",
        EntityValue::Train { .. } => "train",
        EntityValue::Line { .. } => "line",
        EntityValue::Reference { .. } => "reference",
        EntityValue::Phone { .. } => "phone",
        EntityValue::Email { .. } => "email",
    };
    kind == slot.entity
}
