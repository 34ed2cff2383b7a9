-- What was proposed to agents as a reply, so that the facts of a used draft go with the message that is sent. Kept for a day.
CREATE TABLE proposals (
    id BLOB PRIMARY KEY NOT NULL,
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    agent_id BLOB NOT NULL REFERENCES agents (id),
    -- The response, or the canned reply, that it words.
    response TEXT NOT NULL,
    text TEXT NOT NULL,
    facts TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX proposals_age ON proposals (created_at);

-- Replies that were taken back before they left. Their messages are gone; this keeps a form that arrives late from sending
-- one again, and its text for who asks twice. Kept for a day.
CREATE TABLE withdrawn (
    message_id BLOB PRIMARY KEY NOT NULL,
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    agent_id BLOB NOT NULL REFERENCES agents (id),
    text TEXT NOT NULL,
    withdrawn_at BIGINT NOT NULL
);
CREATE INDEX withdrawn_age ON withdrawn (withdrawn_at);
