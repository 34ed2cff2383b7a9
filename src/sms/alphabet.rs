//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1 and 6.2.1.1).

/// The default alphabet in the order of its codes, which leave out [`ESCAPE`].
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Before a character of the extension table; no character of its own.
const ESCAPE: u8 = 0x1b;
const EXTENDED: [(char, u8); 10] = [
    ('\u{c}', 0x0a),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2f),
    ('[', 0x3c),
    ('~', 0x3d),
    (']', 0x3e),
    ('|', 0x40),
    ('€', 0x65),
];

/// The codes of a character; none when it is in neither table.
fn codes(c: char) -> Option<(Option<u8>, u8)> {
    if let Some(at) = BASIC.chars().position(|known| known == c) {
        let at = u8::try_from(at).ok()?;
        return Some((None, if at < ESCAPE { at } else { at + 1 }));
    }
    EXTENDED.iter().find(|(known, _)| *known == c).map(|(_, code)| (Some(ESCAPE), *code))
}

/// Septets of a character in GSM-7; none when it is in neither table.
pub(super) fn septets(c: char) -> Option<usize> {
    codes(c).map(|(escape, _)| 1 + usize::from(escape.is_some()))
}

/// A text in GSM-7, one septet an octet, as SMPP carries the default alphabet (SMPP 3.4, 5.2.19, `data_coding` 0). None when a
/// character is in neither table.
pub fn gsm7_octets(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    for c in text.chars() {
        let (escape, code) = codes(c)?;
        octets.extend(escape);
        octets.push(code);
    }
    Some(octets)
}

/// The text of octets in GSM-7, one septet an octet. What neither table has is U+FFFD, as is what has an eighth bit; an
/// escaped code that the extension table lacks is shown as in the default alphabet (3GPP TS 23.038, 6.2.1.1, note 1).
pub fn gsm7_text(octets: &[u8]) -> String {
    let basic: Vec<char> = BASIC.chars().collect();
    let plain = |code: u8| {
        let at = if code > ESCAPE { code - 1 } else { code };
        basic.get(usize::from(at)).filter(|_| code != ESCAPE).copied()
    };
    let mut text = String::new();
    let mut octets = octets.iter().copied();
    while let Some(octet) = octets.next() {
        let read = if octet == ESCAPE {
            let Some(next) = octets.next() else { break };
            EXTENDED.iter().find(|(_, code)| *code == next).map(|(c, _)| *c).or_else(|| plain(next))
        } else {
            plain(octet)
        };
        text.push(read.unwrap_or('\u{fffd}'));
    }
    text
}
