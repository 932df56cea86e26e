-- Links that sign a person in, once: mailed to whoever asks for one.

CREATE TABLE sign_in_links (
    link_id BYTEA PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users,
    -- SHA-256 of the link's secret, which is made when its mail is composed. NULL: it was not yet.
    secret_hash BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Set once it is dead: it was used, or another one of the person, or their password was changed.
    ended_at BIGINT
);
CREATE INDEX sign_in_links_by_user ON sign_in_links (user_id, link_id);

-- 1: begun by such a link. For a while, it may set a password without the one so far.
ALTER TABLE sessions ADD COLUMN by_link BIGINT NOT NULL DEFAULT 0;
