-- A technician on the way out or back, or under a new name: what is still to be done after a crash stands here.

-- When taking them out was begun; null once it is done, or was never asked for.
ALTER TABLE technicians ADD COLUMN removing_at BIGINT;
-- Where the tree lies on the VM, below the base directory, while that is not its folder: in the archive, or under the name
-- it had before a rename.
ALTER TABLE technicians ADD COLUMN place TEXT;
-- The address that was theirs before a change, until its grant is taken away.
ALTER TABLE technicians ADD COLUMN former_email TEXT;
-- What tecnicos.json said of them, with the keys of other programs: it goes back with a restore.
ALTER TABLE technicians ADD COLUMN registry_entry TEXT;

-- The archive folder on Drive, below each parent folder and under each name that was ever configured.
CREATE TABLE archives (
    parent_id TEXT NOT NULL,
    name      TEXT NOT NULL,
    drive_id  TEXT NOT NULL UNIQUE,
    PRIMARY KEY (parent_id, name)
);
