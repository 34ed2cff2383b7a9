//! Who is at the desk: sign-in, sessions, and what every console request must prove.
//!
//! A request that changes something needs a session, the session's CSRF token (form field `csrf` or header
//! `X-CSRF-Token`), and must come from one of our pages. Both extractors check it, so no handler can forget.

mod throttle;

use super::AppState;
use super::pages::{Ui, cookie, render};
use super::problem::Problem;
use crate::desk::hand::leave;
use crate::desk::{DeskError, password};
use crate::model::{Actor, Agent, EventKind, NewEvent, Role, Timestamp};
use crate::store::{AgentWithHash, StoreError, Tx};
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Form, FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use subtle::ConstantTimeEq;
use throttle::Throttle;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/login", get(login_page).post(sign_in))
        .route("/logout", post(sign_out))
        .layer(Extension(Arc::new(Throttle::default())))
        .layer(middleware::from_fn(super::pages::finish))
}

/// The person who asks, on a request that has proved it.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub agent: Agent,
    pub csrf: String,
    token_hash: String,
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let signed = authenticate(parts, state).await?;
        if !parts.method.is_safe() {
            signed.check_csrf(header_token(&parts.headers)).map_err(IntoResponse::into_response)?;
        }
        Ok(signed)
    }
}

/// A form of a signed-in person; its token may be a header or the field `csrf`.
pub struct SignedForm<T>(pub SignedIn, pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for SignedForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = authenticate(&mut parts, state).await?;
        let token = header_token(&parts.headers).map(str::to_owned);
        let limited = Request::from_parts(parts.clone(), body);
        // Bounded by the router's body limit.
        let body = Bytes::from_request(limited, state).await.map_err(IntoResponse::into_response)?;
        let field = || {
            form_urlencoded::parse(&body)
                .find(|(name, _)| name == "csrf")
                .map(|(_, value)| value.into_owned())
        };
        signed.check_csrf(token.or_else(field).as_deref()).map_err(IntoResponse::into_response)?;
        let request = Request::from_parts(parts, Body::from(body));
        let Form(form) = Form::<T>::from_request(request, state)
            .await
            .map_err(|_| Problem::bad_request("the form is not complete").into_response())?;
        Ok(Self(signed, form))
    }
}

/// A form that is its button.
#[derive(Deserialize)]
pub struct NoFields {}

impl SignedIn {
    /// Refuses who has not at least this role.
    pub fn require(&self, role: Role) -> Result<(), Problem> {
        if self.agent.role >= role {
            return Ok(());
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "role", "your role does not allow this"))
    }

    fn check_csrf(&self, token: Option<&str>) -> Result<(), Problem> {
        let token = token.unwrap_or_default();
        if bool::from(token.as_bytes().ct_eq(self.csrf.as_bytes())) {
            return Ok(());
        }
        let detail = "the form's token does not match your session: load the page again";
        Err(Problem::new(StatusCode::FORBIDDEN, "csrf", detail))
    }
}

fn header_token(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-csrf-token")?.to_str().ok()
}

/// The session of the request, without its CSRF token.
async fn authenticate(parts: &mut Parts, state: &AppState) -> Result<SignedIn, Response> {
    if !parts.method.is_safe() {
        require_our_page(&parts.headers, &state.config.server.public_url)
            .map_err(IntoResponse::into_response)?;
    }
    let found = match session_token(&parts.headers, state) {
        Some(token) => find_session(state, &digest(token)).await,
        None => Ok(None),
    };
    match found {
        Ok(Some(signed)) => Ok(signed),
        Ok(None) => Err(not_signed_in(parts)),
        Err(error) => Err(Problem::from(error).into_response()),
    }
}

async fn find_session(state: &AppState, token_hash: &str) -> Result<Option<SignedIn>, StoreError> {
    let mut tx = state.store.read().await?;
    let session = tx.session(token_hash, state.clock.now()).await?;
    Ok(session.map(|s| SignedIn { agent: s.agent, csrf: s.csrf, token_hash: token_hash.to_owned() }))
}

/// Pages lead to the sign-in; what scripts and programs ask for says 401.
fn not_signed_in(parts: &Parts) -> Response {
    let path = parts.uri.path();
    let program =
        ["/api/", "/console/fragments/", "/console/events"].iter().any(|prefix| path.starts_with(prefix));
    if program || parts.headers.contains_key(super::pages::BY_SCRIPT) {
        let detail = "sign in at /login";
        return Problem::new(StatusCode::UNAUTHORIZED, "not-signed-in", detail).into_response();
    }
    let wanted = parts.uri.path_and_query().map_or(path, |p| p.as_str());
    let next = if parts.method.is_safe() { wanted } else { HOME };
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    Redirect::to(&format!("/login?{query}")).into_response()
}

/// Browsers say where a request comes from; one that says another site is refused. Programs may say nothing:
/// they hold no cookie that another site could use.
fn require_our_page(headers: &HeaderMap, public_url: &str) -> Result<(), Problem> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let ours = match text(header::ORIGIN) {
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            origin == public_url || (host.is_some() && host == text(header::HOST))
        }
        None => headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none"),
    };
    if ours {
        return Ok(());
    }
    let detail = "the request comes from another site";
    Err(Problem::new(StatusCode::FORBIDDEN, "other-origin", detail))
}

const HOME: &str = "/console";

#[derive(Debug, Default, Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

impl Next {
    /// Where to go after the sign-in: a console page of ours, never another site.
    fn path(&self) -> &str {
        let ours =
            self.next.starts_with(HOME) && self.next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        if ours { &self.next } else { HOME }
    }
}

