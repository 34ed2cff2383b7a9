//! The time in which a customer who wrote may be answered freely: 24 hours on all three (Messenger Platform, "Messaging
//! policy"; WhatsApp, "Customer service windows").

use crate::channels::Outgoing;
use crate::model::Timestamp;
use std::time::Duration;

pub const HOURS: u64 = 24;
/// A person may answer on Messenger and Instagram for 7 days, where Meta granted the feature "Human Agent".
pub const HUMAN_HOURS: u64 = 7 * 24;

/// Did the customer write within the last `hours`? One who never wrote did not.
pub fn is_open(message: &Outgoing, now: Timestamp, hours: u64) -> bool {
    message.heard_at.is_some_and(|heard| now.since(heard) < Duration::from_secs(hours * 3_600))
}
