-- The code of the failure of ours that a file waits for; none where the processor asked for it.
ALTER TABLE items ADD COLUMN setback TEXT;
