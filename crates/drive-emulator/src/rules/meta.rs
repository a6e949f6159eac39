//! The metadata body of a create or an update: which fields may be written, and writing them.

use serde_json::{Map, Value};

use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::rules::cx::Cx;
use crate::store::files::{self, FileRow};

/// A request's metadata object.
pub type Meta = Map<String, Value>;

/// Fields of a File nobody writes: naming one is 403 `fieldNotWritable` (1.9). Names the resource does not
/// have are ignored, as `kind` is.
const OUTPUT_ONLY: &[&str] = &[
    "capabilities",
    "driveId",
    "explicitlyTrashed",
    "exportLinks",
    "fileExtension",
    "fullFileExtension",
    "hasAugmentedPermissions",
    "hasThumbnail",
    "headRevisionId",
    "iconLink",
    "imageMediaMetadata",
    "isAppAuthorized",
    "labelInfo",
    "lastModifyingUser",
    "linkShareMetadata",
    "md5Checksum",
    "modifiedByMe",
    "modifiedByMeTime",
    "ownedByMe",
    "owners",
    "permissionIds",
    "permissions",
    "quotaBytesUsed",
    "resourceKey",
    "sha1Checksum",
    "sha256Checksum",
    "shared",
    "sharedWithMeTime",
    "sharingUser",
    "size",
    "spaces",
    "teamDriveId",
    "thumbnailLink",
    "thumbnailVersion",
    "trashedTime",
    "trashingUser",
    "version",
    "videoMediaMetadata",
    "viewedByMe",
    "webContentLink",
    "webViewLink",
];

/// Fields that are the caller's own: a reader may write them and the file stays as it is (2.29).
const PERSONAL: &[&str] = &["starred", "viewedByMeTime", "kind", "id"];

/// Largest number of bytes of a custom property, key and value together (1.49).
const PROPERTY_BYTES: usize = 124;

/// Refuses fields that are not written directly.
pub fn check_writable(meta: &Meta, creating: bool) -> ApiResult<()> {
    if meta.keys().any(|key| OUTPUT_ONLY.contains(&key.as_str())) {
        return Err(ApiError::field_not_writable());
    }
    if !creating && meta.contains_key("parents") {
        return Err(ApiError::parents_not_writable());
    }
    let not_here = if creating { "trashed" } else { "createdTime" };
    if meta.get(not_here).is_some_and(|value| !value.is_null() && *value != Value::Bool(false)) {
        return Err(ApiError::field_not_writable());
    }
    Ok(())
}

/// Whether a field is the caller's own.
pub fn is_personal(key: &str) -> bool {
    PERSONAL.contains(&key)
}

/// A text field, if it is there and not null.
pub fn text<'m>(meta: &'m Meta, key: &str) -> ApiResult<Option<&'m str>> {
    match meta.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_type(key, "TYPE_STRING", other)),
    }
}

/// A boolean field, if it is there and not null.
pub fn boolean(meta: &Meta, key: &str) -> ApiResult<Option<bool>> {
    match meta.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => Err(wrong_type(key, "TYPE_BOOL", other)),
    }
}

/// A time field in ms, if it is there and not null.
pub fn time(meta: &Meta, key: &str) -> ApiResult<Option<i64>> {
    text(meta, key)?.map(|text| clock::parse(text).ok_or_else(|| ApiError::invalid_value(&format!("file.{key}")))).transpose()
}

/// 400 for a value of another type than the field's.
pub(crate) fn wrong_type(key: &str, kind: &str, value: &Value) -> ApiError {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    ApiError::invalid_typed_value(&format!("file.{key}"), kind, &shown)
}

