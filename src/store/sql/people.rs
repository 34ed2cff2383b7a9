//! What people of the desk did.

use crate::store::driver::Statement;

statements! {
    AUDIT_APPEND = "INSERT INTO audit (at, agent_id, action, target, data) VALUES ($1, $2, $3, $4, $5)";
    AUDIT_LATEST = "SELECT seq, at, agent_id, action, target, data FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
}
