//! Whether a message is answered at all: machines are not, and neither is who writes faster than anyone reads, or spam.
//! Every rule here errs on the side of answering; an emergency is above all of them.

use super::words::Words;
use super::{Decision, EMERGENCY_FROM, Effect, Escalation, system};
use crate::model::{
    Author, Conversation, ConversationState, Cue, Dialogue, Entity, EscalationReason, IntentSpec,
    MessageKind, OUT_OF_SCOPE, Phrases, Priority, Spoken, Suspicion, Timestamp, Understanding,
};
use crate::nlu::normalise::Normalised;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The span in which messages of a contact are counted.
pub const MINUTE: Duration = Duration::from_secs(60);
/// The same words so often within [`REPEATED_WITHIN`], answered with the same words: that is how machines talk.
const REPEATED: usize = 3;
const REPEATED_WITHIN: Duration = Duration::from_secs(120);
/// A message with so many links is no question.
const MANY_LINKS: usize = 4;
/// So many messages that are nothing but a link.
const LINKS_ALONE: usize = 3;
/// The very same text from so many contacts; a shorter one is what many may well ask at the same time.
const CROWD: usize = 10;
const CROWD_CHARS: usize = 40;

/// What an exchange may look like, from `guichet.toml`. 0 stands for no limit.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub replies: u32,
    /// In which the replies are counted.
    pub window: Duration,
    pub messages_per_minute: u32,
}

/// The intent of an emergency, when that is what was understood, be it as a runner-up.
pub fn emergency<'i>(
    understanding: &Understanding,
    intents: &'i BTreeMap<String, IntentSpec>,
) -> Option<&'i IntentSpec> {
    understanding.intents.iter().take(3).find_map(|score| {
        let spec = intents.get(&score.intent)?;
        let emergency = spec.escalate.reason == Some(EscalationReason::Emergency);
        (emergency && score.confidence >= EMERGENCY_FROM).then_some(spec)
    })
}

/// Surely a customer's concern: an emergency, a complaint, a question that we would answer.
pub fn is_concern(
    understanding: &Understanding,
    intents: &BTreeMap<String, IntentSpec>,
    answer_from: f32,
) -> bool {
    let best = understanding.best().filter(|best| best.confidence >= answer_from);
    let known = best.filter(|best| best.intent != OUT_OF_SCOPE).and_then(|best| intents.get(&best.intent));
    emergency(understanding, intents).is_some() || known.is_some_and(|spec| !spec.courtesy)
}

/// A machine wrote it, by its words: it begins as automatic replies do, or says nothing but that someone is away. What
/// asks something was written by a person, whatever else it says.
pub fn is_automatic(text: &str, entities: &[Entity], phrases: &Phrases) -> bool {
    let words = Words::new(text, entities, phrases);
    !words.text.marks.contains(&'?') && (words.begins(Cue::Automatic).is_some() || words.only(Cue::Away))
}

/// STOP and START are heard at once, however fast they come.
pub fn is_command(text: &str, phrases: &Phrases) -> bool {
    let words = Words::new(text, &[], phrases);
    words.are(Cue::Stop) || words.are(Cue::Start)
}

/// Nobody reads what is sent there: `no-reply@…`.
pub fn is_unread_address(address: &str) -> bool {
    let letters: String =
        address.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    ["noreply", "donotreply", "nepasrepondre", "mailerdaemon"].iter().any(|name| letters.starts_with(name))
}

/// What was said lately between a contact and us, newest first, and the limits to hold it against.
#[derive(Clone, Copy)]
pub struct Habits<'a> {
    pub lately: &'a [Spoken],
    pub limits: Limits,
    pub now: Timestamp,
}

