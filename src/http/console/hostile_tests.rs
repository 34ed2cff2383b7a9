//! What strangers and colleagues can choose the words of, tried as markup; and requests that another site makes in the name
//! of a person. The walk over all routes is in `access_tests`.

use super::tests::{App, PASSWORD, XSS, app_with, header};
use crate::clock::Clock;
use crate::config::{Config, HooksConfig};
use crate::desk::saved_views;
use crate::desk::teams::{self, Wanted as Team};
use crate::desk::tokens::{self, Wanted};
use crate::hooks::{HookKind, manage};
use crate::model::{Agent, AgentId, Role};
use crate::store::Member;
use reqwest::{Method, StatusCode};

fn config() -> Config {
    let hooks = HooksConfig { allow: vec!["x.example".into()], ..HooksConfig::default() };
    Config { hooks, ..Config::default() }
}

/// Everything that people name, named with markup.
async fn named_badly() -> (App, Agent) {
    let app = app_with(config()).await;
    let admin = app.person("alix", Role::Admin).await;
    let (store, now) = (&app.store, app.clock.now());
    let wanted = Wanted { name: XSS, read_only: true, until: None };
    tokens::create(store, now, &admin, wanted).await.unwrap();
    let words = || vec![XSS.to_owned()];
    let team = Team { id: None, name: XSS.into(), languages: Vec::new(), topics: words(), channels: words() };
    let team = teams::save(store, now, &admin, team).await.unwrap();
    let member = Member { team, agent: admin.id, until: None };
    teams::add_member(store, now, &admin, member).await.unwrap();
    saved_views::save(store, now, &admin, XSS, "lang=%22%3E%3Cscript%3Ealert(1)".into(), true).await.unwrap();
    let url = format!("https://x.example/{XSS}");
    manage::add(store, &config().hooks, now, &admin, &url, HookKind::ALL).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let mut conversation = tx.lock_conversation(app.conversation).await.unwrap().unwrap();
    conversation.desk.team = Some(team);
    conversation.desk.tags = words();
    conversation.desk.about = words();
    tx.save_conversation(&conversation).await.unwrap();
    tx.commit().await.unwrap();
    (app, admin)
}

#[tokio::test]
async fn whatever_people_name_stays_text_on_every_page() {
    let (app, admin) = named_badly().await;
    let session = app.session_of(&admin).await;
    for path in [
        "/console",
        "/console/fragments/queue",
        "/console/conversations/{id}",
        "/console/teams",
        "/console/people",
        "/console/audit",
        "/console/me/tokens",
        "/console/hooks",
        "/api/docs",
    ] {
        let page = app.get(&session, path).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        let policy = header(&page, "content-security-policy").to_owned();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{path}");
        let body = page.text().await.unwrap();
        for markup in ["<script>alert", "<img src=x", "\"><script"] {
            assert!(!body.contains(markup), "{path}: {markup}");
        }
    }
    let page = app.get(&session, "/console/me/tokens").await.text().await.unwrap();
    assert!(page.contains("&lt;script&gt;alert"), "it is shown as it was written");
    // What was refused is shown again, to correct it.
    let form = [("csrf", session.csrf.as_str()), ("url", XSS), ("taken", "1")];
    let request = app.ask(Method::POST, "/console/hooks").header("cookie", &session.cookie);
    let back = request.form(&form).send().await.unwrap();
    assert_eq!(back.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let back = back.text().await.unwrap();
    assert!(back.contains("&lt;script&gt;alert") && !back.contains("<script>alert"));
}

/// A browser that is led to an answer of the API shows it as data, whatever is in it.
#[tokio::test]
async fn answers_of_the_api_are_never_pages() {
    let (app, admin) = named_badly().await;
    let session = app.session_of(&admin).await;
    let evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in [
        "/api/queue".to_owned(),
        format!("/api/queue?section={evil}"),
        format!("/api/queue?limit={evil}"),
        "/api/conversations/{id}".to_owned(),
        "/api/conversations/{id}/messages".to_owned(),
        "/api/conversations/{id}/events".to_owned(),
        format!("/api/conversations/{evil}"),
        "/api/teams".to_owned(),
        "/api/views".to_owned(),
        "/api/people".to_owned(),
        "/api/audit".to_owned(),
        format!("/api/audit?action={evil}"),
        "/api/me/tokens".to_owned(),
        "/api/hooks".to_owned(),
        "/api/openapi.json".to_owned(),
    ] {
        let answer = app.get(&session, &path).await;
        let kind = header(&answer, "content-type");
        let problem = answer.status().is_client_error();
        assert_eq!(kind, if problem { "application/problem+json" } else { "application/json" }, "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        let body = answer.text().await.unwrap();
        assert!(!problem || !body.contains("script"), "{path}: a problem repeats nothing: {body}");
    }
}

/// Another site can make a browser send forms, plain text and its cookies, but no header of ours.
#[tokio::test]
async fn another_sites_requests_change_nothing_through_the_api() {
    let app = app_with(config()).await;
    let admin = app.person("alix", Role::Admin).await;
    let session = app.session_of(&admin).await;
    let take = "/api/conversations/{id}/take";
    let kinds = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    for kind in kinds {
        let request = app.ask(Method::POST, take).header("cookie", &session.cookie);
        let body = format!("csrf={}", session.csrf);
        let answer = request.header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!(
            answer.status(),
            StatusCode::FORBIDDEN,
            "{kind}: the field counts for forms of pages only"
        );
        let request = app.ask(Method::PUT, "/api/me/presence").header("cookie", &session.cookie);
        let request = request.header("x-csrf-token", &session.csrf).header("content-type", kind);
        let answer = request.body(r#"{"presence":"pause"}"#).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let request = app.ask(Method::POST, take).header("cookie", &session.cookie);
        let request = request.header("x-csrf-token", &session.csrf).header(name, value);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{name}");
    }
    assert_eq!(app.state().await, crate::model::ConversationState::Queued);
}

/// A session that someone planted in a browser is not the one that its person signs in to, on pages and API alike.
#[tokio::test]
async fn a_planted_session_stays_the_planters() {
    let app = app_with(config()).await;
    let planter = app.person("mallory", Role::Agent).await;
    let planted = app.session_of(&planter).await;
    let own = app.sign_in(&planted.cookie).await;
    assert_ne!(own.cookie, planted.cookie);
    let me = app.get(&own, "/api/me").await.text().await.unwrap();
    assert!(me.contains("camille"));
    let theirs = app.get(&planted, "/api/me").await;
    assert_eq!(theirs.status(), StatusCode::UNAUTHORIZED, "it ended where the person signed in");
    // Neither a token against forgery of another session, nor a made-up one, is taken over.
    let made_up = AgentId::new().to_string();
    for csrf in [planted.csrf.as_str(), made_up.as_str()] {
        let form = [("csrf", csrf), ("name", "x"), ("rights", "full"), ("password", PASSWORD)];
        let request = app.ask(Method::POST, "/console/me/tokens").header("cookie", &own.cookie);
        assert_eq!(request.form(&form).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    // A session that was left open does not make a token without the password.
    let form = [("csrf", own.csrf.as_str()), ("name", "x"), ("rights", "full"), ("password", "wrong")];
    let request = app.ask(Method::POST, "/console/me/tokens").header("cookie", &own.cookie);
    let refused = request.form(&form).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(!refused.text().await.unwrap().contains("gch_"));
}
