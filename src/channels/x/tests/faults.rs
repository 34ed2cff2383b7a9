//! What X answers, or does not, and what it means for the message.

use super::*;
use crate::channels::testing::Answer::{Reset, Silence};

#[tokio::test]
async fn every_fault_of_the_provider_has_its_outcome() {
    let until = "x-rate-limit-limit: 200\r\nx-rate-limit-remaining: 0\r\nx-rate-limit-reset: 1766000090\r\n";
    let problem = |status: u16, kind: &str, detail: &str| {
        json(
            status,
            &format!(
                r#"{{"title":"T","detail":"{detail}","type":"https://api.x.com/2/problems/{kind}","status":{status}}}"#
            ),
        )
    };
    let cases: Vec<(Answer, &str)> = vec![
        (json(200, "{}"), "in doubt"),
        (json(201, "not json"), "in doubt"),
        (Silence, "in doubt"),
        (Reset, "in doubt"),
        (Answer::Http(429, until, "{}".into()), "retry after 91"),
        (Answer::Http(429, "retry-after: 7\r\n", "{}".into()), "retry after 7"),
        (json(429, "{}"), "retry"),
        (problem(401, "x", "Unauthorized"), "retry"),
        (problem(403, "client-forbidden", ""), "retry"),
        (problem(403, "usage-capped", ""), "retry"),
        (problem(403, "x", "You are not allowed to create a Tweet with duplicate content."), "permanent"),
        (json(403, r#"{"errors":[{"code":187,"message":"Status is a duplicate."}]}"#), "permanent"),
        (
            json(403, r#"{"errors":[{"code":349,"message":"You cannot send messages to this user."}]}"#),
            "blocked",
        ),
        (problem(403, "x", "You do not have permission to DM one or more participants."), "blocked"),
        (problem(400, "invalid-request", ""), "permanent"),
        (problem(404, "resource-not-found", ""), "permanent"),
        (json(404, "<html>"), "permanent"),
        (json(500, "{}"), "in doubt"),
        (json(503, ""), "in doubt"),
        (json(302, ""), "in doubt"),
    ];
    let sent = [
        ("7", r#"{"data":{"dm_conversation_id":"1-7","dm_event_id":"9"}}"#),
        ("post:7", r#"{"data":{"id":"9","text":"x"}}"#),
    ];
    for (address, accepted) in sent {
        let all = cases.iter().cloned().chain([(json(201, accepted), "sent 9")]);
        for (answer, expected) in all {
            let provider = Provider::start(vec![answer.clone()]).await;
            let message =
                Outgoing { reply_to: Some("1900".into()), ..outgoing(address, "Prochain train : 8 h 04") };
            assert_eq!(outcome(&*channel(&provider.url), &message).await, expected, "{address}: {answer:?}");
            assert_eq!(provider.requests().len(), 1, "{answer:?} is asked once");
        }
    }
}

#[tokio::test]
async fn without_a_connection_it_is_surely_not_sent() {
    assert_eq!(outcome(&*channel("http://127.0.0.1:9"), &outgoing("7", "x")).await, "retry");
}

fn parts(request: &str) -> (&str, String, Value) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let signed = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default();
    (head.lines().next().unwrap(), signed.to_owned(), serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn a_message_and_an_answer_under_a_post_are_signed_calls() {
    let provider = Provider::start(vec![
        json(201, r#"{"data":{"dm_event_id":"9"}}"#),
        json(201, r#"{"data":{"id":"10"}}"#),
    ])
    .await;
    let channel = channel(&format!("{}/", provider.url));
    assert_eq!(outcome(&*channel, &outgoing("7", "Bonjour")).await, "sent 9");
    let public = Outgoing { reply_to: Some("1900".into()), ..outgoing("post:7", "Bonjour") };
    assert_eq!(outcome(&*channel, &public).await, "sent 10");
    let requests = provider.requests();
    let (line, signed, body) = parts(&requests[0]);
    assert_eq!(line, "POST /2/dm_conversations/with/7/messages HTTP/1.1");
    assert_eq!(body, json!({"text": "Bonjour"}));
    assert!(
        signed.starts_with("OAuth oauth_consumer_key=\"key\", oauth_nonce=\"")
            && signed.contains("oauth_timestamp=\"1766000000\""),
        "{signed}"
    );
    let (line, again, body) = parts(&requests[1]);
    assert_eq!(line, "POST /2/tweets HTTP/1.1");
    assert_eq!(body, json!({"text": "Bonjour", "reply": {"in_reply_to_tweet_id": "1900"}}));
    assert_ne!(signed, again, "each with a nonce of its own");
}

#[tokio::test]
async fn an_address_that_is_none_is_not_asked() {
    let provider = Provider::start(vec![json(500, "")]).await;
    let channel = channel(&provider.url);
    for (address, reply_to) in
        [("", None), ("7/../8", None), ("post:7", None), ("post:7", Some("../1")), ("@me", None)]
    {
        let message = Outgoing { reply_to: reply_to.map(str::to_owned), ..outgoing(address, "x") };
        assert_eq!(outcome(&*channel, &message).await, "permanent", "{address}");
    }
    assert!(provider.requests().is_empty());
}

#[tokio::test]
async fn a_send_in_doubt_is_looked_for_and_only_found_counts() {
    let at = "2025-12-17T19:33:21.000Z";
    let one = |id: &str, sender: &str, text: &str, at: &str| json!({"id": id, "sender_id": sender, "text": text, "created_at": at, "event_type": "MessageCreate"});
    let listed = json!({"data": [
        one("6", OWN, "Voir https://t.co/abc et 8h &amp; 9h", at),
        one("5", OWN, "autre chose", at),
        one("4", "7", "Voir https://guichet.example/x et 8h & 9h", at),
        one("3", OWN, "Voir https://t.co/abc et 8h &amp; 9h", "2025-12-17T19:00:00.000Z"),
    ]});
    let under = |id: &str, text: &str| json!({"id": id, "text": text, "created_at": at, "referenced_tweets": [{"type": "replied_to", "id": "1900"}]});
    let posts = json!({"data": [under("8", "@camille Voir https://t.co/abc et 8h &amp; 9h"), under("7", "@camille non")]});
    let provider = Provider::start(vec![
        json(200, &listed.to_string()),
        json(200, &posts.to_string()),
        json(200, r#"{"meta":{"result_count":0}}"#),
        json(429, "{}"),
    ])
    .await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    let message = Outgoing {
        reply_to: Some("1900".into()),
        ..outgoing("7", "Voir https://guichet.example/x et 8h & 9h")
    };
    assert_eq!(channel.look_up(&message, &trace).await, Lookup::Listed(vec!["6".into()]));
    let public = Outgoing { address: "post:7".into(), ..message.clone() };
    assert_eq!(channel.look_up(&public, &trace).await, Lookup::Listed(vec!["8".into()]));
    for _ in 0..2 {
        assert!(matches!(channel.look_up(&message, &trace).await, Lookup::Unavailable(_)));
    }
    let requests = provider.requests();
    assert!(
        requests[0].starts_with("GET /2/dm_conversations/with/7/dm_events?dm_event.fields=id%2Ctext"),
        "{}",
        requests[0]
    );
    assert!(requests[1].starts_with("GET /2/users/4337869213/tweets?tweet.fields="), "{}", requests[1]);
}

#[tokio::test]
async fn agents_hide_and_like() {
    let provider = Provider::start(vec![json(200, r#"{"data":{"hidden":true}}"#)]).await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    for action in [Moderation::Hide, Moderation::Show, Moderation::Like] {
        assert_eq!(channel.moderate(action, "1900", &trace).await, Ok(()));
    }
    assert!(matches!(
        channel.moderate(Moderation::Delete, "1900", &trace).await,
        Err(SendError::Permanent { .. })
    ));
    assert!(matches!(
        channel.moderate(Moderation::Hide, "1/2", &trace).await,
        Err(SendError::Permanent { .. })
    ));
    let asked: Vec<(String, Value)> =
        provider.requests().iter().map(|r| (parts(r).0.to_owned(), parts(r).2)).collect();
    let line = |line: &str| format!("{line} HTTP/1.1");
    assert_eq!(
        asked,
        [
            (line("PUT /2/tweets/1900/hidden"), json!({"hidden": true})),
            (line("PUT /2/tweets/1900/hidden"), json!({"hidden": false})),
            (line("POST /2/users/4337869213/likes"), json!({"tweet_id": "1900"})),
        ]
    );
}

#[tokio::test]
async fn a_trace_tells_neither_whom_nor_what_nor_the_keys() {
    let provider = Provider::start(vec![json(201, r#"{"data":{"dm_event_id":"9"}}"#)]).await;
    let trace = Trace::new(clock(), &["7766554433"]);
    channel(&provider.url).send(&outgoing("7766554433", "un secret"), &trace).await.unwrap();
    let calls = trace.take();
    let kept = format!("{} {}", calls[0].request, calls[0].response);
    assert!(!kept.contains("7766554433") && !kept.contains("secret") && !kept.contains("token"), "{kept}");
}
