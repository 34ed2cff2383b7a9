//! What a reader takes for one character, and which is not parted between two SMS.
//!
//! Counted as Twilio's calculator counts, which reads Unicode 10 (Annex 29, GB9 to GB13; emoji by Emoji 5.0, 2017): what later
//! versions hold together beyond that (a heart on fire, a medium-skinned pinched hand, Indian conjuncts) may be parted. Phones join
//! the parts before they show them, so what matters is that a bill is foreseen.

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_segmentation::UnicodeSegmentation as _;

const JOINER: char = '\u{200d}';
/// The canonical combining class of signs that take a consonant's vowel away.
const VIRAMA: u8 = 9;
/// Emoji of 2017 that a skin tone may follow.
const SKINNED: &[(u32, u32)] = &[
    (0x261d, 0x261d),
    (0x26f9, 0x26f9),
    (0x270a, 0x270d),
    (0x1f385, 0x1f385),
    (0x1f3c2, 0x1f3c4),
    (0x1f3c7, 0x1f3c7),
    (0x1f3ca, 0x1f3cc),
    (0x1f442, 0x1f443),
    (0x1f446, 0x1f450),
    (0x1f466, 0x1f469),
    (0x1f46e, 0x1f46e),
    (0x1f470, 0x1f478),
    (0x1f47c, 0x1f47c),
    (0x1f481, 0x1f483),
    (0x1f485, 0x1f487),
    (0x1f4aa, 0x1f4aa),
    (0x1f574, 0x1f575),
    (0x1f57a, 0x1f57a),
    (0x1f590, 0x1f590),
    (0x1f595, 0x1f596),
    (0x1f645, 0x1f647),
    (0x1f64b, 0x1f64f),
    (0x1f6a3, 0x1f6a3),
    (0x1f6b4, 0x1f6b6),
    (0x1f6c0, 0x1f6c0),
    (0x1f6cc, 0x1f6cc),
    (0x1f918, 0x1f91c),
    (0x1f91e, 0x1f91f),
    (0x1f926, 0x1f926),
    (0x1f930, 0x1f939),
    (0x1f93d, 0x1f93e),
    (0x1f9d1, 0x1f9dd),
];
/// Emoji of 2017 that a joiner joins to what stands before it, beside the people from U+1F466 to U+1F469.
const JOINED: &str = "♀♂⚕⚖✈❤🌈🌾🍳🎓🎤🎨🏫🏭💋💻💼🔧🔬🗨🚀🚒";

/// The clusters of a text, in order.
pub(super) fn clusters(text: &str) -> impl Iterator<Item = &str> {
    text.graphemes(true).flat_map(|cluster| {
        let mut rest = cluster;
        std::iter::from_fn(move || {
            let (first, left) = rest.split_at(first_end(rest));
            rest = left;
            (!first.is_empty()).then_some(first)
        })
    })
}

/// Where the first cluster of 2017 ends in one of today.
fn first_end(cluster: &str) -> usize {
    let mut chars = cluster.char_indices();
    let Some((_, mut last)) = chars.next() else { return 0 };
    let (mut base, mut silenced) = (last, false);
    for (at, c) in chars {
        if parts(last, c, base, silenced) {
            return at;
        }
        silenced |= canonical_combining_class(c) == VIRAMA;
        if !extends(c) {
            (base, silenced) = (c, false);
        }
        last = c;
    }
    cluster.len()
}

/// Whether a cluster ends before `c`. `last`: the character before it; `base`: the last one that extends none; `silenced`: its
/// vowel was taken away.
fn parts(last: char, c: char, base: char, silenced: bool) -> bool {
    let within =
        |ranges: &[(u32, u32)], c: char| ranges.iter().any(|&(from, to)| (from..=to).contains(&u32::from(c)));
    if is_skin_tone(c) {
        return !within(SKINNED, base);
    }
    if extends(c) {
        return false;
    }
    let crlf = (last, c) == ('\r', '\n');
    let joined = JOINED.contains(c) || ('\u{1f466}'..='\u{1f469}').contains(&c);
    crlf || (last == JOINER && !joined) || (silenced && c.is_alphabetic())
}

fn extends(c: char) -> bool {
    is_combining_mark(c) || matches!(c, JOINER | '\u{200c}' | '\u{e0020}'..='\u{e007f}')
}

fn is_skin_tone(c: char) -> bool {
    ('\u{1f3fb}'..='\u{1f3ff}').contains(&c)
}
