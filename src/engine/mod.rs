//! The dialogue rules: what to do with a message, given what was understood. Pure: no I/O, no clock of its own.
//! Lookups happen between [`Situation::plan`] and [`Planned::decide`], sends after.

mod action;
mod commands;
mod confirm;
mod decision;
mod follow_up;
pub mod manners;
mod place;
mod public;
mod several;
mod slots;
pub mod survey;
mod topics;
mod turn;
mod watch;
mod words;

use crate::model::{
    Conversation, ConversationState, Cue, Dialogue, EntityValue, EscalationReason, IntentEffect, IntentSpec,
    MessageKind, OUT_OF_SCOPE, Phrases, Priority, Timestamp, Understanding, Watched,
};
use crate::transit::Nearby;
pub use action::{Action, UnknownAction};
pub use commands::is_command;
pub use decision::{Decision, Effect, Escalation, Line, Part, Plan, Planned};
use decision::{answer_by_template, escalate, system, which_station};
use jiff::tz::TimeZone;
pub use public::in_public;
use serde_json::json;
pub use several::Several;
use std::collections::BTreeMap;
use std::time::Duration;
pub use watch::Following;
use words::Words;

/// An emergency is followed up from this confidence (0 to 1) on, even as a runner-up: calling a person for
/// nothing costs a minute, the other error may cost more.
const EMERGENCY_FROM: f32 = 0.30;
/// A longer message is no question: understanding reads no further, so the customer is asked to be short.
const LONGEST: usize = 2_000;
/// Of the words of a question, so many characters are remembered.
const KEPT: usize = 300;

/// The operator's choices, from `guichet.toml`.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Below this confidence (0 to 1) the bot does not answer; an intent may set its own.
    pub answer_from: f32,
    /// From this confidence up to `answer_from`, a reading that stands out is confirmed with the customer.
    pub confirm_from: f32,
    pub max_asks: u32,
    pub max_failures: u32,
    pub forget_after: Duration,
    /// In which a day begins and "18h" is meant.
    pub zone: TimeZone,
}

/// Everything that a decision depends on.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    pub text: &'a str,
    pub understanding: &'a Understanding,
    pub conversation: &'a Conversation,
    /// By name.
    pub intents: &'a BTreeMap<String, IntentSpec>,
    pub phrases: &'a Phrases,
    pub rules: &'a Rules,
    /// The contact wants to hear nothing: only its commands, and an emergency, are acted upon.
    pub opted_out: bool,
    /// The message came by SMS, where carriers act on words of their own.
    pub sms: bool,
    /// The customer shared a place instead of words: the stations around it, the nearest first.
    pub near: Option<&'a [Nearby]>,
    pub now: Timestamp,
}

