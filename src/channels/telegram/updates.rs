//! Updates of Telegram as events of ours.
//!
//! What Telegram adds to its interface must neither be refused (it would be sent again and again) nor hide a text that can be
//! read. An update that teloxide cannot read is reduced to the fields that we use and read once more; what is still unknown
//! then is accepted and ignored.

use super::super::{Edit, InboundEvent, InboundMessage, Reach};
use crate::model::Media;
use serde_json::{Map, Value, json};
use teloxide_core::types::{
    CallbackQuery, ChatMemberUpdated, InlineKeyboardButtonKind, MaybeInaccessibleMessage, MediaKind, Message,
    MessageKind, Update, UpdateKind,
};

/// The fields of a message that are read here, and those that teloxide needs for them.
const READ: &[&str] = &[
    "animation",
    "audio",
    "caption",
    "chat",
    "contact",
    "date",
    "document",
    "edit_date",
    "from",
    "location",
    "message_id",
    "photo",
    "reply_markup",
    "sticker",
    "text",
    "venue",
    "video",
    "video_note",
    "voice",
];

/// Of these, what says who wrote what, and when.
const WORDS: &[&str] = &["chat", "date", "edit_date", "from", "message_id", "text"];

/// One update.
#[derive(Debug, PartialEq)]
pub struct Taken {
    pub id: u32,
    /// None: of no concern to us.
    pub event: Option<InboundEvent>,
    /// A button was pressed, and waits to be told that we noticed.
    pub callback: Option<String>,
}

/// None: it has no `update_id`, so that it is no update.
pub fn read(update: Value) -> Option<Taken> {
    let id = u32::try_from(update.get("update_id")?.as_u64()?).ok()?;
    let kind = parsed(&update);
    let callback = match &kind {
        UpdateKind::CallbackQuery(query) => Some(query.id.0.clone()),
        _ => None,
    };
    Some(Taken { id, event: event(kind), callback })
}

/// The id of a message here: Telegram counts them chat by chat.
pub fn provider_id(chat: i64, message: i64) -> String {
    format!("{chat}:{message}")
}

/// Whole; else what we read of it; else its words alone.
fn parsed(update: &Value) -> UpdateKind {
    let ways: [fn(Value) -> Value; 3] = [|whole| whole, reduced, only_words];
    let mut kind = UpdateKind::Error(Value::Null);
    for way in ways {
        kind = by_teloxide(completed(way(update.clone())));
        let hidden = match &kind {
            UpdateKind::Error(_) => true,
            UpdateKind::Message(message) | UpdateKind::EditedMessage(message) => {
                matches!(message.kind, MessageKind::Empty {})
            }
            _ => false,
        };
        if !hidden {
            break;
        }
    }
    kind
}

/// From text, not from the value itself: teloxide 0.13 finds the kind of an update only where its key can be borrowed.
fn by_teloxide(update: Value) -> UpdateKind {
    let read = serde_json::from_str(&update.to_string());
    read.map_or(UpdateKind::Error(Value::Null), |update: Update| update.kind)
}

/// With what teloxide insists on and we do not need.
fn completed(mut update: Value) -> Value {
    for path in ["/message", "/edited_message", "/callback_query/message"] {
        fill(&mut update, path, "date", json!(1));
        for file in ["animation", "audio", "video", "voice"] {
            fill(&mut update, &format!("{path}/{file}"), "mime_type", Value::Null);
        }
    }
    fill(&mut update, "/callback_query/message", "message_id", json!(0));
    fill(&mut update, "/callback_query", "chat_instance", json!(""));
    for path in
        ["/message/from", "/edited_message/from", "/callback_query/message/from", "/callback_query/from"]
    {
        fill(&mut update, path, "is_bot", json!(false));
        fill(&mut update, path, "first_name", json!(""));
    }
    update
}

fn fill(update: &mut Value, path: &str, key: &str, value: Value) {
    if let Some(object) = update.pointer_mut(path).and_then(Value::as_object_mut) {
        object.entry(key).or_insert(value);
    }
}

fn reduced(update: Value) -> Value {
    each_message(update, |message| message.retain(|key, _| READ.contains(&key.as_str())))
}

fn only_words(update: Value) -> Value {
    each_message(update, |message| {
        if let Some(caption) = message.remove("caption") {
            message.insert("text".to_owned(), caption);
        }
        message.retain(|key, _| WORDS.contains(&key.as_str()));
    })
}

fn each_message(mut update: Value, change: impl Fn(&mut Map<String, Value>)) -> Value {
    for path in ["/message", "/edited_message", "/callback_query/message"] {
        if let Some(message) = update.pointer_mut(path).and_then(Value::as_object_mut) {
            change(message);
        }
    }
    update
}

fn event(kind: UpdateKind) -> Option<InboundEvent> {
    match kind {
        UpdateKind::Message(m) if m.chat.is_private() => message(&m).map(InboundEvent::Message),
        UpdateKind::EditedMessage(m) if m.chat.is_private() => edit(&m).map(InboundEvent::Edit),
        UpdateKind::CallbackQuery(query) => press(&query).map(InboundEvent::Message),
        UpdateKind::MyChatMember(change) if change.chat.is_private() => {
            Some(InboundEvent::Reach(reach(&change)))
        }
        _ => None,
    }
}

