-- What became of trains, by the last word of live data: questions about money back come when no feed speaks of the train any more.
CREATE TABLE train_history (
    -- The service day, 2026-12-20.
    day TEXT NOT NULL,
    -- The source's own id of the run.
    trip TEXT NOT NULL,
    -- As customers see it.
    number TEXT,
    brand TEXT,
    terminus TEXT NOT NULL,
    cancelled BIGINT NOT NULL,
    -- A JSON array of calls: station id and name, arrival scheduled and expected, departure scheduled and expected (seconds since
    -- 1970, or null), whether it was skipped (1) or not (0).
    calls TEXT NOT NULL,
    -- When the publisher measured it.
    as_of BIGINT NOT NULL,
    PRIMARY KEY (day, trip)
);
CREATE INDEX train_history_number ON train_history (number, day);
