//! Payloads in the shapes that the Bot API documents.

use super::super::super::InboundEvent::{self, Edit as Edited, Message as Said, Reach as Reached};
use super::*;

fn from() -> Value {
    json!({"id": 7001, "is_bot": false, "first_name": "Lou", "last_name": "Martin", "username": "lou", "language_code": "fr"})
}

fn private() -> Value {
    json!({"id": 7001, "first_name": "Lou", "last_name": "Martin", "username": "lou", "type": "private"})
}

fn group() -> Value {
    json!({"id": -10010, "title": "Voisins", "type": "supergroup"})
}

/// A message of a private chat with `more` in it.
fn message(more: Value) -> Value {
    let mut message = json!({"message_id": 42, "from": from(), "chat": private(), "date": 1_766_000_000});
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    message
}

fn update(kind: &str, content: Value) -> Value {
    let mut update = json!({"update_id": 900});
    update[kind] = content;
    update
}

fn event_of(update: Value) -> Option<InboundEvent> {
    let taken = read(update).unwrap();
    assert_eq!(taken.id, 900);
    taken.event
}

fn inbound(text: &str, media: &[(&str, &str)]) -> InboundMessage {
    let media = media.iter().map(|(kind, url)| Media { kind: (*kind).into(), url: (*url).into() });
    InboundMessage {
        provider_id: "7001:42".into(),
        address: "7001".into(),
        text: text.into(),
        media: media.collect(),
        name: Some("Lou Martin".into()),
        automatic: false,
    }
}

fn file(id: &str) -> Value {
    json!({"file_id": id, "file_unique_id": "u", "file_size": 10})
}

