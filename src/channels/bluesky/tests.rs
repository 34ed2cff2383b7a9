use super::super::testing::{
    Answer, Kept, NOW, Provider, build, clock, json as answer, listen, outcome, outgoing,
};
use super::super::{InboundEvent, InboundMessage};
use super::*;
use crate::model::{Lang, Media, MessageId};

mod faults;

const OWN: &str = "did:plc:trains";
const THEIRS: &str = "did:plc:camille";
const ASKED: &str = "at://did:plc:camille/app.bsky.feed.post/3kasked";

fn channel(url: &str) -> Arc<dyn Channel> {
    let keys = format!("identifier = 'trains.example'\napp_password = 'abcd-efgh'\napi_url = '{url}'");
    build("bluesky", "bluesky", &keys).unwrap()
}

fn session(access: &str) -> Answer {
    let body = json!({"did": OWN, "handle": "trains.example", "accessJwt": access, "refreshJwt": format!("refresh of {access}"), "active": true});
    answer(200, &body.to_string())
}

fn post(uri: &str, root: Option<&str>) -> Value {
    let mut record = json!({"$type": "app.bsky.feed.post", "text": "prochain train ?", "createdAt": "2025-12-17T19:33:00Z"});
    if let Some(root) = root {
        record["reply"] =
            json!({"root": {"uri": root, "cid": "bafyroot"}, "parent": {"uri": root, "cid": "bafyroot"}});
    }
    json!({"uri": uri, "cid": "bafyasked", "author": {"did": THEIRS, "handle": "camille.example", "viewer": {"blockedBy": false, "muted": false}},
        "record": record, "indexedAt": "2025-12-17T19:33:01Z"})
}

fn posts(posts: &[Value]) -> Answer {
    answer(200, &json!({"posts": posts}).to_string())
}

fn notification(key: &str, reason: &str, text: &str, reply: Option<(&str, &str)>) -> Value {
    let mut record = json!({"$type": "app.bsky.feed.post", "text": text, "createdAt": "2025-12-17T19:33:00Z", "langs": ["fr"]});
    if let Some((root, parent)) = reply {
        record["reply"] = json!({"root": {"uri": root, "cid": "c1"}, "parent": {"uri": parent, "cid": "c2"}});
    }
    json!({"uri": format!("at://{THEIRS}/app.bsky.feed.post/{key}"), "cid": "bafy", "reason": reason, "record": record, "isRead": false,
        "indexedAt": "2025-12-17T19:33:21.123Z", "labels": [],
        "author": {"did": THEIRS, "handle": "camille.example", "displayName": "Camille", "labels": []}})
}

fn with(mut value: Value, path: &str, new: Value) -> Value {
    *value.pointer_mut(path).unwrap() = new;
    value
}

