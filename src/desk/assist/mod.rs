//! What an agent could answer: drafts from the same understanding, rules and sources as the bot's own answers, on the messages
//! of the customer that nobody has answered yet. Nothing is sent and nothing about the conversation changes.
//!
//! Where the bot must be sure, an agent may choose: each likely reading of the last message is followed as if it were certain.
//! What the sources are not sure of is no draft: it is named, with why, for the agent to look it up.

pub mod kept;
mod read;
#[cfg(test)]
mod tests;
mod values;
mod words;

pub use values::{Pieces, canned};

use crate::answers::Lookup;
use crate::channels::Channels;
use crate::engine::{Decision, Effect, Part, Plan, in_public};
use crate::model::{
    Agent, Contact, Conversation, ConversationId, Fact, Lang, Message, MessageKind, Timestamp,
};
use crate::queue::Mind;
use crate::store::{ProposedReply, Store, StoreError};
use read::{Reading, readings, unanswered};
use std::time::Duration;
use uuid::Uuid;

/// Drafts that are shown.
const MOST: usize = 4;
/// Messages of the conversation that are looked at.
const LOOKED_AT: i64 = 60;
/// A message that is not understood after this long is not being read: it was set aside, or the server is behind.
const READING: Duration = Duration::from_secs(10);
/// Live data older than this may have changed, as in answers of the bot ([`crate::transit`]).
const OLD_AFTER: Duration = Duration::from_secs(90);
/// System messages that an agent may send as well.
const FIT: [&str; 3] = ["system.which_station", "system.unknown_station", "system.public_invitation"];

/// What a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftKind {
    /// It answers.
    Answer,
    /// Something is missing, and it asks for it.
    Question,
    /// It asks for patience.
    Holding,
    /// Nothing sure is known: there is nothing to insert.
    Unknown,
}

impl DraftKind {
    /// The key of its name in the console's texts.
    pub fn as_str(self) -> &'static str {
        match self {
            DraftKind::Answer => "answer",
            DraftKind::Question => "question",
            DraftKind::Holding => "holding",
            DraftKind::Unknown => "unknown",
        }
    }
}

/// A proposed reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub id: Uuid,
    pub kind: DraftKind,
    /// `domain.name`, or `canned.<name>`.
    pub response: String,
    /// Empty: nothing sure is known.
    pub text: String,
    pub facts: Vec<Fact>,
    /// The slot that it asks for; why nothing is known, in English as in the log.
    pub lacks: Option<String>,
    /// It rests on live data that may have changed.
    pub old: bool,
    /// It tells of a train that has left.
    pub departed: bool,
}

/// What is proposed now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposed {
    /// The best first.
    pub drafts: Vec<Draft>,
    /// The customer's last message is being read: ask again in a moment.
    pub reading: bool,
    /// A source did not answer in time.
    pub late: bool,
}

/// Everything that drafts are made from.
pub struct Assistant<'a> {
    pub store: &'a Store,
    pub channels: &'a Channels,
    pub mind: &'a Mind,
    /// How long the sources may take.
    pub deadline: Duration,
}

/// One conversation as drafts see it.
struct Subject {
    conversation: Conversation,
    contact: Contact,
    messages: Vec<Message>,
    lang: Lang,
    now: Timestamp,
}

