//! Sessions of people, and the steps before there is one.

use super::driver::values;
use super::sql::people;
use super::{StoreError, Tx, agents, sql};
use crate::model::{Agent, AgentId, SessionId, Timestamp};
use uuid::Uuid;

/// The session of a request.
#[derive(Debug, Clone)]
pub struct Session {
    pub agent: Agent,
    pub csrf: String,
    pub expires_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// The person has a second step.
    pub has_totp: bool,
    /// Signed in by the provider of OpenID Connect.
    pub by_provider: bool,
}

pub struct NewSession<'a> {
    /// SHA-256 of the cookie in hexadecimal.
    pub token_hash: &'a str,
    pub agent: AgentId,
    pub csrf: &'a str,
    pub expires_at: Timestamp,
    /// What the person recognises it by: `Firefox, Linux`.
    pub browser: &'a str,
    pub address: &'a str,
    pub by_provider: bool,
}

/// A session as its person sees it among their others.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenSession {
    pub id: SessionId,
    pub token_hash: String,
    pub browser: String,
    pub address: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// What a browser has begun and not ended: a password was right, or it went to the provider.
pub struct NewStep<'a> {
    pub token_hash: &'a str,
    pub agent: Option<AgentId>,
    /// Nonce and PKCE verifier of the way to the provider.
    pub provider: Option<(&'a str, &'a str)>,
    pub next: &'a str,
    pub expires_at: Timestamp,
}

/// No `Debug`: it has secrets.
pub struct Step {
    pub agent: Option<AgentId>,
    pub provider: Option<(String, String)>,
    pub next: String,
}

impl Tx {
    pub async fn insert_session(&mut self, new: &NewSession<'_>, now: Timestamp) -> Result<(), StoreError> {
        let NewSession { token_hash, agent, csrf, expires_at, browser, address, by_provider } = *new;
        let id = SessionId::new().0;
        let by_provider = i64::from(by_provider);
        let values = values![token_hash, id, agent, csrf, now, expires_at, browser, address, by_provider];
        self.execute(&sql::SESSION_INSERT, values).await?;
        self.execute(&people::PERSON_SEEN, values![agent, now]).await?;
        Ok(())
    }

    /// The session that has not expired, of a person who may still enter.
    pub async fn session(&mut self, token_hash: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let row = self.fetch_one(&sql::SESSION_FIND, values![token_hash, now]).await?;
        row.map(|row| {
            Ok(Session {
                agent: agents::agent(&row)?,
                csrf: row.get("csrf")?,
                expires_at: row.time("expires_at")?,
                last_seen_at: row.opt_time("last_seen_at")?.unwrap_or_default(),
                has_totp: row.get::<i64>("has_totp")? == 1,
                by_provider: row.get::<i64>("by_provider")? == 1,
            })
        })
        .transpose()
    }

    /// The person was here.
    pub async fn touch_session(
        &mut self,
        token_hash: &str,
        agent: AgentId,
        address: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&people::SESSION_TOUCH, values![token_hash, now, address]).await?;
        self.execute(&people::PERSON_SEEN, values![agent, now]).await?;
        Ok(())
    }

    /// The last seen first.
    pub async fn sessions_of(
        &mut self,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<Vec<OpenSession>, StoreError> {
        let rows = self.fetch(&people::SESSIONS_OF_AGENT, values![agent, now]).await?;
        rows.iter()
            .map(|row| {
                Ok(OpenSession {
                    id: SessionId(row.get("id")?),
                    token_hash: row.get("token_hash")?,
                    browser: row.get::<Option<String>>("browser")?.unwrap_or_default(),
                    address: row.get::<Option<String>>("address")?.unwrap_or_default(),
                    created_at: row.time("created_at")?,
                    last_seen_at: row.opt_time("last_seen_at")?.unwrap_or_default(),
                })
            })
            .collect()
    }

    pub async fn delete_session(&mut self, token_hash: &str) -> Result<(), StoreError> {
        self.execute(&sql::SESSION_DELETE, values![token_hash]).await?;
        Ok(())
    }

    /// False: the person has no such session.
    pub async fn end_session(&mut self, agent: AgentId, id: SessionId) -> Result<bool, StoreError> {
        Ok(self.execute(&people::SESSION_OF_AGENT_DELETE, values![agent, id.0]).await? == 1)
    }

    /// How many ended.
    pub async fn end_other_sessions(&mut self, agent: AgentId, but: &str) -> Result<u64, StoreError> {
        self.execute(&people::STEPS_OF_AGENT_DELETE, values![agent]).await?;
        self.execute(&people::SESSIONS_OTHER_DELETE, values![agent, but]).await
    }

    /// Every session, and every sign-in that is half done.
    pub async fn end_sessions(&mut self, agent: AgentId) -> Result<u64, StoreError> {
        self.execute(&people::STEPS_OF_AGENT_DELETE, values![agent]).await?;
        self.execute(&sql::SESSIONS_OF_AGENT_DELETE, values![agent]).await
    }

    /// Sessions and steps whose time is over; how many sessions.
    pub async fn expire_sessions(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(&people::STEPS_EXPIRE, values![now]).await?;
        self.execute(&sql::SESSIONS_EXPIRE, values![now]).await
    }

    pub async fn insert_step(&mut self, new: &NewStep<'_>) -> Result<(), StoreError> {
        let NewStep { token_hash, agent, provider, next, expires_at } = *new;
        let (nonce, verifier) = provider.unzip();
        let values = values![token_hash, agent, nonce, verifier, next, expires_at];
        self.execute(&people::STEP_INSERT, values).await?;
        Ok(())
    }

    /// Counts a try of the step's next half. None: there is no such step, or it was tried `most` times.
    pub async fn try_step(
        &mut self,
        token_hash: &str,
        now: Timestamp,
        most: i64,
    ) -> Result<Option<Step>, StoreError> {
        let row = self.fetch_one(&people::STEP_TRY, values![token_hash, now, most]).await?;
        row.map(|row| {
            let nonce: Option<String> = row.get("nonce")?;
            let verifier: Option<String> = row.get("verifier")?;
            Ok(Step {
                agent: row.get::<Option<Uuid>>("agent_id")?.map(AgentId),
                provider: nonce.zip(verifier),
                next: row.get("next")?,
            })
        })
        .transpose()
    }

    pub async fn delete_step(&mut self, token_hash: &str) -> Result<(), StoreError> {
        self.execute(&people::STEP_DELETE, values![token_hash]).await?;
        Ok(())
    }
}
