//! Commands: exact words as a whole message, before anything else is considered, also while people have the conversation.

use super::words::Words;
use super::{Decision, Effect, Situation, system};
use crate::model::{ConversationState, Cue, Dialogue, Lang, MessageKind, Phrases};
use serde_json::json;

/// A language's name of fewer letters ("fr") is one behind the command only.
const NAME_ALONE: usize = 4;

/// Whether a message is nothing but a command, and so never a part of a longer one.
pub fn is_command(text: &str, phrases: &Phrases) -> bool {
    let words = Words::new(text, &[], phrases);
    [Cue::Stop, Cue::StopSms, Cue::Start, Cue::Help, Cue::Language].into_iter().any(|cue| words.are(cue))
}

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
        if words.are(Cue::Stop) || (self.sms && words.are(Cue::StopSms)) {
            if self.opted_out {
                // One confirmation, then silence.
                return Some(Decision { dialogue: dialogue.clone(), ..Decision::default() });
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::pack::shipped_phrases;
    use proptest::prelude::*;

    const COMMANDS: [Cue; 4] = [Cue::Stop, Cue::StopSms, Cue::Start, Cue::Help];

    fn command(text: &str) -> Option<Cue> {
        let words = Words::new(text, &[], shipped_phrases());
        COMMANDS.into_iter().find(|cue| words.are(*cue))
    }

    #[test]
    fn a_command_is_a_whole_message_however_it_is_written() {
        use Cue::{Help, Start, Stop, StopSms};
        for (cue, texts) in [
            (
                Stop,
                "STOP|stop|Stop.|« STOP »|\"stop\"|'STOP'|  stop  |STOP !!!|stoooop|stop 🙏|STOP\u{a0}|(stop)|*STOP*|sTOP\n|ARRET|\
                 Arrêt|arre\u{302}t|ARRÊT.|DESABO|désabo|DESABONNER|désabonnement|UNSUBSCRIBE|STOPALL|stop all|Stop SMS|\
                 SMS STOP|opt-out|OPTOUT|stop svp|please stop|désinscription",
            ),
            (StopSms, "CANCEL|cancel.|End|QUIT|revoke"),
            (Start, "START|start !|REPRENDRE|« reprendre »|REABO|réabonner|UNSTOP|Subscribe|opt in"),
            (Help, "HELP|help?!|AIDE|Aide 🙏|INFO|info.|Infos|aide svp"),
        ] {
            for text in texts.split('|') {
                // A question mark asks about the word, and does not give it.
                let expected = (!text.contains('?')).then_some(cue);
                assert_eq!(command(text), expected, "{text}");
            }
        }
    }

    #[test]
    fn in_a_sentence_it_is_a_word() {
        for text in [
            "le train fait-il stop à Dol ?",
            "arrêt Saint-Michel",
            "stop à Rennes ?",
            "stop ?",
            "STOP 8745",
            "arrêt de bus",
            "quel arrêt",
            "arrêts",
            "info trafic",
            "infos ligne N",
            "aide moi",
            "besoin d'aide",
            "help me",
            "annuler",
            "annuler mon billet",
            "résilier",
            "cancel my ticket",
            "the end of the line",
            "start of the strike",
            "non stop",
            "stop les alertes",
            "yes",
            "oui",
            "s t o p",
            "",
            "…",
            "🛑",
        ] {
            assert_eq!(command(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn three_words_are_never_a_command(
            words in proptest::collection::vec(
                "stop|arrêt|ARRET|desabo|unsubscribe|cancel|end|quit|start|reprendre|aide|help|info|le|train|à|Dol|sms|svp|[a-z]{1,8}",
                3..9,
            ),
            between in "[ ,.!-]{0,2} "
        ) {
            prop_assert_eq!(command(&words.join(&between)), None);
        }
    }
}
