-- Who runs this installation: they see what concerns no organiser alone, such as queues and alerts.
CREATE TABLE operators (
    user_id BYTEA PRIMARY KEY REFERENCES users,
    created_at BIGINT NOT NULL
);
