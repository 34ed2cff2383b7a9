//! The routes over a real SQLite file.

use super::*;
use crate::clock::ManualClock;
use crate::config::{ChannelConfig, ChannelSettings};
use crate::model::{
    Agent, AgentId, Author, ConversationId, DeliveryStatus, Direction, Message, MessageId, MessageKind, Role,
    Timestamp,
};
use crate::store::AgentWithHash;
use axum::body::{Body, to_bytes};
use axum::http::Response;
use futures::StreamExt as _;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

const UUID: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

struct Site {
    state: ChatState,
    clock: Arc<ManualClock>,
    router: Router,
    _folder: tempfile::TempDir,
}

async fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("chat.db").display());
    let mut config = Config::default();
    for (name, kind) in [("webchat", ""), ("brand", "webchat"), ("twilio", "")] {
        let kind = kind.to_owned();
        config.channels.insert(name.into(), ChannelConfig { kind, settings: ChannelSettings::default() });
    }
    config.server.webchat_per_minute = 5;
    let clock = Arc::new(ManualClock::at(Timestamp(1_790_000_000_000_000)));
    let state = ChatState {
        store: Store::open(&url, 2).await.unwrap(),
        clock: clock.clone(),
        config: Arc::new(config),
        stopping: CancellationToken::new(),
    };
    let router = routes(&state.config).with_state(state.clone());
    Site { state, clock, router, _folder: folder }
}

