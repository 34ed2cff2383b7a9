use crate::channels::{BuildContext, Channels};
use crate::cli::user::{self, UserCommand};
use crate::clock::{Clock, ManualClock};
use crate::config::{ChannelConfig, Config};
use crate::desk::hours::Calendar;
use crate::http::{AppState, api, assets, auth, console, live};
use crate::model::{
    Actor, ConversationId, ConversationState, EventKind, Fact, IntentScore, Lang, Media, MessageId, NewEvent,
    ProviderCall, Role, Suspicion, Timestamp, Tone, Understanding,
};
use crate::store::{Ingest, Store};
use axum::Router;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
pub(in crate::http) const PASSWORD: &str = "correct horse";
pub(in crate::http) const XSS: &str = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'";

pub(in crate::http) struct App {
    pub(in crate::http) base: String,
    client: Client,
    pub(in crate::http) store: Store,
    pub(in crate::http) clock: Arc<ManualClock>,
    pub(in crate::http) conversation: ConversationId,
    _folder: tempfile::TempDir,
}

/// A console on a free port, with Camille (agent) and one conversation that waits.
pub(in crate::http) async fn app() -> App {
    app_with(Config::default()).await
}

pub(in crate::http) async fn app_with(config: Config) -> App {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/g.db", folder.path().display());
    let store = Store::open(&url, 2).await.unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let kind = ChannelConfig { kind: "webchat".into(), settings: Default::default() };
    let context = BuildContext { public_url: String::new(), client: Client::new(), clock: clock.clone() };
    let state = AppState {
        store: store.clone(),
        calendar: Calendar::new(config.desk.hours.clone(), config.timezone()),
        clock: clock.clone(),
        on_call: Default::default(),
        config: Arc::new(config),
        channels: Channels::build(&BTreeMap::from([("web".to_owned(), kind)]), &context).unwrap(),
        timetable: Default::default(),
        planner: crate::transit::testing::scheduled(&Default::default()),
        mind: Default::default(),
        stopping: Default::default(),
    };
    let routes = [auth::routes(), console::routes(), api::routes(), live::routes(), assets::routes()];
    let router: Router<AppState> = routes.into_iter().fold(Router::new(), Router::merge);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = router.with_state(state).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let command = UserCommand::Add {
        login: "camille".into(),
        name: format!("Camille {XSS}"),
        role: Role::Agent,
        password_stdin: true,
    };
    user::run(command, &store, &*clock, &mut PASSWORD.as_bytes()).await.unwrap();
    let conversation = waiting(&store, XSS).await;
    App {
        base,
        client: Client::builder().redirect(redirect::Policy::none()).build().unwrap(),
        store,
        clock,
        conversation,
        _folder: folder,
    }
}

