//! Providers that are configured and not coded: a mapping file says what their fields are called, how they sign, and what they
//! want to be sent. `docs/http-channel.md` describes the file; `channels/` holds those for OVH, Vonage and Infobip.
//!
//! Inbound: `POST /webhooks/<name>` for messages and `POST /webhooks/<name>/status` for receipts; by GET as well where the file
//! reads the query. A replayed request stores nothing: its message is known by its id.
//!
//! Outbound: one request a message. Nothing can be asked about a send in doubt.
//!
//! Checked against: each shipped file names the page of its provider's documentation. None was tried with an account.

mod mapping;
mod templates;
mod verify;

use super::{
    Accepted, BuildContext, Capabilities, Channel, InboundEvent, InboundMessage, Lookup, Outgoing, Receipt,
    ReceiptState, Refusal, Reply, SendError, Trace, WebhookRequest, content_type_is, retry_after, settings,
};
use crate::config::{ChannelSettings, Secret};
use crate::model::Media;
use async_trait::async_trait;
use mapping::{Format, Inbound, Mapping, Method, Pointer, Receipts, Verify, all_hold};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use templates::Templates;

/// Ids and addresses beyond this are no ids.
const MAX_ID: usize = 200;
/// Messages of one request; what a provider sends beyond is refused whole, so that it is sent again in smaller lists.
const MAX_EACH: usize = 1_000;
/// Pictures and files of one message.
const MAX_MEDIA: usize = 10;
/// Shorter values are hidden from no trace: they are found in too much else.
const SECRET_FROM: usize = 4;

#[derive(Debug, Deserialize)]
struct Settings {
    mapping: PathBuf,
    /// Takes webhooks that prove nothing.
    #[serde(default)]
    insecure: bool,
    /// What the mapping's `settings` name.
    #[serde(flatten)]
    named: BTreeMap<String, Secret>,
}

pub fn build(name: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let Settings { mapping: path, insecure, named } = settings(keys)?;
    let callback = format!("{}/webhooks/{name}/status", context.public_url);
    let text = read(&path)?;
    let place = |(line, what): (u64, String)| format!("mapping: {}:{line}: {what}", path.display());
    let mapping = mapping::parse(&text).map_err(place)?;
    check_names(&mapping, &named, &path)?;
    if matches!(mapping.verify.value, Verify::None) && !insecure {
        let cure = "insecure = true, if nothing but the provider can reach the webhook";
        let what = format!("verify: none takes webhooks from anyone. Cure: another scheme, or {cure}");
        return Err(place((mapping.verify.defined.line(), what)));
    }
    let templates = Templates::load(&mapping, &named, callback).map_err(place)?;
    Ok(Arc::new(Mapped { mapping, named, templates, client: context.client.clone() }))
}

fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let cannot =
        |error| format!("mapping: {shown} cannot be read: {error}. Cure: the path of a mapping file");
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > mapping::MAX_FILE {
        return Err(format!("mapping: {shown} is {size} bytes long. Cure: the path of a mapping file"));
    }
    std::fs::read_to_string(path).map_err(cannot)
}

/// Every name that the file uses is declared, what is declared is set, and what is set is declared.
fn check_names(mapping: &Mapping, named: &BTreeMap<String, Secret>, path: &Path) -> Result<(), String> {
    let shown = path.display();
    let declared: BTreeSet<&str> = mapping.settings.iter().map(|name| name.value.as_str()).collect();
    if let Some((name, line)) = mapping::names(mapping).into_iter().find(|(name, _)| !declared.contains(name))
    {
        return Err(format!("mapping: {shown}:{line}: '{name}' is not among settings. Cure: add it there"));
    }
    if let Some(name) = named.keys().find(|name| !declared.contains(name.as_str())) {
        return Err(format!(
            "{name}: unknown field, {shown} does not name it. Cure: remove it, or correct its name"
        ));
    }
    let empty = |name: &&&str| named.get(**name).is_none_or(Secret::is_empty);
    match declared.iter().find(empty) {
        Some(name) => Err(format!(
            "{name}: is missing, and {shown} needs it. Cure: set it in guichet.toml or in the environment"
        )),
        None => Ok(()),
    }
}

struct Mapped {
    mapping: Mapping,
    named: BTreeMap<String, Secret>,
    templates: Templates,
    client: reqwest::Client,
}

impl Mapped {
    /// Where the fields of a request to `tail` stand.
    fn format(&self, tail: &str) -> Result<Format, Refusal> {
        match (tail, &self.mapping.receipts) {
            ("", _) => Ok(self.mapping.inbound.read),
            ("/status", Some(receipts)) => Ok(receipts.read),
            _ => Err(Refusal::NotFound),
        }
    }
}

