//! Changing files: `files.update`, with metadata, content, moves and trash.

use crate::error::{ApiError, ApiResult};
use crate::rules::create::Content;
use crate::rules::cx::Cx;
use crate::rules::meta::{self, Meta};
use crate::store::files::{self, FileRow};
use crate::store::perms::Role;

/// The parameters of an update besides its body.
#[derive(Debug, Default)]
pub struct Update {
    /// `addParents`.
    pub add: Vec<String>,
    /// `removeParents`.
    pub remove: Vec<String>,
    /// `supportsAllDrives`.
    pub all_drives: bool,
    /// `enforceSingleParent`: a new parent takes the old one's place (2.17).
    pub single_parent: bool,
}

impl Cx<'_> {
    /// `files.update`: the file as it is afterwards, logged.
    pub fn update(&self, id: &str, meta: &Meta, content: Option<Content>, how: &Update) -> ApiResult<FileRow> {
        let (mut f, standing) = self.visible(id, how.all_drives)?;
        meta::check_writable(meta, false)?;
        let moving = !how.add.is_empty() || !how.remove.is_empty();
        let trash = meta::boolean(meta, "trashed")?;
        let edits = content.is_some() || meta.keys().any(|key| key != "trashed" && !meta::is_personal(key));
        if f.is_root() && (moving || trash.is_some() || meta.contains_key("name")) {
            return Err(ApiError::forbidden("fileNeverWritable", "The name, parents and trash state of a root folder cannot be changed."));
        }
        if edits && (standing.role < Some(Role::Writer) || standing.glimpse) {
            return Err(ApiError::insufficient_file_permissions());
        }
        if let Some(wanted) = meta::text(meta, "mimeType")?
            && wanted != f.mime
            && content.is_none()
        {
            return Err(ApiError::field_not_writable());
        }
        let before = self.before(&f, moving || trash.is_some() || meta.contains_key("inheritedPermissionsDisabled"))?;
        let mut changed = self.apply_meta(&mut f, meta)?;
        if let Some(content) = content {
            self.replace_content(&mut f, meta, content)?;
            changed.push("content");
        }
        let mut state = "update";
        if let Some(trashed) = trash {
            state = self.set_trashed(&mut f, trashed)?;
        }
        if moving && self.relocate(&mut f, how)? {
            changed.push("parents");
        }
        if edits {
            f.last_user = Some(self.who.email.clone());
        }
        f.version += 1;
        files::save(self.db, &f)?;
        self.log(&before)?;
        self.event(&f.id, state, &changed);
        Ok(f)
    }

    fn replace_content(&self, f: &mut FileRow, meta: &Meta, content: Content) -> ApiResult<()> {
        if f.is_folder() || f.is_shortcut() {
            return Err(ApiError::bad_request("Folders and shortcuts have no content."));
        }
        let said = meta::text(meta, "mimeType")?.or(content.mime.as_deref());
        if let Some(mime) = said.filter(|mime| !mime.is_empty() && !f.is_editors()) {
            mime.clone_into(&mut f.mime);
        }
        f.modified = meta::time(meta, "modifiedTime")?.unwrap_or(self.now);
        let own = files::personal(self.db, &self.who.email, &f.id)?.unwrap_or_default();
        let own = files::Personal { modified: Some(f.modified), ..own };
        files::save_personal(self.db, &self.who.email, &f.id, own)?;
        self.set_content(f, content)
    }

    /// Trash and untrash (2.55): the owner's right in My Drive, a file organizer's in shared drives.
    fn set_trashed(&self, f: &mut FileRow, trashed: bool) -> ApiResult<&'static str> {
        if !self.may_trash(f)? {
            return Err(ApiError::insufficient_file_permissions());
        }
        f.trashed = trashed;
        f.trashed_at = trashed.then_some(self.now);
        f.trashed_by = trashed.then(|| self.who.email.clone());
        Ok(if trashed { "trash" } else { "untrash" })
    }

    /// `capabilities.canTrash`.
    pub(crate) fn may_trash(&self, f: &FileRow) -> ApiResult<bool> {
        let needed = if f.drive.is_some() { Role::FileOrganizer } else { Role::Owner };
        Ok(!f.is_root() && self.standing(f)?.role >= Some(needed))
    }
}
