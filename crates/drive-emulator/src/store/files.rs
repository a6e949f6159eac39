//! Rows of the `files` table.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::ApiResult;
use crate::store::accounts::FOLDER;

/// The mimeType of shortcuts (1.13).
pub const SHORTCUT: &str = "application/vnd.google-apps.shortcut";

/// One file, folder, shortcut or root. Times are ms since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileRow {
    /// Order of creation; 0 before it is stored.
    pub rid: i64,
    /// Drive's id.
    pub id: String,
    /// As given; any Unicode (1.43).
    pub name: String,
    /// mimeType.
    pub mime: String,
    /// The one parent; none for roots and for what was orphaned.
    pub parent: Option<String>,
    /// The shared drive it is in.
    pub drive: Option<String>,
    /// The owner's address; none in shared drives.
    pub owner: Option<String>,
    /// The project that created it (`drive.file` scope).
    pub app: String,
    /// `drive` or `appDataFolder`.
    pub space: String,
    /// What people wrote about it.
    pub description: Option<String>,
    /// createdTime.
    pub created: i64,
    /// modifiedTime.
    pub modified: i64,
    /// Trashed itself, not through a folder (2.56).
    pub trashed: bool,
    /// When it was trashed.
    pub trashed_at: Option<i64>,
    /// Who trashed it.
    pub trashed_by: Option<String>,
    /// Monotonic (2.30).
    pub version: i64,
    /// Bytes; none for folders and shortcuts.
    pub size: Option<i64>,
    /// Checksums of blobs, lower-case hex (2.6).
    pub md5: Option<String>,
    /// See `md5`.
    pub sha1: Option<String>,
    /// See `md5`.
    pub sha256: Option<String>,
    /// Where the bytes are; none when there are none.
    pub blob: Option<String>,
    /// headRevisionId.
    pub head: Option<String>,
    /// originalFilename.
    pub original_name: Option<String>,
    /// lastModifyingUser.
    pub last_user: Option<String>,
    /// A shortcut's target.
    pub target: Option<String>,
    /// The target's mimeType when the shortcut was made.
    pub target_mime: Option<String>,
    /// inheritedPermissionsDisabled (3.22).
    pub limited: bool,
    /// writersCanShare.
    pub writers_share: bool,
    /// copyRequiresWriterPermission.
    pub copy_protected: bool,
    /// folderColorRgb.
    pub color: Option<String>,
    /// Marked as malware (2.11).
    pub abusive: bool,
    /// fullFileExtension: that of the last name that had one (1.46).
    pub extension: Option<String>,
}

/// The columns [`from_row`] reads, in its order.
pub const COLUMNS: &str = "rid, id, name, mime, parent, drive, owner, app, space, description, created, modified, \
    trashed, trashed_at, trashed_by, version, size, md5, sha1, sha256, blob, head, original_name, last_user, \
    target, target_mime, limited, writers_share, copy_protected, color, abusive, extension";

/// Reads a row selected with [`COLUMNS`].
pub fn from_row(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    Ok(FileRow {
        rid: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        mime: row.get(3)?,
        parent: row.get(4)?,
        drive: row.get(5)?,
        owner: row.get(6)?,
        app: row.get(7)?,
        space: row.get(8)?,
        description: row.get(9)?,
        created: row.get(10)?,
        modified: row.get(11)?,
        trashed: row.get(12)?,
        trashed_at: row.get(13)?,
        trashed_by: row.get(14)?,
        version: row.get(15)?,
        size: row.get(16)?,
        md5: row.get(17)?,
        sha1: row.get(18)?,
        sha256: row.get(19)?,
        blob: row.get(20)?,
        head: row.get(21)?,
        original_name: row.get(22)?,
        last_user: row.get(23)?,
        target: row.get(24)?,
        target_mime: row.get(25)?,
        limited: row.get(26)?,
        writers_share: row.get(27)?,
        copy_protected: row.get(28)?,
        color: row.get(29)?,
        abusive: row.get(30)?,
        extension: row.get(31)?,
    })
}

impl FileRow {
    /// A folder (1.2).
    pub fn is_folder(&self) -> bool {
        self.mime == FOLDER
    }

    /// A shortcut (1.13).
    pub fn is_shortcut(&self) -> bool {
        self.mime == SHORTCUT
    }

    /// A Docs, Sheets, Slides … file: exported, not downloaded.
    pub fn is_editors(&self) -> bool {
        is_editors_mime(&self.mime)
    }

    /// Bytes that are downloaded as they were uploaded.
    pub fn is_blob(&self) -> bool {
        self.head.is_some()
    }

    /// The top of a My Drive, of a shared drive or of an app's data.
    pub fn is_root(&self) -> bool {
        self.drive.as_deref() == Some(&self.id) || (self.parent.is_none() && self.is_folder() && self.id.starts_with("0A"))
    }
}