#[async_trait]
impl Channel for Mapped {
    fn capabilities(&self) -> Capabilities {
        self.mapping.capabilities()
    }

    fn receives_get(&self, tail: &str) -> bool {
        self.format(tail) == Ok(Format::Query)
    }

    fn receive(&self, request: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        let format = self.format(request.tail)?;
        // Read before it is believed, for a signature may stand in it or over its fields; what cannot be read has none.
        let fields = fields(format, request);
        let unread = Value::Null;
        verify::verify(&self.mapping.verify.value, &self.named, request, fields.as_ref().unwrap_or(&unread))?;
        let fields = fields?;
        let events = match (request.tail, &self.mapping.receipts) {
            ("/status", Some(receipts)) => {
                let told =
                    each(receipts.each.as_ref(), &fields)?.iter().filter(|one| all_hold(&receipts.only, one));
                told.filter_map(|one| receipt(receipts, one).transpose())
                    .map(|told| told.map(InboundEvent::Receipt))
                    .collect::<Result<_, _>>()?
            }
            _ => {
                let inbound = &self.mapping.inbound;
                let sent =
                    each(inbound.each.as_ref(), &fields)?.iter().filter(|one| all_hold(&inbound.only, one));
                sent.map(|one| message(inbound, one).map(InboundEvent::Message)).collect::<Result<_, _>>()?
            }
        };
        Ok(Accepted { events, reply: Some(("text/plain", "OK".into())), ..Accepted::default() })
    }

    async fn send(&self, message: &Outgoing, trace: &Trace) -> Result<Option<String>, SendError> {
        let outbound = &self.mapping.outbound;
        let rendered = self.templates.render(message).map_err(|why| SendError::Permanent { why })?;
        let method = match outbound.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let mut request = self.client.request(method, rendered.url);
        for (name, value) in rendered.headers {
            request = request.header(name, value);
        }
        if let Some(basic) = &outbound.basic {
            let value = |name: &str| self.named.get(name).map(Secret::expose).unwrap_or_default();
            request = request.basic_auth(value(&basic.user), Some(value(&basic.password)));
        }
        if let Some(json) = rendered.json {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(json);
        } else if !rendered.form.is_empty() {
            request = request.form(&rendered.form);
        }
        let secrets: Vec<&str> =
            self.named.values().map(Secret::expose).filter(|value| value.len() >= SECRET_FROM).collect();
        let reply = trace.call(request, &secrets).await?;
        self.mapping.outbound.answer.read(&reply)
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }
}

impl mapping::Answer {
    fn read(&self, reply: &Reply) -> Result<Option<String>, SendError> {
        let body: Option<Value> = reply.json();
        let code = body.as_ref().and_then(|body| self.code.as_ref()?.text(body));
        let status = reply.status;
        let said = code.as_deref().map(|code| code.chars().take(40).collect::<String>());
        let why = match said {
            Some(code) => format!("the provider answered {status}, code {code}"),
            None => format!("the provider answered {status}"),
        };
        if reply.is_success() {
            let Some(body) = &body else {
                return match self.accepted.is_empty() {
                    true => Ok(None),
                    false => Err(SendError::InDoubt { why: format!("{why}, which cannot be read") }),
                };
            };
            if all_hold(&self.accepted, body) {
                return Ok(self.id.as_ref().and_then(|id| id.text(body)).filter(|id| id.len() <= MAX_ID));
            }
            if code.is_none() {
                return Err(SendError::InDoubt { why: format!("{why}, neither a yes nor a known no") });
            }
        }
        let after = retry_after(&reply.headers);
        Err(self.classify(status, code.as_deref(), why, after))
    }

    /// By the provider's code, else by the HTTP status. 5xx: the message may have been taken before the failure.
    fn classify(
        &self,
        status: u16,
        code: Option<&str>,
        why: String,
        after: Option<std::time::Duration>,
    ) -> SendError {
        let coded = |list: &mapping::OneOrMany| code.is_some_and(|code| list.has(code));
        let retry = |why| SendError::Retry { why, after };
        match status {
            _ if coded(&self.in_doubt) => SendError::InDoubt { why },
            _ if coded(&self.blocked) => SendError::Blocked { why },
            _ if coded(&self.retry) => retry(why),
            _ if self.statuses.in_doubt.contains(&status) => SendError::InDoubt { why },
            _ if self.statuses.retry.contains(&status) => retry(why),
            _ if self.statuses.permanent.contains(&status) => SendError::Permanent { why },
            // Wrong credentials are mended by people, who then find the messages sent.
            401 | 403 | 408 | 429 => retry(why),
            500..=599 => SendError::InDoubt { why },
            _ => SendError::Permanent { why },
        }
    }
}

