//! The customer shares where they are, instead of words: the stations around are offered.

use super::{Decision, Situation, slots, system, topics};
use crate::model::{Dialogue, EntityValue, MessageKind};
use crate::transit::NEAR_KM;
use serde_json::json;

/// Whoever shares a place without having been asked for one wants to leave from there.
const WANTED: &str = "schedules.next_departure";
const LEAVES: &str = "from";

impl Situation<'_> {
    /// Offers the nearest stations for the open question, or for the next departure. None: no place was shared.
    pub(super) fn placed(&self, dialogue: &Dialogue) -> Option<Decision> {
        let near = self.near.filter(|_| self.text.trim().is_empty())?;
        let mut dialogue = dialogue.clone();
        if !self.asks_for_station(&dialogue) {
            let wanted = self.intents.get(WANTED)?;
            if dialogue.asked.is_some() {
                topics::set_aside(&mut dialogue);
            }
            slots::start(&mut dialogue, wanted);
            dialogue.slots.remove(LEAVES);
            dialogue.question.clear();
            dialogue.after = None;
            dialogue.asked = Some(LEAVES.to_owned());
            dialogue.times_asked = 1;
        }
        dialogue.failures = 0;
        dialogue.options =
            near.iter().map(|near| EntityValue::Station { station: near.station.clone() }).collect();
        let numbered = near
            .iter()
            .enumerate()
            .map(|(at, near)| json!({ "n": at + 1, "name": near.station.name, "km": near.metres / 1_000 }));
        let options: Vec<_> = numbered.collect();
        let line = if options.is_empty() {
            system("no_station_near", json!({ "km": NEAR_KM }))
        } else {
            system("nearest_stations", json!({ "options": options }))
        };
        let intent = dialogue.intent.clone();
        Some(Decision {
            lines: vec![line],
            kind: Some(MessageKind::Question),
            intent,
            dialogue,
            ..Decision::default()
        })
    }

    fn asks_for_station(&self, dialogue: &Dialogue) -> bool {
        let asked = dialogue.asked.as_deref();
        let spec = dialogue.intent.as_deref().and_then(|name| self.intents.get(name));
        spec.is_some_and(|spec| {
            spec.slots.iter().any(|slot| asked == Some(&slot.name) && slot.entity == "station")
        })
    }
}
