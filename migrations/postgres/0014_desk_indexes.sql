-- Whom a person has in charge, and since when they took the last one.
CREATE INDEX conversations_agent ON conversations (agent_id, taken_at);
-- A reply that may be taken back is found by its message.
CREATE INDEX jobs_message ON jobs (message_id);
