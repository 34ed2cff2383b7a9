//! Texts that come in parts. Pure.
//!
//! A part is not answered before it is stored, alone or within the whole: an answered part that only memory held would be lost
//! with the process. SMSCs with room in their window deliver the other parts meanwhile, and the whole becomes one message. An
//! SMSC that waits for each answer (a window of one) delivers nothing meanwhile: after `parts_within` what is there is stored
//! by itself and answered, and what follows of the same text is stored as it comes. The customer then has several messages,
//! which `queue::gather` joins again where they look unfinished.

use super::deliver::{PartOf, Text};
use crate::model::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// So long a text that was stored in pieces is remembered; its reference may be another's afterwards.
const REMEMBERED: Duration = Duration::from_secs(60);
/// More parts than this do not wait.
const MOST: usize = 1_000;

/// One `deliver_sm` that is to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub text: Text,
    /// Our id of it.
    pub id: String,
    /// To answer it by.
    pub sequence: u32,
}

/// What is stored as one message: its pieces in order.
pub(super) type Whole = Vec<Piece>;

type Key = (String, u16, u8);

#[derive(Debug, Default)]
pub(super) struct Gatherer {
    held: BTreeMap<Key, (Timestamp, BTreeMap<u8, Piece>)>,
    broken: BTreeMap<Key, Timestamp>,
}

impl Gatherer {
    /// What can be stored now that `piece` came. A part that comes again takes the place of the first: the SMSC waits for
    /// the answer to the later one.
    pub(super) fn add(&mut self, piece: Piece, now: Timestamp) -> Option<Whole> {
        let Some(PartOf { reference, total, number }) = piece.text.part else { return Some(vec![piece]) };
        let key = (piece.text.from.clone(), reference, total);
        let waiting: usize = self.held.values().map(|(_, parts)| parts.len()).sum();
        if self.broken.contains_key(&key) || waiting >= MOST {
            return Some(vec![piece]);
        }
        let (_, parts) = self.held.entry(key.clone()).or_insert_with(|| (now, BTreeMap::new()));
        parts.insert(number, piece);
        if parts.len() < usize::from(total) {
            return None;
        }
        let (_, parts) = self.held.remove(&key)?;
        Some(parts.into_values().collect())
    }

    /// What has waited for `patience`: each run of parts that follow each other.
    pub(super) fn overdue(&mut self, now: Timestamp, patience: Duration) -> Vec<Whole> {
        self.broken.retain(|_, at| now.since(*at) < REMEMBERED);
        let mut runs: Vec<Whole> = Vec::new();
        for (key, (_, parts)) in self.held.extract_if(.., |_, (since, _)| now.since(*since) >= patience) {
            self.broken.insert(key, now);
            let mut previous = None;
            for (number, piece) in parts {
                match runs.last_mut() {
                    Some(run) if previous.is_some_and(|p| p + 1 == number) => run.push(piece),
                    _ => runs.push(vec![piece]),
                }
                previous = Some(number);
            }
        }
        runs
    }

    /// The connection ended: what was not answered comes again.
    pub(super) fn clear(&mut self) {
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::smpp::alphabet::Coding;

    const PATIENCE: Duration = Duration::from_secs(3);

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    fn piece(from: &str, reference: u16, total: u8, number: u8) -> Piece {
        let part = (total > 0).then_some(PartOf { reference, total, number });
        let text = Text {
            from: from.into(),
            coding: Coding::Gsm7,
            octets: vec![number],
            part,
            id: None,
            digest: String::new(),
        };
        Piece { text, id: format!("{reference}/{number}"), sequence: u32::from(number) }
    }

    fn numbers(whole: &[Piece]) -> Vec<u32> {
        whole.iter().map(|piece| piece.sequence).collect()
    }

    #[test]
    fn parts_wait_for_each_other_in_any_order() {
        let mut gatherer = Gatherer::default();
        assert_eq!(gatherer.add(piece("a", 0, 0, 7), at(0)).map(|w| numbers(&w)), Some(vec![7]));
        assert_eq!(gatherer.add(piece("a", 1, 3, 3), at(0)), None);
        // Others with the same reference, and the same part again.
        assert_eq!(gatherer.add(piece("b", 1, 3, 1), at(0)), None);
        assert_eq!(gatherer.add(piece("a", 1, 3, 3), at(1)), None);
        assert_eq!(gatherer.add(piece("a", 1, 3, 1), at(1)), None);
        assert_eq!(gatherer.add(piece("a", 1, 3, 2), at(1)).map(|w| numbers(&w)), Some(vec![1, 2, 3]));
        assert_eq!(gatherer.overdue(at(2), PATIENCE), Vec::<Whole>::new());
    }

    #[test]
    fn what_does_not_become_whole_is_stored_in_pieces() {
        let mut gatherer = Gatherer::default();
        for number in [1, 2, 4] {
            assert_eq!(gatherer.add(piece("a", 1, 5, number), at(0)), None);
        }
        let runs = gatherer.overdue(at(3), PATIENCE);
        assert_eq!(runs.iter().map(|run| numbers(run)).collect::<Vec<_>>(), [vec![1, 2], vec![4]]);
        assert_eq!(gatherer.add(piece("a", 1, 5, 3), at(4)).map(|w| numbers(&w)), Some(vec![3]), "at once");
        gatherer.overdue(at(70), PATIENCE);
        assert_eq!(gatherer.add(piece("a", 1, 5, 5), at(70)), None, "by now the reference is another text's");
    }

    #[test]
    fn a_connection_that_ended_takes_its_parts_with_it() {
        let mut gatherer = Gatherer::default();
        assert_eq!(gatherer.add(piece("a", 1, 2, 1), at(0)), None);
        gatherer.clear();
        assert_eq!(gatherer.overdue(at(9), PATIENCE), Vec::<Whole>::new());
        assert_eq!(gatherer.add(piece("a", 1, 2, 2), at(9)), None);
    }
}
