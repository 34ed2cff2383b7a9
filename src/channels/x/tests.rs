use super::super::testing::{Answer, NOW, Provider, build, json, outcome, outgoing};
use super::super::{InboundEvent, InboundMessage, Receipt, ReceiptState};
use super::*;
use crate::channels::testing::clock;
use crate::model::Media;
use axum::http::HeaderMap;

mod faults;
mod peer;

const OWN: &str = "4337869213";
const KEYS: &str = "api_key = 'key'\naccess_token = '1-token'\naccess_token_secret = 'token secret'";

fn channel(url: &str) -> Arc<dyn Channel> {
    let keys = format!("user_id = '{OWN}'\napi_secret = 'app secret'\napi_url = '{url}'\n{KEYS}");
    build("x", "x", &keys).unwrap()
}

fn signed(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"app secret").unwrap();
    mac.update(body);
    format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn post(signature: Option<&str>, kind: &str, tail: &str, body: &[u8]) -> Result<Accepted, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", kind.parse().unwrap());
    if let Some(signature) = signature {
        headers.insert("x-twitter-webhooks-signature", signature.parse().unwrap());
    }
    let request = WebhookRequest { tail, query: None, headers: &headers, body, now: NOW };
    channel("https://api.x.com").receive(&request)
}

fn events(body: Value) -> Vec<InboundEvent> {
    let body = body.to_string().into_bytes();
    post(Some(&signed(&body)), "application/json", "", &body).unwrap().events
}

fn activity(key: &str, event: Value) -> Value {
    json!({"for_user_id": OWN, key: [event], "users": {
        "3001969357": {"id": "3001969357", "name": "Jordan B.", "screen_name": "jordan"},
        OWN: {"id": OWN, "name": "Trains", "screen_name": "trains"},
    }})
}

