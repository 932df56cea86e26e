-- Payments of orders, what was asked of their provider, and where the money is.

CREATE TABLE payments (
    payment_id BYTEA PRIMARY KEY,
    order_id BYTEA NOT NULL REFERENCES orders,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    provider TEXT NOT NULL,
    is_live BIGINT NOT NULL,
    -- What the provider calls it; NULL while that is not known.
    provider_id TEXT,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    received BIGINT NOT NULL,
    -- What the provider is told, at every try the same.
    description TEXT NOT NULL,
    receipt_email TEXT NOT NULL,
    -- Lets a browser make the payment.
    sealed_client_secret BYTEA,
    -- The same for every try to begin it.
    idempotency_key TEXT NOT NULL UNIQUE,
    -- The last refusal of the buyer's bank that was noted.
    decline TEXT,
    created_at BIGINT NOT NULL,
    -- When the provider was asked for it first, and last.
    asked_first_at BIGINT,
    asked_at BIGINT,
    settled_at BIGINT
);
CREATE UNIQUE INDEX payments_by_provider ON payments (provider, provider_id) WHERE provider_id IS NOT NULL;
-- Never two payments of one order that can still be made, or were.
CREATE UNIQUE INDEX payments_alive ON payments (order_id)
    WHERE status IN ('unasked', 'asking', 'unknown', 'open', 'processing', 'succeeded');
CREATE INDEX payments_by_order ON payments (order_id, created_at);
CREATE INDEX payments_unknown ON payments (asked_first_at) WHERE status IN ('asking', 'unknown');

-- Each call to a provider: written before it, completed after it. One that has no end was cut short.
CREATE TABLE provider_calls (
    call_id BYTEA PRIMARY KEY,
    provider TEXT NOT NULL,
    operation TEXT NOT NULL,
    organiser_id BYTEA,
    order_id BYTEA,
    payment_id BYTEA,
    idempotency_key TEXT,
    request_id TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- done, refused, busy, unreachable, or one of the outcomes that leave it open: timeout, broken, failing, in_progress
    outcome TEXT,
    status BIGINT,
    provider_request_id TEXT,
    code TEXT,
    detail TEXT
);
CREATE INDEX provider_calls_by_time ON provider_calls (started_at);
CREATE INDEX provider_calls_by_order ON provider_calls (order_id, started_at) WHERE order_id IS NOT NULL;

-- Whether a service is worth calling, for all processes together.
CREATE TABLE breakers (
    name TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    failed_at BIGINT NOT NULL,
    -- Nobody calls before then; afterwards one tries.
    open_until BIGINT,
    -- Who tries has until then.
    probe_until BIGINT
);

-- Double entry: each entry has lines that add up to nothing.
CREATE TABLE money_entries (
    entry_id BYTEA PRIMARY KEY,
    -- What it was written for, so that it is written once.
    cause TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    order_id BYTEA REFERENCES orders,
    currency TEXT NOT NULL,
    is_live BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX money_entries_by_order ON money_entries (order_id, at) WHERE order_id IS NOT NULL;
CREATE TABLE money_lines (
    entry_id BYTEA NOT NULL REFERENCES money_entries,
    account TEXT NOT NULL,
    organiser_id BYTEA NOT NULL,
    currency TEXT NOT NULL,
    -- Debits are positive, credits negative.
    amount BIGINT NOT NULL,
    PRIMARY KEY (entry_id, account)
);
CREATE INDEX money_lines_by_account ON money_lines (organiser_id, currency, account);
