//! WhatsApp's webhooks, in the shapes of the documentation.

use super::read;
use crate::channels::{Edit, InboundEvent, InboundMessage, Receipt, ReceiptState};
use crate::model::{Media, MessageId};
use serde_json::{Value, json};

fn batch(number: &str, more: Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "33900000000", "phone_number_id": number },
    });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "object": "whatsapp_business_account", "entry": [
        { "id": "102290129340398", "changes": [{ "field": "messages", "value": value }] },
    ] })
}

fn written(kind: &str, part: Value) -> Vec<InboundEvent> {
    let contacts = json!([{ "profile": { "name": "Camille" }, "wa_id": "33612345678" }]);
    let message = json!({ "from": "33612345678", "id": "wamid.1", "timestamp": "1766000000", "type": kind, kind: part });
    read("whatsapp", &batch("1234", json!({ "contacts": contacts, "messages": [message] })))
}

fn message(text: &str) -> InboundMessage {
    InboundMessage {
        provider_id: "wamid.1".into(),
        address: "33612345678".into(),
        text: text.into(),
        name: Some("Camille".into()),
        ..InboundMessage::default()
    }
}

fn with_media(text: &str, kind: &str, url: &str) -> InboundMessage {
    InboundMessage { media: vec![Media { kind: kind.into(), url: url.into() }], ..message(text) }
}

#[test]
fn messages_of_every_type_are_read() {
    let file = |mime: &str| json!({ "id": "99", "mime_type": mime, "sha256": "x" });
    let cases: Vec<(&str, Value, InboundMessage)> = vec![
        ("text", json!({ "body": "prochain train pour Rennes" }), message("prochain train pour Rennes")),
        (
            "image",
            json!({ "id": "99", "mime_type": "image/jpeg", "caption": "ce panneau" }),
            with_media("ce panneau", "image/jpeg", "whatsapp:media/99"),
        ),
        (
            "image",
            json!({ "id": "99", "mime_type": "image/jpeg", "url": "https://lookaside/1" }),
            with_media("", "image/jpeg", "https://lookaside/1"),
        ),
        (
            "audio",
            file("audio/ogg; codecs=opus"),
            with_media("", "audio/ogg; codecs=opus", "whatsapp:media/99"),
        ),
        ("video", file("video/mp4"), with_media("", "video/mp4", "whatsapp:media/99")),
        ("document", file("application/pdf"), with_media("", "application/pdf", "whatsapp:media/99")),
        ("sticker", file("image/webp"), with_media("", "image/webp", "whatsapp:media/99")),
        (
            "location",
            json!({ "latitude": 48.1034, "longitude": -1.6722, "name": "Gare", "address": "Rennes" }),
            InboundMessage { media: vec![Media::position(48.1034, -1.6722)], ..message("") },
        ),
        ("button", json!({ "text": "Non merci", "payload": "no-thanks" }), message("Non merci")),
        (
            "interactive",
            json!({ "type": "button_reply", "button_reply": { "id": "Rennes", "title": "Rennes" } }),
            message("Rennes"),
        ),
        (
            "interactive",
            json!({ "type": "list_reply", "list_reply": { "id": "Saint-Denis-près-Martel (Lot)",
                "title": "Saint-Denis-près-Martel…", "description": "Saint-Denis-près-Martel (Lot)" } }),
            message("Saint-Denis-près-Martel (Lot)"),
        ),
        (
            "interactive",
            json!({ "type": "list_reply", "list_reply": { "id": "priority_express", "title": "Express" } }),
            message("Express"),
        ),
        ("interactive", json!({ "type": "nfm_reply", "nfm_reply": { "response_json": "{}" } }), message("")),
        ("contacts", json!([{ "name": { "formatted_name": "X" } }]), message("")),
        (
            "order",
            json!({ "catalog_id": "1", "text": "pour demain", "product_items": [] }),
            message("pour demain"),
        ),
        ("unsupported", json!({ "type": "poll_update" }), message("")),
        ("to_come", json!({ "a": 1 }), message("")),
    ];
    for (kind, part, expected) in cases {
        assert_eq!(written(kind, part.clone()), vec![InboundEvent::Message(expected)], "{kind}: {part}");
    }
    for kind in ["reaction", "system", "request_welcome", "revoke"] {
        assert_eq!(written(kind, json!({ "message_id": "wamid.0", "emoji": "👍" })), Vec::new(), "{kind}");
    }
}

