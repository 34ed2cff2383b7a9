//! What SMSCs call text: the GSM 7-bit default alphabet one character to an octet ("unpacked", as SMPP carries it), Latin-1,
//! ASCII, and UCS-2, which phones write as UTF-16.

use crate::sms::{Encoding, encoding, gsm7_octets, gsm7_text, split};

/// How the octets of a text are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gsm7,
    Ascii,
    Latin1,
    Ucs2,
    /// Pictures, ringtones, and what else is no text.
    Binary,
}

impl Coding {
    /// SMPP 3.4, 5.2.19, and for the groups with a message class 3GPP TS 23.038, 4.
    pub(super) fn of(data_coding: u8) -> Self {
        match data_coding {
            0 => Coding::Gsm7,
            1 => Coding::Ascii,
            3 => Coding::Latin1,
            8 => Coding::Ucs2,
            0x10..=0x1F => match (data_coding >> 2) & 3 {
                0 => Coding::Gsm7,
                2 => Coding::Ucs2,
                _ => Coding::Binary,
            },
            0xF0..=0xFF if data_coding & 4 == 0 => Coding::Gsm7,
            _ => Coding::Binary,
        }
    }

    /// The `data_coding` that we send it under.
    pub(super) fn code(self) -> u8 {
        match self {
            Coding::Gsm7 => 0,
            Coding::Ascii => 1,
            Coding::Latin1 => 3,
            Coding::Ucs2 => 8,
            Coding::Binary => 4,
        }
    }

    /// What no alphabet has becomes U+FFFD; of what is no text nothing is left.
    pub(super) fn read(self, octets: &[u8]) -> String {
        match self {
            Coding::Gsm7 => gsm7_text(octets),
            Coding::Ascii => {
                octets.iter().map(|&o| if o.is_ascii() { char::from(o) } else { '\u{fffd}' }).collect()
            }
            Coding::Latin1 => octets.iter().map(|&o| char::from(o)).collect(),
            Coding::Ucs2 => {
                let units = octets.chunks(2).map(|pair| match *pair {
                    [high, low] => u16::from_be_bytes([high, low]),
                    _ => 0xFFFD,
                });
                char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
            }
            Coding::Binary => String::new(),
        }
    }
}

/// What a text is sent as: its alphabet, and the octets of each part in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub coding: Coding,
    pub octets: Vec<Vec<u8>>,
}

/// In GSM-7 where every character is in it, else in UCS-2; as one (`whole`), or as many parts as it takes.
pub(super) fn parts(text: &str, whole: bool) -> Parts {
    let texts = if whole { vec![text] } else { split(text) };
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    match encoding(text) {
        Encoding::Gsm7 => {
            let octets = texts.into_iter().map(|text| gsm7_octets(text).unwrap_or_default());
            Parts { coding: Coding::Gsm7, octets: octets.collect() }
        }
        Encoding::Ucs2 => Parts { coding: Coding::Ucs2, octets: texts.into_iter().map(utf16).collect() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_comes_in_is_read_in_its_alphabet() {
        let cases: &[(u8, &[u8], &str)] = &[
            (0, b"Bonjour", "Bonjour"),
            (0, &[0x00, 0x04, 0x05, 0x7F, 0x1B, 0x65, 0x1B, 0x3C], "@èéà€["),
            (0, &[0x1B, 0x41, 0x1B], "A"),
            (0, &[0x80, b'a'], "\u{fffd}a"),
            (1, b"a@b\xe9", "a@b\u{fffd}"),
            (3, b"gar\xe9 \xe0 Laval", "garé à Laval"),
            (8, &[0x00, 0xE7, 0x20, 0x19, 0xD8, 0x3D, 0xDE, 0x00], "ç’😀"),
            (8, &[0xD8, 0x3D, 0x00, 0x41, 0x00], "\u{fffd}A\u{fffd}"),
            (0x10, b"flash", "flash"),
            (0x18, &[0x00, 0x41], "A"),
            (0xF1, b"class", "class"),
            (4, b"\x01\x02", ""),
            (0xF5, b"\x01\x02", ""),
        ];
        for (code, octets, text) in cases {
            assert_eq!(Coding::of(*code).read(octets), *text, "{code}");
        }
    }

    #[test]
    fn a_text_is_sent_in_the_parts_that_phones_join() {
        let sizes = |text: &str| {
            let parts = parts(text, false);
            (parts.coding, parts.octets.iter().map(Vec::len).collect::<Vec<_>>())
        };
        let cases = [
            (String::new(), Coding::Gsm7, vec![0]),
            ("é".repeat(160), Coding::Gsm7, vec![160]),
            ("é".repeat(161), Coding::Gsm7, vec![153, 8]),
            // An escape and its character are not parted.
            ("a".repeat(152) + "€" + &"a".repeat(20), Coding::Gsm7, vec![152, 22]),
            ("ç".repeat(70), Coding::Ucs2, vec![140]),
            ("ç".repeat(71), Coding::Ucs2, vec![134, 8]),
            // Nor are the two halves of a character beyond the first plane.
            ("ç".repeat(66) + "😀" + &"ç".repeat(9), Coding::Ucs2, vec![132, 22]),
        ];
        for (text, coding, octets) in cases {
            assert_eq!(sizes(&text), (coding, octets), "{text}");
        }
        assert_eq!(parts(&"ç".repeat(200), true).octets.len(), 1);
    }

    proptest! {
        #[test]
        fn what_is_sent_reads_as_it_was_written(text in "[a-zéèç€{\\^😀’\n ]{0,400}") {
            let sent = parts(&text, false);
            prop_assert_eq!(sent.coding.read(&sent.octets.concat()), text);
        }

        #[test]
        fn any_octets_are_read(code: u8, octets: Vec<u8>) {
            Coding::of(code).read(&octets);
        }
    }
}
