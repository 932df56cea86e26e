-- What became of mails after a provider took them, and the addresses that take none.

-- What the provider said last: sent, delayed, delivered, failed, bounced, complained. It only moves forward.
ALTER TABLE emails ADD COLUMN delivery TEXT;
ALTER TABLE emails ADD COLUMN delivery_at BIGINT;
ALTER TABLE emails ADD COLUMN delivery_detail TEXT;
-- bulk: to many at once, which waits for what somebody waits for.
ALTER TABLE emails ADD COLUMN class TEXT NOT NULL DEFAULT 'transactional';
-- What it is about.
ALTER TABLE emails ADD COLUMN event_id BYTEA;
ALTER TABLE emails ADD COLUMN order_id BYTEA;
CREATE INDEX emails_by_provider_id ON emails (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX emails_by_order ON emails (order_id, created_at) WHERE order_id IS NOT NULL;
CREATE INDEX emails_withheld ON emails (LOWER(to_address)) WHERE status = 'withheld';
CREATE INDEX emails_by_delivery ON emails (delivery, delivery_at) WHERE delivery IS NOT NULL;

-- What providers told, each once. Of what it said, only that which mails keep.
CREATE TABLE email_events (
    event_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    deliveries BIGINT NOT NULL,
    email_id BYTEA,
    -- applied, or why it changed nothing.
    result TEXT NOT NULL
);
CREATE INDEX email_events_by_time ON email_events (received_at);

-- Addresses that mail is not sent to for a while: it came back, or was called spam.
CREATE TABLE email_suppressions (
    suppression_id BYTEA PRIMARY KEY,
    -- In small letters.
    address TEXT NOT NULL UNIQUE,
    reason TEXT NOT NULL,
    detail TEXT,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    -- Somebody had it lifted: what happened before then counts no more.
    lifted_at BIGINT,
    lifted_by TEXT,
    -- Asking the provider to take it from its own list: before, and what came of it.
    asked_at BIGINT,
    asked_result TEXT
);
CREATE INDEX email_suppressions_by_time ON email_suppressions (since, suppression_id);

-- Who wants no news from an organiser.
CREATE TABLE email_unsubscribes (
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    address TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (organiser_id, address)
);

