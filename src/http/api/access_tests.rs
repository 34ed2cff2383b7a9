//! Who may ask for what: every route of the API, and every way to prove who asks.

use super::super::console::access_tests::{Access, From, Open, Route};
use super::super::console::tests::{App, app, app_with, header};
use super::document::tests::described;
use crate::clock::Clock;
use crate::config::{ApiConfig, Config, SignInConfig};
use crate::desk::tokens::{self, Wanted};
use crate::desk::{people, token};
use crate::model::{Agent, Role, Timestamp};
use crate::store::AuditFilter;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use std::collections::BTreeMap;
use std::time::Duration;

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

/// What opens a door for somebody is done by who has signed in, never with a token.
const BY_A_PERSON: &[&str] = &[
    "/api/invitations",
    "/api/people/{person}/role",
    "/api/people/{person}/reset-password",
    "/api/people/{person}/reset-totp",
];

/// As the table of the pages.
pub const ROUTES: &[Route] = &[
    (GET, "/api/messages/{id}/trace", From(Role::Admin), ""),
    (GET, "/api/reports/deliveries", From(Role::Agent), ""),
    (GET, "/api/reports/satisfaction", From(Role::Agent), ""),
    (GET, "/api/reports/response-times", From(Role::Agent), ""),
    (GET, "/api/openapi.json", Open, ""),
    (GET, "/api/docs", Open, ""),
    (GET, "/api/events", From(Role::Agent), ""),
    (GET, "/api/queue", From(Role::Agent), ""),
    (POST, "/api/queue/next", From(Role::Agent), "{}"),
    (GET, "/api/conversations/{id}", From(Role::Agent), ""),
    (GET, "/api/conversations/{id}/messages", From(Role::Agent), ""),
    (GET, "/api/conversations/{id}/events", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/take", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/release", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/decline", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/transfer", From(Role::Agent), r#"{"agent":"{id}"}"#),
    (POST, "/api/conversations/{id}/snooze", From(Role::Agent), r#"{"until":"2030-01-01T00:00:00Z"}"#),
    (POST, "/api/conversations/{id}/wake", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/hand-back", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/resolve", From(Role::Agent), r#"{"seen":0}"#),
    (POST, "/api/conversations/{id}/reply", From(Role::Agent), r#"{"text":"x"}"#),
    (POST, "/api/conversations/{id}/messages/{message}/resend", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/messages/{message}/withdraw", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/messages/{message}/moderate", From(Role::Agent), r#"{"action":"hide"}"#),
    (POST, "/api/conversations/{id}/quarantine/release", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/quarantine/confirm", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/notes", From(Role::Agent), r#"{"text":"x"}"#),
    (POST, "/api/conversations/{id}/notes/read", From(Role::Agent), ""),
    (POST, "/api/conversations/{id}/tags", From(Role::Agent), r#"{"tag":"x"}"#),
    (POST, "/api/conversations/{id}/tags/remove", From(Role::Agent), r#"{"tag":"x"}"#),
    (POST, "/api/conversations/{id}/link", From(Role::Agent), r#"{"with":"x"}"#),
    (POST, "/api/conversations/{id}/unlink", From(Role::Agent), r#"{"contact":"{id}"}"#),
    (POST, "/api/conversations/{id}/messages/{message}/correct", From(Role::Agent), r#"{"intent":"x.y"}"#),
    (GET, "/api/conversations/{id}/drafts", From(Role::Agent), ""),
    (GET, "/api/conversations/{id}/canned", From(Role::Agent), ""),
    (GET, "/api/intents", From(Role::Agent), ""),
    (GET, "/api/corrections", From(Role::Manager), ""),
    (POST, "/api/corrections/{id}/accept", From(Role::Manager), r#"{"text":"x"}"#),
    (POST, "/api/corrections/{id}/refuse", From(Role::Manager), ""),
    (GET, "/api/handover", From(Role::Agent), ""),
    (GET, "/api/me", From(Role::Agent), ""),
    (PUT, "/api/me/presence", From(Role::Agent), r#"{"presence":"pause"}"#),
    (GET, "/api/me/mentions", From(Role::Agent), ""),
    (GET, "/api/me/sessions", From(Role::Agent), ""),
    (DELETE, "/api/me/sessions", From(Role::Agent), ""),
    (DELETE, "/api/me/sessions/{session}", From(Role::Agent), ""),
    (GET, "/api/me/tokens", From(Role::Agent), ""),
    (DELETE, "/api/me/tokens/{id}", From(Role::Agent), ""),
    (GET, "/api/views", From(Role::Agent), ""),
    (POST, "/api/views", From(Role::Agent), r#"{"name":"x","filters":{"lang":"fr"}}"#),
    (DELETE, "/api/views/{id}", From(Role::Agent), ""),
    (GET, "/api/teams", From(Role::Agent), ""),
    (POST, "/api/teams", From(Role::Manager), r#"{"name":"x"}"#),
    (PUT, "/api/teams/{id}", From(Role::Manager), r#"{"name":"x"}"#),
    (DELETE, "/api/teams/{id}", From(Role::Manager), ""),
    (PUT, "/api/teams/{id}/members/{person}", From(Role::Manager), "{}"),
    (DELETE, "/api/teams/{id}/members/{person}", From(Role::Manager), ""),
    (GET, "/api/seats", From(Role::Agent), ""),
    (PUT, "/api/seats/{person}", From(Role::Manager), r#"{"capacity":2}"#),
    (GET, "/api/people", From(Role::Manager), ""),
    (PUT, "/api/people/{person}/role", From(Role::Admin), r#"{"role":"agent"}"#),
    (PUT, "/api/people/{person}/until", From(Role::Admin), r#"{"until":"2030-01-01T00:00:00Z"}"#),
    (POST, "/api/people/{person}/disable", From(Role::Admin), ""),
    (POST, "/api/people/{person}/enable", From(Role::Admin), ""),
    (POST, "/api/people/{person}/unlock", From(Role::Admin), ""),
    (POST, "/api/people/{person}/reset-password", From(Role::Admin), ""),
    (POST, "/api/people/{person}/reset-totp", From(Role::Admin), ""),
    (GET, "/api/invitations", From(Role::Manager), ""),
    (POST, "/api/invitations", From(Role::Manager), r#"{"role":"agent"}"#),
    (DELETE, "/api/invitations/{hash}", From(Role::Manager), ""),
    (GET, "/api/audit", From(Role::Admin), ""),
    (GET, "/api/hooks", From(Role::Admin), ""),
    (POST, "/api/hooks", From(Role::Admin), r#"{"url":"https://x.example/","kinds":["taken"]}"#),
    (DELETE, "/api/hooks/{id}", From(Role::Admin), ""),
    (POST, "/api/hooks/{id}/switch-on", From(Role::Admin), ""),
    (GET, "/api/hooks/{id}/deliveries", From(Role::Admin), ""),
    (POST, "/api/hooks/{id}/deliveries/{delivery}/send-again", From(Role::Admin), ""),
];

impl App {
    pub(super) async fn token_of(&self, agent: &Agent, read_only: bool, until: Option<Timestamp>) -> String {
        let wanted = Wanted { name: "test", read_only, until };
        tokens::create(&self.store, self.clock.now(), agent, wanted).await.unwrap()
    }

    pub(super) fn with(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.ask(method, path).header("authorization", format!("Bearer {token}"))
    }

    async fn me(&self, token: &str) -> StatusCode {
        self.with(GET, "/api/me", token).send().await.unwrap().status()
    }
}

/// The reason of a problem.
async fn reason(answer: Response) -> String {
    assert_eq!(header(&answer, "content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    problem["type"].as_str().unwrap().trim_start_matches("/problems/").to_owned()
}

#[test]
fn the_document_has_every_route_and_its_role() {
    let role = |access: &Access| match access {
        Open => "anyone".to_owned(),
        From(role) => role.to_string(),
    };
    let table: BTreeMap<String, String> =
        ROUTES.iter().map(|(method, path, access, _)| (format!("{method} {path}"), role(access))).collect();
    assert_eq!(described(), table, "left: the document; right: the table");
}

#[tokio::test]
async fn every_route_with_every_kind_of_token() {
    let app = app().await;
    for (n, route) in ROUTES.iter().enumerate() {
        let (method, path, access, _) = route;
        let From(least) = access else { continue };
        for role in [Role::Agent, Role::Manager, Role::Admin] {
            for read_only in [false, true] {
                let who = format!("{role}-{n}-{read_only}");
                let agent = app.person(&who, role).await;
                let token = app.token_of(&agent, read_only, None).await;
                let subject = app.person(&format!("subject-{who}"), Role::Agent).await;
                let request = app.with(method.clone(), &app.filled(path, subject.id), &token);
                let answer = app.filled_in(request, route, None).send().await.unwrap();
                let status = answer.status();
                if read_only && !method.is_safe() {
                    assert_eq!((status, reason(answer).await), (StatusCode::FORBIDDEN, "read-only".into()));
                } else if role < *least {
                    assert_eq!(
                        (status, reason(answer).await),
                        (StatusCode::FORBIDDEN, "role".into()),
                        "{who} {path}"
                    );
                } else if BY_A_PERSON.contains(path) && !method.is_safe() {
                    assert_eq!((status, reason(answer).await), (StatusCode::FORBIDDEN, "by-token".into()));
                } else {
                    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                    assert!(!refused && !status.is_server_error(), "{who}: {method} {path} {status}");
                    let malformed = [
                        StatusCode::BAD_REQUEST,
                        StatusCode::METHOD_NOT_ALLOWED,
                        StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    ];
                    assert!(!malformed.contains(&status), "{who}: {method} {path} {status}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_token_opens_the_api_only_and_alone_decides_there() {
    let app = app().await;
    let admin = app.person("alix", Role::Admin).await;
    let session = app.session_of(&admin).await;
    let (full, read) = (app.token_of(&admin, false, None).await, app.token_of(&admin, true, None).await);
    for path in ["/console", "/console/people", "/console/me/tokens", "/console/audit"] {
        let answer = app.with(GET, path, &full).send().await.unwrap();
        assert!(header(&answer, "location").starts_with("/login"), "{path}");
    }
    for path in ["/console/fragments/queue", "/console/events"] {
        let answer = app.with(GET, path, &full).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    // With a good session beside it.
    for wrong in ["", "x", "gch_x", &session.csrf, &token::digest(&full), &full[..full.len() - 1]] {
        let answer = app.with(GET, "/api/me", wrong).header("cookie", &session.cookie).send().await.unwrap();
        assert_eq!(header(&answer, "www-authenticate"), "Bearer");
        assert_eq!((answer.status(), reason(answer).await.as_str()), (StatusCode::UNAUTHORIZED, "bad-token"));
    }
    let there = |request: RequestBuilder| {
        request.header("content-type", "application/json").body(r#"{"presence":"pause"}"#).send()
    };
    let both = app.with(PUT, "/api/me/presence", &read).header("cookie", &session.cookie);
    let answer = there(both.header("x-csrf-token", &session.csrf)).await.unwrap();
    assert_eq!(reason(answer).await, "read-only");
    let both = app.with(PUT, "/api/me/presence", &full).header("cookie", &session.cookie);
    assert_eq!(
        there(both.header("origin", "https://evil.example")).await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    // A proxy's own scheme is no token: the session decides, and needs its token against forgery.
    let proxied = |method| app.ask(method, "/api/me/presence").header("authorization", "Basic eDp5");
    let answer = there(proxied(PUT).header("cookie", &session.cookie)).await.unwrap();
    assert_eq!(reason(answer).await, "csrf");
    let named = proxied(PUT).header("cookie", &session.cookie).header("x-csrf-token", &session.csrf);
    assert_eq!(there(named).await.unwrap().status(), StatusCode::NO_CONTENT);
    let case = app.ask(GET, "/api/me").header("authorization", format!("bearer {read}"));
    assert_eq!(case.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_ends_with_what_it_stands_for() {
    let app = app().await;
    let admin = app.person("alix", Role::Admin).await;
    app.person("other-admin", Role::Admin).await;
    let nour = app.person("nour", Role::Agent).await;
    let now = app.clock.now();
    let in_an_hour = now.plus(Duration::from_secs(3600));
    let (short, long) =
        (app.token_of(&nour, true, Some(in_an_hour)).await, app.token_of(&nour, false, None).await);
    assert_eq!((app.me(&short).await, app.me(&long).await), (StatusCode::OK, StatusCode::OK));
    let listed = app.store.read().await.unwrap().tokens_of(nour.id).await.unwrap();
    assert!(listed.iter().all(|token| token.last_used_at == Some(now)));
    app.clock.advance(Duration::from_secs(3600));
    assert_eq!((app.me(&short).await, app.me(&long).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
    let now = app.clock.now();
    // Another's id revokes nothing.
    let id = listed.iter().find(|token| !token.read_only).unwrap().id;
    let others = app.token_of(&admin, false, None).await;
    let path = format!("/api/me/tokens/{id}");
    let answer = app.with(DELETE, &path, &others).send().await.unwrap();
    assert_eq!((answer.status(), app.me(&long).await), (StatusCode::NOT_FOUND, StatusCode::OK));
    assert_eq!(app.with(DELETE, &path, &long).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(app.me(&long).await, StatusCode::UNAUTHORIZED);
    // Another role counts at once; a guest's end, a new password by link and the end of the access too.
    let token = app.token_of(&nour, false, None).await;
    people::set_role(&app.store, now, &admin, nour.id, Role::Manager).await.unwrap();
    assert_eq!(app.with(GET, "/api/people", &token).send().await.unwrap().status(), StatusCode::OK);
    people::set_role(&app.store, now, &admin, nour.id, Role::Agent).await.unwrap();
    assert_eq!(app.with(GET, "/api/people", &token).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let until = Some(now.plus(Duration::from_secs(60)));
    people::set_until(&app.store, now, &admin, nour.id, until).await.unwrap();
    assert_eq!(app.me(&token).await, StatusCode::OK);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(app.me(&token).await, StatusCode::UNAUTHORIZED);
    let now = app.clock.now();
    people::set_until(&app.store, now, &admin, nour.id, None).await.unwrap();
    assert_eq!(app.me(&token).await, StatusCode::OK);
    let link = people::reset_link(&app.store, now, &admin, nour.id).await.unwrap();
    people::choose_password(&app.store, now, &link, "-").await.unwrap();
    assert_eq!(app.me(&token).await, StatusCode::UNAUTHORIZED);
    let token = app.token_of(&nour, false, None).await;
    people::disable(&app.store, now, &admin, nour.id).await.unwrap();
    assert_eq!(app.me(&token).await, StatusCode::UNAUTHORIZED);
    people::enable(&app.store, now, &admin, nour.id).await.unwrap();
    assert_eq!(app.me(&token).await, StatusCode::UNAUTHORIZED, "it does not come back");
}

#[tokio::test]
async fn a_forced_second_step_holds_for_tokens() {
    let mut config = Config::default();
    config.desk.sign_in = SignInConfig { require_totp: vec![Role::Admin] };
    let app = app_with(config).await;
    let (admin, agent) = (app.person("alix", Role::Admin).await, app.person("nour", Role::Agent).await);
    let token = app.token_of(&admin, false, None).await;
    let answer = app.with(GET, "/api/me", &token).send().await.unwrap();
    assert_eq!((answer.status(), reason(answer).await.as_str()), (StatusCode::FORBIDDEN, "second-step"));
    assert_eq!(app.me(&app.token_of(&agent, false, None).await).await, StatusCode::OK);
    let mut tx = app.store.begin().await.unwrap();
    tx.offer_totp(admin.id, Some("SECRET")).await.unwrap();
    assert!(tx.enrol_totp(admin.id, 1).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(app.me(&token).await, StatusCode::OK);
    let mut tx = app.store.begin().await.unwrap();
    tx.remove_totp(admin.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(app.me(&token).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_that_asks_too_often_waits() {
    let config = Config { api: ApiConfig { requests_per_minute: 3 }, ..Config::default() };
    let app = app_with(config).await;
    let agent = app.person("nour", Role::Agent).await;
    let (eager, other) = (app.token_of(&agent, true, None).await, app.token_of(&agent, true, None).await);
    for _ in 0..3 {
        assert_eq!(app.me(&eager).await, StatusCode::OK);
    }
    let answer = app.with(GET, "/api/me", &eager).send().await.unwrap();
    assert_eq!((answer.status(), header(&answer, "retry-after")), (StatusCode::TOO_MANY_REQUESTS, "20"));
    assert_eq!(app.me(&other).await, StatusCode::OK);
    app.clock.advance(Duration::from_secs(20));
    assert_eq!(app.me(&eager).await, StatusCode::OK);
}

#[tokio::test]
async fn only_the_digest_of_a_token_is_kept_and_its_making_is_logged() {
    let app = app().await;
    let agent = app.person("nour", Role::Agent).await;
    let token = app.token_of(&agent, true, None).await;
    assert!(token.starts_with("gch_") && token.len() == 47);
    let mut tx = app.store.read().await.unwrap();
    assert!(tx.token(&token, app.clock.now()).await.unwrap().is_none());
    let holder = tx.token(&token::digest(&token), app.clock.now()).await.unwrap().unwrap();
    tokens::revoke(&app.store, app.clock.now(), &agent, holder.token).await.unwrap();
    let mut tx = app.store.read().await.unwrap();
    let lines = tx.audit_lines(&AuditFilter { action: "", login: "nour" }, i64::MAX, 9).await.unwrap();
    let told: Vec<&str> = lines.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(told, ["token.revoked", "token.created"]);
    assert!(lines.iter().all(|line| !line.data.to_string().contains("gch_")));
    for _ in 0..20 {
        app.token_of(&agent, true, None).await;
    }
    let wanted = Wanted { name: "one more", read_only: true, until: None };
    let refused = tokens::create(&app.store, app.clock.now(), &agent, wanted).await.unwrap_err();
    assert_eq!(refused.code(), "too_many_tokens");
}
