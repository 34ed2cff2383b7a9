//! WhatsApp Cloud API.
//!
//! Checked against its documentation: webhooks (messages of every type, statuses, edits), messages (text, interactive
//! buttons and lists, templates), typing indicators, customer service windows, business-scoped user ids, error codes.
//! Not tried live. Subscribe the business account to: messages.
//!
//! Customers who took a user name show no number: they are then addressed by their business-scoped id (`FR.1234…`). One
//! who is known by a number keeps it as address as long as WhatsApp tells it.

use super::value::{changes, id, let_go, list, text};
use super::{Call, Platform, as_written, assemble, buttons, check_id, errors, parts, window};
use crate::channels::{
    BuildContext, Capabilities, Channel, Edit, Forbidden, InboundEvent, InboundMessage, Moderation, Outgoing,
    Pace, Receipt, ReceiptState, SendError,
};
use crate::config::ChannelSettings;
use crate::model::{Lang, Media, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const MAX_CHARS: usize = 4_096;
/// Reply buttons: their number, the characters of a title, those of the text above them.
const BUTTONS: usize = 3;
const BUTTON_TITLE: usize = 20;
const BUTTON_TEXT: usize = 1_024;
/// A list: its rows, the characters of their titles, descriptions and ids.
const ROWS: usize = 10;
const ROW_TITLE: usize = 24;
const ROW_ABOUT: usize = 72;
const ROW_ID: usize = 200;
/// The text of a template, its parameters included.
const TEMPLATE_TEXT: usize = 1_024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WhatsApp {
    #[serde(deserialize_with = "as_written")]
    phone_number_id: String,
    /// What is sent when the customer last wrote more than 24 hours ago.
    template: Option<Template>,
}

/// An approved template whose body has one parameter: the message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    name: String,
    /// In which it is approved; the first one serves customers of all other languages.
    languages: Vec<String>,
}

pub fn build(_: &str, keys: &ChannelSettings, context: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    let (common, whatsapp): (_, WhatsApp) = parts(keys)?;
    check_id("phone_number_id", &whatsapp.phone_number_id)?;
    if whatsapp.template.as_ref().is_some_and(|t| t.name.is_empty() || t.languages.is_empty()) {
        return Err("template: needs a name and at least one of languages. Cure: { name = \"…\", languages = [\"fr\"] }".into());
    }
    Ok(assemble(common, Box::new(whatsapp), context))
}

impl Platform for WhatsApp {
    fn object(&self) -> &'static str {
        "whatsapp_business_account"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            buttons: ROWS,
            media: true,
            typing: true,
            receipts: true,
            edits: true,
            ..Capabilities::text(MAX_CHARS)
        }
    }

    /// Half of the 80 messages a second that a number may send. To one customer, one in 6 seconds is allowed over time
    /// and several at once are lent: an answer in parts is not slowed down, and error 131056 says when it must be.
    fn pace(&self) -> Pace {
        Pace { per_second: 40.0, concurrent: 16, per_contact: Duration::ZERO }
    }

    fn read(&self, entry: &Value, events: &mut Vec<InboundEvent>) {
        for (field, value) in changes(entry) {
            let number = value.get("metadata").and_then(|metadata| id(metadata, "phone_number_id"));
            if field != "messages" {
                let_go("whatsapp", field);
            } else if number.as_deref() != Some(&self.phone_number_id) {
                let_go("whatsapp", "another number");
            } else {
                for message in list(value, "messages") {
                    events.extend(self.written(value, message));
                }
                events.extend(list(value, "statuses").filter_map(status).map(InboundEvent::Receipt));
                for error in list(value, "errors") {
                    let code = error.get("code").and_then(Value::as_i64);
                    tracing::warn!(code, "WhatsApp tells of an error that is about no message");
                }
            }
        }
    }

    fn refuses(&self, message: &Outgoing, now: Timestamp) -> Option<Forbidden> {
        if window::is_open(message, now, window::HOURS) {
            return None;
        }
        match &self.template {
            None => Some(Forbidden::TooLate { hours: window::HOURS }),
            Some(_) if message.text.len() > TEMPLATE_TEXT => {
                Some(Forbidden::TooLong { bytes: TEMPLATE_TEXT })
            }
            Some(_) => None,
        }
    }

    fn sending(&self, message: &Outgoing, now: Timestamp) -> Result<Call, SendError> {
        let mut body = match &self.template {
            Some(template) if !window::is_open(message, now, window::HOURS) => template.fill(message),
            _ => said(message),
        };
        body["messaging_product"] = Value::from("whatsapp");
        body["recipient_type"] = Value::from("individual");
        let to = if is_scoped(&message.address) { "recipient" } else { "to" };
        body[to] = Value::from(message.address.as_str());
        // Comes back with each status of this message.
        body["biz_opaque_callback_data"] = Value::from(message.id.to_string());
        Ok(Call::post(format!("{}/messages", self.phone_number_id), body))
    }

    /// Marks the message as read and shows that we write, for 25 seconds or until the answer.
    fn typing(&self, _: &str, last: &str) -> Option<Call> {
        let body = json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": last,
            "typing_indicator": { "type": "text" },
        });
        (!last.is_empty()).then(|| Call::post(format!("{}/messages", self.phone_number_id), body))
    }

    fn moderations(&self) -> &'static [Moderation] {
        &[]
    }

    fn moderating(&self, _: Moderation, _: &str) -> Result<Call, SendError> {
        Err(SendError::Permanent { why: "WhatsApp has no public messages".into() })
    }
}

