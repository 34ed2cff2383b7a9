//! The provider: where it is, what it signs with, and what it says of a person.

use super::{CALLBACK, OidcError};
use crate::clock::Clock;
use crate::config::OidcConfig;
use crate::http::AppState;
use crate::model::Timestamp;
use axum::http;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long what the provider says of itself, keys included, is taken for true.
const KEEP: Duration = Duration::from_secs(600);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer of the provider in bytes.
const LARGEST: usize = 1 << 20;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Remembers what the provider said of itself, so that visitors of the sign-in page are not passed on to it one
/// by one.
#[derive(Default)]
pub struct Provider {
    known: Mutex<Option<(Timestamp, CoreProviderMetadata)>>,
}

/// A way to the provider.
pub struct Asked {
    pub url: url::Url,
    pub nonce: String,
    /// The secret behind the challenge (RFC 7636).
    pub verifier: String,
}

/// What a verified token says.
pub struct Claims {
    pub subject: String,
    /// Only when the provider says that it is verified.
    pub email: Option<String>,
    pub name: Option<String>,
    /// The values of the configured role claim.
    pub roles: Vec<String>,
}

impl Provider {
    /// Where to send the browser; `state` comes back with it.
    pub async fn address(&self, state: &AppState, token: &str) -> Result<Asked, OidcError> {
        let client = self.client(state, false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let token = token.to_owned();
        let (url, _, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(token),
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Asked { url, nonce: nonce.secret().clone(), verifier: verifier.into_secret() })
    }

    /// Exchanges the code and verifies the token: signature, issuer, audience, end, nonce.
    pub async fn redeem(
        &self,
        state: &AppState,
        code: &str,
        nonce: String,
        verifier: String,
    ) -> Result<Claims, OidcError> {
        let client = self.client(state, false).await?;
        let web = web_client()?;
        let send = move |request: HttpRequest| send(web.clone(), request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcError::Unreachable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&send)
            .await
            .map_err(|error| OidcError::Token(in_words(&error)))?;
        let id_token =
            answer.id_token().ok_or_else(|| OidcError::Token("there is no ID token".to_owned()))?;
        let nonce = Nonce::new(nonce);
        let access = answer.access_token();
        let config = &state.config.desk.oidc;
        match verified(&client, state, id_token, access, &nonce, config) {
            // Its keys may have changed since we asked.
            Err(_) => {
                let fresh = self.client(state, true).await?;
                verified(&fresh, state, id_token, access, &nonce, config)
            }
            good => good,
        }
    }

    async fn client(&self, state: &AppState, fresh: bool) -> Result<Client, OidcError> {
        let config = &state.config.desk.oidc;
        let unreachable = |error: url::ParseError| OidcError::Unreachable(error.to_string());
        let now = state.clock.now();
        let mut known = self.known.lock().await;
        let kept = known.as_ref().filter(|(at, _)| !fresh && now.since(*at) < KEEP);
        let metadata = match kept {
            Some((_, metadata)) => metadata.clone(),
            None => {
                let issuer = IssuerUrl::new(config.issuer.clone()).map_err(unreachable)?;
                let web = web_client()?;
                let send = move |request: HttpRequest| send(web.clone(), request);
                let found = CoreProviderMetadata::discover_async(issuer, &send)
                    .await
                    .map_err(|error| OidcError::Unreachable(in_words(&error)))?;
                known.insert((now, found)).1.clone()
            }
        };
        let id = ClientId::new(config.client_id.clone());
        let secret = ClientSecret::new(config.client_secret.expose().to_owned());
        let back = format!("{}{CALLBACK}", state.config.server.public_url);
        let back = RedirectUrl::new(back).map_err(unreachable)?;
        Ok(CoreClient::from_provider_metadata(metadata, id, Some(secret)).set_redirect_uri(back))
    }
}

fn verified(
    client: &Client,
    state: &AppState,
    id_token: &CoreIdToken,
    access: &openidconnect::AccessToken,
    nonce: &Nonce,
    config: &OidcConfig,
) -> Result<Claims, OidcError> {
    let refused = |error: &dyn std::error::Error| OidcError::Token(in_words(error));
    let clock = state.clock.clone();
    let verifier: CoreIdTokenVerifier<'_> = client
        .id_token_verifier()
        // Never "none", nor one that the client's secret could sign.
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        ])
        .set_time_fn(move || time(&clock));
    let claims = id_token.claims(&verifier, nonce).map_err(|error| refused(&error))?;
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(|error| refused(&error))?;
        let key = id_token.signing_key(&verifier).map_err(|error| refused(&error))?;
        let actual = AccessTokenHash::from_token(access, algorithm, key).map_err(|error| refused(&error))?;
        if actual != *expected {
            return Err(OidcError::Token("the access token is another one's".to_owned()));
        }
    }
    let verified_email = claims.email().filter(|_| claims.email_verified() == Some(true));
    let name = claims.name().and_then(|names| names.get(None)).map(|name| name.as_str().to_owned());
    Ok(Claims {
        subject: claims.subject().as_str().to_owned(),
        email: verified_email.map(|email| email.as_str().to_owned()),
        name,
        roles: roles(&id_token.to_string(), &config.role_claim),
    })
}

/// A text or a list of texts. The token was verified before: its payload is read again for the one claim that the
/// standard does not know.
fn roles(token: &str, claim: &str) -> Vec<String> {
    let payload = || {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let mut claims: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&payload).ok()?;
        claims.remove(claim)
    };
    match (claim.is_empty(), payload()) {
        (false, Some(serde_json::Value::String(one))) => vec![one],
        (false, Some(serde_json::Value::Array(all))) => {
            all.into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// Our clock in the type of the library.
fn time(clock: &Arc<dyn Clock>) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp_micros(clock.now().0).unwrap_or_default()
}

/// An error with its causes; they hold no secret: the library keeps those to itself.
fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

#[derive(Debug, thiserror::Error)]
enum WebError {
    #[error("{0}")]
    Request(#[from] reqwest::Error),
    #[error("{0}")]
    Http(#[from] http::Error),
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
}

/// Follows no redirects: a provider does not need them, and they would lead our requests elsewhere.
fn web_client() -> Result<reqwest::Client, OidcError> {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT);
    builder.build().map_err(|error| OidcError::Unreachable(error.to_string()))
}

async fn send(web: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let mut response = web.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
    let mut builder = http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        builder = builder.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(WebError::TooLarge);
        }
    }
    Ok(builder.body(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_a_text_or_a_list() {
        let token = |payload: &str| format!("x.{}.y", URL_SAFE_NO_PAD.encode(payload));
        assert_eq!(roles(&token(r#"{"groups":["a",1,"b"]}"#), "groups"), ["a", "b"]);
        assert_eq!(roles(&token(r#"{"groups":"a"}"#), "groups"), ["a"]);
        for (payload, claim) in
            [(r#"{"groups":{"a":1}}"#, "groups"), (r#"{"":"a"}"#, ""), ("nonsense", "groups")]
        {
            assert!(roles(&token(payload), claim).is_empty(), "{payload}");
        }
    }
}
