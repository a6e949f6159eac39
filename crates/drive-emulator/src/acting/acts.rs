//! Acts of users.

use serde_json::{Value, json};

use super::{Control, check};
use crate::error::{ApiError, ApiResult};
use crate::rules::create::Content;
use crate::rules::cx::Cx;
use crate::rules::meta::Meta;
use crate::rules::permissions::Sharing;
use crate::rules::update::Update;
use crate::store::accounts::FOLDER;
use crate::store::blobs::{self, Staged};
use crate::store::files::{self, SHORTCUT};
use crate::store::perms::Grantee;

fn meta(value: Value) -> ApiResult<Meta> {
    match value {
        Value::Object(map) => Ok(map),
        other => Err(ApiError::invalid(format!("{other} is no metadata; it must be an object.")).at_parameter("body")),
    }
}

impl Control {
    /// A folder; its id. `parent` is an id or `root`.
    pub fn mkdir(&self, email: &str, parent: &str, name: &str) -> ApiResult<String> {
        self.new_file(email, json!({ "name": name, "mimeType": FOLDER, "parents": [parent] }), None)
    }

    /// A file with these bytes; its id.
    pub fn put(&self, email: &str, parent: &str, name: &str, bytes: &[u8], mime: &str) -> ApiResult<String> {
        let staged = blobs::stage_bytes(self.app.store.dir(), bytes)?;
        self.put_staged(email, parent, name, staged, mime)
    }

    /// A file of `size` bytes that takes neither memory nor disk; its id. Its bytes look random and are
    /// always the same; it has an md5 and, as old files, no other checksum.
    pub fn put_generated(&self, email: &str, parent: &str, name: &str, size: u64) -> ApiResult<String> {
        self.put_staged(email, parent, name, blobs::stage_generated(size)?, "application/octet-stream")
    }

    fn put_staged(&self, email: &str, parent: &str, name: &str, staged: Staged, mime: &str) -> ApiResult<String> {
        let body = json!({ "name": name, "mimeType": mime, "parents": [parent] });
        self.new_file(email, body, Some(Content { staged, mime: None, keep: false }))
    }

    /// New bytes for a file: a new revision.
    pub fn replace(&self, email: &str, id: &str, bytes: &[u8]) -> ApiResult<()> {
        let staged = blobs::stage_bytes(self.app.store.dir(), bytes)?;
        let content = Content { staged, mime: None, keep: false };
        self.as_user(email, |cx| cx.update(id, &Meta::new(), Some(content), &everywhere()).map(drop))
    }

    /// A Google Docs file; its id. `kind` is document, spreadsheet, presentation, drawing or form.
    pub fn google_doc(&self, email: &str, parent: &str, name: &str, kind: &str) -> ApiResult<String> {
        check::kind(kind)?;
        let mime = format!("application/vnd.google-apps.{kind}");
        self.new_file(email, json!({ "name": name, "mimeType": mime, "parents": [parent] }), None)
    }

    /// A shortcut; its id.
    pub fn shortcut(&self, email: &str, parent: &str, name: &str, target: &str) -> ApiResult<String> {
        let details = json!({ "targetId": target });
        self.new_file(email, json!({ "name": name, "mimeType": SHORTCUT, "parents": [parent], "shortcutDetails": details }), None)
    }

    fn new_file(&self, email: &str, body: Value, content: Option<Content>) -> ApiResult<String> {
        self.as_user(email, |cx| Ok(cx.create(&meta(body)?, content, true)?.id))
    }

    /// `files.update` with any metadata.
    pub fn update(&self, email: &str, id: &str, body: Value) -> ApiResult<()> {
        let body = meta(body)?;
        self.as_user(email, |cx| cx.update(id, &body, None, &everywhere()).map(drop))
    }

    /// Another name.
    pub fn rename(&self, email: &str, id: &str, name: &str) -> ApiResult<()> {
        self.update(email, id, json!({ "name": name }))
    }

    /// Another folder, whatever the file is in now.
    pub fn move_to(&self, email: &str, id: &str, new_parent: &str) -> ApiResult<()> {
        self.as_user(email, |cx| {
            let old = cx.visible(id, true)?.0.parent;
            let how = Update { add: vec![new_parent.to_owned()], remove: old.into_iter().collect(), ..everywhere() };
            cx.update(id, &Meta::new(), None, &how).map(drop)
        })
    }

    /// Into the trash.
    pub fn trash(&self, email: &str, id: &str) -> ApiResult<()> {
        self.update(email, id, json!({ "trashed": true }))
    }

    /// Out of the trash.
    pub fn untrash(&self, email: &str, id: &str) -> ApiResult<()> {
        self.update(email, id, json!({ "trashed": false }))
    }

    /// For good.
    pub fn delete(&self, email: &str, id: &str) -> ApiResult<()> {
        self.as_user(email, |cx| cx.delete(id, true))
    }

    /// Empties the user's trash.
    pub fn empty_trash(&self, email: &str) -> ApiResult<()> {
        self.as_user(email, |cx| cx.empty_trash(None))
    }

    /// Grants `role` to a person, without mail. `with` may be `anyone` for everybody with the link.
    pub fn share(&self, email: &str, id: &str, with: &str, role: &str) -> ApiResult<()> {
        let body = if with == "anyone" {
            json!({ "type": "anyone", "role": role })
        } else {
            json!({ "type": "user", "emailAddress": with, "role": role })
        };
        let how = Sharing { all_drives: true, notify: false, transfer: role == "owner", ..Sharing::default() };
        self.as_user(email, |cx| cx.share(id, &meta(body)?, how).map(drop))
    }

    /// Takes back what was granted to a person on the file itself.
    pub fn unshare(&self, email: &str, id: &str, with: &str) -> ApiResult<()> {
        let grantee = if with == "anyone" { Grantee::Anyone } else { Grantee::User(with.to_lowercase()) };
        let how = Sharing { all_drives: true, ..Sharing::default() };
        self.as_user(email, |cx| cx.unshare(id, &grantee.permission_id(false), how))
    }

    /// What shows in the change log without changing anything a program cares for (4.23): `view`, `star`, `comment`.
    pub fn touch_noise(&self, email: &str, id: &str, what: &str) -> ApiResult<()> {
        let body = match what {
            "star" => json!({ "starred": true }),
            "view" => json!({ "viewedByMeTime": crate::clock::format(self.now_ms()?) }),
            "comment" => return self.as_user(email, |cx| commented(cx, id)),
            _ => return Err(ApiError::invalid_value("what")),
        };
        self.update(email, id, body)
    }

    /// Marks a file as malware, or clears it (2.11).
    pub fn mark_abusive(&self, id: &str, abusive: bool) -> ApiResult<()> {
        self.app.store.write(|db| match db.execute("UPDATE files SET abusive = ?2 WHERE id = ?1", rusqlite::params![id, abusive])? {
            0 => Err(ApiError::not_found_file(id)),
            _ => Ok(()),
        })
    }
}

fn everywhere() -> Update {
    Update { all_drives: true, ..Update::default() }
}

fn commented(cx: &Cx<'_>, id: &str) -> ApiResult<()> {
    let (mut file, _) = cx.visible(id, true)?;
    let before = cx.before(&file, false)?;
    file.version += 1;
    files::save(cx.db, &file)?;
    cx.log(&before)
}
