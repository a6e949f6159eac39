//! `capabilities`: what the caller may do with a file (2.15).

use serde_json::{Value, json};

use crate::error::ApiResult;
use crate::rules::cx::Cx;
use crate::store::files::FileRow;
use crate::store::perms::Role;

/// The capabilities of the caller on `f`.
pub fn of(cx: &Cx<'_>, f: &FileRow) -> ApiResult<Value> {
    let standing = cx.standing(f)?;
    let at_least = |role: Role| !standing.glimpse && standing.role >= Some(role);
    let writer = at_least(Role::Writer);
    let owner = standing.role == Some(Role::Owner);
    let folder = f.is_folder();
    let root = f.is_root();
    let shared_drive = f.drive.is_some();
    let parent = cx.parent_role(f)?;
    let mover = !root && if shared_drive { parent >= Some(Role::FileOrganizer) } else { writer && (owner || parent >= Some(Role::Writer)) };
    let out_of_drive = !root && if shared_drive { parent >= Some(Role::Organizer) } else { owner && !folder };
    let trash = cx.may_trash(f)?;
    let remove_children = folder && if shared_drive { at_least(Role::FileOrganizer) } else { writer };
    let download = at_least(Role::Reader) && !folder && (writer || !f.copy_protected);
    let mut all = json!({
        "canAcceptOwnership": false,
        "canAddChildren": folder && writer,
        "canAddMyDriveParent": false,
        "canChangeCopyRequiresWriterPermission": writer,
        "canChangeSecurityUpdateEnabled": false,
        "canChangeViewersCanCopyContent": writer,
        "canComment": at_least(Role::Commenter),
        "canCopy": !folder && download,
        "canDelete": cx.may_delete(f)?,
        "canDisableInheritedPermissions": folder && !f.limited && cx.may_share(f)?,
        "canDownload": download || folder,
        "canEdit": writer,
        "canEnableInheritedPermissions": folder && f.limited && cx.may_share(f)?,
        "canListChildren": folder && at_least(Role::Reader),
        "canModifyContent": writer && !folder,
        "canModifyContentRestriction": writer && !folder,
        "canModifyLabels": false,
        "canMoveChildrenWithinDrive": remove_children,
        "canMoveItemOutOfDrive": out_of_drive,
        "canMoveItemWithinDrive": mover,
        "canReadLabels": false,
        "canReadRevisions": writer && !folder,
        "canRemoveChildren": remove_children,
        "canRemoveMyDriveParent": !shared_drive && owner,
        "canRename": writer && !root,
        "canShare": cx.may_share(f)?,
        "canTrash": trash,
        "canUntrash": trash,
    });
    if shared_drive {
        let more = json!({
            "canAddFolderFromAnotherDrive": false,
            "canDeleteChildren": folder && at_least(Role::Organizer),
            "canMoveChildrenOutOfDrive": folder && at_least(Role::Organizer),
            "canReadDrive": true,
            "canTrashChildren": folder && at_least(Role::FileOrganizer),
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
    }
    Ok(all)
}
