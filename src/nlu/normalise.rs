//! One form for many spellings of the same thing, with the way back to what the customer typed.

use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// Characters of a message that are read; the rest is kept by the caller and not considered.
pub const MAX_CHARS: usize = 2_000;

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sep {
    Space,
    Apostrophe,
    Hyphen,
    Dot,
    Colon,
    Slash,
    /// A hyphen with spaces: "Rennes - Brest".
    Dash,
    Other,
    Comma,
    Arrow,
    /// The end of a sentence, or the start of the message.
    Stop,
}

/// A run of letters and digits.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// In [`Normalised::folded`].
    pub folded: Range<usize>,
    /// In [`Normalised::kept`].
    pub kept: Range<usize>,
    /// In the original text.
    pub original: Range<usize>,
    pub before: Sep,
    /// Its first letter is a capital in the original.
    pub capital: bool,
    /// `@` or `#` directly before it.
    pub sigil: Option<char>,
}

/// A message in the form the models read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Normalised {
    /// Lower case, NFC, accents kept.
    pub kept: String,
    /// Lower case without accents; `œ` is `oe`.
    pub folded: String,
    pub tokens: Vec<Token>,
    /// Marks with a meaning of their own: `!`, `?`, `…` and symbols such as emoji, in order.
    pub marks: Vec<char>,
}

impl Normalised {
    pub fn new(original: &str) -> Self {
        let mut state = State::default();
        let mut chars = original.char_indices().take(MAX_CHARS).peekable();
        while let Some((start, first)) = chars.next() {
            let mut end = start + first.len_utf8();
            if first.is_ascii() && chars.peek().is_none_or(|&(_, next)| next.is_ascii()) {
                state.push(first, start, end);
                continue;
            }
            // A letter and its combining accents become one letter before anything else looks at it.
            let mut cluster = String::from(first);
            while let Some(&(at, mark)) = chars.peek() {
                if canonical_combining_class(mark) == 0 || cluster.len() > 16 {
                    break;
                }
                cluster.push(mark);
                end = at + mark.len_utf8();
                chars.next();
            }
            for composed in cluster.nfc() {
                state.push(composed, start, end);
            }
        }
        state.finish()
    }

    /// The word as folded.
    pub fn word(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &self.folded[token.folded.clone()])
    }

    /// The byte range in the original text of the words of `tokens`.
    pub fn original_span(&self, tokens: Range<usize>) -> Range<usize> {
        match (self.tokens.get(tokens.start), self.tokens.get(tokens.end.wrapping_sub(1))) {
            (Some(first), Some(last)) => first.original.start..last.original.end,
            _ => 0..0,
        }
    }
}

#[derive(Default)]
struct State {
    out: Normalised,
    current: Option<Token>,
    sep: Option<Sep>,
    spaced: bool,
    sigil: Option<char>,
    last: Option<char>,
    repeats: usize,
}

impl State {
    fn push(&mut self, c: char, start: usize, end: usize) {
        if is_invisible(c) {
            return;
        }
        if c.is_alphanumeric() {
            return self.letter(c, start, end);
        }
        // A lone combining mark belongs to the word before it, and says nothing more.
        if is_combining_mark(c) {
            return;
        }
        self.end_word();
        self.separator(c);
        self.last = Some(c);
    }

    fn letter(&mut self, c: char, start: usize, end: usize) {
        let lower = c.to_lowercase().next().unwrap_or(c);
        self.repeats = if self.last == Some(lower) { self.repeats + 1 } else { 1 };
        self.last = Some(lower);
        if self.current.is_none() {
            self.begin_word(c, start);
        }
        let Some(token) = &mut self.current else { return };
        token.original.end = end;
        if self.repeats >= 3 && !c.is_ascii_digit() {
            // "merciiii": French and English have no triple letter; the second one goes too.
            if self.repeats == 3 {
                self.out.kept.pop();
                self.out.folded.pop();
            }
        } else {
            self.out.kept.push(lower);
            fold(lower, &mut self.out.folded);
        }
        token.kept.end = self.out.kept.len();
        token.folded.end = self.out.folded.len();
    }

    fn begin_word(&mut self, c: char, start: usize) {
        if !self.out.folded.is_empty() {
            self.out.kept.push(' ');
            self.out.folded.push(' ');
        }
        let (kept, folded) = (self.out.kept.len(), self.out.folded.len());
        let before = match (self.out.tokens.is_empty(), self.sep.take()) {
            (true, Some(Sep::Apostrophe)) => Sep::Stop,
            (true, _) => Sep::Stop,
            (false, Some(Sep::Hyphen)) if self.spaced => Sep::Dash,
            (false, sep) => sep.unwrap_or(Sep::Space),
        };
        self.spaced = false;
        self.current = Some(Token {
            folded: folded..folded,
            kept: kept..kept,
            original: start..start,
            before,
            capital: c.is_uppercase(),
            sigil: self.sigil.take(),
        });
    }