/// A queued conversation in which everything a stranger can choose is `text`.
async fn waiting(store: &Store, text: &str) -> ConversationId {
    let mut tx = store.begin().await.unwrap();
    let inbound = Ingest {
        channel: "web",
        address: text,
        provider_id: text,
        text,
        media: &[Media { kind: text.into(), url: text.into() }],
        ..Ingest::default()
    };
    let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    let message = tx.messages(id, 0, 1).await.unwrap().remove(0);
    let understanding = Understanding {
        lang: Lang::FR,
        intents: vec![IntentScore { intent: text.into(), confidence: 0.5 }],
        entities: Vec::new(),
        questions: Vec::new(),
        tone: Tone::Negative,
        model: text.into(),
    };
    tx.set_understanding(message.id, &understanding).await.unwrap();
    let mut bot = message.clone();
    bot.id = MessageId::new();
    bot.direction = crate::model::Direction::Outbound;
    bot.author = crate::model::Author::Bot;
    bot.facts =
        vec![Fact { value: text.into(), source: text.into(), as_of: Timestamp(i64::MAX), ride: None }];
    bot.provider_id = None;
    tx.insert_message(&mut bot).await.unwrap();
    let failed = crate::model::DeliveryStatus::Failed;
    tx.set_status(&bot, failed, Some(text), None, None).await.unwrap();
    let mut c = tx.conversation(id).await.unwrap().unwrap();
    c.state = ConversationState::Queued;
    c.intent = Some(text.to_owned());
    c.escalated_at = Some(NOW);
    tx.save_conversation(&c).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[derive(Clone)]
pub(in crate::http) struct Session {
    pub(in crate::http) cookie: String,
    pub(in crate::http) csrf: String,
}

impl App {
    pub(in crate::http) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let path = path.replace("{id}", &self.conversation.to_string());
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(in crate::http) async fn try_password(&self, password: &str, cookie: &str) -> Response {
        let form = [("login", "camille"), ("password", password), ("next", "//evil.example")];
        let request = self.ask(Method::POST, "/login").header("cookie", cookie);
        request.form(&form).send().await.unwrap()
    }

    pub(in crate::http) async fn sign_in(&self, cookie: &str) -> Session {
        let answer = self.try_password(PASSWORD, cookie).await;
        assert_eq!((answer.status(), header(&answer, "location")), (StatusCode::SEE_OTHER, "/console"));
        let set = header(&answer, "set-cookie");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"));
        let cookie = set.split(';').next().unwrap().to_owned();
        let page = self.ask(Method::GET, "/console").header("cookie", &cookie);
        let page = page.send().await.unwrap().text().await.unwrap();
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = csrf.split('"').next().unwrap().to_owned();
        Session { cookie, csrf }
    }

    pub(in crate::http) async fn get(&self, session: &Session, path: &str) -> Response {
        let request = self.ask(Method::GET, path).header("cookie", &session.cookie);
        request.send().await.unwrap()
    }

    pub(in crate::http) async fn act(
        &self,
        session: &Session,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Response {
        let mut form = vec![("csrf", session.csrf.as_str())];
        form.extend(fields);
        let path = format!("/console/conversations/{{id}}/{action}");
        let request = self.ask(Method::POST, &path).header("cookie", &session.cookie);
        request.header("accept", "text/html").form(&form).send().await.unwrap()
    }

    pub(in crate::http) async fn state(&self) -> ConversationState {
        let mut tx = self.store.read().await.unwrap();
        tx.conversation(self.conversation).await.unwrap().unwrap().state
    }
}

pub(in crate::http) fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |v| v.to_str().unwrap())
}

