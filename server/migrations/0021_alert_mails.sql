-- Alerts by mail go through the queue of mails: which mails a message became.
ALTER TABLE notices ADD COLUMN cause_id BYTEA;
