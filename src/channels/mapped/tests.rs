use super::super::testing::{Answer, NOW, Provider, build, json, outcome, outgoing};
use super::verify::digest;
use super::*;
use crate::channels::signing::hex;
use crate::model::MessageId;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use mapping::Algorithm;
use proptest::prelude::*;
use std::fmt::Write as _;

/// A provider made up for the tests: one of each thing that a mapping can say.
const MAPPING: &str = r#"settings: [key, from]
carries: { max_chars: 1000, sms: true, media: true }
verify:
  token: { secret: key, header: X-Token }
inbound:
  each: /events
  only: { /kind: [text, photo], /test: false }
  id: /id
  from: /who/number
  plus: true
  text: /said
  name: /who/name
  media: { each: /files, url: /href, kind: /mime }
receipts:
  id: /id
  ours: /ref
  status: /state
  sent: on-its-way
  delivered: [done, read]
  failed: lost
  error: /code
outbound:
  url: http://provider.invalid/send/{{ digits }}?from={{ settings.from }}
  headers: { X-Key: "{{ settings.key }}" }
  json: |
    {"to": {{ to }}, "text": {{ text }},
     "unicode": {{ unicode }}, "ref": {{ id }}, "tell": {{ callback }}}
  answer:
    id: /message/id
    accepted: { /result: [ok, queued] }
    code: /error
    retry: [busy, 7]
    blocked: stopped
    in_doubt: perhaps
    statuses: { retry: [423], in_doubt: [202], permanent: [501] }
"#;
const KEYS: &str = "key = \"secret-key\"\nfrom = \"+33 9\"\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(mapping: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("m.yaml"), mapping).unwrap();
        Self(folder)
    }

    fn build(&self, keys: &str) -> Result<Arc<dyn Channel>, String> {
        let path = self.0.path().join("m.yaml");
        let path = path.display().to_string();
        build("any", "mapped", &format!("mapping = '{path}'\n{keys}"))
            .map_err(|errors| errors.join("\n").replace(&path, "m.yaml"))
    }
}

fn channel(mapping: &str, keys: &str) -> Arc<dyn Channel> {
    Folder::with(mapping).build(keys).unwrap()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const TOKEN: (&str, &str) = ("x-token", "secret-key");

fn receive(
    channel: &dyn Channel,
    (tail, query): (&str, Option<&str>),
    pairs: &[(&str, &str)],
    body: &str,
) -> Result<Vec<InboundEvent>, Refusal> {
    let headers = headers(pairs);
    let request = WebhookRequest { tail, query, headers: &headers, body: body.as_bytes(), now: NOW };
    channel.receive(&request).map(|accepted| accepted.events)
}

#[test]
fn what_is_wrong_in_a_mapping_is_told_with_its_line_and_cure() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("  id: /id\n  from", "  id: id\n  from", KEYS, "mapping: m.yaml:8: "),
        ("", "", KEYS, ""),
        ("max_chars: 1000", "max_chars: 0", KEYS, "carries.max_chars must be"),
        ("said\n", "said\n  texte: /said\n", KEYS, "m.yaml:12: "),
        (
            "verify:\n  token: { secret: key, header: X-Token }",
            "verify: none",
            KEYS,
            "m.yaml:3: verify: none takes",
        ),
        ("header: X-Token", "header: X-Token, query: t", KEYS, "m.yaml:4: verify needs header or query"),
        ("secret: key", "secret: kye", KEYS, "m.yaml:4: 'kye' is not among settings"),
        ("{{ settings.from }}", "{{ settings.form }}", KEYS, "m.yaml:23: outbound url: "),
        ("\"text\": {{ text }},", "\"text\": {{ texte }},", KEYS, "m.yaml:26: outbound json: "),
        ("\"unicode\": {{ unicode }}", "\"unicode\": {{ unicode }", KEYS, "m.yaml:27: outbound json: "),
        ("\"to\": {{ to }}", "\"to\": \"{{ to }}\"", KEYS, "outbound.json gives no JSON"),
        (
            "http://provider.invalid",
            "provider.invalid",
            KEYS,
            "m.yaml:23: outbound.url is no http(s) address",
        ),
        ("  json: |", "  form: { a: b }\n  json: |", KEYS, "outbound has both json and form"),
        ("[key, from]", "[key, from, more]", KEYS, "channels.any.more: is missing"),
        ("", "", "key = \"x\"", "channels.any.from: is missing"),
        ("", "", "key = \"x\"\nfrom = \"y\"\nfrmo = \"z\"", "channels.any.frmo: unknown field"),
    ];
    for (from, to, keys, expected) in cases {
        let text = MAPPING.replacen(from, to, 1);
        match Folder::with(&text).build(keys) {
            Err(error) => {
                assert!(error.contains(expected) && error.contains("Cure: "), "{to}: {error}");
                assert!(!error.contains("secret-key"));
            }
            Ok(_) => assert_eq!(*expected, "", "{to} is accepted"),
        }
    }
    let missing = build("any", "mapped", "mapping = \"no/such.yaml\"").map(|_| ()).unwrap_err();
    assert!(missing[0].starts_with("channels.any.mapping: no/such.yaml cannot be read"), "{missing:?}");
}

