//! People come in, prove who they are, change what is theirs, and leave: over HTTP, without a browser.

use super::tests::{App, PASSWORD, Session, app, app_with, header};
use crate::clock::Clock;
use crate::config::{Config, SignInConfig};
use crate::desk::{people, token, totp};
use crate::model::{Agent, Role};
use crate::store::AuditFilter;
use reqwest::{Method, Response, StatusCode};
use std::time::Duration;

const CHOSEN: &str = "a sentence of mine";

fn cookie(answer: &Response, name: &str) -> String {
    let all = answer.headers().get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    let found = all.filter_map(|v| v.split(';').next()).find(|v| v.starts_with(name));
    found.unwrap_or_default().to_owned()
}

fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split(before).nth(1).unwrap_or_default().split(after).next().unwrap()
}

/// The path of the one-time link that a page shows.
fn link_of(page: &str) -> String {
    let link = between(page, "class=\"link\" value=\"", "\"").replace("&#x2f;", "/");
    link.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
}

impl App {
    async fn post(&self, session: &Session, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut form = vec![("csrf", session.csrf.as_str())];
        form.extend(fields);
        let request = self.ask(Method::POST, path).header("cookie", &session.cookie);
        request.form(&form).send().await.unwrap()
    }

    async fn camille(&self) -> Agent {
        let mut tx = self.store.read().await.unwrap();
        tx.account_by_login("camille").await.unwrap().unwrap().person.agent
    }

    async fn page(&self, session: &Session, path: &str) -> String {
        self.get(session, path).await.text().await.unwrap()
    }

    /// The session that an answer's cookie opened.
    async fn follows(&self, answer: &Response) -> Session {
        let cookie = cookie(answer, "guichet-desk=");
        assert!(!cookie.is_empty(), "a new session");
        let session = Session { cookie, csrf: String::new() };
        let page = self.page(&session, "/console/me").await;
        Session { csrf: between(&page, "name=\"csrf\" value=\"", "\"").to_owned(), ..session }
    }

    /// A code of the person's authenticator that was not used yet.
    async fn fresh_code(&self, secret: &str) -> String {
        self.clock.advance(Duration::from_secs(90));
        let now = self.clock.now();
        // Every code is tried: the test knows the secret and not the step.
        (0..1_000_000u32)
            .map(|n| format!("{n:06}"))
            .find(|code| totp::verify(secret, code, now).is_some())
            .unwrap()
    }

    async fn enrol(&self, session: &Session) -> (Session, String, Vec<String>) {
        let begun = self.post(session, "/console/me/totp/begin", &[("password", PASSWORD)]).await;
        assert_eq!(header(&begun, "location"), "/console/me");
        let page = self.page(session, "/console/me").await;
        let secret = between(&page, "<code id=\"secret\">", "<").replace(' ', "");
        assert!(page.contains("<path class=\"qr-ink\" d=\"M4 4h1"));
        let code = self.fresh_code(&secret).await;
        let confirmed = self.post(session, "/console/me/totp/confirm", &[("code", &code)]).await;
        assert_eq!(confirmed.status(), StatusCode::OK);
        let session = self.follows(&confirmed).await;
        let page = confirmed.text().await.unwrap();
        let codes: Vec<String> = between(&page, "<ul class=\"codes\">", "</ul>")
            .split("<code>")
            .skip(1)
            .map(|rest| rest.split('<').next().unwrap().to_owned())
            .collect();
        assert_eq!(codes.len(), totp::RECOVERY_CODES);
        (session, secret, codes)
    }

    async fn second_step(&self, step: &str, code: &str) -> Response {
        let request = self.ask(Method::POST, "/login/code").header("cookie", step);
        request.form(&[("code", code)]).send().await.unwrap()
    }

    async fn actions(&self) -> Vec<String> {
        let mut tx = self.store.read().await.unwrap();
        let lines = tx.audit_lines(&AuditFilter::default(), i64::MAX, 100).await.unwrap();
        lines.into_iter().rev().map(|line| line.action).collect()
    }
}

