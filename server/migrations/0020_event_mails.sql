-- What mails tell of events, and what organisers tell their buyers.

-- Where it takes place, as people find it.
ALTER TABLE events ADD COLUMN venue TEXT;
-- The language that its buyers are written to in.
ALTER TABLE events ADD COLUMN locale TEXT NOT NULL DEFAULT 'en';
ALTER TABLE events ADD COLUMN cancelled_at BIGINT;
ALTER TABLE events ADD COLUMN cancel_reason TEXT;

-- What it was written for, together with others: one change of an event, one announcement.
ALTER TABLE emails ADD COLUMN cause_id BYTEA;
CREATE INDEX emails_by_cause ON emails (cause_id, status) WHERE cause_id IS NOT NULL;
CREATE INDEX emails_by_event ON emails (event_id, created_at, email_id) WHERE event_id IS NOT NULL;

-- What an organiser writes to the buyers of an event.
CREATE TABLE announcements (
    announcement_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    event_id BYTEA NOT NULL REFERENCES events,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    written_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX announcements_by_event ON announcements (event_id, created_at, announcement_id);
