//! Plain data that every other module speaks in. Imports nothing of ours.

mod conversation;
mod desk;
mod event;
mod id;
mod intent;
mod manners;
mod message;
mod phrases;
mod provider_call;
mod ride;
mod time;
mod understanding;
mod url_template;

pub use conversation::{
    Agent, Confirming, Contact, Conversation, ConversationState, Dialogue, EscalationReason, FirstTold,
    Priority, Role, Thread,
};
pub use desk::{AlertKind, DeskState, Presence, Promise, PromiseNews, Seat, Team};
pub use event::{Actor, Event, EventKind, NewEvent};
pub use id::{AgentId, ContactId, ConversationId, JobId, MessageId, SessionId, TeamId, WatchId};
pub use intent::{EscalateRule, IntentEffect, IntentSpec, SampleAnswer, SlotSpec};
pub use manners::{Quarantine, Spoken, Suspicion};
pub use message::{Author, DeliveryStatus, Direction, Fact, Media, Message, MessageKind};
pub use phrases::{Cue, LanguageNames, Phrases};
pub use provider_call::ProviderCall;
pub use ride::{Moment, NewWatch, PastCall, PastTrain, RideChange, ToldRide, TrainKey, Watched};
pub use time::Timestamp;
pub use understanding::{
    Entity, EntityValue, IntentScore, Lang, OUT_OF_SCOPE, Question, StationRef, Tone, Understanding,
};
pub use url_template::UrlTemplate;

/// A text in the database that is no name of the enum it stands for: the schema and the code have drifted.
#[derive(Debug, thiserror::Error)]
#[error("'{value}' is not a {kind}")]
pub struct UnknownName {
    pub kind: &'static str,
    pub value: String,
}

/// An enum stored and shown as one lower-case word each. One table serves the database, JSON and the console.
macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok($name::$variant),)+
                    _ => Err($crate::model::UnknownName { kind: stringify!($name), value: text.to_owned() }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use named_enum;
