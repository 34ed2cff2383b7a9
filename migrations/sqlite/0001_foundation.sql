-- Times are BIGINT microseconds UTC, ids UUIDv7, enums TEXT with CHECK, JSON in TEXT: the same in both dialects.

CREATE TABLE contacts (
    id BLOB PRIMARY KEY NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    lang TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (channel, address)
);

CREATE TABLE agents (
    id BLOB PRIMARY KEY NOT NULL,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('agent', 'manager', 'admin')),
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    -- SHA-256 of the cookie: who reads the database cannot sign in with it.
    token_hash TEXT PRIMARY KEY NOT NULL,
    agent_id BLOB NOT NULL REFERENCES agents (id),
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE conversations (
    id BLOB PRIMARY KEY NOT NULL,
    contact_id BLOB NOT NULL REFERENCES contacts (id),
    channel TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('bot', 'queued', 'in_charge', 'resolved')),
    lang TEXT,
    intent TEXT,
    priority TEXT NOT NULL CHECK (priority IN ('urgent', 'high', 'normal')),
    -- Order in the queue: Priority::rank.
    priority_rank BIGINT NOT NULL,
    reason TEXT CHECK (reason IN ('low_confidence', 'requested', 'negative_tone', 'emergency', 'no_data',
                                  'repeated_failure', 'rule')),
    agent_id BLOB REFERENCES agents (id),
    dialogue TEXT NOT NULL,
    -- The seq of the latest message, so that the next one needs no scan.
    last_seq BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    escalated_at BIGINT,
    taken_at BIGINT,
    resolved_at BIGINT,
    last_message_at BIGINT NOT NULL
);
-- A contact has one conversation that is not over.
CREATE UNIQUE INDEX conversations_open ON conversations (contact_id) WHERE state <> 'resolved';
CREATE INDEX conversations_queue ON conversations (state, priority_rank, escalated_at);

CREATE TABLE messages (
    id BLOB PRIMARY KEY NOT NULL,
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    seq BIGINT NOT NULL,
    channel TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    author TEXT NOT NULL CHECK (author IN ('customer', 'bot', 'agent')),
    agent_id BLOB REFERENCES agents (id),
    kind TEXT NOT NULL CHECK (kind IN ('text', 'answer', 'question', 'notice')),
    text TEXT NOT NULL,
    media TEXT NOT NULL,
    provider_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('received', 'pending', 'sending', 'sent', 'delivered', 'failed',
                                           'unknown')),
    error TEXT,
    understanding TEXT,
    facts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When we last began to hand it to the provider.
    attempted_at BIGINT,
    sent_at BIGINT,
    UNIQUE (conversation_id, seq)
);
-- Deduplication: a provider may deliver the same message again, for hours.
CREATE UNIQUE INDEX messages_inbound ON messages (channel, provider_id) WHERE direction = 'inbound';
CREATE UNIQUE INDEX messages_outbound ON messages (channel, provider_id) WHERE direction = 'outbound';

-- What an agent must look at, although the bot goes on.
CREATE INDEX messages_trouble ON messages (conversation_id) WHERE status IN ('unknown', 'failed');

CREATE TABLE jobs (
    -- Also the order within a lane.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    -- Jobs of one lane run one after the other, in order of seq.
    lane TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('process', 'send')),
    message_id BLOB NOT NULL REFERENCES messages (id),
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- The claim: who holds it, and until when. A holder whose claim was taken over cannot commit.
    claim BLOB,
    claimed_until BIGINT NOT NULL
);
CREATE INDEX jobs_lane ON jobs (lane, seq);
CREATE INDEX jobs_due ON jobs (run_at);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (actor IN ('customer', 'bot', 'agent', 'system')),
    agent_id BLOB,
    conversation_id BLOB,
    message_id BLOB,
    data TEXT NOT NULL
);
CREATE INDEX events_conversation ON events (conversation_id, seq);
CREATE INDEX events_at ON events (at, kind);
CREATE TRIGGER events_append_only_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_append_only_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- REPLACE runs no delete trigger.
CREATE TRIGGER events_append_only_replace BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- Signatures already accepted, so that a captured request cannot be played again.
CREATE TABLE nonces (
    channel TEXT NOT NULL,
    nonce TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (channel, nonce)
);
CREATE INDEX nonces_expiry ON nonces (expires_at);
