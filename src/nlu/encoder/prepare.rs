//! A text as the encoder reads it, the same in training (`training/guichet_encoder/data.py`, `prepare`).

use super::MAX_TEXT_CHARS;
use crate::nlu::normalise::is_invisible;

/// The beginning of a text, at most [`MAX_TEXT_CHARS`] characters, with nothing invisible, emoji apart from words (a word with one
/// stuck to it would be a single unknown token), straight apostrophes, and "siiii" as "si".
pub(super) fn prepare(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut last = None;
    let mut run = 0;
    for c in text.chars().take(MAX_TEXT_CHARS) {
        let c = match c {
            '’' | '`' => '\'',
            c if is_invisible(c) => continue,
            c => c,
        };
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        if run >= 3 && c.is_alphabetic() {
            // "siiii" and "merciii": the run becomes one letter.
            if run == 3 {
                out.pop();
            }
        } else if is_symbol(c) {
            out.extend([' ', c, ' ']);
        } else {
            out.push(c);
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Arrows, dingbats, emoji.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_same_as_the_training_does() {
        for (typed, read) in [
            ("merciii😡😡 l’appli", "merci 😡 😡 l'appli"),
            ("  a\u{200b}b  c\n", "ab c"),
            ("👍🏽 ok", "👍 ok"),
            ("Siiiiii 1000 !!!!", "Si 1000 !!!!"),
            ("paris→lyon", "paris → lyon"),
            ("", ""),
        ] {
            assert_eq!(prepare(typed), read, "{typed}");
        }
        assert_eq!(prepare(&"é ".repeat(MAX_TEXT_CHARS)).chars().count(), MAX_TEXT_CHARS - 1);
    }
}
