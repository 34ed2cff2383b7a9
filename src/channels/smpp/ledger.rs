//! Which messages the SMSC may deliver again. Pure.
//!
//! SMPP 3.4 gives a `deliver_sm` no id, so its content must tell whether it is an old one again, and content alone cannot:
//! a customer who answers "oui" to two questions has sent two messages. What tells them apart is our answer. An SMSC
//! delivers again what it got no `deliver_sm_resp` for, and nothing else. So the same content is the same message
//!
//! - in the same connection, while it is unanswered: under the same sequence number at once, under another one after
//!   [`PATIENCE`], for no SMSC gives up sooner;
//! - in a later connection, until [`AGAIN_WITHIN`] after it began, if it was not answered, or answered so shortly before the
//!   earlier one ended ([`SETTLES_IN`]) that the answer may not have arrived;
//! - each time once: two equal messages that are both in doubt are two.
//!
//! In all other cases it is another message. What is in doubt is stored in the same transaction as the messages
//! ([`Ledger::cursor`]) and read at the next start, so that a process killed between its commit and its answer knows what it
//! had stored. Of several instances on one channel the last that stored is remembered: a message of another one that is
//! killed in those milliseconds may be stored twice.

use crate::model::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN_WITHIN: Duration = Duration::from_secs(300);
const SETTLES_IN: Duration = Duration::from_secs(10);
/// Beyond so many in doubt the oldest are let go; no window is that wide.
const MOST: usize = 2_000;

/// One `deliver_sm` in doubt.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    digest: String,
    /// Our id of it.
    id: String,
    /// The connection that it came by, and its number there. Connection 0 was before the start.
    connection: u64,
    sequence: u32,
    heard: Timestamp,
    stored: bool,
    answered: Option<Timestamp>,
}

/// An entry as the next start needs it.
#[derive(Serialize, Deserialize)]
struct Kept {
    d: String,
    i: String,
    s: bool,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub id: String,
    /// It is stored already, and only to be answered.
    pub stored: bool,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    connection: u64,
    began: Timestamp,
    /// What the stored cursor does not say yet.
    stale: bool,
}

impl Ledger {
    /// As the last process left it. A cursor that cannot be read is none.
    pub(super) fn load(cursor: Option<&str>) -> Self {
        let kept: Vec<Kept> = cursor.and_then(|cursor| serde_json::from_str(cursor).ok()).unwrap_or_default();
        let entry = |Kept { d, i, s }| Entry {
            digest: d,
            id: i,
            connection: 0,
            sequence: 0,
            heard: Timestamp(0),
            stored: s,
            answered: None,
        };
        Self { entries: kept.into_iter().map(entry).collect(), ..Self::default() }
    }

    /// A connection stands: what is heard from now on came by it.
    pub(super) fn connected(&mut self, now: Timestamp) {
        self.connection += 1;
        self.began = now;
    }

    /// It ended: what was answered well before has arrived.
    pub(super) fn disconnected(&mut self, now: Timestamp) {
        self.forget(|entry| entry.answered.is_some_and(|at| now.since(at) >= SETTLES_IN));
    }

    /// What is this: an old message again, or another one?
    pub(super) fn hear(&mut self, digest: &str, sequence: u32, now: Timestamp) -> Heard {
        let (connection, began) = (self.connection, self.began);
        let again = |entry: &&mut Entry| {
            entry.digest == digest
                && if entry.connection == connection {
                    entry.answered.is_none()
                        && (entry.sequence == sequence || now.since(entry.heard) >= PATIENCE)
                } else {
                    now.since(began) <= AGAIN_WITHIN
                }
        };
        if let Some(entry) = self.entries.iter_mut().find(again) {
            (entry.connection, entry.sequence, entry.heard, entry.answered) =
                (connection, sequence, now, None);
            return Heard { id: entry.id.clone(), stored: entry.stored };
        }
        if self.entries.len() >= MOST {
            self.entries.remove(0);
        }
        let id = format!("{}-{}", digest.get(..16).unwrap_or(digest), Uuid::now_v7().simple());
        self.entries.push(Entry {
            digest: digest.to_owned(),
            id: id.clone(),
            connection,
            sequence,
            heard: now,
            stored: false,
            answered: None,
        });
        Heard { id, stored: false }
    }

    /// What is to be stored together with the messages `ids`, as it will be then.
    pub(super) fn cursor(&self, ids: &[String]) -> String {
        let keep = |entry: &Entry| Kept {
            d: entry.digest.clone(),
            i: entry.id.clone(),
            s: entry.stored || ids.contains(&entry.id),
        };
        serde_json::to_string(&self.entries.iter().map(keep).collect::<Vec<_>>()).unwrap_or_default()
    }

