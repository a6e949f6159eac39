//! `files.*` except lists and uploads.

use serde_json::{Value, json};

use crate::api::call::{Call, Reply};
use crate::api::media::Media;
use crate::api::render;
use crate::error::{ApiError, ApiResult};
use crate::ids::IdKind;
use crate::mask::Mask;
use crate::ranges::Download;
use crate::rules::create::Content;
use crate::rules::cx::Cx;
use crate::rules::meta::Meta;
use crate::rules::update::Update;
use crate::store::files::FileRow;
use crate::store::perms::Role;

/// `files.generateIds` (1.14).
pub fn generate_ids(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let count: i32 = call.query.get("count").map_or(Ok(10), str::parse).unwrap_or(10);
    if !(1..=1000).contains(&count) {
        return Err(ApiError::invalid_parameter("count", format!("Invalid value '{count}'. Values must be within the range: [1, 1000]")));
    }
    let space = call.query.filled("space").unwrap_or("drive");
    let kind = match (space, call.query.filled("type").unwrap_or("files")) {
        ("drive", "files") => IdKind::Files,
        ("drive", "shortcuts") => IdKind::Shortcuts,
        ("appDataFolder", "files") => IdKind::AppData,
        ("drive" | "appDataFolder", _) => return Err(ApiError::invalid_value("type")),
        _ => return Err(ApiError::invalid_value("space")),
    };
    let ids: Vec<String> = (0..count).map(|_| cx.new_id(kind)).collect();
    Ok(Reply::Json(json!({ "kind": "drive#generatedIds", "space": space, "ids": ids })))
}

/// `files.get`, metadata or bytes.
pub fn get(cx: &Cx<'_>, call: &Call, mask: &Mask) -> ApiResult<Reply> {
    let media = call.query.alt_media();
    if call.query.is_true("acknowledgeAbuse") && !media {
        return Err(ApiError::invalid_abuse_acknowledgment());
    }
    let (file, standing) = cx.visible(call.id(0), call.query.all_drives())?;
    if !media {
        return file_reply(cx, &file, mask);
    }
    if !file.is_blob() {
        let error = ApiError::file_not_downloadable();
        return Err(if cx.settings.switches.not_downloadable_is_401 { error.with_code(401) } else { error });
    }
    if standing.glimpse || (file.copy_protected && standing.role < Some(Role::Writer)) {
        return Err(ApiError::forbidden("cannotDownloadFile", "This file cannot be downloaded by the user."));
    }
    let may_acknowledge = standing.role >= Some(Role::Organizer);
    if file.abusive && !(may_acknowledge && call.query.is_true("acknowledgeAbuse")) {
        return Err(ApiError::abusive_file());
    }
    let size = u64::try_from(file.size.unwrap_or(0)).unwrap_or(0);
    let range = Download::parse(call.header("range"), size)?;
    Ok(Reply::Media(Media { mime: file.mime, blob: file.blob, size, range }))
}

/// `files.create` without media (1.1).
pub fn create(cx: &Cx<'_>, call: &Call, mask: &Mask) -> ApiResult<Reply> {
    create_with(cx, call, &call.json()?, None, mask)
}

/// `files.create`, with or without media.
pub fn create_with(cx: &Cx<'_>, call: &Call, meta: &Meta, content: Option<Content>, mask: &Mask) -> ApiResult<Reply> {
    let file = cx.create(meta, content, call.query.all_drives())?;
    file_reply(cx, &file, mask)
}

/// `files.update` without media.
pub fn update(cx: &Cx<'_>, call: &Call, mask: &Mask) -> ApiResult<Reply> {
    update_with(cx, call, &call.json()?, None, mask)
}

/// `files.update`, with or without media.
pub fn update_with(cx: &Cx<'_>, call: &Call, meta: &Meta, content: Option<Content>, mask: &Mask) -> ApiResult<Reply> {
    let how = Update {
        add: call.query.list("addParents"),
        remove: call.query.list("removeParents"),
        all_drives: call.query.all_drives(),
        single_parent: call.query.flag("enforceSingleParent", false),
    };
    let file = cx.update(call.id(0), meta, content, &how)?;
    // The mover may have moved it out of their own sight; the answer is what they changed.
    file_reply(cx, &file, mask)
}

/// `files.copy`.
pub fn copy(cx: &Cx<'_>, call: &Call, mask: &Mask) -> ApiResult<Reply> {
    let keep = call.query.flag("keepRevisionForever", false);
    let file = cx.copy(call.id(0), &call.json()?, call.query.all_drives(), keep)?;
    file_reply(cx, &file, mask)
}

/// `files.delete`.
pub fn delete(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    cx.delete(call.id(0), call.query.all_drives())?;
    Ok(Reply::Done)
}

/// `files.emptyTrash`.
pub fn empty_trash(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    cx.empty_trash(call.query.drive())?;
    Ok(Reply::Done)
}

fn file_reply(cx: &Cx<'_>, file: &FileRow, mask: &Mask) -> ApiResult<Reply> {
    let value: Value = render::file(cx, file, &|field| mask.wants(field))?;
    Ok(Reply::Json(value))
}
