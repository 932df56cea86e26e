-- What is wrong with the installation, from when it was noticed to when it was over.
CREATE TABLE alerts (
    alert_id BYTEA PRIMARY KEY,
    rule TEXT NOT NULL,
    -- What of several it is about: a queue, an indicator, a channel; '' where there is one only.
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    sentence TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    -- When it was seen last, and when somebody was told last.
    seen_at BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    resolved_at BIGINT,
    -- JSON of who looks after it, since when, and what they said.
    acknowledged TEXT
);
CREATE UNIQUE INDEX alerts_open ON alerts (rule, subject) WHERE resolved_at IS NULL;
CREATE INDEX alerts_by_time ON alerts (opened_at, alert_id);

-- Messages on their way: one for each channel, written by the transaction that has something to say.
CREATE TABLE notices (
    notice_id BYTEA PRIMARY KEY,
    channel TEXT NOT NULL,
    -- The alert or anomaly; the notice itself, for a test.
    about BYTEA NOT NULL,
    -- JSON of Message.
    message TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- pending, sent, failed
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    tried_at BIGINT,
    -- What the last try that failed said.
    detail TEXT,
    ended_at BIGINT
);
CREATE INDEX notices_pending ON notices (channel, created_at, notice_id) WHERE state = 'pending';
CREATE INDEX notices_about ON notices (about);
CREATE INDEX notices_ended ON notices (ended_at) WHERE ended_at IS NOT NULL;
