use super::{AgentId, ConversationId, MessageId, Timestamp, named_enum};

named_enum!(
    /// One kind of line in the append-only log from which every clock is computed.
    EventKind {
        /// The first message of a conversation arrived.
        ConversationOpened = "conversation_opened",
        MessageReceived = "message_received",
        /// Kept and not answered: `why` is `automatic`, `too_fast` or `quarantined`.
        MessageSetAside = "message_set_aside",
        MessageUnderstood = "message_understood",
        /// The bot decided an answer or a question; its text waits in the outbox.
        BotAnswered = "bot_answered",
        /// A system notice was queued; no answer to the clocks.
        NoticeQueued = "notice_queued",
        /// A train runs otherwise than we had told; a notice says so.
        CorrectionQueued = "correction_queued",
        /// Something happened to what the contact watches; a notice says so.
        WatchNoticeQueued = "watch_notice_queued",
        WatchStarted = "watch_started",
        WatchEnded = "watch_ended",
        /// The contact wants to hear nothing from us.
        OptedOut = "opted_out",
        OptedIn = "opted_in",
        Escalated = "escalated",
        Taken = "taken",
        /// Given back to the queue.
        Released = "released",
        /// To an agent, who has some time to accept.
        Offered = "offered",
        OfferDeclined = "offer_declined",
        /// Nobody accepted in time.
        OfferExpired = "offer_expired",
        /// Given to a colleague or a team.
        Transferred = "transferred",
        /// A promised time is near.
        SlaWarned = "sla_warned",
        /// A promised time was missed.
        SlaBreached = "sla_breached",
        /// Who is on call was called, and heard it.
        AlertDelivered = "alert_delivered",
        /// They could not be called.
        AlertFailed = "alert_failed",
        /// The customer is asked how they were served; no answer to the clocks, nor are their answers messages to them.
        SurveyAsked = "survey_asked",
        SurveyAnswered = "survey_answered",
        SurveyCommented = "survey_commented",
        Snoozed = "snoozed",
        /// The end of a snooze: its time, a message of the customer, or a person.
        Woken = "woken",
        /// The bot answers again, as a person decided.
        HandedBack = "handed_back",
        NoteAdded = "note_added",
        TagsChanged = "tags_changed",
        /// A person said that two contacts are one person, or that they are not.
        ContactLinked = "contact_linked",
        ContactUnlinked = "contact_unlinked",
        /// A person said what a message was about.
        BotCorrected = "bot_corrected",
        AgentAnswered = "agent_answered",
        /// An agent took a reply back before it left; `reopened`: the conversation that it had ended goes on.
        ReplyWithdrawn = "reply_withdrawn",
        Resolved = "resolved",
        MessageSent = "message_sent",
        MessageDelivered = "message_delivered",
        MessageFailed = "message_failed",
        /// A send that may have happened and cannot be settled.
        MessageUnknown = "message_unknown",
        /// A person chose to send an `unknown` or `failed` message again.
        MessageRetried = "message_retried",
        /// A person let a contact out of quarantine.
        QuarantineEnded = "quarantine_ended",
        SpamConfirmed = "spam_confirmed",
        /// A person liked, hid, showed or deleted a public post of the customer.
        Moderated = "moderated",
        SignedIn = "signed_in",
        SignInFailed = "sign_in_failed",
        SignedOut = "signed_out",
    }
);

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    Customer,
    Bot,
    Agent(AgentId),
    /// The server itself: sending, receipts, time.
    System,
}

impl Actor {
    pub fn as_str(self) -> &'static str {
        match self {
            Actor::Customer => "customer",
            Actor::Bot => "bot",
            Actor::Agent(_) => "agent",
            Actor::System => "system",
        }
    }

    pub fn agent_id(self) -> Option<AgentId> {
        match self {
            Actor::Agent(id) => Some(id),
            _ => None,
        }
    }
}

/// A line to append. Holds no message text: the log outlives the texts.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    pub kind: EventKind,
    pub actor: Actor,
    pub conversation_id: Option<ConversationId>,
    pub message_id: Option<MessageId>,
    /// What the kind needs beyond its ids: intent, confidence, reason, priority.
    pub data: serde_json::Value,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub seq: i64,
    pub at: Timestamp,
    pub kind: EventKind,
    pub actor: String,
    pub agent_id: Option<AgentId>,
    pub conversation_id: Option<ConversationId>,
    pub message_id: Option<MessageId>,
    pub data: serde_json::Value,
}
