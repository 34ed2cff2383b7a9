//! What comes in, as every channel parses it.

use crate::model::{Media, MessageId, Timestamp};
use axum::http::HeaderMap;
use std::borrow::Cow;

/// A webhook as it arrived, before anyone believes it.
pub struct WebhookRequest<'a> {
    /// What follows `/webhooks/<name>`: empty, or `/status`.
    pub tail: &'a str,
    /// Without the question mark.
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    /// The raw bytes: signatures are over these.
    pub body: &'a [u8],
    pub now: Timestamp,
}

/// A webhook that was verified and parsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accepted {
    pub events: Vec<InboundEvent>,
    /// The signature must not have been used before, and is remembered until then.
    pub nonce: Option<(String, Timestamp)>,
    /// What the provider wants to read once everything is stored: content type and body.
    pub reply: Option<(&'static str, Cow<'static, str>)>,
    /// How far a listener has come; stored with the events.
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum InboundEvent {
    Message(InboundMessage),
    Edit(Edit),
    Receipt(Receipt),
    Reach(Reach),
}

/// A message of a customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InboundMessage {
    pub provider_id: String,
    /// Who wrote, as the provider addresses them. A public post has the address of its thread and author, so that
    /// it is a conversation of its own ([`super::Channel::is_public`]).
    pub address: String,
    /// A pressed button reads as its label, as if it had been typed.
    pub text: String,
    /// A shared position is a [`Media`] of kind [`Media::POSITION`].
    pub media: Vec<Media>,
    /// How they call themselves there.
    pub name: Option<String>,
    /// The provider says that a machine wrote it: stored, and never answered by ours.
    pub automatic: bool,
}

/// The customer changed what they had written. Read before it was answered, it replaces the text; later it is a new
/// message.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Of the message that was changed.
    pub provider_id: String,
    /// Tells this change from others of the same message: its time, or its number.
    pub revision: String,
    pub address: String,
    pub text: String,
}

/// A contact blocked us, or lets us write again.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    pub address: String,
    pub reachable: bool,
}

/// What a provider tells of a message of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub provider_id: String,
    /// Our own id, when the provider gives it back: settles a send in doubt.
    pub message_id: Option<MessageId>,
    pub state: ReceiptState,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ReceiptState {
    /// The provider has it.
    Sent,
    Delivered,
    /// In the provider's words or code.
    Failed(String),
}

/// Why a webhook is refused. Nothing of it is stored, and its content is not logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the request is not signed")]
    Unsigned,
    #[error("the signature does not match")]
    BadSignature,
    /// Too old, or from the future.
    #[error("the timestamp is outside the accepted window")]
    Stale,
    #[error("the content type is not supported")]
    ContentType,
    /// What is wrong, without the content.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    #[error("there is no such webhook")]
    NotFound,
}
