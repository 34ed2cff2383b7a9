//! YAML read into a tree that remembers its lines, so that every complaint about a file names one.

use super::pack::PackError;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// Larger files are refused unread: intent files are written by hand and stay far below.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// One YAML node. Numbers are kept as floats: the files hold none that needs more.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A value and the line (from 1) on which it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub name: String,
    pub line: usize,
}

impl Node {
    pub fn as_map(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Scalars that YAML took for something else (`now`, `12`, `no`) still read as what was typed.
    pub fn as_text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// As JSON; a number without a fraction becomes an integer, as it was written.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 2f64.powi(53) => {
                (*number as i64).into()
            }
            Value::Number(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(pairs) => pairs.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node { line: line_of(&spanned), value: spanned.value })
    }
}

fn line_of<T>(spanned: &Spanned<T>) -> usize {
    usize::try_from(spanned.referenced.line()).unwrap_or(1).max(1)
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("text, a number, true or false, a list or keys with values")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Node>()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let line = line_of(&key);
            pairs.push((Key { name: key.value, line }, map.next_value::<Node>()?));
        }
        Ok(Value::Map(pairs))
    }
}

/// A file's text and its tree. The text is kept because a block scalar tells the line of its start only.
pub(super) struct Document {
    pub text: String,
    pub root: Node,
}

/// Reads and parses one file; `name` is how errors call it.
pub(super) fn read(path: &std::path::Path, name: &str) -> Result<Document, PackError> {
    let refuse = |line: usize, what: String, cure: &str| {
        Err(PackError { file: name.to_owned(), line, what, cure: cure.to_owned() })
    };
    match std::fs::metadata(path) {
        Ok(data) if data.len() > MAX_FILE_BYTES => {
            return refuse(1, "the file is larger than 4 MiB".into(), "split it into several domains");
        }
        Ok(_) => {}
        Err(e) => {
            return refuse(1, format!("cannot be read ({e})"), "check the path and its permissions");
        }
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) => return refuse(1, format!("cannot be read ({e})"), "save the file as UTF-8 text"),
    };
    parse(&text, name)
}

/// Parses a text; `name` is how errors call it.
pub(super) fn parse(text: &str, name: &str) -> Result<Document, PackError> {
    // Repeated keys are passed through so that the pack names both places instead of stopping at the first.
    let options =
        serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough };
    match serde_saphyr::from_str_with_options::<Node>(text, options) {
        Ok(root) => Ok(Document { text: text.to_owned(), root }),
        Err(e) => {
            let e = e.without_snippet();
            let line = e.location().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1)).max(1);
            let message = e.to_string().lines().next().unwrap_or("unreadable").to_owned();
            Err(PackError {
                file: name.to_owned(),
                line,
                what: format!("not valid YAML: {message}"),
                cure: "check indentation, quotes and colons here".to_owned(),
            })
        }
    }
}
