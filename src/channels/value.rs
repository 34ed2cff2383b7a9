//! Reads the JSON of providers without trusting its shape: ids come as texts or numbers, and what is missing is simply not
//! there.

use serde_json::Value;

/// Ids beyond this are no provider's; the database would refuse them, and with them the whole batch.
const MAX_ID: usize = 400;

/// The text at `key`, or the number there as text.
pub fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The id at `key`.
pub fn id(value: &Value, key: &str) -> Option<String> {
    text(value, key).filter(|id| !id.is_empty() && id.len() <= MAX_ID)
}

/// The id of the object at `key`: `{"sender": {"id": …}}`.
pub fn id_of(value: &Value, key: &str) -> Option<String> {
    id(value.get(key)?, "id")
}

/// The items at `key`; none when it is no list.
pub fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

pub fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

/// May the id stand in a path of the provider's interface? Ids come from outside.
pub fn is_path(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Says in the log that something was let go, by its kind alone: the names are the provider's, so only known letters are kept.
pub fn let_go(what: &str, kind: &str) {
    let kind: String = kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
    tracing::debug!(what, kind, "an event that is not read");
}

/// The changes of an entry with their fields. Some examples of the documentation put the one change into the entry itself.
pub fn changes(entry: &Value) -> impl Iterator<Item = (&str, &Value)> {
    list(entry, "changes").chain([entry]).filter_map(|change| {
        let field = change.get("field")?.as_str()?;
        Some((field, change.get("value")?))
    })
}
