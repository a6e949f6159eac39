-- What became of every version of every file, and what the backend has yet to hear.

CREATE TABLE items (
    item_id         TEXT   NOT NULL PRIMARY KEY,
    -- Order of arrival, over all technicians.
    seq             BIGINT NOT NULL UNIQUE,
    user_id         TEXT   NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    file_id         TEXT   NOT NULL,
    version         TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    mime_type       TEXT   NOT NULL,
    size            BIGINT,
    md5             TEXT,
    parent_id       TEXT   NOT NULL,
    below           TEXT   NOT NULL,
    not_before      BIGINT NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('found', 'fetched', 'judged', 'filed', 'withdrawn', 'reported')),
    outcome         TEXT   CHECK (outcome IN ('processado', 'erro', 'retirado')),
    attempt         BIGINT NOT NULL,
    waits           BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    reason          TEXT,
    local_path      TEXT,
    data            TEXT,
    event_id        TEXT,
    found_at        BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    UNIQUE (file_id, version)
);
CREATE INDEX items_by_state ON items (state, seq);
CREATE INDEX items_by_user ON items (user_id, state, seq);
CREATE INDEX items_by_name ON items (name);
CREATE INDEX items_by_event ON items (event_id);

-- Only ever added to. `from_state` is null for the first line of an item.
CREATE TABLE item_history (
    item_id    TEXT   NOT NULL REFERENCES items (item_id),
    line       BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    from_state TEXT,
    to_state   TEXT   NOT NULL,
    attempt    BIGINT NOT NULL,
    note       TEXT   NOT NULL,
    PRIMARY KEY (item_id, line)
);

-- The outbox: a row appears in the transaction that makes the event true.
CREATE TABLE events (
    event_id        TEXT   NOT NULL PRIMARY KEY,
    seq             BIGINT NOT NULL UNIQUE,
    kind            TEXT   NOT NULL CHECK (kind IN ('folders', 'process')),
    user_id         TEXT   NOT NULL,
    job_id          TEXT   NOT NULL,
    url             TEXT   NOT NULL,
    payload         TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    delivered_at    BIGINT,
    dead_at         BIGINT,
    last_error      TEXT
);
CREATE INDEX events_open ON events (delivered_at, dead_at, next_attempt_at);

-- Addresses that answered 410: nothing is sent there until somebody asks for it.
CREATE TABLE stopped_addresses (
    url        TEXT   NOT NULL PRIMARY KEY,
    stopped_at BIGINT NOT NULL,
    reason     TEXT   NOT NULL
);

-- How far each of Drive's change logs has been read: the user's own, and one a shared drive.
CREATE TABLE feeds (
    feed       TEXT   NOT NULL PRIMARY KEY,
    token      TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

-- When each `novos` was last listed whole.
CREATE TABLE listings (
    user_id   TEXT   NOT NULL PRIMARY KEY REFERENCES technicians (user_id) ON UPDATE CASCADE,
    listed_at BIGINT NOT NULL
);

-- The last cycle of each kind, and the last that succeeded.
CREATE TABLE cycles (
    kind         TEXT   NOT NULL PRIMARY KEY,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL,
    succeeded_at BIGINT,
    failure      TEXT
);