#[tokio::test]
async fn from_an_invitation_to_a_session() {
    let app = app().await;
    let admin = app.person("alix", Role::Admin).await;
    let session = app.session_of(&admin).await;
    let fields = [("email", "nour@example.org"), ("role", "manager"), ("until", "2030-01-31")];
    let made = app.post(&session, "/console/people/invite", &fields).await;
    assert_eq!(made.status(), StatusCode::OK);
    let page = made.text().await.unwrap();
    let path = &link_of(&page);
    let listed = app.page(&session, "/console/people").await;
    assert!(
        listed.contains("nour@example.org") && !listed.contains(path.rsplit('/').next().unwrap()),
        "shown once"
    );

    for _ in 0..2 {
        let opened = app.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(opened.status(), StatusCode::OK, "opening it uses nothing up");
    }
    let accept = async |login: &str, password: &str| {
        let form = [("login", login), ("name", "Nour"), ("password", password)];
        app.ask(Method::POST, path).form(&form).send().await.unwrap()
    };
    for (login, password, told) in [
        ("nour", "short", "trop court"),
        ("nour", "aaaaaaaaaaaaaaa", "trop peu de caractères"),
        ("nour", "nour@example.org", "ni votre identifiant"),
        ("no ur", CHOSEN, "1 à 64 lettres"),
        ("camille", CHOSEN, "déjà pris"),
    ] {
        let refused = accept(login, password).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{login} {password}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(told), "{told}: {page}");
        assert!(!page.contains(CHOSEN), "no page repeats a password");
    }
    let accepted = accept("nour", CHOSEN).await;
    assert_eq!(header(&accepted, "location"), "/login?done=joined");
    assert_eq!(accept("nour2", CHOSEN).await.status(), StatusCode::GONE);
    let form = [("login", "nour"), ("password", CHOSEN)];
    let entered = app.ask(Method::POST, "/login").form(&form).send().await.unwrap();
    let nour = app.follows(&entered).await;
    assert_eq!(app.get(&nour, "/console/people").await.status(), StatusCode::OK);
    assert_eq!(app.get(&nour, "/console/audit").await.status(), StatusCode::FORBIDDEN);

    // Disabled: out at once, and refused in the words of a wrong password.
    let id = app.store.read().await.unwrap().account_by_login("nour").await.unwrap().unwrap().person.agent.id;
    app.post(&session, &format!("/console/people/{id}/disable"), &[]).await;
    assert_eq!(app.get(&nour, "/console").await.status(), StatusCode::SEE_OTHER);
    let refused = app.ask(Method::POST, "/login").form(&form).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let actions = app.actions().await;
    for action in ["person.invited", "person.joined", "sign_in", "person.disabled", "sign_in.failed"] {
        assert!(actions.iter().any(|known| known == action), "{action}: {actions:?}");
    }
}

#[tokio::test]
async fn with_an_authenticator_a_password_is_half_the_way() {
    let app = app().await;
    let other = app.sign_in("").await;
    let session = app.sign_in("").await;
    let wrong = app.post(&session, "/console/me/totp/begin", &[("password", "wrong")]).await;
    assert_eq!(wrong.status(), StatusCode::CONFLICT);
    let early = app.post(&session, "/console/me/totp/confirm", &[("code", "000000")]).await;
    assert_eq!(early.status(), StatusCode::CONFLICT);
    let (renewed, secret, codes) = app.enrol(&session).await;
    assert_ne!(renewed.cookie, session.cookie);
    for old in [&session, &other] {
        assert_eq!(app.get(old, "/console").await.status(), StatusCode::SEE_OTHER, "opened without it");
    }
    let shown = app.page(&renewed, "/console/me").await;
    assert!(!shown.contains(&codes[0]) && !shown.contains(&secret), "shown once");

    let half = async || {
        let answer = app.try_password(PASSWORD, "").await;
        assert_eq!(header(&answer, "location"), "/login/code");
        assert_eq!(cookie(&answer, "guichet-desk="), "", "no session yet");
        cookie(&answer, "guichet-step=")
    };
    let step = half().await;
    let as_session = step.replace("guichet-step", "guichet-desk");
    let tried = app.ask(Method::GET, "/console").header("cookie", as_session).send().await.unwrap();
    assert_eq!(tried.status(), StatusCode::SEE_OTHER, "half the way opens no page");
    assert_eq!(app.second_step(&step, "000000").await.status(), StatusCode::UNAUTHORIZED);
    let code = app.fresh_code(&secret).await;
    let entered = app.second_step(&step, &code).await;
    assert_eq!(header(&entered, "location"), "/console");
    app.follows(&entered).await;
    assert_eq!(header(&app.second_step(&step, &code).await, "location"), "/login", "used up");
    assert_eq!(
        app.second_step(&half().await, &code).await.status(),
        StatusCode::UNAUTHORIZED,
        "no code twice"
    );
    let typed = codes[0].to_uppercase();
    app.follows(&app.second_step(&half().await, &typed).await).await;
    assert_eq!(app.second_step(&half().await, &typed).await.status(), StatusCode::UNAUTHORIZED);
    app.clock.advance(Duration::from_secs(600));
    let code = app.fresh_code(&secret).await;
    assert_eq!(header(&app.second_step(&step, &code).await, "location"), "/login");
    assert_eq!(header(&app.second_step("guichet-step=guessed", &code).await, "location"), "/login");
}

