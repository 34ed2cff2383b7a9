//! The door: login and password, then a code of the authenticator where there is one, then a session.

use super::session::{self, Entry, Place};
use super::throttle::Throttle;
use super::{NoFields, SignedForm, find_session, require_our_page};
use crate::desk::hand::leave;
use crate::desk::{DeskError, lockout, password, token, totp};
use crate::http::AppState;
use crate::http::pages::{Ui, render};
use crate::http::problem::Problem;
use crate::model::{Actor, EventKind, NewEvent, Timestamp};
use crate::store::{Account, NewStep, StoreError, Tx};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::json;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

pub const HOME: &str = "/console";
/// How long a right password waits for its code, and how often one may try.
const STEP_LASTS: Duration = Duration::from_secs(300);
const STEP_TRIES: i64 = 5;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/login", get(login_page).post(sign_in))
        .route("/login/code", get(code_page).post(check_code))
        .route("/logout", post(sign_out))
}

#[derive(Debug, Default, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

impl Next {
    /// Where to go after the sign-in: a console page of ours, never another site.
    pub fn path(&self) -> &str {
        let ours =
            self.next.starts_with(HOME) && self.next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        if ours { &self.next } else { HOME }
    }
}

#[derive(Deserialize)]
struct Door {
    #[serde(flatten)]
    next: Next,
    /// What was done before: one of [`DONE`].
    #[serde(default)]
    done: String,
}

/// Keys of the texts that the sign-in page may say first.
const DONE: &[&str] = &["joined", "password"];

async fn login_page(
    State(state): State<AppState>,
    ui: Ui,
    headers: HeaderMap,
    Query(door): Query<Door>,
) -> Result<Response, Problem> {
    if let Some(token) = session::token_of(&headers, &state)
        && find_session(&state, &token::digest(token)).await?.is_some()
    {
        return Ok(Redirect::to(door.next.path()).into_response());
    }
    let done = DONE.iter().find(|known| **known == door.done).copied();
    LoginPage { next: door.next.path(), done, ..LoginPage::default() }.show(&state, ui)
}

/// The sign-in page.
#[derive(Default)]
pub struct LoginPage<'a> {
    pub next: &'a str,
    pub login: &'a str,
    /// The key of its text.
    pub error: Option<&'a str>,
    /// Seconds, for the error that says to wait.
    pub wait: u64,
    pub done: Option<&'a str>,
}

impl LoginPage<'_> {
    pub fn show(&self, state: &AppState, ui: Ui) -> Result<Response, Problem> {
        let oidc = &state.config.desk.oidc;
        let next: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("next", self.next).finish();
        let context = minijinja::context! {
            operator => state.config.operator.name.as_str(),
            next => self.next,
            next_query => next,
            login => self.login,
            error => self.error,
            wait => self.wait,
            done => self.done,
            provider => oidc.enabled().then(|| oidc.label()),
        };
        render(ui, "login.html", context)
    }
}

#[derive(Deserialize)]
struct Credentials {
    login: String,
    password: String,
    #[serde(flatten)]
    next: Next,
}

async fn sign_in(
    State(state): State<AppState>,
    Extension(throttle): Extension<Arc<Throttle>>,
    place: Place,
    ui: Ui,
    headers: HeaderMap,
    Form(form): Form<Credentials>,
) -> Result<Response, Response> {
    require_our_page(&headers, &state.config.server.public_url).map_err(IntoResponse::into_response)?;
    let now = state.clock.now();
    let login = form.login.trim();
    let page = LoginPage { next: form.next.path(), login, ..LoginPage::default() };
    if let Err(wait) = throttle.attempt(login, Some(place.address), now) {
        let wait = wait.as_secs() + 1;
        let page = LoginPage { error: Some("throttled"), wait, ..page };
        return Err(too_many(wait, page.show(&state, ui)));
    }
    let known = find_account(&state, login).await.map_err(problem)?;
    let right = verify(&throttle, form.password.clone(), known.as_ref()).await;
    // Looked at after the password was verified, and answered as a wrong one is.
    let welcome = known.filter(|known| right && known.person.may_enter(now) && !known.person.locked(now));
    let Some(account) = welcome else {
        note_failure(&state, now, login, &place).await.map_err(problem)?;
        let page = LoginPage { error: Some("wrong"), ..page };
        return Err((StatusCode::UNAUTHORIZED, page.show(&state, ui)).into_response());
    };
    if account.totp_secret.is_some() {
        return ask_for_code(&state, now, &account, page.next).await.map_err(problem);
    }
    throttle.succeeded(login, Some(place.address));
    let old = session::token_of(&headers, &state).map(token::digest);
    let token = enter(&state, now, &account, &place, old.as_deref(), "password").await.map_err(problem)?;
    Ok((session::set_session(&state, &token), Redirect::to(page.next)).into_response())
}

