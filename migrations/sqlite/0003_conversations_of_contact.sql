-- The last conversation of a contact: what was said in it is remembered for a while in the next one.
CREATE INDEX conversations_contact ON conversations (contact_id, resolved_at);
