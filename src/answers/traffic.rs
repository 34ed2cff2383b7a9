//! How trains run, from live data only: one train, a line or station, what is announced.

mod alerts;
mod announced;
mod line;
mod train;

pub(super) use announced::Announced;
pub(super) use line::Line;
pub(super) use train::Train;

use super::asked::{Asked, Why};
use crate::transit::planner::LiveState;

/// Without live data nobody knows how trains run.
fn need_live(live: LiveState) -> Result<(), Why> {
    match live {
        LiveState::Fresh(_) | LiveState::Old(_) => Ok(()),
        LiveState::Absent => Err("no live feed is configured".into()),
        LiveState::Lost(None) => Err("no such live data has come".into()),
        LiveState::Lost(Some(_)) => Err("the live data is too old".into()),
    }
}

/// Before anything is asked: a planner that is far away need not be asked for what it cannot know.
fn trains_there(asked: &Asked<'_>) -> Result<(), Why> {
    need_live(asked.planner.provenance(asked.now())?.live)
}

/// The same of announcements, which may come from another feed.
fn announcements_there(asked: &Asked<'_>) -> Result<(), Why> {
    need_live(asked.planner.announces(asked.now())?)
}

#[cfg(test)]
mod tests;
