-- When the local copy got its name in novos, by its file system's clock; none for what was fetched before this was recorded.
ALTER TABLE items ADD COLUMN copied_at BIGINT;
