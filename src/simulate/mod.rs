//! Dialogues played through the real engine: real understanding, answers, process and outbox, over a database in memory and a
//! clock that only the simulation moves. What differs from what their authors expect is reported.

mod channel;
pub mod compare;
pub mod dialogue;
pub mod report;
mod run;

pub use run::{Played, Simulator, World};
