//! Proposed replies, and replies that are taken back.

use crate::store::driver::Statement;

statements! {
    PROPOSED_REPLY_INSERT = "INSERT INTO proposals (id, conversation_id, agent_id, response, text, facts, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    PROPOSED_REPLY = "SELECT response, text, facts FROM proposals WHERE id = $1 AND conversation_id = $2 AND agent_id = $3";
    PROPOSED_REPLIES_EXPIRE = "DELETE FROM proposals WHERE created_at < $1";

    // Only what no worker has ever claimed. In Postgres a claim that is not committed yet makes this wait, and the
    // condition is looked at again (READ COMMITTED); in SQLite there is one writer.
    SEND_WITHDRAW = "DELETE FROM jobs WHERE kind = 'send' AND message_id = $1 AND claimed_until = 0 AND attempts = 0 \
        AND deferred = 0 AND run_at > $2";
    MESSAGE_DELETE = "DELETE FROM messages WHERE id = $1";
    WITHDRAWN_INSERT = "INSERT INTO withdrawn (message_id, conversation_id, agent_id, text, withdrawn_at) \
        VALUES ($1, $2, $3, $4, $5)";
    WITHDRAWN = "SELECT conversation_id, agent_id, text FROM withdrawn WHERE message_id = $1";
    WITHDRAWN_EXPIRE = "DELETE FROM withdrawn WHERE withdrawn_at < $1";
    // The latest that can still be taken back.
    WITHDRAWABLE = "SELECT m.id, j.run_at FROM jobs j JOIN messages m ON m.id = j.message_id \
        WHERE m.conversation_id = $1 AND m.agent_id = $2 AND j.kind = 'send' AND j.claimed_until = 0 AND j.attempts = 0 \
        AND j.deferred = 0 AND j.run_at > $3 ORDER BY m.seq DESC LIMIT 1";
}
