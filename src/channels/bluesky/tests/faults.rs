//! What a server answers, or does not, and what it means for the message.

use super::*;

#[tokio::test]
async fn every_fault_of_the_provider_has_its_outcome() {
    let until = "ratelimit-limit: 5000\r\nratelimit-reset: 1766000090\r\n";
    let named = |status: u16, name: &str| {
        answer(status, &format!(r#"{{"error":"{name}","message":"about did:plc:camille"}}"#))
    };
    // What is answered to the question for the post, and to the record.
    let both: Vec<(Answer, &str, &str)> = vec![
        (answer(200, "not json"), "retry", "in doubt"),
        (Answer::Silence, "retry", "in doubt"),
        (Answer::Reset, "retry", "in doubt"),
        (
            Answer::Http(429, until, r#"{"error":"RateLimitExceeded"}"#.into()),
            "retry after 90",
            "retry after 90",
        ),
        (Answer::Http(429, "retry-after: 7\r\n", "{}".into()), "retry after 7", "retry after 7"),
        (named(429, "RateLimitExceeded"), "retry", "retry"),
        (named(403, "Forbidden"), "retry", "retry"),
        (named(400, "AccountDeactivated"), "retry", "retry"),
        (named(400, "InvalidRequest"), "permanent", "permanent"),
        (named(413, "PayloadTooLarge"), "permanent", "permanent"),
        (named(500, "InternalServerError"), "retry", "in doubt"),
        (named(400, "RecordAlreadyExists"), "retry", "in doubt"),
        (named(502, "UpstreamFailure"), "retry", "in doubt"),
        (answer(503, "<html>"), "retry", "in doubt"),
        (answer(302, ""), "retry", "in doubt"),
    ];
    for (given, asked, created) in both {
        let provider = Provider::start(vec![session("a"), given.clone()]).await;
        assert_eq!(outcome(&*channel(&provider.url), &reply("x")).await, asked, "{given:?}");
        assert_eq!(provider.requests().len(), 2);
        let provider = Provider::start(vec![session("a"), posts(&[post(ASKED, None)]), given.clone()]).await;
        assert_eq!(outcome(&*channel(&provider.url), &reply("x")).await, created, "{given:?}");
        assert_eq!(provider.requests().len(), 3);
    }
    let blocked = with(post(ASKED, None), "/author/viewer/blockedBy", json!(true));
    let no_hash = with(post(ASKED, None), "/cid", Value::Null);
    for (given, expected) in [
        (posts(&[]), "permanent"),
        (answer(200, "{}"), "permanent"),
        (posts(&[blocked]), "blocked"),
        (posts(&[no_hash]), "permanent"),
    ] {
        let provider = Provider::start(vec![session("a"), given]).await;
        assert_eq!(outcome(&*channel(&provider.url), &reply("x")).await, expected);
    }
    let provider = Provider::start(vec![session("a"), posts(&[post(ASKED, None)]), answer(200, "{}")]).await;
    assert_eq!(outcome(&*channel(&provider.url), &reply("x")).await, "in doubt");
    for given in [
        answer(401, r#"{"error":"AuthenticationRequired"}"#),
        answer(400, r#"{"error":"InvalidRequest"}"#),
        answer(500, ""),
        Answer::Reset,
        answer(200, "{}"),
    ] {
        let provider = Provider::start(vec![given.clone()]).await;
        assert_eq!(outcome(&*channel(&provider.url), &reply("x")).await, "retry", "no session: {given:?}");
    }
    assert_eq!(outcome(&*channel("http://127.0.0.1:9"), &reply("x")).await, "retry");
    assert_eq!(outcome(&*channel("http://127.0.0.1:9"), &outgoing("x", "x")).await, "permanent");
}

#[tokio::test]
async fn a_session_that_ended_is_renewed_and_the_call_made_again() {
    let ended = || answer(400, r#"{"error":"ExpiredToken","message":"Token has expired"}"#);
    let provider = Provider::start(vec![
        session("a1"),
        ended(),
        session("a2"),
        posts(&[post(ASKED, None)]),
        ended(),
        // The refresh token has ended too: the password opens a new one.
        ended(),
        session("a3"),
        answer(200, CREATED),
    ])
    .await;
    assert!(outcome(&*channel(&provider.url), &reply("x")).await.starts_with("sent "));
    let calls: Vec<(String, String)> = provider
        .requests()
        .iter()
        .map(|request| {
            let name = request.split("/xrpc/").nth(1).unwrap().split([' ', '?']).next().unwrap();
            let token = request
                .split("authorization: Bearer ")
                .nth(1)
                .map_or("", |rest| rest.split("\r\n").next().unwrap());
            (name.rsplit('.').next().unwrap().to_owned(), token.to_owned())
        })
        .collect();
    let expected = [
        ("createSession", ""),
        ("getPosts", "a1"),
        ("refreshSession", "refresh of a1"),
        ("getPosts", "a2"),
        ("createRecord", "a2"),
        ("refreshSession", "refresh of a2"),
        ("createSession", ""),
        ("createRecord", "a3"),
    ];
    assert_eq!(calls, expected.map(|(name, token)| (name.to_owned(), token.to_owned())));
}

#[tokio::test]
async fn a_send_in_doubt_is_asked_for_by_its_key() {
    let message = reply("Départ 8 h 04");
    let key = posts::record_key(message.id, message.since);
    let uri = format!("at://{OWN}/app.bsky.feed.post/{key}");
    let found = |text: &str| {
        answer(
            200,
            &json!({"uri": uri, "cid": "bafy", "value": {"$type": "app.bsky.feed.post", "text": text}})
                .to_string(),
        )
    };
    let provider = Provider::start(vec![
        session("a"),
        found("Départ 8 h 04"),
        answer(400, r#"{"error":"RecordNotFound","message":"Could not locate record"}"#),
        found("autre chose"),
        answer(500, ""),
    ])
    .await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    assert_eq!(channel.look_up(&message, &trace).await, Lookup::Listed(vec![uri.clone()]));
    assert_eq!(
        channel.look_up(&message, &trace).await,
        Lookup::Listed(vec![]),
        "surely not there: it may be sent again"
    );
    for _ in 0..2 {
        assert!(matches!(channel.look_up(&message, &trace).await, Lookup::Unavailable(_)));
    }
    let asked = format!(
        "GET /xrpc/com.atproto.repo.getRecord?repo=did%3Aplc%3Atrains&collection=app.bsky.feed.post&rkey={key} "
    );
    assert!(provider.requests()[1].starts_with(&asked), "{}", provider.requests()[1]);
}