#[test]
fn the_shipped_files_load() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/channels");
    for (file, names) in [
        ("vonage", &["api_key", "api_secret", "signature_secret", "from"][..]),
        ("infobip", &["base_url", "api_key", "from", "user", "password"]),
        ("ovh", &["account", "login", "password", "token"]),
    ] {
        let mut keys = format!("mapping = '{folder}/{file}.yaml'\n");
        names.iter().for_each(|name| writeln!(keys, "{name} = \"secret-of-{name}\"").unwrap());
        let channel = build(file, "mapped", &keys).unwrap();
        assert!(channel.capabilities().sms && channel.capabilities().receipts, "{file}");
        assert_eq!(channel.receives_get(""), file == "ovh");
    }
}

#[test]
fn messages_are_read_where_the_mapping_says() {
    let channel = channel(MAPPING, KEYS);
    let body = r#"{"events":[
        {"id":7,"kind":"text","test":false,"who":{"number":"33612345678","name":"Ana"},"said":"Bonjour"},
        {"id":"8","kind":"text","test":true,"who":{"number":"1"}},
        {"id":"9","kind":"call","test":false},
        {"id":"a","kind":"photo","test":false,"who":{"number":"ana@x"},"files":[{"href":"http://f/1","mime":"image/png"},{"mime":"x"},{"href":"http://f/2"}]}]}"#;
    let media = |kind: &str, url: &str| Media { kind: kind.into(), url: url.into() };
    let expected = [
        InboundMessage {
            provider_id: "7".into(),
            address: "+33612345678".into(),
            text: "Bonjour".into(),
            name: Some("Ana".into()),
            ..InboundMessage::default()
        },
        InboundMessage {
            provider_id: "a".into(),
            address: "ana@x".into(),
            media: vec![media("image/png", "http://f/1"), media("application/octet-stream", "http://f/2")],
            ..InboundMessage::default()
        },
    ]
    .map(InboundEvent::Message);
    assert_eq!(receive(channel.as_ref(), ("", None), &[JSON, TOKEN], body).unwrap(), expected);

    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, Refusal);
    let refused: &[Case<'_>] = &[
        ("", &[JSON], body, Refusal::Unsigned),
        ("", &[JSON, ("x-token", "secret-kez")], body, Refusal::BadSignature),
        ("", &[FORM, TOKEN], body, Refusal::ContentType),
        ("", &[JSON, TOKEN], "{", Refusal::Malformed("the body is no JSON")),
        ("", &[JSON], "{", Refusal::Unsigned),
        ("", &[JSON, TOKEN], "{}", Refusal::Malformed("the list of the mapping is missing")),
        (
            "",
            &[JSON, TOKEN],
            r#"{"events":[{"kind":"text","test":false}]}"#,
            Refusal::Malformed("the id or the sender of the mapping is missing, or is no id"),
        ),
        ("/other", &[JSON, TOKEN], body, Refusal::NotFound),
    ];
    for (tail, pairs, body, refusal) in refused {
        assert_eq!(receive(channel.as_ref(), (tail, None), pairs, body).unwrap_err(), *refusal, "{body}");
    }
}

