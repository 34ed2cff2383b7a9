//! What the event log tells: how long customers wait; and what became of our messages.

pub mod clocks;
pub mod deliveries;
pub mod satisfaction;
