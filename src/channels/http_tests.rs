use super::*;
use crate::clock::ManualClock;
use axum::http::HeaderMap;

const NOW: Timestamp = Timestamp(1_766_000_000_000_000);

fn channel() -> Http {
    Http {
        settings: Settings {
            secret: Secret::new("0123456789abcdef"),
            callback_url: "http://127.0.0.1:9/replies".into(),
            tolerance: default_tolerance(),
        },
        client: reqwest::Client::new(),
        clock: Arc::new(ManualClock::at(NOW)),
    }
}

fn sign(timestamp: &str, body: &[u8]) -> String {
    let mac = mac(&channel().settings.secret, timestamp, body).unwrap();
    format!("v1={}", hex(&mac.finalize().into_bytes()))
}

struct Post<'a> {
    tail: &'a str,
    timestamp: Option<&'a str>,
    signature: Option<String>,
    kind: &'a str,
    body: &'a [u8],
}

fn post(body: &[u8]) -> Post<'_> {
    let signature = Some(sign("1766000000", body));
    Post { tail: "", timestamp: Some("1766000000"), signature, kind: "application/json", body }
}

impl Post<'_> {
    fn receive(&self) -> Result<Accepted, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", self.kind.parse().unwrap());
        if let Some(timestamp) = self.timestamp {
            headers.insert(TIMESTAMP, timestamp.parse().unwrap());
        }
        if let Some(signature) = &self.signature {
            headers.insert(SIGNATURE, signature.parse().unwrap());
        }
        let request =
            WebhookRequest { tail: self.tail, query: None, headers: &headers, body: self.body, now: NOW };
        channel().receive(&request)
    }
}

#[test]
fn a_signed_message_is_accepted_with_its_nonce() {
    let body =
        br#"{"id":"m1","from":"alice","text":"bonjour","media":[{"kind":"image/png","url":"https://x/1"}]}"#;
    let accepted = post(body).receive().unwrap();
    let expected = InboundMessage {
        provider_id: "m1".into(),
        address: "alice".into(),
        text: "bonjour".into(),
        media: vec![Media { kind: "image/png".into(), url: "https://x/1".into() }],
        ..InboundMessage::default()
    };
    assert_eq!(accepted.events, vec![InboundEvent::Message(expected)]);
    let (nonce, until) = accepted.nonce.unwrap();
    assert_eq!(format!("v1={nonce}"), sign("1766000000", body));
    assert_eq!(until, NOW.plus(Duration::from_secs(300)));
}

#[test]
fn what_is_not_right_is_refused() {
    let body = br#"{"id":"m1","from":"alice","text":"bonjour"}"#;
    let malformed = |body: &[u8]| matches!(post(body).receive(), Err(Refusal::Malformed(_)));
    assert_eq!(Post { timestamp: None, ..post(body) }.receive(), Err(Refusal::Unsigned));
    assert_eq!(Post { signature: None, ..post(body) }.receive(), Err(Refusal::Unsigned));
    for wrong in ["v1=00", "v1=zz", "v2=00", "v1=é", ""] {
        let signature = Some(wrong.to_owned());
        assert!(Post { signature, ..post(body) }.receive().is_err_and(|r| r != Refusal::Stale), "{wrong}");
    }
    assert_eq!(Post { body: &body[..30], ..post(body) }.receive(), Err(Refusal::BadSignature));
    assert_eq!(Post { timestamp: Some("1766000001"), ..post(body) }.receive(), Err(Refusal::BadSignature));
    for stale in ["1765999699", "1766000301", "0", "-5", "99999999999999999999", "soon"] {
        let signature = Some(sign(stale, body));
        let timestamp = Some(stale);
        assert_eq!(Post { timestamp, signature, ..post(body) }.receive(), Err(Refusal::Stale), "{stale}");
    }
    assert_eq!(Post { kind: "text/plain", ..post(body) }.receive(), Err(Refusal::ContentType));
    assert_eq!(Post { tail: "/x", ..post(body) }.receive(), Err(Refusal::NotFound));
    assert!(malformed(b"{\"id\":\"m1\",\"from\":\"\xff\"}"));
    assert!(malformed(b"{\"id\":\"m1\""));
    assert!(malformed(b"{\"id\":\"\",\"from\":\"a\"}"));
    assert!(malformed(b"[]"));
}

#[test]
fn receipts_are_parsed() {
    let id = crate::model::MessageId::new();
    let body = format!(r#"{{"id":"{id}","status":"failed","error":"no such number"}}"#);
    let events = Post { tail: "/status", ..post(body.as_bytes()) }.receive().unwrap().events;
    let state = ReceiptState::Failed("reported as failed: no such number".into());
    assert_eq!(
        events,
        vec![InboundEvent::Receipt(Receipt { provider_id: id.to_string(), message_id: Some(id), state })]
    );
}
