-- The desk of a room of agents: people and their rights, teams, offers, promised times, notes, surveys, hooks.

ALTER TABLE agents ADD COLUMN email TEXT;
-- What they speak, a JSON array of language codes; empty: the operator's.
ALTER TABLE agents ADD COLUMN languages TEXT NOT NULL DEFAULT '[]';
-- Conversations at once.
ALTER TABLE agents ADD COLUMN capacity BIGINT NOT NULL DEFAULT 4;
ALTER TABLE agents ADD COLUMN presence TEXT NOT NULL DEFAULT 'away' CHECK (presence IN ('available', 'pause', 'away'));
ALTER TABLE agents ADD COLUMN presence_at BIGINT;
-- A guest's access ends by itself.
ALTER TABLE agents ADD COLUMN expires_at BIGINT;
ALTER TABLE agents ADD COLUMN disabled_at BIGINT;
-- Failed sign-ins in a row, and until when no other is tried.
ALTER TABLE agents ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE agents ADD COLUMN locked_until BIGINT;
-- RFC 6238, base32; and the last step that was used, so that no code is used twice.
ALTER TABLE agents ADD COLUMN totp_secret TEXT;
ALTER TABLE agents ADD COLUMN totp_step BIGINT;
-- The subject of an OpenID Connect provider.
ALTER TABLE agents ADD COLUMN oidc_subject TEXT;
CREATE UNIQUE INDEX agents_oidc ON agents (oidc_subject);

-- Names a session without its token, so that it can be shown and ended.
ALTER TABLE sessions ADD COLUMN id UUID;
ALTER TABLE sessions ADD COLUMN browser TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN last_seen_at BIGINT;

-- To become a person of the desk, or to choose a new password.
CREATE TABLE invitations (
    -- SHA-256 of the link's token.
    token_hash TEXT PRIMARY KEY NOT NULL,
    -- Set for a new password; else a new person.
    agent_id UUID REFERENCES agents (id),
    email TEXT,
    role TEXT NOT NULL CHECK (role IN ('agent', 'manager', 'admin')),
    team_id UUID,
    -- The guest's access ends then.
    access_until BIGINT,
    invited_by UUID REFERENCES agents (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE teams (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    -- Skills, each a JSON array; empty: any. Topics are intents or their domains; the accounts of a brand are channels.
    languages TEXT NOT NULL,
    topics TEXT NOT NULL,
    channels TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    archived_at BIGINT
);
CREATE TABLE team_members (
    team_id UUID NOT NULL REFERENCES teams (id),
    agent_id UUID NOT NULL REFERENCES agents (id),
    -- A member for a while.
    until_at BIGINT,
    PRIMARY KEY (team_id, agent_id)
);

ALTER TABLE conversations ADD COLUMN team_id UUID;
-- Whom it is offered to, until when they may accept.
ALTER TABLE conversations ADD COLUMN offered_to UUID;
ALTER TABLE conversations ADD COLUMN offered_until BIGINT;
-- In charge, but out of sight until then, or until the customer writes.
ALTER TABLE conversations ADD COLUMN snoozed_until BIGINT;
-- JSON arrays: an agent's tags; lines and stations that the customer named.
ALTER TABLE conversations ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE conversations ADD COLUMN about TEXT NOT NULL DEFAULT '[]';
-- When a person must have answered first, answered next, and when it must be over.
ALTER TABLE conversations ADD COLUMN first_due_at BIGINT;
ALTER TABLE conversations ADD COLUMN next_due_at BIGINT;
ALTER TABLE conversations ADD COLUMN resolve_due_at BIGINT;
ALTER TABLE conversations ADD COLUMN warned_at BIGINT;
ALTER TABLE conversations ADD COLUMN breached_at BIGINT;
CREATE INDEX conversations_offers ON conversations (offered_until);
CREATE INDEX conversations_snoozed ON conversations (snoozed_until);

-- One person behind contacts of several channels, as an agent said.
ALTER TABLE contacts ADD COLUMN person_id UUID;
CREATE INDEX contacts_person ON contacts (person_id);

-- What agents write to each other about a conversation; customers never see it.
CREATE TABLE notes (
    id UUID PRIMARY KEY NOT NULL,
    conversation_id UUID NOT NULL REFERENCES conversations (id),
    agent_id UUID NOT NULL REFERENCES agents (id),
    text TEXT NOT NULL,
    -- A JSON array of agents.
    mentions TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX notes_conversation ON notes (conversation_id, created_at);

-- What an agent is writing: their colleagues see that they do, and nothing is lost with a browser.
CREATE TABLE drafts (
    conversation_id UUID NOT NULL REFERENCES conversations (id),
    agent_id UUID NOT NULL REFERENCES agents (id),
    text TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, agent_id)
);

-- "This was not X but Y": an example for managers to accept.
CREATE TABLE proposed_examples (
    id UUID PRIMARY KEY NOT NULL,
    message_id UUID NOT NULL REFERENCES messages (id),
    agent_id UUID NOT NULL REFERENCES agents (id),
    lang TEXT NOT NULL,
    text TEXT NOT NULL,
    read_as TEXT,
    intent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by UUID REFERENCES agents (id),
    accepted BIGINT
);
CREATE UNIQUE INDEX proposed_examples_once ON proposed_examples (message_id, intent);

CREATE TABLE surveys (
    conversation_id UUID PRIMARY KEY NOT NULL REFERENCES conversations (id),
    message_id UUID NOT NULL REFERENCES messages (id),
    asked_at BIGINT NOT NULL,
    -- No answer counts after this.
    until_at BIGINT NOT NULL,
    score BIGINT CHECK (score BETWEEN 1 AND 5),
    comment TEXT,
    answered_at BIGINT
);

CREATE TABLE saved_views (
    id UUID PRIMARY KEY NOT NULL,
    -- None: for everyone.
    agent_id UUID REFERENCES agents (id),
    name TEXT NOT NULL,
    -- The filters as the page's query.
    query TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- What people did beyond conversations (and what was done to people), append-only.
CREATE TABLE audit (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    -- None: the server, or who is not signed in.
    agent_id UUID,
    action TEXT NOT NULL,
    -- What it was done to, in words that stay true: a login, a team's name.
    target TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);

-- Personal access tokens of the API.
CREATE TABLE access_tokens (
    id UUID PRIMARY KEY NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    agent_id UUID NOT NULL REFERENCES agents (id),
    name TEXT NOT NULL,
    -- Reads only.
    read_only BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at BIGINT,
    revoked_at BIGINT
);

-- Where other systems are told what happened.
CREATE TABLE hooks (
    id UUID PRIMARY KEY NOT NULL,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    -- A JSON array of event kinds.
    kinds TEXT NOT NULL,
    -- The last line of the log that was looked at.
    seen_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);
CREATE TABLE hook_deliveries (
    id UUID PRIMARY KEY NOT NULL,
    hook_id UUID NOT NULL REFERENCES hooks (id),
    event_seq BIGINT NOT NULL,
    body TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    -- The last answer: a status, or why there was none.
    answer TEXT,
    delivered_at BIGINT,
    failed_at BIGINT,
    UNIQUE (hook_id, event_seq)
);
CREATE INDEX hook_deliveries_due ON hook_deliveries (run_at);

CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_append_only_update BEFORE UPDATE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_append_only_delete BEFORE DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_append_only_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
