//! The dialogue rules: what to do with a message, given what was understood. Pure: no I/O, no clock of its own.
//! Lookups happen between [`Situation::plan`] and [`Planned::decide`], sends after.

mod action;
mod several;
mod slots;

use crate::answers::Lookup;
use crate::model::{
    Conversation, ConversationState, Dialogue, EntityValue, EscalationReason, Fact, IntentSpec, MessageKind,
    NewWatch, OUT_OF_SCOPE, Priority, Timestamp, Understanding, UrlTemplate, Watched,
};
pub use action::{Action, UnknownAction};
use serde_json::{Value, json};
pub use several::Several;
use std::collections::BTreeMap;
use std::time::Duration;

/// An emergency is followed up from this confidence (0 to 1) on, even as a runner-up: calling a person for
/// nothing costs a minute, the other error may cost more.
const EMERGENCY_FROM: f32 = 0.30;
/// A longer message is no question: understanding reads no further, so the customer is asked to be short.
const LONGEST: usize = 2_000;

/// The operator's choices, from `guichet.toml`.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Below this confidence (0 to 1) the bot does not answer; an intent may set its own.
    pub answer_from: f32,
    pub max_asks: u32,
    pub max_failures: u32,
    pub forget_after: Duration,
}

/// Everything that a decision depends on.
pub struct Situation<'a> {
    pub text: &'a str,
    pub understanding: &'a Understanding,
    pub conversation: &'a Conversation,
    /// By name.
    pub intents: &'a BTreeMap<String, IntentSpec>,
    pub rules: &'a Rules,
    pub now: Timestamp,
}

/// Which part of a response is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text,
    /// The answer source found that there is nothing.
    Nothing,
    Ask(String),
}

/// One response to render.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// `domain.intent` or `system.name`.
    pub response: String,
    pub part: Part,
    pub data: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escalation {
    pub reason: EscalationReason,
    pub priority: Priority,
}

/// What a decision does beyond saying something.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The contact wants to be told.
    Watch(NewWatch),
    /// No more of this; `None`: of anything.
    Unwatch(Option<Watched>),
    OptOut,
    OptIn,
    /// The conversation is over, until the customer writes again.
    Close,
}

/// What happens next; committed as a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// Said as one message; empty: nothing is said.
    pub lines: Vec<Line>,
    pub kind: Option<MessageKind>,
    pub facts: Vec<Fact>,
    /// Beyond words: committed with them.
    pub effects: Vec<Effect>,
    pub escalation: Option<Escalation>,
    /// The intent that the conversation is now about.
    pub intent: Option<String>,
    pub dialogue: Dialogue,
}

/// A decision, or the lookup it waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    Decided(Box<Decision>),
    LookUp(Box<Planned>),
}

/// What to look up, and what is known already.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub source: String,
    pub slots: BTreeMap<String, EntityValue>,
    decision: Decision,
    spec: IntentSpec,
}

