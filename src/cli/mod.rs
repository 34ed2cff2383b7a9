//! The commands.

pub mod check;
pub mod eval;
pub mod understand;
