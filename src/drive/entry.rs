//! What Drive says of a file and of a grant, in plain types: google-drive3's own do not leave `drive`.

use std::collections::BTreeMap;

use google_drive3::api;

use super::ids::FileId;
use crate::domain::clock::Millis;

/// The type of a folder.
pub const FOLDER: &str = "application/vnd.google-apps.folder";
/// The type of a shortcut.
pub const SHORTCUT: &str = "application/vnd.google-apps.shortcut";

/// The mask for an entry without its grants: what a change feed asks for, a thousand at a time.
macro_rules! lean {
    () => {
        "id,name,mimeType,parents,trashed,explicitlyTrashed,size,md5Checksum,headRevisionId,createdTime,modifiedTime,\
         appProperties,webViewLink,description,ownedByMe,owners(emailAddress),driveId,hasAugmentedPermissions,shortcutDetails(targetId,targetMimeType),\
         capabilities(canAddChildren,canDownload,canEdit,canListChildren,canMoveItemWithinDrive,canRemoveChildren,canShare,canTrash)"
    };
}
/// The mask for one grant.
macro_rules! grant {
    () => {
        "id,type,role,emailAddress,domain,deleted,permissionDetails(role,inherited)"
    };
}
pub(super) const FULL: &str = concat!(lean!(), ",permissions(", grant!(), ")");
pub(super) const LIST: &str = concat!("nextPageToken,incompleteSearch,files(", lean!(), ",permissions(", grant!(), "))");
pub(super) const FEED: &str = concat!("nextPageToken,newStartPageToken,changes(changeType,fileId,removed,time,file(", lean!(), "))");
pub(super) const GRANT: &str = grant!();
pub(super) const GRANTS: &str = concat!("nextPageToken,permissions(", grant!(), ")");

/// One file, folder or shortcut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, for ever.
    pub id: FileId,
    /// Its name: data from outside, any Unicode (1.43).
    pub name: String,
    /// Its type; folders, shortcuts and Google's documents have their own.
    pub mime_type: String,
    /// Where it lies; empty when the account cannot see where (3.26).
    pub parents: Vec<FileId>,
    /// In the trash, itself or through a folder above it.
    pub trashed: bool,
    /// In the trash by itself (2.56).
    pub explicitly_trashed: bool,
    /// Bytes; none for folders and shortcuts (2.7).
    pub size: Option<u64>,
    /// Checksum of the content, lower-case hex; only files with bytes of their own have one (2.6).
    pub md5: Option<String>,
    /// Names the version of the content (2.28).
    pub head_revision: Option<String>,
    /// When it was made.
    pub created_time: Option<Millis>,
    /// When it was last changed by somebody. Clients set it at will: never decide by it.
    pub modified_time: Option<Millis>,
    /// What tecnico wrote on it; other programs see nothing of it (1.48).
    pub app_properties: BTreeMap<String, String>,
    /// The address a person opens.
    pub web_view_link: Option<String>,
    /// The text shown beside it.
    pub description: Option<String>,
    /// Whether tecnico's account owns it.
    pub owned_by_me: bool,
    /// The owners' e-mails; none in a shared drive.
    pub owners: Vec<String>,
    /// The shared drive it lies in.
    pub drive_id: Option<FileId>,
    /// In a shared drive: whether there are grants on it beside those that come from above. Drive does not say elsewhere.
    pub has_own_grants: Option<bool>,
    /// What a shortcut points to.
    pub shortcut_target: Option<FileId>,
    /// Who may do what; `None` where Drive does not say here (1.57): ask `Drive::permissions`.
    pub permissions: Option<Vec<Grant>>,
    /// What tecnico's account may do with it.
    pub can: Can,
}

/// What the account may do with an entry, as Drive computed it (2.15).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Can {
    /// Put something into this folder.
    pub add_children: bool,
    /// Read its bytes.
    pub download: bool,
    /// Change it.
    pub edit: bool,
    /// List this folder.
    pub list_children: bool,
    /// Move it inside its drive.
    pub move_within: bool,
    /// Take something out of this folder.
    pub remove_children: bool,
    /// Share it.
    pub share: bool,
    /// Put it into the trash.
    pub trash: bool,
}

