//! Whether a webhook comes from where it says, by the scheme of the mapping. Pure.

use super::mapping::{Algorithm, Encoding, Over, Signed, Token, Verify, plain};
use crate::channels::{Refusal, WebhookRequest, header};
use crate::config::Secret;
use crate::model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::collections::BTreeMap;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// `fields`: those of the request, where its body could be read.
pub(super) fn verify(
    scheme: &Verify,
    settings: &BTreeMap<String, Secret>,
    request: &WebhookRequest<'_>,
    fields: &Value,
) -> Result<(), Refusal> {
    let secret = |name: &str| settings.get(name).map(Secret::expose).unwrap_or_default();
    match scheme {
        Verify::Hmac(signed) => hmac(signed, secret(&signed.secret), request, fields),
        Verify::Token(token) => {
            let given = given_token(token, request).ok_or(Refusal::Unsigned)?;
            same(given.as_bytes(), secret(&token.secret).as_bytes())
        }
        Verify::Basic(basic) => {
            let given = header(request.headers, "authorization").ok_or(Refusal::Unsigned)?;
            let given = given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
            let given =
                given.and_then(|(_, pair)| BASE64.decode(pair.trim()).ok()).ok_or(Refusal::BadSignature)?;
            let expected = format!("{}:{}", secret(&basic.user), secret(&basic.password));
            same(&given, expected.as_bytes())
        }
        Verify::None => Ok(()),
    }
}

fn same(given: &[u8], expected: &[u8]) -> Result<(), Refusal> {
    match !expected.is_empty() && bool::from(given.ct_eq(expected)) {
        true => Ok(()),
        false => Err(Refusal::BadSignature),
    }
}

fn given_token(token: &Token, request: &WebhookRequest<'_>) -> Option<String> {
    match (&token.header, &token.query) {
        (Some(name), _) => {
            let value = header(request.headers, name)?;
            Some(value.strip_prefix("Bearer ").unwrap_or(value).to_owned())
        }
        (None, Some(name)) => form_urlencoded::parse(request.query?.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned()),
        (None, None) => None,
    }
}

fn hmac(signed: &Signed, secret: &str, request: &WebhookRequest<'_>, fields: &Value) -> Result<(), Refusal> {
    let read = |from_header: &Option<String>, from_field: &Option<String>| match (from_header, from_field) {
        (Some(name), _) => header(request.headers, name).map(str::to_owned),
        (None, Some(name)) => fields.get(name).and_then(plain),
        (None, None) => None,
    };
    let signature = read(&signed.header, &signed.field).ok_or(Refusal::Unsigned)?;
    let given = signature.strip_prefix(&signed.prefix).ok_or(Refusal::BadSignature)?;
    let given = match signed.encoding {
        Encoding::Hex => from_hex(given),
        Encoding::Base64 => BASE64.decode(given).ok(),
    };
    let given = given.ok_or(Refusal::BadSignature)?;
    let has_time = signed.timestamp_header.is_some() || signed.timestamp_field.is_some();
    let timestamp = match has_time {
        true => read(&signed.timestamp_header, &signed.timestamp_field).ok_or(Refusal::Unsigned)?,
        false => String::new(),
    };
    let message = match signed.over {
        Over::Body => request.body.to_vec(),
        Over::TimestampBody => [timestamp.as_bytes(), signed.separator.as_bytes(), request.body].concat(),
        Over::SortedParams => sorted(fields, signed.field.as_deref()).into_bytes(),
    };
    let expected = digest(signed.algorithm, secret.as_bytes(), &message).ok_or(Refusal::BadSignature)?;
    same(&given, &expected)?;
    match has_time {
        true => fresh(&timestamp, request.now, Duration::from_secs(signed.tolerance)),
        false => Ok(()),
    }
}

fn fresh(timestamp: &str, now: Timestamp, tolerance: Duration) -> Result<(), Refusal> {
    let seconds: i64 = timestamp.parse().map_err(|_| Refusal::Stale)?;
    let at = Timestamp(seconds.saturating_mul(1_000_000));
    match now.since(at) > tolerance || at.since(now) > tolerance {
        true => Err(Refusal::Stale),
        false => Ok(()),
    }
}

fn sorted(fields: &Value, signature: Option<&str>) -> String {
    let pairs: BTreeMap<&str, String> = fields
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| Some(name.as_str()) != signature)
        .filter_map(|(name, value)| Some((name.as_str(), plain(value)?)))
        .collect();
    pairs.iter().map(|(name, value)| format!("&{name}={}", value.replace(['&', '='], "_"))).collect()
}

/// HMAC (RFC 2104).
pub(super) fn digest(algorithm: Algorithm, key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Sha1 => Some(
            Hmac::<Sha1>::new_from_slice(key).ok()?.chain_update(message).finalize().into_bytes().to_vec(),
        ),
        Algorithm::Sha256 => Some(
            Hmac::<Sha256>::new_from_slice(key).ok()?.chain_update(message).finalize().into_bytes().to_vec(),
        ),
        Algorithm::Sha512 => Some(
            Hmac::<Sha512>::new_from_slice(key).ok()?.chain_update(message).finalize().into_bytes().to_vec(),
        ),
    }
}

/// In letters of either case.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok()).collect()
}
