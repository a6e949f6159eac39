//! `files.copy`.

use serde_json::json;

use crate::error::{ApiError, ApiResult};
use crate::rules::create::Content;
use crate::rules::cx::Cx;
use crate::rules::meta::Meta;
use crate::store::blobs;
use crate::store::files::{self, FileRow};
use crate::store::perms::Role;

impl Cx<'_> {
    /// A copy, owned by the caller. It lies beside the original where they may write there, else in their root.
    pub fn copy(&self, id: &str, body: &Meta, all_drives: bool, keep: bool) -> ApiResult<FileRow> {
        let (source, standing) = self.visible(id, all_drives)?;
        let locked = source.copy_protected && standing.role < Some(Role::Writer);
        if source.is_folder() || locked || standing.glimpse {
            return Err(ApiError::forbidden("cannotCopyFile", "This file cannot be copied by the user."));
        }
        let mut meta = body.clone();
        meta.entry("name").or_insert_with(|| json!(format!("Copy of {}", source.name)));
        meta.entry("mimeType").or_insert_with(|| json!(source.mime));
        if let Some(description) = &source.description {
            meta.entry("description").or_insert_with(|| json!(description));
        }
        if let Some(target) = &source.target {
            meta.entry("shortcutDetails").or_insert_with(|| json!({ "targetId": target }));
        }
        if let Some(parent) = &source.parent
            && self.parent_role(&source)? >= Some(Role::Writer)
        {
            meta.entry("parents").or_insert_with(|| json!([parent]));
        }
        let content = match (&source.blob, source.is_shortcut()) {
            (Some(blob), false) => {
                let mut staged = blobs::again(self.dir, blob)?;
                staged.size = source.size.unwrap_or(0);
                staged.md5 = source.md5.clone().unwrap_or_default();
                staged.sha1 = source.sha1.clone().unwrap_or_default();
                staged.sha256 = source.sha256.clone().unwrap_or_default();
                Some(Content { staged, mime: Some(source.mime.clone()), keep })
            }
            _ => None,
        };
        let copy = self.create(&meta, content, all_drives)?;
        for (key, value) in files::props(self.db, &source.id, "")? {
            self.db.execute("INSERT OR IGNORE INTO props VALUES (?1, '', ?2, ?3)", [&copy.id, &key, &value])?;
        }
        for (key, value) in files::props(self.db, &source.id, &self.who.app)? {
            self.db.execute("INSERT OR IGNORE INTO props VALUES (?1, ?2, ?3, ?4)", [&copy.id, &self.who.app, &key, &value])?;
        }
        Ok(copy)
    }
}
