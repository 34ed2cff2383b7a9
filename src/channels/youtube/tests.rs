use super::super::InboundMessage;
use super::super::testing::{
    Answer, Kept, NOW, Provider, build, clock, json as answer, listen, outcome, outgoing,
};
use super::*;

const OWN: &str = "UCtrains";

fn channel(url: &str) -> Arc<dyn Channel> {
    let keys = format!(
        "channel_id = '{OWN}'\nclient_id = 'c.apps'\nclient_secret = 's3cret'\nrefresh_token = '1//r'\napi_url = '{url}'\ntoken_url = '{url}/token'"
    );
    build("youtube", "youtube", &keys).unwrap()
}

fn token(access: &str) -> Answer {
    answer(200, &json!({"access_token": access, "expires_in": 3599, "scope": "https://www.googleapis.com/auth/youtube.force-ssl", "token_type": "Bearer"}).to_string())
}

fn comment(id: &str, author: &str, text: &str, at: &str) -> Value {
    json!({"kind": "youtube#comment", "etag": "e", "id": id, "snippet": {"channelId": OWN, "videoId": "v1", "textDisplay": text,
        "authorDisplayName": "@camille", "authorChannelUrl": "http://www.youtube.com/@camille", "authorChannelId": {"value": author},
        "canRate": true, "viewerRating": "none", "likeCount": 0, "publishedAt": at, "updatedAt": at}})
}

fn thread(id: &str, first: Value, replies: &[Value], count: usize) -> Value {
    let mut thread = json!({"kind": "youtube#commentThread", "etag": "e", "id": id, "snippet": {"channelId": OWN, "videoId": "v1",
        "topLevelComment": first, "canReply": true, "totalReplyCount": count, "isPublic": true}});
    if !replies.is_empty() {
        thread["replies"] = json!({"comments": replies});
    }
    thread
}

fn threads(items: &[Value]) -> Answer {
    Answer::Http(
        200,
        "etag: \"tag1\"\r\n",
        json!({"kind": "youtube#commentThreadListResponse", "etag": "tag0", "items": items}).to_string(),
    )
}

const AT: &str = "2025-12-17T19:33:21Z";

#[test]
fn a_comment_is_read_with_its_thread() {
    let first = comment("Ugx1", "UCcamille", "prochain train Vitré ?", AT);
    let expected = InboundMessage {
        provider_id: "Ugx1".into(),
        address: "comment:Ugx1:UCcamille".into(),
        text: "prochain train Vitré ?".into(),
        name: Some("@camille".into()),
        ..InboundMessage::default()
    };
    assert_eq!(read::comment(OWN, "Ugx1", &first), Some(expected));
    let answer = comment("Ugx1.9a", "UClea", "@trains et le suivant ?", AT);
    let item = thread("Ugx1", first, &[answer], 4);
    let read = read::thread(&item).unwrap();
    assert_eq!((read.id.as_str(), read.comments.len(), read.more), ("Ugx1", 2, 4));
    let message = read::comment(OWN, &read.id, read.comments[1]).unwrap();
    assert_eq!((message.address.as_str(), message.text.as_str()), ("comment:Ugx1:UClea", "et le suivant ?"));
    let own = comment("Ugx2", OWN, "notre réponse", AT);
    let mut anonymous = comment("Ugx3", "x", "sans auteur", AT);
    anonymous["snippet"]["authorChannelId"] = Value::Null;
    for odd in [own, anonymous, json!({}), json!({"id": "a", "snippet": 3})] {
        assert_eq!(read::comment(OWN, "Ugx1", &odd), None, "{odd}");
    }
    assert!(read::thread(&json!({"id": "x", "snippet": {}})).is_none());
    assert_eq!(read::thread_of("comment:Ugx1:UClea"), Some("Ugx1"));
    for wrong in ["", "comment:", "comment:a", "comment:a/b:c", "comment::c", "Ugx1:UClea"] {
        assert_eq!(read::thread_of(wrong), None, "{wrong}");
    }
}

fn refused(status: u16, reason: &str) -> Answer {
    let body = json!({"error": {"code": status, "message": "about UCcamille", "errors": [{"message": "m", "domain": "youtube.x", "reason": reason}]}});
    answer(status, &body.to_string())
}

