-- Beside a conversation: who was mentioned in a note and has not read it, tags used lately, corrections to decide on.

CREATE TABLE mentions (
    note_id UUID NOT NULL REFERENCES notes (id),
    agent_id UUID NOT NULL REFERENCES agents (id),
    conversation_id UUID NOT NULL REFERENCES conversations (id),
    read_at BIGINT,
    PRIMARY KEY (note_id, agent_id)
);
CREATE INDEX mentions_unread ON mentions (agent_id) WHERE read_at IS NULL;
CREATE INDEX conversations_tagged ON conversations (last_message_at) WHERE tags <> '[]';
CREATE INDEX proposed_examples_open ON proposed_examples (created_at) WHERE decided_at IS NULL;
