use super::super::Channels;
use super::super::testing::{Answer, Provider, build, json, outcome, outgoing};
use super::*;
use crate::clock::SystemClock;
use crate::model::MessageId;
use axum::http::HeaderMap;

fn channel() -> Twilio {
    Twilio {
        settings: Settings {
            account_sid: "AC1".into(),
            auth_token: Secret::new("12345"),
            from: toml::Value::from("+33900000000").try_into().unwrap(),
            api_url: default_api_url(),
        },
        webhook: "https://bot.example.com/webhooks/twilio".into(),
        client: reqwest::Client::new(),
    }
}

fn sign(url: &str, params: &Params) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(b"12345").unwrap();
    mac.update(url.as_bytes());
    for (key, values) in params {
        values.iter().for_each(|value| mac.update(format!("{key}{value}").as_bytes()));
    }
    BASE64.encode(mac.finalize().into_bytes())
}

fn post(tail: &str, query: Option<&str>, body: &str) -> Result<Accepted, Refusal> {
    let url = format!("https://bot.example.com/webhooks/twilio{tail}");
    let url = query.map_or(url.clone(), |q| format!("{url}?{q}"));
    let signature = sign(&url, &parse_form(body.as_bytes()).unwrap());
    receive(tail, query, body.as_bytes(), Some(&signature), "application/x-www-form-urlencoded")
}

fn receive(
    tail: &str,
    query: Option<&str>,
    body: &[u8],
    signature: Option<&str>,
    kind: &str,
) -> Result<Accepted, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", kind.parse().unwrap());
    if let Some(signature) = signature {
        headers.insert("x-twilio-signature", signature.parse().unwrap());
    }
    channel().receive(&WebhookRequest { tail, query, headers: &headers, body, now: Timestamp(0) })
}

#[test]
fn signatures_agree_with_twilios_own_helpers() {
    #[derive(Deserialize)]
    struct Vector {
        token: String,
        url: String,
        params: BTreeMap<String, String>,
        signature: String,
    }
    let path = "../shared/data/vectors/twilio-signatures.json";
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("not run: {path} is absent");
        return;
    };
    for vector in serde_json::from_str::<Vec<Vector>>(&text).unwrap() {
        let params: Params = vector.params.into_iter().map(|(k, v)| (k, vec![v])).collect();
        assert!(signed(&vector.token, &vector.url, &params, &vector.signature), "{}", vector.url);
        assert!(!signed("another", &vector.url, &params, &vector.signature));
        assert!(!signed(&vector.token, &format!("{}x", vector.url), &params, &vector.signature));
    }
}

#[test]
fn the_port_may_be_left_out_or_spelt_out() {
    let params = Params::from([("A".into(), vec!["1".into()])]);
    for (ours, theirs) in [
        ("https://h/w?x=1", "https://h:443/w?x=1"),
        ("http://h/w", "http://h:80/w"),
        ("https://h:8443/w", "https://h/w"),
    ] {
        assert!(signed("12345", ours, &params, &sign(theirs, &params)), "{ours} signed as {theirs}");
    }
}

#[test]
fn messages_are_parsed() {
    let accepted = post(
        "",
        None,
        "MessageSid=SM1&From=%2B33611223344&Body=a+kel+h+%C3%A9&NumMedia=1&MediaUrl0=https%3A%2F%2Fm%2F1&MediaContentType0=image%2Fjpeg",
    );
    let Ok(Accepted { events, .. }) = accepted else { panic!("{accepted:?}") };
    let expected = InboundMessage {
        provider_id: "SM1".into(),
        address: "+33611223344".into(),
        text: "a kel h é".into(),
        media: vec![Media { kind: "image/jpeg".into(), url: "https://m/1".into() }],
        ..InboundMessage::default()
    };
    assert_eq!(events, vec![InboundEvent::Message(expected)]);
    assert!(matches!(
        &post("", None, "MessageSid=SM1&From=%2B336&Body=").unwrap().events[..],
        [InboundEvent::Message(m)] if m.text.is_empty()
    ));
}

#[test]
fn receipts_are_parsed() {
    let id = MessageId::new();
    let query = format!("m={id}");
    for (status, state) in [
        ("queued", ReceiptState::Sent),
        ("sent", ReceiptState::Sent),
        ("delivered", ReceiptState::Delivered),
        ("read", ReceiptState::Delivered),
        ("undelivered", ReceiptState::Failed("Twilio: undelivered, error 30003".into())),
    ] {
        let body = format!("MessageSid=SM9&MessageStatus={status}&ErrorCode=30003");
        let events = post("/status", Some(&query), &body).unwrap().events;
        let expected = Receipt { provider_id: "SM9".into(), message_id: Some(id), state };
        assert_eq!(events, vec![InboundEvent::Receipt(expected)], "{status}");
    }
}

