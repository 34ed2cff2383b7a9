-- What keeps an exchange civil: turns at the providers, messages that are read later, contacts in quarantine.

-- 1: the job had waited for its turn to be sent, and it has come.
ALTER TABLE jobs ADD COLUMN deferred BIGINT NOT NULL DEFAULT 0;
-- Answers first, then whatever has waited longest.
CREATE INDEX jobs_turn ON jobs (rank, run_at, seq);
DROP INDEX jobs_due;

-- Since when the message waits to be read: it came faster than we answer, or its contact is in quarantine.
ALTER TABLE messages ADD COLUMN set_aside_at BIGINT;
CREATE INDEX messages_set_aside ON messages (conversation_id) WHERE set_aside_at IS NOT NULL;
-- For the delivery log.
CREATE INDEX messages_outbound_at ON messages (created_at) WHERE direction = 'outbound';

-- Contacts who seem to send spam. Nothing of theirs is answered until a person has looked at it.
CREATE TABLE quarantine (
    contact_id BLOB PRIMARY KEY NOT NULL REFERENCES contacts (id),
    -- Where it was noticed last.
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    since_at BIGINT NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('links', 'repeated_link', 'crowd')),
    -- When a person said that it is spam.
    confirmed_at BIGINT
);
CREATE INDEX quarantine_conversation ON quarantine (conversation_id);
