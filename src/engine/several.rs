//! The decisions on the questions of one message, said as one reply.

use super::Decision;
use crate::model::{Dialogue, MessageKind, Priority};

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
        if next.kind == Some(MessageKind::Question)
            && next.escalation.is_none()
            && let Some(first) = &mut self.asking
        {
            // One question of ours at a time: this one comes when that one is answered.
            super::topics::wait_unasked(&mut first.dialogue, &next.dialogue);
            return;
        }
        let place = if let Some(escalation) = next.escalation {
            // People see the whole message: once is enough, for the most urgent reason.
            let rank = |decision: &Decision| decision.escalation.map(|e| e.priority.rank());
            if self.escalated.as_ref().and_then(rank).is_some_and(|rank| escalation.priority.rank() < rank) {
                self.escalated = None;
            }
            &mut self.escalated
        } else if next.kind == Some(MessageKind::Question) {
            &mut self.asking
        } else {
            self.answered = Some(match self.answered.take() {
                Some(before) => before.then(next),
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
            // What to do in danger is said before everything else.
            (Some(first), Some(mut urgent))
                if urgent.escalation.is_some_and(|e| e.priority == Priority::Urgent) =>
            {
                urgent.lines.extend(first.lines);
                urgent.facts.extend(first.facts);
                urgent.effects.extend(first.effects);
                urgent
            }
            (Some(first), Some(last)) => first.then(last),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => Decision::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Escalation, Line, Part};
    use crate::model::EscalationReason;

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

    #[test]
    fn the_most_urgent_reason_counts_and_is_said_first() {
        let handed = |name: &str, priority| {
            let escalation = Escalation { reason: EscalationReason::Requested, priority };
            Decision { escalation: Some(escalation), ..decision(name, MessageKind::Notice) }
        };
        let mut several = Several::default();
        several.add(decision("bike", MessageKind::Answer));
        several.add(handed("person", Priority::Normal));
        several.add(handed("danger", Priority::Urgent));
        several.add(handed("later", Priority::Normal));
        let all = several.finish();
        assert_eq!(all.escalation.map(|e| e.priority), Some(Priority::Urgent));
        let said: Vec<&str> = all.lines.iter().map(|line| line.response.as_str()).collect();
        assert_eq!(said, ["danger", "bike"]);
    }
}
