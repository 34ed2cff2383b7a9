//! Which entity fills which slot.

use crate::model::{Dialogue, EntityValue, IntentSpec, SlotSpec, StationRef, Understanding};

/// What keeps us from answering.
#[derive(Debug, PartialEq)]
pub enum Missing {
    Value { slot: String },
    Choice { slot: String, options: Vec<StationRef> },
}

/// Begins an intent: its own slots stay when it goes on, and the stations and times of another one do not leak
/// into it.
pub fn start(dialogue: &mut Dialogue, spec: &IntentSpec) {
    if dialogue.intent.as_deref() != Some(&spec.name) {
        dialogue.intent = Some(spec.name.clone());
        dialogue.slots.clear();
        dialogue.asked = None;
        dialogue.times_asked = 0;
    }
}

/// The option that the customer chose by its number, when we had offered some.
pub fn choice<'d>(text: &str, dialogue: &'d Dialogue) -> Option<&'d EntityValue> {
    let digits = text.trim().trim_end_matches(['.', ')', '!']);
    let number: usize = digits.parse().ok()?;
    dialogue.options.get(number.checked_sub(1)?)
}

/// Whether the message is an answer to our question: it fills the slot, and little else is said.
pub fn answers(text: &str, understanding: &Understanding, spec: &IntentSpec, asked: &str) -> bool {
    // Asked for a station where a train number is enough, customers give the number.
    let instead = |name: &String| spec.enough.iter().any(|set| set.contains(name));
    let wanted: Vec<&SlotSpec> =
        spec.slots.iter().filter(|slot| slot.name == asked || instead(&slot.name)).collect();
    let letters = |t: &str| t.chars().filter(|c| c.is_alphanumeric()).count();
    let fitting = understanding.entities.iter().filter(|e| wanted.iter().any(|slot| fits(&e.value, slot)));
    let said: usize = fitting.map(|e| letters(&e.surface)).sum();
    said > 0 && said * 2 >= letters(text)
}

/// Puts the entities of the message into the slots: by role first, then a lone station into the slot that was
/// asked for, or into the first empty one.
pub fn fill(text: &str, understanding: &Understanding, spec: &IntentSpec, dialogue: &mut Dialogue) {
    if let (Some(asked), Some(value)) = (dialogue.asked.clone(), choice(text, dialogue).cloned()) {
        dialogue.slots.insert(asked, value);
        dialogue.options.clear();
        return;
    }
    dialogue.options.clear();
    let mut filled_now: Vec<&str> = Vec::new();
    let mut left = Vec::new();
    for entity in &understanding.entities {
        match spec.slots.iter().find(|slot| slot.name == entity.role && fits(&entity.value, slot)) {
            // The role that a lone answer seems to have counts less than our question.
            Some(slot) if !filled_now.contains(&&*slot.name) => {
                dialogue.slots.insert(slot.name.clone(), entity.value.clone());
                filled_now.push(&slot.name);
            }
            _ => left.push(&entity.value),
        }
    }
    for value in left {
        let asked = dialogue.asked.as_deref();
        let empty = |slot: &&SlotSpec| {
            // One changes at a station only where the words say so.
            fits(value, slot)
                && slot.name != "via"
                && !dialogue.slots.contains_key(&slot.name)
                && !filled_now.contains(&&*slot.name)
        };
        let target = spec
            .slots
            .iter()
            .find(|slot| asked == Some(&slot.name) && empty(slot))
            .or_else(|| spec.slots.iter().find(empty));
        if let Some(slot) = target {
            dialogue.slots.insert(slot.name.clone(), value.clone());
            filled_now.push(&slot.name);
        }
    }
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

fn fits(value: &EntityValue, slot: &SlotSpec) -> bool {
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
