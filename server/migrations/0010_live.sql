-- For the live view: which doors were heard of when, and scans by the minute in which they happened.
ALTER TABLE devices ADD COLUMN last_seen_at BIGINT;
-- Scans it had yet to hand in, as it said then.
ALTER TABLE devices ADD COLUMN unsent BIGINT NOT NULL DEFAULT 0;
CREATE INDEX scans_by_time ON scans (event_id, at);
