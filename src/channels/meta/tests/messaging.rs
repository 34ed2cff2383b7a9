//! Conversation events of Messenger and Instagram, in the shapes of the documentation.

use super::read;
use crate::channels::{Edit, InboundEvent, InboundMessage, Receipt, ReceiptState};
use crate::model::{Media, MessageId};
use serde_json::{Value, json};

/// One entry of the page 1234 with this event of the customer 77.
fn event(more: Value) -> Value {
    let mut event = json!({
        "sender": { "id": "77" }, "recipient": { "id": "1234" }, "timestamp": 1_766_000_000_123_i64,
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "object": "page", "entry": [{ "id": "1234", "time": 1_766_000_000_456_i64, "messaging": [event] }] })
}

fn written(message: Value) -> Vec<InboundEvent> {
    read("messenger", &event(json!({ "message": message })))
}

fn message(id: &str, text: &str) -> InboundMessage {
    InboundMessage { provider_id: id.into(), address: "77".into(), text: text.into(), ..Default::default() }
}

fn media(kind: &str, url: &str) -> Media {
    Media { kind: kind.into(), url: url.into() }
}

#[test]
fn messages_of_every_shape_are_read() {
    let attached = |kind: &str, payload: Value| json!({ "mid": "m_1", "attachments": [{ "type": kind, "payload": payload }] });
    let with = |kind, url| InboundMessage { media: vec![media(kind, url)], ..message("m_1", "") };
    let cases: Vec<(Value, InboundMessage)> = vec![
        (
            json!({ "mid": "m_1", "text": "prochain train pour Rennes" }),
            message("m_1", "prochain train pour Rennes"),
        ),
        (
            json!({ "mid": "m_1", "text": "Saint-Denis-près-Ma…",
                "quick_reply": { "payload": "Saint-Denis-près-Martel" } }),
            message("m_1", "Saint-Denis-près-Martel"),
        ),
        (
            json!({ "mid": "m_1", "text": "Rouge", "quick_reply": { "payload": "DEVELOPER_DEFINED_PAYLOAD" } }),
            message("m_1", "Rouge"),
        ),
        (json!({ "mid": "m_1", "text": "et là ?", "reply_to": { "mid": "m_0" } }), message("m_1", "et là ?")),
        (
            json!({ "mid": "m_1", "text": "bonjour", "referral": { "ref": "r", "source": "SHORTLINK" } }),
            message("m_1", "bonjour"),
        ),
        (attached("image", json!({ "url": "https://c/1.jpg" })), with("image/*", "https://c/1.jpg")),
        (
            attached("image", json!({ "url": "https://c/like.png", "sticker_id": 369_239_263_222_822_u64 })),
            with("image/*", "https://c/like.png"),
        ),
        (attached("audio", json!({ "url": "https://c/2" })), with("audio/*", "https://c/2")),
        (attached("video", json!({ "url": "https://c/3" })), with("video/*", "https://c/3")),
        (attached("file", json!({ "url": "https://c/4" })), with("application/octet-stream", "https://c/4")),
        (
            attached("story_mention", json!({ "url": "https://c/5" })),
            with("application/octet-stream", "https://c/5"),
        ),
        (
            attached("to_come", json!({ "url": "https://c/6" })),
            with("application/octet-stream", "https://c/6"),
        ),
        (attached("fallback", json!({ "title": "no address" })), message("m_1", "")),
        (
            attached("location", json!({ "coordinates": { "lat": 48.1034, "long": -1.6722 } })),
            InboundMessage { media: vec![Media::position(48.1034, -1.6722)], ..message("m_1", "") },
        ),
        (attached("location", json!({ "coordinates": { "lat": "x" } })), message("m_1", "")),
        (
            json!({ "mid": "m_1", "text": "c'est quand ?",
                "reply_to": { "story": { "id": "9", "url": "https://c/story" } } }),
            InboundMessage {
                media: vec![media("application/octet-stream", "https://c/story")],
                ..message("m_1", "c'est quand ?")
            },
        ),
        (json!({ "mid": "m_1", "is_unsupported": true }), message("m_1", "")),
        (json!({ "mid": "m_1", "text": "x", "nouveau": { "a": [1] } }), message("m_1", "x")),
    ];
    for (shape, expected) in cases {
        assert_eq!(written(shape.clone()), vec![InboundEvent::Message(expected)], "{shape}");
    }
}