fn reply() -> Outgoing {
    outgoing("comment:Ugx1:UCcamille", "Départ 8 h 04")
}

#[tokio::test]
async fn every_fault_of_the_provider_has_its_outcome() {
    let cases: Vec<(Answer, &str)> = vec![
        (answer(200, r#"{"id":"Ugx1.9b","snippet":{}}"#), "sent Ugx1.9b"),
        (answer(200, "{}"), "in doubt"),
        (answer(200, "not json"), "in doubt"),
        (Answer::Silence, "in doubt"),
        (Answer::Reset, "in doubt"),
        // Until midnight in California, and an hour at most at once.
        (refused(403, "quotaExceeded"), "retry after 3600"),
        (refused(403, "rateLimitExceeded"), "retry"),
        (Answer::Http(429, "retry-after: 7\r\n", "{}".into()), "retry after 7"),
        (refused(401, "authError"), "retry"),
        (refused(403, "insufficientPermissions"), "retry"),
        (refused(403, "accessNotConfigured"), "retry"),
        (refused(403, "forbidden"), "permanent"),
        (refused(403, "commentsDisabled"), "permanent"),
        (refused(400, "commentTextTooLong"), "permanent"),
        (refused(400, "parentCommentIsPrivate"), "permanent"),
        (refused(400, "ineligibleAccount"), "permanent"),
        (refused(404, "parentCommentNotFound"), "permanent"),
        (refused(400, "processingFailure"), "in doubt"),
        (refused(500, "backendError"), "in doubt"),
        (answer(503, "<html>"), "in doubt"),
        (answer(302, ""), "in doubt"),
    ];
    for (given, expected) in cases {
        let provider = Provider::start(vec![token("a"), given.clone()]).await;
        assert_eq!(outcome(&*channel(&provider.url), &reply()).await, expected, "{given:?}");
        assert_eq!(provider.requests().len(), 2);
    }
    for given in [
        answer(400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#),
        answer(500, ""),
        Answer::Reset,
        Answer::Silence,
        answer(200, "{}"),
    ] {
        let provider = Provider::start(vec![given.clone()]).await;
        assert_eq!(outcome(&*channel(&provider.url), &reply()).await, "retry", "no token: {given:?}");
    }
    assert_eq!(outcome(&*channel("http://127.0.0.1:9"), &reply()).await, "retry");
    assert_eq!(outcome(&*channel("http://127.0.0.1:9"), &outgoing("UCcamille", "x")).await, "permanent");
}

fn line(request: &str) -> &str {
    request.lines().next().unwrap()
}

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn an_answer_stands_in_its_thread_and_the_token_is_kept() {
    let sent = || answer(200, r#"{"id":"Ugx1.9b"}"#);
    let provider =
        Provider::start(vec![token("a1"), sent(), sent(), refused(401, "authError"), token("a2"), sent()])
            .await;
    let channel = channel(&provider.url);
    for expected in ["sent Ugx1.9b", "sent Ugx1.9b", "retry", "sent Ugx1.9b"] {
        assert_eq!(outcome(&*channel, &reply()).await, expected);
    }
    let requests = provider.requests();
    assert_eq!(line(&requests[0]), "POST /token HTTP/1.1");
    assert_eq!(
        body(&requests[0]),
        "grant_type=refresh_token&client_id=c.apps&client_secret=s3cret&refresh_token=1%2F%2Fr"
    );
    assert_eq!(line(&requests[1]), "POST /youtube/v3/comments?part=snippet HTTP/1.1");
    let said: Value = serde_json::from_str(body(&requests[1])).unwrap();
    assert_eq!(said, json!({"snippet": {"parentId": "Ugx1", "textOriginal": "Départ 8 h 04"}}));
    let tokens: Vec<bool> = requests.iter().map(|r| r.contains("authorization: Bearer a1")).collect();
    assert_eq!(tokens, [false, true, true, true, false, false]);
}

#[tokio::test]
async fn when_the_units_are_spent_nothing_is_asked() {
    let provider =
        Provider::start(vec![token("a"), refused(403, "quotaExceeded"), answer(200, r#"{"id":"x"}"#)]).await;
    let channel = channel(&provider.url);
    for _ in 0..3 {
        assert_eq!(outcome(&*channel, &reply()).await, "retry after 3600");
    }
    assert_eq!(provider.requests().len(), 2, "the first answer is believed");
}

#[tokio::test]
async fn a_send_in_doubt_is_looked_for_and_only_found_counts() {
    let listed = |items: Value| answer(200, &json!({"items": items}).to_string());
    let provider = Provider::start(vec![
        token("a"),
        listed(json!([
            comment("Ugx1.1", "UClea", "Départ 8 h 04", AT),
            comment("Ugx1.2", OWN, "autre chose", AT),
            comment("Ugx1.3", OWN, "Départ 8 h 04", "2025-12-17T12:00:00Z"),
            comment("Ugx1.4", OWN, "Départ  8 h 04", AT),
        ])),
        listed(json!([])),
        answer(500, ""),
    ])
    .await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    assert_eq!(channel.look_up(&reply(), &trace).await, Lookup::Listed(vec!["Ugx1.4".into()]));
    for _ in 0..2 {
        assert!(matches!(channel.look_up(&reply(), &trace).await, Lookup::Unavailable(_)));
    }
    assert_eq!(
        line(&provider.requests()[1]),
        "GET /youtube/v3/comments?part=snippet&textFormat=plainText&maxResults=100&parentId=Ugx1 HTTP/1.1"
    );
}

fn comments(url: &str) -> Arc<Comments> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let account =
        Account { client_id: "c".into(), client_secret: Secret::new("s"), refresh_token: Secret::new("r") };
    let api = Arc::new(Api {
        base: url.to_owned(),
        token_url: format!("{url}/token"),
        account,
        budget: Budget::new(10_000_000),
        client,
        clock: clock(),
        token: Mutex::default(),
    });
    Arc::new(Comments { api, own: OWN.into(), poll: Duration::from_millis(1), page: Mutex::default() })
}

#[tokio::test]
async fn comments_are_asked_for_and_what_the_list_leaves_out_too() {
    let old = thread("Ugx0", comment("Ugx0", "UCold", "avant", "2025-12-17T19:00:00Z"), &[], 0);
    let first = comment("Ugx1", "UCcamille", "un", AT);
    let ours = comment("Ugx1.1", OWN, "notre réponse", AT);
    let later = comment("Ugx1.3", "UCcamille", "trois", "2025-12-17T19:33:23Z");
    let provider = Provider::start(vec![
        token("a"),
        threads(&[thread("Ugx1", first.clone(), &[], 0), old.clone()]),
        // The database was away: asked again as at first.
        threads(&[thread("Ugx1", first.clone(), &[], 0), old.clone()]),
        Answer::Http(304, "", String::new()),
        threads(&[thread("Ugx1", first.clone(), std::slice::from_ref(&ours), 2), old.clone()]),
        answer(
            200,
            &json!({"items": [later, ours, comment("Ugx1.2", "UClea", "deux", "2025-12-17T19:33:22Z")]})
                .to_string(),
        ),
        // The same number of answers: they are not asked for again.
        threads(&[thread("Ugx1", first, &[ours], 2), old]),
        Answer::Http(304, "", String::new()),
    ])
    .await;
    let inbox = Arc::new(Kept { refuse: std::sync::Mutex::new(1), ..Kept::default() });
    let polling = Polling::new(comments(&provider.url), clock()).hurried();
    listen(polling, &inbox, || provider.requests().len() >= 8).await;
    assert_eq!(inbox.texts(), ["un", "deux", "trois"], "oldest first, none of ours, no history");
    let requests = provider.requests();
    let list = "GET /youtube/v3/commentThreads?part=snippet%2Creplies&order=time&textFormat=plainText&maxResults=100&allThreadsRelatedToChannelId=UCtrains HTTP/1.1";
    assert_eq!(line(&requests[1]), list);
    let tags: Vec<bool> = requests.iter().map(|r| r.contains("if-none-match: \"tag1\"")).collect();
    assert_eq!(tags[..8], [false, false, false, true, true, false, true, true]);
    assert!(line(&requests[5]).contains("/comments?") && line(&requests[6]) == list);
    let cursor = inbox.taken.lock().unwrap()[2].cursor.clone().unwrap();
    assert!(cursor.starts_with("2025-12-17T19:33:23Z 2025-12-17 "), "{cursor}");
}

#[tokio::test]
async fn lists_are_read_back_to_where_it_had_come() {
    let page = |id: &str, at: &str, next: &str| {
        let item = thread(id, comment(id, "UCcamille", id, at), &[], 0);
        answer(200, &json!({"items": [item], "nextPageToken": next}).to_string())
    };
    let provider = Provider::start(vec![
        token("a"),
        page("Ugx3", "2025-12-17T19:33:23Z", "p2"),
        page("Ugx2", "2025-12-17T19:33:22Z", "p3"),
        page("Ugx1", "2025-12-17T18:00:00Z", "p4"),
        Answer::Http(304, "", String::new()),
    ])
    .await;
    let source = comments(&provider.url);
    let fetched = source.ask(None, NOW).await.unwrap();
    assert_eq!(fetched.events.len(), 2);
    assert!(line(&provider.requests()[3]).contains("&pageToken=p3 ") && provider.requests().len() == 4);
}

#[tokio::test]
async fn agents_hold_back_show_and_reject() {
    let provider = Provider::start(vec![token("a"), Answer::Http(204, "", String::new())]).await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    for action in [Moderation::Hide, Moderation::Show, Moderation::Delete] {
        assert_eq!(channel.moderate(action, "Ugx1.9a", &trace).await, Ok(()));
    }
    assert!(channel.moderate(Moderation::Like, "Ugx1", &trace).await.is_err());
    assert!(channel.moderate(Moderation::Hide, "a&b", &trace).await.is_err());
    let lines: Vec<String> = provider.requests()[1..].iter().map(|r| line(r).to_owned()).collect();
    let path = "POST /youtube/v3/comments/setModerationStatus?id=Ugx1.9a&moderationStatus=";
    assert_eq!(
        lines,
        ["heldForReview", "published", "rejected"].map(|status| format!("{path}{status} HTTP/1.1"))
    );
}

#[test]
fn what_it_can_carry() {
    let channel = channel("https://www.googleapis.com");
    let expected = Capabilities { public: true, can_be_asked: true, ..Capabilities::text(10_000) };
    assert_eq!(channel.capabilities(), expected);
    assert!(channel.is_public("comment:a:b"));
    assert_eq!(channel.private_url().as_deref(), Some("https://guichet.example/chat"));
    assert_eq!(
        (channel.parts("x", &"é".repeat(10_000)).len(), channel.parts("x", &"é".repeat(10_001)).len()),
        (1, 2)
    );
    assert!(channel.listener().is_some_and(|listener| listener.alone()));
}

#[test]
fn a_configuration_error_names_the_key() {
    let three = "client_id = 'c'\nclient_secret = 's'\nrefresh_token = 'r'";
    for (keys, expected) in [
        (String::new(), "channel_id: is missing"),
        (format!("channel_id = 'https://x'\n{three}"), "channel_id: is no channel"),
        (
            "channel_id = 'UC'\nclient_id = ''\nclient_secret = 's'\nrefresh_token = 'r'".into(),
            "client_id: is empty",
        ),
        (
            "channel_id = 'UC'\nclient_id = 'c'\nclient_secret = 's'\nrefresh_token = ''".into(),
            "refresh_token: is empty",
        ),
        (format!("channel_id = 'UC'\n{three}\ndaily_units = 100"), "daily_units: must be at least 500"),
        (format!("channel_id = 'UC'\n{three}\npoll = '1s'"), "poll: must be at least 2s"),
        (format!("channel_id = 'UC'\n{three}\ntoken_url = 'x'"), "token_url: is no http(s) URL"),
        (format!("channel_id = 'UC'\n{three}\nkey = 'x'"), "key: unknown field"),
    ] {
        let errors = build("youtube", "youtube", &keys).err().unwrap_or_default();
        let expected = format!("channels.youtube.{expected}");
        assert!(errors.iter().any(|e| e.starts_with(&expected)), "{errors:?} should begin with {expected}");
    }
}
