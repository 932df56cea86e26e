-- Ids are 16 bytes (UUID), times UTC milliseconds, booleans 0 and 1, JSON is TEXT.
-- Column types are the portable five only; see platform/db.

CREATE TABLE organisers (
    organiser_id BYTEA PRIMARY KEY,
    name TEXT NOT NULL,
    -- Sealed with the root secret; see platform/vault.
    sealed_master_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    api_key_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    name TEXT NOT NULL,
    -- SHA-256 of the secret, which is random and shown once.
    secret_hash BYTEA NOT NULL,
    -- Scope names, separated by spaces.
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX api_keys_by_organiser ON api_keys (organiser_id, api_key_id);

CREATE TABLE events (
    event_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    name TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    time_zone TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    policy TEXT NOT NULL,
    key_version BIGINT NOT NULL,
    -- The number of the event's latest change, and of the latest to its own settings.
    change_seq BIGINT NOT NULL,
    config_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX events_by_organiser ON events (organiser_id, event_id);

CREATE TABLE event_keys (
    event_id BYTEA NOT NULL REFERENCES events,
    key_id BIGINT NOT NULL,
    algorithm TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Codes under this key are good until then; NULL: without limit.
    accept_until BIGINT,
    PRIMARY KEY (event_id, key_id)
);

CREATE TABLE gates (
    gate_id BYTEA PRIMARY KEY,
    event_id BYTEA NOT NULL REFERENCES events,
    name TEXT NOT NULL,
    UNIQUE (event_id, name)
);

CREATE TABLE ticket_types (
    ticket_type_id BYTEA PRIMARY KEY,
    event_id BYTEA NOT NULL REFERENCES events,
    name TEXT NOT NULL,
    -- JSON list of gate ids; empty means every gate.
    gate_ids TEXT NOT NULL,
    admits BIGINT NOT NULL,
    -- JSON of EntryPolicy.
    entry TEXT NOT NULL,
    valid_from BIGINT,
    valid_until BIGINT,
    UNIQUE (event_id, name)
);

CREATE TABLE tickets (
    ticket_id BYTEA PRIMARY KEY,
    event_id BYTEA NOT NULL REFERENCES events,
    ticket_type_id BYTEA NOT NULL REFERENCES ticket_types,
    status TEXT NOT NULL,
    -- So that a ticket unblocked goes back to what it was.
    paid BIGINT NOT NULL,
    -- The current code: when it was issued, under which key, and when it expires.
    code_issued_at BIGINT NOT NULL,
    code_key_id BIGINT NOT NULL,
    code_expires_at BIGINT,
    live_activated BIGINT NOT NULL,
    valid_from BIGINT,
    valid_until BIGINT,
    admits BIGINT,
    attendee_name TEXT,
    email TEXT,
    -- Lower case, for searching.
    attendee_search TEXT NOT NULL,
    reference TEXT,
    sealed_manual_code BYTEA NOT NULL,
    manual_tag BYTEA NOT NULL,
    legacy_tag BYTEA,
    created_at BIGINT NOT NULL,
    change_seq BIGINT NOT NULL,
    UNIQUE (event_id, manual_tag)
);
CREATE INDEX tickets_by_change ON tickets (event_id, change_seq);
CREATE INDEX tickets_by_event ON tickets (event_id, ticket_id);
CREATE UNIQUE INDEX tickets_by_legacy_tag ON tickets (event_id, legacy_tag) WHERE legacy_tag IS NOT NULL;
CREATE INDEX tickets_by_type ON tickets (ticket_type_id);

CREATE TABLE devices (
    device_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    name TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    last_upload_at BIGINT
);
CREATE INDEX devices_by_organiser ON devices (organiser_id, device_id);

CREATE TABLE device_events (
    device_id BYTEA NOT NULL REFERENCES devices,
    event_id BYTEA NOT NULL REFERENCES events,
    -- JSON list of gate ids; empty means every gate.
    gate_ids TEXT NOT NULL,
    PRIMARY KEY (device_id, event_id)
);
CREATE INDEX device_events_by_event ON device_events (event_id);

CREATE TABLE enrolments (
    enrolment_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    code_hash BYTEA NOT NULL UNIQUE,
    -- JSON list of {event_id, gate_ids}.
    scope TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE ledgers (
    ledger_id BYTEA PRIMARY KEY,
    device_id BYTEA NOT NULL REFERENCES devices,
    -- The furthest scan seen, and its hash.
    last_seq BIGINT NOT NULL,
    last_hash BYTEA NOT NULL,
    -- 0 once a gap, a fork or a wrong predecessor was seen; the first place where it was.
    chain_ok BIGINT NOT NULL,
    first_break_seq BIGINT
);
CREATE INDEX ledgers_by_device ON ledgers (device_id);

-- Append-only. Rows of devices carry their ledger and hashes; rows of online redeem carry neither.
CREATE TABLE scans (
    scan_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL,
    event_id BYTEA NOT NULL REFERENCES events,
    gate_id BYTEA NOT NULL,
    -- A device, or the API key of an online scanner.
    device_id BYTEA NOT NULL,
    ledger_id BYTEA,
    seq BIGINT,
    ticket_id BYTEA,
    direction TEXT NOT NULL,
    people BIGINT NOT NULL,
    medium TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    confidence TEXT NOT NULL,
    -- JSON list of flags, and JSON of the evidence.
    flags TEXT NOT NULL,
    first_admission TEXT,
    remaining BIGINT,
    wall_ms BIGINT NOT NULL,
    mono_ms BIGINT NOT NULL,
    offset_ms BIGINT NOT NULL,
    error_ms BIGINT,
    prev_hash BYTEA,
    -- Of the scan for a device's, of the request for an online one: tells a repeat from a clash.
    hash BYTEA NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- Set where it let people through: its place in the event's feed.
    change_seq BIGINT
);
CREATE INDEX scans_passages ON scans (event_id, change_seq) WHERE change_seq IS NOT NULL;
CREATE INDEX scans_by_ticket ON scans (ticket_id) WHERE change_seq IS NOT NULL;
CREATE INDEX scans_by_event ON scans (event_id, received_at, scan_id);

CREATE TABLE quarantine (
    -- Of the three that make it unique: for paging.
    quarantine_id BYTEA NOT NULL,
    scan_id BYTEA NOT NULL,
    device_id BYTEA NOT NULL REFERENCES devices,
    -- SHA-256 of the record as it came, so that a repeated upload adds nothing.
    record_hash BYTEA NOT NULL,
    organiser_id BYTEA NOT NULL,
    event_id BYTEA,
    code TEXT NOT NULL,
    record TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (scan_id, device_id, record_hash)
);
CREATE INDEX quarantine_by_device ON quarantine (device_id);
CREATE INDEX quarantine_by_event ON quarantine (event_id);
CREATE INDEX quarantine_by_organiser ON quarantine (organiser_id, received_at, quarantine_id);

-- What the fold over a ticket's passages found; rewritten whenever one of them changes.
CREATE TABLE conflicts (
    excess_scan_id BYTEA PRIMARY KEY REFERENCES scans,
    event_id BYTEA NOT NULL REFERENCES events,
    ticket_id BYTEA NOT NULL REFERENCES tickets,
    standing_scan_id BYTEA NOT NULL REFERENCES scans,
    people BIGINT NOT NULL
);
CREATE INDEX conflicts_by_event ON conflicts (event_id, excess_scan_id);
CREATE INDEX conflicts_by_ticket ON conflicts (ticket_id);
