//! Deleting for good: `files.delete` and `files.emptyTrash` (2.59 to 2.63).

use std::collections::HashSet;

use crate::error::{ApiError, ApiResult};
use crate::rules::cx::Cx;
use crate::store::files::{self, FileRow};
use crate::store::perms::Role;

impl Cx<'_> {
    /// `files.delete`.
    pub fn delete(&self, id: &str, all_drives: bool) -> ApiResult<()> {
        let (f, _) = self.visible(id, all_drives)?;
        if !self.may_delete(&f)? {
            return Err(ApiError::insufficient_file_permissions());
        }
        self.purge(&f)
    }

    /// `capabilities.canDelete`: the owner, or an organizer of a shared drive.
    pub(crate) fn may_delete(&self, f: &FileRow) -> ApiResult<bool> {
        if f.is_root() {
            return Ok(false);
        }
        Ok(if f.drive.is_some() { self.parent_role(f)? >= Some(Role::Organizer) } else { self.standing(f)?.role == Some(Role::Owner) })
    }

    /// Removes a file and what is below it; what others own goes to their own roots.
    pub(crate) fn purge(&self, f: &FileRow) -> ApiResult<()> {
        let mut doomed = vec![f.clone()];
        doomed.extend(self.descendants(f)?);
        let going: HashSet<String> = doomed.iter().filter(|item| item.owner == f.owner).map(|item| item.id.clone()).collect();
        for item in doomed.iter().rev() {
            let before = self.before(item, false)?;
            if item.owner == f.owner {
                let mut blobs = self.db.prepare_cached("SELECT blob FROM revisions WHERE file = ?1")?;
                let names = blobs.query_map([&item.id], |row| row.get::<_, Option<String>>(0))?;
                for name in names {
                    self.after.borrow_mut().blobs.extend(name?);
                }
                files::remove(self.db, &item.id)?;
                self.event(&item.id, "remove", &[]);
            } else if item.parent.as_ref().is_some_and(|parent| going.contains(parent)) {
                let mut item = item.clone();
                item.parent = Some(self.owners_root(&item)?.id);
                item.version += 1;
                files::save(self.db, &item)?;
            }
            self.log(&before)?;
        }
        if let Some(parent) = &f.parent {
            self.event(parent, "update", &["children"]);
        }
        Ok(())
    }

    /// `files.emptyTrash`: what the caller trashed of their own, or a shared drive's trash.
    pub fn empty_trash(&self, drive: Option<&str>) -> ApiResult<()> {
        let sql = match drive {
            Some(_) => format!("SELECT {} FROM files WHERE drive = ?1 AND trashed = 1", files::COLUMNS),
            None => format!("SELECT {} FROM files WHERE owner = ?1 AND trashed = 1", files::COLUMNS),
        };
        if let Some(drive) = drive {
            self.allowed(drive, true, Role::Organizer)?;
        }
        let mut statement = self.db.prepare_cached(&sql)?;
        let key = drive.unwrap_or(&self.who.email);
        let trashed: Vec<FileRow> = statement.query_map([key], files::from_row)?.collect::<Result<_, _>>()?;
        for f in trashed {
            // It may have gone with a folder above it.
            if files::get(self.db, &f.id)?.is_some() {
                self.purge(&f)?;
            }
        }
        Ok(())
    }
}
