-- When a look first did not find an open item's file on Drive; NULL once it was seen again. One "not found" is no proof.
ALTER TABLE items ADD COLUMN missing_since BIGINT;