fn with(mut value: Value, more: Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

/// What a message holds; its text and its media as we read them.
type Case = (Value, &'static str, &'static [(&'static str, &'static str)]);

#[test]
fn what_customers_send_is_parsed() {
    let size = |id: &str| with(file(id), json!({"width": 90, "height": 51}));
    let place = json!({"latitude": 48.1035, "longitude": -1.6723});
    let venue = json!({"location": place, "title": "Gare", "address": "Place de la Gare"});
    let position: &'static [(&str, &str)] = &[(Media::POSITION, "geo:48.103500,-1.672300")];
    let sticker = json!({"width": 512, "height": 512, "type": "regular", "is_animated": false, "is_video": false, "emoji": "👍"});
    let length = json!({"duration": 3});
    let cases: Vec<Case> = vec![
        (json!({"text": "a kel h le tr1 pr Rennes"}), "a kel h le tr1 pr Rennes", &[]),
        (
            json!({"text": "voir https://e.fr", "entities": [{"type": "url", "offset": 5, "length": 12}]}),
            "voir https://e.fr",
            &[],
        ),
        (
            json!({"photo": [size("small"), size("large")], "caption": "mon billet"}),
            "mon billet",
            &[("image/jpeg", "telegram:large")],
        ),
        (json!({"photo": [size("p")]}), "", &[("image/jpeg", "telegram:p")]),
        (
            json!({"document": with(file("d"), json!({"mime_type": "application/pdf", "file_name": "b.pdf"})), "caption": "voici"}),
            "voici",
            &[("application/pdf", "telegram:d")],
        ),
        (json!({"document": file("d")}), "", &[("application/octet-stream", "telegram:d")]),
        (
            json!({"voice": with(file("v"), json!({"duration": 3, "mime_type": "audio/ogg"}))}),
            "",
            &[("audio/ogg", "telegram:v")],
        ),
        (json!({"audio": with(file("a"), length.clone())}), "", &[("audio/mpeg", "telegram:a")]),
        (json!({"video": with(size("f"), length.clone())}), "", &[("video/mp4", "telegram:f")]),
        (
            json!({"video_note": with(file("n"), json!({"length": 240, "duration": 3}))}),
            "",
            &[("video/mp4", "telegram:n")],
        ),
        (
            json!({"animation": with(size("g"), length), "document": file("g")}),
            "",
            &[("video/mp4", "telegram:g")],
        ),
        (json!({"sticker": with(file("s"), sticker)}), "", &[("image/webp", "telegram:s")]),
        (json!({"location": place}), "", position),
        (json!({"venue": venue, "location": place}), "", position),
        (json!({"contact": {"phone_number": "+33600000000", "first_name": "Ana"}}), "", &[]),
        (json!({"dice": {"emoji": "🎲", "value": 3}}), "", &[]),
    ];
    for (content, text, media) in cases {
        let expected = Some(Said(inbound(text, media)));
        assert_eq!(event_of(update("message", message(content.clone()))), expected, "{content}");
    }
}

#[test]
fn commands_lose_what_only_telegram_needs() {
    for (written, read) in [
        ("/start", "/start"),
        ("/start affiche-rennes", "/start"),
        ("/START@guichet_bot x", "/START"),
        ("/stop@guichet_bot", "/stop"),
        ("/langue en", "/langue en"),
        ("/langue@guichet_bot en", "/langue en"),
        ("/help\n", "/help"),
        ("demain / soir", "demain / soir"),
    ] {
        let content =
            json!({"text": written, "entities": [{"type": "bot_command", "offset": 0, "length": 6}]});
        let Some(Said(said)) = event_of(update("message", message(content))) else { panic!("{written}") };
        assert_eq!(said.text.trim_end(), read, "{written}");
    }
}

#[test]
fn a_pressed_button_reads_as_its_label() {
    let long = "Saint-Rémy-lès-Chevreuse, côté parking de la vallée et du château";
    let keyboard = json!({"inline_keyboard": [
        [{"text": "Rennes", "callback_data": "Rennes"}],
        [{"text": long, "callback_data": "#2"}],
        [{"text": "Plan", "url": "https://e.fr/"}],
    ]});
    let bot = json!({"id": 1, "is_bot": true, "first_name": "Guichet"});
    let ours = message(json!({"from": bot, "text": "Laquelle ?", "reply_markup": keyboard}));
    let gone = json!({"chat": private(), "message_id": 42, "date": 0});
    // As a test server of others writes it, without what the documentation asks for.
    let bare = json!({"from": {"id": 7001, "first_name": "Lou"}, "chat": private()});
    for (message, data, label) in [
        (&ours, "Rennes", Some("Rennes")),
        (&ours, "#2", Some(long)),
        (&gone, "Vitré", Some("Vitré")),
        (&gone, "#2", Some("2")),
        (&bare, "Vitré", Some("Vitré")),
    ] {
        let query =
            json!({"id": "555", "from": from(), "message": message, "chat_instance": "c", "data": data});
        let taken = read(update("callback_query", query)).unwrap();
        assert_eq!(taken.callback.as_deref(), Some("555"));
        let expected = label.map(|text| {
            let said = InboundMessage { provider_id: "cb:555".into(), ..inbound(text, &[]) };
            Said(said)
        });
        assert_eq!(taken.event, expected, "{data} {message}");
    }
    let in_group = json!({"message_id": 42, "chat": group(), "date": 1, "text": "x"});
    for odd in [
        json!({"id": "556", "from": from(), "chat_instance": "c", "inline_message_id": "i", "data": "x"}),
        json!({"id": "556", "from": from(), "chat_instance": "c", "message": ours, "game_short_name": "g"}),
        json!({"id": "556", "from": from(), "chat_instance": "c", "message": in_group, "data": "x"}),
    ] {
        let taken = read(update("callback_query", odd.clone())).unwrap();
        assert_eq!((taken.callback.as_deref(), taken.event), (Some("556"), None), "{odd}");
    }
}

#[test]
fn an_edited_message_names_the_one_it_changes() {
    let edited = message(json!({"text": "demain plutôt", "edit_date": 1_766_000_060}));
    let expected = Edit {
        provider_id: "7001:42".into(),
        revision: "1766000060".into(),
        address: "7001".into(),
        text: "demain plutôt".into(),
    };
    assert_eq!(event_of(update("edited_message", edited)), Some(Edited(expected)));
    let moving = message(
        json!({"location": {"latitude": 48.1, "longitude": -1.6, "live_period": 900}, "edit_date": 1_766_000_060}),
    );
    assert_eq!(event_of(update("edited_message", moving)), None);
}

#[test]
fn who_blocks_us_is_known() {
    let member = |status: &str| {
        let user = json!({"id": 1, "is_bot": true, "first_name": "Guichet"});
        let until = if status == "kicked" { json!({"until_date": 0}) } else { json!({}) };
        with(json!({"user": user, "status": status}), until)
    };
    for (old, new, reachable) in [("member", "kicked", false), ("kicked", "member", true)] {
        let change = json!({"chat": private(), "from": from(), "date": 1_766_000_000, "old_chat_member": member(old), "new_chat_member": member(new)});
        let expected = Reach { address: "7001".into(), reachable };
        assert_eq!(event_of(update("my_chat_member", change.clone())), Some(Reached(expected)), "{new}");
        let in_group = with(change, json!({"chat": group()}));
        assert_eq!(event_of(update("my_chat_member", in_group)), None);
    }
}

#[test]
fn machines_are_known_and_rooms_are_left_alone() {
    let bot = message(json!({"from": {"id": 7001, "is_bot": true, "first_name": "Robot"}, "text": "bip"}));
    assert!(matches!(event_of(update("message", bot)), Some(Said(said)) if said.automatic));
    for (kind, content) in [
        ("message", message(json!({"chat": group(), "text": "@guichet_bot prochain train ?"}))),
        ("edited_message", message(json!({"chat": group(), "text": "x", "edit_date": 1_766_000_001}))),
        (
            "channel_post",
            json!({"message_id": 5, "chat": {"id": -100, "title": "Info", "type": "channel"}, "date": 1, "text": "x"}),
        ),
        ("message", message(json!({"pinned_message": message(json!({"text": "x"}))}))),
        ("message", message(json!({"message_auto_delete_timer_changed": {"message_auto_delete_time": 60}}))),
        ("message", message(json!({"migrate_to_chat_id": -100}))),
    ] {
        assert_eq!(event_of(update(kind, content.clone())), None, "{kind} {content}");
    }
}

#[test]
fn what_telegram_may_add_is_neither_refused_nor_hides_a_text() {
    for (content, text) in [
        (json!({"text": "bonjour", "entities": [{"type": "hologram", "offset": 0, "length": 7}]}), "bonjour"),
        (json!({"text": "bonjour", "reply_to_message": {"message_id": "odd"}}), "bonjour"),
        (json!({"text": "bonjour", "forward_origin": {"type": "new_kind"}}), "bonjour"),
        (json!({"hologram": {"file_id": "h"}}), ""),
        (json!({"hologram": {"file_id": "h"}, "photo": "odd"}), ""),
        (json!({"photo": "odd", "caption": "mon billet"}), "mon billet"),
    ] {
        let event = event_of(update("message", message(content.clone())));
        assert_eq!(event, Some(Said(inbound(text, &[]))), "{content}");
    }
    for odd in [
        json!({"update_id": 900, "telepathy": {"from": from()}}),
        json!({"update_id": 900}),
        json!({"update_id": 900, "message": {}}),
        json!({"update_id": 900, "message": null}),
        json!({"update_id": 900, "message": [1, 2]}),
        json!({"update_id": 900, "message": message(json!({"message_id": "x", "text": "a"}))}),
        json!({"update_id": 900, "poll": {"id": "1"}}),
        json!({"update_id": 900, "callback_query": {"id": 5}}),
    ] {
        assert_eq!(read(odd.clone()), Some(Taken { id: 900, event: None, callback: None }), "{odd}");
    }
    for none in
        [json!({}), json!([]), json!("x"), json!(null), json!({"update_id": "900"}), json!({"update_id": -1})]
    {
        assert_eq!(read(none.clone()), None, "{none}");
    }
}
