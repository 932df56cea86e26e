-- What attendees may do on their phones: JSON of WalletPolicy.
ALTER TABLE events ADD COLUMN wallet TEXT NOT NULL DEFAULT '{}';

-- Phones. Each makes its own token; the first claim registers it.
CREATE TABLE wallets (
    wallet_id BYTEA PRIMARY KEY,
    secret_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- Which phones hold which ticket.
CREATE TABLE claims (
    ticket_id BYTEA NOT NULL REFERENCES tickets,
    wallet_id BYTEA NOT NULL REFERENCES wallets,
    phone_name TEXT NOT NULL,
    claimed_at BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, wallet_id)
);
CREATE INDEX claims_by_wallet ON claims (wallet_id, claimed_at);

-- Links with which a phone becomes the holder of a ticket. At most one of a kind is alive per ticket.
CREATE TABLE ticket_links (
    link_id BYTEA PRIMARY KEY,
    ticket_id BYTEA NOT NULL REFERENCES tickets,
    -- ticket: for its holder, as often as the policy allows; transfer: for somebody else, once.
    kind TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    -- So that it can be shown again.
    sealed_secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    -- Set once it is dead: replaced, taken back, or used.
    ended_at BIGINT,
    -- Who used a transfer: may repeat the claim whose answer was lost.
    used_by BYTEA
);
CREATE UNIQUE INDEX ticket_links_alive ON ticket_links (ticket_id, kind) WHERE ended_at IS NULL;
CREATE INDEX ticket_links_by_ticket ON ticket_links (ticket_id);
