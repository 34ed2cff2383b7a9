use super::{
    AgentId, ContactId, ConversationId, DeskState, EntityValue, Lang, MessageId, Timestamp, named_enum,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A customer as reached on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: ContactId,
    pub channel: String,
    /// The provider's address: phone number, chat id, digest of a browser session.
    pub address: String,
    pub lang: Option<Lang>,
    pub created_at: Timestamp,
    /// Since when they want to hear nothing from us.
    pub opted_out_at: Option<Timestamp>,
    /// The confirmation of the opt-out: the one message that still goes out.
    pub opt_out_message: Option<MessageId>,
    /// How they call themselves on the channel.
    pub name: Option<String>,
    /// Since when they cannot be reached: they blocked us.
    pub blocked_at: Option<Timestamp>,
    /// The language that they chose, whatever they write in.
    pub chosen_lang: Option<Lang>,
}

named_enum!(
    /// Where a conversation stands: with the bot, waiting for people, with an agent, over.
    ConversationState {
        Bot = "bot",
        Queued = "queued",
        InCharge = "in_charge",
        Resolved = "resolved",
    }
);

named_enum!(
    /// Why the bot handed a conversation to people.
    EscalationReason {
        LowConfidence = "low_confidence",
        Requested = "requested",
        NegativeTone = "negative_tone",
        Emergency = "emergency",
        NoData = "no_data",
        RepeatedFailure = "repeated_failure",
        Rule = "rule",
    }
);

named_enum!(
    /// How soon people should look at it.
    Priority {
        Urgent = "urgent",
        High = "high",
        Normal = "normal",
    }
);

impl Priority {
    /// Order in the queue: smaller first.
    pub fn rank(self) -> i64 {
        match self {
            Priority::Urgent => 0,
            Priority::High => 1,
            Priority::Normal => 2,
        }
    }
}

named_enum!(
    /// What a person of the desk may do; each role may do what the ones before it may.
    Role {
        Agent = "agent",
        Manager = "manager",
        Admin = "admin",
    }
);

/// What the bot remembers between two messages of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialogue {
    /// The intent whose slots are being filled, `domain.name`.
    pub intent: Option<String>,
    pub slots: BTreeMap<String, EntityValue>,
    /// The slot we asked for and have no answer to yet.
    pub asked: Option<String>,
    /// The choices we offered for `asked`, in the order of their numbers.
    pub options: Vec<EntityValue>,
    /// How often we asked for `asked`.
    pub times_asked: u32,
    /// Messages in a row that we did not understand.
    pub failures: u32,
    /// The customer wrote again while waiting for a person, and was told that we saw it.
    pub acknowledged: bool,
    /// A machine seems to write: nothing is said until a person has acted.
    pub hushed: bool,
    /// The last message of the customer that this dialogue took into account.
    pub last_at: Option<Timestamp>,
    /// The customer's words that the question began with: what no slot holds ("le dernier", "avant 18 h").
    pub question: String,
    /// Slots in the order in which they were filled: a correction means the last one that fits.
    pub recent: Vec<String>,
    /// We asked whether we understood well.
    pub confirm: Option<Confirming>,
    /// Questions that wait behind the present one, the next one last.
    pub open: Vec<Thread>,
    /// The first train of the last answer.
    pub told: Option<FirstTold>,
    /// "Et le suivant ?": what was asked for, but later than this.
    pub after: Option<Timestamp>,
}

/// An intent that we were not sure of, with what its message said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Confirming {
    pub intent: String,
    pub slots: BTreeMap<String, EntityValue>,
    pub question: String,
}

/// A question of the customer that waits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thread {
    pub intent: String,
    pub slots: BTreeMap<String, EntityValue>,
    pub question: String,
    /// The slot that it lacks.
    pub asked: String,
    pub options: Vec<EntityValue>,
    /// How often we asked for it. 0: not yet, another question of the same message came first.
    pub times_asked: u32,
}

/// A train that the customer was told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirstTold {
    pub departs: Timestamp,
    /// The service day of the train.
    pub day: Date,
    /// The number that customers see.
    pub train: Option<String>,
}

impl Dialogue {
    /// Is it still remembered, after a silence of at most `forget_after`?
    pub fn is_fresh(&self, now: Timestamp, forget_after: std::time::Duration) -> bool {
        self.last_at.is_some_and(|at| now.since(at) <= forget_after)
    }

    /// What outlives the end of a conversation, while it is fresh: "et demain ?" after "merci".
    pub fn memory(self) -> Self {
        let Self { intent, slots, last_at, question, recent, told, .. } = self;
        Self { intent, slots, last_at, question, recent, told, ..Self::default() }
    }
}

/// The exchange with a contact until it is resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    pub id: ConversationId,
    pub contact_id: ContactId,
    pub channel: String,
    pub state: ConversationState,
    pub lang: Option<Lang>,
    /// Last intent understood, `domain.name`; what reports group by.
    pub intent: Option<String>,
    pub priority: Priority,
    pub reason: Option<EscalationReason>,
    /// The agent in charge.
    pub agent_id: Option<AgentId>,
    pub dialogue: Dialogue,
    pub opened_at: Timestamp,
    pub escalated_at: Option<Timestamp>,
    pub taken_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub last_message_at: Timestamp,
    pub desk: DeskState,
}

#[cfg(test)]
impl Conversation {
    /// One that the bot has, opened and last written to at `now`.
    pub fn sample(now: Timestamp) -> Self {
        Self {
            id: ConversationId::new(),
            contact_id: ContactId::new(),
            channel: "twilio".into(),
            state: ConversationState::Bot,
            lang: None,
            intent: None,
            priority: Priority::Normal,
            reason: None,
            agent_id: None,
            dialogue: Dialogue::default(),
            opened_at: now,
            escalated_at: None,
            taken_at: None,
            resolved_at: None,
            last_message_at: now,
            desk: DeskState::default(),
        }
    }
}

/// A person of the desk. The password hash never leaves the store but for sign-in.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    pub id: AgentId,
    pub login: String,
    pub name: String,
    pub role: Role,
}
