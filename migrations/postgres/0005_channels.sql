-- What the channels beyond the first three need.

-- How they call themselves on the channel; nothing is decided by it.
ALTER TABLE contacts ADD COLUMN name TEXT;
-- Since when the contact cannot be reached: they blocked us.
ALTER TABLE contacts ADD COLUMN blocked_at BIGINT;

-- What the customer may choose from, a JSON array of labels: buttons where the channel has them.
ALTER TABLE messages ADD COLUMN choices TEXT NOT NULL DEFAULT '[]';
-- A machine wrote it, as its provider says: it is never answered by ours.
ALTER TABLE messages ADD COLUMN automatic BIGINT NOT NULL DEFAULT 0;
-- When the customer changed the text, before it was read.
ALTER TABLE messages ADD COLUMN edited_at BIGINT;

-- 0: an answer, or to be read; 1: what we say without being asked, after all answers.
ALTER TABLE jobs ADD COLUMN rank BIGINT NOT NULL DEFAULT 0;

-- What was said between us and a provider about a message, without what customers wrote.
CREATE TABLE provider_calls (
    id UUID PRIMARY KEY NOT NULL,
    message_id UUID NOT NULL REFERENCES messages (id),
    at BIGINT NOT NULL,
    -- Microseconds.
    took BIGINT NOT NULL,
    request TEXT NOT NULL,
    response TEXT NOT NULL,
    -- Of HTTP, or the command status of SMPP.
    status BIGINT
);
CREATE INDEX provider_calls_message ON provider_calls (message_id);
CREATE INDEX provider_calls_at ON provider_calls (at);

-- How far a listener has come with its provider.
CREATE TABLE cursors (
    channel TEXT PRIMARY KEY NOT NULL,
    cursor TEXT NOT NULL
);

-- Work that only one instance may do at a time.
CREATE TABLE leases (
    name TEXT PRIMARY KEY NOT NULL,
    holder UUID NOT NULL,
    until_at BIGINT NOT NULL
);
