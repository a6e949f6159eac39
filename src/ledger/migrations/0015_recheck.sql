-- Files that a restored backup had under way: what became of them since, Drive is asked before anything is done with them.
CREATE TABLE recheck (
    item_id     TEXT   NOT NULL PRIMARY KEY REFERENCES items (item_id),
    restored_at BIGINT NOT NULL
);