fn said(sender: &str, text: &str) -> Value {
    json!({"type": "message_create", "id": "954491830116155396", "created_timestamp": "1516403560557", "message_create": {
        "target": {"recipient_id": OWN}, "sender_id": sender, "source_app_id": "1",
        "message_data": {"text": text, "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}}}})
}

fn tweet(author: &str, text: &str, mentions: &[&str]) -> Value {
    let mentions: Vec<Value> =
        mentions.iter().map(|id| json!({"id_str": id, "screen_name": "trains", "indices": [0, 7]})).collect();
    json!({"created_at": "Wed Dec 17 19:33:20 +0000 2025", "id": 1_900_000_000_000_000_001_i64, "id_str": "1900000000000000001",
        "text": text, "truncated": false, "in_reply_to_status_id_str": null, "in_reply_to_user_id_str": null,
        "user": {"id": 77, "id_str": author, "name": "Camille", "screen_name": "camille"},
        "is_quote_status": false, "entities": {"hashtags": [], "urls": [], "user_mentions": mentions}})
}

#[test]
fn only_what_x_signed_is_taken() {
    let body = activity("direct_message_events", said("3001969357", "bonjour")).to_string().into_bytes();
    let good = signed(&body);
    let taken = post(Some(&good), "application/json", "", &body).unwrap();
    assert_eq!((taken.events.len(), taken.reply), (1, Some(("text/plain", "".into()))), "200, not 204");
    assert_eq!(post(None, "application/json", "", &body), Err(Refusal::Unsigned));
    let other = signed(b"other");
    for wrong in ["", "sha256=", "sha256=!", &good[7..], other.as_str(), &good.to_lowercase()] {
        assert_eq!(post(Some(wrong), "application/json", "", &body), Err(Refusal::BadSignature), "{wrong}");
    }
    assert_eq!(post(Some(&good), "text/plain", "", &body), Err(Refusal::ContentType));
    assert_eq!(post(Some(&good), "application/json", "/status", &body), Err(Refusal::NotFound));
    for broken in [&b""[..], b"{", b"\xff", b"[]", b"null", b"3"] {
        let refused = post(Some(&signed(broken)), "application/json", "", broken);
        assert!(matches!(refused, Err(Refusal::Malformed(_))), "{broken:?}");
    }
}

/// Both computed with Python's `hmac` and `base64`.
#[test]
fn a_body_and_a_challenge_are_signed_as_the_vectors_say() {
    assert_eq!(signed(br#"{"for_user_id":"1"}"#), "sha256=j5cWG3J+7i3dsCferNV4RKxwI4FtSvdcxIIJXL+FF8Y=");
    let headers = HeaderMap::new();
    let ask = |tail, query| {
        let request = WebhookRequest { tail, query: Some(query), headers: &headers, body: b"", now: NOW };
        channel("https://api.x.com").handshake(&request)
    };
    let reply = ask("", "crc_token=MDY1NzNhYmMtNDFi-x_y.z%3D&nonce=MjM0").unwrap();
    assert!(reply.events.is_empty());
    let (kind, body) = reply.reply.unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (kind, body),
        (
            "application/json",
            json!({"response_token": "sha256=3w8eBnn2KbHzFjuR6SjIkWitmuGIk/52pfXdj4EtSxQ="})
        )
    );
    let long = format!("crc_token={}", "a".repeat(201));
    // What could be a body is not signed for whoever asks.
    for refused in
        ["", "nonce=1", "crc_token=", "crc_token=%7B%22for_user_id%22%3A%221%22%7D", "crc_token=a%20b", &long]
    {
        assert!(matches!(ask("", refused), Err(Refusal::Malformed(_))), "{refused}");
    }
    assert_eq!(ask("/x", "crc_token=a"), Err(Refusal::NotFound));
}

#[test]
fn a_message_is_read_and_ones_own_is_not() {
    let one = |event| events(activity("direct_message_events", event));
    let read = one(said("3001969357", "Le train de 8h &amp; celui de 9h &lt;3"));
    let expected = InboundMessage {
        provider_id: "954491830116155396".into(),
        address: "3001969357".into(),
        text: "Le train de 8h & celui de 9h <3".into(),
        name: Some("Jordan B.".into()),
        ..InboundMessage::default()
    };
    assert_eq!(read, [InboundEvent::Message(expected)]);
    assert!(one(said(OWN, "bonjour")).is_empty(), "what the account sent");
    let mut pictured = said("5", "");
    pictured["message_create"]["message_data"]["attachment"] = json!({"type": "media", "media": {"id": 1, "type": "photo", "media_url_https": "https://ton.x.com/1.jpg"}});
    let [InboundEvent::Message(message)] = &one(pictured)[..] else { panic!() };
    assert_eq!(message.media, [Media { kind: "image/*".into(), url: "https://ton.x.com/1.jpg".into() }]);
    assert_eq!((message.name.as_deref(), message.text.as_str()), (None, ""));
}

#[test]
fn posts_that_speak_to_the_account_are_conversations_of_their_own() {
    let one = |post: Value| events(activity("tweet_create_events", post));
    let text = |post: Value| match &one(post)[..] {
        [InboundEvent::Message(message)] => {
            assert_eq!(message.address, "post:77");
            assert_eq!(message.provider_id, "1900000000000000001");
            Some(message.text.clone())
        }
        [] => None,
        other => panic!("{other:?}"),
    };
    let with = |mut post: Value, key: &str, value: Value| {
        post[key] = value;
        post
    };
    let named = tweet("77", "@trains prochain train Vitré Rennes ?", &[OWN]);
    let answer = with(tweet("77", "et le suivant", &[]), "in_reply_to_user_id_str", json!(OWN));
    let long = json!({"full_text": "@trains @other, le train de demain matin est-il maintenu ?",
        "entities": {"user_mentions": [{"id_str": OWN}]}});
    let cases: Vec<(Value, Option<&str>)> = vec![
        (named.clone(), Some("prochain train Vitré Rennes ?")),
        (answer, Some("et le suivant")),
        (
            with(tweet("77", "@trains @other, le t…", &[]), "extended_tweet", long),
            Some("le train de demain matin est-il maintenu ?"),
        ),
        (tweet("77", "Merci à @trains pour tout", &[OWN]), Some("Merci à @trains pour tout")),
        (with(named.clone(), "quoted_status", json!({"id_str": "1"})), Some("prochain train Vitré Rennes ?")),
        (tweet("77", "@trains", &[OWN]), Some("")),
        (with(named.clone(), "retweeted_status", json!({"id_str": "1"})), None),
        (tweet("77", "rien pour nous", &["5"]), None),
        (tweet(OWN, "@trains nous-mêmes", &[OWN]), None),
        (with(named.clone(), "user", json!({"name": "sans id"})), None),
        (with(named.clone(), "user", Value::Null), None),
    ];
    for (post, expected) in cases {
        assert_eq!(text(post.clone()).as_deref(), expected, "{post}");
    }
    let numbers = with(named, "id_str", json!(1_900_000_000_000_000_001_i64));
    assert!(text(numbers).is_some(), "ids come as numbers too");
}

#[test]
fn what_is_read_is_a_receipt_and_the_rest_is_let_go() {
    let read = |sender: &str, to: &str| {
        let event = json!({"created_timestamp": "1", "sender_id": sender, "target": {"recipient_id": to}, "last_read_event_id": "954"});
        events(activity("direct_message_mark_read_events", event))
    };
    let receipt = Receipt { provider_id: "954".into(), message_id: None, state: ReceiptState::Delivered };
    assert_eq!(read("3001969357", OWN), [InboundEvent::Receipt(receipt)]);
    assert!(read(OWN, "3001969357").is_empty());
    for key in [
        "favorite_events",
        "follow_events",
        "direct_message_indicate_typing_events",
        "tweet_delete_events",
        "user_event",
    ] {
        assert!(events(activity(key, json!({"id": "1", "type": key}))).is_empty(), "{key}");
    }
    let mut other = activity("direct_message_events", said("5", "x"));
    other["for_user_id"] = json!("99");
    assert!(events(other).is_empty(), "another account of the same app");
    for odd in [
        json!({}),
        json!({"for_user_id": OWN, "direct_message_events": 3}),
        activity("direct_message_events", json!("x")),
        activity("direct_message_events", json!({"message_create": {"sender_id": {}}})),
    ] {
        assert!(events(odd).is_empty());
    }
}

#[test]
fn what_it_can_carry() {
    let channel = channel("https://api.x.com");
    let expected = Capabilities {
        max_chars: 10_000,
        sms: false,
        buttons: 0,
        media: true,
        typing: false,
        receipts: true,
        edits: false,
        public: true,
        can_be_asked: true,
    };
    assert_eq!(channel.capabilities(), expected);
    assert_eq!((channel.longest("7"), channel.longest("post:7")), (10_000, 280));
    assert!(channel.is_public("post:7") && !channel.is_public("7"));
    assert_eq!(
        channel.private_url().as_deref(),
        Some("https://x.com/messages/compose?recipient_id=4337869213")
    );
    assert_eq!(channel.parts("7", &"😀".repeat(10_001)).len(), 2);
    assert_eq!(channel.parts("7", &"é".repeat(10_000)).len(), 1);
    assert_eq!(channel.parts("post:7", &"é".repeat(280)).len(), 1);
    assert_eq!(channel.parts("post:7", &"列".repeat(141)).len(), 2);
    assert!(channel.listener().is_none());
}

#[test]
fn a_configuration_error_names_the_key() {
    let both = format!("user_id = 1\napi_secret = 's'\n{KEYS}\noauth2_token = 't'");
    for (keys, expected) in [
        ("", "channels.x.user_id: is missing"),
        ("user_id = 'me'\napi_secret = 's'", "channels.x.user_id: must be digits"),
        ("user_id = 1\napi_secret = ''", "channels.x.api_secret: is empty"),
        ("user_id = 1\napi_secret = 's'", "channels.x.api_key: is empty"),
        ("user_id = 1\napi_secret = 's'\napi_key = 'k'", "channels.x.access_token: is empty"),
        (both.as_str(), "channels.x.api_key: oauth2_token is set too"),
        (
            "user_id = 1\napi_secret = 's'\noauth2_token = 't'\nmax_post = 140",
            "channels.x.max_post: must be at least",
        ),
        (
            "user_id = 1\napi_secret = 's'\noauth2_token = 't'\napi_url = 'x'",
            "channels.x.api_url: is no http(s) URL",
        ),
        ("user_id = 1\napi_secret = 's'\nbot = 't'", "channels.x.bot: unknown field"),
    ] {
        let errors = build("x", "x", keys).err().unwrap_or_default();
        assert!(errors.iter().any(|e| e.starts_with(expected)), "{errors:?} should begin with {expected}");
    }
    assert!(build("x", "x", "user_id = 1\napi_secret = 's'\noauth2_token = 't'").is_ok());
}
