use super::{
    AgentId, Conversation, ConversationId, MessageId, Timestamp, ToldRide, Understanding, named_enum,
};
use serde::{Deserialize, Serialize};

named_enum!(
    /// Seen from the server.
    Direction { Inbound = "inbound", Outbound = "outbound" }
);

named_enum!(
    /// Who wrote a message.
    Author { Customer = "customer", Bot = "bot", Agent = "agent" }
);

named_enum!(
    /// What a message is to the clocks: only an `answer` or a `question` stops "first answer"; a `notice`
    /// ("you are in the queue") is no answer.
    MessageKind {
        Text = "text",
        Answer = "answer",
        Question = "question",
        Notice = "notice",
    }
);

named_enum!(
    /// Where an outbound message stands. `unknown`: it may have been sent, the provider cannot be asked, and we
    /// do not send it again by ourselves. Inbound messages are `received`.
    DeliveryStatus {
        Received = "received",
        Pending = "pending",
        Sending = "sending",
        Sent = "sent",
        Delivered = "delivered",
        Failed = "failed",
        Unknown = "unknown",
    }
);

/// Something that came with a message and that we keep a reference to, not the bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// MIME type as the provider says; [`Media::POSITION`].
    pub kind: String,
    pub url: String,
}

impl Media {
    /// A place on earth, its `url` a `geo:` URI (RFC 5870). No registered media type says that.
    pub const POSITION: &str = "application/x-position";

    /// Degrees, WGS 84.
    pub fn position(latitude: f64, longitude: f64) -> Self {
        Self { kind: Self::POSITION.to_owned(), url: format!("geo:{latitude:.6},{longitude:.6}") }
    }

    /// Latitude and longitude of a position.
    pub fn as_position(&self) -> Option<(f64, f64)> {
        let place = self.url.strip_prefix("geo:").filter(|_| self.kind == Self::POSITION)?;
        let (latitude, rest) = place.split_once(',')?;
        let longitude = rest.split([',', ';']).next()?;
        Some((latitude.parse().ok()?, longitude.parse().ok()?))
    }
}

/// A value with where it comes from and how old it is, stored with the message that told it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What is said, machine-readable: `departure 8745 Rennes 18:04`.
    pub value: String,
    /// The answer source and the data set: `timetable: demo railway`.
    pub source: String,
    /// When the data was made or published, not when we read it.
    pub as_of: Timestamp,
    /// The train that it is about, when it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ride: Option<ToldRide>,
}

/// One inbound or outbound message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    /// Position within the conversation, from 1, in the order of commit.
    pub seq: i64,
    pub channel: String,
    pub direction: Direction,
    pub author: Author,
    pub agent_id: Option<AgentId>,
    pub kind: MessageKind,
    pub text: String,
    pub media: Vec<Media>,
    /// The provider's id; for outbound messages known once sent.
    pub provider_id: Option<String>,
    pub status: DeliveryStatus,
    /// Why it failed or is unknown, in words an agent can read.
    pub error: Option<String>,
    pub understanding: Option<Understanding>,
    pub facts: Vec<Fact>,
    pub created_at: Timestamp,
    /// When we last began to hand it to the provider.
    pub attempted_at: Option<Timestamp>,
    /// When the provider accepted it.
    pub sent_at: Option<Timestamp>,
    /// What the customer may choose from: buttons where the channel has them.
    pub choices: Vec<String>,
    /// Inbound: a machine wrote it, as its provider says.
    pub automatic: bool,
    /// Inbound: when the customer changed it, before it was read.
    pub edited_at: Option<Timestamp>,
    /// SMS that it takes; none: it is none, or was stored before they were counted.
    pub segments: Option<i64>,
    /// What they cost in millionths of the operator's currency; none: no price is known.
    pub cost: Option<i64>,
}

impl Message {
    /// A message to the customer that waits to be stored (which sets its `seq`) and sent.
    pub fn outbound(
        conversation: &Conversation,
        author: Author,
        kind: MessageKind,
        text: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id: MessageId::new(),
            conversation_id: conversation.id,
            seq: 0,
            channel: conversation.channel.clone(),
            direction: Direction::Outbound,
            author,
            agent_id: None,
            kind,
            text,
            media: Vec::new(),
            provider_id: None,
            status: DeliveryStatus::Pending,
            error: None,
            understanding: None,
            facts: Vec::new(),
            created_at: now,
            attempted_at: None,
            sent_at: None,
            choices: Vec::new(),
            automatic: false,
            edited_at: None,
            segments: None,
            cost: None,
        }
    }
}
