-- What providers tell us, and money that goes back.

-- Each event once; written before it is answered for.
CREATE TABLE provider_events (
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    is_live BIGINT NOT NULL,
    api_version TEXT,
    -- When the provider made it, and when it came first (UTC milliseconds).
    made_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    deliveries BIGINT NOT NULL,
    body TEXT NOT NULL,
    -- received, applied, ignored
    state TEXT NOT NULL,
    -- Why it was ignored.
    why TEXT,
    order_id BYTEA REFERENCES orders,
    applied_at BIGINT,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX provider_events_by_time ON provider_events (received_at);
-- Those whose body is still there: it names people, and is not kept for ever.
CREATE INDEX provider_events_whole ON provider_events (received_at) WHERE body <> '' AND state <> 'received';
CREATE INDEX provider_events_by_order ON provider_events (order_id, received_at) WHERE order_id IS NOT NULL;

-- What is reserved for refunds or went back: never more than came.
ALTER TABLE payments ADD COLUMN refunding BIGINT NOT NULL DEFAULT 0 CHECK (refunding >= 0 AND refunding <= received);
ALTER TABLE orders ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0;

CREATE TABLE refunds (
    refund_id BYTEA PRIMARY KEY,
    order_id BYTEA NOT NULL REFERENCES orders,
    payment_id BYTEA NOT NULL REFERENCES payments,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    amount BIGINT NOT NULL CHECK (amount > 0),
    -- The part of it that was our fee.
    fees BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    status TEXT NOT NULL,
    provider_id TEXT,
    idempotency_key TEXT NOT NULL UNIQUE,
    failure TEXT,
    created_at BIGINT NOT NULL,
    asked_at BIGINT,
    settled_at BIGINT
);
CREATE INDEX refunds_by_order ON refunds (order_id, created_at);
CREATE UNIQUE INDEX refunds_by_provider ON refunds (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX refunds_uncertain ON refunds (created_at) WHERE status IN ('asking', 'unknown');

-- Which tickets a refund is for. One that is not refused keeps others away.
ALTER TABLE order_items ADD COLUMN refund_id BYTEA REFERENCES refunds;
-- Whether that is why the ticket is blocked.
ALTER TABLE order_items ADD COLUMN refund_blocked BIGINT NOT NULL DEFAULT 0;

CREATE TABLE disputes (
    -- What the provider calls it.
    dispute_id TEXT PRIMARY KEY,
    order_id BYTEA NOT NULL REFERENCES orders,
    payment_id BYTEA NOT NULL REFERENCES payments,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    -- Until when evidence is taken (UTC milliseconds).
    due_by BIGINT,
    opened_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE INDEX disputes_by_organiser ON disputes (organiser_id, opened_at);
CREATE INDEX disputes_by_order ON disputes (order_id);