/// One line of who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Names the grantee on every file (3.2).
    pub id: String,
    /// `user`, `group`, `domain` or `anyone`.
    pub kind: String,
    /// `owner`, `organizer`, `fileOrganizer`, `writer`, `commenter` or `reader`: the highest there is.
    pub role: String,
    /// The grantee's address, for users and groups.
    pub email: Option<String>,
    /// The domain, for a grant to all of one.
    pub domain: Option<String>,
    /// It comes only from a folder above, so it cannot be taken away here (3.12).
    pub inherited: bool,
    /// The grantee's account is gone.
    pub deleted: bool,
}

impl Entry {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.mime_type == FOLDER
    }

    /// Whether it is a shortcut.
    pub fn is_shortcut(&self) -> bool {
        self.mime_type == SHORTCUT
    }

    /// Whether it is a document of Google's editors, which has no bytes and can only be exported (2.8).
    pub fn is_google_doc(&self) -> bool {
        self.mime_type.starts_with("application/vnd.google-apps.") && !self.is_folder() && !self.is_shortcut()
    }

    /// Takes the crate's shape apart. The error says which field an answer lacked or had wrong.
    pub(super) fn from_api(file: api::File) -> Result<Self, String> {
        let id = id("id", file.id)?;
        let is_in_shared_drive = file.drive_id.is_some();
        let parents = file.parents.unwrap_or_default().into_iter().map(|p| self::id("parents", Some(p))).collect::<Result<_, _>>();
        Ok(Self {
            name: file.name.ok_or_else(|| format!("file {id} came without a name"))?,
            mime_type: file.mime_type.ok_or_else(|| format!("file {id} came without a type"))?,
            parents: parents.map_err(|e| format!("file {id}: {e}"))?,
            trashed: file.trashed.unwrap_or(false),
            explicitly_trashed: file.explicitly_trashed.unwrap_or(false),
            size: file.size.and_then(|s| u64::try_from(s).ok()),
            md5: file.md5_checksum,
            head_revision: file.head_revision_id,
            created_time: file.created_time.map(|t| t.timestamp_millis()),
            modified_time: file.modified_time.map(|t| t.timestamp_millis()),
            app_properties: file.app_properties.unwrap_or_default().into_iter().collect(),
            web_view_link: file.web_view_link,
            description: file.description,
            owned_by_me: file.owned_by_me.unwrap_or(false),
            owners: file.owners.unwrap_or_default().into_iter().filter_map(|u| u.email_address).collect(),
            drive_id: file.drive_id.map(|d| self::id("driveId", Some(d))).transpose()?,
            has_own_grants: file.has_augmented_permissions.filter(|_| is_in_shared_drive),
            shortcut_target: file.shortcut_details.and_then(|s| s.target_id).map(|t| self::id("targetId", Some(t))).transpose()?,
            permissions: file.permissions.map(|list| list.into_iter().map(Grant::from_api).collect::<Result<_, _>>()).transpose()?,
            can: file.capabilities.as_ref().map(Can::from_api).unwrap_or_default(),
            id,
        })
    }
}

impl Can {
    fn from_api(c: &api::FileCapabilities) -> Self {
        let yes = |b: Option<bool>| b.unwrap_or(false);
        Self {
            add_children: yes(c.can_add_children),
            download: yes(c.can_download),
            edit: yes(c.can_edit),
            list_children: yes(c.can_list_children),
            move_within: yes(c.can_move_item_within_drive),
            remove_children: yes(c.can_remove_children),
            share: yes(c.can_share),
            trash: yes(c.can_trash),
        }
    }
}

impl Grant {
    /// Whom it is for, as a person would type it: an address, a domain, or `anyone`.
    pub fn who(&self) -> &str {
        self.email.as_deref().or(self.domain.as_deref()).unwrap_or(&self.kind)
    }

    /// Whether it is for `who`.
    pub fn is_for(&self, who: &str) -> bool {
        self.who().eq_ignore_ascii_case(who)
    }

