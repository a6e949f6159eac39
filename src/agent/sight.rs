//! From an entry of Drive to what the ledger keeps of it.

use std::time::Duration;

use crate::domain::clock::{self, Millis};
use crate::domain::item::{ItemKey, Sighted};
use crate::domain::technician::UserId;
use crate::drive::Entry;

/// How a version begins that is named by a time.
const BY_TIME: &str = "doc:";

/// Names the version of a file's content. Google's own formats have no revision here: the time of their last change
/// stands in, which moves with every edit.
pub(super) fn version(entry: &Entry) -> String {
    if entry.is_folder() {
        return "pasta".into();
    }
    if let Some(target) = &entry.shortcut_target {
        return format!("atalho:{target}");
    }
    if let (Some(revision), false) = (&entry.head_revision, entry.is_google_doc()) {
        return revision.clone();
    }
    if let Some(md5) = &entry.md5 {
        return format!("md5:{md5}");
    }
    format!("{BY_TIME}{}", entry.modified_time.unwrap_or_default())
}

/// Whether only the time of its last change names this version.
pub(super) fn is_known_by_time(key: &ItemKey) -> bool {
    key.version.starts_with(BY_TIME)
}

/// The sighting of `entry`, which lies in the folder `parent_id`, `below` the `novos` of `user`.
///
/// A file that was left alone for `settle` may be taken at once. Its times may be anybody's, so they only ever shorten
/// the wait, which is never longer than `settle`.
pub(super) fn sighted(entry: &Entry, user: &UserId, parent_id: &str, below: &str, settle: Duration, now: Millis) -> Sighted {
    let settle = clock::millis(settle);
    let changed = entry.modified_time.max(entry.created_time).unwrap_or(now);
    Sighted {
        user: user.clone(),
        key: ItemKey { file_id: entry.id.to_string(), version: version(entry) },
        name: entry.name.clone(),
        mime_type: entry.mime_type.clone(),
        size: entry.size,
        md5: entry.md5.clone(),
        parent_id: parent_id.to_owned(),
        below: below.to_owned(),
        not_before: changed.saturating_add(settle).clamp(now, now.saturating_add(settle)),
    }
}
