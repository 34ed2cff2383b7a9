//! One word for what a decision does, so that logs and simulations can tell why something was said.

use super::{Decision, Effect, Part};
use crate::model::{ConversationState, MessageKind};
use std::fmt;
use std::str::FromStr;

/// What the bot did with a message, seen by the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It said something that asks for no slot: an answer, or that it does not know or understand.
    Answer,
    /// It asked for this slot, by a question or a numbered choice.
    Ask(String),
    /// It asked whether it understood well.
    Confirm,
    /// It handed the conversation to people.
    Escalate,
    /// The conversation is over.
    Close,
    OptOut,
    OptIn,
    /// The conversation was with people already: the bot left it to them.
    HandledByAgent,
    Silent,
}

/// Questions that are about no slot.
const ABOUT_NO_SLOT: &[&str] =
    &["system.clarify", "system.not_a_text", "system.too_long", "system.which_language"];

impl Action {
    /// `before`: where the conversation stood when the message came.
    pub fn of(decision: &Decision, before: ConversationState) -> Self {
        if let Some(action) = decision.effects.iter().find_map(of_effect) {
            return action;
        }
        if decision.escalation.is_some() {
            return Self::Escalate;
        }
        if matches!(before, ConversationState::Queued | ConversationState::InCharge) {
            return Self::HandledByAgent;
        }
        if decision.lines.iter().any(|line| line.response == "system.confirm") {
            return Self::Confirm;
        }
        if let Some(slot) = asked(decision) {
            return Self::Ask(slot);
        }
        if decision.lines.is_empty() { Self::Silent } else { Self::Answer }
    }
}

/// Being told goes with an answer, the others are the whole of what was wanted.
fn of_effect(effect: &Effect) -> Option<Action> {
    match effect {
        Effect::OptOut => Some(Action::OptOut),
        Effect::OptIn => Some(Action::OptIn),
        Effect::Close => Some(Action::Close),
        Effect::Watch(_) | Effect::Unwatch(_) | Effect::Speak(_) => None,
    }
}

/// An open question that is repeated behind an answer does not make the answer a question.
fn asked(decision: &Decision) -> Option<String> {
    if decision.kind != Some(MessageKind::Question) {
        return None;
    }
    let by_question = decision.lines.iter().find_map(|line| match &line.part {
        Part::Ask(slot) => Some(slot.clone()),
        Part::Text | Part::Nothing => None,
    });
    by_question.or_else(|| {
        let about_slot = |response: &str| !ABOUT_NO_SLOT.contains(&response);
        let question = decision.lines.last().is_some_and(|line| about_slot(&line.response));
        decision.dialogue.asked.clone().filter(|_| question)
    })
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => f.write_str("answer"),
            Self::Ask(slot) => write!(f, "ask:{slot}"),
            Self::Confirm => f.write_str("confirm"),
            Self::Escalate => f.write_str("escalate"),
            Self::Close => f.write_str("close"),
            Self::OptOut => f.write_str("optout"),
            Self::OptIn => f.write_str("optin"),
            Self::HandledByAgent => f.write_str("handled_by_agent"),
            Self::Silent => f.write_str("silent"),
        }
    }
}

/// A text that names no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no action: write answer, ask:<slot>, confirm, escalate, close, optout, optin, handled_by_agent or silent"
)]
pub struct UnknownAction(String);

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "answer" => Self::Answer,
            "confirm" => Self::Confirm,
            "escalate" => Self::Escalate,
            "close" => Self::Close,
            "optout" => Self::OptOut,
            "optin" => Self::OptIn,
            "handled_by_agent" => Self::HandledByAgent,
            "silent" => Self::Silent,
            _ => match text.strip_prefix("ask:").filter(|slot| !slot.is_empty()) {
                Some(slot) => Self::Ask(slot.to_owned()),
                None => return Err(UnknownAction(text.to_owned())),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Escalation, Line};
    use crate::model::{Dialogue, EscalationReason, Priority};

    fn says(response: &str, part: Part, kind: MessageKind) -> Decision {
        let line = Line { response: response.into(), part, data: serde_json::Value::Null };
        Decision { lines: vec![line], kind: Some(kind), ..Decision::default() }
    }

    #[test]
    fn every_decision_has_its_name() {
        use ConversationState::{Bot, InCharge, Queued};
        use MessageKind::{Answer, Notice, Question};
        let escalation = Some(Escalation { reason: EscalationReason::Emergency, priority: Priority::Urgent });
        let with = |effect| Decision { effects: vec![effect], ..says("a.b", Part::Text, Answer) };
        let asking = |response: &str| Decision {
            dialogue: Dialogue { asked: Some("to".into()), ..Dialogue::default() },
            ..says(response, Part::Text, Question)
        };
        let handed = Decision { escalation, ..says("safety.emergency", Part::Text, Notice) };
        for (decision, before, expected) in [
            (says("a.b", Part::Text, Answer), Bot, "answer"),
            (says("a.b", Part::Nothing, Answer), Bot, "answer"),
            (says("a.b", Part::Ask("from".into()), Question), Bot, "ask:from"),
            (says("a.b", Part::Ask("from".into()), Answer), Bot, "answer"),
            (asking("system.which_station"), Bot, "ask:to"),
            (asking("system.clarify"), Bot, "answer"),
            (asking("system.confirm"), Bot, "confirm"),
            (handed.clone(), Bot, "escalate"),
            (handed, Queued, "escalate"),
            (says("system.escalated_again", Part::Text, Notice), Queued, "handled_by_agent"),
            (Decision::default(), InCharge, "handled_by_agent"),
            (Decision::default(), Bot, "silent"),
            (with(Effect::Close), Bot, "close"),
            (with(Effect::OptOut), Queued, "optout"),
            (with(Effect::OptIn), Bot, "optin"),
            (with(Effect::Unwatch(None)), Bot, "answer"),
        ] {
            let action = Action::of(&decision, before);
            assert_eq!(action.to_string(), expected, "{decision:?}");
            assert_eq!(expected.parse(), Ok(action));
        }
        assert!("ask:".parse::<Action>().is_err());
        assert!("reply".parse::<Action>().unwrap_err().to_string().contains("handled_by_agent"));
    }
}
