//! Finds names that differ from a word by a slip or two without comparing it to every name.

use crate::nlu::features::fnv;

/// Names longer than this are matched exactly only: their slips are too many to list.
const MAX_LENGTH: usize = 28;

/// The names with one or two letters left out, hashed and sorted: two spellings a slip apart share such a form
/// (Garbe's symmetric deletes, 2012).
#[derive(Debug, Clone, Default)]
pub(super) struct Typos {
    forms: Vec<(u32, u32)>,
}

impl Typos {
    pub fn add(&mut self, key: &str, id: u32) {
        if (4..=MAX_LENGTH).contains(&key.len()) && key.is_ascii() {
            for_each_form(key.as_bytes(), reach(key.len()), |form| self.forms.push((form, id)));
        }
    }

    /// Sorts what was added; to be called once, before the first search.
    pub fn seal(&mut self) {
        self.forms.sort_unstable();
        self.forms.dedup();
        self.forms.shrink_to_fit();
    }

    /// Ids of names that may lie within `slips` of `key`, to be measured.
    pub fn candidates(&self, key: &str, slips: usize) -> Vec<u32> {
        let mut found = Vec::new();
        if key.len() > MAX_LENGTH + 2 || !key.is_ascii() {
            return found;
        }
        for_each_form(key.as_bytes(), slips.min(reach(key.len())), |form| {
            let start = self.forms.partition_point(|&(other, _)| other < form);
            let same = self.forms[start..].iter().take_while(|&&(other, _)| other == form);
            found.extend(same.map(|&(_, id)| id).take(64));
        });
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Letters left out: two only of names long enough to stay themselves.
fn reach(length: usize) -> usize {
    if length >= 8 { 2 } else { 1 }
}

fn for_each_form(key: &[u8], deletes: usize, mut each: impl FnMut(u32)) {
    let hash = |skip: [usize; 2]| {
        let mut form = [0u8; MAX_LENGTH + 4];
        let mut len = 0;
        for (at, &byte) in key.iter().enumerate().filter(|(at, _)| !skip.contains(at)) {
            debug_assert!(at < MAX_LENGTH + 4);
            form[len] = byte;
            len += 1;
        }
        (fnv(&form[..len]) >> 16) as u32
    };
    each(hash([usize::MAX; 2]));
    for first in 0..key.len() {
        each(hash([first, usize::MAX]));
        if deletes > 1 {
            for second in first + 1..key.len() {
                each(hash([first, second]));
            }
        }
    }
}

/// Damerau's distance in its restricted form (no substring edited twice); `limit + 1` when it is more.
pub(super) fn distance(a: &str, b: &str, limit: usize) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before = vec![0usize; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()].min(limit + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_slips() {
        for (a, b, slips) in
            [("rennes", "rennes", 0), ("renes", "rennes", 1), ("rnenes", "rennes", 1), ("abc", "xyz", 3)]
        {
            assert_eq!(distance(a, b, 2), slips, "{a} {b}");
        }
    }

    #[test]
    fn finds_what_is_near() {
        let mut typos = Typos::default();
        for (id, name) in ["rennes", "montparnasse", "nantes"].iter().enumerate() {
            typos.add(name, id as u32);
        }
        typos.seal();
        assert!(typos.candidates("rannes", 1).contains(&0));
        assert!(typos.candidates("monparnase", 2).contains(&1));
        assert!(typos.candidates("", 1).is_empty());
    }
}
