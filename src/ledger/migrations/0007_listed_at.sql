-- When each `novos` was last listed whole, 0: never. Beside the technician and indexed: every cycle asks whose turn it is,
-- and must not read ten thousand rows to hear that it is nobody's.
ALTER TABLE technicians ADD COLUMN listed_at BIGINT NOT NULL DEFAULT 0;
UPDATE technicians SET listed_at = COALESCE((SELECT l.listed_at FROM listings l WHERE l.user_id = technicians.user_id), 0);
DROP TABLE listings;
CREATE INDEX technicians_by_listing ON technicians (removed_at, listed_at, user_id);