impl WhatsApp {
    fn written(&self, value: &Value, message: &Value) -> Option<InboundEvent> {
        let number = id(message, "from");
        let scoped = id(message, "from_user_id");
        let contacts = || list(value, "contacts");
        let same = |contact: &&Value| {
            let is = |key, known: &Option<String>| known.is_some() && id(contact, key) == *known;
            is("wa_id", &number) || is("user_id", &scoped)
        };
        let contact = contacts().find(same).or_else(|| contacts().next().filter(|_| contacts().count() == 1));
        let from_contact = |key| contact.and_then(|contact| id(contact, key));
        let address = number
            .clone()
            .or_else(|| scoped.clone())
            .or_else(|| from_contact("wa_id"))
            .or_else(|| from_contact("user_id"))?;
        let provider_id = id(message, "id")?;
        let kind = message.get("type").and_then(Value::as_str).unwrap_or_default();
        let content = match kind {
            // Reactions are no messages; the others tell of the account (a new number) or of what was taken back.
            "reaction" | "system" | "request_welcome" | "revoke" => {
                let_go("whatsapp message", kind);
                return None;
            }
            "edit" => {
                let edit = message.get("edit")?;
                let content = self.content(edit.get("message")?);
                return Some(InboundEvent::Edit(Edit {
                    provider_id: id(edit, "original_message_id")?,
                    revision: provider_id,
                    address,
                    text: content.0,
                }));
            }
            _ => self.content(message),
        };
        let (text, media) = content;
        let name = contact.and_then(|contact| self::text(contact.get("profile")?, "name"));
        let message = InboundMessage { provider_id, address, text, media, name, ..InboundMessage::default() };
        Some(InboundEvent::Message(message))
    }

    /// What a message says and carries. Of a kind that we cannot read (a contact card, a poll, what is yet to come)
    /// nothing: the customer is asked for a text.
    fn content(&self, message: &Value) -> (String, Vec<Media>) {
        let kind = message.get("type").and_then(Value::as_str).unwrap_or_default();
        let Some(part) = message.get(kind) else { return Default::default() };
        match kind {
            "text" => (text(part, "body").unwrap_or_default(), Vec::new()),
            "image" | "audio" | "voice" | "video" | "document" | "sticker" => {
                (text(part, "caption").unwrap_or_default(), self.file(part).into_iter().collect())
            }
            "location" => {
                let degrees = |key: &str| part.get(key).and_then(Value::as_f64);
                let place = degrees("latitude").zip(degrees("longitude"));
                (String::new(), place.map(|(lat, long)| Media::position(lat, long)).into_iter().collect())
            }
            "button" => (text(part, "text").unwrap_or_default(), Vec::new()),
            "interactive" => (chosen(part).unwrap_or_default(), Vec::new()),
            "order" => (text(part, "text").unwrap_or_default(), Vec::new()),
            _ => Default::default(),
        }
    }

