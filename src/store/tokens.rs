//! Personal access tokens: what programs open the API with, in the name of a person.

use super::driver::values;
use super::sql::api as sql;
use super::{StoreError, Tx, agents};
use crate::model::{Agent, AgentId, Timestamp};
use uuid::Uuid;

/// A token that was not revoked, as its person sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessToken {
    pub id: Uuid,
    pub name: String,
    pub read_only: bool,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// A token to keep; no `Debug`, so that it reaches no log.
pub struct NewToken<'a> {
    /// SHA-256 in hexadecimal.
    pub token_hash: &'a str,
    pub agent: AgentId,
    pub name: &'a str,
    pub read_only: bool,
    pub expires_at: Option<Timestamp>,
}

/// Whose token it is, and what it may.
pub struct TokenHolder {
    pub token: Uuid,
    /// As it is stored.
    pub token_hash: String,
    pub read_only: bool,
    pub last_used_at: Option<Timestamp>,
    pub agent: Agent,
    pub has_totp: bool,
    /// Known to the provider of OpenID Connect.
    pub by_provider: bool,
}

impl Tx {
    pub async fn insert_token(&mut self, new: &NewToken<'_>, now: Timestamp) -> Result<Uuid, StoreError> {
        let NewToken { token_hash, agent, name, read_only, expires_at } = *new;
        let id = Uuid::now_v7();
        let values = values![id, token_hash, agent, name, i64::from(read_only), now, expires_at];
        self.execute(&sql::TOKEN_INSERT, values).await?;
        Ok(id)
    }

    /// The token that has neither ended nor been revoked, of a person who may still enter.
    pub async fn token(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Option<TokenHolder>, StoreError> {
        let row = self.fetch_one(&sql::TOKEN_FIND, values![token_hash, now]).await?;
        row.map(|row| {
            Ok(TokenHolder {
                token: row.get("token_id")?,
                token_hash: row.get("token_hash")?,
                read_only: row.get::<i64>("read_only")? == 1,
                last_used_at: row.opt_time("last_used_at")?,
                agent: agents::agent(&row)?,
                has_totp: row.get::<i64>("has_totp")? == 1,
                by_provider: row.get::<i64>("by_provider")? == 1,
            })
        })
        .transpose()
    }

    /// Those that were not revoked, the latest first.
    pub async fn tokens_of(&mut self, agent: AgentId) -> Result<Vec<AccessToken>, StoreError> {
        let rows = self.fetch(&sql::TOKENS_OF_AGENT, values![agent]).await?;
        rows.iter()
            .map(|row| {
                Ok(AccessToken {
                    id: row.get("id")?,
                    name: row.get("name")?,
                    read_only: row.get::<i64>("read_only")? == 1,
                    created_at: row.time("created_at")?,
                    last_used_at: row.opt_time("last_used_at")?,
                    expires_at: row.opt_time("expires_at")?,
                })
            })
            .collect()
    }

    pub async fn token_used(&mut self, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
        self.execute(&sql::TOKEN_USED, values![id, now]).await?;
        Ok(())
    }

    /// The name of the token that ends. None: the person has no such token.
    pub async fn revoke_token(
        &mut self,
        agent: AgentId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let row = self.fetch_one(&sql::TOKEN_REVOKE, values![agent, id, now]).await?;
        row.map(|row| row.get("name")).transpose()
    }

    /// How many ended.
    pub async fn revoke_tokens(&mut self, agent: AgentId, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(&sql::TOKENS_REVOKE, values![agent, now]).await
    }
}
