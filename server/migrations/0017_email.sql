-- Mails: a row each, written by the transaction that causes it.

CREATE TABLE emails (
    email_id BYTEA PRIMARY KEY,
    organiser_id BYTEA REFERENCES organisers,
    -- What it tells, and of what (JSON, without secrets).
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    -- What it was written for, so that it is written once.
    dedupe_key TEXT NOT NULL UNIQUE,
    to_name TEXT NOT NULL,
    to_address TEXT NOT NULL,
    -- queued, sending, sent, failed
    status TEXT NOT NULL,
    subject TEXT,
    -- What is sent, at every try the same; gone once it is sent. It holds tickets.
    sealed_content BYTEA,
    tries BIGINT NOT NULL,
    provider TEXT,
    provider_id TEXT,
    failure TEXT,
    -- A try ended without an answer at a provider that cannot tell whether it has it.
    may_have_come_twice BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE INDEX emails_by_time ON emails (created_at, email_id);
CREATE INDEX emails_sent ON emails (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX emails_by_status ON emails (status, created_at, email_id) WHERE status <> 'sent';

-- Each try: written before it, completed after it. One that has no end was cut short.
CREATE TABLE email_attempts (
    email_id BYTEA NOT NULL REFERENCES emails ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    provider TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT,
    status BIGINT,
    code TEXT,
    detail TEXT,
    PRIMARY KEY (email_id, attempt)
);

-- When the next mail may go, for all processes together.
CREATE TABLE email_pace (
    name TEXT PRIMARY KEY,
    -- The time by which all that went would have gone, had each come when it was due (UTC microseconds).
    due_at BIGINT NOT NULL
);
INSERT INTO email_pace (name, due_at) VALUES ('all', 0);
