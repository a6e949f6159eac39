//! Which scopes allow which call (6.6).

use crate::error::{ApiError, ApiResult};
use crate::store::accounts::Principal;

/// Refuses a token none of whose scopes allow the call. Scopes that allow reads but see no folders, such
/// as `drive.meet.readonly`, pass here and find nothing.
pub fn check(op: &str, who: &Principal) -> ApiResult<()> {
    let allowed: &[&str] = match op {
        "about.get"
        | "files.get"
        | "files.list"
        | "changes.getStartPageToken"
        | "changes.list"
        | "changes.watch"
        | "files.watch"
        | "channels.stop"
        | "permissions.get"
        | "permissions.list" => &[
            "drive",
            "drive.readonly",
            "drive.metadata",
            "drive.metadata.readonly",
            "drive.file",
            "drive.appdata",
            "drive.meet.readonly",
            "drive.photos.readonly",
        ],
        "revisions.get" | "revisions.list" | "files.export" => {
            &["drive", "drive.readonly", "drive.metadata", "drive.metadata.readonly", "drive.file", "drive.meet.readonly"]
        }
        "drives.get" | "drives.list" => &["drive", "drive.readonly"],
        "drives.create" | "drives.update" | "drives.delete" | "drives.hide" | "drives.unhide" => &["drive"],
        "files.copy" => &["drive", "drive.file", "drive.appdata", "drive.photos.readonly"],
        "files.update" => &["drive", "drive.file", "drive.appdata", "drive.metadata"],
        _ => &["drive", "drive.file", "drive.appdata"],
    };
    let has =
        who.scopes.iter().any(|scope| scope.strip_prefix("https://www.googleapis.com/auth/").is_some_and(|name| allowed.contains(&name)));
    if has { Ok(()) } else { Err(ApiError::insufficient_scope(op)) }
}