/// None: a service message ("the chat's photo was changed"), which nobody wrote.
fn message(message: &Message) -> Option<InboundMessage> {
    let media = match &message.kind {
        MessageKind::Common(common) => media(&common.media_kind)?,
        MessageKind::Dice(_) | MessageKind::Empty {} => Vec::new(),
        _ => return None,
    };
    let from = message.from.as_ref();
    Some(InboundMessage {
        provider_id: id_of(message),
        address: message.chat.id.0.to_string(),
        text: text(message),
        media,
        name: from.map(|from| from.full_name()).filter(|name| !name.is_empty()),
        automatic: from.is_some_and(|from| from.is_bot),
    })
}

fn id_of(message: &Message) -> String {
    provider_id(message.chat.id.0, i64::from(message.id.0))
}

fn text(message: &Message) -> String {
    command(message.text().or(message.caption()).unwrap_or_default())
}

/// A command without the name of the bot ("/help@our_bot"), and "/start" without what a link put behind it.
fn command(text: &str) -> String {
    if !text.starts_with('/') {
        return text.to_owned();
    }
    let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let command = command.split('@').next().unwrap_or(command);
    if rest.is_empty() || command.eq_ignore_ascii_case("/start") {
        command.to_owned()
    } else {
        format!("{command} {rest}")
    }
}

/// Files stay with Telegram: `telegram:<file_id>` says which. None: no content at all, the chat became another one.
fn media(kind: &MediaKind) -> Option<Vec<Media>> {
    let mime = |known: &Option<_>, usual: &str| known.as_ref().map_or(usual.to_owned(), ToString::to_string);
    let file = |kind: String, id: &str| vec![Media { kind, url: format!("telegram:{id}") }];
    Some(match kind {
        MediaKind::Migration(_) => return None,
        // The last size is the largest.
        MediaKind::Photo(m) => {
            m.photo.last().map_or(Vec::new(), |size| file("image/jpeg".into(), &size.file.id.0))
        }
        MediaKind::Animation(m) => file(mime(&m.animation.mime_type, "video/mp4"), &m.animation.file.id.0),
        MediaKind::Audio(m) => file(mime(&m.audio.mime_type, "audio/mpeg"), &m.audio.file.id.0),
        MediaKind::Document(m) => {
            file(mime(&m.document.mime_type, "application/octet-stream"), &m.document.file.id.0)
        }
        MediaKind::Video(m) => file(mime(&m.video.mime_type, "video/mp4"), &m.video.file.id.0),
        MediaKind::VideoNote(m) => file("video/mp4".into(), &m.video_note.file.id.0),
        MediaKind::Voice(m) => file(mime(&m.voice.mime_type, "audio/ogg"), &m.voice.file.id.0),
        MediaKind::Sticker(m) => {
            let kind = match (m.sticker.is_animated(), m.sticker.is_video()) {
                (true, _) => "application/x-tgsticker",
                (_, true) => "video/webm",
                _ => "image/webp",
            };
            file(kind.into(), &m.sticker.file.id.0)
        }
        MediaKind::Location(m) => vec![Media::position(m.location.latitude, m.location.longitude)],
        MediaKind::Venue(m) => {
            let place = &m.venue.location;
            vec![Media::position(place.latitude, place.longitude)]
        }
        _ => Vec::new(),
    })
}

/// None: no word was changed. A position that moves along is edited every few seconds.
fn edit(message: &Message) -> Option<Edit> {
    let text = text(message);
    (!text.is_empty()).then(|| Edit {
        provider_id: id_of(message),
        revision: message.edit_date().unwrap_or(&message.date).timestamp().to_string(),
        address: message.chat.id.0.to_string(),
        text,
    })
}

/// A pressed button, as if its label had been typed. None: the button is not one of a private chat with us.
fn press(query: &CallbackQuery) -> Option<InboundMessage> {
    let message = query.message.as_ref().filter(|message| message.chat().is_private())?;
    let data = query.data.as_deref()?;
    Some(InboundMessage {
        provider_id: format!("cb:{}", query.id),
        address: message.chat().id.0.to_string(),
        text: label(message, data).unwrap_or_else(|| data.trim_start_matches('#').to_owned()),
        name: Some(query.from.full_name()).filter(|name| !name.is_empty()),
        automatic: query.from.is_bot,
        ..InboundMessage::default()
    })
}

/// Of the button that carries `data`; none when the message with its buttons is too old to come back.
fn label(message: &MaybeInaccessibleMessage, data: &str) -> Option<String> {
    let MessageKind::Common(common) = &message.regular_message()?.kind else { return None };
    let mut buttons = common.reply_markup.as_ref()?.inline_keyboard.iter().flatten();
    let carries = |kind: &InlineKeyboardButtonKind| matches!(kind, InlineKeyboardButtonKind::CallbackData(own) if own == data);
    buttons.find(|button| carries(&button.kind)).map(|button| button.text.clone())
}

/// In a private chat the only change there is: they blocked the bot, or let it write again.
fn reach(change: &ChatMemberUpdated) -> Reach {
    Reach { address: change.chat.id.0.to_string(), reachable: change.new_chat_member.kind.is_present() }
}

#[cfg(test)]
#[path = "updates_tests.rs"]
mod tests;