#[tokio::test]
async fn a_form_of_our_page_does_what_it_says() {
    let app = app().await;
    let session = app.sign_in("").await;
    let take = "/console/conversations/{id}/take";
    let request = app.ask(Method::POST, take).header("cookie", &session.cookie);
    let request = request.header("x-csrf-token", &session.csrf).header("origin", &app.base);
    let answer = request.header("x-guichet", "1").form(&[("seen", "1")]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(app.state().await, ConversationState::InCharge);
    let login = app.ask(Method::POST, "/login").header("origin", "https://evil.example");
    let login = login.form(&[("login", "camille"), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(login.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sign_in_changes_the_session_and_sign_out_ends_it() {
    let app = app().await;
    let planted = "guichet-desk=chosen-by-an-attacker";
    let first = app.sign_in(planted).await;
    assert_ne!(first.cookie, planted);
    let second = app.sign_in(&first.cookie).await;
    assert_ne!(first.cookie, second.cookie);
    assert_eq!(app.get(&first, "/console").await.status(), StatusCode::SEE_OTHER);
    let out = app.ask(Method::POST, "/logout").header("cookie", &second.cookie);
    let out = out.form(&[("csrf", &second.csrf)]).send().await.unwrap();
    assert!(header(&out, "set-cookie").contains("Max-Age=0"));
    assert_eq!(app.get(&second, "/console").await.status(), StatusCode::SEE_OTHER);

    let third = app.sign_in("").await;
    app.clock.advance(Duration::from_secs(12 * 3600));
    assert_eq!(app.get(&third, "/console").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn wrong_passwords_tell_nothing_and_must_wait() {
    let app = app().await;
    for n in 0..5 {
        assert_eq!(app.try_password("wrong", "").await.status(), StatusCode::UNAUTHORIZED, "{n}");
    }
    let mut tx = app.store.read().await.unwrap();
    let account = tx.account_by_login("camille").await.unwrap().unwrap();
    assert!(account.person.locked(NOW), "in the database too, for other instances and the next start");
    drop(tx);
    let held = app.try_password(PASSWORD, "").await;
    assert_eq!(held.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = header(&held, "retry-after").parse().unwrap();
    app.clock.advance(Duration::from_secs(wait));
    app.sign_in("").await;

    let unknown = [("login", "nobody"), ("password", PASSWORD)];
    let unknown = app.ask(Method::POST, "/login").form(&unknown).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    let unknown = unknown.text().await.unwrap().replace("nobody", "camille");
    let known = app.try_password("wrong", "").await.text().await.unwrap();
    assert_eq!(unknown, known, "an unknown login answers as a known one does");
}

#[tokio::test]
async fn what_strangers_write_stays_text() {
    let app = app().await;
    let session = app.sign_in("").await;
    for path in [
        "/console",
        "/console/fragments/queue",
        "/console/conversations/{id}",
        "/console/fragments/conversations/{id}",
        "/console/reports",
        "/console/reports?from=%3Cscript%3Ealert('x')",
        "/console/conversations/%3Cscript%3Ealert('x')",
    ] {
        let answer = app.get(&session, path).await;
        assert!(header(&answer, "content-security-policy").contains("script-src 'self';"), "{path}");
        assert!(header(&answer, "content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        let body = answer.text().await.unwrap();
        assert!(!body.contains("<script>alert") && !body.contains("<img src=x"), "{path}: {body}");
    }
    let page = app.get(&session, "/console/conversations/{id}").await.text().await.unwrap();
    assert!(page.contains("&lt;script&gt;alert"));
}

#[tokio::test]
async fn a_conversation_from_the_queue_to_its_end_without_a_script() {
    let app = app().await;
    let session = app.sign_in("").await;
    let here = format!("/console/conversations/{}", app.conversation);
    let next = async |fields: &[(&str, &str)]| {
        let request = app.ask(Method::POST, "/console/next").header("cookie", &session.cookie);
        let answer = request.form(&[&[("csrf", &*session.csrf)], fields].concat()).send().await.unwrap();
        header(&answer, "location").to_owned()
    };
    assert_eq!(next(&[("after", &app.conversation.to_string())]).await, "/console");
    assert_eq!(app.state().await, ConversationState::Queued);

    let key = MessageId::new().to_string();
    let early = app.act(&session, "reply", &[("key", &key), ("text", "kept <b>")]).await;
    assert_eq!(early.status(), StatusCode::CONFLICT);
    let page = early.text().await.unwrap();
    assert!(page.contains("kept &lt;b&gt;") && page.contains(&key), "the text is not lost");

    assert_eq!(next(&[]).await, here, "taken with one key");
    assert_eq!(app.state().await, ConversationState::InCharge);
    assert_eq!(app.act(&session, "take", &[]).await.status(), StatusCode::SEE_OTHER);
    for _ in 0..2 {
        let sent = app.act(&session, "reply", &[("key", &key), ("text", "Bonjour\r\n!")]).await;
        assert_eq!((sent.status(), header(&sent, "location")), (StatusCode::SEE_OTHER, here.as_str()));
    }
    let messages = app.store.read().await.unwrap().messages(app.conversation, 2, 9).await.unwrap();
    let texts: Vec<&str> = messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["Bonjour\n!"]);
    let blind = app.act(&session, "resolve", &[("seen", "0")]).await;
    assert_eq!(blind.status(), StatusCode::CONFLICT);
    assert_eq!(app.act(&session, "release", &[]).await.status(), StatusCode::SEE_OTHER);
    app.act(&session, "take", &[]).await;
    app.act(&session, "resolve", &[("seen", "3")]).await;
    assert_eq!(app.state().await, ConversationState::Resolved);

    let bot = app.store.read().await.unwrap().messages(app.conversation, 1, 1).await.unwrap();
    let path = format!("messages/{}/resend", bot[0].id);
    assert_eq!(app.act(&session, &path, &[]).await.status(), StatusCode::SEE_OTHER);
    let events = app.store.read().await.unwrap().events(app.conversation).await.unwrap();
    assert!(events.iter().any(|e| e.kind == EventKind::MessageRetried));
}

#[tokio::test]
async fn an_opt_out_is_seen_and_nothing_can_be_sent() {
    let app = app().await;
    let session = app.sign_in("").await;
    let page = || async { app.get(&session, "/console/conversations/{id}").await.text().await.unwrap() };
    assert!(!page().await.contains("opted-out"));
    app.act(&session, "take", &[]).await;
    let mut tx = app.store.begin().await.unwrap();
    let contact = tx.conversation(app.conversation).await.unwrap().unwrap().contact_id;
    tx.opt_out(contact, None, NOW).await.unwrap();
    let event = NewEvent {
        kind: EventKind::OptedOut,
        actor: Actor::Customer,
        conversation_id: Some(app.conversation),
        message_id: None,
        data: serde_json::json!({}),
    };
    tx.append_event(NOW, event).await.unwrap();
    tx.commit().await.unwrap();

    let shown = page().await;
    assert!(shown.contains("id=\"opted-out\"") && shown.contains("note opted_out"), "{shown}");
    let key = MessageId::new().to_string();
    let refused = app.act(&session, "reply", &[("key", &key), ("text", "kept")]).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let page = refused.text().await.unwrap();
    assert!(page.contains("STOP") && page.contains("START") && page.contains("kept"), "{page}");
}

#[tokio::test]
async fn malformed_requests_are_refused_with_a_problem() {
    let app = app().await;
    let session = app.sign_in("").await;
    for (path, status) in [
        ("/api/reports/response-times?from=x", StatusCode::BAD_REQUEST),
        ("/api/reports/response-times?from=2026-01-02&to=2026-01-01", StatusCode::BAD_REQUEST),
        ("/console/fragments/conversations/0190a0a0-0000-7000-8000-000000000000", StatusCode::NOT_FOUND),
    ] {
        let answer = app.get(&session, path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(header(&answer, "content-type"), "application/problem+json", "{path}");
    }
    for fields in [&[][..], &[("key", "x"), ("text", "y")][..]] {
        let answer = app.act(&session, "reply", fields).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(header(&answer, "content-type").starts_with("text/html"));
    }
    app.clock.advance(Duration::from_secs(1));
    let report = app.get(&session, "/api/reports/response-times").await;
    let report: serde_json::Value = report.json().await.unwrap();
    assert_eq!(report["conversations"], 1);
    assert_eq!(report["clocks"]["first_answer"]["waiting"], 1);
    assert_eq!(report["clocks"]["first_answer"]["wall"]["p50"], serde_json::Value::Null);
    assert_eq!(report["by_channel"]["web"]["conversations"], 1);
}

#[tokio::test]
async fn languages_assets_and_hints() {
    let app = app().await;
    let french = app.ask(Method::GET, "/login").header("accept-language", "fr-FR").send().await.unwrap();
    assert!(french.text().await.unwrap().contains("lang=\"fr\""));
    let chosen = app.ask(Method::GET, "/lang/en?next=//evil.example").send().await.unwrap();
    assert_eq!(header(&chosen, "location"), "/console");
    let cookie = header(&chosen, "set-cookie").split(';').next().unwrap();
    let english = app.ask(Method::GET, "/login").header("cookie", cookie).send().await.unwrap();
    assert!(english.text().await.unwrap().contains("lang=\"en\""));

    let script = app.ask(Method::GET, "/console/assets/desk.js").send().await.unwrap();
    let etag = header(&script, "etag").to_owned();
    let again = app.ask(Method::GET, "/console/assets/desk.js").header("if-none-match", etag);
    assert_eq!(again.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    let missing = app.ask(Method::GET, "/console/assets/x").send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);

    let session = app.sign_in("").await;
    let mut events = app.get(&session, "/console/events").await;
    let hello = events.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&hello).contains("retry"));
    app.act(&session, "take", &[]).await;
    let hint = events.chunk().await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&hint).trim(), format!("data: {}", app.conversation));
    assert_eq!(app.clock.now(), NOW);
}

#[tokio::test]
async fn the_queue_is_filtered_and_filters_are_kept_as_views() {
    let app = app().await;
    let session = app.sign_in("").await;
    let line = format!("c-{}", app.conversation);
    let seen = async |query: &str| {
        let page = app.get(&session, &format!("/console/fragments/queue?{query}")).await;
        assert_eq!(page.status(), StatusCode::OK, "{query}");
        page.text().await.unwrap().contains(&line)
    };
    for (query, expected) in [
        ("", true),
        ("channel=web", true),
        ("channel=sms", false),
        ("priority=normal&tone=", true),
        ("priority=urgent", false),
        ("team=Night", false),
        ("q=ALERT", true),
        ("q=zzz", false),
        ("unknown=1", true),
    ] {
        assert_eq!(seen(query).await, expected, "{query}");
    }
    let post = async |path: &str, fields: &[(&str, &str)]| {
        let request = app.ask(Method::POST, path).header("cookie", &session.cookie).header("x-guichet", "1");
        request.form(&[&[("csrf", &*session.csrf)], fields].concat()).send().await.unwrap().status()
    };
    assert_eq!(
        post("/console/views", &[("name", "x"), ("query", "evil=1")]).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let shared = [("name", XSS), ("query", "channel=sms"), ("shared", "1")];
    assert_eq!(
        post("/console/views", &shared).await,
        StatusCode::FORBIDDEN,
        "an agent's views are their own"
    );
    assert_eq!(post("/console/views", &shared[..2]).await, StatusCode::NO_CONTENT);
    let page = app.get(&session, "/console?channel=sms").await.text().await.unwrap();
    assert!(page.contains("/console?channel=sms") && !page.contains("<script>alert"), "{page}");
    let id = page.split("/console/views/").nth(1).unwrap().split("/delete").next().unwrap();
    assert_eq!(post(&format!("/console/views/{id}/delete"), &[]).await, StatusCode::NO_CONTENT);
    let page = app.get(&session, "/console?channel=sms").await.text().await.unwrap();
    assert!(!page.contains("/delete"));
    assert_eq!(post("/console/presence", &[("presence", "available")]).await, StatusCode::NO_CONTENT);
    assert_eq!(post("/console/presence", &[("presence", "asleep")]).await, StatusCode::BAD_REQUEST);
    let page = app.get(&session, "/console").await.text().await.unwrap();
    assert!(page.contains("dot available"));
}

impl App {
    /// Someone with this role, who has it for a login too.
    async fn hire(&self, role: Role) {
        let command = UserCommand::Add {
            login: role.as_str().into(),
            name: role.as_str().into(),
            role,
            password_stdin: true,
        };
        user::run(command, &self.store, &*self.clock, &mut PASSWORD.as_bytes()).await.unwrap();
    }

    async fn sign_in_as(&self, role: Role) -> Session {
        let form = [("login", role.as_str()), ("password", PASSWORD)];
        let answer = self.ask(Method::POST, "/login").form(&form).send().await.unwrap();
        let cookie = header(&answer, "set-cookie").split(';').next().unwrap().to_owned();
        Session { cookie, csrf: String::new() }
    }
}

#[tokio::test]
async fn the_calls_of_a_message_are_for_admins() {
    let app = app().await;
    let mut tx = app.store.begin().await.unwrap();
    let bot = tx.messages(app.conversation, 1, 1).await.unwrap().remove(0);
    let call = ProviderCall {
        at: NOW,
        took: Duration::from_millis(1_234),
        request: format!("POST api.example/send\n{XSS}"),
        response: XSS.into(),
        status: Some(429),
    };
    tx.insert_call(bot.id, &call).await.unwrap();
    tx.commit().await.unwrap();
    let paths = [format!("/console/messages/{}/trace", bot.id), format!("/api/messages/{}/trace", bot.id)];
    let camille = app.sign_in("").await;
    let link = format!("href=\"/console/messages/{}/trace\"", bot.id);
    let page = app.get(&camille, "/console/conversations/{id}").await.text().await.unwrap();
    assert!(!page.contains(&link));
    for role in [Role::Manager, Role::Admin] {
        app.hire(role).await;
        let session = app.sign_in_as(role).await;
        let expected = if role == Role::Admin { StatusCode::OK } else { StatusCode::FORBIDDEN };
        for path in &paths {
            assert_eq!(app.get(&session, path).await.status(), expected, "{role} {path}");
            assert_eq!(app.get(&camille, path).await.status(), StatusCode::FORBIDDEN, "{path}");
        }
    }
    let admin = app.sign_in_as(Role::Admin).await;
    let page = app.get(&admin, "/console/conversations/{id}").await.text().await.unwrap();
    assert!(page.contains(&link));
    let page = app.get(&admin, &paths[0]).await.text().await.unwrap();
    assert!(page.contains("1234 ms") && page.contains("429") && page.contains("POST api.example"), "{page}");
    assert!(page.contains("&lt;script&gt;alert") && !page.contains("<script>alert"));
    let json: serde_json::Value = app.get(&admin, &paths[1]).await.json().await.unwrap();
    assert_eq!((&json["calls"][0]["took_ms"], &json["calls"][0]["status"]), (&1_234.into(), &429.into()));
    let nobodys = format!("/console/messages/{}/trace", MessageId::new());
    assert_eq!(app.get(&admin, &nobodys).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_delivery_log_counts_by_channel_and_day() {
    let app = app().await;
    let session = app.sign_in("").await;
    app.clock.advance(Duration::from_secs(1));
    let log: serde_json::Value = app.get(&session, "/api/reports/deliveries").await.json().await.unwrap();
    let web = &log["by_channel"]["web"];
    assert_eq!((&web["failed"], &web["delivered"]), (&1.into(), &0.into()));
    assert_eq!(web["cost"], serde_json::Value::Null);
    assert_eq!(web["days"].as_object().unwrap().len(), 1);
    let page = app.get(&session, "/console/reports").await.text().await.unwrap();
    assert!(page.contains("class=\"s-failed\"") && page.contains("<code>web</code>"), "{page}");
}

#[tokio::test]
async fn what_is_in_quarantine_is_let_go_or_confirmed() {
    let app = app().await;
    let session = app.sign_in("").await;
    let mut tx = app.store.begin().await.unwrap();
    let inbound = Ingest {
        channel: "web",
        address: "spammer",
        provider_id: "spam-1",
        text: "gagnez",
        ..Ingest::default()
    };
    let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    let job = tx.claim_jobs(NOW, NOW.plus(Duration::from_secs(60)), 9).await.unwrap();
    let spam = tx.messages(id, 0, 1).await.unwrap().remove(0);
    for job in job.iter().filter(|job| job.message_id == spam.id) {
        tx.complete_job(job).await.unwrap();
    }
    let conversation = tx.lock_conversation(id).await.unwrap().unwrap();
    tx.quarantine(&conversation, Suspicion::Links, NOW).await.unwrap();
    tx.set_aside(&spam, NOW).await.unwrap();
    tx.commit().await.unwrap();
    let queue = app.get(&session, "/console").await.text().await.unwrap();
    let (_, quarantine) = queue.split_once("id=\"s-quarantine\"").unwrap();
    assert!(quarantine.contains("gagnez"), "{queue}");

    let path = format!("/console/conversations/{id}");
    let page = app.get(&session, &path).await.text().await.unwrap();
    assert!(page.contains("quarantine&#x2f;release") && page.contains("quarantine&#x2f;confirm"));
    let act = async |what: &str| {
        let request = app.ask(Method::POST, &format!("{path}/quarantine/{what}"));
        let request = request.header("cookie", &session.cookie).header("x-guichet", "1");
        request.form(&[("csrf", &session.csrf)]).send().await.unwrap().status()
    };
    assert_eq!(act("release").await, StatusCode::NO_CONTENT);
    assert_eq!(act("confirm").await, StatusCode::CONFLICT, "it is no longer there");
    let mut tx = app.store.begin().await.unwrap();
    let later = tx.claim_jobs(NOW, NOW.plus(Duration::from_secs(60)), 9).await.unwrap();
    assert!(later.iter().any(|job| job.set_aside && job.message_id == spam.id), "it is read now");
    tx.quarantine(&conversation, Suspicion::Links, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(act("confirm").await, StatusCode::NO_CONTENT);
    let mut tx = app.store.read().await.unwrap();
    let resolved = tx.conversation(id).await.unwrap().unwrap();
    assert_eq!(resolved.state, ConversationState::Resolved);
    let known = tx.quarantine_of(conversation.contact_id).await.unwrap().unwrap();
    assert_eq!(known.confirmed_at, Some(NOW));
}
