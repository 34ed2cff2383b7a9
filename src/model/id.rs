use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A newtype per kind of row, so that a contact's id can never be passed for a conversation's.
macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new UUIDv7: sorts by creation time, so that indexes grow at one end.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// A customer as reached on one channel.
    ContactId
);
id!(
    /// The exchange with a contact until it is resolved.
    ConversationId
);
id!(
    /// One inbound or outbound message.
    MessageId
);
id!(
    /// One unit of durable work.
    JobId
);
id!(
    /// A person of the desk.
    AgentId
);
id!(
    /// Agents who share a queue.
    TeamId
);
id!(
    /// One thing that a contact wants to be told about.
    WatchId
);
id!(
    /// One sign-in of a person, on one browser.
    SessionId
);