    fn end_word(&mut self) {
        if let Some(token) = self.current.take() {
            self.out.tokens.push(token);
        }
    }

    fn separator(&mut self, c: char) {
        if !matches!(c, '@' | '#') {
            self.sigil = None;
        }
        let sep = match c {
            '\n' | '.' | '!' | '?' | ';' | '…' if c != '.' || self.sep.is_some() => Sep::Stop,
            '.' => Sep::Dot,
            '\'' | '’' | '‘' | 'ʼ' | '´' | '`' | '′' => Sep::Apostrophe,
            '>' if matches!(self.last, Some('-' | '=' | '–' | '—')) => Sep::Arrow,
            '>' | '→' | '➔' | '➡' | '⇒' | '►' | '⟶' => Sep::Arrow,
            '-' | '‐' | '‑' | '‒' | '–' | '—' | '−' => Sep::Hyphen,
            ':' => Sep::Colon,
            '/' => Sep::Slash,
            ',' => Sep::Comma,
            '@' | '#' => {
                self.sigil = Some(c);
                Sep::Other
            }
            c if c.is_whitespace() || c.is_control() => {
                self.spaced = true;
                // "14. Then": a dot before a space ends a sentence.
                if self.sep == Some(Sep::Dot) { Sep::Stop } else { Sep::Space }
            }
            _ => Sep::Other,
        };
        self.sep = Some(self.sep.map_or(sep, |old| old.max(sep)));
        let marks = &mut self.out.marks;
        let meaning =
            matches!(c, '!' | '?' | '…') || (!c.is_ascii() && !c.is_whitespace() && sep == Sep::Other);
        if meaning && marks.len() < 32 {
            marks.push(c);
        }
    }

    fn finish(mut self) -> Normalised {
        self.end_word();
        self.out
    }
}

/// Zero-width characters, writing-direction marks, variation selectors, soft hyphen: nothing a reader sees.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

fn fold(c: char, into: &mut String) {
    match c {
        'a'..='z' | '0'..='9' => into.push(c),
        'é' | 'è' | 'ê' | 'ë' => into.push('e'),
        'à' | 'â' | 'ä' => into.push('a'),
        'ç' => into.push('c'),
        'î' | 'ï' => into.push('i'),
        'ô' | 'ö' => into.push('o'),
        'ù' | 'û' | 'ü' => into.push('u'),
        'œ' => into.push_str("oe"),
        'æ' => into.push_str("ae"),
        'ß' => into.push_str("ss"),
        'ø' => into.push('o'),
        'ł' => into.push('l'),
        _ => {
            let base = std::iter::once(c).nfd().find(|part| !is_combining_mark(*part)).unwrap_or(c);
            into.push(base);
        }
    }
}

/// Letters and digits only, folded: the form in which texts are compared.
pub fn squeeze(text: &str) -> String {
    Normalised::new(text).folded.replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_remembers_where_it_was() {
        for (original, folded) in [
            ("À quelle HEURE", "a quelle heure"),
            ("Merciiiii", "merci"),
            ("l’été", "l ete"),
            ("e\u{301}te\u{301}", "ete"),
            ("Œuf", "oeuf"),
            ("1000 8888", "1000 8888"),
            ("a\u{200b}b\u{202e}c", "abc"),
            ("", ""),
        ] {
            let text = Normalised::new(original);
            assert_eq!(text.folded, folded, "{original}");
            for token in &text.tokens {
                assert!(original.get(token.original.clone()).is_some());
            }
        }
    }

    #[test]
    fn tells_what_stands_between_words() {
        let text = Normalised::new("Rennes-Brest, A -> B. l'eau 18:30 c - d @sncf");
        let seps: Vec<Sep> = text.tokens.iter().map(|token| token.before).collect();
        use Sep::*;
        let expected = [Stop, Hyphen, Comma, Arrow, Stop, Apostrophe, Space, Colon, Space, Dash, Other];
        assert_eq!(seps, expected);
        assert_eq!(text.tokens.last().and_then(|token| token.sigil), Some('@'));
    }

    #[test]
    fn reads_a_bounded_part() {
        assert_eq!(Normalised::new(&"é ".repeat(10_000)).tokens.len(), MAX_CHARS / 2);
    }
}
