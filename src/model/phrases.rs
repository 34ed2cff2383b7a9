use super::{Lang, named_enum};
use std::collections::BTreeMap;

named_enum!(
    /// What a few words do to a conversation, whatever it is about.
    Cue {
        /// As a whole message: nothing more is sent.
        Stop = "stop",
        /// The same by SMS only: there carriers and providers send us nothing more after these, while in a chat "cancel" leaves a
        /// question open no longer.
        StopSms = "stop_sms",
        /// As a whole message: we may send again.
        Start = "start",
        /// As a whole message: what can be done here.
        Help = "help",
        /// As a whole message, or before the name of a language: which one is spoken.
        Language = "language",
        Agree = "agree",
        Refuse = "refuse",
        /// What follows replaces what was said: "plutôt", "I meant".
        Correct = "correct",
        /// Directly before a value: not this one.
        Not = "not",
        /// The one after what was told.
        Next = "next",
        /// The same way back.
        Back = "back",
        First = "first",
        Last = "last",
        /// The open question is dropped.
        Drop = "drop",
        /// What was told is meant: "mon train", "that one".
        This = "this",
        /// The message goes on with what was said: "et", "what about".
        Link = "link",
        /// Says nothing of its own beside a value.
        Filler = "filler",
        /// Directly before a value it says only what kind of thing that is: "le train 8745".
        Noun = "noun",
        /// Words of a time of day, which names no day.
        Clock = "clock",
        /// After these, a message goes on.
        Unfinished = "unfinished",
        /// Anywhere in a question: the first train of the day is asked for.
        AsksFirst = "asks_first",
        AsksLast = "asks_last",
        /// The time is an end: "avant 18 h".
        Deadline = "deadline",
        /// The time is when to be there, not when to leave.
        Arriving = "arriving",
        /// The board of arrivals is meant.
        Arrivals = "arrivals",
        Tomorrow = "tomorrow",
        /// One thing is meant and not named: "ma ligne".
        One = "one",
        /// All of the network is meant: "toutes les lignes".
        Whole = "whole",
        /// So begins what a machine writes.
        Automatic = "automatic",
        /// As a whole message: someone is away, and their machine says so.
        Away = "away",
    }
);

/// The words by which customers steer a conversation, as `intents/dialogue.yaml` has them. The languages are read
/// together: who writes French says "ok" and "stop" all the same. Each phrase is its words in order, folded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Phrases {
    pub cues: BTreeMap<Cue, Vec<Vec<String>>>,
    /// Names of the first choice, the second, …
    pub ordinals: Vec<Vec<Vec<String>>>,
    pub languages: BTreeMap<Lang, LanguageNames>,
    /// What we say of an intent when we ask whether it is meant: "vous cherchez le prochain départ".
    pub confirm: BTreeMap<(Lang, String), String>,
}

/// What customers call a language.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LanguageNames {
    /// In the language itself, as it is shown.
    pub shown: String,
    pub names: Vec<Vec<String>>,
}

impl Phrases {
    pub fn of(&self, cue: Cue) -> &[Vec<String>] {
        self.cues.get(&cue).map_or(&[], Vec::as_slice)
    }
}