/// A Google type with content of its own kind, not a folder, a shortcut or `drive-sdk` (1.15).
pub fn is_editors_mime(mime: &str) -> bool {
    mime.starts_with("application/vnd.google-apps.")
        && !mime.starts_with("application/vnd.google-apps.drive-sdk")
        && mime != FOLDER
        && mime != SHORTCUT
}

/// `name` as the `=` operator compares it: ASCII letters folded (2.49).
pub fn name_key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// One file by id.
pub fn get(connection: &Connection, id: &str) -> ApiResult<Option<FileRow>> {
    Ok(connection.prepare_cached(&format!("SELECT {COLUMNS} FROM files WHERE id = ?1"))?.query_row([id], from_row).optional()?)
}

/// Stores a new file.
pub fn insert(connection: &Connection, f: &FileRow) -> ApiResult<()> {
    connection
        .prepare_cached(
            "INSERT INTO files(id, name, name_key, mime, parent, drive, owner, app, space, created, modified) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![f.id, f.name, name_key(&f.name), f.mime, f.parent, f.drive, f.owner, f.app, f.space, f.created, f.modified])?;
    save(connection, f)
}

/// Writes every column that may change.
pub fn save(connection: &Connection, f: &FileRow) -> ApiResult<()> {
    connection
        .prepare_cached(
            "UPDATE files SET name = ?2, name_key = ?3, mime = ?4, parent = ?5, drive = ?6, owner = ?7, \
             description = ?8, created = ?9, modified = ?10, trashed = ?11, trashed_at = ?12, trashed_by = ?13, \
             version = ?14, size = ?15, md5 = ?16, sha1 = ?17, sha256 = ?18, blob = ?19, head = ?20, \
             original_name = ?21, last_user = ?22, target = ?23, target_mime = ?24, limited = ?25, \
             writers_share = ?26, copy_protected = ?27, color = ?28, abusive = ?29, extension = ?30 WHERE id = ?1",
        )?
        .execute(params![
            f.id,
            f.name,
            name_key(&f.name),
            f.mime,
            f.parent,
            f.drive,
            f.owner,
            f.description,
            f.created,
            f.modified,
            f.trashed,
            f.trashed_at,
            f.trashed_by,
            f.version,
            f.size,
            f.md5,
            f.sha1,
            f.sha256,
            f.blob,
            f.head,
            f.original_name,
            f.last_user,
            f.target,
            f.target_mime,
            f.limited,
            f.writers_share,
            f.copy_protected,
            f.color,
            f.abusive,
            f.extension
        ])?;
    Ok(())
}

/// Removes a file and everything kept about it; its revisions' blobs are the caller's to delete.
pub fn remove(connection: &Connection, id: &str) -> ApiResult<()> {
    for table in ["perms", "props", "user_files", "revisions"] {
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE file = ?1"))?.execute([id])?;
    }
    connection.prepare_cached("DELETE FROM files WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Direct children, oldest first: all, or the first `most`.
pub fn children(connection: &Connection, parent: &str, most: Option<u64>) -> ApiResult<Vec<FileRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM files WHERE parent = ?1 ORDER BY rid LIMIT ?2"))?;
    // Less than nothing is no limit.
    let most = most.and_then(|most| i64::try_from(most).ok()).unwrap_or(-1);
    let rows = statement.query_map(params![parent, most], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A count the triggers keep: `c:<folder>` children, `b:<owner>` bytes.
pub fn tally(connection: &Connection, key: &str) -> ApiResult<i64> {
    Ok(connection.prepare_cached("SELECT n FROM tallies WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Custom properties of one app, or the public ones for an empty `app`.
pub fn props(connection: &Connection, id: &str, app: &str) -> ApiResult<BTreeMap<String, String>> {
    let mut statement = connection.prepare_cached("SELECT key, value FROM props WHERE file = ?1 AND app = ?2")?;
    let rows = statement.query_map([id, app], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is one user's own about a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Personal {
    /// Starred by them.
    pub starred: bool,
    /// When they last opened it.
    pub viewed: Option<i64>,
    /// When they last changed it.
    pub modified: Option<i64>,
}

/// Reads [`Personal`]; none if they never touched the file.
pub fn personal(connection: &Connection, email: &str, id: &str) -> ApiResult<Option<Personal>> {
    Ok(connection
        .prepare_cached("SELECT starred, viewed, modified FROM user_files WHERE email = ?1 AND file = ?2")?
        .query_row([email, id], |row| Ok(Personal { starred: row.get(0)?, viewed: row.get(1)?, modified: row.get(2)? }))
        .optional()?)
}

/// Writes [`Personal`].
pub fn save_personal(connection: &Connection, email: &str, id: &str, own: Personal) -> ApiResult<()> {
    connection
        .prepare_cached(
            "INSERT INTO user_files VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT(email, file) DO UPDATE SET \
             starred = excluded.starred, viewed = excluded.viewed, modified = excluded.modified",
        )?
        .execute(params![email, id, own.starred, own.viewed, own.modified])?;
    Ok(())
}
