//! A shared drive, and what the caller may do with it.

use serde_json::{Value, json};

use crate::clock;
use crate::error::ApiResult;
use crate::rules::cx::Cx;
use crate::rules::drives::DriveRow;
use crate::store::perms::Role;

/// A Drive.
pub fn drive(cx: &Cx<'_>, drive: &DriveRow) -> ApiResult<Value> {
    let role = cx.standing(&drive.root)?.role;
    let organizer = role >= Some(Role::Organizer);
    let writer = role >= Some(Role::Writer);
    let mut restrictions = json!({
        "adminManagedRestrictions": false,
        "copyRequiresWriterPermission": false,
        "domainUsersOnly": false,
        "driveMembersOnly": false,
        "sharingFoldersRequiresOrganizerPermission": true,
    });
    for (name, value) in &drive.restrictions {
        restrictions[name] = value.clone();
    }
    Ok(json!({
        "kind": "drive#drive",
        "id": drive.id,
        "name": drive.root.name,
        "colorRgb": drive.color.as_deref().unwrap_or("#8f8f8f"),
        "createdTime": clock::format(drive.created),
        "hidden": drive.hidden,
        "restrictions": restrictions,
        "capabilities": {
            "canAddChildren": writer,
            "canComment": role >= Some(Role::Commenter),
            "canCopy": true,
            "canDeleteChildren": organizer,
            "canDeleteDrive": organizer,
            "canDownload": true,
            "canEdit": writer,
            "canListChildren": true,
            "canManageMembers": organizer,
            "canReadRevisions": writer,
            "canRename": writer,
            "canRenameDrive": organizer,
            "canShare": writer,
            "canTrashChildren": role >= Some(Role::FileOrganizer),
        },
    }))
}
