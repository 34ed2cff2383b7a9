use super::Timestamp;
use std::time::Duration;

/// One call of a provider about a message, without what customers wrote, who they are, or what opens the account.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderCall {
    pub at: Timestamp,
    pub took: Duration,
    /// Method and address, then what was sent, redacted.
    pub request: String,
    /// What came back, redacted; why nothing did.
    pub response: String,
    /// Of HTTP; the command status of SMPP.
    pub status: Option<i64>,
}
