//! Direct grants. What they mean for a file is computed in `rules::access`.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::ApiResult;
use crate::ids;

/// What a grantee may do, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// See.
    Reader,
    /// See and comment.
    Commenter,
    /// Change.
    Writer,
    /// Change and move, shared drives only.
    FileOrganizer,
    /// Manage, shared drives only.
    Organizer,
    /// Own, My Drive only.
    Owner,
}

impl Role {
    /// The word on the wire (3.1).
    pub fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Commenter => "commenter",
            Self::Writer => "writer",
            Self::FileOrganizer => "fileOrganizer",
            Self::Organizer => "organizer",
            Self::Owner => "owner",
        }
    }

    /// Reads the word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Reader, Self::Commenter, Self::Writer, Self::FileOrganizer, Self::Organizer, Self::Owner]
            .into_iter()
            .find(|role| role.word() == word)
    }
}

/// To whom a grant is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// An address of a person or a service account, lower case.
    User(String),
    /// An address of a group, lower case.
    Group(String),
    /// Everybody in a domain.
    Domain(String),
    /// Everybody; with the link, unless discoverable.
    Anyone,
}

impl Grantee {
    /// The word on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Domain(_) => "domain",
            Self::Anyone => "anyone",
        }
    }

    /// The id of this grantee's permissions, the same on all files (3.2).
    pub fn permission_id(&self, discoverable: bool) -> String {
        match self {
            Self::User(email) | Self::Group(email) => ids::permission_id(email),
            Self::Domain(domain) => format!("{}k", ids::permission_id(domain)),
            Self::Anyone if discoverable => "anyone".to_owned(),
            Self::Anyone => "anyoneWithLink".to_owned(),
        }
    }
}

/// One direct grant on one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermRow {
    /// The file it is on.
    pub file: String,
    /// permissionId.
    pub id: String,
    /// To whom.
    pub grantee: Grantee,
    /// What.
    pub role: Role,
    /// allowFileDiscovery.
    pub discoverable: bool,
    /// expirationTime, ms.
    pub expires: Option<i64>,
    /// pendingOwner (3.18).
    pub pending_owner: bool,
    /// When it was made, ms.
    pub granted: i64,
    /// Who made it.
    pub granted_by: Option<String>,
}

const COLUMNS: &str = "file, id, kind, role, email, domain, discoverable, expires, pending_owner, granted, granted_by";

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<PermRow> {
    let kind: String = row.get(2)?;
    let email: Option<String> = row.get(4)?;
    let domain: Option<String> = row.get(5)?;
    Ok(PermRow {
        file: row.get(0)?,
        id: row.get(1)?,
        grantee: match kind.as_str() {
            "user" => Grantee::User(email.unwrap_or_default()),
            "group" => Grantee::Group(email.unwrap_or_default()),
            "domain" => Grantee::Domain(domain.unwrap_or_default()),
            _ => Grantee::Anyone,
        },
        role: Role::parse(&row.get::<_, String>(3)?).unwrap_or(Role::Reader),
        discoverable: row.get(6)?,
        expires: row.get(7)?,
        pending_owner: row.get(8)?,
        granted: row.get(9)?,
        granted_by: row.get(10)?,
    })
}

/// The direct grants on a file that have not expired at `now` (3.20).
pub fn on_file(connection: &Connection, file: &str, now: i64) -> ApiResult<Vec<PermRow>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM perms WHERE file = ?1 AND (expires IS NULL OR expires > ?2) ORDER BY granted, id"
    ))?;
    let rows = statement.query_map(params![file, now], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One direct grant.
pub fn get(connection: &Connection, file: &str, id: &str, now: i64) -> ApiResult<Option<PermRow>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM perms WHERE file = ?1 AND id = ?2 AND (expires IS NULL OR expires > ?3)"))?
        .query_row(params![file, id, now], from_row)
        .optional()?)
}

/// Writes a grant, in place of an earlier one to the same grantee (3.3).
pub fn put(connection: &Connection, perm: &PermRow) -> ApiResult<()> {
    let (email, domain) = match &perm.grantee {
        Grantee::User(email) | Grantee::Group(email) => (Some(email), None),
        Grantee::Domain(domain) => (None, Some(domain)),
        Grantee::Anyone => (None, None),
    };
    connection
        .prepare_cached(&format!("INSERT OR REPLACE INTO perms({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"))?
        .execute(params![
        perm.file,
        perm.id,
        perm.grantee.kind(),
        perm.role.word(),
        email,
        domain,
        perm.discoverable,
        perm.expires,
        perm.pending_owner,
        perm.granted,
        perm.granted_by
    ])?;
    Ok(())
}

/// Removes a grant; whether there was one.
pub fn remove(connection: &Connection, file: &str, id: &str) -> ApiResult<bool> {
    Ok(connection.prepare_cached("DELETE FROM perms WHERE file = ?1 AND id = ?2")?.execute([file, id])? > 0)
}
