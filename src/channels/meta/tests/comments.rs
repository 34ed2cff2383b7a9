//! Public comments on pages and beneath Instagram posts: read, answered and moderated.

use super::super::super::testing::{Provider, clock, json as answer, outgoing};
use super::{channel, read};
use crate::channels::{Edit, InboundEvent, InboundMessage, Moderation, SendError, Trace};
use crate::model::Media;
use serde_json::{Value, json};

fn on_page(value: Value) -> Vec<InboundEvent> {
    let changes = json!([{ "field": "feed", "value": value }]);
    let entry = json!({ "id": "1234", "time": 1_766_000_000, "changes": changes });
    read("messenger", &json!({ "object": "page", "entry": [entry] }))
}

fn on_instagram(field: &str, value: Value) -> Vec<InboundEvent> {
    let changes = json!([{ "field": field, "value": value }]);
    let entry = json!({ "id": "1234", "time": 1_766_000_000, "changes": changes });
    read("instagram", &json!({ "object": "instagram", "entry": [entry] }))
}

fn comment(verb: &str) -> Value {
    json!({
        "item": "comment", "verb": verb, "post_id": "1234_55", "comment_id": "55_66", "parent_id": "1234_55",
        "from": { "id": "77", "name": "Camille R." }, "message": "Le TER de 18h04 est-il à l'heure ?",
        "created_time": 1_765_999_999, "post": { "status_type": "added_photos", "is_published": true },
    })
}

#[test]
fn a_comment_on_a_page_is_a_conversation_of_its_own() {
    let expected = InboundMessage {
        provider_id: "55_66".into(),
        address: "comment:1234_55:77".into(),
        text: "Le TER de 18h04 est-il à l'heure ?".into(),
        name: Some("Camille R.".into()),
        ..InboundMessage::default()
    };
    assert_eq!(on_page(comment("add")), vec![InboundEvent::Message(expected.clone())]);
    let edit = Edit {
        provider_id: "55_66".into(),
        revision: "1766000000".into(),
        address: "comment:1234_55:77".into(),
        text: expected.text.clone(),
    };
    assert_eq!(on_page(comment("edited")), vec![InboundEvent::Edit(edit)]);

    let mut nameless = comment("add");
    nameless.as_object_mut().unwrap().remove("from");
    let [InboundEvent::Message(message)] = &on_page(nameless)[..] else { panic!() };
    assert_eq!(message.address, "comment:1234_55:55_66", "two unknown authors are not one");

    let mut photo = comment("add");
    photo["photo"] = json!("https://c/1.jpg");
    let [InboundEvent::Message(message)] = &on_page(photo)[..] else { panic!() };
    assert_eq!(message.media, vec![Media { kind: "image/*".into(), url: "https://c/1.jpg".into() }]);

    let post = json!({ "item": "status", "verb": "add", "post_id": "1234_99", "sender_id": "77",
        "sender_name": "Camille R.", "message": "Bonjour" });
    let [InboundEvent::Message(message)] = &on_page(post)[..] else { panic!() };
    assert_eq!((&*message.address, &*message.provider_id), ("comment:1234_99:77", "1234_99"));
}

#[test]
fn what_needs_no_answer_is_let_go() {
    let own = |mut value: Value| {
        value["from"]["id"] = json!("1234");
        value
    };
    let reaction = json!({ "item": "reaction", "verb": "add", "reaction_type": "like", "post_id": "1234_55",
        "from": { "id": "77" } });
    for value in [
        own(comment("add")),
        own(comment("edited")),
        comment("remove"),
        comment("hide"),
        comment("to_come"),
        reaction,
        json!({ "item": "comment", "verb": "add" }),
    ] {
        assert_eq!(on_page(value.clone()), Vec::new(), "{value}");
    }
    let own = json!({ "id": "179", "from": { "id": "1234", "username": "guichet" }, "text": "merci" });
    assert_eq!(on_instagram("comments", own), Vec::new());
    assert_eq!(on_instagram("story_insights", json!({ "media_id": "1", "exits": 1 })), Vec::new());
}