#[tokio::test]
async fn codes_are_not_guessed() {
    let app = app().await;
    let (_, secret, _) = app.enrol(&app.sign_in("").await).await;
    let answer = app.try_password(PASSWORD, "").await;
    let step = cookie(&answer, "guichet-step=");
    for n in 0..5 {
        assert_eq!(app.second_step(&step, "wrong").await.status(), StatusCode::UNAUTHORIZED, "{n}");
    }
    let code = app.fresh_code(&secret).await;
    assert_eq!(header(&app.second_step(&step, &code).await, "location"), "/login");
    // A right password from elsewhere does not reset the count of wrong codes.
    let account = app.store.read().await.unwrap().account_by_login("camille").await.unwrap().unwrap();
    assert_eq!(account.person.failures, 5);
    assert!(app.actions().await.contains(&"account.locked".to_owned()));
    let admin = app.person("alix", Role::Admin).await;
    let session = app.session_of(&admin).await;
    let path = format!("/console/people/{}/reset-totp", account.person.agent.id);
    assert_eq!(header(&app.post(&session, &path, &[]).await, "location"), "/console/people");
    app.clock.advance(Duration::from_secs(3600));
    app.sign_in("").await;
}

#[tokio::test]
async fn a_locked_account_opens_for_the_right_password_later_or_by_an_admin() {
    let app = app().await;
    let camille = app.camille().await;
    let mut tx = app.store.begin().await.unwrap();
    tx.lock_out(camille.id, app.clock.now().plus(Duration::from_secs(900))).await.unwrap();
    tx.commit().await.unwrap();
    let locked = app.try_password(PASSWORD, "").await;
    assert_eq!(locked.status(), StatusCode::UNAUTHORIZED);
    let wrong = app.try_password("wrong", "").await;
    assert_eq!(locked.text().await.unwrap(), wrong.text().await.unwrap(), "the lock tells nothing");
    let admin = app.person("alix", Role::Admin).await;
    let session = app.session_of(&admin).await;
    assert!(app.page(&session, "/console/people").await.contains("bloqué jusqu’à"));
    app.post(&session, &format!("/console/people/{}/unlock", camille.id), &[]).await;
    app.sign_in("").await;
}

