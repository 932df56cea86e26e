-- Organisers' own texts of mails. Each save is a version; the newest counts, and one without texts goes back to ours.
CREATE TABLE mail_texts (
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    kind TEXT NOT NULL,
    locale TEXT NOT NULL,
    version BIGINT NOT NULL,
    body_text TEXT,
    body_html TEXT,
    saved_by TEXT NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (organiser_id, kind, locale, version)
);
-- What a mail was written with: "built-in", or which version.
ALTER TABLE emails ADD COLUMN template TEXT;
