//! People of the desk: their accounts, how they get in, and what they did.

use crate::store::driver::Statement;

macro_rules! person_columns {
    () => {
        "a.id, a.login, a.name, a.role, a.email, a.created_at, a.last_seen_at, a.expires_at, a.disabled_at, \
         a.failures, a.locked_until, a.password_hash, a.totp_secret, a.totp_pending, a.oidc_subject"
    };
}

macro_rules! invitation_columns {
    () => {
        "i.token_hash, i.agent_id, i.email, i.role, i.access_until, i.expires_at"
    };
}

statements! {
    AUDIT_APPEND = "INSERT INTO audit (at, agent_id, action, target, data) VALUES ($1, $2, $3, $4, $5)";
    AUDIT_LATEST = "SELECT u.seq, u.at, u.agent_id, u.action, u.target, u.data, a.name AS agent_name FROM audit u \
        LEFT JOIN agents a ON a.id = u.agent_id WHERE u.seq < $1 AND ($2 = '' OR u.action = $2) \
        AND ($3 = '' OR a.login = $3 OR u.target = $3) ORDER BY u.seq DESC LIMIT $4";
    AUDIT_ACTIONS = "SELECT DISTINCT action FROM audit ORDER BY action";

    PEOPLE = concat!("SELECT ", person_columns!(), " FROM agents a \
        ORDER BY CASE WHEN a.disabled_at IS NULL THEN 0 ELSE 1 END, LOWER(a.name), a.id");
    PERSON_BY_ID = concat!("SELECT ", person_columns!(), " FROM agents a WHERE a.id = $1");
    PERSON_BY_LOGIN = concat!("SELECT ", person_columns!(), " FROM agents a WHERE a.login = $1");
    PERSON_BY_SUBJECT = concat!("SELECT ", person_columns!(), " FROM agents a WHERE a.oidc_subject = $1");
    PEOPLE_BY_EMAIL = concat!("SELECT ", person_columns!(), " FROM agents a WHERE LOWER(a.email) = LOWER($1) LIMIT 2");
    PERSON_LOCK lock "FOR UPDATE" = concat!("SELECT ", person_columns!(), " FROM agents a WHERE a.id = $1");
    // A guest among them would leave the desk without an admin one day.
    ADMINS_LOCK lock "FOR UPDATE" = "SELECT id FROM agents WHERE role = 'admin' AND disabled_at IS NULL \
        AND expires_at IS NULL ORDER BY id";
    PEOPLE_GONE = "SELECT a.id FROM agents a WHERE (a.disabled_at IS NOT NULL OR a.expires_at <= $1) \
        AND a.id IN (SELECT c.agent_id FROM conversations c WHERE c.state = 'in_charge') ORDER BY a.id";
    TEAMS_OF_PEOPLE = "SELECT m.agent_id, t.name FROM team_members m JOIN teams t ON t.id = m.team_id \
        WHERE t.archived_at IS NULL AND (m.until_at IS NULL OR m.until_at > $1) ORDER BY t.name";
    PERSON_SET_ROLE = "UPDATE agents SET role = $2 WHERE id = $1";
    PERSON_SET_DISABLED = "UPDATE agents SET disabled_at = $2, presence = 'away' WHERE id = $1";
    PERSON_SET_EXPIRY = "UPDATE agents SET expires_at = $2 WHERE id = $1";
    PERSON_SET_EMAIL = "UPDATE agents SET email = $2, expires_at = $3 WHERE id = $1";
    PERSON_SET_PASSWORD = "UPDATE agents SET password_hash = $2 WHERE id = $1";
    PERSON_SET_SUBJECT = "UPDATE agents SET oidc_subject = $2 WHERE id = $1 AND oidc_subject IS NULL";
    PERSON_SEEN = "UPDATE agents SET last_seen_at = $2 WHERE id = $1";
    // Not while it is locked: whoever guesses on does not lock the person out for longer.
    PERSON_FAILED = "UPDATE agents SET failures = failures + 1 \
        WHERE login = $1 AND (locked_until IS NULL OR locked_until <= $2) RETURNING id, failures";
    PERSON_LOCK_OUT = "UPDATE agents SET locked_until = $2 WHERE id = $1";
    PERSON_UNLOCK = "UPDATE agents SET failures = 0, locked_until = NULL WHERE id = $1 \
        AND (failures > 0 OR locked_until IS NOT NULL)";
    TOTP_OFFER = "UPDATE agents SET totp_pending = $2 WHERE id = $1";
    TOTP_ENROL = "UPDATE agents SET totp_secret = totp_pending, totp_pending = NULL, totp_step = $2 \
        WHERE id = $1 AND totp_pending IS NOT NULL";
    TOTP_REMOVE = "UPDATE agents SET totp_secret = NULL, totp_pending = NULL, totp_step = NULL WHERE id = $1";
    TOTP_USE_STEP = "UPDATE agents SET totp_step = $2 WHERE id = $1 AND (totp_step IS NULL OR totp_step < $2)";
    RECOVERY_INSERT = "INSERT INTO recovery_codes (agent_id, code_hash) VALUES ($1, $2)";
    RECOVERY_DELETE = "DELETE FROM recovery_codes WHERE agent_id = $1";
    RECOVERY_USE = "UPDATE recovery_codes SET used_at = $3 WHERE agent_id = $1 AND code_hash = $2 AND used_at IS NULL";
    RECOVERY_LEFT = "SELECT COUNT(*) AS n FROM recovery_codes WHERE agent_id = $1 AND used_at IS NULL";

    INVITATION_INSERT = "INSERT INTO invitations (token_hash, agent_id, email, role, access_until, invited_by, \
        created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    INVITATION_OPEN = concat!("SELECT ", invitation_columns!(), " FROM invitations i \
        WHERE i.token_hash = $1 AND i.used_at IS NULL AND i.expires_at > $2");
    INVITATIONS_OPEN = concat!("SELECT ", invitation_columns!(), ", b.name AS by_name, a.login FROM invitations i \
        LEFT JOIN agents b ON b.id = i.invited_by LEFT JOIN agents a ON a.id = i.agent_id \
        WHERE i.used_at IS NULL AND i.expires_at > $1 ORDER BY i.created_at");
    INVITATION_CLOSE = "UPDATE invitations SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL";
    LINKS_OF_PERSON_CLOSE = "UPDATE invitations SET used_at = $2 WHERE agent_id = $1 AND used_at IS NULL";
    // Of a person: links to a new password of theirs, and links that they gave to others.
    INVITATIONS_OF_PERSON_CLOSE = "UPDATE invitations SET used_at = $2 \
        WHERE (agent_id = $1 OR invited_by = $1) AND used_at IS NULL";

    SESSIONS_OF_AGENT = "SELECT id, token_hash, browser, address, created_at, last_seen_at FROM sessions \
        WHERE agent_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC, id DESC";
    SESSION_TOUCH = "UPDATE sessions SET last_seen_at = $2, address = $3 WHERE token_hash = $1";
    SESSION_OF_AGENT_DELETE = "DELETE FROM sessions WHERE agent_id = $1 AND id = $2";
    SESSIONS_OTHER_DELETE = "DELETE FROM sessions WHERE agent_id = $1 AND token_hash <> $2";
    STEP_INSERT = "INSERT INTO sign_in_steps (token_hash, agent_id, nonce, verifier, next, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    STEP_TRY = "UPDATE sign_in_steps SET attempts = attempts + 1 WHERE token_hash = $1 AND expires_at > $2 \
        AND attempts < $3 RETURNING agent_id, nonce, verifier, next";
    STEP_DELETE = "DELETE FROM sign_in_steps WHERE token_hash = $1";
    STEPS_OF_AGENT_DELETE = "DELETE FROM sign_in_steps WHERE agent_id = $1";
    STEPS_EXPIRE = "DELETE FROM sign_in_steps WHERE expires_at <= $1";
}