#[test]
fn an_edit_names_the_message_that_was_changed() {
    let edit = json!({ "original_message_id": "wamid.0",
        "message": { "context": { "id": "x" }, "type": "text", "text": { "body": "pour Brest" } } });
    let expected = Edit {
        provider_id: "wamid.0".into(),
        revision: "wamid.1".into(),
        address: "33612345678".into(),
        text: "pour Brest".into(),
    };
    assert_eq!(written("edit", edit), vec![InboundEvent::Edit(expected)]);
    assert_eq!(written("edit", json!({ "message": {} })), Vec::new());
}

#[test]
fn who_shows_no_number_is_known_by_the_scoped_id() {
    let said = |more: Value| {
        let mut message =
            json!({ "id": "wamid.1", "timestamp": "1", "type": "text", "text": { "body": "x" } });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let contacts = json!([
        { "profile": { "name": "Sacha" }, "wa_id": "33699999999", "user_id": "FR.2" },
        { "profile": { "name": "Camille" }, "user_id": "FR.1" },
    ]);
    for (message, address, name) in [
        (said(json!({ "from_user_id": "FR.1" })), "FR.1", Some("Camille")),
        (said(json!({ "from": "33699999999", "from_user_id": "FR.2" })), "33699999999", Some("Sacha")),
        (said(json!({ "from": "33600000000" })), "33600000000", None),
    ] {
        let events = read("whatsapp", &batch("1234", json!({ "contacts": contacts, "messages": [message] })));
        let [InboundEvent::Message(read)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((read.address.as_str(), read.name.as_deref()), (address, name));
    }
    let one = json!({ "contacts": [{ "user_id": "FR.3" }], "messages": [said(json!({}))] });
    let events = read("whatsapp", &batch("1234", one));
    assert!(matches!(&events[..], [InboundEvent::Message(m)] if m.address == "FR.3"));
    let nobody = json!({ "messages": [said(json!({}))] });
    assert_eq!(read("whatsapp", &batch("1234", nobody)), Vec::new());
}

#[test]
fn statuses_are_receipts_and_settle_what_was_in_doubt() {
    let ours = MessageId::new();
    let failed = |errors: Value| json!({ "id": "wamid.9", "status": "failed", "errors": errors });
    let window = "WhatsApp could not deliver it, error 131047: the customer last wrote too long ago";
    for (status, state, message_id) in [
        (
            json!({ "id": "wamid.9", "status": "sent", "biz_opaque_callback_data": ours }),
            ReceiptState::Sent,
            Some(ours),
        ),
        (json!({ "id": "wamid.9", "status": "delivered" }), ReceiptState::Delivered, None),
        (
            json!({ "id": "wamid.9", "status": "read", "biz_opaque_callback_data": "of another" }),
            ReceiptState::Delivered,
            None,
        ),
        (
            failed(
                json!([{ "code": 131_047, "title": "Re-engagement message", "error_data": { "details": "x" } }]),
            ),
            ReceiptState::Failed(window.into()),
            None,
        ),
        (
            failed(json!([{ "code": 131_053, "title": "Media upload error" }])),
            ReceiptState::Failed("WhatsApp could not deliver it, error 131053: Media upload error".into()),
            None,
        ),
        (failed(json!([])), ReceiptState::Failed("WhatsApp could not deliver it".into()), None),
    ] {
        let events = read("whatsapp", &batch("1234", json!({ "statuses": [status] })));
        let expected = Receipt { provider_id: "wamid.9".into(), message_id, state };
        assert_eq!(events, vec![InboundEvent::Receipt(expected)], "{status}");
    }
    for status in [json!({ "id": "wamid.9", "status": "deleted" }), json!({ "status": "sent" }), json!(7)] {
        assert_eq!(read("whatsapp", &batch("1234", json!({ "statuses": [status] }))), Vec::new());
    }
}

#[test]
fn another_number_of_the_account_is_not_ours() {
    let said = json!({ "messages": [{ "from": "1", "id": "w", "type": "text", "text": { "body": "x" } }] });
    assert_eq!(read("whatsapp", &batch("999", said.clone())), Vec::new());
    let mut several = batch("999", said.clone());
    let ours = batch("1234", said)["entry"][0]["changes"][0].clone();
    several["entry"][0]["changes"].as_array_mut().unwrap().extend([
        json!({ "field": "flows" }),
        ours.clone(),
        ours,
    ]);
    assert_eq!(read("whatsapp", &several).len(), 2);
    let errors = json!({ "errors": [{ "code": 130_429, "title": "Rate limit hit" }] });
    assert_eq!(read("whatsapp", &batch("1234", errors)), Vec::new());
}
