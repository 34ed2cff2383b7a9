//! Who may open which door: one table of every route that people of the desk use. A route that is not in the table
//! fails the test, and so does one that opens for less than its role.

use super::super::api::access_tests::ROUTES as API_ROUTES;
use super::tests::{App, PASSWORD, Session, XSS, app, header};
use crate::clock::Clock;
use crate::model::{Agent, AgentId, Role};
use crate::store::{AgentWithHash, Invitation, NewSession};
use reqwest::{Method, StatusCode};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Which requests a route answers with more than a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone: the door itself, and what is behind a token in the address.
    Open,
    /// Signed in, with at least this role.
    From(Role),
}
pub use Access::{From, Open};

const GET: Method = Method::GET;
const POST: Method = Method::POST;

/// Method, path, who may, and a form (JSON for the API) that is complete: a lesser role must be refused for the role, not for
/// the form.
pub type Route = (Method, &'static str, Access, &'static str);

/// The pages. The API's are beside it.
const ROUTES: &[Route] = &[
    (GET, "/login", Open, ""),
    (POST, "/login", Open, "login=x&password=y"),
    (GET, "/login/code", Open, ""),
    (POST, "/login/code", Open, "code=000000"),
    (GET, "/login/oidc", Open, ""),
    (GET, "/login/oidc/callback", Open, ""),
    (GET, "/invitation/{token}", Open, ""),
    (POST, "/invitation/{token}", Open, "login=x&name=y&password=z"),
    (GET, "/lang/{code}", Open, ""),
    (GET, "/console/assets/{name}", Open, ""),
    (POST, "/logout", From(Role::Agent), ""),
    (GET, "/console", From(Role::Agent), ""),
    (POST, "/console/next", From(Role::Agent), ""),
    (POST, "/console/presence", From(Role::Agent), "presence=pause"),
    (POST, "/console/views", From(Role::Agent), "name=x&query=lang=fr"),
    (POST, "/console/views/{id}/delete", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/decline", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/transfer", From(Role::Agent), "to=agent:{id}"),
    (POST, "/console/conversations/{id}/snooze", From(Role::Agent), "for=2h"),
    (POST, "/console/conversations/{id}/wake", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/hand-back", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/notes", From(Role::Agent), "key={id}&text=x"),
    (POST, "/console/conversations/{id}/notes/read", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/tags", From(Role::Agent), "tag=x"),
    (POST, "/console/conversations/{id}/tags/remove", From(Role::Agent), "tag=x"),
    (POST, "/console/conversations/{id}/link", From(Role::Agent), "with=x"),
    (POST, "/console/conversations/{id}/unlink", From(Role::Agent), "contact={id}"),
    (POST, "/console/conversations/{id}/correct", From(Role::Agent), "message={id}&intent=x.y"),
    (POST, "/console/conversations/{id}/draft", From(Role::Agent), "key={id}&text=x"),
    (GET, "/console/fragments/conversations/{id}/draft", From(Role::Agent), ""),
    (GET, "/console/corrections", From(Role::Manager), ""),
    (GET, "/console/corrections/export", From(Role::Manager), ""),
    (POST, "/console/corrections/{id}/accept", From(Role::Manager), "text=x"),
    (POST, "/console/corrections/{id}/refuse", From(Role::Manager), ""),
    (GET, "/console/teams", From(Role::Agent), ""),
    (POST, "/console/teams", From(Role::Manager), "name=x"),
    (POST, "/console/teams/{id}/archive", From(Role::Manager), ""),
    (POST, "/console/teams/{id}/members", From(Role::Manager), "agent={id}"),
    (POST, "/console/teams/{id}/members/{person}/remove", From(Role::Manager), ""),
    (POST, "/console/seats/{person}", From(Role::Manager), "capacity=2"),
    (GET, "/console/events", From(Role::Agent), ""),
    (GET, "/console/fragments/queue", From(Role::Agent), ""),
    (GET, "/console/fragments/conversations/{id}", From(Role::Agent), ""),
    (GET, "/console/reports", From(Role::Agent), ""),
    (GET, "/console/handover", From(Role::Agent), ""),
    (GET, "/console/handover.txt", From(Role::Agent), ""),
    (GET, "/console/fragments/news", From(Role::Agent), ""),
    (GET, "/console/conversations/{id}", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/take", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/release", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/resolve", From(Role::Agent), "seen=0"),
    (POST, "/console/conversations/{id}/reply", From(Role::Agent), "key={id}&text=x"),
    (POST, "/console/conversations/{id}/messages/{message}/withdraw", From(Role::Agent), ""),
    (GET, "/console/conversations/{id}/drafts", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/compose", From(Role::Agent), "key={id}&text=x"),
    (POST, "/console/conversations/{id}/count", From(Role::Agent), "text=x"),
    (GET, "/console/fragments/conversations/{id}/drafts", From(Role::Agent), ""),
    (GET, "/console/fragments/conversations/{id}/canned", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/messages/{message}/resend", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/messages/{message}/moderate", From(Role::Agent), "what=hide"),
    (GET, "/console/me", From(Role::Agent), ""),
    (POST, "/console/me/password", From(Role::Agent), "current=x&password=y"),
    (POST, "/console/me/sessions/{session}/end", From(Role::Agent), ""),
    (POST, "/console/me/end-other-sessions", From(Role::Agent), ""),
    (POST, "/console/me/totp/begin", From(Role::Agent), "password=x"),
    (POST, "/console/me/totp/confirm", From(Role::Agent), "code=000000"),
    (POST, "/console/me/totp/codes", From(Role::Agent), "password=x"),
    (POST, "/console/me/totp/remove", From(Role::Agent), "password=x"),
    (GET, "/console/people", From(Role::Manager), ""),
    (POST, "/console/people/invite", From(Role::Manager), "role=agent"),
    (POST, "/console/people/invitations/{hash}/withdraw", From(Role::Manager), ""),
    (POST, "/console/people/{person}/role", From(Role::Admin), "role=agent"),
    (POST, "/console/people/{person}/until", From(Role::Admin), "until=2030-01-01"),
    (POST, "/console/people/{person}/disable", From(Role::Admin), ""),
    (POST, "/console/people/{person}/enable", From(Role::Admin), ""),
    (POST, "/console/people/{person}/unlock", From(Role::Admin), ""),
    (POST, "/console/people/{person}/reset-password", From(Role::Admin), ""),
    (POST, "/console/people/{person}/reset-totp", From(Role::Admin), ""),
    (GET, "/console/audit", From(Role::Admin), ""),
    (GET, "/console/messages/{id}/trace", From(Role::Admin), ""),
    (POST, "/console/conversations/{id}/quarantine/release", From(Role::Agent), ""),
    (POST, "/console/conversations/{id}/quarantine/confirm", From(Role::Agent), ""),
    (GET, "/console/me/tokens", From(Role::Agent), ""),
    (POST, "/console/me/tokens", From(Role::Agent), "name=x&rights=read&password=y"),
    (POST, "/console/me/tokens/{id}/revoke", From(Role::Agent), ""),
    (GET, "/console/hooks", From(Role::Admin), ""),
    (POST, "/console/hooks", From(Role::Admin), "url=https://x.example/&taken=1"),
    (POST, "/console/hooks/{id}/remove", From(Role::Admin), ""),
    (POST, "/console/hooks/{id}/switch-on", From(Role::Admin), ""),
    (POST, "/console/hooks/{id}/deliveries/{delivery}/send-again", From(Role::Admin), ""),
];

fn all() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(API_ROUTES)
}

/// Files whose routes are for customers, providers and monitors: they know no people of the desk, and have tests of
/// their own.
const OTHERS: &[&str] = &["webchat", "webchat.rs", "webhooks.rs", "health.rs"];

/// Every `.route("…", get(…).post(…))` under a folder, as method and path.
fn routes_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if OTHERS.contains(&name) {
            continue;
        }
        if path.is_dir() {
            routes_in(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for call in source.split(".route(").skip(1) {
                let call = call.trim_start();
                let path = call.strip_prefix('"').and_then(|rest| rest.split('"').next());
                let path = path.unwrap_or_else(|| panic!("{name}: write the path in place"));
                let handlers = &call[path.len() + 2..];
                let ends = ["\n        .", "\n}"].iter().filter_map(|mark| handlers.find(mark));
                let handlers = &handlers[..ends.min().unwrap_or(handlers.len())];
                for method in ["get", "post", "put", "patch", "delete"] {
                    let named = |before: &str| handlers.contains(&format!("{before}{method}("));
                    if named(" ") || named(".") {
                        found.insert(format!("{} {path}", method.to_uppercase()));
                    }
                }
            }
        }
    }
}

#[test]
fn every_route_is_in_the_table() {
    let mut found = BTreeSet::new();
    routes_in(Path::new("src/http"), &mut found);
    let known: BTreeSet<String> = all().map(|(method, path, ..)| format!("{method} {path}")).collect();
    assert_eq!(found, known, "left: in the source; right: in the table");
}

impl App {
    pub(in crate::http) async fn person(&self, login: &str, role: Role) -> Agent {
        let agent = Agent { id: AgentId::new(), login: login.into(), name: format!("{login} {XSS}"), role };
        let row = AgentWithHash { agent: agent.clone(), password_hash: "-".into() };
        let mut tx = self.store.begin().await.unwrap();
        assert!(tx.insert_agent(&row, self.clock.now()).await.unwrap());
        tx.commit().await.unwrap();
        agent
    }

    /// A session without the password's cost.
    pub(in crate::http) async fn session_of(&self, agent: &Agent) -> Session {
        let token = crate::desk::token::random();
        let new = NewSession {
            token_hash: &crate::desk::token::digest(&token),
            agent: agent.id,
            csrf: &token,
            expires_at: self.clock.now().plus(Duration::from_secs(3600)),
            browser: XSS,
            address: XSS,
            by_provider: false,
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.insert_session(&new, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        Session { cookie: format!("guichet-desk={token}"), csrf: token }
    }

    /// With the route's form or JSON, and the session's token against forgery.
    pub(in crate::http) fn filled_in(
        &self,
        request: reqwest::RequestBuilder,
        (method, path, _, form): &Route,
        csrf: Option<&str>,
    ) -> reqwest::RequestBuilder {
        let form = form.replace("{id}", &AgentId::new().to_string());
        if method == GET {
            return request;
        }
        if path.starts_with("/api/") {
            let request = request.header("idempotency-key", AgentId::new().to_string());
            let request = csrf.into_iter().fold(request, |r, token| r.header("x-csrf-token", token));
            return if form.is_empty() {
                request
            } else {
                request.header("content-type", "application/json").body(form)
            };
        }
        let body = csrf.map_or(form.clone(), |token| format!("csrf={token}&{form}"));
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    pub(in crate::http) fn filled(&self, path: &str, person: AgentId) -> String {
        let id = self.conversation.to_string();
        let names = ["{message}", "{session}", "{hash}", "{token}", "{code}", "{name}", "{delivery}"];
        let path = path.replace("{person}", &person.to_string());
        names.iter().fold(path, |path, name| path.replace(name, &id)).replace("{id}", &id)
    }
}

#[tokio::test]
async fn every_route_with_every_role_and_with_none() {
    let app = app().await;
    for (n, route) in all().enumerate() {
        let (method, path, access, _) = route;
        for role in [None, Some(Role::Agent), Some(Role::Manager), Some(Role::Admin)] {
            let who = role.map_or("none".to_owned(), |role| format!("{role}-{n}"));
            let subject = app.person(&format!("subject-{n}-{}", who.replace('-', "")), Role::Agent).await;
            let mut request = app.ask(method.clone(), &app.filled(path, subject.id));
            let mut csrf = None;
            if let Some(role) = role {
                let agent = app.person(&who, role).await;
                let session = app.session_of(&agent).await;
                request = request.header("cookie", session.cookie);
                csrf = Some(session.csrf);
            }
            let request = app.filled_in(request, route, csrf.as_deref());
            let answer = request.send().await.unwrap();
            let (status, to) = (answer.status(), header(&answer, "location").to_owned());
            let refused = match (access, role) {
                (Open, _) => continue,
                (From(_), None) => {
                    status == StatusCode::UNAUTHORIZED || to.starts_with("/login?next=%2Fconsole")
                }
                (From(least), Some(role)) if role < *least => status == StatusCode::FORBIDDEN,
                (From(_), Some(_)) => {
                    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                    // Signing out leads to the door too, without a page to come back to.
                    assert!(!refused && !to.starts_with("/login?"), "{who}: {method} {path} {status} {to}");
                    assert!(!status.is_server_error() && status != StatusCode::METHOD_NOT_ALLOWED, "{path}");
                    continue;
                }
            };
            assert!(refused, "{who}: {method} {path} answers {status} {to}");
        }
    }
}

#[tokio::test]
async fn no_session_is_no_entry_whatever_the_cookie() {
    let app = app().await;
    let closed = all().filter(|(_, _, access, _)| *access != Open);
    for (method, path, ..) in closed {
        for cookie in ["", "guichet-desk=", "guichet-desk=wrong", "guichet-desk=../../x; lang=en"] {
            let path = app.filled(path, AgentId::new());
            let answer = app.ask(method.clone(), &path).header("cookie", cookie).send().await.unwrap();
            let program = ["/api/", "/console/fragments/", "/console/events"];
            if program.iter().any(|p| path.starts_with(p)) {
                assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
                assert_eq!(header(&answer, "content-type"), "application/problem+json", "{path}");
            } else {
                assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
                assert!(header(&answer, "location").starts_with("/login?next=%2Fconsole"), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn every_post_needs_the_token_and_our_own_page() {
    let app = app().await;
    let admin = app.person("alix", Role::Admin).await;
    let (session, other) = (app.session_of(&admin).await, app.session_of(&admin).await);
    let subject = app.person("subject", Role::Agent).await;
    for route in all().filter(|(method, ..)| method != GET) {
        let (method, path, access, _) = route;
        let send = async |token: &str, name: &'static str, value: &str| {
            let request = app.ask(method.clone(), &app.filled(path, subject.id));
            let request = app.filled_in(request.header("cookie", &session.cookie), route, Some(token));
            let request = if name.is_empty() { request } else { request.header(name, value) };
            request.send().await.unwrap().status()
        };
        if *access != Open {
            for token in ["", "wrong", other.csrf.as_str()] {
                assert_eq!(send(token, "", "").await, StatusCode::FORBIDDEN, "{path} '{token}'");
            }
        }
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1.evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let status = send(&session.csrf, name, value).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {name}: {value}");
        }
    }
    // Nothing of all that happened.
    let mut tx = app.store.read().await.unwrap();
    let account = tx.account(subject.id).await.unwrap().unwrap();
    assert_eq!((account.person.agent.role, account.person.disabled_at), (Role::Agent, None));
    assert!(tx.open_invitations(app.clock.now()).await.unwrap().is_empty());
    assert_eq!(tx.sessions_of(admin.id, app.clock.now()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn names_logins_addresses_teams_and_browsers_stay_text() {
    let app = app().await;
    let admin = app.person("alix", Role::Admin).await;
    let session = app.session_of(&admin).await;
    let now = app.clock.now();
    let mut tx = app.store.begin().await.unwrap();
    for (hash, email) in [("a", Some(XSS.to_owned())), ("b", None)] {
        let agent = email.is_none().then_some(admin.id);
        let expires_at = now.plus(Duration::from_secs(60));
        let role = Role::Agent;
        let link = Invitation { token_hash: hash.into(), agent, email, role, access_until: None, expires_at };
        tx.insert_invitation(&link, admin.id, now).await.unwrap();
    }
    let data = serde_json::json!({ XSS: XSS });
    tx.audit(now, Some(admin.id), XSS, XSS, &data).await.unwrap();
    tx.set_invited(admin.id, Some(XSS), None).await.unwrap();
    tx.commit().await.unwrap();
    let evil = "%3Cscript%3Ealert('x')%3C%2Fscript%3E";
    for path in [
        "/console/people".to_owned(),
        "/console/me".to_owned(),
        "/console/audit".to_owned(),
        format!("/console/audit?action={evil}&login={evil}"),
        format!("/console/audit?before={evil}"),
        format!("/login?next={evil}&done={evil}"),
        format!("/invitation/{evil}"),
        format!("/login/oidc/callback?error={evil}&state={evil}"),
    ] {
        let cookie = if path.starts_with("/login") { "" } else { &session.cookie };
        let answer = app.ask(GET, &path).header("cookie", cookie).send().await.unwrap();
        let policy = header(&answer, "content-security-policy").to_owned();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{path}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
        let body = answer.text().await.unwrap();
        assert!(!body.contains("<script>alert") && !body.contains("<img src=x"), "{path}: {body}");
    }
    let people = app.get(&session, "/console/people").await.text().await.unwrap();
    assert!(people.contains("&lt;script&gt;alert"));
    let form = [("login", XSS), ("password", PASSWORD)];
    let back = app.ask(POST, "/login").form(&form).send().await.unwrap().text().await.unwrap();
    assert!(back.contains("&lt;script&gt;alert") && !back.contains("<script>alert"));
}

#[tokio::test]
async fn nothing_leads_to_another_site() {
    let app = app().await;
    let session = app.sign_in("").await;
    for next in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/console\\@evil.example",
        "javascript:x",
    ] {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        let signed = app.get(&session, &format!("/login?{query}")).await;
        assert_eq!(header(&signed, "location"), "/console", "{next}");
        let lang = app.ask(GET, &format!("/lang/fr?{query}")).send().await.unwrap();
        assert_eq!(header(&lang, "location"), "/console", "{next}");
        let page = app.ask(GET, &format!("/login?{query}")).send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("evil") && !page.contains("javascript:"), "{next}");
    }
}
