//! People of the desk as conversations name them.

use super::driver::{Row, values};
use super::{StoreError, Tx, sql};
use crate::model::{Agent, AgentId, Timestamp};

/// For sign-in only; no `Debug`, so that the hash reaches no log.
pub struct AgentWithHash {
    pub agent: Agent,
    /// PHC string of argon2.
    pub password_hash: String,
}

impl Tx {
    /// False: the login is taken.
    pub async fn insert_agent(&mut self, a: &AgentWithHash, now: Timestamp) -> Result<bool, StoreError> {
        let Agent { id, login, name, role } = &a.agent;
        let values =
            values![*id, login.as_str(), name.as_str(), role.as_str(), a.password_hash.as_str(), now];
        Ok(self.execute(&sql::AGENT_INSERT, values).await? == 1)
    }

    /// Sets a new password, unlocks the account and ends every session of the agent. False: no such login.
    pub async fn set_password(&mut self, login: &str, hash: &str) -> Result<bool, StoreError> {
        let Some(found) = self.agent_by_login(login).await? else {
            return Ok(false);
        };
        self.set_password_of(found.agent.id, hash).await?;
        self.unlock(found.agent.id).await?;
        self.end_sessions(found.agent.id).await?;
        Ok(true)
    }

    pub async fn agent_by_login(&mut self, login: &str) -> Result<Option<AgentWithHash>, StoreError> {
        let row = self.fetch_one(&sql::AGENT_BY_LOGIN, values![login]).await?;
        row.map(|row| Ok(AgentWithHash { agent: agent(&row)?, password_hash: row.get("password_hash")? }))
            .transpose()
    }

    pub async fn agent(&mut self, id: AgentId) -> Result<Option<Agent>, StoreError> {
        self.fetch_one(&sql::AGENT_BY_ID, values![id]).await?.as_ref().map(agent).transpose()
    }

    pub async fn count_agents(&mut self) -> Result<i64, StoreError> {
        self.fetch_one(&sql::AGENTS_COUNT, Vec::new()).await?.map_or(Ok(0), |row| row.get("n"))
    }
}

pub(super) fn agent(row: &Row) -> Result<Agent, StoreError> {
    Ok(Agent {
        id: AgentId(row.get("id")?),
        login: row.get("login")?,
        name: row.get("name")?,
        role: row.name("role")?,
    })
}