    /// `ids` are stored, and the cursor with them.
    pub(super) fn stored(&mut self, ids: &[String]) {
        self.entries.iter_mut().filter(|entry| ids.contains(&entry.id)).for_each(|entry| entry.stored = true);
        self.stale = false;
    }

    pub(super) fn answered(&mut self, id: &str, now: Timestamp) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.answered = Some(now);
        }
    }

    /// Lets go what is in doubt no more. True: the stored cursor says more than there is, and should be stored again.
    pub(super) fn tidy(&mut self, now: Timestamp) -> bool {
        let (connection, over) = (self.connection, now.since(self.began) > AGAIN_WITHIN);
        self.forget(|entry| match entry.connection == connection {
            true => entry.answered.is_some_and(|at| now.since(at) >= SETTLES_IN),
            false => over,
        });
        self.stale
    }

    fn forget(&mut self, done: impl Fn(&Entry) -> bool) {
        let before = self.entries.len();
        self.entries.retain(|entry| !done(entry));
        self.stale |= self.entries.len() != before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    /// Hears "oui" in the first second of the first connection, and answers it in the second if told to.
    fn heard(answered: bool) -> (Ledger, String) {
        let mut ledger = Ledger::load(None);
        ledger.connected(at(0));
        let first = ledger.hear("oui", 1, at(1));
        assert!(!first.stored);
        ledger.stored(std::slice::from_ref(&first.id));
        if answered {
            ledger.answered(&first.id, at(2));
        }
        (ledger, first.id)
    }

    #[test]
    fn the_same_word_twice_is_two_messages() {
        let (mut ledger, first) = heard(true);
        assert_ne!(ledger.hear("oui", 2, at(3)).id, first);
        // Two at once in a window are two as well.
        let (mut ledger, first) = heard(false);
        assert_ne!(ledger.hear("oui", 2, at(3)).id, first);
        // And after a connection that ended long after the answer.
        let (mut ledger, first) = heard(true);
        ledger.disconnected(at(30));
        ledger.connected(at(31));
        assert_ne!(ledger.hear("oui", 1, at(32)).id, first);
    }

    #[test]
    fn what_was_not_answered_comes_again_and_is_one() {
        let known = |id: &str| Heard { id: id.to_owned(), stored: true };
        let (mut ledger, first) = heard(false);
        assert_eq!(ledger.hear("oui", 1, at(1)), known(&first), "the same PDU");
        assert_eq!(ledger.hear("oui", 9, at(20)), known(&first), "its patience was over");

        for answered in [true, false] {
            let (mut ledger, first) = heard(answered);
            ledger.disconnected(at(5));
            ledger.connected(at(3_600));
            assert_eq!(ledger.hear("oui", 1, at(3_601)), known(&first));
            // One was in doubt: a second one is new.
            assert_ne!(ledger.hear("oui", 2, at(3_602)).id, first);
        }

        let (mut ledger, first) = heard(false);
        ledger.disconnected(at(5));
        ledger.connected(at(6));
        ledger.tidy(at(400));
        assert_ne!(ledger.hear("oui", 1, at(400)).id, first, "an SMSC that did not deliver again never will");
    }

    #[test]
    fn a_killed_process_knows_what_it_had_stored() {
        let (ledger, first) = heard(false);
        let mut after = Ledger::load(Some(&ledger.cursor(&[])));
        after.connected(at(60));
        assert_eq!(after.hear("oui", 1, at(61)), Heard { id: first.clone(), stored: true });
        // It had heard it and not stored it: the cursor came with another message.
        let mut ledger = Ledger::load(None);
        ledger.connected(at(0));
        let (one, two) = (ledger.hear("a", 1, at(1)), ledger.hear("b", 2, at(1)));
        let mut after = Ledger::load(Some(&ledger.cursor(std::slice::from_ref(&two.id))));
        after.connected(at(60));
        assert_eq!(after.hear("a", 1, at(61)), one);
        assert_eq!(after.hear("b", 2, at(61)), Heard { stored: true, ..two });
        assert_eq!(Ledger::load(Some("nonsense")).entries, []);
    }

    #[test]
    fn the_cursor_is_stored_again_when_it_says_too_much() {
        let (mut ledger, first) = heard(true);
        assert!(!ledger.tidy(at(3)));
        assert!(ledger.tidy(at(12)), "the answer has arrived");
        assert_eq!(ledger.cursor(&[]), "[]");
        ledger.stored(&[]);
        assert!(!ledger.tidy(at(13)));
        assert_ne!(ledger.hear("oui", 2, at(14)).id, first);
    }
}
