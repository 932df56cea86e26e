-- Money that goes on to organisers.

-- How an organiser is paid out. No row: not at all.
CREATE TABLE payout_terms (
    organiser_id BYTEA PRIMARY KEY REFERENCES organisers,
    -- Their account at the provider.
    account TEXT NOT NULL,
    hold_days BIGINT NOT NULL,
    -- payment, event_end
    hold_from TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE payouts (
    payout_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    provider TEXT NOT NULL,
    is_live BIGINT NOT NULL,
    account TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    -- What came back of it.
    reversed BIGINT NOT NULL CHECK (reversed >= 0 AND reversed <= amount),
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    provider_id TEXT,
    idempotency_key TEXT NOT NULL UNIQUE,
    failure TEXT,
    asked_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    asked_at BIGINT,
    settled_at BIGINT
);
CREATE INDEX payouts_by_organiser ON payouts (organiser_id, created_at, payout_id);
CREATE UNIQUE INDEX payouts_by_provider ON payouts (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX payouts_uncertain ON payouts (created_at) WHERE status IN ('asking', 'unknown');

-- What stands on each account, carried on by each entry, so that nobody adds up years.
CREATE TABLE money_balances (
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    -- Of the event that an entry's order is of; empty: of none.
    event_id BYTEA NOT NULL,
    currency TEXT NOT NULL,
    is_live BIGINT NOT NULL,
    account TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (organiser_id, event_id, currency, is_live, account)
);
INSERT INTO money_balances (organiser_id, event_id, currency, is_live, account, amount)
    SELECT e.organiser_id, o.event_id, e.currency, e.is_live, l.account, CAST(SUM(l.amount) AS BIGINT)
    FROM money_lines l JOIN money_entries e ON e.entry_id = l.entry_id JOIN orders o ON o.order_id = e.order_id
    GROUP BY e.organiser_id, o.event_id, e.currency, e.is_live, l.account;

-- What was sold of late, and what was settled.
CREATE INDEX money_entries_sales ON money_entries (organiser_id, at) WHERE kind = 'sale';
CREATE INDEX payments_settled ON payments (settled_at) WHERE status = 'succeeded';
CREATE INDEX refunds_by_organiser ON refunds (organiser_id, created_at, refund_id);
CREATE INDEX refunds_settled ON refunds (settled_at) WHERE status = 'succeeded';

-- What came of looking whether the books agree with what happened.
CREATE TABLE books_proofs (
    at BIGINT PRIMARY KEY,
    -- In minor units over all currencies, and entries that do not add up to nothing; 0: they agree.
    off_by BIGINT NOT NULL
);
