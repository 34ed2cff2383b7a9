//! Programs prove who they act for by `Authorization: Bearer gch_…`: a personal access token, in place of a session.
//!
//! It opens `/api/` and nothing else. Where it is sent, it alone decides: a session's cookie beside it is not looked at, and a
//! token that is not good is refused whatever the cookie. It needs no CSRF token, for no browser sends it by itself. Any
//! other scheme of `Authorization` is someone else's (a proxy's, say) and passed over.

use super::{SignedIn, lacks_second_step};
use crate::desk::token;
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::model::Timestamp;
use crate::store::{StoreError, TokenHolder};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// How often a token's use is written down.
const USED_EVERY: Duration = Duration::from_secs(60);

/// What a request that came with a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByToken {
    pub id: Uuid,
    pub read_only: bool,
}

/// The token of a request to the API.
pub fn token_of(parts: &Parts) -> Option<String> {
    if !parts.uri.path().starts_with("/api/") {
        return None;
    }
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Who the token acts for, once everything that it must fulfil is.
pub async fn authenticate(parts: &Parts, state: &AppState, token: &str) -> Result<SignedIn, Response> {
    let now = state.clock.now();
    let hash = token::digest(token);
    let found = find(state, &hash, now).await.map_err(|error| Problem::from(error).into_response())?;
    let found = found.filter(|holder| bool::from(holder.token_hash.as_bytes().ct_eq(hash.as_bytes())));
    let Some(holder) = found else {
        let detail = "this access token is unknown, was revoked, or has ended";
        return Err(challenge(Problem::new(StatusCode::UNAUTHORIZED, "bad-token", detail)));
    };
    if let Some(limits) = parts.extensions.get::<Arc<Limits>>() {
        limits.count(holder.token, state.config.api.requests_per_minute, now).map_err(|wait| {
            let problem =
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "this token asks too often");
            Problem { retry_after: Some(wait.as_secs().max(1)), ..problem }.into_response()
        })?;
    }
    if holder.read_only && !parts.method.is_safe() {
        let problem = Problem::new(StatusCode::FORBIDDEN, "read-only", "this access token may only read");
        return Err(problem.into_response());
    }
    note_used(state, &holder, now).await;
    let signed = SignedIn {
        agent: holder.agent,
        csrf: String::new(),
        has_totp: holder.has_totp,
        by_provider: holder.by_provider,
        token_hash: String::new(),
        seen_at: now,
        token: Some(ByToken { id: holder.token, read_only: holder.read_only }),
    };
    // Made when the role did not ask for a second step, or before an admin took it away: until there is one again, the
    // token opens as little as the password does.
    if lacks_second_step(state, &signed) {
        let detail = "the role of this token's person needs an authenticator: enrol it on /console/me";
        return Err(Problem::new(StatusCode::FORBIDDEN, "second-step", detail).into_response());
    }
    Ok(signed)
}

/// A 401 says how to do better (RFC 9110, section 11.6.1).
pub fn challenge(problem: Problem) -> Response {
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
}

async fn find(state: &AppState, hash: &str, now: Timestamp) -> Result<Option<TokenHolder>, StoreError> {
    state.store.read().await?.token(hash, now).await
}

/// At most one write a minute, and none that a request would fail for.
async fn note_used(state: &AppState, holder: &TokenHolder, now: Timestamp) {
    if holder.last_used_at.is_some_and(|at| now.since(at) < USED_EVERY) {
        return;
    }
    let noted = async {
        let mut tx = state.store.begin().await?;
        tx.token_used(holder.token, now).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(%error, "when a token was last used is not noted");
    }
}

/// How often each token asks. In memory, and of this instance: a restart forgets.
#[derive(Default)]
pub struct Limits(Mutex<HashMap<Uuid, Bucket>>);

/// Fills up evenly, and each request takes one from it.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

/// Buckets kept before those that are full again are forgotten.
const BUCKETS: usize = 10_000;

impl Limits {
    /// Counts a request. Error: how long to wait. `per_minute` 0: no limit.
    fn count(&self, token: Uuid, per_minute: u32, now: Timestamp) -> Result<(), Duration> {
        if per_minute == 0 {
            return Ok(());
        }
        let most = f64::from(per_minute);
        let each = 60.0 / most;
        // Numbers are right after every step: a panic elsewhere leaves nothing half done.
        let mut buckets = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let filled = |bucket: &Bucket| (bucket.left + now.since(bucket.at).as_secs_f64() / each).min(most);
        if buckets.len() >= BUCKETS {
            buckets.retain(|_, bucket| filled(bucket) < most);
        }
        let bucket = buckets.entry(token).or_insert(Bucket { left: most, at: now });
        let left = filled(bucket);
        *bucket = Bucket { left, at: now };
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) * each));
        }
        bucket.left = left - 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_own_measure_and_it_fills_up_again() {
        let (limits, one, other) = (Limits::default(), Uuid::now_v7(), Uuid::now_v7());
        let now = Timestamp(1_000_000_000);
        for _ in 0..60 {
            assert_eq!(limits.count(one, 60, now), Ok(()));
        }
        assert_eq!(limits.count(one, 60, now), Err(Duration::from_secs(1)));
        assert_eq!(limits.count(other, 60, now), Ok(()));
        let later = now.plus(Duration::from_secs(2));
        assert_eq!(limits.count(one, 60, later), Ok(()));
        assert_eq!(limits.count(one, 60, later), Ok(()));
        assert!(limits.count(one, 60, later).is_err());
        assert_eq!(limits.count(one, 0, later), Ok(()), "no limit");
    }
}