fn read(notification: &Value) -> Option<InboundMessage> {
    match posts::spoken(OWN, notification)? {
        InboundEvent::Message(message) => Some(message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_said_to_the_account_is_read_and_what_is_said_to_others_is_not() {
    let ours = "at://did:plc:trains/app.bsky.feed.post/3kours";
    let other = "at://did:plc:other/app.bsky.feed.post/3kother";
    let mention = notification("3ka", "mention", "@trains.example prochain train Vitré ?", None);
    let expected = InboundMessage {
        provider_id: "at://did:plc:camille/app.bsky.feed.post/3ka".into(),
        address: "at://did:plc:camille/app.bsky.feed.post/3ka#did:plc:camille".into(),
        text: "prochain train Vitré ?".into(),
        name: Some("Camille".into()),
        ..InboundMessage::default()
    };
    assert_eq!(read(&mention), Some(expected));
    let answer = notification("3kb", "reply", "et le suivant", Some((ASKED, ours)));
    assert_eq!(read(&answer).unwrap().address, format!("{ASKED}#{THEIRS}"), "the thread it is in");
    let named = with(mention.clone(), "/author/displayName", json!(""));
    assert_eq!(read(&named).unwrap().name.as_deref(), Some("camille.example"));
    let label = |src: &str| {
        with(mention.clone(), "/author/labels", json!([{"src": src, "uri": "at://x", "val": "bot"}]))
    };
    assert!(read(&label(THEIRS)).unwrap().automatic && !read(&label("did:plc:joker")).unwrap().automatic);
    let mut pictured = mention.clone();
    pictured["record"]["embed"] = json!({"$type": "app.bsky.embed.images", "images": [
        {"alt": "", "image": {"$type": "blob", "ref": {"$link": "bafkpic"}, "mimeType": "image/jpeg", "size": 1}}, {"image": {"ref": {"$link": "../x"}}}]});
    let url = "https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:camille/bafkpic@jpeg".to_owned();
    assert_eq!(read(&pictured).unwrap().media, [Media { kind: "image/*".into(), url }]);
    let none = [
        notification("3kc", "reply", "entre nous", Some((ours, other))),
        notification("3kd", "reply", "sans fil", None),
        notification("3ke", "quote", "regardez", None),
        notification("3kf", "like", "", None),
        with(mention.clone(), "/author/did", json!(OWN)),
        with(mention.clone(), "/record/$type", json!("app.bsky.feed.like")),
        with(mention.clone(), "/record/text", json!({})),
        with(mention, "/uri", Value::Null),
        json!("x"),
    ];
    for odd in none {
        assert_eq!(read(&odd), None, "{odd}");
    }
}

#[test]
fn a_record_key_is_a_tid_that_a_message_always_has() {
    let key = posts::record_key(MessageId(uuid::Uuid::from_u128(7)), NOW);
    assert_eq!(key, posts::record_key(MessageId(uuid::Uuid::from_u128(7)), NOW));
    let decode = |key: &str| {
        key.bytes().fold(0_u64, |n, b| {
            n << 5 | "234567abcdefghijklmnopqrstuvwxyz".bytes().position(|c| c == b).unwrap() as u64
        })
    };
    let tid = decode(&key);
    assert_eq!((key.len(), tid >> 63, (tid >> 10) / 1_000), (13, 0, 1_766_000_000_000), "{key}");
    // The parts of one answer are made in the same millisecond.
    let keys: std::collections::BTreeSet<String> =
        (0..300).map(|n| posts::record_key(MessageId(uuid::Uuid::from_u128(n)), NOW)).collect();
    assert_eq!(keys.len(), 300);
}

#[test]
fn only_the_address_of_a_post_is_asked_for() {
    assert!(posts::is_post(ASKED) && posts::is_post("at://did:web:a.example/app.bsky.feed.post/self"));
    for wrong in [
        "",
        "at://",
        "at://x/app.bsky.feed.like/1",
        "https://bsky.app/1",
        "at://a/app.bsky.feed.post/",
        "at://a/app.bsky.feed.post/1/2",
        "at://a b/app.bsky.feed.post/1",
    ] {
        assert!(!posts::is_post(wrong), "{wrong}");
    }
}

fn reply(text: &str) -> Outgoing {
    Outgoing {
        reply_to: Some(ASKED.into()),
        lang: Some(Lang::FR),
        ..outgoing(&format!("{ASKED}#{THEIRS}"), text)
    }
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

const CREATED: &str =
    r#"{"uri":"at://did:plc:trains/app.bsky.feed.post/3knew","cid":"bafynew","validationStatus":"valid"}"#;

#[tokio::test]
async fn an_answer_refers_to_its_thread_and_its_links_are_links() {
    let root = "at://did:plc:other/app.bsky.feed.post/3kroot";
    let provider = Provider::start(vec![
        session("a1"),
        posts(&[post(ASKED, None)]),
        answer(200, CREATED),
        posts(&[post(ASKED, Some(root))]),
        answer(200, CREATED),
    ])
    .await;
    let channel = channel(&format!("{}/", provider.url));
    let message = reply("Été : https://ter.example.fr/a, puis voie 3");
    assert_eq!(outcome(&*channel, &message).await, "sent at://did:plc:trains/app.bsky.feed.post/3knew");
    assert_eq!(
        outcome(&*channel, &reply("Départ 8 h 04")).await,
        "sent at://did:plc:trains/app.bsky.feed.post/3knew"
    );
    let requests = provider.requests();
    assert!(requests[0].starts_with("POST /xrpc/com.atproto.server.createSession "));
    assert_eq!(body(&requests[0]), json!({"identifier": "trains.example", "password": "abcd-efgh"}));
    assert!(requests[1].starts_with("GET /xrpc/app.bsky.feed.getPosts?uris=at%3A%2F%2Fdid%3Aplc%3Acamille%2Fapp.bsky.feed.post%2F3kasked "), "{}", requests[1]);
    assert!(requests[1].contains("authorization: Bearer a1"));
    let asked = json!({"uri": ASKED, "cid": "bafyasked"});
    let key = posts::record_key(message.id, message.since);
    assert_eq!(
        body(&requests[2]),
        json!({"repo": OWN, "collection": "app.bsky.feed.post", "rkey": key, "record": {
            "$type": "app.bsky.feed.post", "text": message.text, "createdAt": "2025-12-17T19:33:20Z", "langs": ["fr"],
            "reply": {"root": asked, "parent": asked},
            "facets": [{"index": {"byteStart": 8, "byteEnd": 32}, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://ter.example.fr/a"}]}],
        }})
    );
    assert_eq!(
        body(&requests[4])["record"]["reply"],
        json!({"root": {"uri": root, "cid": "bafyroot"}, "parent": asked})
    );
    assert_eq!(body(&requests[4])["record"]["facets"], Value::Null);
}

fn page(notifications: &[Value], cursor: Option<&str>) -> Answer {
    let mut page = json!({"notifications": notifications, "priority": false});
    if let Some(cursor) = cursor {
        page["cursor"] = json!(cursor);
    }
    answer(200, &page.to_string())
}

#[tokio::test]
async fn notifications_are_read_back_to_where_it_had_come() {
    let at = |notification: Value, at: &str| with(notification, "/indexedAt", json!(at));
    let one = |key: &str| notification(key, "mention", key, None);
    let provider = Provider::start(vec![
        session("a"),
        page(&[one("c"), one("b")], Some("older")),
        page(
            &[at(one("a"), "2025-12-17T19:33:20Z"), at(one("history"), "2025-12-17T19:00:00Z")],
            Some("oldest"),
        ),
        page(&[at(one("history"), "2025-12-17T18:00:00Z")], Some("never asked")),
        // Listed late, and before what is known.
        page(
            &[
                one("c"),
                at(one("late"), "2025-12-17T19:30:00Z"),
                one("b"),
                at(one("history"), "2025-12-17T19:00:00Z"),
            ],
            None,
        ),
        page(&[], None),
    ])
    .await;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let api = Arc::new(Api::new(provider.url.clone(), "t".into(), Secret::new("p"), client, clock()));
    let mentions = Arc::new(Mentions { api, poll: Duration::from_millis(1) });
    let inbox = Arc::new(Kept::default());
    listen(Polling::new(mentions, clock()).hurried(), &inbox, || provider.requests().len() >= 7).await;
    assert_eq!(
        inbox.texts(),
        ["a", "b", "c", "late"],
        "in their order, each once; what was there before is history"
    );
    let requests = provider.requests();
    let list = "GET /xrpc/app.bsky.notification.listNotifications?reasons=mention&reasons=reply&limit=50";
    assert!(requests[1].starts_with(&format!("{list} ")), "{}", requests[1]);
    assert!(
        requests[2].starts_with(&format!("{list}&cursor=older "))
            && requests[3].starts_with(&format!("{list}&cursor=oldest "))
    );
    assert!(requests[4].starts_with(&format!("{list} ")), "a page of old ones ends the question");
    let cursor = inbox.taken.lock().unwrap().last().unwrap().cursor.clone();
    assert_eq!(cursor.as_deref(), Some("2025-12-17T19:33:21.123Z"));
}

#[tokio::test]
async fn a_post_is_liked_and_no_more() {
    let provider =
        Provider::start(vec![session("a"), posts(&[post(ASKED, None)]), answer(200, CREATED)]).await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    assert_eq!(channel.moderate(Moderation::Like, ASKED, &trace).await, Ok(()));
    assert!(channel.moderate(Moderation::Hide, ASKED, &trace).await.is_err());
    let body = body(&provider.requests()[2]);
    assert_eq!(
        (&body["collection"], &body["record"]["subject"]),
        (&json!("app.bsky.feed.like"), &json!({"uri": ASKED, "cid": "bafyasked"}))
    );
}

#[test]
fn what_it_can_carry() {
    let channel = channel("https://bsky.social");
    let expected = Capabilities { media: true, public: true, can_be_asked: true, ..Capabilities::text(300) };
    assert_eq!(channel.capabilities(), expected);
    assert!(channel.is_public("anything"));
    assert_eq!(channel.private_url().as_deref(), Some("https://guichet.example/chat"));
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    for (text, parts) in [
        ("é".repeat(300), 1),
        ("é".repeat(301), 2),
        (format!("{}e\u{301}", "e\u{301}".repeat(299)), 1),
        (family.repeat(100), 1),
        (family.repeat(101), 2),
    ] {
        let found = channel.parts("x", &text);
        assert_eq!(found.len(), parts, "{}", text.chars().count());
        assert!(found.iter().all(|part| part.len() <= 3_000 && part.graphemes(true).count() <= 300));
    }
    assert!(channel.listener().is_some_and(|listener| listener.alone()));
}

#[test]
fn a_configuration_error_names_the_key() {
    for (keys, expected) in [
        ("", "identifier: is missing"),
        ("identifier = ' '\napp_password = 'p'", "identifier: is empty"),
        ("identifier = 'a'\napp_password = ''", "app_password: is empty"),
        ("identifier = 'a'\napp_password = 'p'\npoll = '1s'", "poll: must be at least 2s"),
        ("identifier = 'a'\napp_password = 'p'\napi_url = 'x'", "api_url: is no http(s) URL"),
        ("identifier = 'a'\napp_password = 'p'\npassword = 'x'", "password: unknown field"),
    ] {
        let errors = build("bluesky", "bluesky", keys).err().unwrap_or_default();
        let expected = format!("channels.bluesky.{expected}");
        assert!(errors.iter().any(|e| e.starts_with(&expected)), "{errors:?} should begin with {expected}");
    }
}
