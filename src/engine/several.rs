//! The decisions on the questions of one message, said as one reply.

use super::Decision;
use crate::model::{Dialogue, MessageKind};

/// What was decided so far. Answers come in the order of the questions; the first question of ours comes after them, and the
/// conversation goes on with that one.
#[derive(Debug, Default)]
pub struct Several {
    answered: Option<Decision>,
    asking: Option<Decision>,
    escalated: Option<Decision>,
}

impl Several {
    /// What the next decision starts from: as long as we must ask, the conversation stays where it was.
    pub fn dialogue(&self) -> Option<&Dialogue> {
        self.answered.as_ref().map(|decision| &decision.dialogue)
    }

    pub fn add(&mut self, next: Decision) {
        let place = if next.escalation.is_some() {
            // People see the whole message: once is enough.
            &mut self.escalated
        } else if next.kind == Some(MessageKind::Question) {
            &mut self.asking
        } else {
            self.answered = Some(match self.answered.take() {
                Some(before) => joined(before, next),
                None => next,
            });
            return;
        };
        place.get_or_insert(next);
    }

    /// All of it as one decision.
    pub fn finish(self) -> Decision {
        let last = self.escalated.or(self.asking);
        match (self.answered, last) {
            (Some(first), Some(last)) => joined(first, last),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => Decision::default(),
        }
    }
}

/// Both said, the second one's state kept.
fn joined(first: Decision, second: Decision) -> Decision {
    let lines = first.lines.into_iter().chain(second.lines).collect();
    let facts = first.facts.into_iter().chain(second.facts).collect();
    Decision { lines, facts, kind: second.kind.or(first.kind), ..second }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Line, Part};

    fn decision(name: &str, kind: MessageKind) -> Decision {
        let line = Line { response: name.into(), part: Part::Text, data: serde_json::Value::Null };
        Decision { lines: vec![line], kind: Some(kind), intent: Some(name.into()), ..Decision::default() }
    }

    fn said(decisions: &[(&str, MessageKind)]) -> (Vec<String>, Option<MessageKind>, Option<String>) {
        let mut several = Several::default();
        decisions.iter().for_each(|&(name, kind)| several.add(decision(name, kind)));
        let all = several.finish();
        (all.lines.into_iter().map(|line| line.response).collect(), all.kind, all.intent)
    }

    #[test]
    fn answers_in_order_and_asks_last() {
        use MessageKind::{Answer, Question};
        let expect = |lines: &[&str], kind, intent: &str| {
            (lines.iter().map(|l| (*l).to_owned()).collect(), Some(kind), Some(intent.to_owned()))
        };
        assert_eq!(said(&[("a", Answer), ("b", Answer)]), expect(&["a", "b"], Answer, "b"));
        assert_eq!(said(&[("a", Question), ("b", Answer)]), expect(&["b", "a"], Question, "a"));
        assert_eq!(said(&[("a", Question), ("b", Question)]), expect(&["a"], Question, "a"));
    }
}
