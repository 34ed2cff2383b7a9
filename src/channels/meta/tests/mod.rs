//! Tests of the family, with the helpers that the tests of each kind use.

mod comments;
mod faults;
mod messaging;
mod sending;
mod whatsapp;

use super::super::signing::hex;
use super::super::testing::{NOW, build};
use super::super::{Accepted, Channel, InboundEvent, Refusal, WebhookRequest};
use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;

pub const SECRET: &str = "s3cret";
pub const COMMON: &str = "app_secret = 's3cret'\nverify_token = 'jeton'\naccess_token = 'EAAtoken'\n";

/// A channel of `kind` with its id `1234` and these keys too.
pub fn channel(kind: &str, more: &str) -> Arc<dyn Channel> {
    let id = match kind {
        "messenger" => "page_id",
        "instagram" => "account_id",
        _ => "phone_number_id",
    };
    build(kind, kind, &format!("{COMMON}{id} = '1234'\n{more}")).unwrap()
}

fn sign(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

fn post(
    channel: &dyn Channel,
    body: &[u8],
    signature: Option<&str>,
    kind: &str,
) -> Result<Accepted, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", kind.parse().unwrap());
    if let Some(signature) = signature {
        headers.insert("x-hub-signature-256", signature.parse().unwrap());
    }
    channel.receive(&WebhookRequest { tail: "", query: None, headers: &headers, body, now: NOW })
}

/// What a channel reads of a batch that is signed well.
pub fn read(kind: &str, batch: &Value) -> Vec<InboundEvent> {
    let body = batch.to_string();
    let accepted = post(&*channel(kind, ""), body.as_bytes(), Some(&sign(SECRET, &body)), "application/json");
    let accepted = accepted.unwrap_or_else(|refusal| panic!("{refusal}: {body}"));
    assert_eq!(accepted.reply, Some(("text/plain", "EVENT_RECEIVED".into())));
    accepted.events
}

#[test]
fn signatures_agree_with_another_implementation() {
    // Made by Python's hmac and hashlib.
    for (secret, body, expected) in [
        ("s3cret", "{}", "adbde1ce40c89c14215687d5d762a47df6dfaefcfad61e2e86718ffc8498571b"),
        (
            "s3cret",
            r#"{"object":"page","entry":[]}"#,
            "0798c798c2a0c4b160d0779c9886c7b2ed8aeffc6321169172af70412d25f0cb",
        ),
        (
            "clé-à-part",
            r#"{"text":"\u00e9 é 🚆"}"#,
            "2d6852163b47da484081035bcde04119bc063be1b61e0483e83c549e275230be",
        ),
    ] {
        let keys =
            format!("app_secret = '{secret}'\nverify_token = 'v'\naccess_token = 't'\npage_id = '1234'");
        let channel = build("messenger", "messenger", &keys).unwrap();
        let with = |signature: &str| post(&*channel, body.as_bytes(), Some(signature), "application/json");
        assert!(with(&format!("sha256={expected}")).is_ok(), "{body}");
        assert!(with(&format!("sha256={}", expected.to_uppercase())).is_ok());
        let (first, rest) = expected.split_at(1);
        let other = if first == "0" { "1" } else { "0" };
        for wrong in [
            format!("sha256={other}{rest}"),
            format!("sha256={}", &expected[..62]),
            format!("sha256={expected}00"),
            format!("sha1={expected}"),
            expected.to_owned(),
            "sha256=".to_owned(),
            "sha256=zz".to_owned(),
        ] {
            assert_eq!(with(&wrong), Err(Refusal::BadSignature), "{wrong}");
        }
    }
}

#[test]
fn what_is_not_right_is_refused() {
    let channel = channel("messenger", "");
    let json_type = "application/json";
    let signed = |body: &str| sign(SECRET, body);
    let good = r#"{"object":"page","entry":[]}"#;
    assert_eq!(post(&*channel, good.as_bytes(), None, json_type), Err(Refusal::Unsigned));
    let changed = good.replace("page", "pagE");
    assert_eq!(
        post(&*channel, changed.as_bytes(), Some(&signed(good)), json_type),
        Err(Refusal::BadSignature)
    );
    assert_eq!(
        post(&*channel, good.as_bytes(), Some(&signed(good)), "text/plain"),
        Err(Refusal::ContentType)
    );
    let charset = "application/json; charset=UTF-8";
    assert!(post(&*channel, good.as_bytes(), Some(&signed(good)), charset).is_ok());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for broken in ["", "{", "nul", "\"text\"", "7", deep.as_str()] {
        let outcome = post(&*channel, broken.as_bytes(), Some(&signed(broken)), json_type);
        let start: String = broken.chars().take(10).collect();
        assert!(matches!(outcome, Err(Refusal::Malformed(_))), "{start}");
    }
    let tail = WebhookRequest {
        tail: "/other",
        query: None,
        headers: &HeaderMap::from_iter([(
            "x-hub-signature-256".parse().unwrap(),
            signed(good).parse().unwrap(),
        )]),
        body: good.as_bytes(),
        now: NOW,
    };
    assert_eq!(channel.receive(&tail), Err(Refusal::NotFound));
}

