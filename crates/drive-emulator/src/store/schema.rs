//! The tables. `IF NOT EXISTS` throughout: opening an existing store of this version changes nothing.

use rusqlite::{Connection, TransactionBehavior};

/// Makes what is missing.
pub fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    transaction.execute_batch(crate::auth::TABLES)?;
    transaction.execute_batch(crate::push::TABLES)?;
    if !transaction.prepare("SELECT 1 FROM pragma_table_info('files') WHERE name = 'extension'")?.exists([])? {
        transaction.execute_batch(EXTENSION)?;
    }
    transaction.commit()
}

/// A store of an older version has the last name and the first.
const EXTENSION: &str = "
ALTER TABLE files ADD COLUMN extension TEXT;
UPDATE files SET extension = substr(name, instr(name, '.') + 1) WHERE instr(name, '.') BETWEEN 1 AND length(name) - 1;
UPDATE files SET extension = substr(original_name, instr(original_name, '.') + 1)
 WHERE extension IS NULL AND instr(original_name, '.') BETWEEN 1 AND length(original_name) - 1;
";

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS settings(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- People and service accounts. `kind` is user or service; storage_limit is bytes, NULL without limit.
CREATE TABLE IF NOT EXISTS users(
  email TEXT PRIMARY KEY, name TEXT NOT NULL, token TEXT NOT NULL UNIQUE, root_id TEXT NOT NULL,
  permission_id TEXT NOT NULL, kind TEXT NOT NULL, storage_limit INTEGER, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS users_permission ON users(permission_id);
CREATE TABLE IF NOT EXISTS members(
  group_email TEXT NOT NULL, email TEXT NOT NULL, PRIMARY KEY(group_email, email)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_email ON members(email);

-- Access tokens. `app` is the Cloud project; scopes are joined by spaces; expires is ms, NULL never.
CREATE TABLE IF NOT EXISTS tokens(
  token TEXT PRIMARY KEY, email TEXT NOT NULL, app TEXT NOT NULL, scopes TEXT NOT NULL,
  expires INTEGER, revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;

-- One row a file, folder, shortcut, My Drive root or shared-drive root. Times are ms since 1970.
CREATE TABLE IF NOT EXISTS files(
  rid INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, name_key TEXT NOT NULL,
  mime TEXT NOT NULL, parent TEXT, drive TEXT, owner TEXT, app TEXT NOT NULL, space TEXT NOT NULL,
  description TEXT, created INTEGER NOT NULL, modified INTEGER NOT NULL,
  trashed INTEGER NOT NULL DEFAULT 0, trashed_at INTEGER, trashed_by TEXT, version INTEGER NOT NULL DEFAULT 1,
  size INTEGER, md5 TEXT, sha1 TEXT, sha256 TEXT, blob TEXT, head TEXT, original_name TEXT, last_user TEXT,
  target TEXT, target_mime TEXT, limited INTEGER NOT NULL DEFAULT 0,
  writers_share INTEGER NOT NULL DEFAULT 1, copy_protected INTEGER NOT NULL DEFAULT 0,
  color TEXT, abusive INTEGER NOT NULL DEFAULT 0, extension TEXT);
CREATE INDEX IF NOT EXISTS files_parent ON files(parent, rid);
CREATE INDEX IF NOT EXISTS files_child ON files(parent, name_key);
CREATE INDEX IF NOT EXISTS files_drive ON files(drive, rid);
CREATE INDEX IF NOT EXISTS files_name ON files(name_key);
CREATE INDEX IF NOT EXISTS files_owner ON files(owner, rid);
CREATE INDEX IF NOT EXISTS files_trash ON files(owner) WHERE trashed = 1;

-- Custom properties; app is empty for public ones (1.48).
CREATE TABLE IF NOT EXISTS props(
  file TEXT NOT NULL, app TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(file, app, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS props_value ON props(app, key, value);

-- Direct grants only; inheritance is computed. kind is user, group, domain or anyone.
CREATE TABLE IF NOT EXISTS perms(
  file TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL, email TEXT, domain TEXT,
  discoverable INTEGER NOT NULL DEFAULT 0, expires INTEGER, pending_owner INTEGER NOT NULL DEFAULT 0,
  granted INTEGER NOT NULL, granted_by TEXT, PRIMARY KEY(file, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS perms_id ON perms(id);

-- What is each user's own about a file (2.29). A row also says that they have opened or touched it (2.38).
CREATE TABLE IF NOT EXISTS user_files(
  email TEXT NOT NULL, file TEXT NOT NULL, starred INTEGER NOT NULL DEFAULT 0, viewed INTEGER, modified INTEGER,
  PRIMARY KEY(email, file)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS user_files_file ON user_files(file);

CREATE TABLE IF NOT EXISTS revisions(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL, id TEXT NOT NULL, mime TEXT NOT NULL,
  modified INTEGER NOT NULL, user TEXT, size INTEGER, md5 TEXT, sha1 TEXT, sha256 TEXT, blob TEXT, name TEXT,
  keep INTEGER NOT NULL DEFAULT 0, published INTEGER NOT NULL DEFAULT 0, UNIQUE(file, id));

CREATE TABLE IF NOT EXISTS drives(
  id TEXT PRIMARY KEY, request TEXT, creator TEXT, created INTEGER NOT NULL, color TEXT,
  restrictions TEXT NOT NULL DEFAULT '{}') WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS drives_request ON drives(creator, request);
CREATE TABLE IF NOT EXISTS hidden_drives(email TEXT, drive TEXT, PRIMARY KEY(email, drive)) WITHOUT ROWID;

-- The change logs (4.2): one a user (u:email) and one a shared drive (d:id), compacted by the unique pair (4.8).
CREATE TABLE IF NOT EXISTS changes(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, log TEXT NOT NULL, kind TEXT NOT NULL, item TEXT NOT NULL,
  time INTEGER NOT NULL, removed INTEGER NOT NULL, UNIQUE(log, item));
CREATE INDEX IF NOT EXISTS changes_log ON changes(log, seq);

CREATE TABLE IF NOT EXISTS uploads(
  id TEXT PRIMARY KEY, file TEXT, who TEXT NOT NULL, meta TEXT NOT NULL, query TEXT NOT NULL,
  mime TEXT, total INTEGER, received INTEGER NOT NULL DEFAULT 0, result TEXT, touched INTEGER NOT NULL) WITHOUT ROWID;

-- Counts kept by triggers, so that limits and quotas cost a look-up: c:<folder> children, b:<owner> bytes.
CREATE TABLE IF NOT EXISTS tallies(key TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS files_added AFTER INSERT ON files BEGIN
  INSERT INTO tallies SELECT 'c:' || NEW.parent, 1 WHERE NEW.parent IS NOT NULL
    ON CONFLICT(key) DO UPDATE SET n = n + 1;
  INSERT INTO tallies SELECT 'b:' || NEW.owner, NEW.size WHERE NEW.owner IS NOT NULL AND NEW.size > 0
    ON CONFLICT(key) DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER IF NOT EXISTS files_gone AFTER DELETE ON files BEGIN
  UPDATE tallies SET n = n - 1 WHERE key = 'c:' || OLD.parent;
  UPDATE tallies SET n = n - coalesce(OLD.size, 0) WHERE key = 'b:' || OLD.owner;
END;
CREATE TRIGGER IF NOT EXISTS files_moved AFTER UPDATE OF parent, owner, size ON files BEGIN
  UPDATE tallies SET n = n - 1 WHERE key = 'c:' || OLD.parent;
  UPDATE tallies SET n = n - coalesce(OLD.size, 0) WHERE key = 'b:' || OLD.owner;
  INSERT INTO tallies SELECT 'c:' || NEW.parent, 1 WHERE NEW.parent IS NOT NULL
    ON CONFLICT(key) DO UPDATE SET n = n + 1;
  INSERT INTO tallies SELECT 'b:' || NEW.owner, NEW.size WHERE NEW.owner IS NOT NULL AND NEW.size > 0
    ON CONFLICT(key) DO UPDATE SET n = n + excluded.n;
END;
";
