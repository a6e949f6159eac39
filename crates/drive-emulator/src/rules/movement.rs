//! Moving: `addParents` and `removeParents`, within and across drives (2.17 to 2.25).

use crate::error::{ApiError, ApiResult};
use crate::rules::cx::Cx;
use crate::rules::update::Update;
use crate::store::files::{self, FileRow};
use crate::store::perms::{self, Role};

impl Cx<'_> {
    /// Moves `f` as asked; whether its parent is another one now.
    pub(crate) fn relocate(&self, f: &mut FileRow, how: &Update) -> ApiResult<bool> {
        if how.add.len() > 1 {
            return Err(if f.drive.is_some() { ApiError::shared_drive_parent_limit() } else { ApiError::cannot_add_parent() });
        }
        let removed: Vec<String> = how.remove.iter().map(|id| self.resolve(id)).collect::<ApiResult<_>>()?;
        let leaves = f.parent.as_ref().is_some_and(|parent| removed.contains(parent));
        let target = match how.add.first() {
            Some(id) => self.writable_folder(id, how.all_drives)?,
            None if !leaves => return Ok(false),
            None if f.drive.is_some() => return Err(ApiError::shared_drive_parent_limit()),
            None => self.owners_root(f)?,
        };
        if f.parent.as_deref() == Some(&target.id) {
            // A repeated move, such as the retry of one whose answer was lost.
            return Ok(false);
        }
        self.may_leave(f, leaves || how.single_parent)?;
        self.no_cycle(f, &target)?;
        self.room_below(&target, f.is_folder())?;
        if f.drive == target.drive {
            self.may_move_within(f)?;
        } else {
            self.change_drive(f, &target)?;
        }
        if let Some(old) = &f.parent {
            self.event(old, "update", &["children"]);
        }
        self.event(&target.id, "update", &["children"]);
        f.parent = Some(target.id);
        Ok(true)
    }

    /// A parent the caller cannot see cannot be left, and a second one cannot be added (2.17, 2.18).
    fn may_leave(&self, f: &FileRow, leaves: bool) -> ApiResult<()> {
        if f.parent.is_none() {
            return Ok(());
        }
        let role = self.parent_role(f)?;
        if !leaves || role.is_none() {
            return Err(ApiError::cannot_add_parent());
        }
        if role < Some(Role::Writer) && self.standing(f)?.role != Some(Role::Owner) {
            return Err(ApiError::insufficient_file_permissions());
        }
        Ok(())
    }

    fn may_move_within(&self, f: &FileRow) -> ApiResult<()> {
        let allowed = if f.drive.is_some() {
            self.parent_role(f)? >= Some(Role::FileOrganizer)
        } else {
            self.standing(f)?.role >= Some(Role::Writer)
        };
        if allowed { Ok(()) } else { Err(ApiError::insufficient_file_permissions()) }
    }

    /// Into, out of, or between shared drives (2.22 to 2.24).
    fn change_drive(&self, f: &mut FileRow, target: &FileRow) -> ApiResult<()> {
        if let Some(owner) = &f.owner
            && target.drive.is_some()
        {
            if f.is_folder() {
                return Err(ApiError::folder_move_into_shared_drive());
            }
            if self.standing(f)?.trashed {
                return Err(ApiError::forbidden(
                    "cannotMoveTrashedItemIntoTeamDrive",
                    "A trashed item cannot be moved into a shared drive.",
                ));
            }
            let member = self.effective(target)?.iter().any(|grant| grant.perm.grantee == perms::Grantee::User(owner.clone()));
            if !member {
                return Err(ApiError::forbidden(
                    "fileOwnerNotMemberOfTeamDrive",
                    "The owner of the file is not a member of the shared drive.",
                ));
            }
        } else if self.parent_role(f)? < Some(Role::Organizer) {
            return Err(ApiError::insufficient_file_permissions());
        } else if self.standing(f)?.trashed {
            return Err(ApiError::forbidden(
                "cannotMoveTrashedItemOutOfTeamDrive",
                "A trashed item cannot be moved out of a shared drive.",
            ));
        }
        let mut moved = vec![f.clone()];
        moved.extend(self.descendants(f)?);
        let owner = target.drive.is_none().then(|| self.who.email.clone());
        for item in &mut moved {
            if let Some(old) = item.owner.take() {
                perms::remove(self.db, &item.id, &perms::Grantee::User(old).permission_id(false))?;
            }
            if let Some(owner) = &owner {
                self.grant_owner(&item.id, owner)?;
            }
            item.owner.clone_from(&owner);
            item.drive.clone_from(&target.drive);
            if item.id == f.id {
                f.owner.clone_from(&item.owner);
                f.drive.clone_from(&item.drive);
            } else {
                files::save(self.db, item)?;
            }
        }
        Ok(())
    }

    fn no_cycle(&self, f: &FileRow, target: &FileRow) -> ApiResult<()> {
        let mut at = f.is_folder().then(|| target.clone());
        while let Some(node) = at {
            if node.id == f.id {
                return Err(ApiError::bad_request("A folder cannot be moved into itself or one of its descendants."));
            }
            at = match node.parent {
                Some(parent) => files::get(self.db, &parent)?,
                None => None,
            };
        }
        Ok(())
    }

    /// Where an item lands whose only parent is taken away (2.61).
    pub(crate) fn owners_root(&self, f: &FileRow) -> ApiResult<FileRow> {
        let owner = match &f.owner {
            Some(owner) => self.person(owner)?,
            None => None,
        };
        let root = owner.map(|owner| owner.root_id).unwrap_or_default();
        files::get(self.db, &root)?.ok_or_else(ApiError::cannot_add_parent)
    }
}
