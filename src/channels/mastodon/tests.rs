use super::super::testing::{
    Answer, Kept, NOW, Provider, build, clock, json as answer, listen, outcome, outgoing,
};
use super::super::{InboundEvent, InboundMessage};
use super::*;
use crate::model::{Lang, Media};

fn channel(url: &str) -> Arc<dyn Channel> {
    build("mastodon", "mastodon", &format!("url = '{url}'\naccess_token = 't0ken'\npoll = '2s'")).unwrap()
}

fn api(url: &str) -> Arc<Api> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let poll = Duration::from_millis(1);
    Arc::new(Api { base: url.to_owned(), token: Secret::new("t0ken"), poll, client, clock: clock() })
}

fn account(acct: &str, bot: bool) -> Value {
    json!({"id": "23", "username": "camille", "acct": acct, "display_name": "Camille", "bot": bot, "url": "https://m.example/@camille"})
}

fn notification(id: &str, status: &str, visibility: &str, content: &str) -> Value {
    json!({"id": id, "type": "mention", "created_at": "2025-12-17T19:33:21.000Z", "account": account("camille@m.example", false),
        "status": {"id": status, "created_at": "2025-12-17T19:33:20.000Z", "in_reply_to_id": null, "in_reply_to_account_id": null,
            "sensitive": false, "spoiler_text": "", "visibility": visibility, "language": "fr", "content": content,
            "account": account("camille@m.example", false), "media_attachments": [], "mentions": [], "tags": [], "emojis": []}})
}

fn with(mut notification: Value, path: &str, value: Value) -> Value {
    *notification.pointer_mut(path).unwrap() = value;
    notification
}

fn message(notification: &Value) -> Option<InboundMessage> {
    match read::mention(notification)? {
        InboundEvent::Message(message) => Some(message),
        other => panic!("{other:?}"),
    }
}

const ASKED: &str = r#"<p><span class="h-card"><a href="https://s.example/@trains">@<span>trains</span></a></span> prochain train Vitré&nbsp;?</p>"#;

#[test]
fn a_mention_is_read_with_its_visibility() {
    let expected = InboundMessage {
        provider_id: "101".into(),
        address: "public:camille@m.example".into(),
        text: "prochain train Vitré\u{a0}?".into(),
        name: Some("Camille".into()),
        ..InboundMessage::default()
    };
    assert_eq!(message(&notification("1", "101", "public", ASKED)), Some(expected.clone()));
    for visibility in ["unlisted", "private", "direct"] {
        let read = message(&notification("1", "101", visibility, ASKED)).unwrap();
        assert_eq!(read.address, format!("{visibility}:camille@m.example"));
    }
    let plain = notification("1", "101", "public", ASKED);
    let local = with(plain.clone(), "/status/account/acct", json!("camille"));
    assert_eq!(message(&local).unwrap().address, "public:camille");
    let machine = with(plain.clone(), "/status/account/bot", json!(true));
    assert!(message(&machine).unwrap().automatic, "two machines do not talk");
    let nameless = with(plain.clone(), "/status/account/display_name", json!(" "));
    assert_eq!(message(&nameless).unwrap().name.as_deref(), Some("@camille@m.example"));
    let warned = with(plain.clone(), "/status/spoiler_text", json!("trains"));
    assert_eq!(message(&warned).unwrap().text, "trains\nprochain train Vitré\u{a0}?");
    let pictures = json!([{"id": "5", "type": "image", "url": "https://s.example/1.png"}, {"type": "gifv", "url": null, "remote_url": "https://m.example/2.mp4"},
        {"type": "unknown", "url": "https://m.example/3"}, {"type": "audio"}]);
    let media = message(&with(plain.clone(), "/status/media_attachments", pictures)).unwrap().media;
    let one = |kind: &str, url: &str| Media { kind: kind.into(), url: url.into() };
    assert_eq!(
        media,
        [
            one("image/*", "https://s.example/1.png"),
            one("video/*", "https://m.example/2.mp4"),
            one("application/octet-stream", "https://m.example/3")
        ]
    );
    let none = [
        with(plain.clone(), "/type", json!("favourite")),
        with(plain.clone(), "/status", Value::Null),
        with(plain.clone(), "/status/visibility", json!("limited")),
        with(plain.clone(), "/status/id", json!({})),
        with(plain.clone(), "/status/account/acct", json!("")),
        with(plain, "/status/content", json!([])),
        json!(3),
    ];
    for odd in none {
        assert_eq!(message(&odd), None, "{odd}");
    }
}

fn page(notifications: &[Value]) -> Answer {
    answer(200, &Value::from(notifications.to_vec()).to_string())
}