impl Assistant<'_> {
    /// The drafts for `agent`, kept for a day so that their facts can go with the reply. None: there is no such
    /// conversation.
    pub async fn propose(
        &self,
        now: Timestamp,
        agent: &Agent,
        id: ConversationId,
    ) -> Result<Option<Proposed>, StoreError> {
        let mut tx = self.store.read().await?;
        let Some(conversation) = tx.conversation(id).await? else { return Ok(None) };
        let Some(contact) = tx.contact_by_id(conversation.contact_id).await? else { return Ok(None) };
        let messages = tx.latest_messages(id, LOOKED_AT).await?;
        drop(tx);
        let last = unanswered(&messages).last();
        let lang = contact
            .chosen_lang
            .or(last.and_then(|m| m.understanding.as_ref()).map(|u| u.lang))
            .or(conversation.lang)
            .unwrap_or(self.mind.operator.lang);
        let reading = last.is_some_and(|m| m.understanding.is_none() && now.since(m.created_at) < READING);
        let subject = Subject { conversation, contact, messages, lang, now };
        let (mut drafts, late) = self.drafts(&subject).await;
        // The reply that asks for patience keeps its place.
        let holding = self.holding(&subject, agent);
        drafts.truncate(MOST - usize::from(holding.is_some()));
        drafts.extend(holding);
        self.keep(&drafts, agent, &subject).await?;
        Ok(Some(Proposed { drafts, reading, late }))
    }

    /// From the readings of what is unanswered, the best first; whether one of them was not ready in time.
    async fn drafts(&self, subject: &Subject) -> (Vec<Draft>, bool) {
        let live = self.mind.content.live();
        let readings = readings(subject, self.mind, &live);
        let settled = readings.into_iter().map(|reading| async {
            tokio::time::timeout(self.deadline, self.settle(subject, reading)).await
        });
        let mut late = false;
        let mut drafts: Vec<Draft> = Vec::new();
        for settled in futures::future::join_all(settled).await {
            match settled {
                Err(_) => late = true,
                Ok(Some(draft)) if !drafts.iter().any(|known| known.is_like(&draft)) => drafts.push(draft),
                Ok(_) => {}
            }
        }
        // What is known before what is not, each in the order of likelihood.
        drafts.sort_by_key(|draft| draft.kind == DraftKind::Unknown);
        (drafts, late)
    }

    /// Follows one reading to its words; none: it leads to nothing that an agent would say.
    async fn settle(&self, subject: &Subject, reading: Reading) -> Option<Draft> {
        let Subject { contact, lang, now, .. } = subject;
        let decision = match reading.plan {
            Plan::Decided(decision) => *decision,
            // An agent's words do not make a promise that the server keeps.
            Plan::Follow(_) => return None,
            Plan::LookUp(planned) => {
                let live = self.mind.content.live();
                let found = self.mind.look_up(&planned, contact.id, *lang, &live, *now).await;
                let unknown = match &found {
                    Some(Lookup::NoData { why }) => Some(why.clone()),
                    None => Some(format!("there is no source {}", planned.source)),
                    Some(_) => None,
                };
                match unknown {
                    Some(why) => return Some(Draft::unknown(planned.intent(), why)),
                    None => planned.decide(found),
                }
            }
        };
        self.worded(subject, decision)
    }

    fn worded(&self, subject: &Subject, mut decision: Decision) -> Option<Draft> {
        let Subject { conversation, contact, lang, now, .. } = subject;
        // The agent is the person that the bot would call; what a decision does beyond words is not theirs to promise.
        decision.lines.retain(|line| line.response != "system.escalated");
        let fit = |response: &str| !response.starts_with("system.") || FIT.contains(&response);
        let harmless = decision.effects.iter().all(|effect| *effect == Effect::Close);
        if !harmless || !decision.lines.iter().all(|line| fit(&line.response)) {
            return None;
        }
        let asks = decision.lines.iter().find_map(|line| match &line.part {
            Part::Ask(slot) => Some(slot.clone()),
            Part::Text | Part::Nothing => None,
        });
        let asks = asks.or_else(|| {
            let question = decision.kind == Some(MessageKind::Question);
            decision.dialogue.asked.clone().filter(|_| question)
        });
        let channel = self.channels.get(&conversation.channel)?;
        let decision = if channel.is_public(&contact.address) {
            in_public(decision, channel.private_url().as_deref())
        } else {
            decision
        };
        let response = decision.lines.first()?.response.clone();
        let live = self.mind.content.live();
        let text =
            self.mind.render(self.channels, &decision.lines, &conversation.channel, *lang, &live, *now);
        let text = words::for_people(&text, &live);
        let kind = if asks.is_some() { DraftKind::Question } else { DraftKind::Answer };
        let old =
            decision.facts.iter().any(|f| f.source.starts_with("live:") && now.since(f.as_of) > OLD_AFTER);
        let left = |fact: &Fact| fact.ride.as_ref().is_some_and(|ride| ride.departs < *now);
        let departed = decision.facts.iter().any(left);
        let facts = decision.facts;
        let draft = Draft { id: Uuid::now_v7(), kind, response, text, facts, lacks: asks, old, departed };
        (!draft.text.is_empty()).then_some(draft)
    }

    /// For who waits for a first word of a person.
    fn holding(&self, subject: &Subject, agent: &Agent) -> Option<Draft> {
        let Subject { conversation, messages, lang, .. } = subject;
        let since = conversation.escalated_at?;
        let answered = messages.iter().any(|m| m.agent_id.is_some() && m.created_at >= since);
        if answered || unanswered(messages).is_empty() {
            return None;
        }
        let values = values::values(self.mind, subject.pieces(), agent);
        let replies = self.mind.content.live().canned.texts(*lang, &values, &|_| None);
        let reply = replies.into_iter().find(|reply| reply.holding)?;
        Some(Draft {
            id: Uuid::now_v7(),
            kind: DraftKind::Holding,
            response: format!("canned.{}", reply.name),
            text: reply.text,
            facts: Vec::new(),
            lacks: None,
            old: false,
            departed: false,
        })
    }

    async fn keep(&self, drafts: &[Draft], agent: &Agent, subject: &Subject) -> Result<(), StoreError> {
        let usable: Vec<&Draft> = drafts.iter().filter(|draft| !draft.text.is_empty()).collect();
        if usable.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        for Draft { id, response, text, facts, .. } in usable {
            let (response, text, facts) = (response.clone(), text.clone(), facts.clone());
            let proposal = ProposedReply { id: *id, response, text, facts };
            tx.insert_proposed_reply(&proposal, subject.conversation.id, agent.id, subject.now).await?;
        }
        tx.commit().await
    }
}

impl Subject {
    fn pieces(&self) -> Pieces<'_> {
        Pieces {
            conversation: &self.conversation,
            contact: &self.contact,
            messages: &self.messages,
            lang: self.lang,
            now: self.now,
        }
    }
}

impl Draft {
    fn unknown(intent: &str, why: String) -> Self {
        Self {
            id: Uuid::now_v7(),
            kind: DraftKind::Unknown,
            response: intent.to_owned(),
            text: String::new(),
            facts: Vec::new(),
            lacks: Some(why),
            old: false,
            departed: false,
        }
    }

    /// Says the same, so that one of them is enough.
    fn is_like(&self, other: &Self) -> bool {
        if self.text.is_empty() { self.response == other.response } else { self.text == other.text }
    }
}
