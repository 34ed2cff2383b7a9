//! The same words in GSM-7, where an SMS holds 160 characters and not 70.
//!
//! | written | sent |
//! | --- | --- |
//! | à ä å æ è é ì ñ ò ö ø ù ü ß, Ä Å Æ Ç É Ñ Ö Ø Ü, € | as they are: GSM-7 has them |
//! | ç, â ê î ô û, ë ï ÿ, À È Ê Î Ô, á í ó ú … | without their accent, as every letter that Unicode takes apart |
//! | œ Œ, ł đ ı | oe OE, l d i |
//! | ’ ‘ ‛ ′ ´ `, ‹ › | ' |
//! | “ ” „ ‟ « » ″ | " |
//! | ‐ ‑ ‒ – — ― −, • | - |
//! | … | ... |
//! | → ⇒ ➔ ➜ ➡, ← | >, < |
//! | ·, ×, °, ⁄ | ., x, o, / |
//! | ½ ², №, ™, full-width letters, ligatures | 1/2, 2, No, TM: what Unicode calls compatible |
//! | no-break, thin and other spaces, tab | a space |
//! | soft hyphen, zero-width space, word joiner, byte order mark | nothing |

use super::alphabet::septets;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization as _;

/// The text in GSM-7 by the table above. As it is where one character has no place there (an emoji, Arabic): all of it is UCS-2
/// then, and letters without their accents would save nothing.
pub fn thrift(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| septets(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.nfc() {
        if !push(c, &mut plain) {
            return Cow::Borrowed(text);
        }
    }
    Cow::Owned(plain)
}

/// The same, without what has no place in GSM-7: for names and labels, which must not make an answer UCS-2.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfc() {
        push(c, &mut plain);
    }
    plain
}

/// False: GSM-7 has no form of it.
fn push(c: char, into: &mut String) -> bool {
    if septets(c).is_some() {
        into.push(c);
        return true;
    }
    let form = match c {
        'œ' => "oe",
        'Œ' => "OE",
        'ł' => "l",
        'Ł' => "L",
        'đ' => "d",
        'Đ' => "D",
        'ı' => "i",
        '’' | '‘' | '‛' | '′' | '´' | '`' | '‹' | '›' => "'",
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '•' => "-",
        '→' | '⇒' | '➔' | '➜' | '➡' => ">",
        '←' => "<",
        '·' => ".",
        '×' => "x",
        '°' => "o",
        '⁄' => "/",
        // Accents that stand on no letter of their own, and what nobody sees.
        '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{fe0e}' | '\u{fe0f}' => {
            ""
        }
        c if c.is_whitespace() => " ",
        _ => return taken_apart(c, into),
    };
    into.push_str(form);
    true
}

/// A letter without its accents, a sign as the signs that it stands for.
fn taken_apart(c: char, into: &mut String) -> bool {
    let start = into.len();
    for part in std::iter::once(c).nfkd() {
        // What is not taken apart stays what it is: it would be asked again for ever.
        if part == c || !push(part, into) {
            into.truncate(start);
            return false;
        }
    }
    true
}
