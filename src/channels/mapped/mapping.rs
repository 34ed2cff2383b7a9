//! The mapping file of a provider: what its fields are called, how it signs, what it wants to be sent.

use super::super::Capabilities;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// Larger files are no mappings.
pub(super) const MAX_FILE: u64 = 256 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    /// Keys that the channel must have in guichet.toml; templates know them as `settings.<key>`.
    #[serde(default)]
    pub settings: Vec<Spanned<String>>,
    pub carries: Carries,
    pub verify: Spanned<Verify>,
    pub inbound: Inbound,
    pub receipts: Option<Receipts>,
    pub outbound: Outbound,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Carries {
    /// In characters.
    pub max_chars: usize,
    #[serde(default)]
    pub sms: bool,
    #[serde(default)]
    pub media: bool,
}

impl Mapping {
    pub(super) fn capabilities(&self) -> Capabilities {
        let Carries { max_chars, sms, media } = self.carries;
        Capabilities { sms, media, receipts: self.receipts.is_some(), ..Capabilities::text(max_chars) }
    }
}

/// How a webhook proves where it comes from. Names are those of `settings`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verify {
    Hmac(Box<Signed>),
    /// A header or a parameter of the address equals a secret.
    Token(Token),
    /// HTTP Basic (RFC 7617).
    Basic(Basic),
    /// Refused unless the channel says `insecure = true`.
    None,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signed {
    pub secret: String,
    #[serde(default)]
    pub algorithm: Algorithm,
    #[serde(default)]
    pub encoding: Encoding,
    /// Where the signature stands; one of both.
    pub header: Option<String>,
    pub field: Option<String>,
    /// Before the signature, such as `sha256=`.
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub over: Over,
    /// Between timestamp and body.
    #[serde(default = "full_stop")]
    pub separator: String,
    /// Unix seconds; needed for `timestamp_body`, otherwise checked where it is named.
    pub timestamp_header: Option<String>,
    pub timestamp_field: Option<String>,
    /// Seconds that the timestamp may be from our clock.
    #[serde(default = "five_minutes")]
    pub tolerance: u64,
}

fn full_stop() -> String {
    ".".into()
}

