-- What ingest noticed: one row for as long as it stays open, then another.
CREATE TABLE anomalies (
    anomaly_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL,
    event_id BYTEA NOT NULL REFERENCES events,
    kind TEXT NOT NULL,
    -- The device, gate, event, ticket, ledger or key it is about.
    subject_kind TEXT NOT NULL,
    subject BYTEA NOT NULL,
    severity TEXT NOT NULL,
    -- open, acknowledged, resolved
    state TEXT NOT NULL,
    occurrences BIGINT NOT NULL,
    -- When it happened, corrected to server time.
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    -- Of everything found: the same again is nothing new.
    digest BYTEA NOT NULL,
    opened_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- JSON of who did it, when and why; resolved by nobody: the cause is gone.
    acknowledged TEXT,
    resolved TEXT,
    resolved_at BIGINT,
    -- 1: by somebody, so that the same again is nothing new.
    settled BIGINT NOT NULL,
    -- 1: an alert about its opening or its end is due.
    alert_due BIGINT NOT NULL,
    alerted BIGINT NOT NULL
);
CREATE UNIQUE INDEX anomalies_alive ON anomalies (subject, kind, event_id) WHERE state <> 'resolved';
CREATE INDEX anomalies_by_subject ON anomalies (subject, kind);
CREATE INDEX anomalies_by_event ON anomalies (event_id, opened_at, anomaly_id);
CREATE INDEX anomalies_to_alert ON anomalies (changed_at) WHERE alert_due = 1;

-- The first findings and the latest, each whole: it stays as it was when it was found.
CREATE TABLE anomaly_evidence (
    anomaly_id BYTEA NOT NULL REFERENCES anomalies,
    at BIGINT NOT NULL,
    finding_id BYTEA NOT NULL,
    -- JSON of Finding.
    finding TEXT NOT NULL,
    PRIMARY KEY (anomaly_id, at, finding_id)
);

-- What an organiser said about a conflict. The merge rewrites conflicts; this stays.
CREATE TABLE conflict_resolutions (
    excess_scan_id BYTEA PRIMARY KEY REFERENCES scans,
    organiser_id BYTEA NOT NULL,
    event_id BYTEA NOT NULL REFERENCES events,
    -- JSON of who, when and why.
    resolution TEXT NOT NULL
);
CREATE INDEX conflict_resolutions_by_event ON conflict_resolutions (event_id);

-- JSON of AnomalySettings.
ALTER TABLE events ADD COLUMN anomaly TEXT NOT NULL DEFAULT '{}';
-- JSON of the unbroken runs seen of the ledger's chain; empty: not followed yet.
ALTER TABLE ledgers ADD COLUMN runs TEXT NOT NULL DEFAULT '';

-- Codes that were not authentic, and tickets refused because they were used: few.
CREATE INDEX scans_forged ON scans (event_id, at) WHERE reason IN ('bad_signature', 'unknown_key');
CREATE INDEX scans_used_again ON scans (ticket_id) WHERE reason IN ('already_used', 'already_out', 'group_exceeded');
CREATE INDEX scans_by_ledger ON scans (ledger_id, seq) WHERE ledger_id IS NOT NULL;
