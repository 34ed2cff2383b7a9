//! How Guichet signs what it posts to systems of the operator, and checks what they post.
//!
//! `X-Guichet-Timestamp` holds Unix seconds; `X-Guichet-Signature` is `v1=` and the hexadecimal HMAC-SHA256 (RFC 2104, FIPS
//! 180-4) with the shared secret over `<timestamp>.<raw body>`.

use crate::config::Secret;
use crate::model::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

pub const TIMESTAMP: &str = "x-guichet-timestamp";
pub const SIGNATURE: &str = "x-guichet-signature";

/// The values of both headers. `None`: the secret cannot sign.
pub fn sign(secret: &Secret, now: Timestamp, body: &[u8]) -> Option<(String, String)> {
    let timestamp = (now.0 / 1_000_000).to_string();
    let mac = mac(secret, &timestamp, body)?;
    Some((timestamp, format!("v1={}", hex(&mac.finalize().into_bytes()))))
}

/// Over `<prefix>.<body>`.
pub fn mac(secret: &Secret, prefix: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(prefix.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
