//! Commands: exact words as a whole message, before anything else is considered, also while people have the conversation.

use super::words::Words;
use super::{Decision, Effect, Situation, system};
use crate::model::{ConversationState, Cue, Dialogue, MessageKind};
use serde_json::json;

impl Situation<'_> {
    pub(super) fn command(&self, words: &Words<'_>, dialogue: &Dialogue) -> Option<Decision> {
        let with = |name, effect: Option<Effect>| {
            Some(Decision {
                lines: vec![system(name, json!({}))],
                kind: Some(MessageKind::Notice),
                effects: effect.into_iter().collect(),
                dialogue: dialogue.clone(),
                ..Decision::default()
            })
        };
        if words.are(Cue::Stop) {
            // What was open is not what the customer comes back for.
            return with("opted_out", Some(Effect::OptOut)).map(|stopped| Decision {
                dialogue: Dialogue { acknowledged: dialogue.acknowledged, ..dialogue.clone().memory() },
                ..stopped
            });
        }
        if words.are(Cue::Start) && (self.opted_out || dialogue.asked.is_none()) {
            return with("opted_in", Some(Effect::OptIn));
        }
        // "HELP!" may be a cry; and people who are there help better.
        let with_people = self.conversation.state == ConversationState::InCharge;
        let help = words.are(Cue::Help) && !words.exclaims() && !with_people && !self.opted_out;
        if help {
            with("help", None).map(|d| Decision { kind: Some(MessageKind::Answer), ..d })
        } else {
            None
        }
    }
}
