//! What may be said where everyone reads it.

use super::{Decision, Effect, system};
use crate::model::{Dialogue, MessageKind, Priority};
use serde_json::json;

/// The decision as it is said in public. An answer that stands on facts is said, with an invitation to go on in
/// private. Everything else becomes the invitation alone: a question back would have the customer tell of themselves
/// before everyone, and an answer without facts is about their own matters as often as not. What to do in danger is
/// said all the same. A hand-over still reaches people, who decide what they say.
///
/// `private_url`: where customers can write in private.
pub fn in_public(mut decision: Decision, private_url: Option<&str>) -> Decision {
    // Being told of a train later is between two.
    let watches = |effect: &Effect| matches!(effect, Effect::Watch(_) | Effect::Unwatch(_));
    let private = decision.effects.iter().any(watches);
    decision.effects.retain(|effect| !watches(effect));
    // Who opts out or takes leave wants no word under their comment.
    let leaves = decision.effects.iter().any(|e| matches!(e, Effect::Close | Effect::OptOut | Effect::OptIn));
    if leaves && decision.escalation.is_none() {
        decision.lines.clear();
    }
    if decision.lines.is_empty() {
        return decision;
    }
    let answers = decision.kind == Some(MessageKind::Answer) && !decision.facts.is_empty();
    let urgent = decision.escalation.is_some_and(|escalation| escalation.priority == Priority::Urgent);
    if urgent {
        decision.lines.retain(|line| !line.response.starts_with("system."));
    } else if !answers || private || decision.escalation.is_some() {
        decision.lines.clear();
        decision.facts.clear();
        decision.kind = Some(MessageKind::Notice);
    }
    decision.lines.push(system("public_invitation", json!({ "private_url": private_url })));
    decision.dialogue = nothing_asked(decision.dialogue);
    decision
}

/// What was not asked is not waited for.
fn nothing_asked(dialogue: Dialogue) -> Dialogue {
    Dialogue { asked: None, options: Vec::new(), times_asked: 0, confirm: None, open: Vec::new(), ..dialogue }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Escalation, Line, Part};
    use crate::model::{EscalationReason, Fact, Timestamp, Watched};

    fn says(response: &str, kind: MessageKind) -> Decision {
        let line = Line { response: response.into(), part: Part::Text, data: json!({}) };
        Decision { lines: vec![line], kind: Some(kind), ..Decision::default() }
    }

    fn with_facts(decision: Decision) -> Decision {
        let fact =
            Fact { value: "departure".into(), source: "timetable".into(), as_of: Timestamp(0), ride: None };
        Decision { facts: vec![fact], ..decision }
    }

    fn handed(decision: Decision, priority: Priority) -> Decision {
        let escalation = Some(Escalation { reason: EscalationReason::Requested, priority });
        Decision { escalation, ..decision }
    }

    #[test]
    fn facts_are_said_and_the_rest_is_an_invitation() {
        use MessageKind::{Answer, Notice, Question};
        const ALONE: &[&str] = &["system.public_invitation"];
        let closes = |decision| Decision { effects: vec![Effect::Close], ..decision };
        let train =
            Watched::Station { station: crate::model::StationRef { id: "1".into(), name: "Rennes".into() } };
        let watches = |decision| Decision { effects: vec![Effect::Unwatch(Some(train.clone()))], ..decision };
        let opts_out = |decision| Decision { effects: vec![Effect::OptOut], ..decision };
        let mut both = with_facts(handed(says("safety.emergency", Notice), Priority::Urgent));
        both.lines.extend(says("system.escalated", Notice).lines);
        let cases: Vec<(Decision, &[&str], Option<MessageKind>)> = vec![
            (
                with_facts(says("schedules.next", Answer)),
                &["schedules.next", "system.public_invitation"],
                Some(Answer),
            ),
            (says("service.refund", Answer), ALONE, Some(Notice)),
            (says("system.which_station", Question), ALONE, Some(Notice)),
            (with_facts(says("schedules.next", Question)), ALONE, Some(Notice)),
            (says("system.confirm", Question), ALONE, Some(Notice)),
            (handed(says("system.escalated", Notice), Priority::Normal), ALONE, Some(Notice)),
            (handed(with_facts(says("a.b", Answer)), Priority::High), ALONE, Some(Notice)),
            (both, &["safety.emergency", "system.public_invitation"], Some(Notice)),
            (watches(with_facts(says("watches.stop", Answer))), ALONE, Some(Notice)),
            (closes(says("general.thanks", Answer)), &[], Some(Answer)),
            (opts_out(says("system.opted_out", Notice)), &[], Some(Notice)),
            (Decision::default(), &[], None),
        ];
        for (decision, expected, kind) in cases {
            let before = decision.clone();
            let public = in_public(decision, None);
            let lines: Vec<&str> = public.lines.iter().map(|line| line.response.as_str()).collect();
            assert_eq!((lines.as_slice(), public.kind), (expected, kind), "{before:?}");
            assert!(!public.effects.iter().any(|effect| matches!(effect, Effect::Unwatch(_))));
            assert_eq!(public.escalation, before.escalation, "people hear of it all the same");
            assert_eq!(public.facts.is_empty(), !expected.iter().any(|line| !line.starts_with("system.")));
        }
    }

    #[test]
    fn what_was_not_asked_is_not_waited_for_and_the_address_is_told() {
        let dialogue = Dialogue {
            intent: Some("schedules.next".into()),
            asked: Some("from".into()),
            times_asked: 1,
            failures: 1,
            ..Dialogue::default()
        };
        let asking = Decision { dialogue, ..says("schedules.next", MessageKind::Question) };
        let public = in_public(asking, Some("https://m.me/1"));
        assert_eq!((public.dialogue.asked, public.dialogue.failures), (None, 1));
        assert_eq!(public.lines[0].data, json!({ "private_url": "https://m.me/1" }));
    }
}
