//! How long a post is to X: characters of most alphabets count one, emoji, Chinese, Japanese and Korean two, links 23.
//!
//! From X's documentation ("Counting characters", configuration v3 of `twitter-text`), and held against npm's
//! `twitter-text` 3.1 on thousands of generated texts.

use super::super::posts::weigh_links;
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// The weight of each character of the text.
pub fn weigh(text: &str) -> Vec<usize> {
    let mut weights = Vec::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        let from = weights.len();
        if is_emoji(cluster) {
            weights.push(2);
        } else {
            // Counted in its composed form, which is never longer.
            weights.push(cluster.nfc().map(weight).sum());
        }
        weights.resize(from + cluster.chars().count(), 0);
    }
    weigh_links(text, &mut weights);
    weights
}

/// "ranges" of the configuration: Latin to Georgian, and the usual typographic signs.
fn weight(c: char) -> usize {
    match u32::from(c) {
        0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247 => 1,
        _ => 2,
    }
}

/// An emoji of several characters counts as one: with its colour, joined with others, a flag, a key.
fn is_emoji(cluster: &str) -> bool {
    let mut characters = cluster.chars();
    let Some(first) = characters.next() else { return false };
    let more = characters.as_str();
    let pictures = |c: char| matches!(u32::from(c), 0x2190..=0x2BFF | 0x3030 | 0x303D | 0x3297 | 0x3299 | 0x1F000..=0x1FAFF);
    let joins = |c: char| matches!(u32::from(c), 0x200D | 0xFE0F | 0x20E3 | 0xE0020..=0xE007F);
    if more.is_empty() {
        return false;
    }
    let key = (first.is_ascii_digit() || first == '#' || first == '*') && more == "\u{fe0f}\u{20e3}";
    let sign = matches!(first, '©' | '®' | '‼' | '⁉' | '™' | 'ℹ') && more == "\u{fe0f}";
    key || sign || (pictures(first) && more.chars().all(|c| pictures(c) || joins(c)))
}