#[test]
fn the_handshake_echoes_the_challenge_of_who_knows_the_token() {
    let channel = channel("whatsapp", "");
    let greet = |query: &str| {
        let headers = HeaderMap::new();
        let query = (!query.is_empty()).then_some(query);
        channel.handshake(&WebhookRequest { tail: "", query, headers: &headers, body: b"", now: NOW })
    };
    let echoed = greet("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=jeton").unwrap();
    assert_eq!(echoed.reply, Some(("text/plain", "1158201444".into())));
    assert!(echoed.events.is_empty());
    let wrong = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=";
    for token in ["", "jeto", "jetons", "Jeton"] {
        assert_eq!(greet(&format!("{wrong}{token}")), Err(Refusal::BadSignature), "{token}");
    }
    assert_eq!(greet("hub.mode=subscribe&hub.challenge=1"), Err(Refusal::Unsigned));
    let long = format!("hub.mode=subscribe&hub.verify_token=jeton&hub.challenge={}", "1".repeat(201));
    for malformed in [
        "",
        "hub.mode=unsubscribe&hub.verify_token=jeton&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=jeton",
        "hub.mode=subscribe&hub.verify_token=jeton&hub.challenge=",
        "hub.mode=subscribe&hub.verify_token=jeton&hub.challenge=%3Cscript%3E",
        long.as_str(),
    ] {
        assert!(matches!(greet(malformed), Err(Refusal::Malformed(_))), "{malformed}");
    }
}

#[test]
fn what_is_of_no_kind_that_we_know_is_let_go() {
    let kinds =
        [("messenger", "page"), ("instagram", "instagram"), ("whatsapp", "whatsapp_business_account")];
    for (kind, object) in kinds {
        for batch in [
            json!({}),
            json!([]),
            json!([null, 7, "x"]),
            json!({ "object": "user", "entry": [{ "id": "1234" }] }),
            json!({ "object": object }),
            json!({ "object": object, "entry": {} }),
            json!({ "object": object, "entry": [null, 1, "x", [], {}, { "id": "1234" }] }),
            json!({ "object": object, "entry": [{ "id": "1234", "messaging": [null, {}, { "sender": 7 }] }] }),
            json!({ "object": object, "entry": [{ "id": "1234", "changes": [
                null, {}, { "field": 7 }, { "field": "messages" }, { "field": "feed", "value": [] },
                { "field": "to_come", "value": { "text": "x" } },
                { "field": "messages", "value": { "messages": [{}], "metadata": { "phone_number_id": "1234" } } },
                { "field": "comments", "value": {} }, { "field": "mentions", "value": {} },
            ] }] }),
        ] {
            assert_eq!(read(kind, &batch), Vec::new(), "{kind}: {batch}");
        }
    }
}

#[test]
fn a_configuration_error_names_the_key() {
    let full = format!("{COMMON}page_id = '1234'\n");
    for (kind, keys, expected) in [
        ("messenger", "page_id = '1'", "channels.meta.app_secret: is missing. Cure: "),
        ("messenger", COMMON, "channels.meta.page_id: is missing. Cure: "),
        ("instagram", COMMON, "channels.meta.account_id: is missing"),
        ("whatsapp", COMMON, "channels.meta.phone_number_id: is missing"),
        ("whatsapp", full.as_str(), "channels.meta.page_id: unknown field `page_id`"),
        ("messenger", &*full.replace("'1234'", "'me'"), "channels.meta.page_id: must be digits"),
        ("messenger", &*full.replace("'jeton'", "''"), "channels.meta.verify_token: is empty"),
        ("messenger", &*format!("{full}version = '25'"), "channels.meta.version: must be written as v25.0"),
        ("messenger", &*format!("{full}api_url = 'graph'"), "channels.meta.api_url: is no http(s) URL"),
        (
            "whatsapp",
            &*format!("{COMMON}phone_number_id = '1'\ntemplate = {{ name = 'x', languages = [] }}"),
            "channels.meta.template: needs a name",
        ),
    ] {
        let errors = build("meta", kind, keys).err().unwrap_or_default();
        assert!(errors.iter().any(|e| e.starts_with(expected)), "{errors:?} should begin with {expected}");
    }
}

/// As the environment gives it.
#[test]
fn an_id_may_be_written_as_a_number() {
    let keys = format!("{COMMON}page_id = 1234");
    let channel = build("messenger", "messenger", &keys).unwrap();
    assert_eq!(channel.private_url().as_deref(), Some("https://m.me/1234"));
}

#[test]
fn each_kind_says_what_it_carries() {
    let expected = [
        ("messenger", 2_000, 13, true, true),
        ("instagram", 800, 13, false, true),
        ("whatsapp", 4_096, 10, true, false),
    ];
    for (kind, max_chars, buttons, edits, public) in expected {
        let channel = channel(kind, "");
        let can = channel.capabilities();
        assert_eq!((can.max_chars, can.buttons, can.edits, can.public), (max_chars, buttons, edits, public));
        assert!(can.media && can.typing && can.receipts && !can.sms && !can.can_be_asked);
        assert_eq!(channel.is_public("comment:1:2"), public, "{kind}");
        assert!(!channel.is_public("33612345678"));
        assert!(channel.pace().per_second <= 50.0);
    }
    assert_eq!(channel("instagram", "").longest("comment:1:2"), 300);
    assert_eq!(channel("messenger", "").private_url().as_deref(), Some("https://m.me/1234"));
    assert_eq!(channel("instagram", "").private_url(), None);
    let named = channel("instagram", "private_url = 'https://ig.me/m/guichet'");
    assert_eq!(named.private_url().as_deref(), Some("https://ig.me/m/guichet"));
}
