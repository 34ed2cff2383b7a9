//! What is posted to the operator's service.

use crate::answers::Query;
use crate::channels::signing::{hex, mac};
use crate::config::Secret;
use crate::model::{ContactId, EntityValue, StationRef};
use hmac::Mac as _;
use serde_json::{Map, Value, json};

/// Hexadecimal figures of a contact's digest: 128 bits, which no two contacts share by chance.
const DIGEST: usize = 32;

/// `None`: the secret cannot sign.
pub(super) fn body(query: &Query, secret: &Secret) -> Option<String> {
    let slots: Map<String, Value> =
        query.slots.iter().map(|(name, value)| (name.clone(), in_body(value))).collect();
    let body = json!({
        "intent": query.intent,
        "lang": query.lang,
        "slots": slots,
        "context": { "contact": contact(query.contact, secret)?, "now": query.now.to_string() },
    });
    Some(body.to_string())
}

/// The same for the same contact, so that the service can tell customers apart; without the secret nobody can tell whose it
/// is. What is signed begins with a time and this with a word: one never stands for the other.
fn contact(id: ContactId, secret: &Secret) -> Option<String> {
    let mac = mac(secret, "contact", id.to_string().as_bytes())?;
    let mut digest = hex(&mac.finalize().into_bytes());
    digest.truncate(DIGEST);
    Some(digest)
}

fn in_body(value: &EntityValue) -> Value {
    let station = |station: &StationRef| json!({ "id": station.id, "name": station.name });
    match value {
        EntityValue::Station { station: found } => {
            json!({ "type": "station", "id": found.id, "name": found.name })
        }
        EntityValue::Ambiguous { options } => {
            json!({ "type": "ambiguous", "options": options.iter().map(station).collect::<Vec<_>>() })
        }
        EntityValue::Time { start, end } => {
            json!({ "type": "time", "start": start.to_string(), "end": end.to_string() })
        }
        EntityValue::Train { number } => json!({ "type": "train", "number": number }),
        EntityValue::Line { name } => json!({ "type": "line", "name": name }),
        EntityValue::Reference { code } => json!({ "type": "reference", "code": code }),
        EntityValue::Phone { number } => json!({ "type": "phone", "number": number }),
        EntityValue::Email { address } => json!({ "type": "email", "address": address }),
    }
}

/// A placeholder's value: a station's id, a time's start (RFC 3339, UTC), a number or name. Empty: not known, not clear, or
/// personal.
pub(super) fn in_url(query: &Query, name: &str) -> String {
    match name {
        "intent" => query.intent.clone(),
        "lang" => query.lang.to_string(),
        _ => match query.slots.get(name) {
            Some(EntityValue::Station { station }) => station.id.clone(),
            Some(EntityValue::Time { start, .. }) => start.to_string(),
            Some(EntityValue::Train { number }) => number.clone(),
            Some(EntityValue::Line { name }) => name.clone(),
            Some(
                EntityValue::Ambiguous { .. }
                | EntityValue::Reference { .. }
                | EntityValue::Phone { .. }
                | EntityValue::Email { .. },
            )
            | None => String::new(),
        },
    }
}
