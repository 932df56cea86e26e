-- Scans that a supervisor overruled, and scans that take another one back.

-- What was overruled; NULL for a scan that the rules decided.
ALTER TABLE scans ADD COLUMN overruled TEXT;
-- The passage taken back: of the same device and ticket, stored before.
ALTER TABLE scans ADD COLUMN undoes BYTEA;
-- Why, as the person at the door put it.
ALTER TABLE scans ADD COLUMN note TEXT;
CREATE INDEX scans_undoing ON scans (event_id, undoes) WHERE undoes IS NOT NULL;

-- Whether a supervisor holds the device.
ALTER TABLE device_events ADD COLUMN supervisor BIGINT NOT NULL DEFAULT 0;
