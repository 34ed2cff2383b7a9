//! Commands: exact words as a whole message, before anything else is considered, also while people have the conversation.

use super::words::Words;
use super::{Decision, Effect, Situation, system};
use crate::model::{ConversationState, Cue, Dialogue, Lang, MessageKind};
use serde_json::json;

/// A language's name of fewer letters ("fr") is one behind the command only.
const NAME_ALONE: usize = 4;

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
        // With a slash it is what chat applications send when a conversation is opened: the first word of many.
        if words.are(Cue::Start) && self.text.trim_start().starts_with('/') {
            return with("welcome", Some(Effect::OptIn)).map(|opened| Decision {
                kind: Some(MessageKind::Answer),
                dialogue: Dialogue { acknowledged: dialogue.acknowledged, ..dialogue.clone().memory() },
                ..opened
            });
        }
        if words.are(Cue::Start) && (self.opted_out || dialogue.asked.is_none()) {
            return with("opted_in", Some(Effect::OptIn));
        }
        if !self.opted_out
            && let Some(lang) = self.language(words)
        {
            return with("language_set", Some(Effect::Speak(lang)))
                .map(|set| Decision { kind: Some(MessageKind::Answer), ..set });
        }
        if words.are(Cue::Language) && !self.opted_out {
            let shown = self.phrases.languages.values().enumerate();
            let options: Vec<_> =
                shown.map(|(at, names)| json!({ "n": at + 1, "name": names.shown })).collect();
            return Some(Decision {
                lines: vec![system("which_language", json!({ "options": options }))],
                kind: Some(MessageKind::Question),
                dialogue: dialogue.clone(),
                ..Decision::default()
            });
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

    /// The language that the message chooses. Its name alone may answer a person's question: then it is theirs to read.
    fn language(&self, words: &Words<'_>) -> Option<Lang> {
        let with_bot =
            matches!(self.conversation.state, ConversationState::Bot | ConversationState::Resolved);
        let letters = |name: &[String]| name.iter().map(String::len).sum::<usize>();
        let names = |name: &Vec<String>| {
            words.are_then(Cue::Language, name) || (with_bot && letters(name) >= NAME_ALONE && words.is(name))
        };
        let languages = self.phrases.languages.iter();
        languages.filter(|(_, named)| named.names.iter().any(names)).map(|(lang, _)| *lang).next()
    }
}