fn too_many(seconds: u64, page: Result<Response, Problem>) -> Response {
    let mut page = (StatusCode::TOO_MANY_REQUESTS, page).into_response();
    page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    page
}

fn problem(error: StoreError) -> Response {
    Problem::from(error).into_response()
}

async fn find_account(state: &AppState, login: &str) -> Result<Option<Account>, StoreError> {
    state.store.read().await?.account_by_login(login).await
}

/// Takes as long for an unknown login, or one without a password, as for a known one.
pub async fn verify(throttle: &Throttle, password: String, known: Option<&Account>) -> bool {
    static DUMMY: LazyLock<String> = LazyLock::new(|| password::hash(&token::random()).unwrap_or_default());
    let stored = known.map(|k| k.password_hash.clone()).filter(|hash| hash.starts_with('$'));
    let Ok(_permit) = throttle.verifiers.acquire().await else {
        return false;
    };
    let verified = tokio::task::spawn_blocking(move || match stored {
        Some(stored) => password::verify(&password, &stored),
        None => {
            password::verify(&password, &DUMMY);
            false
        }
    });
    verified.await.unwrap_or(false)
}

/// Counts it, locks the account when it was one too many, and writes it down: the same steps for any login.
pub async fn note_failure(
    state: &AppState,
    now: Timestamp,
    login: &str,
    place: &Place,
) -> Result<(), StoreError> {
    let mut tx = state.store.begin().await?;
    let counted = tx.count_failure(login, now).await?;
    // Not the login when it is unknown: people type their password there.
    let agent = counted.map(|(id, _)| id);
    note(&mut tx, now, EventKind::SignInFailed, Actor::System, json!({ "agent": agent })).await?;
    let target = if agent.is_some() { login } else { "" };
    let data = json!({ "address": place.address, "browser": place.browser });
    tx.audit(now, None, "sign_in.failed", target, &data).await?;
    if let Some((id, failures)) = counted
        && let Some(wait) = u32::try_from(failures).ok().and_then(lockout::wait_after)
    {
        tx.lock_out(id, now.plus(wait)).await?;
        let data = json!({ "failures": failures, "seconds": wait.as_secs() });
        tx.audit(now, None, "account.locked", login, &data).await?;
    }
    tx.commit().await
}

/// The session, after everything was proved.
async fn enter(
    state: &AppState,
    now: Timestamp,
    account: &Account,
    place: &Place,
    old: Option<&str>,
    by: &str,
) -> Result<String, StoreError> {
    let mut tx = state.store.begin().await?;
    let token = enter_in(state, &mut tx, now, &account.person, place, old, by).await?;
    tx.commit().await?;
    Ok(token)
}

/// The same within a transaction; `by` is how it was proved: `password`, `totp`, `recovery_code`, `oidc`.
pub async fn enter_in(
    state: &AppState,
    tx: &mut Tx,
    now: Timestamp,
    person: &crate::store::Person,
    place: &Place,
    old: Option<&str>,
    by: &str,
) -> Result<String, StoreError> {
    let agent = &person.agent;
    tx.unlock(agent.id).await?;
    let entry = Entry { agent, until: person.expires_at, by_provider: by == "oidc", place };
    let token = session::open(state, tx, now, &entry, old).await?;
    note(tx, now, EventKind::SignedIn, Actor::Agent(agent.id), json!({})).await?;
    let data = json!({ "by": by, "address": place.address, "browser": place.browser });
    tx.audit(now, Some(agent.id), "sign_in", &agent.login, &data).await?;
    Ok(token)
}

/// The password was right: a cookie that is worth the next page only.
async fn ask_for_code(
    state: &AppState,
    now: Timestamp,
    account: &Account,
    next: &str,
) -> Result<Response, StoreError> {
    let step = token::random();
    let mut tx = state.store.begin().await?;
    tx.insert_step(&NewStep {
        token_hash: &token::digest(&step),
        agent: Some(account.person.agent.id),
        provider: None,
        next,
        expires_at: now.plus(STEP_LASTS),
    })
    .await?;
    tx.commit().await?;
    Ok((session::set_step(state, &step, STEP_LASTS), Redirect::to("/login/code")).into_response())
}