#[tokio::test]
async fn mentions_are_asked_for_from_where_it_had_come() {
    let old = with(
        notification("7", "100", "public", "<p>avant</p>"),
        "/created_at",
        json!("2025-12-17T19:00:00Z"),
    );
    let provider = Provider::start(vec![
        page(&[notification("8", "101", "direct", "<p>un</p>"), old]),
        Answer::Http(
            429,
            "x-ratelimit-reset: 2025-12-17T19:33:20Z\r\n",
            r#"{"error":"Too many requests"}"#.into(),
        ),
        answer(401, r#"{"error":"The access token is invalid"}"#),
        Answer::Reset,
        answer(200, "{}"),
        page(&[
            notification("10", "103", "public", "<p>trois</p>"),
            notification("9", "102", "public", "<p>deux</p>"),
        ]),
        page(&[]),
    ])
    .await;
    let inbox = Arc::new(Kept::default());
    let polling = Polling::new(api(&provider.url), clock()).hurried();
    listen(polling, &inbox, || provider.requests().len() >= 8).await;
    assert_eq!(inbox.texts(), ["un", "deux", "trois"], "what was there before is history");
    let lines: Vec<String> =
        provider.requests().iter().map(|r| r.lines().next().unwrap().to_owned()).collect();
    let path = "GET /api/v1/notifications?types%5B%5D=mention&include_filtered=true&limit=40";
    assert_eq!(lines[0], format!("{path} HTTP/1.1"));
    let from = |line: &String| {
        line.split("min_id=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned()
    };
    let min_ids: Vec<String> = lines[1..8].iter().map(from).collect();
    assert_eq!(min_ids, ["8", "8", "8", "8", "8", "10", "10"]);
    assert!(provider.requests()[0].to_ascii_lowercase().contains("authorization: bearer t0ken"));
}

#[tokio::test]
async fn a_server_without_mentions_is_asked_from_the_beginning() {
    let provider =
        Provider::start(vec![page(&[]), page(&[notification("8", "101", "direct", "<p>un</p>")]), page(&[])])
            .await;
    let inbox = Arc::new(Kept::default());
    listen(Polling::new(api(&provider.url), clock()).hurried(), &inbox, || provider.requests().len() >= 3)
        .await;
    assert!(provider.requests()[1].contains("&min_id=0 "), "{}", provider.requests()[1]);
    assert_eq!(inbox.texts(), ["un"]);
}

fn reply(address: &str, text: &str) -> Outgoing {
    Outgoing { reply_to: Some("101".into()), ..outgoing(address, text) }
}

#[tokio::test]
async fn an_answer_has_the_visibility_the_name_and_a_key() {
    let provider = Provider::start(vec![answer(200, r#"{"id":"900","visibility":"direct"}"#)]).await;
    let channel = channel(&format!("{}/", provider.url));
    for (address, visibility, status) in [
        ("direct:camille@m.example", "direct", "@camille@m.example Départ 8 h 04"),
        ("public:léa_b", "public", "@léa_b Départ 8 h 04"),
    ] {
        let message = Outgoing { lang: Some(Lang::FR), ..reply(address, "Départ 8 h 04") };
        assert_eq!(outcome(&*channel, &message).await, "sent 900");
        let request = provider.requests().pop().unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(head.starts_with("POST /api/v1/statuses HTTP/1.1"), "{head}");
        assert!(head.contains(&format!("idempotency-key: {}", message.id)), "{head}");
        assert_eq!(
            body,
            json!({"status": status, "in_reply_to_id": "101", "visibility": visibility, "language": "fr"})
        );
    }
    for (address, to) in [
        ("camille", Some("101")),
        ("limited:camille", Some("101")),
        ("public:", Some("101")),
        ("public:a b", Some("101")),
        ("public:camille", None),
        ("public:camille", Some("../1")),
    ] {
        let message = Outgoing { reply_to: to.map(str::to_owned), ..outgoing(address, "x") };
        assert_eq!(outcome(&*channel, &message).await, "permanent", "{address}");
    }
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test]
async fn every_fault_of_the_provider_has_its_outcome() {
    let until = "x-ratelimit-limit: 300\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 2025-12-17T19:35:00.123456Z\r\n";
    let cases: Vec<(Answer, &str)> = vec![
        (answer(200, r#"{"id":"9"}"#), "sent 9"),
        (answer(200, r#"{"id":9}"#), "sent 9"),
        (answer(200, "{}"), "in doubt"),
        (answer(200, "not json"), "in doubt"),
        (Answer::Silence, "in doubt"),
        (Answer::Reset, "in doubt"),
        (Answer::Http(429, until, "{}".into()), "retry after 100"),
        (Answer::Http(429, "retry-after: 7\r\n", "{}".into()), "retry after 7"),
        (answer(429, "{}"), "retry"),
        (answer(401, r#"{"error":"The access token was revoked"}"#), "retry"),
        (answer(403, r#"{"error":"This action is outside the authorized scopes"}"#), "retry"),
        (answer(404, r#"{"error":"Record not found"}"#), "permanent"),
        (answer(410, ""), "permanent"),
        (answer(422, r#"{"error":"Validation failed: Text character limit of 500 exceeded"}"#), "permanent"),
        (answer(400, ""), "permanent"),
        (answer(500, "{}"), "in doubt"),
        (answer(503, "<html>"), "in doubt"),
        (answer(302, ""), "in doubt"),
    ];
    for (given, expected) in cases {
        let provider = Provider::start(vec![given.clone()]).await;
        assert_eq!(
            outcome(&*channel(&provider.url), &reply("public:camille", "x")).await,
            expected,
            "{given:?}"
        );
        assert_eq!(provider.requests().len(), 1);
    }
    assert_eq!(outcome(&*channel("http://127.0.0.1:9"), &reply("public:camille", "x")).await, "retry");
}

#[tokio::test]
async fn a_send_in_doubt_is_looked_for_and_so_is_one_whose_key_is_forgotten() {
    let own = r#"{"id":"1","acct":"trains"}"#;
    let status = |id: &str, author: &str, under: &str, content: &str, at: &str| json!({"id": id, "account": {"id": author}, "in_reply_to_id": under, "content": content, "created_at": at});
    let at = "2025-12-17T17:33:30Z";
    let said = r#"<p><span class="h-card">@<span>camille</span></span> Départ 8 h 04<br>voie 3</p>"#;
    let context = json!({"ancestors": [], "descendants": [
        status("201", "23", "101", said, at),
        status("202", "1", "101", "<p>@camille autre chose</p>", at),
        status("203", "1", "99", said, at),
        status("204", "1", "101", said, "2025-12-17T12:00:00Z"),
        status("205", "1", "101", said, at),
    ]});
    let empty = r#"{"ancestors":[],"descendants":[]}"#;
    let provider = Provider::start(vec![
        answer(200, own),
        answer(200, &context.to_string()),
        answer(200, own),
        answer(200, &context.to_string()),
        answer(200, own),
        answer(200, empty),
        answer(200, r#"{"id":"900"}"#),
        answer(500, ""),
    ])
    .await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    let young = reply("public:camille@m.example", "Départ 8 h 04\nvoie 3");
    let old = Outgoing { since: NOW.minus(Duration::from_secs(7_200)), ..young };
    assert_eq!(channel.look_up(&old, &trace).await, Lookup::Listed(vec!["205".into()]));
    // Sent again after the hour, it is looked for before it is published.
    assert_eq!(outcome(&*channel, &old).await, "sent 205");
    assert_eq!(outcome(&*channel, &old).await, "sent 900");
    assert!(matches!(channel.look_up(&old, &trace).await, Lookup::Unavailable(_)));
    assert_eq!(outcome(&*channel, &old).await, "retry", "the question failed, and nothing was sent");
}

#[tokio::test]
async fn a_status_is_liked_and_no_more() {
    let provider = Provider::start(vec![answer(200, r#"{"id":"101","favourited":true}"#)]).await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    assert_eq!(channel.moderate(Moderation::Like, "101", &trace).await, Ok(()));
    for (action, id) in [(Moderation::Hide, "101"), (Moderation::Delete, "101"), (Moderation::Like, "1/2")] {
        assert!(channel.moderate(action, id, &trace).await.is_err());
    }
    assert!(provider.requests()[0].starts_with("POST /api/v1/statuses/101/favourite "));
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn what_it_can_carry() {
    let channel = channel("https://m.example");
    let expected = Capabilities { media: true, public: true, can_be_asked: true, ..Capabilities::text(500) };
    assert_eq!(channel.capabilities(), expected);
    assert!(
        channel.is_public("public:a") && channel.is_public("private:a") && !channel.is_public("direct:a")
    );
    assert_eq!((channel.longest("public:camille"), channel.private_url()), (491, None));
    assert_eq!(channel.parts("public:camille", &"é".repeat(491)).len(), 1);
    assert_eq!(channel.parts("public:camille", &"é".repeat(492)).len(), 2);
    let link = format!("{} https://www.ter.example.fr/{}", "é".repeat(467), "a".repeat(300));
    assert_eq!(channel.parts("public:camille", &link).len(), 1, "a link counts 23");
    assert!(channel.listener().is_some_and(|listener| listener.alone()));
}

#[test]
fn a_configuration_error_names_the_key() {
    for (keys, expected) in [
        ("", "url: is missing"),
        ("url = 'm.example'\naccess_token = 't'", "url: is no http(s) URL. Cure: write https://"),
        ("url = 'https://m.example'\naccess_token = ''", "access_token: is empty"),
        (
            "url = 'https://m.example'\naccess_token = 't'\nmax_characters = 20",
            "max_characters: must be at least",
        ),
        ("url = 'https://m.example'\naccess_token = 't'\npoll = '1s'", "poll: must be at least"),
        ("url = 'https://m.example'\naccess_token = 't'\npol = '1s'", "pol: unknown field"),
    ] {
        let errors = build("mastodon", "mastodon", keys).err().unwrap_or_default();
        let expected = format!("channels.mastodon.{expected}");
        assert!(errors.iter().any(|e| e.starts_with(&expected)), "{errors:?} should begin with {expected}");
    }
}
