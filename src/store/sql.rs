//! Every statement, once. Parameters are `$1…`; both dialects know `RETURNING` and `ON CONFLICT`.

use super::driver::Statement;

macro_rules! statements {
    ($($name:ident $(lock $lock:literal)? = $sql:expr;)+) => {
        $(pub const $name: Statement = Statement {
            name: stringify!($name),
            sqlite: $sql,
            postgres: concat!($sql $(, " ", $lock)?),
        };)+
        pub(super) const ALL: &[&Statement] = &[$(&$name),+];
    };
}

macro_rules! contact_columns {
    () => {
        "id, channel, address, lang, created_at, opted_out_at, opt_out_message, name, blocked_at, chosen_lang"
    };
}

macro_rules! conversation_columns {
    () => {
        "c.id, c.contact_id, c.channel, c.state, c.lang, c.intent, c.priority, c.reason, c.agent_id, c.dialogue, \
         c.opened_at, c.escalated_at, c.taken_at, c.resolved_at, c.last_message_at, c.team_id, c.offered_to, \
         c.offered_until, c.snoozed_until, c.tags, c.about, c.first_due_at, c.next_due_at, c.resolve_due_at, \
         c.warned_at, c.breached_at"
    };
}

macro_rules! message_columns {
    () => {
        "id, conversation_id, seq, channel, direction, author, agent_id, kind, text, media, provider_id, status, \
         error, understanding, facts, created_at, attempted_at, sent_at, choices, automatic, edited_at, segments, cost"
    };
}

macro_rules! watch_columns {
    () => {
        "w.id, w.contact_id, w.conversation_id, w.what, w.from_at, w.until_at, w.created_at, w.told_at"
    };
}

macro_rules! told_columns {
    () => {
        "t.contact_id, t.conversation_id, t.message_id, t.ride, t.revision, t.corrections, t.delays"
    };
}

macro_rules! past_columns {
    () => {
        "day, trip, number, brand, terminus, cancelled, calls, as_of"
    };
}

macro_rules! proposal_columns {
    () => {
        "p.id, p.message_id, m.conversation_id, p.agent_id, a.name, p.lang, p.text, p.read_as, p.intent, p.created_at, \
         p.accepted"
    };
}

pub mod api;
pub mod composer;
pub mod hours;
pub mod notes;
pub mod people;
pub mod teams;

/// All of them, for the test that prepares them on both databases.
pub fn all() -> impl Iterator<Item = &'static Statement> {
    let settle: &[&Statement] = &[&api::EVENTS_SETTLE];
    let all = [ALL, api::ALL, composer::ALL, settle, hours::ALL, notes::ALL, people::ALL, teams::ALL];
    all.into_iter().flatten().copied()
}

