//! Questions that wait while another one is answered.

use super::words::Words;
use super::{Decision, Effect, Line, Part, Plan, Situation, slots, which_station};
use crate::model::{Cue, Dialogue, IntentEffect, MessageKind, Thread};
use serde_json::json;

/// So many questions wait at most; an older one is forgotten.
const DEPTH: usize = 2;

/// Lays the open question aside.
pub(super) fn set_aside(dialogue: &mut Dialogue) {
    if let Some(thread) = thread(dialogue) {
        wait(dialogue, thread);
    }
    dialogue.intent = None;
    dialogue.slots.clear();
    dialogue.recent.clear();
    dialogue.asked = None;
    dialogue.times_asked = 0;
    dialogue.options.clear();
}

/// Another question of the same message, whose own question of ours has not been said.
pub(super) fn wait_unasked(dialogue: &mut Dialogue, other: &Dialogue) {
    if let Some(thread) = thread(other) {
        wait(dialogue, Thread { times_asked: 0, options: Vec::new(), ..thread });
    }
}

fn thread(dialogue: &Dialogue) -> Option<Thread> {
    Some(Thread {
        intent: dialogue.intent.clone()?,
        slots: dialogue.slots.clone(),
        question: dialogue.question.clone(),
        asked: dialogue.asked.clone()?,
        options: dialogue.options.clone(),
        times_asked: dialogue.times_asked,
    })
}

fn wait(dialogue: &mut Dialogue, thread: Thread) {
    dialogue.open.push(thread);
    if dialogue.open.len() > DEPTH {
        dialogue.open.remove(0);
    }
}

/// The thread is what the conversation is about again.
fn resume(dialogue: &mut Dialogue, thread: Thread) {
    let Thread { intent, slots, question, asked, options, times_asked } = thread;
    dialogue.recent = slots.keys().cloned().collect();
    dialogue.intent = Some(intent);
    dialogue.slots = slots;
    dialogue.question = question;
    dialogue.asked = Some(asked);
    dialogue.options = options;
    dialogue.times_asked = times_asked;
    dialogue.after = None;
}

impl Situation<'_> {
    /// The customer lets our question drop.
    pub(super) fn dropped(&self, words: &Words<'_>, dialogue: &Dialogue) -> Option<Decision> {
        (dialogue.asked.is_some() && words.only(Cue::Drop)).then(|| Decision {
            lines: vec![super::system("dropped", json!({}))],
            kind: Some(MessageKind::Answer),
            dialogue: Dialogue { asked: None, options: Vec::new(), times_asked: 0, ..dialogue.clone() },
            ..Decision::default()
        })
    }

    /// After a decision on the whole message: a question that waited is taken up again. One that we had asked is
    /// repeated after the answer; one that was never dealt with may need a lookup: then that is returned, and what comes
    /// of it belongs behind the decision ([`Decision::then`]). To be called until it returns none.
    pub fn take_up(&self, decision: &mut Decision) -> Option<Plan> {
        let ends = |effect: &Effect| matches!(effect, Effect::Close | Effect::OptOut);
        if decision.escalation.is_some() || decision.effects.iter().any(ends) {
            // Nothing stays open for who comes back, or for the bot while people answer.
            let acknowledged = decision.dialogue.acknowledged && decision.escalation.is_none();
            decision.dialogue = Dialogue { acknowledged, ..std::mem::take(&mut decision.dialogue).memory() };
            return None;
        }
        if decision.kind != Some(MessageKind::Answer) || decision.dialogue.asked.is_some() {
            return None;
        }
        let thread = decision.dialogue.open.pop()?;
        let spec = self.intents.get(&thread.intent)?;
        if thread.times_asked == 0 {
            let mut dialogue = decision.dialogue.clone();
            let known = std::mem::take(&mut dialogue.slots);
            resume(&mut dialogue, thread);
            dialogue.asked = None;
            // "De Vitré" said where both questions begin.
            for (name, value) in known {
                if spec.slots.iter().any(|slot| slot.name == name && slots::fits(&value, slot)) {
                    dialogue.slots.entry(name).or_insert(value);
                }
            }
            let text = dialogue.question.clone();
            return Some(self.complete(spec, dialogue, text, None));
        }
        let question = match which_station(&thread.options) {
            Some(choice) => choice,
            None => Line {
                response: thread.intent.clone(),
                part: Part::Ask(thread.asked.clone()),
                data: json!({}),
            },
        };
        resume(&mut decision.dialogue, thread);
        let thanked = decision.intent.as_ref().and_then(|name| self.intents.get(name)?.effect);
        if thanked != Some(IntentEffect::CloseWhenDone) {
            decision.lines.push(question);
        }
        None
    }
}

impl Decision {
    /// Both said, in this order; the state is that of the second. An answer stays an answer when a question follows it.
    pub fn then(self, next: Decision) -> Decision {
        let (kind, intent) = (next.kind.or(self.kind), next.intent.or(self.intent));
        Decision {
            lines: self.lines.into_iter().chain(next.lines).collect(),
            facts: self.facts.into_iter().chain(next.facts).collect(),
            effects: self.effects.into_iter().chain(next.effects).collect(),
            kind,
            intent,
            escalation: next.escalation.or(self.escalation),
            dialogue: next.dialogue,
        }
    }
}
