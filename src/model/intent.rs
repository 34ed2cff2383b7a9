use super::{EscalationReason, Priority, UrlTemplate, named_enum};
use serde_json::Value;

named_enum!(
    /// What answering an intent does beyond words.
    IntentEffect {
        /// What its slots name is watched for the contact.
        Watch = "watch",
        /// What its slots name, or everything, is watched no more.
        Unwatch = "unwatch",
        /// The conversation is over.
        Close = "close",
        /// The same, unless a question of ours is still open.
        CloseWhenDone = "close_when_done",
    }
);

/// What one intent file says about one intent, apart from its examples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IntentSpec {
    /// `domain.name`.
    pub name: String,
    pub about: String,
    /// Words that alone, as a whole message, mean this intent for certain: what we tell customers to reply.
    pub keywords: Vec<String>,
    /// Name of the answer source; none: the response template alone answers.
    pub answer: Option<String>,
    /// Where `answer: http` asks.
    pub url: Option<UrlTemplate>,
    /// What `answer: http` could answer; templates are checked with it.
    pub sample: SampleAnswer,
    /// In the order in which they are asked.
    pub slots: Vec<SlotSpec>,
    /// Sets of slots: with all of one set filled, no other slot is asked for. Empty: each `ask` slot is needed.
    pub enough: Vec<Vec<String>>,
    /// A question that names nothing is about everything, unless its words mean one thing without its name ("ma ligne").
    pub whole: bool,
    pub escalate: EscalateRule,
    /// It asks nothing: a greeting, thanks. Beside a question it is not answered.
    pub courtesy: bool,
    /// What answering it does beyond words.
    pub effect: Option<IntentEffect>,
}

/// An answer as the operator's service could give it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SampleAnswer {
    /// Variables of `text` and `sms`; none: these templates are checked without variables being known.
    pub found: Option<Value>,
    /// Variables of `none`, likewise.
    pub nothing: Option<Value>,
}

/// What an intent needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotSpec {
    /// Also the entity role that fills it: `from`, `to`, `when`…
    pub name: String,
    /// `station`, `time`, `train` or `line`.
    pub entity: String,
    /// Ask the customer when it is missing.
    pub ask: bool,
    /// Used when missing and not asked: `now`.
    pub default: Option<String>,
}

/// When an intent goes to people.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EscalateRule {
    /// Every time, after the response's first sentence.
    pub always: bool,
    /// Below this confidence (0 to 1); none: the default of `guichet.toml`.
    pub below: Option<f32>,
    pub reason: Option<EscalationReason>,
    pub priority: Option<Priority>,
    pub team: Option<String>,
}
