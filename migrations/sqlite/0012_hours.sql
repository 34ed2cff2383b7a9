-- Whom the desk calls, what was told of its promises, what changed in what the bot says, and answers to surveys.

-- Two more kinds of jobs. SQLite changes no CHECK: the table is made anew, with its order.
CREATE TABLE jobs_now (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    lane TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('process', 'send', 'alert', 'survey')),
    message_id BLOB NOT NULL REFERENCES messages (id),
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    claim BLOB,
    claimed_until BIGINT NOT NULL,
    rank BIGINT NOT NULL DEFAULT 0,
    deferred BIGINT NOT NULL DEFAULT 0
);
INSERT INTO jobs_now (seq, id, lane, kind, message_id, run_at, attempts, claim, claimed_until, rank, deferred)
SELECT seq, id, lane, kind, message_id, run_at, attempts, claim, claimed_until, rank, deferred FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_now RENAME TO jobs;
CREATE INDEX jobs_lane ON jobs (lane, seq);
CREATE INDEX jobs_turn ON jobs (rank, run_at, seq);

-- Calls to whoever is on call, by webhook. The job that delivers one has its id.
CREATE TABLE alerts (
    id BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('emergency', 'sla_warned', 'sla_breached')),
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    message_id BLOB NOT NULL REFERENCES messages (id),
    -- What it is about, so that nobody is called twice for the same: the hand-over, or the promise.
    about TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- What is posted, without the message's text.
    data TEXT NOT NULL,
    -- The last answer: a status, or why there was none.
    answer TEXT,
    delivered_at BIGINT,
    failed_at BIGINT,
    UNIQUE (conversation_id, kind, about)
);
CREATE INDEX alerts_failed ON alerts (failed_at);
CREATE INDEX alerts_delivered ON alerts (delivered_at);

-- Each promise is told of once when it is near, and once when it is missed.
CREATE TABLE promise_news (
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    promise TEXT NOT NULL CHECK (promise IN ('first_answer', 'next_answer', 'resolution')),
    -- When the promise was made.
    since_at BIGINT NOT NULL,
    news TEXT NOT NULL CHECK (news IN ('near', 'missed')),
    told_at BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, promise, since_at, news)
);

-- Sets of intents and responses as they came into service.
CREATE TABLE content_versions (
    id BLOB PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    -- A JSON object: file to digest.
    files TEXT NOT NULL,
    -- A JSON array of what is new, changed or gone in it.
    changes TEXT NOT NULL
);
CREATE INDEX content_versions_at ON content_versions (at);

-- Until when what the customer writes may be their comment.
ALTER TABLE surveys ADD COLUMN comment_until BIGINT;
-- Of which team it was when it was asked.
ALTER TABLE surveys ADD COLUMN team_id BLOB;
CREATE INDEX surveys_until ON surveys (until_at);
CREATE INDEX surveys_asked ON surveys (asked_at);
CREATE INDEX conversations_resolved ON conversations (resolved_at);