#[tokio::test]
async fn a_required_authenticator_comes_before_everything() {
    let sign_in = SignInConfig { require_totp: vec![Role::Agent] };
    let mut config = Config::default();
    config.desk.sign_in = sign_in;
    let app = app_with(config).await;
    let answer = app.try_password(PASSWORD, "").await;
    let session = app.follows(&answer).await;
    for path in ["/console", "/console/reports", "/console/mean", "/console/meX/y"] {
        let answer = app.get(&session, path).await;
        let gone = answer.status() == StatusCode::NOT_FOUND;
        assert!(gone || header(&answer, "location") == "/console/me", "{path}");
    }
    for path in ["/console/fragments/queue", "/api/reports/response-times"] {
        assert_eq!(app.get(&session, path).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    let taken = app.act(&session, "take", &[]).await;
    assert_eq!(header(&taken, "location"), "/console/me");
    let (session, ..) = app.enrol(&session).await;
    assert_eq!(app.get(&session, "/console").await.status(), StatusCode::OK);
    let kept = app.post(&session, "/console/me/totp/remove", &[("password", PASSWORD)]).await;
    assert_eq!(kept.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_new_password_is_asked_with_the_old_one_and_ends_other_sessions() {
    let app = app().await;
    let (other, session) = (app.sign_in("").await, app.sign_in("").await);
    let change = async |session: &Session, current: &str, password: &str| {
        let fields = [("current", current), ("password", password)];
        app.post(session, "/console/me/password", &fields).await
    };
    for (current, password) in [("wrong", CHOSEN), (PASSWORD, "short"), (PASSWORD, "camille"), ("", CHOSEN)] {
        let refused = change(&session, current, password).await;
        assert_eq!(refused.status(), StatusCode::CONFLICT, "{current} {password}");
    }
    let changed = change(&session, PASSWORD, CHOSEN).await;
    let renewed = app.follows(&changed).await;
    for old in [&session, &other] {
        assert_eq!(app.get(old, "/console").await.status(), StatusCode::SEE_OTHER);
    }
    assert_eq!(app.get(&renewed, "/console").await.status(), StatusCode::OK);
    assert_eq!(app.try_password(PASSWORD, "").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(app.try_password(CHOSEN, "").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn sessions_are_seen_and_ended_one_by_one() {
    let app = app().await;
    let camille = app.camille().await;
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let request = app.ask(Method::POST, "/login").header("user-agent", firefox);
    let request = request.header("x-forwarded-for", "203.0.113.9");
    let form = [("login", "camille"), ("password", PASSWORD)];
    let far = app.follows(&request.form(&form).send().await.unwrap()).await;
    let here = app.sign_in("").await;
    let page = app.page(&here, "/console/me").await;
    assert!(page.contains("Firefox, Linux") && page.contains("203.0.113.9"));
    let id = between(&page, "/console/me/sessions/", "/end").to_owned();

    let stranger = app.person("sacha", Role::Admin).await;
    let stranger = app.session_of(&stranger).await;
    let theirs = app.post(&stranger, &format!("/console/me/sessions/{id}/end"), &[]).await;
    assert_eq!(theirs.status(), StatusCode::NOT_FOUND, "another's sessions are not one's own");
    assert_eq!(app.get(&far, "/console").await.status(), StatusCode::OK);
    app.post(&here, &format!("/console/me/sessions/{id}/end"), &[]).await;
    assert_eq!(app.get(&far, "/console").await.status(), StatusCode::SEE_OTHER);
    let more = app.sign_in("").await;
    app.post(&here, "/console/me/end-other-sessions", &[]).await;
    assert_eq!(app.get(&more, "/console").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(app.get(&here, "/console").await.status(), StatusCode::OK);

    // Being here is written down once a minute, not at each request.
    let seen = async || {
        app.store.read().await.unwrap().account(camille.id).await.unwrap().unwrap().person.last_seen_at
    };
    let before = seen().await;
    app.clock.advance(Duration::from_secs(59));
    app.get(&here, "/console").await;
    assert_eq!(seen().await, before);
    app.clock.advance(Duration::from_secs(1));
    app.get(&here, "/console").await;
    assert_eq!(seen().await, Some(app.clock.now()));
}

#[tokio::test]
async fn a_guest_is_out_when_the_time_is_over() {
    let app = app().await;
    let admin = app.person("alix", Role::Admin).await;
    let camille = app.camille().await;
    let until = Some(app.clock.now().plus(Duration::from_secs(600)));
    people::set_until(&app.store, app.clock.now(), &admin, camille.id, until).await.unwrap();
    let session = app.sign_in("").await;
    app.clock.advance(Duration::from_secs(599));
    assert_eq!(app.get(&session, "/console").await.status(), StatusCode::OK);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.get(&session, "/console").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(app.try_password(PASSWORD, "").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_lost_password_is_chosen_anew_by_link_and_keeps_the_second_step() {
    let app = app().await;
    app.enrol(&app.sign_in("").await).await;
    let admin = app.person("alix", Role::Admin).await;
    let session = app.session_of(&admin).await;
    let path = format!("/console/people/{}/reset-password", app.camille().await.id);
    let page = app.post(&session, &path, &[]).await.text().await.unwrap();
    let link = link_of(&page);
    let choose = async |password: &str| {
        let request = app.ask(Method::POST, &link);
        request.form(&[("password", password)]).send().await.unwrap()
    };
    assert_eq!(choose("camille").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(header(&choose(CHOSEN).await, "location"), "/login?done=password");
    assert_eq!(choose(CHOSEN).await.status(), StatusCode::GONE);
    assert_eq!(header(&app.try_password(CHOSEN, "").await, "location"), "/login/code");
}

#[tokio::test]
async fn the_audit_page_filters_and_holds_no_secret() {
    let app = app().await;
    app.try_password("a very wrong password", "").await;
    let typed_in_the_wrong_field = [("login", "my secret sentence"), ("password", "x")];
    app.ask(Method::POST, "/login").form(&typed_in_the_wrong_field).send().await.unwrap();
    app.enrol(&app.sign_in("").await).await;
    let admin = app.person("alix", Role::Admin).await;
    let session = app.session_of(&admin).await;
    let all = app.page(&session, "/console/audit").await;
    for action in ["sign_in.failed", "sign_in", "totp.begun", "totp.enrolled"] {
        assert!(all.contains(&format!("<td><code>{action}</code></td>")), "{action}");
    }
    for secret in ["very wrong", "secret sentence", PASSWORD] {
        assert!(!all.contains(secret), "{secret}");
    }
    let some = app.page(&session, "/console/audit?action=totp.begun&login=camille").await;
    assert_eq!(some.matches("<tr><td>").count(), 1);
    assert!(app.page(&session, "/console/audit?login=alix").await.contains("Rien ne correspond"));
    let mut tx = app.store.begin().await.unwrap();
    for n in 0..150 {
        tx.audit(app.clock.now(), None, "sign_in", &n.to_string(), &serde_json::json!({})).await.unwrap();
    }
    tx.commit().await.unwrap();
    let first = app.page(&session, "/console/audit?action=sign_in").await;
    assert_eq!(first.matches("<tr><td>").count(), 100);
    let older = between(&first, "href=\"/console/audit?action=", "\"").replace("&amp;", "&");
    let rest = app.page(&session, &format!("/console/audit?action={older}")).await;
    assert_eq!(rest.matches("<tr><td>").count(), 51);
    let hashed = token::digest("x");
    assert!(!rest.contains(&hashed));
}
