//! Programs: personal access tokens, and the hooks that tell other systems what happened.

use crate::store::driver::Statement;

macro_rules! hook_columns {
    () => {
        "h.id, h.url, h.secret, h.kinds, h.seen_seq, h.created_at, h.disabled_at"
    };
}

macro_rules! delivery_columns {
    () => {
        "d.id, d.hook_id, d.event_seq, d.body, d.attempts, d.run_at, d.attempted_at, d.answer, d.delivered_at, d.failed_at"
    };
}

statements! {
    // Lines of the log that hooks are told of.
    HOOK_EVENTS = "SELECT e.seq, e.at, e.kind, e.actor, e.agent_id, e.conversation_id, e.message_id, e.data, c.channel, c.lang, \
        c.intent, a.name AS agent_name FROM events e JOIN conversations c ON c.id = e.conversation_id \
        LEFT JOIN agents a ON a.id = e.agent_id WHERE e.seq > $1 \
        AND e.kind IN ('escalated', 'taken', 'agent_answered', 'resolved', 'reply_withdrawn') ORDER BY e.seq LIMIT $2";
    TOKEN_INSERT = "INSERT INTO access_tokens (id, token_hash, agent_id, name, read_only, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TOKEN_FIND = "SELECT t.id AS token_id, t.token_hash, t.read_only, t.last_used_at, a.id, a.login, a.name, a.role, \
        CAST(CASE WHEN a.totp_secret IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_totp, \
        CAST(CASE WHEN a.oidc_subject IS NULL THEN 0 ELSE 1 END AS BIGINT) AS by_provider FROM access_tokens t \
        JOIN agents a ON a.id = t.agent_id WHERE t.token_hash = $1 AND t.revoked_at IS NULL \
        AND (t.expires_at IS NULL OR t.expires_at > $2) \
        AND a.disabled_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > $2)";
    TOKENS_OF_AGENT = "SELECT id, name, read_only, created_at, last_used_at, expires_at FROM access_tokens \
        WHERE agent_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC, id DESC";
    TOKEN_USED = "UPDATE access_tokens SET last_used_at = $2 WHERE id = $1";
    TOKEN_REVOKE = "UPDATE access_tokens SET revoked_at = $3 WHERE agent_id = $1 AND id = $2 AND revoked_at IS NULL \
        RETURNING name";
    TOKENS_REVOKE = "UPDATE access_tokens SET revoked_at = $2 WHERE agent_id = $1 AND revoked_at IS NULL";

    HOOKS = concat!("SELECT ", hook_columns!(), " FROM hooks h ORDER BY h.created_at, h.id");
    HOOK_LOCK lock "FOR UPDATE" = concat!("SELECT ", hook_columns!(), " FROM hooks h WHERE h.id = $1");
    // A new hook is told what happens from now on.
    HOOK_INSERT = "INSERT INTO hooks (id, url, secret, kinds, seen_seq, created_at) \
        VALUES ($1, $2, $3, $4, (SELECT COALESCE(MAX(seq), 0) FROM events), $5)";
    HOOK_SEEN = "UPDATE hooks SET seen_seq = $2 WHERE id = $1";
    HOOK_SET_DISABLED = "UPDATE hooks SET disabled_at = $2 WHERE id = $1";
    HOOK_DELETE = "DELETE FROM hooks WHERE id = $1";
    DELIVERIES_DELETE = "DELETE FROM hook_deliveries WHERE hook_id = $1";
    DELIVERY_INSERT = "INSERT INTO hook_deliveries (id, hook_id, event_seq, body, attempts, run_at) \
        VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (hook_id, event_seq) DO NOTHING";
    DELIVERY_NEXT = concat!("SELECT ", delivery_columns!(), " FROM hook_deliveries d WHERE d.hook_id = $1 \
        AND d.delivered_at IS NULL AND d.failed_at IS NULL ORDER BY d.event_seq LIMIT 1");
    DELIVERY_DONE = "UPDATE hook_deliveries SET attempts = attempts + 1, attempted_at = $2, answer = $3, delivered_at = $2 \
        WHERE id = $1";
    DELIVERY_RETRY = "UPDATE hook_deliveries SET attempts = attempts + 1, attempted_at = $2, answer = $3, run_at = $4 \
        WHERE id = $1";
    DELIVERY_FAILED = "UPDATE hook_deliveries SET attempts = attempts + 1, attempted_at = $2, answer = $3, failed_at = $2 \
        WHERE id = $1";
    DELIVERIES_OF_HOOK = concat!("SELECT ", delivery_columns!(), ", e.kind, e.at, e.conversation_id FROM hook_deliveries d \
        JOIN events e ON e.seq = d.event_seq WHERE d.hook_id = $1 ORDER BY d.event_seq DESC LIMIT $2");
    DELIVERIES_WAITING = "SELECT COUNT(*) AS n FROM hook_deliveries WHERE hook_id = $1 AND delivered_at IS NULL";
    DELIVERY_AGAIN = "UPDATE hook_deliveries SET attempts = 0, run_at = $3, delivered_at = NULL, failed_at = NULL \
        WHERE hook_id = $1 AND id = $2";
    DELIVERIES_AGAIN = "UPDATE hook_deliveries SET attempts = 0, run_at = $2, failed_at = NULL \
        WHERE hook_id = $1 AND delivered_at IS NULL";
    DELIVERIES_EXPIRE = "DELETE FROM hook_deliveries WHERE delivered_at < $1";
}

/// After it, whoever has written a line of the log has committed it: Postgres numbers lines before they are committed, and one with a
/// lower number that came later would be passed over for ever. It waits for those who write, and they wait for it.
pub const EVENTS_SETTLE: Statement = Statement {
    name: "EVENTS_SETTLE",
    // There is one writer.
    sqlite: "SELECT 1",
    postgres: "LOCK TABLE events IN SHARE MODE",
};
