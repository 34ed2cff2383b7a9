//! What a decision is made of, and the two steps by which it is taken.

use super::Following;
use crate::answers::Lookup;
use crate::model::{
    Dialogue, EntityValue, EscalationReason, Fact, FirstTold, IntentSpec, Lang, MessageKind, NewWatch,
    Priority, UrlTemplate, Watched,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
    /// The contact chose the language that we write from now on.
    Speak(Lang),
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

/// A decision, or what it waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    Decided(Box<Decision>),
    LookUp(Box<Planned>),
    /// The planner must know it before it is promised.
    Follow(Box<Following>),
}

/// What to look up, and what is known already.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub source: String,
    pub slots: BTreeMap<String, EntityValue>,
    /// The customer's words on this question, of several messages where it took several.
    pub text: String,
    pub(super) decision: Decision,
    /// What we ask where the source cannot tell of everything.
    pub(super) otherwise: Option<Decision>,
    pub(super) spec: IntentSpec,
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
        let Planned { mut decision, otherwise, spec, .. } = self;
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
            Some(Lookup::TooWide) if otherwise.is_some() => return otherwise.unwrap_or_default(),
            Some(Lookup::NoData { .. } | Lookup::TooWide) | None => {
                let priority = spec.escalate.priority.unwrap_or(Priority::Normal);
                escalate(&mut decision, EscalationReason::NoData, priority);
                // Why a person is needed: nobody is left to guess that all is well.
                decision.lines.insert(0, system("no_data", json!({})));
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
pub(super) fn which_station(options: &[EntityValue]) -> Option<Line> {
    let numbered = |(at, value): (usize, &EntityValue)| match value {
        EntityValue::Station { station } => Some(json!({"n": at + 1, "name": station.name})),
        _ => None,
    };
    let names: Vec<Value> = options.iter().enumerate().filter_map(numbered).collect();
    (!names.is_empty()).then(|| system("which_station", json!({"options": names})))
}

pub(super) fn system(name: &str, data: Value) -> Line {
    Line { response: format!("system.{name}"), part: Part::Text, data }
}

/// The template alone; with `escalate: always`, a person follows, and the text is no answer to the clocks.
pub(super) fn answer_by_template(spec: &IntentSpec, decision: &mut Decision) {
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
pub(super) fn escalate(decision: &mut Decision, reason: EscalationReason, priority: Priority) {
    decision.escalation = Some(Escalation { reason, priority });
    decision.lines = vec![system("escalated", json!({}))];
    decision.kind = Some(MessageKind::Notice);
}
