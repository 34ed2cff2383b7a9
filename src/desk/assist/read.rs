//! The ways in which what the customer wrote can be read, each as a plan of the dialogue rules.

use super::Subject;
use crate::content::Live;
use crate::engine::{Plan, Situation};
use crate::model::{
    Author, Conversation, ConversationState, Dialogue, Direction, IntentScore, IntentSpec, Message,
    MessageKind, Understanding,
};
use crate::queue::Mind;

/// A less likely reading (0 to 1) is not worth a line.
const LEAST: f32 = 0.05;
/// Readings of the last message.
const MOST_READINGS: usize = 4;
/// Unanswered messages that are gone through.
const MOST_MESSAGES: usize = 8;

/// One reading, the most likely first in their list.
pub(super) struct Reading {
    pub plan: Plan,
}

/// The customer's messages since a person, or the bot, last answered or asked. A notice is no answer.
pub(super) fn unanswered(messages: &[Message]) -> &[Message] {
    let answers = |m: &Message| match m.author {
        Author::Agent => true,
        Author::Bot => matches!(m.kind, MessageKind::Answer | MessageKind::Question),
        Author::Customer => false,
    };
    let from = messages.iter().rposition(answers).map_or(0, |at| at + 1);
    let open = &messages[from..];
    let last = open.iter().rposition(|m| m.direction == Direction::Inbound).map_or(0, |at| at + 1);
    &open[..last]
}

/// The readings of a conversation: the last message's, most likely first, then what is unanswered before it, then the
/// question that the bot remembers. Where the last message is not clear ("un conseiller svp"), what came before it goes first.
pub(super) fn readings(subject: &Subject, mind: &Mind, live: &Live) -> Vec<Reading> {
    let open: Vec<&Message> =
        unanswered(&subject.messages).iter().filter(|m| m.direction == Direction::Inbound).collect();
    let Some((last, before)) = open.split_last() else { return Vec::new() };
    let reader = Reader { subject, mind, live };
    let mut dialogue = subject.conversation.dialogue.clone();
    let mut earlier = Vec::new();
    for message in before.iter().rev().take(MOST_MESSAGES).rev() {
        let Some(understanding) = &message.understanding else { continue };
        let plan = reader.plan(message, understanding, &dialogue);
        if let Some((next, named)) = follow(&plan) {
            dialogue = next;
            if reader.is_fit(&named) {
                earlier.push(Reading { plan });
            }
        }
    }
    earlier.reverse();
    let certain = last.understanding.as_ref().map(|u| reader.last(last, u, &dialogue)).unwrap_or_default();
    earlier.extend(reader.remembered(last, &dialogue));
    let clear = last.understanding.as_ref().and_then(Understanding::best).is_some_and(|best| {
        best.confidence >= mind.rules.answer_from
            && reader.is_fit(&best.intent)
            && !reader.is_courtesy(&best.intent)
    });
    let (first, second) = if clear { (certain, earlier) } else { (earlier, certain) };
    first.into_iter().chain(second).collect()
}

/// The dialogue after a plan and the intent that it is about; none: it was about none.
fn follow(plan: &Plan) -> Option<(Dialogue, String)> {
    match plan {
        Plan::Decided(decision) => Some((decision.dialogue.clone(), decision.intent.clone()?)),
        Plan::LookUp(planned) => Some((planned.clone().decide(None).dialogue, planned.intent().to_owned())),
        Plan::Follow(_) => None,
    }
}

struct Reader<'a> {
    subject: &'a Subject,
    mind: &'a Mind,
    live: &'a Live,
}

impl Reader<'_> {
    /// As the bot would go on, had it the conversation at the time of the message: what it remembered then counts.
    fn plan(&self, message: &Message, understanding: &Understanding, dialogue: &Dialogue) -> Plan {
        let text = message.text.as_str();
        self.plan_on(message, text, understanding, dialogue)
    }

    fn plan_on(
        &self,
        message: &Message,
        text: &str,
        understanding: &Understanding,
        dialogue: &Dialogue,
    ) -> Plan {
        // Who opted out or waits for a person is answered by one all the same.
        let conversation = Conversation {
            state: ConversationState::Bot,
            agent_id: None,
            dialogue: dialogue.clone(),
            ..self.subject.conversation.clone()
        };
        let situation = Situation {
            text,
            understanding,
            conversation: &conversation,
            intents: &self.live.intents,
            phrases: &self.live.phrases,
            rules: &self.mind.rules,
            opted_out: false,
            sms: false,
            near: None,
            now: message.created_at,
        };
        situation.plan()
    }

    /// Each likely reading of the last message, followed as if it were certain; of several questions, each.
    fn last(&self, message: &Message, understanding: &Understanding, dialogue: &Dialogue) -> Vec<Reading> {
        let questions = understanding.apart();
        let best = understanding.best().map(|score| &score.intent);
        let asked = questions.iter().filter_map(|u| Some((u.best()?.intent.clone(), u)));
        let rest = understanding.intents.iter().filter(|s| s.confidence >= LEAST);
        let all = asked.chain(rest.map(|score| (score.intent.clone(), understanding)));
        let mut seen = Vec::new();
        let mut found = Vec::new();
        for (intent, read) in all {
            // "You are welcome" is no second thought.
            let courtesy = self.is_courtesy(&intent) && Some(&intent) != best;
            if found.len() == MOST_READINGS || seen.contains(&intent) || !self.is_fit(&intent) || courtesy {
                continue;
            }
            let plan = self.plan(message, &certain(read, &intent), dialogue);
            found.push(Reading { plan });
            seen.push(intent);
        }
        found
    }

    /// The question that the bot remembers, asked of the sources again: "their train", whatever was written last.
    fn remembered(&self, message: &Message, dialogue: &Dialogue) -> Option<Reading> {
        let intent = dialogue.intent.as_ref().filter(|intent| self.is_fit(intent))?;
        self.live.intents.get(intent)?.answer.as_ref()?;
        let fresh = dialogue.is_fresh(message.created_at, self.mind.rules.forget_after);
        let text = dialogue.question.trim();
        if !fresh || text.is_empty() || dialogue.slots.is_empty() {
            return None;
        }
        let understanding = message.understanding.as_ref()?;
        let nothing_new = Understanding { entities: Vec::new(), ..certain(understanding, intent) };
        Some(Reading { plan: self.plan_on(message, text, &nothing_new, dialogue) })
    }

    /// Whether an agent could say what it leads to: facts, or a response that the operator lists for agents.
    fn is_fit(&self, intent: &str) -> bool {
        let fit = |spec: &IntentSpec| spec.answer.is_some() || self.live.canned.offers(intent);
        self.live.intents.get(intent).is_some_and(fit)
    }

    fn is_courtesy(&self, intent: &str) -> bool {
        self.live.intents.get(intent).is_some_and(|spec| spec.courtesy)
    }
}

/// The same message with this intent alone, and no doubt.
fn certain(understanding: &Understanding, intent: &str) -> Understanding {
    let score = IntentScore { intent: intent.to_owned(), confidence: 1.0 };
    Understanding { intents: vec![score], questions: Vec::new(), ..understanding.clone() }
}
