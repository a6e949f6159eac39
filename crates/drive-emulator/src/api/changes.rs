//! `changes.getStartPageToken` and `changes.list`.

use serde_json::{Map, Value, json};

use crate::api::call::{Call, Reply};
use crate::api::render;
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::rules::cx::Cx;
use crate::rules::feed::Entry;

/// `changes.getStartPageToken` (4.1).
pub fn start_page_token(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let log = log(cx, call)?;
    let token = cx.log_end(&log)?.to_string();
    Ok(Reply::Json(json!({ "kind": "drive#startPageToken", "startPageToken": token })))
}

/// `changes.list` (4.4 to 4.17).
pub fn list(cx: &Cx<'_>, call: &Call, mask: &Mask) -> ApiResult<Reply> {
    let size = call.query.page_size(100, 1000, cx.settings.switches.strict_page_size)?;
    if call.query.include_all() && !call.query.all_drives() {
        return Err(ApiError::supports_all_drives_required());
    }
    let token = call.query.filled("pageToken").ok_or_else(|| ApiError::required_parameter("pageToken"))?;
    let log = log(cx, call)?;
    let page = cx.feed_page(&log, cx.read_token(token)?, size)?;
    let mut changes = Vec::new();
    for entry in &page.entries {
        changes.extend(change(cx, call, mask, entry)?);
    }
    let mut answer = json!({ "kind": "drive#changeList", "changes": changes });
    match page.next {
        Some(next) => answer["nextPageToken"] = json!(next.to_string()),
        None => answer["newStartPageToken"] = json!(page.new_start.to_string()),
    }
    Ok(Reply::Json(answer))
}

fn log(cx: &Cx<'_>, call: &Call) -> ApiResult<String> {
    let drive = call.query.drive();
    if drive.is_some() && !call.query.all_drives() {
        return Err(ApiError::supports_all_drives_required());
    }
    cx.log_name(drive)
}

/// An entry as the caller asked to see it; none if they did not ask for its kind.
fn change(cx: &Cx<'_>, call: &Call, mask: &Mask, entry: &Entry) -> ApiResult<Option<Value>> {
    let query = &call.query;
    let wanted = |removed: bool| !removed || query.flag("includeRemoved", true);
    let mut out = Map::new();
    out.insert("kind".to_owned(), json!("drive#change"));
    for name in ["changeType", "type"] {
        out.insert(name.to_owned(), json!(entry.kind));
    }
    out.insert("time".to_owned(), json!(clock::format(entry.time)));
    let all_drives = query.drive().is_some() || query.include_all();
    if entry.kind == "drive" {
        let drive = if entry.removed { None } else { cx.drive(&entry.item).ok() };
        if !all_drives || !wanted(drive.is_none()) {
            return Ok(None);
        }
        out.insert("removed".to_owned(), json!(drive.is_none()));
        out.insert("driveId".to_owned(), json!(entry.item));
        out.insert("teamDriveId".to_owned(), json!(entry.item));
        if let Some(drive) = drive {
            out.insert("drive".to_owned(), render::drive(cx, &drive)?);
        }
        return Ok(Some(Value::Object(out)));
    }
    let file = cx.entry_file(entry)?;
    if !wanted(file.is_none()) {
        return Ok(None);
    }
    if let Some(file) = &file {
        let spaces = query.filled("spaces").unwrap_or("drive");
        let elsewhere = !spaces.split(',').any(|space| space.trim() == file.space);
        let not_mine = query.flag("restrictToMyDrive", false) && !cx.in_my_drive(file)?;
        if elsewhere || not_mine || (file.drive.is_some() && !all_drives) {
            return Ok(None);
        }
    }
    out.insert("removed".to_owned(), json!(file.is_none()));
    out.insert("fileId".to_owned(), json!(entry.item));
    if let Some(file) = &file {
        let want = |field: &str| mask.wants(&format!("changes/file/{field}"));
        out.insert("file".to_owned(), render::file(cx, file, &want)?);
    }
    Ok(Some(Value::Object(out)))
}
