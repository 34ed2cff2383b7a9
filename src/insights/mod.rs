//! What the event log tells: how long customers wait.

pub mod clocks;