    pub(super) fn from_api(p: api::Permission) -> Result<Self, String> {
        let details = p.permission_details.unwrap_or_default();
        Ok(Self {
            id: p.id.ok_or("a permission came without an id")?,
            kind: p.type_.ok_or("a permission came without a type")?,
            role: p.role.ok_or("a permission came without a role")?,
            email: p.email_address,
            domain: p.domain,
            // An inherited grant and a direct one of the same person are one entry with two details (3.13).
            inherited: !details.is_empty() && details.iter().all(|d| d.inherited == Some(true)),
            deleted: p.deleted.unwrap_or(false),
        })
    }
}

fn id(field: &str, text: Option<String>) -> Result<FileId, String> {
    FileId::new(text.ok_or_else(|| format!("`{field}` is missing"))?).map_err(|e| format!("`{field}`: {e}"))
}

#[cfg(test)]
impl Entry {
    /// One of which nothing is known but its name, which its id is like.
    pub(crate) fn bare(name: &str, mime_type: &str) -> Self {
        Self {
            id: FileId::new(name.replace(['/', '.'], "-")).expect("an id"),
            name: name.into(),
            mime_type: mime_type.into(),
            parents: Vec::new(),
            trashed: false,
            explicitly_trashed: false,
            size: None,
            md5: None,
            head_revision: None,
            created_time: None,
            modified_time: None,
            app_properties: BTreeMap::new(),
            web_view_link: None,
            description: None,
            owned_by_me: false,
            owners: Vec::new(),
            drive_id: None,
            has_own_grants: None,
            shortcut_target: None,
            permissions: None,
            can: Can::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: serde_json::Value) -> Result<Entry, String> {
        Entry::from_api(serde_json::from_value(json).expect("the crate reads it"))
    }

    #[test]
    fn a_file_is_taken_over_field_by_field() {
        let entry = parse(serde_json::json!({
            "id": "f1", "name": "16517189.pdf", "mimeType": "application/pdf", "parents": ["p1"], "trashed": false, "size": "12",
            "md5Checksum": "d41d8cd98f00b204e9800998ecf8427e", "headRevisionId": "r1", "createdTime": "2026-11-23T10:00:00.100Z",
            "appProperties": {"k": "v"}, "owners": [{"emailAddress": "ana@example.com"}], "ownedByMe": true,
            "capabilities": {"canDownload": true, "canMoveItemWithinDrive": true, "somethingNew": true},
            "permissions": [{"id": "7", "type": "user", "role": "writer", "emailAddress": "ana@example.com"}]
        }))
        .expect("a whole file");
        assert_eq!(entry.size, Some(12));
        assert_eq!(entry.created_time, Some(1_795_428_000_100));
        assert_eq!(entry.parents, [FileId::new("p1").expect("id")]);
        assert!(entry.can.download && entry.can.move_within && !entry.can.share);
        assert_eq!(entry.permissions.expect("grants")[0].email.as_deref(), Some("ana@example.com"));
    }

    #[test]
    fn an_answer_with_a_hostile_or_missing_id_is_refused_and_names_the_field() {
        assert!(parse(serde_json::json!({"name": "x", "mimeType": "y"})).expect_err("no id").contains("`id`"));
        let hostile = parse(serde_json::json!({"id": "f1", "name": "x", "mimeType": "y", "parents": ["../about"]}));
        assert!(hostile.expect_err("hostile parent").contains("f1"));
    }

    #[test]
    fn a_grant_is_inherited_only_when_no_part_of_it_is_direct() {
        let grant = |details: serde_json::Value| {
            let json = serde_json::json!({"id": "7", "type": "user", "role": "writer", "permissionDetails": details});
            Grant::from_api(serde_json::from_value(json).expect("the crate reads it")).expect("whole").inherited
        };
        assert!(grant(serde_json::json!([{"inherited": true, "role": "writer"}])));
        assert!(!grant(serde_json::json!([{"inherited": true, "role": "reader"}, {"inherited": false, "role": "writer"}])));
        assert!(!grant(serde_json::json!([])));
    }
}
