-- What is for sale, and orders. Amounts are in minor units of the currency beside them.

-- What selling a ticket costs an organiser, in one currency. No row: nothing.
CREATE TABLE organiser_fees (
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    currency TEXT NOT NULL,
    fixed BIGINT NOT NULL,
    percent_bp BIGINT NOT NULL,
    cap BIGINT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organiser_id, currency)
);

-- How an event sells. No row: it does not.
CREATE TABLE event_sales (
    event_id BYTEA PRIMARY KEY REFERENCES events,
    currency TEXT NOT NULL,
    is_open BIGINT NOT NULL,
    fee_payer TEXT NOT NULL,
    tax_mode TEXT NOT NULL,
    hold_minutes BIGINT NOT NULL,
    max_per_order BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- A ticket type with a price. What is held belongs to orders that wait for their payment.
CREATE TABLE ticket_sales (
    ticket_type_id BYTEA PRIMARY KEY REFERENCES ticket_types ON DELETE CASCADE,
    event_id BYTEA NOT NULL REFERENCES events,
    price BIGINT NOT NULL,
    tax_rate_bp BIGINT NOT NULL,
    is_open BIGINT NOT NULL,
    on_sale_from BIGINT,
    on_sale_until BIGINT,
    max_per_order BIGINT,
    capacity BIGINT,
    held BIGINT NOT NULL,
    sold BIGINT NOT NULL,
    CHECK (held >= 0 AND sold >= 0),
    -- The last fence against selling a seat twice; the first is the statement that takes it.
    CHECK (capacity IS NULL OR held + sold <= capacity)
);
CREATE INDEX ticket_sales_by_event ON ticket_sales (event_id, ticket_type_id);

CREATE TABLE orders (
    order_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    event_id BYTEA NOT NULL REFERENCES events,
    -- What people say on the phone.
    reference TEXT NOT NULL,
    -- SHA-256 of the buyer's secret.
    secret_hash BYTEA NOT NULL,
    buyer_user_id BYTEA REFERENCES users,
    buyer_name TEXT NOT NULL,
    buyer_email TEXT NOT NULL,
    -- Lower case, for searching.
    buyer_search TEXT NOT NULL,
    status TEXT NOT NULL,
    -- What it will become once no payment of it can succeed any more.
    ending TEXT,
    -- Why a person has to look at it.
    attention TEXT,
    currency TEXT NOT NULL,
    subtotal BIGINT NOT NULL,
    buyer_fees BIGINT NOT NULL,
    fees BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    hold_until BIGINT NOT NULL,
    paid_at BIGINT,
    ended_at BIGINT,
    UNIQUE (organiser_id, reference)
);
CREATE INDEX orders_by_event ON orders (event_id, created_at, order_id);
CREATE INDEX orders_waiting ON orders (hold_until) WHERE status = 'awaiting_payment';
CREATE INDEX orders_wanting ON orders (organiser_id, order_id) WHERE attention IS NOT NULL;

-- One row for each ticket, with what it cost: what is refunded is refunded by ticket.
CREATE TABLE order_items (
    order_id BYTEA NOT NULL REFERENCES orders,
    position BIGINT NOT NULL,
    ticket_type_id BYTEA NOT NULL REFERENCES ticket_types,
    type_name TEXT NOT NULL,
    attendee_name TEXT,
    price BIGINT NOT NULL,
    fee BIGINT NOT NULL,
    buyer_fee BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    ticket_id BYTEA REFERENCES tickets,
    PRIMARY KEY (order_id, position)
);
CREATE INDEX order_items_by_type ON order_items (ticket_type_id);
CREATE UNIQUE INDEX order_items_by_ticket ON order_items (ticket_id) WHERE ticket_id IS NOT NULL;

-- What happened to an order, in its order.
CREATE TABLE order_steps (
    order_id BYTEA NOT NULL REFERENCES orders,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    -- JSON, without secrets.
    detail TEXT NOT NULL,
    PRIMARY KEY (order_id, seq)
);
