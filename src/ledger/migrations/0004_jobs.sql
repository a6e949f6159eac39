-- What the HTTP API has accepted: a row is there before the caller hears so, and stays as the answer.
CREATE TABLE jobs (
    job_id          TEXT   NOT NULL PRIMARY KEY,
    -- Order of acceptance.
    seq             BIGINT NOT NULL UNIQUE,
    kind            TEXT   NOT NULL CHECK (kind IN ('create', 'process')),
    user_id         TEXT   NOT NULL,
    -- The checked request, as JSON.
    request         TEXT   NOT NULL,
    -- Where its callbacks go instead of the configured address; checked too.
    callback_url    TEXT,
    state           TEXT   NOT NULL CHECK (state IN ('accepted', 'running', 'success', 'error')),
    attempts        BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    -- How it ended, as JSON; why it waits, while it does.
    result          TEXT,
    accepted_at     BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL
);
CREATE INDEX jobs_open ON jobs (state, kind, seq);
CREATE INDEX events_by_job ON events (job_id);