/// The request as one value: its JSON, or an object of its parameters, the first of each name.
fn fields(format: Format, request: &WebhookRequest<'_>) -> Result<Value, Refusal> {
    let parameters = |text: &[u8]| {
        let mut fields = serde_json::Map::new();
        for (name, value) in form_urlencoded::parse(text) {
            fields.entry(name.into_owned()).or_insert_with(|| Value::from(value.into_owned()));
        }
        Value::Object(fields)
    };
    let utf8 = || std::str::from_utf8(request.body).map_err(|_| Refusal::Malformed("the body is not UTF-8"));
    match format {
        Format::Query => Ok(parameters(request.query.unwrap_or_default().as_bytes())),
        Format::Form if content_type_is(request.headers, "application/x-www-form-urlencoded") => {
            Ok(parameters(utf8()?.as_bytes()))
        }
        Format::Json if content_type_is(request.headers, "application/json") => {
            serde_json::from_str(utf8()?).map_err(|_| Refusal::Malformed("the body is no JSON"))
        }
        Format::Form | Format::Json => Err(Refusal::ContentType),
    }
}

fn each<'a>(list: Option<&Pointer>, fields: &'a Value) -> Result<&'a [Value], Refusal> {
    let Some(list) = list else { return Ok(std::slice::from_ref(fields)) };
    match list.at(fields) {
        Some(Value::Array(items)) if items.len() <= MAX_EACH => Ok(items),
        Some(Value::Array(_)) => Err(Refusal::Malformed("the list is longer than 1000")),
        _ => Err(Refusal::Malformed("the list of the mapping is missing")),
    }
}

fn message(inbound: &Inbound, one: &Value) -> Result<InboundMessage, Refusal> {
    let missing = Refusal::Malformed("the id or the sender of the mapping is missing, or is no id");
    let id = |place: &Pointer| place.text(one).filter(|id| id.len() <= MAX_ID).ok_or_else(|| missing.clone());
    let from = id(&inbound.from)?;
    let bare = inbound.plus && from.bytes().all(|b| b.is_ascii_digit());
    Ok(InboundMessage {
        provider_id: id(&inbound.id)?,
        address: if bare { format!("+{from}") } else { from },
        text: inbound.text.text(one).unwrap_or_default(),
        media: media(inbound, one),
        name: inbound
            .name
            .as_ref()
            .and_then(|name| name.text(one))
            .map(|name| name.chars().take(MAX_ID).collect()),
        ..InboundMessage::default()
    })
}

fn media(inbound: &Inbound, one: &Value) -> Vec<Media> {
    let Some(places) = &inbound.media else { return Vec::new() };
    let list = match &places.each {
        None => std::slice::from_ref(one),
        Some(each) => each.at(one).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default(),
    };
    let read = |item: &Value| {
        let kind = places.kind.as_ref().and_then(|kind| kind.text(item));
        let kind = kind.unwrap_or_else(|| "application/octet-stream".into());
        Some(Media { kind, url: places.url.text(item)? })
    };
    list.iter().filter_map(read).take(MAX_MEDIA).collect()
}

/// None: a status that the mapping does not name says nothing.
fn receipt(receipts: &Receipts, one: &Value) -> Result<Option<Receipt>, Refusal> {
    let missing = Refusal::Malformed("the id or the status of the mapping is missing");
    let provider_id = receipts.id.text(one).filter(|id| id.len() <= MAX_ID).ok_or_else(|| missing.clone())?;
    let status = receipts.status.text(one).ok_or(missing)?;
    let state = if receipts.delivered.has(&status) {
        ReceiptState::Delivered
    } else if receipts.failed.has(&status) {
        let error =
            receipts.error.as_ref().and_then(|error| error.text(one)).unwrap_or_else(|| "unknown".into());
        let said = format!("reported as {status}, error {error}");
        ReceiptState::Failed(said.chars().take(MAX_ID).collect())
    } else if receipts.sent.has(&status) {
        ReceiptState::Sent
    } else {
        return Ok(None);
    };
    let message_id = receipts.ours.as_ref().and_then(|ours| ours.text(one)?.parse().ok());
    Ok(Some(Receipt { provider_id, message_id, state }))
}

#[cfg(test)]
mod tests;
