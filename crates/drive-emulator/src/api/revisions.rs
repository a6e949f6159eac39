//! `revisions.*` (2.28).

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::{Value, json};

use crate::api::call::{Call, Reply};
use crate::api::media::Media;
use crate::api::render::person;
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::ranges::Download;
use crate::rules::cx::Cx;
use crate::rules::meta;
use crate::store::files::FileRow;
use crate::store::perms::Role;

/// Revisions of one file that may be kept for ever (2.28).
const MAX_KEPT: i64 = 200;

struct Revision {
    seq: i64,
    id: String,
    mime: String,
    modified: i64,
    user: Option<String>,
    size: Option<i64>,
    md5: Option<String>,
    blob: Option<String>,
    name: Option<String>,
    keep: bool,
    published: bool,
}

const COLUMNS: &str = "seq, id, mime, modified, user, size, md5, blob, name, keep, published";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Revision> {
    Ok(Revision {
        seq: row.get(0)?,
        id: row.get(1)?,
        mime: row.get(2)?,
        modified: row.get(3)?,
        user: row.get(4)?,
        size: row.get(5)?,
        md5: row.get(6)?,
        blob: row.get(7)?,
        name: row.get(8)?,
        keep: row.get(9)?,
        published: row.get(10)?,
    })
}

/// `revisions.list`, oldest first.
pub fn list(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let size = call.query.page_size(200, 1000, cx.settings.switches.strict_page_size)?;
    let (file, _) = readable(cx, call)?;
    let after: i64 = match call.query.filled("pageToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| ApiError::invalid_value("pageToken"))?,
    };
    let mut statement =
        cx.db.prepare_cached(&format!("SELECT {COLUMNS} FROM revisions WHERE file = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"))?;
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let mut found = statement.query_map(params![file.id, after, limit], from_row)?.collect::<Result<Vec<Revision>, _>>()?;
    let more = found.len() > size;
    found.truncate(size);
    let page = found.iter().map(|revision| render(cx, &file, revision)).collect::<ApiResult<Vec<Value>>>()?;
    let mut answer = json!({ "kind": "drive#revisionList", "revisions": page });
    if let Some(last) = found.last().filter(|_| more) {
        answer["nextPageToken"] = json!(last.seq.to_string());
    }
    Ok(Reply::Json(answer))
}

/// `revisions.get`, metadata or bytes.
pub fn get(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let (file, _) = readable(cx, call)?;
    let revision = one(cx, &file, call.id(1))?;
    if !call.query.alt_media() {
        return Ok(Reply::Json(render(cx, &file, &revision)?));
    }
    if !file.is_blob() {
        return Err(ApiError::file_not_downloadable());
    }
    let size = u64::try_from(revision.size.unwrap_or(0)).unwrap_or(0);
    let range = Download::parse(call.header("range"), size)?;
    Ok(Reply::Media(Media { mime: revision.mime, blob: revision.blob, size, range }))
}

/// `revisions.update`: `keepForever`, `published`.
pub fn update(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let (file, _) = cx.allowed(call.id(0), true, Role::Writer)?;
    let mut revision = one(cx, &file, call.id(1))?;
    let body = call.json()?;
    revision.keep = meta::boolean(&body, "keepForever")?.unwrap_or(revision.keep);
    revision.published = meta::boolean(&body, "published")?.unwrap_or(revision.published);
    let kept: i64 = cx.db.query_row("SELECT count(*) FROM revisions WHERE file = ?1 AND keep = 1", [&file.id], |row| row.get(0))?;
    if revision.keep && (!file.is_blob() || kept >= MAX_KEPT) {
        return Err(ApiError::new(
            400,
            "illegalKeepForeverModification",
            "Only revisions of files with binary content can be kept forever, 200 of a file.",
        ));
    }
    cx.db.execute(
        "UPDATE revisions SET keep = ?2, published = ?3 WHERE seq = ?1",
        params![revision.seq, revision.keep, revision.published],
    )?;
    Ok(Reply::Json(render(cx, &file, &revision)?))
}

/// `revisions.delete`: any but the newest.
pub fn delete(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let (file, _) = cx.allowed(call.id(0), true, Role::Writer)?;
    let revision = one(cx, &file, call.id(1))?;
    if !file.is_blob() || file.head.as_deref() == Some(&revision.id) {
        return Err(ApiError::forbidden("revisionNotDeletable", "This revision cannot be deleted."));
    }
    cx.db.execute("DELETE FROM revisions WHERE seq = ?1", [revision.seq])?;
    cx.after.borrow_mut().blobs.extend(revision.blob);
    Ok(Reply::Done)
}

/// Revisions have no `supportsAllDrives`; who may not change a file does not see its history.
fn readable(cx: &Cx<'_>, call: &Call) -> ApiResult<(FileRow, Role)> {
    let (file, standing) = cx.visible(call.id(0), true)?;
    if file.is_folder() || file.is_shortcut() {
        return Err(ApiError::forbidden("revisionsNotSupported", "The file does not support revisions."));
    }
    match standing.role {
        Some(role) if !standing.glimpse => Ok((file, role)),
        _ => Err(ApiError::insufficient_file_permissions()),
    }
}

fn one(cx: &Cx<'_>, file: &FileRow, id: &str) -> ApiResult<Revision> {
    let (sql, key) = if id == "head" {
        (format!("SELECT {COLUMNS} FROM revisions WHERE file = ?1 AND ?2 = 'head' ORDER BY seq DESC LIMIT 1"), "head")
    } else {
        (format!("SELECT {COLUMNS} FROM revisions WHERE file = ?1 AND id = ?2"), id)
    };
    cx.db.prepare_cached(&sql)?.query_row([&file.id, key], from_row).optional()?.ok_or_else(|| ApiError::not_found_revision(id))
}

fn render(cx: &Cx<'_>, file: &FileRow, revision: &Revision) -> ApiResult<Value> {
    let mut value = json!({
        "kind": "drive#revision",
        "id": revision.id,
        "mimeType": revision.mime,
        "modifiedTime": clock::format(revision.modified),
        "published": revision.published,
    });
    if let Some(user) = &revision.user {
        value["lastModifyingUser"] = person(cx, user)?;
    }
    if file.is_blob() {
        value["keepForever"] = json!(revision.keep);
        value["size"] = json!(revision.size.unwrap_or(0).to_string());
        value["md5Checksum"] = json!(revision.md5);
        value["originalFilename"] = json!(revision.name);
    }
    Ok(value)
}
