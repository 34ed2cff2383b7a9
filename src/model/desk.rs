use super::{Agent, AgentId, Lang, TeamId, Timestamp, named_enum};

named_enum!(
    /// Whether a person of the desk is there: `available` for conversations, in a `pause`, or `away`.
    Presence {
        Available = "available",
        Pause = "pause",
        Away = "away",
    }
);

/// Agents who share a queue and skills. An empty list of skills is any.
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub languages: Vec<Lang>,
    /// Intents, or their domains.
    pub topics: Vec<String>,
    /// Channels: a brand's accounts.
    pub channels: Vec<String>,
}

/// A person of the desk as conversations are given out.
#[derive(Debug, Clone, PartialEq)]
pub struct Seat {
    pub agent: Agent,
    pub presence: Presence,
    /// Since when.
    pub presence_at: Option<Timestamp>,
    /// Conversations at once.
    pub capacity: i64,
    /// Empty: any.
    pub languages: Vec<Lang>,
    pub teams: Vec<TeamId>,
    /// Conversations in charge that are not snoozed, and offers that run.
    pub load: i64,
    /// When they last took one in charge.
    pub last_taken_at: Option<Timestamp>,
}

/// What the desk knows of a conversation beyond its state.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeskState {
    pub team: Option<TeamId>,
    /// Whom it is offered to, until when they may accept.
    pub offered_to: Option<AgentId>,
    pub offered_until: Option<Timestamp>,
    /// In charge, and out of sight until then or until the customer writes.
    pub snoozed_until: Option<Timestamp>,
    /// As agents wrote them.
    pub tags: Vec<String>,
    /// Lines and stations that the customer named.
    pub about: Vec<String>,
    /// When a person must have answered first.
    pub first_due_at: Option<Timestamp>,
    /// When the customer's latest message must have been answered.
    pub next_due_at: Option<Timestamp>,
    /// When it must be over.
    pub resolve_due_at: Option<Timestamp>,
    /// When the desk was warned that one of these is near, and when one was missed.
    pub warned_at: Option<Timestamp>,
    pub breached_at: Option<Timestamp>,
}

impl DeskState {
    /// Whom it is offered to at `now`.
    pub fn offer(&self, now: Timestamp) -> Option<AgentId> {
        self.offered_to.filter(|_| self.offered_until.is_some_and(|until| until > now))
    }

    /// The first of the promised times; none: nothing is promised.
    pub fn due_at(&self) -> Option<Timestamp> {
        [self.first_due_at, self.next_due_at, self.resolve_due_at].into_iter().flatten().min()
    }
}

named_enum!(
    /// A time that the desk promises.
    Promise {
        FirstAnswer = "first_answer",
        NextAnswer = "next_answer",
        Resolution = "resolution",
    }
);

named_enum!(
    /// What has to be told of a promise.
    PromiseNews {
        Near = "near",
        Missed = "missed",
    }
);

named_enum!(
    /// Why someone is called.
    AlertKind {
        Emergency = "emergency",
        SlaWarned = "sla_warned",
        SlaBreached = "sla_breached",
    }
);
