-- Folders that somebody dropped into a `novos`, so that files appearing in them later are found too.
CREATE TABLE dropped_folders (
    folder_id TEXT   NOT NULL PRIMARY KEY,
    user_id   TEXT   NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    parent_id TEXT   NOT NULL,
    -- The folder below `novos`, `/`-separated.
    below     TEXT   NOT NULL,
    seen_at   BIGINT NOT NULL,
    -- When its files had all been taken out and it was moved to `processados`.
    ended_at  BIGINT
);
CREATE INDEX dropped_by_user ON dropped_folders (user_id);
CREATE INDEX items_by_parent ON items (parent_id, state);
CREATE INDEX items_by_path ON items (user_id, local_path);
