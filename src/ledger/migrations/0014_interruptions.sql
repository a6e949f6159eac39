-- How often a signal ended the program that judges, since there was a verdict.
ALTER TABLE items ADD COLUMN interruptions BIGINT NOT NULL DEFAULT 0;
