//! Making files: `files.create`, and content with its revisions.

mod mime;

use rusqlite::params;
use serde_json::Value;

use crate::error::{ApiError, ApiResult};
use crate::ids::{self, IdKind};
use crate::rules::cx::Cx;
use crate::rules::meta::{self, Meta};
use crate::store::accounts::FOLDER;
use crate::store::blobs::{self, Staged};
use crate::store::files::{self, FileRow, SHORTCUT};
use crate::store::perms::{self, Grantee, PermRow, Role};

/// Revisions kept beyond those marked to be kept for ever (2.28).
const KEPT_REVISIONS: i64 = 100;

/// What comes with a create or an update besides metadata.
#[derive(Debug, Default)]
pub struct Content {
    /// The bytes.
    pub staged: Staged,
    /// Their declared type: the media part's, or `X-Upload-Content-Type`.
    pub mime: Option<String>,
    /// `keepRevisionForever`.
    pub keep: bool,
}

impl Cx<'_> {
    /// `files.create`: the new file, logged.
    pub fn create(&self, meta: &Meta, content: Option<Content>, all_drives: bool) -> ApiResult<FileRow> {
        meta::check_writable(meta, true)?;
        let mime = mime::of_new(meta, content.as_ref())?;
        let parent = self.new_parent(meta, all_drives)?;
        self.room_below(&parent, mime == FOLDER)?;
        if self.who.service
            && parent.drive.is_none()
            && mime != FOLDER
            && mime != SHORTCUT
            && !self.settings.switches.service_accounts_own_files
        {
            return Err(ApiError::service_account_storage());
        }
        let id = self.id_of_new(meta, &mime, &parent.space)?;
        let mut f = FileRow {
            id,
            name: "Untitled".to_owned(),
            mime,
            parent: Some(parent.id.clone()),
            drive: parent.drive.clone(),
            owner: parent.drive.is_none().then(|| self.who.email.clone()),
            app: self.who.app.clone(),
            space: parent.space.clone(),
            created: meta::time(meta, "createdTime")?.unwrap_or(self.now),
            modified: self.now,
            version: 1,
            last_user: Some(self.who.email.clone()),
            writers_share: true,
            ..FileRow::default()
        };
        if f.is_shortcut() {
            self.aim_shortcut(&mut f, meta)?;
        }
        files::insert(self.db, &f)?;
        if let Some(owner) = f.owner.clone() {
            self.grant_owner(&f.id, &owner)?;
        }
        self.apply_meta(&mut f, meta)?;
        if meta::time(meta, "modifiedTime")?.is_none() {
            f.modified = self.now;
        }
        let own = files::personal(self.db, &self.who.email, &f.id)?.unwrap_or_default();
        files::save_personal(
            self.db,
            &self.who.email,
            &f.id,
            files::Personal { modified: Some(f.modified), viewed: own.viewed.or(Some(self.now)), ..own },
        )?;
        self.first_content(&mut f, content)?;
        files::save(self.db, &f)?;
        self.log_new(&f)?;
        self.event(&f.id, "add", &[]);
        self.event(&parent.id, "update", &["children"]);
        files::get(self.db, &f.id)?.ok_or_else(|| ApiError::internal("a new file is not there"))
    }

    fn first_content(&self, f: &mut FileRow, content: Option<Content>) -> ApiResult<()> {
        if f.is_folder() || f.is_shortcut() {
            // The Rust crate sends folders with an empty media part (1.23).
            return match content {
                Some(content) if content.staged.size > 0 => Err(ApiError::bad_request("Folders and shortcuts have no content.")),
                _ => Ok(()),
            };
        }
        let content = match content {
            Some(content) => content,
            None => Content { staged: blobs::stage_bytes(self.dir, b"")?, ..Content::default() },
        };
        self.set_content(f, content)
    }

    /// Gives a file new bytes: a revision, checksums, the owner's quota (2.28).
    pub(crate) fn set_content(&self, f: &mut FileRow, mut content: Content) -> ApiResult<()> {
        let staged = &mut content.staged;
        if let Some(owner) = &f.owner {
            let limit = self.person(owner)?.filter(|owner| !owner.service).and_then(|owner| owner.storage_limit);
            let used = files::tally(self.db, &format!("b:{owner}"))?;
            if limit.is_some_and(|limit| used - f.size.unwrap_or(0) + staged.size > limit) {
                return Err(ApiError::storage_quota());
            }
        }
        let revision = ids::random("0B", 38);
        let (size, md5, sha1, sha256) = (staged.size, staged.md5.clone(), staged.sha1.clone(), staged.sha256.clone());
        f.blob = blobs::keep(self.dir, staged, &revision)?;
        if f.is_editors() {
            // Docs show a token size and no checksums (2.7).
            f.size = Some(1);
        } else {
            f.size = Some(size);
            f.md5 = Some(md5);
            f.sha1 = Some(sha1).filter(|sum| !sum.is_empty());
            f.sha256 = Some(sha256).filter(|sum| !sum.is_empty());
            f.head = Some(revision.clone());
            if f.original_name.is_none() {
                f.original_name = Some(f.name.clone());
            }
        }
        f.last_user = Some(self.who.email.clone());
        self.add_revision(f, &revision, content.keep)
    }

    pub(crate) fn add_revision(&self, f: &FileRow, revision: &str, keep: bool) -> ApiResult<()> {
        self.db
            .prepare_cached(
                "INSERT INTO revisions(file, id, mime, modified, user, size, md5, sha1, sha256, blob, name, keep) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                f.id,
                revision,
                f.mime,
                f.modified,
                f.last_user,
                f.size,
                f.md5,
                f.sha1,
                f.sha256,
                f.blob,
                f.original_name,
                keep
            ])?;
        let mut old =
            self.db.prepare_cached("SELECT seq, blob FROM revisions WHERE file = ?1 AND keep = 0 ORDER BY seq DESC LIMIT -1 OFFSET ?2")?;
        let rows = old.query_map(params![f.id, KEPT_REVISIONS], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows.collect::<Result<Vec<(i64, Option<String>)>, _>>()? {
            self.db.execute("DELETE FROM revisions WHERE seq = ?1", [row.0])?;
            self.after.borrow_mut().blobs.extend(row.1);
        }
        Ok(())
    }

    pub(crate) fn grant_owner(&self, file: &str, owner: &str) -> ApiResult<()> {
        let grantee = Grantee::User(owner.to_owned());
        perms::put(
            self.db,
            &PermRow {
                file: file.to_owned(),
                id: grantee.permission_id(false),
                grantee,
                role: Role::Owner,
                discoverable: false,
                expires: None,
                pending_owner: false,
                granted: self.now,
                granted_by: None,
            },
        )
    }

    /// The folder a new file goes into: the one named, or the caller's root (1.3 to 1.6).
    pub(crate) fn new_parent(&self, meta: &Meta, all_drives: bool) -> ApiResult<FileRow> {
        let parents = match meta.get("parents") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(ids)) => {
                let id = |id: &'_ Value| id.as_str().map(str::to_owned).ok_or_else(|| meta::wrong_type("parents", "TYPE_STRING", id));
                ids.iter().map(id).collect::<ApiResult<Vec<String>>>()?
            }
            Some(_) => return Err(ApiError::invalid_value("parents")),
        };
        match parents.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => self.stored("root")?.ok_or_else(|| ApiError::internal("a user has no root")),
            ["appDataFolder"] => self.app_data_folder(),
            [id] => self.writable_folder(id, all_drives),
            [first, ..] => {
                let (first, _) = self.visible(first, all_drives)?;
                let reason = &self.settings.switches.many_parents_reason;
                Err(match first.drive {
                    Some(_) => ApiError::shared_drive_parent_limit(),
                    None if reason == "cannotAddParent" => ApiError::cannot_add_parent(),
                    None => ApiError::forbidden(reason, "A file must have exactly one parent."),
                })
            }
        }
    }

    /// A folder the caller may put things into.
    pub(crate) fn writable_folder(&self, id: &str, all_drives: bool) -> ApiResult<FileRow> {
        let missing = || ApiError::not_found_file(id);
        let parent = self.stored(id)?.ok_or_else(missing)?;
        let standing = self.standing(&parent)?;
        if standing.role.is_none() || (parent.drive.is_some() && !all_drives) {
            return Err(missing());
        }
        if !parent.is_folder() {
            return Err(ApiError::parent_not_a_folder());
        }
        // drive.file may use the root, but no folder a person made (1.5).
        let in_scope = self.in_scope(&parent) || parent.is_root();
        if standing.role < Some(Role::Writer) || standing.glimpse || !in_scope {
            return Err(ApiError::insufficient_parent_permissions());
        }
        Ok(parent)
    }

    fn app_data_folder(&self) -> ApiResult<FileRow> {
        let id = self.app_data_id();
        if let Some(folder) = files::get(self.db, &id)? {
            return Ok(folder);
        }
        let folder = FileRow {
            id: id.clone(),
            name: "appDataFolder".to_owned(),
            mime: FOLDER.to_owned(),
            owner: Some(self.who.email.clone()),
            app: self.who.app.clone(),
            space: "appDataFolder".to_owned(),
            created: self.now,
            modified: self.now,
            version: 1,
            ..FileRow::default()
        };
        files::insert(self.db, &folder)?;
        self.grant_owner(&id, &self.who.email)?;
        Ok(folder)
    }

    /// Refuses a folder that is full or too deep (6.29).
    pub(crate) fn room_below(&self, parent: &FileRow, for_folder: bool) -> ApiResult<()> {
        let switches = &self.settings.switches;
        let children = files::tally(self.db, &format!("c:{}", parent.id))?;
        if !parent.is_root() && children >= switches.max_children {
            return Err(ApiError::forbidden(
                "numChildrenInNonRootLimitExceeded",
                "The limit for this folder's number of children (files and folders) has been exceeded.",
            ));
        }
        if for_folder && self.standing(parent)?.depth >= switches.max_depth {
            let reason = if parent.drive.is_some() { "teamDriveHierarchyTooDeep" } else { "myDriveHierarchyDepthLimitExceeded" };
            return Err(ApiError::forbidden(reason, "The folder hierarchy is too deep."));
        }
        Ok(())
    }

    fn id_of_new(&self, meta: &Meta, mime: &str, space: &str) -> ApiResult<String> {
        let kind = match (mime, space) {
            (SHORTCUT, _) => IdKind::Shortcuts,
            (_, "appDataFolder") => IdKind::AppData,
            _ => IdKind::Files,
        };
        let Some(id) = meta::text(meta, "id")? else {
            return Ok(self.new_id(kind));
        };
        if files::is_editors_mime(mime) {
            return Err(ApiError::generated_id_for_editors_file());
        }
        if files::get(self.db, id)?.is_some() || (!self.settings.switches.purged_id_is_free && self.knew(id)?) {
            let reason = &self.settings.switches.duplicate_id_reason;
            return Err(if reason == "fileIdInUse" {
                ApiError::file_id_in_use()
            } else {
                ApiError::new(409, reason, "A file already exists with the provided ID.")
            });
        }
        if !ids::was_generated(&self.settings.id_secret, kind, id) {
            return Err(ApiError::id_not_usable());
        }
        Ok(id.to_owned())
    }

    /// Whether the caller's log tells of a file by this id that is gone.
    fn knew(&self, id: &str) -> ApiResult<bool> {
        let sql = "SELECT count(*) FROM changes WHERE log = ?1 AND kind = 'file' AND item = ?2";
        let log = format!("u:{}", self.who.email);
        Ok(self.db.prepare_cached(sql)?.query_row([log.as_str(), id], |row| row.get::<_, i64>(0))? > 0)
    }

    fn aim_shortcut(&self, f: &mut FileRow, meta: &Meta) -> ApiResult<()> {
        let invalid = || ApiError::forbidden("shortcutTargetInvalid", "The shortcut target is invalid.");
        let details = meta.get("shortcutDetails").and_then(Value::as_object).ok_or_else(invalid)?;
        let id = meta::text(details, "targetId")?.ok_or_else(invalid)?;
        let (target, _) = self.visible(id, true).map_err(|_| invalid())?;
        if target.is_shortcut() {
            return Err(invalid());
        }
        f.target_mime = Some(target.mime);
        f.target = Some(target.id);
        Ok(())
    }
}
