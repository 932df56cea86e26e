-- People: they sign in, belong to organisers, and what they do is on record.

-- A person, whoever they work for. The only rows here without a tenant, beside their sessions.
CREATE TABLE users (
    user_id BYTEA PRIMARY KEY,
    email TEXT NOT NULL,
    -- Lower case: one person per address, however it is written.
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- PHC string of Argon2id.
    password_hash TEXT NOT NULL,
    password_changed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    user_id BYTEA NOT NULL REFERENCES users,
    role TEXT NOT NULL,
    -- 1: only at the events in member_events, perhaps none; 0: at every one.
    limited BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organiser_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id, organiser_id);

CREATE TABLE member_events (
    organiser_id BYTEA NOT NULL,
    user_id BYTEA NOT NULL,
    event_id BYTEA NOT NULL REFERENCES events,
    PRIMARY KEY (organiser_id, user_id, event_id),
    FOREIGN KEY (organiser_id, user_id) REFERENCES members ON DELETE CASCADE
);

CREATE TABLE invitations (
    invitation_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL,
    limited BIGINT NOT NULL,
    -- JSON list of event ids.
    event_ids TEXT NOT NULL,
    -- SHA-256 of the link's secret, which is random and shown once.
    secret_hash BYTEA NOT NULL,
    invited_by TEXT NOT NULL,
    -- A member: when they may invite nobody any more, what they have open ends. NULL: the operator.
    inviter_id BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Set once it is dead: accepted, withdrawn, or replaced by a newer one.
    ended_at BIGINT
);
CREATE UNIQUE INDEX invitations_alive ON invitations (organiser_id, email_key) WHERE ended_at IS NULL;
CREATE INDEX invitations_by_organiser ON invitations (organiser_id, invitation_id);

CREATE TABLE sessions (
    session_id BYTEA PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users,
    -- SHA-256 of the token's secret.
    secret_hash BYTEA NOT NULL,
    -- 1: for a month, on a machine of one's own.
    remembered BIGINT NOT NULL,
    -- What the browser calls itself, and the network it came from.
    agent TEXT NOT NULL,
    network TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- To the minute.
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sessions_by_user ON sessions (user_id, session_id);

-- 1: only at the events in api_key_events.
ALTER TABLE api_keys ADD COLUMN limited BIGINT NOT NULL DEFAULT 0;

CREATE TABLE api_key_events (
    organiser_id BYTEA NOT NULL,
    api_key_id BYTEA NOT NULL REFERENCES api_keys,
    event_id BYTEA NOT NULL REFERENCES events,
    PRIMARY KEY (api_key_id, event_id)
);

-- Who did what, from the transaction that did it. Append-only: see 0006_accounts.sqlite.sql and
-- 0006_accounts.postgres.sql. No reference, so that it outlives what it tells of.
CREATE TABLE audit (
    audit_id BYTEA PRIMARY KEY,
    -- NULL where no tenant is known: a sign-in.
    organiser_id BYTEA,
    event_id BYTEA,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id BYTEA,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    target_kind TEXT,
    target_id BYTEA,
    target_name TEXT,
    -- JSON without secrets.
    before_state TEXT,
    after_state TEXT,
    request_id TEXT,
    -- The network, not the address.
    network TEXT
);
CREATE INDEX audit_by_organiser ON audit (organiser_id, at, audit_id);
CREATE INDEX audit_by_action ON audit (organiser_id, action, at, audit_id);
CREATE INDEX audit_by_target ON audit (organiser_id, target_id, at, audit_id);
CREATE INDEX audit_by_actor ON audit (organiser_id, actor_id, at, audit_id);