#[test]
fn what_is_no_message_of_a_customer_is_let_go() {
    for shape in [
        json!({ "message": { "mid": "m_1", "is_deleted": true } }),
        json!({ "message": { "text": "without an id" } }),
        json!({ "message": { "mid": "m".repeat(401), "text": "x" } }),
        json!({ "message": { "mid": "m_1", "is_echo": true, "text": "from the inbox", "app_id": 1 } }),
        json!({ "message": { "mid": "m_1", "text": "ours" }, "sender": { "id": "1234" } }),
        json!({ "message": { "mid": "m_1", "text": "x" }, "sender": { "user_ref": "r" } }),
        json!({ "reaction": { "reaction": "love", "emoji": "❤", "action": "react", "mid": "m_1" } }),
        json!({ "read": { "watermark": 1_766_000_000_123_i64 } }),
        json!({ "delivery": { "watermark": 1_766_000_000_123_i64 } }),
        json!({ "referral": { "ref": "r", "source": "SHORTLINK", "type": "OPEN_THREAD" } }),
        json!({ "optin": { "type": "notification_messages" } }),
        json!({ "pass_thread_control": { "new_owner_app_id": "1" } }),
        json!({ "message_edit": { "mid": "m_1", "text": "x", "num_edit": 0 } }),
        json!({ "to_come": {} }),
    ] {
        assert_eq!(read("messenger", &event(shape.clone())), Vec::new(), "{shape}");
    }
    let standby = json!({ "object": "page", "entry": [{ "id": "1234", "standby": [
        { "sender": { "id": "77" }, "message": { "mid": "m_1", "text": "to another app" } },
    ] }] });
    assert_eq!(read("messenger", &standby), Vec::new());
}

#[test]
fn edits_and_pressed_buttons_are_read() {
    let edit = Edit {
        provider_id: "m_1".into(),
        revision: "2".into(),
        address: "77".into(),
        text: "pour Brest".into(),
    };
    for number in [json!(2), json!("2")] {
        let shape = json!({ "message_edit": { "mid": "m_1", "text": "pour Brest", "num_edit": number } });
        assert_eq!(read("messenger", &event(shape)), vec![InboundEvent::Edit(edit.clone())]);
    }
    for (postback, expected) in [
        (json!({ "mid": "m_2", "title": "Parler à quelqu'un", "payload": "HUMAN" }), "Parler à quelqu'un"),
        (json!({ "mid": "m_2", "title": "Démarrer", "payload": "GET_STARTED" }), "Bonjour"),
        (json!({ "mid": "m_2", "title": "Get Started", "payload": "get-started" }), "Hello"),
        (json!({ "mid": "m_2", "payload": "horaires" }), "horaires"),
        (json!({ "mid": "m_2", "title": "Horaires", "referral": { "ref": "r" } }), "Horaires"),
    ] {
        let events = read("messenger", &event(json!({ "postback": postback })));
        assert_eq!(events, vec![InboundEvent::Message(message("m_2", expected))], "{postback}");
    }
    let without_id = read("messenger", &event(json!({ "postback": { "title": "Horaires" } })));
    let expected = message("postback:77:1766000000123", "Horaires");
    assert_eq!(without_id, vec![InboundEvent::Message(expected)]);
}

#[test]
fn receipts_are_read() {
    let delivered = |id: &str, message_id| {
        InboundEvent::Receipt(Receipt { provider_id: id.into(), message_id, state: ReceiptState::Delivered })
    };
    let shape = json!({ "delivery": { "mids": ["m_1", 7, "m_2"], "watermark": 1_766_000_000_123_i64 } });
    assert_eq!(read("messenger", &event(shape)), vec![delivered("m_1", None), delivered("m_2", None)]);
    let mut seen = event(json!({ "read": { "mid": "aWdt" } }));
    seen["object"] = json!("instagram");
    assert_eq!(read("instagram", &seen), vec![delivered("aWdt", None)]);
}

/// What we sent carries our id, and its echo settles a send in doubt.
#[test]
fn an_echo_that_carries_our_id_says_that_it_was_sent() {
    let ours = MessageId::new();
    let echo = |metadata: &str| {
        event(json!({ "sender": { "id": "1234" }, "recipient": { "id": "77" }, "message": {
            "mid": "m_9", "is_echo": true, "app_id": 1_517_776_481_860_111_u64, "metadata": metadata, "text": "x",
        } }))
    };
    let sent = Receipt { provider_id: "m_9".into(), message_id: Some(ours), state: ReceiptState::Sent };
    assert_eq!(read("messenger", &echo(&ours.to_string())), vec![InboundEvent::Receipt(sent)]);
    assert_eq!(read("messenger", &echo("of another app")), Vec::new());
}

#[test]
fn a_batch_of_several_entries_is_read_in_order_and_other_pages_are_not_ours() {
    let said = |mid: &str| {
        json!({ "sender": { "id": "77" }, "recipient": { "id": "1234" }, "timestamp": 1,
            "message": { "mid": mid, "text": mid } })
    };
    let entries = json!([
        { "id": "1234", "time": 1, "messaging": [said("m_1"), { "reaction": {} }, said("m_2")] },
        { "id": "9999", "time": 1, "messaging": [said("m_3")] },
        { "id": 1234, "time": 1, "messaging": [said("m_4")] },
        { "id": "1234", "time": 1, "changes": [{ "field": "messages", "value": said("m_5") }] },
        { "id": "1234", "time": 1, "field": "messages", "value": said("m_6") },
    ]);
    for (kind, object) in [("messenger", "page"), ("instagram", "instagram")] {
        let batch = json!({ "object": object, "entry": entries });
        let expected: Vec<InboundEvent> =
            ["m_1", "m_2", "m_4", "m_5", "m_6"].map(|mid| InboundEvent::Message(message(mid, mid))).to_vec();
        assert_eq!(read(kind, &batch), expected);
        assert_eq!(read(kind, &json!([batch])), expected, "as a list");
    }
}
