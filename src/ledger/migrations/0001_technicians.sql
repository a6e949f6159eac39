-- Who the technicians are, the ids of their folders, and with whom else `novos` is shared.
-- TEXT, BIGINT and DOUBLE PRECISION only: the same text runs on SQLite and PostgreSQL.

CREATE TABLE technicians (
    user_id     TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    email       TEXT,
    portal_user TEXT,
    folder      TEXT   NOT NULL,
    -- The folder as a file system that folds case sees it.
    folder_key  TEXT   NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    removed_at  BIGINT
);

-- A row exists from the moment an id is reserved, before the first create is sent.
CREATE TABLE folders (
    user_id  TEXT NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    path     TEXT NOT NULL,
    role     TEXT NOT NULL,
    drive_id TEXT NOT NULL UNIQUE,
    state    TEXT NOT NULL CHECK (state IN ('reserved', 'created')),
    PRIMARY KEY (user_id, path)
);

-- Ids from files.generateIds that nobody has taken yet.
CREATE TABLE spare_ids (
    id TEXT NOT NULL PRIMARY KEY
);

-- Beyond the technician's own e-mail, which follows from the technician's row.
CREATE TABLE wanted_grants (
    user_id TEXT   NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    email   TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    notify  BIGINT NOT NULL,
    PRIMARY KEY (user_id, email)
);
