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

/// What one slip costs; those that fingers and ears make cost half.
pub(super) const SLIP: usize = 2;

/// Damerau's distance in its restricted form (no substring edited twice), in halves of a slip: letters swapped,
/// doubled or not, near each other on the keyboard or alike in sound cost one, others [`SLIP`]. `limit + 1` when
/// it is more.
pub(super) fn slips(a: &str, b: &str, limit: usize) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let extra = |word: &[u8], at: usize| {
        let doubled = at > 0 && word[at - 1] == word[at];
        let silent = word[at] == b'h' || (at + 1 == word.len() && matches!(word[at], b'e' | b's' | b'x'));
        if doubled || silent { 1 } else { SLIP }
    };
    let mut before = vec![0usize; b.len() + 1];
    let mut last: Vec<usize> = vec![0; b.len() + 1];
    for j in 1..=b.len() {
        last[j] = last[j - 1] + extra(b, j - 1);
    }
    for i in 1..=a.len() {
        let mut row = vec![last[0] + extra(a, i - 1); b.len() + 1];
        for j in 1..=b.len() {
            let change = last[j - 1] + changed(a[i - 1], b[j - 1]);
            row[j] = change.min(last[j] + extra(a, i - 1)).min(row[j - 1] + extra(b, j - 1));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()].min(limit + 1)
}

fn changed(a: u8, b: u8) -> usize {
    let pair = [a.min(b), a.max(b)];
    let alike = || {
        // Keys side by side on both of our customers' keyboards, and letters of one sound.
        [
            b"ck", b"kq", b"cq", b"iy", b"sz", b"cs", b"mn", b"ae", b"ei", b"gj", b"fv", b"bv", b"ou", b"ao",
            b"er", b"rt", b"ty", b"uy", b"iu", b"io", b"op", b"sd", b"ds", b"df", b"fg", b"gh", b"hj", b"jk",
            b"kl", b"xc", b"cv", b"bn", b"bp", b"dt", b"cx", b"vw", b"lm",
        ]
        .contains(&&pair)
    };
    if a == b {
        0
    } else if alike() {
        1
    } else {
        SLIP
    }
}

/// Roughly how a French speaker hears a key: "bordeaux" and "bordo" are one, as are "quimper" and "kimper".
pub(super) fn sound(key: &str) -> String {
    const SPELLINGS: &[(&str, &str)] = &[
        ("eaux", "o"),
        ("eau", "o"),
        ("aux", "o"),
        ("au", "o"),
        ("qu", "k"),
        ("ph", "f"),
        ("gn", "ni"),
        ("ny", "ni"),
        ("ai", "e"),
        ("ei", "e"),
        ("oe", "e"),
        ("en", "an"),
        ("em", "an"),
        ("am", "an"),
        ("ain", "in"),
        ("im", "in"),
        ("y", "i"),
        ("ce", "se"),
        ("ci", "si"),
        ("ck", "k"),
        ("ch", "ch"),
        ("c", "k"),
        ("ge", "je"),
        ("gi", "ji"),
        ("z", "s"),
        ("h", ""),
        ("w", "v"),
    ];
    let mut rest = key;
    let mut heard = String::with_capacity(key.len());
    while let Some(first) = rest.chars().next() {
        let spelling = SPELLINGS.iter().find(|(written, _)| rest.starts_with(written));
        let (written, said) = spelling.copied().unwrap_or((&rest[..first.len_utf8()], ""));
        let said = if spelling.is_some() { said } else { written };
        for c in said.chars() {
            if !heard.ends_with(c) {
                heard.push(c);
            }
        }
        rest = &rest[written.len()..];
    }
    // Final letters that nobody hears.
    let trimmed = heard.trim_end_matches(['e', 's', 't', 'x', 'd', 'p']);
    if trimmed.len() >= 3 { trimmed.to_owned() } else { heard }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_slips() {
        for (a, b, expected) in [
            ("rennes", "rennes", 0),
            ("renes", "rennes", 1),
            ("rnenes", "rennes", 1),
            ("rennos", "rennes", 2),
            ("abc", "xyz", 5),
        ] {
            assert_eq!(slips(a, b, 4), expected, "{a} {b}");
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

    #[test]
    fn hears_what_is_spelled_by_ear() {
        for (a, b) in [("bordeaux", "bordo"), ("quimper", "kimper"), ("marseille", "marseile")] {
            assert_eq!(sound(a), sound(b));
        }
        assert_ne!(sound("rennes"), sound("nantes"));
    }
}
