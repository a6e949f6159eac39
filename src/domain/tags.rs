//! tecnico's mark on every folder it makes, by which a tree is found without the ledger.

use std::collections::BTreeMap;

use super::folder::Role;
use super::technician::UserId;

/// What every key of the mark begins with.
pub const PREFIX: &str = "tecnico_";
/// Whose folder it is. Private to tecnico's Google project (drive-v3-behaviour 1.48).
pub const USER: &str = "tecnico_user";
/// Which part of the tree it is: its path below the technician's folder, `.` for that folder itself.
const PATH: &str = "tecnico_path";
/// The part in a word: `novos`, `processados` …
const ROLE: &str = "tecnico_role";

/// The parent folder its tree is to lie in: whose it is, where several installations share an account.
const PARENT: &str = "tecnico_parent";

/// When a removed technician's tree was put into the archive; on their own folder only.
pub const REMOVED: &str = "tecnico_removed";

/// What only archive folders carry: key and value.
pub const ARCHIVE: (&str, &str) = (ROLE, "arquivo");

/// The mark of the archive folder.
pub fn of_archive() -> BTreeMap<String, String> {
    BTreeMap::from([(ARCHIVE.0.to_owned(), ARCHIVE.1.to_owned())])
}
/// What only the technicians' own folders carry: key and value.
pub const ROOT: (&str, &str) = (PATH, ".");

/// The mark of one folder. Each key and value stays under 124 bytes together (drive-v3-behaviour 1.49).
pub fn of(user: &UserId, path: &str, role: Role, parent: &str) -> BTreeMap<String, String> {
    let path = if path.is_empty() { "." } else { path };
    [(USER, user.as_str()), (PATH, path), (ROLE, role.as_str()), (PARENT, parent)].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

/// Whose a marked folder is.
pub fn user(tags: &BTreeMap<String, String>) -> Option<&str> {
    tags.get(USER).map(String::as_str)
}

/// Whether it is the mark of an archive.
pub fn is_archive(tags: &BTreeMap<String, String>) -> bool {
    tags.get(ARCHIVE.0).map(String::as_str) == Some(ARCHIVE.1)
}

/// The parent folder a mark names.
pub fn parent(tags: &BTreeMap<String, String>) -> Option<&str> {
    tags.get(PARENT).map(String::as_str)
}

/// The path a mark names.
pub fn path(tags: &BTreeMap<String, String>) -> Option<&str> {
    tags.get(PATH).map(|p| if p == "." { "" } else { p.as_str() })
}

/// The part a mark names.
pub fn role(tags: &BTreeMap<String, String>) -> Option<Role> {
    tags.get(ROLE).and_then(|role| Role::parse(role))
}
