//! The commands.

pub mod user;
