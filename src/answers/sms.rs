//! How long a text is as SMS, and station names that stay short there.
//!
//! Alphabet and extension table: 3GPP TS 23.038, 6.2.1 and 6.2.1.1. One SMS holds 140 octets: 160 septets or 70 UTF-16 units; a
//! part of a longer one loses 6 octets to its header (3GPP TS 23.040, 9.2.3.24.1): 153 septets or 67 units.

use unicode_normalization::UnicodeNormalization;

/// The default alphabet, one septet each. Escape (0x1B) is no character of its own.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: an escape and the character, two septets.
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// Station names longer than this lose the end of a long word.
const SHORT_NAME: usize = 16;
/// Words at least this long are cut, to [`STEM`] letters and a full stop.
const LONG_WORD: usize = 8;
const STEM: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Gsm7,
    Ucs2,
}

impl Encoding {
    pub fn as_str(self) -> &'static str {
        match self {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        }
    }
}

/// Septets of a character in GSM-7; none when it is in neither table.
fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENDED.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// The encoding a text needs and the number of SMS it takes; an empty one still takes one.
///
/// No part ends inside an escape pair or a surrogate pair, so a unit of two that does not fit opens the next part.
pub fn sms_segments(text: &str) -> (Encoding, usize) {
    let gsm: Option<Vec<usize>> = text.chars().map(septets).collect();
    match gsm {
        Some(sizes) => (Encoding::Gsm7, parts(&sizes, 160, 153)),
        None => {
            let sizes: Vec<usize> = text.chars().map(char::len_utf16).collect();
            (Encoding::Ucs2, parts(&sizes, 70, 67))
        }
    }
}

fn parts(sizes: &[usize], single: usize, part: usize) -> usize {
    let total: usize = sizes.iter().sum();
    if total <= single {
        return 1;
    }
    let (mut count, mut filled) = (1, 0);
    for size in sizes {
        if filled + size > part {
            count += 1;
            filled = 0;
        }
        filled += size;
    }
    count
}

/// How long a text is in the units of `encoding`: septets, or UTF-16 units. What GSM-7 lacks counts nothing.
pub fn units(text: &str, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Gsm7 => text.chars().filter_map(septets).sum(),
        Encoding::Ucs2 => text.encode_utf16().count(),
    }
}

/// The same words in GSM-7: "Besançon – l’été" becomes "Besancon - l'été". What has no plain form is left out.
pub fn to_gsm7(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfc() {
        match c {
            c if septets(c).is_some() => plain.push(c),
            'œ' => plain.push_str("oe"),
            'Œ' => plain.push_str("OE"),
            '’' | '‘' => plain.push('\''),
            '“' | '”' | '«' | '»' => plain.push('"'),
            '–' | '—' | '\u{2010}' | '\u{2011}' => plain.push('-'),
            '…' => plain.push_str("..."),
            '→' => plain.push('>'),
            c if c.is_whitespace() => plain.push(' '),
            c => plain.extend(std::iter::once(c).nfd().filter(|c| septets(*c).is_some())),
        }
    }
    plain
}

/// A station's name for SMS: GSM-7, "Saint" as "St", and the longest words after the first cut until it is short.
/// "Paris Montparnasse" becomes "Paris Montp.". The first word tells the town and is kept whole.
pub fn short_name(name: &str) -> String {
    let mut words = words(&to_gsm7(name));
    let length =
        |words: &[(String, char)]| words.iter().map(|(word, _)| word.chars().count() + 1).sum::<usize>() - 1;
    while !words.is_empty() && length(&words) > SHORT_NAME {
        let kept = if words[0].0.starts_with("St") && words[0].0.len() <= 3 { 2 } else { 1 };
        let longest = words.iter_mut().skip(kept).max_by_key(|(word, _)| word.chars().count());
        match longest {
            Some((word, _)) if word.chars().count() >= LONG_WORD => {
                *word = word.chars().take(STEM).chain(['.']).collect();
            }
            _ => break,
        }
    }
    let mut short: String =
        words.into_iter().flat_map(|(word, after)| word.chars().chain([after]).collect::<Vec<_>>()).collect();
    short.pop(); // the separator after the last word
    short
}

/// Words with the separator behind each, "Saint" and "Sainte" shortened.
fn words(name: &str) -> Vec<(String, char)> {
    let mut found = Vec::new();
    for piece in name.split_inclusive([' ', '-']) {
        let word = piece.trim_end_matches([' ', '-']);
        let word = match word {
            "Saint" => "St",
            "Sainte" => "Ste",
            word => word,
        };
        found.push((word.to_owned(), if piece.ends_with('-') { '-' } else { ' ' }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transit::testing::shared_data;

    #[test]
    fn lengths_at_the_edges() {
        for (text, expected) in [
            (String::new(), (Encoding::Gsm7, 1)),
            ("a".repeat(160), (Encoding::Gsm7, 1)),
            ("a".repeat(161), (Encoding::Gsm7, 2)),
            ("a".repeat(306), (Encoding::Gsm7, 2)),
            ("a".repeat(307), (Encoding::Gsm7, 3)),
            ("€".repeat(80), (Encoding::Gsm7, 1)),
            // 153 is odd: 76 pairs a part.
            ("€".repeat(153), (Encoding::Gsm7, 3)),
            ("ç".repeat(70), (Encoding::Ucs2, 1)),
            ("ç".repeat(71), (Encoding::Ucs2, 2)),
            ("ç".repeat(135), (Encoding::Ucs2, 3)),
            ("😀".repeat(35), (Encoding::Ucs2, 1)),
            // 67 is odd: 33 pairs a part.
            ("😀".repeat(67), (Encoding::Ucs2, 3)),
        ] {
            assert_eq!(sms_segments(&text), expected, "{text}");
        }
    }

    #[test]
    fn agrees_with_recorded_vectors() {
        let Some(path) = shared_data("vectors/sms-segments.json") else {
            return;
        };
        let vectors: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert!(vectors.len() >= 20);
        for vector in vectors {
            let text = vector["text"].as_str().unwrap();
            let (encoding, count) = sms_segments(text);
            assert_eq!(encoding.as_str(), vector["encoding"].as_str().unwrap(), "{text}");
            assert_eq!(count as u64, vector["segments"].as_u64().unwrap(), "{text}");
        }
    }

    #[test]
    fn plain_forms_stay_in_gsm7() {
        for (text, plain) in [
            ("Besançon – l’été", "Besancon - l'été"),
            ("Nîmes, Vitré, Œuf… 20 €", "Nimes, Vitré, OEuf... 20 €"),
            ("Bêta\u{a0}: 日本", "Beta : "),
        ] {
            assert_eq!(to_gsm7(text), plain);
            assert_eq!(sms_segments(&to_gsm7(text)).0, Encoding::Gsm7);
        }
    }

    #[test]
    fn short_names() {
        for (name, short) in [
            ("Rennes", "Rennes"),
            ("Paris Montparnasse", "Paris Montp."),
            ("Paris Gare de Lyon", "Paris Gare de Lyon"),
            ("Lyon Part-Dieu", "Lyon Part-Dieu"),
            ("Bordeaux Saint-Jean", "Bordeaux St-Jean"),
            ("Saint-Étienne Châteaucreux", "St-Étienne Chate."),
            ("Saint-Pierre-des-Corps", "St-Pierre-des-Corps"),
            ("Besançon Viotte", "Besancon Viotte"),
            ("", ""),
        ] {
            assert_eq!(short_name(name), short, "{name}");
        }
    }
}
