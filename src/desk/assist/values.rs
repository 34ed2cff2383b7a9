//! What "/" offers, and what the variables of canned replies stand for in one conversation.

use super::read::unanswered;
use super::words::for_people;
use crate::answers::canned::{CannedText, Values};
use crate::channels::Channels;
use crate::engine::{Line, Part};
use crate::model::{Agent, Contact, Conversation, EntityValue, Lang, Message, Timestamp};
use crate::queue::Mind;
use std::collections::BTreeMap;

/// Of a name that the customer chose; longer ones are no names.
const LONGEST_NAME: usize = 40;

/// Where the values are found.
#[derive(Clone, Copy)]
pub struct Pieces<'a> {
    pub conversation: &'a Conversation,
    pub contact: &'a Contact,
    /// Oldest first.
    pub messages: &'a [Message],
    pub lang: Lang,
    pub now: Timestamp,
}

impl Pieces<'_> {
    /// What the customer named last in one of these roles: in messages that wait, then in the bot's memory.
    fn named(&self, roles: &[&str]) -> Option<String> {
        let open = unanswered(self.messages).iter().rev().filter_map(|m| m.understanding.as_ref());
        let said = open
            .flat_map(|u| u.entities.iter().rev())
            .find_map(|entity| roles.contains(&entity.role.as_str()).then(|| name(&entity.value)).flatten());
        let slots = &self.conversation.dialogue.slots;
        said.or_else(|| roles.iter().find_map(|role| name(slots.get(*role)?)))
    }
}

fn name(value: &EntityValue) -> Option<String> {
    match value {
        EntityValue::Station { station } => Some(station.name.clone()),
        EntityValue::Train { number } => Some(number.clone()),
        // Never guessed between several; the others are asked for nowhere.
        _ => None,
    }
}

/// The values; what is not known is left out, and becomes a gap.
pub fn values(mind: &Mind, of: Pieces<'_>, agent: &Agent) -> Values {
    let Pieces { contact, lang, now, .. } = of;
    let one_line = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (text.chars().count() <= LONGEST_NAME && !text.contains(['[', ']'])).then_some(text)
    };
    let first = agent.name.split_whitespace().next();
    let texts = [
        ("agent", first.and_then(one_line)),
        ("contact", contact.name.as_deref().and_then(one_line)),
        ("station", of.named(&["at", "station", "from", "to"])),
        ("from", of.named(&["from", "at"])),
        ("to", of.named(&["to"])),
        ("train", of.named(&["train"])),
        ("hours", Some(mind.calendar.hours_text(now, lang))),
        ("reopens", mind.calendar.reopens_text(now, lang)),
        ("operator", Some(mind.operator.name.clone())),
        ("help_url", Some(mind.operator.help_url.clone())),
    ];
    let known = texts.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Values { texts: known.collect::<BTreeMap<_, _>>(), open: mind.calendar.is_open(now) }
}

/// What "/" offers in this conversation: the operator's canned replies, and the responses that they list for agents.
pub fn canned(mind: &Mind, channels: &Channels, of: Pieces<'_>, agent: &Agent) -> Vec<CannedText> {
    let live = mind.content.live();
    let response = |name: &str| {
        let line = Line { response: name.to_owned(), part: Part::Text, data: serde_json::json!({}) };
        let text = mind.render(channels, &[line], &of.conversation.channel, of.lang, &live, of.now);
        Some(for_people(&text, &live)).filter(|text| !text.is_empty())
    };
    live.canned.texts(of.lang, &values(mind, of, agent), &response)
}