statements! {
    // The update that changes nothing takes the row's lock in Postgres: messages of one contact arrive one by one.
    CONTACT_UPSERT = concat!("INSERT INTO contacts (id, channel, address, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (channel, address) DO UPDATE SET address = excluded.address RETURNING ", contact_columns!());
    CONTACT_BY_ID = concat!("SELECT ", contact_columns!(), " FROM contacts WHERE id = $1");
    CONTACT_LOCK lock "FOR NO KEY UPDATE" = concat!("SELECT ", contact_columns!(), " FROM contacts WHERE id = $1");
    CONTACT_BY_ADDRESS = concat!("SELECT ", contact_columns!(), " FROM contacts \
        WHERE channel = $1 AND address = $2");
    CONTACT_SET_LANG = "UPDATE contacts SET lang = $2 WHERE id = $1";
    CONTACT_OPT_OUT = "UPDATE contacts SET opted_out_at = COALESCE(opted_out_at, $2), opt_out_message = COALESCE($3, opt_out_message) \
        WHERE id = $1";
    CONTACT_OPT_IN = "UPDATE contacts SET opted_out_at = NULL, opt_out_message = NULL \
        WHERE id = $1 AND opted_out_at IS NOT NULL";

    CONTACT_SET_NAME = "UPDATE contacts SET name = $2 WHERE id = $1";
    CONTACT_SET_BLOCKED = "UPDATE contacts SET blocked_at = $2 WHERE id = $1";
    CONTACT_CHOOSE_LANG = "UPDATE contacts SET chosen_lang = $2 WHERE id = $1";

    CONVERSATION_INSERT = "INSERT INTO conversations (id, contact_id, channel, state, lang, priority, \
        priority_rank, dialogue, last_seq, opened_at, last_message_at) \
        VALUES ($1, $2, $3, 'bot', $4, 'normal', 2, $6, 0, $5, $5)";
    CONVERSATION_OPEN_OF_CONTACT lock "FOR UPDATE" = concat!("SELECT ", conversation_columns!(),
        " FROM conversations c WHERE c.contact_id = $1 AND c.state <> 'resolved'");
    CONVERSATION_LATEST_RESOLVED lock "FOR UPDATE" = concat!("SELECT ", conversation_columns!(),
        " FROM conversations c WHERE c.contact_id = $1 AND c.state = 'resolved' AND c.resolved_at >= $2 \
        ORDER BY c.resolved_at DESC LIMIT 1");
    CONVERSATION_BY_ID = concat!("SELECT ", conversation_columns!(), " FROM conversations c WHERE c.id = $1");
    CONVERSATION_LOCK lock "FOR UPDATE" = concat!("SELECT ", conversation_columns!(),
        " FROM conversations c WHERE c.id = $1");
    CONVERSATION_LOCK_CONTACT lock "FOR NO KEY UPDATE" = "SELECT id FROM contacts \
        WHERE id = (SELECT contact_id FROM conversations WHERE id = $1)";
    CONVERSATION_SAVE = "UPDATE conversations SET state = $2, lang = $3, intent = $4, priority = $5, \
        priority_rank = $6, reason = $7, agent_id = $8, dialogue = $9, escalated_at = $10, taken_at = $11, \
        resolved_at = $12, team_id = $13, offered_to = $14, offered_until = $15, snoozed_until = $16, tags = $17, \
        about = $18, first_due_at = $19, next_due_at = $20, resolve_due_at = $21, warned_at = $22, breached_at = $23 \
        WHERE id = $1";
    CONVERSATION_NEXT_SEQ = "UPDATE conversations SET last_seq = last_seq + 1, last_message_at = $2 \
        WHERE id = $1 RETURNING last_seq";

    MESSAGE_INBOUND_EXISTS = "SELECT conversation_id FROM messages \
        WHERE channel = $1 AND provider_id = $2 AND direction = 'inbound'";
    MESSAGE_INSERT = "INSERT INTO messages (id, conversation_id, seq, channel, direction, author, agent_id, kind, \
        text, media, provider_id, status, facts, created_at, choices, automatic, segments, cost) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    MESSAGE_BY_ID = concat!("SELECT ", message_columns!(), " FROM messages WHERE id = $1");
    MESSAGE_LOCK lock "FOR UPDATE" = concat!("SELECT ", message_columns!(), " FROM messages WHERE id = $1");
    MESSAGE_BY_OUTBOUND_PROVIDER_ID lock "FOR UPDATE" = concat!("SELECT ", message_columns!(),
        " FROM messages WHERE channel = $1 AND provider_id = $2 AND direction = 'outbound'");
    MESSAGE_BY_INBOUND_PROVIDER_ID = concat!("SELECT ", message_columns!(),
        " FROM messages WHERE channel = $1 AND provider_id = $2 AND direction = 'inbound'");
    MESSAGE_OUTBOUND_KNOWN = "SELECT 1 AS known FROM messages \
        WHERE channel = $1 AND provider_id = $2 AND direction = 'outbound'";
    MESSAGES_OF_CONVERSATION = concat!("SELECT ", message_columns!(),
        " FROM messages WHERE conversation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3");
    MESSAGES_LATEST = concat!("SELECT ", message_columns!(), " FROM (SELECT m.* FROM messages m \
        WHERE m.conversation_id = $1 ORDER BY m.seq DESC LIMIT $2) recent ORDER BY seq");
    MESSAGES_OF_CONTACT = concat!("SELECT ", message_columns!(), " FROM (SELECT m.*, c.opened_at FROM messages m \
        JOIN conversations c ON c.id = m.conversation_id WHERE c.contact_id = $1 \
        ORDER BY c.opened_at DESC, c.id DESC, m.seq DESC LIMIT $2) recent ORDER BY opened_at, conversation_id, seq");
    // Only while nobody has begun to read it.
    MESSAGE_EDIT = "UPDATE messages SET text = $2, edited_at = $3 WHERE id = $1 AND understanding IS NULL \
        AND EXISTS (SELECT 1 FROM jobs j WHERE j.message_id = $1 AND j.kind = 'process' AND j.claimed_until = 0 \
        AND j.attempts = 0)";
    MESSAGE_LAST_INBOUND = concat!("SELECT ", message_columns!(), " FROM messages \
        WHERE conversation_id = $1 AND direction = 'inbound' ORDER BY seq DESC LIMIT 1");
    MESSAGE_SET_UNDERSTANDING = "UPDATE messages SET understanding = $2 WHERE id = $1";
    MESSAGE_SET_STATUS = "UPDATE messages SET status = $2, error = $3, \
        provider_id = COALESCE($4, provider_id), sent_at = COALESCE($5, sent_at) WHERE id = $1";
    MESSAGE_SET_SENDING = "UPDATE messages SET status = 'sending', attempted_at = $2, error = NULL WHERE id = $1";
    // Says the condition of the partial index, so that it is used.
    MESSAGES_UNKNOWN = "SELECT COUNT(*) AS n FROM messages \
        WHERE status IN ('unknown', 'failed') AND status = 'unknown'";

    JOB_INSERT = "INSERT INTO jobs (id, lane, kind, message_id, run_at, attempts, claimed_until, rank) \
        VALUES ($1, $2, $3, $4, $5, 0, 0, $6)";
    // Only the first job of a lane can be claimed, so that a job that waits for its next try holds its lane.
    JOBS_DUE lock "FOR UPDATE SKIP LOCKED" = "SELECT seq, id, lane, kind, message_id, attempts, rank, deferred \
        FROM jobs j WHERE j.run_at <= $1 AND j.claimed_until <= $1 \
        AND NOT EXISTS (SELECT 1 FROM jobs b WHERE b.lane = j.lane AND b.seq < j.seq) \
        ORDER BY j.rank, j.run_at, j.seq LIMIT $2";
    JOB_CLAIM = "UPDATE jobs SET claim = $2, claimed_until = $3, attempts = attempts + 1 WHERE id = $1";
    JOB_COMPLETE = "DELETE FROM jobs WHERE id = $1 AND claim = $2";
    // Behind the head of its lane, which the caller holds, nobody else can have claimed it.
    JOB_END_BEHIND = "DELETE FROM jobs WHERE kind = 'process' AND message_id = $1 AND claimed_until = 0";
    JOB_RETRY = "UPDATE jobs SET run_at = $3, claimed_until = 0, claim = NULL, deferred = 0 WHERE id = $1 AND claim = $2";
    // No try was made: the provider's pace did not allow it yet.
    JOB_DEFER = "UPDATE jobs SET run_at = $3, claimed_until = 0, claim = NULL, attempts = attempts - 1, \
        deferred = 1 WHERE id = $1 AND claim = $2";
    // The next of the lane waits from now on: who has much to say does not keep others waiting.
    JOB_NEXT_OF_LANE = "UPDATE jobs SET run_at = $2 \
        WHERE seq = (SELECT MIN(seq) FROM jobs WHERE lane = $1) AND run_at < $2";
    // In one order, or two transactions could wait for each other.
    LANE_BROADCASTS lock "FOR UPDATE" = "SELECT seq FROM jobs WHERE lane = $1 AND rank = 1 ORDER BY seq";
    LANE_PROMOTE = "UPDATE jobs SET rank = 0 WHERE lane = $1 AND rank = 1";
    LANE_WAITS = "SELECT 1 AS waits FROM jobs WHERE lane = $1 LIMIT 1";
    JOBS_RELEASE_ALL = "UPDATE jobs SET claimed_until = 0, claim = NULL WHERE claimed_until > 0";
    JOBS_NEXT_AT = "SELECT MIN(CASE WHEN run_at > claimed_until THEN run_at ELSE claimed_until END) AS at \
        FROM jobs j WHERE NOT EXISTS (SELECT 1 FROM jobs b WHERE b.lane = j.lane AND b.seq < j.seq)";
    JOBS_COUNT = "SELECT kind, COUNT(*) AS n, MIN(run_at) AS oldest FROM jobs GROUP BY kind";

    EVENT_APPEND = "INSERT INTO events (at, kind, actor, agent_id, conversation_id, message_id, data) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    EVENTS_OF_CONVERSATION = "SELECT seq, at, kind, actor, agent_id, conversation_id, message_id, data \
        FROM events WHERE conversation_id = $1 ORDER BY seq";
    // A conversation belongs to the period in which it was opened.
    EVENTS_OF_PERIOD = "SELECT e.at, e.kind, e.data, e.conversation_id, c.channel, c.intent FROM events e \
        JOIN conversations c ON c.id = e.conversation_id WHERE c.opened_at >= $1 AND c.opened_at < $2 \
        ORDER BY e.conversation_id, e.seq";

    QUEUE = concat!("SELECT ", conversation_columns!(), ", k.address, a.name AS agent_name, \
        (SELECT m.text FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'inbound' \
        ORDER BY m.seq DESC LIMIT 1) AS last_text, \
        (SELECT m.understanding FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'inbound' \
        ORDER BY m.seq DESC LIMIT 1) AS last_understanding, \
        (SELECT COUNT(*) FROM messages m WHERE m.conversation_id = c.id \
        AND m.status IN ('unknown', 'failed')) AS trouble \
        FROM conversations c JOIN contacts k ON k.id = c.contact_id LEFT JOIN agents a ON a.id = c.agent_id \
        WHERE c.state IN ('queued', 'in_charge') \
        OR (c.state = 'bot' AND c.id IN (SELECT conversation_id FROM messages \
        WHERE status IN ('unknown', 'failed'))) \
        OR (c.state = 'resolved' AND c.resolved_at > $2 AND c.id IN (SELECT conversation_id FROM messages \
        WHERE status IN ('unknown', 'failed') AND author = 'agent')) \
        ORDER BY c.priority_rank, COALESCE(c.escalated_at, c.last_message_at), c.id LIMIT $1");
    QUEUE_SIZE = "SELECT COUNT(*) AS n FROM conversations WHERE state = 'queued'";

    AGENT_INSERT = "INSERT INTO agents (id, login, name, role, password_hash, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (login) DO NOTHING";
    AGENT_BY_LOGIN = "SELECT id, login, name, role, password_hash FROM agents WHERE login = $1";
    AGENT_BY_ID = "SELECT id, login, name, role FROM agents WHERE id = $1";
    AGENTS_COUNT = "SELECT COUNT(*) AS n FROM agents";
    SESSION_INSERT = "INSERT INTO sessions (token_hash, id, agent_id, csrf, created_at, expires_at, browser, \
        address, last_seen_at, by_provider) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $5, $9)";
    SESSION_FIND = "SELECT s.csrf, s.expires_at, s.last_seen_at, s.by_provider, a.id, a.login, a.name, a.role, \
        CAST(CASE WHEN a.totp_secret IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_totp FROM sessions s \
        JOIN agents a ON a.id = s.agent_id WHERE s.token_hash = $1 AND s.expires_at > $2 \
        AND a.disabled_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > $2)";
    SESSION_DELETE = "DELETE FROM sessions WHERE token_hash = $1";
    SESSIONS_OF_AGENT_DELETE = "DELETE FROM sessions WHERE agent_id = $1";
    SESSIONS_EXPIRE = "DELETE FROM sessions WHERE expires_at <= $1";

    NONCE_INSERT = "INSERT INTO nonces (channel, nonce, expires_at) VALUES ($1, $2, $3) \
        ON CONFLICT (channel, nonce) DO NOTHING";
    NONCES_EXPIRE = "DELETE FROM nonces WHERE expires_at <= $1";

    WATCH_INSERT = "INSERT INTO watches (id, contact_id, conversation_id, what, from_at, until_at, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    WATCH_WIDEN = "UPDATE watches SET from_at = $2, until_at = $3 WHERE id = $1";
    WATCH_END = "UPDATE watches SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    WATCH_TOLD = "UPDATE watches SET told_at = $2 WHERE id = $1 AND ended_at IS NULL AND until_at > $2";
    WATCHES_OF_CONTACT = concat!("SELECT ", watch_columns!(), " FROM watches w WHERE w.contact_id = $1 \
        AND w.until_at > $2 AND w.ended_at IS NULL ORDER BY w.created_at, w.id");
    WATCHES_RUNNING = concat!("SELECT ", watch_columns!(), " FROM watches w \
        JOIN contacts k ON k.id = w.contact_id AND k.opted_out_at IS NULL \
        WHERE w.ended_at IS NULL AND w.until_at > $1 AND w.id > $2 ORDER BY w.id LIMIT $3");

    // A new telling replaces the former one, whichever message it stood in.
    TOLD_UPSERT = "INSERT INTO told_rides (contact_id, trip, day, conversation_id, message_id, ride, matters_until, \
        revision, corrections, delays) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0) \
        ON CONFLICT (contact_id, trip, day) DO UPDATE SET conversation_id = excluded.conversation_id, \
        message_id = excluded.message_id, ride = excluded.ride, matters_until = excluded.matters_until, \
        revision = told_rides.revision + 1, corrections = 0, delays = 0, corrected_at = NULL";
    TOLD_CORRECT = "UPDATE told_rides SET message_id = $5, ride = $6, matters_until = $7, revision = revision + 1, \
        corrections = corrections + 1, delays = delays + $8, corrected_at = $9 \
        WHERE contact_id = $1 AND trip = $2 AND day = $3 AND revision = $4";
    TOLD_OF_CONTACT = concat!("SELECT ", told_columns!(), " FROM told_rides t \
        WHERE t.contact_id = $1 AND t.trip = $2 AND t.day = $3");
    TOLD_AHEAD = concat!("SELECT ", told_columns!(), " FROM told_rides t \
        JOIN contacts k ON k.id = t.contact_id AND k.opted_out_at IS NULL \
        WHERE t.matters_until > $1 AND (t.contact_id, t.trip, t.day) > ($2, $3, $4) \
        ORDER BY t.contact_id, t.trip, t.day LIMIT $5");
    TOLD_FORGET = "DELETE FROM told_rides WHERE matters_until <= $1";

    PAST_UPSERT = "INSERT INTO train_history (day, trip, number, brand, terminus, cancelled, calls, as_of) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (day, trip) DO UPDATE SET number = excluded.number, \
        brand = excluded.brand, terminus = excluded.terminus, cancelled = excluded.cancelled, calls = excluded.calls, \
        as_of = excluded.as_of WHERE train_history.as_of <= excluded.as_of";
    PAST_OF_TRAIN = concat!("SELECT ", past_columns!(), " FROM train_history WHERE day = $1 AND trip = $2");
    PAST_NUMBERED = concat!("SELECT ", past_columns!(), " FROM train_history WHERE number = $1 AND day = $2 ORDER BY trip");
    PAST_SINCE = concat!("SELECT ", past_columns!(), " FROM train_history WHERE day >= $1 ORDER BY day, trip");
    PAST_FORGET = "DELETE FROM train_history WHERE day < $1";

    NOTICE_CLAIM = "INSERT INTO notices (contact_id, event, message_id, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (contact_id, event) DO NOTHING";
    NOTICE_FIND = "SELECT 1 AS said FROM notices WHERE contact_id = $1 AND event = $2";
    NOTICES_EXPIRE = "DELETE FROM notices WHERE expires_at <= $1";

    CALL_INSERT = "INSERT INTO provider_calls (id, message_id, at, took, request, response, status) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    CALLS_OF_MESSAGE = "SELECT at, took, request, response, status FROM provider_calls WHERE message_id = $1 ORDER BY id";
    CALLS_EXPIRE = "DELETE FROM provider_calls WHERE at < $1";
    CURSOR_FIND = "SELECT cursor FROM cursors WHERE channel = $1";
    CURSOR_SET = "INSERT INTO cursors (channel, cursor) VALUES ($1, $2) \
        ON CONFLICT (channel) DO UPDATE SET cursor = excluded.cursor";
    LEASE_HOLD = "INSERT INTO leases (name, holder, until_at) VALUES ($1, $2, $3) \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_at = excluded.until_at \
        WHERE leases.holder = excluded.holder OR leases.until_at <= $4";
    LEASE_END = "DELETE FROM leases WHERE name = $1 AND holder = $2";

    CONTACT_LAST_ATTEMPT = "SELECT MAX(m.attempted_at) AS at FROM messages m \
        JOIN conversations c ON c.id = m.conversation_id WHERE c.contact_id = $1 AND m.id <> $2 \
        AND c.last_message_at > $3";
    EXCHANGE_OF_CONTACT = "SELECT m.author, m.text, m.created_at FROM messages m \
        JOIN conversations c ON c.id = m.conversation_id WHERE c.contact_id = $1 AND c.last_message_at > $2 \
        AND m.created_at > $2 AND m.automatic = 0 ORDER BY m.created_at DESC, m.seq DESC LIMIT $3";
    MESSAGE_SET_AUTOMATIC = "UPDATE messages SET automatic = 1 WHERE id = $1";
    MESSAGE_SET_ASIDE = "UPDATE messages SET set_aside_at = $2 WHERE id = $1";
    MESSAGES_SET_ASIDE = concat!("SELECT ", message_columns!(), " FROM (SELECT m.* FROM messages m \
        WHERE m.conversation_id = $1 AND m.set_aside_at IS NOT NULL ORDER BY m.seq DESC LIMIT $2) recent ORDER BY seq");
    MESSAGES_TAKE_UP = "UPDATE messages SET set_aside_at = NULL WHERE conversation_id = $1 AND set_aside_at IS NOT NULL";
    QUARANTINE_BEGIN = "INSERT INTO quarantine (contact_id, conversation_id, since_at, why) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (contact_id) DO UPDATE SET conversation_id = excluded.conversation_id";
    QUARANTINE_OF_CONTACT = "SELECT why, confirmed_at FROM quarantine WHERE contact_id = $1";
    QUARANTINE_END = "DELETE FROM quarantine WHERE contact_id = $1";
    QUARANTINE_CONFIRM = "UPDATE quarantine SET confirmed_at = $2 WHERE contact_id = $1 AND confirmed_at IS NULL";
    QUARANTINE_LIST = concat!("SELECT ", conversation_columns!(), ", k.address, CAST(NULL AS TEXT) AS agent_name, \
        (SELECT m.text FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'inbound' \
        ORDER BY m.seq DESC LIMIT 1) AS last_text, CAST(NULL AS TEXT) AS last_understanding, CAST(0 AS BIGINT) AS trouble \
        FROM quarantine q JOIN conversations c ON c.id = q.conversation_id JOIN contacts k ON k.id = q.contact_id \
        WHERE c.state = 'bot' ORDER BY c.last_message_at DESC, c.id LIMIT $1");
    // A quarter of an hour divides every offset from UTC.
    DELIVERIES = "SELECT channel, status, created_at / 900000000 AS quarter, COUNT(*) AS n, \
        CAST(SUM(segments) AS BIGINT) AS segments, CAST(SUM(cost) AS BIGINT) AS cost FROM messages WHERE direction = 'outbound' AND created_at >= $1 \
        AND created_at < $2 GROUP BY channel, status, created_at / 900000000";
}