#[test]
fn receipts_say_what_the_mapping_says() {
    let channel = channel(MAPPING, KEYS);
    let ours = MessageId::new();
    let state = |body: &str| {
        let events = receive(channel.as_ref(), ("/status", None), &[JSON, TOKEN], body).unwrap();
        events.into_iter().next().map(|event| match event {
            InboundEvent::Receipt(receipt) => receipt,
            other => panic!("{other:?}"),
        })
    };
    let told = state(&format!(r#"{{"id":"p1","ref":"{ours}","state":"done"}}"#)).unwrap();
    let expected =
        Receipt { provider_id: "p1".into(), message_id: Some(ours), state: ReceiptState::Delivered };
    assert_eq!(told, expected);
    let failed = ReceiptState::Failed("reported as lost, error 42".into());
    assert_eq!(state(r#"{"id":"p1","state":"lost","code":42}"#).unwrap().state, failed);
    assert_eq!(state(r#"{"id":"p1","state":"on-its-way"}"#).unwrap().state, ReceiptState::Sent);
    assert_eq!(state(r#"{"id":"p1","state":"something new"}"#), None);
}

fn signed_mapping(hmac: &str, read: &str) -> String {
    let verify = format!("verify:\n  hmac: {{ secret: key, {hmac} }}");
    let text = MAPPING.replace("verify:\n  token: { secret: key, header: X-Token }", &verify);
    let (start, end) = (text.find("inbound:").unwrap(), text.find("receipts:").unwrap());
    let inbound = format!("inbound: {{ read: {read}, id: /id, from: /from, text: /text }}\n");
    [&text[..start], &inbound, &text[end..]].concat()
}

#[test]
fn every_scheme_takes_what_is_signed_and_nothing_else() {
    let seconds = (NOW.0 / 1_000_000).to_string();
    let late = (NOW.0 / 1_000_000 - 301).to_string();
    let body = r#"{"id":"1","from":"+33","text":"a"}"#;
    let mac = |algorithm, message: &str| digest(algorithm, b"secret-key", message.as_bytes()).unwrap();
    let base64 = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);

    let over_body = channel(&signed_mapping("header: X-Sig, prefix: 'sha1=', algorithm: sha1", "json"), KEYS);
    let good = format!("sha1={}", hex(&mac(Algorithm::Sha1, body)));
    let answers = |channel: &Arc<dyn Channel>, pairs: &[(&str, &str)], body: &str| {
        receive(channel.as_ref(), ("", None), pairs, body).map(|events| events.len())
    };
    assert_eq!(answers(&over_body, &[JSON, ("x-sig", &good)], body), Ok(1));
    assert_eq!(
        answers(&over_body, &[JSON, ("x-sig", &good.to_uppercase().replace("SHA1", "sha1"))], body),
        Ok(1)
    );
    assert_eq!(
        answers(&over_body, &[JSON, ("x-sig", &good)], &body.replace('a', "b")),
        Err(Refusal::BadSignature)
    );
    assert_eq!(answers(&over_body, &[JSON, ("x-sig", "sha1=zz")], body), Err(Refusal::BadSignature));
    assert_eq!(answers(&over_body, &[JSON, ("x-sig", "sha1=")], body), Err(Refusal::BadSignature));
    assert_eq!(answers(&over_body, &[JSON], body), Err(Refusal::Unsigned));

    let hmac =
        "header: X-Sig, encoding: base64, algorithm: sha512, over: timestamp_body, timestamp_header: X-Time";
    let timed = channel(&signed_mapping(hmac, "json"), KEYS);
    let at = |time: &str| base64(mac(Algorithm::Sha512, &format!("{time}.{body}")));
    assert_eq!(answers(&timed, &[JSON, ("x-sig", &at(&seconds)), ("x-time", &seconds)], body), Ok(1));
    assert_eq!(answers(&timed, &[JSON, ("x-sig", &at(&late)), ("x-time", &late)], body), Err(Refusal::Stale));
    assert_eq!(
        answers(&timed, &[JSON, ("x-sig", &at(&late)), ("x-time", &seconds)], body),
        Err(Refusal::BadSignature)
    );
    assert_eq!(answers(&timed, &[JSON, ("x-sig", &at(&seconds))], body), Err(Refusal::Unsigned));

    // As Vonage signs: "&from=…" and so on, & and = of the values as _.
    let hmac = "field: sig, over: sorted_params, timestamp_field: at";
    let sorted = channel(&signed_mapping(hmac, "form"), KEYS);
    let signature = hex(&mac(Algorithm::Sha256, &format!("&at={seconds}&from=+33&id=1&text=1_2_3")));
    let form = format!("text=1%3D2%263&sig={}&id=1&from=%2B33&at={seconds}", signature.to_uppercase());
    assert_eq!(answers(&sorted, &[FORM], &form), Ok(1));
    assert_eq!(answers(&sorted, &[FORM], &form.replace("id=1", "id=2")), Err(Refusal::BadSignature));

    let basic =
        MAPPING.replace("token: { secret: key, header: X-Token }", "basic: { user: from, password: key }");
    let basic = channel(&basic, KEYS);
    let pair = format!("Basic {}", base64(b"+33 9:secret-key".to_vec()));
    assert_eq!(answers(&basic, &[JSON, ("authorization", &pair)], r#"{"events":[]}"#), Ok(0));
    assert_eq!(answers(&basic, &[JSON, ("authorization", "Basic eDp5")], body), Err(Refusal::BadSignature));
    assert_eq!(answers(&basic, &[JSON, ("authorization", "Basic ???")], body), Err(Refusal::BadSignature));

    let query = MAPPING.replace("header: X-Token", "query: t");
    let query = channel(&query, KEYS);
    let asked = |q| receive(query.as_ref(), ("", Some(q)), &[JSON], r#"{"events":[]}"#);
    assert_eq!((asked("a=1&t=secret-key"), asked("t=other")), (Ok(vec![]), Err(Refusal::BadSignature)));

    let open = MAPPING.replace("verify:\n  token: { secret: key, header: X-Token }", "verify: none");
    let open = channel(&open, &format!("insecure = true\n{KEYS}"));
    assert_eq!(answers(&open, &[JSON], r#"{"events":[]}"#), Ok(0));
}

#[tokio::test]
async fn each_answer_has_its_outcome() {
    let cases = [
        (json(200, r#"{"result":"ok","message":{"id":12}}"#), "sent 12"),
        (json(200, r#"{"result":"queued"}"#), "sent"),
        (json(200, r#"{"result":"no","error":"busy"}"#), "retry"),
        (json(200, r#"{"result":"no","error":7}"#), "retry"),
        (json(200, r#"{"result":"no","error":"stopped"}"#), "blocked"),
        (json(200, r#"{"result":"no","error":"perhaps"}"#), "in doubt"),
        (json(200, r#"{"result":"no","error":"bad number"}"#), "permanent"),
        (json(200, r#"{"result":"?"}"#), "in doubt"),
        (json(200, "not json"), "in doubt"),
        (json(400, "{}"), "permanent"),
        (json(400, r#"{"error":"busy"}"#), "retry"),
        (Answer::Http(429, "retry-after: 30\r\n", String::new()), "retry after 30"),
        (json(401, ""), "retry"),
        (json(423, ""), "retry"),
        (json(500, ""), "in doubt"),
        (json(501, ""), "permanent"),
        (Answer::Reset, "in doubt"),
        (Answer::Silence, "in doubt"),
    ];
    for (answer, expected) in cases {
        let provider = Provider::start(vec![answer.clone()]).await;
        let channel = channel(&MAPPING.replace("http://provider.invalid", &provider.url), KEYS);
        let became = outcome(channel.as_ref(), &outgoing("+33612345678", "Bonjour")).await;
        assert_eq!(became, expected, "{answer:?}");
    }
    // Nobody listens there.
    let channel = channel(&MAPPING.replace("http://provider.invalid", "http://127.0.0.1:9"), KEYS);
    assert_eq!(outcome(channel.as_ref(), &outgoing("+33612345678", "Bonjour")).await, "retry");
}

#[tokio::test]
async fn what_is_sent_is_what_the_templates_say() {
    let provider = Provider::start(vec![json(200, r#"{"result":"ok"}"#)]).await;
    let channel = channel(&MAPPING.replace("http://provider.invalid", &provider.url), KEYS);
    let message = outgoing("+33612345678", "Ça \"même\" \\ ?\n</b>");
    assert_eq!(outcome(channel.as_ref(), &message).await, "sent");
    let request = provider.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /send/33612345678?from=%2B33%209 HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains("x-key: secret-key\r\n") && head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    let body: Value = serde_json::from_str(body).unwrap();
    let expected = serde_json::json!({
        "to": "+33612345678", "text": message.text, "unicode": true, "ref": message.id,
        "tell": "https://guichet.example/webhooks/any/status",
    });
    assert_eq!(body, expected);

    let provider = Provider::start(vec![json(200, "{}")]).await;
    let (start, end) = (MAPPING.find("  json: |").unwrap(), MAPPING.find("  answer:").unwrap());
    let form = "  form: { to: '{{ to }}', text: '{{ text }}', kind: '{{ \"unicode\" if unicode else \"text\" }}' }\n  basic: { user: from, password: key }\n  answer: {}\n";
    let text = [&MAPPING[..start], form].concat().replace("http://provider.invalid", &provider.url);
    assert!(end > start);
    let channel = self::channel(&text, KEYS);
    assert_eq!(outcome(channel.as_ref(), &outgoing("+336", "é & =")).await, "sent");
    let request = provider.requests().remove(0);
    assert!(request.ends_with("kind=text&text=%C3%A9+%26+%3D&to=%2B336"), "{request}");
    assert!(request.contains("authorization: Basic KzMzIDk6c2VjcmV0LWtleQ=="), "{request}");
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused(body: Vec<u8>, query in ".{0,60}", status: bool, form: bool) {
        let open = MAPPING.replace("verify:\n  token: { secret: key, header: X-Token }", "verify: none");
        let open = if form { open.replace("inbound:\n", "inbound:\n  read: form\n") } else { open };
        let channel = channel(&open, &format!("insecure = true\n{KEYS}"));
        let headers = headers(&[if form { FORM } else { JSON }]);
        let tail = if status { "/status" } else { "" };
        let request = WebhookRequest { tail, query: Some(&query), headers: &headers, body: &body, now: NOW };
        let _ = channel.receive(&request);
    }

    /// JSON of the right shape with wrong things in it.
    #[test]
    fn any_json_is_read_or_refused(leaves in prop::collection::vec(leaf(), 12)) {
        let mut leaf = leaves.into_iter().cycle();
        let mut next = || leaf.next().unwrap();
        let event = serde_json::json!({
            "id": next(), "kind": "text", "test": false, "who": {"number": next(), "name": next()}, "said": next(),
            "files": [{"href": next(), "mime": next()}, next()],
        });
        let channel = channel(MAPPING, KEYS);
        let body = serde_json::json!({"events": [event, next()]}).to_string();
        for tail in ["", "/status"] {
            for event in receive(channel.as_ref(), (tail, None), &[JSON, TOKEN], &body).unwrap_or_default() {
                if let InboundEvent::Message(message) = event {
                    prop_assert!((1..=MAX_ID).contains(&message.provider_id.len()));
                    prop_assert!((1..=MAX_ID + 1).contains(&message.address.len()));
                }
            }
        }
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,300}".prop_map(Value::from),
        Just(serde_json::json!([])),
        Just(serde_json::json!({"id": {}})),
    ]
}
