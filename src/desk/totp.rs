//! One-time codes of an authenticator: RFC 6238 with its defaults (HMAC-SHA-1, 30 s, six digits), which is what
//! every authenticator does. Recovery codes are for who lost theirs.

use super::token;
use crate::model::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Seconds that a code holds.
const STEP: i64 = 30;
/// Steps before and after the present one that are taken too: phones' clocks differ.
const LEEWAY: i64 = 1;
const DIGITS: usize = 6;
/// Codes given at once for who loses the authenticator.
pub const RECOVERY_CODES: usize = 8;

/// RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret of 160 bits (RFC 4226 §4 asks for as many), in base32.
pub fn new_secret() -> String {
    base32(&rand::random::<[u8; 20]>())
}

/// What authenticators read from the QR code: the format is the one that Google's authenticator began.
pub fn otpauth(issuer: &str, login: &str, secret: &str) -> String {
    let escape = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let (issuer, login) = (escape(issuer), escape(login));
    format!("otpauth://totp/{issuer}:{login}?secret={secret}&issuer={issuer}")
}

/// The step of the code, when it is one that holds now. The caller sees to it that no step is used twice.
pub fn verify(secret: &str, code: &str, now: Timestamp) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let key = from_base32(secret)?;
    let present = now.0.div_euclid(1_000_000 * STEP);
    // All are computed, whichever fits.
    let fitting: Vec<i64> = (present - LEEWAY..=present + LEEWAY)
        .filter(|step| {
            code_of(&key, *step).is_some_and(|right| right.as_bytes().ct_eq(code.as_bytes()).into())
        })
        .collect();
    fitting.first().copied()
}

/// The code of a step (RFC 4226 §5.3).
fn code_of(key: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last()? & 0x0f);
    let part: [u8; 4] = hash.get(offset..offset + 4)?.try_into().ok()?;
    let number = u32::from_be_bytes(part) & 0x7fff_ffff;
    Some(format!("{:0DIGITS$}", number % 1_000_000))
}

/// New recovery codes, `abcd-efgh-ijkl-mnop`: 80 random bits each, so that a plain hash keeps them.
pub fn recovery_codes() -> Vec<String> {
    let one = || {
        let text = base32(&rand::random::<[u8; 10]>()).to_lowercase();
        let quarters: Vec<&str> = (0..4).filter_map(|n| text.get(4 * n..4 * n + 4)).collect();
        quarters.join("-")
    };
    (0..RECOVERY_CODES).map(|_| one()).collect()
}

/// What is stored of a recovery code, however it is typed.
pub fn recovery_digest(code: &str) -> String {
    let bare: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    token::digest(&bare.to_lowercase())
}

fn base32(bytes: &[u8]) -> String {
    let (mut text, mut held, mut bits) = (String::new(), 0u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[(held >> bits) as usize & 31]));
        }
    }
    if bits > 0 {
        text.push(char::from(BASE32[(held << (5 - bits)) as usize & 31]));
    }
    text
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0u32, 0);
    for letter in text.bytes() {
        let value = BASE32.iter().position(|known| *known == letter)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 4226 appendix D and RFC 6238 appendix B: ASCII "12345678901234567890".
    const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    #[test]
    fn the_values_of_the_standards() {
        let key = from_base32(KEY).unwrap();
        assert_eq!(key, b"12345678901234567890");
        // RFC 4226 appendix D.
        let hotp = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583"];
        for (count, code) in hotp.iter().enumerate() {
            assert_eq!(code_of(&key, count as i64).unwrap(), *code);
        }
        // RFC 6238 appendix B, whose eight digits end in our six.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(verify(KEY, code, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_holds_one_step_more_on_either_side() {
        let right = "005924";
        let step = 1_234_567_890 / 30;
        for (seconds, holds) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let found = verify(KEY, right, at(step * 30 + seconds));
            assert_eq!(found, holds.then_some(step), "{seconds}");
        }
        assert_eq!(verify(KEY, "005 924 ", at(step * 30)), Some(step));
        for wrong in ["", "005925", "5924", "0005924", "abcdef", "00592４"] {
            assert_eq!(verify(KEY, wrong, at(step * 30)), None, "{wrong}");
        }
        assert_eq!(verify("not base32!", right, at(step * 30)), None);
    }

    #[test]
    fn base32_is_that_of_the_standard() {
        // RFC 4648 §10, without padding.
        for (plain, coded) in [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(plain.as_bytes()), coded);
            assert_eq!(from_base32(coded).unwrap(), plain.as_bytes());
        }
        assert_eq!(new_secret().len(), 32);
        assert_ne!(new_secret(), new_secret());
    }

    #[test]
    fn recovery_codes_are_known_however_they_are_typed() {
        let codes = recovery_codes();
        assert_eq!(codes.len(), RECOVERY_CODES);
        let typed = codes[0].to_uppercase().replace('-', " ");
        assert_eq!(codes[0].len(), 19);
        assert_eq!(recovery_digest(&typed), recovery_digest(&codes[0]));
        assert_ne!(recovery_digest(&codes[1]), recovery_digest(&codes[0]));
    }

    #[test]
    fn the_link_of_the_qr_code_is_escaped() {
        let link = otpauth("L'Ouest & fils", "camille@example.org", "ABC");
        assert_eq!(
            link,
            "otpauth://totp/L%27Ouest%20%26%20fils:camille%40example%2Eorg?secret=ABC&issuer=L%27Ouest%20%26%20fils"
        );
    }
}
