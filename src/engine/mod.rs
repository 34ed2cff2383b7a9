//! The dialogue rules: what to do with a message, given what was understood. Pure: no I/O, no clock of its own.
//! Lookups happen between [`Situation::plan`] and [`Planned::decide`], sends after.

mod action;
mod commands;
mod confirm;
mod follow_up;
pub mod manners;
mod several;
mod slots;
mod topics;
mod turn;
mod watch;
mod words;

use crate::answers::Lookup;
use crate::model::{
    Conversation, ConversationState, Cue, Dialogue, EntityValue, EscalationReason, Fact, FirstTold,
    IntentEffect, IntentSpec, MessageKind, NewWatch, OUT_OF_SCOPE, Phrases, Priority, Timestamp,
    Understanding, UrlTemplate, Watched,
};
pub use action::{Action, UnknownAction};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
pub use several::Several;
use std::collections::BTreeMap;
use std::time::Duration;
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
    /// The customer's words on this question, of several messages where it took several.
    pub text: String,
    decision: Decision,
    spec: IntentSpec,
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
                self.ask(&mut decision, dialogue, &slot, question);
                return Plan::Decided(Box::new(decision));
            }
            None => {}
        }
        dialogue.asked = None;
        dialogue.times_asked = 0;
        match (spec.effect, &spec.answer) {
            (Some(IntentEffect::Watch), _) => {
                return Plan::Decided(Box::new(self.watch(spec, dialogue, corrects)));
            }
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
                let planned = Planned { source: source.clone(), slots, text, decision, spec: spec.clone() };
                return Plan::LookUp(Box::new(planned));
            }
            _ => {
                decision.dialogue = dialogue;
                answer_by_template(spec, &mut decision);
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
            Some(Lookup::Found { data, facts }) => {
                let told = first_told(&facts);
                answer(Part::Text, data, facts);
                decision.dialogue.told = told;
            }
            Some(Lookup::Nothing { data, facts }) => answer(Part::Nothing, data, facts),
            Some(Lookup::NoData { .. }) | None => {
                let priority = spec.escalate.priority.unwrap_or(Priority::Normal);
                escalate(&mut decision, EscalationReason::NoData, priority);
            }
        }
        decision
    }
}

/// The earliest train that an answer offers: "le suivant" is the one after it, so that none is left out.
fn first_told(facts: &[Fact]) -> Option<FirstTold> {
    let rides = facts.iter().filter_map(|fact| fact.ride.as_ref()).filter(|ride| !ride.cancelled);
    let first = rides.min_by_key(|ride| ride.departs)?;
    Some(FirstTold { departs: first.departs, day: first.key.day, train: first.number.clone() })
}

/// The numbered choice; none where there is nothing to choose from.
fn which_station(options: &[EntityValue]) -> Option<Line> {
    let numbered = |(at, value): (usize, &EntityValue)| match value {
        EntityValue::Station { station } => Some(json!({"n": at + 1, "name": station.name})),
        _ => None,
    };
    let names: Vec<Value> = options.iter().enumerate().filter_map(numbered).collect();
    (!names.is_empty()).then(|| system("which_station", json!({"options": names})))
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
mod dialogue_tests;
#[cfg(test)]
mod tests;