#[test]
fn comments_and_mentions_on_instagram_are_read() {
    let value = json!({ "id": "17901", "from": { "id": "77", "username": "camille" }, "text": "à quelle heure ?",
        "media": { "id": "18001", "media_product_type": "FEED" }, "parent_id": "17900" });
    let expected = InboundMessage {
        provider_id: "17901".into(),
        address: "comment:18001:77".into(),
        text: "à quelle heure ?".into(),
        name: Some("camille".into()),
        ..InboundMessage::default()
    };
    assert_eq!(on_instagram("comments", value.clone()), vec![InboundEvent::Message(expected.clone())]);
    // One example of the documentation has no list of changes.
    let flat = json!({ "object": "instagram", "entry": [
        { "id": "1234", "time": 1, "field": "live_comments", "value": value },
    ] });
    assert_eq!(read("instagram", &flat), vec![InboundEvent::Message(expected)]);

    let [InboundEvent::Message(mention)] =
        &on_instagram("mentions", json!({ "comment_id": "17905", "media_id": "18009" }))[..]
    else {
        panic!()
    };
    assert_eq!((&*mention.address, &*mention.provider_id), ("mention:18009:17905", "17905"));
    assert!(channel("instagram", "").is_public(&mention.address));
}

/// The first line and the body of the one request that a send makes.
async fn sent(kind: &str, address: &str, reply_to: Option<&str>) -> Result<(String, Value), SendError> {
    let provider = Provider::start(vec![answer(200, r#"{"id":"55_67"}"#)]).await;
    let channel = channel(kind, &format!("api_url = '{}'", provider.url));
    let mut message = outgoing(address, "Oui, à l'heure.");
    message.reply_to = reply_to.map(str::to_owned);
    message.heard_at = None;
    let trace = Trace::new(clock(), &[]);
    assert_eq!(channel.send(&message, &trace).await?, Some("55_67".into()));
    let request = provider.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    Ok((head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap()))
}

#[tokio::test]
async fn an_answer_is_put_under_the_comment() {
    for (kind, address, reply_to, path, body) in [
        (
            "messenger",
            "comment:1234_55:77",
            "55_66",
            "55_66/comments",
            json!({ "message": "Oui, à l'heure." }),
        ),
        (
            "messenger",
            "comment:1234_55:77",
            "55_66~1766",
            "55_66/comments",
            json!({ "message": "Oui, à l'heure." }),
        ),
        ("instagram", "comment:18001:77", "17901", "17901/replies", json!({ "message": "Oui, à l'heure." })),
        (
            "instagram",
            "mention:18009:17905",
            "17905",
            "1234/mentions",
            json!({ "media_id": "18009", "comment_id": "17905", "message": "Oui, à l'heure." }),
        ),
        (
            "instagram",
            "mention:18009:caption",
            "18009",
            "1234/mentions",
            json!({ "media_id": "18009", "message": "Oui, à l'heure." }),
        ),
    ] {
        let (line, sent) = sent(kind, address, Some(reply_to)).await.unwrap();
        assert_eq!((line.as_str(), sent), (&*format!("POST /v25.0/{path} HTTP/1.1"), body));
    }
    for reply_to in [None, Some(""), Some("../me"), Some("1?fields=x")] {
        let refused = sent("messenger", "comment:1:2", reply_to).await;
        assert!(matches!(refused, Err(SendError::Permanent { .. })), "{reply_to:?}");
    }
}

#[tokio::test]
async fn agents_hide_show_like_and_delete() {
    use Moderation::{Delete, Hide, Like, Show};
    for (kind, action, line, body) in [
        ("messenger", Hide, "POST /v25.0/55_66 HTTP/1.1", r#"{"is_hidden":true}"#),
        ("messenger", Show, "POST /v25.0/55_66 HTTP/1.1", r#"{"is_hidden":false}"#),
        ("messenger", Like, "POST /v25.0/55_66/likes HTTP/1.1", "{}"),
        ("messenger", Delete, "DELETE /v25.0/55_66 HTTP/1.1", ""),
        ("instagram", Hide, "POST /v25.0/55_66 HTTP/1.1", r#"{"hide":true}"#),
        ("instagram", Show, "POST /v25.0/55_66 HTTP/1.1", r#"{"hide":false}"#),
        ("instagram", Delete, "DELETE /v25.0/55_66 HTTP/1.1", ""),
    ] {
        let provider = Provider::start(vec![answer(200, r#"{"success":true}"#)]).await;
        let channel = channel(kind, &format!("api_url = '{}'", provider.url));
        channel.moderate(action, "55_66", &Trace::new(clock(), &[])).await.unwrap();
        let request = provider.requests().remove(0);
        assert!(request.starts_with(line) && request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    }
    for (kind, action, id) in
        [("instagram", Like, "1"), ("whatsapp", Hide, "1"), ("messenger", Hide, "../me")]
    {
        let refused = channel(kind, "").moderate(action, id, &Trace::new(clock(), &[])).await;
        assert!(matches!(refused, Err(SendError::Permanent { .. })), "{kind}");
    }
}
