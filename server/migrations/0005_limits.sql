-- Rate limits: for each key, when each of what was counted came, exactly, for as long as it counts.
CREATE TABLE rate_windows (
    -- SHA-256 of what is limited and of whom: addresses and names of people are not kept.
    key_hash BYTEA PRIMARY KEY,
    -- The latest times, packed (platform/rate_limit/window). Older ones of a busy key are in rate_parts.
    recent BYTEA NOT NULL,
    -- The parts that hold any: from first_part up to, and without, next_part; how many times in them still
    -- count; and the first of these (UTC milliseconds).
    first_part BIGINT NOT NULL,
    next_part BIGINT NOT NULL,
    in_parts BIGINT NOT NULL,
    oldest_at BIGINT NOT NULL,
    -- From then on nothing counts any more.
    expires_at BIGINT NOT NULL
);

-- Written once each, so that counting costs the same however much a key is used.
CREATE TABLE rate_parts (
    key_hash BYTEA NOT NULL REFERENCES rate_windows ON DELETE CASCADE,
    part BIGINT NOT NULL,
    hits BYTEA NOT NULL,
    PRIMARY KEY (key_hash, part)
);

-- Requests with an Idempotency-Key: what was answered, or how far it came. Kept for a day.
CREATE TABLE idempotent_operations (
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    -- The key: operation_type:operation_id, where the id is `stable id:uuid`.
    operation_type TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    -- SHA-256 of the request: the same key never stands for two.
    fingerprint BYTEA NOT NULL,
    -- Which try has it (random), and until when nobody else may (UTC milliseconds; 0: nobody has it).
    try_id BYTEA NOT NULL,
    locked_until BIGINT NOT NULL,
    -- The last step that is done, with what the next one needs (sealed).
    recovery_point TEXT,
    sealed_recovery BYTEA,
    -- The answer, once there is one: status, headers and body (sealed).
    sealed_response BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (organiser_id, operation_type, operation_id)
);
CREATE INDEX idempotent_operations_by_expiry ON idempotent_operations (expires_at);