impl Situation<'_> {
    /// First step: everything that can be decided without facts.
    pub fn plan(&self) -> Plan {
        let decided = |decision| Plan::Decided(Box::new(decision));
        let mut dialogue = self.current_dialogue();
        if let Some(decision) = self.emergency(&dialogue) {
            return decided(decision);
        }
        match self.conversation.state {
            ConversationState::InCharge => return decided(Decision { dialogue, ..Decision::default() }),
            ConversationState::Queued => return decided(self.waiting(dialogue)),
            ConversationState::Bot | ConversationState::Resolved => {}
        }
        if self.text.trim().is_empty() {
            return decided(self.not_understood(dialogue, "not_a_text", EscalationReason::RepeatedFailure));
        }
        if self.text.chars().count() > LONGEST {
            return decided(self.not_understood(dialogue, "too_long", EscalationReason::RepeatedFailure));
        }
        let spec = match self.pending(&dialogue) {
            Some(spec) => spec,
            None => {
                let best = self.understanding.best();
                let name = best.map_or(OUT_OF_SCOPE, |score| &score.intent);
                let Some(spec) = self.intents.get(name).filter(|_| name != OUT_OF_SCOPE) else {
                    return decided(self.not_understood(
                        dialogue,
                        OUT_OF_SCOPE,
                        EscalationReason::RepeatedFailure,
                    ));
                };
                let from = spec.escalate.below.unwrap_or(self.rules.answer_from);
                if best.is_none_or(|score| score.confidence < from) {
                    return decided(self.not_understood(
                        dialogue,
                        "clarify",
                        EscalationReason::LowConfidence,
                    ));
                }
                slots::start(&mut dialogue, spec);
                spec
            }
        };
        dialogue.failures = 0;
        self.follow(spec, dialogue)
    }

    /// What the bot still remembers.
    fn current_dialogue(&self) -> Dialogue {
        let kept = &self.conversation.dialogue;
        let fresh = kept.is_fresh(self.now, self.rules.forget_after);
        let mut dialogue = if fresh { kept.clone() } else { Dialogue::default() };
        dialogue.acknowledged = kept.acknowledged;
        dialogue.last_at = Some(self.now);
        dialogue
    }

    /// The intent that this message goes on with: it answers our question, or it is little more than a new value for
    /// a slot ("et demain ?").
    fn pending(&self, dialogue: &Dialogue) -> Option<&IntentSpec> {
        let spec = self.intents.get(dialogue.intent.as_deref()?)?;
        let Some(asked) = dialogue.asked.as_deref() else {
            let mut slots = spec.slots.iter();
            let follows = slots.any(|s| slots::answers(self.text, self.understanding, spec, &s.name));
            return follows.then_some(spec);
        };
        let best = self.understanding.best();
        let same = best.is_none_or(|score| score.intent == spec.name);
        let unsure = best.is_none_or(|s| s.confidence < self.rules.answer_from || s.intent == OUT_OF_SCOPE);
        let answers = slots::choice(self.text, dialogue).is_some()
            || slots::answers(self.text, self.understanding, spec, asked);
        (answers || same || unsure).then_some(spec)
    }

    /// Fills the slots; asks for what is missing, then looks up or answers.
    fn follow(&self, spec: &IntentSpec, mut dialogue: Dialogue) -> Plan {
        slots::fill(self.text, self.understanding, spec, &mut dialogue);
        let mut decision = Decision { intent: Some(spec.name.clone()), ..Decision::default() };
        match slots::missing(spec, &dialogue) {
            Some(slots::Missing::Choice { slot, options }) => {
                let names: Vec<Value> = options
                    .iter()
                    .enumerate()
                    .map(|(i, station)| json!({"n": i + 1, "name": station.name}))
                    .collect();
                dialogue.options =
                    options.into_iter().map(|station| EntityValue::Station { station }).collect();
                self.ask(&mut decision, dialogue, &slot, system("which_station", json!({"options": names})));
            }
            Some(slots::Missing::Value { slot }) => {
                let question = self.question(spec, &dialogue, &slot);
                self.ask(&mut decision, dialogue, &slot, question);
            }
            None => {
                dialogue.asked = None;
                dialogue.times_asked = 0;
                let slots = dialogue.slots.clone();
                decision.dialogue = dialogue;
                match &spec.answer {
                    Some(source) => {
                        let source = source.clone();
                        return Plan::LookUp(Box::new(Planned {
                            source,
                            slots,
                            decision,
                            spec: spec.clone(),
                        }));
                    }
                    None => answer_by_template(spec, &mut decision),
                }
            }
        }
        Plan::Decided(Box::new(decision))
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
        let spec = self.understanding.intents.iter().take(3).find_map(|score| {
            let spec = self.intents.get(&score.intent)?;
            let emergency = spec.escalate.reason == Some(EscalationReason::Emergency);
            (emergency && score.confidence >= EMERGENCY_FROM).then_some(spec)
        })?;
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

impl Planned {
    pub fn intent(&self) -> &str {
        &self.spec.name
    }

    /// Where the intent says that its answer is.
    pub fn url(&self) -> Option<&UrlTemplate> {
        self.spec.url.as_ref()
    }

    /// Second step: with what the source found. `None`: there is no such source (not configured).
    pub fn decide(self, found: Option<Lookup>) -> Decision {
        let Planned { mut decision, spec, .. } = self;
        let mut answer = |part, data, facts| {
            decision.lines = vec![Line { response: spec.name.clone(), part, data }];
            decision.kind = Some(MessageKind::Answer);
            decision.facts = facts;
        };
        match found {
            Some(Lookup::Found { data, facts }) => answer(Part::Text, data, facts),
            Some(Lookup::Nothing { data, facts }) => answer(Part::Nothing, data, facts),
            Some(Lookup::NoData { .. }) | None => {
                let priority = spec.escalate.priority.unwrap_or(Priority::Normal);
                escalate(&mut decision, EscalationReason::NoData, priority);
            }
        }
        decision
    }
}

fn system(name: &str, data: Value) -> Line {
    Line { response: format!("system.{name}"), part: Part::Text, data }
}

/// The template alone; with `escalate: always`, a person follows, and the text is no answer to the clocks.
fn answer_by_template(spec: &IntentSpec, decision: &mut Decision) {
    let line = Line { response: spec.name.clone(), part: Part::Text, data: json!({}) };
    if spec.escalate.always {
        let reason = spec.escalate.reason.unwrap_or(EscalationReason::Rule);
        let priority = spec.escalate.priority.unwrap_or(match reason {
            EscalationReason::Emergency => Priority::Urgent,
            EscalationReason::NegativeTone => Priority::High,
            _ => Priority::Normal,
        });
        escalate(decision, reason, priority);
        decision.lines.insert(0, line);
    } else {
        decision.lines = vec![line];
        decision.kind = Some(MessageKind::Answer);
    }
}

/// Hands over to people and tells the customer what happens next.
fn escalate(decision: &mut Decision, reason: EscalationReason, priority: Priority) {
    decision.escalation = Some(Escalation { reason, priority });
    decision.lines = vec![system("escalated", json!({}))];
    decision.kind = Some(MessageKind::Notice);
}

#[cfg(test)]
mod tests;
