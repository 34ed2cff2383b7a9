-- Hooks: when a delivery was last tried; what waits, and what they are told of, found without reading the rest.

ALTER TABLE hook_deliveries ADD COLUMN attempted_at BIGINT;
CREATE INDEX hook_deliveries_open ON hook_deliveries (hook_id, event_seq) WHERE delivered_at IS NULL;
CREATE INDEX events_hooks ON events (seq) WHERE kind IN ('escalated', 'taken', 'agent_answered', 'resolved');
CREATE INDEX access_tokens_agent ON access_tokens (agent_id);