fn five_minutes() -> u64 {
    300
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Algorithm {
    Sha1,
    #[default]
    Sha256,
    Sha512,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    #[default]
    Hex,
    Base64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Over {
    /// The raw body.
    #[default]
    Body,
    /// The timestamp, the separator, the raw body.
    TimestampBody,
    /// Of each field but the signature `&name=value`, in the order of the names, with `_` for each & and = of the values
    /// (Vonage, "Signing messages").
    SortedParams,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub secret: String,
    pub header: Option<String>,
    pub query: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Basic {
    pub user: String,
    pub password: String,
}

/// What a webhook's fields stand in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// The parameters of the address, of a GET or a POST.
    Query,
}

/// Which values count: all named ones must be among theirs.
pub(super) type Only = BTreeMap<Pointer, OneOrMany>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inbound {
    #[serde(default)]
    pub read: Format,
    /// A list of messages; left out: the request is one.
    pub each: Option<Pointer>,
    #[serde(default)]
    pub only: Only,
    pub id: Pointer,
    pub from: Pointer,
    /// Puts a + before a `from` of digits alone.
    #[serde(default)]
    pub plus: bool,
    pub text: Pointer,
    pub name: Option<Pointer>,
    pub media: Option<MediaAt>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaAt {
    /// A list; left out: there is one at most.
    pub each: Option<Pointer>,
    pub url: Pointer,
    pub kind: Option<Pointer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receipts {
    #[serde(default)]
    pub read: Format,
    pub each: Option<Pointer>,
    #[serde(default)]
    pub only: Only,
    /// The provider's id of the message.
    pub id: Pointer,
    /// Our own, where the provider gives it back.
    pub ours: Option<Pointer>,
    pub status: Pointer,
    #[serde(default)]
    pub sent: OneOrMany,
    pub delivered: OneOrMany,
    pub failed: OneOrMany,
    /// Why it failed: a code rather than words.
    pub error: Option<Pointer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outbound {
    #[serde(default)]
    pub method: Method,
    /// Every value in it is percent-encoded.
    pub url: Spanned<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, Spanned<String>>,
    /// The body: JSON, in which every value is written as JSON; or fields of a form; or none.
    pub json: Option<Spanned<String>>,
    pub form: Option<BTreeMap<String, Spanned<String>>>,
    /// HTTP Basic with the names of two settings.
    pub basic: Option<Basic>,
    #[serde(default)]
    pub answer: Answer,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    Get,
    #[default]
    Post,
    Put,
}

/// What an answer to a send says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The provider's id of the message.
    pub id: Option<Pointer>,
    /// What a 2xx must hold to be a yes; without it every 2xx is.
    #[serde(default)]
    pub accepted: Only,
    /// The provider's code of an error, and what its values mean. All others are refusals for good.
    pub code: Option<Pointer>,
    #[serde(default)]
    pub retry: OneOrMany,
    #[serde(default)]
    pub blocked: OneOrMany,
    #[serde(default)]
    pub in_doubt: OneOrMany,
    /// HTTP statuses that mean otherwise than usual.
    #[serde(default)]
    pub statuses: Statuses,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Statuses {
    pub retry: Vec<u16>,
    pub in_doubt: Vec<u16>,
    pub permanent: Vec<u16>,
}

/// A place in JSON (RFC 6901); of a form or a query, `/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pointer(String);

impl Pointer {
    pub(super) fn at<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.pointer(&self.0)
    }

    /// The text, number or truth there; of an empty text nothing.
    pub(super) fn text(&self, value: &Value) -> Option<String> {
        plain(self.at(value)?).filter(|text| !text.is_empty())
    }
}

pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.starts_with('/') {
            let what =
                format!("'{text}' is no place: write it with a slash before each step, as /results/0/id");
            return Err(serde::de::Error::custom(what));
        }
        Ok(Self(text))
    }
}

/// One value or a list of them. Numbers and truths count as they are written.
#[derive(Debug, Clone, Default)]
pub(super) struct OneOrMany(Vec<String>);

impl OneOrMany {
    pub(super) fn has(&self, value: &str) -> bool {
        self.0.iter().any(|one| one == value)
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("write one value, or a list of them in brackets");
        let values = match Value::deserialize(deserializer)? {
            Value::Array(values) => values,
            one => vec![one],
        };
        values.iter().map(|value| plain(value).ok_or_else(wrong)).collect::<Result<_, _>>().map(Self)
    }
}

pub(super) fn all_hold(only: &Only, value: &Value) -> bool {
    only.iter().all(|(place, wanted)| place.text(value).is_some_and(|text| wanted.has(&text)))
}

/// Reads a file's text. Errors: line, what is wrong, and the cure.
pub(super) fn parse(text: &str) -> Result<Mapping, (u64, String)> {
    let mapping: Mapping = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |at| at.line());
        let what = error.without_snippet().to_string();
        (line, format!("{}. Cure: see docs/http-channel.md", what.lines().next().unwrap_or("unreadable")))
    })?;
    let Carries { max_chars, .. } = mapping.carries;
    if !(1..=100_000).contains(&max_chars) {
        return Err((1, "carries.max_chars must be 1 to 100000. Cure: 1530 for SMS".into()));
    }
    check_verify(&mapping.verify)?;
    if mapping.outbound.json.is_some() && mapping.outbound.form.is_some() {
        let line = mapping.outbound.url.defined.line();
        return Err((
            line,
            "outbound has both json and form. Cure: keep the one that the provider reads".into(),
        ));
    }
    Ok(mapping)
}

fn check_verify(verify: &Spanned<Verify>) -> Result<(), (u64, String)> {
    let one_of = |one: bool, other: bool, what: &str| match one ^ other {
        true => Ok(()),
        false => Err((verify.defined.line(), format!("verify needs {what}. Cure: write exactly one"))),
    };
    match &verify.value {
        Verify::Hmac(signed) => {
            one_of(signed.header.is_some(), signed.field.is_some(), "header or field of the signature")?;
            let (header, field) = (signed.timestamp_header.is_some(), signed.timestamp_field.is_some());
            match signed.over == Over::TimestampBody || header || field {
                true => one_of(header, field, "timestamp_header or timestamp_field"),
                false => Ok(()),
            }
        }
        Verify::Token(token) => one_of(token.header.is_some(), token.query.is_some(), "header or query"),
        Verify::Basic(_) | Verify::None => Ok(()),
    }
}

/// Names of settings that the file uses outside templates, with what uses them.
pub(super) fn names(mapping: &Mapping) -> Vec<(&str, u64)> {
    let line = mapping.verify.defined.line();
    let mut names = match &mapping.verify.value {
        Verify::Hmac(signed) => vec![(signed.secret.as_str(), line)],
        Verify::Token(token) => vec![(token.secret.as_str(), line)],
        Verify::Basic(basic) => vec![(basic.user.as_str(), line), (basic.password.as_str(), line)],
        Verify::None => Vec::new(),
    };
    if let Some(basic) = &mapping.outbound.basic {
        let line = mapping.outbound.url.defined.line();
        names.extend([(basic.user.as_str(), line), (basic.password.as_str(), line)]);
    }
    names
}
