-- When another name or address was recorded that the backend has not been told of yet; null once it was. A rename that dies
-- between its last step and that word is told by whoever comes next.
ALTER TABLE technicians ADD COLUMN renaming_at BIGINT;
