-- Push messages: where they go, what people want of them, and a row for each message to each phone.

-- When the doors open; none: when it starts. And whether its attendees were told.
ALTER TABLE events ADD COLUMN gates_open_at BIGINT;
ALTER TABLE events ADD COLUMN gates_told_at BIGINT;

-- One row per token. It belongs to the wallet that told it last.
CREATE TABLE push_devices (
    device_id BYTEA PRIMARY KEY,
    wallet_id BYTEA NOT NULL UNIQUE REFERENCES wallets,
    -- SHA-256 of service and token.
    fingerprint BYTEA NOT NULL UNIQUE,
    service TEXT NOT NULL,
    sealed_token BYTEA NOT NULL,
    locale TEXT,
    time_zone TEXT,
    created_at BIGINT NOT NULL,
    -- When the phone last told it.
    registered_at BIGINT NOT NULL,
    -- Messages in a row that did not go because of the token.
    failures BIGINT NOT NULL,
    -- Set once nothing is sent to it any more, and why.
    inactive_at BIGINT,
    inactive_reason TEXT
);
CREATE INDEX push_devices_inactive ON push_devices (inactive_at) WHERE inactive_at IS NOT NULL;
CREATE INDEX push_devices_by_time ON push_devices (registered_at);

-- What a wallet wants: JSON of PushPreferences. It outlives tokens.
CREATE TABLE push_preferences (
    wallet_id BYTEA PRIMARY KEY REFERENCES wallets,
    preferences TEXT NOT NULL
);

-- What an organiser tells the phones of an event's attendees.
CREATE TABLE push_campaigns (
    campaign_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    event_id BYTEA NOT NULL REFERENCES events,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    -- Whom it is for: JSON of Segment.
    segment TEXT NOT NULL,
    -- running, paused, cancelled, done
    status TEXT NOT NULL,
    -- How many phones it was for when it began.
    recipients BIGINT NOT NULL,
    -- The last wallet that it has come to.
    after_wallet BYTEA,
    written_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- When it goes on, where its limit makes it wait.
    waits_until BIGINT,
    ended_at BIGINT
);
CREATE INDEX push_campaigns_by_event ON push_campaigns (event_id, created_at, campaign_id);

CREATE TABLE push_messages (
    message_id BYTEA PRIMARY KEY,
    organiser_id BYTEA REFERENCES organisers,
    event_id BYTEA,
    ticket_id BYTEA,
    campaign_id BYTEA,
    wallet_id BYTEA NOT NULL,
    device_id BYTEA NOT NULL,
    -- What it tells, and what people choose by.
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    -- With one key, one message.
    dedupe_key TEXT NOT NULL UNIQUE,
    -- Those that wait with one of these become one.
    group_key TEXT NOT NULL,
    -- queued, sending, sent, failed, withheld, grouped
    status TEXT NOT NULL,
    -- Why it waits, did not go, or failed.
    reason TEXT,
    detail TEXT,
    -- Whether it ever waited for a limit.
    was_limited BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    -- Not before this, and not after.
    due_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    service TEXT,
    -- What the service calls it.
    provider_id TEXT,
    -- The message that tells what this one would have told.
    grouped_into BYTEA,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    delivered_at BIGINT,
    opened_at BIGINT,
    ended_at BIGINT
);
CREATE INDEX push_messages_by_time ON push_messages (created_at, message_id);
CREATE INDEX push_messages_waiting ON push_messages (wallet_id, group_key) WHERE status = 'queued';
CREATE INDEX push_messages_by_campaign ON push_messages (campaign_id, created_at) WHERE campaign_id IS NOT NULL;
CREATE INDEX push_messages_by_event ON push_messages (event_id, created_at, message_id) WHERE event_id IS NOT NULL;
CREATE INDEX push_messages_open ON push_messages (status, created_at, message_id) WHERE status IN ('queued', 'sending', 'failed');

-- Each try: written before it, completed after it. One that has no end was cut short.
CREATE TABLE push_attempts (
    message_id BYTEA NOT NULL REFERENCES push_messages ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    service TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT,
    status BIGINT,
    code TEXT,
    detail TEXT,
    PRIMARY KEY (message_id, attempt)
);

-- What services are called with: made by one process for all, which holds a lease while it makes it.
CREATE TABLE push_credentials (
    name TEXT PRIMARY KEY,
    sealed BYTEA,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    leased_until BIGINT NOT NULL
);