    /// A file is named by an id; its address, which needs the token, is asked for at `/<id>`.
    fn file(&self, part: &Value) -> Option<Media> {
        let kind = text(part, "mime_type").unwrap_or_else(|| "application/octet-stream".into());
        let url = text(part, "url").or_else(|| Some(format!("whatsapp:media/{}", id(part, "id")?)))?;
        Some(Media { kind, url })
    }
}

/// A pressed reply button, or a chosen row.
fn chosen(interactive: &Value) -> Option<String> {
    let reply = interactive.get("button_reply").or_else(|| interactive.get("list_reply"))?;
    let title = text(reply, "title").unwrap_or_default();
    Some(buttons::pressed(&title, &text(reply, "id").unwrap_or_default()))
}

fn status(status: &Value) -> Option<Receipt> {
    let kind = status.get("status").and_then(Value::as_str).unwrap_or_default();
    let state = match kind {
        "sent" => ReceiptState::Sent,
        "delivered" | "read" | "played" => ReceiptState::Delivered,
        "failed" => ReceiptState::Failed(failure(status)),
        _ => {
            let_go("whatsapp status", kind);
            return None;
        }
    };
    let ours = text(status, "biz_opaque_callback_data").and_then(|id| id.parse().ok());
    Some(Receipt { provider_id: id(status, "id")?, message_id: ours, state })
}

/// In words where the code has some, else in WhatsApp's own.
fn failure(status: &Value) -> String {
    let Some(error) = list(status, "errors").next() else { return "WhatsApp could not deliver it".into() };
    let code = error.get("code").and_then(Value::as_i64);
    let title: String = text(error, "title").unwrap_or_default().chars().take(100).collect();
    let told = match errors::words(code) {
        "" if !title.is_empty() => format!(": {title}"),
        words => words.to_owned(),
    };
    format!("WhatsApp could not deliver it, error {}{told}", code.unwrap_or_default())
}

/// A business-scoped user id: a country's two letters, a full stop, letters and digits.
fn is_scoped(address: &str) -> bool {
    address
        .split_once('.')
        .is_some_and(|(country, _)| country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()))
}

/// A text, with its choices as buttons where they fit and as a list where they do not.
fn said(message: &Outgoing) -> Value {
    let text = message.text.as_str();
    let choices = &message.choices;
    let short = |label: &String| label.chars().count() <= BUTTON_TITLE;
    if choices.is_empty() || choices.len() > ROWS {
        return json!({ "type": "text", "text": { "preview_url": false, "body": text } });
    }
    let few = choices.len() <= BUTTONS && choices.iter().all(short) && text.chars().count() <= BUTTON_TEXT;
    let action = if few {
        let button =
            |b: buttons::Button| json!({ "type": "reply", "reply": { "id": b.label, "title": b.title } });
        let all: Vec<Value> = buttons::fit(choices, BUTTONS, BUTTON_TITLE).into_iter().map(button).collect();
        json!({ "buttons": all })
    } else {
        let open = if message.lang == Some(Lang::EN) { "Choose" } else { "Choisir" };
        json!({ "button": open, "sections": [{ "rows": rows(choices) }] })
    };
    let kind = if few { "button" } else { "list" };
    json!({ "type": "interactive", "interactive": { "type": kind, "body": { "text": text }, "action": action } })
}

fn rows(choices: &[String]) -> Vec<Value> {
    let row = |button: buttons::Button| {
        let mut row = json!({ "id": buttons::cut(&button.label, ROW_ID), "title": button.title });
        if button.label != button.title {
            row["description"] = Value::from(buttons::cut(&button.label, ROW_ABOUT));
        }
        row
    };
    buttons::fit(choices, ROWS, ROW_TITLE).into_iter().map(row).collect()
}

impl Template {
    fn fill(&self, message: &Outgoing) -> Value {
        let wanted = message.lang.unwrap_or(Lang::FR);
        let speaks = |language: &&String| language.split('_').next() == Some(wanted.as_str());
        let language = self.languages.iter().find(speaks).or(self.languages.first());
        let parameter = json!({ "type": "text", "text": one_line(&message.text) });
        json!({
            "type": "template",
            "template": {
                "name": self.name,
                "language": { "code": language },
                "components": [{ "type": "body", "parameters": [parameter] }],
            },
        })
    }
}

/// A parameter may hold no line break, no tab, and no more than four spaces in a row.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" · ")
}
