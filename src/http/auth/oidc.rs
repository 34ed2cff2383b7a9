//! Sign-in by a provider of OpenID Connect: authorization code with PKCE, state and nonce. Discovery, tokens and
//! their signatures are the crate `openidconnect`'s; what a token's person may do here is [`entry`]'s.

mod entry;
mod provider;

use super::session::{self, Place};
use super::sign_in::{LoginPage, Next, enter_in, with_cookie};
use crate::desk::token;
use crate::http::AppState;
use crate::http::pages::Ui;
use crate::http::problem::Problem;
use crate::store::{NewStep, Step, StoreError};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use provider::{Claims, Provider};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Where the provider sends people back to, below the public URL.
const CALLBACK: &str = "/login/oidc/callback";
/// How long someone may take at the provider.
const LASTS: Duration = Duration::from_secs(600);

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/login/oidc", get(leave))
        .route("/login/oidc/callback", get(come_back))
        .layer(Extension(Arc::new(Provider::default())))
}

/// Why nobody came in. Each has its text on the sign-in page and its word in the audit log; what the provider said
/// goes to the server's log.
#[derive(Debug, thiserror::Error)]
enum OidcError {
    /// Not begun in this browser, begun too long ago, or ended already.
    #[error("the sign-in was not begun in this browser, or too long ago")]
    State,
    /// The person, or the provider, said no.
    #[error("the provider answered '{0}'")]
    Denied(String),
    #[error("the provider cannot be reached or is not understood: {0}")]
    Unreachable(String),
    #[error("the provider's token was refused: {0}")]
    Token(String),
    /// Right, and nobody of this desk.
    #[error("nobody of the desk: {0}")]
    Stranger(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OidcError {
    fn code(&self) -> &'static str {
        match self {
            OidcError::State => "oidc_state",
            OidcError::Denied(_) => "oidc_denied",
            OidcError::Unreachable(_) => "oidc_unreachable",
            OidcError::Token(_) => "oidc_token",
            OidcError::Stranger(_) => "oidc_stranger",
            OidcError::Store(_) => "store",
        }
    }
}

/// To the provider, with a cookie that only this browser brings back.
async fn leave(
    State(state): State<AppState>,
    Extension(provider): Extension<Arc<Provider>>,
    ui: Ui,
    Query(next): Query<Next>,
) -> Result<Response, Problem> {
    if !state.config.desk.oidc.enabled() {
        return Err(Problem::not_found("no provider is configured"));
    }
    let now = state.clock.now();
    let secret = token::random();
    let asked = match provider.address(&state, &secret).await {
        Ok(asked) => asked,
        Err(error) => return refuse(&state, ui, next.path(), None, error).await,
    };
    let mut tx = state.store.begin().await?;
    tx.insert_step(&NewStep {
        token_hash: &token::digest(&secret),
        agent: None,
        provider: Some((&asked.nonce, &asked.verifier)),
        next: next.path(),
        expires_at: now.plus(LASTS),
    })
    .await?;
    tx.commit().await?;
    Ok((session::set_step(&state, &secret, LASTS), Redirect::to(asked.url.as_str())).into_response())
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
    /// RFC 9207: which provider answers.
    #[serde(default)]
    iss: String,
}

async fn come_back(
    State(state): State<AppState>,
    Extension(provider): Extension<Arc<Provider>>,
    place: Place,
    ui: Ui,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Problem> {
    if !state.config.desk.oidc.enabled() {
        return Err(Problem::not_found("no provider is configured"));
    }
    let old = session::token_of(&headers, &state).map(token::digest);
    let entered = match begun(&state, &headers, &answer).await {
        Ok(step) => enter(&state, &provider, &place, &answer, step, old.as_deref()).await,
        Err(error) => Err(error),
    };
    match entered {
        Ok((token, next)) => {
            let back = (session::set_session(&state, &token), Redirect::to(&next)).into_response();
            Ok(with_cookie(back, session::clear_step(&state)))
        }
        Err(OidcError::Store(error)) => Err(error.into()),
        Err(error) => refuse(&state, ui, "", Some(&place), error).await,
    }
}

/// What this browser began; it can come back once.
async fn begun(state: &AppState, headers: &HeaderMap, answer: &Answer) -> Result<Step, OidcError> {
    let secret = session::step_token_of(headers, state).ok_or(OidcError::State)?;
    if !bool::from(secret.as_bytes().ct_eq(answer.state.as_bytes())) {
        return Err(OidcError::State);
    }
    let hash = token::digest(secret);
    let mut tx = state.store.begin().await?;
    let step = tx.try_step(&hash, state.clock.now(), 1).await?;
    tx.delete_step(&hash).await?;
    tx.commit().await?;
    step.filter(|step| step.provider.is_some()).ok_or(OidcError::State)
}

async fn enter(
    state: &AppState,
    provider: &Provider,
    place: &Place,
    answer: &Answer,
    step: Step,
    old: Option<&str>,
) -> Result<(String, String), OidcError> {
    let config = &state.config.desk.oidc;
    if !answer.iss.is_empty() && answer.iss != config.issuer {
        return Err(OidcError::Token("another issuer answers".to_owned()));
    }
    if !answer.error.is_empty() || answer.code.is_empty() {
        // Words of RFC 6749; anything else is not repeated.
        let word = answer.error.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let word = if word && answer.error.len() < 40 { answer.error.as_str() } else { "?" };
        return Err(OidcError::Denied(word.to_owned()));
    }
    let (nonce, verifier) = step.provider.ok_or(OidcError::State)?;
    let claims: Claims = provider.redeem(state, &answer.code, nonce, verifier).await?;
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    let person = entry::person(&mut tx, now, config, &claims).await?;
    let token = enter_in(state, &mut tx, now, &person, place, old, "oidc").await?;
    tx.commit().await?;
    Ok((token, step.next))
}

async fn refuse(
    state: &AppState,
    ui: Ui,
    next: &str,
    place: Option<&Place>,
    error: OidcError,
) -> Result<Response, Problem> {
    tracing::warn!(%error, "a sign-in by OpenID Connect was refused");
    if let Some(place) = place {
        let mut tx = state.store.begin().await?;
        let data = json!({ "by": "oidc", "why": error.code(), "address": place.address });
        tx.audit(state.clock.now(), None, "sign_in.failed", "", &data).await?;
        tx.commit().await?;
    }
    let page = LoginPage { next, error: Some(error.code()), ..LoginPage::default() };
    Ok((StatusCode::UNAUTHORIZED, page.show(state, ui)?).into_response())
}
