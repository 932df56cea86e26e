-- What happened, to be counted; and what was counted. See docs/analytics.md.

-- Facts that are not counted yet: a row for each transaction that had any, written by it.
CREATE TABLE fact_inbox (
    inbox_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL,
    appended_at BIGINT NOT NULL,
    -- JSON list of Fact.
    facts TEXT NOT NULL
);

-- Facts that were counted, numbered through in the order in which they were. Never changed.
CREATE TABLE facts (
    seq BIGINT PRIMARY KEY,
    organiser_id BYTEA NOT NULL,
    -- Empty: of no event.
    event_id BYTEA NOT NULL,
    measure TEXT NOT NULL,
    -- What of several it is about: a ticket type, a gate, a creative. Empty: of none.
    subject BYTEA NOT NULL,
    -- Empty: it is no money.
    currency TEXT NOT NULL,
    at BIGINT NOT NULL,
    value BIGINT NOT NULL
);

-- Sums of facts, by the quarter of an hour (UTC) in which they happened. Readers look at one generation only.
-- The measure says of what: gross (a quarter of an hour), gross.hour, gross.day (UTC); people_in.minute. With .all: of all
-- events and subjects of the organiser, event and subject being empty.
CREATE TABLE rollups (
    generation BIGINT NOT NULL,
    organiser_id BYTEA NOT NULL,
    event_id BYTEA NOT NULL,
    measure TEXT NOT NULL,
    subject BYTEA NOT NULL,
    currency TEXT NOT NULL,
    -- When it begins (UTC milliseconds).
    bucket BIGINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (generation, organiser_id, measure, bucket, event_id, subject, currency)
);
CREATE INDEX rollups_by_event ON rollups (generation, event_id, measure, bucket);

-- How far counting is: one row.
CREATE TABLE rollup_state (
    name TEXT PRIMARY KEY,
    -- Which generation is shown.
    generation BIGINT NOT NULL,
    -- The number of the last fact in it.
    counted_to BIGINT NOT NULL,
    -- Everything that was committed before this is in it.
    complete_at BIGINT NOT NULL,
    -- The one that is being built from the facts, and how far it is.
    building BIGINT,
    built_to BIGINT NOT NULL,
    -- Rounds that failed one after the other, since the last that did not.
    failures BIGINT NOT NULL
);
INSERT INTO rollup_state (name, generation, counted_to, complete_at, building, built_to, failures)
    VALUES ('all', 1, 0, 0, NULL, 0, 0);

-- Each time that counting was done, or tried.
CREATE TABLE rollup_rounds (
    round_id BYTEA PRIMARY KEY,
    -- refresh, rebuild
    kind TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    facts BIGINT NOT NULL,
    failure TEXT
);
CREATE INDEX rollup_rounds_by_time ON rollup_rounds (started_at);

-- Questions that had no answer.
CREATE TABLE question_failures (
    failure_id BYTEA PRIMARY KEY,
    at BIGINT NOT NULL,
    question TEXT NOT NULL,
    organiser_id BYTEA NOT NULL,
    -- What the database's failure is called: busy, timed_out, statement.
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    request_id TEXT
);
CREATE INDEX question_failures_by_time ON question_failures (at, failure_id);

-- The tickets that somebody is expected with.
CREATE INDEX tickets_valid ON tickets (event_id, ticket_type_id) WHERE status = 'valid';

-- In whose days an organiser's figures are (IANA name).
ALTER TABLE organisers ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
