//! The audit log: what people did beyond conversations, which have their own log.

use super::driver::values;
use super::sql::people as sql;
use super::{StoreError, Tx};
use crate::model::{AgentId, Timestamp};
use serde_json::Value;
use uuid::Uuid;

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditLine {
    pub seq: i64,
    pub at: Timestamp,
    /// None: the server, or someone who was not signed in.
    pub agent: Option<AgentId>,
    pub agent_name: Option<String>,
    /// `person.invited`, `team.changed`, `trace.read`.
    pub action: String,
    /// What it was done to, in words that stay true when it is gone.
    pub target: String,
    /// No secret and no customer's words.
    pub data: Value,
}

/// Which lines; empty texts: all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuditFilter<'a> {
    pub action: &'a str,
    /// The login of who did it, or to whom it was done.
    pub login: &'a str,
}

impl Tx {
    pub async fn audit(
        &mut self,
        now: Timestamp,
        agent: Option<AgentId>,
        action: &str,
        target: &str,
        data: &Value,
    ) -> Result<(), StoreError> {
        let values = values![now, agent, action, target, data.to_string()];
        self.execute(&sql::AUDIT_APPEND, values).await?;
        Ok(())
    }

    /// The latest lines before `before`, latest first.
    pub async fn audit_lines(
        &mut self,
        filter: &AuditFilter<'_>,
        before: i64,
        limit: i64,
    ) -> Result<Vec<AuditLine>, StoreError> {
        let values = values![before, filter.action, filter.login, limit];
        let rows = self.fetch(&sql::AUDIT_LATEST, values).await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLine {
                    seq: row.get("seq")?,
                    at: row.time("at")?,
                    agent: row.get::<Option<Uuid>>("agent_id")?.map(AgentId),
                    agent_name: row.get("agent_name")?,
                    action: row.get("action")?,
                    target: row.get("target")?,
                    data: row.json("data")?,
                })
            })
            .collect()
    }

    /// Every action that was ever done, by name.
    pub async fn audit_actions(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = self.fetch(&sql::AUDIT_ACTIONS, Vec::new()).await?;
        rows.iter().map(|row| row.get("action")).collect()
    }
}
