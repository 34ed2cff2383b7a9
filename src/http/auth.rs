//! Who is at the desk: sign-in, sessions, and what every console request must prove.
//!
//! A request that changes something needs a session, the session's CSRF token (form field `csrf` or header
//! `X-CSRF-Token`), and must come from one of our pages. Both extractors check it, so no handler can forget. Programs bring
//! an access token to the API instead ([`bearer`]).

pub mod bearer;
pub mod invitation;
mod oidc;
pub mod session;
pub mod sign_in;
pub mod throttle;

use super::AppState;
use super::console::me;
use super::problem::Problem;
use crate::desk::token;
use crate::model::{Agent, Role, Timestamp};
use crate::store::StoreError;
use axum::body::{Body, Bytes};
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Router, middleware};
use bearer::ByToken;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use throttle::Throttle;

pub fn routes() -> Router<AppState> {
    Router::new()
        .merge(sign_in::routes())
        .merge(oidc::routes())
        .merge(invitation::routes())
        .merge(me::routes())
        .layer(Extension(Arc::new(Throttle::default())))
        .layer(middleware::from_fn(super::pages::finish))
}

/// How often a person's being here is written down.
const SEEN_EVERY: Duration = Duration::from_secs(60);

/// The person who asks, on a request that has proved it.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub agent: Agent,
    pub csrf: String,
    pub has_totp: bool,
    /// Signed in by the provider of OpenID Connect.
    pub by_provider: bool,
    /// Of the session; empty without one.
    pub token_hash: String,
    pub seen_at: Timestamp,
    /// Asked with an access token in place of a session.
    pub token: Option<ByToken>,
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let signed = authenticate(parts, state).await?;
        if !parts.method.is_safe() && signed.token.is_none() {
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

/// The session or the access token of the request, without the session's CSRF token.
async fn authenticate(parts: &mut Parts, state: &AppState) -> Result<SignedIn, Response> {
    if let Some(token) = bearer::token_of(parts) {
        return bearer::authenticate(parts, state, &token).await;
    }
    if !parts.method.is_safe() {
        require_our_page(&parts.headers, &state.config.server.public_url)
            .map_err(IntoResponse::into_response)?;
    }
    let found = match session::token_of(&parts.headers, state) {
        Some(token) => find_session(state, &token::digest(token)).await,
        None => Ok(None),
    };
    let signed = match found {
        Ok(Some(signed)) => signed,
        Ok(None) => return Err(not_signed_in(parts)),
        Err(error) => return Err(Problem::from(error).into_response()),
    };
    if lacks_second_step(state, &signed) && !open_without_second_step(parts.uri.path()) {
        return Err(second_step_first(parts));
    }
    note_seen(state, &signed, parts).await;
    Ok(signed)
}

async fn find_session(state: &AppState, token_hash: &str) -> Result<Option<SignedIn>, StoreError> {
    let mut tx = state.store.read().await?;
    let session = tx.session(token_hash, state.clock.now()).await?;
    Ok(session.map(|s| SignedIn {
        agent: s.agent,
        csrf: s.csrf,
        has_totp: s.has_totp,
        by_provider: s.by_provider,
        token_hash: token_hash.to_owned(),
        seen_at: s.last_seen_at,
        token: None,
    }))
}

/// The role must have an authenticator, and the person has none yet.
pub fn lacks_second_step(state: &AppState, signed: &SignedIn) -> bool {
    let required = &state.config.desk.sign_in.require_totp;
    !signed.has_totp && !signed.by_provider && required.contains(&signed.agent.role)
}

/// Where the authenticator is enrolled, and the way out.
fn open_without_second_step(path: &str) -> bool {
    path == me::PATH || path == "/logout" || path.strip_prefix(me::PATH).is_some_and(|r| r.starts_with('/'))
}

fn second_step_first(parts: &Parts) -> Response {
    if for_program(parts) {
        let detail = "your role needs an authenticator: enrol it on /console/me";
        return Problem::new(StatusCode::FORBIDDEN, "second-step", detail).into_response();
    }
    Redirect::to(me::PATH).into_response()
}

/// At most one write a minute for each session, and none that a request would fail for.
async fn note_seen(state: &AppState, signed: &SignedIn, parts: &Parts) {
    let now = state.clock.now();
    if now.since(signed.seen_at) < SEEN_EVERY {
        return;
    }
    let address = session::address(&parts.headers, &parts.extensions).to_string();
    let noted = async {
        let mut tx = state.store.begin().await?;
        tx.touch_session(&signed.token_hash, signed.agent.id, &address, now).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(%error, "when a person was last seen is not noted");
    }
}

/// Asked for by our script, or by another program: it reads a status rather than a page.
fn for_program(parts: &Parts) -> bool {
    let path = parts.uri.path();
    let program =
        ["/api/", "/console/fragments/", "/console/events"].iter().any(|prefix| path.starts_with(prefix));
    program || parts.headers.contains_key(super::pages::BY_SCRIPT)
}

/// Pages lead to the sign-in; what scripts and programs ask for says 401.
fn not_signed_in(parts: &Parts) -> Response {
    if for_program(parts) {
        let detail = "sign in at /login, or send an access token";
        return bearer::challenge(Problem::new(StatusCode::UNAUTHORIZED, "not-signed-in", detail));
    }
    let wanted = parts.uri.path_and_query().map_or(sign_in::HOME, |p| p.as_str());
    let next = if parts.method.is_safe() { wanted } else { sign_in::HOME };
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
