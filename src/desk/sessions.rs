//! A person ends their own sessions.

use crate::model::{Agent, SessionId, Timestamp};
use crate::store::{Store, StoreError};
use serde_json::json;

/// False: the person has no such session. Another's id finds nothing.
///
/// # Errors
/// The database's.
pub async fn end(store: &Store, now: Timestamp, agent: &Agent, id: SessionId) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    if !tx.end_session(agent.id, id).await? {
        return Ok(false);
    }
    tx.audit(now, Some(agent.id), "session.ended", &agent.login, &json!({})).await?;
    tx.commit().await?;
    Ok(true)
}

/// All but the one whose token has the SHA-256 `but`. How many.
///
/// # Errors
/// The database's.
pub async fn end_others(store: &Store, now: Timestamp, agent: &Agent, but: &str) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let ended = tx.end_other_sessions(agent.id, but).await?;
    tx.audit(now, Some(agent.id), "sessions.ended", &agent.login, &json!({ "count": ended })).await?;
    tx.commit().await?;
    Ok(ended)
}