#[test]
fn what_is_not_right_is_refused() {
    let form = "application/x-www-form-urlencoded";
    let good = b"MessageSid=SM1&From=%2B336&Body=x";
    let signature = sign("https://bot.example.com/webhooks/twilio", &parse_form(good).unwrap());
    let s = Some(signature.as_str());
    let no_utf8 = Refusal::Malformed("the form is not UTF-8");
    assert_eq!(receive("", None, good, None, form), Err(Refusal::Unsigned));
    assert_eq!(receive("", None, good, Some("AAAA"), form), Err(Refusal::BadSignature));
    assert_eq!(receive("", None, good, Some("not base64"), form), Err(Refusal::BadSignature));
    assert_eq!(receive("", None, b"MessageSid=SM1&From=%2B337&Body=x", s, form), Err(Refusal::BadSignature));
    assert_eq!(receive("", None, &good[..20], s, form), Err(Refusal::BadSignature));
    assert_eq!(receive("", Some("a=1"), good, s, form), Err(Refusal::BadSignature));
    assert_eq!(receive("", None, good, s, "application/json"), Err(Refusal::ContentType));
    assert_eq!(receive("", None, b"Body=\xff", s, form), Err(no_utf8.clone()));
    assert_eq!(receive("", None, b"Body=%ff", s, form), Err(no_utf8));
    assert!(matches!(post("", None, "Body=x"), Err(Refusal::Malformed(_))));
    assert!(matches!(post("/status", None, "MessageSid=SM1"), Err(Refusal::Malformed(_))));
    assert_eq!(post("/other", None, "MessageSid=SM1"), Err(Refusal::NotFound));
}

#[test]
fn refused_sends_are_classified() {
    let retry = |s| matches!(classify(s, String::new(), None), SendError::Retry { .. });
    let doubt = |s| matches!(classify(s, String::new(), None), SendError::InDoubt { .. });
    let permanent = |s| matches!(classify(s, String::new(), None), SendError::Permanent { .. });
    assert!([401, 403, 429].into_iter().all(retry));
    assert!([500, 502, 503, 504].into_iter().all(doubt));
    assert!([400, 404, 410, 422].into_iter().all(permanent));
}

#[test]
fn a_configuration_error_names_the_key() {
    let config =
        |toml: &str| -> BTreeMap<String, crate::config::ChannelConfig> { toml::from_str(toml).unwrap() };
    let context = BuildContext {
        public_url: "https://h".into(),
        client: reqwest::Client::new(),
        clock: Arc::new(SystemClock),
    };
    for (toml, expected) in [
        ("[twilio]\naccount_sid='AC1'\nfrom='+33'", "channels.twilio.auth_token: is missing. Cure: "),
        (
            "[sms]\nkind='twillio'",
            "channels.sms.kind: 'twillio' is no kind of channel. Cure: one of bluesky, http, ",
        ),
        ("[twilio]\naccount_sid='AC1'\nfrom='+33'\nauth_token=''", "channels.twilio.auth_token: is empty"),
        ("[twilio]\nsid='AC1'", "channels.twilio.sid: unknown field `sid`"),
    ] {
        let errors = Channels::build(&config(toml), &context).err().unwrap_or_default();
        assert!(errors.iter().any(|e| e.starts_with(expected)), "{errors:?} should begin with {expected}");
    }
}

/// What Twilio answers, or does not, and what it means for the message.
#[tokio::test]
async fn every_fault_of_the_provider_has_its_outcome() {
    let cases: Vec<(Answer, &str)> = vec![
        (json(201, r#"{"sid":"SM9"}"#), "sent SM9"),
        (json(201, "{}"), "in doubt"),
        (json(201, "not json"), "in doubt"),
        (Answer::Silence, "in doubt"),
        (Answer::Reset, "in doubt"),
        (json(429, "{}"), "retry"),
        (Answer::Http(429, "retry-after: 7\r\n", "{}".into()), "retry after 7"),
        (json(401, r#"{"code":20003}"#), "retry"),
        (json(400, r#"{"code":21211}"#), "permanent"),
        (json(400, r#"{"code":21610}"#), "blocked"),
        (json(404, ""), "permanent"),
        (json(500, "{}"), "in doubt"),
        (json(503, "<html>"), "in doubt"),
    ];
    for (answer, expected) in cases {
        let provider = Provider::start(vec![answer.clone()]).await;
        let keys = format!(
            "account_sid = 'AC1'\nauth_token = '12345'\nfrom = '+15551110000'\napi_url = '{}'",
            provider.url
        );
        let channel = build("twilio", "twilio", &keys).unwrap();
        let message = outgoing("+33612345678", "Prochain départ 18h04");
        assert_eq!(outcome(&*channel, &message).await, expected, "{answer:?}");
        assert_eq!(provider.requests().len(), 1, "{answer:?}: one try each");
    }
}