impl Cx<'_> {
    /// Writes the fields that create and update share. What was changed, in the words of 5.10.
    pub(crate) fn apply_meta(&self, f: &mut FileRow, meta: &Meta) -> ApiResult<Vec<&'static str>> {
        let before = f.clone();
        if let Some(name) = text(meta, "name")? {
            name.clone_into(&mut f.name);
            if f.name.is_empty() {
                "Untitled".clone_into(&mut f.name);
            }
            // A name without one leaves the one there was (1.46).
            if let Some((_, end)) = name.split_once('.').filter(|(_, end)| !end.is_empty()) {
                f.extension = Some(end.to_owned());
            }
        }
        if meta.contains_key("description") {
            f.description = text(meta, "description")?.filter(|text| !text.is_empty()).map(str::to_owned);
        }
        if let Some(name) = text(meta, "originalFilename")? {
            f.original_name = Some(name.to_owned());
        }
        if let Some(color) = text(meta, "folderColorRgb")? {
            f.color = Some(color.to_owned());
        }
        if let Some(value) = boolean(meta, "writersCanShare")? {
            f.writers_share = value;
        }
        if let Some(value) = boolean(meta, "copyRequiresWriterPermission")? {
            f.copy_protected = value;
        }
        if let Some(value) = boolean(meta, "viewersCanCopyContent")? {
            f.copy_protected = !value;
        }
        if let Some(value) = boolean(meta, "inheritedPermissionsDisabled")? {
            if value && !f.is_folder() {
                return Err(ApiError::field_not_writable());
            }
            // Narrowing and widening are for those who may share (3.22).
            if value != f.limited && !self.may_share(f)? {
                return Err(ApiError::insufficient_file_permissions());
            }
            f.limited = value;
        }
        let mut properties = *f != before;
        for (field, app) in [("properties", ""), ("appProperties", self.who.app.as_str())] {
            properties |= self.apply_props(f, meta, field, app)?;
        }
        let mut changed = Vec::new();
        if properties {
            changed.push("properties");
            f.modified = self.now;
        }
        if let Some(ms) = time(meta, "modifiedTime")? {
            changed.push("properties");
            f.modified = ms;
        }
        self.apply_personal(f, meta, !changed.is_empty())?;
        changed.dedup();
        Ok(changed)
    }

    /// Merges custom properties; null deletes a key (1.50). Whether anything changed.
    fn apply_props(&self, f: &FileRow, meta: &Meta, field: &str, app: &str) -> ApiResult<bool> {
        let wanted = match meta.get(field) {
            None | Some(Value::Null) => return Ok(false),
            Some(Value::Object(map)) => map,
            Some(other) => return Err(wrong_type(field, "TYPE_OBJECT", other)),
        };
        let had = files::props(self.db, &f.id, app)?;
        for (key, value) in wanted {
            let value = match value {
                Value::Null => {
                    self.db.prepare_cached("DELETE FROM props WHERE file = ?1 AND app = ?2 AND key = ?3")?.execute([&f.id, app, key])?;
                    continue;
                }
                Value::String(text) => text,
                other => return Err(wrong_type(field, "TYPE_STRING", other)),
            };
            if key.len() + value.len() > PROPERTY_BYTES {
                return Err(self.over_limit(format!("The property '{key}' is longer than {PROPERTY_BYTES} bytes.")));
            }
            self.db.prepare_cached("INSERT OR REPLACE INTO props VALUES (?1, ?2, ?3, ?4)")?.execute([&f.id, app, key, value])?;
        }
        let has = files::props(self.db, &f.id, app)?;
        let total: i64 = self.db.prepare_cached("SELECT count(*) FROM props WHERE file = ?1")?.query_row([&f.id], |row| row.get(0))?;
        if has.len() > 30 || total > 100 {
            return Err(self.over_limit("The limit of custom properties of this file is exceeded.".to_owned()));
        }
        Ok(had != has)
    }

    /// Which status this has is nowhere said (1.49).
    fn over_limit(&self, message: String) -> ApiError {
        if self.settings.switches.property_limit_is_403 { ApiError::forbidden("forbidden", message) } else { ApiError::invalid(message) }
    }

    /// What is the caller's own: stars, views, and that they changed the file (1.10).
    fn apply_personal(&self, f: &FileRow, meta: &Meta, edited: bool) -> ApiResult<()> {
        let known = files::personal(self.db, &self.who.email, &f.id)?;
        let mut own = known.unwrap_or_default();
        if let Some(starred) = boolean(meta, "starred")? {
            own.starred = starred;
        }
        if let Some(viewed) = time(meta, "viewedByMeTime")? {
            own.viewed = Some(viewed);
        }
        if edited {
            own.modified = Some(f.modified);
        }
        if known.is_none() && !edited && !meta.keys().any(|key| is_personal(key)) {
            return Ok(());
        }
        files::save_personal(self.db, &self.who.email, &f.id, own)
    }
}
