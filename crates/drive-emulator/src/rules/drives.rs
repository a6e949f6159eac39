//! Shared drives.

use rusqlite::{OptionalExtension as _, params};
use serde_json::{Map, Value};

use crate::error::{ApiError, ApiResult};
use crate::ids;
use crate::rules::cx::Cx;
use crate::rules::meta::{self, Meta};
use crate::store::accounts::FOLDER;
use crate::store::files::{self, FileRow};
use crate::store::perms::{self, Grantee, PermRow, Role};

/// A shared drive as the store keeps it; its name is its root folder's.
#[derive(Debug, Clone)]
pub struct DriveRow {
    /// The id, also its root folder's.
    pub id: String,
    /// createdTime, ms.
    pub created: i64,
    /// colorRgb.
    pub color: Option<String>,
    /// The `restrictions` object.
    pub restrictions: Map<String, Value>,
    /// Hidden by the caller.
    pub hidden: bool,
    /// The root folder.
    pub root: FileRow,
}

impl Cx<'_> {
    /// `drives.create`: the caller is its organizer. A used `request` id is 409 (6.14).
    pub fn create_drive(&self, request: &str, body: &Meta) -> ApiResult<DriveRow> {
        let name = meta::text(body, "name")?
            .filter(|name| !name.is_empty())
            .ok_or_else(|| ApiError::new(400, "required", "The shared drive name is required.").at_parameter("drive.name"))?;
        let known: Option<String> = self
            .db
            .query_row("SELECT id FROM drives WHERE creator = ?1 AND request = ?2", [&self.who.email, request], |row| row.get(0))
            .optional()?;
        if known.is_some() {
            return Err(ApiError::shared_drive_exists());
        }
        let id = ids::random("0A", 12) + "Uk9PVA";
        self.db.execute(
            "INSERT INTO drives(id, request, creator, created) VALUES (?1, ?2, ?3, ?4)",
            params![id, request, self.who.email, self.now],
        )?;
        files::insert(
            self.db,
            &FileRow {
                id: id.clone(),
                name: name.to_owned(),
                mime: FOLDER.to_owned(),
                drive: Some(id.clone()),
                app: self.who.app.clone(),
                space: "drive".to_owned(),
                created: self.now,
                modified: self.now,
                version: 1,
                last_user: Some(self.who.email.clone()),
                writers_share: true,
                ..FileRow::default()
            },
        )?;
        self.add_member(&id, &self.who.email, Role::Organizer)?;
        self.drive(&id)
    }

    /// Puts a person on a shared drive without asking who may.
    pub fn add_member(&self, drive: &str, email: &str, role: Role) -> ApiResult<()> {
        let grantee = Grantee::User(email.to_lowercase());
        perms::put(
            self.db,
            &PermRow {
                file: drive.to_owned(),
                id: grantee.permission_id(false),
                grantee,
                role,
                discoverable: false,
                expires: None,
                pending_owner: false,
                granted: self.now,
                granted_by: Some(self.who.email.clone()),
            },
        )?;
        self.changed();
        self.append(&format!("u:{}", email.to_lowercase()), "drive", drive, false)?;
        self.append(&format!("d:{drive}"), "drive", drive, false)
    }

    /// A shared drive the caller is on, or 404.
    pub fn drive(&self, id: &str) -> ApiResult<DriveRow> {
        let missing = || ApiError::not_found_drive(id);
        let root = files::get(self.db, id)?.ok_or_else(missing)?;
        if root.drive.as_deref() != Some(id) || self.standing(&root)?.role.is_none() {
            return Err(missing());
        }
        let hidden: i64 =
            self.db
                .query_row("SELECT count(*) FROM hidden_drives WHERE email = ?1 AND drive = ?2", [&self.who.email, id], |row| row.get(0))?;
        self.db
            .prepare_cached("SELECT created, color, restrictions FROM drives WHERE id = ?1")?
            .query_row([id], |row| {
                let restrictions: String = row.get(2)?;
                Ok(DriveRow {
                    id: id.to_owned(),
                    created: row.get(0)?,
                    color: row.get(1)?,
                    restrictions: serde_json::from_str(&restrictions).unwrap_or_default(),
                    hidden: hidden > 0,
                    root: root.clone(),
                })
            })
            .optional()?
            .ok_or_else(missing)
    }

    /// The `restrictions` of a drive.
    pub fn restrictions(&self, id: &str) -> ApiResult<Map<String, Value>> {
        let text: Option<String> =
            self.db.prepare_cached("SELECT restrictions FROM drives WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    /// Ids of the drives the caller is on after `after`, in order.
    pub fn my_drives(&self, after: &str, limit: usize) -> ApiResult<Vec<DriveRow>> {
        let mut statement = self.db.prepare_cached("SELECT id FROM drives WHERE id > ?1 ORDER BY id")?;
        let mut found = Vec::new();
        for id in statement.query_map([after], |row| row.get::<_, String>(0))? {
            if let Ok(drive) = self.drive(&id?) {
                found.push(drive);
                if found.len() == limit {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// `drives.update`.
    pub fn update_drive(&self, id: &str, body: &Meta) -> ApiResult<DriveRow> {
        let drive = self.organized(id)?;
        let mut root = drive.root;
        if let Some(name) = meta::text(body, "name")? {
            name.clone_into(&mut root.name);
        }
        root.version += 1;
        files::save(self.db, &root)?;
        let color = meta::text(body, "colorRgb")?.map(str::to_owned).or(drive.color);
        let mut restrictions = drive.restrictions;
        if let Some(wanted) = body.get("restrictions").and_then(Value::as_object) {
            restrictions.extend(wanted.clone());
        }
        self.db.execute(
            "UPDATE drives SET color = ?2, restrictions = ?3 WHERE id = ?1",
            params![id, color, Value::Object(restrictions).to_string()],
        )?;
        self.append(&format!("d:{id}"), "drive", id, false)?;
        for perm in perms::on_file(self.db, id, self.now)? {
            if let Grantee::User(email) = perm.grantee {
                self.append(&format!("u:{email}"), "drive", id, false)?;
            }
        }
        self.drive(id)
    }

    /// `drives.delete`: only an empty one, unless the items are to go too.
    pub fn delete_drive(&self, id: &str, with_items: bool) -> ApiResult<()> {
        let drive = self.organized(id)?;
        let children = files::children(self.db, id, None)?;
        if !with_items && children.iter().any(|child| !child.trashed) {
            return Err(ApiError::forbidden("cannotDeleteNonEmptyTeamDrive", "A shared drive that is not empty cannot be deleted."));
        }
        let members = perms::on_file(self.db, id, self.now)?;
        self.purge(&drive.root)?;
        self.db.execute("DELETE FROM drives WHERE id = ?1", [id])?;
        for perm in members {
            if let Grantee::User(email) = perm.grantee {
                self.append(&format!("u:{email}"), "drive", id, true)?;
            }
        }
        Ok(())
    }

    /// `drives.hide` and `drives.unhide`.
    pub fn hide_drive(&self, id: &str, hide: bool) -> ApiResult<DriveRow> {
        self.drive(id)?;
        let sql = if hide {
            "INSERT OR REPLACE INTO hidden_drives VALUES (?1, ?2)"
        } else {
            "DELETE FROM hidden_drives WHERE email = ?1 AND drive = ?2"
        };
        self.db.execute(sql, [&self.who.email, id])?;
        self.drive(id)
    }

    fn organized(&self, id: &str) -> ApiResult<DriveRow> {
        let drive = self.drive(id)?;
        if self.standing(&drive.root)?.role < Some(Role::Organizer) {
            return Err(ApiError::insufficient_file_permissions());
        }
        Ok(drive)
    }
}
