-- Whether a caller named the address for this event alone. All others go to the backend that is configured when they are
-- sent, whatever it was when they were made.
ALTER TABLE events ADD COLUMN by_caller BIGINT NOT NULL DEFAULT 0;
-- Of an older ledger only the agent's own reports are known for certain to have no address of their own.
UPDATE events SET by_caller = 1 WHERE NOT (job_id LIKE 'item#_%' ESCAPE '#' AND url LIKE '%/api/callbacks/process');
