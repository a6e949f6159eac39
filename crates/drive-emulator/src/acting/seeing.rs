//! Everything in the store, for assertions: not what one user sees, but what is.

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::Control;
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::store::accounts;
use crate::store::files::{self, FileRow};
use crate::store::perms::{self, Grantee};
use crate::store::settings::Settings;

impl Control {
    /// Everything: `users`, `drives`, and `files` in order of creation, roots among them.
    pub fn snapshot(&self) -> ApiResult<Value> {
        self.app.store.read(|db| {
            let now = Settings::load(db)?.now();
            let mut statement = db.prepare_cached(&format!("SELECT {} FROM files ORDER BY rid", files::COLUMNS))?;
            let rows: Vec<FileRow> = statement.query_map([], files::from_row)?.collect::<Result<_, _>>()?;
            let all = rows.iter().map(|file| whole(db, file, now)).collect::<ApiResult<Vec<Value>>>()?;
            let users: Vec<Value> = accounts::all(db)?
                .into_iter()
                .map(|user| json!({ "email": user.email, "rootId": user.root_id, "permissionId": user.permission_id, "service": user.service }))
                .collect();
            let mut drives = db.prepare_cached("SELECT id FROM drives ORDER BY created, id")?;
            let drives: Vec<String> = drives.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(json!({ "time": clock::format(now), "users": users, "drives": drives, "files": all }))
        })
    }

    /// One file of [`Control::snapshot`], or 404.
    pub fn file(&self, id: &str) -> ApiResult<Value> {
        self.app.store.read(|db| {
            let file = files::get(db, id)?.ok_or_else(|| ApiError::not_found_file(id))?;
            whole(db, &file, Settings::load(db)?.now())
        })
    }

    /// Direct children of a folder, oldest first.
    pub fn children(&self, parent: &str) -> ApiResult<Vec<Value>> {
        self.some_children(parent, None)
    }

    /// The first `most` of them.
    pub(crate) fn some_children(&self, parent: &str, most: Option<u64>) -> ApiResult<Vec<Value>> {
        self.app.store.read(|db| {
            let now = Settings::load(db)?.now();
            files::children(db, parent, most)?.iter().map(|file| whole(db, file, now)).collect()
        })
    }

    /// The bytes of a file's newest revision.
    pub fn content(&self, id: &str) -> ApiResult<Vec<u8>> {
        let file = self.app.store.read(|db| files::get(db, id))?.ok_or_else(|| ApiError::not_found_file(id))?;
        let mut bytes = Vec::new();
        let mut reader = crate::store::blobs::open(self.app.store.dir(), file.blob.as_deref(), 0)?;
        std::io::Read::read_to_end(&mut reader, &mut bytes)?;
        Ok(bytes)
    }
}

fn whole(db: &Connection, f: &FileRow, now: i64) -> ApiResult<Value> {
    let mut apps = db.prepare_cached("SELECT app, key, value FROM props WHERE file = ?1 ORDER BY app, key")?;
    let mut private = Map::new();
    let mut public = Map::new();
    for row in apps.query_map([&f.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
        let (app, key, value): (String, String, String) = row?;
        let to = if app.is_empty() { &mut public } else { &mut private };
        to.insert(key, Value::String(value));
    }
    let grants: Vec<Value> = perms::on_file(db, &f.id, now)?
        .into_iter()
        .map(|perm| {
            let (email, domain) = match &perm.grantee {
                Grantee::User(email) | Grantee::Group(email) => (Some(email.as_str()), None),
                Grantee::Domain(domain) => (None, Some(domain.as_str())),
                Grantee::Anyone => (None, None),
            };
            json!({
                "id": perm.id, "type": perm.grantee.kind(), "role": perm.role.word(), "emailAddress": email,
                "domain": domain, "expirationTime": perm.expires.map(clock::format),
            })
        })
        .collect();
    let parents: Vec<&str> = f.parent.as_deref().into_iter().collect();
    Ok(json!({
        "id": f.id,
        "name": f.name,
        "mimeType": f.mime,
        "parents": parents,
        "trashed": in_trash(db, f)?,
        "explicitlyTrashed": f.trashed,
        "owner": f.owner,
        "driveId": f.drive,
        "description": f.description,
        "createdTime": clock::format(f.created),
        "modifiedTime": clock::format(f.modified),
        "version": f.version,
        "size": f.size,
        "md5Checksum": f.md5,
        "headRevisionId": f.head,
        "shortcutTarget": f.target,
        "appProperties": private,
        "properties": public,
        "permissions": grants,
        "isRoot": f.is_root(),
    }))
}

fn in_trash(db: &Connection, f: &FileRow) -> ApiResult<bool> {
    let mut at = Some(f.clone());
    while let Some(node) = at {
        if node.trashed {
            return Ok(true);
        }
        at = match node.parent {
            Some(parent) => files::get(db, &parent)?,
            None => None,
        };
    }
    Ok(false)
}
