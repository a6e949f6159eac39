-- The backend's task in whose run a file had to wait: the file's end is told under that, wherever the run's caller said.
ALTER TABLE items ADD COLUMN job_id TEXT;
ALTER TABLE items ADD COLUMN job_url TEXT;
-- What the file is called on Drive by now, where somebody renamed it after it was judged: people ask by that name.
ALTER TABLE items ADD COLUMN renamed_to TEXT;
CREATE INDEX items_by_new_name ON items (renamed_to);
-- The tries before somebody had the event sent again; the schedule counts from there.
ALTER TABLE events ADD COLUMN earlier_attempts BIGINT NOT NULL DEFAULT 0;
