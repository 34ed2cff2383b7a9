//! Going on with what was said: "et le suivant ?", "et au retour ?", "et pour Nantes ?", "et le dernier ?".

use super::words::Words;
use super::{Situation, slots};
use crate::model::{Cue, Dialogue, EntityValue, IntentEffect, IntentSpec, OUT_OF_SCOPE, Timestamp};
use jiff::civil::Date;
use std::time::Duration;

/// The one after a train leaves later than it by at least this.
const LATER: Duration = Duration::from_secs(1);
/// The intent that knows the first and the last train of a day.
const FIRST_LAST: &str = "schedules.first_last";

impl<'a> Situation<'a> {
    /// The intent with which this message goes on, when no question of ours is open; the dialogue is changed accordingly.
    pub(super) fn follow_up(&self, words: &Words<'_>, dialogue: &mut Dialogue) -> Option<&'a IntentSpec> {
        let spec = self.intents.get(dialogue.intent.as_deref()?)?;
        if words.only(Cue::Back) && turned(dialogue) {
            return Some(spec);
        }
        for cue in [Cue::Last, Cue::First] {
            if words.only(cue) && dialogue.slots.contains_key("from") {
                let wanted = self.intents.get(FIRST_LAST).unwrap_or(spec);
                let known = dialogue.slots.clone();
                slots::start(dialogue, wanted);
                dialogue.slots = shared(known, wanted);
                dialogue.after = None;
                dialogue.question = words.cut(super::KEPT);
                return Some(wanted);
            }
        }
        let timed = spec.slots.iter().find(|slot| slot.entity == "time");
        let says_when =
            || self.understanding.entities.iter().any(|e| matches!(e.value, EntityValue::Time { .. }));
        if timed.is_some() && words.only(Cue::Next) && !says_when() {
            dialogue.after = dialogue.told.as_ref().map(|told| told.departs.plus(LATER));
            return Some(spec);
        }
        self.new_value(words, spec, dialogue).then_some(spec)
    }

    /// Little more than a new value for a slot ("et demain ?").
    fn new_value(&self, words: &Words<'_>, spec: &IntentSpec, dialogue: &Dialogue) -> bool {
        let best = self.understanding.best();
        let unsure = best.is_none_or(|s| s.confidence < self.rules.answer_from || s.intent == OUT_OF_SCOPE);
        let silent = words.telling() == 0 || words.say(Cue::Correct);
        slots::answers(words, self.understanding, spec, dialogue) && (silent || unsure || words.link())
    }

    /// Begins an intent with what is known already, where the message points back at it.
    pub(super) fn start(&self, words: &Words<'_>, spec: &IntentSpec, dialogue: &mut Dialogue) {
        let known = dialogue.slots.clone();
        let same = dialogue.intent.as_deref() == Some(&spec.name);
        slots::start(dialogue, spec);
        dialogue.question = words.cut(super::KEPT);
        dialogue.after = None;
        let ends = spec.effect == Some(IntentEffect::Unwatch);
        let named = self.understanding.entities.iter().any(|e| !matches!(e.value, EntityValue::Time { .. }));
        dialogue.slots = if ends || !words.brief() && (named || !same) {
            Default::default()
        } else if named && !words.link() {
            // A question of its own about another way: only the other end of it can still be meant.
            let station = |value: &EntityValue| matches!(value, EntityValue::Station { .. });
            if same {
                known.into_iter().filter(|(_, value)| station(value)).collect()
            } else {
                Default::default()
            }
        } else {
            shared(known, spec)
        };
        if !ends && !named && words.brief() {
            self.recall_train(spec, dialogue);
        }
    }

    /// "Il est à l'heure ?": the train that was told.
    fn recall_train(&self, spec: &IntentSpec, dialogue: &mut Dialogue) {
        let slot = |name: &str| spec.slots.iter().any(|slot| slot.name == name);
        let Some(told) = dialogue.told.clone() else { return };
        let (Some(number), true) = (told.train, slot("train")) else { return };
        if dialogue.slots.contains_key("train") {
            return;
        }
        dialogue.slots.insert("train".to_owned(), EntityValue::Train { number });
        // Of today no day needs to be named; a time that chose among trains does not choose any more.
        dialogue.slots.remove("when");
        let midnight = |day: Date| day.to_zoned_datetime(self.rules.zone.clone()).ok();
        let (Some(start), Some(end)) = (midnight(told.day), told.day.tomorrow().ok().and_then(midnight))
        else {
            return;
        };
        if slot("when") && told.day != self.date(self.now) {
            let [start, end] = [start, end].map(|at| Timestamp::from_jiff(at.timestamp()));
            dialogue.slots.insert("when".to_owned(), EntityValue::Time { start, end });
        }
    }
}

/// The slots that `spec` has too, settled ones only.
fn shared(
    known: std::collections::BTreeMap<String, EntityValue>,
    spec: &IntentSpec,
) -> std::collections::BTreeMap<String, EntityValue> {
    let of_spec = |name: &str, value: &EntityValue| {
        spec.slots.iter().any(|slot| slot.name == name && slots::fits(value, slot))
            && !matches!(value, EntityValue::Ambiguous { .. })
    };
    known.into_iter().filter(|(name, value)| of_spec(name, value)).collect()
}

/// Swaps where one leaves and where one goes. False: neither is known.
fn turned(dialogue: &mut Dialogue) -> bool {
    let (from, to) = (dialogue.slots.remove("from"), dialogue.slots.remove("to"));
    if from.is_none() && to.is_none() {
        return false;
    }
    dialogue.slots.extend(to.map(|station| ("from".to_owned(), station)));
    dialogue.slots.extend(from.map(|station| ("to".to_owned(), station)));
    // Another train runs the way back.
    dialogue.slots.remove("train");
    dialogue.after = None;
    true
}