impl Habits<'_> {
    /// More messages than we answer came within the minute up to `at`.
    pub fn too_fast(&self, at: Timestamp) -> bool {
        let most = usize::try_from(self.limits.messages_per_minute).unwrap_or(usize::MAX);
        most > 0 && self.heard(at).count() > most
    }

    /// When the contact may be answered again, should nothing more come.
    pub fn calm_at(&self) -> Timestamp {
        let most = usize::try_from(self.limits.messages_per_minute).unwrap_or(usize::MAX);
        let limiting = self.heard(self.now).nth(most);
        limiting.map_or(self.now, |spoken| spoken.at.plus(MINUTE))
    }

    /// What the contact said within the minute up to `at`, newest first.
    fn heard(&self, at: Timestamp) -> impl Iterator<Item = &Spoken> {
        let since = at.minus(MINUTE);
        let customer = self.lately.iter().filter(|spoken| spoken.author == Author::Customer);
        customer.filter(move |spoken| spoken.at <= at && spoken.at > since)
    }

    /// As many replies were given as may be.
    pub fn is_spent(&self) -> bool {
        let window = self.now.minus(self.limits.window);
        // All parts of a reply were written at one instant.
        let mut times: Vec<Timestamp> =
            self.replies().map(|spoken| spoken.at).filter(|at| *at > window).collect();
        times.dedup();
        let most = usize::try_from(self.limits.replies).unwrap_or(usize::MAX);
        most > 0 && times.len() >= most
    }

    /// Answering `text` with `reply` would go on with what only machines do: saying the same, or never ending. `facts`: the
    /// reply tells what is so right now, and people on a platform do ask that again and again.
    pub fn is_loop(&self, text: &str, reply: &[String], facts: bool) -> bool {
        let since = self.now.minus(REPEATED_WITHIN);
        let same = |spoken: &&Spoken| {
            spoken.author == Author::Customer && spoken.at > since && spoken.text.trim() == text.trim()
        };
        let said = |part: &String| self.replies().any(|spoken| spoken.at > since && &spoken.text == part);
        let repeated = || self.lately.iter().filter(same).count() >= REPEATED && reply.iter().all(said);
        self.limits.replies > 0 && (self.is_spent() || !facts && repeated())
    }

    fn replies(&self) -> impl Iterator<Item = &Spoken> {
        self.lately.iter().filter(|spoken| spoken.author == Author::Bot)
    }

    /// Why `text` seems to be spam. `crowd`: how many contacts wrote the very same lately.
    pub fn suspicion(&self, text: &str, crowd: usize) -> Option<Suspicion> {
        let alone = |text: &str| links(text) > 0 && words_beside_links(text) <= 2;
        let customer = self.lately.iter().filter(|spoken| spoken.author == Author::Customer);
        if links(text) >= MANY_LINKS {
            Some(Suspicion::Links)
        } else if alone(text) && customer.filter(|spoken| alone(&spoken.text)).count() >= LINKS_ALONE {
            Some(Suspicion::RepeatedLink)
        } else {
            (crowd >= CROWD && is_telling(text)).then_some(Suspicion::Crowd)
        }
    }
}

/// Long enough that many contacts do not write it by chance.
pub fn is_telling(text: &str) -> bool {
    text.chars().count() >= CROWD_CHARS
}

fn is_link(word: &str) -> bool {
    let word = word.trim_start_matches(['(', '<', '[', '«', '"']);
    let begins = |with: &str| word.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    ["http://", "https://", "www."].iter().any(|with| begins(with) && word.len() > with.len())
}

fn links(text: &str) -> usize {
    text.split_whitespace().filter(|word| is_link(word)).count()
}

fn words_beside_links(text: &str) -> usize {
    let rest: Vec<&str> = text.split_whitespace().filter(|word| !is_link(word)).collect();
    Normalised::new(&rest.join(" ")).tokens.len()
}

/// Nothing more is said in this conversation until a person has acted.
pub fn is_hushed(conversation: &Conversation) -> bool {
    conversation.dialogue.hushed && conversation.state == ConversationState::Queued
}

/// The decision without more words of a machine: a conversation that the bot has is handed to people, once. What the
/// customer wanted done is done, and an emergency is called as it was.
pub fn hush(decision: Decision, conversation: &Conversation) -> Decision {
    if decision.escalation.is_some() {
        // It goes to people as it is; they are not told to wait a second time.
        let dialogue = Dialogue { acknowledged: true, hushed: true, ..decision.dialogue };
        return Decision { dialogue, ..decision };
    }
    let mut hushed = Decision { lines: Vec::new(), kind: None, facts: Vec::new(), ..decision };
    let stopped = hushed.effects.contains(&Effect::OptOut);
    if conversation.state == ConversationState::Bot && !stopped {
        hushed.lines = vec![system("escalated", json!({}))];
        hushed.kind = Some(MessageKind::Notice);
        hushed.escalation = Some(Escalation { reason: EscalationReason::Rule, priority: Priority::Normal });
        hushed.effects.retain(|effect| effect != &Effect::Close);
        hushed.dialogue = Dialogue { acknowledged: true, hushed: true, ..hushed.dialogue };
    }
    hushed
}

#[cfg(test)]
#[path = "manners_tests.rs"]
mod tests;
