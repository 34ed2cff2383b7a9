//! Personal access tokens: a program acts with one in the name of its person, and may no more than they.

use super::token;
use crate::model::{Agent, Timestamp};
use crate::store::{NewToken, Store, StoreError};
use serde_json::json;
use uuid::Uuid;

/// How a token begins, so that people and secret scanners know one when they see it.
pub const PREFIX: &str = "gch_";
/// Tokens of one person that were not revoked.
const MOST: usize = 20;

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("write 1 to 80 characters")]
    Name,
    #[error("the date is past")]
    PastDate,
    #[error("there are 20 tokens already: revoke one first")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TokenError {
    /// The key of its text in the console's language files.
    pub fn code(&self) -> &'static str {
        match self {
            TokenError::Name => "bad_name",
            TokenError::PastDate => "past_date",
            TokenError::TooMany => "too_many_tokens",
            TokenError::Store(_) => "store",
        }
    }
}

/// What a person wants of a new token.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub name: &'a str,
    pub read_only: bool,
    /// None: it ends with the person's access, or when it is revoked.
    pub until: Option<Timestamp>,
}

/// The token, shown now and never again: only its digest is kept.
pub async fn create(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    wanted: Wanted<'_>,
) -> Result<String, TokenError> {
    let name = super::people::check_name(wanted.name).map_err(|_| TokenError::Name)?;
    if wanted.until.is_some_and(|until| until <= now) {
        return Err(TokenError::PastDate);
    }
    let token = format!("{PREFIX}{}", token::random());
    let mut tx = store.begin().await?;
    // Two forms at the same moment wait for each other, so that both are counted.
    tx.lock_person(agent.id).await?;
    if tx.tokens_of(agent.id).await?.len() >= MOST {
        return Err(TokenError::TooMany);
    }
    let new = NewToken {
        token_hash: &token::digest(&token),
        agent: agent.id,
        name,
        read_only: wanted.read_only,
        expires_at: wanted.until,
    };
    tx.insert_token(&new, now).await?;
    let until = wanted.until.map(|until| until.to_string());
    let data = json!({ "name": name, "read_only": wanted.read_only, "until": until });
    tx.audit(now, Some(agent.id), "token.created", &agent.login, &data).await?;
    tx.commit().await?;
    Ok(token)
}

/// Nothing opens with it any more. False: the person has no such token.
///
/// # Errors
/// The database's.
pub async fn revoke(store: &Store, now: Timestamp, agent: &Agent, id: Uuid) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let Some(name) = tx.revoke_token(agent.id, id, now).await? else { return Ok(false) };
    tx.audit(now, Some(agent.id), "token.revoked", &agent.login, &json!({ "name": name })).await?;
    tx.commit().await?;
    Ok(true)
}
