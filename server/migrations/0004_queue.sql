-- The queue: see docs/queue.md. A job that is done is deleted; what stays is waiting, running or dead.

CREATE TABLE jobs (
    job_id BYTEA PRIMARY KEY,
    queue TEXT NOT NULL,
    -- Which handler takes it; names the form of the payload as well.
    kind TEXT NOT NULL,
    -- JSON.
    payload TEXT NOT NULL,
    -- Whose turn it uses: an organiser, or 16 zero bytes for the server's own.
    tenant BYTEA NOT NULL,
    -- ready, delayed (until run_at), behind (another one of its ordering key), running, dead.
    state TEXT NOT NULL,
    -- Lower goes first among one organiser's.
    priority BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    ordering_key TEXT,
    -- Its place among those of the key that are alive.
    place BIGINT NOT NULL,
    unique_key TEXT,
    -- The same while it is alive: at most one.
    alive_key TEXT,
    -- Tries that ended by themselves, and those whose worker was never heard of again.
    attempts BIGINT NOT NULL,
    crashes BIGINT NOT NULL,
    -- The claim that holds it. The number grows with every claim, for whatever the job writes to elsewhere.
    lease BYTEA,
    fence BIGINT NOT NULL,
    worker TEXT,
    claimed_at BIGINT,
    lease_until BIGINT,
    -- Why it died.
    dead_code TEXT,
    ended_at BIGINT,
    replays BIGINT NOT NULL,
    request_id TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_ready ON jobs (queue, tenant, priority, run_at, job_id) WHERE state = 'ready';
CREATE INDEX jobs_delayed ON jobs (queue, run_at) WHERE state = 'delayed';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (queue, ended_at, job_id) WHERE state = 'dead';
CREATE INDEX jobs_by_ordering_key ON jobs (queue, ordering_key, place) WHERE ordering_key IS NOT NULL AND state <> 'dead';
CREATE UNIQUE INDEX jobs_alive ON jobs (queue, alive_key) WHERE alive_key IS NOT NULL;

-- Tries that did not end well; those of a job go with it.
CREATE TABLE job_attempts (
    job_id BYTEA NOT NULL REFERENCES jobs ON DELETE CASCADE,
    fence BIGINT NOT NULL,
    worker TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    -- failed, crashed.
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (job_id, fence)
);

CREATE TABLE queue_pauses (
    queue TEXT PRIMARY KEY,
    paused_at BIGINT NOT NULL
);

-- Work that comes again: whoever moves next_at on has the turn.
CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    next_at BIGINT NOT NULL
);