async fn code_page(State(state): State<AppState>, ui: Ui, headers: HeaderMap) -> Result<Response, Problem> {
    match session::step_token_of(&headers, &state) {
        Some(_) => code_form(&state, ui, None),
        None => Ok(Redirect::to("/login").into_response()),
    }
}

fn code_form(state: &AppState, ui: Ui, error: Option<&str>) -> Result<Response, Problem> {
    let context = minijinja::context! { operator => state.config.operator.name.as_str(), error };
    render(ui, "code.html", context)
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

async fn check_code(
    State(state): State<AppState>,
    Extension(throttle): Extension<Arc<Throttle>>,
    place: Place,
    ui: Ui,
    headers: HeaderMap,
    Form(Code { code }): Form<Code>,
) -> Result<Response, Response> {
    require_our_page(&headers, &state.config.server.public_url).map_err(IntoResponse::into_response)?;
    let again = || Redirect::to("/login").into_response();
    let step = session::step_token_of(&headers, &state).map(token::digest).ok_or_else(again)?;
    let now = state.clock.now();
    let mut tx = state.store.begin().await.map_err(problem)?;
    let tried = tx.try_step(&step, now, STEP_TRIES).await.map_err(problem)?;
    // Committed whatever follows: a try counts.
    tx.commit().await.map_err(problem)?;
    let Some((agent, next)) = tried.and_then(|tried| Some((tried.agent?, tried.next))) else {
        return Err(again());
    };
    let account = state.store.read().await.map_err(problem)?.account(agent).await.map_err(problem)?;
    let account = account.filter(|a| a.person.may_enter(now) && !a.person.locked(now)).ok_or_else(again)?;
    let login = account.person.agent.login.clone();
    let mut tx = state.store.begin().await.map_err(problem)?;
    let Some(by) = use_code(&mut tx, now, &account, &code).await.map_err(problem)? else {
        drop(tx);
        note_failure(&state, now, &login, &place).await.map_err(problem)?;
        return Err((StatusCode::UNAUTHORIZED, code_form(&state, ui, Some("wrong_code"))).into_response());
    };
    tx.delete_step(&step).await.map_err(problem)?;
    let old = session::token_of(&headers, &state).map(token::digest);
    let entered = enter_in(&state, &mut tx, now, &account.person, &place, old.as_deref(), by).await;
    let token = entered.map_err(problem)?;
    tx.commit().await.map_err(problem)?;
    throttle.succeeded(&login, Some(place.address));
    let cookies = (session::set_session(&state, &token), Redirect::to(&next)).into_response();
    Ok(with_cookie(cookies, session::clear_step(&state)))
}

/// Adds a cookie beside others: a map of headers would replace them.
pub fn with_cookie(mut response: Response, [(name, value)]: session::SetCookie) -> Response {
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().append(name, value);
    }
    response
}

/// How the code was good, if it was; it is used up then.
pub async fn use_code(
    tx: &mut Tx,
    now: Timestamp,
    account: &Account,
    code: &str,
) -> Result<Option<&'static str>, StoreError> {
    let id = account.person.agent.id;
    let step = account.totp_secret.as_deref().and_then(|secret| totp::verify(secret, code, now));
    if let Some(step) = step {
        return Ok(tx.use_totp_step(id, step).await?.then_some("totp"));
    }
    let recovery = totp::recovery_digest(code);
    Ok(tx.use_recovery_code(id, &recovery, now).await?.then_some("recovery_code"))
}

async fn sign_out(
    State(state): State<AppState>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    tx.delete_session(&signed.token_hash).await?;
    let agent = &signed.agent;
    match leave(&mut tx, now, agent).await {
        Ok(()) => {}
        Err(DeskError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(Problem::not_found(error.to_string())),
    }
    note(&mut tx, now, EventKind::SignedOut, Actor::Agent(agent.id), json!({})).await?;
    tx.audit(now, Some(agent.id), "sign_out", &agent.login, &json!({})).await?;
    tx.commit().await?;
    Ok((session::clear_session(&state), Redirect::to("/login")).into_response())
}

async fn note(
    tx: &mut Tx,
    now: Timestamp,
    kind: EventKind,
    actor: Actor,
    data: serde_json::Value,
) -> Result<(), StoreError> {
    let line = NewEvent { kind, actor, conversation_id: None, message_id: None, data };
    tx.append_event(now, line).await
}
