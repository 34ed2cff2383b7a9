-- What Guichet tells customers by itself: opt-out, watches, trains told and held against later news, what was said.

ALTER TABLE contacts ADD COLUMN opted_out_at BIGINT;
-- The confirmation of the opt-out: the one message that still goes out.
ALTER TABLE contacts ADD COLUMN opt_out_message BLOB;

CREATE TABLE watches (
    id BLOB PRIMARY KEY NOT NULL,
    contact_id BLOB NOT NULL REFERENCES contacts (id),
    -- Where it was asked for: what is said goes there when the contact has no open conversation.
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    what TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- When something was last said for it.
    told_at BIGINT
);
CREATE INDEX watches_contact ON watches (contact_id, until_at);
CREATE INDEX watches_running ON watches (id) WHERE ended_at IS NULL;

-- What a contact last heard about a train, from whichever message.
CREATE TABLE told_rides (
    contact_id BLOB NOT NULL REFERENCES contacts (id),
    trip TEXT NOT NULL,
    -- The service day, 2026-12-20.
    day TEXT NOT NULL,
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    message_id BLOB NOT NULL REFERENCES messages (id),
    ride TEXT NOT NULL,
    -- After this nobody can be helped by a correction.
    matters_until BIGINT NOT NULL,
    -- Grows with each telling: two instances that correct the same telling meet here.
    revision BIGINT NOT NULL,
    -- Since the last answer: corrections, and how many of them were about lateness.
    corrections BIGINT NOT NULL,
    delays BIGINT NOT NULL,
    corrected_at BIGINT,
    PRIMARY KEY (contact_id, trip, day)
);
CREATE INDEX told_rides_ahead ON told_rides (matters_until);

-- Each event is said to a contact once.
CREATE TABLE notices (
    contact_id BLOB NOT NULL REFERENCES contacts (id),
    event TEXT NOT NULL,
    message_id BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (contact_id, event)
);
CREATE INDEX notices_expiry ON notices (expires_at);
