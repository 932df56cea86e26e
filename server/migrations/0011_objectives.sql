-- What service level indicators count: one row for each indicator, period and cell. Only ever added to.
CREATE TABLE sli_counts (
    sli TEXT NOT NULL,
    -- The beginning of five minutes, or, once they are folded, of an hour (UTC milliseconds).
    started_at BIGINT NOT NULL,
    -- -1: failed. -2: went well, without a time. From 0: went well within that bound of objectives::targets.
    cell BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (sli, started_at, cell)
);
CREATE INDEX sli_counts_by_time ON sli_counts (started_at);