impl Site {
    async fn send(&self, request: Request) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn json(&self, request: Request) -> (StatusCode, Value) {
        let response = self.send(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn visitor(&self) -> String {
        let (status, body) = self.json(post_to("/chat/api/sessions", None, "")).await;
        assert_eq!(status, StatusCode::CREATED);
        body["token"].as_str().unwrap().to_owned()
    }

    async fn write(&self, token: &str, client_id: &str, text: &str) -> (StatusCode, Value) {
        let body = json!({ "client_id": client_id, "text": text }).to_string();
        self.json(post_to("/chat/api/messages", Some(token), body)).await
    }

    async fn history(&self, token: &str, after: &str) -> Value {
        let (status, body) =
            self.json(get_from(&format!("/chat/api/messages?after={after}"), Some(token))).await;
        assert_eq!(status, StatusCode::OK);
        body
    }

    async fn conversation(&self, token: &str) -> ConversationId {
        let cursor = self.history(token, "").await["next"].as_str().unwrap().to_owned();
        cursor.split_once('.').unwrap().0.parse().unwrap()
    }

    /// What the worker or the desk would store.
    async fn reply(
        &self,
        conversation_id: ConversationId,
        agent_id: Option<AgentId>,
        status: DeliveryStatus,
    ) -> Message {
        let mut tx = self.state.store.begin().await.unwrap();
        let written = tx.messages(conversation_id, 0, 1).await.unwrap().remove(0);
        let mut message = Message {
            id: MessageId::new(),
            direction: Direction::Outbound,
            author: if agent_id.is_some() { Author::Agent } else { Author::Bot },
            agent_id,
            kind: MessageKind::Answer,
            text: "18:04".into(),
            provider_id: None,
            status,
            created_at: self.state.clock.now(),
            ..written
        };
        tx.insert_message(&mut message).await.unwrap();
        tx.commit().await.unwrap();
        message
    }

    async fn mark_sent(&self, message: &Message) {
        let mut tx = self.state.store.begin().await.unwrap();
        tx.set_status(message, DeliveryStatus::Sent, None, None, None).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn request(method: &str, uri: &str, token: Option<&str>) -> axum::http::request::Builder {
    let builder = axum::http::Request::builder().method(method).uri(uri);
    match token {
        Some(token) => builder.header(header::AUTHORIZATION, format!("Bearer {token}")),
        None => builder,
    }
}

fn get_from(uri: &str, token: Option<&str>) -> Request {
    request("GET", uri, token).body(Body::empty()).unwrap()
}

fn post_to(uri: &str, token: Option<&str>, body: impl Into<Body>) -> Request {
    request("POST", uri, token).header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

fn texts(history: &Value) -> Vec<&str> {
    history["messages"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_is_stored_once_however_often_it_is_sent() {
    let site = site().await;
    let token = site.visitor().await;
    let (status, body) = site.write(&token, UUID, "bonjour").await;
    assert_eq!((status, body["duplicate"].as_bool()), (StatusCode::ACCEPTED, Some(false)));
    // Another spelling of the same id.
    let (status, body) = site.write(&token, &UUID.to_uppercase(), "bonjour").await;
    assert_eq!((status, body["duplicate"].as_bool()), (StatusCode::ACCEPTED, Some(true)));
    let history = site.history(&token, "").await;
    assert_eq!(texts(&history), ["bonjour"]);
    assert_eq!(history["messages"][0]["client_id"], UUID);
    assert_eq!(history["state"], "bot");
}

#[tokio::test]
async fn two_requests_at_once_store_one_message() {
    let site = site().await;
    let token = site.visitor().await;
    let (a, b) = tokio::join!(site.write(&token, UUID, "a"), site.write(&token, UUID, "a"));
    let duplicates = [a, b].map(|(status, body)| (status, body["duplicate"].as_bool()));
    assert!(duplicates.contains(&(StatusCode::ACCEPTED, Some(false))));
    assert!(duplicates.contains(&(StatusCode::ACCEPTED, Some(true))));
}

#[tokio::test]
async fn visitors_are_apart() {
    let site = site().await;
    let (alice, bob) = (site.visitor().await, site.visitor().await);
    site.write(&alice, UUID, "je suis alice").await;
    assert!(texts(&site.history(&bob, "").await).is_empty());
    // Knowing an id of another's is no way to block it, nor does a cursor open it.
    assert_eq!(site.write(&bob, UUID, "je suis bob").await.1["duplicate"], false);
    assert_eq!(texts(&site.history(&bob, "").await), ["je suis bob"]);
    let before = format!("{}.000000000", site.conversation(&alice).await);
    assert!(!texts(&site.history(&bob, &before).await).contains(&"je suis alice"));
    // Nor does the other channel.
    let (status, _) = site.json(get_from("/chat/brand/api/messages", Some(&alice))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    // What the database holds is not what the browser sends.
    let contact = site.state.store.read().await.unwrap().contact_by_address("webchat", &alice).await.unwrap();
    assert_eq!(contact, None);
}

#[tokio::test]
async fn bad_input_is_refused_and_nothing_of_it_is_stored() {
    let site = site().await;
    let token = site.visitor().await;
    let long = "é".repeat(api::MAX_CHARS + 1);
    let message = |text: &str| json!({ "client_id": UUID, "text": text }).to_string().into_bytes();
    let table: [(&str, Vec<u8>, u16, &str); 15] = [
        ("application/json", message(""), 400, "empty-text"),
        ("application/json", message(" \n\t\u{200b}\u{0}"), 400, "empty-text"),
        ("application/json", message(&long), 413, "too-long"),
        ("application/json", message(&"x".repeat(MAX_BODY)), 413, "too-long"),
        ("application/json", b"".to_vec(), 400, "malformed"),
        ("application/json", b"{".to_vec(), 400, "malformed"),
        ("application/json", b"[]".to_vec(), 400, "malformed"),
        ("application/json", b"{\"text\": \"a\"}".to_vec(), 400, "malformed"),
        (
            "application/json",
            format!("{{\"client_id\":\"{UUID}\",\"text\":7}}").into_bytes(),
            400,
            "malformed",
        ),
        (
            "application/json",
            format!("{{\"client_id\":\"{UUID}\",\"text\":\"\\ud800\"}}").into_bytes(),
            400,
            "malformed",
        ),
        (
            "application/json",
            json!({"client_id": "1", "text": "a"}).to_string().into_bytes(),
            400,
            "malformed",
        ),
        ("application/json", b"{\"text\": \"\xff\"}".to_vec(), 400, "malformed"),
        ("application/json", "[".repeat(60_000).into_bytes(), 400, "malformed"),
        ("text/plain", message("a"), 415, "content-type"),
        ("", message("a"), 415, "content-type"),
    ];
    for (kind, body, status, problem) in table {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let request = request("POST", "/chat/api/messages", Some(&token))
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body))
            .unwrap();
        let (found, body) = site.json(request).await;
        assert_eq!(found.as_u16(), status, "{kind} {shown}");
        assert_eq!(body["type"], format!("/problems/{problem}"), "{kind} {shown}");
    }
    assert!(texts(&site.history(&token, "").await).is_empty());
}

#[tokio::test]
async fn unusual_texts_are_kept_as_written() {
    let site = site().await;
    let token = site.visitor().await;
    let long = "🚆".repeat(api::MAX_CHARS);
    let table = ["👍🏽", "<script>alert(1)</script>", "  deux\nlignes  ", long.as_str()];
    for (i, text) in table.iter().enumerate() {
        let id = format!("00000000-0000-4000-8000-00000000000{i}");
        assert_eq!(site.write(&token, &id, text).await.0, StatusCode::ACCEPTED);
    }
    assert_eq!(texts(&site.history(&token, "").await), table);
}

#[tokio::test]
async fn without_a_session_nothing_is_told_or_taken() {
    let site = site().await;
    let unknown = "A".repeat(43);
    let table = [None, Some(""), Some("short"), Some(unknown.as_str()), Some("é"), Some("a b")];
    for token in table {
        for request in [
            get_from("/chat/api/messages", token),
            get_from("/chat/api/events", token),
            post_to("/chat/api/messages", token, json!({ "client_id": UUID, "text": "a" }).to_string()),
        ] {
            let response = site.send(request).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{token:?}");
            assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        }
    }
}

#[tokio::test]
async fn who_writes_too_fast_is_told_to_wait() {
    let site = site().await;
    let token = site.visitor().await;
    let other = site.visitor().await;
    let id = |i: u32| format!("00000000-0000-4000-8000-0000000000{i:02}");
    for i in 0..5 {
        assert_eq!(site.write(&token, &id(i), "a").await.0, StatusCode::ACCEPTED);
    }
    let body = json!({ "client_id": id(5), "text": "a" }).to_string();
    let refused = site.send(post_to("/chat/api/messages", Some(&token), body)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()[header::RETRY_AFTER], "13");
    assert_eq!(site.write(&other, &id(5), "a").await.0, StatusCode::ACCEPTED);
    site.clock.advance(Duration::from_secs(13));
    assert_eq!(site.write(&token, &id(5), "a").await.0, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn one_network_creates_so_many_sessions() {
    let site = site().await;
    let from = |forwarded: &str, peer: &str| {
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        request("POST", "/chat/api/sessions", None)
            .header("x-forwarded-for", forwarded)
            .extension(axum::extract::ConnectInfo(peer))
            .body(Body::empty())
            .unwrap()
    };
    for _ in 0..SESSIONS_PER_MINUTE {
        assert_eq!(
            site.send(from("9.9.9.9, 2001:db8::1", "127.0.0.1:1")).await.status(),
            StatusCode::CREATED
        );
    }
    let table = [
        // The same /64 through our proxy, and what the caller claims before it is not believed.
        ("8.8.8.8, 2001:db8::2", "127.0.0.1:1", StatusCode::TOO_MANY_REQUESTS),
        ("2001:db8:0:1::1", "127.0.0.1:1", StatusCode::CREATED),
        // Not through a proxy: the header is the caller's.
        ("2001:db8::1", "203.0.113.9:1", StatusCode::CREATED),
        ("nonsense", "[::1]:1", StatusCode::CREATED),
    ];
    for (forwarded, peer, status) in table {
        assert_eq!(site.send(from(forwarded, peer)).await.status(), status, "{forwarded} {peer}");
    }
}

#[tokio::test]
async fn the_history_tells_who_wrote_and_only_what_was_sent() {
    let site = site().await;
    let token = site.visitor().await;
    let agent =
        Agent { id: AgentId::new(), login: "j".into(), name: "Julie Martin".into(), role: Role::Agent };
    let id = agent.id;
    let mut tx = site.state.store.begin().await.unwrap();
    tx.insert_agent(&AgentWithHash { agent, password_hash: String::new() }, Timestamp(0)).await.unwrap();
    tx.commit().await.unwrap();

    site.write(&token, UUID, "bonjour").await;
    let conversation = site.conversation(&token).await;
    let late = site.reply(conversation, None, DeliveryStatus::Pending).await;
    site.reply(conversation, Some(id), DeliveryStatus::Sent).await;
    site.reply(conversation, None, DeliveryStatus::Failed).await;

    let first = site.history(&token, "").await;
    assert_eq!(texts(&first), ["bonjour", "18:04"]);
    assert_eq!(first["messages"][0]["author"], "customer");
    assert_eq!(first["messages"][1]["author"], "agent");
    assert_eq!(first["messages"][1]["name"], "Julie");
    assert_eq!(first["messages"][0]["at"], "2026-09-21T14:13:20Z");

    // The cursor waits for the message that is still on its way.
    site.mark_sent(&late).await;
    let second = site.history(&token, first["next"].as_str().unwrap()).await;
    let ids: Vec<_> = second["messages"].as_array().unwrap().iter().map(|m| m["id"].clone()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], json!(late.id));
    assert_eq!(texts(&site.history(&token, "").await), ["bonjour", "18:04", "18:04"]);
}

#[tokio::test]
async fn the_history_goes_over_all_conversations_in_order() {
    let site = site().await;
    let token = site.visitor().await;
    site.write(&token, UUID, "un").await;
    let mut tx = site.state.store.begin().await.unwrap();
    let mut first = tx.conversation(site.conversation(&token).await).await.unwrap().unwrap();
    first.state = crate::model::ConversationState::Resolved;
    first.resolved_at = Some(site.state.clock.now());
    tx.save_conversation(&first).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(site.history(&token, "").await["state"], "resolved");

    site.clock.advance(Duration::from_secs(60));
    site.write(&token, "00000000-0000-4000-8000-000000000001", "deux").await;
    let history = site.history(&token, "").await;
    assert_eq!(texts(&history), ["un", "deux"]);
    assert_eq!(history["state"], "bot");
    let again = site.history(&token, history["next"].as_str().unwrap()).await;
    assert_eq!((texts(&again).len(), &again["next"]), (0, &history["next"]));
    for bad in ["x", "1.2", &format!("{UUID}."), "%ff"] {
        let (status, _) = site.json(get_from(&format!("/chat/api/messages?after={bad}"), Some(&token))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn live_pages_hear_of_their_own_messages_until_the_server_stops() {
    let site = site().await;
    let (alice, bob) = (site.visitor().await, site.visitor().await);
    let mut events =
        site.send(get_from("/chat/api/events", Some(&alice))).await.into_body().into_data_stream();
    let changed = &b"data: changed\n\n"[..];
    assert_eq!(events.next().await.unwrap().unwrap(), changed);

    site.write(&bob, UUID, "rien pour alice").await;
    assert!(futures::poll!(events.next()).is_pending());
    site.write(&alice, UUID, "bonjour").await;
    assert_eq!(events.next().await.unwrap().unwrap(), changed);
    site.reply(site.conversation(&alice).await, None, DeliveryStatus::Sent).await;
    assert_eq!(events.next().await.unwrap().unwrap(), changed);

    site.state.stopping.cancel();
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn streams_are_bounded_and_given_back() {
    let site = site().await;
    let token = site.visitor().await;
    let open = async || site.send(get_from("/chat/api/events", Some(&token))).await;
    let mut streams = Vec::new();
    let refused = loop {
        let response = open().await;
        if response.status() != StatusCode::OK {
            break response;
        }
        streams.push(response);
    };
    assert_eq!((streams.len(), refused.status()), (6, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(refused.headers()[header::RETRY_AFTER], "30");
    streams.pop();
    assert_eq!(open().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn any_page_may_embed_it() {
    let site = site().await;
    for uri in ["/chat/api/sessions", "/chat/api/messages", "/chat/api/events", "/chat/brand/api/messages"] {
        let response = site.send(request("OPTIONS", uri, None).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "authorization, content-type");
        assert!(!response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
    let widget = site.send(get_from("/widget.js", None)).await;
    assert_eq!(widget.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(widget.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let etag = widget.headers()[header::ETAG].clone();
    for (known, status) in [(etag.to_str().unwrap(), 304), ("W/\"a\", \"b\"", 200)] {
        let request = request("GET", "/widget.js", None).header(header::IF_NONE_MATCH, known);
        assert_eq!(site.send(request.body(Body::empty()).unwrap()).await.status().as_u16(), status);
    }
}

#[tokio::test]
async fn every_channel_of_this_kind_has_its_page() {
    let site = site().await;
    for (uri, status) in [("/chat", 200), ("/chat/brand", 200), ("/chat/twilio", 404), ("/chat.css", 200)] {
        assert_eq!(site.send(get_from(uri, None)).await.status().as_u16(), status, "{uri}");
    }
    let page = site.send(get_from("/chat/brand?lang=en", None)).await;
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = String::from_utf8(to_bytes(page.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
    assert!(html.contains("data-channel=\"brand\"") && html.contains("lang=\"en\""));
}