async fn login_page(
    State(state): State<AppState>,
    ui: Ui,
    headers: HeaderMap,
    Query(next): Query<Next>,
) -> Result<Response, Problem> {
    if let Some(token) = session_token(&headers, &state)
        && find_session(&state, &digest(token)).await?.is_some()
    {
        return Ok(Redirect::to(next.path()).into_response());
    }
    login_form(&state, ui, next.path(), "", None)
}

/// `error`: the key of its text, and seconds to wait.
fn login_form(
    state: &AppState,
    ui: Ui,
    next: &str,
    login: &str,
    error: Option<(&str, u64)>,
) -> Result<Response, Problem> {
    let context = minijinja::context! {
        operator => state.config.operator.name.as_str(),
        next,
        login,
        error => error.map(|(key, _)| key),
        wait => error.map(|(_, wait)| wait),
    };
    render(ui, "login.html", context)
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
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    ui: Ui,
    headers: HeaderMap,
    Form(form): Form<Credentials>,
) -> Result<Response, Response> {
    require_our_page(&headers, &state.config.server.public_url).map_err(IntoResponse::into_response)?;
    let now = state.clock.now();
    let address = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    let login = form.login.trim();
    if let Err(wait) = throttle.attempt(login, address, now) {
        let seconds = wait.as_secs() + 1;
        let page = login_form(&state, ui, form.next.path(), login, Some(("throttled", seconds)));
        let mut page = (StatusCode::TOO_MANY_REQUESTS, page).into_response();
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Err(page);
    }
    let known = find_agent(&state, login).await.map_err(problem)?;
    if !verify(&throttle, form.password.clone(), known.as_ref()).await {
        note_failure(&state, now, known).await.map_err(problem)?;
        let page = login_form(&state, ui, form.next.path(), login, Some(("wrong", 0)));
        return Err((StatusCode::UNAUTHORIZED, page).into_response());
    }
    throttle.succeeded(login, address);
    let Some(known) = known else {
        // verify() is false without an agent.
        return Err(StatusCode::UNAUTHORIZED.into_response());
    };
    let old = session_token(&headers, &state).map(digest);
    let token = open_session(&state, now, &known.agent, old).await.map_err(problem)?;
    let lasts: Duration = state.config.server.session.into();
    let cookie = set_cookie(&state, &token, lasts.as_secs());
    Ok((cookie, Redirect::to(form.next.path())).into_response())
}

fn problem(error: StoreError) -> Response {
    Problem::from(error).into_response()
}

async fn find_agent(state: &AppState, login: &str) -> Result<Option<AgentWithHash>, StoreError> {
    state.store.read().await?.agent_by_login(login).await
}

/// Takes as long for an unknown login as for a known one.
async fn verify(throttle: &Throttle, password: String, known: Option<&AgentWithHash>) -> bool {
    static DUMMY: LazyLock<String> = LazyLock::new(|| password::hash(&random_token()).unwrap_or_default());
    let stored = known.map(|k| k.password_hash.clone());
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

async fn note_failure(
    state: &AppState,
    now: Timestamp,
    known: Option<AgentWithHash>,
) -> Result<(), StoreError> {
    // Not the login: people type their password there.
    let data = serde_json::json!({ "agent": known.map(|k| k.agent.id) });
    let mut tx = state.store.begin().await?;
    note(&mut tx, now, EventKind::SignInFailed, Actor::System, data).await?;
    tx.commit().await
}

/// A new token at each sign-in: one that was planted in the browser before is worth nothing after.
async fn open_session(
    state: &AppState,
    now: Timestamp,
    agent: &Agent,
    old: Option<String>,
) -> Result<String, StoreError> {
    let token = random_token();
    let expires_at = now.plus(state.config.server.session.into());
    let mut tx = state.store.begin().await?;
    if let Some(old) = old {
        tx.delete_session(&old).await?;
    }
    tx.expire_sessions(now).await?;
    tx.insert_session(&digest(&token), agent.id, &random_token(), now, expires_at).await?;
    let data = serde_json::json!({});
    note(&mut tx, now, EventKind::SignedIn, Actor::Agent(agent.id), data).await?;
    tx.commit().await?;
    Ok(token)
}

async fn sign_out(
    State(state): State<AppState>,
    SignedForm(signed, NoFields {}): SignedForm<NoFields>,
) -> Result<Response, Problem> {
    let mut tx = state.store.begin().await?;
    tx.delete_session(&signed.token_hash).await?;
    match leave(&mut tx, state.clock.now(), &signed.agent).await {
        Ok(()) => {}
        Err(DeskError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(Problem::not_found(error.to_string())),
    }
    let actor = Actor::Agent(signed.agent.id);
    let data = serde_json::json!({});
    note(&mut tx, state.clock.now(), EventKind::SignedOut, actor, data).await?;
    tx.commit().await?;
    Ok((set_cookie(&state, "", 0), Redirect::to("/login")).into_response())
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

/// `__Host-` binds the cookie to this very host; browsers accept it with https only.
fn cookie_name(state: &AppState) -> &'static str {
    if state.config.server.secure_cookies() { "__Host-guichet-desk" } else { "guichet-desk" }
}

fn session_token<'h>(headers: &'h HeaderMap, state: &AppState) -> Option<&'h str> {
    cookie(headers, cookie_name(state))
}

fn set_cookie(state: &AppState, token: &str, seconds: u64) -> [(header::HeaderName, String); 1] {
    let name = cookie_name(state);
    let secure = if state.config.server.secure_cookies() { "; Secure" } else { "" };
    let value = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    [(header::SET_COOKIE, value)]
}

/// 256 random bits.
fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of a token: SHA-256 in hexadecimal.
fn digest(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