impl Situation<'_> {
    /// First step: everything that can be decided without facts.
    pub fn plan(&self) -> Plan {
        let decided = |decision| Plan::Decided(Box::new(decision));
        let words = Words::new(self.text, &self.understanding.entities, self.phrases);
        let mut dialogue = self.current_dialogue();
        if let Some(decision) = self.command(&words, &dialogue) {
            return decided(decision);
        }
        if let Some(mut decision) = self.emergency(&dialogue) {
            // People are called all the same; who has opted out is told nothing.
            decision.lines.retain(|_| !self.opted_out);
            return decided(decision);
        }
        if self.opted_out {
            return decided(Decision { dialogue, ..Decision::default() });
        }
        match self.conversation.state {
            ConversationState::InCharge => return decided(Decision { dialogue, ..Decision::default() }),
            ConversationState::Queued => return decided(self.waiting(dialogue)),
            ConversationState::Bot | ConversationState::Resolved => {}
        }
        if let Some(decision) = self.placed(&dialogue) {
            return decided(decision);
        }
        if self.text.trim().is_empty() {
            return decided(self.not_understood(dialogue, "not_a_text", EscalationReason::RepeatedFailure));
        }
        if self.text.chars().count() > LONGEST {
            return decided(self.not_understood(dialogue, "too_long", EscalationReason::RepeatedFailure));
        }
        if let Some(plan) = self.confirmed(&words, &mut dialogue) {
            return plan;
        }
        if let Some(decision) = self.dropped(&words, &dialogue) {
            return decided(decision);
        }
        match self.goes_on(&words, &mut dialogue) {
            Some(plan) => plan,
            None => self.begin(&words, dialogue),
        }
    }

    /// What the bot still remembers.
    fn current_dialogue(&self) -> Dialogue {
        let kept = &self.conversation.dialogue;
        let fresh = kept.is_fresh(self.now, self.rules.forget_after);
        let mut dialogue = if fresh { kept.clone() } else { Dialogue::default() };
        dialogue.acknowledged = kept.acknowledged;
        dialogue.hushed = manners::is_hushed(self.conversation);
        dialogue.last_at = Some(self.now);
        dialogue
    }

    /// Fills the slots; asks for what is missing, then looks up or answers.
    fn follow(&self, words: &Words<'_>, spec: &IntentSpec, mut dialogue: Dialogue) -> Plan {
        let said = words.cut(KEPT);
        let before = watch::object(&dialogue.slots);
        let answering = dialogue.asked.is_some();
        slots::fill(self, words, spec, &mut dialogue);
        let corrects = before.filter(|before| {
            !answering
                && (words.say(Cue::Correct) || words.begins(Cue::Refuse).is_some())
                && watch::object(&dialogue.slots).as_ref() != Some(before)
        });
        let text = if dialogue.question == said || dialogue.question.is_empty() {
            said
        } else if !answering && self.new_time_of_day() {
            // "Avant 18 h" was said of the old time.
            said
        } else {
            format!("{} {said}", dialogue.question)
        };
        if answering {
            dialogue.question = text.chars().take(KEPT).collect();
        }
        self.complete(spec, dialogue, text, corrects)
    }

    fn new_time_of_day(&self) -> bool {
        let mut entities = self.understanding.entities.iter();
        entities.any(|e| {
            matches!(e.value, EntityValue::Time { .. }) && words::names_no_day(&e.surface, self.phrases)
        })
    }

    /// With the slots as they are: asks for what is missing, then looks up or answers. `text`: the customer's words on it.
    fn complete(
        &self,
        spec: &IntentSpec,
        mut dialogue: Dialogue,
        text: String,
        corrects: Option<Watched>,
    ) -> Plan {
        let mut decision = Decision { intent: Some(spec.name.clone()), ..Decision::default() };
        let mut otherwise = None;
        match slots::missing(spec, &dialogue) {
            Some(slots::Missing::Choice { slot, options }) => {
                dialogue.options =
                    options.into_iter().map(|station| EntityValue::Station { station }).collect();
                let question = which_station(&dialogue.options);
                let question = question.unwrap_or_else(|| self.question(spec, &dialogue, &slot));
                self.ask(&mut decision, dialogue, &slot, question);
                return Plan::Decided(Box::new(decision));
            }
            Some(slots::Missing::Value { slot }) => {
                let question = self.question(spec, &dialogue, &slot);
                let mut asking = decision.clone();
                self.ask(&mut asking, dialogue.clone(), &slot, question);
                if spec.answer.is_none() || !self.of_everything(spec, &dialogue, &text) {
                    return Plan::Decided(Box::new(asking));
                }
                otherwise = Some(asking);
            }
            None => {}
        }
        dialogue.asked = None;
        dialogue.times_asked = 0;
        match (spec.effect, &spec.answer) {
            (Some(IntentEffect::Watch), _) => return self.watch(spec, dialogue, corrects),
            (Some(IntentEffect::Unwatch), _) => {
                return Plan::Decided(Box::new(self.unwatch(spec, dialogue)));
            }
            (_, Some(source)) => {
                let mut slots = dialogue.slots.clone();
                if let Some(after) = dialogue.after {
                    // Another train than the one that was named.
                    slots.remove("train");
                    slots.insert("when".to_owned(), EntityValue::Time { start: after, end: after });
                }
                decision.dialogue = dialogue;
                let (source, spec) = (source.clone(), spec.clone());
                let planned = Planned { source, slots, text, decision, otherwise, spec };
                return Plan::LookUp(Box::new(planned));
            }
            _ => {
                decision.dialogue = dialogue;
                answer_by_template(spec, &mut decision);
            }
        }
        Plan::Decided(Box::new(decision))
    }

    /// Whether the customer's words ask about all there is. Who was asked for one thing must say so.
    fn of_everything(&self, spec: &IntentSpec, dialogue: &Dialogue, text: &str) -> bool {
        let words = Words::new(text, &[], self.phrases);
        let one = dialogue.asked.is_some() || words.say(Cue::One);
        spec.whole && (words.say(Cue::Whole) || !one)
    }

    /// Asks for the slot; when a few words came as the answer to that question, says that they are no station.
    fn question(&self, spec: &IntentSpec, dialogue: &Dialogue, slot: &str) -> Line {
        let station = spec.slots.iter().any(|s| s.name == slot && s.entity == "station");
        let again = dialogue.asked.as_deref() == Some(slot);
        let name = self.text.trim();
        if station && again && name.split_whitespace().count() <= 4 && self.understanding.entities.is_empty()
        {
            return system("unknown_station", json!({"name": name.chars().take(40).collect::<String>()}));
        }
        Line { response: spec.name.clone(), part: Part::Ask(slot.to_owned()), data: json!({}) }
    }

    fn ask(&self, decision: &mut Decision, mut dialogue: Dialogue, slot: &str, question: Line) {
        let again = dialogue.asked.as_deref() == Some(slot);
        dialogue.times_asked = if again { dialogue.times_asked + 1 } else { 1 };
        dialogue.asked = Some(slot.to_owned());
        if dialogue.times_asked > self.rules.max_asks {
            escalate(decision, EscalationReason::RepeatedFailure, Priority::Normal);
        } else {
            decision.lines = vec![question];
            decision.kind = Some(MessageKind::Question);
        }
        decision.dialogue = dialogue;
    }

    /// Says so once or twice, then calls a person.
    fn not_understood(&self, mut dialogue: Dialogue, say: &str, reason: EscalationReason) -> Decision {
        dialogue.failures += 1;
        let mut decision = Decision::default();
        if dialogue.failures >= self.rules.max_failures {
            escalate(&mut decision, reason, Priority::Normal);
        } else if say == OUT_OF_SCOPE {
            // An honest "not here" is an answer: nothing better will come.
            decision.intent = Some(OUT_OF_SCOPE.to_owned());
            decision.lines =
                vec![Line { response: OUT_OF_SCOPE.to_owned(), part: Part::Text, data: json!({}) }];
            decision.kind = Some(MessageKind::Answer);
        } else {
            decision.lines = vec![system(say, json!({}))];
            decision.kind = Some(MessageKind::Question);
        }
        decision.dialogue = dialogue;
        decision
    }

    /// The customer waits for a person and writes again: they are told once that it was seen.
    fn waiting(&self, mut dialogue: Dialogue) -> Decision {
        let mut decision = Decision::default();
        if !dialogue.acknowledged {
            dialogue.acknowledged = true;
            decision.lines = vec![system("escalated_again", json!({}))];
            decision.kind = Some(MessageKind::Notice);
        }
        decision.dialogue = dialogue;
        decision
    }

    /// Whatever the state: an emergency reaches people at once, unless it has already.
    fn emergency(&self, dialogue: &Dialogue) -> Option<Decision> {
        let spec = manners::emergency(self.understanding, self.intents)?;
        let known = self.conversation.reason == Some(EscalationReason::Emergency)
            && self.conversation.state != ConversationState::Bot;
        if known || self.conversation.state == ConversationState::InCharge {
            return None;
        }
        let mut decision =
            Decision { intent: Some(spec.name.clone()), dialogue: dialogue.clone(), ..Decision::default() };
        answer_by_template(spec, &mut decision);
        Some(decision)
    }
}

#[cfg(test)]
mod dialogue_tests;
#[cfg(test)]
mod tests;
